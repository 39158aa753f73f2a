"""Answers of every command, as JSON and as text: `python -m tests.golden.commands` rewrites commands.jsonl.

Offline commands work on a record that is computed here, so their figures are compared, to six digits: further digits
depend on numpy's linear algebra library. The figures of a simulated regulator depend on the instant, so there only
names and kinds of the values are compared.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Container, Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

import ipch.cli
from ipch.recording import SAMPLE_COLUMNS, open_database
from ipch.sim.server import simulate

FILE = Path(__file__).with_suffix(".jsonl")
START = 1_767_225_600.0
RECIPE = '[[step]]\nramp = "5MPa"\nslew = "50kPa/s"\n[[step]]\nhold = "4h"\n'
OFFLINE = (
    "report run --volume 500mL --cylinder 10L@20MPa --cycler cell.csv --tz UTC",
    "report run --gas nitrogen --band 2kPa",
    "merge run --cycler cell.csv --tz UTC --volume 480mL --offset -90s",
    "export run",
    "export run --out run.bdf.csv",
    "export run --out run.parquet",
    "recipes",
    "recipes gitt",
    "run gitt --dry-run",
    "run long-term --dry-run --set target=3MPa",
    "inject --list",
    "size --page size.html",
    "size --gas air --volume 2L --working 3MPa --page size.md",
    "size --rated 4MPa",
    "report nowhere",
    "run nothing --dry-run",
)
DEVICE = (
    "info",
    "status",
    "on",
    "set 1MPa --slew 50kPa/s",
    "quiet 1s",
    "hold amount",
    "off",
    "ack",
    "vent --abort",
    "config list",
    "config get trip_pa",
    "config save settings.toml",
    "config apply settings.toml",
    "config confirm --yes --setpoint-max 5.5MPa --trip 6MPa --rating 10MPa",
    "calibrate show",
    "calibrate --points points.csv --operator MVB --no-write --limit 10 --out fit",
    "calibrate verify --points points.csv",
    "send *IDN?",
    "ports",
    "watch --for 3s --every 1s",
    "log log.db --for 3s",
    "log log.csv --for 3s",
    "blackbox --out box.json",
    "replay box.json --step 200",
    "selftest",
    "prooftest --when",
    "alarm list",
)


def record(folder: Path) -> None:
    """Write run/run.db, four hours with two gaps and a leak, and cell.csv, two cycles of a cell."""
    (folder / "run").mkdir()
    time_s = np.arange(0.0, 14_400.0, 5.0)
    noise = np.random.default_rng(1).normal(size=(4, len(time_s)))
    target = np.minimum(101_325.0 + 50_000.0 * time_s, 5_000_000.0)
    gas_k = 303.15 + 0.2 * np.sin(time_s / 900) + 0.003 * noise[0]
    sawtooth = 1500.0 - 3000.0 * ((time_s % 1200) / 1200)
    pressure = target + np.where(time_s > 200, sawtooth, 0.0) + 40 * noise[1]
    fills = (time_s // 1200).astype(int)
    kept = ((time_s < 6000) | (time_s > 6300)) & ((time_s < 9000) | (time_s > 9100))
    with closing(open_database(folder / "run" / "run.db", create=True)) as database, database:
        identity = {
            "maker": "ipch", "model": "IPCH-1", "serial_number": "E66118F5D7", "firmware": "0.1.0",
            "interpreter": "MicroPython 1.27.0",
        }  # fmt: skip
        settings = {
            "setpoint_max_pa": 5_500_000, "trip_pa": 5_800_000, "in_limits_pa": 5000, "cal_control_date": 20260101,
            "cal_control_zero_pa": 120, "cal_control_serial": 77,
        }  # fmt: skip
        database.execute(
            "INSERT INTO runs VALUES (1, 'trial <1>', '2026-01-01T00:00:00.000Z', '2026-01-01T04:00:00.000Z',"
            " 'complete', '0.1.0', '/dev/ttyACM0', ?, ?, ?)",
            (json.dumps(identity), json.dumps(settings), RECIPE),
        )
        for n in np.flatnonzero(kept):
            values = dict.fromkeys(SAMPLE_COLUMNS, 0) | {
                "state": "REGULATE", "fault": "NONE", "boot": 1, "sequence": int(n) + 1, "uptime_s": 100.0 + time_s[n],
                "pressure_pa": int(pressure[n]), "control_pa": int(pressure[n]), "safety_pa": int(pressure[n] + 900),
                "ramp_pa": int(target[n]), "target_pa": 5_000_000, "supply_pa": 6_000_000, "gas_k": round(gas_k[n], 3),
                "wall_k": round(303.15 + 0.003 * noise[2][n], 3), "slew_pa_s": 50_000, "settled_pa": int(pressure[n]),
                "in_limits": int(time_s[n] > 200), "fills": int(fills[n]), "fill_open_s": 0.02 * int(fills[n]),
                "vents": 1, "vent_open_s": 0.01,
            }  # fmt: skip
            values |= {"run": 1, "utc_s": START + time_s[n], "host_s": 50.0 + time_s[n]}
            names = ", ".join(values)
            database.execute(
                f"INSERT INTO samples ({names}) VALUES ({', '.join(':' + n for n in values)})", values
            )
        for number, (at_s, kind, text, data) in enumerate(
            [
                (0.0, "begin", "trial", {}),
                (0.0, "step", "ramp to 5 MPa", {"index": 0, "kind": "ramp", "target_pa": 5_000_000}),
                (98.0, "step", "hold for 4 h", {"index": 1, "kind": "hold", "target_pa": 5_000_000}),
                (6300.0, "gap", "300 s without samples", {"seconds": 300}),
                (14_400.0, "end", "complete", {}),
            ]
        ):
            row = (number, 1, START + at_s, 50 + at_s, 1, 100 + at_s, kind, text, json.dumps(data))
            database.execute(f"INSERT INTO events VALUES ({', '.join('?' * len(row))})", row)
    lines = ["Test Time / s,Voltage / V,Current / A,Unix Time / s,Cycle Count / 1"]
    for minute in range(240):
        amperes = 0.5 if minute % 120 < 60 else -0.495
        volts = 3.0 + (minute % 60) / 100
        lines.append(f"{60.0 * minute},{volts:.3f},{amperes},{START + 60 * minute},{1 + minute // 120}")
    (folder / "cell.csv").write_text("\n".join(lines) + "\n")
    rows = ["standard_pa,block_c,control_nominal_pa,safety_nominal_pa"]
    for block_c in (20.0, 32.0, 45.0):
        for standard in (100_000, 1_800_000, 3_600_000, 5_400_000):
            drift = 40 * (block_c - 32)
            rows.append(f"{standard},{block_c},{standard + 300 + drift},{standard * 1.001 - drift:.0f}")
    (folder / "points.csv").write_text("\n".join(rows) + "\n")


class Words(HTMLParser):
    """Extracts the visible words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._hidden = 0
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.text.append(" ".join(data.split()))


