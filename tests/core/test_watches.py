"""Each watch of the safety module: what it sees, how soon, and what it must not mistake for a fault."""

from chamber import ads_counts
from desk import Desk
from fakes import Random

from regulator.faults import (
    ADC_DEAD,
    COIL_DEAD,
    COIL_SHORTED,
    COMPARATOR_TRIPPED,
    CONTROL_ERRATIC,
    FILL_STUCK_OPEN,
    GAS_CHASED,
    GAS_GAINED,
    GAS_TEMPERATURE,
    HOST_GONE,
    HOST_SILENT,
    LEAK,
    LEAK_BUDGET,
    LINE_BURST,
    NO_FAULT,
    RAIL_LOST,
    REFERENCE_DRIFT,
    RELIEF_STUCK_OPEN,
    RUNAWAY,
    SUPPLY_HIGH,
    SUPPLY_LOW,
    SUPPLY_TRANSDUCER,
    TRANSDUCER_STILL,
    VENT_STUCK_OPEN,
    WALL_TEMPERATURE,
)
from regulator.modes import OFF, REGULATE, RELIEF, SEALED, VENTING
from regulator.valves.sides import FILL, VENT
from regulator.valves.window import HOLD


def settled(pa=5e6, **settings):
    desk = Desk(pa, **settings)
    desk.run_s(1)
    assert desk.modes.fault == NO_FAULT
    return desk


def test_a_dead_converter_seals_within_a_tenth_of_a_second():
    for regulating in (False, True):
        desk = settled()
        if regulating:
            desk.regulate()
        desk.sample.faults = 1
        assert desk.ms_until_fault(100) <= 100
        assert desk.modes.fault == ADC_DEAD
        assert desk.modes.state == SEALED
        assert "ADC_DEAD" in desk.app.panel.acknowledge()
        desk.sample.faults = 0
        desk.run_s(0.1)
        assert desk.app.panel.acknowledge() == ""


def test_three_lost_conversions_are_nothing():
    desk = settled()
    for _ in range(50):
        desk.sample.faults = 1
        desk.run_s(0.06)
        desk.sample.faults = 0
        desk.run_s(0.02)
    assert desk.modes.fault == NO_FAULT


def test_readings_that_jump_to_and_fro_are_erratic_single_ones_are_counted():
    desk = settled()
    good = desk.sample.control_counts
    for ticks in range(40):
        desk.sample.control_counts = (good + 2000, good - 2000, good, good + 3000)[ticks % 4]
        desk.app.tick()
    assert desk.modes.fault == CONTROL_ERRATIC
    desk = settled()
    for _ in range(100):
        desk.sample.control_counts = good + 2000
        desk.app.tick()
        desk.sample.control_counts = good
        desk.run_s(0.4)
    assert desk.modes.fault == NO_FAULT
    assert desk.app.sensors.control.wild_samples >= 100


def test_a_fast_fill_is_not_erratic():
    desk = settled(1e6)
    desk.modes.state = VENTING
    pa = 1e6
    while pa < 5e6:
        pa += 150_000
        desk.press(pa)
        desk.watches.loops.check(False, 20)
        desk.app.sensors.update(desk.sample, 20)
        assert desk.watches.loops.fault != CONTROL_ERRATIC


def test_the_reference_of_the_converter_drifts():
    desk = settled()
    desk.sample.reference_counts = 20_099
    desk.run_s(60)
    assert not desk.watches.warnings & REFERENCE_DRIFT
    desk.sample.reference_counts = 19_890
    desk.run_s(60)
    assert desk.watches.warnings & REFERENCE_DRIFT
    desk.sample.reference_counts = 20_000
    desk.run_s(1)
    assert not desk.watches.warnings & REFERENCE_DRIFT


def test_counts_that_stay_the_same_only_warn():
    desk = settled()
    # Nine minutes at once.
    desk.app.sensors.control.still_ms = desk.app.sensors.supply.still_ms = 595_000
    desk.run_s(4)
    assert not desk.watches.warnings & TRANSDUCER_STILL
    desk.run_s(4)
    assert desk.watches.warnings & TRANSDUCER_STILL
    assert desk.watches.warnings & SUPPLY_TRANSDUCER
    desk.sample.control_counts += 1
    desk.sample.supply_counts += 1
    desk.run_s(1)
    assert not desk.watches.warnings & (TRANSDUCER_STILL | SUPPLY_TRANSDUCER)
    assert desk.modes.fault == NO_FAULT


