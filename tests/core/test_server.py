"""The command table on a stand-in for the regulator: every command, its unit, its limits and its refusal."""

import sys

try:
    import micropython
except ImportError:
    micropython = None

import generated
from fakes import FakeApp, Port, Random, allocated_by
from link import Link

from regulator import VERSION, settings
from regulator.blackbox import FROZEN
from regulator.faults import OVERPRESSURE, WARNINGS, sentence
from regulator.modes import TABLE
from regulator.scpi.calibration import pack, unpack
from regulator.scpi.server import Server
from regulator.scpi.status import TEXTS
from regulator.scpi.syntax import canonical
from regulator.settings import Settings

STATES = [row[0] for row in TABLE]


class Bench:
    """A command table on its line."""

    def __init__(self):
        self.app = FakeApp()
        self.port = Port()
        self.instrument = Server(self.app, Link(self.port), generated.PLACES)

    def ask(self, message):
        """Send a line, tick until it is done, return what came back as text without the line end."""
        self.port.incoming = message.encode() + b"\n"
        self.port.sent = b""
        self.run()
        reply = self.port.sent.decode()
        assert reply == "" or (reply.endswith("\r\n") and reply.count("\n") == 1), reply
        return reply[:-2]

    def run(self):
        for _ in range(1000):
            self.instrument.serve(False)
            if not self.instrument.busy:
                return
        raise AssertionError("still busy")

    def error(self):
        return self.ask(":SYST:ERR?")


def answers(message, reply):
    bench = Bench()
    assert bench.ask(message) == reply, (message, bench.ask(":SYST:ERR?"))
    assert bench.error() == '0,"No error"', message
    assert bench.app.calls == [], message


def does(message, *calls):
    bench = Bench()
    assert bench.ask(message) == "", message
    assert bench.error() == '0,"No error"', message
    assert bench.app.calls == list(calls), (message, bench.app.calls)


def refuses(message, error):
    bench = Bench()
    assert bench.ask(message) == "", message
    assert bench.error() == error, message
    assert bench.app.calls == [], message


def test_identity():
    version = ".".join([str(part) for part in sys.implementation.version[:3]])
    name = "MicroPython" if sys.implementation.name == "micropython" else "CPython"
    answers("*IDN?", f"ipch,IPCH-1,E6614103E7,{VERSION} {name} {version}")


def test_a_reply_that_was_sent_is_forgotten():
    # It may stand in the buffer of the next one.
    bench = Bench()
    assert bench.ask(":FETC?").startswith("1,7,")
    assert bench.instrument._scpi.reply is None


def test_measurements():
    answers(":SENS?", "1.2340000")
    answers(":SENS1:PRES?", "1.2340000")
    answers(":SENSE:PRESSURE?", "1.2340000")
    answers(":SENS:PRES:INL?", "1.2340000,0")
    answers(":SENS:PRES:SLEW?", "-0.0200010")
    answers(":SENS:PRES:SAF?", "1.2500000")
    answers(":SENS:SUPP?", "8.0000000")
    answers(":SENS:TEMP?", "25.250")
    answers(":SENS:TEMP:GAS?;WALL?", "25.250;25.000")
    answers(":SOUR:PRES:COMP1?", "8.0000000")
    answers(":SOUR:PRES:EFF?", "-12")
    answers(":SOUR:PRES:RAMP?", "1.2310000")
    answers(":SOUR:PRES:LEV:IMM:AMPL?", "1.2300000")


def test_a_failed_temperature_sensor_reads_not_a_number():
    bench = Bench()
    bench.app.sensors.gas_mk = 0
    assert bench.ask(":SENS:TEMP?") == "9.91E37"
    bench.app.sensors.gas_mk = 263_149
    assert bench.ask(":SENS:TEMP?") == "-10.001"


