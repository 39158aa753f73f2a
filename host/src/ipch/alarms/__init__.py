"""Alarms on the host: alarm file, rules, delivery."""

from ipch.alarms.config import WARNINGS, Config, load
from ipch.alarms.delivery import deliver
from ipch.alarms.rules import Alarms, Event
from ipch.alarms.watch import watching

__all__ = ["WARNINGS", "Alarms", "Config", "Event", "deliver", "load", "watching"]
