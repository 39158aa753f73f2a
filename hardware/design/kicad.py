"""Makes the KiCad 6 project from board.py's description on stdin; runs in a Python that has KiCad's pcbnew.

Places the parts of each block in rows, pours copper, checks the design rules, plots both sides. Routes nothing. The
last line of stdout is a report as JSON.
"""

import itertools
import json
import os
import re
import sys

import pcbnew
from kicad_files import project, rules, save, steady

LIBRARY = "/usr/share/kicad/footprints"
ORIGIN = (50.0, 40.0)  # of the board on the sheet, mm
ROW_GAP, GAP = 1.7, 0.7  # between rows, with room for the references; between parts


def mm(value):
    return pcbnew.FromMM(float(value))


def at(x, y):
    return pcbnew.wxPoint(mm(ORIGIN[0] + x), mm(ORIGIN[1] + y))


def box(footprint):
    """Return the courtyard as (left, top, right, bottom) in mm, on the board."""
    found = None
    for item in footprint.GraphicalItems():
        if item.GetLayer() == pcbnew.F_CrtYd:
            if found is None:
                found = item.GetBoundingBox()
            else:
                found.Merge(item.GetBoundingBox())
    if found is None:
        found = footprint.GetBoundingBox(False, False)
    edges = (found.GetLeft(), found.GetTop(), found.GetRight(), found.GetBottom())
    return tuple(pcbnew.ToMM(edge) - ORIGIN[k % 2] for k, edge in enumerate(edges))


def load(spec, board):
    nets = {}
    for part in spec["parts"]:
        for net in part["pads"].values():
            if net not in nets:
                nets[net] = pcbnew.NETINFO_ITEM(board, net)
                board.Add(nets[net])
    loaded, read = {}, {}
    for part in spec["parts"]:
        library, name = part["footprint"].split(":")
        path = os.path.join(spec["folder"] if library == "ipch" else LIBRARY, library + ".pretty")
        if (path, name) not in read:
            read[path, name] = pcbnew.FootprintLoad(path, name)
        if read[path, name] is None:
            raise SystemExit("no footprint {}".format(part["footprint"]))
        footprint = pcbnew.FOOTPRINT(read[path, name])
        footprint.SetFPIDAsString(part["footprint"])
        footprint.SetReference(part["ref"])
        footprint.SetValue(part["value"])
        missing = set(part["pads"])
        for pad in footprint.Pads():
            if pad.GetNumber() in part["pads"]:
                pad.SetNet(nets[part["pads"][pad.GetNumber()]])
                missing.discard(pad.GetNumber())
        if missing:
            raise SystemExit("{}: no pads {}".format(part["ref"], sorted(missing)))
        board.Add(footprint)
        loaded[part["ref"]] = footprint
    return loaded


def move(footprint, x, y, rotation=0.0):
    footprint.SetPosition(at(x, y))
    footprint.SetOrientationDegrees(rotation)


def pack(footprints, region):
    """Place footprints in rows from the upper left corner of a region; return how far down they reach."""
    left, top, right, bottom = region
    x, y, lowest = left, top, top
    for footprint in footprints:
        move(footprint, 0, 0)
        a, b, c, d = box(footprint)
        # What is longer than the region is wide stands upright.
        if c - a > right - left:
            move(footprint, 0, 0, 90.0)
            a, b, c, d = box(footprint)
        if x + (c - a) > right:
            x, y = left, lowest + ROW_GAP
        move(footprint, x - a, y - b, footprint.GetOrientationDegrees())
        x += c - a + GAP
        lowest = max(lowest, y + d - b)
    if lowest > bottom + 0.01:
        raise SystemExit(f"region {region} is too small: {lowest - bottom:.1f} mm below its end")
    return lowest


