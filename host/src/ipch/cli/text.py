"""Results formatted as text."""

import math
from typing import TYPE_CHECKING, Any

from ipch.base.units import format_celsius, format_deviation, format_duration, format_pressure, format_slew

if TYPE_CHECKING:
    from ipch.device import Drift, Fault, Identity, Sample, Valve


def one_line(sample: "Sample") -> str:
    """State, pressure, target and ramped setpoint."""
    text = f"{sample.state}: {format_pressure(sample.pressure_pa)}"
    if sample.state in ("REGULATE", "QUIET"):
        text += f", target {format_pressure(sample.target_pa)}"
        if sample.ramp_pa != sample.target_pa:
            text += f", setpoint now {format_pressure(sample.ramp_pa)}"
        text += ", in limits" if sample.in_limits else ""
    elif sample.target_pa:
        text += f", target when on {format_pressure(sample.target_pa)}"
    return text + (f", fault {sample.fault}" if sample.faulty else "")


def sample_line(sample: "Sample") -> str:
    """One line of a series: uptime, state, pressure, setpoint, temperature, pulses."""
    gas = _temperature(sample.gas_k)
    setpoint = format_pressure(sample.ramp_pa) if sample.state in ("REGULATE", "QUIET") else "-".ljust(10)
    return (
        f"{sample.uptime_s:10.1f} s  {sample.state:<11} {format_pressure(sample.pressure_pa)}"
        f"  setpoint {setpoint}  gas {gas}  pulses {sample.fills}+{sample.vents}"
        + (f"  FAULT {sample.fault}" if sample.faulty else "")
    )


def status(
    sample: "Sample", fault: "Fault", warnings: tuple[str, ...], drift: "Drift | None" = None
) -> list[str]:
    rows: list[tuple[str, str]] = [
        ("state", sample.state),
        ("fault", str(fault) if fault.latched else "none"),
        ("warnings", ", ".join(warnings) or "none"),
        (
            "pressure",
            f"{format_pressure(sample.pressure_pa)} absolute{', in limits' if sample.in_limits else ''}",
        ),
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
    if drift is not None:
        told = f"{format_deviation(drift.drift_pa)} in {format_duration(drift.seconds)}"
        rate = f", {format_deviation(drift.rate_pa_h)} per hour" if drift.rate_pa_h else ""
        at = next(n for n, (name, _) in enumerate(rows) if name == "target")
        rows.insert(at, ("amount of gas", f"held, valves shut: {told}{rate}"))
    return _columns(rows)


def info(port: str, identity: "Identity", sample: "Sample", valves: dict[str, "Valve"]) -> list[str]:
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
    return _columns(rows)


def _columns(rows: list[tuple[str, Any]]) -> list[str]:
    width = max(len(name) for name, _ in rows)
    return [f"{name.ljust(width)}  {value}" for name, value in rows]


def _temperature(kelvin: float) -> str:
    return format_celsius(kelvin) if math.isfinite(kelvin) else "sensor invalid"
