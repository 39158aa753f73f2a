"""What lies between the emulated board's outputs and the plant's valves: gates, transistors, coils, coil rail and
comparator, each with the faults that it can have.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ipch.sim import signals
from ipch.sim.emulator import Chip
from ipch.sim.world import COMPARATOR_HYSTERESIS_PA, HEARTBEAT_MS, World

# In the order of the bits of a sample, with the index of the plant's valve.
NAMES = ("fill", "vent", "supply_isolation", "vent_isolation", "relief")
PLANT_INDEX = (1, 3, 0, 2, 4)
FILL, VENT, SUPPLY_ISOLATION, VENT_ISOLATION, RELIEF = range(5)

# What can be wrong with an output: a wire or winding that is open, a winding that is shorted (its transistor limits
# the current), a transistor that does not switch, or one that conducts for ever.
FAULTS = ("", "open", "winding", "dead", "shorted")


class Coils:
    """Follows the valve pins and the heartbeat; drives valves, drains, rail and trip line.

    The rail's monostable falls back 100 ms after the last change of the heartbeat. The comparator on the safety
    transducer's shunt trips at `world.comparator_pa`, whatever the processor does: it holds the gates of the fill side
    low and the relief's high. `edges` lists the changes of the pins as (emulated ns, name, on).
    """

    def __init__(self, chip: Chip, pins: ModuleType, world: World) -> None:
        from rp2040py.gpio_pin import GPIOPinState

        self._chip = chip
        self._pins = pins
        self.edges: list[tuple[float, str, bool]] = []
        self.pins_on = [False] * 5
        self.rail = False
        self.tripped = False
        self.faults = dict.fromkeys(NAMES, "")
        self._rail_lost = False
        self._beating = False
        gpio = chip.mcu.gpio
        on_level = GPIOPinState.HIGH if pins.VALVE_ON else GPIOPinState.LOW
        self._drains = (
            gpio[pins.FILL_DRAIN],
            gpio[pins.VENT_DRAIN],
            gpio[pins.SUPPLY_ISOLATION_DRAIN],
            gpio[pins.VENT_ISOLATION_DRAIN],
            gpio[pins.RELIEF_DRAIN],
        )
        outputs = (pins.FILL, pins.VENT, pins.SUPPLY_ISOLATION, pins.VENT_ISOLATION, pins.RELIEF)
        for index, pin in enumerate(outputs):
            gpio[pin].add_listener(lambda state, before, index=index: self._on_pin(index, state == on_level))
        self._alarm = chip.clock.create_alarm(self._on_silence)
        gpio[pins.HEARTBEAT].add_listener(self._on_heartbeat)
        chip.on_reset.append(self._on_reset)
        self.use(world)

    def use(self, world: World) -> None:
        """Drive the valves of this world's plant from now on."""
        self._world = world
        self._plant = world.plant
        self._offset_us = self._chip.now_us() - world.plant.time_ms * 1000
        self._set_rail()

    def fail(self, name: str, fault: str = "") -> None:
        """Give an output one of FAULTS, or repair it."""
        if name not in self.faults or fault not in FAULTS:
            raise ValueError(f"{name} {fault}")
        self.faults[name] = fault
        self._drive_all()

    def lose_rail(self, lost: bool = True) -> None:
        """Blow the coil rail's fuse, or replace it."""
        self._rail_lost = lost
        self._set_rail()

    def watch(self, safety_ma: float) -> None:
        """The comparator, and what is stuck by `world.stuck_counts`; called each ms."""
        pa = (safety_ma - 4.0) / 16.0 * 10e6
        tripped = pa > self._world.comparator_pa - (COMPARATOR_HYSTERESIS_PA if self.tripped else 0.0)
        if tripped != self.tripped:
            self.tripped = tripped
            self._world.tripped = tripped
            self._drive_all()
        stuck = self._world.stuck_counts
        shown = bool(stuck.get(signals.TRIPPED, tripped))
        self._chip.mcu.gpio[self._pins.TRIP].set_input_value(shown == bool(self._pins.TRIP_ACTIVE))
        shown = bool(stuck.get(signals.RAIL, self.rail))
        self._chip.mcu.gpio[self._pins.RAIL].set_input_value(shown == bool(self._pins.RAIL_ON))
        if signals.COIL_DEAD in stuck or signals.COIL_SHORTED in stuck:
            self._drive_all()

    def _on_reset(self) -> None:
        # Nothing drives the pins of a chip in reset: the pull-downs shut every valve.
        for index in range(5):
            self._on_pin(index, False)

    def _on_pin(self, index: int, on: bool) -> None:
        if on == self.pins_on[index]:
            return
        self.pins_on[index] = on
        nanos = self._chip.clock.nanos
        self.edges.append((nanos, NAMES[index], on))
        world = self._world
        if index in (FILL, VENT):
            if on:
                self._chip.fine_steps()
                self._since_ns = nanos
            elif world.trace is not None:
                us = round((nanos - self._since_ns) / 1000)
                world.trace.append((world.ticks, "pulse", index, us))
        elif world.trace is not None:
            levels = self.pins_on[2] | self.pins_on[3] << 1 | self.pins_on[4] << 2
            world.trace.append((world.ticks, "switch", levels))
        self._drive(index)

    def _on_heartbeat(self, state: Any, before: Any) -> None:
        self._alarm.schedule(HEARTBEAT_MS * 1e6)
        if not self._beating:
            self._beating = True
            self._set_rail()

    def _on_silence(self) -> None:
        self._beating = False
        self._set_rail()

    def _set_rail(self) -> None:
        self.rail = self._beating and not self._rail_lost
        self._world.rail = self.rail
        self._chip.mcu.gpio[self._pins.RAIL].set_input_value(self.rail == bool(self._pins.RAIL_ON))
        self._drive_all()

    def _drive_all(self) -> None:
        for index in range(5):
            self._drive(index)

    def _drive(self, index: int) -> None:
        gate = self.pins_on[index]
        if self.tripped:
            gate = index == RELIEF or (gate and index in (VENT, VENT_ISOLATION))
        fault = self.faults[NAMES[index]]
        conducts = fault == "shorted" or (gate and fault != "dead")
        at_us = max(self._chip.now_us() - self._offset_us, self._plant.time_ms * 1000)
        energised = self.rail and conducts and fault not in ("open", "winding")
        self._plant.drive(PLANT_INDEX[index], energised, at_us)
        # An open winding pulls nothing up; a shorted one does so against a transistor that limits the current.
        high = self.rail and fault != "open" and (not conducts or fault == "winding")
        bit = 1 << index
        stuck = self._world.stuck_counts
        if stuck.get(signals.COIL_DEAD, 0) & bit and self.pins_on[index]:
            high = True
        if stuck.get(signals.COIL_SHORTED, 0) & bit and not self.pins_on[index]:
            high = False
        self._drains[index].set_input_value(high == bool(self._pins.DRAIN_OFF))