def test_the_target():
    does(":SOUR:PRES 1.5", ("set_target", 1_500_000))
    does(":SOUR 1.5E0;:SOUR:PRES:LEV:IMM:AMPL 2", ("set_target", 1_500_000), ("set_target", 2_000_000))
    does(":SOUR:PRES 5 BAR", ("set_target", 500_000))
    does(":SOUR:PRES 750KPA", ("set_target", 750_000))
    does(":SOUR:PRES 725 psi", ("set_target", 4_998_699))
    does(":SOUR:PRES 1.2345674;PRES 1.2345675", ("set_target", 1_234_567), ("set_target", 1_234_568))
    does(
        ":SOUR:PRES MIN;PRES MAX;PRES DEF",
        ("set_target", 101_325),
        ("set_target", 5_500_000),
        ("set_target", 101_325),
    )
    answers(":SOUR:PRES? MAX", "5.5000000")
    answers(":SOUR:PRES? MIN;PRES? DEF", "0.1013250;0.1013250")
    refuses(":SOUR:PRES? 5", '-104,"Data type error;MIN, MAX, DEF"')


def test_a_target_out_of_range_is_told_what_is_allowed():
    text = '-222,"Data out of range;0.1013250 to 5.5000000 MPA"'
    for value in ("5.5000005", "0.1013244", "-1", "1E9", "0", "50", "9" * 60, "56 BAR"):
        refuses(":SOUR:PRES " + value, text)
    refuses(":UNIT:PRES BAR;:SOUR:PRES 56", '-222,"Data out of range;1.013250 to 55.000000 BAR"')


def test_a_refused_request_is_a_settings_conflict():
    for message in (
        ":OUTP ON",
        ":SOUR 1",
        ":SOUR:SLEW 1 KPA",
        ":SOUR:SLEW:MODE MAX",
        ":SOUR:INL 1",
        ":SOUR:INL:TIME 1",
        ":SOUR:VENT 1",
        ":OUTP:QUI 5",
        ":CAL:BAR 100000",
        ":SYST:FAUL:ACK",
        ":SYST:SETT 'settle_ms',200",
        ":SYST:COMM:HEAD ON",
        ":SYST:MAIN",
        "*RST",
    ):
        bench = Bench()
        bench.app.refusal = "fault latched: OVERPRESSURE"
        assert bench.ask(message + ";*IDN?") == "", message
        assert bench.error() == '-221,"Settings conflict;fault latched: OVERPRESSURE"', message


def test_a_request_that_fails_is_a_device_error():
    bench = Bench()
    bench.app.failure = OSError(5)
    bench.ask(":OUTP ON")
    assert bench.error() == '-310,"System error;OSError"'
    bench.app.failure = MemoryError()
    bench.ask(":OUTP ON")
    assert bench.error() == '-321,"Out of memory"'
    assert bench.ask("*IDN?").startswith("ipch,")


def test_every_error_there_is():
    messages = {
        -101: ":OUTP \x07ON",
        -102: ":SENS::PRES?",
        -104: ":SOUR:PRES 'five'",
        -108: ":OUTP ON,OFF",
        -109: ":SOUR:PRES",
        -113: ":OUTPU ON",
        -114: ":SENS2:PRES?",
        -120: ":SOUR:PRES 1.2.3",
        -123: ":SOUR:PRES 1E99999",
        -131: ":SOUR:PRES 5 VOLT",
        -138: "*ESE 5 BAR",
        -151: ":SYST:SETT? 'trip_pa",
        -221: ":SYST:SETT 'burst_disc_pa',30000000",
        -222: ":SOUR:PRES 99",
        -224: ":OUTP MAYBE",
        -363: ":OUTP ON" + " " * 250,
    }
    # These take more than a message; each has a test of its own.
    others = {0, -310, -321, -350, -430}
    assert set(messages) | others == set(TEXTS)
    for code, message in messages.items():
        bench = Bench()
        bench.ask(message)
        assert bench.error().startswith(f'{code},"{TEXTS[code]}'), message
        assert bench.error() == '0,"No error"'
        assert bench.app.calls == [] or code == -221, message
        assert dict(bench.app.settings.items()) == dict(Settings().items()), message


