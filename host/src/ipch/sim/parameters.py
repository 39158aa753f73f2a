"""Table of the simulated plant's parameters, with units in their names, limits and help.

Values marked [E] are engineering estimates, not measured on a rig.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from random import Random
from typing import Any

from ipch.errors import FileError
from ipch.sim.profiles import CellProfile, points_of

TABLES = ("plant", "faults")
# Given values that take the place of drawn ones.
_REPLACES = {
    "trap_ml": ("supply_trap_ml", "vent_trap_ml"),
    "control_lag_ms": ("transducer_lag_ms",),
    "safety_lag_ms": ("transducer_lag_ms",),
}
GASES = ("air", "nitrogen", "argon")
_TEXT = {"gas": "must be air, nitrogen or argon", "cell_profile_csv": "must be text"}


class ParameterError(FileError, ValueError):
    """A plant parameter was refused; the message is one line for a person."""


class _RefusedError(ValueError):
    """A refused value of the parameter `name`."""

    def __init__(self, name: str, given: object, allowed: str) -> None:
        shown = repr(given)
        super().__init__(f"{name} = {shown if len(shown) < 60 else shown[:56] + '...'}: {allowed}")
        self.name = name


Ranges = tuple[tuple[float, float], ...]


def quantity(
    default: float, unit: str, minimum: float, maximum: float, text: str, ordinary: Ranges = ()
) -> Any:
    """Return a field for a finite number between two inclusive limits.

    `ordinary`: the ranges from which an ordinary rig's value is drawn; without any it is the default.
    """
    limits = {"minimum": minimum, "maximum": maximum, "ordinary": ordinary}
    return field(default=default, metadata={"help": text, "unit": unit, **limits})


def other(default: object, unit: str, text: str, ordinary: tuple[str, ...] = ()) -> Any:
    """Return a field for a value that is not a number; an ordinary rig has one of `ordinary`."""
    return field(default=default, metadata={"help": text, "unit": unit, "ordinary": ordinary})


@dataclass(frozen=True)
class PlantParameters:
    """All parameters of a simulated rig; pressures are absolute.

    Raises ValueError for a value that is not allowed, or for values that contradict each other.
    """

    gas: str = other("air", "", "gas in chamber and supply: air, nitrogen or argon", GASES)
    volume_l: float = quantity(0.5, "L", 0.005, 100.0, "gas volume of the chamber when the run starts")
    initial_mpa: float = quantity(0.101325, "MPa", 0.001, 20.0, "chamber pressure when the run starts")
    ambient_kpa: float = quantity(101.325, "kPa", 50.0, 110.0, "air pressure around the rig")
    ambient_c: float = quantity(23.0, "degC", -20.0, 60.0, "air temperature around the rig, outside the oven")

    supply_mpa: float = quantity(6.0, "MPa", 0.05, 30.0, "supply pressure when the run starts")
    supply_c: float = quantity(
        30.0, "degC", -20.0, 150.0, "temperature of the gas that comes from the supply"
    )
    supply_fall_mpa_per_day: float = quantity(
        0.0, "MPa/day", 0.0, 100.0, "fall of the supply pressure through other users"
    )
    supply_droop_mpa: float = quantity(
        0.0, "MPa", 0.0, 5.0, "fall of the supply pressure at the full flow of the fill valve", ((0.0, 0.5),)
    )
    supply_lockup_mpa: float = quantity(
        0.0, "MPa", 0.0, 5.0, "rise of the supply pressure without flow", ((0.0, 0.5),)
    )
    compressor_low_mpa: float = quantity(
        4.0, "MPa", 0.05, 30.0, "supply pressure at which a compressor starts; used with compressor_period_s"
    )
    compressor_period_s: float = quantity(
        0.0, "s", 0.0, 1e7, "period of the compressor: falls for 4/5, refills for 1/5 of it; 0 is none"
    )

    fill_c: float = quantity(
        2e-10, "m3/(s Pa)", 1e-13, 1e-6, "conductance of fill valve and restrictor (ISO 6358)"
    )
    vent_c: float = quantity(2e-10, "m3/(s Pa)", 1e-13, 1e-6, "conductance of vent valve and restrictor")
    supply_isolation_c: float = quantity(
        2e-8, "m3/(s Pa)", 1e-13, 1e-5, "conductance of the supply isolation [E]"
    )
    vent_isolation_c: float = quantity(
        2e-8, "m3/(s Pa)", 1e-13, 1e-5, "conductance of the vent isolation [E]"
    )
    relief_c: float = quantity(
        2e-9, "m3/(s Pa)", 1e-13, 1e-6, "conductance of the relief valve that is switched [E]"
    )
    critical_ratio: float = quantity(0.3, "1", 0.05, 0.9, "pressure ratio below which flow is choked (b) [E]")
    supply_trap_ml: float = quantity(0.07, "mL", 0.001, 50.0, "volume between supply isolation and fill [E]")
    vent_trap_ml: float = quantity(0.07, "mL", 0.001, 50.0, "volume between vent and vent isolation [E]")

    trap_ml: float = quantity(
        0.0, "mL", 0.0, 50.0, "both of these volumes; 0: the two values above [E]", ((0.05, 0.3),)
    )

    leak_c: float = quantity(
        0.0, "m3/(s Pa)", 0.0, 1e-8, "leak to the room; 2.8e-16 is 1 kPa/h at 5 MPa in 0.5 L"
    )
    supply_isolation_leak_c: float = quantity(
        0.0, "m3/(s Pa)", 0.0, 1e-8, "seat leak of the supply isolation"
    )
    fill_leak_c: float = quantity(0.0, "m3/(s Pa)", 0.0, 1e-8, "seat leak of the fill valve")
    vent_isolation_leak_c: float = quantity(0.0, "m3/(s Pa)", 0.0, 1e-8, "seat leak of the vent isolation")
    vent_leak_c: float = quantity(0.0, "m3/(s Pa)", 0.0, 1e-8, "seat leak of the vent valve")
    relief_leak_c: float = quantity(0.0, "m3/(s Pa)", 0.0, 1e-8, "seat leak of the switched relief valve")

    supply_isolation_open_ms: float = quantity(
        15.0, "ms", 0.0, 500.0, "opening delay of the supply isolation [E]"
    )
    supply_isolation_close_ms: float = quantity(
        20.0, "ms", 0.0, 500.0, "closing delay of the supply isolation [E]"
    )
    fill_open_ms: float = quantity(6.0, "ms", 0.0, 500.0, "opening delay of the fill valve [E]")
    fill_close_ms: float = quantity(5.0, "ms", 0.0, 500.0, "closing delay of the fill valve [E]")
    vent_isolation_open_ms: float = quantity(
        15.0, "ms", 0.0, 500.0, "opening delay of the vent isolation [E]"
    )
    vent_isolation_close_ms: float = quantity(
        20.0, "ms", 0.0, 500.0, "closing delay of the vent isolation [E]"
    )
    vent_open_ms: float = quantity(6.0, "ms", 0.0, 500.0, "opening delay of the vent valve [E]")
    vent_close_ms: float = quantity(5.0, "ms", 0.0, 500.0, "closing delay of the vent valve [E]")
    relief_open_ms: float = quantity(15.0, "ms", 0.0, 500.0, "opening delay of the switched relief valve [E]")
    relief_close_ms: float = quantity(
        20.0, "ms", 0.0, 500.0, "closing delay of the switched relief valve [E]"
    )
    valve_jitter_ms: float = quantity(
        1.0, "ms", 0.0, 100.0, "largest deviation of each delay, evenly distributed both ways [E]"
    )
    valve_dead_ms_per_mpa: float = quantity(
        0.0,
        "ms/MPa",
        0.0,
        50.0,
        "later opening of all valves against a pressure difference [E]",
        ((0.0, 1.0),),
    )
    coil_rise_ms: float = quantity(
        0.0,
        "ms",
        0.0,
        200.0,
        "L/R of the coils; a valve begins to open at 60 % of the current",
        ((5.0, 12.0),),
    )
    rest_s: float = quantity(
        0.0,
        "s",
        0.0,
        1e7,
        "rest after which fill and vent pass less in their first pulse [E]",
        ((600.0, 600.0),),
    )
    first_pulse_share: float = quantity(
        0.0, "1", 0.0, 1.0, "share of the flow in that pulse; 0: all of it [E]", ((0.5, 1.0),)
    )
    missed_probability: float = quantity(
        1e-4, "1", 0.0, 1.0, "chance that an energised valve does not open [E]"
    )
    stick_probability: float = quantity(0.0, "1", 0.0, 1.0, "chance that a valve closes late [E]")
    stick_ms: float = quantity(
        500.0, "ms", 0.0, 60000.0, "largest extra closing delay of a valve that sticks [E]"
    )

    mechanical_relief_mpa: float = quantity(9.5, "MPa", 0.15, 40.0, "the mechanical relief valve opens")
    mechanical_reseat_mpa: float = quantity(8.5, "MPa", 0.12, 40.0, "the mechanical relief valve shuts again")
    mechanical_relief_c: float = quantity(
        1e-8, "m3/(s Pa)", 0.0, 1e-5, "conductance of the mechanical relief [E]"
    )
    burst_disc_mpa: float = quantity(10.5, "MPa", 0.15, 40.0, "the burst disc breaks, for good")
    burst_disc_c: float = quantity(1e-7, "m3/(s Pa)", 0.0, 1e-5, "conductance of the broken burst disc [E]")

    oven_c: float = quantity(30.0, "degC", -40.0, 150.0, "oven temperature; gas and wall start there")
    oven_amplitude_k: float = quantity(0.0, "K", 0.0, 50.0, "amplitude of the oven's control cycle (a sine)")
    oven_period_s: float = quantity(600.0, "s", 1.0, 1e7, "period of the oven's control cycle")
    oven_drift_k_per_day: float = quantity(0.0, "K/day", -100.0, 100.0, "steady drift of the oven")
    oven_step_k: float = quantity(0.0, "K", -100.0, 100.0, "step of the oven temperature at oven_step_s")
    oven_step_s: float = quantity(0.0, "s", 0.0, 1e9, "time of the step")
    wall_s: float = quantity(1700.0, "s", 10.0, 1e6, "time constant of wall to oven [E]")
    wall_j_k: float = quantity(2000.0, "J/K", 100.0, 1e7, "heat capacity of the wall that the gas heats [E]")
    convection_factor: float = quantity(
        1.0, "1", 0.0, 100.0, "scales all heat from gas to wall; 0 is an adiabatic chamber [E]"
    )
    forced_factor: float = quantity(
        0.02, "1", 0.0, 10.0, "scales the forced convection while filling [E]", ((0.01, 0.4),)
    )
    inlet_mm: float = quantity(2.0, "mm", 0.1, 50.0, "bore of the filling tube, for forced convection [E]")
    stirring_s: float = quantity(1.0, "s", 0.0, 60.0, "how long the jet's stirring lasts (time constant) [E]")

    sorption_kpa: float = quantity(
        0.0,
        "kPa",
        0.0,
        1000.0,
        "pressure that the seals take up at 5 MPa in the end; none yet at the start",
        ((0.0, 20.0),),
    )
    sorption_h: float = quantity(0.0, "h", 0.0, 1e4, "time constant of this uptake", ((5.0, 5.0),))
    creep_kpa_per_mpa: float = quantity(
        0.0,
        "kPa/MPa",
        0.0,
        100.0,
        "pressure lost as the chamber grows, within an hour; at 5 MPa",
        ((0.0, 1.0),),
    )

    cell_capacity_ah: float = quantity(5.0, "Ah", 0.0, 1e4, "capacity of the cell; it starts discharged")
    cell_c_rate: float = quantity(
        0.0, "1/h", 0.0, 100.0, "C rate of full charges and discharges in turn; 0 is idle"
    )
    cell_cm3_per_ah: float = quantity(
        0.485, "cm3/Ah", -10.0, 10.0, "swelling per charge: lithium 0.485, silicon 0.34-0.36"
    )
    cell_rest_s: float = quantity(0.0, "s", 0.0, 1e8, "rest after every charge and discharge")
    cell_profile: tuple[tuple[float, float], ...] = other(
        (),
        "s, A",
        "list of [time_s, current_A] instead of cell_c_rate; each holds to the next, the last "
        "time ends it; charging is positive; or a cycler's file, whose charge the cell follows",
    )
    cell_profile_csv: str = other(
        "", "", "file with the columns time in s and current in A, instead of cell_profile"
    )
    cell_heat_w: float = quantity(0.0, "W", 0.0, 1000.0, "heat from the cell to its wall")
    gassing_mol_s: float = quantity(0.0, "mol/s", 0.0, 1e-3, "gas that the cell makes")
    gassing_cm3_h: float = quantity(
        0.0, "cm3/h", 0.0, 1e6, "the same, as volume at 0 degC and 101.325 kPa; give one of the two"
    )

    full_scale_mpa: float = quantity(10.0, "MPa", 0.1, 100.0, "pressure at 20 mA of all three transducers")
    transducer_lag_ms: float = quantity(3.0, "ms", 0.0, 1e4, "time constant of the transducers [E]")
    transducer_noise_kpa: float = quantity(
        0.5, "kPa", 0.0, 1e4, "rms noise of control and supply transducer [E]"
    )
    safety_noise_kpa: float = quantity(
        3.0, "kPa", 0.0, 1e4, "rms noise of the safety transducer and its ADC [E]"
    )
    control_lag_ms: float = quantity(
        0.0, "ms", 0.0, 1e4, "the same, of the control transducer alone; 0: the value above", ((3.0, 50.0),)
    )
    safety_lag_ms: float = quantity(
        0.0, "ms", 0.0, 1e4, "the same, of the safety transducer alone; 0: the value above", ((3.0, 50.0),)
    )
    control_offset_kpa: float = quantity(
        0.0, "kPa", -1e4, 1e4, "constant error of the control transducer", ((-5.0, 5.0),)
    )
    safety_offset_kpa: float = quantity(
        0.0, "kPa", -1e4, 1e4, "constant error of the safety transducer", ((-20.0, 20.0),)
    )
    control_drift_kpa_per_day: float = quantity(
        0.0, "kPa/day", -1e4, 1e4, "steady drift of the control transducer", ((-0.5, 0.5),)
    )
    safety_drift_kpa_per_day: float = quantity(
        0.0, "kPa/day", -1e4, 1e4, "steady drift of the safety transducer", ((-0.5, 0.5),)
    )
    transducer_hysteresis_kpa: float = quantity(
        0.0,
        "kPa",
        0.0,
        1000.0,
        "hysteresis of both transducers over full scale, less in proportion",
        ((0.0, 4.0),),
    )
    hum_kpa: float = quantity(0.0, "kPa", 0.0, 1000.0, "amplitude of mains hum on the loops", ((0.0, 1.0),))
    hum_hz: float = quantity(50.0, "Hz", 1.0, 1000.0, "its frequency", ((49.5, 50.5), (59.5, 60.5)))
    glitch_kpa: float = quantity(
        0.0,
        "kPa",
        0.0,
        1e4,
        "height of glitches on one of the chamber's loops, of either sign",
        ((0.0, 20.0),),
    )
    glitch_ms: float = quantity(60.0, "ms", 0.0, 1e4, "their length", ((60.0, 60.0),))
    glitch_every_s: float = quantity(
        3600.0, "s", 1.0, 1e9, "mean time between them; they come at random", ((3600.0, 3600.0),)
    )
    zero_drift_kpa_per_k: float = quantity(
        0.0,
        "kPa/K",
        -100.0,
        100.0,
        "zero drift of the transducers with wall temperature (uncorrected: 2)",
        ((-0.4, 0.4),),
    )
    span_drift_ppm_per_k: float = quantity(
        0.0, "ppm/K", -1e4, 1e4, "span drift of the transducers with wall temperature", ((-40.0, 40.0),)
    )
    drift_reference_c: float = quantity(
        25.0, "degC", -40.0, 150.0, "wall temperature without zero and span drift"
    )
    gas_sensor_s: float = quantity(3.0, "s", 0.0, 1e4, "time constant of the gas temperature sensor [E]")
    gas_sensor_wall_share: float = quantity(
        0.0,
        "1",
        0.0,
        0.9,
        "share of the wall temperature that the gas sensor reads along its sheath",
        ((0.0, 0.3),),
    )
    gas_offset_k: float = quantity(0.0, "K", -50.0, 50.0, "error of the gas sensor", ((-0.35, 0.35),))
    wall_offset_k: float = quantity(0.0, "K", -50.0, 50.0, "error of the wall sensor", ((-0.25, 0.25),))
    wall_sensor_s: float = quantity(
        0.0, "s", 0.0, 1e5, "time constant of the wall sensor on its block [E]", ((0.0, 300.0),)
    )
    gas_mismatch_mk: float = quantity(
        20.0, "mK", 0.0, 1e4, "rms of the slow mismatch of gas and its sensor [E]"
    )
    gas_mismatch_s: float = quantity(1800.0, "s", 1.0, 1e7, "correlation time of the slow mismatch [E]")
    gas_noise_mk: float = quantity(10.0, "mK", 0.0, 1e5, "rms noise of the gas temperature [E]")
    wall_noise_mk: float = quantity(4.0, "mK", 0.0, 1e5, "rms noise of the wall temperature [E]")

    def __post_init__(self) -> None:
        for each in fields(self):
            given = getattr(self, each.name)
            if "minimum" in each.metadata:
                object.__setattr__(self, each.name, _number(each.name, given, each.metadata))
            elif each.name == "cell_profile":
                object.__setattr__(self, each.name, _points(given))
            elif not isinstance(given, str) or (each.name == "gas" and given not in GASES):
                raise _RefusedError(each.name, given, _TEXT[each.name])
        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        """Refuse combinations that no rig can have; strange but possible rigs stay allowed."""
        for wrong, text in (
            (bool(self.cell_profile_csv), "cell_profile_csv names a file, which load_parameters reads"),
            (
                self.mechanical_relief_mpa > self.burst_disc_mpa,
                "mechanical_relief_mpa must not be above burst_disc_mpa",
            ),
            (
                self.mechanical_reseat_mpa >= self.mechanical_relief_mpa,
                "mechanical_reseat_mpa must be below mechanical_relief_mpa",
            ),
            (self.initial_mpa >= self.burst_disc_mpa, "initial_mpa must be below burst_disc_mpa"),
            (
                self.compressor_period_s > 0.0 and self.compressor_low_mpa >= self.supply_mpa,
                "compressor_low_mpa must be below supply_mpa",
            ),
            (
                self.gassing_mol_s > 0.0 and self.gassing_cm3_h > 0.0,
                "give gassing_mol_s or gassing_cm3_h, not both",
            ),
            (
                bool(self.cell_profile) and self.cell_c_rate > 0.0,
                "give cell_c_rate or cell_profile, not both",
            ),
            (
                max(self.supply_trap_ml, self.vent_trap_ml, self.trap_ml) > 100.0 * self.volume_l,
                "supply_trap_ml, vent_trap_ml and trap_ml must be at most a tenth of volume_l",
            ),
            (
                any(
                    not (math.isfinite(time) and math.isfinite(current))
                    for time, current in self.cell_profile
                ),
                "cell_profile must hold finite numbers",
            ),
            (
                any(time < 0.0 for time, _ in self.cell_profile[:1])
                or any(late[0] <= early[0] for early, late in zip(self.cell_profile, self.cell_profile[1:])),
                "cell_profile must have times that start at 0 or later and increase",
            ),
            (len(self.cell_profile) == 1, "cell_profile must have two points or more: the last one ends it"),
            (
                self._most_charge_ah() * abs(self.cell_cm3_per_ah) > 500.0 * self.volume_l,
                "cell_profile x cell_cm3_per_ah must be at most half of volume_l",
            ),
            (
                self.cell_c_rate > 0.0
                and self.cell_capacity_ah * abs(self.cell_cm3_per_ah) > 500.0 * self.volume_l,
                "cell_capacity_ah x cell_cm3_per_ah must be at most half of volume_l",
            ),
        ):
            if wrong:
                raise ValueError(text)

    def _most_charge_ah(self) -> float:
        """Return the largest charge, of either sign, that the profile reaches."""
        charge_ah = most_ah = 0.0
        for (start_s, current_a), (end_s, _) in zip(self.cell_profile, self.cell_profile[1:]):
            charge_ah += current_a * (end_s - start_s) / 3600.0
            most_ah = max(most_ah, abs(charge_ah))
        return most_ah


def _number(name: str, given: object, limits: Mapping[str, Any]) -> float:
    """Return a finite number within its limits. Raises _RefusedError."""
    minimum, maximum = limits["minimum"], limits["maximum"]
    # Compared before conversion: an integer may be too large for it. Both comparisons are false for NaN.
    if isinstance(given, (int, float)) and not isinstance(given, bool) and minimum <= given <= maximum:
        return float(given)
    raise _RefusedError(name, given, f"must be a number from {minimum:g} to {maximum:g} {limits['unit']}")


def _points(given: Any) -> CellProfile:
    """Return a list of pairs of numbers as tuples. Raises _RefusedError with the faulty part."""
    points = given if isinstance(given, (list, tuple)) else [given]
    floats: list[Any] = [
        tuple(float(part) if type(part) is int else part for part in point)
        if isinstance(point, (list, tuple))
        else point
        for point in points
    ]
    for point in floats:
        wrong = [point] if not isinstance(point, tuple) or len(point) != 2 else []
        for part in wrong or [part for part in point if not isinstance(part, float)]:
            raise _RefusedError(
                "cell_profile", part, "must be a list of [time_s, current_A] pairs, or a cycler's file"
            )
    return tuple(floats)


@dataclass(frozen=True)
class Rig:
    """The parameters of a simulated rig, its kind ("ordinary" or "ideal"), and what of them was drawn."""

    parameters: PlantParameters
    kind: str
    drawn: dict[str, float | str]


def load_rig(path: Path | None, sets: Sequence[str], seed: int, *, ideal: bool = False) -> Rig:
    """Return an ordinary rig: as load_parameters, with tolerances drawn from the seed for what is not set.

    `ideal`, or `ideal = true` in the file or the strings, draws none. Raises ParameterError.
    """
    values, origin = _given(path, sets)
    wanted = values.pop("ideal", ideal)
    if not isinstance(wanted, bool):
        raise ParameterError(f"{origin['ideal']}: ideal = {wanted!r}: must be true or false")
    drawn = {} if wanted or ideal else draw(seed, values)
    return Rig(_checked(drawn | values, origin), "ideal" if wanted or ideal else "ordinary", drawn)


def load_parameters(path: Path | None, sets: Sequence[str]) -> PlantParameters:
    """Return the ideal rig with the values of a TOML file's [plant] table, overridden by `name=value` strings.

    Other tables of the simulator ([[faults]]) have their own readers. Raises ParameterError with one line of
    parameter, source and allowed values.
    """
    return load_rig(path, sets, 0, ideal=True).parameters


def draw(seed: int, given: Mapping[str, Any]) -> dict[str, float | str]:
    """Return the values of an ordinary rig with this seed, except of what is given.

    Each parameter has its own random stream: setting one leaves all others. Values are rounded to four digits, so that
    they can be given again as text.
    """
    drawn: dict[str, float | str] = {}
    for each in fields(PlantParameters):
        ordinary = each.metadata["ordinary"]
        if not ordinary or any(name in given for name in (each.name, *_REPLACES.get(each.name, ()))):
            continue
        random = Random(f"{seed} rig {each.name}")
        chosen = random.choice(ordinary)
        drawn[each.name] = chosen if isinstance(chosen, str) else float(f"{random.uniform(*chosen):.4g}")
    return drawn


def _given(path: Path | None, sets: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the given values and the source of each. Raises ParameterError."""
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    if path is not None:
        for name, value in _read_table(path).items():
            values[name] = value
            origin[name] = str(path)
            if name in ("cell_profile_csv", "cell_profile") and isinstance(value, str) and value:
                values[name] = str(path.parent / value)
    for text in sets:
        name, equals, raw = (part.strip() for part in text.partition("="))
        if not equals or not name or not raw:
            raise ParameterError(f"--set {text}: expected name=value, as in --set volume_l=0.5")
        values[name] = _parse(name, raw)
        origin[name] = f"--set {text}"
    return values, origin


