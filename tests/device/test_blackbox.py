"""Trips recorded by the device, fetched over its serial line, and replayed on a desk: every command bit for bit."""

import json
from array import array
from pathlib import Path
from typing import Any

import pytest

from ipch.base import generated
from ipch.blackbox import capture
from ipch.blackbox.capture import BlackBox
from ipch.blackbox.replay import Replay, check
from ipch.device import scpi
from ipch.device.instrument import Identity
from ipch.errors import CheckError, FileError
from ipch.sim import signals
from tests.device.conftest import Bench


class Client:
    """The client's view of an instrument, over the bench's line: the test controls its time."""

    identity = Identity("ipch", "IPCH-1", "TEST", "0", "?")

    def __init__(self, rig):
        self._rig = rig

    def query(self, message):
        return self._rig.ask(message)

    def ask(self, message):
        self._rig.send(message)
        self._rig.run_s(0.1)
        return []

    def setting_names(self):
        return scpi.fields(self.query(":SYST:SETT:LIST?"))


def regulating(bench, *sets):
    rig = bench("initial_mpa=4.5", *sets)
    rig.send(":SOUR:PRES 5;SLEW 0.1;:OUTP ON")
    rig.run_s(8)
    assert rig.fetch()["state"] == "REGULATE"
    return rig


def replayed(box: BlackBox) -> Replay:
    replay = Replay(box)
    for step in replay.steps():
        check(step)
    return replay


def over_pressure(rig):
    for valve in rig.plant.valves[:2]:
        valve.stuck = "open"


def open_loop(rig):
    rig.world.stuck_counts[signals.CONTROL] = 0


def disagreement(rig):
    rig.world.stuck_counts[signals.SAFETY] = round((4 + 16 * 0.53) * 0.1 / signals.RP2040_VOLT_PER_COUNT)


def comparator(rig):
    rig.world.stuck_counts[signals.TRIPPED] = 1


def coil(rig):
    rig.world.stuck_counts[signals.COIL_SHORTED] = 16


TRIPS = {
    "over-pressure": over_pressure,
    "open loop": open_loop,
    "disagreement": disagreement,
    "comparator": comparator,
    "coil": coil,
}


@pytest.mark.parametrize("kind", TRIPS)
def test_a_trip_is_fetched_long_after_and_replayed_bit_for_bit(bench, kind, tmp_path):
    rig = regulating(bench)
    rig.world.trace = []
    rig.run_s(5)
    TRIPS[kind](rig)
    rig.run_s(8)
    fault = rig.ask(":SYST:FAUL?").split(",")[0]
    assert fault != "NONE"
    trace, rig.world.trace = rig.world.trace, None
    rig.run_s(15)
    path = tmp_path / "trip.json"
    capture.save(path, capture.fetch(Client(rig)))
    box = capture.load(path)
    assert box.fault == fault and box.trip_row == len(box.rows) - 50
    replay = replayed(box)
    assert len(box.rows) - replay.start_row > 400, "8 s at least are replayed"
    # The rows equal the values on the rig's wires.
    counts = [entry[1:] for entry in trace if len(entry) == 1 + signals.COUNT]
    names = (
        "dt_ms",
        "control_counts",
        "safety_counts",
        "supply_counts",
        "gas_counts",
        "wall_counts",
        "faults",
    )
    rows = list(zip(*(box.column(name) for name in names), strict=True))
    index = next(i for i in range(len(counts)) if counts[i][:7] == rows[-200])
    assert [each[:7] for each in counts[index : index + 100]] == rows[-200:-100]
    assert sum(1 for value in box.column("pulse_us") if value) > 3 or kind != "over-pressure"


def test_settings_and_requests_within_the_ring_are_replayed(bench, tmp_path):
    rig = regulating(bench)
    rig.run_s(5)
    for message in (
        ':SYST:SETT "dead_band_pa",2000',
        ":UNIT:PRES BAR;:SOUR:PRES 51.5",
        ":SOUR:PRES:SLEW 2",
        ":OUTP:QUI 1",
        ":FETC?",
        ":SOUR:PRES 99",
    ):
        rig.send(message)
        rig.run_s(1.2)
    box = capture.fetch(Client(rig))
    assert box.fault == "NONE" and box.trip_row is None
    texts = [request.text for request in box.requests if request.row >= 0]
    assert '"dead_band_pa" 5000' in texts and box.settings["dead_band_pa"] == 2000
    assert ":OUTP:QUI 1" in texts and not any("99" in text or "FETC" in text for text in texts)
    replay = replayed(box)
    assert replay.start_row < min(request.row for request in box.requests if request.row >= 0)
    assert replay.app.settings.get("dead_band_pa") == 2000
    assert replay.app.control.target_pa == 5_150_000
    # It records again only after the command.
    rig.run_s(1)
    assert rig.ask(":TRAC:STAT?").startswith("FROZEN")
    capture.arm(Client(rig))
    assert rig.ask(":TRAC:STAT?").startswith("ARMED")


