"""Limits of a tick: no large integers, no memory allocation."""

import pytest

from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice, SimDevice
from ipch.sim.world import World
from tests.device.checked import LIMIT, IntegerTooLarge, Watch, checked_firmware
from tests.device.programs import run_to_end

# Plants at the edges: the fastest and the slowest chamber, and the hottest and coldest oven.
PLANTS = {
    "reference": ("initial_mpa=4.9",),
    "fast": (
        "volume_l=0.1",
        "fill_c=1.25e-9",
        "vent_c=1.25e-9",
        "supply_mpa=10",
        "initial_mpa=4.5",
        "oven_c=60",
    ),
    "slow": ("volume_l=2", "fill_c=5e-11", "vent_c=5e-11", "initial_mpa=4.9", "oven_c=-10"),
}


@pytest.mark.parametrize("name", PLANTS)
def test_no_integer_of_a_tick_reaches_two_to_the_thirtieth(name, tmp_path):
    watch = Watch()
    with checked_firmware(watch):
        world = World(Plant(load_parameters(None, PLANTS[name]), seed=3))
        device = CoreDevice(world, tmp_path)
        commands = (
            b":SOUR:PRES 5;SLEW 1;:OUTP ON\n",
            b":SOUR:PRES 4.8\n",
            b":SOUR:PRES:SLEW:MODE MAX;:SOUR:PRES 5\n",
            b":SOUR:PRES:LEV:IMM:AMPL:VENT 1\n",
        )
        for command in commands:
            world.script[world.ticks + 1] = command
            watch.armed = False
            device.run(10)
            watch.armed = True
            device.run(1500)
        # Over-pressure and a failed transducer take other paths through the tick.
        world.plant.valves[1].leak_c = world.plant.valves[0].leak_c = 1e-8
        world.plant.supply_pa_override = 9.5e6
        device.run(500)
    assert device.app.modes.fault
    assert watch.checked > 100_000
    assert watch.largest < LIMIT, watch.where


def test_the_check_can_fail(tmp_path):
    watch = Watch()
    watch.armed = True
    with pytest.raises(IntegerTooLarge):
        watch.check((1 << 15) * (1 << 15), "here")


ALLOCATION_PROGRAM = '''
"""Counts the memory that ticks take: 10,000 with a ramp, a hold and a vent under way, none with a command."""
import gc
import board
import files
import generated
from link import Link
from regulator.app import App
from regulator.settings import Settings
from regulator.store.copies import Store

rig = board.Rig()
settings = Settings()
app = App(rig, Link(rig.serial), Store(files, settings), generated)
for _ in range(50):
    app.tick()
app.panel.set_target(3_000_000)
app.panel.output(True)
# The state is written to flash at the start and after the first minute: these ticks do take memory.
for _ in range(3100):
    app.tick()
gc.collect()
gc.disable()
before = gc.mem_alloc()
for _ in range(10_000):
    app.tick()
taken = gc.mem_alloc() - before
print("taken", taken, "openings", app.valves.openings[0] + app.valves.openings[1])
'''


def test_ten_thousand_ticks_take_no_memory(tmp_path):
    program = tmp_path / "allocation.py"
    program.write_text(ALLOCATION_PROGRAM)
    sets = (
        "initial_mpa=2.5",
        "cell_capacity_ah=5",
        "cell_c_rate=10",
        "oven_amplitude_k=3",
        "oven_period_s=100",
    )
    world = World(Plant(load_parameters(None, sets), seed=3))
    device = SimDevice(world, tmp_path, program=program)
    said = run_to_end(device)
    device.close()
    words = said.split()
    assert words[:2] == ["taken", "0"], said
    assert int(words[3]) > 20, said
