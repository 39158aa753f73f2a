from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipch.device import scpi
from ipch.errors import ProtocolError


def test_joined_replies() -> None:
    assert scpi.replies('1;0,"No error"') == ["1", '0,"No error"']
    assert scpi.replies('-221,"Settings conflict;no target";2') == ['-221,"Settings conflict;no target"', "2"]


def test_echoed_headers_are_taken_off() -> None:
    assert scpi.replies(":SENS:PRES 1.2340000;*IDN ipch,IPCH-1,1,0.1.0") == [
        "1.2340000",
        "ipch,IPCH-1,1,0.1.0",
    ]


def test_fields_with_strings() -> None:
    assert scpi.fields('NAME,"one, two; ""three""",5,""') == ["NAME", 'one, two; "three"', "5", ""]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_any_text_comes_back_from_a_string_parameter(text: str) -> None:
    assert scpi.fields(f"1,{scpi.quote(text)},2") == ["1", text, "2"]
    assert scpi.split_outside_quotes(f"{scpi.quote(text)};x", ";") == [scpi.quote(text), "x"]


def test_errors() -> None:
    assert scpi.error('0,"No error"') == (0, "No error")
    assert scpi.error('-222,"Data out of range;0 to ""5"""') == (-222, 'Data out of range;0 to "5"')
    for reply in ("", "0", "No error", '0,"No error'):
        with pytest.raises(ProtocolError):
            scpi.error(reply)


def test_what_is_no_integer() -> None:
    assert scpi.integer("-12", "a value") == -12
    with pytest.raises(ProtocolError, match=r"'1\.5' for a value"):
        scpi.integer("1.5", "a value")


def test_a_header_within_a_quoted_reply_stays():
    assert scpi.replies(':TRAC:REQ 1,2,":SOUR:PRES 5 BAR"') == ['1,2,":SOUR:PRES 5 BAR"']
    assert scpi.replies('1,2,":SOUR:PRES 5 BAR"') == ['1,2,":SOUR:PRES 5 BAR"']
