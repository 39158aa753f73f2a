"""The truth monitor: each rule finds a planted violation in a world driven by hand, and stays silent otherwise."""

from __future__ import annotations

import copy
import json

import pytest

from bench.scenarios import truth
from bench.scenarios.rig import Bench, settled
from bench.scenarios.truth import Violation, Watched
from ipch.sim.injector import inject
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import load_firmware
from ipch.sim.world import STATES

LED = {name: pattern for pattern, name in STATES.items()}
FILL, VENT = 0, 1
FILL_SIDE, VENT_SIDE, RELIEF = 1, 2, 4


class Hand:
    """A world whose device is the test."""

    def __init__(self, *sets: str, state: str = "OFF", levels: int = 0) -> None:
        self.world = Watched(Plant(load_parameters(None, ("initial_mpa=5", *sets))))
        self.plant = self.world.plant
        self.say(state, cell_ok=state != "RELIEF")
        self.world.feed(True)
        self.world.switch(levels)
        self.run(0.1)

    def say(self, state: str, cell_ok: bool = True) -> None:
        self.world.show(LED[state], cell_ok, 0)

    def run(self, seconds: float, feed: bool = True) -> None:
        for _ in range(round(seconds * 50)):
            if feed:
                self.world.feed(True)
            self.world.advance()

    def told(self, *messages: str) -> None:
        for message in messages:
            self.world.truth.wire.heard(message.encode() + b"\n")

    def answer(self, query: str, reply: str) -> None:
        self.told(query)
        self.world.send(reply.encode() + b"\r\n")

    def reset(self, off_s: float = 1.0) -> None:
        self.world.restart()
        self.run(off_s, feed=False)


def broken(rule: str, words: str = "") -> pytest.RaisesExc[Violation]:
    return pytest.raises(Violation, match=f"^{rule}: at .*{words}")


def test_the_settings_and_states_of_the_monitor_are_those_of_the_firmware() -> None:
    modules = load_firmware()
    table = {row[0]: row[2] for row in modules["regulator.settings"].TABLE}
    assert {name: table[name] for name in truth.DEFAULTS} == truth.DEFAULTS
    assert {row[3]: row[0] for row in modules["regulator.modes"].TABLE} == STATES


@pytest.mark.parametrize("sensors", ["both", "one, the other invalid"])
def test_t1_a_way_out_is_open_after_50_ms(sensors: str) -> None:
    hand = Hand("initial_mpa=5.5")
    if sensors != "both":
        inject(hand.world, "control-open", {})
    inject(hand.world, "over-pressure", {"mpa": 8})
    with broken("T1", "no way out"):
        hand.run(3)
    hand = Hand("initial_mpa=5.5")
    inject(hand.world, "over-pressure", {"mpa": 8})
    for _ in range(150):
        if hand.plant.pressure_pa > 6e6:
            hand.say("RELIEF", cell_ok=False)
            hand.world.switch(RELIEF)
        elif hand.plant.pressure_pa < 5.7e6:
            hand.world.switch(0)
        hand.run(0.02)


def test_t1_a_relief_that_does_not_help_is_joined_by_the_vent_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "KNOWN", ())
    hand = Hand("initial_mpa=6.1", "relief_c=1e-13", state="RELIEF", levels=RELIEF)
    inject(hand.world, "relief-blocked", {})
    twin = copy.deepcopy(hand)
    with broken("T1", "vent pair stays shut"):
        hand.run(5)
    twin.run(2)
    for _ in range(3):
        twin.world.switch(RELIEF | VENT_SIDE)
        twin.world.pulse(VENT, 300_000)
        twin.run(1)


def test_t1_the_pressure_is_bounded() -> None:
    with broken("T1", "above its bound of 6.250 MPa"):
        Hand("initial_mpa=9.3", state="RELIEF", levels=RELIEF)
    Hand("initial_mpa=9.3", "fill_c=1e-8", state="RELIEF", levels=RELIEF)


@pytest.mark.parametrize(
    ("fault", "values", "rise", "mpa"),
    [("line-burst", {}, "burst", 5), ("cell-runaway", {"watt": 5000}, "runaway", 2)],
)
def test_t2_a_danger_opens_the_relay(fault: str, values: dict[str, object], rise: str, mpa: float) -> None:
    for cell_ok in (True, False):
        hand = Hand("wall_j_k=500", f"initial_mpa={mpa}")
        hand.say("SEALED", cell_ok=cell_ok)
        inject(hand.world, fault, values)
        if cell_ok:
            with pytest.MonkeyPatch.context() as patch, broken("T2", rise):
                patch.setattr(truth, "KNOWN", ())
                hand.run(30)
        else:
            hand.run(30)


