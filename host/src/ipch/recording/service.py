"""The recorder as a service, a record per regulator: a systemd user unit, or a task of Windows' Task Scheduler."""

import os
import re
import shutil
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from ipch.base.files import access
from ipch.base.paths import data_dir
from ipch.errors import FileError, UsageError

UNIT = "ipch-log@.service"
TASK = "ipch-log-task.xml"
_WINDOWS = sys.platform == "win32"


def default_record(serial_number: str) -> Path:
    """Default record of a device."""
    return data_dir() / "log" / f"{_file_name(serial_number)}.db"


def install(port: str | None) -> tuple[Path, list[str]]:
    """Write the service's file for this user; return its path and the start commands. Raises FileError, UsageError."""
    beside = Path(sys.argv[0]).resolve()
    # On Windows the program's own name may lack its ending.
    running = [
        path for path in (beside, beside.with_suffix(".exe")) if path.stem == "ipch" and path.is_file()
    ]
    program = str(running[0]) if running else shutil.which("ipch")
    if program is None:
        raise FileError("no ipch program on the PATH for the service; install it with pipx")
    return _install_task(program, port) if _WINDOWS else _install_unit(program, port)


def _install_unit(program: str, port: str | None) -> tuple[Path, list[str]]:
    text = Path(__file__).with_name(UNIT).read_text(encoding="utf-8").replace("@IPCH@", program)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    place = home / "systemd" / "user" / UNIT
    _write(place, text, "utf-8")
    instance = f'"$(systemd-escape -- {port})"' if port else "SERIAL_NUMBER"
    return place, [
        "systemctl --user daemon-reload",
        f"systemctl --user enable --now ipch-log@{instance}",
        'loginctl enable-linger "$USER"  # keeps it running without a login',
    ]


def _install_task(program: str, port: str | None) -> tuple[Path, list[str]]:
    if port is None or '"' in port:
        raise UsageError(
            "a task logs one device: name it with --port, a COM port or better a USB serial number"
        )
    user = "\\".join(os.environ[name] for name in ("USERDOMAIN", "USERNAME") if name in os.environ)
    text = Path(__file__).with_name(TASK).read_text(encoding="utf-8")
    values = {"PROGRAM": program, "PORT": port, "USER": user}
    text = re.sub(r"\b(PROGRAM|PORT|USER)\b", lambda word: escape(values[word[0]]), text)
    place = data_dir() / f"ipch-log-{_file_name(port)}.xml"
    _write(place, text, "utf-16")
    name = f"ipch log {_file_name(port)}"
    return place, [f'schtasks /create /tn "{name}" /xml "{place}"', f'schtasks /run /tn "{name}"']


def _write(place: Path, text: str, encoding: str) -> None:
    with access("write", place):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding=encoding)


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)
