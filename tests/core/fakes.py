"""Stand-ins for what surrounds the line, and random numbers that are the same on every interpreter."""

import gc

import generated

from regulator.blackbox import BlackBox
from regulator.health import Health
from regulator.modes import Modes
from regulator.scpi.places import places
from regulator.scpi.syntax import Scpi
from regulator.settings import Settings


class Port:
    """A byte port in memory. `room` bounds what it takes in total, as a host that does not read does."""

    def __init__(self):
        self.incoming = b""
        self.sent = b""
        self.room = 1 << 20
        self.reads = []  # bytes handed over by each read

    def read(self, buffer):
        count = min(len(self.incoming), len(buffer))
        if count:
            buffer[:count] = self.incoming[:count]
            self.incoming = self.incoming[count:]
            self.reads.append(count)
        return count

    def write(self, buffer, start, end):
        count = min(end - start, self.room)
        if count:
            self.sent += bytes(buffer[start : start + count])
            self.room -= count
        return count


class Rows:
    """A part of a command table whose handlers take only the parameters."""

    def __init__(self, rows):
        self.rows = tuple([_plain(row) for row in rows])


def _plain(row):
    handlers = (row[0], _taking(row[1]), _taking(row[2]))
    return handlers + tuple(row[3:])


def _taking(handler):
    return None if handler is None else lambda part, args: handler(args)


def scpi(rows, status):
    """The syntax with these rows and those of every SCPI instrument."""
    own = (Rows(rows),)
    parts = status.parts() + own
    return Scpi(parts, places(parts), status, lambda text: text.encode())


class Random:
    """A linear congruential generator (Numerical Recipes), so that both interpreters see the same cases."""

    def __init__(self, seed):
        self._state = seed

    def below(self, limit):
        self._state = (self._state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self._state >> 8) % limit

    def pick(self, sequence):
        return sequence[self.below(len(sequence))]


def allocated_by(action, repeats=1):
    """Return the bytes that MicroPython allocated while `action` ran; 0 on CPython, which does not tell."""
    if not hasattr(gc, "mem_alloc"):
        for _ in range(repeats):
            action()
        return 0
    action()
    gc.collect()
    gc.disable()
    try:
        before = gc.mem_alloc()
        for _ in range(repeats):
            action()
        return gc.mem_alloc() - before
    finally:
        gc.enable()


class Part:
    """A bag of attributes."""


class FakeApp:
    """What the command table sees of the regulator: fixed values, and a record of accepted requests."""

    def __init__(self):
        self.calls = []
        self.refusal = ""  # the answer to every request
        self.failure = None  # an exception that every request raises
        self.settings = Settings()
        self.boot_id = 7
        self.rig = Part()
        self.rig.serial_number = "E6614103E7"
        self.rig.reset_cause = 1
        self.rig.clock_mhz, self.rig.start_ms, self.rig.free_bytes = 200, 1_100, 71_000
        self.health = Health()
        self.health.advance(46)
        self.health.note_collection()
        self.store = Part()
        self.store.starts = 2
        self.store.lost = False
        self.store.text = lambda text: text.encode()
        self.store.writes = 345
        self.store.failures = 0
        self.record = Part()
        self.record.outcome = 2
        self.record.is_promised = lambda: False
        self.record.found_pa = 4_990_000
        self.record.expected_pa = 5_000_000
        self.record.resumes = 3
        self.record.hours = 9_000
        self.record.proof_hours = 100
        self.record.proof_date = 20_260_102
        self.record.proof_is_overdue = lambda: (
            self.record.hours - self.record.proof_hours > self.settings.get("proof_interval_days") * 24
        )
        self.clock = Part()
        self.clock.uptime_s = 1_234_567
        self.clock.uptime_ms = 89
        self.sensors = Part()
        self.sensors.pressure_pa = 1_234_000
        self.sensors.control_pa = 1_234_100
        self.sensors.control = Part()
        self.sensors.control.wild_samples = 4
        self.sensors.safety = Part()
        self.sensors.safety.pa = 1_250_000
        self.sensors.safety.mean_pa = 1_250_000
        self.sensors.supply = Part()
        self.sensors.supply.pa = 8_000_000
        self.sensors.gas_mk = 298_400
        self.sensors.wall_mk = 298_150
        self.sensors.slew_pa_s = -20_001
        self.sensors.settled_pa = 1_233_900
        self.control = Part()
        self.control.target_pa = 1_230_000
        self.control.ramp_pa = 1_231_000
        self.control.in_limits = 0
        self.control.effort_percent = -12
        self.control.vent = Part()
        self.control.vent.state = 0
        self.control.quiet = Part()
        self.control.quiet.left_ms = 0
        self.control.rest = None
        self.valves = Part()
        self.valves.openings = [321, 54]
        self.valves.open_s = [9, 0]
        self.valves.open_us = [12_999, 500_000]
        self.valves.responses = (Part(), Part())
        for response, gain, step_pa in zip(self.valves.responses, (58_000, 61_000), (1_500, -1_700)):
            response.gain = gain
            response.response_pa = step_pa
        self.panel = self
        self.control.amount = Part()
        self.control.amount.drift_pa = -1_250
        self.control.amount.seconds = 5_400
        self.control.amount.rate_pa_h = lambda: -833
        self.watches = Part()
        self.watches.warnings = 0
        self.watches.proof = Part()
        self.watches.proof.results = [2, 3, 0, 0, 5]
        self.watches.proof.moved_pa = [-120, -9_000, 0, 0, -40_000]
        self.watches.proof.open_ms = [200, 180, 0, 0, 100]
        self.watches.over = Part()
        self.modes = Modes(self.settings, self.watches, self.control, self.clock)
        self.sample = Part()
        self.blackbox = BlackBox(None, generated)
        self.blackbox.watch(self)

    def _request(self, *call):
        if self.failure:
            raise self.failure
        if not self.refusal:
            self.calls.append(call)
        return self.refusal

    def set_target(self, pa):
        return self._request("set_target", pa)

    def set_unit(self, unit):
        self.unit = unit

    def set_slew(self, pa_s):
        return self._request("set_slew", pa_s)

    def set_slew_max(self, maximum):
        return self._request("set_slew_max", maximum)

    def output(self, on):
        return self._request("output", on)

    def quiet(self, seconds):
        return self._request("quiet", seconds)

    def vent(self, start):
        return self._request("vent", start)

    def acknowledge(self):
        return self._request("acknowledge")

    def maintenance(self, forced=False):
        return self._request("maintenance", *((forced,) if forced else ()))

    def prove(self, valve, ms):
        return self._request("prove", valve, ms)

    def forget_valves(self):
        self._request("forget_valves")

    def note_proof(self, date):
        return self._request("note_proof", date)

    def self_test(self):
        return 0

    def change_setting(self, name, value, forced=False):
        call = ("change_setting", name, value) + ((forced,) if forced else ())
        return self._request(*call) or self.settings.set(name, value)

    def confirm(self, limits):
        return self._request("confirm", *limits)

    def withdraw(self):
        return self._request("withdraw")

    def hold_amount(self, amount):
        return self._request("hold_amount", amount)

    def calibrate(self, values, forced=False):
        refusal = self._request("calibrate", values, *((forced,) if forced else ()))
        for name in values:
            refusal = refusal or self.settings.set(name, values[name])
        return refusal
