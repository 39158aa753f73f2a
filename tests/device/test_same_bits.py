"""Every rung computes the same: one scenario, tick for tick."""

from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice, SimDevice
from ipch.sim.world import World

TEN_MINUTES = 30_000
SCENARIO = {
    3: b":SOUR:PRES 1.5;SLEW 0.05;:OUTP ON\n",
    6_000: b":SOUR:PRES 1.2\n",
    12_000: b":OUTP:QUI 30\n",
    15_000: b":SOUR:PRES:SLEW:MODE MAX;:SOUR:PRES 2\n",
    22_000: b":SOUR:PRES:LEV:IMM:AMPL:VENT 1\n",
    28_000: b":OUTP OFF;:BOGUS\n",
    28_010: b":SYST:ERR?\n",
}
SETS = (
    "initial_mpa=1",
    "cell_capacity_ah=5",
    "oven_amplitude_k=2",
    "oven_period_s=120",
    "missed_probability=0.05",
)


def run(device_class, state):
    """Return the trace of the scenario: counts of every tick, every command to a valve, every reply."""
    world = World(Plant(load_parameters(None, SETS), seed=7))
    world.trace = []
    world.script = dict(SCENARIO)
    # What the firmware thinks is in its replies.
    for tick in range(10, TEN_MINUTES, 50):
        world.script.setdefault(tick, b":FETC?\n")
    device = device_class(world, state)
    device.run(TEN_MINUTES)
    device.close()
    return world.trace, bytes(world.received)


def test_core_and_sim_agree_in_every_tick(tmp_path):
    for name in ("core", "sim"):
        (tmp_path / name).mkdir()
    core, core_said = run(CoreDevice, tmp_path / "core")
    sim, sim_said = run(SimDevice, tmp_path / "sim")
    assert sum(1 for entry in core if entry[1] == "pulse") > 50
    assert core_said.count(b"REGULATE") > 300
    assert core == sim[: len(core)]
    # Replies leave the MicroPython program with its next frame.
    assert core_said.startswith(sim_said)
    assert len(core_said) - len(sim_said) < 300
