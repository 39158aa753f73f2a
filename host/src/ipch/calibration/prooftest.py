"""The proof test: checks that a regulator can only do while somebody watches; measured, judged and documented.

Tightness follows from the amount of gas, p / (Z R T), so that a cooling chamber does not look like a leak. The leak
rate is the slope of a straight line; its uncertainty is that of the slope (k = 2), from the scatter of pressure and
temperature about their lines.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ipch.analysis import GasLaw, gas_law
from ipch.base.files import access
from ipch.device import Instrument, Sample, scpi
from ipch.errors import DeviceError, FaultError, UsageError

VALVES = ("fill", "vent", "supply isolation", "vent isolation")
_RELIEF = 5
# The trap between the valves of a pair fills or empties once, when its one side opens.
_TRAP_S = 2.0
_ACROSS_PA = 300_000
_SHORTEST_S, _LONGEST_S = 5.0, 60.0
_POINTS = 20
_RELIEF_S = 0.2
_AGREEMENT_SAMPLES = 20


@dataclass(frozen=True)
class Rate:
    """A change of the pressure at constant temperature, Pa/h, with its uncertainty (k = 2)."""

    pa_h: float
    uncertainty_pa_h: float
    seconds: float
    samples: int


@dataclass(frozen=True)
class Check:
    """One part of the test."""

    name: str
    result: str
    """passed, failed, skipped, or uncertain if the measurement does not decide."""
    text: str
    rate: Rate | None = None


@dataclass
class Record:
    """The whole test."""

    utc: str
    operator: str
    identity: dict[str, str]
    gas: str
    limit_pa_h: float
    pressure_pa: int
    supply_pa: int
    checks: list[Check] = field(default_factory=list)
    date_set: bool = False

    @property
    def passed(self) -> bool:
        """Whether every part was done and passed."""
        return bool(self.checks) and all(check.result == "passed" for check in self.checks)


def rate(samples: list[Sample], law: GasLaw) -> Rate:
    """The slope of the pressure, corrected to the mean temperature. Raises UsageError for too few samples."""
    usable = [sample for sample in samples if math.isfinite(sample.gas_k)]
    if len(usable) < _POINTS:
        raise UsageError(f"{len(usable)} usable samples are too few for a rate; {_POINTS} are needed")
    times = np.array([sample.uptime_s for sample in usable])
    pressure = np.array([float(sample.control_pa) for sample in usable])
    kelvin = np.array([sample.gas_k for sample in usable])
    # A straight line through the temperature keeps the sensor's noise out of the rate.
    line = np.polynomial.Polynomial.fit(times, kelvin, 1)(times)
    middle = float(line.mean())
    corrected = pressure * law.density_mol_m3(pressure, line) / law.density_mol_m3(pressure, middle)
    offset = times - times.mean()
    spread = float((offset**2).sum())
    slope = float((offset * corrected).sum()) / spread
    scatter = corrected - corrected.mean() - slope * offset
    mean_pa = float(pressure.mean())
    per_kelvin = mean_pa * float(law.thermal_1_k(mean_pa, middle) * law.stiffness(mean_pa, middle))
    squares = float((scatter**2).sum()) + float(((kelvin - line) ** 2).sum()) * per_kelvin**2
    deviation = math.sqrt(squares / (len(usable) - 2) / spread)
    return Rate(slope * 3600, 2 * deviation * 3600, float(times[-1] - times[0]), len(usable))


def judge(name: str, measured: Rate, limit_pa_h: float, verdict: str = "TIGHT") -> Check:
    """Pass a rate that is within the limit including its uncertainty; `verdict` is the device's own."""
    told = f"{measured.pa_h / 1000:+.1f} +- {measured.uncertainty_pa_h / 1000:.1f} kPa/h in {measured.seconds:.0f} s"
    if verdict != "TIGHT":
        result, told = "failed", f"the device found it {verdict}; {told}"
    elif abs(measured.pa_h) + measured.uncertainty_pa_h <= limit_pa_h:
        result = "passed"
    elif abs(measured.pa_h) - measured.uncertainty_pa_h > limit_pa_h:
        result = "failed"
    else:
        result, told = "uncertain", f"{told}; test for longer"
    return Check(name, result, told, measured)


