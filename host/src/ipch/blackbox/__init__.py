"""The black box: fetched into a file, drawn as a page, replayed through the firmware."""

from ipch.blackbox.capture import arm, fetch, load, save
from ipch.blackbox.page import write_plot
from ipch.blackbox.replay import SWITCHES, Replay, Step, check

__all__ = ["SWITCHES", "Replay", "Step", "arm", "check", "fetch", "load", "save", "write_plot"]