def test_the_safety_transducer_may_stand_still_in_a_wide_step_of_its_converter():
    for pa, warned in ((5_220_000, False), (5_000_000, True)):
        desk = settled(pa)
        desk.sample.control_counts += 1
        desk.app.sensors.safety.still_ms = 595_000
        for _ in range(8):
            desk.run_s(1)
            desk.sample.control_counts ^= 1
        assert bool(desk.watches.warnings & TRANSDUCER_STILL) == warned, pa


def test_coils_and_rail_within_fifty_ms():
    for name, value, fault in (
        ("coil_dead", 2, COIL_DEAD),
        ("coil_shorted", 16, COIL_SHORTED),
        ("rail_on", 0, RAIL_LOST),
    ):
        desk = settled()
        setattr(desk.sample, name, value)
        assert desk.ms_until_fault(50) <= 50
        assert desk.modes.fault == fault
        assert desk.modes.state == SEALED
        assert desk.modes.fault_value == (0 if fault == RAIL_LOST else value)


def test_one_sample_of_a_coil_is_an_edge_not_a_fault():
    desk = settled()
    for name, value, healthy in (("coil_dead", 1, 0), ("coil_shorted", 1, 0), ("rail_on", 0, 1)):
        for _ in range(10):
            setattr(desk.sample, name, value)
            desk.app.tick()
            setattr(desk.sample, name, healthy)
            desk.app.tick()
    desk.sample.coil_dead = 1
    desk.app.tick()
    desk.sample.coil_dead = 2
    desk.app.tick()
    assert desk.modes.fault == NO_FAULT


def test_a_rail_that_is_not_up_yet_is_no_fault():
    desk = Desk()
    desk.sample.rail_on = 0
    desk.run_s(0.28)
    assert desk.modes.fault == NO_FAULT
    desk.run_s(0.1)
    assert desk.modes.fault == RAIL_LOST


def test_a_shorted_transistor_cuts_the_rail_until_a_trial_was_good():
    desk = settled()
    desk.sample.coil_shorted = 4
    desk.run_s(0.06)
    assert desk.modes.fault == COIL_SHORTED
    assert desk.fed[-1] is False
    desk.sample.rail_on = 0
    desk.sample.coil_shorted = 0
    desk.run_s(5)
    assert desk.fed[-1] is False
    # The first acknowledge tries the rail; the fault is still there.
    assert "again" in desk.app.panel.acknowledge()
    desk.app.tick()
    assert desk.fed[-1] is True
    desk.sample.rail_on = 1
    desk.sample.coil_shorted = 4
    desk.run_s(0.06)
    assert desk.fed[-1] is False
    assert desk.modes.state == SEALED
    # Repaired: the trial is good, and the second acknowledge works.
    desk.sample.rail_on = 0
    desk.sample.coil_shorted = 0
    desk.run_s(1)
    assert "again" in desk.app.panel.acknowledge()
    desk.app.tick()
    desk.sample.rail_on = 1
    assert "again" in desk.app.panel.acknowledge()
    desk.run_s(0.6)
    assert desk.app.panel.acknowledge() == ""
    assert desk.modes.state == OFF
    assert desk.fed[-1] is True


def test_a_trial_that_nobody_follows_up_ends():
    desk = settled()
    desk.sample.coil_shorted = 4
    desk.run_s(0.06)
    desk.sample.coil_shorted = 0
    assert "again" in desk.app.panel.acknowledge()
    desk.run_s(10)
    assert desk.fed[-1] is True
    desk.run_s(1)
    assert desk.fed[-1] is False
    assert "again" in desk.app.panel.acknowledge()


def test_over_pressure_opens_the_relief_over_a_rail_that_was_cut():
    desk = settled()
    desk.sample.coil_shorted = 1
    desk.run_s(0.06)
    assert desk.fed[-1] is False
    desk.press(6.2e6)
    desk.run_s(0.06)
    assert desk.modes.state == RELIEF
    assert desk.levels == (False, False, True)
    assert desk.fed[-1] is True


