"""The syntax layer against scpi-parser, another implementation, message by message up to the first error."""

from fakes import scpi

from regulator.scpi.parameters import boolean, choice, scaled, string
from regulator.scpi.status import Status

VOLTS = {"V": (1_000_000, 1), "MV": (1000, 1), "KV": (10**9, 1), "UV": (1, 1)}
MODES = ("LINear", "MAXimum", "OFF")
LIMITS = ("MIN", "MAX", "DEF")


class Source:
    """The device of reference/scpi_parser.c."""

    def __init__(self):
        self.done = []
        self.scpi = scpi(
            (
                ("*IDN", self.answer("99"), None),
                (
                    ":SOURce[1][:VOLTage][:LEVel][:IMMediate][:AMPLitude]",
                    self.answer("1"),
                    self.set_level,
                ),
                (":SOURce[1][:VOLTage]:SLEW", self.answer("2"), self.set_slew),
                (":SOURce[1][:VOLTage]:SLEW:MODE", self.answer("3"), self.set_mode),
                (":SENSe[1][:VOLTage]", self.answer("4"), None),
                (":SENSe[1][:VOLTage]:SLEW", self.answer("5"), None),
                (":OUTPut[1][:STATe]", self.answer("6"), self.set_output),
                (":DIAGnostic:VALVe<n>", self.valve, None),
                (":SYSTem:NAME", None, self.set_name),
                (":SYSTem:PAIR", None, self.set_pair, (0, 0, 2, 2)),
                (":SYSTem:NOTHing", None, self.nothing, (0, 0, 0, 0)),
            ),
            Status(),
        )

    def answer(self, text):
        return lambda _: text

    def valve(self, args):
        return str(args[0])

    def set_level(self, args):
        # Numbers no test uses mark the words.
        microvolts = scaled(args[0], VOLTS, "V", (10**17, 10**17 + 1, 10**17 + 2))
        word = microvolts - 10**17
        self.done.append("level " + (LIMITS[word] if 0 <= word <= 2 else str(microvolts)))

    def set_slew(self, args):
        self.done.append("slew " + str(scaled(args[0], {}, "", (0, 0, 0))))

    def set_mode(self, args):
        self.done.append("mode " + str(choice(args[0], MODES)))

    def set_output(self, args):
        self.done.append("output " + ("1" if boolean(args[0]) else "0"))

    def set_name(self, args):
        self.done.append("name " + string(args[0]))

    def set_pair(self, args):
        self.done.append("pair " + " ".join([str(scaled(text, {}, "", ())) for text in args]))

    def nothing(self, _):
        self.done.append("nothing")

    def send(self, message):
        """Execute a message; return what was done, replied and refused, in order."""
        scpi = self.scpi
        scpi.begin(message.encode())
        replies = 0
        while scpi.running:
            scpi.step(False)
            for text in scpi._replies[replies:]:
                self.done.append("reply " + text.decode())
                replies += 1
        for text in (scpi.reply or b"").decode().split(";")[replies:]:
            if text:
                self.done.append("reply " + text)
        code, _ = scpi.status.next_error()
        if code:
            self.done.append("error " + str(code))
        return self.done


def up_to_the_first_error(events):
    for index, event in enumerate(events):
        if event.startswith("error"):
            return events[:index], int(event[6:])
    return events, 0


# Both refuse, for reasons that the standards allow to be told apart or not: (theirs, ours).
SAME_REFUSAL = (
    # What their lexer does not know is an invalid character; here it is told what it stood for.
    (-101, -102),
    (-101, -104),
    (-101, -108),
    (-101, -113),
    (-101, -120),
    (-101, -131),
    (-101, -151),
    (-113, -102),
    # `1,`: a parameter is missing, or the empty one is too many.
    (-109, -108),
    # A word where a number belongs.
    (-224, -104),
    # A string where a number belongs: they only know that execution failed.
    (-200, -104),
)

# One executes what the other refuses, or something else. The standard's word on each:
DECIDED = (
    ":SOUR -0.0",  # there is one zero
    ":SOUR 1 E2",  # IEEE 488.2 section 7.7.2.2 allows blanks around the E; they drop the exponent
    ":SOUR 1 E +2",
    ":SOUR 1E 2",
    ":SOUR:SLEW #HFF",  # SCPI-99 asks for decimal numbers only
    ":SYST:PAIR 1 , 2",  # IEEE 488.2 section 7.4.2.2 allows blanks around the comma
)


def keeps_its_place(message):
    """Whether a common command stands between others: SCPI-99 volume 1 section 6.2.4 has it keep the path."""
    units = [unit.strip() for unit in message.split(";")]
    firsts = [unit[:1] for unit in units]
    return "*" in firsts[1:-1]


def is_a_number_for_a_boolean(message):
    """SCPI-99 volume 1 section 7.3 takes any number for ON; here a 2 is taken for a slip."""
    return " 2" in message and "OUT" in message.upper()


def compare():
    """Return (messages compared, those decided otherwise, differences)."""
    compared = 0
    otherwise = 0
    differences = []
    with open(__file__.rsplit("/", 1)[0] + "/reference/answers.txt") as answers:
        lines = answers.read().strip("\n").split("\n")[1:]
    for line in lines:
        message, _, answer = line.rpartition("||")
        message = message.replace("<TAB>", "\t")
        theirs, their_error = up_to_the_first_error(answer.split("|") if answer else [])
        ours, our_error = up_to_the_first_error(Source().send(message))
        compared += 1
        if theirs == ours and (their_error == our_error or (their_error, our_error) in SAME_REFUSAL):
            continue
        if message in DECIDED or keeps_its_place(message) or is_a_number_for_a_boolean(message):
            otherwise += 1
            continue
        differences.append((message, theirs, their_error, ours, our_error))
    return compared, otherwise, differences


def test_the_syntax_agrees_with_scpi_parser():
    compared, otherwise, differences = compare()
    assert differences == []
    assert compared >= 1500 and otherwise <= 30, (compared, otherwise)


def test_where_they_differ_this_one_does_as_the_standard_says():
    for message, events in (
        (":SOUR:SLEW 5;*IDN?;SLEW?", ["slew 5", "reply 99", "reply 2"]),
        (":SOUR:VOLT 5;*IDN?;SENS?", ["level 5000000", "reply 99", "error -113"]),
        (":SOUR 1 E +2", ["level 100000000"]),
        (":SYST:PAIR 1 , 2", ["pair 1 2"]),
        (":OUTP 2", ["error -224"]),
        (":SOUR:SLEW #HFF", ["error -104"]),
    ):
        assert Source().send(message) == events, message
