"""How well the processor keeps up. Nothing here decides about a valve, so the black box does not have it."""

LATE_MS = 30  # between two ticks of 20 ms: half a tick late, a design choice


class Health:
    """Counts since the start."""

    def __init__(self):
        self.longest_ms = 0  # longest time between two ticks that were late, without a write to flash between
        self.write_ms = 0  # the same with a write between
        self.late = 0  # number of both
        self.collections = 0  # of garbage
        self.wrote = False  # whether the present tick wrote to flash

    def note(self, dt_ms: int):
        """Note that a tick is at least LATE_MS after the one before."""
        self.late += 1
        if self.wrote:
            self.write_ms = max(self.write_ms, dt_ms)
        else:
            self.longest_ms = max(self.longest_ms, dt_ms)
