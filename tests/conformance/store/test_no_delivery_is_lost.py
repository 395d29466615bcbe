"""Whatever its handler does, each delivery ends: done, once and in the order of its key, or dead."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter, ContextUpdate
from pepper_tui.store import GiveUpError, Retry, Store, StoreUnavailableError, Subscriber
from tests.conformance.store.machine import long
from tests.conformance.store.opening import KINDS, open_store
from tests.waiting import until

FOREVER = 99  # times that a handler fails
FAULTS = ("fails", "gives up", "the store fails", "is cancelled", "takes long")
ACTS = ("store", "store", "store", "pass", "wait", "restart", "redrive")


@dataclass(frozen=True)
class Case:
    """One handler, what is done around it, and how often each update makes it fail in which way."""

    concurrency: int
    size: int
    ordered: bool
    retry: Retry
    acts: list[str]
    faults: list[tuple[str, int]]


CASES = st.builds(
    Case,
    st.integers(1, 8),
    st.sampled_from([0, 0, 0, 3]),
    st.booleans(),
    st.builds(Retry, st.integers(1, 3), st.sampled_from([0.0, 0.5, 60.0])),
    st.lists(st.sampled_from(ACTS), min_size=1, max_size=12),
    st.lists(st.tuples(st.sampled_from(FAULTS), st.sampled_from([0, 1, 2, FOREVER])), min_size=12, max_size=12),
)


class Handler:
    """Fails as the case says, and else writes one context for each update."""

    def __init__(self, case: Case, clock: ManualClock) -> None:
        self._case, self._clock = case, clock
        self._failed: Counter[str] = Counter()

    def started(self, store: Store, subscriber: Subscriber) -> None:
        case = self._case

        async def single(update: ContextUpdate) -> None:
            await self._take(store, update)

        async def batch(updates: list[ContextUpdate]) -> None:
            for update in updates:
                await self._take(store, update)

        key = (lambda update: str(update.context.data["key"])) if case.ordered else None
        if case.size:
            subscriber.on_context_batch(namespaces=["n"], name="h", size=case.size, retry=case.retry, order_key=key)(
                batch
            )
        else:
            subscriber.on_context_update(
                namespaces=["n"], name="h", concurrency=case.concurrency, retry=case.retry, order_key=key
            )(single)

    async def _take(self, store: Store, update: ContextUpdate) -> None:
        ident = update.context.context_id
        kind, times = self._case.faults[int(ident)]
        await store.store({"key": update.context.data["key"]}, namespace="out", context_id=ident)
        if kind == "takes long":
            await self._clock.sleep(times)
        elif self._failed[ident] < times:
            self._failed[ident] += 1
            if kind == "is cancelled":
                raise asyncio.CancelledError
            raise {"fails": ValueError, "gives up": GiveUpError}.get(kind, StoreUnavailableError)("no")


async def play(kind: str, folder: Path, case: Case) -> None:
    clock = ManualClock()
    store = await open_store(kind, folder, clock)
    handler = Handler(case, clock)
    subscriber = Subscriber(store)
    handler.started(store, subscriber)
    await subscriber.start()
    stored = 0
    for act in case.acts:
        if act == "store":
            await store.store({"key": stored % 3}, namespace="n", context_id=str(stored))
            stored += 1
        elif act == "pass":
            await clock.advance(1.0)
        elif act == "wait":
            await asyncio.sleep(0.001)
        elif act == "redrive" and not case.ordered:  # one that comes back is behind the others of its key
            await store.redrive("h")
        elif act == "restart":
            await subscriber.stop()
            if kind == "file":
                await store.close()
                store = await open_store(kind, folder, clock)
            subscriber = Subscriber(store)
            handler.started(store, subscriber)
            await subscriber.start()

    async def ended() -> bool:
        await clock.advance(1000.0)
        return await store.undelivered("h") == 0

    try:
        await until(ended, 2.0, "a delivery stays open")
        out = sorted(await store.query(ContextFilter(namespaces=["out"])), key=lambda each: each.seq)
        assert [each.version for each in out] == [1] * len(out)
        dead = {letter.update.context.context_id for letter in await store.dead()}
        assert sorted([*dead, *(each.context_id for each in out)], key=int) == [str(each) for each in range(stored)]
        if case.ordered:
            for key in range(3):
                order = [int(each.context_id) for each in out if each.data["key"] == key]
                assert order == sorted(order)
    finally:
        await subscriber.stop()
        await store.close()


@pytest.fixture(autouse=True)
def _soon_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pepper_tui.store.delivery.subscriber.STORE_FAULTS", 3)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_nothing_follows_is_tried_again(kind: str, concurrency: int, fault: str, tmp_path: Path) -> None:
    await play(kind, tmp_path, Case(concurrency, 0, False, Retry(attempts=3, base=0.0), ["store"], [(fault, 2)]))


@pytest.mark.parametrize("kind", KINDS)
def test_each_delivery_ends(kind: str) -> None:
    memory = Path("/dev/shm")

    @settings(long(60 if kind == "memory" else 15), phases=(Phase.reuse, Phase.generate))
    @given(CASES)
    def all_end(case: Case) -> None:
        with tempfile.TemporaryDirectory(prefix="pepper-ends-", dir=memory if memory.is_dir() else None) as folder:
            asyncio.run(play(kind, Path(folder), case))

    all_end()