def _checked(values: dict[str, Any], origin: Mapping[str, str]) -> PlantParameters:
    """Return the parameters. Raises ParameterError that names the source."""
    known = [each.name for each in fields(PlantParameters)]
    for name in values:
        if name not in known:
            raise ParameterError(f"{origin[name]}: {_unknown(name, known, 'parameter')}")
    try:
        return PlantParameters(**points_of(values))
    except _RefusedError as error:
        raise ParameterError(f"{origin[error.name]}: {error}") from None
    except ValueError as error:
        text = str(error)
        places = sorted({where for name, where in origin.items() if name in text})
        raise ParameterError(f"{', '.join(places) or 'plant'}: {text}") from None


def describe_parameters(rig: Rig) -> list[dict[str, Any]]:
    """Return every parameter with its value in this rig, in the order of the table.

    `ordinary` lists the ranges or texts from which the value of an ordinary rig is drawn.
    """
    return [
        {
            "name": each.name,
            "unit": each.metadata["unit"],
            "value": getattr(rig.parameters, each.name),
            "drawn": each.name in rig.drawn,
            "ordinary": each.metadata["ordinary"],
            "default": each.default,
            "minimum": each.metadata.get("minimum"),
            "maximum": each.metadata.get("maximum"),
            "help": each.metadata["help"],
        }
        for each in fields(PlantParameters)
    ]


