"""A message that would take a second to draw is drawn shorter or plainer, and says so."""

from __future__ import annotations

import pytest

from pepper_tui.model import AssistantMessage, Namespace, UserMessage
from pepper_tui.ui.screen.chat.message_lines import LONGEST, MOST_LINES, message_lines
from pepper_tui.ui.screen.chat.transcript import Transcript
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
        message, page = app.board.messages["m"], transcript.page()
        lines = message_lines(message, page)
        assert spent(lambda each: message_lines(each, page), message) < MOST
        assert len(lines) <= max(MOST_LINES, len(text) // 50) + 10
        if text.count("\n") > MOST_LINES:
            assert "more lines; a copy has them" in lines[-2].text


async def test_an_answer_of_usual_size_is_markdown() -> None:
    text = "Here is **what** came in:\n\n" + "- a `word` and a [link](https://a.example)\n" * 200

    def talk(engine: FakeEngine) -> None:
        engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage("m", text, T0, "s"))

    async with seat(talk) as (app, _, _, _):
        transcript = app.query_one(Transcript)
        drawn = "\n".join(line.text for line in transcript.drawn.lines("m"))
        assert "**" not in drawn
        assert drawn.count("•") == 200


async def test_a_reply_that_streams_is_drawn_on_not_anew() -> None:
    async with seat() as (app, _, _, _):
        transcript = app.query_one(Transcript)
        text = "".join(f"{n}\n" for n in range(9000)) + "the end"
        for at in range(0, len(text), 1000):
            transcript.stream("p", text[at : at + 1000], restart=False, done=False)
            assert spent(transcript.tail.draw, transcript.page()) < MOST / 5
        lines = [line.text.strip() for line in transcript.tail.lines]
        assert lines[1:9001] == [str(n) for n in range(9000)]
        assert "the end" in lines[9001]
        transcript.restyle()
        transcript.stream("p", "Anew.\nAnd on", restart=True, done=False)
        transcript.tail.draw(transcript.page())
        assert [line.text.strip() for line in transcript.tail.lines][1:3] == ["Anew.", "And on ▍"]
