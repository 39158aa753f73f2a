"""The board's files: compiled, packed with what is generated from them, flashed."""

from ipch.board.compile import firmware_files
from ipch.board.flash import flash

__all__ = ["firmware_files", "flash"]
