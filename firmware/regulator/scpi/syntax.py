"""SCPI-99 over IEEE 488.2: messages to handlers, replies to a line. Independent of the instrument.

A part of the command table is an object with the tuple `rows`, each (pattern, query, command[, arity]):
- pattern: the header in SCPI notation, `":SOURce[1][:PRESsure]:SLEW"`, `":DIAGnostic:VALVe<n>"`, `"*IDN"`;
- query, command: functions of the object and a list of parameter texts, or None; a query returns its reply as bytes,
  or as text, which takes longer. If the header takes <n>, that number (default 1) comes first in the list;
- arity: (fewest, most) parameters of the query, then of the command; default (0, 0, 1, 1).

A handler refuses by raising ScpiError before it changes anything. Any error ends the message: after a syntax error the
position in it is lost, and after a refusal the following units may depend on the refused one (`:SOUR 5;:OUTP ON`).
Replies of earlier units are still sent, so that a host that waits for a line gets one.

Messages and replies stay bytes, except for the parameters of a handler: on the board each new text is searched among
all names, which takes six times as long as new bytes do.
"""

from regulator.scpi.parameters import ScpiError, quote_end, split

_ARITY = (0, 0, 1, 1)
# More than twice the depth of the deepest header, so that a line of colons costs little. Design choice.
_DEPTH_MAX = 12
_LOWER = b"abcdefghijklmnopqrstuvwxyz"
# Queries whose row is remembered beside those that were learned. Design choice: more than a host polls.
_KNOWN_MOST = 12


class Scpi:
    """Executes a message unit by unit.

    `places` finds the rows of `parts`, see places.py; `status` receives the errors; `text` returns a pattern as bytes,
    from flash if packing moved it there.
    """

    def __init__(self, parts, places, status, text):
        self.reply = None  # bytes, once a message with a query is finished, else None
        self.running = False  # a message has begun and is not finished
        self._header_echo = False
        self.executed = ""  # the command of the last step with its full header; "" for a query
        self.status = status
        self._parts = parts
        self._places = places
        self._text = text
        self._path = []  # start of a header without a leading colon
        self._line = b""
        self._at = 0
        self._replies = ()
        self._number = None  # the <n> of the present header, None without
        self._known = {}  # queries that were the whole line: (place, <n>)
        self._learned = {}  # those of learn(): (handler, its object)

    def learn(self, query: bytes):
        """Find the handler, which returns bytes, of a query that hosts poll: it is not searched for again."""
        place = self._find(query[:-1])
        part = self._parts[place >> 8]
        self._learned[query] = (part.rows[place & 255][1], part)

    def begin(self, line: bytes):
        """Begin a message, without its terminator: printable ASCII and tabs."""
        self._line = line.replace(b"\t", b" ")
        self._at = 0
        self._replies = ()
        if self._path:
            self._path = []
        self.reply = None
        self.running = True

    def abandon(self):
        """Drop the present message."""
        self.running = False

    def step(self, header_echo: bool):
        """Execute at most one unit of the message; `reply` is valid once `running` is False.

        With `header_echo` each reply begins with the canonical header of its query.
        """
        self._header_echo = header_echo
        self.executed = ""
        if not self.running:
            return
        try:
            learned = None if header_echo else self._learned.get(self._line)
            if learned:
                self.running = False
                self.status.await_replies(False)
                self.reply = learned[0](learned[1], ())
                return
            known = self._known.get(self._line)
            if known:
                self.running = False
                self._number = known[1]
                self._execute(known[0], True, b"")
            else:
                unit = self._next_unit()
                if unit:
                    self._parse(unit)
            if not self.running and self._replies:
                self.reply = b";".join(self._replies)
        except ScpiError as error:
            self._fail(error.code, error.info)
        except MemoryError:
            self._fail(-321, "")
        except Exception as error:  # an error in one handler must not stop regulation
            self._fail(-310, type(error).__name__)

    def waits(self) -> bool:
        """Return whether the next unit is to be executed only once all earlier commands are complete."""
        return self._line[self._at :].lstrip()[:4].upper() in (b"*OPC", b"*WAI")

    def _fail(self, code: int, info: str):
        self.running = False
        self.status.error(code, info)
        try:
            self.reply = b";".join(self._replies) if self._replies else None
        except MemoryError:
            self.reply = None
        self._replies = ()

    def _next_unit(self) -> bytes:
        line = self._line
        start = self._at
        at = start
        while True:
            end = line.find(b";", at)
            if end < 0:
                end = len(line)
            at = quote_end(line, at, end)
            if at == 0:
                break
        self._at = end + 1
        self.running = end < len(line)
        return line[start:end].strip()

    def _parse(self, unit: bytes):
        header, _, data = unit.partition(b" ")
        is_query = header.endswith(b"?")
        place = self._find(header[:-1] if is_query else header)
        if self._parts[place >> 8].rows[place & 255][1 if is_query else 2] is None:
            raise ScpiError(-113, header.decode())
        self._execute(place, is_query, data.strip())
        if is_query and unit == self._line and unit[:1] in (b":", b"*") and not data:
            if len(self._known) >= _KNOWN_MOST:
                self._known.clear()
            self._known[unit] = (place, self._number)

    def _execute(self, place: int, is_query: bool, data: bytes):
        part = self._parts[place >> 8]
        row = part.rows[place & 255]
        handler = row[1] if is_query else row[2]
        arity = row[3] if len(row) > 3 else _ARITY
        fewest, most = arity[:2] if is_query else arity[2:]
        args = [text.strip().decode() for text in split(data, b",", most)] if data else []
        if len(args) > most:
            raise ScpiError(-108)
        if len(args) < fewest:
            raise ScpiError(-109)
        if "" in args:
            raise ScpiError(-102)
        if self._number is not None:
            args.insert(0, self._number)
        self.status.await_replies(bool(self._replies))
        reply = handler(part, args)
        if not is_query:
            header = canonical(self._text(row[0]), self._number)
            self.executed = (header + b" " + data if data else header).decode()
            return
        if isinstance(reply, str):
            reply = reply.encode()
        # Read after the handler, because the query may be about header_echo itself.
        if self._header_echo:
            reply = canonical(self._text(row[0])) + b" " + reply
        self._replies += (reply,)

    def _find(self, header: bytes) -> int:
        """Return the place of a header's row, set its number, and move in the tree; common commands do not move."""
        letters = 3
        if header[:1] == b"*":
            words = [header.upper()]
            letters = 4
        else:
            words = header.upper().split(b":", _DEPTH_MAX)
            words = words[1:] if not words[0] else self._path + words
            if b"" in words or not words:
                raise ScpiError(-102)
        place = self._places.get(header_key(words, letters))
        if place is None:
            raise ScpiError(-113, header.decode())
        self._number = _suffix(self._text(self._parts[place >> 8].rows[place & 255][0]), words, header)
        if header[:1] != b"*":
            self._path = words[:-1]
        return place


