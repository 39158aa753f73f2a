"""Samples for tests of the pure logic: what the converters would deliver for given pressures and temperatures."""

from regulator.measure.sensors import Sample


def ads_counts(milliampere: float) -> int:
    """Counts of the ADS1115 for a loop current in mA."""
    return max(0, min(32767, int(milliampere * 100 / 62.5e-3 + 0.5)))


def adc_counts(milliampere: float) -> int:
    """Counts of the RP2040's converter for a loop current in mA."""
    return max(0, min(65535, int(milliampere * 0.1 / 3.3 * 65535 + 0.5)))


def milliampere(pa: float) -> float:
    """Loop current in mA at a pressure in Pa."""
    return 4 + 16 * pa / 10e6


def filled_sample(pa=5e6, safety_pa=None, supply_pa=6e6, gas_counts=9148, wall_c=30.0):
    """Return the sample of a tick; gas and wall are equally warm unless told otherwise."""
    sample = Sample()
    sample.control_counts = ads_counts(milliampere(pa))
    sample.supply_counts = ads_counts(milliampere(supply_pa))
    sample.safety_counts = adc_counts(milliampere(pa if safety_pa is None else safety_pa))
    sample.gas_counts = gas_counts
    sample.wall_counts = int(wall_c * 128)
    sample.reference_counts = 20_000
    sample.rail_on = 1
    return sample


class RecordingRig:
    """Remembers what was put out."""

    def __init__(self):
        self.levels = (False, False, False)
        self.pulses = []
        self.safes = 0

    def switch(self, supply_isolation, vent_isolation, relief):
        self.levels = (supply_isolation, vent_isolation, relief)

    def pulse(self, valve, us):
        self.pulses.append((valve, us))

    def safe(self):
        self.levels = (False, False, False)
        self.safes += 1
