"""The sizing as a page for the safety file: Markdown or HTML, chosen by the file's suffix."""

from __future__ import annotations

from pathlib import Path

from ipch.base.files import write_text
from ipch.base.units import format_celsius, format_target
from ipch.errors import UsageError
from ipch.sizing.design import Design, settings
from ipch.sizing.figures import Figure, Sizing

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
_TITLE = "Sizing of a pressure chamber"
# The device's limits as delivered.
_DEFAULTS = settings(Design())


def number(value: float) -> str:
    """Return a figure with three digits; infinite time reads `never`."""
    if value == float("inf"):
        return "never"
    return f"{value:.3g}" if abs(value) < 1000.0 else f"{value:.0f}"


def figure_row(figure: Figure) -> tuple[str, str, str, str]:
    """Return name, value, unit and origin as text."""
    unit = "" if figure.value == float("inf") else figure.unit
    return figure.name, number(figure.value), unit, figure.how


def tables(sizing: Sizing) -> list[Table]:
    """Return (title, columns, rows) of all tables, in the order of the page."""
    design = sizing.design
    inputs: list[tuple[str, ...]] = [
        ("volume", f"{design.volume_m3 * 1e3:g} L"),
        ("gas", design.gas),
        ("temperature", format_celsius(design.temperature_k)),
        ("working pressure", format_target(design.working_pa)),
        ("rated pressure", format_target(design.rated_pa)),
        ("supply, behind its regulator", format_target(design.supply_pa)),
        ("source, before the regulator", format_target(design.source_pa)),
        ("bore of the fill valve's seat", f"{design.seat_mm:g} mm"),
        ("shortest clean pulse", f"{design.pulse_s * 1e3:g} ms"),
        ("coil rise until the valve lifts", f"{design.coil_rise_s * 1e3:g} ms"),
        ("hold band that a pulse must allow", f"+-{design.band_pa / 1e3:g} kPa"),
        ("ramp that must be possible", f"{design.slew_pa_s / 1e3:g} kPa/s"),
        ("cell", f"{design.cell_ah:g} Ah, {design.cycles_per_day:g} cycles a day"),
        ("leak", f"{design.leak_pa_h / 1e3:g} kPa/h"),
    ]
    if design.relief_c is not None:
        inputs.append(("relief valve as fitted", f"C = {design.relief_c:.2e} m3/(s Pa)"))
    found: list[Table] = [("inputs, absolute pressures", ("what", "value"), inputs)]
    columns = ("figure", "value", "unit", "how")
    for title in dict.fromkeys(figure.section for figure in sizing.figures):
        rows = [figure_row(figure) for figure in sizing.figures if figure.section == title]
        found.append((title, columns, [*rows]))
    commands = [(f"ipch config set {name} {value}",) for name, value in _in_order(sizing.settings)]
    commands.append(("ipch config confirm",))
    found.append(("settings for the device, in this order", ("command",), [*commands]))
    return found


def _in_order(settings: dict[str, int]) -> list[tuple[str, int]]:
    """Settings in an order in which each one passes the checks of a device that has its defaults.

    Those that fall from the lowest on, then those that rise from the highest on.
    """
    lower = [(name, value) for name, value in settings.items() if value < _DEFAULTS[name]]
    return lower + [each for each in reversed(settings.items()) if each not in lower]


def write_page(sizing: Sizing, path: Path) -> None:
    """Write the page; UsageError for a suffix that is neither .md nor .html, FileError if it cannot be written."""
    # Import numerical libraries only when a page is written.
    from ipch.report import write_html

    kind = path.suffix.lower()
    if kind not in (".md", ".html"):
        raise UsageError(f"page {path}: expected a name that ends in .html or .md")
    if kind == ".md":
        write_text(path, markdown(sizing))
        return
    write_html(
        path,
        "sizing/page.html",
        title=_TITLE,
        preamble=_preamble(),
        warnings=sizing.warnings,
        tables=tables(sizing),
        signature=_signature(),
    )


def markdown(sizing: Sizing) -> str:
    """Return the page as Markdown."""
    lines = [f"# {_TITLE}", "", *_preamble(), ""]
    lines += [f"- **Mind**: {text}" for text in sizing.warnings]
    for title, columns, rows in tables(sizing):
        lines += ["", f"## {title[:1].upper()}{title[1:]}", "", f"| {' | '.join(columns)} |"]
        lines.append("|" + "---|" * len(columns))
        lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", _signature(), ""])


def _preamble() -> list[str]:
    return [
        "Written by `ipch size`. All pressures are absolute. Figures marked [estimate] were never measured; "
        "the others follow from the inputs. It is an aid to the person who answers for the rig, not a proof of "
        "conformity with any rule."
    ]


def _signature() -> str:
    return "Checked by: ____________________  Date: ____________________"
