"""Progress on stderr: a bar with the remaining time on a terminal, plain lines elsewhere."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from ipch.cli.common import say

if TYPE_CHECKING:
    from pathlib import Path

    from ipch.device import Progress, Report, Sample

# Without a terminal: a line at each new step, and at this interval.
_LINE_S = 30.0


@contextlib.contextmanager
def progress() -> "Iterator[Report]":
    """Yield a function that shows progress reports."""
    if not _is_terminal(sys.stderr):
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[pressure]}"),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True),
        transient=True,
        expand=True,
    ) as bars:
        yield _Bar(bars)


class _Lines:
    def __init__(self) -> None:
        self._text = ""
        self._next = 0.0

    def __call__(self, now: "Progress") -> None:
        from ipch.base.units import format_pressure

        clock = time.monotonic()
        if now.text == self._text and clock < self._next:
            return
        self._text = now.text
        self._next = clock + _LINE_S
        pressure = format_pressure(now.sample.pressure_pa)
        say(f"{now.text}: {pressure}, {now.fraction:.0%}, {_left(now.remaining_s)}")


class _Bar:
    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._task = bars.add_task("", total=1.0, pressure="", left="")

    def __call__(self, now: "Progress") -> None:
        from ipch.base.units import format_pressure

        self._bars.update(
            self._task,
            completed=now.fraction,
            description=now.text,
            pressure=format_pressure(now.sample.pressure_pa),
            left=_left(now.remaining_s),
        )


def _left(seconds: float) -> str:
    from ipch.base.units import format_duration

    return f"{format_duration(max(1.0, seconds))} left"


@contextlib.contextmanager
def live(quiet: bool = False) -> "Iterator[Callable[[Sample], None]]":
    """Yield a function that shows samples: on a terminal in one updated line, elsewhere a line each."""
    if quiet:
        yield lambda sample: None
        return
    from ipch.cli.text import sample_line

    if not _is_terminal(sys.stdout):
        yield lambda sample: print(sample_line(sample), flush=True)
        return
    with _renewed_line(sys.stdout) as show:
        yield show


@contextlib.contextmanager
def recording(file: "Path") -> "Iterator[Callable[[Sample], None]]":
    """Yield a function that reports recorded samples on stderr: all on a terminal, elsewhere the first."""
    if _is_terminal(sys.stderr):
        say(f"recording to {file}; stop with Ctrl-C")
        with _renewed_line(sys.stderr) as show:
            yield show
        return
    told = False

    def tell(sample: "Sample") -> None:
        nonlocal told
        if not told:
            told = True
            say(f"recording to {file}")

    yield tell


@contextlib.contextmanager
def _renewed_line(stream: TextIO) -> "Iterator[Callable[[Sample], None]]":
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from ipch.cli.text import sample_line

    with Live(console=Console(file=stream), refresh_per_second=8) as display:
        yield lambda sample: display.update(Text(sample_line(sample)))


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"
