"""Recipes go on after their program was killed: at every boundary of steps, after a command, and in mid-step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipch.device.actions import Progress
from ipch.device.instrument import Instrument
from ipch.device.session import is_query
from ipch.errors import FaultError, FileError
from ipch.recipes.loader import find_recipe, load_recipe, parse_recipe, shipped_recipes
from ipch.recipes.resume import find_position
from ipch.recipes.runner import Runner
from ipch.recipes.steps import Recipe, shortened
from ipch.recording.reader import load_run
from ipch.recording.recorder import Recorder
from ipch.sim.desk import Desk
from ipch.sim.parameters import load_parameters
from ipch.workflows.run import RECORD_NAME, unfinished_recipe
from tests.shares import share

HOLD_S = 6.0
AWAY_S = 2.0


class Killed(BaseException):
    """The program is gone from here on."""


class Watched(Desk):
    """Notes what is asked of the device, and can end the program before or after it."""

    def __init__(self, state: Path) -> None:
        self.asked: list[str] = []
        self.kill_after = False
        super().__init__(state, load_parameters(None, ["volume_l=0.1", "initial_mpa=0.9"]))

    def ask(self, message: str) -> list[str]:
        replies = super().ask(message)
        if not is_query(message):
            if not self.asked or self.asked[-1] != message:
                self.asked.append(message)
            if self.kill_after:
                self.kill_after = False
                raise Killed
        return replies


class Fragile(Recorder):
    """A recorder whose program may be killed as soon as it has noted a step."""

    kill_at_step = False

    def commit(self) -> None:
        begun = any("step" in values.values() for sql, values in self._waiting if "events" in sql)
        super().commit()
        if begun and self.kill_at_step:
            raise Killed

    def killed(self) -> None:
        """What was not committed is lost, as with a process."""
        self.drop()


def follow(desk: Watched, recipe: Recipe, path: Path, text: str = "# test", kills: str = "") -> int:
    """Do a recipe to its end, killed in every step in the ways that `kills` names; return how often."""
    done: set[tuple[str, int]] = set()
    count = 0
    while True:
        instrument = Instrument(desk)
        recorder = Fragile(path, instrument, "test", text, commit_s=0.0, resume=path.exists())
        position = find_position(recorder)
        index = position.index if position else 0
        recorder.kill_at_step = "boundary" in kills
        if "command" in kills and position and not position.told and ("command", index) not in done:
            done.add(("command", index))
            desk.kill_after = True

        def report(now: Progress) -> None:
            here = int(now.text.split("/")[0]) - 1
            if "middle" in kills and ("middle", here) not in done:
                done.add(("middle", here))
                raise Killed

        try:
            Runner(instrument, recipe, recorder, report, position=position, webhook_port=0).run()
        except Killed:
            recorder.killed()
            count += 1
            desk.sleep(AWAY_S)
            continue
        recorder.close("complete")
        return count


@pytest.mark.parametrize("name", share(shipped_recipes(), 0, 2, 7))
def test_killed_in_every_step_of_every_recipe(name: str, tmp_path: Path) -> None:
    recipe = shortened(load_recipe(find_recipe(name)), HOLD_S)
    asked = []
    for way in ("", "boundary command middle"):
        folder = tmp_path / (way or "whole")
        folder.mkdir()
        with Watched(folder) as desk:
            kills = follow(desk, recipe, folder / RECORD_NAME, kills=way)
            asked.append(desk.asked)
        run = load_run(folder / RECORD_NAME)
        tasks = recipe.steps()
        assert [step.index for step in run.steps] == [task.index for task in tasks]
        assert run.ended_by == "complete"
        for step in run.steps:
            if step.kind in ("hold", "quiet"):
                # Time goes on while the program is away; a step ends with a sample, and an outage may be behind it.
                longest_s = HOLD_S + 3 * AWAY_S + 3 + 2 * recipe.sample
                assert HOLD_S <= step.end_s - step.start_s < longest_s
    assert kills >= 2 * len(tasks)
    # A quiet window is asked for what is left of it.
    whole, resumed = ([m.split(" ")[0] if "QUI" in m else m for m in messages] for messages in asked)
    assert resumed == whole


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "state").mkdir()
    with Watched(tmp_path / "state") as made:
        yield made


def interrupted(desk: Watched, recipe: Recipe, path: Path, where: str) -> None:
    """Kill the program as soon as the step is reported whose text has `where`."""

    def report(now: Progress) -> None:
        if where in now.text:
            raise Killed

    instrument = Instrument(desk)
    recorder = Fragile(path, instrument, "test", "# test", commit_s=0.0)
    with pytest.raises(Killed):
        Runner(instrument, recipe, recorder, report, webhook_port=0).run()
    recorder.killed()


def resume(desk: Watched, recipe: Recipe, path: Path) -> None:
    instrument = Instrument(desk)
    with Recorder(path, instrument, "test", resume=True) as recorder:
        Runner(
            instrument, recipe, recorder, lambda now: None, position=find_position(recorder), webhook_port=0
        ).run()


def made(text: str) -> Recipe:
    return parse_recipe(text, Path("recipe.toml"))


UP = '[[step]]\nramp="1MPa"\nslew="100kPa/s"\n'


@pytest.mark.parametrize(
    ("meddle", "left"),
    [
        (lambda device: device.off(), "state now: OFF, state then: REGULATE"),
        (lambda device: setattr(device, "target_pa", 1_100_000), "target now: 1.1 MPa, target then: 1 MPa"),
        (lambda device: device.vent(), "state now: VENT, state then: REGULATE"),
    ],
    ids=["off", "target", "vent"],
)
def test_nothing_moves_when_the_device_is_not_as_the_run_left_it(
    desk: Watched, tmp_path: Path, meddle: Callable[[Instrument], None], left: str
) -> None:
    recipe = made(UP + '[[step]]\nhold="1h"\n')
    interrupted(desk, recipe, tmp_path / RECORD_NAME, "hold")
    meddle(Instrument(desk))
    asked = len(desk.asked)
    with pytest.raises(
        FaultError, match=f"not resumed, nothing was changed: step 2 .* was interrupted; {left}"
    ):
        resume(desk, recipe, tmp_path / RECORD_NAME)
    assert len(desk.asked) == asked


@pytest.mark.parametrize("last", ["off", "vent", "hold"])
def test_killed_before_what_comes_last(desk: Watched, tmp_path: Path, last: str) -> None:
    recipe = made(f'finally="{last}"\n' + UP + '[[step]]\nlog-rate="0.5s"\n[[step]]\nhold="5s"\n')
    assert follow(desk, recipe, tmp_path / RECORD_NAME, kills="boundary command middle") >= 3
    sample = Instrument(desk).fetch()
    assert sample.state == ("REGULATE" if last == "hold" else "OFF")
    assert (sample.pressure_pa < 300_000) == (last == "vent")
    assert Instrument(desk).slew_pa_s == 20_000


def test_a_vent_and_a_rate_of_samples(desk: Watched, tmp_path: Path) -> None:
    recipe = made(
        UP + '[[step]]\nlog-rate="3s"\n[[step]]\nhold="30s"\n[[step]]\nvent=true\n[[step]]\nwait="4s"\n'
    )
    follow(desk, recipe, tmp_path / RECORD_NAME, kills="boundary command middle")
    assert sum(each.startswith(":SOUR:PRES:LEV:IMM:AMPL:VENT 1") for each in desk.asked) == 1
    run = load_run(tmp_path / RECORD_NAME)
    hold = run.steps[2]
    inside = run.time_s[(run.time_s > hold.start_s + 5) & (run.time_s < hold.end_s)]
    assert 7 <= len(inside) <= 12


def test_waiting_for_a_file_a_cycle_and_a_call(desk: Watched, tmp_path: Path) -> None:
    go, cell = tmp_path / "go", tmp_path / "cell.csv"
    go.write_text("")
    os.utime(go, (1, 1))
    cell.write_text("Cycle Index,Test Time(s),Current(A),Voltage(V)\n1,0,1,3\n")
    recipe = made(
        UP
        + f'[[step]]\nwait="file"\npath="{go}"\n[[step]]\nwait="cycle"\npath="{cell}"\nnumber=2\ntimeout="3d"\n'
        '[[step]]\nwait="webhook"\nname="done"\n'
    )
    seen: list[str] = []

    def report(now: Progress) -> None:
        if now.text not in seen:
            seen.append(now.text)
            return
        # It has waited for a sample at least.
        step = now.text.split("/")[0]
        if step == "2":
            os.utime(go)
        elif step == "3":
            cell.write_text("Cycle Index,Test Time(s),Current(A),Voltage(V)\n1,0,1,3\n2,60,1,3\n")
        elif step == "4" and runner._webhooks is not None:
            runner._webhooks.calls.put("done")

    instrument = Instrument(desk)
    with Recorder(tmp_path / RECORD_NAME, instrument, "test") as recorder:
        runner = Runner(instrument, recipe, recorder, report, webhook_port=0)
        runner.run()
    assert [text.split(" ", 1)[1][:12] for text in seen[1:]] == [
        "wait for the",
        "wait for cyc",
        "wait for the",
    ]


def test_what_cannot_be_resumed(desk: Watched, tmp_path: Path) -> None:
    follow(desk, made(UP), tmp_path / RECORD_NAME, text=UP)
    with pytest.raises(FileError, match="recipe is complete"):
        unfinished_recipe(tmp_path)
