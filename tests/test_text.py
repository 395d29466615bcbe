"""Text from outside made safe: whatever it holds, nothing to obey is left, in linear time."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.text import as_json, clean, escape, one_line

MEGABYTE = 1_000_000
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
SHAPES = {
    "OSC openers": "\x1b]",
    "OSC without an end": "\x1b]0;" + "a" * 4000,
    "OSC longer than its bound": "\x1b]0;" + "a" * 5000 + "\x07",
    "C1 OSC openers": "\x9d",
    "C1 DCS in C1 APC": "\x90\x9f\x98\x9e",
    "CSI openers": "\x1b[",
    "C1 CSI openers": "\x9b1;",
    "CSI parameters without an end": "\x1b[" + "1;" * 400 + " " * 400,
    "two-byte escapes without an end": "\x1b" + " " * 8,
    "escapes": "\x1b",
    "string terminators": "\x1b\\",
    "bidi": "\u202e\u2066",
    "zero width": "\u200b\u200d",
    "tags": "\U000e0041",
    "surrogates": "\ud800",
    "line ends": "\r\n\u2028",
    "markup": "[/][@click=app.quit]",
    "forged tags": "</signal>&",
    "spaces": " ",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_megabyte_takes_less_than_a_second(shape: str) -> None:
    hostile = SHAPES[shape] * (MEGABYTE // len(SHAPES[shape]))
    nested = SHAPES[shape] * (MEGABYTE // len(SHAPES[shape]) // 2) + "\x07" * (MEGABYTE // 2)
    began = time.process_time()
    for made in (clean(hostile), clean(nested), one_line(hostile), escape(hostile), as_json([hostile])):
        assert not OBEYED.search(made)
    assert time.process_time() - began < 2


@given(st.text(st.sampled_from("\x1b\x9b\x9d\x90\x9c\x07[]P\\0;1ma<>&\r\n\u202e\u200b\ud800"), max_size=60))
def test_nothing_to_obey_is_left_of_any_text(text: str) -> None:
    for made in (clean(text), one_line(text), escape(text), as_json({text: [text, (text,)]})):
        assert not OBEYED.search(made)
    assert clean(clean(text)) == clean(text)
    assert not re.search("[<>]", escape(text))


def test_a_whole_sequence_goes_with_its_body() -> None:
    assert clean("a\x1b]0;title\x07b\x1b[31mc\x1b]8;;https://evil.example\x1b\\d\x9d0;x\x9ce") == "abcde"
    assert as_json({"k\x1b]0;t\x07": "v\x1b[1m"}) == '{"k": "v"}'
    assert (
        clean("as it is: \\x1b]0;title\\x07 [b] naïve 日本\n\tтак")
        == "as it is: \\x1b]0;title\\x07 [b] naïve 日本\n\tтак"
    )