def test_t2_the_relay_stays_open_until_an_acknowledge() -> None:
    hand = Hand()
    hand.say("SEALED", cell_ok=False)
    inject(hand.world, "line-burst", {"for_s": 1.0})
    hand.run(2)
    acknowledged = copy.deepcopy(hand)
    hand.say("OFF")
    with broken("T2", "without an acknowledge"):
        hand.run(0.1)
    acknowledged.told(":SYST:FAUL:ACK")
    acknowledged.say("OFF")
    acknowledged.run(0.1)


@pytest.mark.parametrize("safety", ["safety-range", "safety-open", ""])
def test_t2_a_burst_that_no_measurement_shows_is_not_known(safety: str) -> None:
    """3.7 mA is no failure of the loop and no measurement either."""
    hand = Hand()
    inject(hand.world, "adc-dead", {})
    if safety:
        inject(hand.world, safety, {})
    inject(hand.world, "line-burst", {})
    if safety:
        hand.run(2)
    else:
        with broken("T2", "burst"):
            hand.run(2)


def test_t3_vented_is_empty() -> None:
    hand = Hand()
    with broken("T3"):
        hand.answer(":SOUR:PRES:LEV:IMM:AMPL:VENT?", "2")
    hand.answer(":SOUR:PRES:LEV:IMM:AMPL:VENT?", "1")
    hand.answer(":SOUR:PRES:LEV:IMM:AMPL:VENT?", "3")
    Hand("initial_mpa=0.12").answer(":SOUR:PRES:LEV:IMM:AMPL:VENT?", "2")
    # Two queries in one message, and one that the device refused before.
    hand.told(":NO:SUCH?")
    hand.run(2)
    with broken("T3"):
        hand.answer("*IDN?;:SOUR:PRES:VENT?", "ipch;2")


def fill(hand: Hand) -> None:
    hand.say("REGULATE")
    hand.world.switch(FILL_SIDE)
    hand.world.pulse(FILL, 20_000)
    hand.run(0.3)
    hand.world.switch(0)


def test_t4_a_resume_finds_the_gas_that_it_left() -> None:
    for emptied, empty in ((False, False), (True, False), (False, True)):
        hand = Hand(*(("initial_mpa=0.15",) if empty else ()))
        hand.told(":SOUR:PRES 5;:OUTP ON")
        hand.say("REGULATE")
        hand.run(0.5)
        if emptied:
            inject(hand.world, "line-burst", {"c": 2e-9, "for_s": 0.5})
        hand.reset()
        hand.run(0.5)
        ordered = copy.deepcopy(hand)
        if emptied or empty:
            with broken("T4", "empty" if empty else "since"):
                fill(hand)
            ordered.told(":OUTP ON")
            fill(ordered)
        else:
            fill(hand)


@pytest.mark.parametrize(("before_s", "late"), [(0.16, False), (0.4, True)])
def test_t4_a_burst_that_comes_with_the_resume_is_no_resume_into_it(before_s: float, late: bool) -> None:
    """The LED shows a state up to 0.2 s after it was decided; a processor that is stopped meanwhile decides nothing."""
    hand = Hand()
    hand.told(":SOUR:PRES 5;:OUTP ON")
    hand.say("REGULATE")
    hand.run(0.5)
    hand.reset()
    hand.say("OFF")
    hand.run(0.5)
    inject(hand.world, "line-burst", {"c": 2e-9})
    stopped = copy.deepcopy(hand)
    hand.run(before_s)
    hand.say("REGULATE")
    if late:
        with broken("T4", "since"):
            hand.run(0.1)
    else:
        hand.run(0.1)
    stopped.run(before_s, feed=False)
    stopped.say("REGULATE")
    stopped.run(0.1)


def vent_pulses(hand: Hand, count: int, state: str = "REGULATE") -> None:
    hand.say(state)
    for _ in range(count):
        hand.world.switch(VENT_SIDE)
        hand.world.pulse(VENT, 100_000)
        hand.run(0.2)
        hand.world.switch(0)
        hand.run(0.2)


def test_t5_a_hold_lets_out_to_its_setpoint() -> None:
    for pulses in (1, 30):
        hand = Hand()
        hand.told(":SOUR:PRES 4.9;:OUTP ON")
        if pulses > 1:
            with broken("T5", "lowest setpoint|no reason"):
                vent_pulses(hand, pulses)
        else:
            vent_pulses(hand, pulses)


