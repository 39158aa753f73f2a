"""Watches supply pressure, wall and gas temperature. The constants are chosen on the simulated plant."""

from regulator.faults import (
    GAS_TEMPERATURE,
    NO_FAULT,
    RUNAWAY,
    SUPPLY_HIGH,
    SUPPLY_LOW,
    WALL_TEMPERATURE,
)
from regulator.fixed import muldiv
from regulator.measure.temperature import GAS_FAULT, WALL_FAULT, tmp117_mk
from regulator.measure.transducer import SHORT, VALID
from regulator.valves.heat import left_by_pa
from regulator.valves.sides import FILL_DIFFERENCE_PA
from regulator.valves.window import SETTLE, SHUT

# Hysteresis of both supply warnings.
_HYSTERESIS_PA = 50_000
# With a target this far below the pressure no fill is expected.
_BELOW_PA = 200_000
# While this much heat, as pressure, flows to the wall, it may warm _STIRRED times as fast. Rates are over _RATE_S.
_HEAT_PA = 30_000
_STIRRED = 3
_RATE_S = 4
# A climb of the wall over _CLIMB_S has a witness if gas temperature or pressure (dp/dT is about p / 280 K) rose by a
# share of it, as much as they have done after 7 s of a true one, and more than their noise and the heat of past
# movements. Below _BLIND_PA the pressure shows nothing. A wall that climbs alone for _ALONE_S is a sensor fault, and
# stays one while it is _APART_MK further from the gas than before.
_CLIMB_S = 12
_PER_KELVIN = 280
_SHARE = 20
_LEAST_MK = 120
_LEAST_PA = 1_500
_BLIND_PA = 500_000
# The bound on the heat of past movements does not fade below this.
_FADED_PA = 200
# Beyond this movement by pulses within _CLIMB_S, gas temperature and pressure do not tell. Nor do they for _LEARNING_S
# after a pulse that moved an unknown amount.
_MOVED_PA = 30_000
_LEARNING_S = 24
_MOST_PA = 5_000_000  # keeps products below 2^30
_ALONE_S = 12
# A witness must confirm for this long before gas is let out: a pulse of a hold may look like one for a moment.
_SURE_S = 3
_APART_MK = 600
# Gas this close to the limit of the wall confirms that it is hot.
_NEAR_MK = 5_000
_INVALID = -(1 << 28)
_DENIED, _CONFIRMED, _UNSEEN = range(3)


class Supply:
    """`warnings` are the present ones; each of them inhibits fill."""

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.warnings = 0
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        self._max_pa = self._settings.get("supply_max_pa")

    def check_slowly(self, wanted_pa: int):
        """Judge the supply while regulating to `wanted_pa` (0: off). Both warnings end by themselves."""
        supply = self._sensors.supply
        before = self.warnings
        warnings = 0
        if supply.band == SHORT:
            # A saturated loop and a supply far above the range look the same.
            warnings = SUPPLY_HIGH
        elif supply.band == VALID:
            pa = supply.pa
            if pa > self._max_pa - (_HYSTERESIS_PA if before & SUPPLY_HIGH else 0):
                warnings = SUPPLY_HIGH
            pressure_pa = self._sensors.pressure_pa
            if wanted_pa and wanted_pa > pressure_pa - _BELOW_PA:
                least_pa = pressure_pa + FILL_DIFFERENCE_PA
                if before & SUPPLY_LOW:
                    least_pa += _HYSTERESIS_PA
                if pa < least_pa:
                    warnings |= SUPPLY_LOW
        self.warnings = warnings


