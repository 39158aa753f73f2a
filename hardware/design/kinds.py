"""Kinds of parts: the pins of each, with the numbers of the package named in FOOTPRINTS, and its footprint.

pinouts.csv repeats the numbers from the data sheets; a test compares the two, and both with the pads.
"""

from __future__ import annotations

Pin = tuple[str, str, str]  # number, name, electrical type of SKiDL


def _pins(text: str, numbers: str = "") -> tuple[Pin, ...]:
    """Return pins from "NAME:TYPE" words; a word without a type is PASSIVE. Numbers count from 1 unless given."""
    types = {"I": "INPUT", "O": "OUTPUT", "OC": "OPENCOLL", "P": "PWRIN", "PO": "PWROUT", "B": "BIDIR",
             "T": "TRISTATE", "X": "NOCONNECT", "": "PASSIVE"}  # fmt: skip
    words = [word.partition(":") for word in text.split()]
    named = numbers.split() or [str(n) for n in range(1, len(words) + 1)]
    return tuple((number, name, types[kind]) for number, (name, _, kind) in zip(named, words, strict=True))


_DIODE = _pins("K A")
_QUAD_NAND = _pins("1A:I 1B:I 1Y:O 2A:I 2B:I 2Y:O GND:P 3Y:O 3A:I 3B:I 4Y:O 4A:I 4B:I VCC:P")
KINDS: dict[str, tuple[Pin, ...]] = {
    **dict.fromkeys(("R", "C", "CP", "FUSE", "PTC", "COIL", "BUTTON", "TVS2"), _pins("1 2")),
    **dict.fromkeys(("DIODE", "SCHOTTKY", "ZENER", "TVS", "LED", "LIMITER"), _DIODE),
    # SOT-23, two diodes in series: anode, cathode, joint.
    "CLAMP": _pins("LOW HIGH MID"),
    "SHUNT": _pins("K A NC:X"),
    # SOT-23.
    "NMOS": _pins("G:I S D"),
    "NPN": _pins("B:I E C"),
    # SOT-223: the tab is pin 2, the drain. A P-channel transistor numbered G, S, D would lie with its body diode
    # the wrong way round.
    "PMOS": _pins("G:I D S"),
    "LOWSIDE": _pins("IN:I D S"),
    "POT": _pins("TOP WIPER BOTTOM"),
    "RELAY": _pins("A1 A2 COM NO", "A1 A2 11 14"),
    "SOURCE": _pins("+:PO -:PO"),
    "BUCK": _pins("VIN:P GND:P VOUT:PO"),
    "DCDC": _pins("-VIN:P +VIN:P ON:X NC:X +VOUT:PO -VOUT:PO NC2:X", "1 2 3 5 6 7 8"),
    "REFERENCE": _pins("VIN:P VOUT:O GND:P"),
    "EFUSE": _pins(
        "IN:P IN2:P IN3:P B_GATE:X DRV:X IN_SYS:P UVLO:I OVP:I GND:P DVDT ILIM MODE:I SHDN:I IMON FLT:OC "
        "PGTH:I PGOOD:X OUT:PO OUT2 OUT3 PAD:P"
    ),
    "COMPARATOR": _pins(
        "OUTB:OC OUTA:OC VCC:P INA-:I INA+:I INB-:I INB+:I INC-:I INC+:I IND-:I IND+:I GND:P OUTD:OC OUTC:OC"
    ),
    "NAND": _QUAD_NAND,
    "OPAMP": _pins("OUT:O V-:P IN+:I IN-:I V+:P"),
    "ISOLATOR": _pins("VDD1:P VIA:I VIB:I GND1:P GND2:P VOB:X VOA:O VDD2:P"),
    # Side 2 has the usual levels of the bus; side 1 cannot pull below 0.6 V, which the Pico need not accept as low.
    "BUS_ISOLATOR": _pins("VDD1:P SDA1:B SCL1:B GND1:P GND2:P SCL2:B SDA2:B VDD2:P"),
    "ADS1115": _pins("ADDR:I ALERT:X GND:P AIN0:I AIN1:I AIN2:I AIN3:I VDD:P SDA:B SCL:I"),
    "TMP117": _pins("SCL:I GND:P ALERT:X ADD0:I V+:P SDA:B"),
    "MAX31865": _pins(
        "DRDY:O DVDD:P VDD:P BIAS REFIN+:I REFIN- ISENSOR FORCE+ FORCE2 RTDIN+:I RTDIN-:I FORCE- GND2:P SDI:I "
        "SCLK:I CS:I SDO:T DGND:P GND1:P NC:X"
    ),
    "PT1000": _pins("A A' B B'"),
    "TRANSDUCER": _pins("1 2"),
    "TEST": _pins("1"),
    "HOLE": (),
    **{f"TERMINALS{n}": _pins(" ".join(str(i) for i in range(1, n + 1))) for n in (2, 3, 4, 5, 6, 10)},
}

