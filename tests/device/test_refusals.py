"""A refused command changes nothing, in every state of the device."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipch.sim.injector import inject
from ipch.sim.parameters import load_parameters
from ipch.sim.plant import Plant
from ipch.sim.rigs import CoreDevice, load_firmware
from ipch.sim.world import World

STATES = [row[0] for row in load_firmware()["regulator.modes"].TABLE]

# Messages that bring the device into each of the states.
BEGINNINGS = {
    "off": "*CLS",
    "regulating": ":SOUR:PRES 1.1;:OUTP ON",
    "quiet": ":SOUR:PRES 1.1;:OUTP ON;:OUTP:QUI 100",
    "venting": ":SOUR:VENT 1",
    "tripped": "*CLS",
    "echoing": ":SYST:COMM:HEAD ON;:UNIT:PRES BAR;*ESE 4;:STAT:OPER:ENAB 256",
}
SHOWN = "*ESE?;*SRE?;:STAT:OPER:ENAB?;:STAT:QUES:ENAB?;:UNIT:PRES?;:OUTP?;:SOUR:PRES?;:SOUR:VENT?"

HEADERS = (
    ":SOUR:PRES", ":SOUR", ":SOUR:PRES:SLEW", ":SOUR:SLEW:MODE", ":SOUR:INL", ":SOUR:INL:TIME",
    ":SOUR:VENT", ":OUTP", ":OUTP:QUI", ":UNIT:PRES", ":CAL:BAR", "*RST", "*ESE", "*SRE", ":STAT:OPER:ENAB",
    ":STAT:QUES:ENAB", ":STAT:PRES", ":SYST:FAUL:ACK", ":SYST:SETT", ":SYST:COMM:HEAD",
    ":SYST:SETT:CONF", ":SYST:SETT:CONF 5500000,6000000,",
    ":SYST:SETT 'trip_pa',", ":SYST:SETT 'settle_ms',", ":SYST:SETT 'slew_linear',",
    ":SYST:SETT 'burst_disc_pa',", ":SYST:SETT 'pulse_min_us',", ":DIAG:VALV3", ":SENS2", "*IDN", "*CLS",
    ":SYST:ERR", ":FETC", ":SOUR:FUNC", ":CAL:CONT", ":CAL:SAF 1,2,3,4,", ":CAL:CONT:ZERO", ":DIAG:PRO",
    ":DIAG:VALV2:PRO", ":DIAG:VALV5:PRO", ":TRAC:DATA 'dt_ms',", ":TRAC:REQ", ":TRAC:FRE", ":TRAC:ARM", ":SYST:MAIN",
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-3, 12).map(str),
    st.sampled_from(
        ("1.5", "0.02", "1E5", "6000000", "250000", "30000000", "1E30", "-1E-40", "99", "1.2.3", "1E", "#HFF")
    ),
    st.decimals(-1, 12, allow_nan=False, places=4).map(str),
)
PARAMETERS = st.one_of(
    st.just(""),
    NUMBERS,
    st.tuples(NUMBERS, st.sampled_from((" BAR", "MPA", " PA", " S", " PCT", " V", " MIN", " PSI/S"))).map(
        "".join
    ),
    st.sampled_from(
        ("ON", "OFF", "MAX", "MIN", "DEF", "LIN", "BAR", "'trip_pa'", '"nothing",5', "'", "MAYBE", ",", "1,2")
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters=";"), max_size=12),
)
UNITS = st.one_of(
    st.tuples(st.sampled_from(HEADERS), st.sampled_from(("", " ", "?", "? ", "1 ", "X ")), PARAMETERS).map(
        "".join
    ),
    st.tuples(st.sampled_from(HEADERS), st.just(" "), PARAMETERS).map("".join),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters=";"), max_size=30),
)


class Line:
    """A device of the `core` rung in one of the states, and its line."""

    def __init__(self, beginning: str, folder: str) -> None:
        self.world = World(Plant(load_parameters(None, ("initial_mpa=1",)), seed=1))
        self.device = CoreDevice(self.world, Path(folder))
        self.send(BEGINNINGS[beginning])
        assert self.errors() == []
        if beginning == "tripped":
            inject(self.world, "control-open", {"for_s": 0.5})
            self.device.run(30)
            assert self.state() == "SEALED"

    def send(self, message: str) -> str:
        """Send a line and run until the device has processed it."""
        self.world.received.clear()
        self.world.script[self.world.ticks + 1] = message.encode() + b"\n"
        self.device.run(2)
        while self.device.app.server.busy:
            self.device.run(1)
        return self.world.received.decode()

    def errors(self) -> list[int]:
        """Empty the error queue."""
        codes = []
        while code := int(self.send(":SYST:ERR?").removeprefix(":SYST:ERR ").split(",")[0]):
            codes.append(code)
        return codes

    def shown(self) -> tuple[object, ...]:
        """Every setting, the state, and all other values that commands can change."""
        app = self.device.app
        proof = (app.watches.proof.active, app.record.proof_date)
        return (
            dict(app.settings.items()),
            self.state(),
            app.store.lost,
            app.modes.fault,
            proof,
            app.blackbox.state,
            self.send(SHOWN),
        )

    def state(self) -> str:
        return STATES[self.device.app.modes.state]


@pytest.mark.parametrize("beginning", BEGINNINGS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(unit=UNITS)
def test_a_refused_command_changes_nothing(beginning: str, unit: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        line = Line(beginning, folder)
        before = line.shown()
        line.send(unit)
        codes = line.errors()
        assert len(codes) <= 1 and all(-200 < code < -100 or code in (-221, -222, -224) for code in codes)
        if codes:
            assert line.shown() == before


@pytest.mark.parametrize("beginning", BEGINNINGS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(units=st.lists(UNITS.filter(lambda unit: unit.startswith((":", "*"))), min_size=2, max_size=4))
def test_a_message_counts_up_to_its_first_error_and_no_further(beginning: str, units: list[str]) -> None:
    message = ";".join(units)
    if any(quote in unit for unit in units for quote in "'\""):
        # An open string swallows the rest of the line; the single commands are tested above.
        return
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        whole, stepped = Line(beginning, first), Line(beginning, second)
        whole.send(message)
        expected: list[int] = []
        for unit in units:
            stepped.send(unit)
            # *CLS within the message clears the errors; none was queued before.
            expected = stepped.errors()
            if expected:
                break
        assert whole.errors() == expected
        assert whole.shown() == stepped.shown()