def test_the_unit_of_the_port_is_replayed_from_before_the_keyframes(bench):
    rig = regulating(bench)
    rig.send(":UNIT:PRES BAR")
    rig.run_s(12)
    rig.send(":SOUR:PRES 48")
    rig.run_s(1)
    replay = replayed(capture.fetch(Client(rig)))
    assert replay.app.control.target_pa == 4_800_000


def test_a_keyframe_misses_nothing_that_the_regulator_holds(tmp_path):
    """Each attribute is an integer, a list of them, or an object that has such."""
    rig = regulating(lambda *sets: Bench("core", tmp_path, sets, 1))
    waiting: list[tuple[str, Any]] = [("", rig.device.app)]
    seen, missed = [], []
    while waiting:
        path, thing = waiting.pop()
        if any(thing is each for each in seen):
            continue
        seen.append(thing)
        for name, value in vars(thing).items():
            if name.lstrip("_") in generated.OUTSIDE or isinstance(value, int) or callable(value):
                continue
            for each in value if isinstance(value, tuple) else [value]:
                if hasattr(each, "__dict__"):
                    waiting.append((f"{path}.{name}", each))
                elif not isinstance(each, list | array) or not all(isinstance(one, int) for one in each):
                    missed.append(f"{path}.{name}: {each!r}")
    assert missed == [] and len(seen) > 30


def test_what_a_board_without_confirmed_limits_refuses_and_allows_is_replayed(bench):
    """The confirmation is in flash, which is not recorded."""
    rig = bench("initial_mpa=4.5")
    assert rig.ask(":SYST:SETT:CONF 0;:SYST:ERR?").startswith("0,")
    rig.run_s(12)
    rig.send(":SOUR:PRES 5;:OUTP ON")
    rig.run_s(1)
    assert "CONF" in rig.ask(":SYST:ERR?")
    # Under pressure limits change on such a board only.
    assert rig.ask(':SYST:SETT "trip_pa",5900000;:SYST:ERR?').startswith("0,")
    rig.run_s(1)
    open_loop(rig)
    rig.run_s(3)
    replay = replayed(capture.fetch(Client(rig)))
    assert replay.app.modes.name == "SEALED"
    assert replay.app.settings.get("trip_pa") == 5_900_000


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("box")
    rig = Bench("core", folder, ("initial_mpa=4.5",), 1)
    regulating(lambda *_: rig)
    rig.send(":SOUR:PRES 4.8")
    rig.run_s(8)
    path = folder / "box.json"
    capture.save(path, capture.fetch(Client(rig)))
    return path


def test_a_damaged_file_is_refused(recorded, tmp_path):
    text = recorded.read_text()
    box = capture.load(recorded)
    bad = tmp_path / "bad.json"
    count = f",{box.rows[300][1]},"
    for damaged in (
        text[:-200],
        text.replace(count, ",1234,", 1),
        text.replace('"version":1', '"version":2'),
        "[]",
    ):
        assert damaged != text
        bad.write_text(damaged)
        with pytest.raises(FileError):
            capture.load(bad)


@pytest.mark.parametrize(
    "column", ["control_counts", "safety_counts", "wall_counts", "dt_ms", "pulse_us", "levels"]
)
def test_one_changed_value_is_found(recorded, column):
    box = capture.load(recorded)
    at = box.fields.index(column)
    # Shortly before a keyframe: a second later the filters have forgotten one odd reading.
    row = box.keyframes[1].row - 7
    rows = [list(values) for values in box.rows]
    rows[row][at] += 40 if column.endswith("counts") else 1
    with pytest.raises(CheckError, match="row") as found:
        replayed(box.model_copy(update={"rows": rows}))
    assert int(str(found.value).split("row ")[1].split()[0]) >= row


def test_other_firmware_is_refused(recorded):
    box = capture.load(recorded)
    with pytest.raises(FileError, match="firmware"):
        Replay(box.model_copy(update={"names_crc": "00000000"}))


def test_a_lost_request_moves_the_start(recorded):
    box = capture.load(recorded)
    later = box.model_copy(update={"lost_row": box.keyframes[1].row - 1})
    assert Replay(later).start_row == box.keyframes[1].row
    with pytest.raises(FileError, match="keyframe"):
        Replay(box.model_copy(update={"lost_row": len(box.rows)}))


def test_the_file_is_plain(recorded):
    content = json.loads(recorded.read_text())
    assert content["format"] == "ipch black box" and content["version"] == 1
    assert len(content["rows"]) == 550 and content["fields"][0] == "dt_ms"
