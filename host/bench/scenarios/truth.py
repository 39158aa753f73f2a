"""The truth monitor: eleven rules judge a run by the plant and by the wire, never by what the device says of itself.

`Watched` is a world that attaches the monitor. Each rule is a class below; a violation names time, rule and values.
The device's state is read off its LED, which changes at most LED_MS late; a command counts when the device takes it.
A setting that was sent counts together with its old value until an empty error queue shows that it was accepted.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Optional

from ipch.sim import signals
from ipch.sim.injector import active
from ipch.sim.plant import FILL, RELIEF, SUPPLY_ISOLATION, VALVE_NAMES, VENT, VENT_ISOLATION
from ipch.sim.world import STATES, World

# The longest pulse that the firmware may request, and the hardware's limit.
PULSE_MAX_US = 300_000
# The displays are looked after five times a second.
LED_MS = 220
OVER_MS = 50
# An invalid transducer is known as one after this time.
INVALID_MS = 250
RELAY_MS = 300
VENTED_PA = 50_000.0
RESUME_FLOOR_PA = 100_000.0
PROOF_PA, BLEED_PA = 10_000.0, 50_000.0
# A safety transducer over the comparator's limit is tested within this time.
BLEED_MS = 5000
# What a hung processor left on is shut within this time.
HUNG_MS = 1000
# All proofs of a start together, and one bleed.
SELDOM_PA, SELDOM_MS = 100_000.0, 600_000
# Two samples see a limit, the next tick ends a pulse, and the valve shuts.
SHUTTING_MS = 100
# What one wrong transducer may cost before a disagreement seals: both tolerances and the disagreement, and its second.
MISLED_PA = 200_000.0
# A glitch of up to 0.1 s costs nothing, with the ticks at its ends. A longer error is still acted on for a moment: the
# fit remembers it, and a window ends.
GLITCH_MS, WRONG_PA, REMEMBERED_MS = 140, 4_000.0, 2_000
# A relief ends 0.2 MPa below the trip, read 0.1 MPa too high at most; and what flows while it shuts.
RELIEVED_PA = 350_000.0
# A reading that stands still while gas flows out is believed no longer than this.
DISBELIEF_MS = 200
COIL_MS, PAUSE_MS, HOUR_MS = 60_000, 1000, 3_600_000
WRITES_A_DAY = 200
# Gas moved in an hour of a hold, as pressure, and returns from vent to fill.
NET_PA, REVERSALS = 500_000.0, 60
SETTLED_S = 60
PROGRESS_PA = 2_000.0
RUNAWAY_S = 6.0
# An open chamber: a relief that cannot act leaves the mechanical one, at 9.5 MPa.
MECHANICAL_PA = 9.7e6
OVERSHOOT_PA = 250_000.0
# A repaired relief brings down within this time what rose without it.
BOUNDED_MS = 2000

ADS_PA = signals.ADS1115_VOLT_PER_COUNT / signals.SHUNT_OHM * 1e3 / 16.0 * 10e6
RP2040_PA = signals.RP2040_VOLT_PER_COUNT / signals.SHUNT_OHM * 1e3 / 16.0 * 10e6
ZERO_PA = 2.5e6
# NAMUR NE43: 3.6 mA; the converter of the control transducer ends at 20.48 mA.
VALID_PA = (-250_000.0, 10_280_000.0)
LIVE_PA = (-125_000.0, 10_312_500.0)  # NAMUR NE43: a measurement is 3.8 to 20.5 mA
# Faults with which a transducer looks healthy and does not follow the pressure.
LIARS = (
    "transducer-frozen", "transducer-noisy", "transducer-late", "transducer-garbage", "port-blocked", "adc-stale",
    "reference-drift", "spike",
)  # fmt: skip

# Faults whose evidence exists in every state: the fill side is shut within this time, and stays so.
SHUT_S = {
    "control-open": 0.2,
    "control-short": 0.2,
    "control-range": 1.0,
    "adc-dead": 0.1,
    "bus-stuck": 0.1,
    "coil-open": 0.05,
    "transistor-short": 0.05,
    "comparator-trips": 0.05,
    "line-burst": 0.2,
    "supply-high": 0.2,
}

# Defaults of the firmware's table of settings, as far as a rule needs them.
DEFAULTS = {
    "setpoint_max_pa": 5_500_000,
    "trip_pa": 6_000_000,
    "comparator_pa": 6_500_000,
    "relief_to_ambient": 0,
    "ambient_pa": 101_325,
    "dead_band_pa": 5_000,
    "swing_allowance_pa": 3_000,
    "slew_pa_s": 20_000,
    "hold_amount": 0,
    "control_tolerance_pa": 25_000,
    "safety_tolerance_pa": 75_000,
    "wall_max_mk": 353_150,
    "wall_rate_max_mk_min": 6_000,
    "runaway_relief": 0,
    "cell_safe_any": 0,
    "host_timeout_s": 0,
    "host_gone_action": 0,
    "resume_band_pa": 100_000,
    "gas_budget_pa_h": 300_000,
}


class Known(NamedTuple):
    """A rule that is still broken where the message matches a pattern, and why."""

    rule: str
    pattern: str
    reason: str


# Each entry is deleted with the defect that it names.
KNOWN: tuple[Known, ...] = ()


class Violation(AssertionError):
    """Something happened in the plant or on the wire that must not happen."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(f"{rule}: {text}")
        self.rule = rule
        self.reason = ""
        """Of the entry of KNOWN that excuses it."""


