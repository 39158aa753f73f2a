"""The client against the firmware: what it reads, what it refuses, and how it gets over a disturbed line."""

from __future__ import annotations

import math
import os
import pty
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipch
from ipch.device.instrument import Instrument, Sample
from ipch.device.polling import Monitor
from ipch.device.session import Direct
from ipch.device.transport import Transport
from ipch.errors import DeviceError, DeviceLostError, NoDeviceError, PortBusyError, UsageError
from ipch.sim.server import RunningServer, simulate


@pytest.fixture
def silent_port() -> Iterator[str]:
    """A pseudo-terminal with nobody at the other end."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_identity(regulator: Instrument) -> None:
    identity = regulator.identity
    assert (identity.maker, identity.model) == ("ipch", "IPCH-1")
    assert identity.firmware == ipch.__version__
    assert identity.interpreter.startswith("CPython 3.")
    assert identity.serial_number == "CORE000001"


def test_a_sample_has_everything_in_si(regulator: Instrument) -> None:
    first, second = regulator.fetch(), regulator.fetch()
    assert second.sequence == first.sequence + 1
    assert second.uptime_s > first.uptime_s
    assert second.boot == first.boot >= 1
    assert second.state == "OFF"
    assert not second.faulty
    assert 0 < second.pressure_pa < 6_000_000
    assert second.supply_pa == pytest.approx(6_000_000, abs=20_000)
    assert second.gas_k == pytest.approx(303, abs=60)
    assert second.wall_k == pytest.approx(303, abs=10)
    assert type(second.in_limits) is bool
    assert all(value is not None for value in vars(second).values())


def test_a_sample_cannot_be_changed(regulator: Instrument) -> None:
    with pytest.raises(AttributeError):
        regulator.fetch().pressure_pa = 0  # type: ignore[misc]


def test_regulate_hold_and_stop(regulator: Instrument) -> None:
    regulator.slew_pa_s = 100_000
    assert regulator.slew_pa_s == 100_000
    regulator.target_pa = 1_500_000
    assert regulator.target_pa == 1_500_000
    regulator.on()
    assert regulator.state == "REGULATE"
    for sample in Monitor(regulator):
        if sample.in_limits and sample.ramp_pa == 1_500_000:
            break
    assert regulator.pressure_pa == pytest.approx(1_500_000, abs=10_000)
    regulator.quiet(2)
    assert regulator.state == "QUIET"
    assert next(s for s in Monitor(regulator, 0.5) if s.state != "QUIET").state == "REGULATE"
    regulator.off()
    assert regulator.state == "OFF"


def test_vent(regulator: Instrument) -> None:
    regulator.slew_pa_s = 100_000
    regulator.target_pa = 1_000_000
    regulator.on()
    next(s for s in Monitor(regulator) if s.in_limits)
    regulator.set_setting("vent_slew_pa_s", 1_000)
    regulator.vent()
    assert regulator.vent_state == 1
    regulator.abort_vent()
    assert (regulator.vent_state, regulator.state) == (0, "OFF")
    regulator.set_setting("vent_slew_pa_s", 500_000)
    regulator.vent()
    assert next(s for s in Monitor(regulator) if s.state != "VENT").state == "OFF"
    assert regulator.vent_state == 2
    assert regulator.pressure_pa < 200_000


def test_every_refusal_has_the_words_of_the_device(regulator: Instrument) -> None:
    with pytest.raises(DeviceError, match=r"the device refused .*5\.5000000") as refusal:
        regulator.target_pa = 50_000_000
    assert refusal.value.code == -222
    assert refusal.value.text.startswith("Data out of range")
    with pytest.raises(DeviceError) as refusal:
        regulator.ask(":NO:SUCH:THING")
    assert refusal.value.code == -113
    with pytest.raises(DeviceError, match="no fault is latched") as refusal:
        regulator.acknowledge()
    assert refusal.value.code == -221
    with pytest.raises(DeviceError):
        regulator.setting("no_such_setting")
    # Nothing of it is left over for the next one.
    assert regulator.ask("*OPC?") == ["1"]


def test_an_error_in_the_middle_of_a_message(regulator: Instrument) -> None:
    with pytest.raises(DeviceError) as refusal:
        regulator.ask("*OPC?;:NO:SUCH;*OPC?")
    assert refusal.value.code == -113
    assert regulator.ask("*OPC?;:SYST:VERS?") == ["1", "1999.0"]


def test_errors_that_others_left_behind_are_not_ours(sim: RunningServer) -> None:
    with Instrument.open(sim.port) as instrument:
        instrument.session.channel.transport.write_line(":NO:SUCH")
    with Instrument.open(sim.port) as instrument:
        assert instrument.ask("*OPC?") == ["1"]


@pytest.mark.parametrize(
    "rubbish", [b":SOUR:PR", b"*IDN?\n*IDN?\n*IDN?\n", b"\x03\x04\xff\x00", b"x" * 300, b'"']
)
def test_connecting_gets_over_what_an_earlier_program_left(sim: RunningServer, rubbish: bytes) -> None:
    transport = Transport(sim.port)
    transport._serial.write(rubbish)
    transport.close()
    with Instrument.open(sim.port) as instrument:
        assert instrument.identity.maker == "ipch"
        assert instrument.fetch().state == "OFF"
        assert instrument.ask("*OPC?") == ["1"]


def test_a_reply_that_came_too_much_is_passed_over(regulator: Instrument) -> None:
    regulator.session.channel.transport.write_line("*IDN?")
    assert regulator.fetch().state == "OFF"
    assert regulator.fetch().state == "OFF"


def test_header_echo_changes_nothing(sim: RunningServer) -> None:
    with Instrument.open(sim.port) as instrument:
        plain = (instrument.identity, instrument.warnings, instrument.setting_names(), instrument.vent_state)
        instrument.ask(":SYST:COMM:HEAD ON")
    try:
        with Instrument.open(sim.port) as instrument:
            assert instrument.session.line("*OPC?").startswith("*OPC ")
            echoed = (
                instrument.identity,
                instrument.warnings,
                instrument.setting_names(),
                instrument.vent_state,
            )
            assert echoed == plain
            assert instrument.fetch().state == "OFF"
            assert not instrument.fault.latched
    finally:
        with Instrument.open(sim.port) as instrument:
            instrument.ask(":SYST:COMM:HEAD OFF")


def test_settings_describe_themselves(regulator: Instrument) -> None:
    settings = {setting.name: setting for setting in regulator.settings()}
    assert list(settings) == regulator.setting_names()
    slew = settings["slew_pa_s"]
    assert slew.unit == "Pa/s"
    assert slew.minimum < slew.default < slew.maximum
    assert slew.help
    assert regulator.setting("slew_pa_s") == slew


def test_valves_are_metered(regulator: Instrument) -> None:
    fill = regulator.valve(1)
    assert fill.gain >= 0
    assert fill.actuations == regulator.fetch().fills
    with pytest.raises(DeviceError):
        regulator.valve(3)


def test_no_fault_and_warnings_by_name(regulator: Instrument) -> None:
    assert not regulator.fault.latched
    assert (regulator.warnings == ()) == (regulator.fetch().warnings == 0)
    assert all(name.isupper() for name in regulator.warnings)


@pytest.mark.parametrize("message", ["*IDN?\n:OUTP ON", "x" * 257, "5 µs", ""])
def test_what_is_no_message(regulator: Instrument, message: str) -> None:
    if message:
        with pytest.raises(UsageError, match="printable ASCII"):
            regulator.ask(message)
    else:
        assert regulator.ask(message) == []


def test_a_message_may_have_any_length_up_to_the_limit(sim: RunningServer) -> None:
    with Instrument.open(sim.port, timeout_s=1.0) as regulator:
        for length in range(1, 257, 5):
            message = "*OPC?".ljust(length) if length >= 5 else " " * length
            assert regulator.ask(message) == (["1"] if length >= 5 else [])


def test_a_port_that_another_program_has_open(sim: RunningServer) -> None:
    transport = Transport(sim.port)
    with pytest.raises(PortBusyError, match="another program has it open"):
        Instrument.open(sim.port)
    transport.close()


def test_nothing_answers(silent_port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipch.device.session._IDENTIFY_S", 0.05)
    with pytest.raises(NoDeviceError, match=f"nothing answers on {silent_port}"):
        Instrument.open(silent_port)
    # It was let go of again.
    Transport(silent_port).close()


def test_something_else_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipch.device.session._IDENTIFY_S", 0.05)
    master, slave = pty.openpty()
    # A terminal that echoes, like the prompt of an interpreter.
    try:
        transport = Transport(os.ttyname(slave))
        tty.setraw(slave)
        os.write(master, b">>> \r\n" * 3)
        with pytest.raises(NoDeviceError):
            Direct(transport)
        transport.close()
    finally:
        os.close(master)
        os.close(slave)


def test_ports_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NoDeviceError, match="unknown port"):
        Instrument.open("/dev/ttyNONE")
    with pytest.raises(NoDeviceError, match="unknown port"):
        Instrument.open("E6614103E7654321")
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(NoDeviceError, match="not a serial port"):
        Instrument.open(str(file))
    with pytest.raises(UsageError, match="not a port"):
        Instrument.open("carrier-pigeon://roof")


def test_over_tcp() -> None:
    with simulate(["--ideal", "--rig", "sim", "--speed", "max", "--ahead", "10s", "--tcp", "0"]) as running:
        port = f"socket://127.0.0.1:{running.first_line['tcp']}"
        with Instrument.open(port) as instrument:
            assert instrument.identity.interpreter.startswith("MicroPython 1.")
            assert instrument.fetch().state == "OFF"
            with Instrument.open(port) as other:
                assert other.fetch().sequence + 1 == instrument.fetch().sequence
        transport = Transport(port)
        with pytest.raises(PortBusyError, match="port busy"):
            Instrument.open(port)
        transport.close()
    with pytest.raises(NoDeviceError, match="cannot connect"):
        Instrument.open(port)


def test_a_device_that_goes_away() -> None:
    with simulate(["--ideal", "--rig", "sim", "--speed", "max", "--ahead", "10s"]) as running:
        instrument = Instrument.open(running.port)
        assert instrument.fetch().state == "OFF"
    with pytest.raises(DeviceLostError, match=f"device lost: {running.port}"):
        instrument.fetch()
    instrument.close()


def test_the_only_device_is_found(sim: RunningServer) -> None:
    with Instrument.open() as instrument:
        assert instrument.port == sim.port


def test_no_device_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(NoDeviceError, match="no device found; start a simulated one with `ipch sim`"):
        Instrument.open()


def test_an_invalid_temperature_is_nan() -> None:
    from ipch.device.instrument import _READERS

    assert math.isnan(_READERS["gas_mk"][1]("0"))
    assert _READERS["wall_mk"][1]("303150") == 303.15


def test_the_sample_names_its_units() -> None:
    units = ("_pa", "_pa_s", "_k", "_s")
    unitless = {"sequence", "boot", "state", "fault", "in_limits", "fills", "vents", "warnings", "more"}
    assert all(name.endswith(units) or name in unitless for name in Sample.__dataclass_fields__)
