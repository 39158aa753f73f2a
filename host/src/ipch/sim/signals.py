"""From sensor signals to the counts that the converters deliver."""

from __future__ import annotations

import math

from ipch.sim.plant import Measurement

SHUNT_OHM = 100.0
ADS1115_VOLT_PER_COUNT = 62.5e-6
RP2040_VOLT_PER_COUNT = 3.3 / 65535
# Erratum RP2040-E11: four of the 4096 codes are nine codes wide, their neighbours too narrow. Input and output around
# such a code (512, 1536, 2560, 3584), in codes.
_FIRST_WIDE, _EVERY = 512.0, 1024.0
_WIDE = ((-10.8, -10.8), (-7.0, 0.0), (2.0, 0.0), (5.0, 5.0))
REFERENCE_OHM = 4000.0
TMP117_KELVIN_PER_COUNT = 1 / 128

# IEC 60751, PT1000.
_A, _B, _C = 3.9083e-3, -5.775e-7, -4.183e-12

# Order of the values sent to the firmware in one tick.
DT_MS, CONTROL, SAFETY, SUPPLY, GAS, WALL, FAULTS = range(7)
REFERENCE, COIL_DEAD, COIL_SHORTED, RAIL, TRIPPED = range(7, 12)
COUNT = 12

REFERENCE_VOLT = 1.25
REFERENCE_COUNTS = round(REFERENCE_VOLT / ADS1115_VOLT_PER_COUNT)


def pt1000_ohm(kelvin: float) -> float:
    """Resistance of a PT1000 in ohm, -200 to 850 degC (Callendar-Van Dusen, IEC 60751)."""
    t = kelvin - 273.15
    ratio = 1 + _A * t + _B * t * t
    if t < 0:
        ratio += _C * (t - 100) * t**3
    return 1000 * ratio


def rp2040_codes(codes: float) -> float:
    """Output of the RP2040's ADC for an input in codes of 12 bits, with the steps of its erratum E11."""
    offset = (codes - _FIRST_WIDE + _EVERY / 2) % _EVERY - _EVERY / 2
    if _WIDE[0][0] < offset < _WIDE[-1][0]:
        for (from_in, from_out), (to_in, to_out) in zip(_WIDE, _WIDE[1:]):
            if offset <= to_in:
                share = (offset - from_in) / (to_in - from_in)
                return codes - offset + from_out + (to_out - from_out) * share
    return codes


def quantise(measurement: Measurement, counts: list[int]) -> None:
    """Write the counts of one measurement into `counts`, at the indices of this module."""
    ads_per_ma = SHUNT_OHM * 1e-3 / ADS1115_VOLT_PER_COUNT
    counts[CONTROL] = min(32767, max(-32768, math.floor(measurement.control_ma * ads_per_ma + 0.5)))
    counts[SUPPLY] = min(32767, max(-32768, math.floor(measurement.supply_ma * ads_per_ma + 0.5)))
    codes = rp2040_codes(measurement.safety_ma * (SHUNT_OHM * 1e-3 / RP2040_VOLT_PER_COUNT / 16.0))
    counts[SAFETY] = min(65535, max(0, math.floor(codes * 16.0 + 0.5)))
    counts[GAS] = min(32767, math.floor(pt1000_ohm(measurement.gas_k) / REFERENCE_OHM * 32768))
    counts[WALL] = math.floor((measurement.wall_k - 273.15) / TMP117_KELVIN_PER_COUNT + 0.5)
