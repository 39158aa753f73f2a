"""Windows of the two valve pairs: isolation first, pulse inside, isolation shut; interlock and metering."""

from regulator.fixed import flow_fraction, muldiv

FILL, VENT = 0, 1
NONE = -1

# Stages of a window.
SHUT, LEAD, PULSE, LAG, SETTLE = range(5)

# Longest pulse that this module passes on, whatever was asked for. The PIO state machine has a bound of its own.
PULSE_HARD_MAX_US = 300_000

# Gas that was let in is warm, gas that stays behind after a vent is cold: the step seen at once is 1.45 times the one
# that stays (from the energy balance of a filled and of an emptied vessel, real gas at 5 MPa).
IMMEDIATE_PER_SETTLED_PERCENT = 145

_GAIN_MIN = 500
_GAIN_MAX = 1_700_000


class Valves:
    """One window at a time, on one side at a time. Times in ms and us, gains in Pa/s per MPa upstream."""

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
        self.missed = [0, 0]
        self.gain = [0, 0]  # immediate effect, learned
        self.learned = [0, 0]  # how many pulses the gain rests on, 100 at most
        self.response_pa = [0, 0]
        self._rest_ms = 0
        self._requested_us = 0
        self._linger = False
        self._before_pa = 0
        self._expected_pa = 0
        self.configure()

    def configure(self):
        """Read timing from the settings; gains only where nothing has been learned yet."""
        setting = self._settings.get
        self._lead_ms = setting("isolation_lead_ms")
        self._lag_ms = setting("isolation_lag_ms")
        self._settle_ms = setting("settle_ms")
        self._min_us = setting("pulse_min_us")
        self._max_us = min(setting("pulse_max_us"), PULSE_HARD_MAX_US)
        if not self.learned[FILL]:
            self.gain[FILL] = setting("fill_gain")
        if not self.learned[VENT]:
            self.gain[VENT] = setting("vent_gain")

    def idle(self) -> bool:
        """Return whether a new window may begin now."""
        return self.stage == SHUT

    def rate_pa_s(self, side: int) -> int:
        """Return the immediate effect of the open valve now, in Pa/s (0 where no gas would flow)."""
        sensors = self._sensors
        if side == FILL:
            up_pa = sensors.supply_pa
            down_pa = sensors.pressure_pa
        else:
            up_pa = sensors.pressure_pa
            down_pa = self._settings.get("ambient_pa")
        if up_pa <= down_pa:
            return 0
        choked = muldiv(self.gain[side], up_pa >> 6, 1_000_000 >> 6)
        return muldiv(choked, flow_fraction(up_pa, down_pa), 1024)

    def pulse_for(self, side: int, step_pa: int) -> int:
        """Return the pulse in us whose immediate step is `step_pa`, within the limits; 0 if not worth one."""
        rate = self.rate_pa_s(side)
        if rate <= 0:
            return 0
        # Tenths of a millisecond keep the result small for the slowest valve.
        tenths = muldiv(step_pa, 10_000, rate) if step_pa * 10 < rate * 4 else 4_000
        us = tenths * 100
        if us < self._min_us:
            return self._min_us if us * 2 >= self._min_us else 0
        return min(us, self._max_us)

    def smallest_step_pa(self, side: int) -> int:
        """Return the immediate step of the shortest pulse."""
        return muldiv(self.rate_pa_s(side), self._min_us, 1_000_000)

    def request(self, side: int, us: int, linger: bool):
        """Begin a window with one pulse. `linger` keeps the isolation valve open for a next pulse (a ramp)."""
        if self.stage != SHUT or us <= 0:
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
        """Shut an isolation valve that lingers."""
        if self.stage == SHUT:
            self.isolation = NONE

    def abort(self):
        """Forget the running window; the rig has shut its valves."""
        self.side = NONE
        self.isolation = NONE
        self.pulse_us = 0
        if self.stage != SHUT:
            self._sensors.resume_fit()
            self.stage = SETTLE
            self._expected_pa = 0
            self._rest_ms = self._settle_ms

    def update(self, dt_ms: int):
        """Advance the window by one tick; sets `pulse_us` in the tick in which a pulse starts."""
        self.pulse_us = 0
        if self.stage == SHUT:
            return
        self._rest_ms -= dt_ms
        if self._rest_ms > 0:
            return
        if self.stage == LEAD:
            self._start_pulse()
        elif self.stage == PULSE:
            self.stage = LAG
            self._rest_ms = self._lag_ms
        elif self.stage == LAG:
            if not self._linger:
                self.isolation = NONE
            self.stage = SETTLE
            self._rest_ms = self._settle_ms if not self._linger else self._settle_ms // 3
            # Extrapolated since the pulse began: what the pressure would be now without it.
            self._before_pa = self._sensors.ahead_pa(0)
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
        self._sensors.freeze_fit()
        self._expected_pa = muldiv(self.rate_pa_s(side), us, 1_000_000)
        self.openings[side] += 1
        self.open_us[side] += us
        while self.open_us[side] >= 1_000_000:
            self.open_us[side] -= 1_000_000
            self.open_s[side] += 1

    def _judge(self):
        """Learn the gain from what the pulse did."""
        expected_pa = self._expected_pa
        side = self.side
        if side == NONE or expected_pa < 300:
            return
        # Back to the moment the fit resumed: what came after is the thermal transient.
        step_pa = self._sensors.ahead_pa(-self._sensors.samples) - self._before_pa
        if side == VENT:
            step_pa = -step_pa
        self.response_pa[side] = step_pa
        if step_pa * 10 < expected_pa * (3 if self.learned[side] > 2 else 1):
            self.missed[side] += 1
            return
        # 256ths of the expected step; one pulse may not move the gain by more than a factor of 2.
        ratio = muldiv(step_pa, 256, expected_pa)
        ratio = min(max(ratio, 128), 511)
        gain = self.gain[side]
        observed = gain * ratio >> 8
        # The first pulses count in full, later ones against the jitter of single pulses.
        weight = 1 if self.learned[side] < 2 else (4 if self._requested_us > 15_000 else 8)
        self.gain[side] = min(max(gain + (observed - gain) // weight, _GAIN_MIN), _GAIN_MAX)
        if self.learned[side] < 100:
            self.learned[side] += 1
