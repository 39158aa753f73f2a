"""The firmware on a stock MicroPython image, on an emulated RP2040 with the board's chips on its pins.

All times are emulated, and each test has its own freshly booted board.
"""

from __future__ import annotations

import pytest

from ipch.sim.coils import NAMES
from ipch.sim.injector import inject
from ipch.sim.world import COILS
from tests.device.boards import Board

pytestmark = pytest.mark.pico


def test_what_serial_tools_send_changes_nothing(board: Board) -> None:
    board.regulate()
    board.run_until_edge("fill", True, 4000)
    resets = len(board.chip.resets)
    before = board.fetch()
    for junk in (b"\x03\x03", b"\x01", b"\x04", b"\x02", b"\r\x03\x03\r\x01", b"AT\r", b"ATE1 E0\r", b"+++"):
        board.world.script[board.world.ticks + 1] = junk
        board.run_ms(60)
    board.world.script[board.world.ticks + 1] = b"\n*CLS\n"
    board.run_ms(100)
    after = board.fetch()
    assert len(board.chip.resets) == resets
    assert (after["boot"], after["state"], after["fault"]) == (before["boot"], "REGULATE", "NONE")
    assert int(after["uptime_ms"]) > int(before["uptime_ms"])
    plant_pa = board.world.plant.pressure_pa
    board.wait_for(lambda: board.world.plant.pressure_pa > plant_pa + 10_000, 6000, "10 kPa more", 20)


def test_a_chip_that_holds_sda_is_freed_before_it_counts_as_a_fault(board: Board) -> None:
    device = board.device
    board.run_ms(100)
    device.i2c.hold_sda()
    board.run_ms(300)
    values = board.fetch()
    assert values["fault"] == "NONE"
    assert not device.i2c.held()
    transfers = device.i2c.transfers
    board.run_ms(40)
    assert device.i2c.transfers >= transfers + 4


def test_pressure_rises_through_pulses_of_the_pio(board: Board) -> None:
    device = board.device
    board.regulate()
    device.edges.clear()
    board.wait_for(lambda: board.world.plant.pressure_pa > 130_000, 6000, "30 kPa more", 20)
    fills = [(at, on) for at, name, on in device.edges if name == "fill"]
    lengths_us = [(off - on) / 1000 for (on, _), (off, _) in zip(fills[::2], fills[1::2], strict=False)]
    assert len(lengths_us) > 2
    # The first pulse may be cut short: a proof of the supply isolation ends by shutting everything.
    for length_us in lengths_us[1:]:
        assert 500 < length_us < 300_100
        # Whole steps of the PIO program.
        assert abs(length_us - round(length_us / 10) * 10) < 1


def test_a_hung_processor_is_reset_and_boots_without_regulating(board: Board) -> None:
    board.regulate()
    board.run_until_edge("fill", True, 4000)
    resets = len(board.chip.resets)
    board.chip.hang()
    hung = board.chip.now_s
    board.wait_for(lambda: len(board.chip.resets) > resets, 2000, "reset")
    assert board.chip.resets[-1] - hung <= 1.1
    board.chip.run_to_prompt()
    assert board.ask(b"*IDN?").startswith("ipch,")
    assert board.fetch()["state"] != "REGULATE"


def test_settings_survive_a_reset(board: Board) -> None:
    board.tell(b':SYST:SETT "dead_band_pa",5500')
    board.run_ms(200)
    boot = int(board.fetch()["boot"])
    board.chip.power_cycle()
    assert board.ask(b':SYST:SETT? "dead_band_pa"').split(",")[2] == "5500"
    assert int(board.fetch()["boot"]) == boot + 1


def test_maintenance_leaves_the_prompt_to_tools(board: Board) -> None:
    resets = len(board.chip.resets)
    board.tell(b":SYST:MAIN")
    board.wait_for(lambda: len(board.chip.resets) > resets, 1000, "reset", 10)
    board.chip.run_to_prompt()
    board.run_ms(1500)
    assert board.chip.execute("print(6*7)").strip() == "42"
    assert len(board.chip.resets) == resets + 1, "the watchdog must not run"
    assert not any(board.device.coils_on())
    board.chip.power_cycle()
    assert board.ask(b"*IDN?").startswith("ipch,")


