"""The board's files: compiled, packed with generated ones, flashed."""

from ipch.board import flash
from ipch.board.compile import firmware_files

__all__ = ["firmware_files", "flash"]
