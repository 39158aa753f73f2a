"""ipch calibrate: files of points, the fit, what is written, and leading through points on a simulated device."""

from __future__ import annotations

import contextlib
import io
import math
import re
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ipch import calibration
from ipch.calibration.fitting import Coefficients, Point, fit
from ipch.device.instrument import Instrument
from ipch.errors import DeviceError, FileError, UsageError
from ipch.sim.server import RunningServer, simulate

Cli = Callable[..., Any]

TRUE = Coefficients(zero_pa=-1500, span_ppm=2500, zero_tc_pa_k=-2000, span_tc_ppm_k=-200)
REFERENCE_K = 303.15


def points(noise_pa: float = 0.0, celsius: tuple[float, ...] = (20.0, 32.0, 45.0)) -> list[Point]:
    """Points of a transducer whose correction is `TRUE`."""
    random = np.random.default_rng(3)
    listed = []
    for block_c in celsius:
        for mpa in (0.1, 1.8, 3.6, 5.4):
            block_k = block_c + 273.15
            nominal = TRUE.nominal_pa(mpa * 1e6, block_k, REFERENCE_K)
            noisy = {name: nominal + random.normal(0.0, noise_pa) for name in calibration.TRANSDUCERS}
            listed.append(Point(mpa * 1e6, block_k, noisy))
    return listed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "points.csv"
    calibration.save_points(path, points(200.0))
    return path


def settle(instrument: Instrument) -> None:
    """Acknowledge the disagreement that a false calibration was, once the readings agree again."""
    for _ in range(200):
        if instrument.fetch().fault == "NONE":
            return
        with contextlib.suppress(DeviceError):
            instrument.acknowledge()
    raise AssertionError(instrument.fetch())


@pytest.fixture
def blank(sim: RunningServer) -> Iterator[Instrument]:
    """The device without any calibration, before and afterwards."""
    nothing = dict.fromkeys(calibration.TRANSDUCERS, Coefficients())
    with Instrument.open(sim.port) as instrument:
        instrument.off()
        calibration.write(instrument, nothing)
        settle(instrument)
    yield instrument
    with Instrument.open(sim.port) as instrument:
        instrument.off()
        calibration.write(instrument, nothing)
        settle(instrument)


def test_the_fit_finds_what_the_points_were_made_of() -> None:
    assert fit(points(), "control", REFERENCE_K, Coefficients()).coefficients == TRUE
    noisy = fit(points(200.0), "control", REFERENCE_K, Coefficients())
    for term, uncertain in noisy.uncertainty.items():
        assert 0 < abs(getattr(noisy.coefficients, term) - getattr(TRUE, term)) < 2 * uncertain
    assert noisy.freedom == 8 and 100 < noisy.expanded_pa < 500
    assert fit(points(200.0), "control", REFERENCE_K, Coefficients(), 1e4).expanded_pa > 1e4


def test_the_uncertainty_covers_what_it_says() -> None:
    random = np.random.default_rng(11)
    inside = 0
    for _ in range(300):
        drawn = [
            Point(p.standard_pa, p.block_k, {"control": p.nominal_pa["control"] + random.normal(0, 300)})
            for p in points()
        ]
        found = fit(drawn, "control", REFERENCE_K, Coefficients())
        inside += (
            abs(found.coefficients.zero_tc_pa_k - TRUE.zero_tc_pa_k) <= found.uncertainty["zero_tc_pa_k"]
        )
    # 95 % of 300, within four standard deviations.
    assert 270 <= inside <= 299


def test_one_temperature_tells_zero_and_span_and_leaves_the_rest() -> None:
    before = Coefficients(zero_tc_pa_k=-2000, span_tc_ppm_k=-200)
    found = fit(points(celsius=(20.0,)), "control", REFERENCE_K, before)
    assert found.fixed == ("zero_tc_pa_k", "span_tc_ppm_k")
    assert found.coefficients == TRUE


