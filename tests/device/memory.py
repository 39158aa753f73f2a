"""Free memory of the whole device on the board's interpreter after some thousands of commands."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import SimDevice
from ipch.sim.world import World
from tests.device.programs import run_to_end

# After this many rounds the mix is split into the same pieces again, so the buffers hold the same bytes.
ROUNDS_AGAIN = 64
EARLY_ROUNDS = 36

# The heap is that of rigs.py: objects are twice as large here as on the board, which has about 225 kB.
PROGRAM = """
import gc
import board
import files
import generated
from link import Link
from regulator.app import App
from regulator.settings import Settings
from regulator.store.copies import Store

class Counting(Link):
    replies = 0
    lost = 0

    def send(self, text):
        self.replies += 1
        sent = super().send(text)
        self.lost += not sent
        return sent

rig = board.Rig()
settings = Settings()
link = Counting(rig.serial)
app = App(rig, link, Store(files, settings), generated)
for limit in {limits}:
    while link.replies < limit:
        app.tick()
    gc.collect()
    print(link.replies, gc.mem_free(), link.lost)
"""

# One reply to each row, two commands on average: queries, settings, refusals, errors, long lines, noise.
MIX = (
    ":FETC?",
    ":SENS:PRES?;INL?;SLEW?;:SOUR:PRES?;*STB?",
    ":SOUR:PRES 1.25;PRES?",
    ":SOUR:PRES 99\n:SYST:ERR?",
    ":NONSENSE:OF:SOME:KIND 5\n:SYST:ERR?",
    ":SYST:SETT? 'trip_pa'",
    ":SYST:SETT 'trip_pa',1\n:SYST:ERR?",
    ":UNIT:PRES BAR;:SOUR:PRES 12.5 BAR;:UNIT:PRES MPA;PRES?",
    ":SYST:FAUL?;WARN?",
    "*IDN?",
    "*OPC?".rjust(256),
    "x" * 300 + "\n:SYST:ERR?",
    ":OUTP \x07ON\n:SYST:ERR?",
    ":FETC:FIEL?",
)


class Flood(World):
    """A world that stands still, with a host that sends the mix forever, as fast as the device reads it."""

    def __init__(self, plant: Plant) -> None:
        super().__init__(plant)
        self.lines = cycle(MIX)
        self.waiting = b""
        super().advance()

    def advance(self) -> None:
        self.ticks += 1

    def take(self, count: int = 64) -> bytes:
        while len(self.waiting) < count:
            self.waiting += next(self.lines).encode() + b"\n"
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        self.received.clear()
        return taken


def free_memory(rounds: list[int], folder: Path) -> list[list[int]]:
    """Run a device through rounds of the mix; return [replies, free bytes, replies lost] after each."""
    program = folder / "memory.py"
    program.write_text(PROGRAM.format(limits=[count * len(MIX) for count in rounds]))
    device = SimDevice(Flood(Plant(load_parameters(None, ("initial_mpa=1",)))), folder, program=program)
    said = run_to_end(device)
    device.close()
    figures = [[int(word) for word in line.split()] for line in said.splitlines()]
    assert len(figures) == len(rounds), said
    return figures
