"""Purge and vacuum: what was purged is in no byte of the file any more; what is needed stays, and is told."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.clock import ManualClock
from pepper_tui.model import OPEN_TAG, ContextFilter
from pepper_tui.store import ContextStore
from pepper_tui.store.upkeep.purge import Scope, purge, survey, vacuum

DAY = 86_400.0
SECRETS = ("zanzibarium", "quixotropic", "vermilionade")


def spots(path: Path) -> dict[str, int]:
    """How often each secret stands in any of the store's files, in whole or in its last six letters."""
    content = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    return {word: content.count(word[-6:].encode()) for word in SECRETS}


async def test_no_byte_is_left(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "p.db"
    store = await ContextStore.open(path, clock)
    for number in range(300):
        await store.store(
            {"id": str(number), "body": SECRETS[0] * 3},
            namespace="raw.mail",
            context_id=str(number),
            text=f"{SECRETS[1]} and other words {number}",
            tags=[f"thread:{SECRETS[2]}"],
            metadata={"subject": SECRETS[2]},
        )
        if number % 3 == 0:
            await store.store({"n": number}, namespace="note", context_id=str(number), text=f"harmless {number}")
    await store.store({"v": SECRETS[0]}, namespace="memory.a", context_id="a", text=SECRETS[1])
    await store.store({"v": "calm"}, namespace="memory.a", context_id="a")
    await store.delete("a", namespace="memory.a")
    assert len(await store.search(SECRETS[1], limit=500)) == 300
    assert all(spots(path).values())
    found = await survey(store, Scope(("raw.*", "memory.*")))
    assert (found.contexts["raw.mail"], found.contexts["memory.a"], found.traces) == (300, 1, 300)
    await purge(store, found)
    assert spots(path) == dict.fromkeys(SECRETS, 0)
    assert await store.search(SECRETS[1]) == []
    assert len(await store.search("harmless", limit=500)) == 100
    await store.close()
    assert spots(path) == dict.fromkeys(SECRETS, 0)


async def test_what_is_needed_stays_and_is_told(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    await store.queue("slow", ["signals.slow"])
    await store.store({}, namespace="signals.slow", context_id="waits")
    await store.store({}, namespace="signals.a", context_id="open", tags=[OPEN_TAG])
    await store.store({}, namespace="signals.a", context_id="free")
    await store.store({"effect": "send"}, namespace="tool.call", context_id="sent")
    await store.store({}, namespace="approval", context_id="card")
    found = await survey(store, Scope())
    assert dict(found.needed) == {
        "has a delivery that is not handled yet": 1,
        "is open, or something open came of it": 1,
        "is the record of an outside effect": 1,
        "of approval: they are the record of who approved what": 1,
    }
    await purge(store, found)
    stay = {context.context_id for context in await store.query(ContextFilter())}
    assert stay == {"waits", "open", "sent", "card"}
    await store.close()


async def test_by_age_and_by_name(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    for ident in ("old", "young"):
        for namespace in ("note", "other"):
            await store.store({}, namespace=namespace, context_id=ident)
        await clock.advance(10 * DAY)
    await purge(store, await survey(store, Scope(("note",), clock.now() - 15 * DAY)))
    named = await survey(store, Scope(names=(("other", "young"), ("other", "nobody"), ("nowhere", "x"))))
    assert named.missing == ["other:nobody", "nowhere:x"]
    await purge(store, named)
    stay = {(context.namespace, context.context_id) for context in await store.query(ContextFilter())}
    assert stay == {("note", "young"), ("other", "old")}
    await store.close()


async def test_what_is_known_of_a_mail_goes_with_it(tmp_path: Path, clock: ManualClock) -> None:
    """Once each, whether it is in the scope itself or not."""
    for scope, states in (
        (Scope(names=(("raw.mail", "m1"),)), 1),
        (Scope(("raw.mail",), before=clock.now() + 500), 1),
        (Scope(("*",)), 2),
        (Scope(("mail.state",)), 2),
    ):
        store = await ContextStore.open(tmp_path / f"{states}{len(scope.names)}{scope.namespaces}.db", clock)
        for ident, wait in (("m1", 1000), ("m2", 0)):
            await store.store({"id": ident, "files": []}, namespace="raw.mail")
            await clock.advance(wait)
            await store.store({"id": ident, "copies": []}, namespace="mail.state")
        found = await survey(store, scope)
        assert found.contexts["mail.state"] == states
        assert len({(each.ns, each.context_id) for each in found.doomed}) == len(found.doomed)
        await purge(store, found)
        assert await store.count(ContextFilter(namespaces=["mail.state"])) == 2 - states
        await store.close()
        clock = ManualClock()


async def test_a_vacuum_gives_pages_back_and_changes_nothing(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "p.db"
    store = await ContextStore.open(path, clock)
    async with store.unit():
        for number in range(2000):
            await store.store(
                {"n": number}, namespace="signals.a", context_id=str(number), text=f"words {number} " * 20
            )
    await store.store({}, namespace="note", context_id="n", text="stays")
    await store.search("words")
    await purge(store, await survey(store, Scope(("signals.*",))))
    small = path.stat().st_size
    assert small < 200_000
    before, after = await vacuum(store)
    assert after <= before <= small
    assert [hit.context.context_id for hit in await store.search("stays")] == ["n"]
    await store.store({}, namespace="note", context_id="more")
    await store.close()
    store = await ContextStore.open(path, clock)
    assert store.clean_start
    assert await store.count() == 2
    await store.close()
