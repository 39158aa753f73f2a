"""What the firmware costs on the emulated RP2040 at 125 MHz: time of a tick, memory, start, over-pressure
reaction.

Emulated time counts instructions; it knows nothing of misses of the flash cache, so a board is slower than
this. `python -m tests.bench pico` takes about a quarter of an hour.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ipch.errors import FileError
from ipch.flash import firmware_files
from ipch.sim import emulator, pico
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.world import World
from tests.bench._rows import row

TRIALS = 50
COMMANDS = 1000
OVERPRESSURE_MA = 4 + 16 * 0.65

# At the prompt, on the real drivers: what 100 ticks without a command allocate, and what is free.
ALLOCATION = """
import gc,board
class W:
 def feed(self):pass
rig=board.Rig()
rig._watchdog=W()
rig.safe()
import files
from link import Link
from regulator.app import App
from regulator.settings import Settings
from regulator.store import Store
s=Settings()
app=App(rig,Link(rig.serial),s,Store(files,s),gc.collect)
for i in range(20):app.tick()
gc.collect()
a=gc.mem_alloc()
for i in range(100):app.tick()
b=gc.mem_alloc()
rig.release()
gc.collect()
print(b-a,gc.mem_free())
"""


class _Ticks:
    """Length and work of each tick, from the edges of the heartbeat."""

    def __init__(self, device: pico.PicoDevice) -> None:
        self._device = device
        self._marks: list[tuple[float, float]] = []
        chip = device.chip
        chip.mcu.gpio[device.pins.HEARTBEAT].add_listener(
            lambda state, before: self._marks.append((chip.clock.nanos, chip.polled_ns))
        )

    def clear(self) -> None:
        self._marks.clear()

    def wait(self, count: int) -> list[float]:
        """Run for so many ticks; return the ms that the processor worked in each."""
        self.clear()
        while len(self._marks) <= count:
            self._device.run(5)
        return [
            (now - before - (polled - polled_before)) / 1e6
            for (before, polled_before), (now, polled) in zip(self._marks, self._marks[1:], strict=False)
        ]


def measure(out: Path) -> list[dict[str, Any]]:
    """Measure on a fresh board; a row that says so where there is no image."""
    try:
        image = emulator.find_image()
    except FileError as error:
        print(f"skipped: {error}")
        return []
    with tempfile.TemporaryDirectory() as state:
        world = World(Plant(load_parameters(None, ["initial_mpa=0.1"]), seed=1))
        device = pico.PicoDevice(world, Path(state), image, files=firmware_files())
        rows = _run(world, device)
        device.close()
    return rows


def _run(world: World, device: pico.PicoDevice) -> list[dict[str, Any]]:
    chip = device.chip
    ticks = _Ticks(device)
    boot_s = chip.resets[-1]
    ticks.clear()
    while not ticks._marks:
        device.run(5)
    rows = [row("power-up to first tick", ticks._marks[0][0] / 1e9 - boot_s, "s", at_most=2.0)]

    idle = ticks.wait(100)
    rows.append(row("tick without a command, worst of 100", max(idle), "ms", at_most=5.0))
    rows.append(row("tick without a command, mean", sum(idle) / len(idle), "ms"))
    world.script[world.ticks + 1] = b":SOUR:PRES 0.3\n:OUTP ON\n"
    ticks.wait(10)
    busy = ticks.wait(100)
    rows.append(row("tick while regulating, worst of 100", max(busy), "ms", at_most=5.0))
    for command in (b"*IDN?", b":FETC?", b":SYST:ERR?", b":SOUR:PRES 0.3", b':SYST:SETT? "trip_pa"'):
        world.script[world.ticks + 1] = command + b"\n"
        rows.append(row(f"ticks of {command.decode()}, worst", max(ticks.wait(12)), "ms", at_most=5.0))
    world.script[world.ticks + 1] = b":OUTP OFF\n"
    ticks.wait(30)

    worst_ms = 0.0
    for trial in range(TRIALS):
        chip.run_ms(trial * 20 / TRIALS)
        start = chip.clock.nanos
        device.edges.clear()
        device.tamper = lambda name, value: OVERPRESSURE_MA if name in ("control", "safety") else value
        while not any(name == "relief" and on for _, name, on in device.edges):
            device.run(2)
            if chip.clock.nanos - start > 1e9:
                break
        at = next((at for at, name, on in device.edges if name == "relief" and on), start + 1e9)
        worst_ms = max(worst_ms, (at - start) / 1e6)
        device.tamper = lambda name, value: value
        ticks.wait(4)
        world.script[world.ticks + 1] = b":SYST:FAUL:ACK\n"
        ticks.wait(3)
    rows.append(row(f"over-pressure to relief edge, worst of {TRIALS}", worst_ms, "ms", at_most=50.0))

    sent = 0
    while sent < COMMANDS:
        world.script[world.ticks + 1] = b":SYST:ERR?\n" * 4
        ticks.wait(8)
        sent += 4
    rows.append(row("resets while it ran", len(chip.resets) - 1, "", at_most=0))

    device.hold_button(True)
    chip.power_cycle()
    device.hold_button(False)
    allocated, free = map(int, chip.execute(ALLOCATION).split())
    rows.append(row("allocated by 100 ticks", allocated, "B", at_most=0))
    rows.append(row("free with the firmware loaded", free, "B", at_least=60_000))
    return rows
