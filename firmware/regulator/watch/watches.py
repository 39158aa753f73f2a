"""Runs all watches, and collects their faults and warnings."""

from regulator.faults import PAIR_OPEN, SENSING_SLOW, TEMPERATURE_OFFSET
from regulator.measure.transducer import ADC_FAULT
from regulator.valves.sides import FILL, VENT
from regulator.valves.window import PULSE
from regulator.watch.balance import Balance
from regulator.watch.chase import Chase
from regulator.watch.coils import Coils
from regulator.watch.compare import Apart, Compare
from regulator.watch.current_loops import Loops
from regulator.watch.overpressure import Overpressure
from regulator.watch.proof import RELIEF_VALVE, RUNNING, Proof
from regulator.watch.stuck_valves import StuckValves
from regulator.watch.surroundings import Climate, Supply
from regulator.watch.tightness import Tightness

# Slow checks take turns, one of _TURNS every _TURN_MS (a tick), so that a tick stays short.
_TURNS = 8
_TURN_MS = 20
_PASS_MS = _TURNS * _TURN_MS
# Row 6b: a line of 50 ms is usual, and the first estimate of one is up to 58 ms.
_SLOW_MS = 54


class Watches:
    """`warnings` is a mask of the present ones. `each` has the watches with a fault, in order of precedence.

    `doing` is the activity of the regulator: `relief_open()`, `wanted_pa()` (the target while it regulates, else 0),
    `may_bleed()`, `ramps()` (on the way to the target), `stirs()` (a vent, a bleed, the relief or a proof moves gas).
    """

    def __init__(self, settings, sensors, valves, heat):
        self._sensors = sensors
        self._valves = valves
        self._heat = heat
        self.warnings = 0
        self.loops = Loops(settings, sensors)
        self.over = Overpressure(settings, sensors)
        self.coils = Coils()
        self.tightness = Tightness(sensors, valves, heat)
        self.compare = Compare(sensors, valves, self.loops)
        self.apart = Apart(sensors)
        self.stuck = StuckValves(sensors, valves)
        self.balance = Balance(settings, sensors, valves, heat)
        self.chase = Chase(settings, sensors, valves, heat)
        self.supply = Supply(settings, sensors)
        self.climate = Climate(settings, sensors, valves)
        self.proof = Proof(settings, sensors, valves)
        self.each = (
            self.coils,
            self.over,
            self.loops,
            self.tightness,
            self.compare,
            self.stuck,
            self.climate,
            self.balance,
            self.chase,
        )
        self._notices = 0  # warnings raised outside the watches
        self._verdicts = 0
        self._turn = 0
        self._turn_ms = 0
        self._second_ms = 0
        self._balance_due = False

    def configure(self):
        """Read the limits from the settings."""
        for watch in (self.loops, self.over, self.balance, self.chase, self.supply, self.climate):
            watch.configure()

    def clear(self):
        """Clear latched faults after an acknowledge."""
        self.over.clear()
        self.compare.clear()
        self.stuck.clear()
        self.chase.clear()
        # Judged over the past: a leak that was repaired need not wait for the next quarter of an hour.
        self.balance.begin()

    def warn(self, bit: int, active: bool):
        """Raise or end a warning from outside the watches."""
        if active:
            self._notices |= bit
            self.warnings |= bit
        else:
            self._notices &= ~bit
            self.warnings &= ~bit

    def check(self, sample, dt_ms: int, doing):
        """Judge the inputs of this tick."""
        self.coils.check(sample, dt_ms)
        self.over.check(sample.tripped)
        self.loops.check(sample.faults & ADC_FAULT, dt_ms)
        valves = self._valves
        if self.proof.active:
            # A proof of the relief valve opens it, too, so the fall is not a burst.
            self.tightness.check(
                True, self.proof.results[RELIEF_VALVE] == RUNNING or doing.relief_open(), dt_ms
            )
        else:
            self.tightness.check(valves.stage == PULSE, doing.relief_open(), dt_ms)
        valves.hold_back(self.tightness.suspects())
        if valves.verdict.count != self._verdicts:
            self._verdicts = valves.verdict.count
            # At once: the next pulse of a valve that is now known may follow within two ticks.
            self.tightness.refresh(dt_ms)
            self.stuck.check()
            self.compare.check()
        self._turn_ms += dt_ms
        while self._turn_ms >= _TURN_MS:
            self._turn_ms -= _TURN_MS
            self._take_turn(sample, dt_ms, doing)

    def _take_turn(self, sample, dt_ms: int, doing):
        """Run one of the slow checks."""
        turn = self._turn
        self._turn = turn + 1 if turn + 1 < _TURNS else 0
        if turn == 0:
            self.tightness.refresh(dt_ms)
        elif turn == 1 or turn == 5:
            self.supply.check_slowly(doing.wanted_pa())
            self._bar()
        elif turn == 2 or turn == 6:
            if self._balance_due:
                self._balance_due = False
                self._weigh(doing)
            self._collect_warnings()
        elif turn == 3:
            self.loops.check_slowly(sample, _PASS_MS)
        elif turn == 4:
            self.over.check_slowly(_PASS_MS, doing.may_bleed())
            self.stuck.check_slowly(_PASS_MS, doing.holds())
            self.compare.check_slowly(_PASS_MS)
            self.tightness.cool(_PASS_MS)
            self._valves.rest_coils(_PASS_MS)
        else:
            self._second_ms += _PASS_MS
            if self._second_ms >= 1000:
                self._second_ms -= 1000
                self._balance_due = True
                self.climate.check_slowly(sample, self._heat)
                self.apart.check_slowly()

    def _weigh(self, doing):
        """Once a second: the gas that came and went."""
        stirs = doing.stirs()
        ramp_pa = doing.ramp_pa()
        self.balance.check_slowly(stirs, ramp_pa)
        self.chase.check_slowly(stirs or doing.ramps(), ramp_pa)

    def _bar(self):
        stuck = self.stuck
        self._valves.bar(self.supply.warnings != 0 or stuck.barred(FILL), stuck.barred(VENT))

    def _collect_warnings(self):
        self.warnings = (
            self._notices
            | self.loops.warnings
            | self.stuck.warnings
            | self.balance.warnings
            | self.chase.warnings
            | self.supply.warnings
            | self.climate.warnings
            | self.apart.warnings
            | (TEMPERATURE_OFFSET if self._sensors.lead.is_odd() else 0)
            | (SENSING_SLOW if self._valves.verdict.lag_ms > _SLOW_MS else 0)
            | (PAIR_OPEN if self.proof.failed() else 0)
        )