def test_the_comparator_alone_seals_in_one_tick():
    for state in (OFF, REGULATE, VENTING, SEALED):
        desk = settled()
        desk.modes.state = state
        desk.sample.tripped = 1
        desk.app.tick()
        assert desk.modes.state == SEALED
        assert desk.modes.fault == COMPARATOR_TRIPPED
        assert desk.levels == (False, False, False)
        assert "COMPARATOR" in desk.app.panel.acknowledge()
        desk.sample.tripped = 0
        desk.run_s(0.1)
        assert desk.app.panel.acknowledge() == ""


def test_a_comparator_without_any_transducer_opens_the_relief():
    desk = settled()
    desk.sample.tripped = 1
    desk.sample.control_counts = 0
    desk.sample.safety_counts = 0
    desk.app.tick()
    assert desk.levels == (False, False, True)


def moving(desk, pa_s, seconds, safety=1.0):
    """Let the pressure run, of which the safety transducer sees a share; return the ms until a fault, 0 for none."""
    pa = 5e6
    for ticks in range(int(seconds * 50)):
        pa += pa_s // 50
        desk.press(pa, 5e6 + safety * (pa - 5e6))
        # A live converter.
        desk.sample.safety_counts += ticks & 1
        desk.app.tick()
        if desk.modes.fault:
            return (ticks + 1) * 20
    return 0


def known(desk, side, gain):
    response = desk.app.valves.responses[side]
    response.gain = gain
    response.judged = 10
    desk.run_s(0.5)


def well_known():
    """A settled desk whose two valves are known."""
    desk = settled()
    known(desk, FILL, 58_000)
    known(desk, VENT, 58_000)
    return desk


def test_a_rise_or_fall_while_shut_is_a_stuck_valve():
    for pa_s, fault, within_ms in ((250_000, FILL_STUCK_OPEN, 300), (-280_000, VENT_STUCK_OPEN, 500)):
        desk = well_known()
        took_ms = moving(desk, pa_s, 1)
        assert 0 < took_ms <= within_ms, took_ms
        assert desk.modes.fault == fault
        assert desk.modes.state == SEALED
        assert (desk.modes.fault_value > 0) == (pa_s > 0)


def test_the_safety_transducer_must_see_a_share_of_a_movement():
    for pa_s in (250_000, -280_000):
        for share, told in ((0.2, False), (0.7, True)):
            desk = well_known()
            assert moving(desk, 0, 0.4) == 0
            assert (moving(desk, pa_s, 0.4, share) > 0) == told, (pa_s, share)


def test_a_slow_valve_takes_longer_to_be_told():
    desk = settled()
    known(desk, VENT, 3_500)
    took_ms = moving(desk, -17_000, 5)
    assert 0 < took_ms <= 2500, took_ms
    assert desk.modes.fault == VENT_STUCK_OPEN


def test_what_the_gas_gives_back_after_a_ramp_is_no_leak():
    # 100 kPa/s to 5 MPa leaves 382 kPa to give back, at first by 30 kPa/s.
    for sign in (1, -1):
        desk = well_known()
        desk.watches.tightness._heat.warm.pa = sign * 382_000
        desk.watches.tightness._heat.cold.pa = -sign * 382_000
        desk.watches.chase.check_slowly(True, 0)
        pa, left = 5e6, 382_000.0
        for _ in range(1500):
            left -= left / 13 / 50
            desk.press(pa - sign * (382_000 - left))
            desk.app.tick()
        assert desk.modes.fault == NO_FAULT


def test_a_ramp_within_a_second_is_one():
    desk = well_known()
    chase = desk.watches.chase
    sensors = desk.app.sensors
    for ramp_pa, moved in ((4_200_000, False), (4_746_000, True)):
        for _ in range(200):
            chase.check_slowly(False, 4_200_000)
        assert chase.warnings == 0
        sensors.settled_pa += 200_000
        sensors.pressure_pa += 200_000
        for _ in range(20):
            chase.check_slowly(False, ramp_pa)
        assert bool(chase.warnings & GAS_GAINED) != moved


