"""Write answers.txt: what another implementation of SCPI makes of some messages.

    git clone https://github.com/j123b567/scpi-parser && git -C scpi-parser checkout COMMIT
    make -C scpi-parser/libscpi && python tests/core/reference/record.py scpi-parser

The other one is scpi-parser (C, BSD-2-Clause) by Jan Breuer. Nothing of it is kept here but its answers, so
that neither a compiler nor the network is needed to compare. COMMIT is in the file that this writes.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = HERE / "answers.txt"

HEADERS = """
:SOUR:VOLT:SLEW 5|source:voltage:slew 5|SoUr:VoLtAgE:sLeW 5|SOURC:SLEW 5|SOU:SLEW 5|SOURCES:SLEW 5
SOUR:VOLTA:SLEW 5|:SOUR:SLE 5|:SOUR 5|:SOUR:VOLT 5|:SOUR:LEV 5|:SOUR:IMM 5|:SOUR:AMPL 5
:SOUR:VOLT:LEV:IMM:AMPL 5|:SOUR:LEV:AMPL 5|:SOUR:VOLT:AMPL 5|:SOUR:AMPL:IMM 5|:SOUR:LEV:VOLT 5|:SOUR1 5
:SOUR1:VOLT:SLEW 5|:SOUR2 5|:SOURCE1? |:SOUR0?|:SOUR11?|:SENS?|:SENS1?|:SENSE?|:SENSE1:VOLT?|:SENS2?
:SENS:SLEW?|:SENS 5|:SENS:FOO?|:OUTP ON|:OUTP1:STAT OFF|:OUTP:STATE?|*IDN?|*idn?|:*IDN?|*IDN|*XYZ|*XYZ?|*
*CLS|*CLS?|*WAI?|:DIAG:VALV?|:DIAG:VALV3?|:DIAGNOSTIC:VALVE12?|:DIAG:VALVES?|:DIAG:VALV2?;VALV?|FOO|FOO?
:FOO:BAR?|SOUR:FOO 5|:SYST:NOTH|:SYST:NOTHING|:SYST:NOTH?|:SYST:NOTH 1|:SYST|:SOUR:VOLT:SLEW 5;SLEW:MODE LIN
:SOUR:SLEW 5;SLEW:MODE MAX|:SOUR:VOLT:SLEW:MODE LIN;MODE OFF;MODE?|:SOUR:VOLT 5;SLEW 6;VOLT:SLEW 7
:SOUR:VOLT 5;VOLT:SLEW 7;SLEW 8|:SOUR:VOLT:SLEW 5;SOUR:SLEW 6|:SOUR:SLEW 5;VOLT 6
:SOUR:VOLT:SLEW:MODE LIN;SLEW 6|:SOUR:VOLT:SLEW 5;:OUTP ON|SOUR:SLEW 5 ; :SOUR:SLEW 6
:SOUR:VOLT:LEV 5;LEV:IMM 6|:SOUR:VOLT:SLEW 5;*IDN?;SLEW?;*OPC?;SLEW:MODE?|*IDN?;SENS?;SOUR?
SENS?;SOUR?;OUTP?|:SENS?;:SOUR 5;:SENS:SLEW?;SLEW?|:SENS:SLEW?;:SOUR:SLEW?;SLEW:MODE?|*ESE 5;*ESE?
:SOUR:SLEW 5;*ESE 7;*ESE?;SLEW?|*SRE 16;*SRE?|*SRE?;*ESE?|*OPC?;*WAI|:SYST:NAME 'a';NOTH;PAIR 1,2
:SYST:NOTH;NOTH;NOTH|:SYST:NOTH;:SYST:NOTH|:OUTP ON;OUTP OFF;OUTP?|:OUTP:STAT ON;STAT?
"""
PARAMETERS = '''
:SOUR 1|:SOUR +1|:SOUR -1|:SOUR 1.|:SOUR .5|:SOUR -.5|:SOUR +.5E+1|:SOUR 1.5e-3|:SOUR 12E2|:SOUR 0012
:SOUR 1E3|:SOUR 1.25|:SOUR 0|:SOUR -0.0|:SOUR 0.1|:SOUR 0.3|:SOUR 123456.789|:SOUR 1 E2|:SOUR 1 E +2
:SOUR 1E 2|:SOUR 0.000001|:SOUR 5 V|:SOUR 5V|:SOUR 5 MV|:SOUR 5MV|:SOUR 5 kv|:SOUR 5 UV|:SOUR 1.5E2 MV
:SOUR 1.5E2MV|:SOUR 5 OHM|:SOUR 5 XX|:SOUR 5 VV|:SOUR 5 V 5|:SOUR MIN|:SOUR MAX|:SOUR DEF|:SOUR minimum
:SOUR Maximum|:SOUR default|:SOUR MA|:SOUR MINI|:SOUR|:SOUR |:SOUR 1,2|:SOUR ,|:SOUR 1,|:SOUR ,1|:SOUR abc
:SOUR 'five'|:SOUR "5"|:SOUR ON|:SOUR +|:SOUR -|:SOUR 1.2.3|:SOUR 1-2|:SOUR --1|:SOUR 1..|:SOUR 1E--5
:SOUR:SLEW 5|:SOUR:SLEW 5.4|:SOUR:SLEW 5.6|:SOUR:SLEW 5 V|:SOUR:SLEW 1E5|:SOUR:SLEW -7|:SOUR:SLEW #HFF
:SOUR:SLEW:MODE LIN|:SOUR:SLEW:MODE linear|:SOUR:SLEW:MODE max|:SOUR:SLEW:MODE LINE|:SOUR:SLEW:MODE FAST
:SOUR:SLEW:MODE 1|:SOUR:SLEW:MODE|:SOUR:SLEW:MODE 'LIN'|:SOUR:SLEW:MODE LIN,OFF|:OUTP ON|:OUTP on|:OUTP Off
:OUTP 1|:OUTP 0|:OUTP MAYBE|:OUTP|:OUTP 1,0|:OUTP 'ON'|:OUTP ON;STAT|:SENS? 1|*IDN? 1|*ESE 255|*ESE 0
*ESE #H1F|*ESE #hff|*ESE #Q17|*ESE #B101|*ESE #b1|*ESE|*ESE 1,2|*ESE ABC|*ESE 'a'|*ESE 5 V|*ESE #HG
:SYST:NAME 'abc'|:SYST:NAME "abc"|:SYST:NAME ''|:SYST:NAME 'it''s'|:SYST:NAME "it's"|:SYST:NAME "say ""hi"""
:SYST:NAME 'a;b';NOTH|:SYST:NAME "a,b"|:SYST:NAME 'a,b;c:d';NOTH|:SYST:NAME abc|:SYST:NAME 5|:SYST:NAME
:SYST:NAME 'a','b'|:SYST:NAME 'abc|:SYST:NAME "abc'|:SYST:PAIR 1,2|:SYST:PAIR 1 , 2|:SYST:PAIR 1,2,3
:SYST:PAIR 1|:SYST:PAIR|:SYST:PAIR 1;NOTH|:SYST:PAIR -1.6,2E1|:SYST:PAIR ,|:SYST:PAIR 1,,2|:SYST:PAIR 'a',1
:SYST:PAIR 1,'a'|:SENS?;;:SENS?|;|;;;|  |  *IDN? |*IDN?;|;*IDN?|:SENS? ;:OUTP? ; |:SOUR   5|:SOUR\t5
\t:SENS?\t|:SOUR \t 5 \t|:SENS? ?|:SENS ?|: SENS?|:SENS: SLEW?|SENS::SLEW?|::SENS?|:SENS:|:|?|5|'a'|#|&
:SENS?5|:SOUR5|*IDN??|*IDN? ?|SETUP&
'''
# Headers from the root, with what may be left out in brackets, and parameters; relative ones are tails.
UNITS = (
    ("SOURce1 [VOLTage] [LEVel] [IMMediate] [AMPLitude]", "5|2 KV|1.5E1|MAX|#|ON|1,2|"),
    ("SOURce [VOLTage] SLEW", "5|7|5 V|"),
    ("SOURce1 [VOLTage] SLEW MODE", "LIN|MAXIMUM|off|FAST|"),
    ("SENSe [VOLTage]", ""),
    ("SENSe1 [VOLTage] SLEW", ""),
    ("OUTPut [STATe]", "ON|0|Off|2|"),
    ("DIAGnostic VALVe2", ""),
    ("SYSTem NAME", "'a;b'|\"x,y\"|'it''s'|"),
    ("SYSTem PAIR", "1,2|1, 2|3|4,5,6|"),
    ("SYSTem NOTHing", "|1"),
    ("SYSTem FOO", "5|"),
    ("*ESE", "4|#H10|"),
    ("*IDN", ""),
)


def unit(chance: random.Random) -> str:
    """A command or query that is often right."""
    pattern, parameters = chance.choice(UNITS)
    words = [word for word in pattern.split() if word[0] != "[" or chance.random() < 0.4]
    forms = [form(word.strip("[]"), chance) for word in words]
    if pattern[0] == "*":
        header = forms[0]
    elif chance.random() < 0.45:
        header = ":".join(forms[-chance.randint(1, len(forms)) :])
    else:
        header = ":" + ":".join(forms)
    if chance.random() < 0.45:
        return header + "?"
    return f"{header} {chance.choice(parameters.split('|'))}".rstrip()


def form(word: str, chance: random.Random) -> str:
    """A keyword in short or long form, now and then in lower case or wrong."""
    name = word.rstrip("12")
    short = name.rstrip("abcdefghijklmnopqrstuvwxyz") + word[len(name) :]
    text = chance.choice((short, short, word.upper(), word.lower()))
    return text if chance.random() < 0.98 else text + "X"


def messages() -> list[str]:
    """Messages that show a rule each, then random ones from the grammar."""
    found = [
        text.replace("\\t", "\t") for text in (HEADERS + PARAMETERS).replace("\n", "|").split("|") if text
    ]
    chance = random.Random(1999)
    seen = set(found)
    while len(found) < 1500:
        text = chance.choice((";", ";", " ; ")).join(unit(chance) for _ in range(chance.randint(1, 4)))
        if text not in seen and len(text) <= 256:
            seen.add(text)
            found.append(text)
    return found


def main() -> None:
    """Build the other implementation's answering machine, ask it, write what it said."""
    library = Path(sys.argv[1])
    commit = subprocess.run(
        ["git", "-C", str(library), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "reference"
        archive = library / "libscpi/dist/libscpi.a"
        subprocess.run(
            ["cc", "-I", library / "libscpi/inc", "-o", program, HERE / "scpi_parser.c", archive, "-lm"],
            check=True,
        )
        asked = messages()
        answers = subprocess.run(
            [program], input="\n".join(asked) + "\n", capture_output=True, text=True, check=True
        ).stdout.splitlines()
    assert len(answers) == len(asked)
    with OUT.open("w") as out:
        out.write(f"# What scpi-parser {commit} makes of some messages: ")
        out.write("a message, two bars, and what it did, replied and refused.\n")
        for message, answer in zip(asked, answers, strict=True):
            out.write(f"{message.replace(chr(9), '<TAB>')}||{answer}\n")


if __name__ == "__main__":
    main()
