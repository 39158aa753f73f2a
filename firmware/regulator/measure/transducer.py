"""One sensor at a time: counts to pascal and millikelvin, calibration, NAMUR NE43 bands."""

FULL_SCALE_PA = 10_000_000

# State of a 4-20 mA loop. NE43: 3.8-20.5 mA is a measurement, below 3.6 and above 21 mA is a failure.
VALID, OPEN, LOW, HIGH, SHORT = range(5)
# The same limits as nominal pressures: 16 mA span full scale and 4 mA is zero.
_OPEN_PA = -250_000
_LOW_PA = -125_000
_HIGH_PA = 10_312_500
_SHORT_PA = 10_625_000

# The ADS1115 ends at 32767 counts = 20.48 mA into 100 ohm: there a short cannot be told from 20.5 mA, and
# the graver of the two is assumed.
ADS1115_SATURATED = 32767

# Resistance of a PT1000 in milliohm from -40 to 130 degC in steps of 5 K (IEC 60751: A 3.9083e-3, B -5.775e-7,
# C -4.183e-12). Linear interpolation between them is good to 1 mK.
_PT1000_MOHM = (
    842707, 862478, 882217, 901923, 921599, 941244, 960859, 980444, 1000000, 1019527, 1039025, 1058495,
    1077935, 1097347, 1116729, 1136083, 1155408, 1174704, 1193971, 1213210, 1232419, 1251600, 1270751, 1289874,
    1308968, 1328033, 1347069, 1366077, 1385055, 1404005, 1422925, 1441817, 1460680, 1479514, 1498319,
)  # fmt: skip
_PT1000_FIRST_MK = 233_150


def pt1000_mk(counts: int) -> int:
    """Return the temperature in mK for a MAX31865 ratio (0..32767) with a 4 kilohm reference; 0 = out of range."""
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


class Transducer:
    """A 4-20 mA pressure transducer over 0..10 MPa absolute and its calibration.

    pressure = nominal + zero + span * nominal, where zero and span each have a term that is linear in the
    temperature of the block that carries the transducer.
    """

    def __init__(self, multiplier: int, divisor: int, saturated: int):
        self._multiplier = multiplier
        self._divisor = divisor
        self._saturated = saturated
        self._zero_pa = 0
        self._span_ppm = 0
        self._zero_tc_pa_k = 0
        self._span_tc_ppm_k = 0
        self._reference_mk = 303_150
        self._offset_pa = 0
        self._gain_ppm = 0
        self.band = OPEN
        self.pa = 0

    def calibrate(
        self, zero_pa: int, span_ppm: int, zero_tc_pa_k: int, span_tc_ppm_k: int, reference_mk: int
    ):
        """Set the coefficients: Pa, ppm of reading, Pa/K, ppm/K, and the temperature at which both terms are 0."""
        self._zero_pa = zero_pa
        self._span_ppm = span_ppm
        self._zero_tc_pa_k = zero_tc_pa_k
        self._span_tc_ppm_k = span_tc_ppm_k
        self._reference_mk = reference_mk
        self.compensate(reference_mk)

    def compensate(self, wall_mk: int):
        """Take the temperature terms at this temperature."""
        delta_mk = wall_mk - self._reference_mk
        self._offset_pa = self._zero_pa + self._zero_tc_pa_k * delta_mk // 1000
        self._gain_ppm = self._span_ppm + self._span_tc_ppm_k * delta_mk // 1000

    def update(self, counts: int):
        """Convert one sample: sets `band`, and `pa` when the loop current is a measurement."""
        nominal_pa = counts * self._multiplier // self._divisor - 2_500_000
        if _LOW_PA <= nominal_pa <= _HIGH_PA and counts < self._saturated:
            self.band = VALID
            self.pa = nominal_pa + self._offset_pa + (nominal_pa // 1000) * self._gain_ppm // 1000
        elif nominal_pa < _OPEN_PA:
            self.band = OPEN
        elif nominal_pa < _LOW_PA:
            self.band = LOW
        elif nominal_pa > _SHORT_PA or counts >= self._saturated:
            self.band = SHORT
        else:
            self.band = HIGH
