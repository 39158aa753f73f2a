"""Counts the sectors that littlefs erases in each step of a save, on MicroPython: prints [writes, closes, renames]
with 0, 1, 2 and more erases each, over 2,000 saves of a state and, one in five, of the settings."""

import os

import files
import vfs

from regulator.store.copies import SAVE_STEPS, Copies

_SECTOR = 4096
_SECTORS = 352  # of a Pico's file system


class Flash:
    """A block device in memory that counts its erases."""

    def __init__(self):
        self.data = bytearray(_SECTORS * _SECTOR)
        self.erases = 0

    def readblocks(self, block, buffer, offset=0):
        start = block * _SECTOR + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * _SECTOR + offset
        self.data[start : start + len(buffer)] = buffer

    def ioctl(self, operation, block):
        if operation == 4:
            return _SECTORS
        if operation == 5:
            return _SECTOR
        if operation == 6:
            self.erases += 1
            self.data[block * _SECTOR : (block + 1) * _SECTOR] = b"\xff" * _SECTOR
        return 0


flash = Flash()
# As the stock image's _boot.py.
vfs.VfsLfs2.mkfs(flash, progsize=256)
vfs.mount(vfs.VfsLfs2(flash, progsize=256), "/flash")
os.chdir("/flash")
for number in range(45):
    with open(f"module{number}.mpy", "wb") as file:
        file.write(b"x" * (1500 + number * 40))
settings, state = Copies(files, "settings"), Copies(files, "state")
counts = [[0] * 4 for _ in range(SAVE_STEPS)]
for number in range(2000):
    copies, rows = (settings, 65) if number % 5 == 0 else (state, 38)
    copies.begin([(f"some_name_of_a_value_{row}", number * 1000 + row) for row in range(rows)])
    for step in range(SAVE_STEPS):
        before = flash.erases
        assert copies.step() == (step == SAVE_STEPS - 1)
        counts[step][min(flash.erases - before, 3)] += 1
print(counts)
