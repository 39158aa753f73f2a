"""Watches supply pressure, wall and gas temperature. The constants are chosen on the simulated plant."""

from regulator.faults import (
    GAS_TEMPERATURE,
    NO_FAULT,
    RUNAWAY,
    SUPPLY_HIGH,
    SUPPLY_LOW,
    WALL_TEMPERATURE,
)
from regulator.measure.temperature import GAS_FAULT, WALL_FAULT, tmp117_mk
from regulator.measure.transducer import SHORT, VALID
from regulator.valves.sides import FILL_DIFFERENCE_PA

# Hysteresis of both supply warnings.
_HYSTERESIS_PA = 50_000
# With a target this far below the pressure no fill is expected.
_BELOW_PA = 200_000
# While this much heat, as pressure, flows to the wall, it may warm _STIRRED times as fast. Rates are over _RATE_S.
_HEAT_PA = 30_000
_STIRRED = 3
_RATE_S = 4


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
    """`fault` and `warnings` are the present ones. An implausible sensor counts as failed."""

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.fault = NO_FAULT
        self.value = 0
        self.warnings = 0
        self._was_mk = [0] * _RATE_S
        self._index = 0
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        setting = self._settings.get
        self._max_mk = setting("wall_max_mk")
        self._rise_mk = setting("wall_rate_max_mk_min") * _RATE_S // 60

    def check_slowly(self, sample, heat_pa: int):
        """Once a second. `heat_pa`: pressure that the heat of past movements may give back."""
        calm = heat_pa < _HEAT_PA
        failed = self._sensors.temperatures.check_plausible(sample, calm)
        self.warnings = GAS_TEMPERATURE if failed & GAS_FAULT else 0
        wall_mk = tmp117_mk(sample.wall_counts)
        if failed & WALL_FAULT:
            self.warnings |= WALL_TEMPERATURE
            wall_mk = 0
        self._check_runaway(wall_mk, calm)

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
