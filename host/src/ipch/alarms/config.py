"""The alarm file, and the texts of the device's warnings."""

import re
import tomllib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ipch.base.files import read_text
from ipch.base.units import format_celsius, format_target, parse_pressure
from ipch.device import Sample
from ipch.errors import FileError, UsageError

# Warnings of the device in bit order. Each text: meaning; reaction of the device. Action.
_WARNINGS = """
SUPPLY_LOW: The supply is too low; the device does not fill until the supply recovers. Check compressor or cylinder.
SAFETY_TRANSDUCER: The safety transducer is invalid; regulation continues for a limited time. Check its cable.
SUPPLY_TRANSDUCER: The supply transducer is invalid; fills are judged by the pressure rise. Check its cable.
GAS_TEMPERATURE: The gas temperature is invalid; the device works without it. Check its sensor.
WALL_TEMPERATURE: The wall temperature is invalid; the device works without it. Check its sensor.
SETTINGS_LOST: Settings were lost or never stored; the output stays off. Run `ipch config apply`, then `config confirm`.
QUIET_DRIFT: The pressure drifted too far in a quiet window; the device ended it. Look for a leak.
BAND_WIDENED: The valves are too coarse for the dead-band; the device widened it. Fit finer restrictors.
SUPPLY_HIGH: The supply is too high; the device does not fill. Turn its regulator down.
TRANSDUCER_STILL: A pressure transducer reading has not changed for long; the device continues. Check it.
REFERENCE_DRIFT: The converter reads its reference wrongly; the device continues. Have it calibrated.
VENT_SHUT: The vent valve does not open; the device vents through the relief valve. Repair the vent.
PAIR_OPEN: A valve of a pair is not tight; its partner still holds. Find it with a proof test.
GAS_GAINED: The gas exceeds what the fills let in; the device continues. Check fill side and cell.
LEAK: The chamber leaks; the device refills within its budget. Look for the leak.
VALVE_WORN: A valve's gain has drifted; the device adapts to it. Clean or replace valve or restrictor.
PROOF_OVERDUE: The proof test is overdue; the device continues. Run `ipch prooftest`.
HOST_SILENT: No program sends messages to the device; it acts as set. Check the logger.
RESUMED: The device was reset; it resumed by itself. Find the cause of the reset.
STATE_LOST: The device cannot store its state in flash; it continues. Replace the board after the run.
AMOUNT_DRIFT: The amount of gas has drifted; the device keeps its valves shut. Look for a leak, or fill.
VENT_UNKNOWN: A vent ended, and no reading shows an empty chamber; it may hold gas. Check a gauge before you open it.
SETTINGS_INVALID: The stored settings fail a check of this firmware; the output stays off. `ipch on` names the setting.
CHAMBER_CHANGED: Pulses have another effect than learned; the device learns anew. Check chamber and valves.
RELIEF_BLOCKED: The pressure did not fall with the relief valve open; the vent pair opened, too. Repair the relief.
TEMPERATURE_OFFSET: The thermometers differ by 1 K at rest or 4 K after a ramp; one of them is off. Check both.
SENSING_SLOW: The control transducer follows pulses slowly; the device waits for it. Check snubber and sensing line.
TRANSDUCER_DRIFT: The two pressure transducers walk apart; the hold follows the control one. Find out which is right.
"""
WARNINGS = tuple(
    (name, text) for name, _, text in (line.partition(": ") for line in _WARNINGS.strip().splitlines())
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _number(field: str, key: str, text: str) -> float:
    """The value of a text with a unit, in the unit of the field. Raises ValueError."""
    if field.endswith("_pa"):
        return parse_pressure(text)
    number = text.strip().removesuffix("degC").removesuffix("\u00b0C").removesuffix("K")
    if not field.endswith("_k") or number == text.strip():
        raise ValueError(f"{key} = {text!r}: give a number, or a pressure or temperature with its unit")
    return float(number) + (0.0 if "K" in text or key == "hysteresis" else 273.15)


class Limit(_Strict):
    """A limit for one field of each sample: with a unit, or a number in the unit at the end of the field's name."""

    name: str
    field: str
    above: float | None = None
    below: float | None = None
    hysteresis: float = Field(default=0.0, ge=0.0)
    """Distance inside the limit at which the alarm clears."""
    for_s: float = Field(default=0.0, ge=0.0)
    """Time beyond the limit before the alarm is raised."""
    sentence: str = ""

    @model_validator(mode="before")
    @classmethod
    def _units(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        try:
            return data | {
                key: _number(str(data.get("field")), key, data[key])
                for key in ("above", "below", "hysteresis")
                if isinstance(data.get(key), str)
            }
        except UsageError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.field not in Sample.__dataclass_fields__:
            raise ValueError(f"unknown field {self.field}; allowed: {', '.join(Sample.__dataclass_fields__)}")
        if (self.above is None) == (self.below is None):
            raise ValueError("give either above or below")
        return self

    def text(self) -> str:
        """The text of the alarm."""
        beyond, value = ("above", self.above) if self.above is not None else ("below", self.below)
        what = f"{self.field} is {beyond} {value:g}"
        # As people write it: the pressure in MPa, not pressure_pa in Pa.
        if self.field.endswith("_pa") and value is not None:
            name = self.field.removesuffix("_pa").replace("_", " ")
            what = f"The {name} {'' if name == 'pressure' else 'pressure '}is {beyond} {format_target(value)}"
        elif self.field.endswith("_k") and value is not None:
            what = f"The {self.field.removesuffix('_k')} temperature is {beyond} {format_celsius(value)}"
        return self.sentence or f"{what}; the device keeps following its last command. Check it."


class Email(_Strict):
    """Delivery by e-mail; the password comes from the environment, not from the file."""

    host: str
    port: int = 25
    """465 is TLS from the first byte on."""
    sender: str
    to: list[str]
    starttls: bool = False
    tls: bool = False
    """TLS from the first byte on, on another port than 465."""
    ca_file: str = ""
    """Certificate of the server's own authority; default: those of the system."""
    user: str = ""
    password_env: str = "IPCH_SMTP_PASSWORD"

    @property
    def implicit_tls(self) -> bool:
        return self.tls or self.port == 465

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.user and not (self.starttls or self.implicit_tls):
            raise ValueError("a login needs TLS: set starttls = true, or port = 465")
        return self


class Heartbeat(_Strict):
    """Signs of life, so that silence means a failure."""

    daily: str = ""
    """Time of the day in UTC, such as 07:30, at which "all is well" or the open alarms are delivered."""
    ping: str = ""
    """An http(s) address of a dead-man service, requested while samples arrive."""
    ping_every_s: float = Field(default=300.0, gt=0.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.daily and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", self.daily):
            raise ValueError("daily: expected a time of the day in UTC, such as 07:30")
        _check_address("ping", self.ping)
        return self


def _check_address(name: str, address: str) -> None:
    if address and not address.startswith(("http://", "https://")):
        raise ValueError(f"{name}: expected an http:// or https:// address")


class Config(_Strict):
    """An alarm file."""

    no_sample_s: float = Field(default=60.0, gt=0.0)
    ignore_warnings: list[str] = []
    limit: list[Limit] = []
    command: list[str] = []
    """A program and its arguments; it reads the event as JSON on standard input, the text in IPCH_ALARM."""
    webhook: str = ""
    """An http(s) address that receives the event as a JSON POST."""
    email: Email | None = None
    retry_s: float = Field(default=10.0, gt=0.0)
    """Time until a failed delivery is tried again; it doubles with each failure."""
    retry_longest_s: float = Field(default=600.0, gt=0.0)
    repeat_s: float | None = Field(default=None, gt=0.0)
    """Deliver an alarm again after each such time, until it is acknowledged."""
    heartbeat: Heartbeat = Heartbeat()

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_address("webhook", self.webhook)
        known = {name for name, _ in WARNINGS}
        for name in self.ignore_warnings:
            if name not in known:
                raise ValueError(f"ignore_warnings: no warning is named {name}")
        return self


def load(path: Path) -> Config:
    """Read an alarm file (TOML). Raises FileError that locates the error."""
    try:
        return Config.model_validate(tomllib.loads(read_text(path)))
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise FileError(f"{path}: {where}: {first['msg']}") from error
