"""From the emulated board's outputs to the plant's valves: gates, transistors, coils, coil rail and comparator, with
the faults of a world.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ipch.sim import signals
from ipch.sim.emulator import Chip
from ipch.sim.world import COILS, HEARTBEAT_MS, World, comparator_trips

# In the bit order of a sample.
NAMES = ("fill", "vent", "supply_isolation", "vent_isolation", "relief")
FILL, VENT, SUPPLY_ISOLATION, VENT_ISOLATION, RELIEF = range(5)


class Coils:
    """Follows the valve pins and the heartbeat; drives valves, drains, rail and trip line.

    The rail drops `world.hold_ms` after the last change of the heartbeat, or at once when its cut-off line is driven.
    The comparator on the safety transducer's shunt trips at `world.comparator_pa`, whatever the processor does: it
    holds the gates of the fill side low, and drives the relief, from a supply of its own, once the heartbeat has been
    missing for `HEARTBEAT_MS`. `Valve.coil` and `Valve.held` set failures of coils and
    transistors, `World.rail_forced` and `World.comparator_forced` those of rail and comparator. `edges` lists the
    changes of the pins as (emulated ns, name, on).
    """

    def __init__(self, chip: Chip, pins: ModuleType, world: World) -> None:
        from rp2040py.gpio_pin import GPIOPinState

        self._chip = chip
        self._pins = pins
        self.edges: list[tuple[float, str, bool]] = []
        self.pins_on = [False] * 5
        self._since_ns = 0.0
        self._beating = False
        self._cut = False
        self._gone = False  # no heartbeat, after there was one
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
        self._outputs = tuple(gpio[pin] for pin in outputs)
        for index, pin in enumerate(outputs):
            gpio[pin].add_listener(lambda state, before, index=index: self._on_pin(index, state == on_level))
        self._alarm = chip.clock.create_alarm(self._on_silence)
        self._missing = chip.clock.create_alarm(self._on_missing)
        gpio[pins.HEARTBEAT].add_listener(self._on_heartbeat)
        cut_level = GPIOPinState.HIGH if pins.RAIL_CUT_ON else GPIOPinState.LOW
        gpio[pins.RAIL_CUT].add_listener(lambda state, before: self._on_cut(state == cut_level))
        chip.on_reset.append(self._on_reset)
        self.use(world)

    def use(self, world: World) -> None:
        """Drive the valves of this world's plant from now on."""
        self._world = world
        self._plant = world.plant
        self._offset_us = self._chip.now_us() - world.plant.time_ms * 1000
        # The rail is off until the firmware's first heartbeat.
        world.feed(False)
        self.rail = self.tripped = False
        self._set_rail()

    def watch(self, safety_ma: float) -> None:
        """Update rail, comparator and readbacks; called each ms."""
        world = self._world
        tripped = comparator_trips(safety_ma, world.comparator_pa, self.tripped)
        if world.comparator_forced is not None:
            tripped = world.comparator_forced
        if tripped != self.tripped:
            self.tripped = world.tripped = tripped
            self._drive_all()
        self._set_rail()
        gpio = self._chip.mcu.gpio
        pins = self._pins
        forced = world.forced
        gpio[pins.TRIP].set_input_value(bool(forced.get(signals.TRIPPED, tripped)) == bool(pins.TRIP_ACTIVE))
        gpio[pins.RAIL].set_input_value(bool(forced.get(signals.RAIL, self.rail)) == bool(pins.RAIL_ON))
        for index in range(5):
            self._show_drain(index)

    def _on_reset(self) -> None:
        # Nothing drives the pins of a chip in reset: the pull-downs shut every valve.
        for index in range(5):
            self._on_pin(index, False)
        self._on_cut(False)

    def _on_pin(self, index: int, on: bool) -> None:
        if on == self.pins_on[index]:
            return
        self.pins_on[index] = on
        # A pad reads back its own output, which the emulator leaves out.
        self._outputs[index].set_input_value(on == bool(self._pins.VALVE_ON))
        nanos = self._chip.clock.nanos
        self.edges.append((nanos, NAMES[index], on))
        world = self._world
        if index in (FILL, VENT):
            if on:
                self._since_ns = nanos
            elif world.trace is not None:
                us = round((nanos - self._since_ns) / 1000)
                world.trace.append((world.ticks, "pulse", index, us))
        elif world.trace is not None:
            levels = self.pins_on[2] | self.pins_on[3] << 1 | self.pins_on[4] << 2
            world.trace.append((world.ticks, "switch", levels))
        self._drive(index)

    def _on_cut(self, cut: bool) -> None:
        self._cut = cut
        if cut:
            # This empties the charge pump: once released, the rail waits for a heartbeat.
            self._on_silence()

    def _on_heartbeat(self, state: Any, before: Any) -> None:
        self._missing.schedule(HEARTBEAT_MS * 1e6)
        if self._gone:
            self._gone = False
            self._drive(RELIEF)
        if self._cut:
            return
        self._alarm.schedule(self._world.hold_ms * 1e6)
        if not self._beating:
            self._beating = True
            self._set_rail()

    def _on_silence(self) -> None:
        self._beating = False
        self._set_rail()

    def _on_missing(self) -> None:
        self._gone = True
        self._drive(RELIEF)

    def _set_rail(self) -> None:
        forced = self._world.rail_forced
        rail = self._beating if forced is None else forced
        if rail != self.rail:
            self.rail = self._world.rail = rail
            self._plant.power(rail)
            self._drive_all()

    def _drive_all(self) -> None:
        for index in range(5):
            self._drive(index)

    def _gate(self, index: int) -> bool:
        return self.pins_on[index] and not (self.tripped and index in (FILL, SUPPLY_ISOLATION))

    def _drive(self, index: int) -> None:
        at_us = max(self._chip.now_us() - self._offset_us, self._plant.time_ms * 1000)
        alone = index == RELIEF and self.tripped and self._gone
        self._plant.drive(COILS[index], alone or (self.rail and self._gate(index)), at_us)
        self._show_drain(index)

    def _show_drain(self, index: int) -> None:
        valve = self._plant.valves[COILS[index]]
        conducts = valve.held or self._gate(index)
        # An open winding pulls nothing up; a shorted one does so against a self-protecting transistor.
        high = self.rail and valve.coil != "open" and (not conducts or valve.coil == "short")
        forced = self._world.forced
        bit = 1 << index
        if forced.get(signals.COIL_DEAD, 0) & bit and self.pins_on[index]:
            high = True
        if forced.get(signals.COIL_SHORTED, 0) & bit and not self.pins_on[index]:
            high = False
        self._drains[index].set_input_value(high == bool(self._pins.DRAIN_OFF))
