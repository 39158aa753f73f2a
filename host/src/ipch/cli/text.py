"""Results formatted as text."""

import math
import shutil
import sys
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ipch.base.units import (
    format_celsius,
    format_deviation,
    format_duration,
    format_pressure,
    format_slew,
    format_target,
)

if TYPE_CHECKING:
    from ipch.device import Drift, Fault, Identity, Instrument, Sample, Valve


@dataclass(frozen=True)
class Asked:
    """What a sample does not hold: the drift while the amount of gas is held, what is left of a quiet window."""

    drift: "Drift | None" = None
    quiet_left_s: float | None = None

    def data(self) -> dict[str, Any]:
        """The fields that a JSON result has besides those of the sample."""
        found: dict[str, Any] = {"holds": "pressure" if self.drift is None else "amount"}
        if self.drift is not None:
            # The device's flag is about its ramp, which no longer moves the gas.
            found |= {"amount": asdict(self.drift), "in_limits": False}
        if self.quiet_left_s is not None:
            found["quiet_left_s"] = self.quiet_left_s
        return found


def ask(instrument: "Instrument", sample: "Sample") -> Asked:
    """Query what the sample leaves open."""
    return Asked(
        instrument.drift if instrument.holds_amount else None,
        instrument.quiet_left_s if sample.state == "QUIET" else None,
    )


def one_line(sample: "Sample", more: Asked) -> str:
    """State, pressure, target and ramped setpoint; what is held, and for how long the valves stay shut."""
    text = f"{sample.state}: {format_pressure(sample.pressure_pa)}"
    if more.quiet_left_s is not None:
        text += f", valves shut for another {format_duration(more.quiet_left_s)}"
    if sample.state in ("REGULATE", "QUIET"):
        if more.drift is not None:
            text += f", holds the amount of gas: {_drift(more.drift)}"
            text += f"; target {format_target(sample.target_pa)} is not followed"
        else:
            text += f", target {format_pressure(sample.target_pa)}"
            if sample.ramp_pa != sample.target_pa:
                text += f", setpoint now {format_pressure(sample.ramp_pa)}"
            text += ", in limits" if sample.in_limits else ""
    elif sample.target_pa:
        text += f", target when on {format_pressure(sample.target_pa)}"
    return text + (f", fault {sample.fault}" if sample.faulty else "")


def _drift(drift: "Drift") -> str:
    rate = f", {format_deviation(drift.rate_pa_h)} per hour" if drift.rate_pa_h else ""
    return f"drift {format_deviation(drift.drift_pa)} in {format_duration(drift.seconds)}{rate}"


def sample_line(sample: "Sample") -> str:
    """One line of a series: uptime, state, pressure, setpoint, temperature, pulses."""
    gas = _temperature(sample.gas_k)
    setpoint = format_pressure(sample.ramp_pa) if sample.state in ("REGULATE", "QUIET") else "-".ljust(10)
    return (
        f"{sample.uptime_s:10.1f} s  {sample.state:<11} {format_pressure(sample.pressure_pa)}"
        f"  setpoint {setpoint}  gas {gas}  pulses {sample.fills}+{sample.vents}"
        + (f"  FAULT {sample.fault}" if sample.faulty else "")
    )


def shorter_line(sample: "Sample") -> str:
    """The same within 60 columns."""
    setpoint = format_pressure(sample.ramp_pa) if sample.state in ("REGULATE", "QUIET") else "-".ljust(10)
    end = f"FAULT {sample.fault}" if sample.faulty else f"{sample.fills}+{sample.vents} pulses"
    return f"{sample.state:<8} {format_pressure(sample.pressure_pa)}  setpoint {setpoint}  {end}"


def shortest_line(sample: "Sample") -> str:
    """State, pressure, and fault or setpoint, within 60 columns behind a board's serial number."""
    setpoint = format_pressure(sample.ramp_pa) if sample.state in ("REGULATE", "QUIET") else "-"
    end = f"FAULT {sample.fault}" if sample.faulty else f"setpoint {setpoint}"
    return f"{sample.state:<8} {format_pressure(sample.pressure_pa)}  {end}"


