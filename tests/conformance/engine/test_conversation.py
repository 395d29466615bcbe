"""What the user says: stored once, answered in pieces, taken back, stopped."""

from __future__ import annotations

import asyncio

import pytest

from pepper_tui.engine.protocol import EngineError
from pepper_tui.model import AssistantMessage, Namespace, Origin, ReplyDelta, Span, UserMessage, Written
from tests.conformance.engine.stages import Stage, found, rows
from tests.waiting import until


async def test_what_is_said_is_stored_with_its_spans(stage: Stage) -> None:
    spans = [Span(0, 4, Origin.PASTED), Span(5, 7, Origin.FILE)]
    ident = await stage.engine.say("grüß dich\x00!", spans=spans)
    context = await found(stage.engine, Namespace.USER_MESSAGE, ident)
    assert context is not None
    message = UserMessage.of(context)
    assert (message.id, message.spans) == (ident, spans)
    assert message.text.startswith("grüß dich")


async def test_what_nobody_noted_the_origin_of_stays_so(stage: Stage) -> None:
    ident = await stage.engine.say("hello")
    context = await found(stage.engine, Namespace.USER_MESSAGE, ident)
    assert context is not None
    assert UserMessage.of(context).spans is None


async def test_what_is_said_again_with_the_same_key_was_said_already(stage: Stage) -> None:
    first = await stage.engine.say("hello", spans=[], key="k1")
    assert await stage.engine.say("hello", spans=[], key="k1") == first
    assert await stage.engine.say("hello", spans=[], key="k2") != first
    assert len(await rows(stage.engine, Namespace.USER_MESSAGE)) == 2


@pytest.mark.parametrize("text", ["", "  \n "])
async def test_nothing_is_not_said(stage: Stage, text: str) -> None:
    with pytest.raises(EngineError):
        await stage.engine.say(text, spans=[])
    assert await rows(stage.engine, Namespace.USER_MESSAGE) == []


async def test_each_listener_hears_the_pieces_of_the_reply_that_is_stored(stage: Stage) -> None:
    heard: tuple[list[ReplyDelta], list[ReplyDelta]] = ([], [])

    async def listen(pieces: list[ReplyDelta]) -> None:
        async for piece in stage.engine.replies():
            pieces.append(piece)  # noqa: PERF401  (each as it comes)

    listening = [asyncio.create_task(listen(pieces)) for pieces in heard]
    await asyncio.sleep(0)
    await stage.replies("hello", "Hello to you, Sam")

    async def stored() -> list[AssistantMessage]:
        return [AssistantMessage.of(context) for context in await rows(stage.engine, Namespace.ASSISTANT_MESSAGE)]

    [message] = await stage.until(stored)
    await until(lambda: all(pieces and pieces[-1].done for pieces in heard))
    for pieces in heard:
        assert {piece.message_id for piece in pieces} == {message.id}
        assert "".join(piece.text for piece in pieces) == message.text
        assert [piece.done for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)


async def test_the_newest_message_that_nobody_has_taken_is_taken_back(stage: Stage) -> None:
    await stage.holds("first")
    spans = (Span(0, 2, Origin.PASTED),)
    await stage.engine.say("second", spans=spans)
    assert await stage.engine.take_back() == Written("second", spans)
    assert await stage.engine.take_back() is None


async def test_a_reply_that_is_stopped_ends(stage: Stage) -> None:
    pieces: list[ReplyDelta] = []

    async def listen() -> None:
        async for piece in stage.engine.replies():
            pieces.append(piece)  # noqa: PERF401  (each as it comes)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await stage.holds("tell me all")
    await until(lambda: bool(pieces))
    assert not any(piece.done for piece in pieces)
    await stage.engine.stop_reply()
    await until(lambda: pieces[-1].done)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