def test_gas_of_a_pulse_under_way_is_not_counted_before_it_is_metered():
    desk = well_known()
    chase = desk.watches.chase
    valves = desk.app.valves
    for _ in range(200):
        chase.check_slowly(False, 0)
    while chase._seconds % 10 < 9:
        chase.check_slowly(False, 0)
    assert valves.request(FILL, 90_000, HOLD)
    desk.app.sensors.settled_pa += 70_000
    desk.app.sensors.pressure_pa += 70_000
    for _ in range(3):
        chase.check_slowly(False, 0)
    valves.abort()
    while not valves.idle():
        valves.update(20)
    valves.metered_pa += 70_000 * 145 // 100
    for _ in range(15):
        chase.check_slowly(False, 0)
    assert chase.warnings == 0


def test_noise_three_times_as_large_is_no_movement():
    random = Random(5)
    desk = settled()
    for _ in range(3000):
        # About 1.5 kPa rms: the sum of four even distributions.
        noise = sum([random.below(5200) for _ in range(4)]) - 10_400
        desk.press(5e6 + noise, 5e6)
        desk.app.tick()
    assert desk.modes.fault == NO_FAULT


def test_a_fall_that_no_vent_can_do_is_a_burst():
    for pa_s in (-3_000_000, -1_000_000):
        desk = settled()
        known(desk, VENT, 58_000)
        took_ms = moving(desk, pa_s, 1)
        assert 0 < took_ms <= 200, took_ms
        assert desk.modes.fault == LINE_BURST
    desk = settled()
    known(desk, VENT, 58_000)
    desk.modes.state = VENTING
    desk.app.control.vent.state = 1
    assert 0 < moving(desk, -5_000_000, 1) <= 200
    assert desk.modes.fault == LINE_BURST


def test_a_jump_that_the_safety_transducer_does_not_see_is_no_burst():
    for pa_s in (-3_000_000, 3_000_000):
        desk = settled()
        moving(desk, pa_s, 0.3, safety=0)
        assert desk.modes.fault == NO_FAULT


def test_a_fall_after_a_relief_is_the_relief_valve():
    desk = settled()
    known(desk, VENT, 58_000)
    desk.press(6.1e6)
    desk.run_s(0.1)
    assert desk.modes.state == RELIEF
    pa = 6.1e6
    while desk.levels[2]:
        pa -= 40_000
        desk.press(pa)
        desk.app.tick()
    for _ in range(20):
        pa -= 40_000
        desk.press(pa)
        desk.app.tick()
    assert desk.watches.tightness.fault == RELIEF_STUCK_OPEN
    assert "RELIEF_STUCK_OPEN" in desk.app.panel.acknowledge()
    desk.run_s(6)
    assert desk.app.panel.acknowledge() == ""


def test_supply_low_and_high_hold_fill_back_and_end_by_themselves():
    desk = settled(4.9e6)
    desk.regulate()
    for ma, warning in ((4 + 16 * 0.495, SUPPLY_LOW), (4 + 16 * 1.0275, SUPPLY_HIGH), (21.5, SUPPLY_HIGH)):
        good = desk.sample.supply_counts
        desk.sample.supply_counts = ads_counts(ma)
        desk.run_s(0.2)
        assert desk.watches.warnings & warning
        assert not desk.modes.may_move(FILL)
        assert desk.modes.may_move(VENT)
        desk.run_s(1)
        assert desk.levels == (False, False, False)
        pulses = len(desk.pulses)
        desk.run_s(5)
        assert len(desk.pulses) == pulses
        desk.sample.supply_counts = good
        desk.run_s(0.5)
        assert not desk.watches.warnings & warning
        assert desk.modes.may_move(FILL)
    assert desk.modes.state == REGULATE


def test_a_low_supply_is_nothing_where_no_fill_is_wanted():
    desk = settled()
    desk.sample.supply_counts = ads_counts(4 + 16 * 0.3)
    desk.run_s(1)
    assert not desk.watches.warnings & SUPPLY_LOW
    desk.regulate(3_000_000)
    assert not desk.watches.warnings & SUPPLY_LOW