class Watched(World):
    """A world judged by the truth."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.relief_asked_ms: Optional[int] = None
        self.pulses = [0, 0]
        self.pulsed_us = [0, 0]
        self.truth = Truth(self)

    def advance(self) -> None:
        super().advance()
        self.truth.advanced()

    def pulse(self, valve: int, duration_us: int) -> None:
        if not 0 < duration_us <= PULSE_MAX_US:
            self.truth.broken("T6", f"pulse of {duration_us} us")
        self.pulses[valve] += 1
        self.pulsed_us[valve] += duration_us
        super().pulse(valve, duration_us)
        self.truth.driven()

    def switch(self, levels: int) -> None:
        if levels & 4 and self.relief_asked_ms is None:
            self.relief_asked_ms = self.plant.time_ms
        super().switch(levels)
        self.truth.driven()

    def take(self, count: int = 64) -> bytes:
        taken = super().take(count)
        if taken:
            self.truth.wire.heard(taken)
        return taken

    def send(self, data: bytes) -> None:
        data = self.truth.wire.said(data)
        if data:
            super().send(data)

    def feed(self, coils: bool) -> None:
        if self.fed_ms is None:
            self.truth.started()
        super().feed(coils)

    def restart(self) -> None:
        self.truth.lost_power()
        super().restart()

    def wrote(self, name: str) -> None:
        self.truth.wrote(name)

    @property
    def waiting(self) -> bool:
        """Whether bytes for the device are still unread."""
        return bool(self._scripted or self.script)


_NUMBER = r"([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)"
_PRES = r"(?:SOUR(?:CE)?1?:)?PRES(?:SURE)?"
_LEVEL = r"(?::LEV(?:EL)?)?(?::IMM(?:EDIATE)?)?(?::AMPL(?:ITUDE)?)?"
_UNITS_PA = {"PA": 1.0, "KPA": 1e3, "MPA": 1e6, "BAR": 1e5, "MBAR": 1e2, "HPA": 1e2}
_COMMANDS = tuple(
    (name, re.compile(pattern + r"\s*$", re.IGNORECASE))
    for name, pattern in (
        ("on", r"OUTP(?:UT)?1?(?::STAT(?:E)?)?\s+(?:ON|1)"),
        ("off", r"OUTP(?:UT)?1?(?::STAT(?:E)?)?\s+(?:OFF|0)|\*RST"),
        ("quiet", r"OUTP(?:UT)?1?:QUI(?:ET)?\s+(\S+)"),
        ("vent", _PRES + _LEVEL + r":VENT\s+(?:ON|1)"),
        ("abort", _PRES + _LEVEL + r":VENT\s+(?:OFF|0)"),
        ("target", _PRES + _LEVEL + r"\s+" + _NUMBER + r"\s*([A-Za-z]*)"),
        ("target", _PRES + _LEVEL + r"\s+([A-Za-z]+)()"),
        ("slew", _PRES + r":SLEW(?::[A-Z]+)*\s+" + _NUMBER + r"\s*\S*"),
        ("setting", r"SYST(?:EM)?:SETT(?:INGS?)?\s+[\"'](\w+)[\"']\s*,\s*(-?\d+)"),
        ("acknowledge", r"SYST(?:EM)?:FAUL(?:T)?:ACK(?:NOWLEDGE)?"),
        ("proof", r"DIAG(?:NOSTIC)?:VALV(?:E)?\d?:PRO(?:OF)?(?:\s.*)?"),
        ("maintenance", r"SYST(?:EM)?:MAIN\w*"),
        ("unit", r"UNIT:PRES(?:SURE)?\s+(\w+)"),
        ("calibration", r"CAL\S*\s.*"),
        ("clear", r"\*CLS"),
    )
)
_QUERIES = tuple(
    (name, re.compile(pattern + r"(?:\s.*)?$", re.IGNORECASE))
    for name, pattern in (
        ("vent", _PRES + _LEVEL + r":VENT\?"),
        ("target", _PRES + _LEVEL + r"\?"),
        ("error", r"SYST(?:EM)?:ERR(?:OR)?(?::NEXT)?\?"),
        ("warnings", r"SYST(?:EM)?:WARN(?:ING)?S?\?"),
        ("fields", r"FETC(?:H)?:FIEL(?:D)?S?\?"),
        ("fetch", r"FETC(?:H)?\?"),
        ("setting", r"SYST(?:EM)?:SETT(?:INGS?)?\?"),
        ("complete", r"\*OPC\?"),
        ("other", r"[*:A-Za-z0-9]+\?"),
    )
)
_LONGEST_LINE = 250
_NOISE = bytes(code for code in range(256) if not 32 < code < 127)
# Semicolons outside of quotes.
_BETWEEN = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
# A reply follows its query within this time, or never.
_REPLY_MS = 1000


class Wire:
    """What the host told the device, and what the device answered."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._in = bytearray()
        self._out = bytearray()
        self._expected: deque[tuple[int, list[tuple[str, str]]]] = deque()
        self._fields: list[str] = []
        self._sent: list[tuple[str, Any]] = []  # commands that no error query has judged yet
        self._unit_pa = 1e6
        self.told: dict[str, int] = {}
        """When each command was last taken, in ms."""
        self.commands = 0
        self.settings: dict[str, tuple[int, ...]] = {name: (value,) for name, value in DEFAULTS.items()}
        """Values that each setting may have."""
        self.target_pa: Optional[float] = None
        self.older_pa: list[float] = []
        """Earlier targets that a power cut may bring back: no *OPC? was answered since."""
        self.accepted_pa: Optional[float] = None
        """Target that the device is known to have accepted, and what it must report."""
        self.kept: dict[str, float] = {}
        """What must survive a power cut: accepted before a reply to *OPC?."""
        self._own: deque[str] = deque()
        """Queries of the monitor itself: their replies are not the host's."""

    def since_ms(self, *names: str) -> int:
        """Return the time since any of these commands; a long one if there was none."""
        last = max((self.told.get(name, -HOUR_MS) for name in names), default=-HOUR_MS)
        return self._truth.ms - last

    def least(self, name: str) -> int:
        return min(self.settings[name])

    def most(self, name: str) -> int:
        return max(self.settings[name])

    def heard(self, data: bytes) -> None:
        """Bytes that the device took; it ignores Ctrl-C, and what is not printable at the beginning of a line."""
        self._in += data.replace(b"\x03", b"")
        while True:
            ends = [at for at in (self._in.find(b"\n"), self._in.find(b"\r")) if at >= 0]
            if not ends:
                break
            line = bytes(self._in[: min(ends)])
            del self._in[: min(ends) + 1]
            line = line.lstrip(_NOISE)
            if len(line) <= _LONGEST_LINE:
                self._message(line.decode("latin-1").strip())
        del self._in[: -_LONGEST_LINE - 1]

    def _message(self, text: str) -> None:
        if not text:
            return
        asked: list[tuple[str, str]] = []
        for unit in text.split(";"):
            unit = unit.strip().removeprefix(":")
            if "?" in unit.partition(" ")[0]:
                for name, pattern in _QUERIES:
                    if pattern.match(unit):
                        asked.append((name, unit))
                        break
                else:
                    self._expected.clear()
                continue
            for name, pattern in _COMMANDS:
                found = pattern.match(unit)
                if found:
                    self._command(name, [each or "" for each in found.groups()], unit)
                    break
        if asked:
            self._expected.append((self._truth.ms, asked))

    def _command(self, name: str, words: list[str], text: str) -> None:
        truth = self._truth
        if name == "clear":
            self._sent.clear()
            return
        if name == "unit":
            self._unit_pa = _UNITS_PA.get(words[0].upper(), self._unit_pa)
            return
        self.told[name] = truth.ms
        self.commands += 1
        value: Any = text
        if name == "target":
            value = self._pascal(words)
            self.accepted_pa = None
        elif name == "setting":
            name_of, value = words[0], (words[0], int(words[1]))
            if name_of in self.settings:
                self.settings[name_of] += (value[1],)
        elif name == "slew":
            value = ("slew_pa_s", round(float(words[0]) * self._unit_pa))
            self.settings["slew_pa_s"] += (value[1],)
        self._sent.append((name, value))
        truth.commanded(name, value)
        if name == "target":
            if self.target_pa is not None:
                self.older_pa.append(self.target_pa)
            self.target_pa = value

    def _pascal(self, words: list[str]) -> Optional[float]:
        try:
            return float(words[0]) * (_UNITS_PA[words[1].upper()] if words[1] else self._unit_pa)
        except (ValueError, KeyError):
            return None

    def ask(self, query: str) -> None:
        """Ask on the monitor's own account, in the next tick; only where the line is idle."""
        world = self._truth.world
        if not (world.host or world.waiting or world.reset_wanted or self._expected or self._own or self._in):
            self._own.append(query)
            world.script[world.ticks] = query.encode() + b"\n"

    def said(self, data: bytes) -> bytes:
        """Bytes that the device sent; returns those that are for the host."""
        self._out += data
        if not (self._own and self._expected and self._expected[0][1][0][1] == self._own[0].lstrip(":")):
            for_host = data
        else:
            for_host = b""
        while b"\n" in self._out:
            line, _, rest = bytes(self._out).partition(b"\n")
            self._out = bytearray(rest)
            self._reply(line.decode("latin-1").strip())
        return for_host

    def forget(self) -> None:
        """The processor is reset, and with it what it had read."""
        self._in.clear()
        self._out.clear()
        self._expected.clear()
        self._own.clear()
        self._sent.clear()
        # A target since the last *OPC? may be in force, or not.
        self.accepted_pa = None if self.older_pa else self.kept.get("target_pa")

    def _reply(self, text: str) -> None:
        while self._expected and self._truth.ms - self._expected[0][0] > _REPLY_MS:
            self._expected.popleft()
        if not self._expected:
            return
        _, asked = self._expected.popleft()
        if self._own and asked[0][1] == self._own[0].lstrip(":"):
            self._own.popleft()
        # A reply that carries its header (header_echo) says nothing here.
        parts = _BETWEEN.split(text) if len(asked) > 1 else [text]
        if len(parts) != len(asked):
            self._sent.clear()
            return
        for (name, unit), part in zip(asked, parts):
            self._answer(name, unit, part.strip())

    def _answer(self, name: str, unit: str, text: str) -> None:
        if name == "error":
            self._judge(text.startswith("0,"))
        elif name == "complete":
            self.older_pa.clear()
            if self.accepted_pa is not None:
                self.kept["target_pa"] = self.accepted_pa
        elif name == "fields":
            self._fields = text.split(",")
        elif name == "fetch" and self._fields:
            values = dict(zip(self._fields, text.split(",")))
            if self.accepted_pa is not None and "target_pa" in values:
                self._truth.told("target", self.accepted_pa, values["target_pa"])
        self._truth.answered(name, unit, text)

    def _judge(self, fine: bool) -> None:
        """An error query answers for all commands since the last one, or since *CLS."""
        for name, value in self._sent:
            if name in ("setting", "slew"):
                setting, number = value
                old = self.settings.get(setting)
                if old is not None and fine:
                    self.settings[setting] = (number,)
                elif old is not None and len(self._sent) == 1:
                    self.settings[setting] = old[:-1] or old
            elif name == "target" and fine:
                self.accepted_pa = value
        self._sent.clear()


