"""The page in the browser: live state of devices, their history, and the read-only server that shows both."""

from ipch.live.devices import Devices
from ipch.live.feed import Feed, open_feed
from ipch.live.server import DEFAULT_ADDRESS, Server

__all__ = ["DEFAULT_ADDRESS", "Devices", "Feed", "Server", "open_feed"]
