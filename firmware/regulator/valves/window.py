"""Pulse windows, interlock and metering. Constants without another source are chosen on the simulated plant."""

from regulator.fixed import flow_fraction, muldiv
from regulator.valves.learned import Response
from regulator.valves.sides import FILL, NONE, TRUSTED, VENT
from regulator.valves.verdict import Verdict

# Stages of a window.
SHUT, LEAD, PULSE, LAG, SETTLE = range(5)
# Kinds of window: a pulse of a hold is watched for longer, a pulse of a fast ramp keeps the isolation valve open for
# the next one. WAY_OUT, a bit: the limits on the time of a coil do not apply, because the gas must go.
HOLD, LINGER, RAMP = range(3)
WAY_OUT = 4

# A coil is on for a minute at most, then off for a second (the last pulse needs 0.7 s more, or 2.1 s where the sensing
# line is slow), and for half of any hour:
# a store of _STORE_MS, refilled by _REFILL_PERCENT of the time, gives 1740 s in 3600. A coil at its limit gets
# _CREDIT_MS before it is used again. Design choices.
_LONGEST_MS = 57_000
_PAUSE_MS = 1_000
_STORE_MS = 300_000
_REFILL_PERCENT = 40
_CREDIT_MS = 2_000
# Where a long use is about to begin, a minute of which this much is gone ends early. Design choice.
_BEGUN_MS = 15_000

# After a pulse of a slow ramp the isolation valve stays open for this time, so that a valve stuck open shows.
_WATCH_MS = 300

# Factor on settle_ms for a pulse of a hold while its valve is unknown; half of it afterwards.
_CARE = 4

