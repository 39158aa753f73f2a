"""How well the processor keeps up. Nothing here decides about a valve, so the black box does not have it."""

_LATE_MS = 30  # between two ticks of 20 ms: half a tick late, a design choice


class Health:
    """Counts since the start."""

    def __init__(self):
        self.longest_ms = 0  # longest time between two ticks that were late, without a write to flash between
        self.write_ms = 0  # the same with a write between
        self.late = 0  # number of both
        self.collections = 0  # of garbage
        self._wrote = False  # whether the last tick wrote to flash

    def advance(self, dt_ms: int):
        """Begin a tick, this long after the last one."""
        if dt_ms >= _LATE_MS:
            self.late += 1
            if self._wrote:
                self.write_ms = max(self.write_ms, dt_ms)
            else:
                self.longest_ms = max(self.longest_ms, dt_ms)
        self._wrote = False

    def note_write(self):
        """Note that this tick writes to flash."""
        self._wrote = True

    def note_collection(self):
        """Count a collection of garbage."""
        self.collections += 1
