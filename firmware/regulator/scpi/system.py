"""Commands for the instrument itself: identity, data line for loggers, faults, settings, valves."""

import sys

from regulator import VERSION, settings
from regulator.faults import FAULTS, sentence, warning_names
from regulator.scpi.parameters import (
    TIMES,
    ScpiError,
    accept,
    boolean,
    forced,
    integer,
    milliseconds,
    put,
    put_ms,
    put_text,
    scaled,
    setting_value,
    string,
)
from regulator.scpi.pressure import UNITS
from regulator.scpi.status import NO_PARAMETER, quoted
from regulator.store.record import OUTCOMES
from regulator.watch.proof import RESULTS

FIELDS = (
    "sequence,boot,uptime_ms,state,fault,in_limits,pressure_pa,ramp_pa,target_pa,control_pa,safety_pa,"
    "supply_pa,gas_mk,wall_mk,slew_pa_s,settled_pa,fills,vents,fill_open_ms,vent_open_ms,warnings"
)
# A data line has 21 values of at most 13 characters, or names, and a comma each.
_REPLY_BYTES = 320
_CAUSES = ("POWER", "WATCHDOG", "SOFTWARE")
_INTERPRETER = "MicroPython" if sys.implementation.name == "micropython" else "CPython"
_IDENTITY = (
    "ipch,IPCH-1,%s,{} {} {}.{}.{}".format(VERSION, _INTERPRETER, *sys.implementation.version[:3])
).encode()


