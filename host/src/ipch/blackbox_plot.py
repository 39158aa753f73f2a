"""The black box as a page with plots that needs nothing else."""

import html
import json
from pathlib import Path
from string import Template
from typing import Any

from ipch.blackbox import BlackBox
from ipch.errors import FileError
from ipch.sim.signals import ADS1115_VOLT_PER_COUNT, RP2040_VOLT_PER_COUNT, SHUNT_OHM

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1040px; margin: 0 auto;
  padding: 24px 16px; color: #1c1f24; }
h1 { font-size: 1.5rem; margin: 0; } p { color: #5a606b; margin: .25rem 0 1rem; }
table { border-collapse: collapse; font-size: .9rem; } td { padding: 2px 14px 2px 0; border-bottom: 1px solid #e8eaee; }
</style></head><body><h1>$title</h1><p>$subtitle</p><div id="plot"></div>
<h2>Requests</h2><table>$requests</table>
<script>$plotly</script><script>const plot = $plot;
Plotly.newPlot("plot", plot.data, plot.layout, {responsive: true, displaylogo: false});</script></body></html>
""")
_SWITCHES = ((1, "supply isolation"), (2, "vent isolation"), (4, "relief"), (16, "heartbeat"))
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8a8f98")


def nominal_mpa(counts: int, volt_per_count: float) -> float:
    """Pressure in MPa that 4-20 mA into the shunt mean, without calibration."""
    return (counts * volt_per_count / SHUNT_OHM * 1000 - 4) / 16 * 10


def write_plot(path: Path, box: BlackBox) -> None:
    """Write the page. Raises FileError."""
    from plotly.offline import get_plotlyjs

    times = box.times_s()
    table = "".join(
        f"<tr><td>{times[each.row]:+.3f} s</td><td>{html.escape(each.text)}</td></tr>"
        for each in box.requests
        if each.row >= 0
    )
    text = _PAGE.substitute(
        title=html.escape(f"Black box: {box.fault if box.trip_row is not None else 'frozen by command'}"),
        subtitle=html.escape(
            f"device {box.identity.get('serial_number', '?')}, firmware {box.identity.get('firmware', '?')}, "
            f"fetched {box.fetched_utc}; pressures as 4-20 mA say, without calibration"
        ),
        requests=table or "<tr><td>none</td></tr>",
        plotly=get_plotlyjs(),
        plot=json.dumps(_figure(box, times)).replace("</", "<\\/"),
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror}") from error


def _figure(box: BlackBox, times: list[float]) -> dict[str, Any]:
    data: list[dict[str, Any]] = []

    def line(row: int, name: str, values: list[float], **look: Any) -> None:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": times,
                "y": values,
                "line": {"color": _COLOURS[len(data) % len(_COLOURS)], "width": 1.4, **look},
                "yaxis": f"y{row if row > 1 else ''}",
            }
        )

    for name, volt in (
        ("control", ADS1115_VOLT_PER_COUNT),
        ("safety", RP2040_VOLT_PER_COUNT),
        ("supply", ADS1115_VOLT_PER_COUNT),
    ):
        line(1, name, [round(nominal_mpa(each, volt), 5) for each in box.column(f"{name}_counts")])
    line(2, "fill", [max(us, 0) / 1000 for us in box.column("pulse_us")], shape="hv")
    line(2, "vent", [min(us, 0) / 1000 for us in box.column("pulse_us")], shape="hv")
    for place, (bit, name) in enumerate(_SWITCHES):
        on = [place + (0.8 if levels & bit else 0.0) for levels in box.column("levels")]
        line(3, name, on, shape="hv")
    line(4, "state", [float(each) for each in box.column("state")], shape="hv")
    line(4, "length of the tick / 20 ms", [each / 20 for each in box.column("dt_ms")])
    titles = ("pressure / MPa", "pulse / ms", "valves", "state, tick")
    domains = ((0.62, 1.0), (0.42, 0.58), (0.18, 0.38), (0.0, 0.14))
    layout: dict[str, Any] = {
        "height": 900,
        "margin": {"l": 60, "r": 10, "t": 10, "b": 40},
        "hovermode": "x unified",
        "xaxis": {"title": {"text": "time from the trip / s"}, "anchor": "y4"},
        "shapes": [
            {
                "type": "line",
                "x0": 0,
                "x1": 0,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"color": "#c00", "width": 1},
            }
        ],
    }
    for row, (title, domain) in enumerate(zip(titles, domains, strict=True), 1):
        layout[f"yaxis{row if row > 1 else ''}"] = {"title": {"text": title}, "domain": list(domain)}
    return {"data": data, "layout": layout}
