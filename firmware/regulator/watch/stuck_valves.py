"""Watches the effect of pulses: valves stuck shut or open, and wear."""

from regulator.faults import (
    CHAMBER_CHANGED,
    FILL_STUCK_OPEN,
    FILL_STUCK_SHUT,
    NO_FAULT,
    VALVE_WORN,
    VENT_SHUT,
    VENT_STUCK_OPEN,
)
from regulator.measure.transducer import VALID
from regulator.valves.learned import lacks_effect
from regulator.valves.sides import DRIVEN_PA, FILL, VENT

# Constants chosen on the simulated plant. After five pulses in a row without effect a valve is stuck shut. If that does
# not seal, the next pulse comes after _RETRY_MS.
_SILENT = 5
_RETRY_MS = 60_000
# For an unknown valve only longer pulses count, as every suitable valve has opened by then.
_SURE_US = 100_000
# Gas beyond the pulses, in percent of a valve stuck open: in one window, or in two in a row.
_STUCK_PERCENT = 80
_TWICE_PERCENT = 50
# A learned gain outside these percentages of the reference gain is a warning, from _WORN_JUDGED pulses on. Both belong
# to one pressure, because a valve opens up to 1 ms later per MPa across it [E], a third of a short pulse. A seal that
# rested may pass half [E], so the gain has to stay outside for _WORN_PULSES.
_WORN_PERCENT = (60, 160)
_WORN_JUDGED = 50
_WORN_WITHIN_PA = 500_000
_WORN_PULSES = 20


class StuckValves:
    """`fault` latches until `clear()`, with its `value`; `warnings` are the present ones."""

    def __init__(self, sensors, valves):
        self._sensors = sensors
        self._valves = valves
        self.fault = NO_FAULT
        self.value = 0
        self.warnings = 0
        # Gain of each valve in the first hold in which it was well known, 0 before.
        self.reference_gain = [0, 0]
        self.reference_pa = [0, 0]  # pressure of that hold
        self._worn = [0, 0]  # pulses since the gain left its range
        self._holds = False
        self._silent = [0, 0]
        self._unclear_pa = [0, 0]
        self._barred_ms = [0, 0]
        self._excess = [0, 0]

    def clear(self):
        """Forget fault and counts after an acknowledge."""
        self.fault = NO_FAULT
        self.warnings &= ~VENT_SHUT
        for side in (FILL, VENT):
            self._silent[side] = 0
            self._unclear_pa[side] = 0
            self._excess[side] = 0
            self._barred_ms[side] = 0

    def barred(self, side: int) -> bool:
        """Return whether pulses of this side are refused at present."""
        return self._barred_ms[side] > 0

    def check(self):
        """Take the verdict on a new pulse."""
        side = self._valves.verdict.side
        self._judge_effect(side)
        self._judge_excess(side)
        if self._holds:
            self._judge_wear(side, self._valves.responses[side])

    def recall_wear(self, side: int, gain: int, pa: int):
        """Restore the reference gain of a valve, and its pressure."""
        self.reference_gain[side] = gain
        self.reference_pa[side] = pa

    def forget_wear(self):
        """Take new reference gains, because the valves have been proved."""
        for side in (FILL, VENT):
            self.reference_gain[side] = self._worn[side] = 0

    def check_slowly(self, dt_ms: int, holds: bool):
        """Run down the refusal times; `dt_ms` since the last call. `holds`: a target is held, so wear may be judged."""
        self._holds = holds
        found = 0
        for side in range(2):
            if self._barred_ms[side] > 0:
                self._barred_ms[side] -= dt_ms
            if self._valves.responses[side].changed:
                found |= CHAMBER_CHANGED
            if self._worn[side] >= _WORN_PULSES:
                found |= VALVE_WORN
        self.warnings = self.warnings & ~(VALVE_WORN | CHAMBER_CHANGED) | found

    def _judge_wear(self, side: int, response):
        pressure_pa = self._sensors.pressure_pa
        reference = self.reference_gain[side]
        if response.judged < _WORN_JUDGED:
            self._worn[side] = 0
            if response.changed:
                self.reference_gain[side] = 0
        elif not reference:
            self.reference_gain[side] = response.gain
            self.reference_pa[side] = pressure_pa
        elif abs(pressure_pa - self.reference_pa[side]) <= _WORN_WITHIN_PA:
            percent = response.gain * 100 // reference
            if _WORN_PERCENT[0] <= percent <= _WORN_PERCENT[1]:
                self._worn[side] = 0
            elif self._worn[side] < _WORN_PULSES:
                self._worn[side] += 1

    def _judge_effect(self, side: int):
        verdict = self._valves.verdict
        if side == VENT and self._sensors.pressure_pa < DRIVEN_PA:
            return
        step_pa = verdict.pa
        if verdict.expected_pa == 0:
            if step_pa < verdict.clear_pa and verdict.us < _SURE_US:
                return
            # Steps below the noise add up: a small valve in a large chamber shows only so. The sum of five may be noise
            # once in 25 times (2 sigma), which costs a stuck valve five more pulses.
            self._unclear_pa[side] += step_pa
            silent = step_pa < verdict.clear_pa and self._unclear_pa[side] < verdict.clear_pa
        elif verdict.expected_pa < verdict.clear_pa:
            return
        else:
            silent = lacks_effect(step_pa, verdict.expected_pa, verdict.clear_pa)
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
            self.value = verdict.us
            return
        # Either the supply is empty but unmeasured, or the vent side keeps the gas in: no reason to seal.
        self._barred_ms[side] = _RETRY_MS
        if side == VENT:
            self.warnings |= VENT_SHUT

    def _judge_excess(self, side: int):
        percent = self._valves.verdict.excess_percent
        if percent < _TWICE_PERCENT:
            self._excess[side] = 0
            return
        self._excess[side] += 1
        if percent >= _STUCK_PERCENT or self._excess[side] > 1:
            self.fault = FILL_STUCK_OPEN if side == FILL else VENT_STUCK_OPEN
            self.value = self._valves.verdict.pa
