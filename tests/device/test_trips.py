"""Faults of transducers and over-pressure, from the converter or the gas to the valves, on every rung."""

import pytest

from ipch.sim import signals

TICK_S = 0.02
# Counts of open, shorted, too low and too high loops on both converters.
OPEN, SHORT, LOW = {}, {}, {}
for signal, per_ma in ((signals.CONTROL, 1600.0), (signals.SAFETY, 0.1 / signals.RP2040_VOLT_PER_COUNT)):
    OPEN[signal] = 0
    SHORT[signal] = min(32767 if signal == signals.CONTROL else 65535, round(22 * per_ma))
    LOW[signal] = round(3.7 * per_ma)


def fault_of(rig):
    return rig.ask(":SYST:FAUL?").split(",")[0]


def state_of(rig):
    return rig.fetch()["state"]


def energised(rig):
    return [valve.name for valve in rig.plant.valves if valve.energised]


def regulating(bench, *sets):
    rig = bench("initial_mpa=4.9", *sets)
    rig.send(":SOUR:PRES 5;:OUTP ON")
    rig.run_s(20)
    assert state_of(rig) == "REGULATE"
    return rig


@pytest.mark.parametrize(
    ("counts", "fault", "within_s"),
    [(OPEN, "CONTROL_OPEN", 0.2), (SHORT, "CONTROL_SHORTED", 0.2), (LOW, "CONTROL_RANGE", 1.0)],
)
def test_a_failed_control_transducer_seals(bench, counts, fault, within_s):
    rig = regulating(bench)
    gas_kg = rig.plant.gas_kg
    rig.world.stuck_counts[signals.CONTROL] = counts[signals.CONTROL]
    rig.run_s(within_s)
    assert energised(rig) == []
    assert fault_of(rig) == fault
    assert state_of(rig) == "SEALED"
    rig.run_s(60)
    assert rig.plant.gas_kg == pytest.approx(gas_kg, rel=2e-3), "the gas stays"


def test_acknowledge_needs_the_cause_gone_and_ends_off(bench):
    rig = regulating(bench)
    rig.world.stuck_counts[signals.CONTROL] = 0
    rig.run_s(1)
    rig.send(":SYST:FAUL:ACK")
    rig.run_s(0.2)
    assert rig.ask(":SYST:ERR?").startswith("-221")
    assert state_of(rig) == "SEALED"
    rig.send(":OUTP ON")
    rig.run_s(0.2)
    assert rig.ask(":SYST:ERR?").startswith("-221")
    rig.world.stuck_counts.clear()
    rig.run_s(1)
    rig.send(":SYST:FAUL:ACK")
    rig.run_s(0.2)
    assert rig.ask(":SYST:ERR?").startswith("0")
    assert state_of(rig) == "OFF"
    assert fault_of(rig) == "NONE"


def test_disagreement_seals(bench):
    rig = regulating(bench)
    rig.run_s(0.1)
    rig.world.stuck_counts[signals.SAFETY] = round((4 + 16 * 0.53) * 0.1 / signals.RP2040_VOLT_PER_COUNT)
    rig.run_s(1)
    assert energised(rig) == []
    assert fault_of(rig) == "DISAGREEMENT"


def test_a_failed_safety_transducer_is_an_alarm_and_regulation_goes_on(bench):
    rig = regulating(bench)
    rig.world.stuck_counts[signals.SAFETY] = 0
    rig.run_s(30)
    fields = rig.fetch()
    assert fields["state"] == "REGULATE"
    assert "SAFETY_TRANSDUCER" in rig.ask(":SYST:WARN?")


def test_one_wild_sample_moves_nothing(bench):
    rig = regulating(bench)
    rig.run_s(30)
    for counts in (0, 32767, 30_000, 7_000):
        rig.world.stuck_counts[signals.CONTROL] = counts
        rig.run_s(TICK_S)
        rig.world.stuck_counts.clear()
        rig.run_s(2)
    assert fault_of(rig) == "NONE"
    assert state_of(rig) == "REGULATE"


@pytest.mark.parametrize("regulate", [True, False])
def test_over_pressure_opens_the_relief_within_50_ms(bench, regulate):
    rig = regulating(bench, "fill_c=1.25e-9", "supply_mpa=10")
    if not regulate:
        rig.send(":OUTP OFF")
        rig.run_s(1)
    # Both valves of the fill side stick open, the fault against which two are in series.
    for valve in rig.plant.valves[:2]:
        valve.stuck = "open"
    relief = rig.plant.valves[4]
    rig.world.trace = []
    over_ms = None
    before_pa = rig.plant.pressure_pa
    for _ in range(400):
        rig.run_s(TICK_S)
        pressure_pa = rig.plant.pressure_pa
        if over_ms is None and pressure_pa > 6.0e6:
            # The truth is known at ticks; between them it rises almost linearly.
            over_ms = rig.plant.time_ms - 20 * (pressure_pa - 6.0e6) / (pressure_pa - before_pa)
        if relief.energised:
            break
        before_pa = pressure_pa
    assert relief.energised
    assert over_ms is not None
    # The command itself, as the rig received it: a MicroPython program sends it with its next frame.
    edge_tick = next(entry[0] for entry in rig.world.trace if entry[1] == "switch" and entry[2] & 4)
    assert edge_tick * rig.world.tick_ms - over_ms <= 50
    assert "fill" not in energised(rig) and "supply_isolation" not in energised(rig)
    rig.run_s(1)
    assert state_of(rig) == "RELIEF"
    assert fault_of(rig) in ("OVERPRESSURE", "DISAGREEMENT", "FILL_STUCK_OPEN")


def test_the_relief_keeps_what_is_below_the_trip(bench):
    rig = regulating(bench)
    rig.send(":OUTP OFF")
    rig.run_s(1)
    for valve in rig.plant.valves[:2]:
        valve.stuck = "open"
    rig.plant.supply_pa_override = 6.4e6
    rig.run_until(lambda: rig.plant.valves[4].energised, 60)
    for valve in rig.plant.valves[:2]:
        valve.stuck = ""
    rig.run_s(20)
    assert 5.5e6 < rig.plant.pressure_pa < 6.0e6
    assert state_of(rig) == "RELIEF"
    assert energised(rig) == []