def place(spec, loaded):
    for part in spec["parts"]:
        if part["at"]:
            move(loaded[part["ref"]], *part["at"])
    for name, region in spec["regions"].items():
        wanted = [p for p in spec["parts"] if p["region"] == name and not p["at"]]
        heights = {}
        for part in wanted:
            _, b, _, d = box(loaded[part["ref"]])
            heights[part["ref"]] = d - b
        # Tall parts first; the rest in the order of the circuit, so that neighbours stay neighbours.
        tall = [p for p in wanted if heights[p["ref"]] > 8]
        rest = [p for p in wanted if heights[p["ref"]] <= 8]
        pack([loaded[p["ref"]] for p in tall + rest], region)


def letter(footprint, ref):
    """Put the reference above the part, small, and hide the value."""
    a, b, c, d = box(footprint)
    text = footprint.Reference()
    text.SetTextSize(pcbnew.wxSize(mm(0.8), mm(0.8)))
    text.SetTextThickness(mm(0.13))
    text.SetLayer(pcbnew.F_SilkS)
    text.SetTextAngle(0.0)
    text.SetKeepUpright(True)
    edge = ref[0] in "XJ"
    y = (d + 0.8 if b < 3 else b - 0.8) if edge or ref[0] == "H" else b - 0.75
    if footprint.GetOrientationDegrees() == 90.0 and c - a < 2.5:
        y = b - 1.1
    text.SetPosition(at((a + c) / 2, y))
    footprint.Value().SetVisible(False)
    for item in list(footprint.GraphicalItems()):
        if (
            isinstance(item, pcbnew.FP_TEXT)
            and item.GetLayer() == pcbnew.F_SilkS
            and item.GetText() == "${REFERENCE}"
        ):
            item.SetVisible(False)


def outline(board, size):
    w, h = size
    corners = [(0, 0), (w, 0), (w, h), (0, h), (0, 0)]
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        line = pcbnew.PCB_SHAPE(board)
        line.SetShape(pcbnew.SHAPE_T_SEGMENT)
        line.SetStart(at(x0, y0))
        line.SetEnd(at(x1, y1))
        line.SetLayer(pcbnew.Edge_Cuts)
        line.SetWidth(mm(0.1))
        board.Add(line)


def label(board, text, x, y, size=1.2):
    item = pcbnew.PCB_TEXT(board)
    item.SetText(text)
    item.SetPosition(at(x, y))
    item.SetLayer(pcbnew.F_SilkS)
    item.SetTextSize(pcbnew.wxSize(mm(size), mm(size)))
    item.SetTextThickness(mm(0.15))
    board.Add(item)


def pour(board, zones):
    nets = board.GetNetsByName()
    for zone in zones:
        for layer in (pcbnew.F_Cu, pcbnew.B_Cu):
            area = pcbnew.ZONE(board)
            area.SetLayer(layer)
            area.SetNetCode(nets[zone["net"]].GetNetCode())
            points = area.Outline()
            points.NewOutline()
            for x, y in zone["outline"]:
                point = at(x, y)
                points.Append(point.x, point.y)
            area.SetLocalClearance(mm(0.3))
            area.SetMinThickness(mm(0.25))
            area.SetThermalReliefGap(mm(0.4))
            area.SetThermalReliefSpokeWidth(mm(0.5))
            area.SetPadConnection(pcbnew.ZONE_CONNECTION_THERMAL)
            area.SetIslandRemovalMode(pcbnew.ISLAND_REMOVAL_MODE_NEVER)
            board.Add(area)


