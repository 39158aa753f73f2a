"""Commands return the memory that they take."""

from __future__ import annotations

from pathlib import Path

from tests.device.memory import EARLY_ROUNDS, MIX, ROUNDS_AGAIN, free_memory


def test_free_memory_after_ten_thousand_commands_is_what_it_was_after_one_thousand(tmp_path: Path) -> None:
    # `make bench ONLY=memory` goes to 100,000.
    early, late = free_memory([EARLY_ROUNDS, EARLY_ROUNDS + 5 * ROUNDS_AGAIN], tmp_path)
    assert early[0] == EARLY_ROUNDS * len(MIX) and late[0] > 4_900
    assert early[2] == late[2] == 0, "the host reads, so no reply was dropped"
    assert late[1] == early[1]
