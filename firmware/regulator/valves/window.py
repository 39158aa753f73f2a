"""Pulse windows, interlock and metering. Constants without another source are chosen on the simulated plant."""

from regulator.fixed import flow_fraction, muldiv
from regulator.valves.learned import Response
from regulator.valves.sides import FILL, NONE, TRUSTED, VENT
from regulator.valves.verdict import Verdict

# Stages of a window.
SHUT, LEAD, PULSE, LAG, SETTLE = range(5)

# Factor on settle_ms for a pulse of a hold while its valve is unknown; half of it afterwards.
_CARE = 4

# A pulse ends a chain below this share of its expected effect, in tenths.
_EFFECT_TENTHS = 3

# Timing error of both edges of a pulse together.
_JITTER_US = 1_500


class Valves:
    """One window at a time, on one side at a time. Times in ms and us, pressures in Pa."""

    def __init__(self, settings, sensors, heat):
        self._settings = settings
        self._sensors = sensors
        self.side = NONE
        self.stage = SHUT
        self.pulse_us = 0  # length of the pulse that `side` starts in this tick
        self.isolation = NONE  # the side whose isolation valve is open
        self.openings = [0, 0]
        self.open_s = [0, 0]
        self.open_us = [0, 0]  # below one second
        floor_us = settings.get("pulse_min_us")
        self.responses = (Response(floor_us), Response(floor_us))
        self.verdict = Verdict(sensors, heat)
        self.metered_pa = 0  # sum of the expected immediate steps of all pulses, fills less vents
        self._barred = [False, False]  # sides whose pulses are refused at present
        self._rest_ms = 0
        self._requested_us = 0
        self._linger = False
        self._pulse_from_pa = 0  # pressure when the last pulse began
        self._pulse_step_pa = 0  # its expected step
        self.configure()

    def configure(self):
        """Read the timing from the settings."""
        setting = self._settings.get
        self._lead_ms = setting("isolation_lead_ms")
        self._lag_ms = setting("isolation_lag_ms")
        self._settle_ms = setting("settle_ms")
        self._max_us = setting("pulse_max_us")
        self._ambient_pa = setting("ambient_pa")

    def bar(self, fill: bool, vent: bool):
        """Refuse pulses of these sides until the next call."""
        self._barred[FILL] = fill
        self._barred[VENT] = vent

    def idle(self) -> bool:
        """Return whether a new window may begin now."""
        return self.stage == SHUT

    def may_chain(self) -> bool:
        """Return whether a pulse requested now would follow the present one without a pause.

        Only a known valve may chain, as a chained pulse teaches nothing. A pulse with little effect ends the chain,
        because the pause shows the reason.
        """
        if self.stage != PULSE or self._rest_ms > 0 or self.responses[self.side].judged < TRUSTED:
            return False
        moved_pa = self._sensors.control_pa - self._pulse_from_pa
        if self.side == VENT:
            moved_pa = -moved_pa
        return moved_pa * 10 >= self._pulse_step_pa * _EFFECT_TENTHS

    def flow_kpa(self, side: int) -> int:
        """Return the driving pressure of the flow: upstream pressure in kPa times the subsonic fraction (ISO 6358)."""
        pressure_pa = self._sensors.pressure_pa
        if side == FILL:
            supply_pa = self._sensors.supply.pa
            return (supply_pa // 1000) * flow_fraction(supply_pa, pressure_pa) >> 10
        return (pressure_pa // 1000) * flow_fraction(pressure_pa, self._ambient_pa) >> 10

    def rate_pa_s(self, side: int) -> int:
        """Return the present rate of the open valve in Pa/s; 0 while it is unknown or no gas would flow."""
        return self.responses[side].rate_pa_s(self.flow_kpa(side))

    def pulse_for(self, side: int, step_pa: int) -> int:
        """Return the pulse in us for an immediate step of `step_pa`; 0 if the step is too small or the side barred."""
        if self._barred[side]:
            return 0
        response = self.responses[side]
        us = response.pulse_us(step_pa, self.flow_kpa(side), self._max_us)
        if response.silent > 1:
            # A valve that does not respond gets longer and longer pulses.
            us = min(us + us // 4 * (response.silent - 1), self._max_us)
        return us

    def smallest_step_pa(self, side: int) -> int:
        """Return the immediate step of the shortest pulse; 0 while unknown."""
        return self.responses[side].smallest_pa(self.flow_kpa(side))

    def longest_step_pa(self, side: int) -> int:
        """Return the immediate step of the longest pulse; 0 while unknown."""
        return self.responses[side].step_pa(self._max_us, self.flow_kpa(side))

    def jitter_pa(self, side: int) -> int:
        """Return the error of a pulse's step that the timing of its edges causes."""
        return muldiv(self.rate_pa_s(side), _JITTER_US, 1_000_000)

    def request(self, side: int, us: int, linger: bool):
        """Begin a window with one pulse. `linger` keeps the isolation valve open for the next pulse of a ramp."""
        if us <= 0 or self._barred[side]:
            return
        if self.may_chain() and self.side == side:
            self._requested_us = us
            self._start_pulse()
            self.verdict.teach_nothing()
            return
        if self.stage == SHUT and self.isolation != side:
            self.close_window()
        if self.stage != SHUT:
            return
        self._requested_us = us
        self._linger = linger
        if self.isolation == side:
            self._start_pulse()
            return
        self.side = side
        self.isolation = side
        self.stage = LEAD
        self._rest_ms = self._lead_ms

    def close_window(self):
        """Shut a lingering isolation valve; the next window waits for the settle time."""
        if self.stage == SHUT and self.isolation != NONE:
            self.isolation = NONE
            self.stage = SETTLE
            self._rest_ms = self._settle_ms

    def abort(self):
        """Abandon the running window, after the rig has shut its valves."""
        self.side = NONE
        self.isolation = NONE
        self.pulse_us = 0
        if self.stage != SHUT:
            self._sensors.pressure.resume()
            self.stage = SETTLE
            self.verdict.forget()
            self._rest_ms = self._settle_ms

    def update(self, dt_ms: int):
        """Advance the window by one tick, before new requests. Sets `pulse_us` in the tick in which a pulse starts."""
        self.pulse_us = 0
        if self.stage == SHUT:
            return
        self.verdict.tick(dt_ms if self.isolation >= 0 else 0)
        ended = self._rest_ms <= 0
        self._rest_ms -= dt_ms
        if self.stage == PULSE:
            # The next pulse may follow within one tick, then the window closes.
            if ended:
                self.stage = LAG
                self._rest_ms = self._lag_ms
        elif self._rest_ms > 0:
            return
        elif self.stage == LEAD:
            self._start_pulse()
        elif self.stage == LAG:
            self._end_pulse()
        else:
            self.stage = SHUT
            side = self.side
            self.verdict.judge(side, self.responses[side], self.isolation == NONE)

    def _end_pulse(self):
        # Shut the isolation valve of an unresponsive or unknown valve. If it failed to open, it can try again, and
        # its drain shows an open wire only while it is off.
        response = self.responses[self.side]
        if not self._linger or response.gain == 0 or response.silent > 1:
            self.isolation = NONE
        self.stage = SETTLE
        # The pulses of a hold are watched for longer than those of a ramp, the first ones longest.
        known = response.judged >= TRUSTED
        if self._linger:
            self._rest_ms = self._settle_ms // 3 if known else self._settle_ms
        else:
            self._rest_ms = self._settle_ms * (_CARE // 2 if known else _CARE)
        self.verdict.end()
        self._sensors.pressure.resume()

    def _start_pulse(self):
        side = self.side
        us = self._requested_us
        self.stage = PULSE
        self._rest_ms = us // 1000 + 1
        self.pulse_us = us
        response = self.responses[side]
        flow_kpa = self.flow_kpa(side)
        step_pa = response.step_pa(us, flow_kpa)
        self.verdict.begin(us, step_pa, flow_kpa)
        self._sensors.pressure.freeze()
        self._pulse_step_pa = step_pa
        self._pulse_from_pa = self._sensors.control_pa
        self.metered_pa += step_pa if side == FILL else -step_pa
        self.openings[side] += 1
        self.open_us[side] += us
        while self.open_us[side] >= 1_000_000:
            self.open_us[side] -= 1_000_000
            self.open_s[side] += 1