def sealed_within_ms(board: Board, fault: str, values: dict[str, object], limit_ms: float) -> None:
    """Inject a fault; the state must be SEALED, and every output off, in time (plus two ticks for the read-back)."""
    inject(board.world, fault, values)
    board.run_ms(limit_ms + 20)
    assert not any(board.device.coils_on())
    assert board.fetch()["state"] == "SEALED"


@pytest.mark.parametrize("fault", ["coil-open", "transistor-short"])
@pytest.mark.parametrize("name", NAMES)
def test_a_coil_or_transistor_that_fails_at_rest_seals(board: Board, name: str, fault: str) -> None:
    board.run_ms(300)
    assert board.fetch()["fault"] == "NONE"
    sealed_within_ms(board, fault, {"valve": name}, 50)


def test_a_shorted_coil_seals_at_its_first_use(board: Board) -> None:
    board.regulate()
    inject(board.world, "coil-short", {"valve": "supply_isolation"})
    on = board.run_until_edge("supply_isolation", True, 4000)
    board.wait_for(lambda: not any(board.device.coils_on()), 500, "all shut")
    assert (board.device.edges[-1][0] - on) / 1e6 <= 50 + 20
    assert board.fetch()["state"] == "SEALED"


def test_a_lost_coil_rail_seals(board: Board) -> None:
    board.run_ms(300)
    sealed_within_ms(board, "rail-lost", {}, 50)


def test_the_comparator_alone_seals_while_the_processor_lives(board: Board) -> None:
    board.run_ms(300)
    inject(board.world, "comparator-trips", {})
    board.run_ms(60)
    assert board.fetch()["state"] == "SEALED"
    assert not board.world.plant.valves[COILS[NAMES.index("relief")]].energised


def test_a_shorted_transistor_cuts_the_rail_at_once_and_a_trial_switches_it_on(board: Board) -> None:
    board.run_ms(400)
    coils = board.device.coils
    valve = board.world.plant.valves[COILS[NAMES.index("relief")]]
    assert coils.rail
    valve.held = True
    # Two ticks until two samples show it, and the rest of the tick.
    board.wait_for(lambda: not coils.rail, 50, "a rail that is cut")
    board.run_ms(200)
    assert not coils.rail
    valve.held = False
    assert board.fetch()["fault"] == "COIL_SHORTED"
    with pytest.raises(AssertionError, match="acknowledge again"):
        board.tell(b":SYST:FAUL:ACK")
    board.run_ms(600)
    assert coils.rail
    board.tell(b":SYST:FAUL:ACK")
    assert board.fetch()["fault"] == "NONE"
    assert coils.rail


def test_an_error_of_the_3_3_v_supply_is_taken_out_of_the_safety_transducer(board: Board) -> None:
    """The Pico's converter measures against its own supply: 2 % of 4.2 mA are 50 kPa."""
    before_pa = int(board.fetch()["safety_pa"])
    for volt in (3.234, 3.366):
        board.device.supply_volt = volt
        board.run_ms(4000)
        assert abs(int(board.fetch()["safety_pa"]) - before_pa) < 15_000, volt


def test_a_converter_of_the_gas_temperature_that_stands_still_is_no_reading(board: Board) -> None:
    board.run_ms(500)
    assert board.ask(b":SYST:WARN?") == "NONE"
    board.device.max31865.frozen = True
    # Two readings 160 ms apart, and five seconds of doubt.
    board.run_ms(5500)
    assert "GAS_TEMPERATURE" in board.ask(b":SYST:WARN?")
    assert board.ask(b":SENS:TEMP?") == "9.91E37"
    board.device.max31865.frozen = False
    board.wait_for(lambda: board.ask(b":SENS:TEMP?") != "9.91E37", 12_000, "a temperature")