def header_key(words, letters: int = 3) -> int:
    """A number for keywords, from the three letters that both forms share; four for a common command."""
    key = 0
    for word in words:
        for letter in word[:letters]:
            key = (key * 31 + (letter & 31)) & 0xFFFFFF
    return key


def _suffix(pattern: bytes, words, header: bytes):
    """Return the <n> of a header that fits the pattern, None without; raise -113 or -114 if it does not fit."""
    number = None
    at = 0
    for word, optional, numbered in keywords(pattern):
        given = words[at] if at < len(words) else b""
        name = given.rstrip(b"0123456789")
        if name == word.rstrip(_LOWER) or name == word.upper():
            at += 1
            suffix = int(given[len(name) :] or 1)
            if numbered:
                number = suffix
            elif suffix != 1:
                raise ScpiError(-114, header.decode())
        elif not optional:
            raise ScpiError(-113, header.decode())
    if at < len(words):
        raise ScpiError(-113, header.decode())
    return number


def canonical(pattern: bytes, number=None) -> bytes:
    """Return the header that precedes a reply: every node in short form, without numeric suffix.

    Optional nodes are included, as by a Druck PACE (`:SOUR:PRES:LEV:IMM:AMPL`), except NEXT and EVENt. `number` is
    inserted if the header takes one.
    """
    if pattern[:1] == b"*":
        return pattern
    header = b""
    for word, optional, numbered in keywords(pattern):
        short = word.rstrip(_LOWER)
        if not (optional and short in (b"NEXT", b"EVEN")):
            header += b":" + short
            if numbered and number is not None:
                header += b"%d" % number
    return header


def keywords(pattern: bytes) -> list:
    """Return (keyword, is optional, takes a suffix) for each node of a pattern."""
    if pattern[:1] == b"*":
        return [(pattern, False, False)]
    words = []
    for part in pattern.replace(b"[1]", b"").replace(b"[:", b":[").split(b":")[1:]:
        optional = part[:1] == b"["
        if optional:
            part = part.strip(b"[]")
        numbered = part[-1:] == b">"
        words.append((part[:-3] if numbered else part, optional, numbered))
    return words
