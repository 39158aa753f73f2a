"""Alarms on the host: the alarm file, what is alarming, how people hear of it."""

from ipch.alarms.config import Config, load
from ipch.alarms.delivery import deliver
from ipch.alarms.rules import Alarms, Event
from ipch.alarms.watch import watching

__all__ = ["Alarms", "Config", "Event", "deliver", "load", "watching"]
