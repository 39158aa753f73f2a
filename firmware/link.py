"""Text lines over a byte port. Never blocks, and never passes on part of a line, in either direction."""

LINE_MAX = 256  # bytes; design choice: several times the longest single command
_CHUNK = 64  # bytes: one USB full-speed packet
_QUEUE = 2048  # bytes of replies; design choice: a host may fall four of the longest replies behind

OVERLONG = -363  # SCPI: input buffer overrun
DAMAGED = -101  # SCPI: invalid character

_PRINTABLE = bytes(range(32, 127))
# Leading blanks are ignored as well.
_NOISE = bytes([code for code in range(256) if not 32 < code < 127])


class Link:
    """Assembles lines from a port: read(buffer) -> count, write(buffer, start, end) -> count, both immediate.

    A line ends with LF, CR or CR LF and has at most 256 bytes. Empty lines are skipped. Unprintable bytes before a line
    are ignored. Within a line they mean that the transfer damaged it. The remaining text could be a valid command that
    nobody sent (`5.0` of `5.10`), so the whole line is dropped and reported. 0x03, which serial tools send to stop a
    program, is removed first. A tab becomes a blank.

    While a finished line waits, nothing more is read from the port: its flow control holds the host back.
    """

    def __init__(self, port, queue_bytes: int = _QUEUE):
        self.line = None  # bytes: the finished line, until take_line()
        self.error = 0  # why a line was dropped: OVERLONG or DAMAGED, 0 for none
        self.unsent = False  # flush() has something to write
        self._port = port
        self._chunk = bytearray(_CHUNK)
        self._rest = b""  # received, not parsed yet
        self._part = b""  # the line so far
        self._overlong = False
        self._out = bytearray(queue_bytes)
        self._start = 0
        self._end = 0

    def take_line(self):
        """Return the finished line, or None; then the next one may be read."""
        line = self.line
        self.line = None
        return line

    def take_error(self) -> int:
        """Return and clear the reason why a line was dropped; 0 for none."""
        error = self.error
        self.error = 0
        return error

    def poll(self) -> bool:
        """Take at most 64 bytes and at most one line end; return whether anything was done."""
        if self.line is not None:
            return False
        count = 0
        try:
            if not self._rest:
                count = self._port.read(self._chunk)
                if not count:
                    return False
            self._take(count)
        except MemoryError:
            # Bytes are lost, so the line that they belong to must not be executed.
            self._rest = b""
            self._part = b""
            self._overlong = True
        return True

    def _take(self, count: int):
        rest = self._rest
        if count:
            rest = bytes(self._chunk[:count])
            rest = rest.replace(b"\x03", b"").replace(b"\r", b"\n").replace(b"\t", b" ")
        if not self._part and not self._overlong:
            rest = rest.lstrip(_NOISE)
        end = rest.find(b"\n")
        piece = rest if end < 0 else rest[:end]
        self._rest = b"" if end < 0 else rest[end + 1 :]
        if not self._overlong:
            self._part += piece
            if len(self._part) > LINE_MAX:
                self._overlong = True
                self._part = b""
        if end >= 0:
            self._finish()

    def _finish(self):
        part = self._part
        self._part = b""
        if self._overlong:
            self._overlong = False
            self.error = OVERLONG
        elif part.strip(_PRINTABLE):
            self.error = DAMAGED
        elif part:
            self.line = part

    def send(self, data: bytes) -> bool:
        """Queue a line with CR LF; return False, and queue nothing, if the whole line does not fit."""
        out = self._out
        used = self._end - self._start
        if used + len(data) + 2 > len(out):
            return False
        if self._end + len(data) + 2 > len(out):
            out[:used] = memoryview(out)[self._start : self._end]
            self._start = 0
            self._end = used
        end = self._end + len(data)
        out[self._end : end] = data
        out[end : end + 2] = b"\r\n"
        self._end = end + 2
        self.unsent = True
        return True

    def flush(self) -> bool:
        """Write as much as the port accepts now; return whether it accepted anything."""
        taken = self._port.write(self._out, self._start, self._end)
        self._start += taken
        if self._start == self._end:
            self._start = self._end = 0
            self.unsent = False
        return taken > 0
