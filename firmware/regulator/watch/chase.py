"""Watches that no gas is chased: net gas that came or went, and reversals, in an hour besides ramps and vents."""

from regulator.faults import GAS_CHASED, GAS_GAINED, LEAK, NO_FAULT
from regulator.measure.transducer import VALID
from regulator.watch.balance import Account

# Gas that comes or goes within the last minute is a warning from this much on, more while a temperature is unknown or
# the gas this far from the wall: 20 K at 300 K, as a share of the pressure. Chosen on the simulated plant.
_TOLD_PA = 35_000
_UNKNOWN_SHARE = 15
_APART_MK = 20_000
# A ramp's metering is not exact enough: the account begins when its heat is gone, but at the latest after this time.
_AFTER_S = 120
_CALM_PA = 25_000
# Periods: six of 10 s, and twelve of 300 s.
_SHORT_S = 10
_SHORTS = 6
# The gas of a pulse under way is not metered yet, so a period ends between two windows, which last so long at most.
_LATE_S = 3
_LONG_S = 300
_LONGS = 12
_WRAP_S = 864_000  # a multiple of both rings


class Chase:
    """`fault` latches until `clear()`, `value` is the gas in Pa; `warnings` are the present ones."""

    def __init__(self, settings, sensors, valves, heat):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self._heat = heat
        self._account = Account(sensors, valves)
        self.fault = NO_FAULT
        self.value = 0
        self.warnings = 0
        self._wait_s = _AFTER_S
        self._ramp_pa = 0
        self._seconds = 0
        self._late_s = 0  # for which the end of a period has waited
        self._heat_pa = 0  # largest heat of the last hour or so
        self._warm_pa = 0  # of the last minute
        self._pulses = 0
        self._blind = False  # without the wall's temperature
        self._minute_pa = [0] * _SHORTS  # gas at the end of each period
        self._hour_pa = [0] * _LONGS
        self._hour_turns = [0] * _LONGS
        self.configure()

    def configure(self):
        """Read the budgets from the settings."""
        self._budget_pa = self._settings.get("gas_budget_pa_h")
        self._turns = self._settings.get("reversals_h")

    def clear(self):
        """Begin anew after an acknowledge."""
        self.fault = NO_FAULT
        self.warnings = 0
        self._wait_s = 1

    def check_slowly(self, moved: bool, ramp_pa: int):
        """Once a second. `moved`: a ramp, a vent, the relief or a proof moves gas. `ramp_pa`: the ramped setpoint."""
        # A ramp may begin and end within the second.
        ramped = ramp_pa != self._ramp_pa
        self._ramp_pa = ramp_pa
        if moved or ramped or self._sensors.control.band != VALID:
            self._wait_s = _AFTER_S
            self.warnings = 0
        elif self._wait_s > 0:
            self._wait_s = self._wait_s - 1 if self._heat.most_pa() > _CALM_PA else 0
            if not self._wait_s:
                self._start()
        elif self._learns() or self._blind != (self._sensors.wall_mk == 0):
            self._start()
        else:
            self._account.follow_wall()
            if self._seconds % _SHORT_S < _SHORT_S - 1:
                self._seconds += 1
            elif self._valves.idle() or self._late_s >= _LATE_S:
                self._seconds += 1
                self._late_s = 0
                self._judge()
            else:
                self._late_s += 1

    def _learns(self) -> bool:
        """Return whether a valve pulsed whose effect is not known well yet."""
        pulses = self._valves.unsure_pulses()
        learns = pulses != self._pulses
        self._pulses = pulses
        return learns

    def _start(self):
        self._account.start()
        self._blind = self._sensors.wall_mk == 0
        self._seconds = 0
        self._heat_pa = 0
        self._warm_pa = 0
        for index in range(_SHORTS):
            self._minute_pa[index] = 0
        for index in range(_LONGS):
            self._hour_pa[index] = 0
            self._hour_turns[index] = self._valves.reversals

    def _judge(self):
        gained_pa = self._account.gained_pa()
        # What the heat of a movement may give back counts for the hour that follows, less and less. How much it is
        # depends on the gas (argon warms more than air), and a gas sensor may read the wall in part.
        sensors = self._sensors
        warm_pa = abs(sensors.pressure_pa - sensors.settled_pa)
        heat_pa = max(self._heat.most_pa() - _CALM_PA, warm_pa, self._warm_pa - self._warm_pa // _SHORTS)
        self._warm_pa = heat_pa
        self._heat_pa = max(self._heat_pa, heat_pa)
        told_pa = _TOLD_PA + heat_pa
        budget_pa = self._budget_pa + self._heat_pa
        wall_mk = self._sensors.wall_mk
        if not wall_mk or abs(self._sensors.gas_mk - wall_mk) > _APART_MK:
            unknown_pa = self._sensors.pressure_pa // _UNKNOWN_SHARE
            told_pa += unknown_pa
            budget_pa += unknown_pa
        self.warnings = 0
        if gained_pa - min(self._minute_pa) > told_pa:
            self.warnings = GAS_GAINED
        elif max(self._minute_pa) - gained_pa > told_pa:
            self.warnings = LEAK
        turns = self._valves.reversals - min(self._hour_turns)
        if (
            gained_pa - min(self._hour_pa) > budget_pa
            or max(self._hour_pa) - gained_pa > budget_pa
            or turns > self._turns
        ) and not self.fault:
            self.fault = GAS_CHASED
            self.value = gained_pa
        self._minute_pa[self._seconds // _SHORT_S % _SHORTS] = gained_pa
        if self._seconds % _LONG_S == 0:
            self._hour_pa[self._seconds // _LONG_S % _LONGS] = gained_pa
            self._hour_turns[self._seconds // _LONG_S % _LONGS] = self._valves.reversals
            self._heat_pa //= 2
        if self._seconds >= _WRAP_S:
            self._seconds = 0
