"""A share of the sequences of `make faults`, and a property test that shrinks a violation to its steps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.faults import sequences
from bench.faults.sequences import SAID, WAITS_S, Step
from bench.scenarios import truth
from ipch.sim.faults import FAULTS


def test_every_ordered_pair_is_run() -> None:
    chosen = sequences.ordered_pairs()
    found: set[tuple[str, str]] = set()
    for _, steps in chosen:
        one, other = (step[1] for step in steps if step[0] == "fault")
        found.add((one, other))
    assert len(found) == len(FAULTS) * (len(FAULTS) - 1)
    waits = {step[1] for _, steps in chosen for step in steps if step[0] == "wait"}
    assert waits.issuperset(sequences.DELAYS_S)
    assert {state for state, _ in chosen} == set(sequences.STATES)


def test_a_seed_gives_its_triple() -> None:
    assert sequences.triple(7) == sequences.triple(7) != sequences.triple(8)
    kinds = {step[0] for seed in range(100) for step in sequences.triple(seed)[1]}
    assert kinds == set(sequences.DO)
    assert all(sum(step[0] == "fault" for step in sequences.triple(seed)[1]) == 3 for seed in range(100))


def test_settings_go_to_their_limits() -> None:
    assert ("trip_pa", 200_000) in sequences.limits()
    assert ("disagreement_pa", 1_000_000) in sequences.limits()


@pytest.mark.parametrize("part", range(2))
def test_ordered_pairs_break_no_rule(part: int) -> None:
    for state, steps in sequences.ordered_pairs()[part * 61 :: 122]:
        assert sequences.judge(state, steps)[0] == "", (state, steps)


def test_triples_break_no_rule() -> None:
    assert sequences.judge_triples(0, 40)[0] == []


def test_a_violation_is_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[Step] = [
        ["wait", 0.02],
        ["say", ":OUTP OFF"],
        ["fault", "line-burst", {}],
        ["wait", 1.0],
        ["clear"],
    ]

    def judge(state: str, steps: list[Step]) -> list[Any]:
        bad = ["fault", "line-burst", {}] in steps and ["wait", 1.0] in steps
        return ["T2: at 1 s: it says so" if bad else "T5: another rule", {}]

    shrunk, error = sequences.shrink("HOLD", steps, "T2: at 2 s: it said so", judge)
    assert shrunk == [["fault", "line-burst", {}], ["wait", 1.0]]
    assert error == "T2: at 1 s: it says so"


def test_a_sequence_that_breaks_a_rule_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "PULSE_MAX_US", 10)
    error, _ = sequences.judge("HOLD", [["say", ":SOUR:PRES 5.2"], ["wait", 5.0]])
    assert error.startswith("T6: at "), error


faults = st.sampled_from([*((name, sequences.VALUES.get(name, {})) for name in FAULTS), *sequences.MORE])
steps = st.one_of(
    faults.map(lambda fault: ["fault", *fault]),
    st.sampled_from(SAID).map(lambda text: ["say", text]),
    st.sampled_from(sequences.limits()).map(lambda limit: ["setting", *limit]),
    st.sampled_from([["reset", "power", 0.5], ["reset", "watchdog", 0.0], ["clear"]]),
    st.sampled_from(WAITS_S).map(lambda seconds: ["wait", seconds]),
)


@settings(
    max_examples=30, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(st.sampled_from(sequences.STATES), st.lists(steps, max_size=10))
def test_whatever_comes_no_truth_rule_is_broken(state: str, chosen: list[Step]) -> None:
    error, _ = sequences.judge(state, [*chosen, ["wait", 1.0]])
    assert error == ""
