"""The board's files: compiled, packed with what is generated from them, flashed."""

from ipch.board import flash
from ipch.board.compile import firmware_files
from ipch.board.keyframe import module, names_crc, parts, slot_names

__all__ = ["firmware_files", "flash", "module", "names_crc", "parts", "slot_names"]
