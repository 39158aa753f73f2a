"""Settings of the device: changed singly with units, saved to and applied from a TOML file."""

import tomllib
from difflib import get_close_matches
from pathlib import Path

from ipch.base.files import read_text, write_text
from ipch.base.units import parse_duration, parse_pressure, parse_slew
from ipch.device.instrument import Instrument, Setting
from ipch.device.session import Identity
from ipch.errors import DeviceError, FileError, UsageError

# The limits in order, each with its relation to the one before.
LADDER = (
    ("setpoint_max_pa", "", "highest setpoint"),
    ("trip_pa", "<", "software trip"),
    ("comparator_pa", "<", "hardware comparator"),
    ("relief_valve_pa", "<", "mechanical relief valve"),
    ("burst_disc_pa", "<=", "burst disc"),
    ("chamber_rating_pa", "<=", "rating of the chamber"),
)
CONFIRMED = ("setpoint_max_pa", "trip_pa", "chamber_rating_pa")
# As in the firmware: up to this far above ambient a chamber counts as vented.
_NEAR_AMBIENT_PA = 100_000


def change(instrument: Instrument, name: str, text: str, *, force: bool = False) -> Setting:
    """Change one setting from text: an integer in the unit of the setting, or a quantity with a unit.

    `force` accepts a transducer's correction beyond 2 % of full scale.
    """
    setting = instrument.setting(name)
    instrument.set_setting(name, parse_value(setting, text), force=force)
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
        f"not a value for {setting.name}: {text!r}; expected an integer "
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
            f"{path}: unknown table or key {sorted(unknown)[0]!r}; allowed: [device] and [settings]"
        )
    settings = document.get("settings")
    device = document.get("device", {})
    if not isinstance(settings, dict) or not isinstance(device, dict):
        raise FileError(f"{path}: no [settings] table; `ipch config save` writes one")
    for name, value in settings.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise FileError(f"{path}: {name} = {value!r}; expected an integer")
    serial_number = device.get("serial_number")
    return settings, str(serial_number) if serial_number is not None else None


def ladder(instrument: Instrument) -> list[tuple[str, str, str, int]]:
    """The limits in force, in order: name, relation to the one before, meaning, Pa."""
    return [(*each, instrument.setting(each[0]).value) for each in LADDER]


def apply(
    instrument: Instrument, path: Path, *, any_device: bool = False, force: bool = False
) -> dict[str, int]:
    """Apply all settings in a file, or none; return those that changed.

    Calibration belongs to one device, so a file from another device needs `any_device`. `force` accepts a
    transducer's correction beyond 2 % of full scale. Under pressure, limits change with the output off and only as a
    whole: the file must hold all of them, and the device takes none that would trip.
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
    limits = {name for name, _, _ in LADDER}
    if limits & changes.keys() and limits <= wanted.keys() and _under_pressure(instrument, known):
        _write_withdrawn(instrument, changes, known, force)
    else:
        _write(instrument, changes, known, force)
    return changes


def _under_pressure(instrument: Instrument, known: dict[str, Setting]) -> bool:
    """Whether confirmed limits could change only if the confirmation is withdrawn."""
    sample = instrument.fetch()
    highest_pa = max(sample.pressure_pa, sample.safety_pa)
    vented = highest_pa <= known["ambient_pa"].value + _NEAR_AMBIENT_PA
    return sample.state == "OFF" and not vented and instrument.confirmed


def _write_withdrawn(
    instrument: Instrument, changes: dict[str, int], known: dict[str, Setting], force: bool
) -> None:
    """Write with the confirmation withdrawn; confirm the limits in force afterwards, old or new."""
    instrument.withdraw()
    limits = [known[name].value for name in CONFIRMED]
    try:
        _write(instrument, changes, known, force)
        limits = [changes.get(name, known[name].value) for name in CONFIRMED]
    finally:
        instrument.confirm(*limits)


def _write(instrument: Instrument, changes: dict[str, int], known: dict[str, Setting], force: bool) -> None:
    """Write in an order that passes the device's cross-checks; on a refusal restore the old values."""
    done: list[str] = []
    waiting = dict(changes)
    try:
        while waiting:
            refused: DeviceError | None = None
            progress = False
            for name, value in list(waiting.items()):
                try:
                    instrument.set_setting(name, value, force=force)
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
            instrument.set_setting(name, known[name].value, force=force)
        raise
