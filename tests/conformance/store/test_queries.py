"""Filters, times, limits and search by words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter, Json
from pepper_tui.store import (
    Store,
)
from tests.conformance.store.asking import ids


async def test_filters(store: Store, clock: ManualClock) -> None:
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
    store: Store, clock: ManualClock, since: float | str | timedelta | None, wanted: list[str]
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


async def test_search_knows_since_too(store: Store, clock: ManualClock) -> None:
    await store.store({}, namespace="n", context_id="old", text="phoenix")
    await clock.advance(7200)
    await store.store({}, namespace="n", context_id="new", text="phoenix")
    found = await store.search("phoenix", ContextFilter(since="1h"))
    assert [hit.context.context_id for hit in found] == ["new"]


@pytest.mark.parametrize("wanted", ["soon", "1", "1y", "-1h", "h", "", "2026-13-01", float("nan")])
async def test_a_time_that_is_not_understood_raises(store: Store, wanted: float | str) -> None:
    for field in ("since", "until"):
        with pytest.raises(ValueError, match=field):
            await ids(store, "n", **{field: wanted})


@pytest.mark.parametrize(
    "fields",
    [{"since": True}, {"since": ["1h"]}, {"until": b"1h"}, {"tags": "t"}, {"types": "mail"}, {"context_ids": "a"},
     {"namespaces": "raw.*"}, {"limit": "5"}, {"limit": 2.5}, {"limit": True}],
)  # fmt: skip
async def test_a_filter_of_wrong_types_raises(store: Store, fields: dict[str, object]) -> None:
    await store.store({}, namespace="raw.x", tags=["t"], type="mail")
    wanted = ContextFilter(**fields)  # type: ignore[arg-type]
    for ask in (store.query, store.count, lambda it: store.search("x", it)):
        with pytest.raises(TypeError, match=next(iter(fields))):
            await ask(wanted)


async def test_no_limit_is_all(store: Store) -> None:
    async with store.unit():
        for number in range(250):
            await store.store({}, namespace=f"n.{number % 3}", context_id=number)
    for namespaces in (["n.*"], ["n.0"], []):
        everything = await store.query(ContextFilter(namespaces=namespaces, limit=None))
        assert len(everything) == await store.count(ContextFilter(namespaces=namespaces))
        assert [c.seq for c in everything] == sorted((c.seq for c in everything), reverse=True)
    assert len(await store.query(ContextFilter())) == 100


async def test_search_ranks_and_survives_any_text(store: Store) -> None:
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


@pytest.mark.parametrize("limit", [-1, 0, 1, 2, 5])
async def test_the_limit_is_of_the_first_in_order(store: Store, limit: int) -> None:
    for ident in ("a", "b", "c"):
        await store.store({}, namespace="n", context_id=ident, text="word")
    most = max(0, limit)
    assert await ids(store, limit=limit) == ["c", "b", "a"][:most]
    assert await ids(store, limit=limit, newest_first=False) == ["a", "b", "c"][:most]
    assert [hit.context.context_id for hit in await store.search("word", limit=limit)] == ["c", "b", "a"][:most]
    assert await store.count(ContextFilter(limit=limit)) == 3


async def test_a_change_moves_a_context_to_the_end_of_the_log(store: Store) -> None:
    for ident in ("a", "b", "a"):
        await store.store({"at": await store.count()}, namespace="n", context_id=ident)
    assert await ids(store) == ["a", "b"]
    assert await ids(store, after_seq=2) == ["a"]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, ["kept", "mail", "open"]),
        ({"include_expired": True}, ["gone", "kept", "mail", "open"]),
        ({"tags": ["t", "open"]}, ["open"]),
        ({"types": ["mail", "none"]}, ["mail"]),
        ({"namespaces": ["n.*"]}, ["mail"]),
        ({"context_ids": ["kept", "gone", "absent"]}, ["kept"]),
        ({"after_seq": 2}, ["kept", "mail"]),
        ({"namespaces": ["none"]}, []),
    ],
    ids=str,
)
async def test_search_and_query_take_the_same_filter(
    store: Store, clock: ManualClock, fields: dict[str, Any], wanted: list[str]
) -> None:
    await store.store({}, namespace="n", context_id="open", text="word", tags=["t", "open"])
    await store.store({}, namespace="n", context_id="gone", text="word", ttl=1)
    await store.store({}, namespace="n", context_id="kept", text="word", tags=["t"], ttl=100)
    await store.store({}, namespace="n.mail", context_id="mail", text="word", type="mail")
    await store.store({}, namespace="n", context_id="deleted", text="word")
    await store.delete("deleted", namespace="n")
    await clock.advance(2)
    asked = ContextFilter(**fields)
    assert sorted(context.context_id for context in await store.query(asked)) == wanted
    assert await store.count(asked) == len(wanted)
    assert sorted(hit.context.context_id for hit in await store.search("word", asked)) == wanted


async def test_what_holds_all_words_comes_first(store: Store) -> None:
    await store.store({}, namespace="n", context_id="all", text="the Phoenix project, and " + "much else " * 50)
    await store.store({}, namespace="n", context_id="one", text="phoenix phoenix phoenix")
    await store.store({}, namespace="n", context_id="none", text="another")
    hits = await store.search("PHOENIX project")
    assert [(hit.context.context_id, hit.whole, hit.found) for hit in hits] == [
        ("all", True, "text"),
        ("one", False, "text"),
    ]
    assert hits[0].snippet.startswith("the Phoenix project")


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("a café in Zürich", "cafe zurich", True),
        ("a cafe", "café", True),
        ("snake_case name", "snake_case", True),
        ("snake case", "snake_case", True),
        ("case snake", "snake_case", False),
        ("phoenix", "phoen", False),
        ("it’s Müller’s", "MÜLLER", True),
        ("one, two", "one-two", True),
        ("room 42", "42", True),
        ("anything", "... !", False),
        ("anything", "", False),
    ],
)
async def test_words_are_found_whole_without_case_and_accents(store: Store, text: str, query: str, found: bool) -> None:
    await store.store({}, namespace="n", context_id="a", text=text)
    assert [hit.context.context_id for hit in await store.search(query)] == ["a"] * found


async def test_without_a_text_the_words_of_the_data_are_found(store: Store) -> None:
    await store.store({"subject": "Phoenix", "to": ["ann"]}, namespace="n", context_id="a")
    await store.store({"subject": "Phoenix"}, namespace="n", context_id="b", text="a text")
    assert [hit.context.context_id for hit in await store.search("phoenix")] == ["a"]
    assert [hit.context.context_id for hit in await store.search("ann")] == ["a"]


async def test_all_contexts_with_words_side_by_side(store: Store) -> None:
    for ident, text in {
        "a": "The rent is due",
        "b": "due is the RENT",
        "c": "rént, is it due",
        "d": "rental is due",
    }.items():
        await store.store(
            {"n": ident}, namespace="mail", context_id=ident, text=text, tags=["t"] if ident != "a" else []
        )
    await store.store({}, namespace="note", context_id="e", text="rent is due")
    mail = ContextFilter(namespaces=["mail"], limit=1)
    asked = {"rent is": "ac", "rent": "abc", "is due": "ad", "the": "ab", "none": "", "": "", '" OR (': "", "re": ""}
    for words, ids_ in asked.items():
        assert await store.having(words, mail) == set(ids_), words
    for words, ids_ in {"ren": "abcd", "rent i": "ac", "is due": "ad", "r d": ""}.items():
        assert await store.having(words, mail, begun=True) == set(ids_), words
    assert await store.having("rent", ContextFilter(namespaces=["mail"], tags=["t"])) == {"b", "c"}
    await store.store({}, namespace="mail", context_id="a", text="other", ttl=0.0)
    await store.delete("b", namespace="mail")
    assert await store.having("rent", mail) == {"c"}
    assert await store.having("rent", ContextFilter(namespaces=["unknown"])) == set()


async def test_some_values_of_many_contexts(store: Store) -> None:
    for number in range(3):
        data = {"n": number, "who": {"name": "Ünal"}, "list": [1, None], "?": 1}
        await store.store(data, namespace="mail", context_id=str(number), tags=["odd"] if number % 2 else [])
    wanted = ContextFilter(namespaces=["mail"], newest_first=False, limit=None)
    found = await store.values(wanted, "who", "missing", "list")
    assert [each.context_id for each in found] == ["0", "1", "2"]
    assert [each.seq for each in found] == [each.seq for each in await store.query(wanted)]
    assert found[0].values == [{"name": "Ünal"}, None, [1, None]]
    assert [each.values for each in await store.values(ContextFilter(namespaces=["mail"], tags=["odd"]), "n")] == [[1]]
    some = await store.values(ContextFilter(namespaces=["mail"], context_ids=["0", "2", "9"]))
    assert sorted((each.context_id, each.values) for each in some) == [("0", []), ("2", [])]
    await store.delete("0", namespace="mail")
    assert len(await store.values(wanted)) == 2


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("keys", [[], ["n"]])
@pytest.mark.parametrize(
    "more",
    [{}, {"context_ids": ["1", "4", "2", "9"]}, {"tags": ["odd"]}, {"namespaces": ["mail", "chat"]}, {"after_seq": 3}],
)
async def test_values_come_in_the_filters_order_and_up_to_its_limit(
    store: Store, more: Json, keys: list[str], newest_first: bool
) -> None:
    for number in range(6):
        space = "chat" if number == 3 else "mail"
        await store.store({"n": number}, namespace=space, context_id=str(number), tags=["odd"] if number % 2 else [])
    await store.store({"n": 10}, namespace="mail", context_id="1", tags=["odd"])  # now the newest
    for limit in (None, 0, 1, 2, 99):
        wanted = ContextFilter(**{"namespaces": ["mail"], "newest_first": newest_first, "limit": limit, **more})
        same = [(each.context_id, each.seq, [each.data[key] for key in keys]) for each in await store.query(wanted)]
        assert await store.values(wanted, *keys) == same
        assert len(same) == 0 if limit == 0 else len(same) > 0


async def test_values_with_half_of_a_character_are_those_that_were_stored(store: Store) -> None:
    data = {"odd": "\udc80ü", "deep": {"\udc80": ["\ud800 x"]}}
    await store.store(data, namespace="mail", context_id="1")
    [found] = await store.values(ContextFilter(namespaces=["mail"]), "odd", "deep")
    assert found.values == [data["odd"], data["deep"]]
