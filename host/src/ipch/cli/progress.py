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
def progress(*, prompts: bool = False) -> "Iterator[Report]":
    """Yield a function that shows progress reports: as lines if something `prompts`, which a bar would cover."""
    if prompts or not _is_terminal(sys.stderr):
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    with Progress(
        TextColumn("{task.description}", table_column=Column(ratio=2, no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
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
        clock = time.monotonic()
        if now.text == self._text and clock < self._next:
            return
        self._text = now.text
        self._next = clock + _LINE_S
        if now.sample is None:
            say(f"{now.text}; waiting for it")
        else:
            say(f"{now.text}: {_pressure(now.sample)}, {now.fraction:.0%}, {_left(now.remaining_s)}")


class _Bar:
    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._task = bars.add_task("", total=1.0, pressure="", left="")
        self._away = 0.0

    def __call__(self, now: "Progress") -> None:
        clock = time.monotonic()
        self._away = 0.0 if now.sample is not None else self._away or clock
        self._bars.update(
            self._task,
            completed=now.fraction,
            description=now.text,
            # A pressure from before a loss is no pressure.
            pressure="- MPa" if now.sample is None else _pressure(now.sample),
            left=_left(now.remaining_s) if now.sample is not None else f"away for {clock - self._away:.0f} s",
        )


def _pressure(sample: "Sample") -> str:
    from ipch.base.units import format_pressure

    return format_pressure(sample.pressure_pa)


def _left(seconds: float) -> str:
    from ipch.base.units import format_duration

    return f"{format_duration(max(1.0, seconds))} left"


class Shown:
    """Shows samples as a line each."""

    waits = False
    """Whether a person looks on who sees that the device is away; a script gets an error instead."""

    def __init__(self, show: "Callable[[Sample], None]") -> None:
        self.show = show

    def __call__(self, sample: "Sample") -> None:
        self.show(sample)

    def lost(self, reason: str) -> None:
        """The device is away, for this reason; called again and again meanwhile."""


@contextlib.contextmanager
def live(quiet: bool = False) -> "Iterator[Shown]":
    """Yield what shows samples: on a terminal in one updated line, elsewhere a line each."""
    if quiet:
        yield Shown(lambda sample: None)
        return
    from ipch.cli.text import sample_line

    if not _is_terminal(sys.stdout):
        yield Shown(lambda sample: print(sample_line(sample), flush=True))
        return
    with _plotted(sys.stdout) as show:
        yield show


@contextlib.contextmanager
def recording(file: "Path") -> "Iterator[Shown]":
    """Yield what reports recorded samples on stderr: all on a terminal, elsewhere the first."""
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

    yield Shown(tell)


class _Renewed(Shown):
    """The same in one line that is renewed; while the device is away, no pressure stays in it."""

    waits = True

    def __init__(self, show: "Callable[[str], None]") -> None:
        from ipch.cli.text import sample_line

        super().__init__(lambda sample: show(sample_line(sample)))
        self._line = show
        self._since = 0.0

    def __call__(self, sample: "Sample") -> None:
        self._since = 0.0
        self.show(sample)

    def lost(self, reason: str) -> None:
        self._since = self._since or time.monotonic()
        self._line(f"device away for {time.monotonic() - self._since:.0f} s")


@contextlib.contextmanager
def _renewed_line(stream: TextIO) -> "Iterator[Shown]":
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(file=stream), refresh_per_second=8) as display:
        yield _Renewed(lambda line: display.update(Text(line)))


@contextlib.contextmanager
def _plotted(stream: TextIO) -> "Iterator[Shown]":
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from ipch.cli.terminal import TerminalPlot
    from ipch.cli.text import sample_line, shorter_line

    plot, console = TerminalPlot(), Console(file=stream)
    # The plot is drawn twice a second at most: samples may come faster.
    with Live(console=console, refresh_per_second=2) as display:
        shown = 0.0

        def show(line: str) -> None:
            display.update(Text.from_ansi(plot.render(line)))

        def take(sample: "Sample") -> None:
            nonlocal shown
            plot.add(sample)
            if time.monotonic() - shown > 0.4:
                shown = time.monotonic()
                line = sample_line(sample)
                show(line if len(line) <= console.width else shorter_line(sample))

        renewed = _Renewed(show)
        renewed.show = take
        yield renewed


@contextlib.contextmanager
def many() -> "Iterator[Callable[[list[str]], None]]":
    """Yield what shows a line for each device: renewed on a terminal, appended elsewhere."""
    if not _is_terminal(sys.stdout):
        yield lambda lines: print("\n".join(lines), flush=True)
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from ipch.cli.terminal import fitted

    console = Console()
    with Live(console=console, refresh_per_second=4) as display:
        yield lambda lines: display.update(Text("\n".join(fitted(lines, console.width))))


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"