def read_plant_file(path: Path) -> dict[str, Any]:
    """Return the tables of a plant file. Raises ParameterError, also where Python itself cannot read TOML."""
    # Imported here, because the rung `core` also runs on PyPy, which has no tomllib up to Python 3.10.
    try:
        import tomllib
    except ImportError:
        raise ParameterError(
            f"{path}: a plant file needs Python 3.11 or newer; pass name=value instead"
        ) from None
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ParameterError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{path}: is not valid TOML: {error}") from None
    for name in document:
        if name not in TABLES:
            hint = "put parameters under [plant]" if hasattr(PlantParameters, name) else ""
            raise ParameterError(
                f"{path}: {hint or _unknown(name, TABLES, 'table')} (found {name} at the top)"
            )
    return document


def _read_table(path: Path) -> dict[str, Any]:
    table = read_plant_file(path).get("plant", {})
    if not isinstance(table, dict):
        raise ParameterError(f"{path}: plant must be a table, written [plant]")
    return table


def _unknown(name: str, known: Sequence[str], kind: str) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else "`ipch sim --list` names them all"
    return f"unknown {kind} {name}; {hint}"


def _parse(name: str, raw: str) -> Any:
    """Return the value of a --set string as TOML would; the table checks its type."""
    if name in ("gas", "cell_profile_csv"):
        return raw
    if name == "ideal" and raw in ("true", "false"):
        return raw == "true"
    try:
        return json.loads(raw) if raw.startswith("[") else float(raw)
    except ValueError:
        return raw
