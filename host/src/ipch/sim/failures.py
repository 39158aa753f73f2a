"""Failures of parts of the rig: each class acts on plant, sensors, converters, board or host.

`begin` and `end` are called once; in between a failure acts once a tick: before the plant advances (`before`), on
loop currents and temperatures (`sensed`), and on the converters' counts (`converted`). `strength` rises from 0 to 1
while the failure grows, and is 1 otherwise. No failure keeps a reference to the world, so that a world with its
failures can be copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from pathlib import Path
from random import Random

from ipch.sim import signals
from ipch.sim.plant import VALVE_NAMES
from ipch.sim.sensors import Measurement
from ipch.sim.valve import Valve
from ipch.sim.world import HEARTBEAT_MS, Failure, World

Values = Mapping[str, "float | str"]

MA_PER_PA = 16.0 / 10e6
# A burst, or a leak of 1 kPa/h at 5 MPa, as a conductance, per m3 of chamber.
LEAK_C_PER_KPA_H_M3 = 1000.0 / 3600.0 / 5e6 / 101325.0
CONVERTER_BITS = {"ads1115": 1, "max31865": 2, "tmp117": 4}
CHANNELS = {
    "control": signals.CONTROL,
    "safety": signals.SAFETY,
    "supply": signals.SUPPLY,
    "gas": signals.GAS,
    "wall": signals.WALL,
}
ADS1115 = (signals.CONTROL, signals.SUPPLY, signals.REFERENCE)


class Part(Failure):
    """Base class: a part with its options that does not fail."""

    quick = False  # noise, which is no error of a transducer

    def __init__(self, values: Values, random: Random) -> None:
        self.values = values
        self.random = random
        self.strength = 1.0

    def number(self, name: str) -> float:
        """Return a numeric option."""
        return float(self.values[name])

    def begin(self, world: World) -> None:
        """The failure begins."""

    def end(self, world: World) -> None:
        """The failure ends; the part works again."""


class Loop(Part):
    """A 4-20 mA loop at a fixed current: open, shorted, or out of range."""

    def sensed(self, world: World, measurement: Measurement) -> None:
        setattr(measurement, f"{self.values['which']}_ma", self.number("ma"))


class Offset(Part):
    """A transducer with a pressure offset, at once or growing."""

    def sensed(self, world: World, measurement: Measurement) -> None:
        name = f"{self.values['which']}_ma"
        shift_ma = self.number("kpa") * 1e3 * MA_PER_PA * self.strength
        setattr(measurement, name, min(20.5, max(3.8, getattr(measurement, name) + shift_ma)))


class Noise(Part):
    """A transducer with increased noise."""

    quick = True

    def sensed(self, world: World, measurement: Measurement) -> None:
        name = f"{self.values['which']}_ma"
        shift_ma = self.random.gauss(0.0, self.number("kpa") * 1e3 * MA_PER_PA) * self.strength
        setattr(measurement, name, min(20.5, max(3.8, getattr(measurement, name) + shift_ma)))


class Frozen(Part):
    """A sensor that repeats its value from the start of the failure; with noise, like many electronics."""

    held: float | None = None

    def sensed(self, world: World, measurement: Measurement) -> None:
        which = str(self.values["which"])
        name = f"{which}_k" if which in ("gas", "wall") else f"{which}_ma"
        if self.held is None:
            self.held = getattr(measurement, name)
        noise = self.number("noise_kpa") * 1e3 * MA_PER_PA
        setattr(measurement, name, self.held + (self.random.gauss(0.0, noise) if noise else 0.0))


class Late(Part):
    """A transducer with delayed readings."""

    def __init__(self, values: Values, random: Random) -> None:
        super().__init__(values, random)
        self.past: list[float] = []

    def sensed(self, world: World, measurement: Measurement) -> None:
        name = f"{self.values['which']}_ma"
        self.past.append(getattr(measurement, name))
        if len(self.past) > self.number("delay_ms") / world.tick_ms + 1:
            self.past.pop(0)
        setattr(measurement, name, self.past[0])


class Spike(Part):
    """Several wild samples in a row."""

    quick = True

    def __init__(self, values: Values, random: Random) -> None:
        super().__init__(values, random)
        self.left = int(self.number("samples"))

    def sensed(self, world: World, measurement: Measurement) -> None:
        if self.left > 0:
            self.left -= 1
            setattr(measurement, f"{self.values['which']}_ma", self.number("ma"))


class Garbage(Part):
    """A converter or sensor that delivers random counts from its whole range."""

    def converted(self, world: World, counts: list[int]) -> None:
        channel = CHANNELS[str(self.values["which"])]
        counts[channel] = self.random.randrange(65536 if channel == signals.SAFETY else 32768)


class Temperature(Part):
    """A temperature sensor that is open, shorted, wrong, or does not answer."""

    def sensed(self, world: World, measurement: Measurement) -> None:
        if self.values["how"] == "wrong":
            name = f"{self.values['which']}_k"
            setattr(measurement, name, getattr(measurement, name) + self.number("k") * self.strength)

    def converted(self, world: World, counts: list[int]) -> None:
        gas = self.values["which"] == "gas"
        how = self.values["how"]
        if how == "dead":
            counts[signals.FAULTS] |= CONVERTER_BITS["max31865" if gas else "tmp117"]
        elif how == "open":
            counts[signals.GAS if gas else signals.WALL] = 32767
        elif how == "short":
            counts[signals.GAS if gas else signals.WALL] = 0 if gas else -32768


class Blocked(Part):
    """A blocked sensing port, or one so narrow that the transducer lags behind."""

    def before(self, world: World) -> None:
        lag_s = self.number("lag_s")
        follow = 1.0 - exp(-world.tick_ms * 1e-3 / lag_s) if lag_s else 0.0
        world.plant.sensors.follow_share[str(self.values["which"])] = follow

    def end(self, world: World) -> None:
        world.plant.sensors.follow_share.pop(str(self.values["which"]), None)


class Converter(Part):
    """Converters that do not answer: their last counts stay, and the driver reports the failure."""

    def __init__(self, values: Values, random: Random) -> None:
        super().__init__(values, random)
        self.last: dict[int, int] = {}

    def converted(self, world: World, counts: list[int]) -> None:
        which = str(self.values["which"])
        channels = {"ads1115": ADS1115, "tmp117": (signals.WALL,), "bus": (*ADS1115, signals.WALL)}
        for channel in channels.get(which, (signals.GAS,)):
            self.last.setdefault(channel, counts[channel])
            counts[channel] = self.last[channel]
        if self.values.get("reported", "yes") == "yes":
            counts[signals.FAULTS] |= 5 if which == "bus" else CONVERTER_BITS[which]


class ReferenceDrift(Part):
    """The ADS1115's own reference drifts: all its channels scale together."""

    def converted(self, world: World, counts: list[int]) -> None:
        scale = 1.0 + self.number("percent") * 0.01 * self.strength
        for channel in ADS1115:
            counts[channel] = max(-32768, min(32767, round(counts[channel] * scale)))