def test_the_ramp():
    does(":SOUR:PRES:SLEW 0.02", ("set_slew", 20_000))
    does(":SOUR:PRES:SLEW 20 KPA", ("set_slew", 20_000))
    does(":SOUR:PRES:SLEW 0.2 BAR/S", ("set_slew", 20_000))
    does(":SOUR:SLEW MIN;SLEW MAX;SLEW DEF", ("set_slew", 10), ("set_slew", 1_000_000), ("set_slew", 20_000))
    does(":SOUR:PRES:SLEW 0.03;SLEW:MODE LIN", ("set_slew", 30_000), ("set_slew_max", False))
    does(":SOUR:SLEW:MODE MAXIMUM", ("set_slew_max", True))
    answers(":SOUR:SLEW?;SLEW? MAX;SLEW:MODE?", "0.0200000;1.0000000;LIN")
    refuses(":SOUR:SLEW 2", '-222,"Data out of range;0.0000100 to 1.0000000 MPA/s"')
    refuses(":SOUR:SLEW:MODE FAST", '-224,"Illegal parameter value;MAX, LIN"')


def test_what_in_limits_means():
    does(":SOUR:PRES:INL 0.1", ("change_setting", "in_limits_pa", 10_000))
    does(":SOUR:INL 0.1 PCT", ("change_setting", "in_limits_pa", 10_000))
    does(":SOUR:INL 0.00101", ("change_setting", "in_limits_pa", 101))
    does(":SOUR:INL:TIME 2.5", ("change_setting", "in_limits_ms", 2500))
    does(":SOUR:INL:TIME 250 MS", ("change_setting", "in_limits_ms", 250))
    does(":SOUR:INL MAX", ("change_setting", "in_limits_pa", 1_000_000))
    answers(":SOUR:INL?;INL? MIN;INL:TIME?", "0.100000;0.001000;5.000")
    refuses(":SOUR:INL 11", '-222,"Data out of range;0.001000 to 10.000000 PCT"')
    refuses(":SOUR:INL:TIME -1", '-222,"Data out of range;0.000 to 600.000 S"')


def test_output_vent_and_quiet_window():
    does(":OUTP ON;:OUTP:STAT 0;:OUTP1 off", ("output", True), ("output", False), ("output", False))
    does(":SOUR:PRES:LEV:IMM:AMPL:VENT 1;VENT 0", ("vent", True), ("vent", False))
    does(":OUTP:QUI 300", ("quiet", 300))
    does(":OUTP:QUI 5 MIN;QUI 0;QUI 1.001", ("quiet", 300), ("quiet", 0), ("quiet", 2))
    refuses(":OUTP 2", '-224,"Illegal parameter value;ON, OFF, 1 or 0"')
    refuses(":OUTP:QUI 14401", '-222,"Data out of range;0 to 14400 S"')
    refuses(":OUTP:QUI -1", '-222,"Data out of range;0 to 14400 S"')
    bench = Bench()
    for state in range(len(STATES)):
        bench.app.modes.state = state
        assert bench.ask(":OUTP?") == ("1" if STATES[state] in ("REGULATE", "QUIET") else "0")
    bench.app.control.vent.state = 2
    assert bench.ask(":SOUR:PRES:LEV:IMM:AMPL:VENT?") == "2"
    bench.app.control.quiet.left_ms = 1500
    assert bench.ask(":OUTP:QUI?") == "0.000"
    bench.app.modes.state = 2
    assert bench.ask(":OUTP:QUI?") == "1.500"


def test_units():
    for unit, reply in (
        ("PA", "1234000"),
        ("HPA", "12340.000"),
        ("MBAR", "12340.000"),
        ("KPA", "1234.0000"),
        ("BAR", "12.340000"),
        ("MPA", "1.2340000"),
        ("PSI", "178.976568"),
    ):
        bench = Bench()
        assert bench.ask(":UNIT:PRES " + unit.lower() + ";PRES?;:SENS?") == unit + ";" + reply
    refuses(":UNIT:PRES ATM", '-224,"Illegal parameter value;PA, HPA, MBAR, KPA, BAR, MPA, PSI"')


