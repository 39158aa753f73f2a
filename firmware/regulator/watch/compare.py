"""Compares both transducers over the same pulses, to find a frozen one or a blocked sensing port."""

from regulator.faults import NO_FAULT, PORT_BLOCKED, TRANSDUCER_DRIFT, TRANSDUCER_FROZEN
from regulator.measure.transducer import VALID, has_steps
from regulator.valves.sides import VENT

# Fault: over three pulses one transducer moves by less than 30 % of the other one, which moves by _COMPARED_PA or more.
# Constants chosen on the simulated plant.
_COMPARED = 3
_COMPARED_PA = 35_000
_EFFECT_PERCENT = 30
_STILL_MS = 400
# Pulses further apart are not compared, because leak and cell move the pressure, too.
_PAUSE_MS = 5_000
# A wild sample is in the means of 32 for a while, also where it came in a pulse and so may be a movement of gas: five
# that are off by 4 MPa leave 6 kPa after this time.
_WILD_MS = 3_000
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
        self._wild = 0  # wild samples so far
        self._wild_ms = 0  # for which they still count
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
        self._wild_ms -= min(self._wild_ms, dt_ms)
        self._note_wild()
        if self._valves.idle():
            self._before_control_pa = self._sensors.control.mean_pa
            self._before_safety_pa = self._sensors.safety.mean_pa

    def _note_wild(self):
        wild = self._sensors.control.wild_samples + self._sensors.safety.wild_samples
        if wild != self._wild:
            self._wild = wild
            self._wild_ms = _WILD_MS

    def check(self):
        """After a pulse: compare the movement of both transducers over the last three pulses of one side."""
        side = self._valves.verdict.side
        sensors = self._sensors
        safety = sensors.safety
        self._note_wild()
        if self._wild_ms > 0:
            self._count = self._sum_control_pa = self._sum_safety_pa = 0
            return
        # A safety transducer that jumps shows no pulse.
        jumps = abs(safety.pa - safety.mean_pa) > _JUMP_PA
        control_pa = sensors.control.mean_pa
        unlike = safety.band != VALID or jumps or self._loops.reference_moves() or has_steps(control_pa)
        if unlike or side != self._side or self._pause_ms > _PAUSE_MS:
            self._side = side
            self._count = 0
            if self._before_safety_pa:
                self._keep(self._before_control_pa, self._before_safety_pa)
        self._pause_ms = 0
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


# The difference of both readings is a mean over _MEAN_SHIFT (256 s). It walks if it changes by more than this since an
# hour or a day ago: two ordinary transducers part by 1 kPa a day at most, a failing one drifts by 5 to 10.
_MEAN_SHIFT = 8
_HOUR_S = 3_600
_HOURS = 24
_HOUR_PA = 6_000
_DAY_PA = 3_500
# A pressure that moved this far begins anew: the two have different span errors.
_MOVED_PA = 100_000


class Apart:
    """Whether the two transducers walk apart: `warnings`."""

    def __init__(self, sensors):
        self._sensors = sensors
        self.warnings = 0
        self._at_pa = 0  # pressure when this began; 0 = anew
        self._mean = 0  # safety less control, Pa times 256
        self._seconds = 0
        self._hours = 0  # in the ring, at most _HOURS
        self._index = 0
        self._hour_pa = [0] * _HOURS

    def check_slowly(self):
        """Once a second."""
        sensors = self._sensors
        pa = sensors.control.mean_pa
        if not sensors.trusted.agree() or has_steps(pa):
            return
        difference_pa = sensors.safety.mean_pa - pa
        if self._at_pa == 0 or abs(pa - self._at_pa) > _MOVED_PA:
            self._at_pa = pa
            self._mean = difference_pa << _MEAN_SHIFT
            self._seconds = self._hours = self._index = 0
            self.warnings = 0
            return
        self._mean += difference_pa - (self._mean >> _MEAN_SHIFT)
        self._seconds += 1
        if self._seconds & 63 == 0:
            self._judge(self._mean >> _MEAN_SHIFT)

    def _judge(self, now_pa: int):
        index = self._index
        ring = self._hour_pa
        if self._hours:
            walks = abs(now_pa - ring[index - 1]) > _HOUR_PA
            if self._hours == _HOURS:
                walks = walks or abs(now_pa - ring[index]) > _DAY_PA
            elif abs(now_pa - ring[0]) > _DAY_PA:
                walks = True
            self.warnings = TRANSDUCER_DRIFT if walks else 0
        # The first value as soon as there is a mean.
        if self._seconds >= (_HOUR_S if self._hours else 4 << _MEAN_SHIFT):
            self._seconds = 0
            ring[index] = now_pa
            self._index = index + 1 if index + 1 < _HOURS else 0
            self._hours = min(self._hours + 1, _HOURS)
