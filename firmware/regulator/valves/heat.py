"""Bounds for the heat that moved gas leaves, and for the pressure that comes back as it fades."""

# 24 to 31 % of an immediate movement comes back, more for smaller ones (energy balance of a real gas). Warming counts
# with the upper limit, cooling with the lower one.
_MOST_PER_256 = 80
_LEAST_PER_256 = 60
# Shortest time constant, of 0.05 L: 1.2 s at 0.15 MPa, 2.1 s at 1 MPa, 4.4 s at 5 MPa (simulated: free convection, and
# stirring by the jet). 0.1 L takes 1.25 times as long, 0.5 L twice, 2 L four times. The longest one fades the bound.
_BACK_MS = 1_000
_BACK_PA_MS = 1_540
_MEMORY_MS = 26_000


class Heat:
    """Pressure that moved gas may still give back: `warm` as a fall, `cold` as a rise."""

    def __init__(self):
        self.warm = Bound()
        self.cold = Bound()

    def move(self, pa: int):
        """Note that moved gas changed the pressure by `pa`."""
        self.warm.move(pa)
        self.cold.move(-pa)

    def give_back(self, pa: int):
        """Note that the pressure changed by `pa` while every valve was shut."""
        self.warm.give_back(-pa)
        self.cold.give_back(pa)

    def fade(self, dt_ms: int, pressure_pa: int):
        """Advance time, by 1 s at most."""
        self.warm.fade(dt_ms, pressure_pa)
        self.cold.fade(dt_ms, pressure_pa)

    def most_pa(self) -> int:
        """Return how much of the pressure may still come back in either direction."""
        return max(self.warm.pa, self.cold.pa)


class Bound:
    """Upper bound, as pressure, of how far the gas is from the wall temperature in one direction.

    A negative value means that the gas is off in the other direction. A vent cools gas that a fill has warmed. The wall
    removes that cold at an unknown rate, so it must not offset a later fill. Hence each direction has its own bound.
    """

    def __init__(self):
        self.pa = 0

    def move(self, pa: int):
        """Note that moved gas changed the pressure by `pa` in this direction."""
        self.pa += left_by_pa(pa)

    def give_back(self, pa: int):
        """Subtract what came back while every valve was shut."""
        if self.pa > 0 and pa > 0:
            self.pa = max(self.pa - pa, 0)

    def back_pa(self, came_pa: int, ms: int, pressure_pa: int) -> int:
        """Return the most that may come back in the next `ms`, after `came_pa` has."""
        return back_pa(self.pa - max(came_pa, 0), ms, pressure_pa)

    def fade(self, dt_ms: int, pressure_pa: int):
        """Advance time, by 1 s at most: a positive bound fades as slowly as possible, a negative one as quickly."""
        memory_ms = _MEMORY_MS if self.pa > 0 else back_ms(pressure_pa)
        self.pa -= (self.pa >> 4) * dt_ms // (memory_ms >> 4)


def left_by_pa(pa: int) -> int:
    """Return how much of a movement may come back: the upper limit for a positive one, else the lower limit."""
    return pa * (_MOST_PER_256 if pa > 0 else _LEAST_PER_256) >> 8


def back_pa(left_pa: int, ms: int, pressure_pa: int) -> int:
    """Return the most of `left_pa` that may come back in `ms`; 0 if it is negative."""
    if left_pa <= 0:
        return 0
    tau_ms = back_ms(pressure_pa)
    return (left_pa >> 6) * min(ms, tau_ms) // tau_ms << 6


def back_ms(pressure_pa: int) -> int:
    """Return the shortest time constant in ms with which heat comes back at this pressure."""
    return _BACK_MS + pressure_pa // _BACK_PA_MS
