"""Composing: several contexts made into one, by a named strategy, with conflicts and sources on record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock
from pepper_tui.model import OPEN_TAG, Context, ContextFilter
from pepper_tui.store import ContextStore, StoreError
from pepper_tui.store.compose import ConflictError, Merge, merge

KEYS = st.sampled_from(["a", "b", "c"])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.lists(st.integers(0, 2), max_size=2))
VALUES = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)
DATA = st.dictionaries(KEYS, VALUES, max_size=3)
SOURCES = st.lists(DATA, min_size=1, max_size=4)


def contexts(data: list[dict[str, Any]]) -> list[Context]:
    return [Context(f"c{place}", "n", each, seq=place + 1) for place, each in enumerate(data)]


def paths(value: Any, prefix: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Each path of a tree, with its value; of an object, None stands for what is below it."""
    if not isinstance(value, dict):
        return {prefix: [value]}
    found: dict[tuple[str, ...], Any] = {prefix: None}
    for key, each in value.items():
        found |= paths(each, (*prefix, key))
    return found


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)  # as in JSON, true is not 1


def conflicts_of(data: list[dict[str, Any]]) -> set[str]:
    """The paths where sources differ and none above them does: found by comparing, not by merging."""
    trees = [paths(each) for each in data]
    every = sorted({path for tree in trees for path in tree}, key=len)
    found: list[tuple[str, ...]] = []
    for path in every:
        held = [tree[path] for tree in trees if path in tree]
        kinds = {value is None for value in held}
        differ = len(kinds) > 1 or (kinds == {False} and not all(same(value, held[0]) for value in held))
        if differ and not any(path[: len(above)] == above for above in found):
            found.append(path)
    return {".".join(path) for path in found}


@settings(deadline=None)  # what takes how long is not what is looked at
@given(SOURCES)
def test_conflicts_are_just_where_sources_differ(data: list[dict[str, Any]]) -> None:
    for strategy in (Merge.FIRST, Merge.LAST, Merge.NEWEST, Merge.COLLECT):
        assert {c.path for c in merge(contexts(data), strategy).conflicts} == conflicts_of(data)
    if conflicts_of(data):
        with pytest.raises(ConflictError) as caught:
            merge(contexts(data), Merge.STRICT)
        assert {c.path for c in caught.value.conflicts} == conflicts_of(data)
    else:
        assert merge(contexts(data), Merge.STRICT).data == merge(contexts(data), Merge.FIRST).data


@settings(deadline=None)  # what takes how long is not what is looked at
@given(SOURCES)
def test_strategies_against_each_other(data: list[dict[str, Any]]) -> None:
    there = contexts(data)
    first, last = merge(there, Merge.FIRST).data, merge(there, Merge.LAST).data
    assert same(sorted_tree(first), sorted_tree(merge(there[::-1], Merge.LAST).data))
    assert same(last, merge(there, Merge.NEWEST).data)  # they were stored in this order
    for strategy in Merge:
        assert same(merge(there[:1] * 3, strategy).data, data[0])
    for path, value in paths(first).items():
        if value is not None:  # every value is of some source, under its path
            assert any(same(paths(each).get(path), value) for each in data)
    assert {key for each in data for key in each} == first.keys() == last.keys()


def sorted_tree(value: Any) -> Any:
    return {key: sorted_tree(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


@settings(deadline=None)  # what takes how long is not what is looked at
@given(SOURCES)
def test_collecting_loses_no_value(data: list[dict[str, Any]]) -> None:
    merged = merge(contexts(data), Merge.COLLECT)
    for conflict in merged.conflicts:
        place: Any = merged.data
        for key in conflict.path.split("."):
            place = place[key]
        for _, value in conflict.values:
            for each in value if isinstance(value, list) else [value]:
                assert any(same(sorted_tree(each), sorted_tree(one)) for one in place)
        assert len(place) == len({repr(sorted_tree(one)) for one in place})


async def test_sources_and_conflicts_are_on_record(store: ContextStore, clock: ManualClock) -> None:
    for namespace, ident, value in (("mail", "m", 1), ("calendar", "c", 2), ("mail", "n", 1)):
        await store.store(
            {"who": value, ident: True},
            namespace=namespace,
            context_id=ident,
            text=f"about {value}",
            tags=[OPEN_TAG, ident],
            metadata={"tainted": False},
        )
        await clock.advance(1.0)
    await store.store({"who": 3, "m": True}, namespace="mail", context_id="m", text="about 3", ttl=50.0)
    names = [("mail", "m"), ("calendar", "c"), ("mail", "n")]
    made = await store.compose(names, namespace="brief", context_id="b", strategy="newest", type="brief")
    assert made.context.data == {"who": 3, "m": True, "c": True, "n": True}
    assert made.context.text == "about 3\n\nabout 2\n\nabout 1"
    assert made.context.tags == {"c", "n"}
    assert made.context.expires_at == clock.now() + 50.0
    assert made.context.metadata == {
        "composed": {
            "strategy": "newest",
            "sources": [
                {"name": "mail:m", "version": 2, "seq": 4},
                {"name": "calendar:c", "version": 1, "seq": 2},
                {"name": "mail:n", "version": 1, "seq": 3},
            ],
            "conflicts": ["who"],
        },
        "tainted": True,  # the newest version of one says nothing of it
    }
    [conflict] = made.conflicts
    assert (conflict.path, conflict.values) == ("who", (("mail:m", 3), ("calendar:c", 2), ("mail:n", 1)))
    again = await store.compose(names, namespace="brief", context_id="b", strategy=Merge.NEWEST, type="brief")
    assert again.context.version == 1
    calm = await store.compose(names[1:], namespace="brief", ttl=None, strategy=Merge.FIRST)
    assert (calm.context.metadata["tainted"], calm.context.expires_at) == (False, None)


async def test_what_is_not_there_can_not_be_composed(store: ContextStore) -> None:
    await store.store({}, namespace="a", context_id="x")
    await store.store({}, namespace="a", context_id="gone")
    await store.delete("gone", namespace="a")
    with pytest.raises(StoreError, match="nothing to compose under a:gone, b:y"):
        await store.compose([("a", "x"), ("a", "gone"), ("b", "y")], namespace="made")
    with pytest.raises(StoreError, match="at least one source"):
        await store.compose([], namespace="made")
    with pytest.raises(ValueError, match="loudest"):
        await store.compose([("a", "x")], namespace="made", strategy="loudest")
    assert await store.count(ContextFilter(namespaces=["made"])) == 0


async def test_it_joins_a_unit_of_work(store: ContextStore) -> None:
    await store.store({"n": 1}, namespace="a", context_id="x")

    async def fails() -> None:
        async with store.unit():
            await store.compose([("a", "x")], namespace="made", context_id="m")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    assert await store.get("m", namespace="made") is None
    async with store.unit():
        await store.compose([("a", "x")], namespace="made", context_id="m")
    made = await store.get("m", namespace="made")
    assert made is not None
    assert made.data == {"n": 1}
