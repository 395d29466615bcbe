"""The intake: from the queue's deliveries to the next batch.

A message that the user withdrew, or that waits for calls, is skipped; what can't be read as the record it claims to be
becomes a dead letter; what needs no thought is put into the history directly.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Final, Protocol

from pepper_tui import config
from pepper_tui.clock import Clock
from pepper_tui.model import Context, Effect, Entry, Namespace, Priority, UserMessage
from pepper_tui.scheduler.batch import Batch, entry_of, question_of, round_of
from pepper_tui.scheduler.deferred import LATE_NAMESPACE, Deferred
from pepper_tui.scheduler.open_work import OpenWork
from pepper_tui.scheduler.prompt.history import History, HistoryEntry
from pepper_tui.scheduler.prompt.limits import Limits
from pepper_tui.scheduler.ranks import QUEUED_NAMESPACES, RIDES_ALONG, rank_of
from pepper_tui.store import (
    Delivery,
    DeliveryQueue,
    StaleDeliveryError,
    Store,
    StoreUnavailableError,
    VersionConflictError,
)
from pepper_tui.text import one_line

log = logging.getLogger(__name__)

_GATHERED: Final = 5  # the first of several results waits for more at most this many times the setting
_BATCH_SHARE: Final = 4  # a batch of several entries takes at most this fraction of the prompt limit


class RulesDone(Protocol):
    """What the scheduler needs to know of the user's rules."""

    async def settled(self, context: Context, /) -> bool:
        """Return whether the rules for a signal have been processed."""
        ...

    async def words(self, context: Context, /) -> list[str]:
        """Return what was done about the signal, one act per line."""
        ...


