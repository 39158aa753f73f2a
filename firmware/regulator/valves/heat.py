"""What a movement of the gas left as heat, and how much of the pressure may come back by itself because of it."""

# Of a movement at once, 24 to 31 % comes back (energy balance of a real gas; the more the smaller the movement): what
# warms counts with the most, what cools it again with the least.
_MOST_PER_256 = 80
_LEAST_PER_256 = 60
# The quickest way back, of 0.05 L: 1.2 s at 0.15 MPa, 2.1 s at 1 MPa, 4.4 s at 5 MPa (free convection and the jet's
# stirring, simulated); 0.1 L takes 1.25 times as long, 0.5 L twice, 2 L four times. Forgotten is with the slowest.
_BACK_MS = 1_000
_BACK_PA_MS = 1_540
_MEMORY_MS = 26_000


class Heat:
    """What gas that was let in, or out, may still give back: `warm` as a fall, `cold` as a rise."""

    def __init__(self):
        self.warm = Bound()
        self.cold = Bound()

    def move(self, pa: int):
        """Gas was moved, and the pressure by `pa` with it."""
        self.warm.move(pa)
        self.cold.move(-pa)

    def give_back(self, pa: int):
        """The pressure moved by `pa` while every valve was shut."""
        self.warm.give_back(-pa)
        self.cold.give_back(pa)

    def fade(self, dt_ms: int, pressure_pa: int):
        """Let time pass, 1 s at most."""
        self.warm.fade(dt_ms, pressure_pa)
        self.cold.fade(dt_ms, pressure_pa)

    def most_pa(self) -> int:
        """Return how much of the pressure may still come back, one way or the other."""
        return max(self.warm.pa, self.cold.pa)


class Bound:
    """The most that the gas may be off its wall's temperature to one side, as pressure; negative: surely to the other.

    Gas that was let out cools what rises had warmed, but as nobody knows how quickly the wall undid that, it must not
    be set against a rise that came later: each side has a bound of its own.
    """

    def __init__(self):
        self.pa = 0

    def move(self, pa: int):
        """Gas was moved, and the pressure by `pa`, towards this side."""
        self.pa += left_by_pa(pa)

    def give_back(self, pa: int):
        """The pressure came back by `pa` while every valve was shut: so much less is to come."""
        if self.pa > 0 and pa > 0:
            self.pa = max(self.pa - pa, 0)

    def back_pa(self, came_pa: int, ms: int, pressure_pa: int) -> int:
        """Return the most that may come back in the next `ms`, after `came_pa` of it have."""
        return back_pa(self.pa - max(came_pa, 0), ms, pressure_pa)

    def fade(self, dt_ms: int, pressure_pa: int):
        """Let time pass, 1 s at most: what is there goes as slowly as it can, what is lacking as quickly."""
        memory_ms = _MEMORY_MS if self.pa > 0 else back_ms(pressure_pa)
        self.pa -= (self.pa >> 4) * dt_ms // (memory_ms >> 4)


def left_by_pa(pa: int) -> int:
    """Return what a movement of the pressure leaves to come back: the most of one towards a side, else the least."""
    return pa * (_MOST_PER_256 if pa > 0 else _LEAST_PER_256) >> 8


def back_pa(left_pa: int, ms: int, pressure_pa: int) -> int:
    """Return the most of `left_pa` that may come back in `ms`; 0 of what is negative."""
    if left_pa <= 0:
        return 0
    tau_ms = back_ms(pressure_pa)
    return (left_pa >> 6) * min(ms, tau_ms) // tau_ms << 6


def back_ms(pressure_pa: int) -> int:
    """Return the shortest time constant with which heat comes back at this pressure."""
    return _BACK_MS + pressure_pa // _BACK_PA_MS
