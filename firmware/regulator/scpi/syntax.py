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
OPTIONAL, NUMBERED = 1, 2  # flags of keywords()

# On the board everything larger than two blocks of 16 bytes takes 0.3 ms to allocate, frames of more than eleven words
# among it (tests/host/test_frames.py). So the code is split into functions with small frames.


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
        self._is_query = False
        self._header = b""
        self._pattern = b""
        self._part = self._row = None  # of the present header
        self._learned = {}  # (handler, its object) of each query of learn()

    def learn(self, query: bytes):
        """Find the handler, which returns bytes, of a query that hosts poll: it is not searched for again."""
        self._find(query[:-1])
        self._learned[query] = (self._row[1], self._part)

    def begin(self, line: bytes):
        """Begin a message, without its terminator: printable ASCII and tabs."""
        self._line = line.replace(b"\t", b" ")
        self._at = 0
        self._replies = ()
        if self._path:
            self._path = []
        self.reply = None
        self.running = True

    def take_reply(self):
        """Return and forget the reply, which may stand in the buffer of the next one."""
        reply = self.reply
        self.reply = None
        return reply

    def abandon(self):
        """Drop the present message."""
        self.running = False
        self.reply = None

    def step(self, header_echo: bool):
        """Execute at most one unit of the message; `reply` is valid once `running` is False.

        With `header_echo` each reply begins with the canonical header of its query.
        """
        self._header_echo = header_echo
        self.executed = ""
        if self.running:
            with self:
                self._next()

    # `with` instead of `try`, because the name of an error would take a large frame.

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if error is None or not isinstance(error, Exception):
            return False
        self.running = False
        if isinstance(error, ScpiError):
            self.status.error(error.code, error.info)
        elif isinstance(error, MemoryError):
            self.status.error(-321)
        else:  # an error in one handler must not stop regulation
            self.status.error(-310, kind.__name__)
        self.reply = b";".join(self._replies) if self._replies else None
        self._replies = ()
        return True

    def _next(self):
        learned = None if self._header_echo else self._learned.get(self._line)
        if learned:
            self.running = False
            self.status.await_replies(False)
            self.reply = learned[0](learned[1], ())
            return
        unit = self._next_unit()
        if unit:
            self._parse(unit)
        if not self.running and self._replies:
            self.reply = b";".join(self._replies)

    def waits(self) -> bool:
        """Return whether the next unit is to be executed only once all earlier commands are complete."""
        return self._line[self._at :].lstrip()[:4].upper() in (b"*OPC", b"*WAI")

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
        self._is_query = header[-1:] == b"?"
        self._find(header[:-1] if self._is_query else header)
        handler = self._row[1 if self._is_query else 2]
        if handler is None:
            raise ScpiError(-113, header.decode())
        self._execute(handler, data.strip())

    def _execute(self, handler, data: bytes):
        args = self._arguments(data)
        self.status.await_replies(len(self._replies) > 0)
        reply = handler(self._part, args)
        if self._is_query:
            self._collect(reply)
        else:
            header = canonical(self._pattern, self._number)
            self.executed = (header + b" " + data if data else header).decode()

    def _arguments(self, data: bytes) -> list:
        arity = self._row[3] if len(self._row) > 3 else _ARITY
        fewest, most = arity[:2] if self._is_query else arity[2:]
        args = _texts(split(data, b",", most)) if data else []
        if len(args) > most:
            raise ScpiError(-108)
        if len(args) < fewest:
            raise ScpiError(-109)
        if "" in args:
            raise ScpiError(-102)
        if self._number is not None:
            args.insert(0, self._number)
        return args

    def _collect(self, reply):
        # The buffer of a reply may be used again before the message ends.
        reply = reply.encode() if isinstance(reply, str) else bytes(reply)
        # Read after the handler, because the query may be about header_echo itself.
        if self._header_echo:
            reply = canonical(self._pattern) + b" " + reply
        self._replies += (reply,)

    def _find(self, header: bytes):
        """Find a header's row, set its number, and move in the tree; common commands do not move."""
        self._header = header
        words = self._words(header.upper())
        common = header[:1] == b"*"
        place = self._places.get(header_key(words, 4 if common else 3))
        if place is None:
            self._unknown()
        self._part = self._parts[place >> 8]
        self._row = self._part.rows[place & 255]
        self._pattern = self._text(self._row[0])
        self._match(words)
        if not common:
            self._path = words[:-1]

    def _words(self, header: bytes) -> list:
        if header[:1] == b"*":
            return [header]
        words = header.split(b":", _DEPTH_MAX)
        words = words[1:] if not words[0] else self._path + words
        if b"" in words or not words:
            raise ScpiError(-102)
        return words

    def _unknown(self):
        raise ScpiError(-113, self._header.decode())

    def _match(self, words):
        """Set the <n> of a header that fits the pattern, None without; raise -113 or -114 if it does not fit."""
        self._number = None
        at = 0
        nodes = keywords(self._pattern)
        while nodes:
            word, flags = nodes.pop(0)
            suffix = _suffix(word, words[at]) if at < len(words) else -1
            if suffix >= 0:
                at += 1
                if flags & NUMBERED:
                    self._number = suffix
                elif suffix != 1:
                    raise ScpiError(-114, self._header.decode())
            elif not flags & OPTIONAL:
                self._unknown()
        if at < len(words):
            self._unknown()


def _texts(pieces: list) -> list:
    return [piece.strip().decode() for piece in pieces]


def header_key(words, letters: int = 3) -> int:
    """A number for keywords, from the three letters that both forms share; four for a common command."""
    key = 0
    at = 0
    while at < len(words):
        key = _with_word(key, words[at], letters)
        at += 1
    return key


def _with_word(key: int, word: bytes, letters: int) -> int:
    at = 0
    while at < letters and at < len(word):
        key = (key * 31 + (word[at] & 31)) & 0xFFFFFF
        at += 1
    return key


def _suffix(word: bytes, given: bytes) -> int:
    """Return the suffix of a given word that is this keyword, 1 without; -1 if it is another word."""
    name = given.rstrip(b"0123456789")
    if name != word.rstrip(_LOWER) and name != word.upper():
        return -1
    return int(given[len(name) :] or 1)


def canonical(pattern: bytes, number=None) -> bytes:
    """Return the header that precedes a reply: every node in short form, without numeric suffix.

    Optional nodes are included, as by a Druck PACE (`:SOUR:PRES:LEV:IMM:AMPL`), except NEXT and EVENt. `number` is
    inserted if the header takes one.
    """
    if pattern[:1] == b"*":
        return pattern
    header = b""
    nodes = keywords(pattern)
    while nodes:
        word, flags = nodes.pop(0)
        word = word.rstrip(_LOWER)
        if not (flags & OPTIONAL and word in (b"NEXT", b"EVEN")):
            header += b":" + word
            if flags & NUMBERED and number is not None:
                header += b"%d" % number
    return header


def keywords(pattern: bytes) -> list:
    """Return (keyword, flags) for each node of a pattern."""
    if pattern[:1] == b"*":
        return [(pattern, 0)]
    nodes = []
    flags = 0
    at = 1
    while at:
        end = pattern.find(b":", at)
        node = pattern[at:end] if end > 0 else pattern[at:]
        nodes.append(_node(node, flags))
        flags = OPTIONAL if node[-1:] == b"[" else 0
        at = end + 1
    return nodes


def _node(text: bytes, flags: int) -> tuple:
    text = text.rstrip(b"[]")
    if text[-2:] == b"[1":
        text = text[:-2]
    if text[-3:] == b"<n>":
        return text[:-3], flags | NUMBERED
    return text, flags
