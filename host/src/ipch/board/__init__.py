"""The board's files: compiled, packed with generated ones, flashed."""

from ipch.board import flash
from ipch.board.compile import CLOCKS_MHZ, firmware_files

__all__ = ["CLOCKS_MHZ", "firmware_files", "flash"]
