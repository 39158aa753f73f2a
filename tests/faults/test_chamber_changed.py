"""Learned valves are compared with the first pulses of a start: the chamber may have been exchanged."""

from __future__ import annotations

import functools
import shutil
from itertools import product

import pytest

from bench.scenarios.rig import Bench
from ipch.sim.rigs import CoreDevice
from tests.shares import share

NO_MISSES = ("missed_probability=0",)


@functools.cache
def learned(volume_l: float) -> Bench:
    """A board that has learned its valves in a chamber of this volume, off at ambient."""
    bench = Bench(sets=("initial_mpa=0.101325", f"volume_l={volume_l}", *NO_MISSES))
    bench.send(":SOUR:PRES:SLEW 0.1;:SOUR:PRES 5;:OUTP ON")
    bench.run_s(200)
    bench.send(":SOUR:PRES 4.5")
    bench.run_s(60)
    bench.send(":OUTP OFF")
    bench.run_s(5)
    return bench


def moved(from_l: float, to_l: float, begin: float = 0.101325) -> Bench:
    """The same board, with its memory, at a chamber of another volume."""
    bench = Bench(sets=(f"initial_mpa={begin}", f"volume_l={to_l}", *NO_MISSES))
    bench.board.close()
    shutil.rmtree(bench.folder)
    shutil.copytree(learned(from_l).folder, bench.folder)
    bench.world.restart()
    bench.board.device = CoreDevice(bench.world, bench.folder)
    bench.run_s(3)
    return bench


MOVES = ((2, 0.1), (2, 0.05), (0.5, 0.05), (0.1, 2), (0.05, 2), (0.05, 0.5), (2, 0.5), (2, 2), (0.1, 0.1))
# From ambient the slower ramp takes long, and the faster one is harder.
WAYS = ((0.101325, 0.1), (5.2, 0.02), (5.2, 0.1))


# Each move one way, a different one each time.
@pytest.mark.parametrize(
    ("volumes_l", "way"), share(product(MOVES, WAYS), *(3 * move + move % 3 for move in range(len(MOVES))))
)
def test_a_board_that_was_moved(volumes_l: tuple[float, float], way: tuple[float, float]) -> None:
    from_l, to_l = volumes_l
    begin, slew = way
    bench = moved(from_l, to_l, begin)
    try:
        bench.send(f":SOUR:PRES:SLEW {slew};:SOUR:PRES 5.4;:OUTP ON")
        highest_pa = 0.0
        told = False
        # The supply fills 2 L no faster than in three minutes.
        for _ in range(3_000 if begin > 5 else 12_000 if to_l == 2 else 4_000):
            bench.board.run(1)
            highest_pa = max(highest_pa, bench.world.plant.pressure_pa)
            told = told or "CHAMBER_CHANGED" in bench.warnings
        assert bench.app.modes.fault_name == "NONE"
        assert highest_pa < 5.42e6
        assert abs(bench.world.plant.pressure_pa - 5.4e6) < 15_000
        assert told == (from_l != to_l)
        # A vent, with a valve that has not pulsed since.
        bench.send(":SOUR:PRES:LEV:IMM:AMPL:VENT 1")
        bench.run_s(20)
        assert bench.app.modes.fault_name == "NONE"
        assert bench.world.plant.pressure_pa < 5.3e6
    finally:
        bench.close()


@pytest.mark.parametrize("to_l", share((0.05, 2), 0))
def test_a_chamber_that_was_exchanged_while_the_board_was_on(to_l: float) -> None:
    bench = Bench(sets=("initial_mpa=0.101325", *NO_MISSES))
    other = Bench(sets=("initial_mpa=0.101325", f"volume_l={to_l}", *NO_MISSES))
    try:
        bench.send(":SOUR:PRES:SLEW 0.1;:SOUR:PRES 3;:OUTP ON")
        bench.run_s(60)
        bench.send(":SOUR:PRES:LEV:IMM:AMPL:VENT 1")
        bench.run_s(300)
        assert bench.state == "OFF"
        bench.world.plant.chamber = other.world.plant.chamber
        bench.run_s(5)
        bench.send(":SYST:FAUL:ACK")
        bench.run_s(1)
        bench.send(":SOUR:PRES 5.4;:OUTP ON")
        highest_pa = 0.0
        for _ in range(200):
            bench.run_s(1)
            highest_pa = max(highest_pa, bench.world.plant.pressure_pa)
        assert highest_pa < 5.42e6
        assert bench.app.modes.fault_name == "NONE"
        assert "CHAMBER_CHANGED" in bench.warnings
    finally:
        bench.close()
        other.close()


@pytest.mark.parametrize("factor", [0.35, 2.6])
def test_a_gain_that_is_off_in_three_pulses_is_told_and_learned_anew(factor: float) -> None:
    bench = Bench(sets=("initial_mpa=4", *NO_MISSES))
    try:
        bench.send(":SOUR:PRES:SLEW 0.01;:SOUR:PRES 4.5;:OUTP ON")
        bench.run_s(80)
        gain = bench.app.valves.responses[0].gain
        bench.inject("restrictor", {"valve": "fill", "factor": factor})
        pulses = bench.world.plant.valves[1].openings
        bench.send(":SOUR:PRES 5")
        for _ in range(100):
            bench.run_s(0.2)
            if "CHAMBER_CHANGED" in bench.warnings:
                break
            # The first one comes after a rest, and one may be under way.
            assert bench.world.plant.valves[1].openings - pulses <= 5
        assert "CHAMBER_CHANGED" in bench.warnings
        bench.run_s(60)
        assert abs(bench.app.valves.responses[0].gain - gain * factor) < 0.25 * gain * factor
        assert bench.app.modes.fault_name == "NONE"
        bench.send(":DIAG:VALV:FORG")
        bench.run_s(1)
        assert "CHAMBER_CHANGED" not in bench.warnings
    finally:
        bench.close()


def test_learned_valves_are_used_again_after_a_reset() -> None:
    bench = moved(0.5, 0.5, 4.0)
    try:
        bench.send(":SOUR:PRES:SLEW 0.02;:SOUR:PRES 5;:OUTP ON")
        bench.run_s(25)
        response = bench.app.valves.responses[0]
        assert response.judged > 20
        assert not response.changed
    finally:
        bench.close()


def test_forgetting_starts_from_nothing_and_survives_a_reset() -> None:
    bench = moved(0.5, 0.5, 4.0)
    try:
        assert bench.app.valves.responses[0].learned()[0] > 0
        assert bench.ask(":DIAG:VALV:FORG;*OPC?") == "1"
        assert bench.app.valves.responses[0].learned()[0] == 0
        bench.inject("brown-out", {"off_s": 0.1})
        bench.run_s(2)
        assert [response.learned()[0] for response in bench.app.valves.responses] == [0, 0]
    finally:
        bench.close()
