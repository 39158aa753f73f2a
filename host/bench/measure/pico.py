"""Cost of the firmware on the emulated RP2040: time of a tick, memory, start, over-pressure reaction.

At 200 and 125 MHz, and at 200 MHz with every instruction 1.25 times as long: a model of the misses of the flash cache,
which the emulator does not know (an emulator that has a cache gave that factor). Goals are for the latter.
`make bench ONLY=pico` takes about half an hour.
"""

from __future__ import annotations

import itertools
import statistics
from pathlib import Path
from typing import Any

from bench.jobs import Workers
from bench.rows import row
from ipch.board.compile import names_on_board
from tests.device import boards

TRIALS = 50
POLLED = (b":FETC?", b":SYST:ERR?", b"*IDN?", b":SENS:PRES?")
OTHERS = (b":SYST:FAUL?", b':SYST:SETT? "trip_pa"', b":DIAG:COUN?", b":SOUR:PRES 99")
# MHz, and how much longer each instruction takes.
CLOCKS = ((200, 1.25), (200, 1.0), (125, 1.0))

# At the prompt, on the real drivers: bytes allocated by 100 ticks without a command, and free memory after commands.
START = """
import gc,board,time
class W:
 def feed(self):pass
rig=board.Rig()
rig._watchdog=W()
rig.safe()
# As main.py does it.
gc.threshold(16_000)
import files
from link import Link
import generated
from regulator.app import App
from regulator.settings import Settings
from regulator.store.copies import Store
s=Settings()
gc.threshold(-1)
link=Link(rig.serial)
app=App(rig,link,Store(files,s),generated)
for i in range(60):app.tick()
"""
MEMORY = """
# A new global name may make their table grow.
a=b=0
gc.collect()
gc.disable()
a=gc.mem_alloc()
for i in range(100):app.tick()
b=gc.mem_alloc()
gc.enable()
c=gc.mem_free()
said=0
def write(buffer,start,end):
 global said
 said+=1
 return end-start
rig.serial.write=write
k=0
while k<1000:
 link.line=(b':FETC?',b'*IDN?',b':SYST:SETT? "trip_pa"',b':SOUR:PRES 99',b':SYST:ERR?')[k%5]
 app.SERVE(False)
 if k%20==0:gc.collect()
 k+=1
gc.collect()
d=gc.mem_free()
t=time.ticks_us()
gc.collect()
t=time.ticks_diff(time.ticks_us(),t)
rig.release()
print(b-a,c,d,t)
"""
# Time of the parts of a tick; a part within another counts in both, and the measurement takes about 0.05 ms of each.
STAGES = (
    "rig._tend", "rig._start", "rig._collect", "rig.read", "sensors.update", "watches.check", "modes.judge", "_decide",
    "outputs.drive", "_serve", "_look_after", "_tidy", "blackbox.record", "rig.feed",
)  # fmt: skip
PROFILE = """
total=[0]*COUNT
def wrap(o,name,k):
 f=getattr(o,name)
 def timed(*a):
  t=time.ticks_us()
  r=f(*a)
  total[k]+=time.ticks_diff(time.ticks_us(),t)
  return r
 setattr(o,name,timed)
CALLS
for i in range(100):app.tick()
rig.release()
print(*[each//100 for each in total])
"""


class _Ticks:
    """Work of each tick, from the edges of the heartbeat."""

    def __init__(self, board: boards.Board) -> None:
        self._board = board
        self._marks: list[tuple[float, float]] = []
        chip = board.chip
        chip.mcu.gpio[board.device.pins.HEARTBEAT].add_listener(
            lambda state, before: self._marks.append((chip.clock.nanos, chip.polled_ns))
        )

    def wait(self, count: int) -> list[float]:
        """Run for this many ticks; return the processor's working time in ms in each."""
        self._marks.clear()
        while len(self._marks) <= count:
            self._board.run_ms(5)
        return [
            (now - before - (polled - polled_before)) / 1e6
            for (before, polled_before), (now, polled) in zip(self._marks, self._marks[1:], strict=False)
        ]


def measure(out: Path, workers: Workers) -> list[dict[str, Any]]:
    """Measure on fresh boards; without an image print a note and return nothing."""
    rows: list[dict[str, Any]] = []
    for mhz, slower in CLOCKS:
        rows += boards.in_a_fork(lambda mhz=mhz, slower=slower: _at(mhz, slower))
    return rows


def _at(mhz: int, slower: float) -> list[dict[str, Any]]:
    if not boards.boot(mhz, slower):
        print(f"skipped: {boards.missing()}")
        return []
    rows: list[dict[str, Any]] = []
    model = slower > 1
    parts = [_start, _idle, _busy, _stages, *([_overpressure, _flooded, _memory] if model else [])]
    for part in parts:
        rows += boards.in_a_fork(lambda part=part: part(boards.Board()))
    clock = f"{mhz} MHz{', cache model' if model else ''}"
    return [
        each | {"name": f"{clock}: {each['name']}"} | ({} if model else {"goal": "", "ok": None})
        for each in rows
    ]


