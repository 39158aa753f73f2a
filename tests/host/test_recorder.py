from __future__ import annotations

import csv
import json
import math
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.scenarios.killed import kill_often
from ipch import __version__
from ipch.device.instrument import Instrument, Sample
from ipch.errors import FileError
from ipch.recording.csv_writer import CsvLog
from ipch.recording.export import export
from ipch.recording.reader import find_record, load_run, load_truth
from ipch.recording.recorder import Recorder, look
from ipch.recording.schema import CLOSE_THE_OTHER, SAMPLE_COLUMNS, iso_utc
from ipch.recording.thinning import Thinning
from ipch.sim.server import RunningServer
from ipch.workflows import log


@pytest.fixture
def sample(regulator: Instrument) -> Sample:
    return regulator.fetch()


def test_a_run_is_read_as_it_was_written(tmp_path: Path, regulator: Instrument, sample: Sample) -> None:
    path = tmp_path / "new" / "run.db"
    with Recorder(path, regulator, "trial", "# a recipe") as recorder:
        recorder.sample(sample)
        recorder.event("step", "ramp", {"index": 0, "kind": "ramp", "target_pa": 5_000_000}, sample)
        later = replace(sample, sequence=sample.sequence + 1, uptime_s=sample.uptime_s + 1, gas_k=math.nan)
        recorder.sample(replace(later, pressure_pa=4_999_999, state="REGULATE"))
        recorder.event("recipe-end", "hold")
    run = load_run(path)
    assert (run.name, run.recipe, run.ended_by) == ("trial", "# a recipe", "complete")
    assert run.identity["serial_number"] == regulator.identity.serial_number
    assert run.settings["slew_pa_s"] == regulator.slew_pa_s
    assert run.duration_s == pytest.approx(1.0)
    assert list(run.samples["pressure_pa"]) == [sample.pressure_pa, 4_999_999]
    assert run.states == [sample.state, "REGULATE"] and run.faults == ["NONE", "NONE"]
    assert all(abs(event.utc_s - time.time()) < 60 for event in run.events)
    assert np.isnan(run.samples["gas_k"][1])
    (health,) = [event for event in run.events if event.kind == "health"]
    assert health.text.startswith("spikes 0, flash writes ") and health.data["late_ticks"] == 0
    assert [(event.kind, event.text) for event in run.events if event is not health] == [
        ("begin", "recording"),
        ("valves", "learned gains: fill 0 Pa/s per MPa, vent 0 Pa/s per MPa"),
        ("state", "OFF"),
        ("step", "ramp"),
        ("state", "REGULATE"),
        ("recipe-end", "hold"),
        ("end", "complete"),
    ]
    (step,) = run.steps
    assert (step.kind, step.target_pa, step.start_s, step.end_s) == (
        "ramp",
        5_000_000,
        sample.uptime_s,
        later.uptime_s,
    )


def test_a_sample_is_in_it_once(tmp_path: Path, regulator: Instrument, sample: Sample) -> None:
    with Recorder(tmp_path / "run.db", regulator, "trial") as recorder:
        for _ in range(3):
            recorder.sample(sample)
        recorder.sample(replace(sample, boot=sample.boot + 1))
    assert len(load_run(tmp_path / "run.db").time_s) == 2


def test_it_can_be_read_while_it_grows(tmp_path: Path, regulator: Instrument, sample: Sample) -> None:
    path = tmp_path / "run.db"
    with Recorder(path, regulator, "trial", commit_s=0) as recorder:
        recorder.sample(sample)
        run = load_run(path)
        assert len(run.time_s) == 1
        assert run.ended_by is None
        recorder.sample(replace(sample, sequence=sample.sequence + 1))
        assert len(load_run(path).time_s) == 2
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_record_has_one_writer(tmp_path: Path, regulator: Instrument, sample: Sample) -> None:
    path = tmp_path / "run.db"
    with Recorder(path, regulator, "log") as first:
        with pytest.raises(FileError, match=f"another program records to {path}; name another file"):
            Recorder(path, regulator, "log", resume=True)
        first.sample(sample)
    with Recorder(path, regulator, "log", resume=True) as second:
        second.sample(replace(sample, sequence=sample.sequence + 1))
    assert len(load_run(path).time_s) == 2
    assert [each.name for each in tmp_path.iterdir()] == ["run.db"]


