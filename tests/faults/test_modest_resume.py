"""What a power cut leaves: regulation resumes only where the chamber still has the gas that it had."""

from __future__ import annotations

from itertools import product

import pytest

from bench.scenarios.rig import Bench
from tests.shares import share

AMBIENT_PA = 101_325
# `missed_probability` 0: every pulse counts here.
SETS = ("missed_probability=0",)


@pytest.fixture
def bench(request):
    bench = Bench(sets=(*SETS, *getattr(request, "param", ("initial_mpa=0.101325",))))
    yield bench
    bench.close()


def cut(bench: Bench, off_s: float = 600.0, leak_c: float = 0.0, for_s: float = 0.0) -> float:
    """Cut the power for `off_s`; a hand valve of `leak_c` is open for `for_s` of it. Return the pressure before."""
    before_pa = bench.world.plant.pressure_pa
    bench.inject("brown-out", {"off_s": off_s})
    if leak_c:
        bench.inject("line-burst", {"c": leak_c, "after_s": 1.0, "for_s": for_s})
    bench.run_s(off_s + 1)
    return before_pa


def fills(bench: Bench) -> int:
    return bench.world.plant.valves[1].openings


def set_and_store(bench: Bench, message: str) -> None:
    """Send, and wait until the device says that it is complete."""
    assert bench.ask(message + ";*OPC?") == "1"


EMPTIED = {"leak_c": 1e-9, "for_s": 500.0}


@pytest.mark.parametrize("regulated_s", share((100, 260, 1300), 0))
def test_an_emptied_chamber_is_not_filled_again(bench: Bench, regulated_s: float) -> None:
    bench.send(":SOUR:PRES 5;:OUTP ON")
    bench.run_s(regulated_s)
    cut(bench, **EMPTIED)
    left_pa = bench.world.plant.pressure_pa
    before = fills(bench)
    assert left_pa < AMBIENT_PA + 100_000
    bench.run_s(60)
    assert fills(bench) == before
    assert bench.world.plant.pressure_pa < left_pa + 10_000
    assert bench.app.modes.fault_name == "POWER"


@pytest.mark.parametrize("bench", [("initial_mpa=0.101325",)], indirect=True)
@pytest.mark.parametrize("target", [0.15, 0.19, 0.5])
def test_nothing_resumes_near_ambient(bench: Bench, target: float) -> None:
    """A ramp that has hardly begun, and a hold near ambient."""
    bench.send(f":SOUR:PRES:SLEW 0.0005;:SOUR:PRES {target};:OUTP ON")
    bench.run_s(100)
    before = fills(bench)
    cut(bench, 5.0)
    bench.run_s(60)
    assert fills(bench) == before


@pytest.mark.parametrize(("slew", "part_s"), share(product((0.02, 0.1), (8, 60, 123, 200)), 1, 3, 4, 5))
def test_a_part_of_the_gas_lost_during_a_ramp_seals(bench: Bench, slew: float, part_s: float) -> None:
    bench.send(f":SOUR:PRES:SLEW {slew};:SOUR:PRES 5;:OUTP ON")
    bench.run_s(part_s)
    before_pa = cut(bench, 300.0, 2e-10, 100.0)
    after_pa = bench.world.plant.pressure_pa
    if after_pa < before_pa - 500_000:
        before = fills(bench)
        bench.run_s(30)
        assert fills(bench) == before


@pytest.mark.parametrize("part_s", share((30, 77, 123, 190), 1, 2))
def test_a_ramp_goes_on_after_a_blip(bench: Bench, part_s: float) -> None:
    bench.send(":SOUR:PRES 5;:OUTP ON")
    bench.run_s(part_s)
    cut(bench, 0.3)
    bench.run_s(300)
    assert abs(bench.world.plant.pressure_pa - 5e6) < 20_000, bench.app.modes.fault_name
    assert bench.app.record.resumes == 1


@pytest.mark.parametrize("bench", [("initial_mpa=4.9",)], indirect=True)
@pytest.mark.parametrize(
    ("upwards", "after_s"),
    share(product(((5.2, 0.0005), (5.2, 0.002), (5.1, 0.0001)), (0.0, 0.1, 3.0)), 0, 4, 8),
)
def test_an_accepted_target_survives(bench: Bench, upwards: tuple[float, float], after_s: float) -> None:
    first, slew = upwards
    bench.send(f":SOUR:PRES:SLEW {slew};:SOUR:PRES {first};:OUTP ON")
    bench.run_s(60)
    set_and_store(bench, ":SOUR:PRES 4.8")
    bench.run_s(after_s)
    begun_pa = highest_pa = bench.world.plant.pressure_pa
    cut(bench, 0.3)
    for _ in range(40):
        bench.run_s(3)
        highest_pa = max(highest_pa, bench.world.plant.pressure_pa)
    assert bench.app.control.target_pa == 4_800_000
    assert highest_pa < begun_pa + 20_000
    assert bench.state == "REGULATE"


def test_a_target_survives_in_off_and_while_sealed(bench: Bench) -> None:
    set_and_store(bench, ":SOUR:PRES 4.8")
    cut(bench, 0.3)
    assert bench.ask(":SOUR:PRES?") == "4.8000000"
    bench.inject("control-open", {"for_s": 0.5})
    bench.run_s(3)
    set_and_store(bench, ":SOUR:PRES 4.7")
    cut(bench, 0.3)
    assert bench.ask(":SOUR:PRES?") == "4.7000000"


