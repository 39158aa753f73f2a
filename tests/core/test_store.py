from binascii import crc32

from regulator.settings import Settings
from regulator.store.copies import Copies, Store


class PowerCut(Exception):
    pass


class Written:
    """A file of a `Flash` that is being written."""

    def __init__(self, flash, name):
        self.flash = flash
        self.name = name

    def write(self, data):
        for start in range(0, len(data), 16):
            if self.flash._count():
                raise PowerCut
            self.flash.files[self.name] += data[start : start + 16]

    def close(self):
        if self.flash._count():
            raise PowerCut


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

    def line(self, name, offset):
        return self.files[name][offset:].split(b"\n")[0]

    def create(self, name):
        if self.broken:
            raise OSError(28)
        # Opening truncates, then the bytes arrive in blocks, then the file is closed.
        if self._count():
            raise PowerCut
        self.files[name] = b""
        return Written(self, name)

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
    store.confirm(True)
    settings.set("dead_band_pa", 2345)
    assert store.save()
    again = Settings()
    assert not Store(flash, again).lost
    assert again.get("dead_band_pa") == 2345


def test_a_text_that_packing_left_in_flash_is_found_there():
    flash = Flash()
    flash.files["texts.txt"] = b"first\nsecond\n"
    store = Store(flash, Settings())
    assert [store.text(entry) for entry in ("as it is", 0, 6)] == [b"as it is", b"first", b"second"]


def saved(values, kind):
    """Return a flash that holds these values in turn, its record in `kind`, and what was saved last."""
    flash = Flash()
    settings = Settings()
    store = Store(flash, settings)
    store.confirm(True)
    for value in values:
        put(store, settings, kind, value)
    return flash, store, settings


def put(store, settings, kind, value):
    if kind == "settings":
        settings.set("dead_band_pa", value)
        return store.save()
    return store.save_state({"target_pa": value})


def got(flash, kind):
    settings = Settings()
    store = Store(flash, settings)
    assert not store.state_lost and not (kind == "settings" and store.lost)
    return settings.get("dead_band_pa") if kind == "settings" else store.last["target_pa"]


def test_power_cut_at_every_operation_leaves_the_old_or_the_new_values():
    # Every write starts from zero, one, two and three saves before it: both copies, new or replaced.
    for kind in ("settings", "state"):
        for before in range(4):
            cuts = 0
            for cut_at in range(1, 1000):
                flash, store, settings = saved(range(1001, 1001 + before), kind)
                flash.operations = 0
                flash.cut_at = cut_at
                try:
                    finished = put(store, settings, kind, 2000)
                except PowerCut:
                    finished = False
                    cuts += 1
                flash.cut_at = -1
                if before:
                    allowed = (2000,) if finished else (1000 + before, 2000)
                    assert got(flash, kind) in allowed, (kind, before, cut_at)
                else:
                    again = Settings()
                    # Nothing was stored before, so nothing or all of it is stored now.
                    assert Store(flash, again).lost == (again.get("dead_band_pa") != 2000), cut_at
                if finished:
                    break
            assert cuts >= 6


def test_a_power_cut_while_a_power_cut_is_recovered_from():
    # The start that follows writes, too: it is cut in turn at every operation of its own.
    for kind in ("settings", "state"):
        for cut_at in range(1, 400, 7):
            for again_at in range(1, 60):
                flash, store, settings = saved((1001, 1002), kind)
                flash.operations = 0
                flash.cut_at = cut_at
                try:
                    put(store, settings, kind, 2000)
                    finished = True
                except PowerCut:
                    finished = False
                flash.operations = 0
                flash.cut_at = again_at
                try:
                    Store(flash, Settings())
                    booted = True
                except PowerCut:
                    booted = False
                flash.cut_at = -1
                assert got(flash, kind) in (1002, 2000), (kind, cut_at, again_at)
                if booted:
                    break
            if finished:
                break


def test_every_damage_of_one_copy_leaves_the_other():
    for kind in ("settings", "state"):
        flash, _, _ = saved((1001, 1002), kind)
        names = [name for name in flash.files if name.startswith(kind)]
        for name in names:
            whole = flash.files[name]
            for at in range(0, len(whole), 5):
                for data in (
                    whole[:at],
                    whole[:at] + b"\xff" + whole[at + 1 :],
                    whole[:at] + b"7" + whole[at:],
                ):
                    flash.files[name] = data
                    other = dict(flash.files)
                    assert got(flash, kind) in (1001, 1002), (name, at)
                    flash.files.clear()
                    flash.files.update(other)
            flash.files[name] = whole


def test_an_older_file_lacks_names_a_newer_one_has_more():
    flash = Flash()
    Copies(flash, "settings").save((("dead_band_pa", 1234), ("of_a_later_version", 7)))
    Copies(flash, "state").save((("boots", 4), ("of_a_later_version", 7)))
    settings = Settings()
    store = Store(flash, settings)
    assert not store.lost and not store.state_lost
    assert settings.get("dead_band_pa") == 1234
    assert settings.get("trip_pa") == Settings().get("trip_pa")
    assert store.boots == 5
    assert store.starts == 1
    # What a later version put into the state is still there for it.
    assert Copies(flash, "state").load()["of_a_later_version"] == 7


def test_the_newest_of_two_copies_counts_whatever_its_place():
    for newest in (".a", ".b"):
        flash = Flash()
        record = Copies(flash, "state")
        for value in range(3 if newest == ".a" else 4):
            record.save((("boots", value),))
        assert Copies(flash, "state").load() == {"boots": 2 if newest == ".a" else 3}
        again = Copies(flash, "state")
        again.load()
        again.save((("boots", 9),))
        assert Copies(flash, "state").load() == {"boots": 9}
        assert sorted(flash.files) == ["state.a", "state.b"]


