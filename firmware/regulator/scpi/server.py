"""Serves the port: connects the SCPI parser to the commands, and the regulator's state to the status registers.

A bit of `:STATus:OPERation` or `:STATus:QUEStionable` is set while its condition is true:

| bit | OPERation                            | bit | QUEStionable (9 to 12: categories of NAMUR NE107) |
|-----|--------------------------------------|-----|---------------------------------------------------|
| 1   | settling: regulating, not in limits  | 4   | temperature: a temperature sensor is invalid      |
| 3   | sweeping: the ramp is under way      | 9   | failure: a fault is latched                       |
| 8   | regulating, or in a quiet window     | 10  | check function: in maintenance                    |
| 9   | in limits                            | 11  | out of specification: a warning, the instrument   |
| 10  | quiet window                         |     | is limited at present                             |
| 11  | vent in progress                     | 12  | maintenance required: a warning, regulation       |
| 12  | sealed or relieved by a fault        |     | continues but the instrument needs service        |
"""

from regulator.faults import GAS_TEMPERATURE, MAINTENANCE_REQUIRED, WALL_TEMPERATURE, WARNINGS
from regulator.modes import MAINTENANCE, QUIET, REGULATE, RELIEF, SEALED, VENTING
from regulator.scpi.calibration import Calibration
from regulator.scpi.pressure import PressureCommands
from regulator.scpi.status import Status
from regulator.scpi.syntax import Scpi
from regulator.scpi.system import System
from regulator.scpi.trace import Trace

# What loggers and drivers poll, ipch among them.
_POLLED = (
    b":FETC?",
    b"*IDN?",
    b":SYST:ERR?",
    b":SENS:PRES?",
    b"*OPC?",
    b"*STB?",
    b":SOUR:PRES?",
    b":OUTP?",
    b":SYST:FAUL?",
    b":DIAG:COUN?",
)
# *OPC? waits this long for a write: longer than an accepted change may have to wait for its turn. Design choice.
_WAIT_S = 25


class Server:
    """Serves the port in each tick: reads some bytes, executes at most one message unit, sends what fits."""

    def __init__(self, app, link, places):
        self.busy = False  # this tick handled bytes or a command, so memory was allocated
        self._app = app
        self._link = link
        self._wait_s = 0  # uptime at the end of the last execution
        self._status = Status()
        status = self._status
        parts = (PressureCommands(app), Calibration(app), System(app), Trace(app))
        self.parts = status.parts() + parts
        self._scpi = Scpi(self.parts, places, status, app.store.text)
        if places:
            # Empty while packing computes them.
            for query in _POLLED:
                self._scpi.learn(query)
        self._maintenance_mask = 0
        for bit, _, category in WARNINGS:
            if category == MAINTENANCE_REQUIRED:
                self._maintenance_mask |= bit

    def serve(self, pause: bool):
        """Update the status registers and, unless `pause`, serve the port; allocates nothing while the port is idle."""
        self._watch()
        self.busy = False
        if pause:
            return
        try:
            self._exchange()
        except MemoryError:
            # There is no memory to report an error. The message is lost, and the loop continues and collects.
            self._scpi.abandon()
            self._link.take_line()
            self.busy = True

    def _exchange(self):
        link = self._link
        scpi = self._scpi
        if not scpi.running:
            self.busy = link.poll()
            if link.error:
                self._status.error(link.take_error())
            if link.line is not None:
                scpi.begin(link.take_line())
        if scpi.running and not self._must_wait():
            self.busy = True
            self._wait_s = self._app.clock.uptime_s
            scpi.step(self._app.settings.get("header_echo"))
            if scpi.executed:
                self._app.blackbox.note(scpi.executed)
            # A host that does not read loses whole replies, but its commands are carried out.
            if scpi.reply is not None and not link.send(scpi.take_reply()):
                self._status.error(-430)
        if link.unsent and link.flush():
            self.busy = True

    def _must_wait(self) -> bool:
        """Return whether the next unit waits until what was accepted is stored."""
        app = self._app
        return app.record.is_promised() and app.clock.uptime_s - self._wait_s < _WAIT_S and self._scpi.waits()

    def _watch(self):
        """Update the status registers in every tick, so that short conditions are latched as events."""
        modes = self._app.modes
        control = self._app.control
        state = modes.state
        operation = 0
        if state == REGULATE:
            operation = 256 if control.ramp_pa == control.target_pa else 264
            operation |= 512 if control.in_limits else 2
        elif state == QUIET:
            operation = 1280
        elif state == VENTING:
            operation = 2048
        elif state == SEALED or state == RELIEF:  # noqa: SIM109 - a tuple of the two would be allocated
            operation = 4096
        group = self._status.operation
        if operation != group.condition:
            group.update(operation)
        warnings = self._app.watches.warnings
        questionable = 0
        if warnings:
            if warnings & (GAS_TEMPERATURE | WALL_TEMPERATURE):
                questionable = 16
            if warnings & self._maintenance_mask:
                questionable |= 4096
            if warnings & ~self._maintenance_mask:
                questionable |= 2048
        if modes.fault:
            questionable |= 512
        if state == MAINTENANCE:
            questionable |= 1024
        group = self._status.questionable
        if questionable != group.condition:
            group.update(questionable)
