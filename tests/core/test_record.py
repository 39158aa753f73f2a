"""What a reset leaves: bounded resume, latched faults, the loop of restarts, learned valves, wear of the flash."""

from desk import Desk

from regulator.faults import (
    NO_FAULT,
    OVERPRESSURE,
    POWER,
    PROOF_OVERDUE,
    REBOOT_LOOP,
    RESUMED,
    SETTINGS_LOST,
    STATE_LOST,
)
from regulator.modes import OFF, QUIET, REGULATE, RELIEF, SEALED, VENTING
from regulator.store.copies import Copies
from regulator.valves.sides import FILL, VENT


def boot(desk):
    """Return what the line says of this start, as a list."""
    desk.serial.sent = b""
    desk.serial.incoming = b":SYST:BOOT?\n"
    desk.run_s(0.2)
    return desk.serial.sent.decode().strip().split(",")


def ran(state=REGULATE, pa=5e6, **settings):
    """Return the flash of a device that was switched off in this state."""
    desk = Desk(pa, **settings)
    desk.run_s(1)
    if settings:
        desk.app.panel.save_due = True
    desk.app.panel.set_target(5_000_000)
    desk.app.control.target_pa = 5_000_000
    if state != OFF:
        assert desk.app.panel.output(True) == ""
        desk.run_s(62)
    if state == QUIET:
        assert desk.app.panel.quiet(60) == ""
    elif state == VENTING:
        assert desk.app.panel.vent(True) == ""
    elif state == SEALED:
        desk.sample.faults = 1
    elif state == RELIEF:
        desk.press(6.2e6)
    desk.run_s(1)
    if state == RELIEF:
        desk.press(5.7e6)
        desk.run_s(1)
    assert desk.modes.state == state
    return desk.flash


def restarted(flash, pa=5e6, cause=1, **changes):
    again = Desk(pa, flash, cause)
    for name, value in changes.items():
        setattr(again.sample, name, value)
    return again


def test_a_run_goes_on_after_a_reset():
    flash = ran()
    desk = restarted(flash)
    assert desk.modes.state == OFF
    desk.run_s(0.5)
    assert "being decided" in desk.app.panel.output(True)
    desk.run_s(1)
    assert desk.modes.state == REGULATE
    assert desk.app.control.target_pa == 5_000_000
    assert desk.watches.warnings & RESUMED
    said = boot(desk)
    assert said[:4] == ["2", "WATCHDOG", "1", "RESUMED"]
    assert said[6] == "1"
    assert desk.app.panel.output(False) == ""
    desk.run_s(0.3)
    assert not desk.watches.warnings & RESUMED


def test_a_quiet_window_goes_on_as_regulation():
    desk = restarted(ran(QUIET))
    desk.run_s(2)
    assert desk.modes.state == REGULATE


def test_what_was_off_stays_off():
    desk = restarted(ran(OFF))
    desk.run_s(5)
    assert desk.modes.state == OFF
    assert desk.modes.fault == NO_FAULT
    assert boot(desk)[3] == "NONE"


def test_a_run_whose_settings_were_lost_stays_off_and_says_so():
    flash = ran()
    for suffix in (".a", ".b"):
        flash.files.pop("settings" + suffix, None)
    desk = restarted(flash)
    desk.run_s(5)
    assert desk.modes.state == OFF
    assert boot(desk)[3] == "OFF"


def test_a_fault_of_the_first_second_is_stored_at_once():
    flash = ran()
    desk = restarted(flash)
    desk.run_s(0.1)
    desk.sample.coil_shorted = 4
    desk.run_s(0.3)
    assert desk.modes.state == SEALED
    # The next reset comes before the resume would have been decided.
    again = restarted(flash)
    assert again.modes.state == SEALED
    assert again.modes.faults == desk.modes.faults


def test_a_pressure_off_the_prediction_seals():
    for pa in (4.89e6, 5.11e6):
        desk = restarted(ran(), pa)
        desk.run_s(3)
        assert desk.modes.state == SEALED
        assert desk.modes.fault == POWER
        assert abs(desk.modes.fault_value - (pa - 5e6)) < 2_000
        assert boot(desk)[3] == "SEALED"


