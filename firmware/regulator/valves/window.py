"""Windows of the two valve pairs: isolation first, pulse inside, isolation shut; interlock and metering."""

from regulator.fixed import flow_fraction, muldiv
from regulator.measure.transducer import VALID
from regulator.valves.heat import Heat
from regulator.valves.learned import TRUSTED, Response

FILL, VENT = 0, 1
NONE = -1

# Stages of a window.
SHUT, LEAD, PULSE, LAG, SETTLE = range(5)

# Longest pulse that this module passes on, whatever was asked for. The PIO state machine has a bound of its own.
PULSE_HARD_MAX_US = 300_000

# Gas that was let in is warm, gas that stays behind after a vent is cold: the step seen at once is 1.45 times the one
# that stays (from the energy balance of a filled and of an emptied vessel, real gas at 5 MPa).
IMMEDIATE_PER_SETTLED_PERCENT = 145

# A step is clear when it is this large, and so many times the mean deviation of the samples (4 sigma of a step that is
# fitted on 15 samples).
_CLEAR_PA = 1_000
_CLEAR_PER_NOISE = 5
# A pulse of a hold that teaches an unknown valve is watched for so much longer; from so many samples on, half is clear.
_CARE = 4
_MANY = 50

# A window with an excess of this share teaches nothing of its pulse. It is only told of valves that so many pulses have
# taught, and from so many Pa on.
_EXCESS_PERCENT = 50
# More than this no open valve lets pass: then the response was learned wrongly, or it is the noise of a long chain.
_EXCESS_MOST_PERCENT = 250
_KNOWN = 8
_EXCESS_PA = 6_000

# What the edges of a pulse may be off together.
_JITTER_US = 1_500