class System:
    """The commands, and the number of data lines since boot."""

    def __init__(self, app):
        self._app = app
        self._sequence = 0
        self._buffer = bytearray(_REPLY_BYTES)
        self._identity_reply = b""

    def _identity(self, _):
        """Manufacturer, model, serial number, versions of firmware and interpreter."""
        if not self._identity_reply:
            self._identity_reply = _IDENTITY % self._app.rig.serial_number.encode()
        return self._identity_reply

    def _options(self, _):
        """0: no options (IEEE 488.2 section 10.20)."""
        return "0"

    def _self_test(self, _):
        """0 or bits: 1 ADS1115, 2 MAX31865, 4 TMP117, 8 control, 16 safety, 32 supply transducer, 64 settings, 128
        state, 256 coils.
        """
        return str(self._app.panel.self_test())

    def _fields(self, _):
        """Names of the values of :FETCh?, in order."""
        return FIELDS

    def _fetch(self, _):
        """One numbered data line for loggers, always in Pa, mK and ms, regardless of the unit of the port."""
        self._sequence += 1
        app = self._app
        end = put(self._buffer, _REPLY_BYTES, app.watches.warnings)
        end = self._put_valves(app.valves, end)
        end = self._put_readings(app.sensors, end)
        end = put(self._buffer, end, app.control.target_pa)
        end = put(self._buffer, end, app.control.ramp_pa)
        end = put(self._buffer, end, app.sensors.pressure_pa)
        end = put(self._buffer, end, app.control.in_limits)
        end = put_text(self._buffer, end, app.modes.fault_name)
        end = put_text(self._buffer, end, app.modes.name)
        end = put_ms(self._buffer, end, app.clock.uptime_s, app.clock.uptime_ms)
        end = put(self._buffer, end, app.boot_id)
        return self._from(put(self._buffer, end, self._sequence))

    def _put_readings(self, sensors, end: int) -> int:
        buffer = self._buffer
        end = put(buffer, end, sensors.settled_pa)
        end = put(buffer, end, sensors.slew_pa_s)
        end = put(buffer, end, sensors.wall_mk)
        end = put(buffer, end, sensors.gas_mk)
        end = put(buffer, end, sensors.supply.pa)
        end = put(buffer, end, sensors.safety.pa)
        return put(buffer, end, sensors.control_pa)

    def _put_valves(self, valves, end: int) -> int:
        buffer = self._buffer
        end = put_ms(buffer, end, valves.open_s[1], valves.open_us[1] // 1000)
        end = put_ms(buffer, end, valves.open_s[0], valves.open_us[0] // 1000)
        end = put(buffer, end, valves.openings[1])
        return put(buffer, end, valves.openings[0])

    def _from(self, start: int):
        """Return what stands in the buffer from the comma at `start` on."""
        return memoryview(self._buffer)[start + 1 :]

    def _fault(self, _):
        """The latched fault: name, sentence, value, unit, uptime in ms."""
        modes = self._app.modes
        if not modes.fault:
            return b'NONE,"no fault",0,"",0'
        return self._fault_told(modes)

    def _fault_told(self, modes) -> bytes:
        _, name, unit, _, _, _, _ = FAULTS[modes.fault]
        said = quoted(sentence(modes.fault, self._text))
        uptime = milliseconds(modes.fault_s, modes.fault_ms)
        return b"%s,%s,%d,%s,%s" % (name.encode(), said, modes.fault_value, quoted(unit), uptime)

    def _text(self, entry) -> str:
        return self._app.store.text(entry).decode()

    def _acknowledge(self, _):
        """Acknowledge and clear the latched fault; refused while its cause persists."""
        accept(self._app.panel.acknowledge())

    def _warnings(self, _):
        """Names of the active warnings, or NONE."""
        return ",".join(warning_names(self._app.watches.warnings)) or "NONE"

    def _setting(self, args):
        """A setting: name, unit, value, default, minimum, maximum, help."""
        name, unit, default, lowest, highest, described = _setting_row(args[0])
        value = self._app.settings.get(name)
        numbers = b"%d,%d,%d,%d" % (value, default, lowest, highest)
        return b"%s,%s,%s,%s" % (quoted(name), quoted(unit), numbers, quoted(self._text(described)))

    def _change_setting(self, args):
        """ "name",<integer>|MIN|MAX|DEF[,FORCe]: Change a setting, in its unit; checked against all others and the
        pressure; stored. FORCe: a correction beyond 2 %.
        """
        force = forced(args, 2)
        row = _setting_row(args[0])
        accept(self._app.panel.change_setting(row[0], setting_value(args[1], row), force))

    def _is_confirmed(self, _):
        """1 once a person has confirmed the limits; 0 on a new board and after settings were lost."""
        return "0" if self._app.store.lost else "1"

    def _confirm(self, args):
        """<setpoint_max>,<trip>,<chamber_rating>|0: Confirm the limits in force, in Pa, so that the output may be on; 0
        withdraws that, output off; stored.
        """
        if len(args) == 3:
            accept(self._app.panel.confirm([scaled(each, UNITS, "PA", ()) for each in args]))
        elif len(args) == 1 and not boolean(args[0]):
            accept(self._app.panel.withdraw())
        else:
            raise ScpiError(-109)

    def _setting_names(self, _):
        """Names of all settings."""
        return ",".join([row[0] for row in settings.TABLE])

    def _header(self, _):
        """1 if replies carry their header, else 0."""
        return str(self._app.settings.get("header_echo"))

    def _set_header(self, args):
        """ON|OFF: Let replies carry their header, as those of a PACE do; stored."""
        accept(self._app.panel.change_setting("header_echo", 1 if boolean(args[0]) else 0))

    def _maintain(self, args):
        """[FORCe]: Reset into the REPL for flashing; output off, no fault, chamber vented (not with FORCe)."""
        accept(self._app.panel.maintenance(forced(args, 0)))

    def _valve(self, args):
        """Valve 1 (fill) or 2 (vent): actuations, time open in ms, learned gain in Pa/s per MPa, last step in Pa."""
        side = args[0] - 1
        if side not in (0, 1):
            raise ScpiError(-114, "1 fill, 2 vent")
        valves = self._app.valves
        response = valves.responses[side]
        open_ms = milliseconds(valves.open_s[side], valves.open_us[side] // 1000)
        return b"%d,%s,%d,%d" % (valves.openings[side], open_ms, response.gain, response.response_pa)

    def _boot(self, _):
        """This start: boots, cause, starts in a row, outcome of the last run, Pa found and expected, resumes."""
        app = self._app
        record = app.record
        cause = _CAUSES[app.rig.reset_cause].encode()
        outcome = OUTCOMES[record.outcome].encode()
        seen = b"%d,%d,%d" % (record.found_pa, record.expected_pa, record.resumes)
        return b"%d,%s,%d,%s,%s" % (app.boot_id, cause, app.store.starts, outcome, seen)

    def _proof_result(self, args):
        """Last proof of valve n: NONE, RUNNING, TIGHT, OPEN, ABORTED, PASSES, BLOCKED; Pa moved; ms open."""
        valve = _proof_valve(args[0])
        proof = self._app.watches.proof
        result = RESULTS[proof.results[valve]].encode()
        return b"%s,%d,%d" % (result, proof.moved_pa[valve], proof.open_ms[valve])

    def _prove(self, args):
        """[<seconds>]: With the output off, open the partner of valve n alone, up to 60 s (n = 5: the relief, up to
        1 s).
        """
        valve = _proof_valve(args[0])
        longest_ms = self._app.panel.longest_proof_ms(valve)
        ms = scaled(args[1], TIMES, "S", (20, longest_ms, 200)) if len(args) > 1 else 200
        if not 20 <= ms <= longest_ms:
            raise ScpiError(-222, "0.02 to %d S" % (longest_ms // 1000))
        accept(self._app.panel.prove(valve, ms))

    def _forget_valves(self, _):
        """Forget the learned responses of both valves, because valves or chamber were exchanged."""
        self._app.panel.forget_valves()

    def _proof_test(self, _):
        """Date of the last proof test as 20261231 (0: none), hours in service since, days allowed, 1 if overdue."""
        app = self._app
        record = app.record
        hours = record.hours - record.proof_hours
        days = app.settings.get("proof_interval_days")
        return b"%d,%d,%d,%d" % (record.proof_date, hours, days, 1 if record.proof_is_overdue() else 0)

    def _note_proof_test(self, args):
        """<date>: Record the date of a proof test, as 20261231; valves 1 to 5 proved by command that day; stored."""
        accept(self._app.panel.note_proof(integer(args[0], 20_200_101, 99_991_231)))

    def _counts(self, _):
        """Spikes, flash writes, failed ones, hours; longest tick and write in ms, late ticks, collections; MHz,
        start in ms, bytes free.
        """
        app = self._app
        rig = app.rig
        end = put(self._buffer, _REPLY_BYTES, rig.free_bytes)
        end = put(self._buffer, end, rig.start_ms)
        end = put(self._buffer, end, rig.clock_mhz)
        end = self._put_health(app.health, end)
        end = put(self._buffer, end, app.record.hours)
        end = put(self._buffer, end, app.store.failures)
        end = put(self._buffer, end, app.store.writes)
        return self._from(put(self._buffer, end, app.sensors.control.wild_samples))

    def _put_health(self, health, end: int) -> int:
        end = put(self._buffer, end, health.collections)
        end = put(self._buffer, end, health.late)
        end = put(self._buffer, end, health.write_ms)
        return put(self._buffer, end, health.longest_ms)

    rows = (
        ("*IDN", _identity, None),
        ("*OPT", _options, None),
        ("*TST", _self_test, None),
        (":FETCh", _fetch, None),
        (":FETCh:FIELds", _fields, None),
        (":SYSTem:FAULt", _fault, None),
        (":SYSTem:FAULt:ACKnowledge", None, _acknowledge, NO_PARAMETER),
        (":SYSTem:WARNings", _warnings, None),
        (":SYSTem:SETTings", _setting, _change_setting, (1, 1, 2, 3)),
        (":SYSTem:SETTings:CONFirm", _is_confirmed, _confirm, (0, 0, 1, 3)),
        (":SYSTem:SETTings:LIST", _setting_names, None),
        (":SYSTem:COMMunicate:HEADer", _header, _set_header),
        (":SYSTem:MAINtenance", None, _maintain, (0, 0, 0, 1)),
        (":SYSTem:BOOT", _boot, None),
        (":DIAGnostic:VALVe<n>", _valve, None),
        (":DIAGnostic:VALVe:FORGet", None, _forget_valves, NO_PARAMETER),
        (":DIAGnostic:VALVe<n>:PROof", _proof_result, _prove, (0, 0, 0, 1)),
        (":DIAGnostic:PROof", _proof_test, _note_proof_test),
        (":DIAGnostic:COUNts", _counts, None),
    )


def _proof_valve(number: int) -> int:
    if not 1 <= number <= 5:
        raise ScpiError(-114, "1 fill, 2 vent, 3 supply isolation, 4 vent isolation, 5 relief")
    return number - 1


def _setting_row(text: str) -> tuple:
    name = string(text)
    try:
        return settings.row(name)
    except KeyError:
        raise ScpiError(-224, "no setting named " + name) from None
