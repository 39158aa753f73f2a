"""The states of the regulator, what each may do and does, and the only function that changes the state."""

from regulator.control.vent import UNKNOWN
from regulator.faults import (
    AMOUNT_DRIFT,
    BAND_WIDENED,
    COIL_SHORTED,
    FAULTS,
    NO_FAULT,
    OVERPRESSURE,
    QUIET_DRIFT,
    REBOOT_LOOP,
    RELIEF_BLOCKED,
    RELIEVES,
    SEALS_OR_RELIEVES,
    STOPS_CYCLER,
    VENT_SHUT,
    VENT_UNKNOWN,
)
from regulator.valves.sides import FILL

OFF, REGULATE, QUIET, VENTING, SEALED, RELIEF, MAINTENANCE = range(7)

# What a state does in a tick.
_RESTS, _REGULATES, _KEEPS_STILL, _VENTS, _SEALS, _RELIEVES = range(6)
# Name, may fill, may vent, LED pattern (one bit per 160 ms, lowest bit first), duty.
TABLE = (
    ("OFF", False, False, 0x01, _RESTS),
    ("REGULATE", True, True, 0x0F, _REGULATES),
    ("QUIET", False, False, 0x11, _KEEPS_STILL),
    ("VENT", False, True, 0x33, _VENTS),
    ("SEALED", False, False, 0x55, _SEALS),  # may vent for a test bleed
    ("RELIEF", False, True, 0x77, _RELIEVES),  # may vent where the relief does not help
    ("MAINTENANCE", False, False, 0x00, _RESTS),
)
HEALTHY_S = 60  # a minute of uptime ends a reboot loop: design choice


