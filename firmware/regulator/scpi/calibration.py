"""Commands for the calibration of the transducers: coefficients, date, serial number, operator, and the zero.

One command writes a whole set, so that no part of it can be in force alone. Each coefficient is a setting as well:
`:SYSTem:SETTings "control_span_ppm",120`.
"""

from regulator import settings
from regulator.changes import OUTPUT_ON
from regulator.modes import OFF
from regulator.scpi.parameters import ScpiError, accept, forced, setting_value, string
from regulator.scpi.status import quoted

_COEFFICIENTS = ("_zero_pa", "_span_ppm", "_zero_tc_pa_k", "_span_tc_ppm_k", "_cal_date", "_serial")
_SUPPLY_COEFFICIENTS = ("_zero_pa", "_span_ppm", "_cal_date", "_serial")
# A pressure that moves faster has not settled at ambient yet. Design choice.
_STEADY_PA_S = 500
_LETTERS_MOST = 6  # 27^6 is below 2^30
_SET = (0, 0, 7, 8)  # arity: the query takes nothing, the command all seven and FORCe
_ZERO = (0, 0, 0, 1)


def pack(letters: str) -> int:
    """Return up to six letters as an integer below 2^30, in base 27."""
    if len(letters) > _LETTERS_MOST:
        raise ScpiError(-222, "initials: at most 6 letters")
    number = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z":
            raise ScpiError(-224, "initials: letters A to Z")
        number = number * 27 + ord(letter) - 64
    return number


def unpack(number: int) -> str:
    """Return the letters of `pack`."""
    letters = ""
    while number:
        if number % 27:
            letters = chr(number % 27 + 64) + letters
        number //= 27
    return letters


class Calibration:
    """The commands under :CALibration, except for the ambient pressure."""

    def __init__(self, app):
        self._app = app

    def _control(self, _):
        """Control transducer: zero Pa, span ppm, zero Pa/K, span ppm/K, date as 20261231, serial number, initials."""
        return self._values("control", _COEFFICIENTS) + b"," + self._operator("control")

    def _set_control(self, args):
        """<zero>,<span>,<zero/K>,<span/K>,<date>,<serial>,"<initials>"[,FORCe]: Set the whole set; output off; stored.
        FORCe: also a correction beyond 2 % of full scale.
        """
        self._set("control", args)

    def _safety(self, _):
        """Safety transducer: the same values."""
        return self._values("safety", _COEFFICIENTS) + b"," + self._operator("safety")

    def _set_safety(self, args):
        """<zero>,<span>,<zero/K>,<span/K>,<date>,<serial>,"<initials>"[,FORCe]: The same for the safety transducer."""
        self._set("safety", args)

    def _supply(self, _):
        """Supply transducer: zero Pa, span ppm, date, serial number."""
        return self._values("supply", _SUPPLY_COEFFICIENTS)

    def _zero_control(self, args):
        """[FORCe]: Correct the zero of the control transducer at ambient pressure, with the output off; stored."""
        self._zero("control", self._app.sensors.pressure_pa, forced(args, 0))

    def _zero_safety(self, args):
        """[FORCe]: Correct the zero of the safety transducer at ambient pressure, with the output off; stored."""
        self._zero("safety", self._app.sensors.safety.mean_pa, forced(args, 0))

    def _values(self, name: str, coefficients: tuple) -> bytes:
        get = self._app.settings.get
        return b",".join([b"%d" % get(name + coefficient) for coefficient in coefficients])

    def _operator(self, name: str) -> bytes:
        return quoted(unpack(self._app.settings.get(name + "_operator")))

    def _set(self, name: str, args: list):
        force = forced(args, 7)
        values = {name + "_operator": pack(string(args[6]))}
        for index, coefficient in enumerate(_COEFFICIENTS):
            row = settings.row(name + coefficient)
            values[row[0]] = setting_value(args[index], row)
        accept(self._app.panel.calibrate(values, force))

    def _zero(self, name: str, reading_pa: int, force: bool):
        app = self._app
        get = app.settings.get
        if app.modes.state != OFF:
            accept(OUTPUT_ON)
        if abs(app.sensors.slew_pa_s) > _STEADY_PA_S:
            accept("the pressure is not steady")
        error_pa = reading_pa - get("ambient_pa")
        # A larger error than the stated accuracy means that the chamber is not at ambient pressure.
        if abs(error_pa) > get(name + "_tolerance_pa"):
            accept("%d Pa from ambient_pa, %d allowed" % (error_pa, get(name + "_tolerance_pa")))
        accept(app.panel.change_setting(name + "_zero_pa", get(name + "_zero_pa") - error_pa, force))

    rows = (
        (":CALibration:CONTrol", _control, _set_control, _SET),
        (":CALibration:CONTrol:ZERO", None, _zero_control, _ZERO),
        (":CALibration:SAFety", _safety, _set_safety, _SET),
        (":CALibration:SAFety:ZERO", None, _zero_safety, _ZERO),
        (":CALibration:SUPPly", _supply, None),
    )