def test_what_the_temperature_explains_is_no_difference():
    flash = ran()
    # 8 K colder: 18.35 kPa/K.
    desk = restarted(flash, 5e6 - 8 * 18_350, wall_counts=22 * 128, gas_counts=9148 - 8 * 32)
    desk.run_s(3)
    assert desk.modes.state == REGULATE
    desk = restarted(ran(), 5e6, wall_counts=22 * 128, gas_counts=9148 - 8 * 32)
    desk.run_s(3)
    assert desk.modes.state == SEALED


def test_transducers_that_disagree_or_fail_seal():
    for name, value in (("safety_counts", 40_000), ("safety_counts", 0), ("control_counts", 0)):
        desk = restarted(ran(), **{name: value})
        desk.run_s(4)
        assert desk.modes.state == SEALED
        assert desk.modes.fault != NO_FAULT


def test_no_resume_where_it_is_switched_off():
    desk = restarted(ran(resume=0))
    desk.run_s(3)
    assert desk.modes.state == SEALED
    assert desk.modes.fault == POWER


def test_a_vent_that_was_cut_short_seals():
    desk = restarted(ran(VENTING))
    desk.run_s(3)
    assert desk.modes.state == SEALED
    assert desk.modes.fault == POWER


def test_a_latched_fault_outlasts_a_reset():
    for state in (SEALED, RELIEF):
        flash = ran(state)
        desk = restarted(flash)
        assert desk.modes.state == state
        first = desk.modes.fault
        assert first != NO_FAULT
        desk.run_s(3)
        assert desk.modes.state == state
        assert boot(desk)[3] == "FAULT"
        assert desk.app.panel.output(True) != ""
        assert desk.app.panel.acknowledge() == ""
        desk.run_s(3)
        desk = restarted(flash)
        desk.run_s(3)
        assert desk.modes.state == OFF
        if state == RELIEF:
            assert first == OVERPRESSURE


def test_after_maintenance_it_is_off_as_before():
    desk = Desk(1e5)
    desk.run_s(3)
    assert desk.app.panel.maintenance() == ""
    desk.run_s(3)
    desk.app.record.begin_save()
    desk.run_s(0.1)
    assert desk.app.saving == 0
    desk = restarted(desk.flash, cause=2)
    desk.run_s(3)
    assert (desk.modes.state, desk.modes.fault) == (OFF, NO_FAULT)


def test_a_command_comes_before_a_resume():
    desk = restarted(ran())
    desk.run_s(0.2)
    assert desk.app.panel.output(False) == ""
    desk.run_s(3)
    assert desk.modes.state == OFF
    desk = restarted(ran())
    desk.run_s(0.2)
    assert desk.app.panel.vent(True) == ""
    desk.run_s(3)
    assert desk.modes.state == VENTING


def test_three_resets_without_a_minute_of_health_keep_it_off():
    flash = ran()
    for start in range(3):
        desk = restarted(flash)
        desk.run_s(3)
        assert desk.modes.state == REGULATE, start
    desk = restarted(flash)
    desk.run_s(3)
    assert desk.modes.state == OFF
    assert desk.modes.fault == REBOOT_LOOP
    assert desk.app.panel.output(True) != ""
    assert boot(desk)[2:4] == ["4", "LOOP"]
    assert "60" in desk.app.panel.acknowledge()
    assert desk.app.panel.vent(True) == ""
    desk.run_s(1)
    assert desk.app.panel.vent(False) == ""
    desk.run_s(60)
    assert desk.app.panel.acknowledge() == ""
    desk.run_s(3)
    desk.regulate()
    assert boot(desk)[2] == "0"


def test_a_minute_of_health_ends_the_count():
    flash = ran()
    for _ in range(4):
        desk = restarted(flash)
        desk.run_s(62)
        assert desk.modes.state == REGULATE


def test_lost_settings_mean_off():
    flash = ran(dead_band_pa=7_000)
    for name in ("settings.a", "settings.b"):
        if name in flash.files:
            flash.files[name] = b"rubbish"
    desk = restarted(flash)
    desk.run_s(3)
    assert desk.modes.state == OFF
    assert desk.watches.warnings & SETTINGS_LOST