def test_a_pressure_reads_back_as_it_was_set_in_every_unit():
    random = Random(5)
    for unit in ("PA", "HPA", "MBAR", "KPA", "BAR", "MPA", "PSI"):
        bench = Bench()
        bench.ask(":UNIT:PRES " + unit)
        for _ in range(40):
            pa = 101_325 + random.below(5_300_000)
            bench.app.control.target_pa = pa
            bench.app.calls = []
            bench.ask(":SOUR " + bench.ask(":SOUR?"))
            assert bench.app.calls == [("set_target", pa)], (unit, pa)


def test_the_unit_holds_until_reset_and_reset_ends_regulation():
    bench = Bench()
    bench.ask(":UNIT:PRES PSI")
    assert bench.ask("*RST;:UNIT:PRES?") == "MPA"
    assert bench.app.calls == [("output", False)]


def test_the_loggers_line():
    bench = Bench()
    names = bench.ask(":FETC:FIEL?").split(",")
    bench.ask(":UNIT:PRES PSI")
    bench.app.watches.warnings = 5
    first = bench.ask(":FETC?").split(",")
    assert len(first) == len(names) == 21
    row = dict(zip(names, first))
    assert row == {
        "sequence": "1",
        "boot": "7",
        "uptime_ms": "1234567089",
        "state": "OFF",
        "fault": "NONE",
        "in_limits": "0",
        "pressure_pa": "1234000",
        "ramp_pa": "1231000",
        "target_pa": "1230000",
        "control_pa": "1234100",
        "safety_pa": "1250000",
        "supply_pa": "8000000",
        "gas_mk": "298400",
        "wall_mk": "298150",
        "slew_pa_s": "-20001",
        "settled_pa": "1233900",
        "fills": "321",
        "vents": "54",
        "fill_open_ms": "9012",
        "vent_open_ms": "500",
        "warnings": "5",
    }
    assert bench.ask(":FETC?;:FETCH?").split(";")[1].startswith("3,7,")


def test_uptime_is_written_in_full():
    bench = Bench()
    for seconds, ms, text in ((0, 0, "0"), (0, 20, "20"), (1, 0, "1000"), (4_294_967, 296, "4294967296")):
        bench.app.clock.uptime_s = seconds
        bench.app.clock.uptime_ms = ms
        assert bench.ask(":FETC?").split(",")[2] == text


def test_the_fault():
    answers(":SYST:FAUL?", 'NONE,"no fault",0,"",0')
    does(":SYST:FAUL:ACK", ("acknowledge",))
    bench = Bench()
    modes = bench.app.modes
    modes.fault = OVERPRESSURE
    modes.fault_value = 6_012_345
    modes.fault_s = 86_400
    modes.fault_ms = 40
    text = sentence(OVERPRESSURE, str)
    assert bench.ask(":SYST:FAUL?") == f'OVERPRESSURE,"{text}",6012345,"Pa",86400040'
    assert bench.ask(":FETC?").split(",")[4] == "OVERPRESSURE"


def test_warnings_by_name():
    bench = Bench()
    assert bench.ask(":SYST:WARN?") == "NONE"
    for bit, name, _ in WARNINGS:
        bench.app.watches.warnings = bit
        assert bench.ask(":SYST:WARN?") == name
    bench.app.watches.warnings = sum([row[0] for row in WARNINGS])
    assert bench.ask(":SYST:WARN?") == ",".join([row[1] for row in WARNINGS])


def test_the_settings_describe_themselves():
    bench = Bench()
    names = bench.ask(":SYST:SETT:LIST?").split(",")
    assert names == [row[0] for row in settings.TABLE]
    for row in settings.TABLE:
        text = bench.ask(f':SYST:SETT? "{row[0]}"')
        assert text == f'"{row[0]}","{row[1]}",{row[2]},{row[2]},{row[3]},{row[4]},"{row[5]}"'
    assert bench.ask(":SYST:SETT? 'trip_pa'").startswith('"trip_pa","Pa",')
    refuses(":SYST:SETT?", '-109,"Missing parameter"')
    refuses(":SYST:SETT? trip_pa", '-104,"Data type error"')
    refuses(":SYST:SETT? 'trip'", '-224,"Illegal parameter value;no setting named trip"')


