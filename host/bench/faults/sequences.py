"""Faults one after the other, judged by the truth monitor: ordered pairs, and random triples with commands between.

A sequence is a state to start from and a list of steps, both in JSON, so that a violation can be replayed and shrunk.
A step is a list: `["fault", name, values]`, `["clear"]`, `["say", message]`, `["setting", name, value]`,
`["reset", cause, off_s]` or `["wait", seconds]`.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Sequenced
from itertools import permutations, product
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
_GONE: list[Step] = [["clear"], ["wait", 0.2]]
_FIRST: dict[str, list[Step]] = {
    "present": [],
    "latched": _GONE,
    "acknowledged": [
        *_GONE,
        ["say", ":SYST:FAUL:ACK"],
        ["wait", 1.2],
        ["say", ":SYST:FAUL:ACK"],
        ["say", ":OUTP ON"],
    ],
}
FIRST = tuple(_FIRST)
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
_ASKED: list[Step] = [
    step
    for query in (":FETC:FIEL?", ":FETC?", ":SOUR:PRES:VENT?")
    for step in (["ask", query], ["wait", 0.06])
]
WAITS_S = (0.02, 0.06, 0.2, 0.6, 1.5)


def pairs() -> Iterator[tuple[str, str, str, str, float]]:
    """Every ordered pair of faults: state, first and second fault, what happens to the first one, and the delay."""
    for state, (one, other) in product(STATES, permutations(FAULTS, 2)):
        for first, delay_s in product(FIRST, DELAYS_S):
            yield state, one, other, first, delay_s


def pair(state: str, one: str, other: str, first: str, delay_s: float) -> Sequence:
    """Return the sequence of two faults."""
    return state, [*_begin(state, one), ["wait", delay_s], *_FIRST[first], *_end(other)]


def _begin(state: str, one: str) -> list[Step]:
    steps: list[Step] = [["fault", one, VALUES.get(one, {})]]
    if state == "HOLD":
        steps.append(["say", ":SOUR:PRES 5.2"])
    return steps


def _end(other: str) -> list[Step]:
    return [["fault", other, VALUES.get(other, {})], ["wait", REACTION_S]]


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


def _do(bench: Bench, steps: list[Step]) -> str:
    """Take these steps; return the violation, "" without one."""
    try:
        for step in steps:
            DO[step[0]](bench, *step[1:])
    except Violation as error:
        return str(error)
    except Exception:
        # The firmware must not raise anything: on the board it would end the program.
        return "firmware: " + traceback.format_exc().strip().splitlines()[-1]
    return ""


def _finish(bench: Bench, steps: list[Step]) -> str:
    """Take the last steps, let the device say what it thinks of itself, and close the bench."""
    try:
        error = _do(bench, steps)
        if not error and bench.board.device is not None and not bench.world.host:
            error = _do(bench, _ASKED)
    finally:
        bench.close()
    return error


def judge(state: str, steps: list[Step]) -> list[Any]:
    """Run a sequence; return its violation, "" without one, and the known defects that it met."""
    bench = settled(state).copy(f"sequence in {state}")
    error = _finish(bench, steps)
    return [error, sorted({each.reason for each in bench.world.truth.known})]


def judge_pairs(state: str, one: str, others: Sequenced[str]) -> list[Any]:
    """Run every sequence of `pairs()` with this state, first fault and one of these second ones.

    They share their beginnings. Returns [error, state, steps] of each violation, how many sequences met each known
    defect, and how many there were.
    """
    found: list[list[Any]] = []
    known: Counter[str] = Counter()
    count = 0
    begun = settled(state).copy(f"sequence in {state}")
    steps = _begin(state, one)
    error = _do(begun, steps)
    was_s = 0.0
    for delay_s in DELAYS_S:
        error = error or _do(begun, [["wait", delay_s - was_s]])
        was_s = delay_s
        for first, more in _FIRST.items():
            if error:
                # Whatever comes second, it is broken already.
                found.append([error, state, [*steps, ["wait", delay_s]]])
                count += len(others)
                continue
            branch = begun.copy(begun.world.truth.scenario)
            wrong = _do(branch, more)
            met = len(branch.world.truth.known)
            for other in others:
                count += 1
                if wrong:
                    found.append([wrong, state, [*steps, ["wait", delay_s], *more]])
                    break
                bench = branch.copy(branch.world.truth.scenario)
                failed = _finish(bench, _end(other))
                if failed:
                    found.append([failed, *pair(state, one, other, first, delay_s)])
                known.update({each.reason for each in bench.world.truth.known[met:]})
            branch.close()
    begun.close()
    return [found, known, count]


def judge_triples(first: int, count: int) -> list[Any]:
    """Run triples by their seeds; return what judge_pairs does."""
    found: list[list[Any]] = []
    known: Counter[str] = Counter()
    for state, steps in map(triple, range(first, first + count)):
        error, met = judge(state, steps)
        if error:
            found.append([error, state, steps])
        known.update(met)
    return [found, known, count]


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


def _fault_begins(bench: Bench, name: str, values: dict[str, object]) -> None:
    bench.inject(name, values)


def _do_clear(bench: Bench) -> None:
    clear(bench.world)


def _do_say(bench: Bench, message: str) -> None:
    bench.send(message + ";:SYST:ERR?")


def _do_ask(bench: Bench, query: str) -> None:
    bench.send(query)


def _do_setting(bench: Bench, name: str, value: int) -> None:
    bench.send(f'*CLS;:SYST:SETT "{name}",{value};:SYST:ERR?')


def _do_reset(bench: Bench, cause: str, off_s: float) -> None:
    bench.world.reset_wanted = (cause, off_s)


def _do_wait(bench: Bench, seconds: float) -> None:
    bench.run_s(seconds)


DO: dict[str, Callable[..., None]] = {
    "fault": _fault_begins,
    "clear": _do_clear,
    "say": _do_say,
    "ask": _do_ask,
    "setting": _do_setting,
    "reset": _do_reset,
    "wait": _do_wait,
}
