"""What modes and outputs decide: quiet windows, when each watch is asked, what is put out, how a latched fault goes."""

from chamber import filled_sample
from desk import Desk
from test_modes import TICK_MS, Watched, control_current

from regulator.faults import (
    COIL_SHORTED,
    COMPARATOR_TRIPPED,
    CONTROL_OPEN,
    DISAGREEMENT,
    FILL_STUCK_OPEN,
    HOST_SILENT,
    LEAK,
    LINE_BURST,
    NO_FAULT,
    OVERPRESSURE,
    POWER,
    QUIET_DRIFT,
    REBOOT_LOOP,
    RUNAWAY,
    SUPPLY_LOW,
)
from regulator.modes import MAINTENANCE, OFF, QUIET, REGULATE, RELIEF, SEALED, VENTING
from regulator.valves.sides import FILL, VENT
from regulator.watch.proof import ABORTED, RELIEF_VALVE, RUNNING


def quiet(**values):
    w = Watched(REGULATE, **values)
    w.modes.begin_quiet(1)
    return w


def test_a_new_one_has_nothing_latched():
    desk = Desk()
    modes = desk.modes
    assert (modes.state, modes.fault, modes.fault_value) == (OFF, NO_FAULT, 0)
    assert (modes.fault_s, modes.fault_ms, desk.app.control.quiet.left_ms) == (0, 0, 0)
    assert not desk.watches.warnings
    assert not Watched(OFF).watches.warnings


def test_a_quiet_window_lasts_as_long_as_was_asked_for():
    w = quiet()
    assert (w.modes.state, w.control.quiet.left_ms) == (QUIET, 1000)
    for tick in range(1, 50):
        w.tick(filled_sample(5e6))
        assert (w.modes.state, w.control.quiet.left_ms) == (QUIET, 1000 - tick * TICK_MS)
    w.tick(filled_sample(5e6))
    assert (w.modes.state, w.control.quiet.left_ms) == (REGULATE, 0)
    assert not w.watches.warnings & QUIET_DRIFT


def test_a_quiet_window_has_its_last_millisecond():
    w = quiet()
    w.control.quiet.left_ms = TICK_MS + 1
    w.tick(filled_sample(5e6))
    assert (w.modes.state, w.control.quiet.left_ms) == (QUIET, 1)
    w.tick(filled_sample(5e6))
    assert w.modes.state == REGULATE


def test_a_drift_ends_a_quiet_window_and_the_next_one_forgets_it():
    for step_pa in (3e3, -3e3):
        w = quiet(quiet_drift_pa=2000)
        w.tick(filled_sample(5e6))
        assert w.modes.state == QUIET
        for _ in range(40):
            w.tick(filled_sample(5e6 + step_pa))
            if w.modes.state != QUIET:
                break
        assert (w.modes.state, w.control.quiet.left_ms) == (REGULATE, 0)
        assert w.watches.warnings & QUIET_DRIFT
        for _ in range(20):
            w.tick(filled_sample(5e6 + step_pa))
        assert w.watches.warnings & QUIET_DRIFT, "told until the next window"
        # One that follows without a hold in between has the drift of the first one.
        w.modes.begin_quiet(5)
        w.tick(filled_sample(5e6 + step_pa))
        assert w.watches.warnings & QUIET_DRIFT
        w.control.in_limits = 1
        w.modes.begin_quiet(5)
        assert not w.watches.warnings & QUIET_DRIFT
        for _ in range(20):
            w.tick(filled_sample(5e6 + step_pa))
        assert not w.watches.warnings & QUIET_DRIFT


def test_a_drift_of_what_is_allowed_is_allowed():
    w = quiet(quiet_drift_pa=2000)
    w.control.quiet._from_pa = w.sensors.pressure_pa - 2000
    w.modes.judge(0, TICK_MS)
    assert w.modes.state == QUIET
    w.control.quiet._from_pa -= 1
    w.modes.judge(0, TICK_MS)
    assert w.modes.state == REGULATE


