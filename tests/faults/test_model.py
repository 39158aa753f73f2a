"""A stateful property test: whatever is sent and whatever fails, only what a reference model allows."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ipch.sim.injector import clear
from tests.faults._rig import Bench, settled

# (examples, most steps of each): in `make faults` there are 100,000 steps or more.
FAST = (20, 50)
ALL = (1400, 80)
FAULTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("control-open", {}),
    ("control-short", {}),
    ("transducer-wrong", {"kpa": 300}),
    ("transducer-wrong", {"which": "safety", "kpa": -300}),
    ("transducer-garbage", {}),
    ("port-blocked", {}),
    ("adc-dead", {}),
    ("fill-stuck-open", {"valve": "both"}),
    ("fill-stuck-shut", {}),
    ("vent-stuck-open", {"valve": "both"}),
    ("vent-stuck-shut", {}),
    ("coil-open", {"valve": "vent"}),
    ("transistor-short", {"valve": "fill"}),
    ("line-burst", {}),
    ("supply-low", {"mpa": 3}),
    ("over-pressure", {}),
    ("host", {"how": "stalls", "for_s": 0.5}),
    ("comparator-trips", {}),
    ("rail-lost", {}),
    ("spike", {}),
    ("safety-open", {}),
    ("gas-sensor", {"how": "dead"}),
)
# What the model knows: which state a command that was accepted may lead to from which, without a fault.
ON, OFF, VENT, ABORT, QUIET = "on", "off", "vent", "abort", "quiet"
WORDS = {
    ON: ":OUTP ON",
    OFF: ":OUTP OFF",
    VENT: ":SOUR:PRES:LEV:IMM:AMPL:VENT 1",
    ABORT: ":SOUR:PRES:LEV:IMM:AMPL:VENT 0",
    QUIET: ":OUTP:QUI 5",
}


class Regulator(RuleBasedStateMachine):
    """Keeps what must be so: the latched cause, and whether anybody has asked for regulation."""

    steps = 0
    """Of all examples together."""

    def __init__(self) -> None:
        super().__init__()
        Regulator.steps -= 1  # the invariants are looked at before the first step, too
        self.bench: Bench = settled("OFF").copy()
        self.cause = "NONE"
        self.wanted = False  # a command to regulate was accepted, and nothing has ended it since

    def teardown(self) -> None:
        self.bench.close()

    def _send(self, message: str) -> bool:
        """Send; return whether it was accepted: the error queue is empty afterwards."""
        bench = self.bench
        bench.send("*CLS")
        bench.board.run(2)
        bench.send(message)
        bench.board.run(3)
        # A host that does not read gets no answer.
        clear(bench.world, "host")
        return bench.ask(":SYST:ERR?").startswith("0,")

    @rule(word=st.sampled_from(sorted(WORDS)))
    def command(self, word: str) -> None:
        """A request that changes the state, or is refused and changes nothing."""
        before = self.bench.state
        done = self._send(WORDS[word])
        state, fault = self.bench.state, self.bench.app.safety.fault_name
        if word == ON and done and fault == "NONE":
            self.wanted = True
        if word in (OFF, VENT) and done:
            self.wanted = False
        if not done and before not in ("REGULATE", "QUIET"):
            assert state not in ("REGULATE", "QUIET"), f"{word} failed and {before} became {state}"

    @rule(mpa=st.floats(-1, 8, allow_nan=False))
    def target(self, mpa: float) -> None:
        """A target, allowed or not."""
        before = self.bench.app.control.target_pa
        if not self._send(f":SOUR:PRES {mpa:.4f}"):
            assert self.bench.app.control.target_pa == before

    @rule(
        message=st.sampled_from(
            (':SYST:SETT "trip_pa",1', ":OUTP MAYBE", ":NONSENSE", "\x03\x03", ":OUTP ON;:BAD", "")
        )
    )
    def nonsense(self, message: str) -> None:
        """Lines that fail: nothing is half done but what stood before the mistake."""
        before = dict(self.bench.app.settings.items())
        state = self.bench.state
        self._send(message)
        assert dict(self.bench.app.settings.items()) == before
        if ":OUTP ON" in message and self.bench.app.safety.fault_name == "NONE":
            self.wanted = True
        elif state not in ("REGULATE", "QUIET"):
            assert self.bench.state not in ("REGULATE", "QUIET")

    @rule()
    def acknowledge(self) -> None:
        """A latched fault goes only with its cause, and ends OFF."""
        latched = self.bench.app.safety.fault_name
        if self._send(":SYST:FAUL:ACK") and latched != "NONE":
            self.cause = "NONE"
            self.wanted = False
            assert self.bench.state == "OFF" or self.bench.app.safety.fault_name != "NONE"

    @rule(fault=st.sampled_from(FAULTS), for_s=st.sampled_from((0.02, 0.1, 1.0, 5.0)))
    def fail(self, fault: tuple[str, dict[str, object]], for_s: float) -> None:
        """Something breaks for a while."""
        name, values = fault
        self.bench.inject(name, {**values, "for_s": for_s})

    @rule()
    def repair(self) -> None:
        """Everything is whole again."""
        clear(self.bench.world)

    @rule(ticks=st.integers(1, 100))
    def wait(self, ticks: int) -> None:
        """Time passes."""
        self.bench.board.run(ticks)

    @invariant()
    def first_cause_stays(self) -> None:
        """A fault latches with its first cause and never clears itself; the world has refused forbidden commands."""
        fault = self.bench.app.safety.fault_name
        if self.cause != "NONE":
            assert fault == self.cause
        self.cause = fault
        if fault != "NONE":
            self.wanted = False
            assert self.bench.state in ("SEALED", "RELIEF", "VENT", "OFF")

    @invariant()
    def regulates_only_when_asked(self) -> None:
        """Nobody asked, nobody regulates."""
        Regulator.steps += 1
        if self.bench.state in ("REGULATE", "QUIET"):
            assert self.wanted

    @invariant()
    def pressure_is_bounded(self) -> None:
        """Above the trip only for as long as the relief valve takes to act."""
        assert self.bench.world.plant.pressure_pa < 6.5e6


def walk(examples: int, steps: int) -> int:
    """Walk at random, up to so many steps in each example; return how many there were. Raises AssertionError."""
    Regulator.steps = 0
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Regulator,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            database=None,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Regulator.steps


def test_nothing_happens_that_the_model_does_not_allow() -> None:
    assert walk(*FAST) > 500
