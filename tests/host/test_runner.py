"""Recipes on the simulated regulator: what it does, what is recorded, and how a run ends early."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from ipch.device.actions import Progress
from ipch.device.instrument import Instrument
from ipch.device.polling import Pacer
from ipch.errors import FaultError, FileError
from ipch.recipes.loader import load_recipe
from ipch.recipes.planning import plan
from ipch.recipes.runner import Runner
from ipch.recipes.steps import Recipe
from ipch.recording.reader import Run, load_run
from ipch.recording.recorder import Recorder
from ipch.sim.channel import ask
from ipch.sim.server import simulate

Play = Callable[..., Run]


def recipe(folder: Path, text: str) -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(text)
    return load_recipe(path)


@pytest.fixture
def play(tmp_path: Path, regulator: Instrument) -> Play:
    """Run a recipe on the regulator; return its record, also when it ended early."""

    def do(text: str, report: Callable[[Progress], None] = lambda progress: None) -> Run:
        record = tmp_path / "run.db"
        with Recorder(record, regulator, "test", text) as recorder:
            Runner(regulator, recipe(tmp_path, text), recorder, report).run()
        return load_run(record)

    return do


ALL_STEPS = """
finally = "vent"
sample = "1s"
[[step]]
ramp = "1MPa"
slew = "100kPa/s"
[[step]]
hold = "30s"
[[step]]
quiet = "20s"
[[step]]
repeat = 2
[[step.step]]
ramp = "1.2MPa"
[[step.step]]
wait = "5s"
[[step]]
wait = "in-limits"
[[step]]
vent = true
[[step]]
wait = "10s"
"""


def test_every_kind_of_step(play: Play, regulator: Instrument) -> None:
    slew = regulator.slew_pa_s
    seen: list[Progress] = []
    run = play(ALL_STEPS, seen.append)
    assert [step.kind for step in run.steps] == [
        "ramp", "hold", "quiet", "ramp", "wait", "ramp", "wait", "settle", "vent", "wait",
    ]  # fmt: skip
    steps = dict(enumerate(run.steps))
    pressure, time = run.samples["pressure_pa"], run.time_s
    assert pressure[time == steps[1].start_s][0] == pytest.approx(1_000_000, abs=10_000)
    # The device leaves a host that hiccups behind by 10 s.
    assert 30 <= steps[1].end_s - steps[1].start_s < 45
    assert 10 <= steps[9].end_s - steps[9].start_s < 25
    quiet = [
        state for state, t in zip(run.states, time, strict=True) if steps[2].start_s < t < steps[2].end_s
    ]
    assert set(quiet) == {"QUIET"}
    states = [event.text for event in run.events if event.kind == "state"]
    assert states[:6] == ["OFF", "REGULATE", "QUIET", "REGULATE", "VENT", "OFF"]
    assert run.ended_by == "complete"
    assert regulator.fetch().state == "OFF"
    # The device is left with the slew that it had.
    assert regulator.slew_pa_s == slew
    fractions = [progress.fraction for progress in seen]
    assert min(fractions) >= 0 and max(fractions) <= 1
    assert seen[-1].fraction > 0.95
    assert seen[0].text.startswith("1/10 ramp to 1 MPa")


def test_samples_come_as_often_as_the_recipe_says(play: Play) -> None:
    run = play('sample = "2s"\n[[step]]\nramp = "1MPa"\n[[step]]\nhold = "60s"')
    hold = run.steps[1]
    times = run.time_s[(run.time_s >= hold.start_s) & (run.time_s <= hold.end_s)]
    assert 20 <= len(times) <= 34


@pytest.mark.parametrize(("last", "state"), [("hold", "REGULATE"), ("off", "OFF")])
def test_what_comes_last(play: Play, regulator: Instrument, last: str, state: str) -> None:
    play(f'finally = "{last}"\n[[step]]\nramp = "1MPa"')
    assert regulator.state == state


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[step]]\nramp = "7MPa"', "step 1 goes to 7 MPa; this device allows 5.5 MPa"),
        (
            '[[step]]\nramp = "1MPa"\n[[step]]\nquiet = "2d"',
            "step 2 is quiet for 2 d; this device allows 4 h",
        ),
        ('[[step]]\nramp = "1MPa"\nslew = "1GPa/s"', "not a slew rate"),
        ('[[step]]\nramp = "1MPa"\nslew = "5MPa/s"', "step 1 asks for 5000000 Pa/s; this device allows"),
    ],
)
def test_what_the_device_would_refuse_is_known_before_it_starts(
    tmp_path: Path, regulator: Instrument, text: str, message: str
) -> None:
    with pytest.raises(FileError, match=message):
        plan(regulator, recipe(tmp_path, text))
    assert regulator.state == "OFF"


def test_a_timeout(play: Play) -> None:
    with pytest.raises(FaultError, match="5 MPa was not reached within 3 s"):
        play('[[step]]\nramp = "5MPa"\nslew = "1kPa/s"\ntimeout = "3s"')


@pytest.mark.parametrize(
    ("meddle", "message"),
    [
        (lambda regulator: regulator.off(), "regulation ended: the device is OFF now"),
        (
            lambda regulator: setattr(regulator, "target_pa", 900_000),
            "another client set the target to 0.9 MPa",
        ),
    ],
)
def test_somebody_meddles(
    play: Play, regulator: Instrument, meddle: Callable[[Instrument], None], message: str
) -> None:
    def report(progress: Progress) -> None:
        if "hold" in progress.text and not done:
            done.append(progress)
            meddle(regulator)

    done: list[Progress] = []
    with pytest.raises(FaultError, match=message):
        play('[[step]]\nramp = "1MPa"\nslew = "100kPa/s"\n[[step]]\nhold = "1h"', report)


def test_the_device_is_unplugged_for_a_while(tmp_path: Path) -> None:
    record = tmp_path / "run.db"
    with (
        simulate(["--ideal", "--rig", "sim", "--speed", "20"]) as running,
        Instrument.open(running.port) as instrument,
    ):
        control = running.first_line["control"]
        timer = threading.Timer(0.2, ask, (control, {"plug": True}))

        def report(progress: Progress) -> None:
            if "hold" in progress.text and timer.ident is None:
                ask(control, {"plug": False})
                timer.start()

        text = '[[step]]\nramp = "0.2MPa"\nslew = "100kPa/s"\n[[step]]\nhold = "1min"'
        with Recorder(record, instrument, "test") as recorder:
            Runner(instrument, recipe(tmp_path, text), recorder, report).run()
        timer.join()
    run = load_run(record)
    assert run.ended_by == "complete"
    assert [event.data["cause"] for event in run.events if event.kind == "gap"] == ["the device was away"]


def test_the_pace_of_a_real_device() -> None:
    clock = iter(n * 0.25 for n in range(1000))
    pacer = Pacer(1.0, lambda: next(clock))
    due = [t for t in range(0, 4000, 250) if pacer.note(100 + t / 1000)[0]]
    assert due == [0, 1000, 2000, 3000]
    assert pacer.speed == pytest.approx(1.0)


@pytest.mark.parametrize("speed", [0.05, 1.0, 100.0])
def test_the_pacer_finds_the_speed_and_asks_no_more_than_needed(speed: float) -> None:
    now = uptime_s = 0.0
    pacer = Pacer(1.0, lambda: now)
    times, asked = [], 0
    while len(times) < 50:
        due, sleep_s = pacer.note(uptime_s)
        asked += 1
        if due:
            times.append(uptime_s)
        now += sleep_s + 0.001
        # Device time comes in ticks.
        uptime_s = int(now * speed / 0.02) * 0.02
    gaps = [b - a for a, b in pairwise(times[5:])]
    assert max(gaps) < 1.3
    assert min(gaps) > 0.7
    assert pacer.speed == pytest.approx(speed, rel=0.15)
    assert asked < 130
