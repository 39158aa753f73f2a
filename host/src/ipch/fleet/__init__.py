"""Many chambers: metrics and targets for Prometheus, records for EPICS, a comparison of all devices, example files."""

from ipch.fleet.compare import check, differing
from ipch.fleet.discovery import FILES, silent_targets, targets, write_files
from ipch.fleet.ioc import ACCESS, name_devices, serve
from ipch.fleet.metrics import exposition

__all__ = [
    "ACCESS", "FILES", "check", "differing", "exposition", "name_devices", "serve", "silent_targets", "targets",
    "write_files",
]  # fmt: skip
