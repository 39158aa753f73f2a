"""The zero of the transducers, corrected at ambient pressure on the whole device."""

import pytest


@pytest.mark.parametrize(("node", "query"), [("CONT", ":SENS:PRES?"), ("SAF", ":SENS:PRES:SAF?")])
def test_the_zero_is_found_at_ambient_pressure_and_kept(bench, node, query):
    rig = bench("initial_mpa=0.101325", "control_offset_kpa=12", "safety_offset_kpa=-30")
    rig.send(":UNIT:PRES KPA")
    rig.run_s(5)
    before = mean(rig, query)
    assert abs(before - 101.3) > 10
    rig.send(f":CAL:{node}:ZERO")
    rig.run_s(5)
    assert rig.ask(":SYST:ERR?") == '0,"No error"'
    assert abs(mean(rig, query) - 101.3) < 2.5
    zero_pa = int(rig.ask(f":CAL:{node}?").split(",")[0])
    assert abs(zero_pa / 1000 - (101.3 - before)) < 2.5


def mean(rig, query):
    """Return the mean of many readings, because a single one of the safety transducer is noisy."""
    return sum(float(rig.ask(query)) for _ in range(100)) / 100


def test_a_chamber_under_pressure_is_not_taken_for_ambient(bench):
    rig = bench("initial_mpa=0.3")
    rig.run_s(5)
    before = rig.ask(":CAL:CONT?")
    rig.send(":CAL:CONT:ZERO")
    rig.run_s(1)
    assert rig.ask(":SYST:ERR?").startswith('-221,"Settings conflict;')
    assert rig.ask(":CAL:CONT?") == before
