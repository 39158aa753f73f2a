"""What `ipch watch` shows on a terminal: a plot above the latest line, or a line for each of several devices."""

import shutil
import textwrap
from collections import deque
from typing import TYPE_CHECKING

from ipch.base.units import format_duration, format_pressure
from ipch.cli.text import shortest_line

if TYPE_CHECKING:
    from ipch.device import Sample

# As many points as a wide terminal has dots; older ones are thinned.
_POINTS = 400
_LEAST_LINES, _MOST_LINES = 8, 20


class TerminalPlot:
    """The last samples as a plot of pressure and setpoint, with the line of the latest below."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, float, float | None]] = deque()
        self._every = 1
        self._count = 0

    def add(self, sample: "Sample") -> None:
        """Take in a sample; the whole time stays covered, ever more coarsely."""
        self._count += 1
        if self._points and sample.uptime_s < self._points[-1][0]:
            self._points.clear()  # the device restarted
        if self._count % self._every == 0:
            regulates = sample.state in ("REGULATE", "QUIET")
            ramp_mpa = sample.ramp_pa / 1e6 if regulates else None
            self._points.append((sample.uptime_s, sample.pressure_pa / 1e6, ramp_mpa))
        if len(self._points) > _POINTS:
            self._points = deque(list(self._points)[::2])
            self._every *= 2

    def render(self, line: str) -> str:
        """Plot and line, within the present size of the terminal."""
        import plotext

        columns, lines = shutil.get_terminal_size()
        height = min(_MOST_LINES, lines - 2)
        if len(self._points) < 3 or height < _LEAST_LINES or columns < 40:
            return line
        end_s = self._points[-1][0]
        x = [time_s - end_s for time_s, _, _ in self._points]
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.plot_size(columns, height)
        plotext.title("pressure and setpoint (orange) / MPa, absolute")
        plotext.plot(x, [pressure for _, pressure, _ in self._points], marker="braille")
        followed = [(at, ramp) for at, (_, _, ramp) in zip(x, self._points, strict=True) if ramp is not None]
        if len(followed) > 1:
            plotext.plot(*map(list, zip(*followed, strict=True)), marker="braille", color="orange")
        plotext.xticks(
            [x[0], x[0] / 2, 0.0], [*(f"-{format_duration(-at)}" for at in (x[0], x[0] / 2)), "now"]
        )
        return f"{plotext.build()}\n{line}"


def device_rows(rows: list[tuple[str, "Sample | None", str]]) -> list[str]:
    """A line for each device: serial number, latest sample, why it is away."""
    width = max((len(name) for name, _, _ in rows), default=0)
    lines = []
    for name, sample, away in rows:
        if away or sample is None:
            lines.append(f"{name.ljust(width)}  away: {away}")
        else:
            lines.append(f"{name.ljust(width)}  {shortest_line(sample)}")
    return lines


def fitted(lines: list[str], width: int) -> list[str]:
    """The same within a width: a reason of several lines stays whole."""
    return [part for line in lines for part in textwrap.wrap(line, width, subsequent_indent="    ") or [""]]


def status_row(name: str, sample: "Sample", warnings: tuple[str, ...]) -> tuple[str, str, str, str, str]:
    """Cells of the table of all devices."""
    notes = [f"FAULT {sample.fault}"] if sample.faulty else []
    target = format_pressure(sample.target_pa) if sample.target_pa else "not set"
    return (name, sample.state, format_pressure(sample.pressure_pa), target, ", ".join([*notes, *warnings]))
