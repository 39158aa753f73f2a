"""Alarms on the host: what is alarming, until somebody acknowledges it, and how people hear of it.

`Alarms` is a pure evaluator: samples and times in, events out. `Watch` runs it beside a program that reads samples, and
delivers by command, webhook or e-mail.
"""

import contextlib
import json
import os
import queue
import smtplib
import subprocess
import threading
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ipch.device.instrument import Sample
from ipch.errors import FileError

_SEND_TIMEOUT_S = 15.0

# Warnings of the device in the order of their bits: name, what it means, what the device does, what to do.
WARNINGS: tuple[tuple[str, str], ...] = (
    (
        "SUPPLY_LOW",
        "The supply is too low; the device does not fill until it is back. Check compressor or cylinder.",
    ),
    (
        "SAFETY_TRANSDUCER",
        "The safety transducer is invalid; regulation goes on for a while. Check its cable.",
    ),
    (
        "SUPPLY_TRANSDUCER",
        "The supply transducer is invalid; fills are judged by their effect. Check its cable.",
    ),
    ("GAS_TEMPERATURE", "The gas temperature is invalid; the device does without it. Check its sensor."),
    ("WALL_TEMPERATURE", "The wall temperature is invalid; the device does without it. Check its sensor."),
    (
        "SETTINGS_LOST",
        "Stored settings were lost; the device started with its defaults and off. Apply them again.",
    ),
    ("QUIET_DRIFT", "The pressure drifted too far in a quiet window; the device ended it. Look for a leak."),
    (
        "BAND_WIDENED",
        "The valves are too coarse for the dead-band; the device widened it. Fit finer restrictors.",
    ),
    ("SUPPLY_HIGH", "The supply is too high; the device does not fill. Turn its regulator down."),
    ("TRANSDUCER_STILL", "The control transducer has not moved for long; the device goes on. Check it."),
    ("REFERENCE_DRIFT", "The converter reads its reference wrongly; the device goes on. Have it calibrated."),
    (
        "VENT_SHUT",
        "The vent valve does not open; the device vents through the relief valve. Repair the vent.",
    ),
    ("PAIR_OPEN", "A valve of a pair is not tight; its partner still holds. Find it with a proof test."),
    ("GAS_GAINED", "There is more gas than was let in; the device goes on. Check fill side and cell."),
    ("LEAK", "Gas is being lost; the device keeps feeding within its budget. Look for the leak."),
    (
        "VALVE_WORN",
        "A valve's gain has drifted; the device follows it. Clean or replace valve or restrictor.",
    ),
    ("PROOF_OVERDUE", "The proof test is overdue; the device goes on. Do one with `ipch prooftest`."),
    ("HOST_SILENT", "No program talks to the device; it does what its settings say. Check the logger."),
    ("RESUMED", "The device was reset; it went on by itself. Find out why it was reset."),
    (
        "STATE_LOST",
        "The device cannot keep its state in flash; it goes on. Replace the board when the run is over.",
    ),
    (
        "AMOUNT_DRIFT",
        "The amount of gas has drifted; the device keeps its valves shut. Look for a leak, or fill.",
    ),
)


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


@dataclass(frozen=True)
class Event:
    """Something that people ought to hear of."""

    name: str
    kind: str
    """raised or cleared; a cleared alarm stays in the list until it is acknowledged."""
    text: str
    utc: str
    uptime_s: float | None = None


@dataclass
class _Alarm:
    name: str
    text: str
    raised_utc: str
    active: bool = True
    acknowledged: bool = False


def load(path: Path) -> Config:
    """Read an alarm file (TOML). Raises FileError with the place of the mistake."""
    try:
        return Config.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise FileError(f"{path}: {where}: {first['msg']}") from error


