"""Many chambers: metrics and targets for Prometheus, a comparison of all devices, example files."""

from ipch.fleet.compare import check, differing
from ipch.fleet.discovery import FILES, targets, write_files
from ipch.fleet.metrics import exposition

__all__ = ["FILES", "check", "differing", "exposition", "targets", "write_files"]
