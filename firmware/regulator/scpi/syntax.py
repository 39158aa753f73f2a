"""SCPI-99 over IEEE 488.2: messages to handlers, replies to a line. Independent of the instrument.

The command table is a sequence of rows (pattern, query, command[, arity]):
- pattern: the header in SCPI notation, `":SOURce[1][:PRESsure]:SLEW"`, `":DIAGnostic:VALVe<n>"`, `"*IDN"`;
- query, command: functions of a list of parameter texts, or None; a query returns its reply as text. If the header
  takes <n>, that number (default 1) comes first in the list;
- arity: (fewest, most) parameters of the query, then of the command; default (0, 0, 1, 1).

A handler refuses by raising ScpiError before it changes anything. Any error ends the message: after a syntax error the
position in it is lost, and after a refusal the following units may depend on the refused one (`:SOUR 5;:OUTP ON`).
Replies of earlier units are still sent, so that a host that waits for a line gets one.
"""

from regulator.scpi.parameters import ScpiError, quote_end, short_form, split

_ARITY = (0, 0, 1, 1)
# More than twice the depth of the deepest header, so that a line of colons costs little. Design choice.
_DEPTH_MAX = 12


class Scpi:
    """Executes a message unit by unit. `status` receives the errors and adds its own rows to the table."""

    def __init__(self, table, status):
        self.reply = None  # text of the finished message, None if it had no query
        self.running = False  # a message has begun and is not finished
        self._header_echo = False
        self.executed = ""  # the command of the last step with its full header; "" for a query
        self.status = status
        self._root = {}
        self._common = {}  # "*IDN" and its like
        self._node = self._root  # start of a header without a leading colon
        self._line = ""
        self._at = 0
        self._replies = []
        self._number = None  # the <n> of the present header, None without
        keywords = {}  # so that each string exists once
        for rows in (status.rows(), table):
            for row in rows:
                if row[0][0] == "*":
                    self._common[row[0]] = row
                else:
                    _insert(self._root, row, keywords)
        _prune(self._root)

    def begin(self, line: str):
        """Begin a message, without its terminator: printable ASCII and tabs."""
        self._line = line.replace("\t", " ")
        self._at = 0
        self._node = self._root
        self._replies = []
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
            unit = self._next_unit()
            if unit:
                self._execute(unit)
            if not self.running and self._replies:
                self.reply = ";".join(self._replies)
        except ScpiError as error:
            self._fail(error.code, error.info)
        except MemoryError:
            self._fail(-321, "")
        except Exception as error:  # an error in one handler must not stop regulation
            self._fail(-310, type(error).__name__)

    def waits(self) -> bool:
        """Return whether the next unit is to be executed only once all earlier commands are complete."""
        return self._line[self._at :].lstrip()[:4].upper() in ("*OPC", "*WAI")

    def _fail(self, code: int, info: str):
        self.running = False
        self.status.error(code, info)
        try:
            self.reply = ";".join(self._replies) if self._replies else None
        except MemoryError:
            self.reply = None
        self._replies = []

    def _next_unit(self) -> str:
        line = self._line
        start = self._at
        at = start
        while True:
            end = line.find(";", at)
            if end < 0:
                end = len(line)
            at = quote_end(line, at, end)
            if at == 0:
                break
        self._at = end + 1
        self.running = end < len(line)
        return line[start:end].strip()

    def _execute(self, unit: str):
        header, _, data = unit.partition(" ")
        is_query = header.endswith("?")
        row = self._find(header[:-1] if is_query else header)
        handler = row[1] if is_query else row[2]
        if handler is None:
            raise ScpiError(-113, header)
        arity = row[3] if len(row) > 3 else _ARITY
        fewest, most = arity[:2] if is_query else arity[2:]
        data = data.strip()
        args = [text.strip() for text in split(data, ",", most)] if data else []
        if len(args) > most:
            raise ScpiError(-108)
        if len(args) < fewest:
            raise ScpiError(-109)
        if "" in args:
            raise ScpiError(-102)
        if self._number is not None:
            args.insert(0, self._number)
        self.status.await_replies(bool(self._replies))
        text = handler(args)
        if is_query:
            # Read after the handler, because the query may be about header_echo itself.
            self._replies.append(canonical(row[0]) + " " + text if self._header_echo else text)
        else:
            self.executed = (
                canonical(row[0], self._number) + " " + data if data else canonical(row[0], self._number)
            )

    def _find(self, header: str) -> tuple:
        """Return the row of a header and move in the tree; common commands do not move."""
        self._number = None
        if header[:1] == "*":
            row = self._common.get(header.upper())
            if row is None:
                raise ScpiError(-113, header)
            return row
        node = self._node
        words = header.split(":", _DEPTH_MAX)
        if not words[0]:
            node = self._root
            words.pop(0)
        if "" in words or not words:
            raise ScpiError(-102)
        parent = node
        for word in words:
            parent = node
            node = self._child(node, word.upper(), header)
        row = node if isinstance(node, tuple) else node.get("")
        if row is None:
            raise ScpiError(-113, header)
        self._node = parent
        return row

    def _child(self, node, word: str, header: str):
        name = word.rstrip("0123456789")
        child = node.get(name) if name and isinstance(node, dict) else None
        if child is None:
            raise ScpiError(-113, header)
        suffix = int(word[len(name) :] or 1)
        if "#" in child:
            self._number = suffix
        elif suffix != 1:
            raise ScpiError(-114, header)
        return child


def canonical(pattern: str, number=None) -> str:
    """Return the header that precedes a reply: every node in short form, without numeric suffix.

    Optional nodes are included, as by a Druck PACE (`:SOUR:PRES:LEV:IMM:AMPL`), except NEXT and EVENt. `number` is
    inserted if the header takes one.
    """
    if pattern[0] == "*":
        return pattern
    text = ""
    for word, optional, numbered in _keywords(pattern):
        short = short_form(word)
        if not (optional and short in ("NEXT", "EVEN")):
            text += ":" + short
            if numbered and number is not None:
                text += str(number)
    return text


def _keywords(pattern: str) -> list:
    """Return (keyword, is optional, takes a suffix) for each node of a pattern."""
    words = []
    for part in pattern.replace("[1]", "").replace("[:", ":[").split(":")[1:]:
        optional = part[0] == "["
        part = part.strip("[]")
        numbered = part.endswith("<n>")
        words.append((part[:-3] if numbered else part, optional, numbered))
    return words


def _insert(root: dict, row: tuple, keywords: dict):
    """Add a row to the tree: a node maps keywords in both forms to nodes, "" to its row, "#" marks <n>.

    The children of an optional node are reached from it and from its parent. `keywords` has every keyword so far.
    """
    pattern = row[0]
    ends = [root]
    for word, optional, numbered in _keywords(pattern):
        short = keywords.setdefault(short_form(word), short_form(word))
        long = keywords.setdefault(word.upper(), word.upper())
        children = []
        for node in ends:
            child = node.get(short)
            if child is not None and not any(child is other for other in children):
                children.append(child)
        if not children:
            children.append({})
        for node in ends:
            if short not in node:
                node[short] = node[long] = children[0]
        if numbered:
            for child in children:
                child["#"] = None
        ends = ends + children if optional else children
    for node in ends:
        if "" in node:
            raise ValueError(pattern + " and " + node[""][0])
        node[""] = row


def _prune(node: dict):
    """Replace each node that has only a row by the row itself, which saves 3 kB on the board."""
    for key, child in node.items():
        if isinstance(child, dict):
            if len(child) == 1 and "" in child:
                node[key] = child[""]
            else:
                _prune(child)
