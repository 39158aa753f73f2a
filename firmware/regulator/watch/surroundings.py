"""Watches what surrounds the chamber: the supply's pressure, the wall's and the gas's temperature."""

from regulator.faults import (
    GAS_TEMPERATURE,
    NO_FAULT,
    RUNAWAY,
    SUPPLY_HIGH,
    SUPPLY_LOW,
    WALL_TEMPERATURE,
)
from regulator.measure.transducer import SHORT, VALID, pt1000_mk

# Fills need so much across the fill valve; a supply that came back is believed this much later.
_MARGIN_PA = 100_000
_HYSTERESIS_PA = 50_000
# A target this far below the pressure needs no supply.
_BELOW_PA = 200_000
# The wall of a chamber cannot change faster than this in a second, nor can gas and wall stay this far apart for so
# many seconds in a gas that is not moved. What moved without being able to is distrusted for a while.
_WALL_STEP_MK = 5_000
_APART_MK = 25_000
_APART_S = 4
_DISTRUST_S = 60
# While so much heat of a ramp is on its way to the wall, its rate may be this many times as high.
_HEAT_PA = 30_000
_STIRRED = 3
_RATE_S = 4


class Supply:
    """`warnings` hold now; fill is inhibited while any of them does."""

    WARNINGS = SUPPLY_LOW | SUPPLY_HIGH

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.warnings = 0
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        self._max_pa = self._settings.get("supply_max_pa")

    def check_slowly(self, wanted: bool, target_pa: int):
        """Judge the supply; `wanted`: the device regulates, to `target_pa`. Both warnings end by themselves."""
        supply = self._sensors.supply
        before = self.warnings
        warnings = 0
        if supply.band == SHORT:
            # A saturated loop cannot be told from a supply far beyond the range.
            warnings = SUPPLY_HIGH
        elif supply.band == VALID:
            pa = supply.pa
            if pa > self._max_pa - (_HYSTERESIS_PA if before & SUPPLY_HIGH else 0):
                warnings = SUPPLY_HIGH
            pressure_pa = self._sensors.pressure_pa
            if wanted and target_pa > pressure_pa - _BELOW_PA:
                least_pa = pressure_pa + _MARGIN_PA
                if before & SUPPLY_LOW:
                    least_pa += _HYSTERESIS_PA
                if pa < least_pa:
                    warnings |= SUPPLY_LOW
        self.warnings = warnings


class Climate:
    """`fault` and `warnings` hold now; a sensor that is not plausible is distrusted, and what it corrects is frozen."""

    WARNINGS = GAS_TEMPERATURE | WALL_TEMPERATURE

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.fault = NO_FAULT
        self.value = 0
        self.warnings = 0
        self._wall_mk = 0
        self._calm_wall_mk = 0  # when gas and wall agreed last
        self._calm_gas_mk = 0
        self._apart_s = 0
        self._distrust_wall_s = 0
        self._distrust_gas_s = 0
        self._was_mk = [0] * _RATE_S
        self._index = 0
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        setting = self._settings.get
        self._max_mk = setting("wall_max_mk")
        self._rise_mk = setting("wall_rate_max_mk_min") * _RATE_S // 60

    def check_slowly(self, sample, heat_pa: int):
        """Once a second. `heat_pa`: what past movements of the gas will give back."""
        sensors = self._sensors
        wall_mk = 0 if sample.faults & 4 else 273_150 + sample.wall_counts * 125 // 16
        gas_mk = 0 if sample.faults & 2 else pt1000_mk(sample.gas_counts)
        calm = heat_pa < _HEAT_PA
        self._check_plausible(wall_mk, gas_mk, calm)
        distrusted = 0
        if self._distrust_wall_s > 0:
            self._distrust_wall_s -= 1
            distrusted = 4
        if self._distrust_gas_s > 0:
            self._distrust_gas_s -= 1
            distrusted |= 2
        sensors.distrusted = distrusted
        warnings = 0
        if gas_mk == 0 or distrusted & 2:
            warnings = GAS_TEMPERATURE
        if wall_mk == 0 or distrusted & 4:
            warnings |= WALL_TEMPERATURE
            wall_mk = 0
        self.warnings = warnings
        self._check_runaway(wall_mk, calm)

    def _check_plausible(self, wall_mk: int, gas_mk: int, calm: bool):
        before_mk = self._wall_mk
        if wall_mk and before_mk and abs(wall_mk - before_mk) > _WALL_STEP_MK:
            self._distrust_wall_s = _DISTRUST_S
        self._wall_mk = wall_mk
        if not (wall_mk and gas_mk and calm):
            self._apart_s = 0
        elif abs(wall_mk - gas_mk) <= _APART_MK:
            self._apart_s = 0
            self._calm_wall_mk = wall_mk
            self._calm_gas_mk = gas_mk
        else:
            self._apart_s += 1
            if self._apart_s >= _APART_S:
                self._apart_s = _APART_S
                # The one that went further from where both agreed.
                if abs(wall_mk - self._calm_wall_mk) > abs(gas_mk - self._calm_gas_mk):
                    self._distrust_wall_s = _DISTRUST_S
                else:
                    self._distrust_gas_s = _DISTRUST_S

    def _check_runaway(self, wall_mk: int, calm: bool):
        was_mk = self._was_mk[self._index]
        self._was_mk[self._index] = wall_mk
        self._index = self._index + 1 if self._index + 1 < _RATE_S else 0
        hot = wall_mk > self._max_mk
        rise_mk = self._rise_mk if calm else self._rise_mk * _STIRRED
        fast = wall_mk and was_mk and wall_mk - was_mk > rise_mk
        if hot or fast:
            self.fault = RUNAWAY
            self.value = wall_mk
        else:
            self.fault = NO_FAULT
