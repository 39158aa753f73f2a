"""A share of the sequences of `make faults`, and a property test that shrinks a violation to its steps."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.faults import sequences
from bench.faults.sequences import SAID, WAITS_S, Step
from bench.scenarios import truth
from ipch.sim.faults import FAULTS
from tests.shares import share


def test_every_ordered_pair_is_run() -> None:
    chosen = list(sequences.pairs())
    assert len(set(chosen)) == len(chosen) == len(FAULTS) * (len(FAULTS) - 1) * 3 * 3 * 4
    _, steps = sequences.pair("HOLD", "spike", "line-burst", "acknowledged", 60.0)
    assert [step[1] for step in steps if step[0] == "fault"] == ["spike", "line-burst"]
    assert ["wait", 60.0] in steps and ["clear"] in steps


def test_shared_beginnings_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the nine sequences of a pair ends as it does when it is run alone from its start."""
    monkeypatch.setattr(sequences, "DELAYS_S", (0.5, 2.0))
    monkeypatch.setattr(truth, "LED_MS", 0)
    monkeypatch.setattr(truth, "RELIEVED_PA", -4e6)
    monkeypatch.setattr(truth, "KNOWN", ())
    found, known, count = sequences.judge_pairs("HOLD", "transducer-wrong", ["over-pressure", "spike"])
    assert count == 12 and known == {} and found
    for error, state, steps in found:
        assert sequences.judge(state, steps) == [error, []]
    broken = [steps for _, _, steps in found]
    for one, other in (("transducer-wrong", "over-pressure"), ("transducer-wrong", "spike")):
        for first, delay_s in product(sequences.FIRST, sequences.DELAYS_S):
            _, steps = sequences.pair("HOLD", one, other, first, delay_s)
            assert bool(sequences.judge("HOLD", steps)[0]) == (steps in broken)


def test_a_seed_gives_its_triple() -> None:
    assert sequences.triple(7) == sequences.triple(7) != sequences.triple(8)
    kinds = {step[0] for seed in range(100) for step in sequences.triple(seed)[1]}
    assert kinds == set(sequences.DO) - {"ask"}
    assert all(sum(step[0] == "fault" for step in sequences.triple(seed)[1]) == 3 for seed in range(100))


def test_settings_go_to_their_limits() -> None:
    assert ("trip_pa", 200_000) in sequences.limits()
    assert ("disagreement_pa", 1_000_000) in sequences.limits()


@pytest.mark.parametrize("state", share(sequences.STATES, 3))
def test_ordered_pairs_break_no_rule(state: str) -> None:
    number = sequences.STATES.index(state)
    for one in list(FAULTS)[number::18]:
        others = [name for name in FAULTS if name != one][number::17]
        assert sequences.judge_pairs(state, one, others)[0] == []


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
    # What leads to the state is run once in a process; its pulses are no part of the sequence.
    assert sequences.judge("HOLD", [])[0] == ""
    monkeypatch.setattr(truth, "PULSE_MAX_US", 10)
    error, _ = sequences.judge("HOLD", [["say", ":SOUR:PRES 5.2"], ["wait", 5.0]])
    assert error.startswith("T6: at "), error


SAFETY_OFF: Step = ["fault", "transducer-wrong", {"which": "safety", "kpa": 5000}]


# A test bleed without effect, and one while the gas warmed up, "proved" the safety transducer right: the relief opened.
@pytest.mark.parametrize(
    ("state", "steps"),
    [
        (
            "VENT",
            [
                ["fault", "relief-stuck-open", {}], ["wait", 0.2], ["say", ":SOUR:PRES:VENT 0"], ["wait", 0.06],
                ["clear"], ["wait", 1.5], SAFETY_OFF, ["wait", 4.0],
            ],
        ),
        (
            "RAMP",
            [
                ["fault", "line-burst", {}], ["wait", 0.02], ["clear"], ["wait", 0.6], SAFETY_OFF, ["wait", 0.8],
                ["fault", "coil-open", {}], ["wait", 5.0],
            ],
        ),
        # After a reset the first sample stood for the mean, and its noise looked like a trend.
        ("RAMP", [["wait", 2.1], ["reset", "power", 0.5], SAFETY_OFF, ["wait", 3.5]]),
        (
            "QUIET",
            [
                SAFETY_OFF, ["wait", 1.7], ["fault", "resets", {}], ["wait", 1.5], ["fault", "resets", {}],
                ["wait", 3.5],
            ],
        ),
    ],
    ids=["gas that warms up", "no effect", "first sample", "small pulse"],
)  # fmt: skip
def test_a_bleed_proves_nothing_by_what_came_before_it(state: str, steps: list[Step]) -> None:
    assert sequences.judge(state, steps)[0] == ""


# A fault of the first second after a reset was not stored, so the next reset closed the cycler's relay on a burst; and
# without the control transducer a burst below 2 MPa was not seen at all.
@pytest.mark.parametrize(
    "steps",
    [
        [
            ["fault", "line-burst", {}], ["reset", "watchdog", 0.0], ["wait", 1.5], ["reset", "watchdog", 0.5],
            ["wait", 2.0],
        ],
        [
            ["fault", "over-pressure", {}], ["reset", "power", 0.5], ["fault", "line-burst", {}],
            ["fault", "control-range", {}], ["wait", 2.0],
        ],
    ],
    ids=["two resets", "one transducer"],
)  # fmt: skip
def test_a_burst_stops_the_cycler_also_after_a_reset(steps: list[Step]) -> None:
    assert sequences.judge("QUIET", steps)[0] == ""


def test_a_burst_stops_the_cycler_where_the_control_transducer_is_at_the_end_of_its_range() -> None:
    off: Step = ["fault", "transducer-wrong", {"kpa": -4880}]
    assert sequences.judge("HOLD", [off, ["wait", 0.02], ["fault", "line-burst", {}], ["wait", 1.5]])[0] == ""


@pytest.mark.parametrize("state", ["HOLD", "QUIET"])
def test_a_relief_that_is_blocked_after_it_worked_is_replaced_in_time(state: str) -> None:
    over: list[Step] = [
        ["fault", "over-pressure", {}],
        ["wait", 1.56],
        ["reset", "watchdog", 0.5],
        ["wait", 2.16],
    ]
    assert sequences.judge(state, [*over, ["fault", "relief-blocked", {}], ["wait", 3.5]])[0] == ""


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