def test_a_supply_transducer_that_fails_warns_and_does_not_stop_fills():
    desk = settled(4.9e6)
    desk.regulate()
    desk.sample.supply_counts = 0
    desk.run_s(1)
    assert desk.watches.warnings & SUPPLY_TRANSDUCER
    assert desk.modes.may_move(FILL)


def test_a_wall_that_is_too_hot_or_heats_too_fast_is_a_runaway():
    # The gas warms with the wall: 32 counts are 1 K.
    for start, step, every_s in ((78.0, 0.1, 1.0), (30.0, 0.2, 1.0)):
        desk = settled(runaway_relief=0)
        desk.sample.wall_counts = int(start * 128)
        gas_counts = 9148 if start < 40 else 10_600
        desk.sample.gas_counts = gas_counts
        desk.run_s(70)
        assert desk.modes.fault == NO_FAULT
        celsius = start
        for _ in range(60):
            celsius += step
            desk.sample.wall_counts = int(celsius * 128)
            desk.sample.gas_counts = gas_counts + int((celsius - start) * 16)
            desk.run_s(every_s)
            if desk.modes.fault:
                break
        assert desk.modes.fault == RUNAWAY
        assert desk.modes.state == SEALED
        assert celsius < (80.6 if start > 40 else 32)
        desk.run_s(0.3)
        assert desk.shown[1] is False


def test_a_runaway_empties_the_chamber_where_that_is_configured():
    desk = settled(runaway_relief=1)
    desk.sample.wall_counts = 84 * 128
    desk.sample.gas_counts = 10_600
    desk.run_s(70)
    assert desk.modes.state == RELIEF
    assert desk.levels[2]


def test_an_oven_that_swings_or_whose_door_is_opened_is_no_runaway():
    desk = settled()
    celsius = 30.0
    for second in range(600):
        celsius += -0.05 if second < 300 else 0.05
        desk.sample.wall_counts = int(celsius * 128)
        desk.run_s(1)
    assert desk.modes.fault == NO_FAULT


def test_a_temperature_sensor_that_jumps_or_disagrees_is_not_trusted():
    desk = settled()
    desk.run_s(3)
    desk.sample.wall_counts += 20 * 128
    desk.run_s(3)
    assert desk.watches.warnings & WALL_TEMPERATURE
    assert desk.app.sensors.wall_mk == 0
    assert desk.modes.fault == NO_FAULT
    desk.sample.wall_counts -= 20 * 128
    desk.run_s(65)
    assert not desk.watches.warnings & WALL_TEMPERATURE
    desk.sample.gas_counts += 40 * 32
    desk.run_s(6)
    assert desk.watches.warnings & GAS_TEMPERATURE
    assert not desk.watches.warnings & WALL_TEMPERATURE
    desk.sample.gas_counts -= 40 * 32
    desk.run_s(65)
    assert not desk.watches.warnings & GAS_TEMPERATURE


def test_temperature_sensors_that_do_not_answer_warn():
    desk = settled()
    desk.sample.faults = 6
    desk.run_s(2)
    assert desk.watches.warnings & GAS_TEMPERATURE
    assert desk.watches.warnings & WALL_TEMPERATURE
    assert desk.modes.fault == NO_FAULT


class Balance:
    """The leak watch alone, second by second."""

    def __init__(self):
        self.desk = settled()
        self.leak = self.desk.watches.balance
        self.sensors = self.desk.app.sensors
        self.sensors.settled_pa = 5_000_000

    def run(self, hours, loss_pa_h=0, fed_pa=0, wall_mk_h=0, ramp_pa_s=0, misread=0):
        """Let so many hours pass, with feeding of so much settled pressure in each of them.

        A ramp feeds as it needs, and meters a share `misread` too much.
        """
        ramp_pa = 0
        lost = 0.0
        from_pa = self.sensors.settled_pa
        wall_mk = self.sensors.wall_mk
        for second in range(int(hours * 3600)):
            lost += loss_pa_h / 3600
            self.sensors.settled_pa = int(from_pa - lost)
            self.sensors.wall_mk = wall_mk + wall_mk_h * second // 3600
            if fed_pa and second % 3600 == 1800:
                self.desk.app.valves.metered_pa += fed_pa * 145 // 100
                from_pa += fed_pa
            if ramp_pa_s:
                ramp_pa += ramp_pa_s
                from_pa += ramp_pa_s
                self.desk.app.valves.metered_pa += int(ramp_pa_s * 1.45 * (1 + misread))
            self.leak.check_slowly(False, ramp_pa)