def test_t5_a_sticky_valve_is_late_however_long_its_isolation_valve_is_open() -> None:
    hand = Hand()
    hand.told(":SOUR:PRES 5;:OUTP ON")
    hand.say("REGULATE")
    inject(hand.world, "vent-sticky", {"ms": 300})
    hand.world.switch(VENT_SIDE)
    hand.world.pulse(VENT, 20_000)
    hand.run(1.5)
    hand.world.pulse(VENT, 20_000)
    with broken("T5", "lowest setpoint"):
        hand.run(1.5)


@pytest.mark.parametrize(("hung_s", "late"), [(1.0, False), (3.0, True)])
def test_t5_a_hung_processor_lets_out_for_a_second(hung_s: float, late: bool) -> None:
    hand = Hand("initial_mpa=5.98")
    hand.world.hold_ms = 60_000  # the rail stays on
    hand.say("RELIEF", cell_ok=False)
    hand.world.switch(RELIEF)
    hand.run(0.02)
    if late:
        with broken("T5", "relief"):
            hand.run(hung_s, feed=False)
    else:
        hand.run(hung_s, feed=False)


def test_t5_a_vent_is_asked_for() -> None:
    hand = Hand()
    with broken("T5", "no reason|lowest setpoint"):
        vent_pulses(hand, 20, "VENT")
    hand = Hand()
    hand.told(":SOUR:PRES:LEV:IMM:AMPL:VENT 1")
    vent_pulses(hand, 20, "VENT")
    hand = Hand()
    hand.answer(
        '*CLS;:SYST:SETT "host_timeout_s",1;:SYST:SETT "host_gone_action",2;:SYST:ERR?', '0,"No error"'
    )
    vent_pulses(hand, 20, "VENT")


@pytest.mark.parametrize("fault", ["none", "safety", "both", "true over-pressure", "runaway", "comparator"])
def test_t5_the_relief_needs_a_true_reason(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "KNOWN", ())
    hand = Hand(*(("initial_mpa=5.95",) if fault == "true over-pressure" else ()))
    if fault in ("safety", "both"):
        inject(hand.world, "transducer-wrong", {"which": "safety", "kpa": 1400})
        hand.world.comparator_pa = 9e6
    if fault == "both":
        inject(hand.world, "transducer-wrong", {"which": "control", "kpa": 1400})
    if fault == "comparator":
        inject(hand.world, "comparator-trips", {})
    hand.run(0.02)
    hand.say("RELIEF", cell_ok=False)
    if fault == "runaway":
        hand.answer('*CLS;:SYST:SETT "runaway_relief",1;:SYST:ERR?', '0,"No error"')
        inject(hand.world, "cell-runaway", {})
        hand.run(2)
    hand.world.switch(RELIEF)
    if fault in ("both", "true over-pressure", "runaway"):
        hand.run(0.1)
    else:
        with broken("T5"):
            hand.run(0.5)


def test_t6_fill_and_vent_never_together_and_no_long_pulse() -> None:
    hand = Hand()
    with broken("T6", "300001 us"):
        hand.world.pulse(FILL, 300_001)
    hand.say("REGULATE")
    hand.world.switch(FILL_SIDE)
    with broken("T6", "at once"):
        hand.world.pulse(VENT, 1000)


@pytest.mark.parametrize("state", ["OFF", "SEALED", "QUIET", "RELIEF", "VENT"])
def test_t6_no_fill_in_a_state_that_forbids_it(state: str) -> None:
    hand = Hand()
    hand.told(":SOUR:PRES 5")
    hand.say(state, cell_ok=state != "RELIEF")
    hand.run(1)
    hand.world.switch(FILL_SIDE)
    hand.run(0.1)
    hand.world.switch(0)
    with broken("T6", "was on in"):
        hand.run(1)


def test_t6_the_led_may_be_late() -> None:
    hand = Hand()
    hand.world.switch(FILL_SIDE)
    hand.run(0.1)
    hand.say("REGULATE")
    hand.run(1)


