"""Faults one after the other, judged by the truth monitor: ordered pairs, and random triples with commands between.

A sequence is a state to start from and a list of steps, both in JSON, so that a violation can be replayed and shrunk.
A step is a list: `["fault", name, values]`, `["clear"]`, `["say", message]`, `["setting", name, value]`,
`["reset", cause, off_s]` or `["wait", seconds]`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from itertools import permutations
from random import Random
from typing import Any

from bench.scenarios.rig import Bench, settled
from bench.scenarios.truth import Violation
from ipch.sim.faults import FAULTS
from ipch.sim.injector import clear
from ipch.sim.rigs import load_firmware

Step = list[Any]
Sequence = tuple[str, list[Step]]
STATES = ("HOLD", "RAMP", "QUIET", "VENT")
DELAYS_S = (1.0, 10.0, 60.0)
# What happens to the first fault before the second one comes: it stays, it goes and stays latched, or it is over.
FIRST = ("present", "latched", "acknowledged")
# How long the device may react to the last fault.
REACTION_S = 6.0
# Values with which a fault acts at once.
VALUES: dict[str, dict[str, object]] = {
    "fill-stuck-open": {"valve": "both"},
    "vent-stuck-open": {"valve": "both"},
    "fill-leak": {"valve": "both", "c": 1e-11},
    "vent-leak": {"valve": "both", "c": 1e-11},
    "relief-leak": {"c": 1e-11},
    "hang": {"after_s": 0.5},
    "host": {"how": "floods"},
    "spike": {"every_s": 0.5, "on_s": 0.04},
}
# Besides these, other faults of the same part.
MORE: tuple[tuple[str, dict[str, object]], ...] = (
    ("transducer-wrong", {"kpa": 5000}),
    ("transducer-wrong", {"kpa": -4880}),
    ("transducer-wrong", {"which": "safety", "kpa": 5000}),
    ("transducer-wrong", {"which": "safety", "kpa": -4000}),
    ("transducer-frozen", {"which": "safety"}),
    ("transducer-frozen", {"noise_kpa": 0.5}),
    ("port-blocked", {"which": "safety"}),
    ("transducer-garbage", {"which": "safety"}),
    ("coil-open", {"valve": "relief"}),
    ("coil-open", {"valve": "vent"}),
    ("transistor-short", {"valve": "vent_isolation"}),
    ("transistor-short", {"valve": "relief"}),
    ("supply-low", {"mpa": 0.1}),
    ("supply-high", {"mpa": 12}),
    ("host", {"how": "gone"}),
    ("wall-sensor", {"how": "wrong", "k": 60}),
)
# Settings of a person or a serial number do nothing; a reply with its header is not read by the monitor.
_IDLE = ("_date", "_serial", "_operator", "header_echo")
SAID = (
    ":OUTP ON", ":OUTP OFF", ":OUTP:QUI 5", ":OUTP:QUI 0", ":SOUR:PRES:VENT 1", ":SOUR:PRES:VENT 0",
    ":SYST:FAUL:ACK", ":SYST:FAUL:ACK", ":SOUR:PRES 5.5", ":SOUR:PRES 5.2", ":SOUR:PRES 4.5", ":SOUR:PRES 0.101325",
    ":SOUR:PRES MAX", ":SOUR:PRES:SLEW 1", ":SOUR:PRES:SLEW 0.00001", "*OPC?", ":DIAG:VALV1:PRO", "*RST",
)  # fmt: skip
WAITS_S = (0.02, 0.06, 0.2, 0.6, 1.5)


def ordered_pairs(sampled: int = 2000) -> list[Sequence]:
    """All ordered pairs in HOLD, 1 s apart, with the ways to leave the first in turn; and a sample of all others."""
    chosen = [
        pair("HOLD", one, other, FIRST[number % len(FIRST)], 1.0)
        for number, (one, other) in enumerate(permutations(FAULTS, 2))
    ]
    random = Random("ordered pairs")
    names = list(FAULTS)
    for _ in range(sampled):
        one, other = random.sample(names, 2)
        chosen.append(pair(random.choice(STATES), one, other, random.choice(FIRST), random.choice(DELAYS_S)))
    return chosen


def pair(state: str, one: str, other: str, first: str, delay_s: float) -> Sequence:
    """Return the sequence of two faults."""
    steps: list[Step] = [["fault", one, VALUES.get(one, {})]]
    if state == "HOLD":
        steps.append(["say", ":SOUR:PRES 5.2"])
    steps.append(["wait", delay_s])
    if first != "present":
        steps += [["clear"], ["wait", 0.2]]
    if first == "acknowledged":
        steps += [["say", ":SYST:FAUL:ACK"], ["wait", 1.2], ["say", ":SYST:FAUL:ACK"], ["say", ":OUTP ON"]]
    return state, [*steps, ["fault", other, VALUES.get(other, {})], ["wait", REACTION_S]]


def triple(seed: int) -> Sequence:
    """Return a random sequence: three faults with resets, commands and settings at their limits between."""
    random = Random(f"triple {seed}")
    steps: list[Step] = []
    for number in range(3):
        steps.append(_fault(random))
        steps.append(["wait", random.choice(WAITS_S)])
        if number < 2:
            for _ in range(random.randrange(3)):
                steps += [_step(random), ["wait", random.choice(WAITS_S)]]
    return random.choice(STATES), [*steps, ["wait", 2.0]]


def _fault(random: Random) -> Step:
    which = random.randrange(len(FAULTS) + len(MORE))
    if which < len(MORE):
        name, values = MORE[which]
    else:
        name = list(FAULTS)[which - len(MORE)]
        values = VALUES.get(name, {})
    return ["fault", name, values]


def _step(random: Random) -> Step:
    kind = random.random()
    if kind < 0.5:
        return ["say", random.choice(SAID)]
    if kind < 0.7:
        return ["setting", *random.choice(limits())]
    if kind < 0.85:
        return ["reset", random.choice(("power", "watchdog")), random.choice((0.0, 0.5))]
    return ["clear"]


def limits() -> list[tuple[str, int]]:
    """Return each setting with its lowest and its highest value."""
    table = load_firmware()["regulator.settings"].TABLE
    return [
        (row[0], row[at])
        for row in table
        for at in (3, 4)
        if not any(row[0].endswith(idle) for idle in _IDLE)
    ]


def run(state: str, steps: list[Step], scenario: str = "sequence") -> Bench:
    """Run a sequence; return the closed bench. Raises Violation, or what the firmware raised."""
    bench = settled(state).copy(f"{scenario} in {state}")
    try:
        for step in steps:
            DO[step[0]](bench, *step[1:])
        if bench.board.device is not None and not bench.world.host:
            # What the device says of itself at the end is judged as well.
            for query in (":FETC:FIEL?", ":FETC?", ":SOUR:PRES:VENT?"):
                bench.send(query)
                bench.run_s(0.06)
    finally:
        bench.close()
    return bench


def judge(state: str, steps: list[Step]) -> list[Any]:
    """Run a sequence; return its violation, "" without one, and how often each rule with a known defect was broken."""
    try:
        bench = run(state, steps)
    except Violation as error:
        return [str(error), {}]
    except Exception:
        # The firmware must not raise anything: on the board it would end the program.
        return ["firmware: " + traceback.format_exc().strip().splitlines()[-1], {}]
    known: dict[str, int] = {}
    for each in bench.world.truth.known:
        known[each.rule] = known.get(each.rule, 0) + 1
    return ["", known]


def judge_all(chosen: Iterable[Sequence]) -> list[Any]:
    """Run sequences; return [error, state, steps] of each violation, and how many met a known defect of each rule."""
    found: list[list[Any]] = []
    known: dict[str, int] = {}
    for state, steps in chosen:
        error, more = judge(state, steps)
        if error:
            found.append([error, state, steps])
        for rule in more:
            known[rule] = known.get(rule, 0) + 1
    return [found, known]


def judge_triples(first: int, count: int) -> list[Any]:
    """Run triples by their seeds, as judge_all does."""
    return judge_all(triple(seed) for seed in range(first, first + count))


def shrink(
    state: str, steps: list[Step], error: str, again: Callable[[str, list[Step]], list[Any]] = judge
) -> tuple[list[Step], str]:
    """Leave out steps as long as the same rule is broken; return what is left, and its violation."""
    rule = error.partition(":")[0]
    left = True
    while left:
        left = False
        for shorter in _shorter(steps):
            found, _ = again(state, shorter)
            if found.partition(":")[0] == rule:
                steps, error, left = shorter, found, True
                break
    return steps, error


def _shorter(steps: list[Step]) -> Iterator[list[Step]]:
    for length in (4, 2, 1):
        for at in range(len(steps) - length + 1):
            yield steps[:at] + steps[at + length :]


def _do_fault(bench: Bench, name: str, values: dict[str, object]) -> None:
    bench.inject(name, values)


def _do_clear(bench: Bench) -> None:
    clear(bench.world)


def _do_say(bench: Bench, message: str) -> None:
    bench.send(message + ";:SYST:ERR?")


def _do_setting(bench: Bench, name: str, value: int) -> None:
    bench.send(f'*CLS;:SYST:SETT "{name}",{value};:SYST:ERR?')


def _do_reset(bench: Bench, cause: str, off_s: float) -> None:
    bench.world.reset_wanted = (cause, off_s)


def _do_wait(bench: Bench, seconds: float) -> None:
    bench.run_s(seconds)


DO: dict[str, Callable[..., None]] = {
    "fault": _do_fault,
    "clear": _do_clear,
    "say": _do_say,
    "setting": _do_setting,
    "reset": _do_reset,
    "wait": _do_wait,
}
