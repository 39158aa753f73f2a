"""A flash in memory with littlefs as on the board, for MicroPython programs."""

import os

import vfs

_SECTOR = 4096
_EIO = 5


class Flash:
    """A block device that counts its erases, and all operations that change it.

    From operation `cut_at` on it has no power: that one changes half of what it should, the later ones nothing. A
    single operation `fails_at` changes nothing.
    """

    def __init__(self, sectors: int, data=None):
        self.sectors = sectors
        self.data = data or bytearray(sectors * _SECTOR)
        self.erases = self.operations = 0
        self.cut_at = self.fails_at = -1

    def is_cut(self) -> bool:
        return 0 <= self.cut_at <= self.operations

    def _change(self, start: int, new) -> int:
        """Returns 0, or the error of an operation that failed."""
        was_cut = self.is_cut()
        self.operations += 1
        if was_cut or self.operations == self.fails_at:
            return -_EIO
        size = len(new) // 2 if self.is_cut() else len(new)
        self.data[start : start + size] = new[:size]
        return -_EIO if self.is_cut() else 0

    def readblocks(self, block, buffer, offset=0):
        start = block * _SECTOR + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        return self._change(block * _SECTOR + offset, bytes(buffer))

    def ioctl(self, operation, block):
        if operation == 4:
            return self.sectors
        if operation == 5:
            return _SECTOR
        if operation == 6:
            self.erases += 1
            return self._change(block * _SECTOR, b"\xff" * _SECTOR)
        return 0


def mount(flash, new: bool):
    """Mount it and go there; `new`: after formatting, as the stock image's _boot.py does."""
    if new:
        vfs.VfsLfs2.mkfs(flash, progsize=256)
    vfs.mount(vfs.VfsLfs2(flash, progsize=256), "/flash")
    os.chdir("/flash")


def unmount():
    os.chdir("/")
    vfs.umount("/flash")