class Alarms:
    """Latched alarms. Give it every sample, and the time every now and then; times in s of a monotonic clock."""

    def __init__(self, config: Config, state: Path | None = None) -> None:
        """`state` is a file in which alarms outlive the program. Raises FileError if it is damaged."""
        self._config = config
        self._state = state
        self._alarms: dict[str, _Alarm] = {}
        self._since: dict[str, float] = {}
        self._heard_s: float | None = None
        self._written_ns = 0
        self._reload()

    def sample(self, sample: Sample, now_s: float, fault_text: str = "") -> list[Event]:
        """Judge a sample; return what has changed. `fault_text` is what the device says of its fault."""
        self._reload()
        self._heard_s = now_s
        events = self._set("no sample", False, "", sample)
        if sample.faulty and not self._is_active(f"fault {sample.fault}"):
            text = fault_text or f"The fault {sample.fault} latched; see `ipch status`."
            events += self._set(f"fault {sample.fault}", True, text, sample)
        for alarm in list(self._alarms.values()):
            if alarm.name.startswith("fault ") and alarm.name != f"fault {sample.fault}":
                events += self._set(alarm.name, False, "", sample)
        for bit, (name, text) in enumerate(WARNINGS):
            if name not in self._config.ignore_warnings:
                events += self._set(f"warning {name}", bool(sample.warnings >> bit & 1), text, sample)
        for limit in self._config.limit:
            events += self._set(limit.name, self._beyond(limit, sample, now_s), limit.text(), sample)
        return self._keep(events)

    def tick(self, now_s: float) -> list[Event]:
        """Without a sample: has there been none for too long?"""
        self._reload()
        if self._heard_s is None:
            self._heard_s = now_s
        silent = now_s - self._heard_s >= self._config.no_sample_s
        text = (
            f"No sample has come for {self._config.no_sample_s:g} s; the device goes on as it was told last, or is "
            "without power. Check power, cable and computer."
        )
        return self._keep(self._set("no sample", True, text, None) if silent else [])

    def listed(self) -> list[dict[str, Any]]:
        """Alarms that are active or not acknowledged yet."""
        self._reload()
        return [asdict(alarm) for alarm in self._alarms.values()]

    def acknowledge(self, name: str | None = None) -> list[str]:
        """Acknowledge one alarm or all; return the names. An alarm that is still active stays until it is over."""
        self._reload()
        done = [alarm.name for alarm in self._alarms.values() if name in (None, alarm.name)]
        for each in done:
            self._alarms[each].acknowledged = True
            if not self._alarms[each].active:
                del self._alarms[each]
        self._write()
        return done

    def _beyond(self, limit: Limit, sample: Sample, now_s: float) -> bool:
        value = float(getattr(sample, limit.field))
        slack = limit.hysteresis if self._is_active(limit.name) else 0.0
        if limit.above is not None:
            beyond = value > limit.above - slack
        else:
            assert limit.below is not None
            beyond = value < limit.below + slack
        # An invalid reading is not beyond anything; the device warns of it.
        if not beyond:
            self._since.pop(limit.name, None)
            return False
        return now_s - self._since.setdefault(limit.name, now_s) >= limit.for_s

    def _is_active(self, name: str) -> bool:
        return name in self._alarms and self._alarms[name].active

    def _set(self, name: str, active: bool, text: str, sample: Sample | None) -> list[Event]:
        alarm = self._alarms.get(name)
        if active == (alarm is not None and alarm.active):
            return []
        utc = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        uptime_s = sample.uptime_s if sample else None
        if active:
            self._alarms[name] = _Alarm(name, text, utc)
            return [Event(name, "raised", text, utc, uptime_s)]
        assert alarm is not None
        alarm.active = False
        if alarm.acknowledged:
            del self._alarms[name]
        return [Event(name, "cleared", f"Over: {alarm.text}", utc, uptime_s)]

    def _keep(self, events: list[Event]) -> list[Event]:
        if events:
            self._write()
        return events

    def _write(self) -> None:
        if self._state is None:
            return
        try:
            self._state.parent.mkdir(parents=True, exist_ok=True)
            partial = self._state.with_suffix(".partial")
            partial.write_text(json.dumps([asdict(alarm) for alarm in self._alarms.values()]))
            partial.replace(self._state)
            self._written_ns = self._state.stat().st_mtime_ns
        except OSError as error:
            raise FileError(f"cannot write {self._state}: {error.strerror}") from error

    def _reload(self) -> None:
        """Take over what another program acknowledged."""
        if self._state is None or not self._state.is_file():
            return
        changed_ns = self._state.stat().st_mtime_ns
        if changed_ns == self._written_ns:
            return
        try:
            self._alarms = {each["name"]: _Alarm(**each) for each in json.loads(self._state.read_text())}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise FileError(f"{self._state} is damaged: {error}; delete it") from error
        self._written_ns = changed_ns


