"""The simulated rig: supply, five valves, a chamber of real gas with a breathing cell, oven and sensors.

The chain is supply -> supply isolation -> trap -> fill -> chamber -> vent -> trap -> vent isolation -> room; the
switched relief valve, the mechanical relief valve, the burst disc and leaks go from the chamber to the room.

While all valves are shut a tick is one semi-implicit step.  While gas flows, steps follow the flow's own speed, with
midpoint values for the chamber; the traps, which settle within milliseconds, are stepped exponentially.
"""

from __future__ import annotations

from math import exp

from ipch.sim.chamber import Chamber
from ipch.sim.gas import Gas, Orifice
from ipch.sim.parameters import PlantParameters
from ipch.sim.seals import Seals
from ipch.sim.sensors import Measurement, Sensors
from ipch.sim.surroundings import ZERO_CELSIUS_K, Cell, Oven, Supply
from ipch.sim.valve import NEVER, Valve

__all__ = ["Measurement", "Plant", "Valve"]

VALVE_NAMES = ("supply_isolation", "fill", "vent_isolation", "vent", "relief")
SUPPLY_ISOLATION, FILL, VENT_ISOLATION, VENT, RELIEF = range(5)
PULSED = (FILL, VENT)
MOLAR_GAS_CONSTANT = 8.314462618
# The gas law at 0 degC and 101.325 kPa converts cm3/h of gassing.
NORMAL_MOL_M3 = 101325.0 / (MOLAR_GAS_CONSTANT * ZERO_CELSIUS_K)
# dp/p of a stirred adiabatic chamber is this times dm/m, a little on the high side.
ADIABATIC = 1.6
# Limits of one step: share of the pressure, and of the way to equilibrium of heat and of traps.
PRESSURE_SHARE = 0.01
HEAT_SHARE = 0.025
TRAP_SHARE = 0.3
TRAP_SETTLED = 0.02
LEAST_STEP_S = 2e-5
# Beyond this share of the way to pressure equilibrium a step is damped, since flow is linear there.
STIFF_SHARE = 0.25
# Leaks slower than this share of the gas per step need no midpoint.
SLOW_LEAK_SHARE = 1e-3


