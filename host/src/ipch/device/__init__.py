"""Communication with a regulator: port, lines, messages, one owner process per port, client, polling, actions."""

from ipch.device import actions, scpi, settings_file
from ipch.device.actions import SETTLE_GUESS_S, Progress, Report, has_arrived, set_pressure, time_to_arrive
from ipch.device.instrument import Drift, Fault, Instrument, Sample, Valve, health
from ipch.device.polling import Monitor, Pacer
from ipch.device.session import Direct, Identity, is_query
from ipch.device.sharing import Owner, open_session, recipe_among, running_tasks
from ipch.device.transport import HOW_TO_SIMULATE, PortInfo, Transport, find_port, list_ports, resolve_port

__all__ = [
    "HOW_TO_SIMULATE", "SETTLE_GUESS_S", "Direct", "Drift", "Fault", "Identity", "Instrument", "Monitor",
    "Owner", "Pacer", "PortInfo", "Progress", "Report", "Sample", "Transport", "Valve", "actions", "find_port",
    "has_arrived", "health", "is_query", "list_ports", "open_session", "recipe_among", "resolve_port", "running_tasks",
    "scpi", "set_pressure", "settings_file", "time_to_arrive",
]  # fmt: skip