def _named(world: World, name: str) -> Valve:
    return world.plant.valves[VALVE_NAMES.index(name)]


class OneValve(Part):
    """Base class of failures of one valve, or of both of a pair: option `valve`."""

    def valves(self, world: World) -> list[Valve]:
        name = str(self.values["valve"])
        if name == "both":
            names = (
                ("fill", "supply_isolation") if self.values["side"] == "fill" else ("vent", "vent_isolation")
            )
            return [_named(world, each) for each in names]
        return [_named(world, name)]


class Stuck(OneValve):
    """Seats that do not move."""

    def begin(self, world: World) -> None:
        for valve in self.valves(world):
            valve.stuck = str(self.values["where"])

    def end(self, world: World) -> None:
        for valve in self.valves(world):
            valve.stuck = ""


class SeatLeak(OneValve):
    """A leaking seat: a conductance while the valve is shut."""

    def before(self, world: World) -> None:
        for valve in self.valves(world):
            valve.leak_c = self.number("c") * self.strength

    def end(self, world: World) -> None:
        for valve in self.valves(world):
            valve.leak_c = 0.0


class Sticky(OneValve):
    """A valve that always shuts late."""

    def begin(self, world: World) -> None:
        for valve in self.valves(world):
            valve.stick_us = int(self.number("ms") * 1000.0)

    def end(self, world: World) -> None:
        for valve in self.valves(world):
            valve.stick_us = 0


class Worn(OneValve):
    """A restrictor that clogs (factor below 1) or wears (factor above 1)."""

    def __init__(self, values: Values, random: Random) -> None:
        super().__init__(values, random)
        self.whole_c = 0.0

    def begin(self, world: World) -> None:
        self.whole_c = self.valves(world)[0].c

    def before(self, world: World) -> None:
        self.valves(world)[0].c = self.whole_c * (1.0 + (self.number("factor") - 1.0) * self.strength)

    def end(self, world: World) -> None:
        self.valves(world)[0].c = self.whole_c


class Coil(OneValve):
    """An open or shorted coil: no force, and a drain readback that shows it."""

    def begin(self, world: World) -> None:
        for valve in self.valves(world):
            valve.coil = str(self.values["how"])
            world.plant.lose(valve)

    def end(self, world: World) -> None:
        for valve in self.valves(world):
            valve.coil = ""


class Transistor(OneValve):
    """A switch transistor that always conducts: its coil is on while the coil rail is."""

    def begin(self, world: World) -> None:
        for valve in self.valves(world):
            valve.held = True
        world.plant.power(world.powered)

    def end(self, world: World) -> None:
        for valve in self.valves(world):
            valve.held = False
            if not valve.gate:
                world.plant.let_go(valve)


class Leak(Part):
    """Gas that escapes to the room from the chamber or from a burst line."""

    def before(self, world: World) -> None:
        plant = world.plant
        if "kpa_h" in self.values:
            volume_m3 = plant.parameters.volume_l * 1e-3
            plant.burst = self.number("kpa_h") * LEAK_C_PER_KPA_H_M3 * volume_m3 * self.strength
        else:
            plant.burst = self.number("c") * self.strength

    def end(self, world: World) -> None:
        world.plant.burst = 0.0


