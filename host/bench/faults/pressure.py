"""From the trip pressure at the sensors to the edge of the relief output, in randomised trials on the rung `sim`."""

from __future__ import annotations

from random import Random

from bench.scenarios.rig import Bench
from ipch.sim.injector import clear

TRIP_PA = 6.0e6
# Three times the safety transducer's noise: from here on both transducers exceed the trip in every sample.
CLEAR_PA = 10_000.0
PORTS = ("quiet", "floods", "stalls", "gone")
# A program runs this many trials; the next one has another plant.
PER_PLANT = 50


def trials(count: int, seed: int) -> list[tuple[float, str]]:
    """Return (ms from the pressure to the edge, state of the port) of each trial.

    The edge is the tick in which the device requests it; the computing time of the tick must be added.
    """
    random = Random(f"over-pressure {seed}")
    found: list[tuple[float, str]] = []
    while len(found) < count:
        bench = _bench(random)
        try:
            for _ in range(min(PER_PLANT, count - len(found))):
                port = random.choice(PORTS)
                found.append((_trial(bench, random, port), port))
        finally:
            bench.close()
    return found


def _bench(random: Random) -> Bench:
    fill_c = 10 ** random.uniform(-9.7, -8.9)
    sets = (
        "initial_mpa=5.4",
        f"volume_l={random.uniform(0.1, 1.0):.3f}",
        f"fill_c={fill_c:.3e}",
        "relief_c=1e-8",
        f"safety_noise_kpa={random.uniform(0.5, 3.0):.2f}",
        f"valve_jitter_ms={random.uniform(0.0, 3.0):.2f}",
    )
    bench = Bench("sim", sets, seed=random.randrange(1 << 30))
    bench.send(":SOUR:PRES 5.4")
    bench.run_s(1)
    return bench


def _trial(bench: Bench, random: Random, port: str) -> float:
    world = bench.world
    plant = world.plant
    bench.send(":OUTP ON" if random.random() < 0.5 else "*CLS")
    bench.board.run(random.randrange(5, 60))
    if port != "quiet":
        bench.inject("host", {"how": port})
    bench.inject("over-pressure", {"mpa": random.uniform(7.0, 10.0)})
    over_ms = edge_ms = None
    for _ in range(1500):
        before_pa, before_ms = plant.pressure_pa, plant.time_ms
        world.relief_asked_ms = None
        bench.board.run(1)
        if over_ms is None and plant.pressure_pa > TRIP_PA + CLEAR_PA:
            # The truth is known at ticks; between them it rises almost linearly.
            share = (TRIP_PA + CLEAR_PA - before_pa) / (plant.pressure_pa - before_pa)
            over_ms = before_ms + world.tick_ms * min(max(share, 0.0), 1.0)
        if world.relief_asked_ms is not None:
            edge_ms = world.relief_asked_ms
            break
    assert edge_ms is not None, "the relief valve was never requested"
    gates = [valve.name for valve in plant.valves if valve.gate and valve.name != "relief"]
    assert not gates, f"energised beside the relief valve: {gates}"
    clear(world)
    world.received.clear()
    for _ in range(500):
        bench.board.run(5)
        if plant.pressure_pa < 5.9e6 and not plant.valves[4].energised:
            break
    # The device must process the flooded lines before it reaches a command.
    bench.run_s(3)
    bench.send("")
    bench.send(":SYST:FAUL:ACK")
    bench.run_s(0.3)
    bench.send(":SYST:FAUL:ACK")
    bench.run_s(0.3)
    return max(0.0, edge_ms - (over_ms if over_ms is not None else edge_ms))