def test_a_setting_is_checked_before_it_is_changed():
    does(":SYST:SETT 'settle_ms',200", ("change_setting", "settle_ms", 200))
    does(':SYST:SETT "settle_ms" , 2E2', ("change_setting", "settle_ms", 200))
    does(":SYST:SETT 'settle_ms',MAX", ("change_setting", "settle_ms", 5000))
    does(":SYST:SETT 'settle_ms',DEF", ("change_setting", "settle_ms", 300))
    does(":SYST:SETT 'control_zero_pa',-1500", ("change_setting", "control_zero_pa", -1500))
    refuses(":SYST:SETT 'settle_ms',39", '-222,"Data out of range;settle_ms: 40 to 5000 ms"')
    refuses(":SYST:SETT 'nothing',1", '-224,"Illegal parameter value;no setting named nothing"')
    refuses(":SYST:SETT 'settle_ms'", '-109,"Missing parameter"')
    refuses(":SYST:SETT 'settle_ms',1,2", '-108,"Parameter not allowed"')
    refuses(":SYST:SETT 'settle_ms',1 S", '-138,"Suffix not allowed"')
    bench = Bench()
    bench.ask(":SYST:SETT 'trip_pa',300000")
    assert bench.error() == '-221,"Settings conflict;setpoint_max_pa must be below trip_pa (300000)"'
    assert bench.app.settings.get("trip_pa") == 6_000_000


def test_ambient_pressure_is_in_pascal_unless_a_suffix_is_given():
    does(":CAL:BAR 98000", ("change_setting", "ambient_pa", 98_000))
    does(":UNIT:PRES BAR;:CAL:BAR 99000", ("change_setting", "ambient_pa", 99_000))
    does(":CAL:BAR 1013.25 HPA", ("change_setting", "ambient_pa", 101_325))
    answers(":CAL:BAR?;BAR? MIN", "101325;50000")
    refuses(":CAL:BAR 1.01", '-222,"Data out of range;50000 to 110000 PA"')


def test_what_is_known_of_the_transducers():
    bench = Bench()
    for name, value in (
        ("control_zero_pa", -1200),
        ("control_span_ppm", 350),
        ("control_cal_date", 20_260_131),
    ):
        bench.ask(f":SYST:SETT '{name}',{value}")
    bench.ask(":SYST:SETT 'safety_serial',123456")
    bench.ask(":SYST:SETT 'supply_cal_date',20251224")
    assert (
        bench.ask(":CAL:CONT?;SAF?;SUPP?") == '-1200,350,0,0,20260131,0,"";0,0,0,0,0,123456,"";0,0,20251224,0'
    )
    assert bench.error() == '0,"No error"'


def test_what_is_held():
    answers(":SOUR:FUNC?", "PRES")
    does(":SOUR:FUNC AMO", ("hold_amount", True))
    does(":SOURCE1:FUNCTION pressure", ("hold_amount", False))
    answers(":UNIT:PRES PA;:SENS:PRES:AMO?", "-1250,-833,5400")
    bench = Bench()
    bench.ask(":SOUR:FUNC VOLT")
    assert bench.error().startswith("-224")


def test_a_calibration_is_written_as_a_whole_or_not_at_all():
    for header, name in (("CONT", "control"), ("SAF", "safety")):
        whole = {
            name + "_operator": pack("mvb"),
            name + "_zero_pa": -2345,
            name + "_span_ppm": 1200,
            name + "_zero_tc_pa_k": -2000,
            name + "_span_tc_ppm_k": -200,
            name + "_cal_date": 20_261_124,
            name + "_serial": 4711,
        }
        bench = Bench()
        bench.ask(f':CAL:{header} -2345,1200,-2000,-200,20261124,4711,"mvb"')
        assert bench.error() == '0,"No error"'
        assert bench.app.calls == [("calibrate", whole)]
        assert bench.ask(f":CAL:{header}?") == '-2345,1200,-2000,-200,20261124,4711,"MVB"'
        for message, error in (
            ("1,2,3,4,5,6", "-109"),
            ('1,2,3,4,5,6,"A",7', "-108"),
            ("1,2,3,4,5,6,A", "-104"),
            ('1,2,3,4,5,6,"ABCDEFG"', "-222"),
            ('1,2,3,4,5,6,"M1"', "-224"),
            ('1,2,3,1001,5,6,"A"', f'-222,"Data out of range;{name}_span_tc_ppm_k: -1000 to 1000 ppm/K"'),
        ):
            bench.ask(f":CAL:{header} {message}")
            assert bench.error().startswith(error), (message, error)
        assert bench.app.calls == [("calibrate", whole)]


