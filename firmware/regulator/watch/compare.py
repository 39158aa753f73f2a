"""Compares both transducers over the same pulses, to find a frozen one or a blocked sensing port."""

from regulator.faults import NO_FAULT, PORT_BLOCKED, TRANSDUCER_FROZEN
from regulator.measure.transducer import VALID
from regulator.valves.sides import VENT

# Fault: over three pulses one transducer moves by less than 30 % of the other one, which moves by _COMPARED_PA or more.
# Constants chosen on the simulated plant.
_COMPARED = 3
_COMPARED_PA = 35_000
_EFFECT_PERCENT = 30
_STILL_MS = 400
# Pulses further apart are not compared, because leak and cell move the pressure, too.
_PAUSE_MS = 5_000
# Small pulses of both sides add up: their sum decides from _SUMMED_PA on. A reading this far off its mean is a jump.
_SUMMED_PA = 100_000
_JUMP_PA = 200_000


class Compare:
    """`fault` latches until `clear()`, with its `value`."""

    def __init__(self, sensors, valves, loops):
        self._sensors = sensors
        self._valves = valves
        self._loops = loops
        self.fault = NO_FAULT
        self.value = 0
        self._side = -1
        self._count = 0
        self._index = 0
        self._control_pa = [0] * _COMPARED  # before the first pulse and after each of the last ones
        self._safety_pa = [0] * _COMPARED
        self._pause_ms = 0
        self._sum_control_pa = 0
        self._sum_safety_pa = 0
        self._before_control_pa = 0  # before the present window, or now; 0 = unknown
        self._before_safety_pa = 0

    def clear(self):
        """Forget fault and pulses after an acknowledge."""
        self.fault = NO_FAULT
        self._sensors.trusted.doubt_safety(False)
        self._count = 0

    def check_slowly(self, dt_ms: int):
        """Note both pressures before the next pulse; `dt_ms` since the last call."""
        if self._pause_ms <= _PAUSE_MS:
            self._pause_ms += dt_ms
        if self._valves.idle():
            self._before_control_pa = self._sensors.control.mean_pa
            self._before_safety_pa = self._sensors.safety.mean_pa

    def check(self):
        """After a pulse: compare the movement of both transducers over the last three pulses of one side."""
        side = self._valves.verdict.side
        sensors = self._sensors
        safety = sensors.safety
        # A safety transducer that jumps shows no pulse.
        jumps = abs(safety.pa - safety.mean_pa) > _JUMP_PA
        unlike = safety.band != VALID or jumps or self._loops.reference_moves()
        if unlike or side != self._side or self._pause_ms > _PAUSE_MS:
            self._side = side
            self._count = 0
            if self._before_safety_pa:
                self._keep(self._before_control_pa, self._before_safety_pa)
        self._pause_ms = 0
        control_pa = sensors.control.mean_pa
        safety_pa = safety.mean_pa
        if unlike or not sensors.trusted.agree():
            self._sum_control_pa = self._sum_safety_pa = 0
        elif self._before_safety_pa:
            self._add(control_pa - self._before_control_pa, safety_pa - self._before_safety_pa)
        if self._count >= _COMPARED:
            index = self._index
            self._judge(control_pa - self._control_pa[index], safety_pa - self._safety_pa[index])
        self._keep(control_pa, safety_pa)

    def _add(self, control_pa: int, safety_pa: int):
        """Add the effect of a pulse on both; a larger one than a pulse has is no effect of it."""
        if max(abs(control_pa), abs(safety_pa)) > _SUMMED_PA:
            return
        sign = -1 if self._side == VENT else 1
        self._sum_control_pa += sign * control_pa
        self._sum_safety_pa += sign * safety_pa
        control_pa = self._sum_control_pa
        safety_pa = self._sum_safety_pa
        if control_pa > _SUMMED_PA:
            self._sum_control_pa = self._sum_safety_pa = 0
            self._sensors.trusted.doubt_safety(safety_pa < control_pa // 10 * (_EFFECT_PERCENT // 10))

    def _keep(self, control_pa: int, safety_pa: int):
        index = self._index
        self._control_pa[index] = control_pa
        self._safety_pa[index] = safety_pa
        self._index = index + 1 if index + 1 < _COMPARED else 0
        if self._count < _COMPARED:
            self._count += 1

    def _judge(self, control_pa: int, safety_pa: int):
        if self._side == VENT:
            control_pa = -control_pa
            safety_pa = -safety_pa
        if safety_pa > _COMPARED_PA and control_pa < safety_pa // 10 * (_EFFECT_PERCENT // 10):
            self.fault = TRANSDUCER_FROZEN if self._sensors.control.still_ms > _STILL_MS else PORT_BLOCKED
            self.value = control_pa
        elif control_pa > _COMPARED_PA and safety_pa < control_pa // 10 * (_EFFECT_PERCENT // 10):
            self.fault = PORT_BLOCKED
            self.value = safety_pa
