"""The table of faults that can be injected into the simulated rig, by name, with their options.

The rows are those of the fault matrix.  Every fault takes `after_s` (delay), `for_s` (duration), `every_s`
with `on_s` (intermittent); faults that can grow slowly also take `grow_s`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from random import Random
from typing import Any

from ipch.errors import UsageError
from ipch.sim import failures
from ipch.sim.failures import Part, Values
from ipch.sim.plant import VALVE_NAMES


@dataclass(frozen=True)
class Option:
    """A number with unit and limits, or one of a list of words."""

    name: str
    default: float | str
    minimum: float = 0.0
    maximum: float = 0.0
    unit: str = ""
    words: tuple[str, ...] = ()

    def allowed(self) -> str:
        """Return the allowed values, for a message."""
        if self.words:
            return f"one of {', '.join(self.words)}"
        return f"{self.minimum:g} to {self.maximum:g} {self.unit}".rstrip()

    def parse(self, value: object) -> float | str:
        """Return the value; ValueError when it is not allowed."""
        if self.words:
            if value not in self.words:
                raise ValueError
            return str(value)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError
        number = float(value)
        if not (math.isfinite(number) and self.minimum <= number <= self.maximum):
            raise ValueError
        return number


@dataclass(frozen=True)
class Fault:
    """A fault: its row in the matrix, help, options, and the failure with its fixed values."""

    name: str
    row: int
    help: str
    make: Callable[[Values, Random], Part]
    options: tuple[Option, ...] = ()
    fixed: tuple[tuple[str, str | float], ...] = ()
    grows: bool = False

    def all_options(self) -> tuple[Option, ...]:
        """Return its own options and those that every fault takes."""
        return (*self.options, *_WHEN, *((_GROW,) if self.grows else ()))


_LONGEST_S = 1e7
_WHEN = (
    Option("after_s", 0.0, 0.0, _LONGEST_S, "s"),
    Option("for_s", 0.0, 0.0, _LONGEST_S, "s"),
    Option("every_s", 0.0, 0.0, _LONGEST_S, "s"),
    Option("on_s", 0.0, 0.0, _LONGEST_S, "s"),
)
_GROW = Option("grow_s", 0.0, 0.0, _LONGEST_S, "s")
_CHAMBER = Option("which", "control", words=("control", "safety"))
_ALL_LOOPS = Option("which", "control", words=("control", "safety", "supply"))
_FILL_SIDE = Option("valve", "fill", words=("fill", "supply_isolation", "both"))
_VENT_SIDE = Option("valve", "vent", words=("vent", "vent_isolation", "both"))
_ANY_VALVE = Option("valve", "fill", words=VALVE_NAMES)
_SEAT_C = Option("c", 2e-14, 0.0, 1e-8, "m3/(s Pa)")
_TEMPERATURE = (
    Option("how", "open", words=("open", "short", "wrong", "dead")),
    Option("k", 10.0, -200.0, 200.0, "K"),
)


def _ma(default: float, minimum: float, maximum: float) -> Option:
    return Option("ma", default, minimum, maximum, "mA")


def _loop(name: str, row: int, text: str, which: str, ma: Option) -> Fault:
    return Fault(name, row, text, failures.Loop, (ma,), (("which", which),))


def _seats(name: str, row: int, side: Option, where: str) -> Fault:
    text = f"a valve of this side, or both, stuck {where}"
    return Fault(name, row, text, failures.Stuck, (side,), (("where", where), ("side", side.words[0])))


def _leak(name: str, row: int, side: Option) -> Fault:
    options = (side, _SEAT_C)
    fixed = (("side", side.words[0]),)
    return Fault(name, row, "a seat of this side leaks", failures.SeatLeak, options, fixed, True)


def _sticky(name: str, row: int, side: Option) -> Fault:
    options = (side, Option("ms", 300.0, 0.0, 60000.0, "ms"))
    return Fault(
        name, row, "a valve of this side shuts late", failures.Sticky, options, (("side", side.words[0]),)
    )


# fmt: off
_ROWS = (
    _loop("control-open", 1, "loop of the control transducer open", "control", _ma(0.0, 0.0, 3.59)),
    _loop("control-short", 2, "loop of the control transducer shorted", "control", _ma(22.0, 21.01, 25.0)),
    _loop("control-range", 3, "control transducer out of range", "control", _ma(3.7, 3.6, 21.0)),
    Fault("transducer-frozen", 4, "a transducer keeps its last reading", failures.Frozen, (_CHAMBER,
        Option("noise_kpa", 0.0, 0.0, 1e3, "kPa"))),
    Fault("transducer-wrong", 5, "a transducer has a pressure offset", failures.Offset, (_CHAMBER,
        Option("kpa", 300.0, -1e4, 1e4, "kPa")), grows=True),
    Fault("transducer-noisy", 5, "a transducer has increased noise", failures.Noise, (_ALL_LOOPS, Option("kpa",
        20.0, 0.0, 1e4, "kPa rms")), grows=True),
    Fault("transducer-late", 5, "readings of a transducer arrive late", failures.Late, (_CHAMBER,
        Option("delay_ms", 1000.0, 20.0, 60000.0, "ms"))),
    Fault("transducer-garbage", 5, "random counts", failures.Garbage, (_ALL_LOOPS,)),
    Fault("port-blocked", 6, "a sensing port is blocked, or lags with lag_s", failures.Blocked, (_CHAMBER,
        Option("lag_s", 0.0, 0.0, 1e5, "s"))),
    Fault("adc-dead", 7, "the ADS1115 does not answer", failures.Converter, (), (("which", "ads1115"),)),
    Fault("bus-stuck", 7, "SDA is stuck low: no chip answers on I2C", failures.Converter, (), (("which",
        "bus"),)),
    Fault("adc-stale", 7, "the ADS1115 repeats its last conversion, unreported",
        failures.Converter, (), (("which", "ads1115"), ("reported", "no"))),
    Fault("reference-drift", 8, "the reference of the ADS1115 drifts", failures.ReferenceDrift,
        (Option("percent", 1.0, -50.0, 50.0, "%"),), grows=True),
    _seats("fill-stuck-open", 9, _FILL_SIDE, "open"),
    _leak("fill-leak", 9, _FILL_SIDE),
    _sticky("fill-sticky", 9, _FILL_SIDE),
    _seats("fill-stuck-shut", 10, _FILL_SIDE, "shut"),
    Fault("one-valve-open", 11, "one valve of a pair stuck open", failures.Stuck, (Option("valve",
        "supply_isolation", words=VALVE_NAMES[:4]),), (("where", "open"),)),
    _seats("vent-stuck-open", 12, _VENT_SIDE, "open"),
    _leak("vent-leak", 12, _VENT_SIDE),
    _sticky("vent-sticky", 12, _VENT_SIDE),
    _seats("vent-stuck-shut", 13, _VENT_SIDE, "shut"),
    Fault("coil-open", 14, "a broken coil", failures.Coil, (_ANY_VALVE,), (("how", "open"),)),
    Fault("coil-short", 14, "a shorted coil", failures.Coil, (_ANY_VALVE,), (("how", "short"),)),
    Fault("transistor-short", 15, "a coil's transistor always conducts", failures.Transistor,
        (_ANY_VALVE,)),
    Fault("leak", 16, "gas leaks to the room, in kPa/h at 5 MPa", failures.Leak, (Option("kpa_h", 10.0, 0.0,
        1e6, "kPa/h"),), grows=True),
    Fault("line-burst", 17, "a line bursts", failures.Leak, (Option("c", 5e-9, 0.0, 1e-6, "m3/(s Pa)"),)),
    Fault("supply-low", 18, "supply below the target, or empty", failures.SupplyPressure, (Option("mpa", 4.0,
        0.05, 30.0, "MPa"),), grows=True),
    Fault("supply-high", 19, "supply regulator fails", failures.SupplyPressure, (Option("mpa", 9.0, 0.05,
        30.0, "MPa"),), grows=True),
    Fault("over-pressure", 20, "both valves of the fill side stuck open, at this supply pressure",
        failures.OverPressure, (Option("mpa", 8.0, 0.05, 30.0, "MPa"),)),
    Fault("hang", 21, "the processor stops", failures.Hang),
    Fault("brown-out", 22, "the processor loses its power", failures.Reset, (Option("off_s", 1.0, 0.0, 1e6,
        "s"),), (("cause", "power"),)),
    Fault("resets", 23, "resets in turn", failures.Reset, (Option("cause", "watchdog", words=("power",
        "watchdog", "software")), Option("count", 1.0, 1.0, 1000.0), Option("apart_s", 5.0, 0.0, 1e6, "s"))),
    Fault("host", 24, "the host is gone, does not read, or floods", failures.Host, (Option("how", "gone",
        words=("gone", "stalls", "floods")),)),
    Fault("gas-sensor", 25, "gas temperature", failures.Temperature, _TEMPERATURE, (("which", "gas"),), True),
    Fault("wall-sensor", 25, "wall temperature", failures.Temperature, _TEMPERATURE, (("which", "wall"),),
        True),
    Fault("oven-runaway", 26, "the oven heats", failures.Hot, (Option("k", 60.0, -100.0, 300.0, "K"),),
        grows=True),
    Fault("cell-runaway", 26, "the cell heats", failures.Hot, (Option("watt", 500.0, 0.0, 1e5, "W"),),
        grows=True),
    Fault("stored-copies", 28, "stored copies are damaged; seen at the next start", failures.StoredCopies,
        (Option("record", "settings", words=("settings", "state")), Option("copies", "both", words=("a", "b",
        "both")), Option("how", "bit", words=("bit", "truncated", "empty", "garbage", "missing")))),
    Fault("relief-blocked", 29, "the switched relief valve does not open", failures.Stuck, (), (("valve",
        "relief"), ("where", "shut"))),
    Fault("mechanical-relief-blocked", 29, "the mechanical relief does not lift", failures.MechanicalBlocked),
    Fault("restrictor", 30, "a restrictor clogs (factor below 1) or wears", failures.Worn, (Option("valve",
        "fill", words=("fill", "vent")), Option("factor", 0.5, 0.001, 20.0)), grows=True),
    _loop("safety-open", 31, "loop of the safety transducer open", "safety", _ma(0.0, 0.0, 3.59)),
    _loop("safety-short", 31, "loop of the safety transducer shorted", "safety", _ma(22.0, 21.01, 25.0)),
    _loop("safety-range", 31, "safety transducer out of range", "safety", _ma(3.7, 3.6, 21.0)),
    _loop("supply-sensor", 32, "loop of the supply transducer at this current", "supply", _ma(0.0, 0.0,
        25.0)),
    Fault("supply-sensor-frozen", 32, "supply transducer frozen", failures.Frozen, (Option("noise_kpa", 0.0,
        0.0, 1e3, "kPa"),), (("which", "supply"),)),
    Fault("relief-stuck-open", 33, "the switched relief valve does not shut", failures.Stuck, (), (("valve",
        "relief"), ("where", "open"))),
    Fault("relief-leak", 33, "the switched relief valve leaks", failures.SeatLeak, (_SEAT_C,), (("valve",
        "relief"),), True),
    Fault("comparator-trips", 34, "without a cause", failures.Comparator, (), (("how", "trips"),)),
    Fault("comparator-dead", 34, "it never trips", failures.Comparator, (), (("how", "dead"),)),
    Fault("rail-lost", 35, "the coil rail is off", failures.Rail, (), (("how", "off"),)),
    Fault("rail-stays", 35, "the coil rail cannot be cut", failures.Rail, (), (("how", "on"),)),
    Fault("spike", 36, "wild samples", failures.Spike, (_ALL_LOOPS, _ma(20.0, 0.0, 25.0), Option("samples",
        1.0, 1.0, 1000.0))),
    Fault("flash-slow", 37, "each erase of a sector of the flash stops the processor", failures.FlashSlow,
        (Option("ms", 400.0, 1.0, 2000.0, "ms"), Option("hold_ms", 488.0, 100.0, 1000.0, "ms"))),
)
# fmt: on
FAULTS = {fault.name: fault for fault in _ROWS}
# Row 27, a bad setting, results from a command; there is nothing to inject.


def describe_faults() -> list[dict[str, Any]]:
    """Return name, row, help and options of every fault, in the order of the matrix."""
    return [
        {
            "name": fault.name,
            "row": fault.row,
            "help": fault.help,
            "options": {option.name: option.default for option in fault.options},
            "grows": fault.grows,
        }
        for fault in _ROWS
    ]


def parse_values(name: str, given: Mapping[str, object]) -> tuple[Fault, dict[str, float | str]]:
    """Return the fault and all its values. Raises UsageError with what is allowed."""
    fault = FAULTS.get(name)
    if fault is None:
        near = get_close_matches(name, FAULTS, n=1, cutoff=0.6)
        raise UsageError(
            f"unknown fault {name}; "
            + (f"did you mean {near[0]}?" if near else f"one of {', '.join(FAULTS)}")
        )
    options = {option.name: option for option in fault.all_options()}
    for key in given:
        if key not in options:
            raise UsageError(f"{name}: no option {key}; it takes {', '.join(options)}")
    values: dict[str, float | str] = dict(fault.fixed)
    for key, option in options.items():
        try:
            values[key] = option.parse(given[key]) if key in given else option.default
        except ValueError:
            raise UsageError(f"{name}: {key}={given[key]}; expected {option.allowed()}") from None
    if values["every_s"] and not 0.0 < float(values["on_s"]) < float(values["every_s"]):
        raise UsageError(f"{name}: on_s={values['on_s']}; with every_s it must be above 0 and below every_s")
    if values["on_s"] and not values["every_s"]:
        raise UsageError(f"{name}: on_s={values['on_s']}; it needs every_s")
    return fault, values


def parse_words(words: Sequence[str]) -> dict[str, object]:
    """Return the values of `key=value` words. Raises UsageError."""
    given: dict[str, object] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or not value:
            raise UsageError(f"{word}: expected key=value, as in for_s=10")
        given[key] = value
    return given
