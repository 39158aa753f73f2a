"""Plans the corrections up to the next turning point: as few pulses as possible, evenly spread.

The constants are chosen on the simulated plant.
"""

# A pulse is due this share of the dead-band before its edge, in percent, but at least _LEAST_MARGIN_PA: three sigma of
# the fitted level, and what the pressure moves until the pulse. Half of it is left just before a turning point.
_MARGIN_PERCENT = 4
_LEAST_MARGIN_PA = 250
# The price of a pulse: as much as an error of the whole dead-band for this time where the dead-band is PULSE_WORTH_PA,
# and in proportion to it elsewhere: a wider one is set by who wants fewer pulses. Design choice: the limit by dynamic
# programming has 52 to 57 pulses with 1.86 to 1.75 kPa on the reference day; this price gives 54 with 1.90 kPa.
PULSE_WORTH_S = 450
PULSE_WORTH_PA = 5_000
# A planned step takes at most this many times the part of the dead-band that the swing leaves free: two on either side.
_WIDEST_EDGES = 4
# Margin on the predicted way to the turning point.
_MORE_PERCENT = 109
# Error from which a planned pulse may come early, while the oven's swing lowers its peak; in percent of its step.
_EARLY_PERCENT = 65
# Margin for the prediction of a swing.
SWING_MARGIN_PA = 700
# If more pulses are needed before the turning point, each has the largest size.
_MANY = 5
# The pulses cover the way less this share of the widest step: the turning point may lie half a step off, and a little
# more saves a pulse.
_UNCOVERED_PERCENT = 65


class Situation:
    """An error in the direction of the valve that corrects it. Pressures in Pa, positive if that valve is needed."""

    def __init__(self):
        self.band_pa = 0  # dead-band in force
        self.error_pa = 0
        self.staying_pa = 0  # error that remains once the gas is at the wall temperature
        self.swing_pa = 0  # part of the pressure that a swing of the oven will reverse
        self.lasting_pa = 0  # the remaining error, which needs a pulse
        self.amplitude_pa = 0  # amplitude of the swing
        self.trigger_pa = 0  # error at which a pulse is due
        self.edge_pa = 0  # trigger minus amplitude
        self.coarse_pa = 0  # dead-band that the shortest pulses can keep
        self.widest_pa = 0  # lasting step that a pulse is worth

    def worth(self, band_pa: int, drift_pa: int):
        """Set the step that a pulse is worth, about once a second; `drift_pa` is the drift within PULSE_WORTH_S.

        Steps of s against a drift of r cost r/s pulses and s^2/12 of mean square error in a time. A pulse costs as much
        as an error of the whole dead-band b for the time T = PULSE_WORTH_S * b/PULSE_WORTH_PA, so the sum is least at
        (s/b)^3 = 6 r PULSE_WORTH_S/PULSE_WORTH_PA. In percent, with the drift in units of 100 Pa.
        """
        cube = 6_000_000 // (PULSE_WORTH_PA // 100) * min(drift_pa // 100 + 1, 150)
        percent = 300
        while percent * percent * percent > cube:
            percent -= (percent - cube // (percent * percent) + 2) // 3
        self.widest_pa = band_pa * percent // 100

    def begin(self, error_pa: int, band_pa: int):
        """Set the error and the dead-band in force."""
        self.error_pa = error_pa
        self.band_pa = band_pa

    def see(self, staying_pa: int, swing_pa: int, amplitude_pa: int, vent: bool):
        """Set the measured values, target minus pressure; `vent`: the vent valve corrects."""
        self.staying_pa = -staying_pa if vent else staying_pa
        self.swing_pa = -swing_pa if vent else swing_pa
        self.lasting_pa = self.staying_pa + self.swing_pa
        self.amplitude_pa = amplitude_pa

    def aim(self, trigger_pa: int, coarse_pa: int):
        """Set the error at which a pulse is due."""
        self.trigger_pa = trigger_pa
        self.edge_pa = self.trigger_pa - self.amplitude_pa
        self.coarse_pa = coarse_pa


def margin_pa(band_pa: int) -> int:
    """Return how far before the edge of the dead-band a pulse is due."""
    return max(band_pa * _MARGIN_PERCENT // 100, _LEAST_MARGIN_PA)


def planned_pa(now, left_pa: int, most_pa: int, room_pa: int) -> int:
    """Return the lasting step of the next of as few pulses as possible before the turning point; 0 to wait.

    `left_pa`: predicted way to the turning point; `most_pa`: largest step that fits the dead-band; `room_pa`: largest
    step that fits now. For a given number of pulses the rms is least if all are equal and the errors are symmetric to
    the target: each pulse comes half a step before it, and the turning point lies half a step off.
    """
    # With a margin, so that no small pulse is needed shortly before the turning point.
    way_pa = now.lasting_pa + left_pa * _MORE_PERCENT // 100
    margin = margin_pa(now.band_pa)
    at_edge = now.error_pa > now.band_pa - margin
    if way_pa > _MANY * most_pa:
        return most_pa if at_edge else 0
    smallest_pa = now.coarse_pa * 4 // 3  # Hold takes 0.75 of it
    widest_pa = min(now.widest_pa, now.edge_pa * _WIDEST_EDGES)
    widest_pa = max(widest_pa, smallest_pa)
    pulses = (way_pa * 100 - widest_pa * _UNCOVERED_PERCENT) // (widest_pa * 100) + 1
    if pulses <= 0:
        # The turning point comes first, or almost. If it is late, half a pulse is enough.
        return max(way_pa // 2, SWING_MARGIN_PA) if now.error_pa > now.band_pa - margin // 2 else 0
    even_pa = max(way_pa * 2 // (2 * pulses + 1), smallest_pa)
    early = (
        now.lasting_pa * 2 >= even_pa
        and even_pa <= room_pa
        and now.error_pa * 100 >= even_pa * _EARLY_PERCENT
    )
    return even_pa if early or at_edge else 0
