"""tomato's driver against simulated devices: by itself, and with tomato's own daemon and command line."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipch.device import Instrument, Owner, open_session
from ipch.sim.server import RunningServer, simulate

# Imported by the tests: it takes a second, which other processes of a test run need not spend.
if importlib.util.find_spec("tomato") is None:
    pytest.skip("tomato is not installed", allow_module_level=True)

INTEGRATION = Path(__file__).parents[2] / "host" / "integrations" / "tomato"
BIN = Path(sys.executable).parent
KEY = ("TOM1", "1")
FAST = ["--ideal", "--rig", "core", "--speed", "10"]
Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def device() -> Iterator[RunningServer]:
    with simulate([*FAST, "--serial", "TOM1"]) as running:
        yield running


@pytest.fixture
def driver(device: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """tomato's driver with the device registered."""
    monkeypatch.syspath_prepend(str(INTEGRATION))
    from tomato_ipch import DriverInterface

    found = DriverInterface()
    told = found.cmp_register(address=KEY[0], channel=KEY[1])
    assert told.success, told
    yield found
    close(found)


def close(driver: Any) -> None:
    for component in driver.devmap.values():
        component.thread.do_run = False
        component.thread.join()
        component.owner.close()
        component.instrument.close()


def task(technique: str, seconds: float = 30, **params: str) -> Any:
    from tomato.models import Task

    return Task(component_role="p", max_duration=seconds, sampling_interval=0.1, technique_name=technique,
                task_params=params)  # fmt: skip


def carry_out(driver: Any, *tasks: Any, key: tuple[str, str] = KEY) -> Any:
    """Run tasks one after the other, as tomato's job does; the data of the last one."""
    for each in tasks:
        told = driver.task_start(key=key, task=each)
        assert told.success, told
        await_(lambda each=each: driver.task_status(key=key).data["task"] == each, 5)
        await_(lambda: not driver.task_status(key=key).data["running"], each.max_duration + 10)
    return driver.task_data(key=key).data


def await_(so: Callable[[], bool], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.mark.long
def test_a_ramp_a_hold_and_a_vent(driver: Any) -> None:
    begun_s = time.monotonic()
    ramp = carry_out(driver, task("ramp", setpoint="0.5 MPa", slew="100 kPa/s"))
    assert time.monotonic() - begun_s < 25
    assert ramp["pressure"].attrs["units"] == "MPa" and ramp["gas_temperature"].attrs["units"] == "degC"
    assert float(ramp["pressure"][-1]) == pytest.approx(0.5, abs=0.02) and int(ramp["in_limits"][-1]) == 1
    hold = carry_out(driver, task("hold", 1))
    assert set(map(str, hold["state"].values)) == {"REGULATE"}
    assert 5 <= hold.sizes["uts"] <= 12
    quiet = carry_out(driver, task("quiet", 4))
    assert "QUIET" in map(str, quiet["state"].values)
    vent = carry_out(driver, task("vent", 60))
    assert float(vent["pressure"][-1]) < 0.12


def test_what_cannot_be_is_refused_before_or_at_the_start(driver: Any, cli: Cli) -> None:
    for bad, said in (
        (task("ramp", setpoint="99 MPa"), "greater"),
        (task("ramp", setpoint="3 m"), "dimensionality"),
        (task("ramp", pressure="3 MPa"), "read-only"),
        (task("burst"), "unknown task"),
    ):
        told = driver.task_start(key=KEY, task=bad)
        assert not told.success and said in told.msg, told
    for attr, val, said in (
        ("setpoint", "nan MPa", "not a finite number: nan megapascal"),
        ("setpoint", "inf MPa", "greater"),
        ("setpoint", "-1 MPa", "0.1013250 to 5.5000000 MPA"),
        ("slew", "nan MPa/s", "not a finite number"),
        ("slew", "1e300 MPa/s", "at most 256"),
    ):
        with pytest.raises(ValueError, match=said):
            driver.cmp_set_attr(attr=attr, val=val, key=KEY)
    # The device refuses a quiet window while it is off: no later task is carried out until the component is reset.
    cli("off", "--port", "TOM1")
    driver.task_start(key=KEY, task=task("quiet", 4))
    await_(lambda: not driver.devmap[KEY].thread.is_alive(), 5)
    driver.task_start(key=KEY, task=task("hold", 1))
    with Instrument.open("TOM1") as instrument:
        assert instrument.state == "OFF"
    driver.cmp_reset(key=KEY)
    assert carry_out(driver, task("measure", 1)) is not None


def test_a_fault_ends_the_task(driver: Any, cli: Cli) -> None:
    driver.task_start(key=KEY, task=task("hold", 60, setpoint="0.4 MPa"))
    await_(lambda: driver.devmap[KEY].data is not None, 5)
    assert cli("inject", "control-open", "--port", "TOM1").code == 0
    await_(lambda: not driver.devmap[KEY].thread.is_alive(), 10)
    # The last sample tells why.
    assert str(driver.task_data(key=KEY).data["fault"].values[-1]) == "CONTROL_OPEN"
    cli("inject", "--clear", "--port", "TOM1")
    await_(lambda: cli("ack", "--port", "TOM1").code == 0, 20)
    driver.cmp_reset(key=KEY)
    carry_out(driver, task("vent", 60))


def test_a_recipe_that_runs_is_not_disturbed(driver: Any) -> None:
    session = open_session("TOM1")
    with Instrument(session) as instrument, Owner(session) as owner:
        owner.announce({"kind": "run", "name": "gitt", "pid": 1})
        driver.task_start(key=KEY, task=task("hold", 1, setpoint="1 MPa"))
        await_(lambda: not driver.devmap[KEY].thread.is_alive(), 5)
        assert instrument.state == "OFF"
        with pytest.raises(ValueError, match="the recipe gitt runs"):
            driver.cmp_set_attr(attr="setpoint", val="1 MPa", key=KEY)
    driver.cmp_reset(key=KEY)


def test_an_unplugged_device_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(INTEGRATION))
    from tomato_ipch import DriverInterface

    found, key = DriverInterface(), ("TOM2", "1")
    assert not found.cmp_register(address=key[0], channel=key[1]).success
    with simulate([*FAST, "--serial", "TOM2"]):
        assert found.cmp_register(address=key[0], channel=key[1]).success
        found.task_start(key=key, task=task("measure", 60))
        component = found.devmap[key]
        await_(lambda: component.data is not None, 5)
    gone = time.time()
    await_(lambda: component.last_data is None, 10)
    before = component.data.sizes["uts"]
    back = time.time()
    with simulate([*FAST, "--serial", "TOM2"]):
        await_(lambda: component.data.sizes["uts"] > before, 20)
        assert component.thread.is_alive()
        close(found)
        times = component.data["uts"].values
        # No row lies in the time without a device.
        assert not ((times > gone) & (times < back)).any()
        assert times[before - 1] <= gone and times[before] >= back


