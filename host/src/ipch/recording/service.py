"""The recorder as a systemd user service: one instance and one record per regulator."""

import os
import re
import shutil
import sys
from pathlib import Path

from ipch.base.files import access
from ipch.base.paths import data_dir
from ipch.errors import FileError

UNIT = "ipch-log@.service"


def default_record(serial_number: str) -> Path:
    """Default record of a device."""
    return data_dir() / "log" / f"{re.sub(r'[^A-Za-z0-9_-]', '_', serial_number)}.db"


def install(port: str | None) -> tuple[Path, list[str]]:
    """Write the unit file for this user; return its path and the start commands. Raises FileError."""
    beside = Path(sys.argv[0]).resolve()
    program = str(beside) if beside.name == "ipch" else shutil.which("ipch")
    if program is None:
        raise FileError("no ipch program on the PATH for the service; install it with pipx")
    text = Path(__file__).with_name(UNIT).read_text(encoding="utf-8").replace("@IPCH@", program)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    place = home / "systemd" / "user" / UNIT
    with access("write", place):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    instance = f'"$(systemd-escape -- {port})"' if port else "SERIAL_NUMBER"
    return place, [
        "systemctl --user daemon-reload",
        f"systemctl --user enable --now ipch-log@{instance}",
        'loginctl enable-linger "$USER"  # keeps it running without a login',
    ]
