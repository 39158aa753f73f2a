"""Watches what pulses do: valves stuck shut or open, transducers that do not see what the other one sees."""

from regulator.faults import (
    FILL_STUCK_OPEN,
    FILL_STUCK_SHUT,
    NO_FAULT,
    PORT_BLOCKED,
    TRANSDUCER_FROZEN,
    VALVE_WORN,
    VENT_SHUT,
    VENT_STUCK_OPEN,
)
from regulator.measure.transducer import VALID
from regulator.valves.window import FILL, VENT

# So many pulses in a row without effect mean a valve stuck shut; the sixth is tried after _RETRY_MS, where it may be.
_SILENT = 5
_RETRY_MS = 60_000
# A pulse has no effect below this share of what was expected.
_EFFECT_PERCENT = 30
# While a valve is unknown only pulses from this length on count: none that this firmware is meant for opens later.
_SURE_US = 50_000
# Percent of what a valve that stays open would do: in one window, or in two in a row.
_STUCK_PERCENT = 80
_TWICE_PERCENT = 50
# Transducers are compared over three pulses, from so much on: one saw less than 30 percent of what the other one saw.
_COMPARED = 3
_COMPARED_PA = 35_000
_STILL_MS = 400
# Pulses further apart than this are not compared: leak and cell move the pressure, too.
_PAUSE_MS = 5_000
# A learned gain outside these shares of the one that was known when the valve was proved is a notice.
_WORN_PERCENT = (60, 160)
_WORN_JUDGED = 50