class Truth:
    """The monitor of one world. It raises a Violation at once, unless it collects them."""

    def __init__(self, world: Watched) -> None:
        self.world = world
        self.plant = world.plant
        self.scenario = ""
        self.raises = True
        self.violations: list[Violation] = []
        self.known: list[Violation] = []
        """Those that KNOWN excuses."""
        self.ms = 0
        self.pa = self.plant.pressure_pa
        self.state = ""
        """Of the LED; "" while the processor is not running."""
        self.state_ms = 0
        """Since when."""
        self.gates = False
        """Whether any coil is switched on."""
        self.flowing = False
        """Whether a coil is on, or was within the last ticks."""
        self.running = False
        self.started_ms = 0
        self.writes = 0
        self.high_ms = -HOUR_MS
        """When the safety transducer was last over the comparator's limit."""
        self._second_ms = 0
        self._flow_ms = -1
        self._shown: tuple[int, bool, int] = (0, False, 0)
        self.wire = Wire(self)
        self.over = OverPressure(self)
        self.hold = Hold(self)
        made: dict[type[Rule], Rule] = {OverPressure: self.over, Hold: self.hold}
        self.rules: list[Rule] = [made.get(make) or make(self) for make in RULES]
        self._ticks = [rule.tick for rule in self.rules if type(rule).tick is not Rule.tick]
        self._seconds = [rule.second for rule in self.rules if type(rule).second is not Rule.second]

    def broken(self, rule: str, text: str) -> None:
        """Report a violation."""
        found = Violation(rule, f"at {self.plant.time_ms / 1000:.2f} s: {text}; {self._says()}")
        for each in KNOWN:
            if each.rule == rule and fnmatchcase(str(found), each.pattern):
                found.reason = each.reason
                self.known.append(found)
                return
        self.violations.append(found)
        if self.raises:
            raise found

    def _says(self) -> str:
        on = [valve.name for valve in self.plant.valves if valve.gate]
        faults = [each["name"] for each in active(self.world) if each["present"]]
        return (
            f"{self.plant.pressure_pa / 1e6:.4f} MPa, {self.state or 'not running'}, "
            f"on: {' '.join(on) or 'nothing'}, faults: {' '.join(faults) or 'none'}"
            + (f", in {self.scenario}" if self.scenario else "")
        )

    def advanced(self) -> None:
        """The plant has advanced by a tick; the device has not reacted yet."""
        plant = self.plant
        self.ms = ms = plant.time_ms
        self.pa = plant.chamber.pressure_pa
        world = self.world
        if self.running and world.shown is not self._shown:
            self._shown = world.shown
            state = STATES.get(world.shown[0], "")
            if state != self.state:
                self.state = state
                self.state_ms = ms
        valves = plant.valves
        gates = valves[0].gate or valves[1].gate or valves[2].gate or valves[3].gate or valves[4].gate
        if gates:
            self._flow_ms = ms
        self.gates = gates
        self.flowing = ms - self._flow_ms <= 100
        for tick in self._ticks:
            tick()
        if ms >= self._second_ms:
            self._second_ms = ms + 1000
            for second in self._seconds:
                second()

    def driven(self) -> None:
        """The device has changed its outputs: a side that is still running counts, whatever the new command."""
        supply, fill, room, vent, _ = self.plant.valves
        if (fill.gate or supply.gate) and (vent.gate or room.gate):
            self.broken("T6", "fill and vent side at once")
        self._flow_ms = self.plant.time_ms

    def started(self) -> None:
        """The first tick of the firmware is complete."""
        self.running = True
        self.started_ms = self.ms
        for rule in self.rules:
            rule.started()

    def lost_power(self) -> None:
        """The processor is reset."""
        for rule in self.rules:
            rule.lost_power()
        self.running = False
        self.state = ""
        self.state_ms = self.ms
        self._shown = self.world.shown
        self.wire.forget()

    def commanded(self, name: str, value: Any) -> None:
        for rule in self.rules:
            rule.commanded(name, value)

    def answered(self, name: str, unit: str, text: str) -> None:
        for rule in self.rules:
            rule.answered(name, unit, text)

    def told(self, what: str, accepted: float, reported: str) -> None:
        """The device reports something that it has accepted."""
        if reported and abs(float(reported) - accepted) > 1.0:
            self.broken("T9", f"accepted {what} {accepted:.0f}, reported {reported}")

    def wrote(self, name: str) -> None:
        """The device wrote a file."""
        self.writes += 1
        for rule in self.rules:
            rule.wrote(name)

    # What several rules ask.

    @property
    def hung(self) -> bool:
        """Whether the processor does not act now: in reset, hung, or not yet started."""
        fed_ms = self.world.fed_ms
        return not self.running or fed_ms is None or self.ms - fed_ms > 2 * self.world.tick_ms + 20

    def outputs(self) -> tuple[float, bool, float, bool]:
        """Return pressure and validity of control and safety transducer, as the converters give them."""
        counts = self.world.counts
        control = counts[signals.CONTROL] * ADS_PA - ZERO_PA
        safety = counts[signals.SAFETY] * RP2040_PA - ZERO_PA
        low, high = VALID_PA
        return (
            control,
            low < control < high and not counts[signals.FAULTS] & 1,
            safety,
            low < safety < high,
        )

    def present(self, *names: str) -> bool:
        """Whether one of these injected faults is present now."""
        return any(each["present"] and each["name"] in names for each in active(self.world))

    def as_pa(self, kg: float) -> float:
        """Pressure that an amount of gas makes in this chamber, once settled."""
        return kg / self.plant.gas_kg * self.pa