class Intake:
    """The scheduler's end of its queue; ``open`` it first.

    ``user_arrived`` is set when a message arrived that the last ``next_batch`` could not see.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        limits: Limits,
        zone: tzinfo,
        history: History,
        open_work: OpenWork,
        deferred: Deferred,
        rules: RulesDone | None = None,
    ) -> None:
        """Create the intake. ``rules``: what code does about a signal before a model sees it."""
        self._store, self._clock, self._limits, self._zone = store, clock, limits, zone
        self._history, self._open_work, self._deferred = history, open_work, deferred
        self._rules = rules
        self._queue: DeliveryQueue | None = None
        self._alone: set[int] = set()
        self._withdrawn: set[str] = set()
        self.user_arrived = asyncio.Event()
        self.taken: frozenset[str] = frozenset()
        """Ids of the user messages in the current batch: too late to withdraw them."""

    async def open(
        self,
        effect_of: Callable[[str], Effect | None],
        own: Callable[[Context, Priority], Priority] | None = None,
    ) -> None:
        """Resume the queue where the last process left it. ``own``: see ``rank_of``."""
        self._queue = await self._store.queue(
            "scheduler", QUEUED_NAMESPACES, rank=lambda update: rank_of(update, effect_of, own), start="beginning"
        )

    async def follow_user(self, ready: asyncio.Event) -> None:
        """Watch for messages; set ``ready`` once none can be missed. Runs until cancelled."""
        async with self._store.watch([Namespace.USER_MESSAGE, Namespace.RULE_MATCH, Namespace.HEALTH]) as updates:
            ready.set()
            async for batch in updates:
                said = [u.context for u in batch if u.context.namespace == Namespace.USER_MESSAGE]
                if any(context.version == 1 and not context.data.get("after_calls") for context in said):
                    self.user_arrived.set()
                if len(said) < len(batch):
                    self._wake()  # a signal may have been waiting for its rules, which are done or given up

    # ------------------------------------------------------------------------------------------------- batches

    async def next_batch(self) -> Batch:
        """Wait for the next batch and return it. It is current until ``release``."""
        assert self._queue is not None
        held: set[int] = set()
        unsettled: Delivery | None = None  # nothing behind it in the queue may overtake it
        while True:
            self.user_arrived.clear()  # before the peek, so that a message after it is noticed
            ready = await self._queue.peek(self._limits.now.batch_size, exclude=held)
            await self._open_work.refresh()
            # also of a later peek: what has come meanwhile may go before what was found
            found = [each for each in (unsettled, await self._first_unsettled(ready)) if each is not None]
            unsettled = min(found, key=lambda each: (each.rank, each.seq), default=None)
            # after the last await: from here to `taken` no message can be withdrawn
            passed = {delivery.seq for delivery in ready if self._passes(delivery)}
            if unsettled is not None:
                place = (unsettled.rank, unsettled.seq)
                passed |= {delivery.seq for delivery in ready if (delivery.rank, delivery.seq) >= place}
            behind = unsettled is not None and len(passed) == len(ready)  # and so is everything beyond the peek
            if passed and not behind:
                held |= passed
                continue  # peek again at what is behind them
            if not ready or behind:
                await self._queue.wait()
                held, unsettled = set(), None
                continue
            same = self._together(ready)
            until = self._gathers_until(same)
            if until > self._clock.now():
                await self._queue.wait(until)
                held, unsettled = set(), None
                continue
            self.taken = frozenset(
                d.update.context.context_id for d in same if d.update.context.namespace == Namespace.USER_MESSAGE
            )
            batch = await self._batch(same)
            if batch is not None and batch.deliveries[0].rank != RIDES_ALONG:
                return batch
            if batch is not None:
                await self._absorb(batch)
            held, unsettled = set(), None

    def release(self) -> None:
        """Release the current batch: done, or to be redelivered."""
        self.taken = frozenset()

    def part(self, batch: Batch) -> None:
        """Deliver each delivery of ``batch`` alone from now on."""
        self._alone.update(delivery.seq for delivery in batch.deliveries)

    def done(self, batch: Batch) -> None:
        """Forget ``batch``, which is acknowledged."""
        self._alone.difference_update(delivery.seq for delivery in batch.deliveries)

    def _together(self, ready: Sequence[Delivery]) -> list[Delivery]:
        """Return what one step may take: one rank, and one question if it is to be answered on its own."""
        first, *others = ready
        same = [first]
        for delivery in others if first.seq not in self._alone else ():
            fits = delivery.rank == first.rank and question_of(delivery) == question_of(first)
            if not fits or delivery.seq in self._alone:
                break
            same.append(delivery)
        return same

    def _gathers_until(self, same: Sequence[Delivery]) -> float:
        """Return until when results wait for those of other running calls, so that they share a step."""
        first = same[0].update.context
        if first.namespace != Namespace.TOOL_RESULT or same[0].rank == RIDES_ALONG:
            return 0.0
        if not self._open_work.at_work({str(each.update.context.data.get("origin")) for each in same}):
            return 0.0
        newest = max(delivery.update.context.created_at for delivery in same)
        return min(newest, first.created_at + _GATHERED * self._limits.now.gather) + self._limits.now.gather

    def _passes(self, delivery: Delivery) -> bool:
        """Return whether this is a user message that must not be taken now."""
        context = delivery.update.context
        if context.namespace != Namespace.USER_MESSAGE:
            return False
        waits_for = context.data.get("after_calls") or []
        return context.context_id in self._withdrawn or any(self._open_work.runs(call) for call in waits_for)

    async def _first_unsettled(self, ready: Sequence[Delivery]) -> Delivery | None:
        """Return the first signal whose rules are not processed yet: code acts before a model sees it."""
        for delivery in ready if self._rules is not None else ():
            context = delivery.update.context
            is_signal = context.namespace.startswith(f"{Namespace.SIGNALS}.")
            if is_signal and self._rules is not None and not await self._rules.settled(context):
                return delivery
        return None

    async def _batch(self, deliveries: Sequence[Delivery]) -> Batch | None:
        taken: list[Delivery] = []
        entries: list[Entry] = []
        inputs: list[str] = []
        room = self._limits.now.prompt_limit // _BATCH_SHARE
        for delivery in deliveries:
            try:
                found = await self._entries(delivery.update.context)
            except StoreUnavailableError:
                raise  # the input is fine: it is read again once the store works
            except Exception as error:
                await self.bury([delivery], error)
                continue
            room -= sum(len(entry.text) + 1 for _, entry in found)
            if room < 0 and taken:
                break
            taken.append(delivery)
            inputs += [ref for ref, _ in found]
            entries += [entry for _, entry in found]
        if not taken:
            return None
        round_ = await round_of(taken[0].rank, entries, self._store)
        return Batch(tuple(taken), tuple(entries), tuple(inputs), round_)

    async def _entries(self, context: Context) -> list[tuple[str, Entry]]:
        contexts, limits = [context], self._limits.now
        if context.namespace == LATE_NAMESPACE:
            contexts += await self._deferred.originals(context)
            fair = limits.prompt_limit // _BATCH_SHARE // len(contexts)
            limits = limits.model_copy(update={"entry_limit": min(limits.entry_limit, fair)})
        return [(f"{each.namespace}:{each.context_id}", await self._entry(each, limits)) for each in contexts]

    async def _entry(self, context: Context, limits: config.Scheduler) -> Entry:
        done: list[str] = []
        if self._rules is not None and context.namespace.startswith(f"{Namespace.SIGNALS}."):
            done = await self._rules.words(context)
        return entry_of(context, self._history, self._zone, limits, done)

    async def bury(self, deliveries: Sequence[Delivery], error: Exception) -> None:
        """Turn unprocessable deliveries into dead letters, and report it."""
        log.error("%d deliveries can't be dealt with", len(deliveries), exc_info=error)
        words = one_line(f"{type(error).__name__}: {error}")
        async with self._store.unit() as unit:
            for delivery in deliveries:
                unit.bury(delivery, words)
        await self._store.tell_dead(f"the scheduler could not read what came in: {words}")

    async def _absorb(self, batch: Batch) -> None:
        """Put results that ride along into the history without asking the model."""
        entries = [
            HistoryEntry(f"rider.{delivery.seq:012d}", entry.text, outside=True)
            for delivery, entry in zip(batch.deliveries, batch.entries, strict=True)
        ]
        async with self._store.unit() as unit:
            for delivery in batch.deliveries:
                unit.ack(delivery)
            await self._history.save(entries, step="")
        self._history.extend(entries)

    # ------------------------------------------------------------------------------------------------- taking back

    async def take_back(self, message_id: str) -> UserMessage | None:
        """Withdraw a message that no step has begun to answer, and return it; ``None`` if it is too late."""
        context = await self._store.get(message_id, namespace=Namespace.USER_MESSAGE)
        delivery = await self._waiting(message_id)
        if context is None or delivery is None or message_id in self.taken:
            return None
        message = UserMessage.of(context)
        message.withdrawn = True
        self._withdrawn.add(message_id)
        try:
            async with self._store.unit() as unit:
                unit.ack(delivery)
                await self._store.put(message, namespace=Namespace.USER_MESSAGE, expect_version=context.version)
        except (StaleDeliveryError, VersionConflictError):
            self._withdrawn.discard(message_id)
            return None
        except BaseException:
            self._withdrawn.discard(message_id)
            raise
        finally:
            self._wake()
        return message

    async def _waiting(self, message_id: str) -> Delivery | None:
        """Return the message's delivery if it is still open."""
        assert self._queue is not None
        try:
            waiting = await self._queue.peek(self._limits.now.batch_size * 10)
        finally:
            self._wake()  # this peek is not the loop's: wake it, so that it looks for itself
        return next((d for d in waiting if d.update.context.context_id == message_id), None)

    def _wake(self) -> None:
        if self._queue is not None:
            self._queue.wake()
