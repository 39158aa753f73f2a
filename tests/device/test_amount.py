"""Constant amount of gas: the valves stay shut, and the reported drift excludes the effect of temperature."""


def test_valves_stay_shut_and_the_drift_is_that_of_the_gas(bench):
    # About 30 kPa/h of leak, and an oven that changes the pressure by more than that.
    rig = bench("initial_mpa=5", "oven_amplitude_k=8", "oven_period_s=600", "leak_c=8.4e-15", "cell_c_rate=0")
    rig.send(":UNIT:PRES PA;:SOUR:FUNC AMO;:OUTP ON")
    rig.run_s(80)
    start_kg, lowest, highest = rig.plant.gas_kg, 1e9, 0.0
    for _ in range(36):
        rig.run_s(20)
        lowest, highest = min(lowest, rig.plant.pressure_pa), max(highest, rig.plant.pressure_pa)
    assert [valve.openings for valve in rig.plant.valves] == [0, 0, 0, 0, 0]
    true_pa = 5e6 * (rig.plant.gas_kg / start_kg - 1)
    assert -8_000 < true_pa < -4_000
    assert highest - lowest > 12_000
    drift_pa, rate_pa_h, seconds = map(int, rig.ask(":SENS:PRES:AMO?").split(","))
    assert abs(drift_pa - true_pa) < 1_500
    assert abs(rate_pa_h + 30_000) < 6_000
    assert abs(seconds - 800) < 3
    fields = rig.fetch()
    assert (fields["state"], fields["fault"], fields["in_limits"]) == ("REGULATE", "NONE", "1")


def test_a_drift_that_is_too_far_is_warned_of_and_the_pressure_can_be_held_again(bench):
    rig = bench("initial_mpa=3")
    rig.send(":SOUR:PRES 3;:OUTP ON")
    rig.run_s(20)
    openings = [valve.openings for valve in rig.plant.valves]
    rig.send(':SYST:SETT "amount_drift_pa",5000;:SOUR:FUNC AMOunt')
    rig.run_s(90)
    rig.plant.leak_c = 2e-13
    rig.run_s(120)
    assert rig.ask(":SOUR:FUNC?") == "AMO"
    assert rig.plant.pressure_pa < 2_985_000
    assert "AMOUNT_DRIFT" in rig.ask(":SYST:WARN?")
    assert [valve.openings for valve in rig.plant.valves] == openings
    rig.plant.leak_c = 0.0
    rig.send(":SOUR:FUNC PRES")
    rig.run_s(60)
    assert abs(rig.plant.pressure_pa - 3e6) < 6_000
    assert "AMOUNT_DRIFT" not in rig.ask(":SYST:WARN?")


def test_switching_in_the_midst_of_a_ramp_shuts_the_valves(bench):
    rig = bench("initial_mpa=1")
    rig.send(":SOUR:PRES 3;:OUTP ON")
    rig.run_s(30)
    rig.send(":SOUR:FUNC AMO")
    rig.run_s(2)
    kept_kg = rig.plant.gas_kg
    assert not any(valve.open for valve in rig.plant.valves)
    rig.run_s(60)
    assert rig.plant.gas_kg == kept_kg