def test_initials_survive_packing():
    for letters in ("", "A", "Z", "AZ", "ZA", "ZZZZZZ", "MAGRIT"):
        assert unpack(pack(letters)) == letters
        assert pack(letters) < 1 << 30


def test_the_zero_is_corrected_at_ambient_pressure_only():
    for header, name, tolerance in (("CONT", "control", 25_000), ("SAF", "safety", 75_000)):
        for error, slew, state, refusal in (
            (1_500, 0, "OFF", ""),
            (-tolerance, 400, "OFF", ""),
            (tolerance + 1, 0, "OFF", f"{tolerance + 1} Pa from ambient_pa, {tolerance} allowed"),
            (1_500, -501, "OFF", "the pressure is not steady"),
            (1_500, 0, "REGULATE", "only while the output is off"),
            (1_500, 0, "SEALED", "only while the output is off"),
        ):
            bench = Bench()
            bench.app.sensors.pressure_pa = bench.app.sensors.safety.mean_pa = 101_325 + error
            bench.app.sensors.slew_pa_s = slew
            bench.app.modes.state = STATES.index(state)
            bench.app.settings.set(name + "_zero_pa", 300)
            bench.ask(f":CAL:{header}:ZERO")
            if refusal:
                assert bench.error() == f'-221,"Settings conflict;{refusal}"'
                assert bench.app.calls == []
            else:
                assert bench.error() == '0,"No error"'
                assert bench.app.calls == [("change_setting", name + "_zero_pa", 300 - error)]


def test_valves():
    answers(":DIAG:VALV?", "321,9012,58000,1500")
    answers(":DIAG:VALV1?;VALV2?", "321,9012,58000,1500;54,500,61000,-1700")
    for header in (":DIAG:VALV0?", ":DIAG:VALV3?", ":DIAG:VALVE99?"):
        bench = Bench()
        bench.ask(header)
        assert bench.error() == '-114,"Header suffix out of range;1 fill, 2 vent"'


def test_maintenance_and_self_test():
    does(":SYST:MAIN", ("maintenance",))
    answers("*TST?;*OPT?", "0;0")


PARAMETERS = {":TRACe:DATA": " 'dt_ms',0,2", ":TRACe:REQuests": " 0"}


def queries(bench):
    """Return (pattern, canonical header, parameters that the query needs) of every query there is."""
    scpi = bench.instrument._scpi
    rows = [row for part in scpi._parts for row in part.rows]
    found = {}
    for row in rows:
        if row[1]:
            needed = row[3][0] if len(row) > 3 else 0
            parameters = PARAMETERS.get(row[0], " 'trip_pa'") if needed else ""
            found[row[0]] = (row[0], canonical(row[0].encode()).decode(), parameters)
    return list(found.values())


def test_header_echo_of_every_query():
    bench = Bench()
    every = queries(bench)
    assert len(every) == 60
    bench.app.blackbox.state = FROZEN
    for echo in (False, True):
        bench.ask(":SYST:COMM:HEAD " + ("ON" if echo else "OFF"))
        for pattern, header, parameters in every:
            reply = bench.ask(header + "?" + parameters)
            assert reply, pattern
            assert reply.startswith(header + " ") == echo, (pattern, reply)
            assert bench.instrument._status.next_error()[0] == 0
    assert bench.ask(":SYST:COMM:HEAD?;:SYST:ERR?") == ':SYST:COMM:HEAD 1;:SYST:ERR 0,"No error"'
    assert bench.ask(":SENS:PRES?") == ":SENS:PRES 1.2340000"
    assert bench.ask(":SYST:COMM:HEAD OFF;HEAD?") == "0"


