"""A message that would take a second to draw is drawn shorter or plainer, and says so."""

from __future__ import annotations

import pytest

from pepper_tui.model import AssistantMessage, Namespace, UserMessage
from pepper_tui.ui.screen.chat.transcript import LONGEST, MOST_LINES, Transcript
from tests.growth import spent
from tests.parsing.shapes import MARKS
from tests.ui.fake_engine import T0, FakeEngine
from tests.ui.seat import seat

MOST = 0.5  # seconds of processor time for one message; it was up to two


def filled(name: str) -> str:
    _, make = MARKS[name]
    count = 1
    while len(make(count * 2)) <= LONGEST:
        count *= 2
    return str(make(count))


@pytest.mark.parametrize("speaker", ["pepper", "you"])
@pytest.mark.parametrize("name", ["lists", "tables", "fences", "paragraphs", "lines", "links", "emphasis in emphasis"])
async def test_a_message_is_drawn_soon(name: str, speaker: str) -> None:
    text = filled(name)

    def talk(engine: FakeEngine) -> None:
        if speaker == "you":
            engine.put(Namespace.USER_MESSAGE, UserMessage("m", text, T0))
        else:
            engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage("m", text, T0, "s"))

    async with seat(talk) as (app, _, _, _):
        transcript = app.query_one(Transcript)
        message = next(each for each in transcript._all if each.id == "m")
        lines = transcript._draw(message)
        assert spent(transcript._draw, message) < MOST
        assert len(lines) <= max(MOST_LINES, len(text) // 50) + 10
        if text.count("\n") > MOST_LINES:
            assert "more lines; a copy has them" in lines[-2].text


async def test_an_answer_of_usual_size_is_markdown() -> None:
    text = "Here is **what** came in:\n\n" + "- a `word` and a [link](https://a.example)\n" * 200

    def talk(engine: FakeEngine) -> None:
        engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage("m", text, T0, "s"))

    async with seat(talk) as (app, _, _, _):
        transcript = app.query_one(Transcript)
        drawn = "\n".join(line.text for line in transcript._strips("m"))
        assert "**" not in drawn
        assert drawn.count("•") == 200


async def test_a_reply_that_streams_is_drawn_on_not_anew() -> None:
    async with seat() as (app, _, _, _):
        transcript = app.query_one(Transcript)
        text = "".join(f"{n}\n" for n in range(9000)) + "the end"
        for at in range(0, len(text), 1000):
            transcript.stream("p", text[at : at + 1000], restart=False, done=False)
            assert spent(lambda _: transcript._draw_tail(), None) < MOST / 5
        lines = [line.text.strip() for line in transcript._tail_strips]
        assert lines[1:9001] == [str(n) for n in range(9000)]
        assert "the end" in lines[9001]
        transcript.restyle()
        transcript.stream("p", "Anew.\nAnd on", restart=True, done=False)
        transcript._draw_tail()
        assert [line.text.strip() for line in transcript._tail_strips][1:3] == ["Anew.", "And on ▍"]
