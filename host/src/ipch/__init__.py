"""Host side of ipch, an open pressure regulator for isostatic pouch cell holders."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipch.cyclers import load_run
    from ipch.device import Instrument

__all__ = ["Instrument", "load_run"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # `from ipch import Instrument` works without making `ipch --help` pay for the serial library or numpy.
    if name == "Instrument":
        from ipch.device import Instrument

        return Instrument
    if name == "load_run":
        from ipch.cyclers import load_run

        return load_run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