class Climate:
    """`fault` and `warnings` are the present ones. An implausible sensor counts as failed.

    `sure`: the runaway of `fault` has two witnesses. With one whose partner cannot tell it isolates, but lets no gas
    out.
    """

    def __init__(self, settings, sensors, valves):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self.fault = NO_FAULT
        self.value = 0
        self.sure = False
        self.warnings = 0
        # Of the last seconds; 0 where invalid.
        self._wall_mk = [0] * _CLIMB_S
        self._gas_mk = [0] * _CLIMB_S
        self._gas_pa = [_INVALID] * _CLIMB_S
        self._cold_pa = [0] * _CLIMB_S
        self._metered_pa = [0] * _CLIMB_S
        self._heat_pa = 0
        self._blind = False  # gas was moved, so that its temperature and pressure do not tell
        self._pulses = 0
        self._learning_s = 0
        self._index = 0
        self._alone_s = 0
        self._sure_s = 0
        self._offset_mk = 0  # of the wall from the gas before it climbed alone
        self._ignored = False
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        setting = self._settings.get
        self._max_mk = setting("wall_max_mk")
        self._rise_mk = setting("wall_rate_max_mk_min") * _RATE_S // 60

    def rise_mk(self) -> int:
        """Return how far the wall has risen in the last _RATE_S, 0 while that is unknown."""
        now_mk, was_mk = self._wall_mk[self._index - 1], self._wall_mk[self._index - 1 - _RATE_S]
        return now_mk - was_mk if now_mk and was_mk else 0

    def check_slowly(self, sample, heat):
        """Once a second. `heat`: what past movements may give back."""
        sensors = self._sensors
        temperatures = sensors.temperatures
        wall_mk = tmp117_mk(sample.wall_counts)
        if self._ignored:
            self._ignored = (
                wall_mk - (sensors.gas_mk or self._gas_mk[self._index]) > self._offset_mk + _APART_MK
            )
            if self._ignored:
                temperatures.distrust_wall()
        calm = heat.most_pa() < _HEAT_PA
        failed = temperatures.check_plausible(sample, calm)
        self.warnings = GAS_TEMPERATURE if failed & GAS_FAULT else 0
        if failed & WALL_FAULT:
            self.warnings |= WALL_TEMPERATURE
            wall_mk = 0
        index = self._index
        metered_pa = self._valves.metered_pa
        moved_pa = min(max(metered_pa - self._metered_pa[index], -_MOST_PA), _MOST_PA)
        # A rise of gas temperature and pressure may be cold of earlier vents that fades, or heat of these fills.
        self._cold_pa[index] = max(heat.cold.pa - _FADED_PA, 0)
        heat_pa = max(self._cold_pa) + max(left_by_pa(moved_pa), 0)
        self._heat_pa = max(heat_pa, self._heat_pa - self._heat_pa // _CLIMB_S)
        self._learning_s = _LEARNING_S if self._learns() else max(self._learning_s - 1, 0)
        self._blind = not calm or self._learning_s > 0 or not -_MOVED_PA < moved_pa < _MOVED_PA
        gas_pa = now_pa = _INVALID
        if SHUT < self._valves.stage < SETTLE:
            # A pulse is metered at once, and moves the pressure later.
            gas_pa = self._gas_pa[index - 1]
        elif sensors.control.band == VALID:
            # Less what was metered in, of which 45 in 145 parts reverse. A rise from the most that the past can have
            # been at rest to the least that the present is.
            gas_pa = sensors.pressure_pa - metered_pa + metered_pa * 9 // 29
            now_pa = gas_pa - min(heat.warm.pa, max(left_by_pa(moved_pa), 0))
            gas_pa += max(heat.cold.pa, 0)
        self._check_runaway(wall_mk, now_pa, calm)
        self._wall_mk[index] = wall_mk
        self._gas_mk[index] = sensors.gas_mk
        self._gas_pa[index] = gas_pa
        self._metered_pa[index] = metered_pa
        self._index = index + 1 if index + 1 < _CLIMB_S else 0

    def _learns(self) -> bool:
        """Return whether a valve pulsed whose effect is not known well yet."""
        pulses = self._valves.unsure_pulses()
        learns = pulses != self._pulses
        self._pulses = pulses
        return learns

    def _check_runaway(self, wall_mk: int, gas_pa: int, calm: bool):
        now_mk = wall_mk
        rise_mk = self._rise_mk if calm else self._rise_mk * _STIRRED
        past_mk = self._wall_mk
        if not wall_mk:
            # Without the wall the gas tells, beside what its movements do.
            now_mk = self._sensors.gas_mk
            rise_mk += self._heat_mk()
            past_mk = self._gas_mk
        was_mk = past_mk[self._index - _RATE_S]
        hot = now_mk > self._max_mk
        if not (hot or (now_mk and was_mk and now_mk - was_mk > rise_mk)):
            self.fault = NO_FAULT
            self._sure_s = max(self._sure_s - 1, 0)
            was_mk = past_mk[self._index]
            if not was_mk or now_mk - was_mk < self._rise_mk:
                # While it climbs, what was counted so far holds.
                self._alone_s = max(self._alone_s - 1, 0)
            return
        was_mk = past_mk[self._index]
        climb_mk = now_mk - was_mk if was_mk else rise_mk
        # Nor does anything tell of a wall whose past is unknown.
        unseen = self._blind or (wall_mk and not was_mk)
        seen = _UNSEEN if unseen else self._witness(climb_mk, gas_pa)
        if wall_mk and hot and self._sensors.gas_mk > self._max_mk - _NEAR_MK:
            seen = _CONFIRMED
        self._sure_s = self._sure_s + 1 if seen == _CONFIRMED else max(self._sure_s - 1, 0)
        if seen == _DENIED:
            self._alone_s += 1
            if self._alone_s >= _ALONE_S and wall_mk:
                self._ignore_wall()
            return
        sure = self._sure_s >= _SURE_S
        # One that becomes sure is reported anew.
        self.fault = NO_FAULT if self.fault and sure and not self.sure else RUNAWAY
        self.sure = sure
        self.value = now_mk

    def _heat_mk(self) -> int:
        return muldiv(self._heat_pa, 1000, max(self._sensors.pressure_pa // _PER_KELVIN, 1))

    def _witness(self, climb_mk: int, gas_pa: int) -> int:
        """Return whether gas temperature or pressure rose with a climb, did not, or cannot tell."""
        sensors = self._sensors
        seen = _UNSEEN
        # From the lowest reading on, as the gas may still have cooled when the climb began. Colder gas warms by itself.
        lowest_mk = min(self._gas_mk)
        cold_mk = self._cold_mk(lowest_mk)
        doubt = False
        if sensors.gas_mk and lowest_mk:
            seen = _DENIED
            heat_mk = self._heat_mk()
            over_mk = sensors.gas_mk - lowest_mk - heat_mk - max(_LEAST_MK, climb_mk // _SHARE)
            if over_mk >= max(cold_mk - heat_mk, 0):
                return _CONFIRMED
            doubt = over_mk >= 0
        lowest_pa = min(self._gas_pa)
        if sensors.pressure_pa > _BLIND_PA and gas_pa != _INVALID and lowest_pa != _INVALID:
            seen = _DENIED
            per_kelvin_pa = sensors.pressure_pa // _PER_KELVIN
            least_pa = max(_LEAST_PA, muldiv(per_kelvin_pa, climb_mk, 1000) // _SHARE)
            over_pa = gas_pa - lowest_pa - least_pa
            if over_pa >= muldiv(per_kelvin_pa, cold_mk, 1000):
                return _CONFIRMED
            doubt = doubt or over_pa >= 0
        # A rise that cold gas makes by itself neither confirms nor denies.
        return _UNSEEN if doubt else seen

    def _cold_mk(self, lowest_mk: int) -> int:
        """Return how far the gas was below the wall when the climb began; 0 while unknown."""
        wall_mk = self._wall_mk[self._index]
        known = wall_mk and lowest_mk
        return max(wall_mk + self._sensors.lead.offset_mk - lowest_mk, 0) if known else 0

    def _ignore_wall(self):
        index = self._index
        self._alone_s = 0
        self._offset_mk = self._wall_mk[index] - (self._sensors.gas_mk or self._gas_mk[index])
        self._ignored = True
        self._sensors.temperatures.distrust_wall()
        self.warnings |= WALL_TEMPERATURE