def status(sample: "Sample", fault: "Fault", warnings: tuple[str, ...], more: Asked = Asked()) -> list[str]:
    amount = more.drift is not None
    in_limits = ", in limits" if sample.in_limits and not amount else ""
    quiet = "" if more.quiet_left_s is None else f", for another {format_duration(more.quiet_left_s)}"
    rows: list[tuple[str, str]] = [
        ("state", f"{sample.state}{quiet}"),
        ("fault", str(fault) if fault.latched else "none"),
        ("warnings", ", ".join(warnings) or "none"),
        ("pressure", f"{format_pressure(sample.pressure_pa)} absolute{in_limits}"),
        ("setpoint now", format_pressure(sample.ramp_pa) if sample.state in ("REGULATE", "QUIET") else "-"),
        ("target", format_pressure(sample.target_pa) if sample.target_pa else "not set"),
        ("rate", format_slew(sample.slew_pa_s)),
        ("safety transducer", format_pressure(sample.safety_pa)),
        ("supply", format_pressure(sample.supply_pa)),
        ("gas", _temperature(sample.gas_k)),
        ("wall", _temperature(sample.wall_k)),
        ("fills, vents", f"{sample.fills}, {sample.vents}"),
        ("uptime", f"{format_duration(sample.uptime_s)} (boot {sample.boot})"),
    ]
    if warnings:
        # Imported only then: it takes longer than the rest of the command.
        from ipch.alarms import WARNINGS

        texts = dict(WARNINGS)
        at = next(n for n, (name, _) in enumerate(rows) if name == "warnings") + 1
        rows[at:at] = [("", f"{name}: {texts[name]}") for name in warnings if name in texts]
    if more.drift is not None:
        at = next(n for n, (name, _) in enumerate(rows) if name == "target")
        rows[at] = ("target", f"{rows[at][1]}, not followed while the amount is held")
        rows.insert(at, ("amount of gas", f"held, valves shut: {_drift(more.drift)}"))
    return _columns(rows)


def info(
    port: str, identity: "Identity", sample: "Sample", valves: dict[str, "Valve"], health: dict[str, int]
) -> list[str]:
    rows: list[tuple[str, str]] = [
        ("port", port),
        ("device", f"{identity.maker} {identity.model}"),
        ("serial number", identity.serial_number),
        ("firmware", identity.firmware),
        ("interpreter", identity.interpreter),
        ("uptime", f"{format_duration(sample.uptime_s)} (boot {sample.boot})"),
    ]
    for name, valve in valves.items():
        gain = f"gain {valve.gain} Pa/s per MPa" if valve.gain else "no gain learned yet"
        rows.append((f"{name} valve", f"{valve.actuations} pulses, open for {valve.open_s:.3f} s, {gain}"))
    rows += [("board", text) for text in board(health)]
    return _columns(rows)


def board(health: dict[str, int]) -> list[str]:
    """What is known of how well the board keeps up, in up to two lines."""
    lines = []
    if {"clock_mhz", "start_ms", "free_bytes"} <= health.keys():
        lines.append(
            f"{health['clock_mhz']} MHz, first tick {health['start_ms'] / 1000:.2f} s after the reset, "
            f"{health['free_bytes'] / 1000:.1f} kB free"
        )
    if "late_ticks" in health:
        lines.append(
            f"{health['late_ticks']} late ticks, longest {health['longest_tick_ms']} ms, with a flash write "
            f"{health['longest_write_ms']} ms; {health['flash_writes']} flash writes, {health['failed_writes']} failed"
        )
    return lines


def _columns(rows: list[tuple[str, Any]]) -> list[str]:
    """Two columns; on a terminal the second is wrapped."""
    width = max(len(name) for name, _ in rows)
    room = shutil.get_terminal_size().columns - width - 2 if sys.stdout.isatty() else 10_000
    lines = []
    for name, value in rows:
        parts = textwrap.wrap(str(value), max(20, room)) or [""]
        lines.append(f"{name.ljust(width)}  {parts[0]}")
        lines += [f"{'':{width}}  {part}" for part in parts[1:]]
    return lines


def _temperature(kelvin: float) -> str:
    return format_celsius(kelvin) if math.isfinite(kelvin) else "sensor invalid"