def _start(board: boards.Board) -> list[dict[str, Any]]:
    ticks: list[float] = []
    board.chip.mcu.gpio[board.device.pins.HEARTBEAT].add_listener(
        lambda state, before: ticks.append(board.chip.now_s)
    )
    board.wait_for(lambda: bool(ticks), 1000, "a tick")
    return [row("reset to end of first tick", ticks[0] - board.chip.resets[-1], "s", at_most=1.5)]


def _idle(board: boards.Board) -> list[dict[str, Any]]:
    ticks = _Ticks(board)
    ticks.wait(10)
    works_ms = ticks.wait(200)
    return [
        row("tick without a command, worst of 200", max(works_ms), "ms", at_most=4.0),
        row("tick without a command, mean", statistics.mean(works_ms), "ms"),
    ]


def _busy(board: boards.Board) -> list[dict[str, Any]]:
    ticks = _Ticks(board)
    board.regulate()
    works_ms = ticks.wait(200)
    rows = [row("tick while regulating, worst of 200", max(works_ms), "ms", at_most=5.0)]
    for command in (*POLLED, *OTHERS):
        ticks.wait(15)
        # Not in the present tick, whose length is not measured.
        board.world.script[board.world.ticks + 2] = command + b"\n"
        most_ms = 5.0 if command in POLLED else 8.0
        rows.append(
            row(f"ticks that serve {command.decode()}, worst", max(ticks.wait(8)), "ms", at_most=most_ms)
        )
    return rows


def _stages(board: boards.Board) -> list[dict[str, Any]]:
    """Mean time of each stage of a tick without a command, by a program at the prompt that wraps the stages."""
    board.device.hold_button(True)
    board.chip.power_cycle()
    board.device.hold_button(False)
    said = board.chip.execute(_stages_program(), 120).split()[-len(STAGES) :]
    return [row(f"stage {path}", int(us) / 1000, "ms") for path, us in zip(STAGES, said, strict=True)]


def _stages_program() -> str:
    """START, then wrappers about the stages with the names that these have on the board."""
    names = {module: names_on_board(module) for module in ("board", "regulator/app")}
    calls = ""
    for index, path in enumerate(STAGES):
        module = "board" if path.startswith("rig.") else "regulator/app"
        *parts, last = [names[module].get(part, part) for part in path.split(".")]
        calls += f"wrap({'.'.join(['app', *parts])},{last!r},{index})\n"
    return _start_program() + PROFILE.replace("COUNT", str(len(STAGES))).replace("CALLS", calls)


def _start_program() -> str:
    return START.replace("_watchdog", names_on_board("board")["_watchdog"])


def _overpressure(board: boards.Board) -> list[dict[str, Any]]:
    board.run_ms(200)
    took_ms = sorted(boards.over_pressure_ms(board, trial * 20_000 // TRIALS) for trial in range(TRIALS))
    print("over-pressure to relief edge, ms:", " ".join(f"{each:.1f}" for each in took_ms))
    return [
        row(f"over-pressure to relief edge, worst of {TRIALS}", took_ms[-1], "ms", at_most=45.0),
        row("over-pressure to relief edge, median", statistics.median(took_ms), "ms"),
        row("over-pressure to relief edge, least", took_ms[0], "ms"),
    ]


def _flooded(board: boards.Board) -> list[dict[str, Any]]:
    """The same while a host queries without pause: ticks that serve, ticks that collect garbage, and the next ones."""
    script = board.world.script
    for tick in range(board.world.ticks, board.world.ticks + 1_000):
        script[tick] = 2 * b":FETC?\n"
    ticks: list[float] = []
    chip = board.chip
    chip.mcu.gpio[board.device.pins.HEARTBEAT].add_listener(
        lambda state, before: ticks.append(chip.now_s * 1e3)
    )
    board.run_ms(300)
    took_ms = []
    for _ in range(TRIALS):
        took_ms.append(boards.over_pressure_ms(board, 0))
        # The next phase of the tick, and the next tick.
        board.run_ms(20 + 20 / TRIALS)
    print("the same with a host that floods:", " ".join(f"{each:.1f}" for each in took_ms))
    lengths_ms = [now - before for before, now in itertools.pairwise(ticks)]
    pairs_ms = [now - before for before, now in zip(ticks, ticks[2:], strict=False)]
    return [
        row(
            f"over-pressure to relief edge, host floods, worst of {TRIALS}", max(took_ms), "ms", at_most=45.0
        ),
        row("over-pressure to relief edge, host floods, median", statistics.median(took_ms), "ms"),
        row("from end to end of a tick, host floods, longest", max(lengths_ms), "ms"),
        row("from end to end of two ticks in a row, host floods, longest", max(pairs_ms), "ms"),
    ]


def _memory(board: boards.Board) -> list[dict[str, Any]]:
    board.device.hold_button(True)
    board.chip.power_cycle()
    board.device.hold_button(False)
    names = names_on_board("regulator/app")
    program = _start_program() + MEMORY.replace(
        "SERVE", ".".join(names.get(name, name) for name in ("server", "serve"))
    )
    allocated, before, after, collect_us = map(int, board.chip.execute(program, 120).split()[-4:])
    return [
        row("allocated by 100 ticks", allocated, "B", at_most=0),
        row("free with the firmware loaded", before, "B"),
        row("free after 1,000 commands", after, "B", at_least=75_000),
        row("collection of garbage", collect_us / 1000, "ms"),
    ]
