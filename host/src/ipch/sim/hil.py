"""The host's side of the bench rig: it steps the plant, and the rig's Pico outputs the plant's sensor signals.

One exchange of lines (hardware/rig/firmware/main.py) every 10 ms: the host sends the signals for the regulator's
converters, and receives the edges of its valve outputs with the time of the rig's PIO.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from ipch.device import Transport
from ipch.errors import DeviceLostError
from ipch.sim import signals
from ipch.sim.parameters import load_rig
from ipch.sim.plant import Plant
from ipch.sim.world import COILS, comparator_trips

STEP_MS = 10
_ANSWER_S = 1.0
# Reference of the rig's DAC, its counts, and the rheostat that with its fixed resistor replaces the PT1000.
DAC_V, DAC_COUNTS = 2.5, 65536
RHEOSTAT_STEP_OHM = 20_000 / 1024
PARALLEL_OHM = 1300.0
# The rig counts its PIO's cycles down from 2^32, two to a count; at edges it stands still for some cycles.
_COUNT_US = 2
_FROM = 0xFFFFFFFF


def dac_counts(ma: float) -> int:
    """DAC counts for the shunt voltage of this loop current, 0..65535."""
    return min(DAC_COUNTS - 1, max(0, round(ma * 1e-3 * signals.SHUNT_OHM / DAC_V * DAC_COUNTS)))


def rheostat_position(kelvin: float) -> int:
    """Rheostat position closest to a PT1000 at this temperature, 25 to 57 degC."""
    ohm = min(signals.pt1000_ohm(kelvin), 0.999 * PARALLEL_OHM)
    return min(1023, max(0, round(ohm * PARALLEL_OHM / (PARALLEL_OHM - ohm) / RHEOSTAT_STEP_OHM)))


def rheostat_ohm(position: int) -> float:
    """PT1000 resistance in ohm that a position of the rheostat gives."""
    ohm = position * RHEOSTAT_STEP_OHM
    return ohm * PARALLEL_OHM / (PARALLEL_OHM + ohm)


def edge_us(index: int, count: int) -> int:
    """Time of an edge in us since the rig started; `index` counts the edges of its output, even ones are rises."""
    # Three cycles of 1 us for each rise before, two for each fall, and one within this rise.
    standing_us = index // 2 * 5 + (3 if index % 2 else 1)
    return (_FROM - count) * _COUNT_US + standing_us


class Stepper:
    """Steps a plant with the rig's clock; `exchange(line) -> line` talks to the rig."""

    def __init__(self, plant: Plant, exchange: Callable[[str], str], comparator_pa: float = 6.5e6) -> None:
        self.plant = plant
        self.comparator_pa = comparator_pa
        self.tripped = False
        self.rail = False
        self.cell_ok = False
        self.edges: list[tuple[int, int, bool]] = []  # us since the start, valve in bit order, on
        self._exchange = exchange
        self._offset_us: int | None = None

    def step(self) -> None:
        """One exchange; the plant advances to the rig's time."""
        plant = self.plant
        found = plant.measure()
        self.tripped = comparator_trips(found.safety_ma, self.comparator_pa, self.tripped)
        wall = round((found.wall_k - 273.15) / signals.TMP117_KELVIN_PER_COUNT)
        words = self._exchange(
            f"{dac_counts(found.control_ma)} {dac_counts(found.safety_ma)} {dac_counts(found.supply_ma)} "
            f"{rheostat_position(found.gas_k)} {wall} {int(self.tripped)} 1"
        ).split()
        try:
            now_us, rail, cell = (int(word) for word in words[:3])
            edges = [tuple(int(part) for part in word.split(":")) for word in words[3:]]
        except ValueError:
            raise DeviceLostError(
                f"the bench rig answers {' '.join(words)!r}; is its firmware on it?"
            ) from None
        self.rail, self.cell_ok = bool(rail), bool(cell)
        if self._offset_us is None:
            self._offset_us = now_us - plant.time_ms * 1000
        for at_us, valve, on in sorted(
            (edge_us(index, count), valve, index % 2 == 0) for valve, index, count in edges
        ):
            self.edges.append((at_us, valve, on))
            self._advance(at_us)
            at_us = max(at_us - self._offset_us, plant.time_ms * 1000)
            plant.drive(COILS[valve], on and self.rail, at_us)
        self._advance(now_us)

    def _advance(self, rig_us: int) -> None:
        assert self._offset_us is not None
        ahead_ms = (rig_us - self._offset_us) // 1000 - self.plant.time_ms
        if ahead_ms > 0:
            self.plant.advance(ahead_ms)

    def run(self, seconds: float) -> None:
        """Step in real time."""
        end = time.monotonic() + seconds
        due = time.monotonic()
        while time.monotonic() < end:
            self.step()
            due = max(due + STEP_MS / 1000, time.monotonic() - 0.1)
            time.sleep(max(0.0, due - time.monotonic()))


def _connect(port: str, sets: Sequence[str]) -> tuple[Stepper, Any]:
    """A plant on the rig at this port. Raises PortBusyError, NoDeviceError, DeviceLostError."""
    transport = Transport(port)

    def exchange(line: str) -> str:
        transport.write_line(line)
        answer = transport.read_line(_ANSWER_S)
        if answer is None:
            raise DeviceLostError(f"the bench rig on {port} does not answer; is its firmware on it?")
        return answer

    return Stepper(Plant(load_rig(None, sets, 1).parameters), exchange), transport


def play(port: str, sets: Sequence[str], seconds: float | None) -> dict[str, object]:
    """Step the plant for this many seconds, or until Ctrl-C; return its truth at the end."""
    stepper, transport = _connect(port, sets)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            stepper.run(seconds if seconds is not None else math.inf)
    finally:
        transport.close()
    return dict(stepper.plant.truth())


def check(rig_port: str, port: str, sets: Sequence[str]) -> list[dict[str, object]]:
    """Check the regulator on `port` with the rig: its readings, a step of 0.2 MPa, off. Rows name, value, ok."""
    from ipch.device import Instrument

    stepper, transport = _connect(rig_port, sets)
    plant = stepper.plant
    rows: list[dict[str, object]] = []

    def row(name: str, value: object, ok: bool) -> None:
        rows.append({"name": name, "value": value, "ok": ok})

    try:
        stepper.run(3)
        with Instrument.open(port) as regulator:
            found = regulator.fetch()
            row(
                "pressure less truth, Pa",
                found.pressure_pa - plant.pressure_pa,
                abs(found.pressure_pa - plant.pressure_pa) < 10_000,
            )
            regulator.target_pa = round(plant.pressure_pa) + 200_000
            regulator.on()
            try:
                stepper.run(60)
                found = regulator.fetch()
                row("in limits 60 s after a step of 0.2 MPa", found.in_limits, bool(found.in_limits))
                row("pulses of fill", sum(1 for _, valve, on in stepper.edges if on and valve == 0), True)
            finally:
                regulator.off()
            row("fault", regulator.fetch().fault, regulator.fetch().fault in (None, "NONE", ""))
    finally:
        transport.close()
    return rows