class SupplyPressure(Part):
    """A wrong supply pressure; grows from the correct one."""

    def __init__(self, values: Values, random: Random) -> None:
        super().__init__(values, random)
        self.from_pa = 0.0

    def begin(self, world: World) -> None:
        self.from_pa = world.plant.supply_pa

    def before(self, world: World) -> None:
        to_pa = self.number("mpa") * 1e6
        world.plant.supply_pa_override = self.from_pa + (to_pa - self.from_pa) * self.strength

    def end(self, world: World) -> None:
        world.plant.supply_pa_override = None


class OverPressure(Part):
    """The chamber is filled past its target: both valves of the fill side stay open, from this supply."""

    def begin(self, world: World) -> None:
        for name in ("fill", "supply_isolation"):
            _named(world, name).stuck = "open"
        world.plant.supply_pa_override = self.number("mpa") * 1e6

    def end(self, world: World) -> None:
        for name in ("fill", "supply_isolation"):
            _named(world, name).stuck = ""
        world.plant.supply_pa_override = None


class Hot(Part):
    """The oven, or the cell on the wall, gets too hot."""

    def before(self, world: World) -> None:
        if "k" in self.values:
            world.plant.oven_offset_k = self.number("k") * self.strength
        else:
            world.plant.cell_heat_w = self.number("watt") * self.strength

    def end(self, world: World) -> None:
        if "k" in self.values:
            world.plant.oven_offset_k = 0.0
        else:
            world.plant.cell_heat_w = world.plant.parameters.cell_heat_w


class MechanicalBlocked(Part):
    """The mechanical relief valve does not lift."""

    def begin(self, world: World) -> None:
        world.plant.mechanical_relief_blocked = True

    def end(self, world: World) -> None:
        world.plant.mechanical_relief_blocked = False


class Comparator(Part):
    """The hardware comparator trips without a cause, or never."""

    def begin(self, world: World) -> None:
        world.comparator_forced = self.values["how"] == "trips"

    def end(self, world: World) -> None:
        world.comparator_forced = None


class Rail(Part):
    """The coil rail is off despite the heartbeat, or stays on."""

    def begin(self, world: World) -> None:
        world.rail_forced = self.values["how"] == "on"

    def end(self, world: World) -> None:
        world.rail_forced = None


class Hang(Part):
    """The processor stops; its pins keep their levels."""

    def begin(self, world: World) -> None:
        world.hung = True

    def end(self, world: World) -> None:
        world.hung = False


class FlashSlow(Part):
    """Each erase of a sector of the flash stops the processor, and the coil rail holds no longer than it must."""

    def begin(self, world: World) -> None:
        world.erase_ms = float(self.values["ms"])
        world.hold_ms = round(float(self.values["hold_ms"]))

    def end(self, world: World) -> None:
        world.erase_ms = 0.0
        world.hold_ms = HEARTBEAT_MS


class Reset(Part):
    """One reset or several in turn; after a brown-out the processor first stays off for a while."""

    def __init__(self, values: Values, random: Random) -> None:
        super().__init__(values, random)
        self.left = int(float(self.values.get("count", 1)))
        self.due_ms = -1

    def before(self, world: World) -> None:
        now_ms = world.plant.time_ms
        if self.left > 0 and now_ms >= self.due_ms:
            self.left -= 1
            self.due_ms = now_ms + round(float(self.values.get("apart_s", 0.0)) * 1000)
            world.reset_wanted = (str(self.values["cause"]), float(self.values.get("off_s", 0.0)))


class Host(Part):
    """The host is gone, does not read, or floods the line."""

    WORDS = (
        b":FETC?\n",
        b":SOUR:PRES 1.2;:NONSENSE\n",
        b"AT+GMM\r",
        b"\x03\x03",
        b"*IDN?;*IDN?;*IDN?\r\n",
        b"\xff\x00",
    )

    def begin(self, world: World) -> None:
        world.host = str(self.values["how"])

    def before(self, world: World) -> None:
        if self.values["how"] == "floods":
            while len(world.flood) < 256:
                world.flood += self.random.choice(self.WORDS)

    def end(self, world: World) -> None:
        world.host = ""
        world.flood.clear()


class StoredCopies(Part):
    """Damaged stored copies of settings or state; the device finds out at its next start."""

    def begin(self, world: World) -> None:
        if world.folder is None:
            return
        copies = {"a": ("a",), "b": ("b",), "both": ("a", "b")}[str(self.values["copies"])]
        for suffix in copies:
            path = Path(world.folder) / f"{self.values['record']}.{suffix}"
            if not path.is_file():
                continue
            data = bytearray(path.read_bytes())
            how = self.values["how"]
            if how == "truncated":
                del data[len(data) // 2 :]
            elif how == "empty":
                data.clear()
            elif how == "missing":
                path.unlink()
                continue
            elif how == "garbage":
                data = bytearray(self.random.randbytes(len(data)))
            else:
                data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
            path.write_bytes(data)