def test_a_large_leak_is_told_in_a_quarter_of_an_hour_a_small_one_in_hours():
    for loss_pa_h, hours, leaks, seals in (
        (1_000_000, 0.6, True, True),
        (270_000, 0.6, True, False),
        (100_000, 1.3, True, False),
        (14_000, 8.3, True, False),
        (6_000, 8.3, False, False),
    ):
        balance = Balance()
        balance.run(hours, loss_pa_h)
        assert (balance.leak.fault == LEAK_BUDGET) == seals, loss_pa_h
        assert bool(balance.leak.warnings & LEAK) == leaks, loss_pa_h
        assert not balance.leak.warnings & GAS_GAINED


def test_what_is_fed_makes_a_leak_no_smaller():
    balance = Balance()
    balance.run(4.3, 50_000, fed_pa=50_000)
    assert balance.leak.warnings & LEAK
    assert balance.leak.fault == NO_FAULT


def test_warming_is_no_leak_and_no_gain():
    balance = Balance()
    per_kelvin_pa = balance.sensors.per_kelvin_pa()
    balance.run(8.3, -per_kelvin_pa, wall_mk_h=1_000)
    assert balance.leak.warnings == 0


def test_gas_that_nobody_let_in_is_told():
    balance = Balance()
    balance.run(1.3, -200_000)
    assert balance.leak.warnings & GAS_GAINED


def test_a_slow_ramp_is_no_leak_and_hides_none():
    for misread in (-0.15, 0.15):
        balance = Balance()
        balance.run(1.3, ramp_pa_s=1_000, misread=misread)
        assert balance.leak.warnings == 0 and balance.leak.fault == NO_FAULT
        # Slower than a host that follows a profile would ask for.
        balance = Balance()
        balance.run(8.3, ramp_pa_s=20, misread=misread)
        assert balance.leak.warnings == 0
        balance.run(1.3, 350_000, ramp_pa_s=20, misread=misread)
        assert balance.leak.fault == LEAK_BUDGET


def test_what_moves_much_gas_begins_the_balance_anew():
    balance = Balance()
    balance.run(0.4, 1_000_000)
    balance.leak.check_slowly(True, 0)
    balance.run(0.45, 1_000_000)
    assert balance.leak.warnings == 0


def test_a_host_that_is_gone_is_told_or_answered():
    for action, state in ((0, REGULATE), (1, SEALED), (2, VENTING)):
        desk = settled(host_timeout_s=30, host_gone_action=action)
        desk.regulate()
        desk.run_s(23)
        assert not desk.watches.warnings & HOST_SILENT
        desk.run_s(5)
        assert desk.watches.warnings & HOST_SILENT
        assert desk.modes.state == state
        assert desk.modes.fault == (HOST_GONE if action == 1 else NO_FAULT)


def test_a_host_that_speaks_is_not_gone_and_by_default_nobody_asks():
    desk = settled(host_timeout_s=30, host_gone_action=1)
    desk.regulate()
    for _ in range(5):
        desk.serial.incoming += b"*STB?\n"
        desk.run_s(20)
    assert desk.modes.state == REGULATE
    desk = settled()
    desk.regulate()
    desk.run_s(100)
    assert desk.modes.state == REGULATE


def test_reversals_of_an_hour_have_a_budget_and_older_ones_do_not_count():
    desk = settled()
    chase = desk.watches.chase
    valves = desk.app.valves
    turns = desk.app.settings.get("reversals_h")
    valves.reversals = 1_000
    chase.clear()
    chase.check_slowly(False, 5_000_000)
    for _ in range(3):
        valves.reversals += turns
        for _ in range(3_900):
            chase.check_slowly(False, 5_000_000)
        assert chase.fault == NO_FAULT
    valves.reversals += turns + 1
    for _ in range(10):
        chase.check_slowly(False, 5_000_000)
    assert chase.fault == GAS_CHASED
