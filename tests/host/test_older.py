"""Other versions: firmware with fewer or more fields, the recorded firmware 0.1.0, records of schema 1."""

from __future__ import annotations

import csv
import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from ipch.base.paths import firmware_dir
from ipch.device import scpi
from ipch.device.instrument import Instrument
from ipch.recording import export, load_run, open_database
from ipch.recording.recorder import Recorder
from ipch.sim.server import simulate
from tests.golden.transcript import example, load
from tests.host.test_talking_ports import far_end
from tests.shares import share

Cli = Callable[..., Any]
SCHEMA_1 = Path(__file__).with_name("records") / "schema-1.db"
COMMANDS = ("off", "vent", "vent --abort", "status", "set 1.2MPa", "off")
KEYS = ("sequence", "boot", "uptime_s")
OTHER_FIELDS = """

_ALL = FIELDS.split(",")
_GONE = {gone!r}
FIELDS = ",".join([name for name in _ALL if name not in _GONE] + {new!r})


_fetch_all = System._fetch


def _fetch_other(self, _):
    values = bytes(_fetch_all(self, _)).decode().split(",")
    left = [value for name, value in zip(_ALL, values) if name not in _GONE]
    return ",".join(left + {values!r}).encode()


System.rows = tuple([(row[0], _fetch_other if row[1] is _fetch_all else row[1]) + row[2:] for row in System.rows])
"""


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A simulator whose firmware lacks the fields `gone` and has those of `new` at the end."""

    def start(gone: list[str], new: dict[str, str]) -> Any:
        shutil.copytree(firmware_dir(), tmp_path / "firmware")
        with (tmp_path / "firmware" / "regulator" / "scpi" / "system.py").open("a") as file:
            file.write(OTHER_FIELDS.format(gone=gone, new=list(new), values=list(new.values())))
        monkeypatch.setenv("IPCH_FIRMWARE", str(tmp_path / "firmware"))
        return simulate(["--rig", "core", "--speed", "max", "--ahead", "10s", "--set", "volume_l=0.1"])

    return start


@pytest.mark.parametrize(
    ("wire", "name"),
    share(
        [
            ("sequence", "sequence"), ("boot", "boot"), ("uptime_ms", "uptime_s"), ("state", "state"),
            ("in_limits", "in_limits"), ("pressure_pa", "pressure_pa"), ("warnings", "warnings"),
        ],
        *(0, 2, 5),
    ),
)  # fmt: skip
def test_a_firmware_that_lacks_a_field(wire: str, name: str, cli: Cli, tmp_path: Path, firmware: Any) -> None:
    with firmware([wire], {}) as running:
        port = ("--port", running.port)
        for words in COMMANDS:
            result = cli(*words.split(), *port)
            assert result.code == 0, (words, result.err)
            assert result.err.count(f"does not report {name}\n") == 1
        status = cli("status", "--json", *port).json()
        # The status has its own report of faults and warnings.
        assert name in (*KEYS, "fault", "warnings") or status[name] in (None, "UNKNOWN")
        # Without the device's time, 30 s are seconds of the host.
        span = "3s" if wire == "uptime_ms" else "30s"
        for file in ("log.db", "log.csv"):
            result = cli("log", str(tmp_path / file), "--for", span, *port)
            assert (result.code, result.err.count(f"does not report {name}\n")) == (0, 1), result.err
    run = load_run(tmp_path / "log.db")
    assert len(run.time_s) > 1 and run.duration_s > 1
    assert cli("report", str(tmp_path / "log.db")).code == 0
    assert cli("export", str(tmp_path / "log.db"), "--out", str(tmp_path / "out.csv")).code == 0
    for file in ("out.csv", "log.csv"):
        with (tmp_path / file).open(newline="") as opened:
            rows = list(csv.DictReader(opened))
        assert len(rows) > 1
        assert name in KEYS or {row[name] for row in rows} <= {"", "UNKNOWN"}


def test_a_firmware_with_more_fields(cli: Cli, tmp_path: Path, firmware: Any) -> None:
    with firmware([], {"humidity_permille": "423", "mode-name": "Hold 1", "run": "7"}) as running:
        port = ("--port", running.port)
        for words in COMMANDS:
            result = cli(*words.split(), *port)
            assert result.code == 0 and "does not report" not in result.err
        status = cli("status", "--json", *port).json()
        assert (status["humidity_permille"], status["mode_name"], status["device_run"]) == (423, "Hold 1", 7)
        for file in ("log.db", "log.csv"):
            assert cli("log", str(tmp_path / file), "--for", "3s", *port).code == 0
    run = load_run(tmp_path / "log.db")
    assert set(run.samples["humidity_permille"]) == {423} and set(run.texts["mode_name"]) == {"Hold 1"}
    export.export(run, tmp_path / "out.csv")
    for file in ("out.csv", "log.csv"):
        with (tmp_path / file).open(newline="") as opened:
            row = next(csv.DictReader(opened))
        assert (row["humidity_permille"], row["mode_name"], row["device_run"]) == ("423", "Hold 1", "7")


@contextmanager
def recorded(answers: dict[str, str]) -> Iterator[str]:
    """A far end that gives the recorded answer to each query, and error -113 to what was never recorded."""
    waiting = bytearray()
    errors: list[str] = []
    fetched = itertools.count(100)

    def answer(unit: str) -> str | None:
        if unit in (":SYST:ERR?", "ERR?"):
            return errors.pop() if errors else '0,"No error"'
        if unit not in answers:
            errors.append(f'-113,"Undefined header;{unit}"')
            return None
        if unit == ":FETC?":
            _, boot, _, rest = answers[unit].split(",", 3)
            number = next(fetched)
            return f"{number},{boot},{number}000,{rest}"
        return answers[unit]

    def serve(master: int) -> None:
        waiting.extend(os.read(master, 4096))
        while (end := waiting.find(b"\n")) >= 0:
            line = waiting[:end].decode()
            del waiting[: end + 1]
            replies = []
            for unit in scpi.split_outside_quotes(line, ";") if line else []:
                reply = answer(unit)
                if reply is None:
                    break
                replies += [reply] if reply else []
            if replies:
                os.write(master, ";".join(replies).encode() + b"\r\n")

    with far_end(serve) as port:
        yield port


def recordings() -> dict[str, str]:
    """Single queries and commands that firmware 0.1.0 was recorded with, and their replies."""
    known: dict[str, str] = {}
    for name in ("client", "replies", "status"):
        for exchange in load(f"0.1.0/{name}"):
            if ";" not in exchange.sent and len(exchange.replies) <= 1:
                known.setdefault(exchange.sent, example(exchange.replies[0]) if exchange.replies else "")
    known |= {
        "*CLS": "",
        ":DIAG:VALV1?": known[":DIAG:VALV2?"],
        ":SYST:SETT:LIST?": "slew_pa_s,slew_linear,in_limits_ms",
    }
    return known


def test_the_recorded_firmware_0_1_0(cli: Cli, tmp_path: Path) -> None:
    answers = recordings()
    assert answers["*IDN?"].startswith("ipch,IPCH-1,SIM0000001,0.1.0 ")
    with recorded(answers) as port:
        for words in ("off", "vent", "vent --abort", "status", "ack", "info"):
            result = cli(*words.split(), "--port", port)
            assert (result.code, result.err) == (0, ""), words
        assert cli("log", str(tmp_path / "log.db"), "--for", "3s", "--port", port).code == 0


def test_a_firmware_without_readings_is_still_switched_off(cli: Cli) -> None:
    answers = {key: value for key, value in recordings().items() if "FETC" not in key}
    with recorded(answers) as port:
        for words in ("off", "vent", "vent --abort", "ack"):
            result = cli(*words.split(), "--port", port)
            assert (result.code, result.out) == (0, ""), words
            assert (
                "done; this version of ipch does not understand the readings that followed"
                in result.error_line()
            )
        assert cli("off", "--json", "--port", port).json() == {"state": None}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(SCHEMA_1, tmp_path / "run.db"))


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def test_a_record_of_schema_1_opens_as_it_is(cli: Cli, old: Path) -> None:
    run = load_run(old)
    assert (len(run.time_s), run.name, len(run.steps), run.ended_by) == (72, "short", 3, "complete")
    assert cli("report", str(old)).code == 0
    for name in ("out.csv", "out.bdf.csv", "out.parquet"):
        assert cli("export", str(old), "--out", str(old.with_name(name))).code == 0
    cycler = old.with_name("cell.bdf.csv")
    start_s = run.utc_s[0]
    cycler.write_text(
        "Test Time / s,Unix Time / s,Voltage / V,Current / A,Cycle Count / 1\n"
        + "".join(f"{10 * n},{start_s + 10 * n},3.{n},0.1,1\n" for n in range(10))
    )
    merged = cli("merge", str(old), "--cycler", str(cycler), "--tz", "UTC")
    assert merged.code == 0, merged.err
    assert version(old) == 1


def test_a_record_of_schema_1_is_migrated_when_it_is_appended_to(old: Path, regulator: Instrument) -> None:
    before = load_run(old)
    sample = regulator.fetch()
    with Recorder(old, regulator, "more") as recorder:
        recorder.sample(sample)
        recorder.sample(
            replace(sample, sequence=sample.sequence + 1, settled_pa=float("nan"), more={"humidity": 4})
        )
    assert version(old) == 2
    after = load_run(old, 1)
    assert after.events == before.events and after.states == before.states
    for name, values in before.samples.items():
        assert (after.samples[name] == values).all() or name in ("gas_k", "wall_k")
    new = load_run(old)
    assert (
        list(new.samples["humidity"])[1] == 4 and new.samples["settled_pa"][1] != new.samples["settled_pa"][1]
    )
    assert not sqlite_names(old) - {"runs", "samples", "events"}


def sqlite_names(path: Path) -> set[str]:
    with closing(open_database(path)) as database:
        return {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_counters_are_integers_to_the_end(tmp_path: Path, regulator: Instrument) -> None:
    large = 2**24 + 1
    sample = replace(
        regulator.fetch(), sequence=large, fills=large, vents=large + 2, warnings=large, boot=large
    )
    with Recorder(tmp_path / "run.db", regulator, "large") as recorder:
        recorder.sample(sample)
        recorder.sample(replace(sample, sequence=large + 1, fills=float("nan")))
    run = load_run(tmp_path / "run.db")
    assert run.samples["sequence"].tolist() == [large, large + 1] and run.samples["vents"].dtype.kind == "i"
    export.export(run, tmp_path / "run.csv")
    export.export(run, tmp_path / "run.parquet")
    with (tmp_path / "run.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["fills"] for row in rows] == [str(large), ""]
    assert {rows[0][name] for name in ("sequence", "boot", "warnings")} == {str(large)}
    table = pyarrow.parquet.read_table(tmp_path / "run.parquet")
    for name in ("sequence", "boot", "in_limits", "fills", "vents", "warnings"):
        assert str(table.schema.field(name).type) == "int64", name
    assert table["fills"].to_pylist() == [large, None] and table["sequence"].to_pylist() == [large, large + 1]


def test_a_record_of_a_newer_schema_is_refused(tmp_path: Path, old: Path, cli: Cli) -> None:
    with closing(sqlite3.connect(old)) as database:
        database.execute("PRAGMA user_version = 3")
    result = cli("report", str(old))
    assert (
        result.code == 8 and "has schema 3; this version of ipch reads up to schema 2" in result.error_line()
    )
