"""Commands for faults and tests: blackbox, replay, selftest, prooftest."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipch.cli.common import Json, Port, connected, emit, options, say, to_json

if TYPE_CHECKING:
    from ipch.blackbox import Replay, Step

_PANEL = "Faults and safety"


def add_to(app: typer.Typer) -> None:
    for command in (blackbox, replay, selftest, prooftest):
        app.command(rich_help_panel=_PANEL)(command)


def blackbox(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="New file; default: named after device and time.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the black box frozen; default: re-arm it after saving.")
    ] = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Save the last seconds before a trip to a file, and plot them."""
    from ipch import blackbox as box_file
    from ipch.blackbox import write_plot

    with connected() as instrument:
        box = box_file.fetch(instrument)
        stamp = box.fetched_utc.replace("-", "").replace(":", "")
        place = out or Path(f"blackbox-{instrument.identity.serial_number}-{stamp}.json")
        box_file.save(place, box)
        plot = place.with_suffix(".html")
        write_plot(plot, box)
        if not keep:
            box_file.arm(instrument)
    what = f"{box.fault}, " if box.trip_row is not None else ""
    lines = [f"{what}{len(box.rows)} ticks, {len(box.requests)} requests written to {place}, plot to {plot}"]
    if box.missed:
        lines.append(f"{box.missed} later faults were not recorded: the black box was frozen")
    emit(
        {
            "file": str(place),
            "plot": str(plot),
            "fault": box.fault,
            "rows": len(box.rows),
            "requests": len(box.requests),
            "missed": box.missed,
        },
        lines,
    )


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File written by `ipch blackbox`.")],
    step: Annotated[
        int, typer.Option(metavar="N", min=0, help="Print every N-th tick; 0: none, 1: all.")
    ] = 0,
    start: Annotated[
        float | None, typer.Option("--from", metavar="S", help="First time to print, in s from the trip.")
    ] = None,
    end: Annotated[
        float | None, typer.Option("--to", metavar="S", help="Last time to print, in s from the trip.")
    ] = None,
    show: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Also print this value, for example sensors.slew_pa_s; 'list' lists all."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Replay a black box in the firmware; compare every command."""
    from ipch import blackbox as box_file
    from ipch.blackbox import Replay, check
    from ipch.errors import UsageError

    box = box_file.load(file)
    desk = Replay(box)
    names = show or []
    if "list" in names:
        emit({"names": desk.names}, desk.names)
        return
    unknown = [name for name in names if name not in desk.names]
    if unknown:
        raise UsageError(f"no such value: {unknown[0]}; `--show list` lists all")
    checked = 0
    for each in desk.steps():
        wanted = step and (checked % step == 0 or each.differences or each.requests)
        if wanted and (start is None or each.time_s >= start) and (end is None or each.time_s <= end):
            _print(desk, each, names)
        check(each)
        checked += 1
    pulses = sum(1 for us in box.column("pulse_us")[desk.start_row + 1 :] if us)
    data = {"file": str(file), "fault": box.fault, "ticks": checked, "pulses": pulses, "differences": 0}
    emit(data, [f"{checked} ticks with {pulses} pulses replayed; every command matches the record"])


def _print(desk: "Replay", each: "Step", names: list[str]) -> None:
    from ipch.blackbox import SWITCHES

    app = desk.app
    states = desk.states
    inner = {name: desk.value(name) for name in names}
    if options.json:
        print(
            to_json(
                {
                    "row": each.row,
                    "time_s": each.time_s,
                    **each.recorded,
                    "replayed": each.replayed,
                    "pressure_pa": app.sensors.pressure_pa,
                    "safety_pa": app.sensors.safety.pa,
                    "fault": app.modes.fault_name,
                    "requests": each.requests,
                    "inner": inner,
                }
            )
        )
        return
    levels, us = each.replayed["levels"], each.replayed["pulse_us"]
    does = [name for bit, name in enumerate(SWITCHES) if levels >> bit & 1]
    does += ["all off"] if levels & 8 else []
    does += [f"{'fill' if us > 0 else 'vent'} {abs(us) / 1000:g} ms"] if us else []
    does += [f"{name}={value}" for name, value in inner.items()]
    does += [f"<- {text}" for text in each.requests]
    print(
        f"{each.row:4d} {each.time_s:+8.3f} s  {app.sensors.control_pa:9d} Pa  {app.sensors.safety.pa:9d} Pa  "
        f"{states[each.replayed['state']]:<11} {app.modes.fault_name if app.modes.fault else '-':<14} "
        + ", ".join(does)
    )


