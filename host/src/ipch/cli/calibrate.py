"""Commands that calibrate the transducers: calibrate, calibrate verify, calibrate zero, calibrate show."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipch.cli.common import Json, Port, Sections, connected, emit, emit_table, options, say

if TYPE_CHECKING:
    from ipch.calibration import Fit, Plan, Point, Standard
    from ipch.device import Instrument

_PANEL = "Configure"

group = typer.Typer(
    cls=Sections,
    help="Calibrate the pressure transducers against a standard.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

Points = Annotated[
    Path | None,
    typer.Option("--points", metavar="FILE.csv", help="Use the points in this file instead of measuring."),
]
Pressures = Annotated[
    str,
    typer.Option(metavar="LIST", help="Calibration pressures: 0.1,2,4,5.4 (MPa) or '1bar,20bar,50bar'."),
]
Temperatures = Annotated[
    str | None,
    typer.Option(metavar="LIST", help="Oven temperatures in degC: 20,32,45; default: the present one."),
]
ByHand = Annotated[
    bool, typer.Option("--by-hand", help="Set each pressure yourself; the device moves no valve.")
]
StandardPort = Annotated[
    str | None,
    typer.Option(
        "--standard", metavar="PORT", help="Port, URL or VISA name of the standard; default: type readings."
    ),
]
Query = Annotated[str, typer.Option("--standard-query", help="Query that reads the standard.")]
Unit = Annotated[str, typer.Option("--standard-unit", help="Unit of the standard's reading, absolute.")]
Serial = Annotated[
    str, typer.Option("--standard-serial", metavar="FORMAT", help="Baud rate, data bits, parity, stop bits.")
]
End = Annotated[str, typer.Option("--standard-end", help="End of a query: cr, lf or crlf.")]
Transducer = Annotated[str, typer.Option("--transducer", help="Transducer: control, safety or both.")]
Seconds = Annotated[
    float, typer.Option(metavar="S", min=0.1, max=3600, help="Averaging time of each point, in s.")
]
Limit = Annotated[
    float,
    typer.Option(
        metavar="PERCENT",
        min=0.001,
        max=10,
        help="Largest accepted error, in percent of full scale (10 MPa).",
    ),
]

Force = Annotated[bool, typer.Option("--force", help="Also write a correction beyond 2 % of full scale.")]

_PRESSURES = "0.1,1.8,3.6,5.4"


def add_to(app: typer.Typer) -> None:
    app.add_typer(group, name="calibrate", rich_help_panel=_PANEL)


@group.callback()
def calibrate(
    context: typer.Context,
    points: Points = None,
    pressures: Pressures = _PRESSURES,
    temperatures: Temperatures = None,
    by_hand: ByHand = False,
    standard: StandardPort = None,
    standard_query: Query = ":SENS:PRES?",
    standard_unit: Unit = "Pa",
    standard_serial: Serial = "9600-8N1",
    standard_end: End = "lf",
    standard_uncertainty: Annotated[
        str, typer.Option(metavar="PRESSURE", help="Uncertainty of the standard (95 %): 200Pa.")
    ] = "0Pa",
    transducer: Transducer = "both",
    operator: Annotated[
        str | None,
        typer.Option(metavar="INITIALS", help="Operator: one to six letters, stored on the device."),
    ] = None,
    control_serial: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", min=0, max=999_999_999, help="Serial number of the control transducer."
        ),
    ] = None,
    safety_serial: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", min=0, max=999_999_999, help="Serial number of the safety transducer."
        ),
    ] = None,
    seconds: Seconds = 20.0,
    limit: Limit = 0.1,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for points and page.")] = None,
    write: Annotated[
        bool | None, typer.Option("--write/--no-write", help="Write the result to the device; default: ask.")
    ] = None,
    force: Force = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Measure the points, fit, and write the result to the device."""
    if context.invoked_subcommand is not None:
        return
    from dataclasses import replace

    from ipch import calibration
    from ipch.base.units import parse_pressure
    from ipch.calibration import write_page
    from ipch.errors import FaultError, UsageError

    names = _names(transducer)
    letters = calibration.initials(operator) if operator is not None else ""
    uncertainty_pa = parse_pressure(standard_uncertainty)
    if write and not letters:
        raise UsageError("--write needs --operator INITIALS: the device stores who calibrated it")
    found = calibration.load_points(points) if points is not None else None
    plan = _plan(pressures, temperatures, by_hand, seconds)
    chosen = _standard(standard, (standard_serial, standard_end), standard_query, standard_unit)
    with connected() as instrument:
        folder = out or Path(f"calibration-{instrument.identity.serial_number}-{calibration.today()}")
        if found is None:
            found = _measured(instrument, plan, chosen, folder / "points.csv")
        else:
            _make(folder)
        reference_k = calibration.reference_k(instrument)
        fits = []
        for name in names:
            before = calibration.read(instrument, name)
            serial = control_serial if name == "control" else safety_serial
            fit = calibration.fit(found, name, reference_k, before, uncertainty_pa)
            coefficients = replace(
                fit.coefficients,
                date=calibration.today(),
                serial=before.serial if serial is None else serial,
                operator=letters or before.operator,
            )
            fits.append(replace(fit, coefficients=coefficients))
        page = folder / "calibration.html"
        identity = instrument.identity
        who = f", by {letters}" if letters else ""
        write_page(
            page,
            found,
            fits,
            f"{identity.model} {identity.serial_number}, {calibration.today()}{who}; {len(found)} points",
        )
        worst = max(fits, key=lambda fit: fit.largest_pa)
        if worst.largest_pa > limit / 100 * calibration.FULL_SCALE_PA:
            _show(found, fits, page, False)
            number = int(abs(worst.residual_pa).argmax()) + 1
            raise FaultError(
                f"nothing was written: point {number} of the {worst.name} transducer is"
                f" {worst.largest_pa / 1e3:.2f} kPa off the fit; the limit is {limit:g} % of full scale (--limit)"
            )
        if write is None:
            write = _agreed(found, fits)
            if write and not letters:
                raise UsageError(
                    "nothing was written: run again with --operator INITIALS and --points FILE.csv"
                )
        if write:
            calibration.write(instrument, {fit.name: fit.coefficients for fit in fits}, force=force)
        _show(found, fits, page, bool(write))


