"""Trips, states and latching: the last word over every output."""

from regulator.faults import (
    CONTROL_FAILED,
    CONTROL_RANGE,
    DISAGREEMENT,
    FAULTS,
    GAS_TEMPERATURE,
    MAINTENANCE,
    NO_FAULT,
    OFF,
    OVERPRESSURE,
    QUIET,
    QUIET_DRIFT,
    REGULATE,
    RELIEF,
    SAFETY_FAILED,
    SAFETY_TRANSDUCER,
    SEALED,
    SUPPLY_TRANSDUCER,
    VENTING,
    WALL_TEMPERATURE,
)
from regulator.transducers import HIGH, LOW, VALID
from regulator.valves import FILL, VENT

_FAILED_MS = 100
_RANGE_MS = 500
_DISAGREEMENT_MS = 500
_OVERPRESSURE_SAMPLES = 2
# A transducer is rising when it gained this much over the last _RISE_SAMPLES samples: 4 sigma of the noisier one.
_RISE_PA = 20_000
_RISE_SAMPLES = 8
# The relief valve shuts this far below the trip.
_RELIEF_HYSTERESIS_PA = 200_000


class Safety:
    """Watches one tick after the other and decides what may be driven."""

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.state = OFF
        self.fault = NO_FAULT
        self.fault_value = 0
        self.fault_s = 0
        self.fault_ms = 0
        self.warnings = 0
        self.relief_open = False
        self.quiet_left_ms = 0
        self._quiet_from_pa = 0
        self._failed_ms = 0
        self._range_ms = 0
        self._disagree_ms = 0
        self._over_samples = 0
        self._safety_invalid_ms = 0
        self._safety_invalid_s = 0
        self._was_control_pa = [0] * _RISE_SAMPLES
        self._was_safety_pa = [0] * _RISE_SAMPLES
        self._index = 0
        self._fault_now = NO_FAULT
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        setting = self._settings.get
        self._trip_pa = setting("trip_pa")
        self._ambient_pa = setting("ambient_pa")
        self._to_ambient = setting("relief_to_ambient")
        self._disagreement_pa = (
            setting("disagreement_pa") + setting("control_tolerance_pa") + setting("safety_tolerance_pa")
        )
        self._safety_limit_s = setting("safety_invalid_s")
        self._quiet_drift_pa = setting("quiet_drift_pa")

    @property
    def fault_name(self) -> str:
        """Name of the latched fault, NONE without one."""
        return FAULTS[self.fault][0]

    @property
    def fault_unit(self) -> str:
        """Unit of `fault_value`."""
        return FAULTS[self.fault][1]

    @property
    def fault_text(self) -> str:
        """What happened, what the device did, what to do."""
        return FAULTS[self.fault][2]

    def check(self, dt_ms: int, uptime_s: int, uptime_ms: int):
        """Judge the sensors of this tick; a trip latches with its first cause."""
        sensors = self._sensors
        control = sensors.control
        safety = sensors.safety
        fault = NO_FAULT
        value = 0

        if control.band == VALID:
            self._failed_ms = 0
            self._range_ms = 0
        elif control.band == LOW or control.band == HIGH:
            self._range_ms += dt_ms
            if self._range_ms >= _RANGE_MS:
                fault = CONTROL_RANGE
                value = control.pa
                self._range_ms = _RANGE_MS
        else:
            self._failed_ms += dt_ms
            if self._failed_ms >= _FAILED_MS:
                fault = CONTROL_FAILED
                value = control.pa
                self._failed_ms = _FAILED_MS

        if safety.band == VALID:
            self._safety_invalid_ms = 0
            self._safety_invalid_s = 0
            self.warnings &= ~SAFETY_TRANSDUCER
        elif self._safety_without(dt_ms):
            fault = SAFETY_FAILED
            value = self._safety_invalid_s

        if (
            control.band == VALID
            and safety.band == VALID
            and abs(control.pa - safety.pa) > self._disagreement_pa
        ):
            self._disagree_ms += dt_ms
            if self._disagree_ms >= _DISAGREEMENT_MS:
                fault = DISAGREEMENT
                value = control.pa - safety.pa
                self._disagree_ms = _DISAGREEMENT_MS
        else:
            self._disagree_ms = 0

        if self._over():
            self._over_samples += 1
            if self._over_samples >= _OVERPRESSURE_SAMPLES:
                fault = OVERPRESSURE
                value = max(control.pa, safety.pa)
                self._over_samples = _OVERPRESSURE_SAMPLES
        else:
            self._over_samples = 0

        self.warn(SUPPLY_TRANSDUCER, sensors.supply.band != VALID)
        self.warn(GAS_TEMPERATURE, sensors.gas_mk == 0)
        self.warn(WALL_TEMPERATURE, sensors.wall_mk == 0)
        self._fault_now = fault
        if fault:
            self._trip(fault, value, uptime_s, uptime_ms)
        if self.state == RELIEF:
            self._relieve()
        elif self.state == QUIET:
            self._count_quiet(dt_ms)

    def acknowledge(self) -> str:
        """Clear a latched fault; return "" or the reason why it stays."""
        if self.state != SEALED and self.state != RELIEF:
            return "no fault is latched"
        if self._fault_now:
            return "the cause is still there: " + FAULTS[self._fault_now][0]
        if self.relief_open:
            return "the relief valve is still open"
        self.state = OFF
        self.fault = NO_FAULT
        self.fault_value = 0
        self.fault_s = 0
        self.fault_ms = 0
        return ""

    def begin_quiet(self, seconds: int):
        """Enter QUIET for this long."""
        self.state = QUIET
        self.quiet_left_ms = seconds * 1000
        self._quiet_from_pa = self._sensors.pressure_pa
        self.warnings &= ~QUIET_DRIFT

    def may_move(self, side: int) -> bool:
        """Return whether a valve pair may be driven in this state."""
        return self.state == REGULATE or (self.state == VENTING and side == VENT)

    def drive(self, rig, valves):
        """Put out what the valves module asks for, as far as the state allows it."""
        side = valves.isolation
        if side >= 0 and self.may_move(side):
            rig.switch(side == FILL, side == VENT, False)
            if valves.pulse_us:
                rig.pulse(side, valves.pulse_us)
        elif side >= 0:
            # The state changed under a running window.
            rig.safe()
            valves.abort()
            rig.switch(False, False, self.relief_open)
        else:
            rig.switch(False, False, self.relief_open)

    def _trip(self, fault: int, value: int, uptime_s: int, uptime_ms: int):
        state = RELIEF if fault == OVERPRESSURE else SEALED
        if self.fault == NO_FAULT:
            self.fault = fault
            self.fault_value = value
            self.fault_s = uptime_s
            self.fault_ms = uptime_ms
        # A sealed chamber that rises above the trip still needs its relief, and never the other way round.
        if self.state < state and self.state != MAINTENANCE:
            self.state = state

    def _over(self) -> bool:
        """Return whether this sample shows over-pressure: both, or one while the other is invalid or rising."""
        control = self._sensors.control
        safety = self._sensors.safety
        index = self._index
        control_rising = control.band == VALID and control.pa - self._was_control_pa[index] > _RISE_PA
        safety_rising = safety.band == VALID and safety.pa - self._was_safety_pa[index] > _RISE_PA
        self._was_control_pa[index] = control.pa
        self._was_safety_pa[index] = safety.pa
        self._index = index + 1 if index + 1 < _RISE_SAMPLES else 0
        control_over = control.band == VALID and control.pa > self._trip_pa
        safety_over = safety.band == VALID and safety.pa > self._trip_pa
        if control_over:
            return safety_over or safety.band != VALID or safety_rising
        if safety_over:
            return control.band != VALID or control_rising
        return False

    def _safety_without(self, dt_ms: int) -> bool:
        """Count the time without the safety transducer; return True once it is too long."""
        self.warnings |= SAFETY_TRANSDUCER
        self._safety_invalid_ms += dt_ms
        while self._safety_invalid_ms >= 1000:
            self._safety_invalid_ms -= 1000
            self._safety_invalid_s += 1
        return self._safety_invalid_s > self._safety_limit_s

    def _relieve(self):
        """Open above the trip, shut below it; or stay open to ambient, as configured."""
        control = self._sensors.control
        safety = self._sensors.safety
        highest_pa = -1
        if control.band == VALID:
            highest_pa = control.pa
        if safety.band == VALID and safety.pa > highest_pa:
            highest_pa = safety.pa
        if highest_pa < 0:
            return
        if highest_pa > self._trip_pa:
            self.relief_open = True
        elif highest_pa < (
            self._ambient_pa + 50_000 if self._to_ambient else self._trip_pa - _RELIEF_HYSTERESIS_PA
        ):
            self.relief_open = False

    def _count_quiet(self, dt_ms: int):
        self.quiet_left_ms -= dt_ms
        drift_pa = self._sensors.pressure_pa - self._quiet_from_pa
        if abs(drift_pa) > self._quiet_drift_pa:
            self.warnings |= QUIET_DRIFT
            self.quiet_left_ms = 0
        if self.quiet_left_ms <= 0:
            self.state = REGULATE

    def warn(self, bit: int, active: bool):
        if active:
            self.warnings |= bit
        else:
            self.warnings &= ~bit
