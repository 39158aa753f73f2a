"""Pressure commands, in the unit of the port: :SENSe, :SOURce, :OUTPut, :UNIT, :CALibration, *RST."""

from regulator import settings
from regulator.measure.temperature import ZERO_CELSIUS_MK
from regulator.measure.transducer import FULL_SCALE_PA
from regulator.modes import QUIET, REGULATE
from regulator.scpi.parameters import (
    TIMES,
    ScpiError,
    accept,
    boolean,
    choice,
    decimal,
    limit,
    rounded,
    scaled,
)
from regulator.scpi.status import NO_PARAMETER

# Pascal per unit as a fraction (psi: 0.45359237 kg at 9.80665 m/s2 per square inch), and decimals that resolve 1 Pa.
UNITS = {
    "PA": (1, 1, 0),
    "HPA": (100, 1, 3),
    "MBAR": (100, 1, 3),
    "KPA": (1000, 1, 4),
    "BAR": (100_000, 1, 6),
    "MPA": (1_000_000, 1, 7),
    "PSI": (6_894_757_293_168, 1_000_000_000, 6),
}

_NAMES = ("PA", "HPA", "MBAR", "KPA", "BAR", "MPA", "PSI")
_MPA = 5
# :INLimits is in percent of full scale. One pascal is a whole number of millionths of a percent.
_MILLIONTHS = {"PCT": (1_000_000, 1)}
_MILLIONTHS_PER_PA = 100_000_000 // FULL_SCALE_PA

_ASK_LIMIT = (0, 1, 1, 1)  # arity: the query may request MIN, MAX or DEF