class Pulses:
    """`fault` is an event: it stays until `clear()`. `value` goes with it; `warnings` hold now."""

    WARNINGS = VENT_SHUT | VALVE_WORN

    def __init__(self, sensors, valves, loops):
        self._sensors = sensors
        self._valves = valves
        self._loops = loops
        self.fault = NO_FAULT
        self.value = 0
        self.warnings = 0
        self.reference_gain = [0, 0]  # what each valve's gain was once it was well known, 0 before
        self._verdicts = 0
        self._silent = [0, 0]
        self._unclear_pa = [0, 0]
        self._barred_ms = [0, 0]
        self._excess = [0, 0]
        self._side = -1
        self._count = 0
        self._index = 0
        self._control_pa = [0] * _COMPARED  # before the first one or after each of the last pulses
        self._safety_pa = [0] * _COMPARED
        self._pause_ms = 0
        self._before_control_pa = 0  # before the window that is under way, or now; 0 not known yet
        self._before_safety_pa = 0

    def clear(self):
        """Forget what was seen: somebody has looked after it."""
        self.fault = NO_FAULT
        self.warnings &= ~VENT_SHUT
        for side in (FILL, VENT):
            self._silent[side] = 0
            self._unclear_pa[side] = 0
            self._excess[side] = 0
            self._barred_ms[side] = 0
        self._count = 0

    def starved(self) -> bool:
        """Return whether fills are held back because they had no effect and the supply's pressure is unknown."""
        return self._barred_ms[FILL] > 0

    def barred(self, side: int) -> bool:
        """Return whether pulses of this side are held back for now."""
        return self._barred_ms[side] > 0

    def check(self):
        """Take the verdict on a pulse, if there is a new one."""
        valves = self._valves
        if valves.verdicts == self._verdicts:
            return
        self._verdicts = valves.verdicts
        side = valves.verdict_side
        self._judge_effect(side)
        self._judge_excess(side)
        self._compare(side)

    def check_slowly(self, dt_ms: int):
        """Count the time that a side is held back, and look for wear; `dt_ms` since the last call."""
        worn = False
        if self._pause_ms <= _PAUSE_MS:
            self._pause_ms += dt_ms
        if self._valves.idle():
            self._before_control_pa = self._loops.control_mean_pa
            self._before_safety_pa = self._loops.safety_mean_pa
        for side in range(2):
            if self._barred_ms[side] > 0:
                self._barred_ms[side] -= dt_ms
            response = self._valves.responses[side]
            reference = self.reference_gain[side]
            if response.judged >= _WORN_JUDGED:
                if not reference:
                    self.reference_gain[side] = response.gain
                else:
                    percent = response.gain * 100 // reference
                    worn = worn or not _WORN_PERCENT[0] <= percent <= _WORN_PERCENT[1]
        self.warnings = self.warnings | VALVE_WORN if worn else self.warnings & ~VALVE_WORN

    def _judge_effect(self, side: int):
        valves = self._valves
        step_pa = valves.verdict_pa
        if valves.expected_pa == 0:
            if step_pa < valves.clear_pa and valves.verdict_us < _SURE_US:
                return
            # Steps that noise hides one by one add up: five of them are clear from about twice as much on.
            self._unclear_pa[side] += step_pa
            silent = step_pa < valves.clear_pa and self._unclear_pa[side] < 2 * valves.clear_pa
        elif valves.expected_pa < valves.clear_pa:
            return
        else:
            silent = step_pa < valves.expected_pa // 10 * (_EFFECT_PERCENT // 10)
        if not silent:
            self._silent[side] = 0
            self._unclear_pa[side] = 0
            if side == VENT:
                self.warnings &= ~VENT_SHUT
            return
        self._silent[side] += 1
        if self._silent[side] < _SILENT:
            return
        self._silent[side] = _SILENT - 1
        self._unclear_pa[side] = 0
        if side == FILL and self._sensors.supply.band == VALID:
            self.fault = FILL_STUCK_SHUT
            self.value = valves.verdict_us
            return
        # An empty supply that nobody can see, or a vent that holds the gas: no reason to give the gas up.
        self._barred_ms[side] = _RETRY_MS
        if side == VENT:
            self.warnings |= VENT_SHUT

    def _judge_excess(self, side: int):
        percent = self._valves.excess_percent
        if percent < _TWICE_PERCENT:
            self._excess[side] = 0
            return
        self._excess[side] += 1
        if percent >= _STUCK_PERCENT or self._excess[side] > 1:
            self.fault = FILL_STUCK_OPEN if side == FILL else VENT_STUCK_OPEN
            self.value = self._valves.verdict_pa

    def _compare(self, side: int):
        """Over three pulses of one side: how far the control transducer went, and how far the safety transducer did."""
        loops = self._loops
        unlike = self._sensors.safety.band != VALID or loops.reference_moves()
        if unlike or side != self._side or self._pause_ms > _PAUSE_MS:
            self._side = side
            self._count = 0
            if self._before_safety_pa:
                self._keep(self._before_control_pa, self._before_safety_pa)
        self._pause_ms = 0
        control_pa = loops.control_mean_pa
        safety_pa = loops.safety_mean_pa
        if self._count >= _COMPARED:
            index = self._index
            self._judge_transducers(control_pa - self._control_pa[index], safety_pa - self._safety_pa[index])
        self._keep(control_pa, safety_pa)

    def _keep(self, control_pa: int, safety_pa: int):
        index = self._index
        self._control_pa[index] = control_pa
        self._safety_pa[index] = safety_pa
        self._index = index + 1 if index + 1 < _COMPARED else 0
        if self._count < _COMPARED:
            self._count += 1

    def _judge_transducers(self, control_pa: int, safety_pa: int):
        if self._side == VENT:
            control_pa = -control_pa
            safety_pa = -safety_pa
        if safety_pa > _COMPARED_PA and control_pa < safety_pa // 10 * (_EFFECT_PERCENT // 10):
            self.fault = TRANSDUCER_FROZEN if self._loops.still_ms > _STILL_MS else PORT_BLOCKED
            self.value = control_pa
        elif control_pa > _COMPARED_PA and safety_pa < control_pa // 10 * (_EFFECT_PERCENT // 10):
            self.fault = PORT_BLOCKED
            self.value = safety_pa