class Plant:
    """A rig that obeys valve commands, advances in whole milliseconds and gives its sensors' signals.

    Truth is in public attributes and properties, in SI units. `volume_m3` is the gas volume now,
    `cell_volume_m3` the swelling of the cell since the start. Failures may set these while it runs:
    `leak_c` and `burst` (a burst line), both in m3/(s Pa); `sensors.follow_share`; `supply_pa_override`;
    `gassing_mol_s`; `cell_heat_w`; `oven_offset_k`; `mechanical_relief_blocked`; and each valve's `stuck`, `leak_c`,
    `stick_us`, `coil` and `held`. The same parameters, seed and commands give the same run bit for bit.
    """

    def __init__(self, parameters: PlantParameters, seed: int = 1) -> None:
        self.parameters = parameters
        self.time_ms = 0
        self._time_us = 0
        self._oven = Oven(parameters)
        self._supply = Supply(parameters)
        self._cell = Cell(parameters)
        self.oven_k = self._oven.kelvin(0.0)
        self.supply_pa = self._supply.pascal(0.0)
        self.cell_ah = 0.0
        self.cell_volume_m3 = 0.0

        gas = Gas(parameters.gas)
        self.chamber = Chamber(parameters, gas, self.oven_k)
        self._orifice = Orifice(gas, parameters.critical_ratio)
        self._seals = Seals(parameters, gas, self.oven_k)
        self.valves = [Valve(name, parameters, seed) for name in VALVE_NAMES]
        self._next_us = NEVER

        self.leak_c = parameters.leak_c
        self.burst = 0.0
        self.supply_pa_override: float | None = None
        self.gassing_mol_s = (
            parameters.gassing_mol_s + parameters.gassing_cm3_h * 1e-6 / 3600.0 * NORMAL_MOL_M3
        )
        self._kg_mol = MOLAR_GAS_CONSTANT / gas.r_j_kg_k
        self.oven_offset_k = 0.0
        self.mechanical_relief_open = False
        self.mechanical_relief_blocked = False
        self.burst_disc_broken = False
        self._mechanical_relief_pa = parameters.mechanical_relief_mpa * 1e6
        self._mechanical_reseat_pa = parameters.mechanical_reseat_mpa * 1e6
        self._burst_disc_pa = parameters.burst_disc_mpa * 1e6

        # Through fill; vent and relief; leaks and a burst line; mechanical relief and burst disc.
        self.metered_in_kg = 0.0
        self.metered_out_kg = 0.0
        self.vent_pair_kg = 0.0  # of these, by the vent pair
        self.leaked_kg = 0.0
        self.relieved_kg = 0.0
        self.gassed_kg = 0.0

        self._ambient_pa = parameters.ambient_kpa * 1e3
        self._ambient_k = parameters.ambient_c + ZERO_CELSIUS_K
        self._ambient_enthalpy_j_kg = gas.enthalpy_j_kg(self._ambient_pa, self._ambient_k)
        self._supply_k = parameters.supply_c + ZERO_CELSIUS_K
        self._supply_enthalpy_j_kg = 0.0
        self._supply_enthalpy_pa = -1.0
        self._supply_trap_pa = self._ambient_pa
        self._vent_trap_pa = self._ambient_pa
        # The traps are almost all wall, so isothermal; their kg/Pa at the supply's compressibility.
        z_r_t = gas.r_j_kg_k * self._supply_k * gas.compressibility(self.supply_pa, self._supply_k)
        self._supply_trap_kg_pa = (parameters.trap_ml or parameters.supply_trap_ml) * 1e-6 / z_r_t
        self._vent_trap_kg_pa = (parameters.trap_ml or parameters.vent_trap_ml) * 1e-6 / z_r_t
        self._filled_kg = 0.0  # metered_in_kg at the start of the tick
        self._full_flow_kg_s = self._orifice.flow_kg_s(
            parameters.fill_c, self.supply_pa, self._supply_k, self._ambient_pa, self._ambient_k
        )
        self._seep_kg_s = 0.0  # gas that the cell makes, less what the seals take up
        self.sensors = Sensors(parameters, seed, self.pressure_pa, self.supply_pa, self.gas_k)

    @property
    def pressure_pa(self) -> float:
        """Chamber pressure."""
        return self.chamber.pressure_pa

    @property
    def gas_k(self) -> float:
        """Mean gas temperature."""
        return self.chamber.gas_k

    @property
    def wall_k(self) -> float:
        """Wall temperature."""
        return self.chamber.wall_k

    @property
    def gas_kg(self) -> float:
        """Mass of gas in the chamber."""
        return self.chamber.gas_kg

    @property
    def volume_m3(self) -> float:
        """Volume of gas in the chamber."""
        return self.chamber.volume_m3

    @property
    def cell_heat_w(self) -> float:
        """Heat from the cell to the wall."""
        return self.chamber.cell_heat_w

    @cell_heat_w.setter
    def cell_heat_w(self, watts: float) -> None:
        self.chamber.cell_heat_w = watts

    def pulse(self, valve: int, duration_us: int) -> None:
        """Energise fill (0) or vent (1) for a time; one that is on stays on, for the longer of the two times."""
        if duration_us > 0:
            target = self.valves[PULSED[valve]]
            target.across_pa = self._across_pa(PULSED[valve])
            target.energise(self._time_us, self._time_us + duration_us)
            self._next_us = min(self._next_us, target.next_us())

    def switch(self, supply_isolation: bool, vent_isolation: bool, relief: bool) -> None:
        """Set the coils of the three switched valves."""
        for index, on in (
            (SUPPLY_ISOLATION, supply_isolation),
            (VENT_ISOLATION, vent_isolation),
            (RELIEF, relief),
        ):
            target = self.valves[index]
            if on != target.gate:
                if on:
                    target.across_pa = self._across_pa(index)
                    target.energise(self._time_us)
                else:
                    target.release(self._time_us)
                self._next_us = min(self._next_us, target.next_us())

    def drive(self, index: int, on: bool, at_us: int) -> None:
        """Set one coil (an index of `valves`) at this time, which lies in the next step."""
        target = self.valves[index]
        if on != target.gate:
            if on:
                target.across_pa = self._across_pa(index)
                target.energise(at_us)
            else:
                target.release(at_us)
            self._next_us = min(self._next_us, target.next_us())

    def _across_pa(self, index: int) -> float:
        """Return the pressure difference that a valve opens against."""
        pressure_pa = self.chamber.pressure_pa
        return abs(
            (
                self.supply_pa - self._supply_trap_pa,
                self._supply_trap_pa - pressure_pa,
                self._vent_trap_pa - self._ambient_pa,
                pressure_pa - self._vent_trap_pa,
                pressure_pa - self._ambient_pa,
            )[index]
        )

    def shut(self) -> None:
        """Switch all transistors off, including those of running pulses."""
        for valve in self.valves:
            valve.release(self._time_us)
        self._next_us = min(valve.next_us() for valve in self.valves)

    def power(self, on: bool) -> None:
        """Switch the coil rail on, and with it the coils of shorted transistors; or off, with all coils."""
        for valve in self.valves:
            if not on:
                valve.cut(self._time_us)
            elif valve.held and not valve.energised:
                valve.hold(self._time_us)
        self._next_us = min(valve.next_us() for valve in self.valves)

    def lose(self, valve: Valve) -> None:
        """The coil breaks: its current ends, whatever the command."""
        valve.drop(self._time_us)
        self._next_us = min(self._next_us, valve.next_us())

    def let_go(self, valve: Valve) -> None:
        """Switch one coil off."""
        valve.cut(self._time_us)
        self._next_us = min(self._next_us, valve.next_us())

    def advance(self, dt_ms: int) -> None:
        """Advance by a whole number of milliseconds."""
        dt_s = dt_ms * 1e-3
        end_us = self._time_us + dt_ms * 1000
        end_s = end_us * 1e-6
        chamber = self.chamber
        self.sensors.begin(dt_s)
        oven_k = self._oven.kelvin(end_s) + self.oven_offset_k
        # The wall follows the mean over the tick.
        mean_oven_k = 0.5 * (self.oven_k + oven_k)
        self.oven_k = oven_k
        override_pa = self.supply_pa_override
        flow_share = (self.metered_in_kg - self._filled_kg) / (dt_s * self._full_flow_kg_s)
        self._filled_kg = self.metered_in_kg
        self.supply_pa = self._supply.pascal(end_s, dt_s, flow_share) if override_pa is None else override_pa
        swell_m3_s = 0.0
        self._seep_kg_s = self.gassing_mol_s * self._kg_mol
        if self._seals.active:
            self._seals.advance(dt_s, chamber.pressure_pa)
            self._seep_kg_s -= self._seals.sorption_kg_s
            swell_m3_s -= self._seals.growth_m3_s
        if self._cell.breathes:
            self.cell_ah = self._cell.ampere_hours(end_s)
            swelling_m3 = self.cell_ah * self._cell.m3_per_ah
            swell_m3_s += (swelling_m3 - self.cell_volume_m3) / dt_s
            self.cell_volume_m3 = swelling_m3

        valves = self.valves
        tight = self._next_us >= end_us
        for valve in valves:
            if valve.lifted or valve.open or valve.leak_c or valve.stuck:
                tight = False
        if tight:
            self._rest(dt_s, swell_m3_s, mean_oven_k)
        else:
            now_us = self._time_us
            while now_us < end_us:
                if self._next_us <= now_us:
                    for valve in valves:
                        valve.happen(now_us)
                    self._next_us = min(valve.next_us() for valve in valves)
                until_us = min(end_us, self._next_us)
                passing = False
                for valve in valves:
                    if valve.settle():
                        passing = True
                    if valve.open:
                        valve.open_us += until_us - now_us
                if passing:
                    self._flow((until_us - now_us) * 1e-6, swell_m3_s, mean_oven_k)
                else:
                    self._rest((until_us - now_us) * 1e-6, swell_m3_s, mean_oven_k)
                now_us = until_us
        self._time_us = end_us
        self.time_ms += dt_ms
        self.sensors.follow(dt_s, self.supply_pa, chamber.gas_k, chamber.wall_k)

    def measure(self, paired: bool = False) -> Measurement:
        """Return the present sensor signals, in an object that the next call reuses; each call draws noise.

        `paired`: of two conversions, see Sensors.measure().
        """
        return self.sensors.measure(self.chamber.wall_k, paired)

    def truth(self) -> dict[str, float | int | bool]:
        """Return the true state as one flat record, ready for JSON; names carry units."""
        record: dict[str, float | int | bool] = {
            "time_s": self.time_ms / 1000.0,
            "pressure_pa": self.pressure_pa,
            "gas_k": self.gas_k,
            "wall_k": self.wall_k,
            "oven_k": self.oven_k,
            "supply_pa": self.supply_pa,
            "supply_trap_pa": self._supply_trap_pa,
            "vent_trap_pa": self._vent_trap_pa,
            "gas_kg": self.gas_kg,
            "gas_cm3": self.volume_m3 * 1e6,
            "cell_cm3": self.cell_volume_m3 * 1e6,
            "cell_ah": self.cell_ah,
            "metered_in_kg": self.metered_in_kg,
            "metered_out_kg": self.metered_out_kg,
            "leaked_kg": self.leaked_kg,
            "relieved_kg": self.relieved_kg,
            "gassed_kg": self.gassed_kg,
            "sorbed_kg": self._seals.sorbed_kg,
            "mechanical_relief_open": self.mechanical_relief_open,
            "burst_disc_broken": self.burst_disc_broken,
        }
        for valve in self.valves:
            record[f"{valve.name}_open"] = valve.open
            record[f"{valve.name}_openings"] = valve.openings
            record[f"{valve.name}_missed"] = valve.missed
            record[f"{valve.name}_open_s"] = valve.open_us * 1e-6
        return record

    def _guard_c(self) -> float:
        """Return the conductance of mechanical relief and burst disc, after updating them with the pressure."""
        pressure = self.chamber.pressure_pa
        if pressure >= self._burst_disc_pa:
            self.burst_disc_broken = True
        if self.mechanical_relief_open:
            self.mechanical_relief_open = pressure > self._mechanical_reseat_pa
        else:
            self.mechanical_relief_open = pressure >= self._mechanical_relief_pa
        if self.mechanical_relief_blocked:
            self.mechanical_relief_open = False
        return (self.parameters.mechanical_relief_c if self.mechanical_relief_open else 0.0) + (
            self.parameters.burst_disc_c if self.burst_disc_broken else 0.0
        )

    def _rest(self, duration_s: float, swell_m3_s: float, oven_k: float) -> None:
        """Advance with all valves tight: breathing, heat, gassing and slow leaks only."""
        chamber = self.chamber
        leak_c = self.leak_c + self.burst
        if (
            leak_c * 1.5e5 * duration_s > SLOW_LEAK_SHARE * chamber.volume_m3
            or chamber.pressure_pa >= self._mechanical_relief_pa
            or self.mechanical_relief_open
            or self.burst_disc_broken
        ):
            self._flow(duration_s, swell_m3_s, oven_k)
            return
        parts = 1
        if abs(chamber.gas_k - chamber.wall_k) > 0.02:
            parts += int(duration_s * chamber.heat_rate_1_s / HEAT_SHARE)
        dt_s = duration_s / parts
        for _ in range(parts):
            inflow_kg = enthalpy_j = 0.0
            if leak_c:
                inflow_kg = dt_s * self._orifice.flow_kg_s(
                    leak_c, self._ambient_pa, self._ambient_k, chamber.pressure_pa, chamber.gas_k
                )
                self.leaked_kg -= inflow_kg
                enthalpy_j = inflow_kg * (
                    chamber.enthalpy_j_kg if inflow_kg < 0.0 else self._ambient_enthalpy_j_kg
                )
            if self._seep_kg_s:
                self.gassed_kg += self.gassing_mol_s * self._kg_mol * dt_s
                inflow_kg += self._seep_kg_s * dt_s
                enthalpy_j += self._seep_kg_s * dt_s * chamber.enthalpy_j_kg
            before_pa = chamber.pressure_pa
            chamber.settle(dt_s, inflow_kg, enthalpy_j, 0.0, swell_m3_s * dt_s, oven_k)
            self.sensors.follow_pressure(dt_s, before_pa, chamber.pressure_pa)

    def _flow(self, duration_s: float, swell_m3_s: float, oven_k: float) -> None:
        """Advance with gas flowing, in steps short enough for the fastest of the flows."""
        chamber = self.chamber
        secant = self._orifice.secant_kg_s_pa
        supply_c, fill_c, room_c, vent_c, relief_c = [valve.passing_c() for valve in self.valves]
        supply_pa, supply_k = self.supply_pa, self._supply_k
        ambient_pa, ambient_k = self._ambient_pa, self._ambient_k
        if abs(supply_pa - self._supply_enthalpy_pa) > 100.0:
            self._supply_enthalpy_pa = supply_pa
            self._supply_enthalpy_j_kg = chamber.gas.enthalpy_j_kg(supply_pa, supply_k)
        supply_enthalpy = self._supply_enthalpy_j_kg
        in_kg_pa, out_kg_pa = self._supply_trap_kg_pa, self._vent_trap_kg_pa
        leak_c = self.leak_c + self.burst
        left_s = duration_s
        while left_s > 0.0:
            guard_c = self._guard_c()
            open_c = relief_c + leak_c + guard_c
            pressure, gas_k, wall_k, mass = chamber.pressure_pa, chamber.gas_k, chamber.wall_k, chamber.gas_kg
            trap_in, trap_out = self._supply_trap_pa, self._vent_trap_pa
            g_supply = secant(supply_c, supply_pa, supply_k, trap_in, supply_k)
            g_fill = secant(fill_c, trap_in, supply_k, pressure, gas_k)
            g_vent = secant(vent_c, pressure, gas_k, trap_out, wall_k)
            g_room = secant(room_c, trap_out, wall_k, ambient_pa, ambient_k)
            g_open = secant(open_c, pressure, gas_k, ambient_pa, ambient_k)
            g_in, g_out = g_supply + g_fill, g_vent + g_room
            filling = g_fill * (trap_in - pressure)
            venting = g_vent * (pressure - trap_out)
            opening = g_open * (pressure - ambient_pa)

            dt_s = min(
                left_s,
                PRESSURE_SHARE * mass / (ADIABATIC * (abs(filling) + abs(venting) + abs(opening)) + 1e-30),
                HEAT_SHARE / (chamber.heat_rate_1_s + 1e-30),
            )
            # A trap without flow to the chamber may settle in one step.
            if g_fill and abs(g_supply * (supply_pa - trap_in) - filling) > TRAP_SETTLED * g_in * trap_in:
                dt_s = min(dt_s, TRAP_SHARE * in_kg_pa / g_in)
            if g_vent and abs(venting - g_room * (trap_out - ambient_pa)) > TRAP_SETTLED * g_out * trap_out:
                dt_s = min(dt_s, TRAP_SHARE * out_kg_pa / g_out)
            dt_s = min(left_s, max(dt_s, LEAST_STEP_S))
            left_s -= dt_s
            if left_s < 1e-9:
                left_s = 0.0

            # Values at mid-step from the flows at its start; near equilibrium those at the start, with conductances
            # reduced to their mean effect while the difference decays.
            stiff = dt_s * ADIABATIC * pressure / mass * (g_fill + g_vent + g_open)
            soft = 1.0 if stiff < STIFF_SHARE else (1.0 - exp(-stiff)) / stiff
            g_fill *= soft
            g_vent *= soft
            g_in, g_out = g_supply + g_fill, g_vent + g_room
            half_s = 0.5 * dt_s
            mid_in, mid_out = trap_in, trap_out
            if g_in:
                rest_pa = (g_supply * supply_pa + g_fill * pressure) / g_in
                mid_in = rest_pa + (trap_in - rest_pa) * exp(-half_s * g_in / in_kg_pa)
            if g_out:
                rest_pa = (g_vent * pressure + g_room * ambient_pa) / g_out
                mid_out = rest_pa + (trap_out - rest_pa) * exp(-half_s * g_out / out_kg_pa)
            mid_pa, mid_k, enthalpy = pressure, gas_k, chamber.enthalpy_j_kg
            if soft == 1.0:
                carried = filling * (supply_enthalpy if filling > 0.0 else enthalpy)
                carried -= (venting + opening) * enthalpy
                mid_pa, mid_k, enthalpy = chamber.predict(
                    (filling - venting - opening) * half_s, carried * half_s
                )

            filled_kg = vented_kg = opened_kg = 0.0
            if g_in:
                g_supply = secant(supply_c, supply_pa, supply_k, mid_in, supply_k)
                g_fill = soft * secant(fill_c, mid_in, supply_k, mid_pa, mid_k)
                rate = (g_supply + g_fill) / in_kg_pa
                rest_pa = (g_supply * supply_pa + g_fill * mid_pa) / (g_supply + g_fill)
                self._supply_trap_pa = rest_pa + (trap_in - rest_pa) * exp(-rate * dt_s)
                mean_pa = rest_pa + (trap_in - self._supply_trap_pa) / (rate * dt_s)
                filled_kg = g_fill * (mean_pa - mid_pa) * dt_s
                self.metered_in_kg += filled_kg
            if g_out:
                g_vent = soft * secant(vent_c, mid_pa, mid_k, mid_out, wall_k)
                g_room = secant(room_c, mid_out, wall_k, ambient_pa, ambient_k)
                rate = (g_vent + g_room) / out_kg_pa
                rest_pa = (g_vent * mid_pa + g_room * ambient_pa) / (g_vent + g_room)
                self._vent_trap_pa = rest_pa + (trap_out - rest_pa) * exp(-rate * dt_s)
                mean_pa = rest_pa + (trap_out - self._vent_trap_pa) / (rate * dt_s)
                vented_kg = g_vent * (mid_pa - mean_pa) * dt_s
            if open_c:
                g_open = soft * secant(open_c, mid_pa, mid_k, ambient_pa, ambient_k)
                opened_kg = g_open * (mid_pa - ambient_pa) * dt_s
                self.leaked_kg += opened_kg * (leak_c / open_c)
                self.relieved_kg += opened_kg * (guard_c / open_c)
            self.vent_pair_kg += vented_kg
            self.metered_out_kg += vented_kg + (opened_kg * (relief_c / open_c) if open_c else 0.0)
            seep_kg = self._seep_kg_s * dt_s
            self.gassed_kg += self.gassing_mol_s * self._kg_mol * dt_s
            # Gas back from the vent trap counts as warm as the chamber: it is a tenth of a millilitre.
            carried_j = filled_kg * (supply_enthalpy if filled_kg > 0.0 else enthalpy)
            carried_j -= opened_kg * (enthalpy if opened_kg > 0.0 else self._ambient_enthalpy_j_kg)
            carried_j += (seep_kg - vented_kg) * enthalpy
            chamber.settle(
                dt_s,
                filled_kg - vented_kg - opened_kg + seep_kg,
                carried_j,
                max(0.0, filled_kg / dt_s),
                swell_m3_s * dt_s,
                oven_k,
            )
            self.sensors.follow_pressure(dt_s, pressure, chamber.pressure_pa)
