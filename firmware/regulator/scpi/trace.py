"""Commands that read the black box, in blocks that fit a tick."""

from binascii import hexlify

from regulator.blackbox import FROZEN, ROWS, STATES
from regulator.faults import FAULTS
from regulator.scpi.parameters import ScpiError, accept, integer, milliseconds, string
from regulator.scpi.status import NO_PARAMETER, quoted

# Bytes per reply, as twice as many hexadecimal digits: a quarter of the port's queue of 2 kB.
_REPLY_BYTES = 256


class Trace:
    """The commands under :TRACe."""

    def __init__(self, app):
        self._app = app

    def _state(self, _):
        """ARMED, TRIGGERED or FROZEN; fault, rows since it (-1: none), faults missed since, uptime in ms at the end."""
        box = self._app.blackbox
        age = box.age(box.trip_number) if box.trip_number >= 0 else -1
        uptime_ms = milliseconds(box.uptime_s, box.uptime_ms)
        names = "%s,%s" % (STATES[box.state], FAULTS[box.fault][1])
        return b"%s,%d,%d,%s" % (names.encode(), age, box.missed, uptime_ms)

    def _points(self, _):
        """Number of rows, capacity in rows, index of the oldest row in the arrays."""
        box = self._app.blackbox
        return "%d,%d,%d" % (box.count, ROWS, box.oldest())

    def _freeze(self, _):
        """Stop recording and keep the content, as a fault does after a second."""
        self._app.blackbox.freeze()

    def _arm(self, _):
        """Discard the content and record again."""
        self._app.blackbox.arm()

    def _catalog(self, _):
        """Arrays as name,type,length; types: h 16 bit, H 16 bit unsigned, i 32 bit. `bits` is explained below."""
        blocks = self._app.blackbox.blocks
        return ",".join(["%s,%s,%d" % (name, code, len(values)) for name, code, values in blocks])

    def _data(self, args):
        """ "name",<first>,<count>: Values of an array in hexadecimal, low byte first, at most 256 bytes;
        only when FROZEN.
        """
        box = self._app.blackbox
        wanted = string(args[0])
        code, values = next(((code, values) for name, code, values in box.blocks if name == wanted), ("", ()))
        if not values:
            raise ScpiError(-224, "no array named " + wanted)
        first = integer(args[1], 0, len(values) - 1)
        most = _REPLY_BYTES // (4 if code == "i" else 2)
        count = integer(args[2], 1, min(most, len(values) - first))
        if box.state != FROZEN:
            accept("freeze it first")
        return hexlify(memoryview(values)[first : first + count])

    def _keyframes(self, _):
        """CRC32 of the names of a keyframe's integers, their number, then rows since each keyframe (-1: none)."""
        box = self._app.blackbox
        ages = [str(box.age(number)) if number >= 0 else "-1" for number in box.keyframe_numbers]
        return "%s,%d," % (box.names_crc, box.slots) + ",".join(ages)

    def _request(self, args):
        """<n>: Number of commands, rows since one was lost (-1: none), rows since the n-th (from 0) and its text."""
        box = self._app.blackbox
        index = integer(args[0], 0, 999)
        lost = box.age(box.lost_number) if box.lost_number >= 0 else -1
        reply = b"%d,%d" % (len(box.requests), lost)
        if index < len(box.requests):
            number, text = box.requests[index]
            reply += b",%d,%s" % (box.age(number), quoted(text))
        return reply

    rows = (
        (":TRACe:STATe", _state, None),
        (":TRACe:POINts", _points, None),
        (":TRACe:FREeze", None, _freeze, NO_PARAMETER),
        (":TRACe:ARM", None, _arm, NO_PARAMETER),
        (":TRACe:CATalog", _catalog, None),
        (":TRACe:DATA", _data, None, (3, 3, 0, 0)),
        (":TRACe:KEYFrames", _keyframes, None),
        (":TRACe:REQuests", _request, None, (1, 1, 0, 0)),
    )
