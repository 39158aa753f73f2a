"""Invalid command lines: the firmware must not crash, stall, grow, or change anything without a valid command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from bench.scenarios.rig import Bench, settled

WORDS = (
    "*IDN?", "*RST", "*CLS", "*TST?", "*OPC?", ":SOUR:PRES", ":SOUR:PRES?", ":SOUR:PRES:SLEW", ":OUTP", ":OUTP?",
    ":OUTP:QUI", ":SENS:PRES?", ":SENS:PRES:INL?", ":FETC?", ":FETC:FIEL?", ":SYST:ERR?", ":SYST:FAUL?", ":SYST:SETT",
    ":SYST:SETT?", ":SYST:SETT:CONF", ":SYST:SETT:LIST?", ":UNIT:PRES", ":DIAG:VALV1?", ":STAT:QUES?", ":SYST:WARN?",
    ":CAL:BAR",
)  # fmt: skip
ARGUMENTS = (
    "5", "5.0000001", "1e99", "-1", "nan", "inf", "MIN", "MAX", "DEF", "O", "ONN", "2", "bar", "5 MPa", '"trip_pa",1',
    '"', "'", "#H1F", "1,2,3", "9" * 40, "1e-99", "5 5", "", " ", ",", "0x10", '"trip_pa",99999999', '"no_such",1',
)  # fmt: skip
OTHERS = (
    b"AT", b"AT+CGMM\r", b"ATZ\r\n", b"\x03", b"\x03\x03\x04", b"\x1b[A", b"\x00\x00\x00", b"\xff\xfe",
    b"import machine\r",
    b"+++", b"raw\x01", b"\x7e\x00\x78\xf0\x7e", b"\r\r\r", b"\n\n", b";;;;", b"::::", b"?", b"GET / HTTP/1.1\r\n\r\n",
)  # fmt: skip
# Valid units that may change state, target or settings: a strict parser, independent of the firmware's lenient one.
STATEFUL = re.compile(
    r"^(:?OUTP(UT)?1?(:STAT(E)?)? +\S.*|:?OUTP(UT)?1?:QUI(ET)? +\S.*|\*RST"
    r"|:?(SOUR(CE)?1?:)?PRES(SURE)?(:LEV(EL)?)?(:IMM(EDIATE)?)?(:AMPL(ITUDE)?)?(:VENT)? +\S.*"
    r"|:?(SOUR(CE)?1?:)?PRES(SURE)?:SLEW.* +\S.*|:?SYST(EM)?:FAUL(T)?:ACK.*|:?SYST(EM)?:MAIN.*|:?SYST(EM)?:SETT.* +\S.*"
    r"|:?CAL.*|:?UNIT.*|SLEW.*|VENT.*|QUI.*|SETT.*|.*INL.*|.*TIME.*|.*PRO.*|.*HEAD.*|.*TRAC.*)$",
    re.IGNORECASE,
)


NOISE = re.compile(r"^[^\x21-\x7e]+")
# The suffix 1 is the default of a node without one (SCPI-99, 6.2.5.2): `PRES1 DEF` is `PRES DEF`.
SUFFIX = re.compile(r"(?<=[A-Za-z])1(?=[:?\s]|$)")


def line(random: Random) -> bytes:
    """Return one line, with or without its end."""
    kind = random.randrange(10)
    if kind < 3:
        text = random.choice(WORDS) + random.choice((" ", "", "  ", "\t")) + random.choice(ARGUMENTS)
        return text.encode() + random.choice((b"\n", b"\r", b"\r\n", b"\n", b""))
    if kind < 5:
        data = bytearray(random.choice(WORDS).encode() + b" " + random.choice(ARGUMENTS).encode())
        for _ in range(random.randrange(1, 4)):
            data[random.randrange(len(data))] = random.randrange(256)
        return bytes(data) + b"\n"
    if kind < 6:
        units = (random.choice(WORDS) + random.choice(ARGUMENTS) for _ in range(random.randrange(2, 5)))
        return ";".join(units).encode() + b"\n"
    if kind < 8:
        return random.choice(OTHERS) + random.choice((b"", b"\n"))
    if kind < 9:
        return random.randbytes(random.randrange(1, 40)) + random.choice((b"", b"\n"))
    if random.randrange(20):
        return (
            bytes(random.choices(b"abcdefghijklmnopqrstuvwxyz*:;?, 0123456789", k=random.randrange(1, 30)))
            + b"\n"
        )
    return random.randbytes(random.randrange(250, 400)) + b"\n"


def harmless(data: bytes) -> bool:
    """Return whether no unit of the sent bytes could be a valid command that changes anything."""
    text = data.decode("latin-1").replace("\x03", "").replace("\t", " ")
    # Unprintable characters before a line are ignored.
    lines = (NOISE.sub("", each) for each in re.split(r"[\r\n]", text))
    return not any(STATEFUL.match(SUFFIX.sub("", unit.strip())) for each in lines for unit in each.split(";"))


def _lines(count: int, random: Random) -> Iterator[bytes]:
    """Draw lines; the model covers those that could be a valid change, alone or with the text before them."""
    text = b""
    for _ in range(count):
        while not harmless(text + (more := line(random))):
            pass
        text += more
        if b"\n" in more or b"\r" in more:
            text = text.rpartition(b"\n")[2].rpartition(b"\r")[2]
        yield more


def _listen(bench: Bench) -> None:
    """Terminate any unfinished line, and read."""
    bench.send("")
    while bench.world.waiting:
        bench.run_s(1)
    bench.run_s(2)
    bench.world.received.clear()
    bench.send("*CLS")
    bench.run_s(0.2)


def fuzz_core(count: int, seed: int) -> int:
    """Send `count` lines to a regulating device; return the ticks it took. Raises AssertionError."""
    lines = _lines(count, Random(f"fuzz {seed}"))
    bench = settled("HOLD").copy("fuzz")
    try:
        world, app = bench.world, bench.app
        ticks = 0
        pending = bytearray()
        more: bytes | None = b""
        while more is not None or pending:
            # A full line buffer stops the host; its content is still unread.
            while more is not None and len(pending) < 64:
                more = next(lines, None)
                pending += more or b""
            if not world.waiting:
                world.script[world.ticks + 1] = bytes(pending[:64])
                del pending[:64]
            before = (app.modes.state, app.control.target_pa, app.modes.fault)
            bench.board.run(1)
            ticks += 1
            after = (app.modes.state, app.control.target_pa, app.modes.fault)
            assert before == after, f"{before} became {after} in tick {ticks} of seed {seed}"
            if ticks % 64 == 0:
                world.received.clear()
        _listen(bench)
        answer = bench.ask("*IDN?")
        assert answer.startswith("ipch,IPCH-1"), answer
        return ticks
    finally:
        bench.close()


def fuzz_sim(count: int, seed: int) -> int:
    """The same through a MicroPython program with a small heap; afterwards it must still answer, in the same state."""
    bench = Bench("sim", scenario="fuzz on sim")
    try:
        bench.send(":SOUR:PRES 4.7;:OUTP ON")
        bench.run_s(20)
        before = bench.fetch()
        world = bench.world
        ticks = 0
        pending = bytearray()
        for more in _lines(count, Random(f"fuzz {seed}")):
            pending += more
            while len(pending) >= 64:
                if not world.waiting:
                    world.script[world.ticks + 1] = bytes(pending[:64])
                    del pending[:64]
                bench.board.run(1)
                ticks += 1
                if ticks % 64 == 0:
                    world.received.clear()
        _listen(bench)
        after = bench.fetch()
        for name in ("boot", "state", "fault", "target_pa"):
            assert before[name] == after[name], f"{name}: {before} became {after}"
        assert (int(after["uptime_ms"]) - int(before["uptime_ms"])) > ticks * world.tick_ms
        return ticks
    finally:
        bench.close()


def fuzz(count: int, seed: int) -> int:
    """Send `count` lines, one in five times through MicroPython; return the ticks it took."""
    return (fuzz_sim if seed % 5 == 4 else fuzz_core)(count, seed)