def test_a_lost_state_means_off_and_is_told():
    flash = ran()
    for name in ("state.a", "state.b"):
        flash.files[name] = flash.files[name][:-5]
    desk = restarted(flash)
    desk.run_s(3)
    assert desk.modes.state == OFF
    assert desk.watches.warnings & STATE_LOST or desk.app.store.state_lost
    assert desk.app.panel.self_test() & 128


def test_valves_remember_what_they_learned():
    desk = Desk()
    for side, gain in ((FILL, 51_000), (VENT, 47_000)):
        response = desk.app.valves.responses[side]
        assert response.recall((gain, 3_000, 7_500, 60, 9_000, 300, 80_000, 4_000))
        # One pulse that agrees confirms them.
        assert response.gain == 0
        response.judge(50_000, gain * 5 * 47 // 1000, 5_000, 1_000)
        assert abs(response.gain - gain) < gain // 8
    gains = [response.gain for response in desk.app.valves.responses]
    for side in (FILL, VENT):
        desk.watches.stuck.recall_wear(side, gains[side], 4_000_000 + side)
    desk.run_s(62)
    again = restarted(desk.flash)
    for side in (FILL, VENT):
        assert again.app.valves.responses[side].learned() == desk.app.valves.responses[side].learned()
        assert again.watches.stuck.reference_gain[side] == gains[side]
        assert again.watches.stuck.reference_pa[side] == 4_000_000 + side


def test_implausible_responses_are_not_taken_back():
    response = Desk().app.valves.responses[FILL]
    good = (51_000, 3_000, 7_500, 60, 9_000, 300, 80_000, 4_000)
    for index, value in (
        (0, 0),
        (0, 1 << 29),
        (1, 1 << 29),
        (2, 0),
        (3, 0),
        (4, 0),
        (6, 8_000),
        (5, 1 << 29),
    ):
        bad = list(good)
        bad[index] = value
        assert not response.recall(tuple(bad)), bad
        assert response.gain == 0
    assert response.recall(good)


def test_the_flash_is_written_seldom():
    desk = Desk()
    desk.run_s(62)
    start = desk.flash.writes
    desk.regulate()
    assert desk.flash.writes == start + 1
    for _ in range(12):
        desk.app.clock.uptime_s += 298
        desk.run_s(2)
    assert start + 2 <= desk.flash.writes <= start + 4
    desk.app.panel.output(False)
    desk.run_s(5)
    before = desk.flash.writes
    for _ in range(4):
        desk.app.clock.uptime_s += 1800
        desk.run_s(2)
    assert desk.flash.writes == before


def test_switching_on_and_off_does_not_wear_the_flash():
    desk = Desk()
    desk.run_s(62)
    desk.app.panel.set_target(5_000_000)
    start = desk.flash.writes
    for _ in range(100):
        desk.app.panel.output(True)
        desk.run_s(0.1)
        desk.app.panel.output(False)
        desk.run_s(0.1)
    assert desk.flash.writes - start <= 11


def test_a_save_that_failed_is_tried_again():
    # Each operation of a save fails in turn: a new file, what is written into it, its end, its new name.
    for operation in (1, 2, 3, 4):
        desk = Desk()
        desk.run_s(62)
        desk.flash.fails_in = operation
        desk.app.panel.set_target(5_100_000)
        desk.run_s(0.2)
        assert desk.app.store.failures == 1 and desk.watches.warnings & STATE_LOST
        desk.flash.fails_in = operation
        assert desk.app.panel.change_setting("dead_band_pa", 5_432) == ""
        desk.run_s(0.2)
        assert desk.app.store.failures == 2 and desk.watches.warnings & SETTINGS_LOST
        before = desk.flash.writes
        desk.run_s(2)
        assert desk.flash.writes == before
        desk.app.record._own_s = 599
        desk.run_s(2)
        assert desk.flash.writes == before + 2
        assert not desk.watches.warnings & (STATE_LOST | SETTINGS_LOST)
        assert Copies(desk.flash, "state").load()["target_pa"] == 5_100_000
        assert Copies(desk.flash, "settings").load()["dead_band_pa"] == 5_432
        desk.app.record._own_s = 599
        desk.run_s(2)
        assert desk.flash.writes == before + 2


def test_a_save_that_always_fails_is_tried_each_ten_minutes_at_the_cost_of_other_writes():
    desk = Desk()
    desk.run_s(62)
    record = desk.app.record
    record._own_s = 0
    desk.flash.fails_in = 1
    desk.app.panel.change_setting("dead_band_pa", 5_432)
    desk.run_s(1.2)
    own = record._own
    for count in range(2, 20):
        desk.flash.fails_in = 1
        desk.run_s(1.2)
        assert desk.app.store.failures == count - 1
        record._own_s = 599
        desk.run_s(1.2)
        assert desk.app.store.failures == count
        record._own_s = 0
    assert record._own == own


def test_the_state_is_written_before_a_valve_moves():
    desk = Desk(4.9e6)
    desk.run_s(3)
    desk.app.panel.set_target(5_000_000)
    desk.app.panel.output(True)
    while not desk.pulses and not any(desk.levels):
        desk.app.tick()
    assert Copies(desk.flash, "state").load()["state"] == REGULATE


def test_a_proof_test_becomes_overdue_in_service_and_may_lock_the_output():
    desk = Desk(proof_interval_days=1, proof_lockout=1)
    desk.run_s(2)
    desk.app.record.hours = 24
    desk.run_s(1.2)
    assert not desk.watches.warnings & PROOF_OVERDUE
    desk.app.record.hours = 25
    desk.run_s(1.2)
    assert desk.watches.warnings & PROOF_OVERDUE
    desk.app.panel.set_target(5_000_000)
    assert "overdue" in desk.app.panel.output(True)
    prove_all(desk)
    desk.serial.incoming = b":DIAG:PRO 20261124\n"
    desk.run_s(1)
    assert not desk.watches.warnings & PROOF_OVERDUE
    assert desk.app.panel.output(True) == ""
    desk.run_s(3)
    again = restarted(desk.flash)
    assert (again.app.record.proof_date, again.app.record.proof_hours) == (20_261_124, 25)


def prove_all(desk):
    """Prove every valve by command; the desk's pressure moves only for the relief."""
    for valve in range(5):
        assert desk.app.panel.prove(valve, 100) == ""
        desk.run_s(0.15)
        if valve == 4:
            desk.press(4.9e6)
        desk.run_s(0.5)


def test_hours_in_service_go_on_after_a_reset():
    desk = Desk()
    desk.app.record._hour_s = 3_590
    desk.run_s(63)
    assert desk.app.record.hours == 1
    again = restarted(desk.flash)
    assert again.app.record.hours == 1


def test_the_self_test_has_a_bit_for_each_part():
    desk = Desk()
    desk.run_s(1)
    assert desk.app.panel.self_test() == 0
    for name, value, bit in (
        ("control_counts", 0, 8),
        ("safety_counts", 0, 16),
        ("supply_counts", 0, 32),
        ("rail_on", 0, 256),
        ("faults", 2, 2),
    ):
        desk = Desk()
        setattr(desk.sample, name, value)
        desk.run_s(1)
        assert desk.app.panel.self_test() == bit, name
    desk.app.store.lost = True
    assert desk.app.panel.self_test() == 2 + 64
    desk.app.store.state_lost = True
    assert desk.app.panel.self_test() == 2 + 64 + 128


def test_limits_of_the_last_run_hold_where_the_settings_are_gone_and_not_where_they_are_intact():
    desk = Desk(trip_pa=5_800_000)
    desk.run_s(62)
    # A setting that was changed, and a reset before the state was written.
    again = restarted(desk.flash)
    assert not again.app.store.lost
    assert again.app.settings.get("trip_pa") == 6_000_000
    for name in [name for name in desk.flash.files if name.startswith("settings")]:
        del desk.flash.files[name]
    desk.run_s(62)
    desk.app.record.note_change()
    desk.run_s(1)
    again = restarted(desk.flash)
    assert again.app.store.lost
    assert again.app.settings.get("trip_pa") == 5_800_000
