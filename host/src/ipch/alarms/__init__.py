"""Alarms on the host: alarm file, rules, delivery."""

from ipch.alarms.config import WARNINGS, Config, load
from ipch.alarms.delivery import Delivery, deliver, ways
from ipch.alarms.outbox import Outbox
from ipch.alarms.rules import Alarms, Event
from ipch.alarms.watch import watching

__all__ = [
    "WARNINGS",
    "Alarms",
    "Config",
    "Delivery",
    "Event",
    "Outbox",
    "deliver",
    "load",
    "watching",
    "ways",
]
