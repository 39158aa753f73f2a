"""Cuts the power, or lets one operation fail, at every change of the flash while littlefs saves settings and state in
turn, on MicroPython. Prints [cuts, failures] that were tried; an AssertionError says what was lost."""

import gc

import files
from littlefs import Flash, mount, unmount

from regulator.store.copies import Copies

_SECTORS = 24
_SAVES = 8  # of each record; among them are erases while closing


def values(number):
    return [(f"some_name_of_a_value_{row}", number + row) for row in range(40)]


def save(flash, kinds, start):
    """Save new values of all records, step by step; return by record what may be found afterwards."""
    found = {kind: [dict(values(start))] for kind in kinds}
    records = {kind: Copies(files, kind) for kind in kinds}
    for record in records.values():
        record.load()
    for number in range(start + 1000, start + 1000 + _SAVES):
        for kind, record in records.items():
            new = values(number)
            found[kind].append(dict(new))
            try:
                record.begin(new)
                while not record.step():
                    # As on the board, where other parts of a tick may collect an abandoned file.
                    gc.collect()
                found[kind] = [dict(new)]
            except OSError:
                pass
            if flash.is_cut():
                return found
    return found


def tried(flash, kinds, start):
    """Save, mount what is left, and check every record; return the number of operations."""
    mount(flash, new=False)
    found = save(flash, kinds, start)
    gc.collect()
    try:  # noqa: SIM105 - MicroPython has no contextlib
        unmount()
    except OSError:
        pass
    left = Flash(_SECTORS, flash.data)
    mount(left, new=False)
    for kind in kinds:
        record = Copies(files, kind)
        assert record.load() in found[kind], (kind, flash.cut_at, flash.fails_at)
        assert not record.damaged
    unmount()
    return flash.operations


kinds = ("settings", "state")
flash = Flash(_SECTORS)
mount(flash, new=True)
for kind in kinds:
    record = Copies(files, kind)
    for number in range(3):
        record.save(values(number))
unmount()
before = bytes(flash.data)
counts = []
for name in ("cut_at", "fails_at"):
    at = 1
    while True:
        flash = Flash(_SECTORS, bytearray(before))
        setattr(flash, name, at)
        if tried(flash, kinds, 2) < at:
            break
        at += 1
    counts.append(at - 1)
print(counts)
