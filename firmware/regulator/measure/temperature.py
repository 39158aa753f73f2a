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


# The wall cannot change faster than _WALL_STEP_MK in a second. Gas at rest cannot stay APART_MK from the wall for
# _APART_S. An implausible sensor is ignored for _DISTRUST_S. Chosen on the simulated plant.
_WALL_STEP_MK = 5_000
APART_MK = 25_000
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
        elif abs(wall_mk - gas_mk) <= APART_MK:
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


# Gas is at rest this long after a movement if its lead over the wall then changes by less than _STEADY_MK in _STEADY_S:
# an exponential decay with the gas's slowest time constant, 26 s, has 0.7 of it left to lose.
_REST_S = 60
_STEADY_S = 30
_STEADY_MK = 60
# The offset is a running mean over this time, one swing of an oven or more. A first value from boot, at most
# _BOOT_OFFSET_MK (two PT1000 of class B and a sensor on the wall), weighs as much as half a minute.
_OFFSET_S = 1_024
_BOOT_S = 30
_BOOT_OFFSET_MK = 1_000
# A larger difference from the mean may be gas that something else warms, and counts as this much.
_NEW_MK = 100
# An offset that needs attention; it is known well enough after five minutes at rest. Design choices.
_TELL_MK = 1_000
_TELL_S = 300
# Gas that was left alone for _SOON_S is not this far from the wall, so one of the sensors drifts. Chosen on the
# simulated plant.
_SOON_S = 30
_APART_SOON_MK = 4_000


class Lead:
    """How much warmer than the wall the gas is, in mK: the difference of the readings less its mean at rest."""

    def __init__(self):
        self.warmer_mk = 0
        self.offset_mk = 0
        self._offset = 0  # offset_mk times 256
        self._mean = 0  # mean difference over 64 ticks, mK times 64
        self._known_s = 0  # time at rest that the offset is a mean of
        self._calm_s = _REST_S  # since gas was moved
        self._was_mk = 0  # the difference at the last check
        self._check_s = 0
        self._steady = True
        self._wall_mk = 0  # at the last check
        self._wall_rests = False

    def forget(self):
        """Note that a reading is missing."""
        self._mean = 0
        self.warmer_mk = 0

    def update(self, difference_mk: int):
        """Take gas minus wall of this tick."""
        mean = self._mean
        mean += difference_mk - (mean >> 6) if mean else difference_mk << 6
        self._mean = mean
        self.warmer_mk = (mean >> 6) - self.offset_mk

    def is_resting(self) -> bool:
        """Return whether the gas has the wall's temperature."""
        return self._steady and self._calm_s >= _REST_S

    def is_odd(self) -> bool:
        """Return whether the two thermometers differ too much at rest, or soon after a movement."""
        apart = self._calm_s >= _SOON_S and abs(self.warmer_mk) > _APART_SOON_MK
        return apart or (self._known_s >= _TELL_S and abs(self.offset_mk) > _TELL_MK)

    def learn(self, wall_mk: int, moved: bool):
        """Once a second: learn the offset from gas at rest; `moved`: gas was moved since the last call."""
        if self._mean == 0:
            self._calm_s = 0 if moved else min(self._calm_s + 1, _REST_S)
            self._steady = not moved
            return
        difference_mk = self._mean >> 6
        if self._known_s == 0 and abs(difference_mk) < _BOOT_OFFSET_MK:
            self._begin(difference_mk)
        self._check_s += 1
        if self._check_s >= _STEADY_S:
            self._check_s = 0
            self._steady = abs(difference_mk - self._was_mk) < _STEADY_MK
            self._was_mk = difference_mk
            # Gas lags behind a wall that warms: by 26 s of this, 50 mK.
            self._wall_rests = abs(wall_mk - self._wall_mk) < _STEADY_MK
            self._wall_mk = wall_mk
            if self._known_s == 0 and self.is_resting():
                self._begin(difference_mk)
        if moved:
            self._calm_s = 0
            self._steady = False
        elif self._calm_s < _REST_S:
            self._calm_s += 1
        elif self._steady and self._wall_rests and self._known_s:
            if self._known_s < _OFFSET_S:
                self._known_s += 1
            new = min(max(difference_mk - self.offset_mk, -_NEW_MK), _NEW_MK)
            self._offset += (new << 8) // self._known_s
        self.offset_mk = self._offset >> 8

    def _begin(self, difference_mk: int):
        self._known_s = _BOOT_S
        self._offset = difference_mk << 8
        self._was_mk = difference_mk