@group.command()
def verify(
    points: Points = None,
    pressures: Pressures = _PRESSURES,
    temperatures: Temperatures = None,
    by_hand: ByHand = False,
    standard: StandardPort = None,
    standard_query: Query = ":SENS:PRES?",
    standard_unit: Unit = "Pa",
    standard_serial: Serial = "9600-8N1",
    standard_end: End = "lf",
    transducer: Transducer = "both",
    seconds: Seconds = 20.0,
    limit: Limit = 0.05,
    out: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="File for measured points.")] = None,
    port: Port = None,
    json: Json = False,
) -> None:
    """Compare the current calibration with a standard; change nothing."""
    import numpy as np

    from ipch import calibration
    from ipch.errors import FaultError

    names = _names(transducer)
    found = calibration.load_points(points) if points is not None else None
    plan = _plan(pressures, temperatures, by_hand, seconds)
    chosen = _standard(standard, (standard_serial, standard_end), standard_query, standard_unit)
    with connected() as instrument:
        if found is None:
            found = _measured(instrument, plan, chosen, out)
        reference_k = calibration.reference_k(instrument)
        errors_pa = {
            name: calibration.deviations_pa(found, name, calibration.read(instrument, name), reference_k)
            for name in names
        }
    largest = {name: float(np.abs(errors).max()) for name, errors in errors_pa.items()}
    emit_table(
        {
            "points": len(found),
            "errors_pa": {
                name: [round(float(error)) for error in errors] for name, errors in errors_pa.items()
            },
            "largest_pa": {name: round(value) for name, value in largest.items()},
            "limit_pa": round(limit / 100 * calibration.FULL_SCALE_PA),
        },
        ("point", "standard, MPa", "block, degC", *(f"{name}, kPa" for name in names)),
        [_row(n, point, [float(errors_pa[name][n]) for name in names]) for n, point in enumerate(found)],
        right=range(1, 3 + len(names)),
    )
    for name, value in largest.items():
        if value > limit / 100 * calibration.FULL_SCALE_PA:
            raise FaultError(
                f"the {name} transducer is up to {value / 1e3:.2f} kPa off the standard; expected"
                f" {limit:g} % of full scale: calibrate it"
            )


