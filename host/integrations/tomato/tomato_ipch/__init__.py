"""tomato's driver of the regulator: one component is one device."""

from __future__ import annotations

import logging
import math
import time
from datetime import UTC, datetime
from typing import Any

import pint
import xarray
from tomato.driverinterface_2_1 import Attr, ModelDevice, ModelInterface, Task
from tomato.driverinterface_2_1.decorators import coerce_val

from ipch.device import Instrument, Owner, Sample, has_arrived, open_session, recipe_among
from ipch.errors import DeviceLostError, IpchError

_log = logging.getLogger(__name__)
_VENTED, _NOT_KNOWN_EMPTY = 2, 3
_TECHNIQUES = {"ramp", "hold", "quiet", "vent", "measure"}
# Attribute: (field of a sample in Pa, K or its own unit; factor; offset; unit).
_FIELDS: dict[str, tuple[str, float, float, str]] = {
    "pressure": ("pressure_pa", 1e-6, 0.0, "MPa"),
    "setpoint": ("target_pa", 1e-6, 0.0, "MPa"),
    "supply": ("supply_pa", 1e-6, 0.0, "MPa"),
    "gas_temperature": ("gas_k", 1.0, -273.15, "degC"),
    "wall_temperature": ("wall_k", 1.0, -273.15, "degC"),
}
# In this order, so that a ramp has its rate before its target.
_WRITABLE = ("slew", "setpoint")


class DriverInterface(ModelInterface):
    """What tomato looks for in a driver's module."""

    idle_measurement_interval = 10

    def DeviceFactory(self, key: tuple[str, str], **kwargs: Any) -> Device:  # noqa: N802
        """Open the device whose address is in the key. tomato tries again after a RuntimeError."""
        try:
            return Device(self, key, **kwargs)
        except IpchError as error:
            raise RuntimeError(str(error)) from error


class Device(ModelDevice):
    """One regulator. It keeps following its last command when a job, or this driver, ends."""

    def __init__(self, driver: DriverInterface, key: tuple[str, str], **kwargs: Any) -> None:
        session = open_session(key[0])
        self.instrument = Instrument(session)
        self.owner = Owner(session)
        self.owner.announce({"kind": "tomato"})
        self._highest_mpa = self.instrument.setting("setpoint_max_pa").value / 1e6
        super().__init__(driver, key, **kwargs)
        identity = self.instrument.identity
        self.constants = {"serial_number": identity.serial_number, "firmware": identity.firmware}

    # What tomato asks for

    def attrs(self, **kwargs: Any) -> dict[str, Attr]:
        quantity = pint.Quantity
        found = {name: Attr(type=quantity, units=row[3], status=True) for name, row in _FIELDS.items()}
        found["setpoint"] = Attr(
            type=quantity, units="MPa", rw=True, status=True, maximum=quantity(self._highest_mpa, "MPa")
        )
        found["slew"] = Attr(type=quantity, units="MPa/s", rw=True)
        return found | {
            "state": Attr(type=str, status=True),
            "fault": Attr(type=str, status=True),
            "in_limits": Attr(type=int, status=True),
        }

    def capabilities(self, **kwargs: Any) -> set[str]:
        return set(_TECHNIQUES)

    def get_attr(self, attr: str, **kwargs: Any) -> Any:
        """Raises ValueError for an attribute that is unknown, or while the device is away."""
        if attr not in self.attrs():
            raise AttributeError(f"unknown attr: {attr!r}")
        try:
            if attr == "slew":
                return pint.Quantity(self.instrument.slew_pa_s / 1e6, "MPa/s")
            sample = self.instrument.fetch()
        except IpchError as error:
            raise ValueError(str(error)) from error
        value, unit = _value(attr, sample)
        return pint.Quantity(value, unit) if unit else value

    @coerce_val
    def set_attr(self, attr: str, val: Any, **kwargs: Any) -> Any:
        """Raises ValueError for what the device refuses."""
        try:
            self._allowed()
            if not math.isfinite(val.m):
                raise ValueError(f"not a finite number: {val}")
            if attr == "slew":
                self.instrument.slew_pa_s = round(val.to("Pa/s").m)
            else:
                self.instrument.target_pa = round(val.to("Pa").m)
        except (IpchError, OverflowError) as error:
            raise ValueError(str(error)) from error
        return val

    def do_measure(self, **kwargs: Any) -> None:
        """Take a sample; while the device is away there is none, which leaves a gap."""
        try:
            self._keep(self.instrument.fetch())
        except DeviceLostError as error:
            _log.warning("%s", error)
            self.last_data = None

    # Tasks

    def prepare_task(self, task: Task, **kwargs: Any) -> None:
        """Carry out the beginning of a task. What raises here ends the component's work until it is reset."""
        params = dict(task.task_params or {})
        for name in (*_WRITABLE, *(params.keys() - set(_WRITABLE))):
            if name in params:
                self.set_attr(attr=name, val=params[name])
        technique = task.technique_name
        if technique != "measure":
            self._allowed()
        if technique in ("ramp", "hold"):
            self.instrument.on()
        elif technique == "quiet":
            self.instrument.quiet(math.ceil(task.max_duration))
        elif technique == "vent":
            self.instrument.vent()
        self._ends_s = time.perf_counter() + task.max_duration

    def do_task(self, task: Task, **kwargs: Any) -> None:
        """Take a sample, and end the task if it is done. Raises FaultError for a fault."""
        self.do_measure()
        if self.last_data is None:
            return
        self.data = (
            self.last_data
            if self.data is None
            else xarray.concat([self.data, self.last_data], dim="uts", data_vars="minimal")
        )
        sample = self._sample
        if sample.faulty:
            raise RuntimeError(f"the task {task.technique_name} ends: {self.instrument.fault}")
        if self._is_done(task.technique_name, sample):
            self.stop_task()
        elif task.technique_name in ("ramp", "vent") and self._is_late(task):
            raise RuntimeError(f"the task {task.technique_name} is not done after {task.max_duration:g} s")

    def _is_done(self, technique: str, sample: Sample) -> bool:
        if technique == "ramp":
            return has_arrived(sample, sample.whole("target_pa"))
        if technique != "vent" or sample.state == "VENT":
            return False
        state = self.instrument.vent_state
        if state != _VENTED:
            unknown = " and whether the chamber is empty is unknown" if state == _NOT_KNOWN_EMPTY else ""
            raise RuntimeError(f"the vent ended{unknown}: the device is {sample.state}")
        return True

    def _is_late(self, task: Task) -> bool:
        """Whether this is the task's last sample."""
        return time.perf_counter() + task.sampling_interval >= self._ends_s

    def _allowed(self) -> None:
        if running := recipe_among(self.owner.tasks()):
            raise ValueError(f"refused: {running}")

    def _keep(self, sample: Sample) -> None:
        self._sample = sample
        values: dict[str, Any] = {}
        for name in (*_FIELDS, "state", "fault", "in_limits"):
            value, unit = _value(name, sample)
            values[name] = (["uts"], [value], {"units": unit} if unit else {})
        now = datetime.now(UTC).timestamp()
        self.last_data = xarray.Dataset(data_vars=values, coords={"uts": (["uts"], [now])})


def _value(name: str, sample: Sample) -> tuple[Any, str]:
    """Value and unit of an attribute."""
    if name in _FIELDS:
        field, factor, offset, unit = _FIELDS[name]
        return float(getattr(sample, field)) * factor + offset, unit
    if name == "in_limits":
        return int(bool(sample.in_limits)), ""
    return str(getattr(sample, name)), ""
