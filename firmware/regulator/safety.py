"""States, latching and the last word over every output. What there is to see is seen by the watches that it owns."""

from regulator.control.vent import RoughVent
from regulator.faults import (
    COIL_SHORTED,
    COMPARATOR_TRIPPED,
    FAULTS,
    LINE_BURST,
    MAINTENANCE,
    NO_FAULT,
    OFF,
    OVERPRESSURE,
    PAIR_OPEN,
    QUIET,
    QUIET_DRIFT,
    REBOOT_LOOP,
    REGULATE,
    RELIEF,
    RUNAWAY,
    SEALED,
    VENTING,
    sentence,
)
from regulator.valves.window import FILL, NONE, PULSE, VENT
from regulator.watch.balance import Leak
from regulator.watch.coils import Coils
from regulator.watch.current_loops import Loops
from regulator.watch.overpressure import Overpressure
from regulator.watch.proof import RELIEF_VALVE, RUNNING, Proof
from regulator.watch.stuck_valves import Pulses
from regulator.watch.surroundings import Climate, Supply
from regulator.watch.tightness import Tightness

# Slow checks take turns: one of _TURNS in each _TURN_MS.
_TURNS = 8
_TURN_MS = 20
_PASS_MS = _TURNS * _TURN_MS
_HEALTHY_S = 60
# LED, one bit for each 160 ms, the lowest first, in the order of the states.
_PATTERNS = (0x01, 0x0F, 0x11, 0x33, 0x55, 0x77, 0x00)
# What the cycler is stopped for, whatever is configured.
_DANGERS = (OVERPRESSURE, COMPARATOR_TRIPPED, LINE_BURST, RUNAWAY)