@group.command()
def zero(
    ambient: Annotated[
        str | None,
        typer.Option(metavar="PRESSURE", help="Barometer reading: 1013hPa; default: the device's setting."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Correct the zero of both transducers.")] = False,
    force: Force = False,
    seconds: Seconds = 10.0,
    port: Port = None,
    json: Json = False,
) -> None:
    """Compare both transducers with ambient pressure, chamber open."""
    from dataclasses import replace

    from ipch import calibration
    from ipch.base.units import parse_pressure
    from ipch.errors import FaultError, UsageError

    ambient_pa = parse_pressure(ambient) if ambient is not None else None
    with connected() as instrument:
        state = instrument.state
        if state != "OFF":
            raise UsageError(
                f"the device is {state}; vent the chamber, `ipch off`, and leave it open to ambient"
            )
        told_pa = instrument.setting("ambient_pa").value if ambient_pa is None else ambient_pa
        means = calibration.average(instrument, seconds)[1]
        errors_pa = {name: mean - told_pa for name, mean in means.items()}
        allowed_pa = {name: instrument.setting(f"{name}_tolerance_pa").value for name in means}
        off = [name for name, error in errors_pa.items() if abs(error) > allowed_pa[name]]
        if write and not off:
            if ambient_pa is not None:
                instrument.ask(f":CAL:BAR {ambient_pa}")
            # A mean of many readings is better than the single reading that the device would take.
            before = {name: calibration.read(instrument, name) for name in means}
            calibration.write(
                instrument,
                {
                    name: replace(old, zero_pa=old.zero_pa - round(errors_pa[name]))
                    for name, old in before.items()
                },
                force=force,
            )
    emit_table(
        {
            "ambient_pa": told_pa,
            "errors_pa": {name: round(error) for name, error in errors_pa.items()},
            "allowed_pa": allowed_pa,
            "written": write and not off,
        },
        ("transducer", "reads, kPa", "ambient, kPa", "off by, kPa", "allowed, kPa"),
        [
            (
                name,
                f"{means[name] / 1e3:.2f}",
                f"{told_pa / 1e3:.2f}",
                f"{error / 1e3:+.2f}",
                f"{allowed_pa[name] / 1e3:g}",
            )
            for name, error in errors_pa.items()
        ],
        right=(1, 2, 3, 4),
    )
    if off:
        raise FaultError(
            f"the {off[0]} transducer is {errors_pa[off[0]] / 1e3:+.1f} kPa off ambient pressure;"
            " is the chamber vented and open? Nothing was written"
        )


@group.command()
def show(port: Port = None, json: Json = False) -> None:
    """Show the current calibration, its date and its operator."""
    from dataclasses import asdict

    from ipch import calibration

    with connected() as instrument:
        found = {name: calibration.read(instrument, name) for name in calibration.TRANSDUCERS}
        reference_k = calibration.reference_k(instrument)
    emit_table(
        {"reference_k": reference_k, **{name: asdict(one) for name, one in found.items()}},
        ("transducer", "zero, Pa", "span, ppm", "zero, Pa/K", "span, ppm/K", "date", "serial", "operator"),
        [
            (
                name,
                *(str(value or "-") if n > 3 else str(value) for n, value in enumerate(asdict(one).values())),
            )
            for name, one in found.items()
        ],
        right=(1, 2, 3, 4),
    )


def _names(transducer: str) -> tuple[str, ...]:
    from ipch.calibration import TRANSDUCERS
    from ipch.errors import UsageError

    if transducer == "both":
        return TRANSDUCERS
    if transducer not in TRANSDUCERS:
        raise UsageError(f"not a transducer: {transducer!r}; allowed: control, safety, both")
    return (transducer,)


def _plan(pressures: str, temperatures: str | None, by_hand: bool, seconds: float) -> "Plan":
    from ipch.base.units import parse_pressure
    from ipch.calibration import Plan
    from ipch.errors import UsageError

    celsius = []
    for text in (temperatures or "").split(",") if temperatures else ():
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not -20 <= value <= 80:
            raise UsageError(f"not a temperature: {text!r}; expected -20 to 80 degC, for example 20,32,45")
        celsius.append(value)
    return Plan(
        tuple(parse_pressure(text) for text in pressures.split(",")), tuple(celsius), by_hand, seconds
    )


def _standard(name: str | None, wire: tuple[str, str], query: str, unit: str) -> "Callable[[], Standard]":
    """Opens the standard, or the person who types its readings. Raises UsageError before anything moves."""
    from ipch.calibration import Asked, StandardPort, Typed

    if name is None:
        return Typed
    place = StandardPort(name, *wire)
    return lambda: Asked(place, query, unit)


def _measured(
    instrument: "Instrument", plan: "Plan", chosen: "Callable[[], Standard]", file: Path | None
) -> "list[Point]":
    from ipch.calibration import Calibrator, save_points
    from ipch.cli.progress import progress

    if file is not None:
        _make(file.parent)
    standard = chosen()
    try:
        with progress(prompts=not standard.live) as report:
            calibrator = Calibrator(instrument, standard, say, report)
            return calibrator.run(
                plan, lambda points: save_points(file, points) if file is not None else None
            )
    finally:
        standard.close()


def _make(folder: Path) -> None:
    from ipch.errors import FileError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot create {folder}: {error.strerror}") from error


def _agreed(points: "Sequence[Point]", fits: "Sequence[Fit]") -> bool:
    """Show the result and ask, on a terminal; return False elsewhere, so that nothing is written unasked."""
    import sys

    if options.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    for line in _summary(points, fits):
        print(line, file=sys.stderr)
    return typer.confirm("write this to the device?", err=True)


def _show(points: "Sequence[Point]", fits: "Sequence[Fit]", page: Path, written: bool) -> None:
    data: dict[str, Any] = {"points": len(points), "page": str(page), "written": written}
    for fit in fits:
        from dataclasses import asdict

        data[fit.name] = {
            **asdict(fit.coefficients),
            "uncertainty": dict(fit.uncertainty),
            "kept": list(fit.fixed),
            "residuals_pa": [round(float(value)) for value in fit.residual_pa],
            "largest_pa": round(fit.largest_pa),
            "expanded_uncertainty_pa": fit.expanded_pa,
        }
    end = "written to the device" if written else "nothing was written to the device; use --write to write it"
    emit(data, [*_summary(points, fits), f"plot: {page}", end])


def _summary(points: "Sequence[Point]", fits: "Sequence[Fit]") -> list[str]:
    from ipch.calibration import FULL_SCALE_PA, TERM_UNITS

    lines = []
    for fit in fits:
        lines.append(
            f"{fit.name}: largest error {fit.largest_pa / 1e3:.3f} kPa"
            f" ({fit.largest_pa / FULL_SCALE_PA:.4%} of full scale)"
        )
        if fit.freedom:
            lines[-1] += f", uncertainty {fit.expanded_pa / 1e3:.3f} kPa (95 %)"
        else:
            lines[-1] += ", uncertainty unknown: as many terms as points"
        for term, unit in TERM_UNITS.items():
            uncertain = fit.uncertainty.get(term, math.nan)
            worth = "kept" if term in fit.fixed else "" if math.isnan(uncertain) else f"+- {uncertain:.2g}"
            lines.append(f"  {term:<14}{getattr(fit.coefficients, term):>8} {unit:<6} {worth}".rstrip())
    lines.append("  ".join(("point", "standard, MPa", "block, degC", *(f"{fit.name}, kPa" for fit in fits))))
    for n, point in enumerate(points):
        cells = _row(n, point, [float(fit.residual_pa[n]) for fit in fits])
        heads = (5, 13, 11, *(len(fit.name) + 5 for fit in fits))
        lines.append("  ".join(cell.rjust(width) for cell, width in zip(cells, heads, strict=True)))
    return lines


def _row(number: int, point: "Point", errors_pa: Sequence[float]) -> list[str]:
    return [
        str(number + 1),
        f"{point.standard_pa / 1e6:.4f}",
        f"{point.block_k - 273.15:.2f}",
        *(f"{error / 1e3:+.3f}" for error in errors_pa),
    ]
