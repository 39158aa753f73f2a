"""The command table: binds the SCPI syntax to the regulator.

Status registers, as `:STATus:OPERation` and `:STATus:QUEStionable` report them (a bit is set while its condition holds):

| bit | OPERation                            | bit | QUEStionable (9 to 12: categories of NAMUR NE107) |
|-----|--------------------------------------|-----|---------------------------------------------------|
| 1   | settling: regulates, not in limits   | 4   | temperature: a temperature sensor is invalid      |
| 3   | sweeping: the ramp is under way      | 9   | failure: a fault is latched                       |
| 8   | regulates, or in a quiet window      | 10  | check function: in maintenance                    |
| 9   | in limits                            | 11  | out of specification: a warning limits what the   |
| 10  | quiet window                         |     | instrument can do or know at present              |
| 11  | vent in progress                     | 12  | maintenance required: a warning that calls for    |
| 12  | relief open or sealed by a fault     |     | somebody to come, though regulation goes on       |
"""

import sys

from regulator import VERSION, settings
from regulator.parameters import ScpiError, boolean, choice, decimal, rounded, scaled, short_form, string, within
from regulator.safety import (
    GAS_TEMPERATURE,
    MAINTENANCE,
    QUIET,
    REGULATE,
    RELIEF,
    SEALED,
    STATES,
    VENTING,
    WALL_TEMPERATURE,
    WARNINGS,
)
from regulator.scpi import Scpi
from regulator.sensors import FULL_SCALE_PA
from regulator.status import NO_PARAMETER, Status, quoted

# Pascal in one unit as a fraction, and the decimals that keep at least half a pascal apart.
UNITS = {
    "PA": (1, 1, 0),
    "HPA": (100, 1, 3),
    "MBAR": (100, 1, 3),
    "KPA": (1000, 1, 4),
    "BAR": (100_000, 1, 6),
    "MPA": (1_000_000, 1, 7),
    "PSI": (6_894_757_293_168, 1_000_000_000, 6),
}
DEFAULT_UNIT = "MPA"
_SECONDS = {"S": (1000, 1), "MS": (1, 1), "MIN": (60_000, 1)}  # in ms
_PERCENT = {"PCT": (1, 1), "%": (1, 1)}
_ZERO_CELSIUS_MK = 273_150

FIELDS = (
    "sequence,boot,uptime_ms,state,fault,in_limits,pressure_pa,ramp_pa,target_pa,control_pa,safety_pa,supply_pa,"
    "gas_mk,wall_mk,slew_pa_s,settled_pa,fills,vents,fill_open_ms,vent_open_ms,warnings"
)

# Warnings that call for a person; the others say that the instrument is outside of its specification for now.
_MAINTENANCE_WARNINGS = ("SAFETY_TRANSDUCER", "SUPPLY_TRANSDUCER", "SETTINGS_LOST")

_QUERY_LIMIT = (0, 1, 1, 1)  # a query that may ask for MIN, MAX or DEF
_MINIMUM_MAXIMUM_DEFAULT = ("MINimum", "MAXimum", "DEFault")