def deliver(config: Config, event: Event) -> list[str]:
    """Tell people by every way there is; return what went wrong, a line for each."""
    ways: list[tuple[str, bool, Callable[[Config, Event], None]]] = [
        ("command", bool(config.command), _run),
        ("webhook", bool(config.webhook), _post),
        ("e-mail", config.email is not None, _mail),
    ]
    failures = []
    for name, wanted, send in ways:
        if wanted:
            try:
                send(config, event)
            except (OSError, ValueError, subprocess.SubprocessError, smtplib.SMTPException) as error:
                failures.append(f"alarm not delivered by {name}: {error}")
    return failures


def _run(config: Config, event: Event) -> None:
    subprocess.run(
        config.command,
        input=json.dumps(asdict(event)),
        text=True,
        check=True,
        capture_output=True,
        timeout=_SEND_TIMEOUT_S,
        env={**os.environ, "IPCH_ALARM": f"{event.name}: {event.text}"},
    )


def _post(config: Config, event: Event) -> None:
    body = json.dumps(asdict(event)).encode()
    request = urllib.request.Request(config.webhook, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=_SEND_TIMEOUT_S):
        pass


def _mail(config: Config, event: Event) -> None:
    mail = config.email
    assert mail is not None
    message = EmailMessage()
    message["Subject"] = f"ipch: {event.name} {event.kind}"
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message.set_content(f"{event.text}\n\n{event.utc}\n")
    with smtplib.SMTP(mail.host, mail.port, timeout=_SEND_TIMEOUT_S) as server:
        if mail.starttls:
            server.starttls()
        if mail.user:
            server.login(mail.user, os.environ.get(mail.password_env, ""))
        server.send_message(message)


class Watch:
    """Alarms beside a program that reads samples, in a thread of their own: neither delivery nor silence stops it."""

    def __init__(
        self, alarms: Alarms, config: Config, say: Callable[[str], None], period_s: float = 1.0
    ) -> None:
        """`say` takes a line for each event and each failure to deliver one."""
        self._alarms = alarms
        self._config = config
        self._say = say
        self._period_s = period_s
        self._samples: queue.Queue[tuple[Sample, str] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._samples.put(None)
        self._thread.join(3 * _SEND_TIMEOUT_S)

    def sample(self, sample: Sample, fault_text: str = "") -> None:
        """Take a sample; returns at once."""
        self._samples.put((sample, fault_text))

    def _run(self) -> None:
        while True:
            try:
                taken = self._samples.get(timeout=self._period_s)
                if taken is None:
                    return
                events = self._alarms.sample(taken[0], time.monotonic(), taken[1])
            except queue.Empty:
                events = self._silence()
            except FileError as error:
                self._say(str(error))
                continue
            for event in events:
                self._say(f"alarm {event.kind}: {event.name}: {event.text}")
                for failure in deliver(self._config, event):
                    self._say(failure)

    def _silence(self) -> list[Event]:
        try:
            return self._alarms.tick(time.monotonic())
        except FileError as error:
            self._say(str(error))
            return []


@contextlib.contextmanager
def watching(
    path: Path | None, say: Callable[[str], None], fault: Callable[[], str]
) -> Iterator[Callable[[Sample], None]]:
    """Watch samples for as long as the block lasts: yields what takes them; does nothing without an alarm file.

    `path` None is the user's own file, if there is one. `fault` asks the device for the words of its fault.
    """
    from ipch.base.paths import alarm_config, alarm_state

    place = path or alarm_config()
    if path is None and not place.is_file():
        yield lambda sample: None
        return
    config = load(place)
    last = "NONE"
    with Watch(Alarms(config, alarm_state()), config, say) as watch:

        def take(sample: Sample) -> None:
            nonlocal last
            text = fault() if sample.faulty and sample.fault != last else ""
            last = sample.fault
            watch.sample(sample, text)

        yield take
