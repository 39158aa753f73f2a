"""The bench rig: two emulated Picos, wired to each other as in hardware/rig/wiring.csv."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ipch.sim import signals
from ipch.sim.coils import NAMES
from ipch.sim.emulator import Chip, find_image
from ipch.sim.hil import Stepper, rheostat_ohm
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from tests.core.rig_chips import AD5270Chip, AD5686Chip
from tests.device.boards import Board

pytestmark = pytest.mark.pico

FIRMWARE = Path(__file__).resolve().parents[2] / "hardware" / "rig" / "firmware"
QUANTUM_MS = 0.05


def rig_pins() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rig_pins", FIRMWARE / "pins.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Spi:
    """SPI controller 0 of the rig with DAC and rheostat on it."""

    def __init__(self, chip: Chip, chips: dict[int, AD5686Chip | AD5270Chip]) -> None:
        from rp2040py.gpio_pin import GPIOPinState

        controller = chip.mcu.spi[0]
        alarm = chip.clock.create_alarm(lambda: controller.complete_transmit(0xFF))

        def transmit(value: int) -> None:
            for each in chips.values():
                each.transfer(value)
            alarm.schedule(8e9 / (controller.clock_frequency or 1e6))

        controller.on_transmit = transmit
        for pin, each in chips.items():
            chip.mcu.gpio[pin].add_listener(
                lambda state, before, each=each: each.select(int(state != GPIOPinState.LOW))
            )


class Pair:
    """Regulator and rig, in lockstep."""

    def __init__(self, board: Board, plant: Plant) -> None:
        self.board = board
        self.rig = Chip(find_image(), sleeps=False)
        pins = rig_pins()
        self.dac = AD5686Chip()
        self.rheostat = AD5270Chip()
        Spi(self.rig, {pins.DAC_SYNC: self.dac, pins.RHEOSTAT_SYNC: self.rheostat})
        self.rig.run_to_prompt()
        self.rig.install({path.name: path.read_bytes() for path in sorted(FIRMWARE.glob("*.py"))})
        self.rig.power_cycle()
        # Compiling its program takes a quarter of a second.
        self.rig.run_ms(500)
        self._wire(pins)
        self._ahead_ns = self.rig.clock.nanos - board.chip.clock.nanos
        self.stepper = Stepper(plant, self.exchange)

    def _wire(self, pins: ModuleType) -> None:
        from rp2040py.gpio_pin import GPIOPinState

        mine, theirs = self.rig.mcu.gpio, self.board.chip.mcu.gpio
        device = self.board.device

        def connect(source: Any, sink: Any) -> None:
            sink.set_input_value(source.value == GPIOPinState.HIGH)
            source.add_listener(lambda state, before: sink.set_input_value(state == GPIOPinState.HIGH))

        for pin in (*range(pins.FILL, pins.HEARTBEAT + 1), pins.CELL_SAFE):
            connect(theirs[pin], mine[pin])
        connect(theirs[device.pins.RAIL_CUT], mine[pins.RAIL_CUT])
        # The rig replaces the coils, the rail and the comparator of the emulated circuit.
        coils: Any = device.coils
        coils.watch = lambda safety_ma: None
        coils._show_drain = lambda index: None
        coils._set_rail = lambda: None
        for pin in (*range(pins.FILL_DRAIN, pins.RELIEF_DRAIN + 1), pins.RAIL):
            connect(mine[pin], theirs[pin])
        tripped = mine[pins.TRIP]
        # Open drain with a pull-up: low only while driven low.
        tripped.add_listener(
            lambda state, before: theirs[pins.TRIP].set_input_value(state != GPIOPinState.LOW)
        )
        outputs = {"control": 0, "safety": 1, "supply": 2}
        device.tamper = lambda name, value: (
            self.dac.volt(outputs[name]) / signals.SHUNT_OHM * 1e3 if name in outputs else value
        )
        device.max31865.ohm = lambda: rheostat_ohm(self.rheostat.position)

    def run_ms(self, ms: float) -> None:
        """Let both run."""
        until = self.board.chip.clock.nanos + ms * 1e6
        while self.board.chip.clock.nanos < until:
            self.board.chip.run_until(self.board.chip.clock.nanos + QUANTUM_MS * 1e6, exact=True)
            self.rig.run_until(self.board.chip.clock.nanos + self._ahead_ns, exact=True)

    def exchange(self, line: str) -> str:
        """Send the rig a line; return its answer."""
        self.rig.received.clear()
        self.rig.send(line.encode() + b"\n")
        for _ in range(400):
            if self.rig.received.endswith(b"\n"):
                return self.rig.received.decode().strip()
            self.run_ms(0.5)
        raise AssertionError(f"the rig does not answer {line!r}, only {bytes(self.rig.received)!r}")

    def step_until(self, condition: Callable[[], bool], limit_ms: float, what: str) -> None:
        """Step the plant until the condition holds."""
        until = self.board.chip.clock.nanos + limit_ms * 1e6
        while not condition():
            assert self.board.chip.clock.nanos < until, f"{what}: not within {limit_ms} ms"
            self.stepper.step()
            self.run_ms(5)


def test_the_regulator_measures_what_the_rig_plays_and_the_rig_times_its_pulses(board: Board) -> None:
    plant = Plant(load_parameters(None, ("initial_mpa=0.3",)), seed=1)
    pair = Pair(board, plant)
    pair.step_until(lambda: pair.stepper.rail, 500, "a coil rail by the heartbeat")
    pair.step_until(lambda: plant.time_ms > 250, 500, "some time")
    world = board.world
    world.received.clear()
    world.script[world.ticks + 1] = b":SENS:PRES?;:SENS:PRES:SAF?;SUPP?;:SENS:TEMP?;:SYST:FAUL?\n"
    pair.step_until(lambda: world.received.endswith(b"\r\n"), 500, "a reply")
    control, safety, supply, gas, fault = world.received.decode().split(";", 4)
    assert abs(float(control) - 0.3) < 0.005
    assert abs(float(safety) - 0.3) < 0.02
    assert abs(float(supply) - 6.0) < 0.005
    assert abs(float(gas) + 273.15 - plant.gas_k) < 0.2
    assert fault.startswith("NONE")

    board.device.edges.clear()
    pair.stepper.edges.clear()
    world.script[world.ticks + 1] = b":SOUR:PRES 0.6;:OUTP ON\n"
    found = pair.stepper.edges
    pair.step_until(lambda: 0 in [valve for _, valve, on in found if not on], 2500, "a fill pulse")
    said = [(at, NAMES[valve], on) for at, valve, on in found]
    theirs = [(at / 1000, name, on) for at, name, on in board.device.edges][: len(said)]
    assert [edge[1:] for edge in said] == [edge[1:] for edge in theirs]
    between = [
        (later[0] - first[0], after[0] - before[0])
        for first, later, before, after in zip(said, said[1:], theirs, theirs[1:], strict=False)
    ]
    for rig_us, pin_us in between:
        # The rig's counters start one after the other, and count in steps of 2 us.
        assert abs(rig_us - pin_us) < 60, between


def test_the_trip_line_reaches_the_regulator(board: Board) -> None:
    plant = Plant(load_parameters(None, ("initial_mpa=5.9", "safety_noise_kpa=0")), seed=1)
    pair = Pair(board, plant)
    pair.step_until(lambda: pair.stepper.rail and plant.time_ms > 200, 1000, "a coil rail by the heartbeat")
    pair.stepper.comparator_pa = 5.0e6
    pair.step_until(lambda: pair.stepper.tripped, 100, "the comparator")
    world = board.world
    world.received.clear()
    world.script[world.ticks + 3] = b":SYST:FAUL?\n"
    pair.step_until(lambda: world.received.endswith(b"\r\n"), 500, "a reply")
    assert world.received.startswith(b"COMPARATOR_TRIPPED")


def test_the_rig_sees_the_relief_open_at_over_pressure(board: Board) -> None:
    # Above the software's trip, below the comparator's.
    plant = Plant(load_parameters(None, ("initial_mpa=6.2", "safety_noise_kpa=0")), seed=1)
    pair = Pair(board, plant)
    pair.step_until(lambda: any(valve == 4 and on for _, valve, on in pair.stepper.edges), 300, "relief")
    assert not pair.stepper.tripped