def plot(board, target, size):
    """Write a picture of each side: pads, silk screen and outline."""
    control = pcbnew.PLOT_CONTROLLER(board)
    options = control.GetPlotOptions()
    options.SetOutputDirectory(target)
    options.SetPlotFrameRef(False)
    for side, layers in (
        ("top", ((pcbnew.F_Mask, "#c08a2a"), (pcbnew.F_SilkS, "#000000"), (pcbnew.Edge_Cuts, "#0b4f8a"))),
        ("bottom", ((pcbnew.B_Mask, "#c08a2a"), (pcbnew.B_SilkS, "#000000"), (pcbnew.Edge_Cuts, "#0b4f8a"))),
    ):
        pieces = []
        for layer, colour in layers:
            control.SetLayer(layer)
            control.OpenPlotfile("part", pcbnew.PLOT_FORMAT_SVG, "")
            control.PlotLayer()
            name = control.GetPlotFileName()
            control.ClosePlot()
            with open(name, encoding="utf-8") as file:
                text = file.read()
            os.remove(name)
            body = text[text.index("<g ") : text.rindex("</svg>")]
            body = re.sub(r"<text .*?</text>|<desc>.*?</desc>", "", body, flags=re.DOTALL)
            body = re.sub(r"(?<![\d.#])\d{4,}(?:\.\d+)?", lambda m: "%.2f" % (float(m[0]) / 1e6), body)
            body = body.replace("#000000", colour)
            pieces.append(re.sub(r"\s*\n\s*", "\n", body))
        flip = (
            ' transform="translate(%g 0) scale(-1 1)"' % (2 * ORIGIN[0] + size[0]) if side == "bottom" else ""
        )
        wide, high = size[0] + 4, size[1] + 4
        view = f"{ORIGIN[0] - 2:g} {ORIGIN[1] - 2:g} {wide:g} {high:g}"
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:g}mm" height="{high:g}mm" viewBox="{view}">'
        white = '<rect x="0" y="0" width="400" height="400" fill="#ffffff"/>'
        with open(os.path.join(target, side + ".svg"), "w", encoding="utf-8") as file:
            file.write("\n".join((head, white, f"<g{flip}>", *pieces, "</g>", "</svg>", "")))


def check(board, path):
    """Return the violations of the design rules as text."""
    report = path + ".drc"
    pcbnew.WriteDRCReport(board, report, pcbnew.EDA_UNITS_MILLIMETRES, True)
    with open(report, encoding="utf-8") as file:
        text = file.read()
    os.remove(report)
    return text


def main():
    spec = json.load(sys.stdin)
    target = spec["target"]
    os.makedirs(target, exist_ok=True)
    path = os.path.join(target, spec["name"] + ".kicad_pcb")
    save(target, spec)
    board = pcbnew.NewBoard(path)
    loaded = load(spec, board)
    place(spec, loaded)
    for ref, footprint in loaded.items():
        letter(footprint, ref)
    outline(board, spec["size"])
    w, h = spec["size"]
    label(board, "{}  revision {}".format(spec["title"], spec["revision"]), w / 2 + 30, h - 1.6, 1.0)
    title = board.GetTitleBlock()
    title.SetTitle(spec["title"])
    title.SetRevision(spec["revision"])
    pour(board, spec["zones"])
    pcbnew.SaveBoard(path, board)
    with open(path, encoding="utf-8") as file:
        text = steady(file.read())
    # The checks need the pours filled; the project is kept without, KiCad fills them again.
    filled = os.path.join(target, "filled.kicad_pcb")
    with open(filled, "w", encoding="utf-8") as file:
        file.write(text)
    for suffix, words in (("kicad_pro", project(spec)), ("kicad_dru", rules(spec))):
        with open(os.path.join(target, "filled." + suffix), "w", encoding="utf-8") as file:
            file.write(words)
    board = pcbnew.LoadBoard(filled)
    pcbnew.ZONE_FILLER(board).Fill(board.Zones())
    drc = check(board, filled)
    plot(board, target, spec["size"])
    for name in os.listdir(target):
        if name.startswith("filled.") or name.endswith(".kicad_prl"):
            os.remove(os.path.join(target, name))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    save(target, spec)
    nets = {}
    for footprint in board.GetFootprints():
        for pad in footprint.Pads():
            if pad.GetNetname():
                nets.setdefault(pad.GetNetname(), []).append([footprint.GetReference(), pad.GetNumber()])
    print(json.dumps({"footprints": len(board.GetFootprints()), "nets": nets, "drc": drc}))


if __name__ == "__main__":
    main()
