"""The black box: the last seconds of every input, output and request at tick rate, frozen by a trip.

From its content the same firmware computes the same commands again on a desk, bit for bit. It holds keyframes (every
integer in the regulator's objects at the end of one tick) and the inputs of every tick.

All memory is reserved at the start, so that a tick does not allocate. A keyframe is copied within one tick, because
integers of different ticks are not a consistent state. It is due every `_EVERY` ticks and waits for a short tick. Half
of it is copied before the watchdog is fed and half after, while the next tick is awaited.
"""

from array import array

# At a tick of 20 ms: 10 s up to a trip, and 1 s after it. Design choice: what the memory of the board has room for.
ROWS = 550
_AFTER = 50
# A replay starts at the oldest of two keyframes: at least half of the rows, so 5 s, lie behind it. Design choice.
_EVERY = 275
_KEYFRAMES = 2
# Ticks for which a flooding host may delay a keyframe, and characters kept of requests: design choices.
_PATIENCE = 20
_REQUEST_CHARACTERS = 1000
# Rows are numbered from the start, modulo a multiple of ROWS below 2^30 (115 days at 20 ms).
_NUMBERS = ROWS * 900_000

ARMED, TRIGGERED, FROZEN = range(3)
STATES = ("ARMED", "TRIGGERED", "FROZEN")

# Columns of a row and their array types. What has few bits shares the column `bits`.
COLUMNS = (
    ("dt_ms", "H"),  # length of the tick
    ("control_counts", "h"),
    ("safety_counts", "H"),
    ("supply_counts", "h"),
    ("gas_counts", "h"),
    ("wall_counts", "h"),
    ("reference_counts", "h"),
    ("pulse_us", "i"),  # fill positive, vent negative
    ("bits", "i"),
)

# Fields of `bits` and their widths, lowest first.
# busy: the line was served in this tick; levels: 1 supply isolation, 2 vent isolation, 4 relief, 8 safe(),
# 16 heartbeat.
BITS = (
    ("faults", 3),
    ("coil_dead", 5),
    ("coil_shorted", 5),
    ("rail_on", 1),
    ("tripped", 1),
    ("busy", 1),
    ("levels", 5),
    ("state", 4),
)


_HEARTBEAT = 16 << 16