def test_t6_a_coil_rests() -> None:
    hand = Hand()
    hand.told(":SOUR:PRES 5;:OUTP ON")
    hand.say("REGULATE")
    hand.world.switch(VENT_SIDE)
    hand.run(59.5)
    hand.world.switch(0)
    rested = copy.deepcopy(hand)
    hand.run(0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(truth, "KNOWN", ())
        hand.world.switch(VENT_SIDE)
        with broken("T6", "paused for"):
            hand.run(0.1)
        rested.run(1.1)
        rested.world.switch(VENT_SIDE)
        with broken("T6", "vent_isolation on for 60"):
            rested.run(61)


@pytest.mark.long
def test_t6_a_coil_rests_for_half_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = Hand()
    hand.told(":SOUR:PRES 5;:OUTP ON")
    hand.say("REGULATE")
    monkeypatch.setattr(truth, "KNOWN", ())
    with broken("T6", "of an hour"):
        for _ in range(40):
            hand.world.switch(VENT_SIDE)
            hand.run(55)
            hand.world.switch(0)
            hand.run(5)


def test_t7_a_hold_does_not_chase() -> None:
    for count, words in ((80, "reversals"), (10, "")):
        hand = Hand()
        hand.told(":SOUR:PRES 5;:OUTP ON")
        hand.say("REGULATE")
        hand.run(65)

        def there_and_back(hand: Hand = hand) -> None:
            for levels, valve, us in ((FILL_SIDE, FILL, 8_000), (VENT_SIDE, VENT, 7_000)):
                hand.world.switch(levels)
                hand.world.pulse(valve, us)
                hand.run(0.1)
                hand.world.switch(0)
                hand.run(0.4)

        if words:
            with broken("T7", words):
                for _ in range(count):
                    there_and_back()
                hand.run(60)
        else:
            for _ in range(count):
                there_and_back()
            hand.run(60)


def test_t7_gas_has_a_budget() -> None:
    hand = Hand()
    hand.told(":SOUR:PRES 5;:OUTP ON")
    hand.say("REGULATE")
    hand.run(65)
    inject(hand.world, "leak", {"kpa_h": 60_000})
    with broken("T7", "kPa of gas"):
        for _ in range(70):
            hand.world.switch(FILL_SIDE)
            hand.world.pulse(FILL, 80_000)
            hand.run(0.2)
            hand.world.switch(0)
            hand.run(0.8)


def test_t8_an_error_is_told() -> None:
    for reply, fine in (("SUPPLY_LOW", True), ("", False)):
        hand = Hand()
        hand.told(":SOUR:PRES 5.1;:OUTP ON")
        hand.say("REGULATE")

        def go(hand: Hand = hand, reply: str = reply) -> None:
            for _ in range(400):
                hand.run(1)
                if b"WARN" in hand.world.take():
                    hand.world.send(reply.encode() + b"\r\n")

        if fine:
            go()
        else:
            with broken("T8", "no warning"):
                go()
        assert not hand.world.received, "the monitor's own question is not the host's"


def test_t8_what_no_controller_can_know_is_not_its_fault() -> None:
    hand = Hand("control_offset_kpa=100")
    assert hand.world.control_error_pa == pytest.approx(100e3, abs=1)
    hand.told(":SOUR:PRES 5.1;:OUTP ON")
    hand.say("REGULATE")
    hand.run(400)
    assert hand.world.truth.hold.error_pa() == pytest.approx(0, abs=5000)
    assert not hand.world.waiting


def test_t9_a_target_survives() -> None:
    hand = Hand()
    hand.answer(":FETC:FIEL?", "sequence,state,target_pa")
    hand.told("*CLS", ":SOUR:PRES 4.8")
    hand.answer(":SYST:ERR?", '0,"No error"')
    hand.answer(":FETC?", "1,REGULATE,4800000")
    hand.answer("*OPC?", "1")
    with broken("T9", "accepted target 4800000"):
        hand.answer(":FETC?", "1,REGULATE,5200000")
    hand.reset()
    hand.run(0.5)
    with broken("T9", "accepted target 4800000"):
        hand.answer(":FETC:FIEL?", "sequence,state,target_pa")
        hand.answer(":FETC?", "1,REGULATE,5200000")


def test_t9_a_refused_target_is_not_in_force() -> None:
    hand = Hand()
    hand.answer(":FETC:FIEL?", "sequence,state,target_pa")
    hand.told("*CLS", ":SOUR:PRES 8")
    hand.answer(":SYST:ERR?", '-222,"Data out of range"')
    hand.answer(":FETC?", "1,OFF,4800000")


def test_t9_off_stays_off() -> None:
    for then in ("", ":OUTP ON"):
        hand = Hand()
        hand.told(":SOUR:PRES 5;:OUTP ON")
        hand.say("REGULATE")
        hand.run(1)
        hand.told(":OUTP OFF")
        hand.say("OFF")
        hand.run(0.5)
        hand.reset()
        hand.run(0.5)
        if then:
            hand.told(then)
            fill(hand)
        else:
            with broken("T9", "was OFF"):
                fill(hand)


def test_t10_a_repeated_command_costs_no_write() -> None:
    hand = Hand()
    hand.told(":SOUR:PRES:SLEW 0.02")
    hand.world.wrote("settings.a")
    hand.run(2)
    hand.told(":SOUR:PRES:SLEW 0.02")
    with broken("T10", "repeated"):
        hand.world.wrote("settings.b")
    hand.told(":SOUR:PRES:SLEW 0.03")
    hand.world.wrote("settings.b")


def test_t10_the_device_writes_seldom() -> None:
    hand = Hand()
    with broken("T10", "in a day"):
        for _ in range(210):
            hand.world.wrote("state.a")
            hand.run(0.1)


@pytest.mark.parametrize(
    ("fault", "values"),
    [
        ("control-open", {}),
        ("control-short", {}),
        ("adc-dead", {}),
        ("line-burst", {}),
        ("supply-high", {"mpa": 12}),
        ("coil-open", {"valve": "vent"}),
        ("transistor-short", {"valve": "relief"}),
    ],
)
def test_t11_a_reaction_follows_whatever_is_latched(fault: str, values: dict[str, object]) -> None:
    hand = Hand()
    hand.told(":SOUR:PRES 5;:OUTP ON")
    hand.say("REGULATE", cell_ok=False)
    hand.run(0.5)
    inject(hand.world, fault, values)
    shut = copy.deepcopy(hand)
    hand.world.switch(FILL_SIDE)
    with broken("T11", fault):
        for _ in range(20):
            hand.world.switch(FILL_SIDE)
            hand.run(0.1)
            hand.world.switch(0)
    shut.run(2)


def test_a_healthy_device_breaks_no_rule() -> None:
    bench = settled("HOLD").copy("a quiet run")
    try:
        bench.world.truth.raises = False
        for message, seconds in (
            (":SOUR:PRES 5.2", 120),
            (":OUTP:QUI 20", 30),
            (":SOUR:PRES 4.9", 60),
            (":OUTP OFF", 5),
            (":OUTP ON", 60),
            (":SOUR:PRES:LEV:IMM:AMPL:VENT 1", 20),
            (":SOUR:PRES:LEV:IMM:AMPL:VENT 0", 2),
        ):
            bench.send(message)
            bench.run_s(seconds)
        assert bench.world.truth.violations == []
        assert bench.world.truth.known == []
    finally:
        bench.close()


def test_a_known_defect_is_counted_and_does_not_end_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "KNOWN", (truth.Known("T6", "*300001 us*", "a test"),))
    hand = Hand()
    hand.world.pulse(FILL, 300_001)
    assert [each.rule for each in hand.world.truth.known] == ["T6"]
    hand.say("REGULATE")
    hand.world.switch(FILL_SIDE)
    with broken("T6", "at once"):
        hand.world.pulse(VENT, 1000)


