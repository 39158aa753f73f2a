from regulator.settings import Settings
from regulator.store import Record, Store


class PowerCut(Exception):
    pass


class Flash:
    """A file system in memory that can lose power before, within or after any operation."""

    def __init__(self):
        self.files = {}
        self.operations = 0
        self.cut_at = -1
        self.broken = False

    def _count(self):
        self.operations += 1
        return self.operations == self.cut_at

    def read(self, name):
        return self.files.get(name)

    def write(self, name, data):
        if self.broken:
            raise OSError(28)
        # Opening truncates, then the bytes arrive in blocks, then the file is closed.
        if self._count():
            raise PowerCut
        self.files[name] = b""
        for end in range(0, len(data) + 16, 16):
            if self._count():
                raise PowerCut
            self.files[name] = data[:end]
        self.files[name] = data
        if self._count():
            raise PowerCut

    def rename(self, old, new):
        if self._count():
            raise PowerCut
        self.files[new] = self.files.pop(old)
        if self._count():
            raise PowerCut


def test_what_was_saved_is_loaded():
    flash = Flash()
    settings = Settings()
    store = Store(flash, settings)
    settings.set("dead_band_pa", 2345)
    assert store.save(settings)
    again = Settings()
    assert not Store(flash, again).lost
    assert again.get("dead_band_pa") == 2345


def test_power_cut_at_every_operation_leaves_the_old_or_the_new_settings():
    cuts = 0
    for cut_at in range(1, 1000):
        flash = Flash()
        settings = Settings()
        store = Store(flash, settings)
        for value in (1001, 1002, 1003):
            settings.set("dead_band_pa", value)
            assert store.save(settings)
        settings.set("dead_band_pa", 1004)
        flash.operations = 0
        flash.cut_at = cut_at
        try:
            store.save(settings)
            finished = True
        except PowerCut:
            finished = False
            cuts += 1
        flash.cut_at = -1
        again = Settings()
        assert not Store(flash, again).lost, cut_at
        assert again.get("dead_band_pa") in ((1004,) if finished else (1003, 1004)), cut_at
        if finished:
            break
    assert cuts > 50


def test_a_damaged_copy_is_replaced_by_the_other_one():
    for suffix in (".a", ".b"):
        for damage in (b"", b"x", None):
            flash = Flash()
            settings = Settings()
            store = Store(flash, settings)
            for value in (1001, 1002):
                settings.set("dead_band_pa", value)
                store.save(settings)
            name = "settings" + suffix
            if damage is None:
                flash.files[name] = flash.files[name].replace(b"dead_band_pa 100", b"dead_band_pa 200")
            else:
                flash.files[name] = damage
            again = Settings()
            assert not Store(flash, again).lost
            assert again.get("dead_band_pa") in (1001, 1002)


def test_both_copies_damaged_means_defaults_and_says_so():
    flash = Flash()
    settings = Settings()
    store = Store(flash, settings)
    settings.set("dead_band_pa", 1001)
    store.save(settings)
    store.save(settings)
    for name in ("settings.a", "settings.b"):
        flash.files[name] = flash.files[name][:-3]
    again = Settings()
    store = Store(flash, again)
    assert store.lost
    assert again.get("dead_band_pa") != 1001
    assert store.save(again)
    assert not store.lost


def test_a_flash_that_does_not_write_is_counted_and_survived():
    flash = Flash()
    flash.broken = True
    settings = Settings()
    store = Store(flash, settings)
    assert store.failures == 1
    assert not store.save(settings)
    assert store.failures == 2


def test_boots_are_counted():
    flash = Flash()
    for expected in (1, 2, 3, 4):
        assert Store(flash, Settings()).boots == expected


def test_an_unknown_format_is_not_read():
    flash = Flash()
    record = Record(flash, "settings")
    record.save((("dead_band_pa", 1001),))
    assert Record(flash, "settings").load() == {"dead_band_pa": 1001}
    flash.files["settings.a"] = flash.files["settings.a"].replace(b"ipch 1", b"ipch 9")
    assert Record(flash, "settings").load() is None
