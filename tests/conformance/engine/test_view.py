"""What is shown: contexts as they stand, their updates as they come, and the reason of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pepper_tui.engine.protocol import EngineError
from pepper_tui.model import ContextFilter, ContextUpdate, Health, Namespace
from tests.conformance.engine.stages import T0, Stage, notice, rows, signal

MANY = 300


async def taken(updates: AsyncIterator[list[ContextUpdate]], last: str) -> list[ContextUpdate]:
    """What came, up to the context of that id."""
    found: list[ContextUpdate] = []
    async with asyncio.timeout(20):
        async for batch in updates:
            found += batch
            if any(update.context.context_id == last for update in batch):
                return found
    raise AssertionError("the updates ended")


async def test_who_the_engine_is_can_be_read(stage: Stage) -> None:
    assert str(stage.engine.zone) == "UTC"
    assert stage.engine.model_name
    assert isinstance(stage.engine.offline, bool)


async def test_contexts_are_recalled_whole_and_in_the_order_that_is_wanted(stage: Stage) -> None:
    notices = [notice(f"n{n}", body='grüß dich \u2028 "x"') for n in range(4)]
    await stage.put(Namespace.NOTIFICATION, *notices)
    await stage.put("signals.mail", signal("s1"))
    newest = await stage.engine.recall(ContextFilter(namespaces=[Namespace.NOTIFICATION], limit=2))
    assert [context.context_id for context in newest] == ["n3", "n2"]
    assert newest[0].data == notices[3].data()
    assert [context.context_id for context in await rows(stage.engine, Namespace.NOTIFICATION)] == [
        "n0", "n1", "n2", "n3",
    ]  # fmt: skip
    assert [context.context_id for context in await rows(stage.engine, "signals.*")] == ["s1"]
    one = ContextFilter(namespaces=["signals.*", Namespace.NOTIFICATION], context_ids=["n1"])
    assert [context.context_id for context in await stage.engine.recall(one)] == ["n1"]


async def test_a_context_that_is_longer_than_a_line_comes_whole(stage: Stage) -> None:
    body = '\x07"ß' * 1_000_000
    async with stage.engine.updates() as updates:
        await stage.put(Namespace.NOTIFICATION, notice(body=body))
        assert (await taken(updates, "n1"))[-1].context.data["body"] == body
    [context] = await rows(stage.engine, Namespace.NOTIFICATION)
    assert context.data["body"] == body


async def test_updates_come_in_order_and_none_twice_to_each_who_reads(stage: Stage) -> None:
    async with stage.engine.updates() as first, stage.engine.updates() as second:
        reading = [asyncio.create_task(taken(updates, f"n{MANY - 1}")) for updates in (first, second)]
        await stage.put(Namespace.NOTIFICATION, *(notice(f"n{n}") for n in range(MANY)))
        for found in await asyncio.gather(*reading):
            told = [update for update in found if update.context.namespace == Namespace.NOTIFICATION]
            assert [update.context.context_id for update in told] == [f"n{n}" for n in range(MANY)]
            seqs = [update.seq for update in told]
            assert seqs == sorted(set(seqs))
            assert [update.context.seq for update in told] == seqs


async def test_an_update_is_the_context_as_it_was_stored(stage: Stage) -> None:
    async with stage.engine.updates() as updates:
        await stage.put(Namespace.NOTIFICATION, notice("n1"), notice("n1", body="changed"))
        await stage.put(Namespace.NOTIFICATION, notice("n2"))
        found = [update for update in await taken(updates, "n2") if update.context.context_id == "n1"]
    assert [(update.context.version, update.deleted) for update in found] == [(1, False), (2, False)]
    assert found[1].context.data["body"] == "changed"
    assert found[1].context == (await rows(stage.engine, Namespace.NOTIFICATION))[0]


async def test_only_what_is_shown_comes(stage: Stage) -> None:
    async with stage.engine.updates() as updates:
        await stage.put("raw.mail", notice("raw"))
        await stage.put(Namespace.NOTIFICATION, notice("n1"))
        assert "raw" not in {update.context.context_id for update in await taken(updates, "n1")}


async def test_who_reads_too_slowly_is_told_that_something_was_missed(stage: Stage) -> None:
    async with stage.engine.updates() as updates:
        last = await stage.flood(9000)
        batches: list[list[ContextUpdate]] = []
        async with asyncio.timeout(60):
            async for batch in updates:
                batches.append(batch)
                if any(update.context.context_id == last for update in batch):
                    break
    assert [] in batches
    seqs = [update.seq for batch in batches for update in batch]
    assert seqs == sorted(set(seqs))
    assert len(seqs) < 9000


async def test_how_each_part_is_can_be_read(stage: Stage) -> None:
    await stage.put(Namespace.HEALTH, Health("feed.paper", "trouble", "torn", "glue it", T0))
    found = {context.context_id: context for context in await stage.engine.health()}
    assert Health.of(found["feed.paper"]).remedy == "glue it"


async def test_what_was_held_back_is_counted(stage: Stage) -> None:
    before, _ = await stage.engine.held_back(0.0)
    await stage.held_back()
    count, seq = await stage.engine.held_back(0.0)
    assert (count, isinstance(seq, int)) == (before + 1, True)


async def test_the_reason_of_a_thing_is_told_in_lines(stage: Stage) -> None:
    await stage.put(Namespace.NOTIFICATION, notice("n1"))
    lines = await stage.engine.why("notification:n1")
    assert lines
    assert all(isinstance(line, str) for line in lines)
    with pytest.raises(EngineError):
        await stage.engine.why("notification:nowhere")


async def test_what_was_given_up_is_listed_and_tried_again(stage: Stage) -> None:
    assert await stage.engine.dead_letters() == []
    await stage.letter()
    [line] = await stage.engine.dead_letters()
    assert "letters" in line
    assert await stage.engine.redrive()

    async def none() -> bool:
        return not await stage.engine.dead_letters()

    await stage.until(none)