def test_points_that_do_not_tell_are_refused() -> None:
    few = points()
    for chosen in (
        [],
        few[:1],
        [few[0], few[4], few[8]],
        [few[0], few[5]],
        [few[0], few[1], few[4], few[8]][:3],
    ):
        with pytest.raises(UsageError, match="do not determine"):
            fit(chosen, "control", REFERENCE_K, Coefficients())
    exact = fit([few[0], few[1], few[4], few[5]], "control", REFERENCE_K, Coefficients())
    assert exact.freedom == 0 and math.isnan(exact.expanded_pa)


def test_two_points_a_megapascal_apart_and_five_kelvin_suffice() -> None:
    def at(standard_pa: float, block_k: float) -> Point:
        return Point(standard_pa, block_k, {"control": TRUE.nominal_pa(standard_pa, block_k, REFERENCE_K)})

    two = fit([at(1e6, REFERENCE_K), at(2e6, REFERENCE_K)], "control", REFERENCE_K, Coefficients())
    assert (two.coefficients.zero_pa, two.coefficients.span_ppm) == (-1500, 2500)
    assert two.freedom == 0 and set(two.uncertainty) == {"zero_pa", "span_ppm"}
    assert all(math.isnan(value) for value in two.uncertainty.values())
    with pytest.raises(
        UsageError, match="2 points do not determine the span; it takes pressures at least 1 MPa"
    ):
        fit([at(1e6, REFERENCE_K), at(1_999_999.0, REFERENCE_K)], "control", REFERENCE_K, Coefficients())
    four = [at(pa, k) for pa in (1e6, 2e6) for k in (300.0, 305.0)]
    assert fit(four, "control", REFERENCE_K, Coefficients()).coefficients == TRUE
    near = [at(pa, k) for pa in (1e6, 2e6) for k in (300.0, 304.99)]
    assert fit(near, "control", REFERENCE_K, TRUE).fixed == ("zero_tc_pa_k", "span_tc_ppm_k")
    with pytest.raises(UsageError, match="4 points do not determine 4 coefficients"):
        fit(
            [at(1e6, 300.0), at(2e6, 300.0), at(3e6, 300.0), at(3e6, 306.0)],
            "control",
            REFERENCE_K,
            Coefficients(),
        )


def test_errors_before_and_after_have_the_sign_of_reading_less_standard() -> None:
    # A transducer that reads 3 kPa too high, and 1 kPa too high once corrected.
    high = [Point(pa, REFERENCE_K, {"safety": pa + 3000.0}) for pa in (1e6, 3e6, 5e6)]
    found = fit(high, "safety", REFERENCE_K, Coefficients())
    assert list(found.before_pa) == [3000.0] * 3 and found.coefficients.zero_pa == -3000
    assert list(found.residual_pa) == pytest.approx([0.0] * 3, abs=1) and found.largest_pa < 1
    after = calibration.deviations_pa(high, "safety", Coefficients(zero_pa=-2000), REFERENCE_K)
    assert list(after) == [1000.0] * 3
    # Without noise what remains uncertain is the standard.
    assert fit(high, "safety", REFERENCE_K, Coefficients(), 250.0).expanded_pa == pytest.approx(250.0, abs=1)
    assert found.expanded_pa < 1 and found.name == "safety"


def test_a_correction_is_linear_in_the_temperature() -> None:
    # Ten kelvin above the reference: -1500 - 10 x 2000 Pa, and 2500 - 10 x 200 ppm.
    assert TRUE.pressure_pa(4e6, REFERENCE_K + 10, REFERENCE_K) == pytest.approx(4e6 * 1.0005 - 21_500)
    assert TRUE.nominal_pa(4e6 * 1.0005 - 21_500, REFERENCE_K + 10, REFERENCE_K) == pytest.approx(4e6)


def test_initials() -> None:
    assert [calibration.initials(text) for text in ("mvb", " A ", "abcdeZ")] == ["MVB", "A", "ABCDEZ"]
    for text in ("", "ABCDEFG", "M B", "Ä", "A1"):
        with pytest.raises(UsageError, match=f"^not initials: '{text}'; expected one to six letters"):
            calibration.initials(text)