def judge_lines(lines: Iterable[str]) -> list[str]:
    """Judge the file of `ipch sim --truth`, as far as a line a second shows it, by the default settings.

    Two lines in a row decide, because the LED and the relay follow within a second.
    """
    found: list[str] = []
    early: list[str] = []  # an opening just before a line may belong to the state that the next one shows
    was: dict[str, Any] = {}
    trip_pa = DEFAULTS["trip_pa"]
    for line in lines:
        now = json.loads(line)
        at = f"at {now['time_s']:.0f} s: "
        if (now["fill_open"] or now["supply_isolation_open"]) and (
            now["vent_open"] or now["vent_isolation_open"]
        ):
            found.append(f"T6: {at}fill and vent side at once")
        if was and was["state"] == now["state"]:
            found += early
        early = []
        if was and was["state"] == now["state"]:
            opened = {name: now[f"{name}_openings"] - was[f"{name}_openings"] for name in VALVE_NAMES}
            for index, name in enumerate(VALVE_NAMES):
                if opened[name] > 0 and now["state"] not in Coils.MAY[index]:
                    early.append(f"T6: {at}{name} was on in {now['state']}")
            highest_pa = max(was["pressure_pa"], now["pressure_pa"])
            if opened["relief"] > 0 and now["state"] != "VENT" and highest_pa < trip_pa - MISLED_PA:
                found.append(f"T5: {at}the relief was on at {highest_pa / 1e6:.4f} MPa")
            if min(was["pressure_pa"], now["pressure_pa"]) > trip_pa:
                if now["cell_ok"]:
                    found.append(f"T2: {at}the cycler's relay is closed")
                if not (now["relief_open"] or now["vent_open"]):
                    found.append(f"T1: {at}no way out is open")
        was = now
    return found + early


class Rule:
    """One rule; it overrides what it needs."""

    number = ""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.wire = truth.wire

    def broken(self, text: str) -> None:
        self.truth.broken(self.number, text)

    def tick(self) -> None:
        """Every tick, after the plant advanced."""

    def second(self) -> None:
        """Every simulated second."""

    def started(self) -> None:
        """The firmware runs."""

    def lost_power(self) -> None:
        """The processor is reset; the plant is still as before."""

    def commanded(self, name: str, value: Any) -> None:
        """The device took a command, whether it accepts it or not."""

    def answered(self, name: str, unit: str, text: str) -> None:
        """The device answered a query."""

    def wrote(self, name: str) -> None:
        """The device wrote a file."""


class OverPressure(Rule):
    """T1: outputs above the trip for 50 ms open a way out, and the pressure stays below its bound."""

    number = "T1"

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.over_ms: Optional[int] = None  # since when the outputs demand the relief
        self.limit_ms = 0
        self.pair_ms = 0  # when the vent pair was last open
        self.lowest_pa = 0.0
        self.rise_pa = 0.0  # largest rise in a tick, lately
        self.was_pa = truth.pa
        self.bounded_ms = -HOUR_MS  # when an output or a sensor was last missing

    def tick(self) -> None:
        truth = self.truth
        pa = truth.pa
        rise_pa, self.was_pa = pa - self.was_pa, pa
        trip_pa = max(self.wire.settings["trip_pa"])
        safety_pa = truth.world.counts[signals.SAFETY] * RP2040_PA - ZERO_PA
        if safety_pa > min(self.wire.settings["comparator_pa"]):
            truth.high_ms = truth.ms
        if pa < trip_pa - MISLED_PA and self.over_ms is None:
            self.rise_pa = rise_pa
            # The outputs may be wrong, though, so they count when the safety one is high.
            if safety_pa < trip_pa:
                return
        self.rise_pa = max(rise_pa, self.rise_pa)
        control, control_valid, safety, safety_valid = truth.outputs()
        over = safety_valid and safety > trip_pa, control_valid and control > trip_pa
        both = over[0] and over[1]
        alone = (over[0] and not control_valid) or (over[1] and not safety_valid)
        if truth.hung or not (both or alone) or truth.present("transducer-garbage"):
            # Random counts are no pressure, however high a few of them are.
            self.over_ms = None
        else:
            if self.over_ms is None:
                self.over_ms = truth.ms
                self.lowest_pa = pa
                self.limit_ms = OVER_MS if both else INVALID_MS
            self._look()
        self._bound(trip_pa)

    def _look(self) -> None:
        truth = self.truth
        valves = truth.plant.valves
        assert self.over_ms is not None
        tick_ms = truth.world.tick_ms
        over_ms = truth.ms - self.over_ms
        # The device takes two samples, and its command shows in the tick after the second one.
        if over_ms < max(self.limit_ms + 1, 2 * tick_ms):
            return
        pair = valves[VENT].gate and valves[VENT_ISOLATION].gate
        if valves[VENT].gate or valves[VENT_ISOLATION].gate:
            self.pair_ms = truth.ms
        works = not valves[RELIEF].stuck and not valves[RELIEF].coil
        if not (valves[RELIEF].gate or pair or not truth.world.rail) and (works or over_ms < 2000):
            self.broken(f"outputs above the trip for {over_ms} ms, and no way out was opened")
        if works or (valves[RELIEF].energised and valves[RELIEF].open):
            return
        if (
            valves[VENT].coil
            or valves[VENT_ISOLATION].coil
            or valves[VENT].stuck
            or valves[VENT_ISOLATION].stuck
        ):
            return
        if (
            over_ms > 3000
            and truth.ms - max(self.pair_ms, self.over_ms) > 3000
            and truth.world.rail_forced is None
        ):
            self.broken(f"the relief does not work for {over_ms} ms, and the vent pair stays shut")

    def _bound(self, trip_pa: float) -> None:
        truth = self.truth
        if truth.pa < trip_pa + OVERSHOOT_PA:
            return
        plant = truth.plant
        # Lag of the transducers, 50 ms, opening time: ten ticks of the fastest rise are more.
        bound_pa = trip_pa + OVERSHOOT_PA + max(0.0, self.rise_pa) * 200 / truth.world.tick_ms
        control, control_valid, safety, safety_valid = truth.outputs()
        near = [
            abs(pa - truth.pa) < MISLED_PA
            for pa, valid in ((control, control_valid), (safety, safety_valid))
            if valid
        ]
        relief = plant.valves[RELIEF]
        works = not relief.stuck and not relief.coil and truth.world.rail and not truth.hung
        if not (near and all(near) and works) or not self._relief_suffices():
            self.bounded_ms = truth.ms
        if truth.ms - self.bounded_ms < BOUNDED_MS:
            # No output bounds the pressure, or no sensor shows it: the mechanical relief does.
            bound_pa = MECHANICAL_PA
        if truth.pa > bound_pa and not (bound_pa == MECHANICAL_PA and plant.mechanical_relief_blocked):
            self.broken(f"above its bound of {bound_pa / 1e6:.3f} MPa")

    def _relief_suffices(self) -> bool:
        fill, relief = self.truth.plant.valves[FILL], self.truth.plant.valves[RELIEF]
        return relief.c > 2.0 * fill.c


class Cycler(Rule):
    """T2: a danger that is true opens the cycler's relay, whatever was latched before, until it is acknowledged."""

    number = "T2"

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.danger = ""
        self.since_ms = 0
        self.was_ok = False
        self.stopped = ""  # the danger that opened the relay, until acknowledged
        self.walls: deque[float] = deque(maxlen=60)

    def tick(self) -> None:
        truth = self.truth
        if truth.pa > max(self.wire.settings["trip_pa"]) or truth.plant.burst:
            self._judge(self._gas())
        elif self.danger and self.danger != "runaway":
            self._judge("")
        ok = truth.world.shown[1]
        if ok and not self.was_ok and self.stopped and not truth.hung:
            if self.wire.told.get("acknowledge", -1) < self.since_ms:
                self.broken(f"the relay closed after {self.stopped} without an acknowledge")
            self.stopped = ""
        self.was_ok = ok

    def second(self) -> None:
        truth = self.truth
        self.walls.append(truth.plant.wall_k)
        if truth.pa > max(self.wire.settings["trip_pa"]) or truth.plant.burst:
            return
        hot = truth.plant.wall_k * 1e3 > max(self.wire.settings["wall_max_mk"]) + 500
        if hot and not truth.present("wall-sensor", "bus-stuck"):
            self._judge("runaway")
        elif self.danger == "runaway":
            self._judge("")

    def _gas(self) -> str:
        truth = self.truth
        if truth.over.over_ms is not None:
            return "over-pressure"
        control, control_valid, safety, _ = truth.outputs()
        low_pa, high_pa = LIVE_PA
        if not (control_valid and low_pa < control < high_pa) and not low_pa < safety < high_pa:
            # Beyond a measurement (NAMUR NE43) no output shows the fall.
            return ""
        # Slower than what the vent could do it is not known for a burst.
        largest = max(truth.plant.valves[VENT].c, truth.plant.valves[RELIEF].c)
        if truth.plant.burst > 2.0 * largest and truth.pa > 1e6 and not truth.present(*LIARS):
            return "burst"
        return ""

    def _judge(self, danger: str) -> None:
        truth = self.truth
        if danger != self.danger or truth.hung:
            self.danger = danger
            self.since_ms = truth.ms
        limit_ms = RUNAWAY_S * 1000 if danger == "runaway" else RELAY_MS + 200
        if danger and truth.ms - self.since_ms > limit_ms + 2 * truth.world.tick_ms:
            if truth.world.shown[1]:
                self.broken(f"{danger} for {truth.ms - self.since_ms} ms, and the cycler's relay is closed")
            self.stopped = danger