class PressureCommands:
    """The commands, and the unit of the port, which starts as MPA and is not stored."""

    def __init__(self, app):
        self._app = app
        app.panel.set_unit(_MPA)

    @property
    def _unit(self) -> str:
        return _NAMES[self._app.panel.unit]

    def _digits(self, pa: int) -> bytes:
        numerator, denominator, places = UNITS[self._unit]
        if denominator == 1:
            # The last place is a tenth of a pascal.
            return decimal(pa * 10 if places else pa, places)
        return decimal(rounded(pa * denominator * 10**places, numerator), places)

    def _range(self, limits: tuple, per: str = "") -> str:
        unit = (self._unit + per).encode()
        return (b"%s to %s %s" % (self._digits(limits[0]), self._digits(limits[1]), unit)).decode()

    def _setting(self, name: str, args: list) -> int:
        """Return a setting, or the limit of it that the query requests."""
        return limit(args, _limits(name)) if args else self._app.settings.get(name)

    # :SENSe

    def _pressure(self, _):
        """Filtered pressure."""
        return self._digits(self._app.sensors.pressure_pa)

    def _pressure_in_limits(self, _):
        """Filtered pressure, and 1 if it is in limits (within :INLimits for :INLimits:TIME), else 0."""
        return b"%s,%d" % (self._digits(self._app.sensors.pressure_pa), self._app.control.in_limits)

    def _measured_slew(self, _):
        """Measured rate of the pressure, unit/s."""
        return self._digits(self._app.sensors.slew_pa_s)

    def _amount_drift(self, _):
        """Drift of the amount of gas since holding began, as pressure; the drift per hour; seconds since then."""
        amount = self._app.control.amount
        rate = self._digits(amount.rate_pa_h())
        return b"%s,%s,%d" % (self._digits(amount.drift_pa), rate, amount.seconds)

    def _safety_pressure(self, _):
        """Pressure by the safety transducer."""
        return self._digits(self._app.sensors.safety.pa)

    def _supply_pressure(self, _):
        """Supply pressure."""
        return self._digits(self._app.sensors.supply.pa)

    def _gas_temperature(self, _):
        """Gas temperature, degC; 9.91E37 while its sensor is invalid."""
        return _celsius(self._app.sensors.gas_mk)

    def _wall_temperature(self, _):
        """Wall temperature, degC; 9.91E37 while its sensor is invalid."""
        return _celsius(self._app.sensors.wall_mk)

    # :SOURce

    def _target_limits(self) -> tuple:
        setting = self._app.settings.get
        return setting("ambient_pa"), setting("setpoint_max_pa"), setting("ambient_pa")

    def _target(self, args):
        """The target, or one of its limits."""
        return self._digits(limit(args, self._target_limits()) if args else self._app.control.target_pa)

    def _set_target(self, args):
        """<pressure>|MIN|MAX|DEF: Set the target, which the ramp approaches while the output is on."""
        limits = self._target_limits()
        pa = scaled(args[0], UNITS, self._unit, limits)
        if not limits[0] <= pa <= limits[1]:
            raise ScpiError(-222, self._range(limits))
        accept(self._app.panel.set_target(pa))

    def _ramp(self, _):
        """The present ramped setpoint."""
        return self._digits(self._app.control.ramp_pa)

    def _slew(self, args):
        """Ramp rate, unit/s."""
        return self._digits(self._setting("slew_pa_s", args))

    def _set_slew(self, args):
        """<rate>|MIN|MAX|DEF: Set the ramp rate, unit/s (or with a suffix such as BAR/S); stored."""
        limits = _limits("slew_pa_s")
        rates = {name + "/S": UNITS[name] for name in _NAMES}
        rates.update(UNITS)
        pa_s = scaled(args[0], rates, self._unit, limits)
        if not limits[0] <= pa_s <= limits[1]:
            raise ScpiError(-222, self._range(limits, "/s"))
        accept(self._app.panel.set_slew(pa_s))

    def _slew_mode(self, _):
        """Ramp mode: MAX (as fast as the valves allow) or LIN (at the ramp rate)."""
        return "LIN" if self._app.settings.get("slew_linear") else "MAX"

    def _set_slew_mode(self, args):
        """MAXimum|LINear: Ramp as fast as the valves allow, or at the ramp rate; stored."""
        accept(self._app.panel.set_slew_max(choice(args[0], ("MAXimum", "LINear")) == 0))

    def _in_limits(self, args):
        """Largest distance from the target that counts as in limits, percent of full scale (10 MPa)."""
        return decimal(self._setting("in_limits_pa", args) * _MILLIONTHS_PER_PA, 6)

    def _set_in_limits(self, args):
        """<percent>|MIN|MAX|DEF: Set the largest distance from the target that counts as in limits; stored."""
        limits = tuple([pa * _MILLIONTHS_PER_PA for pa in _limits("in_limits_pa")])
        value = scaled(args[0], _MILLIONTHS, "PCT", limits)
        if not limits[0] <= value <= limits[1]:
            raise ScpiError(-222, _between(limits, 6, b"PCT"))
        accept(self._app.panel.change_setting("in_limits_pa", rounded(value, _MILLIONTHS_PER_PA)))

    def _in_limits_time(self, args):
        """Time within that distance before in limits is reported, s."""
        return decimal(self._setting("in_limits_ms", args), 3)

    def _set_in_limits_time(self, args):
        """<seconds>|MIN|MAX|DEF: Set the time before in limits is reported, s (or MS, MIN); stored."""
        limits = _limits("in_limits_ms")
        ms = scaled(args[0], TIMES, "S", limits)
        if not limits[0] <= ms <= limits[1]:
            raise ScpiError(-222, _between(limits, 3, b"S"))
        accept(self._app.panel.change_setting("in_limits_ms", ms))

    def _function(self, _):
        """Controlled quantity: PRES (pressure) or AMO (amount of gas)."""
        return "AMO" if self._app.settings.get("hold_amount") else "PRES"

    def _set_function(self, args):
        """PRESsure|AMOunt: Hold the pressure, or the amount of gas with all valves shut; stored."""
        accept(self._app.panel.hold_amount(choice(args[0], ("PRESsure", "AMOunt")) == 1))

    def _effort(self, _):
        """Valve effort, -100 (vent) to 100 (fill) percent."""
        return b"%d" % self._app.control.effort_percent

    def _vent_state(self, _):
        """State of the vent: 0 idle, 1 in progress, 2 complete, 3 ended, and not known to be empty."""
        return b"%d" % self._app.control.vent.state

    def _vent(self, args):
        """1|0: Begin a vent to ambient at the vent rate, or abort it; 0 also resets a complete vent to idle."""
        accept(self._app.panel.vent(boolean(args[0])))

    # :OUTPut

    def _output(self, _):
        """1 while the device regulates or is in a quiet window, else 0."""
        state = self._app.modes.state
        return b"1" if state in (REGULATE, QUIET) else b"0"

    def _set_output(self, args):
        """ON|OFF: Regulate, or shut all valves and keep the gas. ON is refused while a fault is latched."""
        accept(self._app.panel.output(boolean(args[0])))

    def _quiet_left(self, _):
        """Remaining time of the quiet window, s."""
        left_ms = self._app.control.quiet.left_ms if self._app.modes.state == QUIET else 0
        return decimal(max(left_ms, 0), 3)

    def _quiet(self, args):
        """<seconds>: Lock the valves shut for a measurement of this length; 0 ends the quiet window at once."""
        longest_s = self._app.settings.get("quiet_max_s")
        limits = (0, longest_s * 1000, 0)
        ms = scaled(args[0], TIMES, "S", limits)
        if not 0 <= ms <= limits[1]:
            raise ScpiError(-222, "0 to %d S" % longest_s)
        # Rounded up to whole seconds, so that the window is never too short.
        accept(self._app.panel.quiet((ms + 999) // 1000))

    # :UNIT, :CALibration

    def _read_unit(self, _):
        """Pressure unit of the port."""
        return self._unit

    def _set_unit(self, args):
        """PA|HPA|MBAR|KPA|BAR|MPA|PSI: Set the pressure unit of the port; MPA after a start and after *RST."""
        self._app.panel.set_unit(choice(args[0], _NAMES))

    def _ambient(self, args):
        """Ambient pressure, always in Pa."""
        return b"%d" % self._setting("ambient_pa", args)

    def _set_ambient(self, args):
        """<pressure>|MIN|MAX|DEF: Set the ambient pressure, in Pa unless it has a suffix; stored."""
        # Barometers report Pa or hPa, so the unit of the port does not apply.
        limits = _limits("ambient_pa")
        pa = scaled(args[0], UNITS, "PA", limits)
        if not limits[0] <= pa <= limits[1]:
            raise ScpiError(-222, "%d to %d PA" % limits[:2])
        accept(self._app.panel.change_setting("ambient_pa", pa))

    def _reset(self, _):
        """Output off, unit MPA. Opens no valve, clears no fault, changes no setting."""
        # Only shuts valves: regulation ends and the pressure stays. Faults and stored settings stay.
        accept(self._app.panel.output(False))
        self._app.panel.set_unit(_MPA)

    rows = (
        (":SENSe[1][:PRESsure]", _pressure, None),
        (":SENSe[1][:PRESsure]:INLimits", _pressure_in_limits, None),
        (":SENSe[1][:PRESsure]:SLEW", _measured_slew, None),
        (":SENSe[1][:PRESsure]:AMOunt", _amount_drift, None),
        (":SENSe[1][:PRESsure]:SAFety", _safety_pressure, None),
        (":SENSe[1][:PRESsure]:SUPPly", _supply_pressure, None),
        (":SENSe[1]:TEMPerature[:GAS]", _gas_temperature, None),
        (":SENSe[1]:TEMPerature:WALL", _wall_temperature, None),
        (":SOURce[1][:PRESsure][:LEVel][:IMMediate][:AMPLitude]", _target, _set_target, _ASK_LIMIT),
        (":SOURce[1][:PRESsure][:LEVel][:IMMediate][:AMPLitude]:VENT", _vent_state, _vent),
        (":SOURce[1][:PRESsure]:RAMP", _ramp, None),
        (":SOURce[1][:PRESsure]:SLEW", _slew, _set_slew, _ASK_LIMIT),
        (":SOURce[1][:PRESsure]:SLEW:MODE", _slew_mode, _set_slew_mode),
        (":SOURce[1][:PRESsure]:INLimits", _in_limits, _set_in_limits, _ASK_LIMIT),
        (":SOURce[1][:PRESsure]:INLimits:TIME", _in_limits_time, _set_in_limits_time, _ASK_LIMIT),
        (":SOURce[1][:PRESsure]:EFFort", _effort, None),
        (":SOURce[1][:PRESsure]:COMPensate[1]", _supply_pressure, None),
        (":SOURce[1]:FUNCtion", _function, _set_function),
        (":OUTPut[1][:STATe]", _output, _set_output),
        (":OUTPut[1]:QUIet", _quiet_left, _quiet),
        (":UNIT:PRESsure", _read_unit, _set_unit),
        (":CALibration:BARometer", _ambient, _set_ambient, _ASK_LIMIT),
        ("*RST", None, _reset, NO_PARAMETER),
    )


def _celsius(mk: int) -> bytes:
    # A failed sensor reads 0 mK. 9.91E37 is NaN in SCPI-99.
    return decimal(mk - ZERO_CELSIUS_MK, 3) if mk else b"9.91E37"


def _between(limits: tuple, places: int, unit: bytes) -> str:
    return (b"%s to %s %s" % (decimal(limits[0], places), decimal(limits[1], places), unit)).decode()


def _limits(name: str) -> tuple:
    row = settings.row(name)
    return row[3], row[4], row[2]
