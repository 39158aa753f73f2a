"""Header echo over the whole command set, on every rung: each query with its canonical header."""

from __future__ import annotations

import re

import pytest
from pages.commands import commands

# Query, start of its reply with headers on, and the reply without.
PRESSURE, KELVIN = r"-?\d+\.\d{7}", r"-?\d+\.\d{3}"
QUERIES = (
    ("*IDN?", "*IDN", r"ipch,IPCH-1,\w+,[\w. ]+"),
    ("*OPT?", "*OPT", "0"),
    ("*ESE?", "*ESE", "0"),
    ("*ESR?", "*ESR", "(128|0)"),
    ("*OPC?", "*OPC", "1"),
    ("*SRE?", "*SRE", "0"),
    ("*STB?", "*STB", r"\d+"),
    ("*TST?", "*TST", "0"),
    (":SENSe1:PRESsure?", ":SENS:PRES", PRESSURE),
    (":SENSe?", ":SENS:PRES", PRESSURE),
    (":SENSe:PRESsure:INLimits?", ":SENS:PRES:INL", PRESSURE + ",0"),
    (":SENSe:PRESsure:SLEW?", ":SENS:PRES:SLEW", PRESSURE),
    (":SENSe:PRESsure:SAFety?", ":SENS:PRES:SAF", PRESSURE),
    (":SENSe:PRESsure:SUPPly?", ":SENS:PRES:SUPP", PRESSURE),
    (":SENSe:TEMPerature?", ":SENS:TEMP:GAS", KELVIN),
    (":SENSe:TEMPerature:GAS?", ":SENS:TEMP:GAS", KELVIN),
    (":SENSe:TEMPerature:WALL?", ":SENS:TEMP:WALL", KELVIN),
    (":SOURce1:PRESsure:LEVel:IMMediate:AMPLitude?", ":SOUR:PRES:LEV:IMM:AMPL", PRESSURE),
    (":SOURce:PRESsure?", ":SOUR:PRES:LEV:IMM:AMPL", PRESSURE),
    (":SOURce?", ":SOUR:PRES:LEV:IMM:AMPL", PRESSURE),
    (":SOURce:PRESsure? MAXimum", ":SOUR:PRES:LEV:IMM:AMPL", "5.5000000"),
    (":SOURce:PRESsure:RAMP?", ":SOUR:PRES:RAMP", PRESSURE),
    (":SOURce:PRESsure:SLEW?", ":SOUR:PRES:SLEW", PRESSURE),
    (":SOURce:PRESsure:SLEW:MODE?", ":SOUR:PRES:SLEW:MODE", "LIN"),
    (":SOURce:PRESsure:INLimits?", ":SOUR:PRES:INL", r"\d+\.\d{6}"),
    (":SOURce:PRESsure:INLimits:TIME?", ":SOUR:PRES:INL:TIME", r"\d+\.\d{3}"),
    (":SOURce:PRESsure:EFFort?", ":SOUR:PRES:EFF", r"-?\d+"),
    (":SOURce:PRESsure:COMPensate1?", ":SOUR:PRES:COMP", PRESSURE),
    (":SOURce:PRESsure:LEVel:IMMediate:AMPLitude:VENT?", ":SOUR:PRES:LEV:IMM:AMPL:VENT", "0"),
    (":OUTPut1:STATe?", ":OUTP:STAT", "0"),
    (":OUTPut?", ":OUTP:STAT", "0"),
    (":OUTPut:QUIet?", ":OUTP:QUI", r"0\.000"),
    (":UNIT:PRESsure?", ":UNIT:PRES", "MPA"),
    (":FETCh?", ":FETC", r"\d+(,[\w-]+){20}"),
    (":FETCh:FIELds?", ":FETC:FIEL", r"sequence(,\w+){20}"),
    (":STATus:OPERation?", ":STAT:OPER", "0"),
    (":STATus:OPERation:EVENt?", ":STAT:OPER", "0"),
    (":STATus:OPERation:CONDition?", ":STAT:OPER:COND", "0"),
    (":STATus:OPERation:ENABle?", ":STAT:OPER:ENAB", "0"),
    (":STATus:QUEStionable?", ":STAT:QUES", "0"),
    (":STATus:QUEStionable:EVENt?", ":STAT:QUES", "0"),
    (":STATus:QUEStionable:CONDition?", ":STAT:QUES:COND", "0"),
    (":STATus:QUEStionable:ENABle?", ":STAT:QUES:ENAB", "0"),
    (":SYSTem:ERRor?", ":SYST:ERR", '0,"No error"'),
    (":SYSTem:ERRor:NEXT?", ":SYST:ERR", '0,"No error"'),
    (":SYSTem:VERSion?", ":SYST:VERS", "1999.0"),
    (":SYSTem:FAULt?", ":SYST:FAUL", 'NONE,"no fault",0,"",0'),
    (":SYSTem:BOOT?", ":SYST:BOOT", "1,POWER,\\d,NONE,0,0,0"),
    (":DIAGnostic:VALVe3:PROof?", ":DIAG:VALV:PRO", "NONE,0,0"),
    (":DIAGnostic:PROof?", ":DIAG:PRO", "0,0,365,0"),
    (":DIAGnostic:COUNts?", ":DIAG:COUN", r"0,\d+,0,0(,\d+){7}"),
    (":SYSTem:WARNings?", ":SYST:WARN", "NONE"),
    (":SYSTem:SETTings? 'settle_ms'", ":SYST:SETT", '"settle_ms","ms",300,300,40,5000,"[^"]+"'),
    (":SYSTem:SETTings:CONFirm?", ":SYST:SETT:CONF", "1"),
    (":SYSTem:SETTings:LIST?", ":SYST:SETT:LIST", "setpoint_max_pa(,[a-z_0-9]+)+"),
    (":SYSTem:COMMunicate:HEADer?", ":SYST:COMM:HEAD", "[01]"),
    (":SOURce:FUNCtion?", ":SOUR:FUNC", "PRES"),
    (":SENSe:PRESsure:AMOunt?", ":SENS:PRES:AMO", "0.0000000,0.0000000,0"),
    (":CALibration:BARometer?", ":CAL:BAR", "101325"),
    (":CALibration:CONTrol?", ":CAL:CONT", '0,0,0,0,0,0,""'),
    (":CALibration:SAFety?", ":CAL:SAF", '0,0,0,0,0,0,""'),
    (":CALibration:SUPPly?", ":CAL:SUPP", "0,0,0,0"),
    (":DIAGnostic:VALVe?", ":DIAG:VALV", r"0,0,\d+,0"),
    (":DIAGnostic:VALVe2?", ":DIAG:VALV", r"0,0,\d+,0"),
    (":TRACe:STATe?", ":TRAC:STAT", "FROZEN,NONE,-1,0,[0-9]+"),
    (":TRACe:POINts?", ":TRAC:POIN", r"\d+,550,\d+"),
    (":TRACe:CATalog?", ":TRAC:CAT", r"dt_ms,H,550(,\w+,[HhBi],\d+)+"),
    (":TRACe:DATA? 'dt_ms',0,2", ":TRAC:DATA", "1400[0-9a-f]{4}"),
    (":TRACe:KEYFrames?", ":TRAC:KEYF", r"[0-9A-F]{8}(,-?\d+){3}"),
    (":TRACe:REQuests? 0", ":TRAC:REQ", r'\d+,-1,\d+,".+"'),
)


