"""Locations: firmware, shipped recipes, running simulators, user folders."""

import contextlib
import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipch.base.files import access
from ipch.errors import FileError

_PACKAGE = Path(__file__).resolve().parents[1]


def firmware_dir() -> Path:
    """Folder with the board's file system: inside an installed wheel, or beside host/ in a checkout.

    `IPCH_FIRMWARE` overrides it. Raises FileError if there is no firmware.
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
    """Folder of the shipped recipes."""
    return _PACKAGE / "recipes"


def simulators_dir() -> Path:
    """Folder with one file `<pid>.json` per running simulator: the object in its first output line."""
    return _private(_runtime_dir() / "simulators")


def owners_dir() -> Path:
    """Folder with one JSON file and one socket per owner process. Raises FileError."""
    return _private(_runtime_dir() / "owners")


def data_dir() -> Path:
    """Default folder for records."""
    from platformdirs import user_data_path

    return user_data_path("ipch")


def _runtime_dir() -> Path:
    """Folder of this user's running processes, which no other user can read or replace. Raises FileError.

    It is `ipch` in XDG_RUNTIME_DIR, else in /run/user/UID, else /tmp/ipch-UID; on Windows in the user's own folders.
    """
    if sys.platform == "win32":
        return _private(Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "ipch" / "run")
    else:
        user = os.geteuid()
        wanted = os.environ.get("XDG_RUNTIME_DIR", "")
        for place in (Path(wanted), Path(f"/run/user/{user}")):
            # sudo may leave the folder of another user in the environment.
            if place.is_absolute() and place.is_dir() and is_mine(place):
                return _private(place / "ipch")
        return _private(Path(f"/tmp/ipch-{user}"))


def is_mine(path: Path) -> bool:
    """Return True if a file or folder, not a link to one, belongs to this user."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return not stat.S_ISLNK(found.st_mode) and (sys.platform == "win32" or found.st_uid == os.geteuid())


def _private(folder: Path) -> Path:
    """Make a folder that only this user can use. Raises FileError if another user has taken its name."""
    with access("make", folder):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700, parents=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or not is_mine(folder):
            raise FileError(
                f"{folder} is not a folder of this user; remove it, or set XDG_RUNTIME_DIR to a folder of yours"
            )
        if sys.platform != "win32" and found.st_mode & 0o077:
            folder.chmod(0o700)
    return folder


@dataclass(frozen=True)
class RunningSimulator:
    """A running simulator."""

    pid: int
    port: str
    rig: str
    first_line: dict[str, Any]


def register_simulator(first_line: dict[str, Any]) -> Path:
    """Publish a simulator to other programs of this user; delete the returned file when it ends.

    `first_line` needs `pid` and `port`.
    """
    path = simulators_dir() / f"{first_line['pid']}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({**first_line, "started": _started(first_line["pid"])}))
    # Replace, so that a reader never sees a partial file.
    partial.replace(path)
    return path


def running_simulators() -> list[RunningSimulator]:
    """Running simulators of this user that are plugged in; entries of ended ones are skipped."""
    try:
        found = _simulators()
    except FileError:
        return []  # every command says so when it looks for the owner of a port
    return [each for each in found if "://" in each.port or (each.port and Path(each.port).exists())]


@contextlib.contextmanager
def choosing_serial() -> Iterator[set[str]]:
    """Yield the serial numbers that are taken; no other simulator chooses one meanwhile."""
    with (simulators_dir() / "lock").open("w") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield {str(each.first_line.get("serial")) for each in _simulators()}


def _simulators() -> list[RunningSimulator]:
    found = []
    for path in filter(is_mine, sorted(simulators_dir().glob("*.json"))):
        try:
            line = json.loads(path.read_text())
            simulator = RunningSimulator(
                int(line["pid"]), str(line["port"]), str(line.get("rig", "sim")), line
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue
        # Another process may have the PID of a killed simulator by now.
        if is_alive(simulator.pid) and line.get("started") == _started(simulator.pid):
            found.append(simulator)
    return found


def _started(pid: int) -> str:
    """Start time of a process in ticks of the system; empty if unknown."""
    return _fields(pid)[19]


def is_suspended(pid: int) -> bool:
    """Return True if a process was stopped by Ctrl-Z or a signal; False where the system does not tell (not Linux)."""
    return _fields(pid)[0] == "T"


def _fields(pid: int) -> list[str]:
    """What Linux tells of a process, from its state on; empty texts if nothing is known."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return [""] * 20
    # The second field is the process name in brackets, which may hold any character.
    return told.rpartition(")")[2].split()


def is_alive(pid: int) -> bool:
    """Return True if a process has this PID."""
    if sys.platform == "win32":
        # os.kill would end the process.
        return _is_alive_on_windows(pid)
    else:
        try:
            os.kill(pid, 0)
        except PermissionError:
            return True
        except OSError:
            return False
        return True


def _is_alive_on_windows(pid: int) -> bool:
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (mypy knows it on Windows alone)
    # PROCESS_QUERY_LIMITED_INFORMATION; STILL_ACTIVE is the exit code of a process that runs.
    handle = kernel.OpenProcess(0x1000, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    found = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return bool(found) and code.value == 259


def alarm_config() -> Path:
    """Default alarm file; it need not exist."""
    from platformdirs import user_config_path

    return user_config_path("ipch") / "alarms.toml"


def alarm_queue() -> Path:
    """File of the alarms that wait for delivery."""
    return alarm_state().with_name("alarm-queue.db")


def alarm_state() -> Path:
    """File that keeps alarms until they are acknowledged."""
    from platformdirs import user_state_path

    return user_state_path("ipch") / "alarms.json"
