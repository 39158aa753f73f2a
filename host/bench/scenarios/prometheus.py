"""Debian's Prometheus and Alertmanager with the files that ipch ships, on the loopback interface."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipch
from bench.scenarios.fleet import free_port
from ipch.fleet import FILES

ROOM = Path(ipch.__file__).parent / "fleet"
PROMETHEUS = shutil.which("prometheus")
ALERTMANAGER = shutil.which("prometheus-alertmanager")


class Monitoring:
    """A folder with the shipped files; scrapes ipch-targets.json in it."""

    def __init__(self, folder: Path, *, faster: int = 1) -> None:
        """`faster` divides each time below a minute."""
        self._folder = folder
        self._ports = [free_port() for _ in range(2)]
        self.url, self.alertmanager = (f"http://127.0.0.1:{port}" for port in self._ports)
        for name in FILES:
            text = (ROOM / name).read_text().replace("127.0.0.1:9093", f"127.0.0.1:{self._ports[1]}")
            text = re.sub(r": (5|10)s\b", lambda found: f": {int(found[1]) // faster}s", text)
            (folder / name).write_text(text)

    @contextlib.contextmanager
    def prometheus(self) -> Iterator[None]:
        with self._run(
            [str(PROMETHEUS), "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{self._ports[0]}",
             "--storage.tsdb.path=tsdb"]
        ):  # fmt: skip
            yield

    @contextlib.contextmanager
    def alerting(self) -> Iterator[None]:
        with self._run(
            [str(ALERTMANAGER), "--config.file=alertmanager.yml",
             f"--web.listen-address=127.0.0.1:{self._ports[1]}", "--storage.path=alerts",
             "--cluster.listen-address="]
        ):  # fmt: skip
            yield

    @contextlib.contextmanager
    def _run(self, command: list[str]) -> Iterator[None]:
        with (self._folder / f"{Path(command[0]).name}.log").open("a") as log:
            process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
            try:
                yield
            finally:
                process.terminate()
                process.wait()

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that a query finds now; none while Prometheus does not answer."""
        found = get(f"{self.url}/api/v1/query?query={urllib.parse.quote(query)}")
        return list(found["data"]["result"]) if found else []

    def value(self, query: str) -> list[str]:
        return [row["value"][1] for row in self.ask(query)]

    def alerts(self) -> set[str]:
        """Names of the firing alerts."""
        found = get(f"{self.url}/api/v1/alerts")
        rows = found["data"]["alerts"] if found else []
        return {row["labels"]["alertname"] for row in rows if row["state"] == "firing"}

    def received(self) -> set[str]:
        """Names of the alerts that Alertmanager has."""
        return {row["labels"]["alertname"] for row in get(f"{self.alertmanager}/api/v2/alerts") or []}


def get(url: str) -> Any:
    """JSON from an address; None while it does not answer."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return None
