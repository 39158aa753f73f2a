"""Over-pressure detection, and opening and shutting of the relief valve."""

from regulator.faults import COMPARATOR_TRIPPED, NO_FAULT, OVERPRESSURE
from regulator.measure.transducer import VALID

# A transducer is rising if it gained this much over _RISE_SAMPLES samples: 4 sigma of the noisier transducer.
_RISE_PA = 20_000
_RISE_SAMPLES = 8
# The relief valve shuts this far below the trip. Design choice.
_HYSTERESIS_PA = 200_000
# A relief to ambient ends this far above ambient. Design choice.
_EMPTY_PA = 50_000


class Overpressure:
    """`fault` is the present one, `value` its pressure in Pa; `relief_open` requests the relief valve.

    Two samples, two ticks of 20 ms, make a fault. `awaits_second`: this one was the first, so the next one decides.
    """

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self.fault = NO_FAULT
        self.value = 0
        self.relief_open = False
        self.awaits_second = False
        self._was_over = False
        self._was_control_pa = [0] * _RISE_SAMPLES
        self._was_safety_pa = [0] * _RISE_SAMPLES
        self._index = 0
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        setting = self._settings.get
        self._trip_pa = setting("trip_pa")
        self._ambient_pa = setting("ambient_pa")
        self._to_ambient = setting("relief_to_ambient")

    def check(self, tripped: int):
        """Fault: twice in a row both transducers above the trip, or one while the other is invalid or rising."""
        control = self._sensors.control
        safety = self._sensors.safety
        index = self._index
        self.fault = NO_FAULT
        if (control.pa > self._trip_pa or safety.pa > self._trip_pa) and self._is_over(control, safety):
            self.awaits_second = not self._was_over
            if self._was_over:
                self.fault = OVERPRESSURE
                self.value = self._highest_pa()
            self._was_over = True
        else:
            self.awaits_second = False
            self._was_over = False
        self._was_control_pa[index] = control.pa
        self._was_safety_pa[index] = safety.pa
        self._index = index + 1 if index + 1 < _RISE_SAMPLES else 0
        if tripped and not self.fault:
            self.fault = COMPARATOR_TRIPPED
            self.value = safety.pa

    def _is_over(self, control, safety) -> bool:
        index = self._index
        control_valid = control.band == VALID
        safety_valid = safety.band == VALID
        if control_valid and control.pa > self._trip_pa:
            if not safety_valid or safety.pa > self._trip_pa:
                return True
            return safety.pa - self._was_safety_pa[index] > _RISE_PA
        if safety_valid and safety.pa > self._trip_pa:
            return not control_valid or control.pa - self._was_control_pa[index] > _RISE_PA
        return False

    def relieve(self, tripped: int, empty: bool):
        """Run one tick of RELIEF: open above the trip, shut below it (or near ambient, if configured or `empty`)."""
        highest_pa = self._highest_pa()
        if highest_pa < 0:
            # Without a valid transducer only the comparator counts.
            if tripped:
                self.relief_open = True
            return
        if empty or self._to_ambient:
            shut_pa = self._ambient_pa + _EMPTY_PA
        else:
            shut_pa = self._trip_pa - _HYSTERESIS_PA
        if highest_pa > self._trip_pa or (empty and highest_pa > shut_pa):
            self.relief_open = True
        elif highest_pa < shut_pa:
            self.relief_open = False

    def _highest_pa(self) -> int:
        """Return the highest valid reading in Pa, -1 without any."""
        control = self._sensors.control
        safety = self._sensors.safety
        highest_pa = -1
        if control.band == VALID:
            highest_pa = control.pa
        if safety.band == VALID and safety.pa > highest_pa:
            highest_pa = safety.pa
        return highest_pa
