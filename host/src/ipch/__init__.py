"""Host side of ipch, an open pressure regulator for isostatic pouch cell holders."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipch.device import Instrument as Instrument

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # `from ipch import Instrument` works without making `ipch --help` pay for the serial library.
    if name == "Instrument":
        from ipch.device import Instrument

        return Instrument
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