class Modes:
    """The state, and `faults`: the set of all faults since the last acknowledge, a bit each.

    The outputs follow from the state, from the faults of this tick and from `faults`. `fault`, the first one, with its
    value and time, is for people.
    """

    def __init__(self, settings, watches, control, clock):
        self._settings = settings
        self._watches = watches
        self._over = watches.over
        self._proof = watches.proof
        self._control = control
        self._clock = clock
        self.state = OFF
        self.faults = 0
        self.fault = NO_FAULT
        self.fault_value = 0
        self.fault_s = 0
        self.fault_ms = 0
        self._vented_from = OFF
        self._present = 0  # faults of the last tick, a bit each
        self._started = False  # regulation has started
        self._empties = False  # a runaway empties the chamber
        self._bleeding = False  # a test bleed may be under way
        # In the order of the duties.
        self._duties = (self._rest, self._regulate, control.rest, self._vent, self._seal, self._relieve)
        self.configure()

    def configure(self):
        """Read the settings."""
        setting = self._settings.get
        self._runaway_relief = setting("runaway_relief")
        self._cell_safe_any = setting("cell_safe_any")

    @property
    def name(self) -> str:
        """Name of the state."""
        return TABLE[self.state][0]

    @property
    def fault_name(self) -> str:
        """Name of the latched fault, or NONE."""
        return FAULTS[self.fault][1]

    def relief_open(self) -> bool:
        """Return whether the relief valve should be open."""
        return self._over.relief_open or (self.state == VENTING and self._control.vent.relief_open)

    def wanted_pa(self) -> int:
        """Return the target in Pa while the device regulates, else 0."""
        return self._control.target_pa if self.state == REGULATE or self.state == QUIET else 0

    def may_bleed(self) -> bool:
        """Return whether a test bleed may let gas out: with all valves shut by a fault, and with their rail on.

        Without the rail no gas would flow, which looks like two readings that do not follow.
        """
        return self.state == SEALED and self._watches.coils.on

    def ramp_pa(self) -> int:
        """Return the ramped setpoint."""
        return self._control.ramp_pa

    def ramps(self) -> bool:
        """Return whether the ramped setpoint is on its way to the target."""
        control = self._control
        return self.state == REGULATE and control.ramp_pa != control.target_pa

    def holds(self) -> bool:
        """Return whether the target has been reached by the ramp and is held."""
        return self.state == REGULATE and not self.ramps()

    def stirs(self) -> bool:
        """Return whether something other than regulation moves gas: a vent, a test bleed, the relief or a proof."""
        return self.state == VENTING or self._bleeding or self._over.relief_open or self._proof.active

    def may_move(self, side: int) -> bool:
        """Return whether a valve pair may be driven now."""
        if side == FILL:
            return TABLE[self.state][1] and not self._watches.supply.warnings
        # A sealed chamber lets out a test bleed, a relieved one what its relief valve does not.
        if self.state == SEALED:
            return self._bleeding
        return TABLE[self.state][2] and (self.state != RELIEF or self._over.vents)

    def stops_cycler(self) -> bool:
        """Return whether a fault since the last acknowledge stops the cycler."""
        return self.faults != 0 and (self._cell_safe_any or self.faults & STOPS_CYCLER != 0)

    def led(self) -> int:
        """Return the pattern of the LED."""
        return TABLE[self.state][3]

    def go(self, state: int):
        """Change the state. Nothing else assigns it."""
        if state == VENTING:
            self._vented_from = self.state if self.faults else OFF
        self.state = state
        self._bleeding = False

    def end_vent(self):
        """Return to the state from before the vent: SEALED or RELIEF with a latched fault, else OFF."""
        self._watches.warn(VENT_UNKNOWN, self._control.vent.state == UNKNOWN)
        self.go(self._vented_from)

    def begin_quiet(self, seconds: int):
        """Enter QUIET for this time in s."""
        control = self._control
        control.quiet.begin(seconds, control.ramp_pa, control.in_limits)
        self._watches.warn(QUIET_DRIFT, False)
        self.go(QUIET)

    def judge(self, tripped: int, dt_ms: int):
        """React to the faults that the watches found in this tick."""
        over = self._over
        self._trip_new()
        if (
            over.fault == OVERPRESSURE
            and self.state != RELIEF
            and self.state != VENTING
            and self.state != MAINTENANCE
        ):
            self.go(RELIEF)
        if self.state == RELIEF or self.state == VENTING:
            over.relieve(tripped, self._empties and self._runaway_relief, dt_ms)
            if over.vents:
                self._watches.warn(RELIEF_BLOCKED, True)
        elif self.state == QUIET and self._control.quiet.tick(dt_ms):
            if self._control.quiet.drifted:
                self._watches.warn(QUIET_DRIFT, True)
            self.go(REGULATE)
        if self._proof.active and self.state != OFF and self.state != REGULATE:
            self._proof.abort()

    def _trip_new(self):
        """Trip on each fault that was absent in the last tick."""
        present = 0
        for watch in self._watches.each:
            if watch.fault:
                present |= 1 << watch.fault
                if not self._present >> watch.fault & 1:
                    self.trip(watch.fault, watch.value)
        self._present = present

    def trip(self, fault: int, value: int):
        """Latch a fault, the first one with value and time, and enter the state that it requires."""
        insists = self.state == VENTING and self._vented_from != OFF
        if self.fault == NO_FAULT:
            self.fault_s = self._clock.uptime_s
            self.fault_ms = self._clock.uptime_ms
        self.latch_past(fault, value, 0)
        reaction = FAULTS[fault][3]
        if reaction == SEALS_OR_RELIEVES and self._runaway_relief and self._watches.climate.sure:
            # Gas is let out for a runaway only with two witnesses.
            self._empties = True
            reaction = RELIEVES
        if self.state == MAINTENANCE or self.state == RELIEF:
            return
        if reaction == RELIEVES:
            self.go(RELIEF)
        elif not insists:
            # A vent that was commanded despite a fault goes on: it uses whatever can still be trusted.
            self.go(SEALED)

    def latch_past(self, fault: int, value: int, others: int):
        """Latch a fault from before this start, with time 0, and the set of all `others`."""
        self.faults |= 1 << fault | others
        if self.fault == NO_FAULT:
            self.fault = fault
            self.fault_value = value

    def acknowledge(self) -> str:
        """Clear a latched fault; return "" or the reason of the refusal."""
        watches = self._watches
        if not self.fault:
            return "no fault is latched"
        if self.state == VENTING:
            return "a vent is in progress"
        if self.fault == REBOOT_LOOP and self._clock.uptime_s < HEALTHY_S:
            return "healthy for %d s only, %d s are required" % (self._clock.uptime_s, HEALTHY_S)
        watches.clear()
        for watch in watches.each:
            if watch.fault and watch.fault != COIL_SHORTED:
                return "the cause persists: " + FAULTS[watch.fault][1]
        if watches.over.relief_open:
            return "the relief valve is still open"
        if not watches.coils.try_again():
            return "the coil rail was cut and is now on for a test: acknowledge again in a second"
        watches.warn(RELIEF_BLOCKED, False)
        self.go(OFF)
        self._empties = False
        self.faults = 0
        self.fault = NO_FAULT
        self.fault_value = 0
        self.fault_s = 0
        self.fault_ms = 0
        return ""

    def tick(self, dt_ms: int):
        """Run one tick of the present state."""
        self._duties[TABLE[self.state][4]](dt_ms)

    def _rest(self, dt_ms: int):
        control = self._control
        if (self._started or control.amount.active) and not control.is_blind():
            self._end_amount()
            self._end_hold()
        control.rest(dt_ms)

    def _seal(self, dt_ms: int):
        self._rest(dt_ms)
        bleed = self._over.bleed
        if bleed and self._control.vent.bleed(bleed):
            self._over.bled()
            self._bleeding = True

    def _relieve(self, dt_ms: int):
        self._rest(dt_ms)
        if self._over.vents:
            self._control.vent.assist()

    def _regulate(self, dt_ms: int):
        control = self._control
        if control.is_blind():
            # No decision without a measurement. The watch of the current loops limits how long this lasts.
            control.rest(dt_ms)
            return
        if self._settings.get("hold_amount"):
            self._hold_amount(dt_ms)
            return
        if control.amount.active:
            self._end_amount()
        if not self._started:
            self._started = True
            control.start()
            self._proof.ask(self._clock.uptime_s)
            if control.gas_rests() and self._proof.begin_pending():
                return
        control.regulate(dt_ms)
        self._watches.warn(BAND_WIDENED, control.hold.band_is_widened())

    def _hold_amount(self, dt_ms: int):
        # Proofs and ramp start again once the pressure is held again.
        self._started = False
        self._control.keep_amount(dt_ms)
        self._watches.warn(BAND_WIDENED, False)
        self._watches.warn(AMOUNT_DRIFT, self._control.amount.too_far())

    def _vent(self, dt_ms: int):
        if self._started:
            self._end_hold()
        if self._over.vents:
            self._control.vent.assist()
        if self._control.vent.tick(dt_ms, self._watches.warnings & VENT_SHUT != 0):
            self.end_vent()

    def _end_hold(self):
        self._started = False
        # The warning is only valid while a pressure is held.
        self._watches.warn(BAND_WIDENED, False)

    def _end_amount(self):
        self._control.amount.stop()
        self._watches.warn(AMOUNT_DRIFT, False)