class Instrument:
    """Serves the line once a tick: takes some bytes, executes at most one message unit, sends what fits."""

    def __init__(self, app, link):
        self.busy = False  # this tick handled bytes or a command: memory was allocated
        self._app = app
        self._link = link
        self._unit = DEFAULT_UNIT
        self._sequence = 0
        self._status = Status()
        self._scpi = Scpi(self._rows(), self._status)
        self._maintenance_mask = 0
        for bit, name in enumerate(WARNINGS):
            if name in _MAINTENANCE_WARNINGS:
                self._maintenance_mask |= 1 << bit

    def serve(self):
        """Do the line's share of a tick. Allocates nothing while nothing arrives and nothing is to be sent."""
        link = self._link
        scpi = self._scpi
        self._watch()
        self.busy = False
        if not scpi.running:
            self.busy = link.poll()
            if link.error:
                self._status.error(link.error)
                link.error = 0
            if link.line is not None:
                scpi.begin(link.line)
                link.line = None
        if scpi.running:
            self.busy = True
            scpi.header_echo = self._app.settings.get("header_echo")
            scpi.step()
            # A host that does not read loses replies as a whole; its commands are carried out nevertheless.
            if scpi.reply is not None and not link.send(scpi.reply):
                self._status.error(-430)
            scpi.reply = None
        if link.flush():
            self.busy = True

    def _watch(self):
        """Bring the status registers up to date, so that short conditions are latched as events."""
        safety = self._app.safety
        control = self._app.control
        state = safety.state
        operation = 0
        if state == REGULATE:
            operation = 256 if control.ramp_pa == control.target_pa else 264
            operation |= 512 if control.in_limits else 2
        elif state == QUIET:
            operation = 1280
        elif state == VENTING:
            operation = 2048
        elif state == SEALED or state == RELIEF:
            operation = 4096
        self._status.operation.update(operation)
        warnings = safety.warnings
        questionable = 0
        if warnings:
            if warnings & (GAS_TEMPERATURE | WALL_TEMPERATURE):
                questionable = 16
            if warnings & self._maintenance_mask:
                questionable |= 4096
            if warnings & ~self._maintenance_mask:
                questionable |= 2048
        if safety.fault:
            questionable |= 512
        if state == MAINTENANCE:
            questionable |= 1024
        self._status.questionable.update(questionable)

    def _rows(self) -> tuple:
        target = ":SOURce[1][:PRESsure][:LEVel][:IMMediate][:AMPLitude]"
        source = ":SOURce[1][:PRESsure]"
        sense = ":SENSe[1][:PRESsure]"
        return (
            ("*IDN", self._identity, None),
            ("*RST", None, self._reset, NO_PARAMETER),
            ("*TST", self._self_test, None),
            (sense, self._pressure, None),
            (sense + ":INLimits", self._pressure_in_limits, None),
            (sense + ":SLEW", self._measured_slew, None),
            (sense + ":SAFety", self._safety_pressure, None),
            (sense + ":SUPPly", self._supply_pressure, None),
            (":SENSe[1]:TEMPerature[:GAS]", self._gas_temperature, None),
            (":SENSe[1]:TEMPerature:WALL", self._wall_temperature, None),
            (target, self._target, self._set_target, _QUERY_LIMIT),
            (target + ":VENT", self._vent_state, self._vent),
            (source + ":RAMP", self._ramp, None),
            (source + ":SLEW", self._slew, self._set_slew, _QUERY_LIMIT),
            (source + ":SLEW:MODE", self._slew_mode, self._set_slew_mode),
            (source + ":INLimits", self._in_limits, self._set_in_limits, _QUERY_LIMIT),
            (source + ":INLimits:TIME", self._in_limits_time, self._set_in_limits_time, _QUERY_LIMIT),
            (source + ":EFFort", self._effort, None),
            (source + ":COMPensate[1]", self._supply_pressure, None),
            (":OUTPut[1][:STATe]", self._output, self._set_output),
            (":OUTPut[1]:QUIet", self._quiet_left, self._quiet),
            (":UNIT:PRESsure", self._read_unit, self._set_unit),
            (":FETCh", self._fetch, None),
            (":FETCh:FIELds", self._fields, None),
            (":SYSTem:FAULt", self._fault, None),
            (":SYSTem:FAULt:ACKnowledge", None, self._acknowledge, NO_PARAMETER),
            (":SYSTem:WARNings", self._warnings, None),
            (":SYSTem:SETTings", self._setting, self._change_setting, (1, 1, 2, 2)),
            (":SYSTem:SETTings:LIST", self._setting_names, None),
            (":SYSTem:COMMunicate:HEADer", self._header, self._set_header),
            (":SYSTem:MAINtenance", None, self._maintain, NO_PARAMETER),
            (":DIAGnostic:VALVe<n>", self._valve, None),
        )

    # Text of quantities.

    def _pressure_text(self, pa: int) -> str:
        numerator, denominator, places = UNITS[self._unit]
        return decimal(rounded(pa * denominator * 10**places, numerator), places)

    def _pressure_limits(self, limits: tuple, per: str = "") -> str:
        return "%s to %s %s%s" % (self._pressure_text(limits[0]), self._pressure_text(limits[1]), self._unit, per)

    def _celsius(self, mk: int) -> str:
        # 9.91E37 is how SCPI writes "not a number".
        return decimal(mk - _ZERO_CELSIUS_MK, 3) if mk else "9.91E37"

    def _setting_limits(self, name: str) -> tuple:
        row = settings.row(name)
        return row[3], row[4], row[2]

    # *RST, *IDN, *TST

    def _identity(self, _):
        version = ".".join([str(part) for part in sys.implementation[1][:3]])
        name = "MicroPython" if sys.implementation[0] == "micropython" else "CPython"
        return "ipch,IPCH-1,%s,%s %s %s" % (self._app.rig.serial_number, VERSION, name, version)

    def _reset(self, _):
        # Only ever shuts: regulation ends, the pressure stays; a latched fault and stored settings are not touched.
        _carry_out(self._app.output(False))
        self._unit = DEFAULT_UNIT

    def _self_test(self, _):
        return str(self._app.self_test())

    # :SENSe

    def _pressure(self, _):
        return self._pressure_text(self._app.sensors.pressure_pa)

    def _pressure_in_limits(self, _):
        return "%s,%d" % (self._pressure_text(self._app.sensors.pressure_pa), self._app.control.in_limits)

    def _measured_slew(self, _):
        return self._pressure_text(self._app.sensors.slew_pa_s)

    def _safety_pressure(self, _):
        return self._pressure_text(self._app.sensors.safety_pa)

    def _supply_pressure(self, _):
        return self._pressure_text(self._app.sensors.supply_pa)

    def _gas_temperature(self, _):
        return self._celsius(self._app.sensors.gas_mk)

    def _wall_temperature(self, _):
        return self._celsius(self._app.sensors.wall_mk)

    # :SOURce

    def _target_limits(self) -> tuple:
        setting = self._app.settings.get
        return setting("ambient_pa"), setting("setpoint_max_pa"), setting("ambient_pa")

    def _target(self, args):
        limits = self._target_limits()
        return self._pressure_text(_limit(args, limits) if args else self._app.control.target_pa)

    def _set_target(self, args):
        limits = self._target_limits()
        pa = scaled(args[0], UNITS, self._unit, limits)
        within(pa, limits[0], limits[1], self._pressure_limits(limits))
        _carry_out(self._app.set_target(pa))

    def _ramp(self, _):
        return self._pressure_text(self._app.control.ramp_pa)

    def _slew(self, args):
        limits = self._setting_limits("slew_pa_s")
        return self._pressure_text(_limit(args, limits) if args else self._app.settings.get("slew_pa_s"))

    def _set_slew(self, args):
        limits = self._setting_limits("slew_pa_s")
        text = args[0].upper()
        pa_s = scaled(text[:-2] if text.endswith("/S") else text, UNITS, self._unit, limits)
        within(pa_s, limits[0], limits[1], self._pressure_limits(limits, "/s"))
        _carry_out(self._app.set_slew(pa_s))

    def _slew_mode(self, _):
        return "LIN" if self._app.settings.get("slew_linear") else "MAX"

    def _set_slew_mode(self, args):
        _carry_out(self._app.set_slew_max(choice(args[0], ("MAXimum", "LINear")) == 0))

    def _in_limits(self, args):
        pa = _limit(args, self._setting_limits("in_limits_pa")) if args else self._app.settings.get("in_limits_pa")
        return decimal(pa * 10_000_000 // FULL_SCALE_PA, 5)

    def _set_in_limits(self, args):
        limits = self._setting_limits("in_limits_pa")
        # In units of one millionth of a percent, so that every pascal has its own number.
        per_pa = 100_000_000 // FULL_SCALE_PA
        scale = {unit: (1_000_000, 1) for unit in _PERCENT}
        value = scaled(args[0], scale, "%", tuple([limit * per_pa for limit in limits]))
        described = "%s to %s %%FS" % (decimal(limits[0] * per_pa, 6), decimal(limits[1] * per_pa, 6))
        within(value, limits[0] * per_pa, limits[1] * per_pa, described)
        _carry_out(self._app.change_setting("in_limits_pa", rounded(value, per_pa)))

    def _in_limits_time(self, args):
        ms = _limit(args, self._setting_limits("in_limits_ms")) if args else self._app.settings.get("in_limits_ms")
        return decimal(ms, 3)

    def _set_in_limits_time(self, args):
        limits = self._setting_limits("in_limits_ms")
        ms = scaled(args[0], _SECONDS, "S", limits)
        within(ms, limits[0], limits[1], "%s to %s s" % (decimal(limits[0], 3), decimal(limits[1], 3)))
        _carry_out(self._app.change_setting("in_limits_ms", ms))

    def _effort(self, _):
        return str(self._app.control.effort_percent)

    def _vent_state(self, _):
        return str(self._app.control.vent_state)

    def _vent(self, args):
        _carry_out(self._app.vent(boolean(args[0])))

    # :OUTPut

    def _output(self, _):
        state = self._app.safety.state
        return "1" if state == REGULATE or state == QUIET else "0"

    def _set_output(self, args):
        _carry_out(self._app.output(boolean(args[0])))

    def _quiet_left(self, _):
        safety = self._app.safety
        return decimal(max(safety.quiet_left_ms, 0), 3) if safety.state == QUIET else "0.000"

    def _quiet(self, args):
        longest_s = self._app.settings.get("quiet_max_s")
        ms = scaled(args[0], _SECONDS, "S", (0, longest_s * 1000, 0))
        within(ms, 0, longest_s * 1000, "0 to %d s" % longest_s)
        # A part of a second counts as a whole one: never shorter than asked for.
        _carry_out(self._app.quiet((ms + 999) // 1000))

    # :UNIT, :FETCh

    def _read_unit(self, _):
        return self._unit

    def _set_unit(self, args):
        names = tuple(sorted(UNITS))
        self._unit = names[choice(args[0], names)]

    def _fields(self, _):
        return FIELDS

    def _fetch(self, _):
        app = self._app
        sensors = app.sensors
        control = app.control
        valves = app.valves
        safety = app.safety
        self._sequence += 1
        values = (
            self._sequence,
            app.boot_id,
            _milliseconds(app.clock.uptime_s, app.clock.uptime_ms),
            STATES[safety.state],
            safety.fault_name if safety.fault else "NONE",
            control.in_limits,
            sensors.pressure_pa,
            control.ramp_pa,
            control.target_pa,
            sensors.control_pa,
            sensors.safety_pa,
            sensors.supply_pa,
            sensors.gas_mk,
            sensors.wall_mk,
            sensors.slew_pa_s,
            sensors.settled_pa,
            valves.openings[0],
            valves.openings[1],
            _milliseconds(valves.open_s[0], valves.open_us[0] // 1000),
            _milliseconds(valves.open_s[1], valves.open_us[1] // 1000),
            safety.warnings,
        )
        return ",".join([str(value) for value in values])

    # :SYSTem, :DIAGnostic

    def _fault(self, _):
        safety = self._app.safety
        if not safety.fault:
            return 'NONE,"no fault",0,"",0'
        return "%s,%s,%d,%s,%s" % (
            safety.fault_name,
            quoted(safety.fault_text),
            safety.fault_value,
            quoted(safety.fault_unit),
            _milliseconds(safety.fault_s, safety.fault_ms),
        )

    def _acknowledge(self, _):
        _carry_out(self._app.acknowledge())

    def _warnings(self, _):
        mask = self._app.safety.warnings
        return ",".join([name for bit, name in enumerate(WARNINGS) if mask >> bit & 1]) or "NONE"

    def _setting_row(self, text: str) -> tuple:
        name = string(text)
        try:
            return settings.row(name)
        except KeyError:
            raise ScpiError(-224, "no setting named " + name) from None

    def _setting(self, args):
        name, unit, default, minimum, maximum, described = self._setting_row(args[0])
        value = self._app.settings.get(name)
        return "%s,%s,%d,%d,%d,%d,%s" % (quoted(name), quoted(unit), value, default, minimum, maximum, quoted(described))

    def _change_setting(self, args):
        name, unit, default, minimum, maximum, _ = self._setting_row(args[0])
        value = scaled(args[1], {}, "", (minimum, maximum, default))
        within(value, minimum, maximum, "%s: %d to %d %s" % (name, minimum, maximum, unit))
        _carry_out(self._app.change_setting(name, value))

    def _setting_names(self, _):
        return ",".join([row[0] for row in settings.TABLE])

    def _header(self, _):
        return str(self._app.settings.get("header_echo"))

    def _set_header(self, args):
        _carry_out(self._app.change_setting("header_echo", 1 if boolean(args[0]) else 0))

    def _maintain(self, _):
        _carry_out(self._app.maintenance())

    def _valve(self, _):
        side = self._scpi.suffix - 1
        if side not in (0, 1):
            raise ScpiError(-114, "1 fill, 2 vent")
        valves = self._app.valves
        open_ms = _milliseconds(valves.open_s[side], valves.open_us[side] // 1000)
        return "%d,%s,%d,%d" % (valves.openings[side], open_ms, valves.gain[side], valves.response_pa[side])


def _carry_out(reason: str):
    """Turn the refusal of a request into an error."""
    if reason:
        raise ScpiError(-221, reason)


def _limit(args: list, limits: tuple) -> int:
    """Return which of the limits a query asks for."""
    return limits[choice(args[0], _MINIMUM_MAXIMUM_DEFAULT)]


def _milliseconds(seconds: int, ms: int) -> str:
    # Through text, because the number itself soon passes 2^30.
    return "%d%03d" % (seconds, ms) if seconds else str(ms)
