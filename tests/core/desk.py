"""The whole regulator on a desk: an App whose rig is a sample that the test sets, on either interpreter."""

import generated
from chamber import RecordingRig, adc_counts, ads_counts, filled_sample, milliampere
from fakes import Port
from link import Link

from regulator.app import App
from regulator.settings import Settings
from regulator.store.copies import Copies, Store

TICK_MS = 20


class Written:
    """A file of a `Flash` that is being written."""

    def __init__(self, flash, name):
        self.flash = flash
        self.name = name

    def write(self, data):
        self.flash._touch()
        self.flash.files[self.name] += data

    def close(self):
        self.flash._touch()


class Flash:
    """A file system in memory."""

    def __init__(self):
        self.files = {}
        self.writes = 0
        self.fails_in = 0  # this many operations from now one fails; 0: none
        self.energised = None  # tells whether a coil is on, to be asserted at each operation

    def read(self, name):
        return self.files.get(name)

    def create(self, name):
        self._touch()
        self.writes += 1
        self.files[name] = b""
        return Written(self, name)

    def _touch(self):
        assert not (self.energised and self.energised()), "a write while a coil is energised"
        if self.fails_in:
            self.fails_in -= 1
            if not self.fails_in:
                raise OSError(5)

    def rename(self, old, new):
        self._touch()
        self.files[new] = self.files.pop(old)


def confirmed_flash():
    """A flash whose limits, the defaults, were confirmed."""
    flash = Flash()
    Copies(flash, "settings").save((("confirmed", 1),))
    flash.writes = 0
    return flash


class Desk(RecordingRig):
    """A rig with a chamber that does nothing by itself; `sample` is what it measures."""

    serial_number = "DESK"
    clock_mhz = start_ms = free_bytes = 0

    def __init__(self, pa=5e6, flash=None, reset_cause=0, **settings):
        super().__init__()
        self.reset_cause = reset_cause
        self.sample = filled_sample(pa)
        self.flash = flash or confirmed_flash()
        self.fed = []
        self.shown = None
        self.serial = Port()
        self.flash.energised = None
        values = Settings()
        store = Store(self.flash, values)
        for name, value in settings.items():
            assert values.set(name, value) == ""
        self.flash.energised = lambda: any(self.levels)
        self.app = App(self, Link(self.serial), store, generated)
        self.modes = self.app.modes
        self.watches = self.app.watches

    def wait_tick(self):
        return TICK_MS

    def read(self, sample):
        for name in (
            "control_counts",
            "safety_counts",
            "supply_counts",
            "gas_counts",
            "wall_counts",
            "faults",
            "reference_counts",
            "coil_dead",
            "coil_shorted",
            "rail_on",
            "tripped",
        ):
            setattr(sample, name, getattr(self.sample, name))

    def collect(self):
        pass

    def feed(self, coils):
        self.fed = [coils]

    def show(self, pattern, cell_ok, monitor_permille):
        self.shown = (pattern, cell_ok, monitor_permille)

    def press(self, pa, safety_pa=None):
        """Set the pressure that the transducers see."""
        self.sample.control_counts = ads_counts(milliampere(pa))
        self.sample.safety_counts = adc_counts(milliampere(pa if safety_pa is None else safety_pa))

    def run_s(self, seconds):
        for _ in range(int(seconds * 1000 / TICK_MS + 0.5)):
            self.app.tick()

    def ms_until_fault(self, limit_ms):
        """Return the ms until a fault latches."""
        for ticks in range(limit_ms // TICK_MS + 1):
            if self.modes.fault:
                return ticks * TICK_MS
            self.app.tick()
        raise AssertionError(f"no fault within {limit_ms} ms")

    def regulate(self, target_pa=5_000_000):
        assert self.app.panel.set_target(target_pa) == ""
        assert self.app.panel.output(True) == ""
        self.run_s(5)
