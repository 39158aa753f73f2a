"""The board's files: compiled, packed with what is generated from them, flashed."""

from ipch.board import flash
from ipch.board.compile import firmware_files

__all__ = ["firmware_files", "flash"]