def test_points_survive_their_file(file: Path) -> None:
    loaded = calibration.load_points(file)
    for before, after in zip(points(200.0), loaded, strict=True):
        assert after.standard_pa == pytest.approx(before.standard_pa, abs=1)
        assert after.block_k == pytest.approx(before.block_k, abs=1e-3)
        assert after.nominal_pa["safety"] == pytest.approx(before.nominal_pa["safety"], abs=1)


def test_a_file_of_points_keeps_its_times_and_is_read_without_them(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    one = Point(5e6, 293.15, {"control": 4_990_000.0, "safety": 5_010_000.0}, "2026-01-02T03:04:05Z")
    calibration.save_points(path, [one, one])
    assert path.read_bytes().count(b"\r\n") == 3 and calibration.load_points(path) == [one, one]
    path.write_text("standard_pa,block_c,control_nominal_pa,safety_nominal_pa\n20000000,150,3,4\n0,-60,3,4\n")
    assert [point.time_utc for point in calibration.load_points(path)] == ["", ""]
    with pytest.raises(FileError, match=f"cannot write {tmp_path}"):
        calibration.save_points(tmp_path, [one])
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match=r"points\.csv: not a CSV file: "):
        calibration.load_points(path)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no points"),
        ("standard_pa,block_c,control_nominal_pa\n1,2,3\n", "no column safety_nominal_pa"),
        (
            "standard_pa,block_c,control_nominal_pa,safety_nominal_pa\n1,2,x,4\n",
            r"bad\.csv: line 2: control_nominal_pa = 'x'; expected a number",
        ),
        (
            "standard_pa,block_c,control_nominal_pa,safety_nominal_pa\n1,2,3\n",
            "line 2: safety_nominal_pa = None",
        ),
        (
            "standard_pa,block_c,control_nominal_pa,safety_nominal_pa\n1,200,3,4\n",
            r"bad\.csv: line 2: block_c: -60 to 150 degC",
        ),
        (
            "standard_pa,block_c,control_nominal_pa,safety_nominal_pa\n1,150.1,3,4\n",
            "line 2: block_c: -60 to 150 degC",
        ),
        (
            "standard_pa,block_c,control_nominal_pa,safety_nominal_pa\n20000001,20,3,4\n",
            r"bad\.csv: line 2: standard_pa: 0 to 20000000 Pa",
        ),
        (
            "standard_pa,block_c,control_nominal_pa,safety_nominal_pa\n1,20,3,4\n-1,20,3,4\n",
            "line 3: standard_pa: 0 to 20000000 Pa",
        ),
        (
            "standard_pa,block_c,control_nominal_pa,safety_nominal_pa\nnan,20,3,4\n",
            "line 2: standard_pa = 'nan'",
        ),
    ],
)
def test_a_file_that_is_not_one_of_points(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(FileError, match=wrong):
        calibration.load_points(path)


def test_a_file_of_points_is_fitted_shown_and_written(
    cli: Cli, blank: Instrument, file: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    looked = cli("calibrate", "--points", str(file), "--out", out)
    assert looked.code == 0, looked.err
    assert "zero_tc_pa_k" in looked.out and "nothing was written" in looked.out
    shown = cli("calibrate", "show", "--json").json()
    assert shown["control"]["zero_pa"] == 0
    written = cli(
        "calibrate", "--points", str(file), "--out", out, "--write", "--operator", "mvb", "--control-serial", "4711",
        "--json",
    )  # fmt: skip
    assert written.code == 0, written.err
    data = written.json()
    assert data["written"] is True and data["points"] == 12
    shown = cli("calibrate", "show", "--json").json()
    for name in calibration.TRANSDUCERS:
        assert shown[name]["operator"] == "MVB" and shown[name]["date"] == calibration.today()
        assert abs(shown[name]["zero_tc_pa_k"] + 2000) < 40
        assert abs(shown[name]["span_tc_ppm_k"] + 200) < 12
    assert (shown["control"]["serial"], shown["safety"]["serial"]) == (4711, 0)
    page = (tmp_path / "out" / "calibration.html").read_text()
    assert "Plotly.newPlot" in page
    # The drawing library holds such texts, in some versions.
    assert not re.search(r"\b(src|href)=", re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL))
    checked = cli("calibrate", "verify", "--points", str(file), "--json").json()
    assert max(checked["largest_pa"].values()) < 1500


def test_a_slip_in_a_point_is_found_and_nothing_is_written(
    cli: Cli, blank: Instrument, tmp_path: Path
) -> None:
    listed = points(200.0)
    listed[5] = Point(listed[5].standard_pa + 80_000, listed[5].block_k, listed[5].nominal_pa)
    path = tmp_path / "slip.csv"
    calibration.save_points(path, listed)
    result = cli(
        "calibrate", "--points", str(path), "--out", str(tmp_path / "o"), "--write", "--operator", "A"
    )
    assert result.code == 7
    assert "nothing was written: point 6 of the " in result.error_line()
    assert cli("calibrate", "show", "--json").json()["control"]["zero_pa"] == 0
    assert cli("calibrate", "verify", "--points", str(path)).code == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--points", "missing.csv"), "cannot read missing.csv"),
        (("--write",), "--write needs --operator"),
        (("--operator", "M1"), "not initials"),
        (("--transducer", "both2"), "not a transducer"),
        (("--temperatures", "20,warm"), "not a temperature: 'warm'"),
        (("--pressures", "1,2barg"), "gauge pressure"),
        (("--standard", "/dev/null", "--standard-unit", "at"), "not a pressure"),
        (("verify", "--standard", "GPIB0::77::INSTR::x"), "cannot open the standard"),
    ],
)
def test_bad_words_are_one_clear_line(
    cli: Cli,
    blank: Instrument,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("calibrate", *arguments)
    assert result.code in (2, 3, 8)
    assert said in result.error_line()


def test_a_failure_in_the_middle_leaves_the_calibration_as_it_was(
    blank: Instrument, sim: RunningServer
) -> None:
    with Instrument.open(sim.port) as instrument:
        calibration.write(instrument, {"control": TRUE, "safety": TRUE})
        beyond = Coefficients(span_tc_ppm_k=5000)
        with pytest.raises(DeviceError):
            calibration.write(instrument, {"control": Coefficients(zero_pa=77), "safety": beyond})
        assert calibration.read(instrument, "control") == TRUE
        assert calibration.read(instrument, "safety") == TRUE
        instrument.target_pa = 200_000
        instrument.on()
        with pytest.raises(DeviceError, match="only while the output is off"):
            calibration.write(instrument, {"control": Coefficients()})
        instrument.off()
        assert calibration.read(instrument, "control") == TRUE


def test_a_large_correction_needs_force(blank: Instrument, sim: RunningServer) -> None:
    # 3 % of full scale, which the device takes only with FORCe.
    large = Coefficients(zero_pa=300_000, date=20260102, serial=12, operator="MVB")
    with Instrument.open(sim.port) as instrument:
        with pytest.raises(DeviceError, match="FORC"):
            calibration.write(instrument, {"control": large})
        assert calibration.read(instrument, "control") == Coefficients()
        calibration.write(instrument, {"control": large}, force=True)
        assert calibration.read(instrument, "control") == large
        calibration.write(instrument, {"control": Coefficients()}, force=True)
        assert calibration.reference_k(instrument) == 303.15


class Barometer(socketserver.StreamRequestHandler):
    """A second instrument: answers with the pressure that the simulated device reads, in hPa."""

    device: Instrument

    def handle(self) -> None:
        for line in self.rfile:
            assert line.strip() == b"PRES?"
            self.wfile.write(f"{self.server.pressure_pa() / 100:.3f} HPA\n".encode())  # type: ignore[attr-defined]


def test_leads_through_points_with_a_second_instrument(
    cli: Cli, blank: Instrument, tmp_path: Path, standard_pa: Callable[[], float]
) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Barometer) as server:
        server.daemon_threads = True
        server.pressure_pa = standard_pa  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        result = cli(
            "calibrate", "--pressures", "0.1,0.7,1.3", "--seconds", "3", "--standard",
            f"socket://127.0.0.1:{server.server_address[1]}", "--standard-query", "PRES?", "--standard-unit", "hPa",
            "--out", str(tmp_path / "out"), "--json", "--no-write",
        )  # fmt: skip
        server.shutdown()
    assert result.code == 0, result.err
    assert result.json()["points"] == 3
    kept = calibration.load_points(tmp_path / "out" / "points.csv")
    assert [round(point.standard_pa / 1e5) for point in kept] == [1, 7, 13]
    assert result.json()["control"]["kept"] == ["zero_tc_pa_k", "span_tc_ppm_k"]
    assert abs(result.json()["control"]["span_ppm"] - 1000) < 1500
    assert cli("status", "--json").json()["state"] == "OFF"


