"""Storing, reading, versions, expiry, deduplication, units, closing."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Context, ContextFilter, Reminder
from pepper_tui.store import (
    ContextStore,
    HomeLock,
    HomeLockedError,
    StoreError,
    VersionConflictError,
    current_unit,
)
from pepper_tui.store.log.database import InlineDatabase


async def ids(store: ContextStore, *namespaces: str, **fields: object) -> list[str]:
    found = await store.query(ContextFilter(namespaces=namespaces, **fields))  # type: ignore[arg-type]
    return [context.context_id for context in found]


async def test_store_returns_what_get_reads(store: ContextStore) -> None:
    stored = await store.store(
        {"id": "a", "n": [1, {"x": "é"}]}, namespace="raw.mail", type="mail", text="T", tags=["t"], metadata={"m": 1}
    )
    assert stored == await store.get("a", namespace="raw.mail")
    assert (stored.version, stored.seq) == (1, 1)


async def test_same_content_is_no_update_and_change_is_a_version(store: ContextStore) -> None:
    first = await store.store({"v": 1}, namespace="n", context_id="a")
    assert await store.store({"v": 1}, namespace="n", context_id="a") == first
    second = await store.store({"v": 2}, namespace="n", context_id="a")
    assert (second.version, second.seq, second.created_at) == (2, 2, first.created_at)
    assert await store.get("a", namespace="n", version=1) == first
    assert await store.get("a", namespace="n", version=2) == second
    assert await store.get("a", namespace="n", version=3) is None


async def test_delete_keeps_versions_and_the_next_goes_on(store: ContextStore) -> None:
    await store.store({"v": 1}, namespace="n", context_id="a")
    assert await store.delete("a", namespace="n")
    assert not await store.delete("a", namespace="n")
    assert not await store.delete("b", namespace="elsewhere")
    assert await store.get("a", namespace="n") is None
    assert await ids(store) == []
    again = await store.store({"v": 1}, namespace="n", context_id="a")
    assert again.version == 2
    first = await store.get("a", namespace="n", version=1)
    assert first is not None
    assert first.data == {"v": 1}


async def test_ttl_hides_and_the_same_content_prolongs(store: ContextStore, clock: ManualClock) -> None:
    await store.store({"v": 1}, namespace="n", context_id="a", ttl=10)
    await clock.advance(9)
    await store.store({"v": 1}, namespace="n", context_id="a", ttl=10)
    await clock.advance(9)
    assert await ids(store, "n") == ["a"]
    await clock.advance(2)
    assert await ids(store, "n") == []
    assert await store.get("a", namespace="n") is None
    assert await ids(store, "n", include_expired=True) == ["a"]
    assert (await store.store({"v": 1}, namespace="n", context_id="a", expect_version=0)).version == 2


async def test_dedupe_key_holds_for_its_window(store: ContextStore, clock: ManualClock) -> None:
    first = await store.store({"v": 1}, namespace="n", dedupe_key="k", dedupe_window=60)
    assert await store.store({"v": 2}, namespace="n", dedupe_key="k") == first
    assert (await store.store({"v": 2}, namespace="other", dedupe_key="k")).seq == 2
    await clock.advance(61)
    assert (await store.store({"v": 3}, namespace="n", dedupe_key="k")).seq == 3


async def test_filters(store: ContextStore, clock: ManualClock) -> None:
    for number in range(6):
        tags = ["even" if number % 2 == 0 else "odd", *(["open"] if number > 2 else [])]
        kind = "x" if number < 3 else "y"
        await store.store(
            {"n": number}, namespace=f"signals.s{number % 3}.deep", context_id=str(number), tags=tags, type=kind
        )
        await clock.advance(1)
    await store.store({}, namespace="signals", context_id="root")
    assert await ids(store, "signals.*") == ["5", "4", "3", "2", "1", "0"]
    assert await ids(store, "signals.*", newest_first=False, limit=2) == ["0", "1"]
    assert await ids(store, "signals.s1.*", "signals") == ["root", "4", "1"]
    assert await ids(store, tags=["odd", "open"]) == ["5", "3"]
    assert await ids(store, "signals.s2.deep", tags=["odd"], after_seq=3) == ["5"]
    assert await ids(store, types=["x"], context_ids=["1", "4", "0"]) == ["1", "0"]
    start = 1_800_000_000.0
    assert await ids(store, since=start + 2, until=start + 4) == ["3", "2"]
    assert await ids(store, "unknown") == []
    assert await store.count(ContextFilter(namespaces=["signals.*"], limit=1)) == 6
    assert await store.query(ContextFilter(namespaces=["memory-email-agent"], limit=1)) == []


async def test_odd_values_are_stored(store: ContextStore) -> None:
    odd = "a\x00b\ud800 \U0001f600"
    stored = await store.store({"k": odd}, namespace="n", context_id=uuid.UUID(int=7), text=odd, tags=[odd])
    assert stored.data == {"k": odd}
    assert stored.text == "a\x00b\ufffd \U0001f600"
    assert stored == await store.get(str(uuid.UUID(int=7)), namespace="n")
    with pytest.raises(TypeError):
        await store.store({"k": object()}, namespace="n")


async def test_put_takes_a_record(store: ContextStore) -> None:
    reminder = Reminder("r1", "water", 1.0, "UTC", 0.0)
    context = await store.put(reminder, namespace="reminder", tags=["open"])
    assert context.context_id == "r1"
    assert Reminder.of(context) == reminder


async def test_a_unit_is_written_whole_and_not_seen_before(store: ContextStore) -> None:
    async with store.unit() as unit:
        assert current_unit() is unit
        provisional = await store.store({"v": 1}, namespace="n", context_id="a")
        assert provisional.seq == 0
        assert await store.get("a", namespace="n") is None
        await asyncio.create_task(store.store({"v": 1}, namespace="n", context_id="spawned"))
        assert await store.get("spawned", namespace="n") is not None
        with pytest.raises(ValueError, match="inner"):  # noqa: PT012
            async with store.unit():
                await store.store({"v": 1}, namespace="n", context_id="inner")
                raise ValueError("inner")
        assert await store.delete("a", namespace="n")
        await store.store({"v": 2}, namespace="n", context_id="a")
    assert current_unit() is None
    current = await store.get("a", namespace="n")
    assert current is not None
    assert (current.version, current.data) == (2, {"v": 2})
    assert await store.get("inner", namespace="n") is None


async def test_an_exception_writes_nothing(store: ContextStore) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with store.unit():
            await store.store({}, namespace="n", context_id="a")
            raise ZeroDivisionError
    assert await store.count(ContextFilter()) == 0


async def _stored_and_deleted(store: ContextStore) -> None:
    async with store.unit():
        await store.store({"v": 1}, namespace="n", context_id="b")
        await store.delete("a", namespace="n", expect_version=0)


async def test_what_is_deleted_is_the_version_that_is_expected(store: ContextStore) -> None:
    await store.store({"v": 1}, namespace="n", context_id="a")
    with pytest.raises(VersionConflictError):
        await store.delete("a", namespace="n", expect_version=2)
    with pytest.raises(VersionConflictError):
        await _stored_and_deleted(store)
    assert await store.get("b", namespace="n") is None
    assert await store.delete("a", namespace="n", expect_version=1)
    with pytest.raises(VersionConflictError):
        await store.delete("a", namespace="n", expect_version=1)


async def test_a_conflict_fails_the_whole_unit_and_only_it(store: ContextStore) -> None:
    await store.store({"v": 1}, namespace="n", context_id="a")

    async def conflicting() -> None:
        async with store.unit():
            await store.store({}, namespace="fresh", context_id="b")
            await store.store({"v": 2}, namespace="n", context_id="a", expect_version=0)

    results = await asyncio.gather(
        store.store({}, namespace="n", context_id="c"),
        conflicting(),
        store.store({"v": 3}, namespace="n", context_id="a", expect_version=1),
        store.store({"v": 4}, namespace="n", context_id="a", expect_version=1),
        store.store({}, namespace="fresh", context_id="d"),
        return_exceptions=True,
    )
    assert isinstance(results[1], VersionConflictError)
    assert isinstance(results[3], VersionConflictError)
    assert all(isinstance(results[number], Context) for number in (0, 2, 4))
    assert sorted(await ids(store)) == ["a", "c", "d"]


async def test_cancelled_units_are_never_torn(store: ContextStore) -> None:
    async def pair(number: int) -> None:
        async with store.unit():
            await store.store({}, namespace="left", context_id=str(number))
            await asyncio.sleep(0)
            await store.store({}, namespace="right", context_id=str(number))

    tasks = [asyncio.create_task(pair(number)) for number in range(300)]
    for number, task in enumerate(tasks):
        if number % 3 == 0:
            await asyncio.sleep(0)
        if number % 2:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.store({}, namespace="end")
    assert set(await ids(store, "left", limit=999)) == set(await ids(store, "right", limit=999))
    assert len(await ids(store, "left", limit=999)) >= 150


async def test_close_drains_and_then_refuses(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    waiting = [asyncio.create_task(store.store({}, namespace="n", context_id=str(n))) for n in range(50)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    assert all(context.seq for context in await asyncio.gather(*waiting))
    with pytest.raises(StoreError):
        await store.store({}, namespace="n")
    with pytest.raises(StoreError):
        await store.query(ContextFilter())
    again = await ContextStore.open(tmp_path / "p.db", clock)
    assert again.clean_start
    assert await again.count(ContextFilter()) == 50
    await again.close()


def test_a_store_left_open_does_not_hang_the_exit(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from pepper_tui.clock import SystemClock;"
        "from pepper_tui.store import ContextStore\n"
        "async def main():\n"
        "    store = await ContextStore.open(Path(sys.argv[1]), SystemClock())\n"
        "    await store.store({}, namespace='n')\n"
        "asyncio.run(main())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "p.db")], timeout=20, check=False)
    assert done.returncode == 0


async def test_the_executor_is_injected(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock, database=InlineDatabase.open)
    queue = await store.queue("q", ["n"])
    async with store.unit():
        await store.store({"v": 1}, namespace="n", context_id="a", text="inline")
    assert [hit.context.context_id for hit in await store.search("inline")] == ["a"]
    assert await queue.size() == 1
    await store.close()
    with pytest.raises(StoreError):
        await queue.peek(1)


async def test_a_damaged_file_says_the_way_out(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "p.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="recover"):
        await ContextStore.open(path, clock)


async def test_a_newer_schema_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    await store.file.writer.run(lambda connection, _: connection.execute("PRAGMA user_version = 99"))
    await store.close()
    with pytest.raises(StoreError, match="newer"):
        await ContextStore.open(tmp_path / "p.db", clock)


def test_one_engine_a_home(tmp_path: Path) -> None:
    with HomeLock(tmp_path) as held:
        with pytest.raises(HomeLockedError) as refused:
            HomeLock(tmp_path).acquire()
        assert refused.value.pid
        with HomeLock(tmp_path / "other") as other:
            assert other.held
        assert held.held
    with HomeLock(tmp_path):
        pass


async def test_search_ranks_and_survives_any_text(store: ContextStore) -> None:
    await store.store({}, namespace="mail", context_id="weak", text="lunch and a great many other words " * 5)
    await store.store({}, namespace="mail", context_id="best", text="lunch, lunch at the river")
    await store.store({}, namespace="mail", context_id="river", text="the river is long")
    await store.store({"subject": "Müller’s invoice"}, namespace="raw", context_id="data")
    hits = await store.search("river lunch")
    assert hits[0].context.context_id == "best"
    assert {hit.context.context_id for hit in hits} == {"best", "weak", "river"}
    assert "lunch" in hits[0].snippet
    assert hits[0].score > 0
    assert [h.context.context_id for h in await store.search("muller")] == ["data"]
    assert await store.search("muller", ContextFilter(namespaces=["mail"])) == []
    for hostile in (
        '"',
        "lunch AND",
        "NEAR(",
        "body:x",
        "*",
        "-",
        "a" * 99999,
        "\x00",
        "\ud800",
        "(((",
        "'; DROP",
        "{a b}",
    ):
        await store.search(hostile)
    await store.store({}, namespace="mail", context_id="best", text="changed")
    await store.delete("weak", namespace="mail")
    assert await store.search("lunch") == []


async def test_live_gives_updates_in_order_and_counts_what_was_missed(store: ContextStore) -> None:
    async with store.watch(["a.*"], size=3) as live:
        for number in range(5):
            await store.store({"n": number}, namespace="a.b", context_id=str(number))
        await store.store({}, namespace="c")
        async for batch in live:
            assert [update.context.context_id for update in batch] == ["2", "3", "4"]
            break
        assert live.missed == 2


async def test_a_failing_group_fails_only_the_guilty(store: ContextStore) -> None:
    await store.file.writer.run(
        lambda connection, _: connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON updates WHEN new.context_id = 'bad'"
            " BEGIN SELECT raise(ABORT, 'refused'); END"
        )
    )

    async def guilty() -> None:
        async with store.unit():
            await store.store({}, namespace="fresh", context_id="mate")
            await store.store({}, namespace="fresh", context_id="bad")

    results = await asyncio.gather(
        store.store({}, namespace="n", context_id="a"),
        guilty(),
        store.store({}, namespace="fresh.too", context_id="b"),
        return_exceptions=True,
    )
    assert isinstance(results[1], StoreError)
    assert "refused" in str(results[1])
    assert await ids(store, "fresh", "fresh.*", "n") == ["b", "a"]
    assert [context.seq for context in await store.query(ContextFilter())] == [2, 1]
    assert (await store.store({}, namespace="fresh", context_id="c")).seq == 3
    assert await ids(store, "fresh") == ["c"]


async def test_a_commit_can_be_read_before_the_loop_has_heard_of_it(tmp_path: Path, clock: ManualClock) -> None:
    """Another connection's first record of a namespace stands for a commit that this store's loop has not seen."""
    store = await ContextStore.open(tmp_path / "pepper.db", clock)
    try:
        await store.store({"id": "one"}, namespace="a")
        with sqlite3.connect(tmp_path / "pepper.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("INSERT INTO namespaces SELECT max(id) + 1, 'b' FROM namespaces")
            columns = [row[1] for row in other.execute("PRAGMA table_info(updates)")]
            new = {"seq": "seq + 1", "ns": "ns + 1"}
            other.execute(f"INSERT INTO updates SELECT {', '.join(new.get(c, c) for c in columns)} FROM updates")
            columns = [row[1] for row in other.execute("PRAGMA table_info(contexts)")]
            other.execute(f"INSERT INTO contexts SELECT {', '.join(new.get(c, c) for c in columns)} FROM contexts")
            other.execute("COMMIT")
        assert (await store.get("one", namespace="b")) is not None
        assert [c.namespace for c in await store.query(ContextFilter(namespaces=["b"]))] == ["b"]
        assert await store.count() == 2
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("since", "wanted"),
    [
        ("30m", []),
        ("1h", ["c"]),
        ("90 m", ["c", "b"]),
        ("1d", ["c", "b"]),
        ("2w", ["c", "b", "a"]),
        (timedelta(days=1), ["c", "b"]),
        (0, ["c", "b", "a"]),
        (None, ["c", "b", "a"]),
    ],
)
async def test_since_is_how_long_ago(
    store: ContextStore, clock: ManualClock, since: float | str | timedelta | None, wanted: list[str]
) -> None:
    for name, pause in (("a", 2 * 86400), ("b", 2400), ("c", 2400)):
        await store.store({}, namespace="n", context_id=name)
        await clock.advance(pause)
    assert await ids(store, "n", since=since) == wanted
    assert await store.count(ContextFilter(namespaces=["n"], since=since)) == len(wanted)
    if since is not None:
        assert await ids(store, "n", until=since) == [name for name in "cba" if name not in wanted]
    at = datetime.fromtimestamp(clock.now() - 3600, UTC)
    for moment in (at, at.isoformat(), at.replace(microsecond=0).isoformat().replace("+00:00", "Z")):
        assert await ids(store, "n", since=moment) == ["c"]


async def test_search_knows_since_too(store: ContextStore, clock: ManualClock) -> None:
    await store.store({}, namespace="n", context_id="old", text="phoenix")
    await clock.advance(7200)
    await store.store({}, namespace="n", context_id="new", text="phoenix")
    found = await store.search("phoenix", ContextFilter(since="1h"))
    assert [hit.context.context_id for hit in found] == ["new"]


@pytest.mark.parametrize("wanted", ["soon", "1", "1y", "-1h", "h", "", "2026-13-01", float("nan")])
async def test_a_time_that_is_not_understood_raises(store: ContextStore, wanted: float | str) -> None:
    for field in ("since", "until"):
        with pytest.raises(ValueError, match=field):
            await ids(store, "n", **{field: wanted})


@pytest.mark.parametrize(
    "fields",
    [{"since": True}, {"since": ["1h"]}, {"until": b"1h"}, {"tags": "t"}, {"types": "mail"}, {"context_ids": "a"},
     {"namespaces": "raw.*"}, {"limit": "5"}, {"limit": 2.5}, {"limit": True}],
)  # fmt: skip
async def test_a_filter_of_wrong_types_raises(store: ContextStore, fields: dict[str, object]) -> None:
    await store.store({}, namespace="raw.x", tags=["t"], type="mail")
    wanted = ContextFilter(**fields)  # type: ignore[arg-type]
    for ask in (store.query, store.count, lambda it: store.search("x", it)):
        with pytest.raises(TypeError, match=next(iter(fields))):
            await ask(wanted)


async def test_no_limit_is_all(store: ContextStore) -> None:
    async with store.unit():
        for number in range(250):
            await store.store({}, namespace=f"n.{number % 3}", context_id=number)
    for namespaces in (["n.*"], ["n.0"], []):
        everything = await store.query(ContextFilter(namespaces=namespaces, limit=None))
        assert len(everything) == await store.count(ContextFilter(namespaces=namespaces))
        assert [c.seq for c in everything] == sorted((c.seq for c in everything), reverse=True)
    assert len(await store.query(ContextFilter())) == 100
