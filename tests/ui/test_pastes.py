"""What is pasted never becomes a key, in whatever pieces it comes."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from pepper_tui.ui.screen.chat.pastes import END, ESCAPE, START, PasteParser

ESCAPES = st.sampled_from(
    [ESCAPE, "\x1b[", "\x1b[20", "\x1b[200~", "\x1bOQ", "\x1b]52;c;eQ==\x07", "\x1b\x1b[2", "\x07"]
)
PASTED = st.lists(ESCAPES | st.text(max_size=8), max_size=8).map("".join).filter(lambda text: END not in text)


def read(pieces: list[str]) -> list[Message]:
    parser = PasteParser()
    return [event for piece in pieces if piece for event in parser.feed(piece)]


@given(PASTED, st.lists(st.integers(0, 200), max_size=6))
@example("\x1b]52;c;\x07y\x1b\\", [8])
def test_a_paste_is_one_text_and_the_key_after_it_a_key(pasted: str, cuts: list[int]) -> None:
    data = f"a{START}{pasted}{END}b"
    places = sorted({min(cut, len(data)) for cut in cuts})
    pieces = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    seen = read(pieces)
    assert [event.character for event in seen if isinstance(event, events.Key)] == ["a", "b"]
    pastes = [event.text for event in seen if isinstance(event, events.Paste)]
    assert "".join(pastes) == pasted.replace(ESCAPE, "").replace("\x00", "")