def test_status_registers_follow_the_regulator():
    bench = Bench()
    app = bench.app
    for state, in_limits, ramp_pa, bits in (
        ("OFF", 0, 0, 0),
        ("REGULATE", 0, 0, 256 + 8 + 2),
        ("REGULATE", 0, 1_230_000, 256 + 2),
        ("REGULATE", 1, 1_230_000, 256 + 512),
        ("QUIET", 0, 0, 256 + 1024),
        ("VENT", 0, 0, 2048),
        ("SEALED", 0, 0, 4096),
        ("RELIEF", 0, 0, 4096),
        ("MAINTENANCE", 0, 0, 0),
    ):
        app.modes.state = STATES.index(state)
        app.control.in_limits = in_limits
        app.control.ramp_pa = ramp_pa
        assert bench.ask(":STAT:OPER:COND?") == str(bits), state
    assert bench.ask(":STAT:OPER?;:STAT:OPER:EVEN?") == f"{2 + 8 + 256 + 512 + 1024 + 2048 + 4096};0"
    assert bench.ask(":STAT:QUES:COND?") == "1024"
    app.modes.state = 0
    for name, bits in (
        ("SUPPLY_LOW", 2048),
        ("GAS_TEMPERATURE", 16 + 2048),
        ("WALL_TEMPERATURE", 16 + 2048),
        ("SAFETY_TRANSDUCER", 4096),
        ("SETTINGS_LOST", 4096),
    ):
        app.watches.warnings = 1 << [row[1] for row in WARNINGS].index(name)
        assert bench.ask(":STAT:QUES:COND?") == str(bits), name
    app.watches.warnings = 0
    app.modes.fault = 1
    assert bench.ask(":STAT:QUES:COND?") == "512"


def test_a_condition_that_lasts_is_an_event_once():
    bench = Bench()
    bench.app.modes.fault = 2
    assert bench.ask(":STAT:QUES?") == "512"
    bench.app.modes.state = STATES.index("MAINTENANCE")
    assert bench.ask(":STAT:QUES?;:STAT:QUES:COND?") == "1024;1536"


def test_a_condition_of_one_tick_is_latched():
    bench = Bench()
    bench.app.modes.fault = 2
    bench.instrument.serve(False)
    bench.app.modes.fault = 0
    bench.instrument.serve(False)
    assert bench.ask(":STAT:QUES:COND?;EVEN?") == "0;512"


def test_a_tick_executes_one_unit_at_most():
    bench = Bench()
    bench.port.incoming = b":OUTP ON;:OUTP OFF;:OUTP ON\n*IDN?\n"
    counts = []
    for _ in range(6):
        bench.instrument.serve(False)
        counts.append(len(bench.app.calls))
    assert counts == [1, 2, 3, 3, 3, 3]
    assert bench.port.sent.startswith(b"ipch,")


def test_a_reply_leaves_in_the_tick_of_its_question():
    bench = Bench()
    bench.port.incoming = b":SENS?\n"
    bench.instrument.serve(False)
    assert bench.port.sent == b"1.2340000\r\n"


def test_a_flood_is_served_one_line_a_tick_and_nothing_is_lost():
    bench = Bench()
    bench.port.incoming = b":OUTP ON\n" * 2000
    ticks = 0
    while bench.port.incoming or bench.instrument.busy:
        bench.instrument.serve(False)
        ticks += 1
    assert len(bench.app.calls) == 2000
    assert 2000 <= ticks < 2700
    assert max(bench.port.reads) <= 64


def test_an_overlong_line_and_a_damaged_one_are_reported():
    bench = Bench()
    bench.port.incoming = b":OUTP ON;" * 40 + b"\n:OUTP\x80 ON\n"
    bench.run()
    assert bench.app.calls == []
    assert (
        bench.ask(":SYST:ERR?;ERR?;ERR?")
        == '-363,"Input buffer overrun";-101,"Invalid character";0,"No error"'
    )
    assert bench.ask("*ESR?") == str(128 + 32 + 8)


