"""Scrape targets for Prometheus, and the example files for Prometheus, Alertmanager, Grafana and EPICS."""

import contextlib
from pathlib import Path
from typing import Any

from ipch.base.files import access
from ipch.device import list_ports, open_session, running_tasks
from ipch.errors import FileError, IpchError

# Files of this room that a lab copies and adapts.
FILES = (
    "alerts.yml", "prometheus.yml", "alertmanager.yml", "dashboard.json", "access.acf", "ipch.db", "ipch.proto",
)  # fmt: skip


def targets(more: list[str]) -> list[dict[str, Any]]:
    """Prometheus' file discovery: what the programs on this computer serve, and further addresses HOST:PORT."""
    found: dict[str, str] = {}
    for info in list_ports():
        if info.kind == "other":
            continue
        with contextlib.suppress(IpchError):
            session = open_session(info.port)
            try:
                for task in running_tasks(session):
                    if task.get("http"):
                        found[str(task["http"])] = str(task.get("kind"))
            finally:
                session.close()
    groups = [{"targets": [address], "labels": {"program": kind}} for address, kind in sorted(found.items())]
    return groups + [{"targets": [address], "labels": {}} for address in more if address not in found]


def write_files(folder: Path) -> list[Path]:
    """Copy the example files into a folder. Raises FileError if one exists already."""
    written = []
    for name in FILES:
        place = folder / name
        if place.exists():
            raise FileError(f"{place} exists already; name another folder")
        with access("write", place):
            folder.mkdir(parents=True, exist_ok=True)
            place.write_bytes(Path(__file__).with_name(name).read_bytes())
        written.append(place)
    return written
