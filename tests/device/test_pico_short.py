"""The firmware on a stock MicroPython image on an emulated RP2040, in emulated time."""

from __future__ import annotations

import pytest

from tests.device.boards import Board, over_pressure_ms

pytestmark = pytest.mark.pico


# Half a minute on an idle computer; an interrupted child would end the whole run.
@pytest.mark.timeout(1200)
def test_boots_identifies_itself_and_measures(board: Board) -> None:
    assert board.ask(b"*IDN?").startswith("ipch,IPCH-1,")
    values = board.fetch()
    assert (values["state"], values["fault"]) == ("OFF", "NONE")
    assert abs(int(values["pressure_pa"]) - 100_000) < 3_000
    assert abs(int(values["supply_pa"]) - 6_000_000) < 5_000
    assert abs(int(values["gas_mk"]) - 303_150) < 200
    assert abs(int(values["wall_mk"]) - 303_150) < 50
    assert values["warnings"] == "0"


def test_over_pressure_opens_the_relief_in_time(board: Board) -> None:
    board.run_ms(100)
    worst = max(over_pressure_ms(board, 7_000 * trial) for trial in range(3))
    assert worst <= 50


def test_a_hung_processor_shuts_the_valve_within_its_pulse(board: Board) -> None:
    board.regulate()
    board.run_until_edge("fill", True, 4000)
    resets = len(board.chip.resets)
    board.chip.hang()
    hung = board.chip.clock.nanos
    off = board.run_until_edge("fill", False, 400)
    assert (off - hung) / 1e6 <= 301
    board.wait_for(lambda: len(board.chip.resets) > resets, 1100, "reset by the watchdog")
    assert not any(board.device.coils_on())
