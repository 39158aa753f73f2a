"""Sixty-four simulated chambers for half an hour, with what befalls a laboratory; a thousand of replayed samples.

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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.jobs import Workers
from bench.rows import row
from bench.scenarios.fleet import IPCH, Chamber, fleet, free_port, gaps, scrape, unmarked, until, used
from ipch.device import Instrument

CHAMBERS, SECONDS = (int(text) for text in os.environ.get("IPCH_BENCH_FLEET", "64,1800").split(","))
MANY = 1000
_ENVIRONMENT = {"EPICS_CA_ADDR_LIST": "127.0.0.1", "EPICS_CA_AUTO_ADDR_LIST": "NO"}


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Return what was lost, and what scraping and reading took."""
    os.environ.update(_ENVIRONMENT, EPICS_CA_SERVER_PORT=str(free_port()))
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.pickle"
        rows = _simulated(Path(folder), samples)
        os.environ["EPICS_CA_SERVER_PORT"] = str(free_port())
        return [*rows, *_replayed(samples)]


def _simulated(folder: Path, samples: Path) -> list[dict[str, Any]]:
    with fleet(folder, CHAMBERS) as chambers, _ioc(chambers) as ioc:
        begun_s = time.monotonic()
        pids = [
            ioc.pid,
            *(chamber.running.pid for chamber in chambers),
            *(chamber.log.pid for chamber in chambers),
        ]
        for chamber in chambers:
            with Instrument.open(chamber.name) as instrument:
                instrument.target_pa = 1_000_000
                instrument.on()
        with Instrument.open(chambers[0].name) as instrument:
            taken = []
            for _ in range(20):
                taken.append(instrument.fetch())
                time.sleep(0.5)
        samples.write_bytes(pickle.dumps(taken))
        cpu_s, _ = used(pids)
        cpu_from_s = time.monotonic()
        scrapes = [max(scrape(chamber.address)[1] for chamber in chambers) for _ in range(3)]
        read = _read_epics([f"ipch:{chamber.name}:" for chamber in chambers])
        time.sleep(max(0.0, SECONDS / 2 - (time.monotonic() - begun_s)))
        cpu_share = (used(pids)[0] - cpu_s) / (time.monotonic() - cpu_from_s)
        memory = used(pids)[1]
        back_s, told = _befall(chambers)
        time.sleep(max(0.0, SECONDS - (time.monotonic() - begun_s)))
        lasted_s = time.monotonic() - begun_s
    found = [unmarked(chamber.record) for chamber in chambers]
    away = sum(gaps(chamber.record) > 0 for chamber in chambers)
    tenth = len(_tenth(chambers))
    return [
        row("chambers", CHAMBERS, "", at_least=64),
        row("duration", lasted_s, "s", at_least=1800),
        row("samples recorded", sum(each[0] for each in found), ""),
        row("samples lost without a mark", sum(each[2] for each in found), "", at_most=0),
        row("samples twice", sum(each[1] for each in found), "", at_most=0),
        row("killed recorder serves again after", back_s, "s", at_most=30),
        row("unplugged or killed and marked", away, "", at_least=tenth + 1),
        row("unplugged devices told", told, "", at_least=tenth),
        row("slowest scrape", min(scrapes), "s", at_most=0.5),
        row(f"EPICS: {read['records']} records read", read["read_s"], "s", at_most=1.0),
        row("EPICS: connected", read["connect_s"], "s"),
        row("processor, all programs", cpu_share * 100, "% of a core"),
        row("memory, all programs", memory / 1e6, "MB"),
    ]


def _tenth(chambers: list[Chamber]) -> list[Chamber]:
    return chambers[1 : 1 + max(1, round(len(chambers) / 10))]


def _befall(chambers: list[Chamber]) -> tuple[float, int]:
    """Kill a recorder, unplug a tenth, fill a disk; all comes back. Return s and the number that told it."""
    chambers[0].kill()
    chambers[0].restart()
    back_s = until(lambda: _serves(chambers[0]), 120)
    for chamber in _tenth(chambers):
        chamber.plug(False)
    chambers[-1].fill_disk(True)
    for chamber in _tenth(chambers):
        with contextlib.suppress(AssertionError):
            until(lambda chamber=chamber: "resumes when it returns" in chamber.hear(), 60)  # type: ignore[misc]
        chamber.plug(True)
    with contextlib.suppress(AssertionError):
        until(lambda: "cannot record" in chambers[-1].hear(), 60)
    chambers[-1].fill_disk(False)
    for chamber in _tenth(chambers):
        with contextlib.suppress(AssertionError):
            until(lambda chamber=chamber: "the device is back" in chamber.hear(), 60)  # type: ignore[misc]
    return back_s, sum("the device is back" in chamber.hear() for chamber in _tenth(chambers))


def _serves(chamber: Chamber) -> bool:
    with contextlib.suppress(OSError):
        return "ipch_pressure_pascals{" in scrape(chamber.address)[0]
    return False


@contextlib.contextmanager
def _ioc(chambers: list[Chamber]) -> Iterator[subprocess.Popen[str]]:
    command = [*IPCH, "ioc", *(chamber.name for chamber in chambers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None and "records of" in process.stdout.readline()
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _read_epics(starts: list[str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.scenarios.epics_client"],
        input="\n".join(starts), stdout=subprocess.PIPE, text=True, timeout=900, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def _replayed(samples: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "bench.scenarios.replayed", str(MANY), str(samples)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            address = json.loads(process.stdout.readline())["address"]
            cpu_s, begun_s = used([process.pid])[0], time.monotonic()
            time.sleep(20)
            cpu_share = (used([process.pid])[0] - cpu_s) / (time.monotonic() - begun_s)
            scrapes = [scrape(address) for _ in range(3)]
            assert scrapes[0][0].count("ipch_pressure_pascals{") == MANY
            read = _read_epics([f"ipch:R{number:04}:" for number in range(MANY)])
            memory = used([process.pid])[1]
        finally:
            process.kill()
    return [
        row("replayed chambers", MANY, "", at_least=1000),
        row("their scrape", min(seconds for _, seconds in scrapes), "s", at_most=2.0),
        row(f"EPICS: {read['records']} of their records read", read["read_s"], "s", at_most=2.0),
        row("EPICS: connected, theirs", read["connect_s"], "s"),
        row("their processor", cpu_share * 100, "% of a core"),
        row("their memory", memory / 1e6, "MB", at_most=600),
    ]