def test_warnings_of_others_come_and_go_alone():
    w = Watched()
    w.watches.warn(HOST_SILENT, True)
    w.watches.warn(QUIET_DRIFT, True)
    assert w.watches.warnings == HOST_SILENT | QUIET_DRIFT
    for _ in range(20):
        w.tick(filled_sample(5e6))
    assert w.watches.warnings == HOST_SILENT | QUIET_DRIFT
    w.watches.warn(HOST_SILENT, False)
    assert w.watches.warnings == QUIET_DRIFT


def test_a_fault_is_latched_with_its_uptime():
    w = Watched()
    w.ms = 7_654_320
    w.until_fault(control_current(0), 200)
    assert (w.modes.fault_s, w.modes.fault_ms) == (w.ms // 1000, w.ms % 1000)
    w.tick(filled_sample(5e6))
    assert w.modes.acknowledge() == ""
    assert (w.modes.fault, w.modes.fault_value, w.modes.fault_s, w.modes.fault_ms) == (NO_FAULT, 0, 0, 0)


def test_a_fault_that_goes_on_trips_once_and_one_that_comes_back_trips_again():
    w = Watched()
    w.until_fault(control_current(0), 200)
    # Somebody vents through the fault: it is latched and does not seal again by going on.
    w.modes.state = VENTING
    for _ in range(20):
        w.tick(control_current(0))
    assert (w.modes.state, w.modes.fault) == (VENTING, CONTROL_OPEN)
    for _ in range(20):
        w.tick(filled_sample(5e6))
    for _ in range(20):
        w.tick(control_current(0))
    assert (w.modes.state, w.modes.fault) == (SEALED, CONTROL_OPEN)


def test_every_fault_of_one_tick_is_seen():
    # A second fault beside one that goes on seals as well, whatever its number.
    w = Watched()
    w.until_fault(control_current(0), 200)
    w.modes.state = VENTING
    w.watches.stuck.fault = FILL_STUCK_OPEN
    w.tick(control_current(0))
    assert (w.modes.state, w.modes.fault) == (SEALED, CONTROL_OPEN)


def test_which_fault_means_relief():
    for fault, over, relief_setting, state in (
        (OVERPRESSURE, OVERPRESSURE, 0, RELIEF),
        (LINE_BURST, NO_FAULT, 1, SEALED),
        (LINE_BURST, OVERPRESSURE, 0, SEALED),
        (POWER, NO_FAULT, 0, SEALED),
        (RUNAWAY, NO_FAULT, 0, SEALED),
        (RUNAWAY, NO_FAULT, 1, RELIEF),
        (RUNAWAY, NO_FAULT, 2, SEALED),
    ):
        # 2: configured so, but with a single witness.
        w = Watched(REGULATE, runaway_relief=min(relief_setting, 1))
        w.watches.climate.sure = relief_setting != 2
        w.watches.over.fault = over
        w.modes.trip(fault, 1)
        assert w.modes.state == state, fault
        for kept in (MAINTENANCE, RELIEF):
            w.modes.state = kept
            w.modes.trip(CONTROL_OPEN, 1)
            assert w.modes.state == kept


def test_over_pressure_that_goes_on_leads_to_relief_from_any_state_but_maintenance():
    for state in (OFF, REGULATE, QUIET, VENTING, SEALED, MAINTENANCE):
        w = Watched()
        w.tick(filled_sample(6.2e6))
        w.tick(filled_sample(6.2e6))
        assert w.modes.fault == OVERPRESSURE
        w.modes.state = state
        w.watches.over.relief_open = False
        w.tick(filled_sample(6.2e6))
        assert w.modes.state == (state if state == MAINTENANCE else RELIEF)
        assert w.rig.levels[2] == (state != MAINTENANCE)


def test_what_pulses_showed_is_forgotten_with_an_acknowledge():
    w = Watched()
    w.watches.stuck.fault = FILL_STUCK_OPEN
    w.watches.balance.warnings = LEAK
    w.tick(filled_sample(5e6))
    assert (w.modes.state, w.modes.fault) == (SEALED, FILL_STUCK_OPEN)
    assert w.modes.acknowledge() == ""
    assert (w.watches.stuck.fault, w.watches.balance.warnings, w.modes.state) == (NO_FAULT, 0, OFF)


def test_a_reboot_loop_is_acknowledged_after_a_minute_of_health():
    for seconds, refused in ((0, True), (59, True), (60, False)):
        w = Watched()
        w.modes.trip(REBOOT_LOOP, 4)
        w.ms = seconds * 1000
        w.tick(filled_sample(5e6))
        assert (w.modes.acknowledge() != "") == refused, seconds


def test_a_verdict_on_pulses_is_taken_in_its_tick():
    w = Watched()
    w.valves.verdict.count += 1
    taken = []
    w.watches.stuck.check = lambda: taken.append(1)
    for _ in range(3):
        w.tick(filled_sample(5e6))
    assert taken == [1]


def test_limits_are_read_again_by_every_watch():
    w = Watched()
    assert w.settings.set("trip_pa", 5_900_000) == ""
    w.watches.configure()
    w.tick(filled_sample(5.95e6))
    w.tick(filled_sample(5.95e6))
    assert w.modes.fault == OVERPRESSURE
    w = Watched()
    for name in ("disagreement_pa", "leak_alarm_pa_h", "supply_max_pa", "wall_max_mk"):
        assert w.settings.set(name, w.settings.get(name) - 1000) == "", name
    before = (
        w.watches.balance._alarm_pa_h,
        w.watches.supply._max_pa,
        w.watches.climate._max_mk,
    )
    w.watches.configure()
    after = (w.watches.balance._alarm_pa_h, w.watches.supply._max_pa, w.watches.climate._max_mk)
    assert all(one != other for one, other in zip(before, after)), (before, after)


def test_slow_checks_take_turns_of_20_ms():
    calls = []
    w = Watched()
    watches = w.watches
    for watch, name in (
        (watches.tightness, "refresh"),
        (watches.tightness, "cool"),
        (watches.supply, "check_slowly"),
        (watches.loops, "check_slowly"),
        (watches.stuck, "check_slowly"),
        (watches.climate, "check_slowly"),
        (watches.balance, "check_slowly"),
    ):
        said = type(watch).__name__ + "." + name
        setattr(watch, name, lambda *values, said=said: calls.append((said, values)))
    for _ in range(8 * 50):
        w.tick(filled_sample(5e6))
    passes = 50
    names = [said for said, _ in calls]
    for said, times in (
        ("Tightness.refresh", passes),
        ("Tightness.cool", passes),
        ("Supply.check_slowly", 2 * passes),
        ("Loops.check_slowly", passes),
        ("StuckValves.check_slowly", passes),
        ("Climate.check_slowly", 8),
        ("Balance.check_slowly", 8),
    ):
        assert names.count(said) in ((times, times - 1) if times == 8 else (times,)), (
            said,
            names.count(said),
        )
    for said, values in calls:
        if said == "Balance.check_slowly":
            assert values == (False, w.control.ramp_pa)
        if said == "StuckValves.check_slowly":
            assert values == (160, True)
        if said == "Tightness.cool":
            assert values == (160,)
        if said == "Supply.check_slowly":
            assert values == (w.control.target_pa,)


def test_a_slow_check_comes_with_its_millisecond():
    turns = []
    for dt_ms, times in ((19, 0), (20, 1), (39, 1), (40, 2)):
        desk = Desk()
        turns.clear()
        desk.watches._take_turn = lambda *values: turns.append(values)
        desk.watches.check(filled_sample(5e6), dt_ms, desk.modes)
        assert len(turns) == times, dt_ms


def test_a_leak_is_not_judged_before_the_first_second():
    judged = []
    desk = Desk()
    desk.watches.balance.check_slowly = lambda *values: judged.append(values)
    for _ in range(TICK_MS, 1000, TICK_MS):
        desk.watches.check(filled_sample(5e6), TICK_MS, desk.modes)
    assert not judged


def test_gas_that_is_moved_on_purpose_is_no_leak():
    for state, relief, proof, moved in (
        (REGULATE, False, False, False),
        (VENTING, False, False, True),
        (OFF, True, False, True),
        (OFF, False, True, True),
    ):
        said = []
        w = Watched(state)
        w.watches.balance.check_slowly = lambda moved, ramp_pa, said=said: said.append(moved)
        w.watches.over.relief_open = relief
        w.watches.proof.active = proof
        w.watches._balance_due = True
        w.watches._turn = 2
        w.watches._take_turn(filled_sample(5e6), TICK_MS, w.modes)
        assert said == [moved]
        w.watches._turn = 6
        w.watches._take_turn(filled_sample(5e6), TICK_MS, w.modes)
        assert said == [moved], "once a second"


def test_the_supply_is_watched_while_a_fill_may_be_wanted():
    for state, wanted in ((OFF, False), (REGULATE, True), (QUIET, True), (VENTING, False), (SEALED, False)):
        said = []
        w = Watched(state)
        w.control.keep_target(4_000_000)
        w.watches.supply.check_slowly = lambda wanted_pa, said=said: said.append(wanted_pa)
        for turn in (1, 5):
            w.watches._turn = turn
            w.watches._take_turn(filled_sample(5e6), TICK_MS, w.modes)
        assert said == [4_000_000 * wanted] * 2, state


def test_fills_are_barred_by_the_supply_or_by_pulses_without_effect():
    for warnings, starved in ((0, 0), (SUPPLY_LOW, 0), (0, 1000), (SUPPLY_LOW, 1000)):
        w = Watched()
        w.watches.supply.check_slowly = lambda *values: None
        w.watches.supply.warnings = warnings
        w.watches.stuck._barred_ms[FILL] = starved
        w.watches._turn = 1
        w.watches._take_turn(filled_sample(5e6), TICK_MS, w.modes)
        assert w.valves._barred[FILL] == bool(warnings or starved)
        assert not w.valves._barred[VENT]
        assert w.modes.may_move(FILL) == (not warnings)


def open_window(side, state=REGULATE):
    """Return one with a window under way, its pulse begun."""
    w = Watched(state)
    w.valves.request(side, 100_000, False)
    for _ in range(6):
        w.valves.update(TICK_MS)
        w.tick(filled_sample(5e6))
    assert w.rig.levels[side] and w.rig.pulses
    return w


def test_a_relief_cuts_a_window_of_either_side_at_once_and_forgets_it():
    for side in (FILL, VENT):
        w = open_window(side)
        w.tick(filled_sample(6.2e6))
        w.tick(filled_sample(6.2e6))
        assert w.modes.state == RELIEF
        assert w.rig.levels == (False, False, True)
        assert w.rig.safes == 1
        assert w.valves.isolation < 0
        w.tick(filled_sample(6.2e6))
        assert w.rig.safes == 1, "nothing is left to cut"


def test_a_relief_cuts_a_proof():
    w = Watched(OFF)
    w.watches.proof.cut = True
    w.tick(filled_sample(6.2e6))
    w.watches.proof.cut = True
    before = w.rig.safes
    w.tick(filled_sample(6.2e6))
    assert w.rig.levels == (False, False, True)
    assert w.rig.safes == before + 1
    assert not w.watches.proof.cut


def test_a_state_that_ends_under_a_window_shuts_it():
    for side in (FILL, VENT):
        w = open_window(side)
        w.modes.state = OFF
        w.rig.levels = (True, True, True)
        w.tick(filled_sample(5e6))
        assert w.rig.levels == (False, False, False)
        assert w.rig.safes == 1
        assert w.valves.isolation < 0
        w.tick(filled_sample(5e6))
        assert w.rig.safes == 1


def test_a_proof_that_is_cut_is_cut_once():
    w = Watched(OFF)
    w.watches.proof.cut = True
    w.tick(filled_sample(5e6))
    assert w.rig.safes == 1 and not w.watches.proof.cut
    w.tick(filled_sample(5e6))
    assert w.rig.safes == 1


def test_a_proof_ends_with_the_state_that_it_is_allowed_in():
    for state, goes_on in ((OFF, True), (REGULATE, True), (VENTING, False), (SEALED, False), (QUIET, False)):
        w = Watched(state)
        w.control.quiet.left_ms = 1000
        w.control.quiet._from_pa = w.sensors.pressure_pa
        w.watches.proof.active = True
        w.tick(filled_sample(5e6))
        assert w.watches.proof.active == goes_on, state
        assert (w.watches.proof.results[0] == ABORTED) != goes_on


def test_the_relief_valve_is_known_to_be_open_whoever_opened_it():
    seen = []
    w = Watched(VENTING)
    check = w.watches.tightness.check
    w.watches.tightness.check = lambda moving, relief, dt_ms: (
        seen.append((moving, relief)),
        check(moving, relief, dt_ms),
    )
    for state, rough, over, proof, relief in (
        (VENTING, False, False, 0, False),
        (VENTING, True, False, 0, True),
        (OFF, True, False, 0, False),
        (OFF, False, True, 0, True),
        (OFF, False, False, RUNNING, True),
    ):
        w.modes.state = state
        w.control.vent.relief_open = rough
        w.watches.over.relief_open = over
        w.watches.proof.active = proof == RUNNING
        w.watches.proof.results[RELIEF_VALVE] = proof
        assert w.modes.relief_open() == ((rough and state == VENTING) or over)
        w.tick(filled_sample(5e6))
        assert seen[-1] == (proof == RUNNING, relief), (state, rough, over, proof)
        assert w.rig.levels[2] == ((rough and state == VENTING) or over)


def test_the_led_the_relay_and_the_monitor():
    shown = []
    w = Watched()
    w.rig.show = lambda *values: shown.append(values)
    for pa, permille in ((5e6, 500), (2.51e6, 251)):
        for _ in range(20):
            w.tick(filled_sample(pa))
        w.modes.faults = 0
        w.sensors.pressure_pa = int(pa)
        w.outputs.show(w.rig)
        assert shown[-1][1:] == (True, permille)
    for pa, permille in ((-5_000_000, 0), (9_999_999, 999), (10_000_000, 1000), (12_000_000, 1000)):
        w.sensors.pressure_pa = pa
        w.outputs.show(w.rig)
        assert shown[-1][2] == permille
    # As firmware/README.md lists them: one bit for each 160 ms, the lowest first.
    every = ("#.......", "####....", "#...#...", "##..##..", "#.#.#.#.", "###.###.", "........")
    for state, lit in enumerate(every):
        w.modes.state = state
        w.outputs.show(w.rig)
        assert "".join("#" if shown[-1][0] >> bit & 1 else "." for bit in range(8)) == lit, state


def test_the_cycler_is_stopped_by_dangers_or_by_every_fault_as_configured():
    shown = []
    for fault, any_fault, cell_ok in (
        (NO_FAULT, 0, True),
        (NO_FAULT, 1, True),
        (DISAGREEMENT, 0, True),
        (DISAGREEMENT, 1, False),
        (OVERPRESSURE, 0, False),
        (LINE_BURST, 0, False),
        (RUNAWAY, 0, False),
    ):
        w = Watched(REGULATE, cell_safe_any=any_fault)
        w.rig.show = lambda *values: shown.append(values)
        w.modes.faults = 1 << fault if fault else 0
        w.outputs.show(w.rig)
        assert shown[-1][1] == cell_ok, (fault, any_fault)


def test_names_and_units_of_what_is_latched():
    w = Watched()
    w.clock.uptime_s, w.clock.uptime_ms = 2, 3
    assert w.modes.fault_name == "NONE"
    w.modes.trip(OVERPRESSURE, 1)
    assert w.modes.fault_name == "OVERPRESSURE"
    w.clock.uptime_s = 5
    w.modes.trip(COIL_SHORTED, 4)
    assert (w.modes.fault_value, w.modes.fault_s, w.modes.fault_ms) == (1, 2, 3)


def test_a_fault_of_the_first_tick_is_latched():
    desk = Desk()
    desk.sample.tripped = 1
    desk.app.tick()
    assert (desk.modes.fault, desk.modes.state) == (COMPARATOR_TRIPPED, SEALED)


def test_the_slowest_checks_come_once_a_second():
    seconds = [0]

    def count(*values):
        seconds[0] += 1

    w = Watched()
    w.watches.climate.check_slowly = count
    w.watches._second_ms = 0
    sample = filled_sample(5e6)
    for _ in range(6250):
        w.watches._turn = 7
        w.watches._take_turn(sample, TICK_MS, w.modes)
    assert seconds[0] == 1000
