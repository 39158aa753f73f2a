"""Correcting with a view to the next turning point: as few pulses as the way there needs, spread evenly.

The constants are chosen on the simulated plant.
"""

# Share of the dead-band in percent at which a pulse is due; while a turn is about to come anyway, it may go further.
TRIGGER_PERCENT = 96
_COAST_PERCENT = 98
# What one of the pulses to a turn may leave: a share of the dead-band and a constant, and at most so many times what a
# swing leaves of the dead-band.
_WIDEST_PERCENT = 20
_WIDEST_PA = 5_200
_WIDEST_EDGES = 4
_MORE_PERCENT = 109
# It is asked for while the oven's swing helps, so that its peak is low: from this share of it on, in percent.
_EARLY_PERCENT = 65
# A margin for the prediction of a swing.
SWING_MARGIN_PA = 700
# From so many pulses on to the turn, each is as large as it may be.
_MANY = 5


class Situation:
    """An error as the valve sees it that has to correct it. Pressures in Pa, positive where that valve is needed."""

    def __init__(self):
        self.band_pa = 0  # dead-band in force
        self.error_pa = 0
        self.staying_pa = 0  # what is left of the error once the gas is as warm as the wall
        self.swing_pa = 0  # the part of the pressure that a swing of the oven takes back by itself
        self.lasting_pa = 0  # the rest of the error: what a pulse is for
        self.amplitude_pa = 0  # of the swing
        self.trigger_pa = 0  # error at which a pulse is due
        self.edge_pa = 0  # what the swing leaves of it
        self.coarse_pa = 0  # dead-band that the shortest pulses can keep

    def begin(self, error_pa: int, band_pa: int):
        """Take the error and the dead-band in force."""
        self.error_pa = error_pa
        self.band_pa = band_pa

    def see(self, staying_pa: int, swing_pa: int, amplitude_pa: int, vent: bool):
        """Take what was measured, target less pressure; `vent`: the vent valve would have to correct it."""
        self.staying_pa = -staying_pa if vent else staying_pa
        self.swing_pa = -swing_pa if vent else swing_pa
        self.lasting_pa = self.staying_pa + self.swing_pa
        self.amplitude_pa = amplitude_pa

    def aim(self, trigger_percent: int, coarse_pa: int):
        """Take the share of the dead-band at which a pulse is due."""
        self.trigger_pa = self.band_pa * trigger_percent // 100
        self.edge_pa = self.trigger_pa - self.amplitude_pa
        self.coarse_pa = coarse_pa


def planned_pa(now, left_pa: int, most_pa: int, room_pa: int) -> int:
    """Return the lasting step of the first of as few pulses as the way to the turn needs; 0 while it can wait.

    `left_pa`: how far the pressure will go before it turns; `most_pa`: the largest step that fits the dead-band;
    `room_pa`: the largest one that fits now. The same number of pulses leaves the least rms when all are alike and the
    errors lie evenly about the target: each pulse at half a step before it, and the turn half a step off.
    """
    # A little more than foreseen, so that no small pulse is needed shortly before the turn.
    way_pa = now.lasting_pa + left_pa * _MORE_PERCENT // 100
    error_percent = now.error_pa * 100
    at_edge = error_percent > now.band_pa * TRIGGER_PERCENT
    if way_pa > _MANY * most_pa:
        return most_pa if at_edge else 0
    smallest_pa = now.coarse_pa * 4 // 3
    widest_pa = min(now.band_pa * _WIDEST_PERCENT // 100 + _WIDEST_PA, now.edge_pa * _WIDEST_EDGES)
    widest_pa = max(widest_pa, smallest_pa)
    pulses = (way_pa * 20 - widest_pa * 13) // (widest_pa * 20) + 1
    if pulses <= 0:
        # The turn comes first, or all but. If it is late, half a pulse will do.
        return max(way_pa // 2, SWING_MARGIN_PA) if error_percent > now.band_pa * _COAST_PERCENT else 0
    even_pa = max(way_pa * 2 // (2 * pulses + 1), smallest_pa)
    early = now.lasting_pa * 2 >= even_pa and even_pa <= room_pa and error_percent >= even_pa * _EARLY_PERCENT
    return even_pa if early or at_edge else 0
