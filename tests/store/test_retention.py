"""Retention: what is past its time goes, what anything needs stays, in small transactions, beside the loop."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock
from pepper_tui.config import ConfigError, parse_config
from pepper_tui.model import OPEN_TAG, Context, ContextFilter, ContextUpdate
from pepper_tui.store import ContextStore, Retry, Subscriber
from pepper_tui.store.log.plan import Book
from pepper_tui.store.upkeep import picking, protection
from pepper_tui.store.upkeep.removal import CHARACTERS, ROWS, TRACE, Doomed, How, portions, remove
from pepper_tui.store.upkeep.retention import DAY, ENOUGH, PAUSE, Retention
from pepper_tui.store.upkeep.retention_rules import RULES, Rule, Rules, Wish
from tests.waiting import until

EVERYTHING = 1_000_000


async def left(store: ContextStore, *namespaces: str) -> set[str]:
    found = await store.query(ContextFilter(namespaces=namespaces, limit=EVERYTHING, include_expired=True))
    return {context.context_id for context in found}


async def put(store: ContextStore, ident: str, namespace: str, tags: Sequence[str] = (), **data: Any) -> Context:
    return await store.store(
        {"id": ident, **data}, namespace=namespace, context_id=ident, text=f"about {ident}", tags=tags
    )


async def test_what_something_open_needs_stays(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    for name in ("needed", "other"):
        await put(store, f"mail_{name}", "raw.clock")
        await put(store, f"sig_{name}", "signals.clock", source="clock", matter=name, metadata={"raw": f"mail_{name}"})
        await put(store, f"step_{name}", "step", inputs=[f"signals.clock:sig_{name}"], calls=[f"call_{name}"])
        await put(store, f"call_{name}", "tool.call", origin=f"step:step_{name}", effect="read", matter=name)
        await put(store, f"call_{name}", "tool.result", call=f"call_{name}")
        await put(store, f"run_call_{name}", "worker.run", call=f"call_{name}")
        tags = [OPEN_TAG] if name == "needed" else []
        await put(store, f"note_{name}", "notification", tags, source=f"tool.call:call_{name}", matter=name)
    await put(store, "sig_same_matter", "signals.clock", source="clock", matter="needed")
    await clock.advance(1000 * DAY)
    await Retention(store, clock).sweep()
    kept = await left(store, "raw.*", "signals.*", "step", "tool.*", "worker.run", "notification")
    assert kept == {
        "mail_needed",
        "sig_needed",
        "step_needed",
        "call_needed",
        "run_call_needed",
        "note_needed",
        "sig_same_matter",
    }
    assert len(await store.query(ContextFilter(namespaces=["tool.*"]))) == 2  # the result, too
    await store.close()


@pytest.mark.parametrize("age", [0, 729, 731])
async def test_the_state_of_a_mail_goes_with_its_mail(tmp_path: Path, clock: ManualClock, age: int) -> None:
    """However long ago it changed itself."""
    store = await ContextStore.open(tmp_path / "p.db", clock)
    for ident in ("kept", "old", "dropped"):
        await put(store, ident, "raw.mail", files=[["root", ident]])
        await put(store, ident, "mail.state", copies=[])
    await put(store, "nowhere", "mail.state", copies=[])
    await clock.advance(age * DAY)
    await put(store, "kept", "raw.mail", files=[["root", "kept"], ["root", "again"]])
    await put(store, "old", "mail.state", copies=["changed lately"])
    await store.delete("dropped", namespace="raw.mail")
    await Retention(store, clock).sweep()
    assert await left(store, "mail.state") == ({"kept", "old"} if age < 730 else {"kept"})
    await store.close()


async def test_the_record_of_outside_effects_stays(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    for effect in ("read", "local", "write", "send"):
        for state in ("scheduled", "succeeded"):
            await put(store, effect, "tool.call", effect=effect, state=state)
        await put(store, effect, "tool.result", call=effect)
    for ident in ("approved", "rejected"):
        await put(store, ident, "approval", state="pending", call="send")
        await put(store, ident, "approval", state=ident, call="send")
    for namespace in ("people", "mail.sent", "calendar.added", "mcp.server", "health", "note", "memory.a", "undo"):
        await put(store, namespace, namespace)
    await clock.advance(3000 * DAY)
    wish_for_all = {"*": Wish(days=8)}
    await Retention(store, clock, wish_for_all).sweep()
    assert await left(store, "tool.call") == await left(store, "tool.result") == {"write", "send"}
    assert await left(store, "approval") == {"approved", "rejected"}
    assert len(await store.versions("approved", namespace="approval")) == 2
    assert len(await store.versions("send", namespace="tool.call")) == 2
    stay = {"people", "mail.sent", "calendar.added", "mcp.server", "health"}
    assert await left(store, *stay, "note", "memory.*", "undo") == stay
    await store.close()


async def test_nothing_of_what_a_connector_keeps_goes(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    for namespace in ("raw.own_kept", "raw.own"):
        await store.store({"id": "over"}, namespace=namespace, context_id="over", ttl=5.0)
    await clock.advance(3000 * DAY)
    await Retention(store, clock, None, None, {"raw.own_kept": "it would come in anew"}).sweep()
    assert await left(store, "raw.own_kept") == {"over"}
    assert await left(store, "raw.own") == set()
    await store.close()


async def test_what_the_model_is_shown_stays(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    entries = [await put(store, f"{number}", "history") for number in range(6)]
    await clock.advance(1000 * DAY)
    await Retention(store, clock).sweep()
    assert len(await left(store, "history")) == 6  # there is no summary yet
    covers = {"text": "…", "covers": "3", "covers_seq": entries[3].seq}
    await store.store(covers, namespace="history.summary", context_id="current")
    await Retention(store, clock).sweep()
    assert await left(store, "history") == {"4", "5"}
    await store.close()


async def test_deliveries_and_windows_hold_what_they_need(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    await store.queue("slow", ["signals.slow"])
    subscriber = Subscriber(store)

    @subscriber.on_context_update(namespaces=["signals.dead"], name="broken", retry=Retry(attempts=1))
    async def handler(update: ContextUpdate) -> None:
        raise RuntimeError

    await subscriber.start()
    for namespace in ("signals.slow", "signals.dead", "signals.plain"):
        await put(store, namespace, namespace)
    await store.store({}, namespace="signals.once", context_id="once", dedupe_key="k", dedupe_window=900 * DAY)
    await until(lambda: _has_dead(store))
    await subscriber.stop()
    await clock.advance(800 * DAY)
    await Retention(store, clock).sweep()
    assert await left(store, "signals.*") == {"signals.slow", "signals.dead", "once"}
    again = await store.store({}, namespace="signals.once", dedupe_key="k")
    assert again.context_id == "once"
    await clock.advance(200 * DAY)
    await Retention(store, clock).sweep()
    assert "once" not in await left(store, "signals.*")
    assert (await store.store({}, namespace="signals.once", context_id="new", dedupe_key="k")).context_id == "new"
    assert [letter.seq for letter in await store.dead()]
    await store.close()


async def _has_dead(store: ContextStore) -> bool:
    return bool(await store.dead())


async def test_what_changes_after_it_was_picked_stays(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    for ident in ("changed", "awaited", "plain"):
        await put(store, ident, "signals.a")
    await clock.advance(400 * DAY)
    spaces = {"signals.a": 1}
    needed = await protection.gather(store, spaces, clock.now())
    want = picking.Want(changed=clock.now())
    window = await store.file.read(lambda c: picking.contexts(c, "signals.a", 1, want, needed))
    assert len(window.doomed) == 3
    await put(store, "changed", "signals.a", news=True)
    await store.file.maintain(
        lambda c, book: c.execute("INSERT INTO deliveries (subscription, seq, state) VALUES (1, 2, 'pending')")
    )
    await store.queue("q", ["other"])  # the subscription 1
    done = await store.file.maintain(lambda c, book: remove(c, book, window.doomed, clock.now()))
    assert (done.contexts, done.rows) == (1, 1)
    assert await left(store, "signals.a") == {"changed", "awaited"}
    await store.close()


async def test_of_a_mail_a_trace_stays_that_only_its_feed_sees(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    await put(store, "m", "raw.mail", ["thread:t"], files=[["/mail", "1.a"]], text="secret words", subject="Lunch")
    await clock.advance(1000 * DAY)
    done = await Retention(store, clock).sweep()
    assert (done.contexts, done.rows) == (1, 0)
    assert await store.get("m", namespace="raw.mail") is None
    assert await store.search("secret") == await store.search("about") == []
    assert await store.query(ContextFilter(namespaces=["raw.mail"], tags=["thread:t"], include_expired=True)) == []
    trace = await store.get("m", namespace="raw.mail", include_expired=True)
    assert trace is not None
    assert (trace.data, trace.text, trace.type) == ({"id": "m", "files": [["/mail", "1.a"]]}, "", TRACE)
    assert (await Retention(store, clock).sweep()).contexts == 0
    new = await put(store, "m", "raw.mail", text="news")  # and should it change, that is a new version like any other
    assert new.version == 2
    assert [hit.context.context_id for hit in await store.search("about")] == ["m"]
    await store.close()


async def test_the_index_follows_what_was_removed_before_it_had_caught_up(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "p.db"
    store = await ContextStore.open(path, clock)
    for number in range(5):
        await put(store, f"old{number}", "signals.a")
    await clock.advance(400 * DAY)
    await put(store, "old4", "signals.a", changed=True)
    await put(store, "new", "signals.a")
    await Retention(store, clock, {"signals.*": Wish(versions=1)}).sweep()
    await clock.advance(2 * DAY)
    await Retention(store, clock, {"signals.*": Wish(versions=1)}).sweep()
    await store.close()
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, search, row)")
    assert dict(connection.execute("SELECT term, doc FROM temp.words")) == {"about": 2, "new": 1, "old4": 1}
    assert connection.execute("SELECT count(*) FROM updates").fetchone() == (2,)
    connection.execute("INSERT INTO search (search) VALUES ('integrity-check')")
    connection.close()


async def test_no_number_of_the_log_is_given_twice(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    last = (await put(store, "x", "signals.a")).seq
    await clock.advance(400 * DAY)
    await Retention(store, clock).sweep()
    assert (await store.stats()).updates == 0
    await store.close()
    store = await ContextStore.open(tmp_path / "p.db", clock)
    assert (await put(store, "y", "signals.a")).seq == last + 1
    await store.close()


async def test_a_clock_that_is_years_ahead_for_once_empties_nothing(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    retention = Retention(store, clock)
    await put(store, "old", "signals.a")
    await clock.advance(340 * DAY)
    for ident in ("mail", "signal"):
        await put(store, ident, "raw.mail" if ident == "mail" else "signals.a")
    await retention.sweep()
    clock.jump(9000 * DAY)
    await retention.sweep()
    assert await left(store, "signals.a") == {"signal"}
    clock.jump(-9000 * DAY)
    await retention.sweep()
    assert await store.get("mail", namespace="raw.mail") is not None
    for _ in range(15):  # who was away for long is cleaned up in steps
        await clock.advance(100 * DAY)
        await retention.sweep()
    assert await left(store, "signals.a") == set()
    await store.close()


async def test_each_transaction_is_small(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    async with store.unit():
        for number in range(3 * ROWS):
            await put(store, str(number), "signals.a")
    for number in range(2 * ROWS + 10):
        await put(store, "one", "signals.b", number=number)
    await clock.advance(400 * DAY)
    done = await Retention(store, clock).sweep()
    assert (done.contexts, done.rows) == (3 * ROWS + 1, 5 * ROWS + 10)
    assert done.transactions >= 6
    assert (await store.stats()).updates == 0
    await store.close()


@given(st.lists(st.tuples(st.integers(1, 3 * ROWS), st.integers(0, 2 * CHARACTERS)), max_size=20))
def test_portions_lose_nothing_and_are_bounded(sizes: list[tuple[int, int]]) -> None:
    doomed = [
        Doomed(1, str(place), How.CONTEXT, tuple(range(count, 0, -1)), count, characters)
        for place, (count, characters) in enumerate(sizes)
    ]
    cut = [*portions(doomed)]
    for portion in cut:
        assert sum(each.count for each in portion) <= ROWS
        assert len(portion) == 1 or sum(each.characters for each in portion) <= CHARACTERS
    for whole in doomed:
        parts = [each for portion in cut for each in portion if each.context_id == whole.context_id]
        gone = [seq for each in parts for seq in each.chain[len(each.chain) - each.count :]]
        assert sorted(gone) == sorted(whole.chain)
        assert [each.how for each in parts] == [How.VERSIONS] * (len(parts) - 1) + [How.CONTEXT]


async def test_the_file_stops_growing(quick: Path, clock: ManualClock) -> None:
    """The same every day, kept for 8 days: after some weeks the file has the size that it keeps."""
    store = await ContextStore.open(quick / "p.db", clock)
    retention = Retention(store, clock, {"signals.*": Wish(days=8)})
    chance, sizes = random.Random(1), []
    for day in range(100):
        async with store.unit():
            for number in range(60):
                words = " ".join(f"w{chance.randrange(3000)}" for _ in range(60))
                name = f"{day}-{number}"
                await store.store({"n": name}, namespace="signals.a", context_id=name, text=words, tags=["low"])
        await clock.advance(DAY)
        await retention.sweep()
        sizes.append(await store.file.read(lambda c: int(c.execute("PRAGMA page_count").fetchone()[0])))
    assert len(await left(store, "signals.a")) == 8 * 60
    assert max(sizes[50:]) <= 1.05 * max(sizes[:50])
    assert max(sizes) * 4096 <= 8 * 60 * 2600  # bytes a context that is kept; the index rises and falls as it merges
    await store.close()


async def test_it_runs_only_when_something_was_written(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    retention = Retention(store, clock, {"a": Wish(days=8)})
    await retention.start()
    await until(lambda: bool(clock.sleepers))
    await clock.advance(PAUSE)
    await until(lambda: _swept(store, clock.now()))
    first = clock.now()
    await clock.advance(10 * DAY)
    await asyncio.sleep(0.02)
    assert clock.sleepers == []
    assert await _swept(store, first)  # nobody wrote: nobody looked
    await put(store, "x", "a")
    await until(lambda: _swept(store, clock.now()))
    await clock.advance(DAY / 2)
    last = clock.now() - DAY / 2
    async with store.unit():
        for number in range(ENOUGH - 1):
            await store.store({}, namespace="b", context_id=str(number))
    assert await _swept(store, last)
    await put(store, "y", "a")
    await until(lambda: _swept(store, clock.now()))
    await retention.stop()
    await store.close()


async def test_a_run_that_failed_says_so_and_is_tried_again(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    await put(store, "x", "signals.a")
    await store.file.maintain(lambda c, _: c.execute("ALTER TABLE dedupe RENAME TO away"))
    retention = Retention(store, clock)
    await retention.start()
    await until(lambda: bool(clock.sleepers))
    await clock.advance(PAUSE)
    await until(lambda: _health(store, "trouble"))
    await retention.stop()
    await store.file.maintain(lambda c, _: c.execute("ALTER TABLE away RENAME TO dedupe"))
    again = Retention(store, clock)
    await again.start()

    async def told() -> bool:
        await clock.advance(PAUSE)  # what tries the store out sleeps on the clock too
        return await _health(store, "ok")

    await until(told)
    await again.stop()
    await store.close()


async def _health(store: ContextStore, state: str) -> bool:
    found = await store.get("retention", namespace="health")
    return found is not None and found.data["state"] == state


async def _swept(store: ContextStore, at: float) -> bool:
    row = await store.file.read(lambda c: c.execute("SELECT value FROM meta WHERE key = 'swept'").fetchone())
    return row == (str(at),)


def test_the_most_specific_rule_holds() -> None:
    rules = Rules({"*": Wish(days=50), "signals.mail": Wish(days="forever"), "memory.*": Wish(versions=7)})
    assert rules.of("anything") == Rule(days=50)
    assert rules.of("signals.chat") == Rule(days=50, versions=3)
    assert rules.of("signals.mail") == Rule(days=None, versions=3)
    assert rules.of("memory.x") == Rule(versions=7)
    assert rules.of("approval").days is None
    assert Rules().of("raw.mail") == RULES["raw.mail"]
    assert Rules({"a": Wish(versions=2)}).sign != Rules({"a": Wish(versions=3)}).sign


def test_the_config_says_how_long(tmp_path: Path) -> None:
    source = '[store.retention]\n"signals.*" = 90\n"raw.mail" = "forever"\n"memory.*" = { versions = 5 }\n'
    kept = parse_config(source, tmp_path / "config.toml").store.retention
    assert {name: (rule.days, rule.versions) for name, rule in kept.items()} == {
        "signals.*": (90.0, None),
        "raw.mail": ("forever", None),
        "memory.*": (None, 5),
    }
    with pytest.raises(ConfigError, match=r"config.toml:2: store.retention.signals.days"):
        parse_config("[store.retention]\nsignals = 1\n", tmp_path / "config.toml")


CHILD = """
import asyncio, sys
from pathlib import Path
from pepper_tui.clock import ManualClock
from pepper_tui.store import ContextStore
from pepper_tui.store.upkeep.retention import Retention

