"""What a keyframe of the black box holds, and that the firmware's module of it is current."""

from __future__ import annotations

from typing import Any

from pages.keyframe import MODULE, current

from ipch.board.keyframe import module, names_crc, parts, slot_names


class Inner:
    def __init__(self) -> None:
        self.b = 7
        self._list = [1, 2, 3]
        self.text = "not an integer"
        self.flag = False
        self.empty: list[int] = []
        self.sample = 5


class App:
    def __init__(self) -> None:
        self.inner = Inner()
        self.pair = (Inner(), Inner())
        self.same = self.inner
        self.inner.outer = self  # type: ignore[attr-defined]


def test_the_module_is_what_the_regulator_needs_now() -> None:
    assert MODULE.read_text() == current(), "run `make pages`"


def test_every_integer_of_every_object_is_found_once() -> None:
    names = slot_names(parts(App()))
    inner = ["_list[0]", "_list[1]", "_list[2]", "b", "flag"]
    assert names == [f"{path}.{name}" for path in ("inner", "pair.0", "pair.1") for name in inner]


def test_both_halves_copy_all_of_it() -> None:
    app = App()
    app.pair[1].b = -9
    app.inner._list[2] = 11
    space: dict[str, Any] = {}
    exec(module(app), space)
    frame = [0] * space["SLOTS"]
    space["first"](frame, app)
    assert frame[:5] == [1, 2, 11, 7, 0] and frame[-1] == 0 and frame[-2] == 0
    space["second"](frame, app)
    assert dict(zip(slot_names(parts(app)), frame, strict=True))["pair.1.b"] == -9
    assert space["NAMES_CRC"] == names_crc(parts(app))