@pytest.mark.parametrize("bench", [("initial_mpa=4.9",)], indirect=True)
@pytest.mark.parametrize(
    ("on_s", "off_s"), share(product((0.3, 1.0, 1.9, 5.0, 70.0), (0.1, 0.5)), 0, 3, 4, 7, 8)
)
def test_what_was_switched_off_stays_off(bench: Bench, on_s: float, off_s: float) -> None:
    bench.send(":SOUR:PRES 5;:OUTP ON")
    bench.run_s(on_s)
    bench.send(":OUTP OFF")
    bench.run_s(off_s)
    cut(bench, 0.3)
    before = fills(bench)
    bench.run_s(30)
    assert bench.state == "OFF"
    assert fills(bench) == before


@pytest.mark.parametrize("bench", [("initial_mpa=4.9",)], indirect=True)
def test_off_while_a_resume_is_decided_survives(bench: Bench) -> None:
    bench.send(":SOUR:PRES 5;:OUTP ON")
    bench.run_s(100)
    cut(bench, 0.3)
    set_and_store(bench, ":OUTP OFF")
    cut(bench, 0.3)
    bench.run_s(10)
    assert bench.state == "OFF"


@pytest.mark.parametrize("bench", [("initial_mpa=4.9",)], indirect=True)
@pytest.mark.parametrize("after_ms", share((20, 300, 900, 980, 1000, 1040), 1, 3, 5))
def test_a_target_sent_while_a_resume_is_decided_wins(bench: Bench, after_ms: int) -> None:
    bench.send(":SOUR:PRES 5;:OUTP ON")
    bench.run_s(60)
    bench.inject("brown-out", {"off_s": 0.0})
    bench.run_s(0.02)
    while bench.state == "RESET":
        bench.run_s(0.02)
    bench.run_s(after_ms / 1000)
    set_and_store(bench, ":SOUR:PRES 4.6")
    bench.run_s(60)
    assert bench.app.control.target_pa == 4_600_000
    assert abs(bench.world.plant.pressure_pa - 4.6e6) < 20_000
    cut(bench, 0.3)
    assert bench.app.control.target_pa == 4_600_000


@pytest.mark.parametrize("bench", [("initial_mpa=4.9",)], indirect=True)
@pytest.mark.parametrize(
    "keys",
    [
        ("low_pa", "high_pa"),
        ("low_pa", "high_pa", "ramping"),
        ("high_pa",),
        ("low_pa", "high_pa", "pressure_pa"),
    ],
)
def test_a_record_of_an_older_version_resumes_within_its_single_pressure(
    bench: Bench, keys: tuple[str, ...]
) -> None:
    bench.send(":SOUR:PRES 5;:OUTP ON")
    bench.run_s(100)
    # The firmware's folder is on the path once a board has run.
    from regulator.store.copies import Copies

    record = Copies(bench.board.device.files, "state")
    values = record.load()
    assert values is not None
    values["pressure_pa"] = 4_000_000
    values["low_pa"] = 4_000_000
    values["high_pa"] = 5_000_000
    values["ramping"] = 1
    record.save([(name, value) for name, value in sorted(values.items()) if name not in keys])
    cut(bench, 0.3)
    bench.run_s(10)
    assert bench.state == "SEALED"


@pytest.mark.long
@pytest.mark.parametrize("bench", [("initial_mpa=4.9", "oven_step_k=25", "oven_step_s=200")], indirect=True)
def test_a_chamber_that_was_warmed_while_it_was_held_resumes(bench: Bench) -> None:
    """The hold lets gas out as the oven warms it; the record follows."""
    bench.send(":SOUR:PRES 5;:OUTP ON")
    bench.run_s(1200)
    cut(bench, 1.0)
    bench.run_s(10)
    assert bench.state == "REGULATE"


@pytest.mark.long
def test_writes_of_the_device_by_itself_are_few() -> None:
    """An hour of ramps up and down, each with 16 steps of the envelope: 200 writes a day, most of them at once."""
    bench = Bench(sets=("initial_mpa=1", *SETS))
    try:
        bench.send(":SOUR:PRES:SLEW 0.05;:SOUR:PRES 1;:OUTP ON")
        bench.run_s(70)
        start = bench.app.store.writes
        for _ in range(15):
            for target in (5, 1):
                bench.send(f":SOUR:PRES {target}")
                bench.run_s(120)
        assert bench.app.store.writes - start <= 30 + 40 + 6
        assert bench.app.modes.fault_name == "NONE"
    finally:
        bench.close()


@pytest.mark.parametrize("bench", [("initial_mpa=4.9",)], indirect=True)
def test_commands_that_repeat_write_nothing(bench: Bench) -> None:
    bench.send(":SOUR:PRES 5;:OUTP ON")
    bench.run_s(100)
    start = bench.app.store.writes
    for _ in range(50):
        bench.send(":SOUR:PRES 5;:OUTP ON")
        bench.run_s(1)
    assert bench.app.store.writes == start


@pytest.mark.parametrize("bench", [("initial_mpa=4.9",)], indirect=True)
def test_a_host_that_streams_targets_does_not_wear_the_flash(bench: Bench) -> None:
    bench.send(":SOUR:PRES 5;:OUTP ON")
    bench.run_s(100)
    start = bench.app.store.writes
    for turn in range(600):
        bench.send(f":SOUR:PRES {5 + turn % 50 / 1000}")
        bench.run_s(1)
    assert bench.app.store.writes - start <= 100
    set_and_store_ms = bench.world.plant.time_ms
    while bench.ask("*OPC?") != "1":
        pass
    assert bench.world.plant.time_ms - set_and_store_ms < 25_000
