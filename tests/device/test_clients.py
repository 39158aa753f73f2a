"""The clients that laboratories use, unmodified from PyPI, drive the device over both kinds of line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import pyvisa
from pymeasure.instruments import Instrument, SCPIMixin
from pymeasure.instruments.validators import strict_discrete_set
from pyvisa.resources import MessageBasedResource
from qcodes.instrument import VisaInstrument

from ipch.sim.server import RunningServer, simulate

LIMIT_S = 30


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """The firmware on MicroPython in a small chamber at ambient, as fast as possible."""
    with simulate(
        ["--ideal", "--speed", "max", "--tcp", "0", "--set", "volume_l=0.1", "--seed", "1"]
    ) as running:
        yield running


def open_visa(name: str) -> MessageBasedResource:
    line = pyvisa.ResourceManager("@py").open_resource(name, read_termination="\r\n", write_termination="\n")
    assert isinstance(line, MessageBasedResource)
    return line


@pytest.fixture(params=["ASRL", "TCPIP"])
def address(request: pytest.FixtureRequest, server: RunningServer) -> str:
    """The VISA resource name of the device, on a port in its initial state."""
    if request.param == "ASRL":
        name = f"ASRL{server.port}::INSTR"
    else:
        name = f"TCPIP::127.0.0.1::{server.first_line['tcp']}::SOCKET"
    with open_visa(name) as line:
        line.write("*RST;*CLS;:SYST:COMM:HEAD OFF;:SOUR:PRES:SLEW DEF;SLEW:MODE LIN;:STAT:PRES;*ESE 0;*SRE 0")
        assert line.query(":SYST:ERR?") == '0,"No error"'
    return name


# Device time runs a hundred times as fast as these clients query: a ramp must be this slow to be seen in progress.
CRAWL_MPA_S = 0.0001


def wait_for(condition: Callable[[], bool]) -> None:
    """Query until the condition holds; the chamber's time runs far faster than this clock."""
    limit = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < limit, "it never came true"


# PyVISA


@pytest.fixture
def visa(address: str) -> Iterator[MessageBasedResource]:
    with open_visa(address) as line:
        yield line


def test_pyvisa_reads(visa):
    maker, model, serial_number, version = visa.query("*IDN?").split(",")
    assert (maker, model, serial_number) == ("ipch", "IPCH-1", "SIM0000001")
    assert "MicroPython" in version
    assert 0.05 < float(visa.query(":SENS:PRES?")) < 10.1
    pressure, gas, wall = visa.query_ascii_values(":SENS:PRES?;TEMP:GAS?;WALL?", separator=";")
    assert 0.05 < pressure < 10.1 and 0 < gas < 60 and 20 < wall < 40
    names = visa.query(":FETC:FIEL?").split(",")
    row = dict(zip(names, visa.query_ascii_values(":FETC?", converter="s"), strict=True))
    assert row["state"] == "OFF" and row["fault"] == "NONE"


def test_pyvisa_sets_and_ramps(visa):
    start = float(visa.query(":SENS:PRES?"))
    target = start + 0.3
    visa.write(f":SOUR:PRES {target:.6f};SLEW {CRAWL_MPA_S};SLEW:MODE LIN;:OUTP ON")
    assert visa.query(":SYST:ERR?") == '0,"No error"'
    assert float(visa.query(":SOUR:PRES?")) == pytest.approx(target, abs=1e-6)
    first = float(visa.query(":SOUR:PRES:RAMP?"))
    assert start - 0.1 < first < target, "the target is not reached at once"
    visa.write(":SOUR:PRES:SLEW 0.02")
    wait_for(lambda: visa.query(":SENS:PRES:INL?").endswith(",1"))
    assert float(visa.query(":SENS:PRES?")) == pytest.approx(target, abs=0.011)
    visa.write(":OUTP 0")
    assert visa.query(":OUTP?") == "0"