class Safety:
    """Watches one tick after the other and decides what may be driven."""

    def __init__(self, settings, sensors, valves):
        self._settings = settings
        self._sensors = sensors
        self._valves = valves
        self.state = OFF
        self.fault = NO_FAULT
        self.fault_value = 0
        self.fault_s = 0
        self.fault_ms = 0
        self.warnings = 0
        self.quiet_left_ms = 0
        self.target_pa = 0  # what is regulated to; for the watch of the supply
        self.loops = Loops(settings, sensors)
        self.over = Overpressure(settings, sensors)
        self.coils = Coils()
        self.tightness = Tightness(sensors, valves)
        self.pulses = Pulses(sensors, valves, self.loops)
        self.leak = Leak(settings, sensors, valves, self.tightness)
        self.supply = Supply(settings, sensors)
        self.climate = Climate(settings, sensors)
        self.proof = Proof(settings, sensors, valves)
        self.rough = RoughVent(settings, sensors, valves, self.loops)
        # In the order in which the first cause is named where several begin at once.
        self._watches = (
            self.coils,
            self.over,
            self.loops,
            self.tightness,
            self.pulses,
            self.climate,
            self.leak,
        )
        self._notices = 0  # warnings that others raise
        self._present = 0  # faults of the last tick, a bit each
        self._quiet_from_pa = 0
        self._turn = 0
        self._turn_ms = 0
        self._second_ms = 0
        self._leak_due = False
        self._uptime_s = 0
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        for watch in (self.loops, self.over, self.leak, self.supply, self.climate):
            watch.configure()
        setting = self._settings.get
        self._quiet_drift_pa = setting("quiet_drift_pa")
        self._runaway_relief = setting("runaway_relief")
        self._cell_safe_any = setting("cell_safe_any")

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
        return sentence(self.fault)

    @property
    def relief_open(self) -> bool:
        """Return whether the relief valve is energised."""
        return self.over.relief_open or (self.state == VENTING and self.rough.relief_open)

    def check(self, sample, dt_ms: int, uptime_s: int, uptime_ms: int):
        """Judge the inputs of this tick; a trip latches with its first cause."""
        over = self.over
        self._uptime_s = uptime_s
        self.coils.check(sample, dt_ms)
        over.check(sample.tripped)
        self.loops.check(sample.faults & 1, dt_ms)
        self._check_gas(dt_ms)
        self._turn_ms += dt_ms
        while self._turn_ms >= _TURN_MS:
            self._turn_ms -= _TURN_MS
            self._take_turn(sample, dt_ms)
        self._trip_new(uptime_s, uptime_ms)
        if over.fault and self.state != RELIEF and self.state != MAINTENANCE:
            self.state = RELIEF
        if self.state == RELIEF:
            over.relieve(sample.tripped, self.fault == RUNAWAY)
        elif self.state == QUIET:
            self._count_quiet(dt_ms)
        if self.proof.active and self.state != OFF and self.state != REGULATE:
            self.proof.abort()

    def _check_gas(self, dt_ms: int):
        proof = self.proof
        # A proof of the relief valve opens it, too: what falls then is no burst.
        relief = self.relief_open or proof.results[RELIEF_VALVE] == RUNNING
        self.tightness.check(self._valves.stage == PULSE or proof.active, relief, dt_ms)
        self.pulses.check()

    def _trip_new(self, uptime_s: int, uptime_ms: int):
        """Trip for each fault that was not there in the last tick."""
        present = 0
        for watch in self._watches:
            if watch.fault:
                bit = 1 << watch.fault
                present |= bit
                if not self._present & bit:
                    self.trip(watch.fault, watch.value, uptime_s, uptime_ms)
        self._present = present

    def trip(self, fault: int, value: int, uptime_s: int, uptime_ms: int):
        """Latch a fault and enter the state that belongs to it; the first cause is the one that is kept."""
        self.latch(fault, value, uptime_s, uptime_ms)
        if self.state == MAINTENANCE or self.state == RELIEF:
            return
        over = self.over.fault != NO_FAULT and fault == self.over.fault
        if over or (fault == RUNAWAY and self._runaway_relief):
            self.state = RELIEF
        else:
            self.state = SEALED

    def latch(self, fault: int, value: int, uptime_s: int, uptime_ms: int):
        """Keep a fault with its value and time unless there is one already."""
        if self.fault == NO_FAULT:
            self.fault = fault
            self.fault_value = value
            self.fault_s = uptime_s
            self.fault_ms = uptime_ms

    def acknowledge(self) -> str:
        """Clear a latched fault; return "" or the reason why it stays."""
        if not self.fault:
            return "no fault is latched"
        if self.state == VENTING:
            return "a vent is in progress"
        if self.fault == REBOOT_LOOP and self._uptime_s < _HEALTHY_S:
            return "in order for %d s only; %d are needed" % (self._uptime_s, _HEALTHY_S)
        self.pulses.clear()
        for watch in self._watches:
            if watch.fault and watch.fault != COIL_SHORTED:
                return "the cause is still there: " + FAULTS[watch.fault][0]
        if self.over.relief_open:
            return "the relief valve is still open"
        if not self.coils.try_again():
            return "the coil rail was cut; it is on for a test now: acknowledge again in a second"
        self.leak.begin()
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
        self.warn(QUIET_DRIFT, False)

    def may_move(self, side: int) -> bool:
        """Return whether a valve pair may be driven in this state."""
        if side == FILL:
            return self.state == REGULATE and not self.supply.warnings
        return self.state == REGULATE or self.state == VENTING

    def quiet_coils(self) -> bool:
        """Return whether no coil is energised: the moment for a write to flash."""
        return self._valves.isolation == NONE and not self.relief_open and not self.proof.active

    def drive(self, rig, valves):
        """Put out what the valves module asks for, as far as the state allows it."""
        side = valves.isolation
        proof = self.proof
        if self.over.relief_open:
            # Also over a rail that was cut: the valve that made us cut it is one of a pair.
            if side >= 0 or proof.cut:
                rig.safe()
                valves.abort()
                proof.cut = False
            rig.switch(False, False, True)
        elif proof.active or proof.cut:
            self._drive_proof(rig)
        elif side >= 0:
            if self.may_move(side):
                rig.switch(side == FILL, side == VENT, False)
                if valves.pulse_us:
                    rig.pulse(side, valves.pulse_us)
            else:
                # The state changed under a running window.
                rig.safe()
                valves.abort()
                rig.switch(False, False, False)
        else:
            rig.switch(False, False, self.state == VENTING and self.rough.relief_open)

    def rail(self) -> bool:
        """Return whether the coil rail's heartbeat is to run."""
        return self.coils.on or self.over.relief_open

    def show(self, rig):
        """LED, cell-safe relay, monitor output."""
        stop = self.fault and (self._cell_safe_any or self.fault in _DANGERS)
        permille = min(max(self._sensors.pressure_pa // 10_000, 0), 1000)
        rig.show(_PATTERNS[self.state], not stop, permille)

    def warn(self, bit: int, active: bool):
        """Raise or end a warning that no watch knows of."""
        if active:
            self._notices |= bit
            self.warnings |= bit
        else:
            self._notices &= ~bit
            self.warnings &= ~bit

    def _drive_proof(self, rig):
        """One valve alone."""
        proof = self.proof
        if proof.cut:
            proof.cut = False
            rig.safe()
        switches = proof.switches
        rig.switch(switches == 1, switches == 2, switches == 4)
        if proof.pulse_us and not switches:
            rig.pulse(proof.side, proof.pulse_us)

    def _take_turn(self, sample, dt_ms: int):
        """One of the checks that need not be made in every tick."""
        turn = self._turn
        self._turn = turn + 1 if turn + 1 < _TURNS else 0
        if turn == 0:
            self.tightness.refresh(dt_ms)
        elif turn == 1 or turn == 5:
            self.supply.check_slowly(self.state == REGULATE or self.state == QUIET, self.target_pa)
            barred = self._valves.barred
            barred[FILL] = self.supply.warnings != 0 or self.pulses.barred(FILL)
            barred[VENT] = self.pulses.barred(VENT)
        elif turn == 2 or turn == 6:
            if self._leak_due:
                self._leak_due = False
                self.leak.check_slowly(self.state == VENTING or self.over.relief_open or self.proof.active)
            self._collect_warnings()
        elif turn == 3:
            self.loops.check_slowly(sample, _PASS_MS)
        elif turn == 4:
            self.pulses.check_slowly(_PASS_MS)
            self.tightness.cool(_PASS_MS)
        else:
            self._second_ms += _PASS_MS
            if self._second_ms >= 1000:
                self._second_ms -= 1000
                self._leak_due = True
                self.climate.check_slowly(sample, self.tightness.heat_pa())

    def _collect_warnings(self):
        self.warnings = (
            self._notices
            | self.loops.warnings
            | self.pulses.warnings
            | self.leak.warnings
            | self.supply.warnings
            | self.climate.warnings
            | (PAIR_OPEN if self.proof.failed() else 0)
        )

    def _count_quiet(self, dt_ms: int):
        self.quiet_left_ms -= dt_ms
        drift_pa = self._sensors.pressure_pa - self._quiet_from_pa
        if abs(drift_pa) > self._quiet_drift_pa:
            self.warn(QUIET_DRIFT, True)
            self.quiet_left_ms = 0
        if self.quiet_left_ms <= 0:
            self.state = REGULATE
