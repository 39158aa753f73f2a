"""The design of a rig that is to be built."""

from __future__ import annotations

from dataclasses import dataclass, field

AMBIENT_PA = 101_325
FULL_SCALE_PA = 10_000_000
# Accuracy of control and safety transducer with their converters: two limits need at least this distance.
TOLERANCE_PA = 25_000 + 75_000
# The device seals once they differ by this much more, and its trip must stay above what that can hide.
DISAGREEMENT_PA = 50_000
HOLES_MM = (0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0)


@dataclass(frozen=True)
class Design:
    """Parameters of a rig; Pa absolute, m3, kelvin. `check` refuses one that must not be built."""

    volume_m3: float = 5e-4
    working_pa: int = 5_000_000
    rated_pa: int = 10_000_000
    supply_pa: int = 6_000_000
    source_pa: int = 20_000_000
    gas: str = "nitrogen"
    temperature_k: float = 303.15
    hole_mm: float | None = None  # restrictors on both sides; None: chosen by the sizing
    seat_mm: float = 1.0
    pulse_s: float = 0.005  # the valve open, not its coil energised
    # From the command until the coil's current lifts the valve: 8.8 ms of L/R (0.5 H, 57 ohm), lift at 60 % [estimate].
    coil_rise_s: float = 0.008
    band_pa: float = 2_500.0
    slew_pa_s: float = 20_000.0
    relief_c: float | None = (
        None  # of the fitted relief valve, m3/(s Pa); None: the sizing gives the required value
    )
    cell_ah: float = 5.0
    cycles_per_day: float = 6.0
    leak_pa_h: float = 1_000.0
    limits_pa: dict[str, int] = field(default_factory=dict)  # settings that differ from the proposal


def limits(design: Design) -> dict[str, int]:
    """Return the chain of limits as settings of the device, in Pa: spread between working and rated pressure."""
    span = design.rated_pa - design.working_pa
    shares = (
        ("setpoint_max_pa", 10),
        ("trip_pa", 20),
        ("comparator_pa", 30),
        ("relief_valve_pa", 40),
        ("burst_disc_pa", 80),
        ("chamber_rating_pa", 100),
    )
    proposed = {name: design.working_pa + span * share // 100 for name, share in shares}
    return proposed | design.limits_pa


def settings(design: Design) -> dict[str, int]:
    """Return the chain, and before it the highest supply, in an order in which a device takes lower limits."""
    chain = limits(design)
    return {"supply_max_pa": min(chain["chamber_rating_pa"], FULL_SCALE_PA)} | chain
