"""`ipch blackbox`, `ipch replay` and `ipch selftest` against a simulated rig."""

import json
from functools import partial
from types import SimpleNamespace

import pytest

from ipch.blackbox import capture, replay
from ipch.cli import run
from ipch.sim.rigs import load_firmware
from ipch.sim.server import simulate
from ipch.workflows import board_report

OPTIONS = ["--ideal", "--rig", "sim", "--speed", "max", "--ahead", "10s", "--set", "initial_mpa=4.9"]


@pytest.fixture(scope="module")
def port():
    with simulate(OPTIONS) as simulator:
        yield simulator.port


@pytest.fixture
def resting_port():
    """A device of its own, because a ramp that another test began would count as noise."""
    with simulate(OPTIONS) as simulator:
        yield simulator.port


def said(capsys, *words):
    capsys.readouterr()
    code = run(list(words))
    return code, capsys.readouterr()


def test_a_black_box_goes_into_a_file_and_a_plot_and_through_a_replay(port, tmp_path, capsys):
    assert run(["set", "5MPa", "--port", port]) == 0
    assert run(["on", "--port", port]) == 0
    path = tmp_path / "box.json"
    code, out = said(capsys, "blackbox", "--out", str(path), "--port", port, "--json")
    assert code == 0, out.err
    told = json.loads(out.out)
    assert told["rows"] == len(capture.load(path).rows) and told["fault"] == "NONE"
    assert "Plotly.newPlot" in path.with_suffix(".html").read_text()
    code, out = said(capsys, "send", ":TRAC:STAT?", "--port", port)
    assert out.out.startswith("ARMED")

    code, out = said(capsys, "replay", str(path), "--json")
    assert code == 0 and json.loads(out.out)["differences"] == 0, out
    code, out = said(capsys, "replay", str(path), "--step", "1", "--from=-0.5", "--show", "sensors.slew_pa_s")
    assert code == 0 and out.out.count("sensors.slew_pa_s=") > 5
    code, out = said(capsys, "replay", str(path), "--show", "nonsense")
    assert code == 2 and "--show list" in out.err

    box = capture.load(path)
    rows = [list(row) for row in box.rows]
    rows[-40][box.fields.index("state")] ^= 1
    capture.save(path, box.model_copy(update={"rows": rows}))
    code, out = said(capsys, "replay", str(path))
    assert code == 9 and f"row {len(rows) - 40}" in out.err
    path.write_text(path.read_text().replace("[20,", "[21,", 1))
    code, out = said(capsys, "replay", str(path))
    assert code == 8 and "checksum" in out.err


def test_the_self_test_passes(port, capsys):
    code, out = said(capsys, "selftest", "--port", port)
    assert code == 0 and out.out == "self test passed\n"


def test_a_report_has_the_figures_of_the_board_and_replaces_no_file(resting_port, tmp_path, capsys):
    path = tmp_path / "board.json"
    code, out = said(capsys, "selftest", "--report", str(path), "--seconds", "1", "--port", resting_port)
    assert (code, out.out) == (0, "self test passed\n") and str(path) in out.err
    told = json.loads(path.read_text())
    assert told["self_test"] == 0 and told["identity"]["model"] == "IPCH-1"
    assert told["health"]["flash_writes"] >= 1 and "clock_mhz" not in told["health"]
    # The simulated transducers' noise is 0.25 and 5 kPa (ipch/sim/sensors.py).
    assert 50 < told["noise"]["control_pa"]["standard_deviation"] < 1000
    assert 2000 < told["noise"]["safety_pa"]["standard_deviation"] < 10_000
    assert told["round_trip_ms"][":FETC?"]["queries"] > 0
    before = path.read_bytes()
    code, out = said(capsys, "selftest", "--report", str(path), "--port", resting_port)
    assert code == 2 and "exists" in out.err and path.read_bytes() == before
    code, out = said(capsys, "selftest", "--report", "x.json", "--seconds", "0", "--port", resting_port)
    assert code == 2 and "1 to 3600 s" in out.err


def test_a_report_that_cannot_be_written_is_told_before_the_measurement(port, tmp_path, capsys, monkeypatch):
    def measure(*_):
        raise AssertionError("measured in vain")

    monkeypatch.setattr(board_report, "measure", measure)
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "nowhere" / "x.json", tmp_path / "file" / "x.json"):
        code, out = said(capsys, "selftest", "--report", str(place), "--port", port)
        assert code == 8 and f"cannot write {place}" in out.err


def test_an_interrupted_report_leaves_no_file(port, tmp_path, capsys, monkeypatch):
    def measure(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(board_report, "measure", measure)
    code, _ = said(capsys, "selftest", "--report", str(tmp_path / "x.json"), "--port", port)
    assert code == 130 and not list(tmp_path.iterdir())


def test_a_replay_has_everything_of_the_store_that_the_firmware_may_use():
    """Some of it is used only once an hour: a replay over that moment must not end with an error."""
    modules = load_firmware()

    class Files(dict):
        read = dict.get

        def create(self, name):
            return SimpleNamespace(write=partial(self.__setitem__, name), close=lambda: None)

        def rename(self, old, new):
            self[new] = self.pop(old)

    store = modules["regulator.store.copies"].Store(Files(), modules["regulator.settings"].Settings())
    wanted = {name for name in dir(store) if not name.startswith("_")}
    assert wanted - set(dir(replay._Store(store.settings))) <= {"state", "save", "save_state"}
