"""IEEE 488.2 status reporting and the SCPI error queue, independent of the instrument."""

from regulator.scpi.parameters import integer

TEXTS = {
    0: "No error",
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -120: "Numeric data error",
    -123: "Exponent too large",
    -131: "Invalid suffix",
    -138: "Suffix not allowed",
    -151: "Invalid string data",
    -221: "Settings conflict",
    -222: "Data out of range",
    -224: "Illegal parameter value",
    -310: "System error",
    -321: "Out of memory",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
    -430: "Query DEADLOCKED",
}

_QUEUE_LENGTH = 16  # errors: design choice
_INFO_LENGTH = 150  # SCPI-99 allows 255 characters for an error text

# Standard event register, IEEE 488.2 section 11.5.1.
OPC, QYE, DDE, EXE, CME, PON = 1, 4, 8, 16, 32, 128

# Row arities: (fewest, most) parameters of the query, then of the command.
NO_PARAMETER = (0, 0, 0, 0)


def quoted(text: str) -> bytes:
    """Return `text` as SCPI string data, with quotes inside it doubled."""
    return b'"%s"' % text.encode().replace(b'"', b'""')


class Group:
    """Condition, event and enable register of 15 bits. An event bit is set when its condition begins."""

    def __init__(self, rows):
        self.rows = rows  # of the command table
        self.condition = 0
        self.event = 0
        self.enable = 0

    def update(self, condition: int):
        """Set the present conditions."""
        self.event |= condition & ~self.condition
        self.condition = condition

    def clear(self):
        """Clear the events."""
        self.event = 0

    def preset(self):
        """Disable all events for the status byte."""
        self.enable = 0

    def _read_event(self, _):
        """Conditions that have begun since the last query, which clears them."""
        value = self.event
        self.event = 0
        return b"%d" % value

    def _read_condition(self, _):
        """Present conditions."""
        return b"%d" % self.condition

    def _read_enable(self, _):
        """Mask of the events that are summarised in the status byte."""
        return b"%d" % self.enable

    def _write_enable(self, args):
        """<mask>: Set the mask of events for the status byte."""
        # SCPI does not use the highest of the 16 bits.
        self.enable = integer(args[0], 0, 65535) & 32767

    operation_rows = (
        (":STATus:OPERation[:EVENt]", _read_event, None),
        (":STATus:OPERation:CONDition", _read_condition, None),
        (":STATus:OPERation:ENABle", _read_enable, _write_enable),
    )
    questionable_rows = (
        (":STATus:QUEStionable[:EVENt]", _read_event, None),
        (":STATus:QUEStionable:CONDition", _read_condition, None),
        (":STATus:QUEStionable:ENABle", _read_enable, _write_enable),
    )


class Status:
    """Error queue, standard event register, status byte, and the groups OPERation and QUEStionable."""

    def __init__(self):
        self.operation = Group(Group.operation_rows)
        self.questionable = Group(Group.questionable_rows)
        self._waiting = False  # replies of the same message wait to be sent (bit MAV)
        self._errors = []
        self._events = PON
        self._event_enable = 0
        self._service_enable = 0

    def parts(self) -> tuple:
        """Return the parts of the command table that every SCPI instrument has."""
        return self, self.operation, self.questionable

    def error(self, code: int, info: str = ""):
        """Queue an error and set its bit in the standard event register."""
        if code > -200:
            self._events |= CME
        elif code > -300:
            self._events |= EXE
        elif code > -400:
            self._events |= DDE
        else:
            self._events |= QYE
        if len(self._errors) >= _QUEUE_LENGTH:
            self._errors[-1] = (-350, "")
            self._events |= DDE
            return
        info = info[:_INFO_LENGTH]
        self._errors.append((code, info))

    def await_replies(self, waiting: bool):
        """Set whether replies of the same message wait to be sent."""
        self._waiting = waiting

    def next_error(self) -> tuple:
        """Remove and return the oldest error as (code, text); (0, "No error") without one."""
        code, info = self._errors.pop(0) if self._errors else (0, "")
        text = TEXTS.get(code, "Device-specific error")
        return code, text + ";" + info if info else text

    def byte(self) -> int:
        """Return the status byte with the master summary in bit 6."""
        value = 4 if self._errors else 0
        if self.questionable.event & self.questionable.enable:
            value |= 8
        if self._waiting:
            value |= 16
        if self._events & self._event_enable:
            value |= 32
        if self.operation.event & self.operation.enable:
            value |= 128
        if value & self._service_enable:
            value |= 64
        return value

    def _clear(self, _):
        """Clear errors and events."""
        self._errors = []
        self._events = 0
        self.operation.clear()
        self.questionable.clear()

    def _read_event_enable(self, _):
        """Mask of the standard events that are summarised in the status byte."""
        return b"%d" % self._event_enable

    def _write_event_enable(self, args):
        """<mask>: Set the mask of standard events for the status byte."""
        self._event_enable = integer(args[0], 0, 255)

    def _read_events(self, _):
        """Standard events since the last query, which clears them."""
        value = self._events
        self._events = 0
        return b"%d" % value

    def _is_complete(self, _):
        """1, once every accepted target, state and setting is stored."""
        # The server waits with the execution, as for *OPC and *WAI.
        return b"1"

    def _note_complete(self, _):
        """Set the operation complete bit of the standard events, once what was accepted is stored."""
        self._events |= OPC

    def _wait(self, _):
        """Wait until what was accepted is stored."""

    def _read_service_enable(self, _):
        """Mask of the status byte for its master summary bit."""
        return b"%d" % self._service_enable

    def _write_service_enable(self, args):
        """<mask>: Set the mask for the master summary bit."""
        # Bit 6 cannot request service from itself.
        self._service_enable = integer(args[0], 0, 255) & 191

    def _read_byte(self, _):
        """Status byte: 4 errors, 8 QUEStionable, 16 replies, 32 standard events, 64 summary, 128 OPERation."""
        return b"%d" % self.byte()

    def _read_error(self, _):
        """Remove and return the oldest error as code,"text"; 0,"No error" without one."""
        if not self._errors:
            return b'0,"No error"'
        code, text = self.next_error()
        return b"%d,%s" % (code, quoted(text))

    def _read_version(self, _):
        """SCPI version, 1999.0."""
        return "1999.0"

    def _preset(self, _):
        """Clear the masks of OPERation and QUEStionable."""
        self.operation.preset()
        self.questionable.preset()

    # Every SCPI instrument has these.
    rows = (
        ("*CLS", None, _clear, NO_PARAMETER),
        ("*ESE", _read_event_enable, _write_event_enable),
        ("*ESR", _read_events, None),
        ("*OPC", _is_complete, _note_complete, NO_PARAMETER),
        ("*SRE", _read_service_enable, _write_service_enable),
        ("*STB", _read_byte, None),
        ("*WAI", None, _wait, NO_PARAMETER),
        (":SYSTem:ERRor[:NEXT]", _read_error, None),
        (":SYSTem:VERSion", _read_version, None),
        (":STATus:PRESet", None, _preset, NO_PARAMETER),
    )