@contextmanager
def locked_by_another_process(path: Path, mode: str = "normal") -> Iterator[None]:
    program = (
        "import sqlite3, sys; database = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "database.execute('PRAGMA locking_mode = ' + sys.argv[2]); database.execute('BEGIN EXCLUSIVE');"
        "print('locked', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", program, str(path), mode]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()
        try:
            yield
        finally:
            process.communicate()


def test_a_record_that_another_program_locks_is_written_afterwards(
    tmp_path: Path, regulator: Instrument, sample: Sample
) -> None:
    path = tmp_path / "run.db"
    told: list[str] = []
    with Recorder(path, regulator, "log", commit_s=0, alarm=told.append) as recorder:
        recorder.sample(sample)
        with locked_by_another_process(path):
            for number in range(1, 4):
                recorder.sample(replace(sample, sequence=sample.sequence + number))
            assert len(told) == 1 and told[0].endswith(f"unaffected: {CLOSE_THE_OTHER}")
        recorder.sample(replace(sample, sequence=sample.sequence + 4))
        assert told[1:] == [f"recording to {path} resumed"]
    assert len(load_run(path).time_s) == 5


def test_a_locked_record_is_one_line(
    tmp_path: Path, sim: RunningServer, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipch.recording.schema._LOCKED_S", 0.1)
    # A WAL file, as a recorder leaves it, and one that a foreign program has changed to a rollback journal.
    for mode in ("wal", "delete"):
        path = tmp_path / f"{mode}.db"
        shutil.copy(Path(__file__).parent / "records" / "schema-1.db", path)
        with closing(sqlite3.connect(path)) as database:
            database.execute(f"PRAGMA journal_mode = {mode}")
        with locked_by_another_process(path, "exclusive"):
            for words in (
                ["report", str(path)],
                ["export", str(path)],
                ["log", str(path), "--port", sim.port],
            ):
                result = cli(*words)
                assert (result.code, result.out) == (8, ""), words
                assert f"{path} is locked: {CLOSE_THE_OTHER} and try again" in result.error_line()
        assert len(load_run(path).time_s) > 0


@pytest.mark.parametrize("newest", ["in the log", "in the file"])
def test_a_record_is_read_where_sqlite_cannot_put_its_own_files(
    tmp_path: Path, regulator: Instrument, sample: Sample, newest: str
) -> None:
    """As in a folder of another user; root may write there, so a folder stands in the place of the index file."""
    path, there = tmp_path / "run.db", tmp_path / "away"
    there.mkdir()
    with Recorder(path, regulator, "log", commit_s=0) as recorder:
        for number in range(3):
            recorder.sample(replace(sample, sequence=sample.sequence + number))
        if newest == "in the log":
            shutil.copy(tmp_path / "run.db-wal", there)
            shutil.copy(path, there)
    if newest == "in the file":
        shutil.copy(path, there)
    (there / "run.db-shm").mkdir()
    before = (there / "run.db").read_bytes()
    assert len(load_run(there / "run.db").time_s) == 3
    assert (there / "run.db").read_bytes() == before


def test_a_record_of_schema_1_is_appended_to(tmp_path: Path, regulator: Instrument, sample: Sample) -> None:
    path = tmp_path / "run.db"
    shutil.copy(Path(__file__).parent / "records" / "schema-1.db", path)
    old = load_run(path).samples
    with Recorder(path, regulator, "log") as recorder:
        recorder.sample(replace(sample, gas_k=math.nan))
    for name, column in load_run(path, number=1).samples.items():
        np.testing.assert_array_equal(column, old[name], err_msg=name)
    assert np.isnan(load_run(path).samples["gas_k"]).all()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        assert "samples_1" not in {name for (name,) in database.execute("SELECT name FROM sqlite_master")}


def test_another_firmware_is_noted_where_a_record_is_resumed(
    tmp_path: Path, regulator: Instrument, sample: Sample
) -> None:
    path = tmp_path / "run.db"
    with Recorder(path, regulator, "log") as recorder:
        recorder.sample(sample)
    with closing(sqlite3.connect(path)) as database, database:
        (text,) = database.execute("SELECT identity FROM runs").fetchone()
        older = json.loads(text) | {"firmware": "0.0.9"}
        database.execute("UPDATE runs SET identity = ?", (json.dumps(older),))
    with Recorder(path, regulator, "log", resume=True) as recorder:
        recorder.sample(replace(sample, sequence=sample.sequence + 1))
    (note,) = events(path, "note")
    assert note["text"] == f"the firmware is {regulator.identity.firmware} now"
    assert note["identity"] == json.loads(text)


@pytest.mark.parametrize(
    ("error", "ended_by"),
    [(KeyboardInterrupt(), "interrupted"), (FileError("the disk is full"), "the disk is full")],
)
def test_how_it_ended(
    tmp_path: Path, regulator: Instrument, sample: Sample, error: BaseException, ended_by: str
) -> None:
    def fail(recorder: Recorder) -> None:
        with recorder:
            recorder.sample(sample)
            raise error

    recorder = Recorder(tmp_path / "run.db", regulator, "trial")
    with pytest.raises(type(error)):
        fail(recorder)
    assert load_run(tmp_path / "run.db").ended_by == ended_by


def test_several_runs_in_one_file(tmp_path: Path, regulator: Instrument, sample: Sample) -> None:
    path = tmp_path / "run.db"
    for name in ("first", "second"):
        with Recorder(path, regulator, name) as recorder:
            recorder.sample(sample)
    assert load_run(path).name == "second"
    assert load_run(path, 1).name == "first"
    with pytest.raises(FileError, match="has no run 3"):
        load_run(path, 3)


def test_a_fault_and_a_restart_are_events(tmp_path: Path, regulator: Instrument, sample: Sample) -> None:
    with Recorder(tmp_path / "run.db", regulator, "trial") as recorder:
        recorder.sample(sample)
        recorder.sample(replace(sample, sequence=sample.sequence + 1, state="SEALED", fault="DISAGREEMENT"))
        recorder.sample(replace(sample, sequence=sample.sequence + 2, state="SEALED", fault="DISAGREEMENT"))
        recorder.sample(replace(sample, sequence=1, boot=sample.boot + 1))
    events = [(event.kind, event.text) for event in load_run(tmp_path / "run.db").events]
    assert events.count(("fault", "DISAGREEMENT")) == 1
    assert ("note", "the device restarted") in events
    assert ("state", "SEALED") in events


def test_csv_from_the_record_and_directly(tmp_path: Path, regulator: Instrument, sample: Sample) -> None:
    invalid = replace(sample, sequence=sample.sequence + 1, wall_k=math.nan)
    with (
        Recorder(tmp_path / "run.db", regulator, "trial") as recorder,
        CsvLog(tmp_path / "direct.csv") as log,
    ):
        for each in (sample, invalid):
            recorder.sample(each)
            log.sample(each)
    assert export(load_run(tmp_path / "run.db"), tmp_path / "export.csv") == 2
    tables = []
    for name in ("export.csv", "direct.csv"):
        with (tmp_path / name).open(newline="") as file:
            tables.append(list(csv.DictReader(file)))
    for exported, direct in zip(*tables, strict=True):
        assert list(exported) == ["utc", "utc_s", "time_s", *SAMPLE_COLUMNS]
        for column in SAMPLE_COLUMNS:
            assert exported[column] == direct[column]
        assert exported["utc"].endswith("Z")
    assert tables[0][0]["pressure_pa"] == str(sample.pressure_pa)
    assert tables[0][1]["wall_k"] == ""
    with pytest.raises(FileError, match="exists already"):
        export(load_run(tmp_path / "run.db"), tmp_path / "export.csv")


def test_times_are_utc() -> None:
    assert iso_utc(0.0) == "1970-01-01T00:00:00.000Z"
    assert iso_utc(1_700_000_000.25) == "2023-11-14T22:13:20.250Z"


def test_what_is_no_record(tmp_path: Path, regulator: Instrument) -> None:
    text = tmp_path / "notes.db"
    text.write_text("not a database, but long enough to look like one at first sight" * 20)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE t (x)")
    newer = tmp_path / "newer.db"
    Recorder(newer, regulator, "trial").close("complete")
    with pytest.raises(FileError, match="has no samples"):
        load_run(newer)
    with closing(sqlite3.connect(newer)) as database:
        database.execute("PRAGMA user_version = 99")
    for path, message in (
        (text, "not a record"),
        (other, "not a record"),
        (newer, "schema 99"),
        (tmp_path / "x", "no "),
    ):
        with pytest.raises(FileError, match=message):
            load_run(path)
        if path.exists():
            with pytest.raises(FileError, match=message):
                Recorder(path, regulator, "trial")
    with pytest.raises(FileError, match="cannot record to"):
        Recorder(text / "below" / "run.db", regulator, "trial")
    with pytest.raises(FileError, match="no record at"):
        find_record(tmp_path)


def test_truth_files(tmp_path: Path) -> None:
    row = {"time_s": 1.0, "pressure_pa": 5e6, "fill_openings": 3, "vent_openings": 0, "more": 1}
    path = tmp_path / "truth.jsonl"
    # The last line may be cut short by the end of the simulator.
    path.write_text(json.dumps(row) + "\n" + json.dumps(row)[:20])
    truth = load_truth(path)
    assert (list(truth.time_s), list(truth.pressure_pa), list(truth.fills)) == ([1.0], [5e6], [3.0])
    path.write_text('{"time_s": 1}\n')
    with pytest.raises(FileError, match="not a truth file"):
        load_truth(path)


def test_the_start_of_a_record_says_who_recorded_what(
    tmp_path: Path, regulator: Instrument, sample: Sample
) -> None:
    path = tmp_path / "several" / "new" / "run.db"
    with Recorder(path, regulator, "trial", commit_s=0) as recorder:
        recorder.sample(sample)
        recorder.event("note", "mine", {"answer": 42}, sample)
        recorder.commit()
        (mark,) = recorder.marks("note")
        assert (mark.kind, mark.text, mark.data) == ("note", "mine", {"answer": 42})
        assert (mark.boot, mark.uptime_s) == (sample.boot, sample.uptime_s)
        assert (
            mark.number == len(recorder.marks("begin", "valves", "health", "state", "note"))
            and mark.utc_s > 1e9
        )
        assert recorder.marks("gap") == []
    (begin,) = events(path, "begin")
    assert begin["pid"] == os.getpid() and begin["port"] == regulator.port and begin["ipch"] == __version__
    (valves,) = events(path, "valves")
    assert valves["fill"]["actuations"] == regulator.valve(1).actuations and set(valves) == {
        "fill",
        "vent",
        "text",
    }


def events(path: Path, kind: str) -> list[dict[str, Any]]:
    return [event.data | {"text": event.text} for event in load_run(path).events if event.kind == kind]


def test_a_record_is_gone_on_with_and_the_gap_is_marked(
    tmp_path: Path, regulator: Instrument, sample: Sample
) -> None:
    path = tmp_path / "run.db"
    with Recorder(path, regulator, "log") as recorder:
        recorder.sample(sample)
    later = replace(sample, sequence=sample.sequence + 5, uptime_s=sample.uptime_s + 0.5)
    regulator.set_setting("in_limits_ms", 4321)
    with Recorder(path, regulator, "log", resume=True) as recorder:
        recorder.sample(later)
    run = load_run(path)
    assert (run.number, list(run.samples["boot"]), run.ended_by) == (1, [sample.boot] * 2, "complete")
    (gap,) = events(path, "gap")
    assert gap["cause"] == "the recorder was not running"
    assert (gap["from_sequence"], gap["to_sequence"]) == (sample.sequence, later.sequence)
    (changed,) = events(path, "settings")
    assert changed["settings"]["in_limits_ms"][1] == 4321
    with Recorder(path, regulator, "log", resume=True) as recorder:
        recorder.sample(replace(later, sequence=later.sequence + 1))
    assert len(events(path, "settings")) == 1
    with Recorder(path, regulator, "another", resume=True) as recorder:
        recorder.sample(replace(later, sequence=later.sequence + 2))
    assert load_run(path).number == 2


@pytest.mark.parametrize(
    ("later_s", "clocks", "kinds"),
    [
        (1.0, (1.0, 1.0), []),
        (1.0, (3601.0, 1.0), [("clock", "the computer's clock was set by +3600.0 s")]),
        (1.0, (-59.0, 1.0), [("clock", "the computer's clock was set by -60.0 s")]),
        (600.0, (600.0, 1.0), [("gap", "the computer slept")]),
        (600.0, (600.0, 600.0), [("gap", "the computer was busy")]),
        (600.0, (0.5, 0.5), []),
    ],
    ids=["usual", "forward", "backward", "slept", "busy", "fast simulation"],
)
def test_clocks_and_gaps(
    tmp_path: Path,
    regulator: Instrument,
    sample: Sample,
    monkeypatch: pytest.MonkeyPatch,
    later_s: float,
    clocks: tuple[float, float],
    kinds: list[tuple[str, str]],
) -> None:
    now = [1_700_000_000.0, 1000.0]
    monkeypatch.setattr("ipch.recording.recorder.time.time", lambda: now[0])
    monkeypatch.setattr("ipch.recording.recorder.time.monotonic", lambda: now[1])
    path = tmp_path / "run.db"
    with Recorder(path, regulator, "log", commit_s=0) as recorder:
        recorder.sample(sample)
        now[0] += clocks[0]
        now[1] += clocks[1]
        recorder.sample(replace(sample, sequence=sample.sequence + 1, uptime_s=sample.uptime_s + later_s))
    marks = [e for e in load_run(path).events if e.kind in ("gap", "clock")]
    assert [(mark.kind, mark.text) for mark in marks] == kinds
    for mark in marks:
        assert mark.uptime_s == sample.uptime_s + later_s
        if mark.kind == "clock":
            assert mark.data == {"step_s": pytest.approx(clocks[0] - clocks[1])}


def test_a_log_goes_on_while_it_reads_the_settings_again(
    tmp_path: Path, regulator: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes seconds, and began at every query of another program: samples were lost and had a wrong time."""
    settings, reading, changed = Instrument.settings, threading.Event(), threading.Event()
    meanwhile: list[Sample] = []
    in_time: list[bool] = []

    def slow_settings(instrument: Instrument) -> Any:
        reading.set()
        limit = time.monotonic() + 10
        while len(meanwhile) < 3 and time.monotonic() < limit:
            time.sleep(0.01)
        in_time.append(len(meanwhile) >= 3)
        return settings(instrument)

    def show(sample: Sample) -> None:
        if not changed.is_set() and not reading.is_set():
            # From here on, after the look at the beginning.
            monkeypatch.setattr(Instrument, "settings", slow_settings)
            regulator.set_setting("dead_band_pa", 6000)
            changed.set()
        elif reading.is_set():
            meanwhile.append(sample)
            if len(meanwhile) == 3:
                raise KeyboardInterrupt

    path = tmp_path / "log.db"
    log(regulator, path, 1.0, None, show, changed=changed)
    regulator.set_setting("dead_band_pa", 5000)
    assert in_time == [True]
    # Also at the end it waits for what it was reading.
    assert [event["settings"] for event in events(path, "settings")] == [{"dead_band_pa": [5000, 6000]}]


def test_rows_have_the_times_of_the_computer(
    tmp_path: Path, regulator: Instrument, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipch.recording.recorder.time.time", lambda: 1_700_000_000.5)
    monkeypatch.setattr("ipch.recording.recorder.time.monotonic", lambda: 77.25)
    with Recorder(tmp_path / "run.db", regulator, "log") as recorder:
        recorder.sample(sample)
    with closing(sqlite3.connect(tmp_path / "run.db")) as database:
        for table in ("samples", "events"):
            times = database.execute(f"SELECT DISTINCT run, utc_s, host_s FROM {table}").fetchall()
            assert times == [(1, 1_700_000_000.5, 77.25)], table


def test_another_firmware_is_noted_with_its_identity(
    tmp_path: Path, regulator: Instrument, sample: Sample
) -> None:
    with Recorder(tmp_path / "run.db", regulator, "log") as recorder:
        recorder.sample(sample)
        found = look(regulator)
        recorder.note(found)
        recorder.note(replace(found, identity={**found.identity, "firmware": "9.9.9"}))
        recorder.note(replace(found, identity={**found.identity, "firmware": "9.9.9"}))
    (noted,) = [mark for mark in load_run(tmp_path / "run.db").events if "firmware" in mark.text]
    assert noted.text == "the firmware is 9.9.9 now"
    assert noted.data == {"identity": {**found.identity, "firmware": "9.9.9"}}


def test_gaps_of_a_busy_computer_are_told_once_a_minute(
    tmp_path: Path, regulator: Instrument, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("ipch.recording.recorder.time.time", lambda: now[0])
    monkeypatch.setattr("ipch.recording.recorder.time.monotonic", lambda: now[0])
    told: list[str] = []
    with Recorder(tmp_path / "run.db", regulator, "log", alarm=told.append) as recorder:
        for number, passed_s in enumerate((0, 1, 2.5, 1, 2.6, 40, 2.0, 20, 30, 31, 1)):
            now[0] += passed_s
            recorder.sample(replace(sample, sequence=number + 1, uptime_s=now[0]))
    assert told == [
        "the computer was busy: no sample for 2.5 s; the record marks each gap",
        "the computer was busy: no sample for 20.0 s, 3 gaps since this was last said; the record marks each gap",
        "the computer was busy: no sample for 31.0 s, 2 gaps since this was last said; the record marks each gap",
    ]
    assert len(events(tmp_path / "run.db", "gap")) == 6


def test_a_csv_log_tells_its_gaps(
    tmp_path: Path, regulator: Instrument, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("ipch.workflows.logger.time.time", lambda: now[0])
    monkeypatch.setattr("ipch.workflows.logger.time.monotonic", lambda: now[0])

    def follow(
        instrument: Instrument, every_s: float, duration_s: Any, lost: Any, seen: Any
    ) -> Iterator[Sample]:
        for passed_s, away in ((0.0, False), (1.0, False), (2.5, False), (30.0, True)):
            now[0] += passed_s
            if away:
                lost("device lost")
            yield replace(sample, uptime_s=now[0])

    monkeypatch.setattr("ipch.workflows.logger.follow", follow)
    told: list[str] = []
    assert log(regulator, tmp_path / "log.csv", 1.0, None, lambda sample: None, alarm=told.append) == 4
    assert told == [
        "the computer was busy: no sample for 2.5 s; the file has no mark of it",
        "device lost; this resumes when it returns",
        "the device is back",
    ]


def test_a_full_disk_ends_nothing(tmp_path: Path, regulator: Instrument, sample: Sample) -> None:
    path = tmp_path / "run.db"
    told: list[str] = []
    rows: list[tuple[int, int]] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Recorder(path, regulator, "log", commit_s=0, alarm=told.append, acknowledge=rows.extend) as recorder:
        number = sample.sequence

        def take(count: int) -> None:
            nonlocal number
            for _ in range(count):
                number += 1
                recorder.sample(replace(sample, sequence=number, uptime_s=sample.uptime_s + number))

        take(5)
        size = max(each.stat().st_size for each in tmp_path.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            take(200)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        acknowledged = len(rows)
        assert (
            len(told) == 1 and told[0].startswith(f"cannot record to {path}") and "free disk space" in told[0]
        )
        assert acknowledged < 205
        assert len(load_run(path).time_s) == acknowledged
        take(5)
        assert told[1:] == [f"recording to {path} resumed"]
    assert len(rows) == len(set(rows)) == len(load_run(path).time_s) == 210
    notes = [event["text"] for event in events(path, "note")]
    assert [note.partition(":")[0] for note in notes] == [
        "cannot write", "recording resumed; the waiting rows are written"
    ]  # fmt: skip
    assert regulator.fetch().state == "OFF"


def test_a_disk_that_stays_full_is_told_at_the_end(
    tmp_path: Path, regulator: Instrument, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipch.recording.recorder._MOST_WAITING", 20)
    recorder = Recorder(tmp_path / "run.db", regulator, "log", commit_s=0)
    recorder._database.execute("PRAGMA max_page_count = 1")
    recorder._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(500):
        recorder.sample(replace(sample, sequence=1 + number, uptime_s=number))
        assert len(recorder._waiting) < 200
    (gap,) = [values for _, values in recorder._waiting if values.get("kind") == "gap"]
    assert gap["text"] == "not written: every other waiting sample was dropped (database or disk is full)"
    assert json.loads(gap["data"]) == {"cause": "database or disk is full"}
    with pytest.raises(FileError, match=r"database or disk is full; .* rows are lost"):
        recorder.close("complete")


def test_what_says_nothing_new_is_left_out(sample: Sample) -> None:
    thinning = Thinning(10.0)

    def at(second: int, **changes: Any) -> list[float]:
        one = replace(sample, uptime_s=second, sequence=second, **changes)
        return [row.uptime_s for row in thinning.rows(one)]

    assert at(0) == [0]
    assert [at(second) for second in range(1, 10)] == [[]] * 9
    assert at(10) == [10]
    assert at(11) == []
    assert at(12, fills=sample.fills + 1) == [11, 12]
    assert at(13, fills=sample.fills + 1, pressure_pa=sample.pressure_pa + 250) == []
    assert at(14, fills=sample.fills + 1, pressure_pa=sample.pressure_pa + 301) == [13, 14]
    assert at(15, fills=sample.fills + 1, pressure_pa=sample.pressure_pa + 301) == []
    assert [row.uptime_s for row in thinning.rest()] == [15]
    assert thinning.rest() == []
    assert at(16, boot=sample.boot + 1) == [16]


KILLS = 25


def test_killed_at_random_instants(sim: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    lost, double, unmarked = kill_often(sim.port, path, KILLS, seed=1)
    assert (lost, double, unmarked) == (0, 0, 0)
