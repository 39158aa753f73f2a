"""Text lines over a byte port: never blocks, never passes on half a line, in either direction."""

LINE_MAX = 256
_CHUNK = 64

OVERLONG = -363
DAMAGED = -101

_PRINTABLE = bytes(range(32, 127))
# A blank before a line means nothing either.
_NOISE = bytes([code for code in range(256) if not 32 < code < 127])


class Link:
    """Assembles lines from a port: read(buffer) -> count, write(buffer, start, end) -> count, both immediate.

    A line ends with LF, CR or CR LF and has 256 bytes at most; an empty one is nothing. Bytes that are not
    printable are ignored where they stand before a line. Within a line they mean that it was damaged on its
    way: what is left could be a valid command that nobody sent (`5.0` of `5.10`), so the line is dropped up
    to its end and reported. 0x03, which serial tools send to stop a program, is taken out before anything
    else; a tab is a blank.

    As long as a line waits, nothing more is taken from the port: its flow control holds the host back.
    """

    def __init__(self, port, queue_bytes: int = 2048):
        self.line = None  # str: the line that waits to be taken
        self.error = 0  # OVERLONG or DAMAGED: a line was dropped
        self._port = port
        self._chunk = bytearray(_CHUNK)
        self._rest = b""  # received, not looked at
        self._part = b""  # the line so far
        self._overlong = False
        self._out = bytearray(queue_bytes)
        self._start = 0
        self._end = 0

    def take_line(self):
        """Return the line that waits, None without one; the next one may come."""
        line = self.line
        self.line = None
        return line

    def take_error(self) -> int:
        """Return, once, why a line was dropped; 0 if none was."""
        error = self.error
        self.error = 0
        return error

    def poll(self) -> bool:
        """Take at most 64 bytes and at most one line end; return whether there was anything to do."""
        if self.line is not None:
            return False
        try:
            return self._take()
        except MemoryError:
            # Bytes are lost, so the line they belonged to must not be executed.
            self._rest = b""
            self._part = b""
            self._overlong = True
            return True

    def _take(self) -> bool:
        rest = self._rest
        if not rest:
            count = self._port.read(self._chunk)
            if not count:
                return False
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
        return True

    def _finish(self):
        part = self._part
        self._part = b""
        if self._overlong:
            self._overlong = False
            self.error = OVERLONG
        elif part.strip(_PRINTABLE):
            self.error = DAMAGED
        elif part:
            self.line = part.decode()

    def send(self, text: str) -> bool:
        """Queue a line with CR LF; False if it does not fit as a whole, and then none of it is queued."""
        try:
            return self._queue(text.encode() + b"\r\n")
        except MemoryError:
            return False

    def _queue(self, data: bytes) -> bool:
        out = self._out
        used = self._end - self._start
        if used + len(data) > len(out):
            return False
        if self._end + len(data) > len(out):
            out[:used] = memoryview(out)[self._start : self._end]
            self._start = 0
            self._end = used
        out[self._end : self._end + len(data)] = data
        self._end += len(data)
        return True

    def flush(self) -> bool:
        """Hand to the port what it takes now; return whether it took anything."""
        if self._start == self._end:
            return False
        taken = self._port.write(self._out, self._start, self._end)
        self._start += taken
        if self._start == self._end:
            self._start = self._end = 0
        return taken > 0