# A valve meters exactly from this many judged pulses on.
_METERED = 8

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
        self.reversals = 0  # fills after a vent
        self._last_side = FILL
        self.metered_pa = 0  # sum of the expected immediate steps of all pulses, fills less vents
        self._barred = [False, False]  # sides whose pulses are refused at present
        self._held_back = False  # vent pulses, for a moment
        self._rest_ms = 0
        self._requested_us = 0
        self._kind = HOLD
        # Of each side: time of its coils since their last pause of _PAUSE_MS, and taken from the store.
        self._on_ms = [0, 0]
        self._seen_ms = [0, 0]
        self._off_ms = [0, 0]
        self._spent_ms = [0, 0]
        self._tired = [False, False]
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

    def hold_back(self, vent: bool):
        """Set whether vent pulses wait in this tick, because one would hide what the pressure shows."""
        self._held_back = vent

    def doubt(self):
        """Have what was learned confirmed, because the chamber may have been exchanged."""
        for response in self.responses:
            response.doubt()

    def forget(self):
        """Forget what was learned."""
        for response in self.responses:
            response.forget()

    def unsure_pulses(self) -> int:
        """Return the pulses of valves that are not known well enough to meter exactly."""
        pulses = 0
        for side in range(2):
            if self.responses[side].judged < _METERED:
                pulses += self.openings[side]
        return pulses

    def is_tired(self, side: int) -> bool:
        """Return whether the coils of a side must rest."""
        return self._tired[side]

    def note_on(self, side: int, ms: int):
        """Count time that a proof had a coil of this side on."""
        self._on_ms[side] += ms

    def rest_early(self, side: int):
        """Have the coils of a side pause now, unless their minute has just begun."""
        if self._on_ms[side] > _BEGUN_MS:
            self._on_ms[side] = max(self._on_ms[side], _LONGEST_MS)

    def rest_coils(self, dt_ms: int):
        """Limit the time of the coils; `dt_ms` since the last call."""
        for side in range(2):
            self._count_on(side, dt_ms)
            if self.isolation == side and self._must_rest(side):
                self.close_window()

    def _count_on(self, side: int, dt_ms: int):
        on_ms = self._on_ms[side]
        new_ms = on_ms - self._seen_ms[side]
        self._off_ms[side] = 0 if new_ms else self._off_ms[side] + dt_ms
        if self._off_ms[side] >= _PAUSE_MS:
            on_ms = self._on_ms[side] = 0
        self._seen_ms[side] = on_ms
        spent_ms = max(self._spent_ms[side] + new_ms - dt_ms * _REFILL_PERCENT // 100, 0)
        self._spent_ms[side] = spent_ms
        most_ms = _STORE_MS - _CREDIT_MS if self._tired[side] else _STORE_MS
        self._tired[side] = spent_ms >= most_ms or on_ms >= _LONGEST_MS

    def _must_rest(self, side: int) -> bool:
        return self._tired[side] and self._kind < WAY_OUT

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
        if self._must_rest(self.side):
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
        step_pa = step_pa * 100 // response.share_percent(self._sensors.age_s)
        flow_kpa = self.flow_kpa(side)
        if response.gain == 0:
            response.skip_trials(self.responses[FILL + VENT - side], step_pa, flow_kpa)
        us = response.pulse_us(step_pa, flow_kpa, self._max_us)
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

    def unknown_pa(self, side: int) -> int:
        """Return the most that the running window of a valve whose flow is unknown may move; 0 without one."""
        if self.stage == SHUT or self.side != side or self.responses[side].gain:
            return 0
        return self.responses[side].most_pa(self._requested_us, self.flow_kpa(side))

    def jitter_pa(self, side: int) -> int:
        """Return the error of a pulse's step that the timing of its edges causes."""
        return muldiv(self.rate_pa_s(side), _JITTER_US, 1_000_000)

    def move(self, side: int, step_pa: int, kind: int) -> int:
        """Request a pulse for an immediate step; return its length in us, 0 if none began."""
        us = self.pulse_for(side, step_pa)
        return us if self.request(side, us, kind) else 0

    def request(self, side: int, us: int, kind: int) -> bool:
        """Begin a window of this kind with one pulse; return whether it began."""
        if us <= 0 or self._barred[side] or (side == VENT and self._held_back):
            return False
        if self.may_chain() and self.side == side:
            self._requested_us = us
            self._start_pulse()
            self.verdict.teach_nothing()
            return True
        if self.stage == SHUT and self.isolation != side:
            self.close_window()
        if self.stage != SHUT or (self._tired[side] and kind < WAY_OUT):
            return False
        self._requested_us = us
        self._kind = kind
        if self.isolation == side:
            self._start_pulse()
            return True
        self.side = side
        self.isolation = side
        self.stage = LEAD
        self._rest_ms = self._lead_ms
        return True

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
        if self.stage != SHUT:
            self._sensors.pressure.resume()
            self.stage = SETTLE
            self.verdict.forget()
            self._rest_ms = self._settle_ms

    def update(self, dt_ms: int):
        """Advance the window by one tick, before new requests. Sets `pulse_us` in the tick in which a pulse starts."""
        self.pulse_us = 0
        side = self.isolation
        if side >= 0:
            self._on_ms[side] += dt_ms
        if self.stage == SHUT:
            return
        self.verdict.tick(dt_ms, side < 0)
        ended = self._rest_ms <= 0
        self._rest_ms -= dt_ms
        if self.stage == PULSE:
            self._sensors.note_pulse()
            # The next pulse may follow within one tick, then the window closes.
            if ended:
                self.stage = LAG
                # A slow sensing line is waited for: 5 % of the step is left after three time constants.
                self._rest_ms = max(self._lag_ms, 3 * self.verdict.lag_ms)
                if self._kind & 3 == RAMP and self.responses[self.side].judged >= TRUSTED:
                    self._rest_ms = max(self._rest_ms, _WATCH_MS)
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
        side = self.side
        response = self.responses[side]
        kind = self._kind & 3
        if kind != LINGER or response.gain == 0 or response.silent > 1 or self._must_rest(side):
            self.isolation = NONE
        self.stage = SETTLE
        # The pulses of a hold are watched for longer than those of a ramp, the first ones longest.
        known = response.judged >= TRUSTED
        if kind != HOLD:
            self._rest_ms = self._settle_ms // 3 if known and self.isolation == side else self._settle_ms
        else:
            self._rest_ms = self._settle_ms * (_CARE // 2 if known else _CARE)
        self.verdict.end(self._rest_ms)
        self._sensors.pressure.resume()

    def _start_pulse(self):
        side = self.side
        us = self._requested_us
        self.stage = PULSE
        self._rest_ms = us // 1000 + 1
        self.pulse_us = us
        response = self.responses[side]
        response.begin(self._sensors.age_s)
        flow_kpa = self.flow_kpa(side)
        step_pa = response.expected_pa(us, flow_kpa)
        self.verdict.begin(us, step_pa, flow_kpa)
        self._sensors.pressure.freeze()
        self._pulse_step_pa = step_pa
        self._pulse_from_pa = self._sensors.control_pa
        self.metered_pa += step_pa if side == FILL else -step_pa
        if side == FILL and self._last_side == VENT:
            self.reversals = self.reversals + 1 & 0xFFFFFF
        self._last_side = side
        self.openings[side] += 1
        self.open_us[side] += us
        while self.open_us[side] >= 1_000_000:
            self.open_us[side] -= 1_000_000
            self.open_s[side] += 1
