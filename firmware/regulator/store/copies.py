"""Settings and state in flash: two copies each, with generation and CRC32, safe against a power cut at any moment.

A record has the files NAME.a and NAME.b. A save replaces only the older copy: it writes NAME.new, reads it back, and
renames it. So at least one complete copy exists at any moment, and the higher generation is the newer one.

A save takes steps, a tick each, as an erase of a sector stops the processor for 45 ms, and for 400 ms at most
(W25Q16JV): on littlefs writing erases one sector, and closing the file none or, each third time, one more.
`files` has `read(name) -> bytes or None`, `create(name) -> file` with `write(data)` and `close()`, `rename(old, new)`,
all of which raise OSError on failure, and `line(name, offset) -> bytes`.
"""

from binascii import crc32

from regulator.settings import CONFIRMED

SAVE_STEPS = 3
_WRITE, _CLOSE, _RENAME = range(SAVE_STEPS)


class Copies:
    """Both copies of one named record of (name, integer) pairs."""

    def __init__(self, files, name: str):
        self._files = files
        self._name = name
        self._generation = 0
        self._next = ".a"
        self._data = b""
        self._file = None
        self._stage = _WRITE
        self.damaged = False  # a copy existed but was unusable

    def load(self):
        """Return the newest intact values as a dict, or None."""
        values = None
        for suffix in (".a", ".b"):
            data = self._files.read(self._name + suffix)
            if data is None:
                continue
            decoded = _decode(data)
            if decoded is None:
                self.damaged = True
                continue
            if values is None or decoded[0] > self._generation:
                self._generation, values = decoded
                self._next = ".b" if suffix == ".a" else ".a"
            else:
                self._next = suffix
        return values

    def save(self, pairs):
        """Replace the older copy by (name, integer) pairs at once; raise OSError if that fails."""
        self.begin(pairs)
        while not self.step():
            pass

    def begin(self, pairs):
        """Have (name, integer) pairs replace the older copy by the `step`s that follow."""
        self._data = _encode(self._generation + 1, pairs)
        self._stage = _WRITE

    def step(self) -> bool:
        """Do the next part of a save; return whether it is complete. Raise OSError if it fails, which ends it."""
        stage = self._stage
        new = self._name + ".new"
        if stage == _WRITE:
            self._file = self._files.create(new)
            self._file.write(self._data)
            self._stage = _CLOSE
            return False
        if stage == _CLOSE:
            self._file.close()
            self._stage = _RENAME
            return False
        if self._files.read(new) != self._data:
            raise OSError("read back differs")
        self._files.rename(new, self._name + self._next)
        self._file = None
        self._data = b""
        self._generation += 1
        self._next = ".b" if self._next == ".a" else ".a"
        return True


class Store:
    """The stored settings, and the state as (name, integer) pairs.

    `boots` counts all starts, `starts` those in a row without a healthy minute, `writes` all writes to flash,
    `failures` the failed writes since this start; `settings_failed` and `state_failed` tell of the last save of each.
    """

    def __init__(self, files, settings):
        """Load settings and state; `lost`: no person has confirmed the limits since the settings were lost.

        A new board never had any, which is the same.
        """
        self.settings = settings
        self._files = files
        self._settings_copies = Copies(files, "settings")
        self._state_copies = Copies(files, "state")
        values = self._settings_copies.load()
        if values is not None and settings.load(values):
            values = None
        # Versions without the flag stored settings that were in use, which counts as confirmed.
        self.lost = values is None or not values.get("confirmed", 1)
        self.failures = 0
        self.settings_failed = self.state_failed = False
        self._saving = None  # the record that is being saved
        state = self._state_copies.load()
        if values is None or self._settings_copies.damaged:
            self._keep_limits(values or {}, state or {})
        self.state_lost = self._state_copies.damaged and state is None
        # The state that the last run left, before this start is counted.
        self.last = dict(state or {})
        self.state = dict(self.last)
        self.boots = self.last.get("boots", 0) + 1
        self.starts = self.last.get("starts", 0) + 1
        self.writes = self.last.get("writes", 0)
        self.save_state({})

    def _keep_limits(self, values: dict, state: dict):
        """Where a copy of the settings is unusable, the limits of the state record hold; others are unconfirmed."""
        for name in CONFIRMED:
            if state.get(name, self.settings.get(name)) != self.settings.get(name):
                self.lost = True
                values[name] = state[name]
        self.settings.load(values)

    def save_state(self, values: dict) -> bool:
        """Save the state at once, updated with `values`; return whether that succeeded."""
        self.begin_state(values)
        return self._finish()

    def save(self) -> bool:
        """Save the settings at once; return whether that succeeded."""
        self.begin_settings()
        return self._finish()

    def begin_state(self, values: dict):
        """Begin to save the state, updated with `values`."""
        self.state.update(values)
        self.state["boots"] = self.boots
        self.state["starts"] = self.starts
        self.state["writes"] = self.writes + 1
        self._saving = self._state_copies
        self._saving.begin(sorted(self.state.items()))

    def begin_settings(self):
        """Begin to save the settings."""
        pairs = list(self.settings.items())
        pairs.append(("confirmed", 0 if self.lost else 1))
        self._saving = self._settings_copies
        self._saving.begin(pairs)

    def step(self) -> bool:
        """Do the next part of the save that has begun; return whether that went well."""
        try:
            if self._saving.step():
                self.writes += 1
                self._end(False)
        except OSError:
            self.failures += 1
            self._end(True)
            return False
        return True

    def _end(self, failed: bool):
        if self._saving is self._settings_copies:
            self.settings_failed = failed
        else:
            self.state_failed = failed
        self._saving = None

    def _finish(self) -> bool:
        went = True
        while self._saving:
            went = self.step()
        return went

    def text(self, entry) -> bytes:
        """Return a text of a table: itself, or from flash where packing left it and put its place in the table."""
        return entry.encode() if isinstance(entry, str) else self._files.line("texts.txt", entry)

    def forget_starts(self):
        """Reset the count of starts, because the device has been healthy for a minute."""
        self.starts = 0

    def confirm(self, confirmed: bool):
        """Note that a person confirmed the limits, or withdrew that; stored by the next `save`."""
        self.lost = not confirmed


def _encode(generation: int, pairs) -> bytes:
    lines = ["ipch 1 %d" % generation]
    for name, value in pairs:
        lines.append("%s %d" % (name, value))
    body = ("\n".join(lines) + "\n").encode()
    return body + b"crc %08x\n" % (crc32(body) & 0xFFFFFFFF)


def _decode(data: bytes):
    """Return (generation, values), or None unless the record is intact and of a known format."""
    at = data.rfind(b"crc ")
    if at < 0 or data[at:] != b"crc %08x\n" % (crc32(data[:at]) & 0xFFFFFFFF):
        return None
    lines = data[:at].decode().split("\n")
    head = lines[0].split(" ")
    if len(head) != 3 or head[0] != "ipch" or head[1] != "1":
        return None
    values = {}
    for line in lines[1:-1]:
        name, value = line.split(" ")
        values[name] = int(value)
    return int(head[2]), values
