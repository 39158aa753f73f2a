"""Drives every output: passes on what the valves request, as far as the state allows it."""

from regulator.modes import VENTING
from regulator.valves.sides import FILL, NONE, VENT


class Outputs:
    """Drives coils, rail, LED, relay and monitor output."""

    def __init__(self, modes, watches, valves, sensors):
        self._modes = modes
        self._over = watches.over
        self._coils = watches.coils
        self._proof = watches.proof
        self._valves = valves
        self._sensors = sensors

    def coils_are_off(self) -> bool:
        """Return whether no coil is energised, so that flash may be written."""
        return self._valves.isolation == NONE and not self._modes.relief_open() and not self._proof.active

    def rail(self) -> bool:
        """Return whether the coil rail should be on: a way out needs it even after a fault of another coil cut it."""
        return self._coils.on or self._over.relief_open or self._modes.state == VENTING

    def drive(self, rig):
        """Drive the valves as this tick requests."""
        valves = self._valves
        side = valves.isolation
        proof = self._proof
        if self._over.relief_open:
            # Also after the rail was cut: the valve that caused it is one of a pair, and its partner stays shut.
            if side == VENT and self._modes.may_move(VENT):
                rig.switch(False, True, True)
                if valves.pulse_us:
                    rig.pulse(VENT, valves.pulse_us)
                return
            if proof.take_cut() or side >= 0:
                rig.safe()
                valves.abort()
            rig.switch(False, False, True)
        elif proof.active or proof.cut:
            self._drive_proof(rig)
        elif side >= 0:
            if self._modes.may_move(side):
                rig.switch(side == FILL, side == VENT, False)
                if valves.pulse_us:
                    rig.pulse(side, valves.pulse_us)
            else:
                # The state changed under a running window.
                rig.safe()
                valves.abort()
                rig.switch(False, False, False)
        else:
            rig.switch(False, False, self._modes.state == VENTING and self._modes.relief_open())

    def _drive_proof(self, rig):
        """Open one valve alone."""
        proof = self._proof
        if proof.take_cut():
            rig.safe()
        switches = proof.switches
        rig.switch(switches == 1, switches == 2, switches == 4)
        if proof.pulse_us and not switches:
            rig.pulse(proof.side, proof.pulse_us)

    def show(self, rig):
        """Set LED, cell-safe relay and monitor output."""
        permille = min(max(self._sensors.pressure_pa // 10_000, 0), 1000)
        rig.show(self._modes.led(), not self._modes.stops_cycler(), permille)
