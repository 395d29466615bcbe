"""Storing, versions, deletion, expiry, dedupe keys, odd values."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Reminder
from pepper_tui.store import (
    Store,
    StoreError,
)
from tests.conformance.store.asking import ids


async def test_store_returns_what_get_reads(store: Store) -> None:
    stored = await store.store(
        {"id": "a", "n": [1, {"x": "é"}]}, namespace="raw.mail", type="mail", text="T", tags=["t"], metadata={"m": 1}
    )
    assert stored == await store.get("a", namespace="raw.mail")
    assert (stored.version, stored.seq) == (1, 1)


async def test_same_content_is_no_update_and_change_is_a_version(store: Store) -> None:
    first = await store.store({"v": 1}, namespace="n", context_id="a")
    assert await store.store({"v": 1}, namespace="n", context_id="a") == first
    second = await store.store({"v": 2}, namespace="n", context_id="a")
    assert (second.version, second.seq, second.created_at) == (2, 2, first.created_at)
    assert await store.get("a", namespace="n", version=1) == first
    assert await store.get("a", namespace="n", version=2) == second
    assert await store.get("a", namespace="n", version=3) is None


async def test_delete_keeps_versions_and_the_next_goes_on(store: Store) -> None:
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


async def test_ttl_hides_and_the_same_content_prolongs(store: Store, clock: ManualClock) -> None:
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


async def test_dedupe_key_holds_for_its_window(store: Store, clock: ManualClock) -> None:
    first = await store.store({"v": 1}, namespace="n", dedupe_key="k", dedupe_window=60)
    assert await store.store({"v": 2}, namespace="n", dedupe_key="k") == first
    assert (await store.store({"v": 2}, namespace="other", dedupe_key="k")).seq == 2
    await clock.advance(61)
    assert (await store.store({"v": 3}, namespace="n", dedupe_key="k")).seq == 3


async def test_odd_values_are_stored(store: Store) -> None:
    odd = "a\x00b\ud800 \U0001f600"
    stored = await store.store({"k": odd}, namespace="n", context_id=uuid.UUID(int=7), text=odd, tags=[odd])
    assert stored.data == {"k": odd}
    assert stored.text == "a\x00b\ufffd \U0001f600"
    assert stored == await store.get(str(uuid.UUID(int=7)), namespace="n")
    with pytest.raises(TypeError):
        await store.store({"k": object()}, namespace="n")


async def test_put_takes_a_record(store: Store) -> None:
    reminder = Reminder("r1", "water", 1.0, "UTC", 0.0)
    context = await store.put(reminder, namespace="reminder", tags=["open"])
    assert context.context_id == "r1"
    assert Reminder.of(context) == reminder


async def test_the_id_is_the_given_one_or_that_of_the_data_or_a_new_one(store: Store) -> None:
    assert (await store.store({"id": "own"}, namespace="n", context_id="given")).context_id == "given"
    assert (await store.store({"id": "own"}, namespace="n")).context_id == "own"
    new = [(await store.store({"id": each}, namespace="n")).context_id for each in ("", 7, None)]
    assert len({*new, "", "7", "None"}) == 6
    with pytest.raises(StoreError, match="namespace"):
        await store.store({}, namespace="")


async def test_an_expired_context_is_there_for_who_asks_for_it(store: Store, clock: ManualClock) -> None:
    stored = await store.store({"v": 1}, namespace="n", context_id="a", ttl=10)
    await clock.advance(10)
    assert await store.get("a", namespace="n") is None
    assert await store.get("a", namespace="n", include_expired=True) == stored
    assert await store.get("a", namespace="n", version=1) == stored
    assert not await store.delete("a", namespace="n")  # there was none to see, and it is gone all the same
    assert await store.get("a", namespace="n", include_expired=True) is None
    assert await store.get("a", namespace="n", version=1) == stored


@pytest.mark.parametrize("ending", ["expired", "deleted"])
async def test_a_context_that_comes_back_begins_anew(store: Store, clock: ManualClock, ending: str) -> None:
    first = await store.store({"v": 1}, namespace="n", context_id="a", ttl=10)
    await clock.advance(20)
    if ending == "deleted":
        first = await store.store({"v": 1}, namespace="n", context_id="a")
        await store.delete("a", namespace="n")
        await clock.advance(1)
    again = await store.store({"v": 1}, namespace="n", context_id="a", expect_version=0)
    assert (again.version, again.created_at) == (first.version + 1, clock.now())


async def test_versions_come_newest_first_up_to_the_limit(store: Store) -> None:
    for value in range(4):
        await store.store({"v": value}, namespace="n", context_id="a")
    await store.delete("a", namespace="n")
    await store.store({"v": 9}, namespace="n", context_id="another")
    found = await store.versions("a", namespace="n")
    assert [(update.seq, update.deleted, update.context.data["v"]) for update in found] == [
        (5, True, 3), (4, False, 3), (3, False, 2), (2, False, 1), (1, False, 0)
    ]  # fmt: skip
    assert await store.versions("a", namespace="n", limit=2) == found[:2]
    assert await store.versions("b", namespace="n") == await store.versions("a", namespace="other") == []


@pytest.mark.parametrize(
    "change",
    [{"type": "t"}, {"text": "t"}, {"tags": ["t"]}, {"metadata": {"m": 1}}, {"data": {"v": 2}}, {"data": {"v": True}}],
    ids=str,
)
async def test_each_part_of_the_content_makes_a_version(store: Store, change: dict[str, Any]) -> None:
    first: dict[str, Any] = {"data": {"v": 1, "w": 2}, "namespace": "n", "context_id": "a"}
    await store.store(**first)
    assert (await store.store(**{**first, "data": {"w": 2, "v": 1}})).version == 1
    assert (await store.store(**{**first, **change})).version == 2


async def test_a_name_is_never_a_pattern(store: Store) -> None:
    await store.store({}, namespace="n", context_id="a")
    for namespace, ident in (("*", "a"), ("n", "*"), ("n*", "a"), ("N", "a"), ("n", "A")):
        assert await store.get(ident, namespace=namespace) is None
        assert await store.versions(ident, namespace=namespace) == []
        assert not await store.delete(ident, namespace=namespace)