def test_pyvisa_sees_errors_and_status(visa):
    visa.write("*CLS;*ESE 48;*SRE 32")
    visa.write(":SOUR:PRES 99")
    visa.write(":NONSENSE 1")
    # Error queue 4, event summary 32, master summary 64.
    assert int(visa.query("*STB?")) == 100
    assert int(visa.query("*ESR?")) == 48
    assert visa.query(":SYST:ERR?").startswith('-222,"Data out of range;')
    assert visa.query(":SYST:ERR?") == '-113,"Undefined header;:NONSENSE"'
    assert visa.query(":SYST:ERR?;*STB?") == '0,"No error";16'
    visa.write("*OPC")
    assert visa.query("*ESR?;*OPC?") == "1;1"
    visa.write(":STAT:OPER:ENAB 256;:STAT:OPER?")
    visa.read()
    visa.write(":SOUR:PRES MAX;:OUTP ON;:OUTP OFF")
    assert int(visa.query(":STAT:OPER?")) & 256
    assert visa.query(":STAT:OPER:COND?") == "0"


def test_pyvisa_terminators(visa):
    visa.read_termination = "\n"
    for end in ("\n", "\r", "\r\n"):
        visa.write_termination = end
        assert visa.query("*OPC?") == "1\r"


def test_pyvisa_ends_a_line_that_somebody_left_half_written(address):
    with open_visa(address) as line:
        line.write_raw(b":SOUR:PRES 2;:NONSEN")
    with open_visa(address) as line:
        line.write("")
        line.write("*CLS")
        assert line.query(":SYST:ERR?;:OUTP?") == '0,"No error";0'


def test_pyvisa_comes_and_goes(address):
    for _ in range(10):
        with open_visa(address) as line:
            line.write(":SOUR:PRES:SLEW 0.01;SLEW:MODE LIN;:UNIT:PRES MPA;:STAT:PRES;*ESE 0;*SRE 0")
            assert line.query(":SOUR:PRES:SLEW?") == "0.0100000"


# PyMeasure


class MeasureRegulator(SCPIMixin, Instrument):
    """Code of a user who knows PyMeasure and has read the list of commands."""

    pressure = Instrument.measurement(":SENS:PRES?", "Filtered pressure in MPa.")
    target = Instrument.control(":SOUR:PRES?", ":SOUR:PRES %g MPA", "Target in MPa.", check_set_errors=True)
    ramp = Instrument.measurement(":SOUR:PRES:RAMP?", "Ramped setpoint in MPa.")
    ramp_rate = Instrument.control(":SOUR:PRES:SLEW?", ":SOUR:PRES:SLEW %g", "MPa/s.", check_set_errors=True)
    ramp_mode = Instrument.control(
        ":SOUR:PRES:SLEW:MODE?",
        ":SOUR:PRES:SLEW:MODE %s",
        "MAX or LIN.",
        validator=strict_discrete_set,
        values=["MAX", "LIN"],
        cast=str,
    )
    output_enabled = Instrument.control(
        ":OUTP?", ":OUTP %d", "Regulates.", values={True: 1, False: 0}, map_values=True, check_set_errors=True
    )
    in_limits = Instrument.measurement(
        ":SENS:PRES:INL?", "Pressure is in limits.", get_process_list=lambda values: values[1] == 1
    )
    operation = Instrument.measurement(":STAT:OPER:COND?", "Operation condition register.", cast=int)


@pytest.fixture
def measured(address: str) -> Iterator[MeasureRegulator]:
    regulator = MeasureRegulator(
        address, "Regulator", visa_library="@py", read_termination="\r\n", write_termination="\n"
    )
    yield regulator
    regulator.adapter.close()


def test_pymeasure_reads_sets_and_ramps(measured):
    assert measured.id.startswith("ipch,IPCH-1,SIM0000001,")
    measured.ramp_rate = 0.05
    measured.ramp_mode = "LIN"
    assert measured.ramp_rate == 0.05 and measured.ramp_mode == "LIN"
    target = round(measured.pressure + 0.25, 4)
    measured.target = target
    measured.ramp_rate = CRAWL_MPA_S
    measured.output_enabled = True
    assert measured.output_enabled is True
    assert measured.operation & 256
    assert measured.ramp < target
    measured.ramp_rate = 0.05
    wait_for(lambda: measured.in_limits)
    assert measured.pressure == pytest.approx(target, abs=0.011)
    measured.output_enabled = False
    assert measured.output_enabled is False
    assert measured.check_errors() == []


