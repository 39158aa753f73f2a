"""The circuit in SKiDL: electrical rules check and KiCad netlist."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Sequence
from unittest import mock

from hardware.design.circuit import KINDS, Part

# Nets fed through a diode or a transistor: the rules check does not see their driver.
_FED = ("V24", "V24_LOGIC", "VSYS", "WALL_PLUS")


def build(parts: Sequence[Part]) -> tuple[str, str]:
    """Return (KiCad netlist, report of the rules check); needs no KiCad and leaves no files behind."""
    for version in ("", "6", "7", "8", "9", "10"):
        os.environ.setdefault(f"KICAD{version}_SYMBOL_DIR", tempfile.gettempdir())
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as said:
        os.chdir(folder)
        try:
            with warnings.catch_warnings():
                # Its escapes: Python 3.12 and later warn of them wherever the package is not compiled beforehand.
                warnings.simplefilter("ignore", SyntaxWarning)
                made = logging.getLoggerClass()
                import skidl.circuit

                # It sets a class of its own for every logger made from then on, whose critical() takes only a str.
                logging.setLoggerClass(made)

            # SKiDL notes the whole call stack of each part and net, only to name the line in a field that is dropped
            # here: half of its time, and more in a process with many modules.
            with mock.patch.object(skidl.circuit, "get_skidl_trace", list):
                return _build(parts, said)
        finally:
            os.chdir(here)


def _build(parts: Sequence[Part], said: io.StringIO) -> tuple[str, str]:
    import skidl

    skidl.set_default_tool(skidl.SKIDL)
    circuit = skidl.Circuit(name="ipch")
    nets: dict[str, skidl.Net] = {}
    for part in parts:
        pins = [
            skidl.Pin(num=number, name=name, func=getattr(skidl.Pin.types, kind))
            for number, name, kind in KINDS[part.kind]
        ]
        made = skidl.Part(
            tool=skidl.SKIDL,
            name=part.kind,
            ref_prefix=re.sub(r"\d+$", "", part.ref),
            dest=skidl.TEMPLATE,
            footprint=part.footprint or "field:none",
            pins=pins,
        )(ref=part.ref, value=part.value, tag=part.ref, circuit=circuit)
        for number, name, kind in KINDS[part.kind]:
            if kind == "NOCONNECT":
                continue
            net = part.nets[name]
            if net not in nets:
                nets[net] = skidl.Net(net, circuit=circuit)
            nets[net] += made[number]
    for name in set(_FED) & set(nets):
        nets[name].drive = skidl.POWER
    # Skip the messages so far: they only say that this computer has no KiCad footprint tables.
    before = said.tell()
    for handler in logging.getLogger("ERC_Logger").handlers:
        # The handler still has the stderr of SKiDL's first import.
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setStream(said)
    circuit.ERC()
    text = circuit.generate_netlist(tool=skidl.KICAD8, do_backup=False)
    report = said.getvalue()[before:]
    text = re.sub(r'\(date "[^"]*"\)', '(date "")', text)
    text = re.sub(r'\(source "[^"]*"\)', '(source "hardware/design/circuit.py")', text)
    text = re.sub(r'\n\s*\(field\s*\(name "SKiDL Line"\)[^)]*\)', "", text)
    return text, report


def nets_of(netlist: str) -> dict[str, set[tuple[str, str]]]:
    """Return net -> {(reference, pin)} of a KiCad netlist."""
    found: dict[str, set[tuple[str, str]]] = {}
    body = netlist[netlist.index("(nets") :]
    for piece in re.split(r"\(net\s+\(code", body)[1:]:
        name = re.search(r'\(name "([^"]*)"\)', piece)
        assert name is not None
        found[name[1].lstrip("/")] = set(re.findall(r'\(ref "([^"]*)"\)\s*\(pin "([^"]*)"\)', piece))
    return found