def short(query: str) -> str:
    """The query in short form."""
    header, mark, parameters = query.partition("?")
    return re.sub(r"[a-z]+", "", header) + mark + parameters


@pytest.mark.parametrize("echo", [False, True])
def test_each_query_in_short_and_long_form(bench, echo):
    rig = bench("initial_mpa=1")
    rig.send(f":SYST:COMM:HEAD {int(echo)};:TRAC:FRE")
    rig.run_s(0.1)
    for query, header, reply in QUERIES:
        expected = f"{re.escape(header)} {reply}" if echo else reply
        for form in (
            query.upper() if "'" not in query else query,
            short(query),
            query[query[0] == ":" :].lower(),
        ):
            said = rig.ask(form)
            assert re.fullmatch(expected, said), (form, said)
    assert rig.ask(":SYST:ERR?").endswith('0,"No error"')


@pytest.mark.parametrize("echo", [False, True])
def test_compound_queries_answer_all_of_them_on_one_line(bench, echo):
    rig = bench("initial_mpa=1")
    rig.send(f":SYST:COMM:HEAD {int(echo)};:TRAC:FRE")
    rig.run_s(0.1)
    row, rows = [], []
    for query, header, reply in QUERIES:
        entry = (short(query), f"{re.escape(header)} {reply}" if echo else reply)
        if sum(len(text) + 1 for text, _ in [*row, entry]) > 250:
            rows.append(row)
            row = []
        row.append(entry)
    rows.append(row)
    for row in rows:
        message = ";".join(text for text, _ in row)
        said = rig.ask(message)
        assert re.fullmatch(";".join(reply for _, reply in row), said), (message, said)


def test_the_table_has_every_query_of_the_command_set():
    assert {header for _, header, _ in QUERIES} == {
        command.header for command in commands() if command.header
    }