# GPIO number -> physical pin of the Raspberry Pi Pico.
_PHYSICAL = (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 19, 20, 21, 22, 24, 25, 26, 27, 29)
_OUTPUTS = (1, *range(2, 8), 14, 17, 18, 19, 22)
KINDS["PICO"] = (
    *(
        (str(pin), f"GP{gp}", "BIDIR" if gp == 0 else "OUTPUT" if gp in _OUTPUTS else "INPUT")
        for gp, pin in enumerate(_PHYSICAL)
    ),
    ("31", "GP26", "INPUT"),
    ("32", "GP27", "OUTPUT"),
    ("34", "GP28", "INPUT"),
    ("LED", "GP25", "NOCONNECT"),  # inside the module
    ("30", "RUN", "NOCONNECT"),
    ("33", "AGND", "PWRIN"),
    ("35", "ADC_VREF", "NOCONNECT"),
    ("36", "3V3", "PWROUT"),
    ("37", "3V3_EN", "NOCONNECT"),
    ("38", "GND", "PWRIN"),
    *((str(pin), f"GND{pin}", "PWRIN") for pin in (3, 8, 13, 18, 23, 28)),
    ("39", "VSYS", "PWRIN"),
    ("40", "VBUS", "NOCONNECT"),
)

_SOT23, _SOT223 = "Package_TO_SOT_SMD:SOT-23", "Package_TO_SOT_SMD:SOT-223-3_TabPin2"
_SO8, _SO14 = "Package_SO:SOIC-8_3.9x4.9mm_P1.27mm", "Package_SO:SOIC-14_3.9x8.7mm_P1.27mm"
_SOD, _SMA, _SMB = "Diode_SMD:D_SOD-123", "Diode_SMD:D_SMA", "Diode_SMD:D_SMB"
_R12, _C12 = "Resistor_SMD:R_1206_3216Metric", "Capacitor_SMD:C_1206_3216Metric"
_MC = "Connector_Phoenix_MC:PhoenixContact_MC_1,5_{n}-G-3.81_1x0{n}_P3.81mm_Horizontal"
_MSTBA = "Connector_Phoenix_MSTB:PhoenixContact_MSTBA_2,5_{n}-G-5,08_1x{n:02d}_P5.08mm_Horizontal"
# The footprint of each kind, in KiCad's own libraries but for the Pico's sockets.
FOOTPRINTS = {
    "R": "Resistor_SMD:R_0805_2012Metric", "C": "Capacitor_SMD:C_0805_2012Metric",
    "PTC": "Fuse:Fuse_1812_4532Metric", "DIODE": _SOD, "SCHOTTKY": _SMA, "ZENER": _SOD, "TVS": _SMA, "TVS2": _SMB,
    "LED": "LED_THT:LED_D5.0mm", "LIMITER": _SMB, "CLAMP": _SOT23, "SHUNT": _SOT23, "NMOS": _SOT23, "NPN": _SOT23,
    "PMOS": _SOT223, "LOWSIDE": _SOT223, "REFERENCE": _SOT23,
    "POT": "Potentiometer_THT:Potentiometer_Bourns_3296W_Vertical",
    "RELAY": "Relay_THT:Relay_SPST_Schrack-RT1-FormA_RM5mm",
    "BUCK": "Converter_DCDC:Converter_DCDC_RECOM_R-78HB-0.5_THT",
    "DCDC": "Converter_DCDC:Converter_DCDC_TRACO_TMR-xxxx_THT",
    "EFUSE": "Package_SO:HTSSOP-20-1EP_4.4x6.5mm_P0.65mm_EP3.4x6.5mm_Mask2.96x2.96mm",
    "COMPARATOR": _SO14, "NAND": _SO14, "OPAMP": "Package_TO_SOT_SMD:SOT-23-5", "ISOLATOR": _SO8,
    "BUS_ISOLATOR": _SO8, "ADS1115": "Package_SO:VSSOP-10_3x3mm_P0.5mm",
    "MAX31865": "Package_SO:SSOP-20_5.3x7.2mm_P0.65mm", "PICO": "ipch:RaspberryPi_Pico_Sockets",
    "TEST": "TestPoint:TestPoint_THTPad_D1.5mm_Drill0.7mm", "HOLE": "MountingHole:MountingHole_3.2mm_M3",
    "FUSE": "Fuse:Fuseholder_Clip-5x20mm_Littelfuse_111_Inline_P20.00x5.00mm_D1.05mm_Horizontal",
    **{f"TERMINALS{n}": _MC.format(n=n) for n in (3, 4, 5, 6)},
    **{f"TERMINALS{n}": _MSTBA.format(n=n) for n in (2, 10)},
}  # fmt: skip
# Parts that need another one than their kind has.
SPECIAL = {
    **dict.fromkeys(("D1", "D2", "D10", "D16", "D17", "D18", "D31", "D32", "D33"), _SMB),
    **dict.fromkeys(("D60", "D61"), _SMA),
    **dict.fromkeys(("D62",), _SOD),
    **dict.fromkeys(("R5", "R31", "R32", "R33", "R34", "R35", "R51", "R52", "R53", "R88"), _R12),
    **dict.fromkeys(("C4", "C50", "C51", "C46", "C48", "C49", "C3"), _C12),
    "R36": "Resistor_THT:R_Axial_DIN0614_L14.3mm_D5.7mm_P20.32mm_Horizontal",
    "C1": "Capacitor_THT:CP_Radial_D10.0mm_P5.00mm",
    "C2": "Capacitor_THT:CP_Radial_D25.0mm_P10.00mm_SnapIn",
    "J1": _MSTBA.format(n=4),
    "X6": _MC.format(n=2),
}


def footprint(ref: str, kind: str) -> str:
    """Return "library:name" of a part on the board; KeyError for a kind without one."""
    return SPECIAL.get(ref) or FOOTPRINTS[kind]
