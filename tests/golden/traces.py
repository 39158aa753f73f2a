"""Five scenarios of ten minutes as traces: the counts of every tick, every command to a valve, every reply.

`python tests/golden/traces.py` prints a digest for each, with any interpreter that runs the rung `core`; `--write`
stores them in traces.txt, which every later version must reproduce.
"""

import hashlib
import re
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2] / "host" / "src"))

from ipch.sim.board import Board
from ipch.sim.injector import clear, inject
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.world import World

GOLDEN = Path(__file__).with_name("traces.txt")
TICKS = 30_000
SEED = 7
# Queried in turn, so that the replies show the firmware's internal values.
QUESTIONS = (
    b":FETC?\n",
    b":SYST:WARN?\n",
    b":FETC?\n",
    b":DIAG:VALV1?;:DIAG:VALV2?\n",
    b":FETC?\n",
    b":SYST:FAUL?;:STAT:OPER?;:STAT:QUES?\n",
    b":FETC?\n",
    b":SOUR:PRES:EFF?;:SENS:PRES:AMO?;:DIAG:COUN?;:SYST:BOOT?\n",
)
_SENTENCE = re.compile('"[^"]*"')
ON = b":SOUR:PRES 1.5;SLEW 0.05;:OUTP ON\n"
SETS = (
    "initial_mpa=1",
    "cell_capacity_ah=5",
    "oven_amplitude_k=2",
    "oven_period_s=120",
    "missed_probability=0.05",
)

# Plant, messages by tick, and by tick the part that fails (None: all parts work again).
SCENARIOS = {
    "ramp and hold": (
        SETS,
        {
            3: ON,
            6_000: b":SOUR:PRES 1.2\n",
            15_000: b":SOUR:PRES:SLEW:MODE MAX;:SOUR:PRES 2\n",
            22_000: b":BOGUS\n",
        },
        {},
    ),
    "vent": (
        (*SETS[1:], "initial_mpa=4"),
        {
            3: b":SOUR:PRES 4.2;:OUTP ON\n",
            5_000: b":SOUR:PRES:LEV:IMM:AMPL:VENT 1\n",
            7_000: b":SOUR:PRES:LEV:IMM:AMPL:VENT 0\n",
            8_000: b":OUTP ON\n",
            15_000: b":SOUR:PRES:LEV:IMM:AMPL:VENT 1\n",
        },
        {15_500: ("control-open", {}), 18_000: None, 20_000: ("vent-stuck-shut", {})},
    ),
    "latched": (
        (*SETS[1:], "initial_mpa=4.7"),
        {
            3: b":SOUR:PRES 4.8;:OUTP ON\n",
            9_000: b":SYST:FAUL:ACK\n",
            9_500: b":OUTP ON\n",
            16_000: b":SYST:FAUL:ACK\n",
            16_100: b":SYST:FAUL:ACK\n",
            16_200: b":SYST:ERR?;:OUTP ON\n",
            26_000: b":SYST:FAUL:ACK\n",
            26_100: b":SYST:ERR?;:OUTP OFF\n",
        },
        {
            6_000: ("control-open", {}),
            8_000: None,
            13_000: ("transistor-short", {"valve": "fill"}),
            15_000: None,
            20_000: ("over-pressure", {"mpa": 8.0}),
            25_000: None,
        },
    ),
    "quiet window": (
        (*SETS[1:], "initial_mpa=2"),
        {
            3: b":SOUR:PRES 2.2;:OUTP ON\n",
            8_000: b":OUTP:QUI 60\n",
            13_000: b":OUTP:QUI 300\n",
            16_000: b":OUTP:QUI 0\n",
            18_000: b":SOUR:FUNC AMO\n",
            24_000: b":SOUR:FUNC PRES\n",
            27_000: b":OUTP:QUI 600\n",
        },
        {28_000: ("leak", {"kpa_h": 4_000.0})},
    ),
    "resume": (
        (*SETS[1:], "initial_mpa=3"),
        {3: b":SOUR:PRES 3.2;:OUTP ON\n", 14_000: b":SOUR:PRES 2.5;SLEW 0.002\n"},
        {
            8_000: ("brown-out", {"off_s": 5.0}),
            16_950: ("resets", {"cause": "watchdog"}),
            24_000: ("stored-copies", {"record": "state"}),
            24_100: ("brown-out", {"off_s": 30.0}),
        },
    ),
}


def trace(name, rig="core", ticks=TICKS):
    """Return (entries of the trace, bytes of all replies) of one scenario on a rung."""
    sets, sent, failing = SCENARIOS[name]
    world = World(Plant(load_parameters(None, sets), seed=SEED), seed=SEED)
    world.serial_number = "TRACE00001"
    world.trace = []
    world.script = dict(sent)
    for turn, tick in enumerate(range(10, ticks, 50)):
        world.script.setdefault(tick, QUESTIONS[turn % len(QUESTIONS)])
    with tempfile.TemporaryDirectory(prefix="ipch-trace-") as folder:
        board = Board(world, Path(folder), rig)
        try:
            for tick in range(ticks):
                if tick in failing:
                    part = failing[tick]
                    if part is None:
                        clear(world)
                    else:
                        inject(world, *part)
                board.tick()
        finally:
            board.close()
    return world.trace, bytes(world.received)


def digests(name):
    """Return the golden lines of a scenario: a digest for each tenth of its ticks, and one of its replies."""
    entries, replies = trace(name)
    texts = [[] for _ in range(10)]
    for entry in entries:
        texts[min(entry[0] * 10 // TICKS, 9)].append(str(entry))
    lines = [f"{name}, part {part}: {_digest(chr(10).join(text))}" for part, text in enumerate(texts)]
    # Wording may improve: sentences are not part of the computed result.
    return [*lines, f"{name}, replies: {_digest(_SENTENCE.sub('', replies.decode()))}"]


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


if __name__ == "__main__":
    said = "".join(line + "\n" for name in SCENARIOS for line in digests(name))
    if sys.argv[1:] == ["--write"]:
        GOLDEN.write_text(said)
    sys.stdout.write(said)
