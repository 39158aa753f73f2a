"""A stateful property test: whatever the host sends and whatever fails, a reference model must allow the result."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from bench.faults import model

# (examples, most steps of each): `make faults` walks 100,000 steps.
EXAMPLES, STEPS = 20, 50


class Machine(RuleBasedStateMachine):
    """Draws the steps of the model, and shrinks the steps to a violation."""

    steps = 0
    """Of all examples together."""

    def __init__(self) -> None:
        super().__init__()
        Machine.steps -= 1  # The invariant is also checked before the first step.
        self.model = model.Regulator()

    def teardown(self) -> None:
        self.model.close()

    @rule(word=st.sampled_from(sorted(model.WORDS)))
    def command(self, word: str) -> None:
        self.model.command(word)

    @rule(mpa=st.floats(-1, 8, allow_nan=False))
    def target(self, mpa: float) -> None:
        self.model.target(mpa)

    @rule(message=st.sampled_from(model.NONSENSE))
    def nonsense(self, message: str) -> None:
        self.model.nonsense(message)

    @rule()
    def acknowledge(self) -> None:
        self.model.acknowledge()

    @rule(fault=st.sampled_from(model.FAULTS), for_s=st.sampled_from(model.LENGTHS_S))
    def fail(self, fault: tuple[str, dict[str, object]], for_s: float) -> None:
        self.model.fail(fault, for_s)

    @rule()
    def repair(self) -> None:
        self.model.repair()

    @rule(ticks=st.integers(1, 100))
    def wait(self, ticks: int) -> None:
        self.model.wait(ticks)

    @invariant()
    def allowed(self) -> None:
        Machine.steps += 1
        self.model.check()


def test_nothing_happens_that_the_model_does_not_allow() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            database=None,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Machine.steps > 500


@pytest.mark.parametrize("seed", range(3))
def test_a_walk_without_shrinking_takes_the_same_steps(seed: int) -> None:
    assert model.walk(40, seed) == ""
