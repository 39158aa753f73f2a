"""A reference model of the states: whatever the host sends and whatever fails, only allowed transitions may happen."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from bench.scenarios.rig import Bench, settled
from ipch.sim.injector import clear

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
# The model: the states that an accepted command may lead to from each state, without a fault.
ON, OFF, VENT, ABORT, QUIET = "on", "off", "vent", "abort", "quiet"
WORDS = {
    ON: ":OUTP ON",
    OFF: ":OUTP OFF",
    VENT: ":SOUR:PRES:LEV:IMM:AMPL:VENT 1",
    ABORT: ":SOUR:PRES:LEV:IMM:AMPL:VENT 0",
    QUIET: ":OUTP:QUI 5",
}
NONSENSE = (':SYST:SETT "trip_pa",1', ":OUTP MAYBE", ":NONSENSE", "\x03\x03", ":OUTP ON;:BAD", "")
LENGTHS_S = (0.02, 0.1, 1.0, 5.0)


class Regulator:
    """Holds the model's state: the latched cause, and whether regulation was requested."""

    def __init__(self) -> None:
        self.bench: Bench = settled("OFF").copy("model walk")
        self.cause = "NONE"
        self.wanted = False  # a command to regulate was accepted and is still in force

    def close(self) -> None:
        """Close the device."""
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

    def command(self, word: str) -> None:
        """A request that changes the state, or is refused and changes nothing."""
        before = self.bench.state
        done = self._send(WORDS[word])
        state, fault = self.bench.state, self.bench.app.modes.fault_name
        if word == ON and done and fault == "NONE":
            self.wanted = True
        if word in (OFF, VENT) and done:
            self.wanted = False
        if not done and before not in ("REGULATE", "QUIET"):
            assert state not in ("REGULATE", "QUIET"), f"{word} failed and {before} became {state}"

    def target(self, mpa: float) -> None:
        """Set a target, allowed or not."""
        before = self.bench.app.control.target_pa
        if not self._send(f":SOUR:PRES {mpa:.4f}"):
            assert self.bench.app.control.target_pa == before

    def nonsense(self, message: str) -> None:
        """Invalid lines: only units before the mistake may take effect."""
        before = dict(self.bench.app.settings.items())
        state = self.bench.state
        self._send(message)
        assert dict(self.bench.app.settings.items()) == before
        if ":OUTP ON" in message and self.bench.app.modes.fault_name == "NONE":
            self.wanted = True
        elif state not in ("REGULATE", "QUIET"):
            assert self.bench.state not in ("REGULATE", "QUIET")

    def acknowledge(self) -> None:
        """A latched fault clears only once its cause is gone, and ends OFF."""
        latched = self.bench.app.modes.fault_name
        if self._send(":SYST:FAUL:ACK") and latched != "NONE":
            self.cause = "NONE"
            self.wanted = False
            assert self.bench.state == "OFF" or self.bench.app.modes.fault_name != "NONE"

    def fail(self, fault: tuple[str, dict[str, object]], for_s: float) -> None:
        """A part fails for a while."""
        name, values = fault
        self.bench.inject(name, {**values, "for_s": for_s})

    def repair(self) -> None:
        """All parts work again."""
        clear(self.bench.world)

    def wait(self, ticks: int) -> None:
        """Time passes."""
        self.bench.board.run(ticks)

    def check(self) -> None:
        """Invariants after every step."""
        self.first_cause_stays()
        self.regulates_only_when_asked()
        self.pressure_is_bounded()

    def first_cause_stays(self) -> None:
        """A latched fault keeps its first cause and never clears itself; the world has refused forbidden commands."""
        fault = self.bench.app.modes.fault_name
        if self.cause != "NONE":
            assert fault == self.cause
        self.cause = fault
        if fault != "NONE":
            self.wanted = False
            assert self.bench.state in ("SEALED", "RELIEF", "VENT", "OFF")

    def regulates_only_when_asked(self) -> None:
        """The device never regulates without a request."""
        if self.bench.state in ("REGULATE", "QUIET"):
            assert self.wanted

    def pressure_is_bounded(self) -> None:
        """Above the trip only until the relief valve acts."""
        assert self.bench.world.plant.pressure_pa < 6.5e6


# Every step with the generators of its arguments; limits and values beyond them are more frequent than by chance.
STEPS: dict[str, Callable[[Random], tuple[object, ...]]] = {
    "command": lambda random: (random.choice(sorted(WORDS)),),
    "target": lambda random: (random.choice((random.uniform(-1, 8), -1.0, 0.0, 5.5, 6.0, 8.0)),),
    "nonsense": lambda random: (random.choice(NONSENSE),),
    "acknowledge": lambda random: (),
    "fail": lambda random: (random.choice(FAULTS), random.choice(LENGTHS_S)),
    "repair": lambda random: (),
    "wait": lambda random: (random.randint(1, 100),),
}


def walk(steps: int, seed: int) -> str:
    """Walk at random for this many steps; return the steps to a violation of the model, "" without one."""
    random = Random(f"walk {seed}")
    model = Regulator()
    way: list[str] = []
    try:
        for _ in range(steps):
            name = random.choice(list(STEPS))
            arguments = STEPS[name](random)
            way.append(f"{name}{arguments}")
            getattr(model, name)(*arguments)
            model.check()
    except AssertionError as error:
        return f"{error}: seed {seed}, {', '.join(way)}"
    finally:
        model.close()
    return ""