class Vented(Rule):
    """T3: what is reported as vented is near ambient."""

    number = "T3"

    def answered(self, name: str, unit: str, text: str) -> None:
        limit_pa = self.truth.plant.parameters.ambient_kpa * 1e3 + VENTED_PA
        if name == "vent" and text == "2" and self.truth.plant.pressure_pa > limit_pa:
            self.broken("the vent is reported as complete")


class Resume(Rule):
    """T4: after a reset no fill begins by itself into another amount of gas, nor into an empty chamber."""

    number = "T4"

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.kg: Optional[float] = (
            None  # amount of gas when power went; none once a command came or a fill began
        )
        self.was_pa = 0.0
        # The amount as pressure while the device could decide, as long as the LED may take to show what it decided: a
        # burst that comes within that time is for other watches.
        self.lately_pa: deque[float] = deque(maxlen=LED_MS // truth.world.tick_ms)

    def lost_power(self) -> None:
        self.lately_pa.clear()
        if self.kg is None:
            self.kg = self.truth.plant.gas_kg
            self.was_pa = self.truth.plant.pressure_pa

    def commanded(self, name: str, value: Any) -> None:
        if name in ("on", "off", "target", "vent", "proof"):
            self.kg = None

    def tick(self) -> None:
        if self.kg is None:
            return
        truth = self.truth
        if not truth.running:
            return
        now_pa = self.was_pa * truth.plant.gas_kg / self.kg
        fed_ms = truth.world.fed_ms
        if not self.lately_pa or (fed_ms is not None and truth.ms - fed_ms <= truth.world.tick_ms):
            self.lately_pa.append(now_pa)
        valves = truth.plant.valves
        fills = valves[FILL].gate and valves[SUPPLY_ISOLATION].gate
        # What changes once it regulates again is for other watches.
        if not (fills or truth.state == "REGULATE"):
            return
        band_pa = max(self.wire.settings["resume_band_pa"])
        if truth.present("transducer-wrong", *LIARS):
            # One wrong transducer hides what is below the disagreement that seals.
            band_pa += MISLED_PA
        self.kg = None
        came_pa = min((pa - self.was_pa for pa in self.lately_pa), key=abs)
        if abs(came_pa) > band_pa:
            self.broken(f"a resume fills where {came_pa / 1e3:.0f} kPa of gas have come since")
        if truth.pa < truth.plant.parameters.ambient_kpa * 1e3 + RESUME_FLOOR_PA:
            self.broken("a resume fills a chamber that is empty")


class LetOut(Rule):
    """T5: gas is let out only where somebody or something true asks for it."""

    number = "T5"

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.begin_pa = 0.0  # when the outputs began to let gas out
        self.begin_kg = 0.0
        self.begin_ms = 0
        self.begin_state = ""
        self.blind = False  # both transducers had failed then
        self.was_pa = self.last_pa = truth.pa
        self.slope_pa = 0.0  # rise in the last tick before an output opened
        self.out_ms: Optional[int] = None  # when they last did
        self.out_kg = 0.0
        self.flowed_ms = 0  # when gas last flowed: an isolation valve may stay open for longer
        self.relief_pa = 0.0  # true pressure when the relief opened
        self.seldom_pa: dict[int, float] = {}  # what no setpoint, vent or danger explains, by its begin
        self.lowest_pa = truth.pa  # lowest setpoint that the last commands can have
        self.runaway_ms = -HOUR_MS
        self.wrong_pa = 0.0  # error of the control transducer that lasted for longer than a glitch
        self.wrong_ms = -HOUR_MS  # when it was last so wrong
        self.right_ms = 0  # when it was last right
        self.failed_ms = {"control": -HOUR_MS, "safety": -HOUR_MS}  # when each transducer had last failed

    def commanded(self, name: str, value: Any) -> None:
        if name in ("on", "target", "slew", "setting", "quiet", "abort"):
            target_pa = value if name == "target" else self.wire.target_pa
            self.lowest_pa = min(self.truth.pa, self.lowest_pa)
            if target_pa is not None:
                self.lowest_pa = min(target_pa, self.lowest_pa)
        if name == "on":
            # The last target may have been refused: then one before it is in force.
            self.lowest_pa = min([self.truth.pa, *self.wire.older_pa, self.wire.target_pa or self.truth.pa])

    def lost_power(self) -> None:
        self.lowest_pa = min(self.lowest_pa, *self.wire.older_pa, self.truth.pa)

    def second(self) -> None:
        truth = self.truth
        target_pa = self.wire.target_pa
        if (
            truth.plant.wall_k * 1e3 > min(self.wire.settings["wall_max_mk"])
            or truth.plant.cell_heat_w > 50.0
        ):
            self.runaway_ms = truth.ms
        if target_pa is None or not truth.running or truth.state != "REGULATE":
            return
        # A ramp upwards has left its start behind, once the target is reached.
        if truth.pa > target_pa - self.bands_pa() and target_pa > self.lowest_pa:
            self.lowest_pa = target_pa

    def bands_pa(self) -> float:
        return 2.0 * max(self.wire.settings["dead_band_pa"]) + max(self.wire.settings["swing_allowance_pa"])

    def _out_kg(self) -> float:
        """Return what the outputs have let out: a relief that is stuck open does so by itself."""
        plant = self.truth.plant
        return plant.vent_pair_kg if plant.valves[RELIEF].stuck == "open" else plant.metered_out_kg

    def _look_for_errors(self) -> None:
        """Note how far the control transducer misleads: a hold may have acted on it for a while."""
        ms = self.truth.ms
        error_pa = self._wrong_pa()
        if error_pa < WRONG_PA:
            self.right_ms = ms
        if ms - self.wrong_ms > REMEMBERED_MS:
            self.wrong_pa = 0.0
        if ms - self.right_ms > GLITCH_MS and error_pa >= self.wrong_pa:
            self.wrong_pa, self.wrong_ms = error_pa, ms

    def tick(self) -> None:
        truth = self.truth
        before_pa, self.last_pa = self.last_pa, truth.pa
        if truth.world.failures or self.wrong_pa:
            self._note_failed()
            self._look_for_errors()
        else:
            self.right_ms = truth.ms
        if not truth.gates:
            self.slope_pa, self.was_pa = truth.pa - self.was_pa, truth.pa
            return
        valves = truth.plant.valves
        relief = valves[RELIEF].gate
        vent = valves[VENT].gate or valves[VENT_ISOLATION].gate
        if valves[VENT].stuck == valves[VENT_ISOLATION].stuck == "open":
            vent = False  # the gas leaves whatever the device does
        if not (vent or (relief and valves[RELIEF].stuck != "open")):
            return
        ms, pa = truth.ms, truth.pa
        if self.out_ms is None or ms - self.out_ms > 100 + truth.world.tick_ms:
            self.begin_pa = pa
            self.begin_ms = ms - truth.world.tick_ms
            self.begin_kg = self._out_kg()
            self.begin_state = truth.state
            self.relief_pa = 0.0
            self.blind = self._both_failed()
        self.out_ms = ms
        if relief and not self.relief_pa:
            # A large relief on a small chamber has let much out by the end of its first tick.
            self.relief_pa = max(pa, before_pa, self._rising_pa())
        # What the outputs let out: a burst or a leak beside them is not theirs.
        out_kg = self._out_kg()
        if out_kg > self.out_kg:
            if self._hangs():
                self.begin_kg += min(out_kg - self.out_kg, out_kg - self.begin_kg)
            self.out_kg, self.flowed_ms = out_kg, ms
        out_pa = truth.as_pa(out_kg - self.begin_kg)
        floor_pa, reason = self._floor()
        if self._relieves():
            floor_pa -= out_pa * min(1.0, DISBELIEF_MS / max(ms - self.begin_ms, 1))
        if self.begin_pa - out_pa >= floor_pa or pa >= floor_pa:
            return
        # A proof or a test bleed may do so, and seldom.
        late_pa = out_pa * self._late_share()
        below_pa = floor_pa - self.begin_pa + out_pa
        self.seldom_pa[self.begin_ms] = below_pa
        recent_pa = sum(pa for at, pa in self.seldom_pa.items() if ms - at < SELDOM_MS)
        limit_pa = BLEED_PA if ms - truth.high_ms < BLEED_MS else PROOF_PA
        if below_pa - late_pa > limit_pa or recent_pa > SELDOM_PA:
            self.broken(
                f"{out_pa / 1e3:.0f} kPa let out from {self.begin_pa / 1e6:.4f} MPa, "
                f"below {floor_pa / 1e6:.4f} MPa ({reason})"
            )

    def _floor(self) -> tuple[float, str]:
        """Return the lowest pressure to which the present reasons allow gas to be let out."""
        truth, wire = self.truth, self.wire
        settings = wire.settings
        if truth.world.tripped and truth.hung:
            return 0.0, "comparator without a processor"
        if self._vent_is_asked():
            return 0.0, "vent"
        trip_pa = min(settings["trip_pa"])
        floor_pa, reason = self.begin_pa, "no reason"
        both_failed = self.blind or self._both_failed()
        if self.relief_pa and (both_failed or self._outputs_pa() > trip_pa - RELIEVED_PA):
            # Both transducers are wrong, or the other one has failed, too.
            return 0.0, "outputs above the trip"
        if self._relieves():
            if max(settings["relief_to_ambient"]):
                return 0.0, "relief to ambient"
            floor_pa = min(floor_pa, trip_pa - RELIEVED_PA - self._tolerance_pa())
            reason = "relief"
        if truth.ms - self.runaway_ms < 600_000 and max(settings["runaway_relief"]):
            return 0.0, "runaway"
        if wire.since_ms("proof") < COIL_MS + 10_000:
            return 0.0, "proof by command"
        states = {truth.state}
        if truth.ms - truth.state_ms < SHUTTING_MS:
            # The end of a state does not undo its last pulse.
            states.add(self.begin_state)
        if states & {"REGULATE", "QUIET", "VENT"} or wire.since_ms("on") < 1000:
            low_pa = self.lowest_pa - self.bands_pa() - self.wrong_pa
            if low_pa < floor_pa:
                floor_pa, reason = low_pa, "lowest setpoint"
        return floor_pa, reason

    def _tolerance_pa(self) -> float:
        settings = self.wire.settings
        return max(settings["control_tolerance_pa"]) + max(settings["safety_tolerance_pa"])

    def _relieves(self) -> bool:
        """Return whether the relief opened at a true over-pressure; its end takes time to be seen."""
        return self.relief_pa > min(self.wire.settings["trip_pa"]) - self._tolerance_pa()

    def _wrong_pa(self) -> float:
        """Return how far the control transducer misleads a hold: without limit where the other one is invalid."""
        control, valid, safety, safety_valid = self.truth.outputs()
        error_pa = max(0.0, self.truth.world.control_error_pa, control - self.truth.pa if valid else 0.0)
        return min(error_pa, MISLED_PA) if safety_valid and LIVE_PA[0] < safety < LIVE_PA[1] else error_pa

    def _rising_pa(self) -> float:
        """Return the trip where one output is above it and the true pressure rises: it is about to follow."""
        truth = self.truth
        trip_pa = min(self.wire.settings["trip_pa"])
        control, control_valid, safety, safety_valid = truth.outputs()
        over = (control_valid and control > trip_pa) or (safety_valid and safety > trip_pa)
        return trip_pa if over and self.slope_pa > 0.1 * truth.world.tick_ms * 1000 else 0.0

    def _hangs(self) -> bool:
        """Return whether a hung processor left an output on that the watchdog and the rail must soon shut (row 21)."""
        truth = self.truth
        fed_ms = truth.world.fed_ms
        return truth.hung and fed_ms is not None and truth.ms - fed_ms <= HUNG_MS + SHUTTING_MS

    def _late_share(self) -> float:
        """Return the share of what was let out that flows until a limit is seen and the valve is shut."""
        late_ms = SHUTTING_MS + max(valve.stick_us for valve in self.truth.plant.valves) / 1000
        return min(1.0, late_ms / max(self.flowed_ms - self.begin_ms, 1))

    def _both_failed(self) -> bool:
        """Return whether each transducer has an injected fault, or had one a moment ago: the device doubts one that
        was erratic for 0.7 s after it has recovered, and until then cannot let it deny what the other one shows.
        """
        return self.truth.ms - min(self.failed_ms.values()) < SHUTTING_MS + 1000

    def _note_failed(self) -> None:
        ms = self.truth.ms
        for each in active(self.truth.world):
            if each["present"] and each["name"].startswith(("transducer", "port")):
                self.failed_ms[each["values"].get("which", "control")] = ms
            elif each["present"] and each["name"].startswith(("control", "adc", "bus", "reference")):
                self.failed_ms["control"] = ms
            elif each["present"] and each["name"].startswith("safety"):
                self.failed_ms["safety"] = ms

    def _outputs_pa(self) -> float:
        """Return the lower one of the valid outputs, 0 without any."""
        control, control_valid, safety, safety_valid = self.truth.outputs()
        if control_valid and safety_valid:
            return min(control, safety)
        return control if control_valid else safety if safety_valid else 0.0

    def _vent_is_asked(self) -> bool:
        wire = self.wire
        asked = wire.told.get("vent", -1)
        if self.truth.state == "VENT" and asked >= max(0, self.truth.state_ms - 1000 - LED_MS):
            # Whatever was sent since then has not ended it.
            return True
        ended = max(wire.told.get("abort", -1), wire.told.get("on", -1), wire.told.get("off", -1))
        if asked >= 0 and (asked >= ended or self.truth.ms - ended < 500):
            return True
        return max(wire.settings["host_gone_action"]) == 2 and max(wire.settings["host_timeout_s"]) > 0


class Coils(Rule):
    """T6: what the state forbids is shut, and no coil is on for longer than it may be."""

    number = "T6"
    # States by the LED in which each valve may be on.
    MAY = (
        ("REGULATE",),
        ("REGULATE",),
        ("REGULATE", "VENT", "RELIEF"),
        ("REGULATE", "VENT", "RELIEF"),
        ("RELIEF", "VENT"),
    )

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.on_ms: list[Optional[int]] = [None] * 5
        self.off_ms = [-HOUR_MS] * 5
        self.long = [False] * 5  # the last time on was a longest one
        self.wrong_ms: list[Optional[int]] = [None] * 5  # since when on in a wrong state
        self.hours: list[deque[tuple[int, int]]] = [
            deque() for _ in range(5)
        ]  # (end, length) of the last hour
        self.sums = [0] * 5
        self.idle = True

    def tick(self) -> None:
        truth = self.truth
        if not truth.gates and self.idle:
            return
        ms = truth.ms
        self.idle = not truth.gates
        for index, valve in enumerate(truth.plant.valves):
            if valve.gate:
                if self.on_ms[index] is None:
                    self._on(index, ms)
                self._is_on(index, ms)
            elif self.on_ms[index] is not None:
                self._off(index, ms)
            if self.wrong_ms[index] is not None:
                self.idle = False
                self._wrong(index, ms)

    def _excepted(self, index: int) -> bool:
        """A way out may be open for longer."""
        truth = self.truth
        if truth.world.tripped or truth.hung:
            return True
        if index == RELIEF:
            return truth.state in ("RELIEF", "VENT", "REGULATE", "SEALED", "OFF", "QUIET")
        return index in (VENT, VENT_ISOLATION) and truth.state in ("VENT", "RELIEF")

    def _on(self, index: int, ms: int) -> None:
        self.on_ms[index] = ms
        if self.long[index] and ms - self.off_ms[index] < PAUSE_MS - self.truth.world.tick_ms:
            self.broken(
                f"{VALVE_NAMES[index]} paused for {ms - self.off_ms[index]} ms only after its longest time"
            )
        if self._forbidden(index) and self.wrong_ms[index] is None:
            self.wrong_ms[index] = ms

    def _is_on(self, index: int, ms: int) -> None:
        since_ms = self.on_ms[index]
        assert since_ms is not None
        if self.wrong_ms[index] is None and self._forbidden(index):
            self.wrong_ms[index] = ms
        tick_ms = self.truth.world.tick_ms
        # Once for each time.
        if COIL_MS + tick_ms < ms - since_ms <= COIL_MS + 2 * tick_ms and not self._excepted(index):
            self.broken(f"{VALVE_NAMES[index]} on for {(ms - since_ms) / 1000:.1f} s")

    def _off(self, index: int, ms: int) -> None:
        since_ms = self.on_ms[index]
        assert since_ms is not None
        self.on_ms[index] = None
        self.off_ms[index] = ms
        self.long[index] = ms - since_ms >= COIL_MS - 1000 and not self._excepted(index)
        if self._excepted(index):
            return
        hour = self.hours[index]
        # Of what is sampled at the ends of ticks, half a tick at either end is not known.
        hour.append((ms, ms - since_ms))
        self.sums[index] += ms - since_ms
        while hour and hour[0][0] < ms - HOUR_MS:
            self.sums[index] -= hour.popleft()[1]
        ticks_ms = len(hour) * self.truth.world.tick_ms
        if self.sums[index] - ticks_ms > HOUR_MS // 2 + COIL_MS:
            self.broken(f"{VALVE_NAMES[index]} on for {self.sums[index] / 1000:.0f} s of an hour")

    def _forbidden(self, index: int) -> bool:
        truth = self.truth
        if not truth.running or truth.hung or truth.state in self.MAY[index] or not truth.state:
            return False
        if index == RELIEF and truth.world.tripped:
            return False
        if (
            index in (VENT, VENT_ISOLATION)
            and truth.state == "SEALED"
            and truth.ms - truth.high_ms < BLEED_MS
        ):
            return False
        # A proof is a command, from OFF; and a command may have changed the state since the LED was last set.
        return self.wire.since_ms("proof") > COIL_MS + 10_000

    def _wrong(self, index: int, ms: int) -> None:
        """A state that changes shows on the LED within LED_MS."""
        since_ms = self.wrong_ms[index]
        assert since_ms is not None
        truth = self.truth
        if not self._forbidden(index) or since_ms < truth.state_ms <= since_ms + LED_MS:
            # The state of that time may never have been shown.
            self.wrong_ms[index] = None
        elif ms - since_ms > LED_MS + 2 * truth.world.tick_ms:
            self.wrong_ms[index] = None
            if (
                self.wire.since_ms("on", "off", "quiet", "vent", "abort", "acknowledge")
                > 2 * LED_MS + ms - since_ms
            ):
                self.broken(f"{VALVE_NAMES[index]} was on in {truth.state}, {(ms - since_ms)} ms ago")

    def lost_power(self) -> None:
        self.wrong_ms = [None] * 5


class Chasing(Rule):
    """T7: in a hold, net gas and reversals of an hour have budgets."""

    number = "T7"

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.in_kg = truth.plant.metered_in_kg
        self.out_kg = truth.plant.metered_out_kg
        self.moved_kg = 0.0
        self.side = 0
        self.reversals = 0
        self.minutes: deque[tuple[float, int, float]] = deque(maxlen=60)  # gas, reversals, wall temperature
        self.held_s = 0

    def tick(self) -> None:
        truth = self.truth
        plant = truth.plant
        in_kg, out_kg = plant.metered_in_kg, plant.metered_out_kg
        if truth.flowing:
            valves = plant.valves
            if valves[SUPPLY_ISOLATION].gate and in_kg > self.in_kg:
                self.moved_kg += in_kg - self.in_kg
                self.reversals += self.side == -1
                self.side = 1
            elif valves[VENT_ISOLATION].gate and out_kg > self.out_kg:
                self.moved_kg -= out_kg - self.out_kg
                self.side = -1
        self.in_kg, self.out_kg = in_kg, out_kg

    def second(self) -> None:
        truth = self.truth
        if truth.state != "REGULATE" or not self._holds():
            self._begin()
            return
        self.held_s += 1
        if self.held_s % 60:
            return
        wall_k = truth.plant.wall_k
        self.minutes.append((truth.as_pa(self.moved_kg), self.reversals, wall_k))
        self.moved_kg, self.reversals = 0.0, 0
        net_pa = sum(pa for pa, _, _ in self.minutes)
        reversals = sum(count for _, count, _ in self.minutes)
        most_pa = NET_PA * max(self.wire.settings["gas_budget_pa_h"]) / DEFAULTS["gas_budget_pa_h"]
        # The wall temperature explains this much.
        most_pa += truth.pa * abs(wall_k - self.minutes[0][2]) / wall_k
        if truth.present("gas-sensor", "wall-sensor"):
            # Without a temperature 20 K at 300 K may explain it.
            most_pa += truth.pa / 15
        if abs(net_pa) > most_pa:
            self.broken(f"{net_pa / 1e3:.0f} kPa of gas in {len(self.minutes)} min of a hold")
        if reversals > REVERSALS:
            self.broken(f"{reversals} reversals in {len(self.minutes)} min of a hold")

    def _holds(self) -> bool:
        return self.truth.hold.held_s >= SETTLED_S

    def _begin(self) -> None:
        self.moved_kg, self.reversals, self.side = 0.0, 0, 0
        self.held_s = 0
        self.minutes.clear()


class Hold(Rule):
    """T8: where a hold is far from its target, a warning or a fault says why.

    The error is true pressure plus the control transducer's own slow error, less the target.
    """

    number = "T8"

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.held_s = 0  # since the target must have been reached
        self.ramp_s = 0.0  # what is left of the longest ramp
        self.best_pa = 0.0  # smallest error of this ramp
        self.wrong_s = 0
        self.day: deque[bool] = deque()
        self.beyond = 0
        self.asked = False

    def commanded(self, name: str, value: Any) -> None:
        if name in ("target", "slew", "setting", "on", "off", "quiet", "vent", "abort", "acknowledge"):
            self._begin()

    def started(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.held_s = self.wrong_s = self.beyond = 0
        self.day.clear()
        self.asked = False
        self.ramp_s = -1.0

    def error_pa(self) -> Optional[float]:
        """The error of the hold; none without a target."""
        if self.wire.target_pa is None:
            return None
        return self.truth.pa + self.truth.world.control_error_pa - self.wire.target_pa

    def second(self) -> None:
        truth, settings = self.truth, self.wire.settings
        error_pa = self.error_pa()
        if error_pa is None or truth.state != "REGULATE" or max(settings["hold_amount"]):
            self.held_s = 0
            return
        if self.ramp_s < 0:
            self.best_pa = abs(error_pa)
            self.ramp_s = abs(error_pa) / min(settings["slew_pa_s"]) * 1.5 + 180.0
        self.ramp_s -= 1.0
        if abs(error_pa) < self.best_pa - PROGRESS_PA:
            # A valve that is slower than the ramp still gets there.
            self.best_pa = abs(error_pa)
            self.ramp_s = max(self.ramp_s, 120.0)
        band_pa = max(settings["dead_band_pa"])
        bands_pa = 2.0 * band_pa + max(settings["swing_allowance_pa"])
        if not self.held_s and self.ramp_s > 0 and abs(error_pa) > bands_pa:
            return
        self.held_s += 1
        self.wrong_s = self.wrong_s + 1 if abs(error_pa) > bands_pa else 0
        if self.held_s > SETTLED_S:
            self._count(abs(error_pa) > band_pa + max(settings["swing_allowance_pa"]))
        if self.wrong_s == SETTLED_S:
            self._ask(f"{error_pa / 1e3:.1f} kPa off for a minute of a hold")
        elif self.beyond > 864 and not self.asked:
            self.asked = True
            self._ask(f"beyond the band for {self.beyond} s of a day")

    def _count(self, beyond: bool) -> None:
        self.day.append(beyond)
        self.beyond += beyond
        if len(self.day) > 86_400:
            self.beyond -= self.day.popleft()

    def _ask(self, text: str) -> None:
        """The monitor asks for itself, where the line is idle."""
        self.text = text
        self.wire.ask(":SYST:WARN?")

    text = ""

    def answered(self, name: str, unit: str, text: str) -> None:
        if name == "warnings" and self.text:
            said, self.text = self.text, ""
            if text in ("", "NONE", "0", '""'):
                self.broken(f"{said}, and no warning tells it")


class Accepted(Rule):
    """T9: an OFF that was accepted stays OFF over a reset. Targets are compared where the device reports them."""

    number = "T9"

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.off = False
        self.in_doubt_ms = -1  # when an OFF came that a power cut may have overtaken

    def lost_power(self) -> None:
        told = self.wire.told
        last = max(("on", "off", "vent"), key=lambda name: told.get(name, -1))
        if self.wire.since_ms("off") < 400:
            self.in_doubt_ms = told["off"]
        self.off = last == "off" and self.truth.state == "OFF" and told["off"] != self.in_doubt_ms

    def commanded(self, name: str, value: Any) -> None:
        if name in ("on", "vent", "proof"):
            self.off = False

    def tick(self) -> None:
        truth = self.truth
        moves = truth.gates and any(valve.gate for valve in truth.plant.valves[:4])
        if moves and truth.state == "SEALED" and truth.ms - truth.high_ms < BLEED_MS:
            moves = False  # a test bleed
        if truth.state == "RELIEF":
            moves = False  # T5 judges what a relief lets out
        if self.off and moves and truth.running:
            self.off = False
            self.broken("a valve moves after a reset of a device that was OFF")


class Writes(Rule):
    """T10: a repeated command costs no write, and the device by itself writes seldom."""

    number = "T10"

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.times: deque[int] = deque()
        self.allowed = 0
        self.was_state = ""
        self.was: Any = None
        self.owed = 0  # writes of settings, for commands that changed one
        self.repeated_ms = -HOUR_MS

    def commanded(self, name: str, value: Any) -> None:
        self.allowed += 2
        if name not in ("target", "on", "off", "vent", "abort", "quiet", "acknowledge"):
            if (name, value) == self.was:
                self.repeated_ms = self.truth.ms
            else:
                self.owed += 1
        self.was = (name, value)

    def lost_power(self) -> None:
        self.was = None  # the last command may have been lost

    def wrote(self, name: str) -> None:
        truth = self.truth
        ms = truth.plant.time_ms
        if truth.state != self.was_state:
            self.was_state = truth.state
            self.allowed += 2
        if name.startswith("settings"):
            if not self.owed and ms - self.repeated_ms < 1000:
                self.broken(f"{name} was written for a repeated command: {self.was}")
            self.owed = 0
        self.times.append(ms)
        while self.times[0] < ms - 86_400_000:
            self.times.popleft()
        if len(self.times) > WRITES_A_DAY + self.allowed:
            self.broken(
                f"{len(self.times)} writes in a day with {self.allowed // 2} commands and changes of state"
            )


class Reactions(Rule):
    """T11: what the matrix requires happens in every state, whatever else is latched, acknowledged or present."""

    number = "T11"

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self.since_ms: dict[str, int] = {}

    def tick(self) -> None:
        truth = self.truth
        if not truth.world.failures:
            if self.since_ms:
                self.since_ms.clear()
            return
        valves = truth.plant.valves
        ms = truth.ms
        found = {}
        for each in truth.world.failures:
            fault = getattr(each, "fault", None)
            if fault is None or not each.present or fault.name not in SHUT_S:  # type: ignore[attr-defined]
                continue
            if self._is_evident(fault.name, each.values):  # type: ignore[attr-defined]
                found[fault.name] = self.since_ms.get(fault.name, ms)
        self.since_ms = found
        if truth.hung:
            # The processor reacts once it runs again.
            self.since_ms = dict.fromkeys(found, ms)
            return
        if not found or not (valves[FILL].gate or valves[SUPPLY_ISOLATION].gate):
            return
        for name, since_ms in found.items():
            # A proof by command opens either valve alone.
            pair = valves[FILL].gate and valves[SUPPLY_ISOLATION].gate
            if name == "supply-high" and not pair and self.wire.since_ms("proof") < COIL_MS + 10_000:
                continue
            if name == "supply-high" and not valves[SUPPLY_ISOLATION].gate:
                continue
            limit_ms = SHUT_S[name] * 1000 + 2 * truth.world.tick_ms
            if ms - max(since_ms, truth.started_ms) > limit_ms:
                self.broken(f"fill side on {ms - since_ms} ms after {name}")

    def _is_evident(self, name: str, values: dict[str, Any]) -> bool:
        """Return whether the fault shows: another one of the same part may hide it."""
        truth = self.truth
        world = truth.world
        if name.startswith("control"):
            milliampere = world.counts[signals.CONTROL] * ADS_PA / 10e6 * 16.0
            return milliampere < 3.6 if name == "control-open" else not 3.78 < milliampere < 20.4
        if name in ("coil-open", "transistor-short"):
            # The readback of a coil shows both only while it is off, and while the rail is on.
            valve = truth.plant.valves[VALVE_NAMES.index(values["valve"])]
            return not valve.gate and world.rail and (valve.held or valve.coil == "open")
        if name == "line-burst":
            burst = truth.plant.burst > truth.plant.valves[VENT].c
            return truth.pa > 1e6 and burst and not truth.present(*LIARS)
        if name == "comparator-trips":
            return world.tripped
        if name == "supply-high":
            # The ADS1115 converts this signal, too.
            return truth.plant.supply_pa > 10.4e6 and not truth.present(
                "supply-sensor", "supply-sensor-frozen", "adc-stale"
            )
        return True


RULES = (OverPressure, Cycler, Vented, Resume, LetOut, Coils, Chasing, Hold, Accepted, Writes, Reactions)