async def main():
    clock = ManualClock(start=1_800_000_000.0 + 500 * 86400)
    store = await ContextStore.open(Path(sys.argv[1]), clock)
    print("ready", flush=True)
    await Retention(store, clock).sweep()
    print("done", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_killed_in_the_midst(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "p.db"
    store = await ContextStore.open(path, clock)
    for start in range(0, 2400, 400):
        async with store.unit():
            for number in range(start, start + 400):
                tags = [OPEN_TAG] if number % 5 == 0 else ["t"]
                await put(store, str(number), "signals.a", tags)
                await put(store, str(number), "memory.a", number=number)
    await store.close()
    wanted = {str(number) for number in range(0, 2400, 5)}
    chance, seen = random.Random(3), set()
    for _ in range(4):
        await asyncio.to_thread(_run_and_kill, path, chance.random() / 4)
        later = ManualClock(start=clock.now() + 500 * DAY)
        store = await ContextStore.open(path, later)
        assert not store.clean_start
        kept = await left(store, "signals.a")
        seen.add(len(kept))
        assert kept >= wanted
        assert len(await left(store, "memory.a")) == 2400
        found = {
            hit.context.context_id
            for hit in await store.search("about", ContextFilter(namespaces=["signals.a"]), limit=5000)
        }
        assert found == kept
        await store.close()
    store = await ContextStore.open(path, clock)
    assert max(seen) > len(wanted)  # a kill came before the end
    await Retention(store, ManualClock(start=clock.now() + 500 * DAY)).sweep()
    assert await left(store, "signals.a") == wanted
    await store.close()


def _run_and_kill(path: Path, seconds: float) -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("undelivered", [1, 2])
async def test_a_version_stays_while_it_or_its_successor_is_still_to_be_told(
    store: ContextStore, undelivered: int
) -> None:
    """Who is told of a change may ask what was before."""
    queue = await store.queue("q", ["note"])
    for number in (1, 2, 3):
        await store.store({"n": number}, namespace="note", context_id="a")
    for delivery in await queue.peek(10):
        if delivery.update.context.version != undelivered:
            async with store.unit() as unit:
                unit.ack(delivery)
    versions = await store.versions("a", namespace="note")

    async def removed() -> int:
        def work(connection: sqlite3.Connection, book: Book) -> int:
            chain = tuple(version.seq for version in versions)
            oldest = Doomed(book.namespaces["note"], "a", How.VERSIONS, chain, 1)
            return remove(connection, book, [oldest], 0.0).rows

        return await store.file.writer.run(work)

    assert await removed() == 0
    [delivery] = await queue.peek(10)
    async with store.unit() as unit:
        unit.ack(delivery)
    assert await removed() == 1
    assert [version.context.version for version in await store.versions("a", namespace="note")] == [3, 2]
