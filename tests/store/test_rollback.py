"""Rollback: an earlier version becomes the newest, as an update; what was done or has happened can't go back."""

from __future__ import annotations

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import OPEN_TAG, AgentState, ContextFilter, Namespace, RunState, WorkerRun
from pepper_tui.store import ContextStore, StoreError, Subscriber
from pepper_tui.store.log.rollback import RollbackRefusedError
from pepper_tui.workers.memory import load_memory


async def test_a_note_goes_back_and_forth(store: ContextStore, clock: ManualClock) -> None:
    for number in (1, 2, 3):
        await store.store(
            {"n": number},
            namespace="note",
            context_id="a",
            type=f"type{number}",
            text=f"text{number}",
            tags=[f"tag{number}"],
            metadata={"m": number},
            ttl=100.0,
        )
        await clock.advance(1.0)
    async with store.watch(["note"]) as live:
        back = await store.rollback("a", 1, namespace="note")
        [update] = live.drain()
    assert update.context == back == await store.get("a", namespace="note")
    assert (back.version, back.data, back.type, back.text) == (4, {"n": 1}, "type1", "text1")
    assert (back.tags, back.metadata, back.expires_at) == (frozenset({"tag1"}), {"m": 1}, None)
    assert [u.context.version for u in await store.versions("a", namespace="note")] == [4, 3, 2, 1]
    assert [hit.context.version for hit in await store.search("text1")] == [4]
    assert (await store.rollback("a", 1, namespace="note")).version == 4  # it is that already
    assert (await store.rollback("a", 3, namespace="note")).data == {"n": 3}


async def test_what_was_deleted_comes_back(store: ContextStore) -> None:
    await store.store({"n": 1}, namespace="note", context_id="a")
    await store.delete("a", namespace="note")
    assert (await store.rollback("a", 1, namespace="note")).data == {"n": 1}
    assert await store.count(ContextFilter(namespaces=["note"])) == 1


async def test_a_version_that_there_is_not(store: ContextStore) -> None:
    with pytest.raises(StoreError, match="there is no note:a"):
        await store.rollback("a", 1, namespace="note")
    await store.store({"n": 1}, namespace="note", context_id="a")
    await store.store({"n": 2}, namespace="note", context_id="a")
    with pytest.raises(StoreError, match="no version 3 any more; kept are 1, 2"):
        await store.rollback("a", 3, namespace="note")
    assert (await store.stats()).updates == 2


@pytest.mark.parametrize(
    "namespace",
    [
        Namespace.TOOL_CALL,
        Namespace.TOOL_RESULT,
        Namespace.APPROVAL,
        Namespace.NOTIFICATION,
        Namespace.REMINDER,
        Namespace.RUN,
        Namespace.USER_MESSAGE,
        Namespace.SUMMARY,
        Namespace.PEOPLE,
        Namespace.MCP_SERVER,
        "raw.mail",
        "signals.mail",
        "feed.clock",
        "llm.allowance",
    ],
)
async def test_what_was_done_stays_done(store: ContextStore, namespace: str) -> None:
    for state in ("pending", "approved"):
        await store.store({"state": state}, namespace=namespace, context_id="a")
    with pytest.raises(RollbackRefusedError, match=f"{namespace}:a can't be rolled back"):
        await store.rollback("a", 1, namespace=namespace)
    context = await store.get("a", namespace=namespace)
    assert context is not None
    assert (context.version, context.data) == (2, {"state": "approved"})


async def test_nobody_is_told_twice(store: ContextStore) -> None:
    await store.queue("my feed", ["mine.*"], tags=["told"])
    for tags in ([], ["told"], []):
        await store.store({"n": len(tags)}, namespace="mine.a", context_id="a", tags=tags)
    with pytest.raises(RollbackRefusedError, match="my feed would act on it again"):
        await store.rollback("a", 2, namespace="mine.a")
    assert (await store.rollback("a", 1, namespace="mine.a")).data == {"n": 0}


async def test_a_memory_is_not_taken_from_a_worker_at_work(store: ContextStore, clock: ManualClock) -> None:
    for number in (1, 2):
        memory = await load_memory(store, "mail-agent")
        memory.state = AgentState(events=[{"n": number}])
        memory.tainted = number == 2
        await memory.save(store)
    run = WorkerRun("run_1", "call_1", "mail-agent", "general", "a task", clock.now(), state=RunState.RUNNING)
    await store.put(run, namespace=Namespace.RUN, tags=[OPEN_TAG])
    with pytest.raises(RollbackRefusedError, match=r"mail-agent is working \(run_1\)"):
        await store.rollback("mail-agent", 1, namespace="memory.mail-agent")
    run.state = RunState.SUCCEEDED
    await store.put(run, namespace=Namespace.RUN)
    await store.rollback("mail-agent", 1, namespace="memory.mail-agent")
    memory = await load_memory(store, "mail-agent")
    assert (memory.state.events, memory.version, memory.tainted) == ([{"n": 1}], 3, False)
    await memory.save(store)


async def test_a_kept_answer_is_not_of_before(tmp_path, clock: ManualClock) -> None:  # type: ignore[no-untyped-def]
    store = await ContextStore.open(tmp_path / "p.db", clock, cache_ttl=100.0)
    subscriber = Subscriber(store)
    await subscriber.start()
    for number in (1, 2):
        await store.store({"n": number}, namespace="note", context_id="a")
    notes = ContextFilter(namespaces=["note"])
    for _ in range(3):
        assert [c.data for c in await store.query(notes)] == [{"n": 2}]
    assert store.file.cache.hits == 1
    await store.rollback("a", 1, namespace="note")
    assert [c.data for c in await store.query(notes)] == [{"n": 1}]
    await store.close()
