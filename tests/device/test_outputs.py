"""The coil rail, the comparator and their model in the simulator's world without the processor."""

from ipch.sim import signals
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.world import World


def world(*sets):
    return World(Plant(load_parameters(None, sets), seed=1))


def run(world, ticks, coils=None):
    for _ in range(ticks):
        if coils is not None:
            world.feed(coils)
        world.advance()


def test_the_rail_follows_the_heartbeat():
    w = world()
    run(w, 3)
    assert w.counts[signals.RAIL] == 0
    run(w, 1, True)
    assert w.counts[signals.RAIL] == 1
    w.switch(4)
    # A hung processor sends nothing.
    run(w, 50)
    assert w.counts[signals.RAIL] == 1
    run(w, 3)
    assert w.counts[signals.RAIL] == 0
    assert not any(valve.energised for valve in w.plant.valves)
    w.switch(5)
    w.pulse(0, 100_000)
    assert not any(valve.energised for valve in w.plant.valves)
    run(w, 1, True)
    assert [valve.name for valve in w.plant.valves if valve.energised] == ["supply_isolation", "relief"]


def test_the_device_cuts_the_rail_at_once():
    w = world()
    run(w, 2, True)
    w.switch(4)
    w.feed(False)
    assert not any(valve.energised for valve in w.plant.valves)
    run(w, 1)
    assert w.counts[signals.RAIL] == 0
    run(w, 60, False)
    assert w.counts[signals.RAIL] == 0
    # As in over-pressure and in a trial.
    run(w, 1, True)
    assert w.counts[signals.RAIL] == 1
    assert [valve.name for valve in w.plant.valves if valve.energised] == ["relief"]
    w.rail_forced = True
    run(w, 2, False)
    assert w.counts[signals.RAIL] == 1


def test_the_comparator_cuts_the_fill_side_and_opens_the_relief_once_the_processor_is_gone():
    w = world("initial_mpa=6.3", "safety_noise_kpa=0", "supply_mpa=9", "fill_c=1e-9")
    run(w, 2, True)
    w.switch(1)
    for _ in range(200):
        if not w.plant.valves[1].energised and not w.tripped:
            w.pulse(0, 300_000)
        run(w, 1, True)
        if w.tripped:
            break
    assert w.counts[signals.TRIPPED] == 1
    assert [valve.name for valve in w.plant.valves if valve.energised] == []
    w.pulse(0, 100_000)
    w.switch(1)
    run(w, 100, True)
    assert [valve.name for valve in w.plant.valves if valve.energised] == []
    for _ in range(60):
        w.advance()
        if w.gone:
            break
    assert [valve.name for valve in w.plant.valves if valve.energised] == ["relief"]
    for _ in range(200):
        w.advance()
    assert w.counts[signals.TRIPPED] == 0
    assert not w.plant.valves[4].energised


def test_any_input_can_be_stuck():
    w = world()
    w.stuck_counts = {signals.COIL_DEAD: 1, signals.COIL_SHORTED: 4, signals.RAIL: 1, signals.REFERENCE: 3}
    run(w, 1)
    assert w.counts[signals.REFERENCE :] == [3, 1, 4, 1, 0]