class BlackBox:
    """Passes the outputs on to the rig, and records them."""

    def __init__(self, rig, keyframe):
        """`keyframe` copies the integers of an app; it is generated when the firmware is packed or simulated."""
        self.state = ARMED
        self.number = 0  # of the next row
        self.count = 0  # rows recorded
        self.trip_number = -1  # row in which a fault latched, -1 for none
        self.fault = 0  # that fault
        self.missed = 0  # trips while not armed
        self.uptime_s = 0  # at the end of the last row
        self.uptime_ms = 0
        self.requests = []  # (number of the row, text)
        self._room = _REQUEST_CHARACTERS  # left for them
        self.lost_number = -1  # row of the last request that was dropped for lack of room
        self.slots = keyframe.SLOTS  # integers of a keyframe
        self.names_crc = keyframe.NAMES_CRC  # a replay needs the same names
        self.keyframe_numbers = [-1] * _KEYFRAMES
        self.blocks = [(name, code, array(code, [0] * ROWS)) for name, code in COLUMNS]
        columns = [block[2] for block in self.blocks]
        self._dt_ms, self._control, self._safety, self._supply, self._gas, self._wall = columns[:6]
        self._reference, self._pulse_us, self._bits = columns[6:]
        self._rig = rig
        self._app = None
        self._sample = None
        self._at = 0
        self._level = 0
        self._us = 0
        self._left = 0
        self._due = 0
        self._slot = 0
        self.half_copied = False  # complete() has the second half of a keyframe to copy
        self._was_fault = 0
        self._number = 0  # of the row that the keyframe belongs to
        self._copy_first = keyframe.first
        self._copy_second = keyframe.second
        # From bytes: a list of so many zeros would need as much again at once.
        self._frames = tuple([array("i", bytes(4 * self.slots)) for _ in range(_KEYFRAMES)])
        self._changes = -1  # count of setting changes that were noted
        self._values = array("i")  # of the settings, as last noted

    def watch(self, app):
        """Begin to record."""
        self._app = app
        self._sample = app.sample
        self._values = array("i", [value for _, value in app.settings.items()])
        self.blocks.append(("settings", "i", self._values))
        for index, frame in enumerate(self._frames):
            self.blocks.append(("keyframe%d" % index, "i", frame))

    # The outputs call these three instead of the rig's.

    def pulse(self, valve: int, us: int):
        self._us = -us if valve else us
        self._rig.pulse(valve, us)

    def switch(self, supply_isolation: bool, vent_isolation: bool, relief: bool):
        self._level = (self._level & 8) | supply_isolation | vent_isolation << 1 | relief << 2
        self._rig.switch(supply_isolation, vent_isolation, relief)

    def safe(self):
        self._level = 8
        self._us = 0
        self._rig.safe()

    def wait(self):
        """Leave a keyframe that is due in this tick to the next one, because this one has more to do."""
        if self._due == 1:
            self._due = 2

    def record(self, dt_ms: int, coils: bool, busy: bool):
        """Write the row of this tick."""
        fault = self._app.modes.fault
        if fault and not self._was_fault:
            self._trigger(fault)
        self._was_fault = fault
        if self.state == FROZEN:
            self._level = 0
            self._us = 0
            return
        at = self._at
        sample = self._sample
        self._dt_ms[at] = dt_ms
        self._control[at] = sample.control_counts
        self._safety[at] = sample.safety_counts
        self._supply[at] = sample.supply_counts
        self._gas[at] = sample.gas_counts
        self._wall[at] = sample.wall_counts
        self._reference[at] = sample.reference_counts
        self._pulse_us[at] = self._us
        bits = self._pack(busy)
        self._bits[at] = bits | _HEARTBEAT if coils else bits
        self._level = 0
        self._us = 0
        self._due -= 1
        if self._due <= 0 and (not busy or self._due < -_PATIENCE):
            self._begin_keyframe()
        self._at = at + 1 if at + 1 < ROWS else 0
        self.number = self.number + 1 if self.number + 1 < _NUMBERS else 0
        if self.count < ROWS:
            self.count += 1
        if self.state == TRIGGERED:
            self._left -= 1
            if self._left <= 0:
                self.state = FROZEN
                self.uptime_s = self._app.clock.uptime_s
                self.uptime_ms = self._app.clock.uptime_ms

    def _pack(self, busy: bool) -> int:
        sample = self._sample
        bits = sample.faults | sample.coil_dead << 3 | sample.coil_shorted << 8 | sample.rail_on << 13
        return bits | sample.tripped << 14 | busy << 15 | self._level << 16 | self._app.modes.state << 21

    def complete(self):
        """Copy the second half of a keyframe, between two ticks."""
        self.half_copied = False
        slot = self._slot
        self._copy_second(self._frames[slot], self._app)
        self.keyframe_numbers[slot] = self._number
        self._slot = slot + 1 if slot + 1 < _KEYFRAMES else 0

    def note(self, text: str):
        """Record a command that was carried out in this tick, for the replay; allocates."""
        if self.state == FROZEN:
            return
        if self._app.settings.changes != self._changes:
            self._note_settings()
        self._append(text)

    def _note_settings(self):
        """Record the previous values of changed settings: a replay that starts earlier needs them."""
        self._changes = self._app.settings.changes
        values = self._values
        for index, (name, value) in enumerate(self._app.settings.items()):
            if values[index] != value:
                self._append('"%s" %d' % (name, values[index]))
                values[index] = value

    def freeze(self):
        """Stop recording at the end of this tick."""
        if self.state != FROZEN:
            self.state = TRIGGERED
            self._left = 1

    def arm(self):
        """Discard the recording and start anew."""
        self.state = ARMED
        self.count = 0
        self._at = 0
        self.trip_number = -1
        self.fault = 0
        self.missed = 0
        self.requests.clear()
        self._room = _REQUEST_CHARACTERS
        self.lost_number = -1
        for index in range(_KEYFRAMES):
            self.keyframe_numbers[index] = -1
        self.half_copied = False
        self._due = 0
        for index, (_, value) in enumerate(self._app.settings.items()):
            self._values[index] = value

    def oldest(self) -> int:
        """Return the index of the oldest row in the arrays."""
        return self._at if self.count == ROWS else 0

    def age(self, number: int) -> int:
        """Return the number of rows since the given one; 0 for the latest."""
        age = self.number - 1 - number
        return age if age >= 0 else age + _NUMBERS

    def _trigger(self, fault: int):
        if self.state != ARMED:
            self.missed += 1
            return
        self.state = TRIGGERED
        self.fault = fault
        self.trip_number = self.number
        self._left = _AFTER

    def _append(self, text: str):
        requests = self.requests
        requests.append((self.number, text))
        self._room -= len(text) + 8
        while self._room < 0:
            number, each = requests.pop(0)
            self._room += len(each) + 8
            if self.age(number) < ROWS:
                self.lost_number = number

    def _begin_keyframe(self):
        self._due = _EVERY
        self.half_copied = True
        self.keyframe_numbers[self._slot] = -1
        self._number = self.number
        self._copy_first(self._frames[self._slot], self._app)
