"""Sixty-four simulated chambers for half an hour, with what befalls a laboratory; and replayed samples: a thousand in
one process, and sixty-four servers whose Prometheus is restarted.

IPCH_BENCH_FLEET=16,300 takes sixteen chambers for 300 s.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.jobs import Workers
from bench.rows import attempt, row
from bench.scenarios.fleet import (
    IPCH,
    Chamber,
    fleet,
    free_port,
    gaps,
    scrape,
    told,
    unmarked,
    until,
    used,
)
from bench.scenarios.prometheus import PROMETHEUS, Monitoring
from ipch.device import Instrument
from ipch.recording.gaps import BUSY

CHAMBERS, SECONDS = (int(text) for text in os.environ.get("IPCH_BENCH_FLEET", "64,1800").split(","))
MANY = 1000
_ENVIRONMENT = {"EPICS_CA_ADDR_LIST": "127.0.0.1", "EPICS_CA_AUTO_ADDR_LIST": "NO"}
_TELL_S = 60.0
# Prometheus' scrape interval, as shipped, and how long it runs before and after its restart.
_SCRAPE_S, _SCRAPED_S = 5.0, 45.0
Rows = list[dict[str, Any]]


def measure(out: Path, workers: Workers) -> Rows:
    """Return what was lost, and what scraping and reading took. A step that fails is a row that says so."""
    os.environ.update(_ENVIRONMENT, EPICS_CA_SERVER_PORT=str(free_port()))
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.pickle"
        rows = attempt("simulated chambers", lambda: _simulated(Path(folder), samples))
        os.environ["EPICS_CA_SERVER_PORT"] = str(free_port())
        rows += attempt("replayed chambers", lambda: _replayed(samples))
        return rows + attempt("Prometheus restarted", lambda: _restarted(Path(folder), samples))


def _simulated(folder: Path, samples: Path) -> Rows:
    with fleet(folder, CHAMBERS) as chambers, _ioc(chambers) as ioc:
        begun_s, begun_utc_s = time.monotonic(), time.time()
        pids = [
            ioc.pid,
            *(chamber.running.pid for chamber in chambers),
            *(chamber.log.pid for chamber in chambers),
        ]
        rows = attempt("regulating", lambda: _regulate(chambers, samples))
        cpu_s, cpu_from_s = used(pids)[0], time.monotonic()
        rows += attempt("scrape", lambda: _scraped(chambers))
        rows += attempt("EPICS", lambda: _read([f"ipch:{chamber.name}:" for chamber in chambers], "", 1.0))
        time.sleep(max(0.0, SECONDS / 2 - (time.monotonic() - begun_s)))
        cpu_share = (used(pids)[0] - cpu_s) / (time.monotonic() - cpu_from_s)
        rows += [
            row("processor, all programs", cpu_share * 100, "% of a core"),
            row("memory, all programs", used(pids)[1] / 1e6, "MB"),
        ]
        rows += attempt("killed recorder", lambda: _kill(chambers[0]))
        rows += attempt("unplugged devices", lambda: _unplug(_tenth(chambers)))
        rows += attempt("full disk", lambda: _fill_disk(chambers[-1]))
        time.sleep(max(0.0, SECONDS - (time.monotonic() - begun_s)))
        lasted_s = time.monotonic() - begun_s
    return [
        row("chambers", CHAMBERS, "", at_least=64),
        row("duration", lasted_s, "s", at_least=1800),
        *attempt("records", lambda: _judge(chambers, begun_utc_s)),
        *rows,
    ]


def _regulate(chambers: list[Chamber], samples: Path) -> Rows:
    """Bring all to 1 MPa, and keep samples to replay."""
    taken = []
    with Instrument.open(chambers[0].name) as instrument:
        for _ in range(20):
            taken.append(instrument.fetch())
            time.sleep(0.5)
    samples.write_bytes(pickle.dumps(taken))
    on = 0
    for chamber in chambers:
        with Instrument.open(chamber.name) as instrument:
            instrument.target_pa = 1_000_000
            instrument.on()
            on += 1
    return [row("chambers that regulate", on, "", at_least=CHAMBERS)]


def _scraped(chambers: list[Chamber]) -> Rows:
    slowest = [max(scrape(chamber.address)[1] for chamber in chambers) for _ in range(3)]
    return [row("slowest scrape, best of three rounds", min(slowest), "s", at_most=0.5)]


def _tenth(chambers: list[Chamber]) -> list[Chamber]:
    return chambers[1 : 1 + max(1, round(len(chambers) / 10))]


def _kill(chamber: Chamber) -> Rows:
    chamber.kill()
    chamber.restart()
    return [
        row("killed recorder serves again after", until(lambda: _serves(chamber), 120), "s", at_most=30),
    ]


def _serves(chamber: Chamber) -> bool:
    with contextlib.suppress(OSError):
        return "ipch_pressure_pascals{" in scrape(chamber.address)[0]
    return False


def _unplug(chambers: list[Chamber]) -> Rows:
    """All at once, and plugged in again in the opposite order, so that they swap their ports."""
    for chamber in chambers:
        chamber.plug(False)
    away = told(chambers, "resumes when it returns", _TELL_S)
    for chamber in reversed(chambers):
        chamber.plug(True)
    begun_s = time.monotonic()
    back = told(chambers, "the device is back", _TELL_S)
    return [
        row("unplugged devices told as away", away, "", at_least=len(chambers)),
        row("told as back", back, "", at_least=len(chambers)),
        row("the last one after", time.monotonic() - begun_s, "s", at_most=30),
    ]


def _fill_disk(chamber: Chamber) -> Rows:
    chamber.fill_disk(True)
    full = told([chamber], "cannot record", _TELL_S)
    chamber.fill_disk(False)
    over = told([chamber], f"recording to {chamber.record} resumed", _TELL_S)
    return [row("full disk of one record: told, and told when over", full + over, "", at_least=2)]


def _judge(chambers: list[Chamber], begun_utc_s: float) -> Rows:
    found = [unmarked(chamber.record) for chamber in chambers]
    causes = [Counter(gaps(chamber.record, begun_utc_s)) for chamber in chambers]
    away, killed = "the device was away", "the recorder was not running"
    early = sum(gaps(chamber.record).count(BUSY) for chamber in chambers) - sum(each[BUSY] for each in causes)
    others = sum(each.total() - each[BUSY] - each[away] - each[killed] for each in causes)
    return [
        row("samples recorded", sum(each[0] for each in found), ""),
        row("gaps because the computer was busy, marked", sum(each[BUSY] for each in causes), "", at_most=0),
        row("the same while all were started", early, ""),
        row("gaps without a mark", sum(each[2] for each in found), "", at_most=0),
        row("samples twice", sum(each[1] for each in found), "", at_most=0),
        row("records that mark an absence", sum(each[away] > 0 for each in causes), "", at_least=len(_tenth(chambers))),
        row("the killed recorder's mark", causes[0][killed], "", at_least=1),
        row("gaps of any other cause, as a full disk", others, "", at_most=0),
    ]  # fmt: skip


@contextlib.contextmanager
def _ioc(chambers: list[Chamber]) -> Iterator[subprocess.Popen[str]]:
    command = [*IPCH, "ioc", *(chamber.name for chamber in chambers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None and "records of" in process.stdout.readline()
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _read(starts: list[str], whose: str, at_most_s: float) -> Rows:
    done = subprocess.run(
        [sys.executable, "-m", "bench.scenarios.epics_client"],
        input="\n".join(starts), stdout=subprocess.PIPE, text=True, timeout=900, check=True,
    )  # fmt: skip
    read = json.loads(done.stdout.splitlines()[-1])
    return [
        row(f"EPICS: {read['records']}{whose} records read", read["read_s"], "s", at_most=at_most_s),
        row(f"EPICS: connected{whose}", read["connect_s"], "s"),
    ]


@contextlib.contextmanager
def _replaying(count: int, samples: Path, *how: str) -> Iterator[tuple[int, list[str]]]:
    """Process and addresses of a server of replayed samples."""
    command = [sys.executable, "-m", "bench.scenarios.replayed", str(count), str(samples), *how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.pid, json.loads(process.stdout.readline())["addresses"]
        finally:
            process.kill()


def _replayed(samples: Path) -> Rows:
    with _replaying(MANY, samples) as (pid, (address,)):
        cpu_s, begun_s = used([pid])[0], time.monotonic()
        time.sleep(20)
        cpu_share = (used([pid])[0] - cpu_s) / (time.monotonic() - begun_s)
        scrapes = [scrape(address) for _ in range(3)]
        served = scrapes[0][0].count("ipch_pressure_pascals{")
        rows = attempt(
            "EPICS, replayed",
            lambda: _read([f"ipch:R{number:04}:" for number in range(MANY)], " replayed", 2.0),
        )
        memory = used([pid])[1]
    return [
        row("replayed chambers", served, "", at_least=MANY),
        row("their scrape", min(seconds for _, seconds in scrapes), "s", at_most=2.0),
        *rows,
        row("their processor", cpu_share * 100, "% of a core"),
        row("their memory", memory / 1e6, "MB", at_most=600),
    ]


def _restarted(folder: Path, samples: Path) -> Rows:
    """Prometheus with a target for each of 64 replayed chambers is ended and started again."""
    assert PROMETHEUS is not None, "no prometheus on the PATH"
    count = 64
    monitoring = Monitoring(folder)
    with _replaying(count, samples, "apart") as (_, addresses):
        groups = [{"targets": [address], "labels": {}} for address in addresses]
        (folder / "ipch-targets.json").write_text(json.dumps(groups))
        with monitoring.prometheus():
            time.sleep(_SCRAPED_S)
            before = len(monitoring.ask("ipch_sequence"))
        restarted_s = time.time()
        with monitoring.prometheus():
            ready_s = until(lambda: len(monitoring.ask("ipch_sequence")) == count, 120)
            time.sleep(_SCRAPED_S)
            series = [
                [float(at) for at, _ in each["values"]] for each in monitoring.ask("ipch_sequence[10m]")
            ]
    # Around the restart an interval may be missed.
    steps = [(a, b) for each in series for a, b in pairwise(each) if b - a > 1.5 * _SCRAPE_S]
    return [
        row("targets of a Prometheus that is restarted", count, ""),
        row("series before", before, "", at_least=count),
        row("all series again after", ready_s, "s", at_most=30),
        row("series with samples from before", sum(each[0] < restarted_s for each in series), "", at_least=count),
        row("longest gap around the restart", max((b - a for a, b in steps), default=_SCRAPE_S), "s", at_most=30),
        row("intervals missed at any other time", sum(not a < restarted_s < b for a, b in steps), "", at_most=0),
    ]  # fmt: skip