def test_pymeasure_sees_errors_and_status(measured):
    measured.clear()
    assert measured.complete == "1"
    assert measured.options == "0"
    assert measured.status == "0"
    measured.write(":SOUR:PRES 99;:OUTP ON")
    assert int(measured.status) & 4
    errors = measured.check_errors()
    assert [error[0] for error in errors] == [-222]
    assert measured.output_enabled is False
    before = measured.target
    measured.target = 99
    assert measured.target == before
    measured.write(":NONSENSE")
    assert measured.next_error[0] == -113
    measured.reset()
    assert measured.check_errors() == []


# QCoDeS


class QcodesRegulator(VisaInstrument):
    """The same for QCoDeS."""

    default_terminator = "\r\n"

    def __init__(self, name: str, address: str) -> None:
        super().__init__(name, address, visalib="@py")
        self.add_parameter("pressure", unit="MPa", get_cmd=":SENS:PRES?", get_parser=float)
        self.add_parameter(
            "target", unit="MPa", get_cmd=":SOUR:PRES?", set_cmd=":SOUR:PRES {:.7f}", get_parser=float
        )
        self.add_parameter("ramp", unit="MPa", get_cmd=":SOUR:PRES:RAMP?", get_parser=float)
        self.add_parameter(
            "ramp_rate",
            unit="MPa/s",
            get_cmd=":SOUR:PRES:SLEW?",
            set_cmd=":SOUR:PRES:SLEW {}",
            get_parser=float,
        )
        self.add_parameter(
            "output", get_cmd=":OUTP?", set_cmd=":OUTP {}", val_mapping={"on": "1", "off": "0"}
        )
        self.add_parameter("in_limits", get_cmd=":SENS:PRES:INL?", get_parser=lambda text: text[-1] == "1")
        self.add_parameter("error", get_cmd=":SYST:ERR?")
        self.add_parameter("status", get_cmd="*STB?", get_parser=int)


@pytest.fixture
def station(address: str) -> Iterator[QcodesRegulator]:
    regulator = QcodesRegulator("regulator", address)
    yield regulator
    regulator.close()


def test_qcodes_reads_sets_and_ramps(station):
    identity = station.get_idn()
    assert (identity["vendor"], identity["model"], identity["serial"]) == ("ipch", "IPCH-1", "SIM0000001")
    assert "MicroPython" in identity["firmware"]
    station.ramp_rate(0.05)
    assert station.ramp_rate() == 0.05
    station.ramp_rate(CRAWL_MPA_S)
    start = station.pressure()
    station.target(round(start + 0.1, 4))
    station.output("on")
    assert station.output() == "on"
    # QCoDeS steps the parameter; the device ramps between steps.
    station.target.step = 0.05
    target = round(start + 0.25, 4)
    station.target(target)
    assert station.target() == target
    assert station.ramp() < target
    station.ramp_rate(0.05)
    wait_for(station.in_limits)
    assert station.pressure() == pytest.approx(target, abs=0.011)
    station.output("off")
    assert station.output() == "off"
    assert station.error() == '0,"No error"'
    snapshot = station.snapshot(update=True)["parameters"]
    assert snapshot["target"]["value"] == target


def test_qcodes_sees_errors_and_status(station):
    station.write("*CLS")
    assert station.status() == 0
    station.write(":SOUR:PRES 99")
    assert station.status() == 4
    assert station.error().startswith('-222,"Data out of range;0.1013250 to 5.5000000 MPA')
    assert station.error() == '0,"No error"'
    station.device_clear()
    assert station.ask("*OPC?") == "1"