@pytest.fixture
def standard_pa(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """What a standard at the chamber reads: a tenth of a percent above the last steady reading of the device."""
    from ipch.calibration import procedure as calibrator

    seen: list[float] = []
    steady = calibrator.Calibrator._wait_until_steady

    def noted(self: calibrator.Calibrator, *arguments: Any) -> None:
        steady(self, *arguments)
        seen.append(self._instrument.fetch().pressure_pa * 1.001)

    monkeypatch.setattr(calibrator.Calibrator, "_wait_until_steady", noted)
    return lambda: seen[-1]


class Typing(io.StringIO):
    """A person who types what a standard reads."""

    def __init__(self, standard_pa: Callable[[], float]) -> None:
        super().__init__()
        self._standard_pa = standard_pa

    def readline(self, size: int | None = -1) -> str:
        return f"{self._standard_pa() / 100:.2f} hPa\n"


def test_a_typed_standard_and_the_end_of_the_input(
    cli: Cli,
    blank: Instrument,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    standard_pa: Callable[[], float],
) -> None:
    arguments = (
        "calibrate",
        "verify",
        "--pressures",
        "0.1",
        "--seconds",
        "1",
        "--out",
        str(tmp_path / "p.csv"),
    )
    monkeypatch.setattr(sys, "stdin", Typing(standard_pa))
    result = cli(*arguments, "--json")
    assert result.code in (0, 7), result.err
    assert abs(result.json()["errors_pa"]["control"][0]) < 5_000
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert cli(*arguments).code == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO("5 apples\n"))
    assert "not a pressure" in cli(*arguments).err


