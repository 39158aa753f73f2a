"""Cost of the firmware on the emulated RP2040 at 125 MHz: time of a tick, memory, start, over-pressure reaction.

Emulated time counts instructions without misses of the flash cache, so a board is slower. `make bench ONLY=pico`
takes about a quarter of an hour.
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
QUERIES = (b"*IDN?", b":FETC?", b":SYST:ERR?", b":SOUR:PRES 0.3", b':SYST:SETT? "trip_pa"')

# At the prompt, on the real drivers: bytes allocated by 100 ticks without a command, and free memory after commands.
MEMORY = """
import gc,board
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
 app.server.SERVE(False)
 if k%20==0:gc.collect()
 k+=1
gc.collect()
d=gc.mem_free()
import time
t=time.ticks_us()
gc.collect()
t=time.ticks_diff(time.ticks_us(),t)
rig.release()
print(b-a,c,d,t)
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
    """Measure on a fresh board; without an image print a note and return nothing."""
    if not boards.boot():
        print(f"skipped: {boards.missing()}")
        return []
    rows: list[dict[str, Any]] = []
    for part in (_start, _idle, _busy, _overpressure, _flooded, _memory):
        rows += boards.in_a_fork(lambda part=part: part(boards.Board()))
    return rows


def _start(board: boards.Board) -> list[dict[str, Any]]:
    ticks: list[float] = []
    board.chip.mcu.gpio[board.device.pins.HEARTBEAT].add_listener(
        lambda state, before: ticks.append(board.chip.now_s)
    )
    board.wait_for(lambda: bool(ticks), 1000, "a tick")
    return [row("reset to end of first tick", ticks[0] - board.chip.resets[-1], "s", at_most=2.0)]


def _idle(board: boards.Board) -> list[dict[str, Any]]:
    ticks = _Ticks(board)
    ticks.wait(10)
    works_ms = ticks.wait(200)
    return [
        row("tick without a command, worst of 200", max(works_ms), "ms", at_most=5.0),
        row("tick without a command, mean", statistics.mean(works_ms), "ms"),
    ]


def _busy(board: boards.Board) -> list[dict[str, Any]]:
    ticks = _Ticks(board)
    board.regulate()
    works_ms = ticks.wait(200)
    rows = [row("tick while regulating, worst of 200", max(works_ms), "ms", at_most=5.0)]
    for command in QUERIES:
        ticks.wait(15)
        # Not in the present tick, whose length is not measured.
        board.world.script[board.world.ticks + 2] = command + b"\n"
        rows.append(row(f"ticks that serve {command.decode()}, worst", max(ticks.wait(8)), "ms", at_most=5.0))
    return rows


def _overpressure(board: boards.Board) -> list[dict[str, Any]]:
    board.run_ms(200)
    took_ms = sorted(boards.over_pressure_ms(board, trial * 20_000 // TRIALS) for trial in range(TRIALS))
    print("over-pressure to relief edge, ms:", " ".join(f"{each:.1f}" for each in took_ms))
    return [
        row(f"over-pressure to relief edge, worst of {TRIALS}", took_ms[-1], "ms", at_most=50.0),
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
            f"over-pressure to relief edge, host floods, worst of {TRIALS}", max(took_ms), "ms", at_most=50.0
        ),
        row("over-pressure to relief edge, host floods, median", statistics.median(took_ms), "ms"),
        row("from end to end of a tick, host floods, longest", max(lengths_ms), "ms"),
        row("from end to end of two ticks in a row, host floods, longest", max(pairs_ms), "ms"),
    ]


def _memory(board: boards.Board) -> list[dict[str, Any]]:
    board.device.hold_button(True)
    board.chip.power_cycle()
    board.device.hold_button(False)
    program = MEMORY.replace("SERVE", names_on_board("regulator/scpi/server").get("serve", "serve"))
    program = program.replace("_watchdog", names_on_board("board")["_watchdog"])
    allocated, before, after, collect_us = map(int, board.chip.execute(program, 120).split()[-4:])
    return [
        row("allocated by 100 ticks", allocated, "B", at_most=0),
        row("free with the firmware loaded", before, "B"),
        row("free after 1,000 commands", after, "B", at_least=60_000),
        row("collection of garbage", collect_us / 1000, "ms"),
    ]
