"""The alarm file, and the sentences of the device's warnings."""

import tomllib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ipch.base.files import read_text
from ipch.device import Sample
from ipch.errors import FileError

# Warnings of the device in the order of their bits: name, what it means, what the device does, what to do.
_WARNINGS = """
SUPPLY_LOW: The supply is too low; the device does not fill until it is back. Check compressor or cylinder.
SAFETY_TRANSDUCER: The safety transducer is invalid; regulation goes on for a while. Check its cable.
SUPPLY_TRANSDUCER: The supply transducer is invalid; fills are judged by their effect. Check its cable.
GAS_TEMPERATURE: The gas temperature is invalid; the device does without it. Check its sensor.
WALL_TEMPERATURE: The wall temperature is invalid; the device does without it. Check its sensor.
SETTINGS_LOST: Stored settings were lost; the device started with its defaults and off. Apply them again.
QUIET_DRIFT: The pressure drifted too far in a quiet window; the device ended it. Look for a leak.
BAND_WIDENED: The valves are too coarse for the dead-band; the device widened it. Fit finer restrictors.
SUPPLY_HIGH: The supply is too high; the device does not fill. Turn its regulator down.
TRANSDUCER_STILL: The control transducer has not moved for long; the device goes on. Check it.
REFERENCE_DRIFT: The converter reads its reference wrongly; the device goes on. Have it calibrated.
VENT_SHUT: The vent valve does not open; the device vents through the relief valve. Repair the vent.
PAIR_OPEN: A valve of a pair is not tight; its partner still holds. Find it with a proof test.
GAS_GAINED: There is more gas than was let in; the device goes on. Check fill side and cell.
LEAK: Gas is being lost; the device keeps feeding within its budget. Look for the leak.
VALVE_WORN: A valve's gain has drifted; the device follows it. Clean or replace valve or restrictor.
PROOF_OVERDUE: The proof test is overdue; the device goes on. Do one with `ipch prooftest`.
HOST_SILENT: No program talks to the device; it does what its settings say. Check the logger.
RESUMED: The device was reset; it went on by itself. Find out why it was reset.
STATE_LOST: The device cannot keep its state in flash; it goes on. Replace the board when the run is over.
AMOUNT_DRIFT: The amount of gas has drifted; the device keeps its valves shut. Look for a leak, or fill.
"""
WARNINGS = tuple(tuple(line.split(": ", 1)) for line in _WARNINGS.strip().splitlines())


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(_Strict):
    """A value of each sample that must stay within bounds, in the unit that its name ends in."""

    name: str
    field: str
    above: float | None = None
    below: float | None = None
    hysteresis: float = Field(default=0.0, ge=0.0)
    """How far back within the bound the value must be before the alarm is over."""
    for_s: float = Field(default=0.0, ge=0.0)
    """How long it has to be beyond the bound."""
    sentence: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.field not in Sample.__dataclass_fields__:
            raise ValueError(
                f"no sample has a {self.field}; there are {', '.join(Sample.__dataclass_fields__)}"
            )
        if (self.above is None) == (self.below is None):
            raise ValueError("give either above or below")
        return self

    def text(self) -> str:
        """The sentence that a user reads."""
        bound = f"above {self.above:g}" if self.above is not None else f"below {self.below:g}"
        return self.sentence or f"{self.field} is {bound}; the device goes on as it was told. Look after it."


class Email(_Strict):
    """Delivery by e-mail; the password is in the environment, not in the file."""

    host: str
    port: int = 25
    sender: str
    to: list[str]
    starttls: bool = False
    user: str = ""
    password_env: str = "IPCH_SMTP_PASSWORD"


class Config(_Strict):
    """An alarm file."""

    no_sample_s: float = Field(default=60.0, gt=0.0)
    ignore_warnings: list[str] = []
    limit: list[Limit] = []
    command: list[str] = []
    """A program and its arguments; it gets the event as JSON on its standard input and the text as IPCH_ALARM."""
    webhook: str = ""
    """An http(s) address that the event is posted to as JSON."""
    email: Email | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.webhook and not self.webhook.startswith(("http://", "https://")):
            raise ValueError("webhook: an address that begins with http:// or https://")
        known = {name for name, _ in WARNINGS}
        for name in self.ignore_warnings:
            if name not in known:
                raise ValueError(f"ignore_warnings: no warning is called {name}")
        return self


def load(path: Path) -> Config:
    """Read an alarm file (TOML). Raises FileError with the place of the mistake."""
    try:
        return Config.model_validate(tomllib.loads(read_text(path)))
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise FileError(f"{path}: {where}: {first['msg']}") from error
