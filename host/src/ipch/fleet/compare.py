"""A comparison of all devices: firmware, settings, proofs, warnings, ages and the disks of their records."""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ipch.device import Instrument, PortInfo, running_tasks, scpi
from ipch.errors import IpchError

# Settings that belong to one device: its calibration, and what it has learned.
_OWN = ("control_", "safety_", "supply_zero", "supply_span", "cal_")
_LEAST_BYTES = 1e9
_AT_ONCE = 16


def check(ports: list[PortInfo]) -> list[dict[str, Any]]:
    """One row for each device; `problems` lists what a person should look at."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        rows = list(pool.map(_read, ports))
    known = [row for row in rows if "settings" in row]
    for row, names in zip(known, differing([row["settings"] for row in known]), strict=True):
        row["problems"] += [
            f"{name} = {row['settings'][name]}, others {common}" for name, common in names.items()
        ]
    versions = Counter(row["firmware"] for row in known)
    for row in known:
        if len(versions) > 1 and row["firmware"] != versions.most_common(1)[0][0]:
            row["problems"].append(f"firmware {row['firmware']}, others {versions.most_common(1)[0][0]}")
        del row["settings"]
    return rows


def differing(settings: list[dict[str, int]]) -> list[dict[str, int]]:
    """For each device, its settings that differ from the commonest value, with that value; calibration is left out."""
    common = {}
    for name in {name for each in settings for name in each}:
        if not name.startswith(_OWN):
            common[name] = Counter(each[name] for each in settings if name in each).most_common(1)[0][0]
    return [
        {name: value for name, value in sorted(common.items()) if name in each and each[name] != value}
        for each in settings
    ]


def _read(info: PortInfo) -> dict[str, Any]:
    row: dict[str, Any] = {
        "serial_number": info.serial_number or info.port,
        "port": info.port,
        "problems": [],
    }
    problems: list[str] = row["problems"]
    try:
        with Instrument.open(info.port) as instrument:
            sample = instrument.fetch()
            row |= {"firmware": instrument.identity.firmware, "state": sample.state, "fault": sample.fault}
            row |= {
                "pressure_pa": sample.pressure_pa,
                "target_pa": sample.target_pa,
                "uptime_s": sample.uptime_s,
            }
            row["settings"] = {setting.name: setting.value for setting in instrument.settings()}
            if sample.faulty:
                problems.append(f"fault {instrument.fault}")
            problems += [f"warning {name}" for name in instrument.warnings]
            if not instrument.confirmed:
                problems.append("nobody has confirmed the limits")
            date, hours, days, overdue = (int(text) for text in scpi.fields(instrument.query(":DIAG:PRO?")))
            row |= {"proof_date": date or None, "proof_due_days": days - hours // 24 if date else None}
            if overdue or not date:
                problems.append("proof test overdue" if overdue else "no proof test yet")
            tasks = running_tasks(instrument.session)
            row["programs"] = [task.get("kind") for task in tasks]
            records = [Path(task["record"]) for task in tasks if task.get("record")]
            if not records:
                problems.append("nothing records it")
            for record in records:
                free = shutil.disk_usage(record.parent if record.parent.exists() else ".").free
                row["disk_free_bytes"] = free
                if free < _LEAST_BYTES:
                    problems.append(f"only {free / 1e9:.1f} GB left for {record}")
    except (IpchError, ValueError) as error:
        problems.append(str(error))
    return row
