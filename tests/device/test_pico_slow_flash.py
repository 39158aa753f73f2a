"""A flash chip that takes its longest time to erase a sector, under littlefs of the stock image."""

from __future__ import annotations

import pytest

from tests.device.boards import Board

pytestmark = pytest.mark.pico


@pytest.mark.parametrize("ms", [200, 400])
def test_settings_are_stored_without_a_reset_or_a_lost_rail(board: Board, ms: int) -> None:
    chip = board.device.chip
    board.world.erase_ms, board.world.hold_ms = ms, 488
    board.run_ms(100)
    resets = len(chip.resets)
    for value in range(5_101, 5_105):
        board.ask(b':SYST:SETT "dead_band_pa",%d;*OPC?' % value)
        assert board.fetch()["fault"] == "NONE"
        assert board.device.coils.rail
    assert len(chip.resets) == resets
    assert len(chip.erases) >= 4
    assert board.ask(b':SYST:SETT? "dead_band_pa"').split(",")[2] == "5104"
