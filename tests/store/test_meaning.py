"""Search by meaning on a real file: what is found, and that the vectors follow the log through whatever happens."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock, SystemClock
from pepper_tui.model import ContextFilter, Namespace
from pepper_tui.store import ContextStore, Meaning
from pepper_tui.store.search.meaning import PART, Pace
from tests.store.topics import TopicEmbedder
from tests.waiting import until

AT_ONCE = Pace(start=0, quiet=0, rest=0, share=0, failed=10)
MAIL = "raw.mail"


@pytest.fixture
def embedder() -> TopicEmbedder:
    return TopicEmbedder()


@pytest.fixture
async def meaning(store: ContextStore, embedder: TopicEmbedder) -> AsyncIterator[Meaning]:
    made = Meaning(store, embedder, most=1000, pace=AT_ONCE)
    store.meaning = made
    yield made
    await made.stop()


async def mail(store: ContextStore, ident: str, text: str, namespace: str = MAIL, **more: float) -> None:
    await store.store({"id": ident}, namespace=namespace, text=text, **more)


async def mails(store: ContextStore, name: str, count: int, text: str = "puppy") -> None:
    async with store.unit():
        for number in range(count):
            await mail(store, f"{name}{number}", text)


async def found(store: ContextStore, text: str, limit: int = 10, **wanted: object) -> dict[str, str]:
    """What a search finds, best first, and how."""
    hits = await store.search(text, ContextFilter(**wanted) if wanted else None, limit)  # type: ignore[arg-type]
    return {hit.context.context_id: hit.found for hit in hits}


async def all_in(meaning: Meaning) -> None:
    while await meaning.embedding.portion():
        pass


def embedded(path: Path) -> set[str]:
    """The ids of the contexts whose very version has a vector; every vector must belong to a current one."""
    with sqlite3.connect(path) as db:
        rows = db.execute(
            "SELECT c.context_id, c.deleted FROM embeddings e LEFT JOIN contexts c ON c.ns = e.ns AND c.seq = e.seq"
        ).fetchall()
    assert all(ident is not None and not deleted for ident, deleted in rows), rows
    return {ident for ident, _ in rows}


async def test_words_meaning_and_both(store: ContextStore, meaning: Meaning) -> None:
    await mail(store, "vet", "puppy shot")
    await mail(store, "park", "terrier hound walk")
    await mail(store, "trip", "airplane to Lisbon")
    assert await found(store, "dog") == {"vet": "meaning", "park": "meaning"}
    assert await found(store, "hound") == {"park": "both", "vet": "meaning"}
    assert await found(store, "Lisbon") == {"trip": "both"}
    assert await found(store, "nothing of this") == {}


async def test_what_is_stored_later_is_found_by_the_next_search(store: ContextStore, meaning: Meaning) -> None:
    await mail(store, "a", "puppy")
    assert await found(store, "terrier") == {"a": "meaning"}
    await mail(store, "b", "hound")
    assert await found(store, "terrier") == {"a": "meaning", "b": "meaning"}


async def test_a_version_that_is_gone_is_not_found(store: ContextStore, meaning: Meaning, clock: ManualClock) -> None:
    await mail(store, "changed", "puppy")
    await mail(store, "deleted", "puppy at home")
    await mail(store, "expired", "puppy abroad", ttl=60)
    assert set(await found(store, "terrier")) == {"changed", "deleted", "expired"}
    await mail(store, "changed", "airline")
    await store.delete("deleted", namespace=MAIL)
    await clock.advance(61)
    assert await found(store, "terrier") == {}
    assert await found(store, "plane") == {"changed": "meaning"}
    assert embedded(store.path) == {"changed", "expired"}


async def test_vectors_go_with_their_updates(store: ContextStore, meaning: Meaning) -> None:
    await mail(store, "purged", "puppy")
    await mail(store, "emptied", "hound")
    await mail(store, "kept", "terrier")
    await all_in(meaning)
    assert embedded(store.path) == {"purged", "emptied", "kept"}
    await store.file.project(lambda c: c.execute("DELETE FROM updates WHERE context_id = 'purged'"))
    await store.file.project(
        lambda c: c.execute("UPDATE updates SET text = '', data = '{}' WHERE context_id = 'emptied'")
    )
    with sqlite3.connect(store.path) as db:
        assert db.execute("SELECT count(*) FROM embeddings").fetchone() == (1,)
    assert await found(store, "dog hound") == {"kept": "meaning"}


async def test_what_is_removed_while_it_is_embedded_gets_no_vector(
    store: ContextStore, meaning: Meaning, embedder: TopicEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mails(store, "m", 3)

    async def meanwhile() -> None:
        await store.file.project(lambda c: c.execute("DELETE FROM updates WHERE context_id = 'm1'"))

    monkeypatch.setattr(embedder, "meanwhile", meanwhile)
    await all_in(meaning)
    assert embedded(store.path) == {"m0", "m2"}


async def test_what_is_much_less_near_than_the_best_is_left_out(store: ContextStore, meaning: Meaning) -> None:
    await mail(store, "far", "puppy one two three four five")
    assert await found(store, "terrier") == {"far": "meaning"}
    await mail(store, "near", "hound")
    assert await found(store, "terrier") == {"near": "meaning"}


async def test_loading_does_not_hold_up_a_search(store: ContextStore, embedder: TopicEmbedder) -> None:
    pace = Pace(start=0, quiet=0, rest=0, share=0, patience=0.05)
    meaning = store.meaning = Meaning(store, embedder, most=1000, pace=pace)
    embedder.opens.clear()
    await mail(store, "a", "puppy")
    async with asyncio.timeout(5):
        assert await found(store, "puppy") == {"a": "text"}
        embedder.opens.set()  # it went on meanwhile
        await until(lambda: embedder.loaded)
        assert await found(store, "puppy") == {"a": "both"}
    await meaning.stop()


async def test_only_what_a_user_would_look_for(store: ContextStore, meaning: Meaning, embedder: TopicEmbedder) -> None:
    looked_for = [MAIL, "raw.own", Namespace.NOTE, Namespace.REMINDER, Namespace.RUN]
    own = ["raw.clock", "signals.mail", Namespace.APPROVAL, Namespace.TOOL_CALL, Namespace.TOOL_RESULT, "llm.usage"]
    talk = [Namespace.USER_MESSAGE, Namespace.ASSISTANT_MESSAGE]
    for namespace in looked_for + own + talk:
        await mail(store, namespace, f"puppy {namespace}", namespace)
    await all_in(meaning)
    assert embedded(store.path) == set(looked_for)
    assert not any(namespace in text for text in embedder.asked for namespace in own + talk)


async def test_a_filter_holds_however_many_are_nearer(store: ContextStore, meaning: Meaning) -> None:
    await mails(store, "m", 700)
    for number in range(3):
        await mail(store, f"n{number}", "puppy and much", Namespace.NOTE)
    await store.store({"id": "tagged"}, namespace=MAIL, text="hound and much", tags=["open"])
    await all_in(meaning)
    assert set(await found(store, "terrier", namespaces=[Namespace.NOTE])) == {"n0", "n1", "n2"}
    assert set(await found(store, "terrier", tags=["open"])) == {"tagged"}
    assert len(await found(store, "terrier", limit=7)) == 7


async def test_another_model_makes_all_anew(tmp_path: Path, store: ContextStore) -> None:
    await mails(store, "m", 30, "puppy number")
    first = Meaning(store, TopicEmbedder(64), most=1000, pace=AT_ONCE)
    await all_in(first)
    await first.stop()
    other = TopicEmbedder(32, "others")
    second = store.meaning = Meaning(store, other, most=1000, pace=AT_ONCE)
    assert set(await found(store, "terrier", limit=50)) == {f"m{number}" for number in range(30)}
    await all_in(second)
    with sqlite3.connect(store.path) as db:
        assert db.execute("SELECT DISTINCT generation, length(vector) FROM embeddings").fetchall() == [(2, 32)]
    await second.stop()


async def test_the_newest_are_kept_and_memory_is_bounded(store: ContextStore) -> None:
    meaning = store.meaning = Meaning(store, TopicEmbedder(), most=100, pace=AT_ONCE)
    await mails(store, "old", 150)
    await all_in(meaning)  # from the newest back
    assert len(embedded(store.path)) <= 100
    assert {f"old{number}" for number in range(60, 150)} <= embedded(store.path)
    await found(store, "hound")
    for turn in range(4):
        await mails(store, f"new{turn}.", 40)
        await all_in(meaning)
    assert {f"new{turn}.{number}" for turn in (2, 3) for number in range(40)} <= embedded(store.path)
    assert len(embedded(store.path)) <= 100
    hits = await found(store, "terrier", limit=200)
    assert set(hits) == embedded(store.path)
    assert meaning.embedding.memory == 65_536 * (64 // 8 + 12)
    await meaning.stop()


HOSTILE = {
    "one word": "a" * 1_000_000,
    "empty": "",
    "blank": " \n\t ",
    "controls": "".join(map(chr, range(32))) * 50,
    "surrogates": "\ud800 puppy \udfff",
    "escapes": "\x1b]52;c;" + "x" * 5000,
    "marks": "\u202e\u200b\U000e0041" * 500,
}


async def test_hostile_text_stops_nothing(store: ContextStore, meaning: Meaning) -> None:
    for name, text in HOSTILE.items():
        await store.store({"id": name}, namespace=MAIL, text=text)
    await mail(store, "last", "a hound")
    await all_in(meaning)
    assert "last" in embedded(store.path)
    assert {"surrogates", "last"} <= set(await found(store, "terrier"))
    for text in HOSTILE.values():
        await store.search(text)
    assert await store.get(PART, namespace=Namespace.HEALTH) is None


async def test_a_text_that_is_refused_is_passed_over(
    store: ContextStore, meaning: Meaning, embedder: TopicEmbedder
) -> None:
    embedder.refuses = "poison"
    for number in range(20):
        await mail(store, f"m{number}", "poison" if number == 7 else "puppy")
    await mail(store, "alone", "poison")
    await all_in(meaning)
    assert embedded(store.path) == {f"m{number}" for number in range(20)} - {"m7"}


async def test_words_go_on_alone_and_health_says_so(
    store: ContextStore, meaning: Meaning, embedder: TopicEmbedder, clock: ManualClock
) -> None:
    await meaning.start()
    await mail(store, "a", "puppy shot")
    embedder.down = "no server answers"
    assert await found(store, "puppy") == {"a": "text"}
    health = await store.get(PART, namespace=Namespace.HEALTH)
    assert health is not None
    assert health.data["state"] == "trouble"
    assert health.data["detail"] == "no server answers; search continues by words only"
    assert health.data["remedy"] == "start it"
    embedder.down = ""
    await clock.advance(60)
    assert await found(store, "hound") == {"a": "meaning"}
    health = await store.get(PART, namespace=Namespace.HEALTH)
    assert health is not None
    assert health.data["state"] == "ok"
    assert health.version == 2


async def test_it_follows_beside_the_loop_and_lets_go(tmp_path: Path) -> None:
    store = await ContextStore.open(tmp_path / "p.db", SystemClock())
    embedder, waits, asked = TopicEmbedder(), True, 0

    def busy() -> bool:
        nonlocal asked
        asked += 1
        return waits

    pace = Pace(start=0.01, quiet=0.01, rest=0.001, share=0, release=0.2)
    meaning = store.meaning = Meaning(store, embedder, most=1000, busy=busy, pace=pace)
    await mails(store, "m", 300)
    await meaning.start()
    await until(lambda: asked > 1)
    assert not embedder.asked  # somebody waits for a reply
    waits = False
    await until(lambda: len(embedder.asked) == 300)
    await until(lambda: not embedder.loaded)
    assert meaning.embedding.memory == 0
    await mail(store, "few", "hound")  # too few to load an embedder for
    await asyncio.sleep(0.1)  # nothing happens: there is nothing to wait for
    assert not embedder.loaded
    assert "few" in await found(store, "terrier", limit=400)
    await mail(store, "now", "terrier")  # it is loaded: what comes is taken in
    await until(lambda: "now" in embedded(store.path))
    await meaning.stop()
    await store.close()