class Valves:
    """One window at a time, on one side at a time. Times in ms and us, pressures in Pa."""

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.side = NONE
        self.stage = SHUT
        self.pulse_us = 0  # to be started in this tick on `side`
        self.isolation = NONE  # the side whose isolation valve is open
        self.openings = [0, 0]
        self.open_s = [0, 0]
        self.open_us = [0, 0]  # below one second
        floor_us = settings.get("pulse_min_us")
        self.responses = (Response(floor_us), Response(floor_us))
        self._rest_ms = 0
        self._requested_us = 0
        self._linger = False
        self.learned = False  # set whenever a pulse was judged; for the reader to clear
        self._judged_us = 0  # the pulse to learn from, 0 for none
        self._flow_kpa = 0
        self._before_pa = 0
        # What the gas may give back: as a fall, as a rise. Kept by the watch that sees every movement.
        self.warm = Heat()
        self.cold = Heat()
        self.barred = [False, False]  # sides on which no pulse is wanted at present
        self.metered_pa = 0  # sum of the expected immediate steps of all pulses, fills less vents
        # What became of the last pulse, or of the chain of pulses whose end was seen; `verdicts` counts them.
        self.verdicts = 0
        self.verdict_side = NONE
        self.verdict_us = 0
        self.verdict_pa = 0  # immediate step, towards its own side
        self.expected_pa = 0  # what was expected of it, 0 while the valve is unknown
        self.clear_pa = _CLEAR_PA  # steps below are not told from noise, nor from what was extrapolated
        self.excess_percent = 0  # what it did beyond that, of what a valve that stays open would have
        self._pulse_from_pa = 0  # pressure when the last pulse began, and what was expected of it
        self._pulse_step_pa = 0
        self._chain_us = 0
        self._chain_pa = 0
        # What is extrapolated since the pulse began: samples of the line, for how many ticks; what noise makes of it.
        self._fitted = 1
        self._ticks = 0
        self._doubt = 1
        self._open_ms = 0  # how long the isolation valve has been open for it
        self.configure()

    def configure(self):
        """Read the timing from the settings."""
        setting = self._settings.get
        self._lead_ms = setting("isolation_lead_ms")
        self._lag_ms = setting("isolation_lag_ms")
        self._settle_ms = setting("settle_ms")
        self._max_us = min(setting("pulse_max_us"), PULSE_HARD_MAX_US)
        self._ambient_pa = setting("ambient_pa")

    def idle(self) -> bool:
        """Return whether a new window may begin now."""
        return self.stage == SHUT

    def may_chain(self) -> bool:
        """Return whether a pulse asked for now would follow the present one without a pause.

        Only for a valve that is known, as a chained pulse teaches nothing; and not after one that did little: the pause
        then shows why.
        """
        if self.stage != PULSE or self._rest_ms > 0 or self.responses[self.side].judged < TRUSTED:
            return False
        moved_pa = self._sensors.control_pa - self._pulse_from_pa
        if self.side == VENT:
            moved_pa = -moved_pa
        return moved_pa * 10 >= self._pulse_step_pa * 3

    def flow_kpa(self, side: int) -> int:
        """Return what drives the flow: upstream pressure in kPa, times the subsonic fraction of ISO 6358."""
        pressure_pa = self._sensors.pressure_pa
        if side == FILL:
            supply_pa = self._sensors.supply_pa
            return (supply_pa // 1000) * flow_fraction(supply_pa, pressure_pa) >> 10
        return (pressure_pa // 1000) * flow_fraction(pressure_pa, self._ambient_pa) >> 10

    def rate_pa_s(self, side: int) -> int:
        """Return the immediate effect of the open valve now, in Pa/s; 0 while it is unknown or no gas would flow."""
        return self.responses[side].rate_pa_s(self.flow_kpa(side))

    def pulse_for(self, side: int, step_pa: int) -> int:
        """Return the pulse in us whose immediate step is `step_pa`, within the limits; 0 if not worth one or barred."""
        if self.barred[side]:
            return 0
        response = self.responses[side]
        us = response.pulse_us(step_pa, self.flow_kpa(side), self._max_us)
        if response.silent > 1:
            # A valve that does not answer is asked with longer and longer pulses.
            us = min(us + us // 4 * (response.silent - 1), self._max_us)
        return us

    def smallest_step_pa(self, side: int) -> int:
        """Return the immediate step of the shortest pulse; 0 while unknown."""
        return self.responses[side].smallest_pa(self.flow_kpa(side))

    def longest_step_pa(self, side: int) -> int:
        """Return the immediate step of the longest pulse, from what is known of the valve; 0 while unknown."""
        return self.responses[side].step_pa(self._max_us, self.flow_kpa(side))

    def jitter_pa(self, side: int) -> int:
        """Return how much the step of one pulse may be off because its edges are."""
        return muldiv(self.rate_pa_s(side), _JITTER_US, 1_000_000)

    def request(self, side: int, us: int, linger: bool):
        """Begin a window with one pulse. `linger` keeps the isolation valve open for a next pulse (a ramp)."""
        if us <= 0 or self.barred[side]:
            return
        if self.may_chain() and self.side == side:
            self._requested_us = us
            self._start_pulse()
            # Where one ended and the other began is not seen: nothing to learn.
            self._judged_us = 0
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
        """Shut an isolation valve that lingers; the next window then waits as after any other."""
        if self.stage == SHUT and self.isolation != NONE:
            self.isolation = NONE
            self.stage = SETTLE
            self._rest_ms = self._settle_ms

    def abort(self):
        """Forget the running window; the rig has shut its valves."""
        self.side = NONE
        self.isolation = NONE
        self.pulse_us = 0
        if self.stage != SHUT:
            self._sensors.resume_fit()
            self.stage = SETTLE
            self._judged_us = 0
            self._chain_us = 0
            self._open_ms = 0
            self._rest_ms = self._settle_ms

    def update(self, dt_ms: int):
        """Advance the window by one tick, before new requests; sets `pulse_us` in the tick in which a pulse starts."""
        self.pulse_us = 0
        if self.stage == SHUT:
            return
        if self.isolation >= 0:
            self._open_ms += dt_ms
        self._ticks += 1
        ended = self._rest_ms <= 0
        self._rest_ms -= dt_ms
        if self.stage == PULSE:
            # One tick in which a next pulse may follow, then the window closes.
            if ended:
                self.stage = LAG
                self._rest_ms = self._lag_ms
        elif self._rest_ms > 0:
            return
        elif self.stage == LEAD:
            self._start_pulse()
        elif self.stage == LAG:
            # Nor for a valve that does not answer, or has not yet: an isolation valve that failed to open gets another
            # chance, and an open wire of it only shows while it is off.
            response = self.responses[self.side]
            if not self._linger or response.gain == 0 or response.silent > 1:
                self.isolation = NONE
            self.stage = SETTLE
            # The pulses of a hold are judged with care, most of all the first ones; in a ramp in passing.
            known = response.judged >= TRUSTED
            if self._linger:
                self._rest_ms = self._settle_ms // 3 if known else self._settle_ms
            else:
                self._rest_ms = self._settle_ms * (_CARE // 2 if known else _CARE)
            # Extrapolated since the pulse began: what the pressure would be now without it.
            self._before_pa = self._sensors.ahead_pa(0)
            self._doubt = 1 + self._ticks // self._fitted
            self._sensors.resume_fit()
        else:
            self.stage = SHUT
            self._judge()

    def _start_pulse(self):
        side = self.side
        us = self._requested_us
        self.stage = PULSE
        self._rest_ms = us // 1000 + 1
        self.pulse_us = us
        if not self._chain_us:
            self._fitted = max(self._sensors.samples, 1)
            self._ticks = 0
        self._sensors.freeze_fit()
        self._judged_us = us
        self._flow_kpa = self.flow_kpa(side)
        step_pa = self.responses[side].step_pa(us, self._flow_kpa)
        self._chain_us += us
        self._chain_pa += step_pa
        self._pulse_step_pa = step_pa
        self._pulse_from_pa = self._sensors.control_pa
        self.metered_pa += step_pa if side == FILL else -step_pa
        self.openings[side] += 1
        self.open_us[side] += us
        while self.open_us[side] >= 1_000_000:
            self.open_us[side] -= 1_000_000
            self.open_s[side] += 1

    def _judge(self):
        """Learn from what the pulse did."""
        side = self.side
        if side == NONE or self._chain_us == 0:
            return
        if self._sensors.control.band != VALID:
            self._chain_us = self._chain_pa = self._open_ms = 0
            return
        # Back to the moment the fit resumed: what came after is the thermal transient.
        step_pa = self._sensors.ahead_pa(-self._sensors.samples) - self._before_pa
        if side == VENT:
            step_pa = -step_pa
        clear_pa = _CLEAR_PER_NOISE * self._sensors.noise_pa()
        if self._sensors.samples > _MANY:
            clear_pa //= 2
        # A slope that few samples told is off by more, the further it is extrapolated.
        clear_pa = max(_CLEAR_PA, clear_pa) * min(self._doubt, 20)
        response = self.responses[side]
        self.verdicts = self.verdicts + 1 & 0xFFFFFF
        self.verdict_side = side
        self.verdict_us = self._chain_us
        self.verdict_pa = step_pa
        self.expected_pa = self._chain_pa if response.gain else 0
        self.clear_pa = clear_pa
        self.excess_percent = self._excess_percent(response, step_pa) if self.isolation == NONE else 0
        self._chain_us = 0
        self._chain_pa = 0
        self._open_ms = 0
        if self._judged_us and self.excess_percent < _EXCESS_PERCENT:
            response.judge(self._judged_us, step_pa, self._flow_kpa, clear_pa)
            self.learned = True

    def _excess_percent(self, response, step_pa: int) -> int:
        """Return what a window let pass beyond its pulses, in percent of what a valve that stays open would have."""
        idle_ms = self._open_ms - self._chain_us // 1000
        if response.judged < _KNOWN or idle_ms <= 0:
            return 0
        heat = self.warm if self.side == VENT else self.cold
        excess_pa = step_pa - self._chain_pa - heat.back_pa(0, self._open_ms, self._sensors.pressure_pa)
        # Less than three times what was expected may be a response that is not known well enough at this pressure.
        if excess_pa < _EXCESS_PA or excess_pa < 2 * self._chain_pa:
            return 0
        open_pa = muldiv(response.rate_pa_s(self._flow_kpa), idle_ms, 1000)
        percent = muldiv(excess_pa, 100, max(open_pa, 1))
        return percent if percent <= _EXCESS_MOST_PERCENT else 0
