"""What a keyframe of the black box holds, and the firmware's module of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipch.base.generated import _text, load, names_crc, parts, slot_names
from ipch.base.paths import firmware_dir
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice
from ipch.sim.world import World


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


def test_the_firmwares_module_copies_every_integer_of_a_regulator(tmp_path: Path) -> None:
    device = CoreDevice(World(Plant(load_parameters(None, []))), tmp_path)
    device.run(100)
    module = load(firmware_dir())
    frame = [0] * module.SLOTS
    module.first(frame, device.app)
    module.second(frame, device.app)
    names = slot_names(parts(device.app))
    assert len(names) == module.SLOTS and names_crc(parts(device.app)) == module.NAMES_CRC
    assert frame[names.index("clock.uptime_s")] == 2
    assert frame[names.index("sensors.pressure.pa")] == device.app.sensors.pressure_pa


def test_every_integer_of_every_object_is_found_once() -> None:
    names = slot_names(parts(App()))
    inner = ["_list[0]", "_list[1]", "_list[2]", "b", "flag"]
    assert names == [f"{path}.{name}" for path in ("inner", "pair.0", "pair.1") for name in inner]


def test_both_halves_copy_all_of_it() -> None:
    app = App()
    app.pair[1].b = -9
    app.inner._list[2] = 11
    space: dict[str, Any] = {}
    exec(_text(app, lambda module, name: name, {}), space)
    frame = [0] * space["SLOTS"]
    space["first"](frame, app)
    assert frame[:5] == [1, 2, 11, 7, 0] and frame[-1] == 0 and frame[-2] == 0
    space["second"](frame, app)
    assert dict(zip(slot_names(parts(app)), frame, strict=True))["pair.1.b"] == -9
    assert space["NAMES_CRC"] == names_crc(parts(app))
