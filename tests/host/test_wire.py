from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipch import wire
from ipch.errors import ProtocolError


def test_joined_replies() -> None:
    assert wire.replies('1;0,"No error"') == ["1", '0,"No error"']
    assert wire.replies('-221,"Settings conflict;no target";2') == ['-221,"Settings conflict;no target"', "2"]


def test_echoed_headers_are_taken_off() -> None:
    assert wire.replies(":SENS:PRES 1.2340000;*IDN ipch,IPCH-1,1,0.1.0") == [
        "1.2340000",
        "ipch,IPCH-1,1,0.1.0",
    ]


def test_fields_with_strings() -> None:
    assert wire.fields('NAME,"one, two; ""three""",5,""') == ["NAME", 'one, two; "three"', "5", ""]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_any_text_comes_back_from_a_string_parameter(text: str) -> None:
    assert wire.fields(f"1,{wire.quote(text)},2") == ["1", text, "2"]
    assert wire.split_outside_quotes(f"{wire.quote(text)};x", ";") == [wire.quote(text), "x"]


def test_errors() -> None:
    assert wire.error('0,"No error"') == (0, "No error")
    assert wire.error('-222,"Data out of range;0 to ""5"""') == (-222, 'Data out of range;0 to "5"')
    for reply in ("", "0", "No error", '0,"No error'):
        with pytest.raises(ProtocolError):
            wire.error(reply)


def test_what_is_no_integer() -> None:
    assert wire.integer("-12", "a value") == -12
    with pytest.raises(ProtocolError, match=r"'1\.5' for a value"):
        wire.integer("1.5", "a value")


def test_a_header_within_a_quoted_reply_stays():
    assert wire.replies(':TRAC:REQ 1,2,":SOUR:PRES 5 BAR"') == ['1,2,":SOUR:PRES 5 BAR"']
    assert wire.replies('1,2,":SOUR:PRES 5 BAR"') == ['1,2,":SOUR:PRES 5 BAR"']
