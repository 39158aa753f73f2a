"""Where things lie: the firmware, recipes that come with the package, simulators that run."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipch.errors import FileError

_PACKAGE = Path(__file__).resolve().parents[1]


def firmware_dir() -> Path:
    """The board's file system: packed into an installed wheel, or beside host/ in a checkout.

    `IPCH_FIRMWARE` names another one. Raises FileError where there is none.
    """
    override = os.environ.get("IPCH_FIRMWARE")
    places = [Path(override)] if override else [_PACKAGE / "_firmware", _PACKAGE.parents[2] / "firmware"]
    for place in places:
        if (place / "main.py").is_file():
            return place
    raise FileError(
        f"no firmware found: looked for main.py in {' and '.join(map(str, places))}; reinstall ipch"
    )


def recipes_dir() -> Path:
    """The recipes that come with the package."""
    return _PACKAGE / "recipes"


def simulators_dir() -> Path:
    """One JSON file per running simulator, named `<pid>.json`: the object it printed as its first line."""
    return _runtime_dir() / "simulators"


def owners_dir() -> Path:
    """One JSON file and one socket per program that has a port open and serves it to others."""
    folder = _runtime_dir() / "owners"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def data_dir() -> Path:
    """Where records go when nobody says otherwise."""
    from platformdirs import user_data_path

    return user_data_path("ipch")


def _runtime_dir() -> Path:
    import warnings

    from platformdirs import user_runtime_path

    with warnings.catch_warnings():
        # It falls back to a folder in /tmp where there is no session; nobody has to be told.
        warnings.simplefilter("ignore")
        return user_runtime_path("ipch")


@dataclass(frozen=True)
class RunningSimulator:
    """A simulator that is serving now."""

    pid: int
    port: str
    rig: str
    first_line: dict[str, Any]


def register_simulator(first_line: dict[str, Any]) -> Path:
    """Tell other programs of this user that a simulator serves; delete the returned file when it ends.

    `first_line` needs `pid` and `port`.
    """
    folder = simulators_dir()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{first_line['pid']}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({**first_line, "started": _started(first_line["pid"])}))
    # A reader never sees half a file.
    partial.replace(path)
    return path


def running_simulators() -> list[RunningSimulator]:
    """Simulators of this user that are alive; entries of dead ones are passed over."""
    found = []
    for path in sorted(simulators_dir().glob("*.json")):
        try:
            line = json.loads(path.read_text())
            simulator = RunningSimulator(
                int(line["pid"]), str(line["port"]), str(line.get("rig", "sim")), line
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if not simulator.port:
            continue  # unplugged
        # The number of one that was killed may be another process's by now.
        same = is_alive(simulator.pid) and line.get("started") == _started(simulator.pid)
        if same and ("://" in simulator.port or Path(simulator.port).exists()):
            found.append(simulator)
    return found


def _started(pid: int) -> str:
    """When a process began, in the system's own count; empty where that is not told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The second field is the name in brackets, which may hold anything.
    return stat.rpartition(")")[2].split()[19]


def is_alive(pid: int) -> bool:
    """Whether there is a process of this number."""
    if os.name == "nt":
        # os.kill would end the process there; an entry whose simulator is gone then fails when it is opened.
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def alarm_config() -> Path:
    """The alarm file that `ipch log` takes when none is named, whether or not it is there."""
    from platformdirs import user_config_path

    return user_config_path("ipch") / "alarms.toml"


def alarm_state() -> Path:
    """Where alarms are kept until they are acknowledged."""
    from platformdirs import user_state_path

    return user_state_path("ipch") / "alarms.json"
