from fakes import Port, Random, allocated_by
from link import DAMAGED, OVERLONG, Link


def receive(data, ticks=100_000):
    """Return what a link makes of some bytes: lines as text, dropped ones as their error number."""
    port = Port()
    port.incoming = data
    link = Link(port)
    return events(link, port, ticks)


def events(link, port, ticks=100_000):
    found = []
    for _ in range(ticks):
        if not link.poll() and not port.incoming:
            break
        if link.error:
            found.append(link.error)
            link.error = 0
        if link.line is not None:
            found.append(link.line.decode())
            link.line = None
    return found


def test_each_terminator_ends_a_line():
    assert receive(b"*IDN?\n") == ["*IDN?"]
    assert receive(b"*IDN?\r") == ["*IDN?"]
    assert receive(b"*IDN?\r\n") == ["*IDN?"]


def test_terminators_may_be_mixed_and_empty_lines_are_nothing():
    assert receive(b"\n\r\n\ra\rb\nc\r\nd\n\r\n\r\re\n\n") == ["a", "b", "c", "d", "e"]


def test_an_unfinished_line_waits():
    assert receive(b"*IDN?") == []


def test_a_line_may_arrive_in_pieces_cut_anywhere():
    data = b":SOUR:PRES 1.5;:OUTP ON\r\n*IDN?\n"
    for cut in range(len(data) + 1):
        port = Port()
        link = Link(port)
        port.incoming = data[:cut]
        found = events(link, port)
        port.incoming = data[cut:]
        found += events(link, port)
        assert found == [":SOUR:PRES 1.5;:OUTP ON", "*IDN?"], cut


def test_a_line_may_arrive_byte_by_byte():
    port = Port()
    link = Link(port)
    found = []
    for byte in b"abc\r\ndef\n":
        port.incoming = bytes([byte])
        found += events(link, port)
    assert found == ["abc", "def"]


def test_256_bytes_are_a_line_and_257_are_not():
    assert receive(b"x" * 255 + b"\n") == ["x" * 255]
    assert receive(b"x" * 256 + b"\r\n") == ["x" * 256]
    assert receive(b"x" * 257 + b"\n") == [OVERLONG]


def test_an_overlong_line_is_dropped_whole_and_the_next_one_counts():
    for length in (257, 300, 320, 64 * 5, 10_000):
        assert receive(b"ok\n" + b":OUTP ON;" * length + b"\r\n*IDN?\n") == ["ok", OVERLONG, "*IDN?"], length


def test_an_endless_line_takes_no_memory():
    port = Port()
    link = Link(port)

    def feed():
        port.incoming = b"y" * 64
        link.poll()

    for _ in range(1000):
        feed()
    assert len(link._part) <= 256
    port.incoming = b"\nok\n"
    assert events(link, port) == [OVERLONG, "ok"]


def test_0x03_has_no_effect_anywhere():
    data = b"*IDN?\r\n"
    for at in range(len(data) + 1):
        assert receive(data[:at] + b"\x03" + data[at:]) == ["*IDN?"], at
    assert receive(b"\x03\x03\r\x03\n\x03") == []


def test_noise_before_a_line_is_ignored():
    noise = bytes([code for code in range(256) if not 32 <= code < 127])
    assert receive(noise + b"*IDN?\n") == ["*IDN?"]
    assert receive(b"\n\x00\xff\x01\n*IDN?\n") == ["*IDN?"]


def test_a_line_with_noise_in_it_is_dropped_whole():
    for code in range(256):
        expected = [DAMAGED]
        if 32 <= code < 127:
            expected = [":SOUR 5." + chr(code) + "0"]
        elif code == 3:
            expected = [":SOUR 5.0"]
        elif code == 9:
            expected = [":SOUR 5. 0"]
        elif code in (10, 13):
            expected = [":SOUR 5.", "0"]
        expected.append("*IDN?")
        assert receive(b":SOUR 5." + bytes([code]) + b"0\r\n*IDN?\n") == expected, code


def test_a_poll_takes_64_bytes_at_most():
    port = Port()
    link = Link(port)
    port.incoming = b"z" * 1000
    link.poll()
    assert port.reads == [64]


def test_nothing_is_taken_while_a_line_waits():
    port = Port()
    link = Link(port)
    port.incoming = b"first\nsecond\n" + b"third\n" * 100
    while link.line is None:
        link.poll()
    left = len(port.incoming)
    for _ in range(10):
        assert not link.poll()
    assert link.line == b"first" and len(port.incoming) == left


def test_random_bytes_make_printable_lines_or_errors():
    random = Random(20_260_101)
    for _ in range(200):
        data = bytes([random.below(256) for _ in range(400)])
        for event in receive(data + b"\n"):
            assert event in (OVERLONG, DAMAGED) or (0 < len(event) <= 256 and not event.strip(PRINTABLE))


PRINTABLE = "".join([chr(code) for code in range(32, 127)])


def test_a_reply_ends_with_cr_lf():
    port = Port()
    link = Link(port)
    assert link.send(b"1.2340000")
    assert link.flush()
    assert port.sent == b"1.2340000\r\n"
    assert not link.flush()


def test_a_port_that_takes_little_gets_everything_in_time():
    port = Port()
    link = Link(port)
    port.room = 0
    for number in range(20):
        assert link.send(b"reply %d" % number)
    for _ in range(1000):
        port.room = 7
        link.flush()
    assert port.sent == b"".join([b"reply %d\r\n" % number for number in range(20)])


def test_a_reply_that_does_not_fit_is_dropped_whole():
    port = Port()
    link = Link(port, 100)
    port.room = 0
    assert link.send(b"a" * 58)
    assert not link.send(b"b" * 39)
    assert link.send(b"c" * 38)
    assert not link.send(b"")
    port.room = 1000
    link.flush()
    assert port.sent == b"a" * 58 + b"\r\n" + b"c" * 38 + b"\r\n"


def test_the_output_queue_never_mixes_or_loses_bytes():
    random = Random(7)
    port = Port()
    link = Link(port, 200)
    port.room = 0
    expected = b""
    for number in range(3000):
        reply = b"%d:" % number + b"x" * random.below(90)
        if link.send(reply):
            expected += reply + b"\r\n"
        port.room = random.below(80)
        link.flush()
    port.room = 1000
    link.flush()
    assert port.sent == expected


def test_an_idle_link_allocates_nothing():
    port = Port()
    link = Link(port)

    def idle():
        link.poll()
        link.flush()

    assert allocated_by(idle, 100) == 0


def test_a_link_whose_host_does_not_read_allocates_nothing():
    port = Port()
    link = Link(port)
    port.room = 0
    link.send(b"nobody reads this")

    def idle():
        link.poll()
        assert not link.flush()

    assert allocated_by(idle, 100) == 0


class StarvedPort(Port):
    """A port whose reads fail for want of memory, as any allocation in a full heap does."""

    def __init__(self):
        super().__init__()
        self.starved = False

    def read(self, buffer):
        count = super().read(buffer)
        if self.starved and count:
            raise MemoryError
        return count


def test_a_line_that_lost_bytes_for_want_of_memory_is_not_executed():
    port = StarvedPort()
    link = Link(port)
    port.incoming = b":SOUR:PRES 1"
    link.poll()
    port.starved = True
    port.incoming = b".2"
    link.poll()
    port.starved = False
    port.incoming = b"5\n*IDN?\n"
    assert events(link, port) == [OVERLONG, "*IDN?"]