_BITS = (
    "the ADS1115 does not answer",
    "the MAX31865 does not answer",
    "the TMP117 does not answer",
    "the control transducer is invalid",
    "the safety transducer is invalid",
    "the supply transducer is invalid",
    "settings were lost or never stored, and nobody has confirmed the limits",
    "the stored state was lost",
    "a coil does not match its command",
)


def selftest(
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE.json",
            help="Measure the board as well (speed, memory, flash, noise), and write the figures to a new file.",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(metavar="S", help="Duration of that measurement, 1 to 3600 s.")
    ] = 20.0,
    port: Port = None,
    json: Json = False,
) -> None:
    """Run the self test of the device; no valve moves."""
    from ipch.errors import CheckError, UsageError

    if not 1 <= seconds <= 3600:
        raise UsageError(f"--seconds {seconds:g}: expected 1 to 3600 s")
    if report is not None and report.exists():
        raise UsageError(f"{report} exists; name a new file")
    with connected() as instrument:
        result = int(instrument.query("*TST?"))
        if report is not None:
            from ipch.base.files import reserved, write_text
            from ipch.workflows import board_report

            with reserved(report):
                write_text(report, to_json(board_report.measure(instrument, seconds)) + "\n")
            say(f"figures of the board in {report}")
    found = [text for bit, text in enumerate(_BITS) if result >> bit & 1]
    if result >> len(_BITS):
        found.append(f"bits unknown to this version of ipch: {result >> len(_BITS) << len(_BITS)}")
    if found:
        raise CheckError(f"self test: {'; '.join(found)}")
    emit({"result": result, "found": found}, ["self test passed"])


def prooftest(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Record; default: named after device and time.")
    ] = None,
    seconds: Annotated[float, typer.Option(metavar="S", help="Test time of each valve, 5 to 60 s.")] = 60.0,
    limit: Annotated[float, typer.Option(metavar="KPA_H", help="Largest allowed leak, in kPa/h.")] = 50.0,
    gas: Annotated[str, typer.Option(help="Gas: air or nitrogen.")] = "air",
    operator: Annotated[str, typer.Option(help="Operator, for the record.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Test every part without asking.")] = False,
    skip: Annotated[
        list[str] | None, typer.Option(metavar="PART", help="Skip a part, for example 'relief'; repeatable.")
    ] = None,
    trip_wait: Annotated[float, typer.Option(metavar="S", help="Longest wait for the trip, in s.")] = 60.0,
    when: Annotated[
        bool, typer.Option("--when", help="Only show the last proof test and when the next is due.")
    ] = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Proof-test valves, relief, trip input and transducers."""
    from dataclasses import asdict

    from ipch.calibration import prooftest as proof
    from ipch.device import scpi
    from ipch.errors import CheckError, UsageError

    with connected() as instrument:
        if when:
            date, hours, days, overdue = (int(text) for text in scpi.fields(instrument.query(":DIAG:PRO?")))
            data = {
                "date": date or None,
                "hours_since": hours,
                "days_allowed": days,
                "overdue": bool(overdue),
            }
            last = f"last proof test {date}" if date else "no proof test yet"
            due = "overdue" if overdue else f"due in {days - hours // 24} days of service"
            emit(data, [f"{last}, {hours} h of service ago; {due}" if date else f"{last}; {due}"])
            return
        parts = (*proof.VALVES, "relief", "trip input")
        left_out = skip or []
        for part in left_out:
            if part not in parts:
                raise UsageError(f"no such part: {part!r}; allowed: {', '.join(parts)}")

        def ask(part: str, question: str) -> bool:
            return part not in left_out and (yes or typer.confirm(question, default=True, err=True))

        test = proof.ProofTest(
            instrument, operator=operator, gas=gas, seconds=seconds, limit_pa_h=limit * 1000, ask=ask, say=say
        )
        record = test.run(trip_wait)
    stamp = record.utc.replace("-", "").replace(":", "")
    place = out or Path(f"prooftest-{record.identity['serial_number']}-{stamp}.json")
    page = proof.write(place, record)
    missing = [f"{check.name} {check.result}" for check in record.checks if check.result != "passed"]
    if missing:
        raise CheckError(f"proof test not passed: {', '.join(missing)}; the record is in {place}")
    emit({**asdict(record), "file": str(place)}, [f"passed; recorded in {place} and {page}; date stored"])