def lines_of(hand: Hand, seconds: int) -> list[str]:
    found = []
    for _ in range(seconds):
        hand.run(1)
        found.append(json.dumps(hand.plant.truth() | hand.world.driven()))
    return found


@pytest.mark.parametrize(
    ("state", "levels", "mpa", "rules"),
    [
        ("OFF", 0, 5, set()),
        ("REGULATE", FILL_SIDE, 5, set()),
        ("RELIEF", RELIEF, 6.5, set()),
        ("OFF", FILL_SIDE, 5, {"T6"}),
        ("RELIEF", RELIEF, 5, {"T5"}),
        ("SEALED", 0, 6.5, {"T1", "T2"}),
    ],
)
def test_a_record_of_the_truth_is_judged(
    state: str, levels: int, mpa: float, rules: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same rules would end the run that makes the record.
    monkeypatch.setattr(truth.Truth, "broken", lambda *told: None)
    hand = Hand(f"initial_mpa={mpa}", "relief_c=1e-12")
    hand.say(state, cell_ok=state != "RELIEF")
    lines = lines_of(hand, 1)
    hand.world.switch(levels)
    lines += lines_of(hand, 3)
    assert {each.partition(":")[0] for each in truth.judge_lines(lines)} == rules


def test_the_monitor_judges_the_rung_sim_too() -> None:
    bench = Bench("sim", scenario="sim")
    try:
        bench.send(":SOUR:PRES 4.8;:OUTP ON")
        bench.run_s(20)
        assert bench.world.truth.state == "REGULATE"
        assert bench.world.truth.wire.target_pa == pytest.approx(4.8e6)
    finally:
        bench.close()
