"""One normally closed solenoid valve: command, delays, and failures of real valves."""

from __future__ import annotations

from math import log
from random import Random

from ipch.sim.parameters import PlantParameters

NEVER = 1 << 62
LIFT_TIME = -log(1.0 - 0.6)


class Valve:
    """A valve whose armature follows its coil late, not always, and sometimes sticks.

    A seal that has rested passes less in its first pulse. `across_pa` is the pressure difference at the next opening.
    These may be set at any time and count from the next step on: `stuck` ("", "open" or "shut"), `leak_c` (seat leak,
    m3/(s Pa)), `stick_us` (extra closing delay), `coil` ("", "open" or "short": no force) and `held` (its transistor
    conducts). `gate` is the command, `energised` the coil. `openings` counts energisations, `missed` those without
    movement, `open_us` the time that the seat was truly open; `lifted` is the armature's position if nothing stuck.
    """

    __slots__ = (
        "_close_at_us",
        "_close_us",
        "_dead_us_pa",
        "_first_share",
        "_jitter",
        "_jitter_us",
        "_miss",
        "_miss_probability",
        "_off_at_us",
        "_open_at_us",
        "_opening_us",
        "_rest_us",
        "_rested_us",
        "_share",
        "_stick",
        "_stick_probability",
        "_stick_us",
        "across_pa",
        "c",
        "coil",
        "energised",
        "gate",
        "held",
        "leak_c",
        "lifted",
        "missed",
        "name",
        "open",
        "open_us",
        "openings",
        "stick_us",
        "stuck",
    )

    def __init__(self, name: str, parameters: PlantParameters, seed: int) -> None:
        self.name = name
        self.c: float = getattr(parameters, f"{name}_c")
        self.leak_c: float = getattr(parameters, f"{name}_leak_c")
        self.gate = False
        self.energised = False
        self.open = False
        self.openings = 0
        self.missed = 0
        self.open_us = 0
        self.stuck = ""
        self.stick_us = 0
        self.coil = ""
        self.held = False
        # The current reaches 60 % after L/R times this.
        self._opening_us: float = (
            getattr(parameters, f"{name}_open_ms") + parameters.coil_rise_ms * LIFT_TIME
        ) * 1000.0
        self._dead_us_pa = parameters.valve_dead_ms_per_mpa * 1e-3
        self.across_pa = 0.0
        pulsed = name in ("fill", "vent")
        self._rest_us = round(parameters.rest_s * 1e6) if pulsed and parameters.first_pulse_share else 0
        self._first_share = parameters.first_pulse_share
        self._rested_us = -self._rest_us  # when it last shut; it starts rested
        self._share = 1.0  # of the flow in this pulse
        self._close_us: float = getattr(parameters, f"{name}_close_ms") * 1000.0
        self._jitter_us = parameters.valve_jitter_ms * 1000.0
        self._miss_probability = parameters.missed_probability
        self._stick_probability = parameters.stick_probability
        self._stick_us = parameters.stick_ms * 1000.0
        # One random stream per cause and valve: enabling one cause leaves all others unchanged.
        self._jitter = Random(f"{seed} {name} jitter")
        self._miss = Random(f"{seed} {name} miss")
        self._stick = Random(f"{seed} {name} stick")
        self.lifted = False
        self._off_at_us = NEVER
        self._open_at_us = NEVER
        self._close_at_us = NEVER

    def energise(self, now_us: int, off_at_us: int = NEVER) -> None:
        """Switch the transistor on until `off_at_us`; one that is on stays on, for the longer of the two times."""
        if self.gate:
            self._off_at_us = max(self._off_at_us, off_at_us)
            return
        self.gate = True
        self.openings += 1
        self._off_at_us = off_at_us
        if not self.energised:
            self._pull(now_us)

    def release(self, now_us: int) -> None:
        """Switch the transistor off; an armature that has not lifted by now no longer lifts."""
        if not self.gate:
            return
        self.gate = False
        self._off_at_us = NEVER
        if not self.held:
            self.drop(now_us)

    def hold(self, now_us: int) -> None:
        """The transistor conducts without a command."""
        self.openings += 1
        self._pull(now_us)

    def cut(self, now_us: int) -> None:
        """Remove the coil's supply; any earlier command is forgotten."""
        self.gate = False
        self._off_at_us = NEVER
        self.drop(now_us)

    def drop(self, now_us: int) -> None:
        """The current through the coil ends."""
        if not self.energised:
            return
        self.energised = False
        self._open_at_us = NEVER
        if self.lifted and self._close_at_us == NEVER:
            delay = self._late(self._close_us) + self.stick_us
            if self._stick.random() < self._stick_probability:
                delay += int(self._stick.random() * self._stick_us)
            self._close_at_us = now_us + delay

    def next_us(self) -> int:
        """Return the time of the next event without a new command."""
        return min(self._off_at_us, self._open_at_us, self._close_at_us)

    def happen(self, now_us: int) -> None:
        """Process all due events in order."""
        if self._open_at_us <= now_us:
            self._open_at_us = NEVER
            self.lifted = True
            if self._rest_us:
                self._share = self._first_share if now_us - self._rested_us >= self._rest_us else 1.0
        if self._off_at_us <= now_us:
            self.release(now_us)
        if self._close_at_us <= now_us:
            self._close_at_us = NEVER
            self.lifted = False
            self._rested_us = now_us

    def settle(self) -> bool:
        """Bring `open` up to date with armature and `stuck`; return whether any gas can pass."""
        self.open = self.lifted if not self.stuck else self.stuck == "open"
        return self.open or self.leak_c > 0.0

    def passing_c(self) -> float:
        """Return the conductance now in m3/(s Pa)."""
        return self.c * self._share if self.open else self.leak_c

    def _pull(self, now_us: int) -> None:
        delay_us = self._late(self._opening_us + self._dead_us_pa * self.across_pa)
        if self.coil:
            self.missed += 1
            return
        self.energised = True
        if self._miss.random() < self._miss_probability:
            self.missed += 1
        elif self.lifted:
            self._close_at_us = NEVER
        else:
            self._open_at_us = now_us + delay_us

    def _late(self, delay_us: float) -> int:
        return max(0, int(delay_us + (2.0 * self._jitter.random() - 1.0) * self._jitter_us))