class Tomato:
    """A tomato daemon, and its commands."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        paths = [str(INTEGRATION), str(INTEGRATION.parents[1] / "src")]
        self._environment = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(paths),
        }

    def __call__(self, *words: str) -> Any:
        command = [str(BIN / words[0]), *words[1:], "-p", str(self._port), "-y"]
        # A file and not a pipe: the daemon that `start` leaves behind would keep the pipe open.
        with (self._folder / "told.yml").open("w+") as told:
            subprocess.run(command, cwd=self._folder, env=self._environment, stdout=told,
                           stderr=subprocess.DEVNULL, timeout=60)  # fmt: skip
            told.seek(0)
            import yaml

            return yaml.unsafe_load(told)


def registered(components: dict[str, dict[str, Any]]) -> bool:
    return all(part["capabilities"] for part in components.values())


@pytest.mark.long
def test_the_payload_of_the_documents_runs_in_tomato(device: RunningServer, tmp_path: Path) -> None:
    import xarray
    import yaml

    devices = {
        "devices": [
            {"name": "holder", "driver": "ipch", "address": "TOM1", "channels": ["1"], "pollrate": 1},
            {
                "name": "counter",
                "driver": "example_counter",
                "address": "x",
                "channels": ["1"],
                "pollrate": 1,
            },
        ],
        "pipelines": [
            {
                "name": "cell",
                "devices": [
                    {"role": "pressure", "device": "holder", "channel": "1"},
                    {"role": "cycler", "device": "counter", "channel": "1"},
                ],
            }
        ],
    }
    (tmp_path / "devices.yml").write_text(yaml.safe_dump(devices))
    payload = yaml.safe_load((INTEGRATION / "example.yml").read_text())
    for each in payload["method"]:
        if each["max_duration"] == "1 h":
            each["max_duration"] = 2
    (tmp_path / "payload.yml").write_text(yaml.safe_dump(payload))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        tomato = Tomato(tmp_path, probe.getsockname()[1])
    place = ("-A", str(tmp_path))
    assert tomato("tomato", "init", *place, "-D", str(tmp_path), "-L", str(tmp_path))["success"]
    try:
        assert tomato("tomato", "start", *place)["success"]
        await_(lambda: registered(tomato("tomato", "status")["data"]["cmps"]), 40)
        assert tomato("tomato", "pipeline", "load", "cell", "cell-1")["success"]
        assert tomato("tomato", "pipeline", "ready", "cell")["success"]
        told = tomato("ketchup", "submit", "payload.yml")
        assert told["success"], told
        await_(lambda: tomato("ketchup", "status", "1")["data"][0]["status"] in ("c", "ce"), 120)
        assert tomato("ketchup", "status", "1")["data"][0]["status"] == "c"
    finally:
        tomato("tomato", "stop")
    with xarray.open_datatree(tmp_path / "results.1.nc", engine="h5netcdf") as tree:
        pressure, cycler = tree["pressure"].to_dataset().load(), tree["cycler"].to_dataset().load()
    at_cycler = pressure["pressure"].interp(uts=cycler["uts"]).values
    assert {round(float(value)) for value in at_cycler} == {1, 3}
    assert float(pressure["pressure"][-1]) < 0.12
