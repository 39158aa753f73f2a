"""The text files of the KiCad project: net classes, design rules, and a board file that is the same in every run."""

import json
import os
import re
import uuid


def project(spec):
    """Return the text of the project: classes of nets and the rules of a common fab."""
    tracks = {"Default": 0.25, "POWER": 1.0, "CONTACT": 0.8, "DOMAIN_W": 0.25, "DOMAIN_M": 0.25}
    classes = []
    for name, track in tracks.items():
        classes.append({"bus_width": 12.0, "clearance": 0.15, "diff_pair_gap": 0.25, "diff_pair_via_gap": 0.25,
                        "diff_pair_width": 0.2, "line_style": 0, "microvia_diameter": 0.3, "microvia_drill": 0.1,
                        "name": name, "nets": sorted(n for n, c in spec["classes"].items() if c == name),
                        "pcb_color": "rgba(0, 0, 0, 0.000)", "schematic_color": "rgba(0, 0, 0, 0.000)",
                        "track_width": track, "via_diameter": 0.6, "via_drill": 0.3, "wire_width": 6.0})  # fmt: skip
    rules = {"min_clearance": 0.15, "min_track_width": 0.15, "min_through_hole_diameter": 0.3, "min_via_diameter": 0.5,
             "min_via_annular_width": 0.1, "min_copper_edge_clearance": 0.3, "min_hole_to_hole": 0.25,
             "min_hole_clearance": 0.25, "min_silk_clearance": 0.0, "solder_mask_clearance": 0.0}  # fmt: skip
    severities = {"silk_overlap": "warning", "silk_over_copper": "warning", "courtyards_overlap": "error",
                  "missing_courtyard": "ignore", "footprint_type_mismatch": "ignore", "malformed_courtyard": "ignore",
                  "starved_thermal": "error", "isolated_copper": "warning"}  # fmt: skip
    return json.dumps({
        "board": {"design_settings": {"rules": rules, "rule_severities": severities,
                                      "track_widths": [0.0, 0.25, 0.5, 1.0],
                                      "via_dimensions": [{"diameter": 0.6, "drill": 0.3}],
                                      "meta": {"version": 2}}, "layer_presets": []},
        "meta": {"filename": spec["name"] + ".kicad_pro", "version": 1},
        "net_settings": {"classes": classes, "meta": {"version": 2}},
        "pcbnew": {"page_layout_descr_file": ""}, "sheets": [], "text_variables": {}}, indent=2) + "\n"  # fmt: skip


def rules(spec):
    gap = spec["gap"]
    lines = ["(version 1)"]
    for name in ("DOMAIN_W", "DOMAIN_M", "CONTACT"):
        lines += [f"(rule {name.lower()}",
                  f"  (condition \"A.NetClass == '{name}' && B.NetClass != '{name}' && B.NetName != ''\")",
                  f"  (constraint clearance (min {gap:.1f}mm)))"]  # fmt: skip
    return "\n".join(lines) + "\n"


def save(target, spec):
    for suffix, text in (("kicad_pro", project(spec)), ("kicad_dru", rules(spec))):
        with open(os.path.join(target, spec["name"] + "." + suffix), "w", encoding="utf-8") as file:
            file.write(text)


def steady(text):
    """Return the board's text with marks and order that do not change from run to run."""
    head, pieces, tail = [], [], []
    part = head
    for piece in re.split(
        r"\n(?=  \((?:footprint|gr_|zone|segment|via|net |layers|setup|general|paper|title))", text
    ):
        if piece.startswith("  (footprint"):
            pieces.append(piece)
            part = tail
        elif not pieces:
            head.append(piece)
        else:
            part.append(piece)
    plain = [re.sub(r"\(tstamp [-0-9a-f]+\)", "(tstamp ?)", piece) for piece in pieces]
    order = sorted(range(len(plain)), key=lambda k: re.search(r'fp_text reference "([^"]*)"', plain[k])[1])
    end = ""
    if tail and tail[-1].rstrip().endswith("\n)"):
        tail[-1], end = tail[-1].rstrip()[:-2], "\n)\n"
    elif not tail and plain:
        end = "\n)\n"
        plain = [piece.rstrip()[:-2] if piece.rstrip().endswith("\n)\n)") else piece for piece in plain]
    shapes = sorted(re.sub(r"\(tstamp [-0-9a-f]+\)", "(tstamp ?)", piece) for piece in tail)
    whole = "\n".join([*head, *(sort_inside(plain[k]) for k in order), *shapes]) + end
    count = [0]

    def mark(_):
        count[0] += 1
        return f"(tstamp {uuid.uuid5(uuid.NAMESPACE_URL, f'ipch board {count[0]}')})"

    return re.sub(r"\(tstamp \?\)", mark, whole)


def sort_inside(piece):
    """Order pads and graphics of a footprint by their text: KiCad orders equal ones by their random marks."""
    items = re.split(r"\n(?=    \()", piece.rstrip("\n"))
    tail = ""
    if items[-1].endswith("\n  )"):
        items[-1], tail = items[-1][:-4], "\n  )"
    kinds = [re.match(r"\s*\((\w+)", item)[1] for item in items]
    moved = [
        k
        for k, kind in enumerate(kinds)
        if kind in ("pad", "fp_line", "fp_circle", "fp_arc", "fp_poly", "fp_rect")
    ]
    for place, item in zip(
        moved, sorted((items[k] for k in moved), key=lambda text: (text.split()[0], text)), strict=False
    ):
        items[place] = item
    return "\n".join(items) + tail
