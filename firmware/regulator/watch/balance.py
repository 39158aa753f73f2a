"""Leak detection by a mole balance: gas metered in and out against pressure and wall temperature."""

from regulator.faults import GAS_GAINED, LEAK, LEAK_BUDGET, NO_FAULT
from regulator.measure.transducer import VALID
from regulator.valves.sides import IMMEDIATE_PER_SETTLED_PERCENT

# The balance restarts this long after a ramp, a relief or a proof. Chosen on the simulated plant.
_CALM_S = 900
# Heat of past movements, as pressure to come back, above which the gas counts as moved. Chosen likewise.
_STIRRED_PA = 25_000
_QUARTER_S = 900
_QUARTERS = 32  # eight hours: long enough for 0.3 kPa/h at 3 sigma (computed)
_PER_HOUR = (1, 4, 16, 32)  # ages in quarters at which the loss is judged
# What a ramp's many pulses metered may be wrong by this share of the way: up to a seventh was seen in slow ramps, with
# the gas's heat and gains that are still being learned (simulated rigs, air and argon), and two fifths where pulses
# follow each other without a pause and teach nothing (5 L with C 3e-11, `make bench ONLY=grid`).
_DOUBT = 2
# A wall sensor that changes faster is wrong: a runaway of 15 K/min is 250 mK.
_WALL_MK_S = 300


class Account:
    """Gas that came (or went, below 0) beside what was metered, as pressure at the wall temperature of the start."""

    def __init__(self, sensors, valves):
        self._sensors = sensors
        self._valves = valves
        self._metered_pa = 0
        self._from_pa = 0
        self._wall_mk = 0
        self._warmth = 0  # pressure due to the wall temperature since the start, mPa
        self._warmth_pa = 0

    def start(self):
        """Begin at nothing."""
        sensors = self._sensors
        self._from_pa = sensors.settled_pa
        self._wall_mk = sensors.wall_mk
        self._metered_pa = self._valves.metered_pa
        self._warmth = 0
        self._warmth_pa = 0

    def follow_wall(self):
        """Once a second: count what the wall temperature does to the pressure."""
        sensors = self._sensors
        wall_mk = sensors.wall_mk
        if not wall_mk:
            return
        if self._wall_mk:
            self._warmth += sensors.per_kelvin_pa() * min(
                max(wall_mk - self._wall_mk, -_WALL_MK_S), _WALL_MK_S
            )
        self._wall_mk = wall_mk
        if not -1_000_000 < self._warmth < 1_000_000:
            whole_pa = self._warmth // 1000
            self._warmth -= whole_pa * 1000
            self._warmth_pa += whole_pa

    def gained_pa(self) -> int:
        """Return the gas that came since the start."""
        metered_pa = self._valves.metered_pa - self._metered_pa
        settled_pa = metered_pa * 100 // IMMEDIATE_PER_SETTLED_PERCENT
        return self._sensors.settled_pa - self._from_pa - self._warmth_pa - settled_pa


class Balance:
    """`fault` and `warnings` are the present ones; `value` is the loss in Pa."""

    def __init__(self, settings, sensors, valves, heat):
        self._settings = settings
        self._sensors = sensors
        self._heat = heat
        self._account = Account(sensors, valves)
        self.fault = NO_FAULT
        self.value = 0
        self.warnings = 0
        self._calm_s = 0
        self._seconds = 0
        self._quarter = 0
        self._quarters = 0
        self._lost_pa = [0] * _QUARTERS  # for certain, at the end of each quarter of an hour
        self._metered_loss_pa = 0  # by the account, at the last of them
        self._ramp_pa = 0
        self._ramped_pa = 0  # way of the ramp in this quarter
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        setting = self._settings.get
        self._alarm_pa_h = setting("leak_alarm_pa_h")
        self._budget_pa_h = setting("leak_budget_pa_h")
        self._breathing_pa = setting("breathing_pa")

    def begin(self):
        """Restart the balance, after an acknowledge or an intended movement of gas."""
        self._calm_s = 0
        self._quarters = 0
        self.fault = NO_FAULT
        self.warnings = 0

    def check_slowly(self, moved: bool, ramp_pa: int):
        """Once a second. `moved`: a vent, the relief or a proof moves gas. `ramp_pa`: the ramped setpoint."""
        sensors = self._sensors
        self._ramped_pa += abs(ramp_pa - self._ramp_pa)
        self._ramp_pa = ramp_pa
        if moved or sensors.wall_mk == 0 or self._heat.most_pa() > _STIRRED_PA:
            self._calm_s = 0
            return
        if sensors.control.band != VALID:
            return
        self._calm_s += 1
        if self._calm_s < _CALM_S:
            if self._calm_s == 1:
                self._quarters = 0
            return
        if self._calm_s == _CALM_S:
            self._start()
            return
        self._calm_s = _CALM_S + 1
        self._account.follow_wall()
        self._seconds += 1
        if self._seconds >= _QUARTER_S:
            self._seconds = 0
            self._judge(self._certainly_lost_pa())

    def _start(self):
        self._account.start()
        self._seconds = 0
        self._quarter = 0
        self._lost_pa[0] = 0
        self._metered_loss_pa = 0
        self._ramped_pa = 0

    def _certainly_lost_pa(self) -> int:
        """Return the loss since the start, less what the metering of a ramp leaves in doubt."""
        metered_pa = -self._account.gained_pa()
        change_pa = metered_pa - self._metered_loss_pa
        self._metered_loss_pa = metered_pa
        doubt_pa = self._ramped_pa // _DOUBT
        self._ramped_pa = 0
        certain_pa = max(change_pa - doubt_pa, 0) + min(change_pa + doubt_pa, 0)
        return self._lost_pa[self._quarter] + certain_pa

    def _judge(self, lost_pa: int):
        """Every quarter of an hour: judge the loss over 15 min, 1, 4 and 8 h."""
        warnings = 0
        fault = NO_FAULT
        self._quarters = min(self._quarters + 1, _QUARTERS)
        for age in _PER_HOUR:
            if age > self._quarters:
                break
            loss_pa = lost_pa - self._lost_pa[self._quarter + 1 - age]
            if loss_pa > self._breathing_pa + self._budget_pa_h * age // 4:
                fault = LEAK_BUDGET
                self.value = loss_pa
            if loss_pa > self._breathing_pa + self._alarm_pa_h * age // 4:
                warnings |= LEAK
            elif -loss_pa > self._breathing_pa + self._alarm_pa_h * age // 4:
                warnings |= GAS_GAINED
        self._quarter = self._quarter + 1 if self._quarter + 1 < _QUARTERS else 0
        self._lost_pa[self._quarter] = lost_pa
        self.warnings = warnings
        self.fault = fault
