"""Alarms on the host: alarm file, rules, delivery."""

from ipch.alarms.config import Config, load
from ipch.alarms.delivery import deliver
from ipch.alarms.rules import Alarms, Event
from ipch.alarms.watch import watching

__all__ = ["Alarms", "Config", "Event", "deliver", "load", "watching"]