def test_a_host_that_does_not_read_loses_whole_replies_and_no_command():
    bench = Bench()
    bench.port.room = 0
    bench.port.incoming = b":FETC?\n" * 100 + b":OUTP OFF\n"
    for _ in range(300):
        bench.instrument.serve(False)
    assert bench.app.calls == [("output", False)]
    bench.port.room = 1 << 20
    bench.run()
    lines = bench.port.sent.decode().split("\r\n")
    assert lines.pop() == ""
    assert 5 < len(lines) < 30
    for number, line in enumerate(lines):
        values = line.split(",")
        assert len(values) == 21 and values[0] == str(number + 1)
    assert bench.error() == '-430,"Query DEADLOCKED"'


def test_a_full_heap_loses_a_message_and_nothing_else():
    if micropython is None:
        return  # CPython's heap cannot be locked; see test_a_request_that_fails_is_a_device_error
    for message in ("*IDN?", ":FETC?", ":SOUR:PRES 1.5", ":FOO", ":SYST:SETT? 'trip_pa'", "*ESE 5;*ESE?"):
        for unit_first in (False, True):
            bench = Bench()
            bench.instrument._link.line = (";" + message if unit_first else message).encode()
            if unit_first:
                bench.instrument.serve(False)
            micropython.heap_lock()
            try:
                bench.instrument.serve(False)
                bench.instrument.serve(False)
            finally:
                micropython.heap_unlock()
            bench.run()
            assert bench.app.calls == [], message
            assert bench.ask("*CLS;*IDN?").startswith("ipch,"), message


def test_bytes_lost_in_a_full_heap_are_never_half_a_line():
    if micropython is None:
        return
    bench = Bench()
    bench.port.incoming = b":SOUR:PRES 1"
    bench.instrument.serve(False)
    bench.port.incoming = b".2"
    micropython.heap_lock()
    try:
        bench.instrument.serve(False)
    finally:
        micropython.heap_unlock()
    bench.port.incoming = b"5\n"
    bench.run()
    assert bench.app.calls == []
    assert bench.error() == '-363,"Input buffer overrun"'


def test_an_idle_tick_allocates_nothing():
    bench = Bench()
    bench.ask("*IDN?")
    states = (0, 1, 2, 3, 4, 5)

    def idle():
        for state in states:
            bench.app.modes.state = state
            bench.app.watches.warnings = 127 if state > 2 else 0
            bench.instrument.serve(False)
            assert not bench.instrument.busy

    assert allocated_by(idle, 20) == 0


def test_random_lines_neither_crash_nor_change_anything():
    bench = Bench()
    random = Random(20_260_719)
    before = dict(bench.app.settings.items())
    for _ in range(20_000):
        length = random.below(40) if random.below(50) else random.below(400)
        # Half of them printable throughout, half of them of any bytes.
        low, span = (32, 95) if random.below(2) else (0, 256)
        bench.port.incoming = bytes([low + random.below(span) for _ in range(length)]) + b"\n"
        while bench.port.incoming:
            bench.instrument.serve(False)
    bench.run()
    assert bench.app.calls == []
    assert dict(bench.app.settings.items()) == before
    bench.ask("*CLS")
    assert bench.ask(":SYST:ERR?") == '0,"No error"'


def test_damaged_commands_do_what_they_say_or_nothing():
    good = (
        ":SOUR:PRES 1.5",
        ":SOUR:PRES:SLEW 20 KPA;SLEW:MODE LIN",
        ":OUTP ON",
        ":SYST:SETT 'settle_ms',200",
        ":OUTP:QUI 300",
        ":UNIT:PRES BAR",
        ":FETC?",
        "*ESE 4;*SRE 8;:STAT:OPER:ENAB 5",
    )
    alphabet = " :;,?*'\"0159.E-+#AKMNOPRSTU_&"
    random = Random(99)
    bench = Bench()
    for _ in range(5_000):
        line = random.pick(good)
        for _ in range(1 + random.below(3)):
            at = random.below(len(line) + 1)
            line = line[:at] + random.pick(alphabet) + line[at + random.below(2) :]
        bench.port.incoming = line.encode() + b"\n"
        bench.run()
        bench.app.calls = []
        while True:
            code, _ = bench.instrument._status.next_error()
            if not code:
                break
            # Refusals, never a fault of the instrument itself.
            assert -200 < code < -100 or -225 < code < -220, (line, code)
