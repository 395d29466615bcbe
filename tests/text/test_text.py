"""Text from outside made safe: whatever it holds, nothing to obey is left, in linear time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pepper_tui.text import as_json, attribute, clean, escape, hidden, one_line, spelled, unescaped, visible
from tests.growth import check_growth

LONG = 40_000
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
MARKS = regex.compile(r"[\p{M}\u1161-\u11ff\ud7b0-\ud7fb]")
WIDE = regex.compile(r"[\p{East_Asian_Width=W}\p{East_Asian_Width=F}]")
UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{C}\u2800--[\n\t]]", regex.V1)
SPACES = "\t\n \xa0\u2009\u202f\u3000"
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
    "fillers": "\u3164",
    "selectors": "\ufe00\U000e0100\ufe0f",
    "joined pictographs": "\U0001f469\u200d",
    "joined letters": "\u0915\u094d\u200d",
    "marks": "\u0301",
    "marked letters": "e\u0301",
    "surrogates": "\ud800",
    "line ends": "\r\n\u2028",
    "markup": "[/][@click=app.quit]",
    "forged tags": "</signal>&",
    "spaces": " ",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_to_obey_is_left_of_a_long_text(shape: str) -> None:
    hostile = SHAPES[shape] * (LONG // len(SHAPES[shape]))
    nested = SHAPES[shape] * (LONG // len(SHAPES[shape]) // 2) + "\x07" * (LONG // 2)
    for made in (clean(hostile), clean(nested), one_line(hostile), escape(hostile), as_json([hostile])):
        assert not OBEYED.search(made)


@given(st.text(st.sampled_from("\x1b\x9b\x9d\x90\x9c\x07[]P\\0;1ma<>&\r\n\u202e\u200b\ud800"), max_size=60))
def test_nothing_to_obey_is_left_of_any_text(text: str) -> None:
    for made in (clean(text), one_line(text), escape(text), as_json({text: [text, (text,)]})):
        assert not OBEYED.search(made)
    assert clean(clean(text)) == clean(text)
    assert not re.search(r"<\s*[/!?]?\s*[a-z]", escape(text))


TAGGED = "<>&;amplt/!?- \n\t@.x1\"'"


@given(st.text(st.sampled_from(TAGGED), max_size=60))
def test_a_prompt_holds_no_tag_of_anothers_and_what_is_copied_from_it_is_what_was_meant(text: str) -> None:
    made = escape(text)
    for opened in re.finditer(r"<\s{0,8}(?:[/!?]\s{0,8})?(?:[a-z]|--)", made):
        assert re.match(r"<\w[^\s<>]*@[A-Za-z0-9.-]+>", made[opened.start() :]), "no address, and could open a tag"
    assert unescaped(made) == clean(text)
    assert not re.search('[">\n]', attribute(text))


@pytest.mark.parametrize("text", ["R&D: 3 < 4", "<id.1+x@mail.example.org>", "a -> b", "x <- y", "if a<5 && b>6"])
def test_what_opens_no_tag_stands_as_it_is(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize(
    "text",
    ["</signal>", "< /signal>", "<user_msg id=a@b.c>", "<!-- x -->", "<\u00e9a>", "<a href='x@y.z'>", "<s\u200bignal>"],
)
def test_what_could_open_a_tag_is_spelled(text: str) -> None:
    assert escape(text).startswith("&lt;")
    assert unescaped(escape(text)) == clean(text)


def test_a_whole_sequence_goes_with_its_body() -> None:
    assert clean("a\x1b]0;title\x07b\x1b[31mc\x1b]8;;https://evil.example\x1b\\d\x9d0;x\x9ce") == "abcde"
    assert as_json({"k\x1b]0;t\x07": "v\x1b[1m"}) == '{"k": "v"}'
    assert (
        clean("as it is: \\x1b]0;title\\x07 [b] naïve 日本\n\tтак")
        == "as it is: \\x1b]0;title\\x07 [b] naïve 日本\n\tтак"
    )


def test_every_character_is_drawn_with_an_undisputed_width_or_spelled_out() -> None:
    for number in (*range(0x40000), *range(0x40000, 0x110000, 97)):  # planes without letters: some of them
        character = chr(number)
        shown, unseen = spelled(character), hidden(character)
        if shown != character:
            assert (shown, unseen) == (f"⟨U+{number:04X}⟩", 1)
            assert visible(character) in ("", "\n")
            assert spelled(shown) == shown
            continue
        assert unseen == 0
        assert not UNSEEN.match(character), shown
        if character not in SPACES:
            assert not character.isspace()
            assert not MARKS.match(character), "a mark alone draws on what stands before it"
            assert cell_len(character) == (2 if WIDE.match(character) else 1), hex(number)
        after = spelled(f"a{character}b")
        assert after == f"a{character}b"


def test_a_mark_is_drawn_on_a_letter_and_a_run_of_them_is_spelled_out() -> None:
    for number in range(0x110000):
        if unicodedata.category(chr(number)) in ("Mn", "Mc", "Me") and not hidden(f"a{chr(number)}"):
            assert cell_len(f"a{chr(number)}") == 1
            assert hidden(chr(number)) == hidden(f" {chr(number)}") == hidden(f"\n{chr(number)}") == 1
    assert hidden("n\u0303" + "\u0301" * 300) == 297
    assert spelled("n\u0303" + "\u0301" * 300).endswith("⟨U+0301⟩×297")


@pytest.mark.parametrize(
    "text",
    [
        "می‌خواهم",
        "क्‍ष",
        "ന്‍",
        "শ্রী",
        "👨‍👩‍👧",
        "👍🏽",
        "🏳️‍🌈",
        "☺️ ☺︎ ©️",
        "1️⃣",
        "🇩🇪",
        "한글 日本　て",
        "10\u202f000\xa0€",
        "Tiếng Việt",
        "שָׁלוֹם",
        "สวัสดี น้ำ",
        unicodedata.normalize("NFD", "한글 Grüße Việt"),
    ],
)
def test_what_a_script_or_an_emoji_needs_stays(text: str) -> None:
    assert clean(text) == spelled(text) == visible(text) == text
    assert hidden(text) == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200db", "a⟨U+200D⟩b"),
        ("می\u200c\u200cخ", "می⟨U+200C⟩×2خ"),
        ("a\ufe0f", "a⟨U+FE0F⟩"),
        ("1\ufe0f", "1⟨U+FE0F⟩"),
        ("☺\ufe0f\ufe0f", "☺\ufe0f⟨U+FE0F⟩"),
        ("☺\ufe00", "☺⟨U+FE00⟩"),
        ("👩\u200d", "👩⟨U+200D⟩"),
        ("🇩", "⟨U+1F1E9⟩"),
        ("x" + "\u3164" * 60, "x⟨U+3164⟩×60"),
        (
            "".join(map(chr, range(0xE0100, 0xE0143))),
            "".join(f"⟨U+{n:X}⟩" for n in range(0xE0100, 0xE0110)) + "⟨51 more⟩",
        ),
        ("a\x1b[1mb", "a⟨U+001B⟩[1mb"),
    ],
)
def test_what_nothing_needs_is_spelled_out(text: str, shown: str) -> None:
    assert spelled(text) == shown


ODD = st.sampled_from(
    "a1☺👩é \n⟨⟩"
    "\u3164\u200d\u200c\ufe0f\ufe0e\u0301\U0001f3fd\U0001f1e9\u20e3\u06cc\u0915\u094d\U000e0141\u202e\u1161\u2028\ud800\x1b"
)


@given(st.text(ODD | st.characters(), max_size=40))
def test_what_is_shown_is_shown_again_as_it_is(text: str) -> None:
    shown, seen = spelled(text), visible(text)
    assert spelled(shown) == shown
    assert clean(clean(text)) == clean(text)
    assert hidden(shown) == 0
    assert (hidden(text) == 0) == (shown == text.replace("\r\n", "\n"))
    assert visible(seen) == visible(visible(seen))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("made", [spelled, hidden, visible, clean, one_line, escape, as_json])
def test_a_long_text_costs_in_proportion(shape: str, made: Callable[[str], object]) -> None:
    check_growth(made, lambda size: SHAPES[shape] * (size // len(SHAPES[shape])), 10_000)
