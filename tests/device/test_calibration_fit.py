"""A drifting transducer, calibrated at three temperatures and four pressures, reads correctly at all others."""

from random import Random

import pytest

from ipch.calibration.fitting import TRANSDUCERS, Coefficients, Point, fit, today

DRIFT = ("zero_drift_kpa_per_k=2", "span_drift_ppm_per_k=200", "drift_reference_c=25")
LIMIT_PA = 3_000
"""0.03 % of full scale."""
STANDARD_PA = 300.0
"""Noise of the standard's readings, rms."""


def at(bench, celsius, mpa, seed):
    """A device with this block temperature, in a closed chamber at this pressure."""
    rig = bench(*DRIFT, f"oven_c={celsius}", f"initial_mpa={mpa}", "transducer_noise_kpa=1", seed=seed)
    rig.run_s(5)
    return rig


def mean(rig, field, seconds=10):
    """Mean of a field of :FETCh? over some seconds."""
    total = 0.0
    for _ in range(seconds * 5):
        rig.run_s(0.2)
        total += int(rig.fetch()[field])
    return total / (seconds * 5)


def measured(bench):
    """Twelve points with noisy readings of both transducers and of the standard."""
    random = Random(7)
    points = []
    for celsius in (20.0, 32.0, 45.0):
        for mpa in (0.101325, 1.8, 3.6, 5.4):
            rig = at(bench, celsius, mpa, seed=len(points) + 1)
            readings = {name: mean(rig, f"{name}_pa") for name in TRANSDUCERS}
            standard = rig.plant.pressure_pa + random.gauss(0.0, STANDARD_PA)
            points.append(Point(standard, int(rig.fetch()["wall_mk"]) / 1000, readings))
    return points


def write(rig, header, coefficients):
    """Write a calibration as the host does."""
    c = coefficients
    rig.send(
        f":CAL:{header} {c.zero_pa},{c.span_ppm},{c.zero_tc_pa_k},{c.span_tc_ppm_k},{today()},12,{chr(34)}MVB{chr(34)}"
    )
    rig.run_s(3)
    assert rig.ask(":SYST:ERR?") == '0,"No error"'


OTHERS = [(celsius, mpa) for celsius in (20.0, 24.0, 28.5, 38.0, 41.0, 45.0) for mpa in (0.9, 2.7, 4.5, 5.3)]
"""Points outside the fit."""


def test_a_calibrated_transducer_reads_true_at_points_not_used(bench, request):
    rung = request.node.callspec.params["bench"]
    if rung == "pico":
        pytest.skip("an hour of the emulated board")
    points = measured(bench)
    fitted = {name: fit(points, name, 303.15, Coefficients()) for name in TRANSDUCERS}
    assert abs(fitted["control"].coefficients.zero_tc_pa_k + 2_000) < 60
    assert abs(fitted["control"].coefficients.span_tc_ppm_k + 200) < 20
    assert fitted["control"].expanded_pa < LIMIT_PA
    uncorrected, corrected = [], []
    # One is enough to show that the other rungs compute the same.
    for number, (celsius, mpa) in enumerate(OTHERS if rung == "core" else [(41.0, 4.5)]):
        rig = at(bench, celsius, mpa, seed=100 + number)
        uncorrected.append(abs(mean(rig, "control_pa", 1) - rig.plant.pressure_pa))
        write(rig, "CONT", fitted["control"].coefficients)
        write(rig, "SAF", fitted["safety"].coefficients)
        corrected.append(abs(mean(rig, "control_pa", 3) - rig.plant.pressure_pa))
    assert max(uncorrected) > 10 * LIMIT_PA
    assert max(corrected) <= LIMIT_PA, corrected
    assert abs(mean(rig, "safety_pa") - rig.plant.pressure_pa) <= LIMIT_PA
    assert rig.ask(":CAL:CONT?").endswith(f'{today()},12,"MVB"')