class ProofTest:
    """Guides through the test on a regulator that is off, with gas in the chamber and supply pressure above it."""

    def __init__(
        self,
        instrument: Instrument,
        *,
        operator: str = "",
        gas: str = "air",
        seconds: float = _LONGEST_S,
        limit_pa_h: float = 50_000.0,
        ask: Callable[[str, str], bool] = lambda part, question: True,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`ask(part, question)`: False skips the part. Raises UsageError if the test cannot start now."""
        if not _SHORTEST_S <= seconds <= _LONGEST_S:
            raise UsageError(f"valve time of {seconds:g} s; expected {_SHORTEST_S:g} to {_LONGEST_S:g} s")
        self._instrument = instrument
        self._law = gas_law(gas)
        self._seconds = seconds
        self._ask = ask
        self._say = say
        sample = instrument.fetch()
        ambient_pa = instrument.setting("ambient_pa").value
        if sample.state != "OFF" or sample.faulty:
            raise UsageError(
                f"a proof test starts from OFF without a fault; the device is {sample.state}; use `ipch off` first"
            )
        if sample.pressure_pa < ambient_pa + _ACROSS_PA or sample.supply_pa < sample.pressure_pa + _ACROSS_PA:
            raise UsageError(
                "a proof test needs a chamber 0.3 MPa above ambient and a supply 0.3 MPa above the chamber; now "
                f"{sample.pressure_pa / 1e6:.2f} and {sample.supply_pa / 1e6:.2f} MPa"
            )
        identity = instrument.identity
        self.record = Record(
            utc=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            operator=operator,
            identity={name: str(getattr(identity, name)) for name in identity.__dataclass_fields__},
            gas=self._law.name,
            limit_pa_h=limit_pa_h,
            pressure_pa=sample.whole("pressure_pa"),
            supply_pa=sample.whole("supply_pa"),
        )

    def run(self, trip_wait_s: float = 60.0) -> Record:
        """Do every part that the operator agrees to; set the date on the device if all parts passed."""
        self._agreement()
        self._chamber()
        for number, name in enumerate(VALVES, 1):
            self._valve(number, name)
        self._relief()
        self._trip(trip_wait_s)
        if self.record.passed:
            try:
                self._instrument.ask(f":DIAG:PRO {self.record.utc[:10].replace('-', '')}")
                self.record.date_set = True
            except DeviceError as error:
                self._note(Check("date", "failed", f"the device does not record it: {error.text}"))
        return self.record

    def _note(self, check: Check) -> None:
        self.record.checks.append(check)
        self._say(f"{check.name}: {check.result}: {check.text}")

    def _wanted(self, name: str, question: str) -> bool:
        if self._ask(name, question):
            return True
        self._note(Check(name, "skipped", "not done"))
        return False

    def _for(self, seconds: float) -> Iterator[Sample]:
        """Samples at the full rate, for this much device time."""
        sample = self._instrument.fetch()
        end_s = sample.uptime_s + seconds
        while sample.uptime_s < end_s:
            if sample.faulty:
                raise FaultError(f"fault latched in the proof test: {self._instrument.fault}")
            yield sample
            sample = self._instrument.fetch()

    def _agreement(self) -> None:
        setting = self._instrument.setting
        allowed_pa = setting("control_tolerance_pa").value + setting("safety_tolerance_pa").value
        samples = [self._instrument.fetch() for _ in range(_AGREEMENT_SAMPLES)]
        apart = np.array([float(each.control_pa - each.safety_pa) for each in samples])
        mean, doubt = float(apart.mean()), 2 * float(apart.std(ddof=1)) / math.sqrt(len(apart))
        told = f"{mean / 1000:+.1f} +- {doubt / 1000:.1f} kPa apart, {allowed_pa / 1000:.0f} allowed"
        self._note(Check("transducers", "passed" if abs(mean) + doubt <= allowed_pa else "failed", told))

    def _chamber(self) -> None:
        self._note(judge("chamber", rate(list(self._for(self._seconds)), self._law), self.record.limit_pa_h))

    def _valve(self, number: int, name: str) -> None:
        if not self._wanted(
            name, f"Prove the {name} valve: its partner opens for {self._seconds:g} s. Go on?"
        ):
            return
        self._instrument.ask(f":DIAG:VALV{number}:PRO {self._seconds:g}")
        samples = list(self._for(self._seconds))
        verdict = self._verdict(number)
        begin_s = samples[0].uptime_s + _TRAP_S
        self._note(
            judge(
                name,
                rate([each for each in samples if each.uptime_s >= begin_s], self._law),
                self.record.limit_pa_h,
                verdict,
            )
        )

    def _relief(self) -> None:
        if not self._wanted("relief", f"Open the relief valve for {_RELIEF_S:g} s: gas escapes. Go on?"):
            return
        self._instrument.ask(f":DIAG:VALV{_RELIEF}:PRO {_RELIEF_S:g}")
        verdict = self._verdict(_RELIEF)
        _, moved, open_ms = scpi.fields(self._instrument.query(f":DIAG:VALV{_RELIEF}:PRO?"))
        told = f"{verdict.lower()}: {int(moved) / 1000:+.1f} kPa in {int(open_ms)} ms"
        self._note(Check("relief", "passed" if verdict == "PASSES" else "failed", told))

    def _trip(self, wait_s: float) -> None:
        question = f"Trip the hardware comparator (its test button) within {wait_s:g} s. Go on?"
        if not self._wanted("trip input", question):
            return
        end_s = self._instrument.fetch().uptime_s + wait_s
        while (sample := self._instrument.fetch()).uptime_s < end_s and not sample.faulty:
            pass
        if sample.fault != "COMPARATOR_TRIPPED":
            self._note(Check("trip input", "failed", f"{sample.fault.lower()} was seen within {wait_s:g} s"))
            return
        self._say("trip seen; release the comparator")
        end_s = sample.uptime_s + wait_s
        while True:
            try:
                self._instrument.acknowledge()
            except DeviceError as error:
                if self._instrument.fetch().uptime_s > end_s:
                    self._note(
                        Check("trip input", "failed", f"it tripped, but cannot be acknowledged: {error.text}")
                    )
                    return
            else:
                self._note(
                    Check("trip input", "passed", f"latched {sample.fault}, {sample.state}; acknowledged")
                )
                return

    def _verdict(self, number: int) -> str:
        """The device's own result, once the proof has ended."""
        end_s = self._instrument.fetch().uptime_s + self._seconds
        while True:
            verdict = scpi.fields(self._instrument.query(f":DIAG:VALV{number}:PRO?"))[0]
            if verdict != "RUNNING":
                return verdict
            if self._instrument.fetch().uptime_s > end_s:
                raise FaultError(f"the proof test of valve {number} does not end")


def write(path: Path, record: Record) -> Path:
    """Write the record as JSON, and a page of text beside it; return the page's path. Raises FileError."""
    page = path.with_suffix(".md")
    with access("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps({**asdict(record), "passed": record.passed}, indent=1) + "\n", encoding="utf-8"
        )
        page.write_text(_page(record), encoding="utf-8")
    return page


def _page(record: Record) -> str:
    rows = "\n".join(f"| {each.name} | {each.result} | {each.text} |" for each in record.checks)
    end = (
        "Passed; the date is set on the device."
        if record.date_set
        else "Not passed as a whole; no date was set."
    )
    return f"""# Proof test {record.utc}

Device {record.identity.get("serial_number", "?")}, firmware {record.identity.get("firmware", "?")}. Operator: \
{record.operator or "not named"}. Gas: {record.gas}. Chamber {record.pressure_pa / 1e6:.3f} MPa, supply \
{record.supply_pa / 1e6:.3f} MPa, absolute. Limit of a leak: {record.limit_pa_h / 1000:g} kPa/h.

| part | result | measured |
|---|---|---|
{rows}

{end} Rates are corrected to constant temperature with the real gas's law; +- is k = 2.
"""
