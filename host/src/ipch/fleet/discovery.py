"""Scrape targets for Prometheus, and the example files for Prometheus, Alertmanager, Grafana and EPICS."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

from ipch.base.files import access, read_text
from ipch.device import list_ports, open_session, running_tasks
from ipch.errors import FileError, IpchError, UsageError

# Files of this room that a lab copies and adapts.
FILES = (
    "alerts.yml", "prometheus.yml", "alertmanager.yml", "dashboard.json", "access.acf", "ipch.db", "ipch.proto",
)  # fmt: skip


_ADDRESS = re.compile(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})")


def targets(more: list[str]) -> list[dict[str, Any]]:
    """Prometheus' file discovery: what the programs on this computer serve, and further addresses HOST:PORT.

    Raises UsageError for what is no address: Prometheus would refuse the whole list.
    """
    for address in more:
        found_address = _ADDRESS.fullmatch(address)
        if found_address is None or not 0 < int(found_address[2]) < 65536:
            raise UsageError(f"not an address: {address!r}; expected HOST:PORT, as 192.168.1.20:8765")
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
    return groups + [
        {"targets": [address], "labels": {}} for address in dict.fromkeys(more) if address not in found
    ]


def silent_targets(file: Path, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of an earlier file that are not found now: a program that died must stay an alarm. Raises FileError."""
    if not file.exists():
        return []
    now = {address for group in found for address in group["targets"]}
    try:
        groups = json.loads(read_text(file))
        return [
            {"targets": [str(address)], "labels": dict(group["labels"])}
            for group in groups
            for address in group["targets"]
            if address not in now
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"{file} is not a list of targets: {error}; name another file") from None


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
