"""Completion of values: recipes, ports, settings, faults. It must be quick, and never fails."""

import contextlib
from pathlib import Path

# Long enough for the running owner process of a port; a shell waits for each completion.
_DEVICE_S = 1.0


def recipes(incomplete: str) -> list[str]:
    """Shipped recipes, and recipe files."""
    from ipch.base.paths import recipes_dir

    names = sorted(path.stem for path in recipes_dir().glob("*.toml"))
    given = Path(incomplete or ".")
    folder = given if given.is_dir() else given.parent
    with contextlib.suppress(OSError):
        names += [str(path) for path in sorted(folder.glob("*.toml"))]
        names += [f"{path}/" for path in sorted(folder.iterdir()) if path.is_dir() and path.name[0] != "."]
    return [name for name in names if name.startswith(incomplete)]


def ports(incomplete: str) -> list[tuple[str, str]]:
    """Ports and serial numbers of boards and simulators."""
    from ipch.device import list_ports

    found = []
    for info in list_ports():
        for name in (info.serial_number, info.port):
            if name.startswith(incomplete) and name:
                found.append((name, info.description or info.kind))
    return found


def settings(incomplete: str) -> list[str]:
    """Settings of the only device."""
    from ipch.device import Instrument
    from ipch.errors import IpchError

    with contextlib.suppress(IpchError), Instrument.open(None, timeout_s=_DEVICE_S) as instrument:
        return [name for name in instrument.setting_names() if name.startswith(incomplete)]
    return []


def faults(incomplete: str) -> list[tuple[str, str]]:
    """Faults that can be injected."""
    from ipch.sim.faults import describe_faults

    return [(row["name"], row["help"]) for row in describe_faults() if row["name"].startswith(incomplete)]
