"""`/metrics`: the state of devices as OpenMetrics, by prometheus-client; a device that is away has no values."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ipch import __version__
from ipch.alarms import WARNINGS
from ipch.base.extras import how_to_install
from ipch.device import Sample
from ipch.errors import UsageError

STATES = ("OFF", "REGULATE", "QUIET", "VENT", "SEALED", "RELIEF", "MAINTENANCE")
# Older than this, a value says nothing of now.
_OLD_S = 30.0
_ZERO_C = 273.15
# Field of a sample: name with unit, help.
_GAUGES = {
    "pressure_pa": ("ipch_pressure_pascals", "Absolute pressure, filtered"),
    "ramp_pa": ("ipch_setpoint_pascals", "Present ramped setpoint"),
    "target_pa": ("ipch_target_pascals", "Target pressure"),
    "control_pa": ("ipch_control_pressure_pascals", "Reading of the control transducer"),
    "safety_pa": ("ipch_safety_pressure_pascals", "Reading of the safety transducer"),
    "supply_pa": ("ipch_supply_pressure_pascals", "Supply pressure"),
    "settled_pa": ("ipch_settled_pressure_pascals", "Pressure once the gas has the wall's temperature"),
    "gas_k": ("ipch_gas_temperature_celsius", "Gas temperature"),
    "wall_k": ("ipch_wall_temperature_celsius", "Wall temperature"),
    "slew_pa_s": ("ipch_pressure_change_pascals_per_second", "Rate of the pressure"),
    "uptime_s": ("ipch_uptime_seconds", "Time since the device started"),
    "boot": ("ipch_boot", "Number of the device's start"),
    "sequence": ("ipch_sequence", "Number of the device's answer"),
    "in_limits": ("ipch_in_limits", "1 while the pressure is within tolerance of the target"),
}
_COUNTERS = {
    "fills": ("ipch_fills", "Pulses of the fill valve"),
    "vents": ("ipch_vents", "Pulses of the vent valve"),
    "fill_open_s": ("ipch_fill_open_seconds", "Time that the fill valve was open"),
    "vent_open_s": ("ipch_vent_open_seconds", "Time that the vent valve was open"),
}


class Source(Protocol):
    """The live state of a device."""

    serial_number: str
    facts: dict[str, Any]
    latest: Sample | None
    gaps: int
    alarms: int

    @property
    def away(self) -> str: ...

    @property
    def age_s(self) -> float: ...


def exposition(sources: Mapping[str, Source], accept: str) -> tuple[bytes, str]:
    """The metrics in the format that a scraper accepts, and its content type. Raises UsageError without the package."""
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import choose_encoder
    except ImportError as error:
        raise UsageError(f"/metrics needs prometheus-client; {how_to_install('fleet')}") from error
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(sources))
    encode, kind = choose_encoder(accept)
    return encode(registry), kind


class _Collector:
    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = dict(sources)

    def collect(self) -> Iterable[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        labels = ["serial", "name"]
        up = GaugeMetricFamily("ipch_device_up", "1 while the device answers", labels=labels)
        age = GaugeMetricFamily("ipch_sample_age_seconds", "Time since the latest sample", labels=labels)
        faulty = GaugeMetricFamily("ipch_faulty", "1 while a fault is latched", labels=labels)
        fault = GaugeMetricFamily("ipch_fault", "1 for the latched fault", labels=[*labels, "fault"])
        state = GaugeMetricFamily("ipch_state", "1 for the present state", labels=[*labels, "state"])
        warning = GaugeMetricFamily("ipch_warning", "1 for each active warning", labels=[*labels, "warning"])
        band = GaugeMetricFamily("ipch_dead_band_pascals", "Largest error while holding", labels=labels)
        most = GaugeMetricFamily("ipch_setpoint_max_pascals", "Highest target", labels=labels)
        gaps = CounterMetricFamily("ipch_gaps", "Times that the device was away", labels=labels)
        alarms = CounterMetricFamily("ipch_alarms", "Alarms that this program raised", labels=labels)
        build = InfoMetricFamily("ipch_build", "Versions of host and firmware", labels=labels)
        gauges = {field: GaugeMetricFamily(*row, labels=labels) for field, row in _GAUGES.items()}
        counters = {field: CounterMetricFamily(*row, labels=labels) for field, row in _COUNTERS.items()}
        for source in self._sources.values():
            who = [source.serial_number, str(source.facts.get("program", ""))]
            sample = source.latest
            answers = sample is not None and not source.away and source.age_s < _OLD_S
            up.add_metric(who, float(answers))
            if math.isfinite(source.age_s):
                age.add_metric(who, source.age_s)
            gaps.add_metric(who, source.gaps)
            alarms.add_metric(who, source.alarms)
            build.add_metric(who, {"version": __version__, "firmware": str(source.facts.get("firmware", ""))})
            band.add_metric(who, source.facts.get("dead_band_pa", math.nan))
            most.add_metric(who, source.facts.get("setpoint_max_pa", math.nan))
            if sample is None or not answers:
                continue
            for field, family in gauges.items():
                value = _float(getattr(sample, field))
                family.add_metric(who, value - _ZERO_C if field.endswith("_k") else value)
            for field, counter in counters.items():
                counter.add_metric(who, _float(getattr(sample, field)))
            for name in STATES if sample.state in STATES else (*STATES, sample.state):
                state.add_metric([*who, name], float(name == sample.state))
            faulty.add_metric(who, float(sample.faulty))
            if sample.faulty:
                fault.add_metric([*who, sample.fault], 1.0)
            for bit, (name, _) in enumerate(WARNINGS):
                if sample.warning_bits >> bit & 1:
                    warning.add_metric([*who, name], 1.0)
        yield from (up, age, faulty, fault, state, warning, band, most, gaps, alarms, build)
        yield from gauges.values()
        yield from counters.values()


def _float(value: float | None) -> float:
    """nan for what the firmware does not report."""
    return math.nan if value is None else float(value)
