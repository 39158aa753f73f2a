"""Proof test of single valves: one of a pair opens alone for a limited time, and the pressure must not move.

A valve is proved by opening its partner: fill (1) by supply isolation, vent (2) by vent isolation, supply isolation (3)
by fill, and vent isolation (4) by vent. The relief valve (5) opens itself, and the pressure must fall.
Constants without a source beside them are chosen on the simulated plant.
"""

from regulator.fixed import muldiv
from regulator.measure.transducer import VALID
from regulator.valves.sides import FILL, VENT

FILL_VALVE, VENT_VALVE, SUPPLY_ISOLATION, VENT_ISOLATION, RELIEF_VALVE = range(5)
UNPROVED, RUNNING, TIGHT, OPEN, ABORTED, PASSES, BLOCKED = range(7)
RESULTS = ("NONE", "RUNNING", "TIGHT", "OPEN", "ABORTED", "PASSES", "BLOCKED")
ALL = 15  # the four valves of the pairs

# Samples averaged before and after. The rest covers closing delay, lag, and flow into or out of the volume between the
# two valves.
_SAMPLES = 5
_REST_MS = 80
# A movement is more than a usual trapped volume causes (0.3 mL: 4 kPa in 0.5 L at 5 MPa), or a share of the open
# valve's effect. A larger volume (1 mL: 15 kPa) moves gas only once, or less and less where a proof is too short to
# empty it: where fill or vent opened, it is repeated as long as it shows less than three quarters of the last movement.
_MOVED_PA = 8_000
_SHARE_PERCENT = 30
_HAVE_TRAPS = 1 << SUPPLY_ISOLATION | 1 << VENT_ISOLATION
# A proof by command is cut short at this movement, an automatic one where an open valve is certain.
_CUT_PA = 50_000
# An automatic proof lasts until an open valve would have moved the pressure by _AIM_PA, within these limits.
_AIM_PA = 30_000
_SHORTEST_MS = 60
_UNKNOWN_MS = 200
_LONGEST_MS = 300
# Longest single pulse of fill and vent in a proof, below the PIO's 327 ms, and the shortest one at its end. Each period
# has one pulse, requested in the tick in which it begins, and a pause in which the valve shuts.
_PULSE_US = 250_000
_LEAST_MS = 10
_PERIOD_MS = 300
_BEGINS_MS = 20
# Smallest pressure difference for a proof.
_ACROSS_PA = 300_000