def digest(path: Path) -> str:
    """Content of a written file: a page's words or a CSV file's rows, with figures to six digits."""
    text = path.read_text()
    if path.suffix == ".html":
        text = "\n".join(Words(text).text)
    return summed(re.sub(r"-?\d+\.\d{3,}(e-?\d+)?", lambda number: f"{float(number[0]):.6g}", text))


def summed(text: str) -> str:
    return f"{len(text.splitlines())} lines, {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def short(text: str) -> str:
    """A short text unchanged, or the beginning of a long one with a checksum."""
    return text if len(text) < 2000 else f"{text[:300]}... {summed(text)}"


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def kinds(value: Any) -> Any:
    """Names and kinds of all values; of a list its first entry."""
    if isinstance(value, dict):
        return {name: kinds(each) for name, each in value.items()}
    if isinstance(value, list):
        return [kinds(each) for each in value[:1]]
    return "number" if isinstance(value, (int, float)) and value is not None else type(value).__name__


def say(words: str) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = ipch.cli.run(words.split())
    return code, out.getvalue()


def offline() -> Iterator[str]:
    """Code and answer of each command, as JSON and as text, and the files it wrote; in the present folder."""
    record(Path())
    for words in OFFLINE:
        before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
        code, out = say(words + " --json")
        yield f"$ ipch {words} --json -> {code}"
        yield short(json.dumps(rounded(json.loads(out)), separators=(",", ":")))
        for path in sorted(Path().rglob("*")):
            if path.suffix in (".html", ".csv", ".md") and before.get(path) != path.stat().st_mtime_ns:
                yield f"{path}: {digest(path)}"
        _remove_new(before)
        if words != "recipes gitt":
            yield f"text: {summed(say(words)[1])}"
            _remove_new(before)


def _remove_new(before: Container[Path]) -> None:
    for path in [path for path in Path().rglob("*") if path not in before and "run.db" not in path.name]:
        path.unlink()


def device() -> Iterator[str]:
    """Code of each command, and names and kinds of its values; in the present folder."""
    with simulate(
        ["--ideal", "--rig", "core", "--speed", "max", "--ahead", "10s", "--set", "volume_l=0.1"]
    ) as sim:
        for words in DEVICE:
            port = "" if words.split()[0] in ("ports", "replay", "alarm") else f" --port {sim.port}"
            code, out = say(f"{words}{port} --json")
            shapes = [json.dumps(kinds(json.loads(each)), separators=(",", ":")) for each in documents(out)]
            yield f"$ ipch {words} --json -> {code}"
            yield from dict.fromkeys(shapes)


def documents(text: str) -> list[str]:
    """One JSON document, or one per line."""
    try:
        json.loads(text)
    except ValueError:
        return [line for line in text.splitlines() if line.strip()]
    return [text]


def answers() -> str:
    """All answers, as stored in commands.jsonl."""
    before, width = Path.cwd(), os.environ.get("COLUMNS")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COLUMNS"] = "80"
        os.chdir(folder)
        try:
            lines = [*offline(), *device()]
        finally:
            os.chdir(before)
            os.environ.pop("COLUMNS")
            if width is not None:
                os.environ["COLUMNS"] = width
    return "\n".join(line.rstrip() for line in "\n".join(lines).replace(folder, "").splitlines()) + "\n"


if __name__ == "__main__":
    FILE.write_text(answers())
