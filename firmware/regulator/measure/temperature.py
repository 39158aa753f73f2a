"""Temperatures of gas and wall: counts to millikelvin, and a plausibility check of both sensors."""

# Resistance of a PT1000 in milliohm from -40 to 130 degC in steps of 5 K (IEC 60751: A 3.9083e-3, B -5.775e-7,
# C -4.183e-12). Linear interpolation between them is good to 1 mK.
_PT1000_MOHM = (
    842707, 862478, 882217, 901923, 921599, 941244, 960859, 980444, 1000000, 1019527, 1039025, 1058495,
    1077935, 1097347, 1116729, 1136083, 1155408, 1174704, 1193971, 1213210, 1232419, 1251600, 1270751, 1289874,
    1308968, 1328033, 1347069, 1366077, 1385055, 1404005, 1422925, 1441817, 1460680, 1479514, 1498319,
)  # fmt: skip
_PT1000_FIRST_MK = 233_150


def pt1000_mk(counts: int) -> int:
    """Return the temperature in mK for a MAX31865 ratio (0..32767) against 4 kilohm; 0 = out of range."""
    milliohm = counts * 15625 // 128
    index = (milliohm - _PT1000_MOHM[0]) // 19300
    if index < 0:
        return 0
    if index > len(_PT1000_MOHM) - 2:
        index = len(_PT1000_MOHM) - 2
    while index > 0 and milliohm < _PT1000_MOHM[index]:
        index -= 1
    while index < len(_PT1000_MOHM) - 2 and milliohm >= _PT1000_MOHM[index + 1]:
        index += 1
    low = _PT1000_MOHM[index]
    step = _PT1000_MOHM[index + 1] - low
    if milliohm > low + step:
        return 0
    return _PT1000_FIRST_MK + index * 5000 + (milliohm - low) * 5000 // step


ZERO_CELSIUS_MK = 273_150


def tmp117_mk(counts: int) -> int:
    """Return the temperature in mK for the counts of a TMP117: 1/128 K each, 0 at 0 degC."""
    return ZERO_CELSIUS_MK + counts * 125 // 16


# The wall cannot change faster than _WALL_STEP_MK in a second. Gas at rest cannot stay _APART_MK from the wall for
# _APART_S. An implausible sensor is ignored for _DISTRUST_S. Chosen on the simulated plant.
_WALL_STEP_MK = 5_000
_APART_MK = 25_000
_APART_S = 4
_DISTRUST_S = 60
# Bits of Sample.faults, as board.py sets them; ADC_FAULT is the third.
GAS_FAULT, WALL_FAULT = 2, 4


class Temperatures:
    """`gas_mk` and `wall_mk`; 0 = the sensor failed or is implausible, and its corrections are frozen."""

    def __init__(self):
        self.gas_mk = 0
        self.wall_mk = 0
        self._distrusted = 0  # implausible sensors, bits as in Sample.faults
        self._gas_counts = -1
        self._last_wall_mk = 0
        self._calm_wall_mk = 0  # when both sensors last agreed
        self._calm_gas_mk = 0
        self._apart_s = 0
        self._distrust_wall_s = 0
        self._distrust_gas_s = 0

    def update(self, sample):
        """Take the sample of this tick."""
        faults = sample.faults | self._distrusted
        # As tmp117_mk() does, without the call in every tick.
        self.wall_mk = 0 if faults & WALL_FAULT else ZERO_CELSIUS_MK + sample.wall_counts * 125 // 16
        if faults & GAS_FAULT:
            self.gas_mk = 0
            self._gas_counts = -1
        elif sample.gas_counts != self._gas_counts:
            self._gas_counts = sample.gas_counts
            self.gas_mk = pt1000_mk(sample.gas_counts)

    def distrust_wall(self):
        """Ignore the wall sensor for a while, because it climbs alone."""
        self._distrust_wall_s = _DISTRUST_S
        self._distrusted |= WALL_FAULT

    def check_plausible(self, sample, calm: bool) -> int:
        """Once a second: return the failed and implausible sensors as bits. `calm`: no gas was moved recently.

        The check uses the present readings, also of an ignored sensor.
        """
        wall_mk = 0 if sample.faults & WALL_FAULT else tmp117_mk(sample.wall_counts)
        gas_mk = 0 if sample.faults & GAS_FAULT else pt1000_mk(sample.gas_counts)
        self._compare(wall_mk, gas_mk, calm)
        distrusted = 0
        if self._distrust_wall_s > 0:
            self._distrust_wall_s -= 1
            distrusted = WALL_FAULT
        if self._distrust_gas_s > 0:
            self._distrust_gas_s -= 1
            distrusted |= GAS_FAULT
        self._distrusted = distrusted
        if wall_mk == 0:
            distrusted |= WALL_FAULT
        if gas_mk == 0:
            distrusted |= GAS_FAULT
        return distrusted

    def _compare(self, wall_mk: int, gas_mk: int, calm: bool):
        before_mk = self._last_wall_mk
        if wall_mk and before_mk and abs(wall_mk - before_mk) > _WALL_STEP_MK:
            self._distrust_wall_s = _DISTRUST_S
        self._last_wall_mk = wall_mk
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
                # Distrust the sensor that is further from its reading when both agreed.
                if abs(wall_mk - self._calm_wall_mk) > abs(gas_mk - self._calm_gas_mk):
                    self._distrust_wall_s = _DISTRUST_S
                else:
                    self._distrust_gas_s = _DISTRUST_S