def test_zero_at_ambient_pressure(cli: Cli) -> None:
    # Upwards: below ambient the safety transducer's converter has a step (RP2040-E11).
    wrong = ("--set", "control_offset_kpa=12", "--set", "safety_offset_kpa=30")
    with simulate(["--ideal", "--rig", "sim", "--speed", "max", "--ahead", "10s", *wrong]) as open_to_ambient:
        port = ("--port", open_to_ambient.port, "--json")
        looked = cli("calibrate", "zero", "--seconds", "2", *port)
        assert looked.code == 0, looked.err
        assert looked.json()["written"] is False
        assert looked.json()["errors_pa"]["control"] == pytest.approx(12_000, abs=500)
        assert looked.json()["errors_pa"]["safety"] == pytest.approx(30_000, abs=2_000)
        written = cli("calibrate", "zero", "--ambient", "1013.25hPa", "--write", "--seconds", "2", *port)
        assert written.code == 0, written.err
        assert written.json()["written"] is True
        again = cli("calibrate", "zero", "--seconds", "5", *port).json()
        assert abs(again["errors_pa"]["control"]) < 500
        assert abs(again["errors_pa"]["safety"]) < 4_000
        far = cli("calibrate", "zero", "--ambient", "600hPa", "--write", "--seconds", "1", *port)
        assert far.code == 7 and "Nothing was written" in far.err
        assert abs(cli("calibrate", "zero", "--seconds", "5", *port).json()["errors_pa"]["control"]) < 500