def test_a_flash_that_changes_what_it_was_given_is_noticed():
    flash = Flash()
    settings = Settings()
    store = Store(flash, settings)
    store.confirm(True)
    settings.set("dead_band_pa", 1001)
    assert store.save()
    writes = store.writes
    read = flash.read
    flash.read = lambda name: read(name)[:-1] + b"x"
    settings.set("dead_band_pa", 1002)
    assert not store.save()
    assert not store.save_state({"state": 1})
    assert store.failures == 2
    assert store.writes == writes
    flash.read = read
    assert got(flash, "settings") == 1001


def test_writes_and_starts_are_counted():
    flash = Flash()
    store = Store(flash, Settings())
    assert (store.boots, store.starts, store.writes) == (1, 1, 1)
    assert store.save()
    assert store.save_state({"state": 1})
    assert store.writes == 3
    store = Store(flash, Settings())
    assert (store.boots, store.starts, store.writes) == (2, 2, 4)
    assert store.last["state"] == 1
    store.starts = 0
    assert store.save_state({})
    assert Store(flash, Settings()).starts == 1


def test_a_damaged_copy_is_replaced_by_the_other_one():
    for suffix in (".a", ".b"):
        for damage in (b"", b"x", None):
            flash = Flash()
            settings = Settings()
            store = Store(flash, settings)
            store.confirm(True)
            for value in (1001, 1002):
                settings.set("dead_band_pa", value)
                store.save()
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
    store.save()
    store.save()
    for name in ("settings.a", "settings.b"):
        flash.files[name] = flash.files[name][:-3]
    again = Settings()
    store = Store(flash, again)
    assert store.lost
    assert again.get("dead_band_pa") != 1001
    # Writing something else confirms nothing, now or after the next start.
    assert store.save()
    assert store.lost
    store = Store(flash, Settings())
    assert store.lost
    store.confirm(True)
    assert store.save()
    assert not Store(flash, Settings()).lost


def test_a_board_that_never_stored_settings_is_not_confirmed():
    flash = Flash()
    assert Store(flash, Settings()).lost
    # The state alone, which every start writes, changes nothing.
    assert Store(flash, Settings()).lost


def test_a_set_from_before_the_confirmation_counts_as_confirmed():
    flash = Flash()
    Copies(flash, "settings").save(Settings().items())
    assert not Store(flash, Settings()).lost


def test_a_set_that_fails_a_newer_check_is_kept():
    flash = Flash()
    values = dict(Settings().items())
    values["supply_max_pa"] = 10_250_000  # the default before it had to be within the rating
    values["setpoint_max_pa"] = 5_900_000
    Copies(flash, "settings").save(values.items())
    settings = Settings()
    assert not Store(flash, settings).lost
    assert dict(settings.items()) == values
    assert "supply_max_pa" in settings.conflict() or "setpoint_max_pa" in settings.conflict()


def test_a_flash_that_does_not_write_is_counted_and_survived():
    flash = Flash()
    flash.broken = True
    settings = Settings()
    store = Store(flash, settings)
    assert store.failures == 1
    assert not store.save()
    assert store.failures == 2


def test_boots_are_counted():
    flash = Flash()
    for expected in (1, 2, 3, 4):
        assert Store(flash, Settings()).boots == expected


def test_an_unknown_format_is_not_read():
    flash = Flash()
    record = Copies(flash, "settings")
    record.save((("dead_band_pa", 1001),))
    whole = flash.files["settings.a"]
    for head in (b"ipch 1 1", b"ipch 9 1", b"other 1 1", b"ipch 1", b"ipch 1 1 1", b""):
        body = head + b"\ndead_band_pa 1001\n"
        flash.files["settings.a"] = body + b"crc %08x\n" % (crc32(body) & 0xFFFFFFFF)
        assert (flash.files["settings.a"] == whole) == (head == b"ipch 1 1")
        loaded = Copies(flash, "settings").load()
        assert loaded == ({"dead_band_pa": 1001} if head == b"ipch 1 1" else None), head


def test_a_save_never_touches_the_newest_intact_copy():
    for saves in (1, 2, 3, 4):
        for damaged in ("", ".a", ".b"):
            flash = Flash()
            record = Copies(flash, "state")
            for value in range(saves):
                record.save((("boots", value),))
            if damaged and "state" + damaged in flash.files:
                flash.files["state" + damaged] = b"x"
            again = Copies(flash, "state")
            newest = again.load()
            before = dict(flash.files)
            for value in (8, 9):
                again.save((("boots", value),))
                kept = [name for name, data in before.items() if flash.files[name] == data]
                # One of the two files was replaced, and it was not the one that was loaded.
                if newest is not None:
                    assert len(kept) == len(before) - (len(before) == 2), (saves, damaged, value)
                    assert Copies(Flashed(flash, kept), "state").load() == newest, (saves, damaged, value)
                before = dict(flash.files)
                newest = Copies(flash, "state").load()
                assert newest == {"boots": value}


class Flashed:
    """Some of the files of a flash."""

    def __init__(self, flash, names):
        self._flash = flash
        self._names = names

    def read(self, name):
        return self._flash.read(name) if name in self._names else None


def test_stored_settings_outside_their_ranges_are_lost():
    flash = Flash()
    Copies(flash, "settings").save((("dead_band_pa", 1234), ("trip_pa", 1)))
    settings = Settings()
    assert Store(flash, settings).lost
    assert settings.get("trip_pa") == Settings().get("trip_pa")
