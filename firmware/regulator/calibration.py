"""Commands about the transducers' calibration: what is in force, when and by what it was found, and the zero.

The coefficients themselves are settings, one by one: `:SYSTem:SETTings "control_span_ppm",120`.
"""

from regulator.faults import OFF
from regulator.parameters import accept
from regulator.status import NO_PARAMETER

_COEFFICIENTS = ("_zero_pa", "_span_ppm", "_zero_tc_pa_k", "_span_tc_ppm_k", "_cal_date", "_serial")
_SUPPLY_COEFFICIENTS = ("_zero_pa", "_span_ppm", "_cal_date", "_serial")
# A pressure that moves faster is not ambient pressure yet.
_STEADY_PA_S = 500


class Calibration:
    """The commands under :CALibration besides the ambient pressure."""

    def __init__(self, app):
        self._app = app
        self._safety_32 = 0  # 32 times the mean of the safety transducer, whose single readings are noisy

    def watch(self):
        """Average the safety transducer over about 32 ticks; to be called in every tick."""
        pa = self._app.sensors.safety_pa
        self._safety_32 += pa - (self._safety_32 >> 5) if self._safety_32 else pa << 5

    def rows(self) -> tuple:
        """Return the command table."""
        return (
            (":CALibration:CONTrol", self._control, None),
            (":CALibration:CONTrol:ZERO", None, self._zero_control, NO_PARAMETER),
            (":CALibration:SAFety", self._safety, None),
            (":CALibration:SAFety:ZERO", None, self._zero_safety, NO_PARAMETER),
            (":CALibration:SUPPly", self._supply, None),
        )

    def _control(self, _):
        """Control transducer: zero Pa, span ppm, zero Pa/K, span ppm/K, date as 20261231, serial number."""
        return self._values("control", _COEFFICIENTS)

    def _safety(self, _):
        """Safety transducer: the same values."""
        return self._values("safety", _COEFFICIENTS)

    def _supply(self, _):
        """Supply transducer: zero Pa, span ppm, date, serial number."""
        return self._values("supply", _SUPPLY_COEFFICIENTS)

    def _zero_control(self, _):
        """Correct the zero of the control transducer at ambient pressure, with the output off; stored."""
        self._zero("control", self._app.sensors.pressure_pa)

    def _zero_safety(self, _):
        """Correct the zero of the safety transducer at ambient pressure, with the output off; stored."""
        self._zero("safety", self._safety_32 >> 5)

    def _values(self, name: str, coefficients: tuple) -> str:
        get = self._app.settings.get
        return ",".join([str(get(name + coefficient)) for coefficient in coefficients])

    def _zero(self, name: str, reading_pa: int):
        app = self._app
        get = app.settings.get
        if app.safety.state != OFF:
            accept("only while the output is off")
        if abs(app.sensors.slew_pa_s) > _STEADY_PA_S:
            accept("the pressure is not steady")
        error_pa = reading_pa - get("ambient_pa")
        # More than the stated accuracy is no error of the zero: there is pressure in the chamber.
        if abs(error_pa) > get(name + "_tolerance_pa"):
            accept("%d Pa from ambient_pa; %d allowed" % (error_pa, get(name + "_tolerance_pa")))
        accept(app.change_setting(name + "_zero_pa", get(name + "_zero_pa") - error_pa))
