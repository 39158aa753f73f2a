"""Settings of the device: changed singly with units, saved to and applied from a TOML file."""

import tomllib
from difflib import get_close_matches
from pathlib import Path

from ipch.base.files import read_text, write_text
from ipch.base.units import parse_duration, parse_pressure, parse_slew
from ipch.device.instrument import Instrument, Setting
from ipch.device.session import Identity
from ipch.errors import DeviceError, FileError, UsageError


def change(instrument: Instrument, name: str, text: str) -> Setting:
    """Change one setting from text: an integer in the unit of the setting, or a quantity with a unit."""
    setting = instrument.setting(name)
    instrument.set_setting(name, parse_value(setting, text))
    return instrument.setting(name)


def parse_value(setting: Setting, text: str) -> int:
    """Convert text to the integer value of a setting. Raises UsageError."""
    try:
        return int(text)
    except ValueError:
        pass
    if text.strip()[-1:].isalpha():
        if setting.unit == "Pa":
            return parse_pressure(text)
        if setting.unit == "Pa/s":
            return parse_slew(text)
        if setting.unit in ("s", "ms"):
            return round(parse_duration(text) * (1000 if setting.unit == "ms" else 1))
    raise UsageError(
        f"not a value for {setting.name}: {text!r}; allowed is an integer "
        f"from {setting.minimum} to {setting.maximum} {setting.unit}".rstrip()
    )


def save(instrument: Instrument, path: Path) -> int:
    """Write all settings to a TOML file; return their number."""
    settings = instrument.settings()
    write_text(path, to_toml(instrument.identity, settings))
    return len(settings)


def to_toml(identity: Identity, settings: list[Setting]) -> str:
    """The text of a settings file."""
    lines = [
        "# Settings of an ipch pressure regulator. `ipch config apply` brings a device to them.",
        "",
        "[device]",
        f'model = "{identity.model}"',
        f'serial_number = "{identity.serial_number}"',
        f'firmware = "{identity.firmware}"',
        "",
        "[settings]",
    ]
    width = max(len(f"{s.name} = {s.value}") for s in settings) if settings else 0
    for s in settings:
        unit = f"{s.unit}: " if s.unit else ""
        lines.append(f"{s.name} = {s.value}".ljust(width) + f"  # {unit}{s.help}")
    return "\n".join(lines) + "\n"


def read(path: Path) -> tuple[dict[str, int], str | None]:
    """Read settings and the serial number of their device from a file. Raises FileError."""
    try:
        document = tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: not valid TOML: {error}") from error
    unknown = document.keys() - {"device", "settings"}
    if unknown:
        raise FileError(
            f"{path}: unknown table or key {sorted(unknown)[0]!r}; allowed are [device] and [settings]"
        )
    settings = document.get("settings")
    device = document.get("device", {})
    if not isinstance(settings, dict) or not isinstance(device, dict):
        raise FileError(f"{path}: no [settings] table; `ipch config save` writes one")
    for name, value in settings.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise FileError(f"{path}: {name} = {value!r}; allowed is an integer")
    serial_number = device.get("serial_number")
    return settings, str(serial_number) if serial_number is not None else None


def apply(instrument: Instrument, path: Path, *, any_device: bool = False) -> dict[str, int]:
    """Apply all settings in a file, or none; return those that changed.

    Calibration belongs to one device, so a file from another device needs `any_device`.
    """
    wanted, serial_number = read(path)
    here = instrument.identity.serial_number
    if serial_number not in (None, here) and not any_device:
        raise FileError(
            f"{path} was saved from device {serial_number}, this is {here}, whose calibration differs;"
            " remove the calibration lines, then use --any-device"
        )
    known = {setting.name: setting for setting in instrument.settings()}
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "`ipch config list` lists all"
            raise FileError(f"{path}: this device has no setting {name!r}; {hint}")
    changes = {name: value for name, value in wanted.items() if value != known[name].value}
    _write(instrument, changes, known)
    return changes


def _write(instrument: Instrument, changes: dict[str, int], known: dict[str, Setting]) -> None:
    """Write in an order that passes the device's cross-checks; on a refusal restore the old values."""
    done: list[str] = []
    waiting = dict(changes)
    try:
        while waiting:
            refused: DeviceError | None = None
            progress = False
            for name, value in list(waiting.items()):
                try:
                    instrument.set_setting(name, value)
                except DeviceError as error:
                    refused = refused or error
                    continue
                done.append(name)
                del waiting[name]
                progress = True
            if refused is not None and not progress:
                raise refused
    except BaseException:
        for name in reversed(done):
            instrument.set_setting(name, known[name].value)
        raise