class Proof:
    """While `active`: requests `switches` (1 supply, 2 vent isolation, 4 relief) and pulses of `pulse_us` on `side`."""

    def __init__(self, settings, sensors, valves):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self.active = False
        self.switches = 0
        self.side = FILL
        self.pulse_us = 0
        self.cut = False  # a pulse may have to be ended early
        self.pending = 0  # mask of pair valves that wait for a proof
        self.results = [UNPROVED] * 5
        self.moved_pa = [0] * 5
        self.open_ms = [0] * 5
        self._asked_s = 0  # when all of them were last requested
        self._queue = 0
        self._valve = 0
        self._stage = 0  # 0 mean before, 1 open, 2 rest, 3 mean after
        self._ms = 0
        self._asked_ms = 0
        self._automatic = False
        self._again = 0  # valves of this run of proofs that moved gas
        self._count = 0
        self._sum_pa = 0
        self._before_pa = 0
        self._limit_pa = _MOVED_PA
        self._cut_pa = _CUT_PA

    def failed(self) -> bool:
        """Return whether a valve of a pair failed its proof."""
        results = self.results
        return results[0] == OPEN or results[1] == OPEN or results[2] == OPEN or results[3] == OPEN

    def ask(self, uptime_s: int):
        """Request a proof of all four pair valves."""
        self.pending = ALL
        self._asked_s = uptime_s

    def is_due(self, uptime_s: int) -> bool:
        """Return whether a pair valve waits for a proof; every `valve_proof_h` all of them are requested."""
        period_s = self._settings.get("valve_proof_h") * 3600
        if period_s and uptime_s - self._asked_s >= period_s:
            self.ask(uptime_s)
        return self.pending != 0

    def waits_s(self, uptime_s: int) -> int:
        """Return how long ago all of them were requested."""
        return uptime_s - self._asked_s

    def take_cut(self) -> bool:
        """Return, once, whether a pulse may have to be ended early."""
        cut = self.cut
        self.cut = False
        return cut

    def begin_pending(self) -> bool:
        """Begin the due proofs that have enough pressure across the valve; return whether there are any."""
        sensors = self._sensors
        pressure_pa = sensors.pressure_pa
        mask = 0
        if sensors.control.band == VALID and self._valves.idle():
            if sensors.supply.band == VALID and sensors.supply.pa > pressure_pa + _ACROSS_PA:
                mask = 1 << FILL_VALVE | 1 << SUPPLY_ISOLATION
            if pressure_pa > self._settings.get("ambient_pa") + _ACROSS_PA:
                mask |= 1 << VENT_VALVE | 1 << VENT_ISOLATION
        mask &= self.pending
        if not mask:
            return False
        self.pending &= ~mask
        self._queue = mask
        self._automatic = True
        self._again = 0
        self._asked_ms = 0
        self._valves.close_window()
        self._next()
        return True

    def begin(self, valve: int, ms: int):
        """Prove one valve for `ms`; 0 for a computed time."""
        self._queue = 1 << valve
        self._automatic = False
        self._asked_ms = ms
        self._valves.close_window()
        self._next()

    def abort(self):
        """End a running proof at once; the pair valves that remain stay due."""
        if self.active:
            self.results[self._valve] = ABORTED
            self.pending |= self._queue & ALL
        self._queue = 0
        self._end()

    def tick(self, dt_ms: int):
        """Run one tick; only while `active`."""
        sensors = self._sensors
        self.pulse_us = 0
        self.cut = False
        if sensors.control.band != VALID:
            self.abort()
            return
        pa = sensors.control_pa
        if self._stage == 1:
            self._ms += dt_ms
            moved_pa = pa - self._before_pa
            if self._ms >= self._asked_ms or not -self._cut_pa < moved_pa < self._cut_pa:
                self.open_ms[self._valve] = self._ms
                if self._valve != RELIEF_VALVE:
                    self._valves.note_on(self._valve & 1, self._ms)
                self._shut()
            else:
                self._drive()
        elif self._stage == 2:
            self._ms += dt_ms
            if self._ms >= _REST_MS:
                self._stage = 3
                self._count = self._sum_pa = 0
        else:
            self._count += 1
            self._sum_pa += pa
            if self._count >= _SAMPLES:
                if self._stage == 0:
                    self._open(self._sum_pa // _SAMPLES)
                else:
                    self._judge(self._sum_pa // _SAMPLES)

    def _next(self):
        valve = 0
        while not self._queue >> valve & 1:
            valve += 1
        # The vent's trapped volume takes gas before that of the fill side gives some, because a proof begins at or
        # above the target.
        if valve == SUPPLY_ISOLATION and self._queue >> VENT_ISOLATION & 1:
            valve = VENT_ISOLATION
        self._queue &= ~(1 << valve)
        self._valve = valve
        self.results[valve] = RUNNING
        if not self.active:
            self._sensors.pressure.freeze()
        self.active = True
        self._stage = 0
        self._count = self._sum_pa = 0

    def _open(self, before_pa: int):
        valves = self._valves
        valve = self._valve
        self._before_pa = before_pa
        rate_pa_s = valves.rate_pa_s(VENT if valve & 1 else FILL)
        self._cut_pa = _CUT_PA if self._asked_ms else 0
        if self._asked_ms:
            ms = self._asked_ms
        elif rate_pa_s:
            ms = min(max(muldiv(_AIM_PA, 1000, rate_pa_s), _SHORTEST_MS), _LONGEST_MS)
        else:
            ms = _UNKNOWN_MS
        self._asked_ms = ms
        self._limit_pa = max(min(muldiv(rate_pa_s, ms * _SHARE_PERCENT, 100_000), _CUT_PA - 1), _MOVED_PA)
        self._cut_pa = self._cut_pa or self._limit_pa * 5 // 4
        self._stage = 1
        self._ms = 0
        self._drive()

    def _drive(self):
        """Keep the partner open: by its level if switched, by consecutive pulses for fill and vent."""
        valve = self._valve
        if valve == FILL_VALVE:
            self.switches = 1
        elif valve == VENT_VALVE:
            self.switches = 2
        elif valve == RELIEF_VALVE:
            self.switches = 4
        elif self._ms % _PERIOD_MS < _BEGINS_MS:
            self.side = FILL if valve == SUPPLY_ISOLATION else VENT
            self.pulse_us = min(_PULSE_US, max(self._asked_ms - self._ms, _LEAST_MS) * 1000)

    def _shut(self):
        self.switches = 0
        self.cut = True
        self._stage = 2
        self._ms = 0

    def _judge(self, after_pa: int):
        valve = self._valve
        moved_pa = after_pa - self._before_pa
        less = abs(moved_pa) * 4 < abs(self.moved_pa[valve]) * 3
        self.moved_pa[valve] = moved_pa
        moved = not -self._limit_pa < moved_pa < self._limit_pa
        if valve == RELIEF_VALVE:
            self.results[valve] = PASSES if moved_pa <= -_MOVED_PA else BLOCKED
        else:
            self.results[valve] = OPEN if moved else TIGHT
            if (
                moved
                and self._automatic
                and _HAVE_TRAPS >> valve & 1
                and (less or not self._again >> valve & 1)
            ):
                # At once, before a pulse of the hold empties or fills the volume again.
                self._again |= 1 << valve
                self._queue |= 1 << valve
        if self._queue:
            self._asked_ms = 0
            self._next()
            # The mean after the last valve is the mean before this one.
            self._open(after_pa)
        else:
            self._end()

    def _end(self):
        if self.active:
            # Restart the fit, because the small movement of a proof is not a drift.
            self._sensors.pressure.resume()
        self.active = False
        self.switches = 0
        self.pulse_us = 0
        self.cut = True
