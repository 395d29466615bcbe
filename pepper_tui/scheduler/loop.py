"""The loop: take a batch, ask the model once, commit once, go on.

Nothing of a step exists before its commit, and all of it does after: acknowledgements, history, what was said, and the
tool calls. So a crash repeats at most a model call. No error ends the loop; what can't be mended is told in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from pepper_tui import config
from pepper_tui.clock import Clock
from pepper_tui.model import (
    CALL_OPEN,
    OPEN_TAG,
    Approval,
    ApprovalState,
    AssistantMessage,
    Completed,
    Context,
    ContextFilter,
    Effect,
    Health,
    ModelError,
    ModelRequest,
    Namespace,
    Notification,
    Priority,
    ReplyDelta,
    RequestedCall,
    Step,
    TextDelta,
    ToolCall,
    ToolSpec,
    UserMessage,
)
from pepper_tui.scheduler.batch import Batch, batch_of, entry_of
from pepper_tui.scheduler.compaction import Compaction, Stream
from pepper_tui.scheduler.history import History, HistoryEntry
from pepper_tui.scheduler.prompts import WAIT, assistant_entry, call_entry, system_prompt, tail
from pepper_tui.scheduler.ranks import QUEUED_NAMESPACES, RIDES_ALONG, rank_of
from pepper_tui.store import ContextStore, Delivery, DeliveryQueue

log = logging.getLogger(__name__)

_HEALTH_PART: Final = "model"
_DEFER_BASE: Final = 15.0  # seconds until a batch that the model could not take is tried again, doubling
_DEFER_CAP: Final = 600.0
_TAIL_LIMIT: Final = 6000  # characters
_WAITS_FOR_MODEL: Final = frozenset({"timeout", "rate_limited", "server", "unreachable", "auth", "budget"})
"""Faults that say nothing about the batch: it is kept and tried again."""


class _PreemptedError(Exception):
    """A user message arrived while a step without one was thinking."""


class _StoppedError(Exception):
    """The user stopped the reply."""


@dataclass(slots=True)
class _Reply:
    """The reply under way: its id, and what has been written of it so far."""

    message_id: str
    text: str = ""


class Scheduler:
    """Think. ``start`` it once; ``stop`` leaves nothing half done."""

    def __init__(
        self,
        store: ContextStore,
        clock: Clock,
        settings: config.Scheduler,
        user: config.User,
        zone: tzinfo,
        *,
        stream: Stream,
        specs: Callable[[], list[ToolSpec]],
        by_rule: bool = False,
        on_reply: Callable[[ReplyDelta], None] = lambda _: None,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store, self._clock, self._settings, self._zone = store, clock, settings, zone
        self._stream, self._specs = stream, specs
        self._on_reply, self._checkpoint = on_reply, checkpoint
        self._system = system_prompt(user)
        self._history = History(store)
        self._compaction = Compaction(self._history, clock, settings, stream, by_rule=by_rule)
        self._queue: DeliveryQueue | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._user_arrived = asyncio.Event()
        self._stop_asked = asyncio.Event()
        self._answering: frozenset[str] = frozenset()
        self._preempted: Counter[int] = Counter()
        self._alone: set[int] = set()
        self._health = ""

    # ------------------------------------------------------------------------------------------------- life

    async def start(self) -> None:
        await self._history.load()
        effects = {spec.name: spec.effect for spec in self._specs()}
        self._queue = await self._store.queue(
            "scheduler", QUEUED_NAMESPACES, rank=lambda update: rank_of(update, effects.get), start="beginning"
        )
        ready: asyncio.Event = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._listen(ready), name="scheduler.listen"),
            asyncio.create_task(self._run(self._queue), name="scheduler"),
        ]
        await ready.wait()

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._compaction.stop()

    def stop_reply(self) -> bool:
        """Stop the reply that is being written; what stands of it stays, marked unfinished. False if there is none."""
        if not self._answering:
            return False
        self._stop_asked.set()
        return True

    async def take_back(self, message_id: str) -> UserMessage | None:
        """Withdraw a message that no step has begun to answer, and return it; ``None`` where it is too late."""
        if message_id in self._answering:
            return None
        context = await self._store.get(message_id, namespace=Namespace.USER_MESSAGE)
        if context is None or message_id in self._answering:
            return None
        message = UserMessage.of(context)
        if message.withdrawn or await self._answered(message_id):
            return None
        message.withdrawn = True
        await self._store.put(message, namespace=Namespace.USER_MESSAGE, expect_version=context.version)
        return message

    async def _answered(self, message_id: str) -> bool:
        assert self._queue is not None
        waiting = await self._queue.peek(self._settings.batch_size * 10)
        self._queue.wake()  # this look is not the loop's: what it saw must not be taken for seen
        return all(delivery.update.context.context_id != message_id for delivery in waiting)

    async def _listen(self, ready: asyncio.Event) -> None:
        async with self._store.watch([Namespace.USER_MESSAGE]) as updates:
            ready.set()
            async for batch in updates:
                if any(u.context.version == 1 and not u.context.data.get("after_calls") for u in batch):
                    self._user_arrived.set()

    # ------------------------------------------------------------------------------------------------- the loop

    async def _run(self, queue: DeliveryQueue) -> None:
        faults = 0
        while True:
            try:
                await self._compaction.at_boundary()
                batch = await self._next_batch(queue)
                await self._think(batch)
                faults = 0
            except _PreemptedError:
                continue
            except Exception as error:
                # A fault of our own must not end the loop; the deliveries are still there.
                faults += 1
                log.exception("a step failed")
                await self._tell_health("trouble", f"A step failed: {error}", "pepper log shows more")
                await self._clock.sleep(min(_DEFER_CAP, 2.0**faults))

    async def _next_batch(self, queue: DeliveryQueue) -> Batch:
        held: set[int] = set()
        while True:
            ready = await queue.peek(self._settings.batch_size, exclude=held)
            found = await self._held(ready)
            if found:
                held |= found
                continue  # what they left room for
            if not ready:
                await queue.wait()
                held = set()
                continue
            if ready[0].rank == RIDES_ALONG:
                await self._absorb(ready)
                held = set()
                continue
            same = [delivery for delivery in ready if delivery.rank == ready[0].rank]
            if self._alone.intersection(delivery.seq for delivery in same):
                same = same[:1]
            return await batch_of(same, self._store, self._history, self._zone, self._settings.entry_limit)

    async def _held(self, ready: list[Delivery]) -> set[int]:
        """User messages that are not to be taken now: withdrawn ones (let go here), and those that wait for calls."""
        held: set[int] = set()
        for delivery in ready:
            context = delivery.update.context
            if context.namespace != Namespace.USER_MESSAGE:
                break
            current = await self._store.get(context.context_id, namespace=Namespace.USER_MESSAGE)
            if current is None or current.data.get("withdrawn"):
                async with self._store.unit() as unit:
                    unit.ack(delivery)
                held.add(delivery.seq)
            elif await self._any_open(context.data.get("after_calls", [])):
                held.add(delivery.seq)
        return held

    async def _any_open(self, calls: list[str]) -> bool:
        for call_id in calls:
            context = await self._store.get(call_id, namespace=Namespace.TOOL_CALL)
            if context is not None and ToolCall.of(context).state in CALL_OPEN:
                return True
        return False

    async def _absorb(self, deliveries: list[Delivery]) -> None:
        """Take riders into the history without asking the model."""
        riders = [delivery for delivery in deliveries if delivery.rank == RIDES_ALONG]
        limit = self._settings.entry_limit
        entries = [
            HistoryEntry(f"rider.{d.seq:012d}", entry_of(d, self._history, self._zone, limit).text, outside=True)
            for d in riders
        ]
        async with self._store.unit() as unit:
            for delivery in riders:
                unit.ack(delivery)
            await self._history.save(entries, step="")
        self._history.extend(entries)

    # ------------------------------------------------------------------------------------------------- one step

    async def _think(self, batch: Batch) -> None:
        if not batch.holds_user:
            self._checkpoint("signal_stored")
        step = Step(self._clock.new_id("step"), self._clock.now(), batch.inputs, round=batch.round)
        started = self._clock.monotonic()
        if batch.round > self._settings.max_rounds:
            words = f"I stopped here: {batch.round} steps in a row led only to the next. Tell me how to go on."
            await self._commit_trouble(batch, step, words)
            return
        reply = _Reply(self._clock.new_id("msg"))
        request = ModelRequest(
            role="scheduler",
            messages=await self._messages(batch),
            tools=(*self._specs(), WAIT),
            entries=batch.entries,
            now=self._clock.now(),
            reserve="chat" if batch.speaks else "background",
        )
        if batch.holds_user:
            ids = (e.facts["id"] for e in batch.entries if e.kind == "user_msg")
            self._answering = frozenset(ids)
        self._user_arrived.clear()
        self._stop_asked.clear()
        try:
            completed = await self._ask(batch, request, reply)
        except _StoppedError:
            step.outcome = "stopped"
            await self._commit(batch, step, reply, reply.text, (), unfinished=True)
            return
        except ModelError as error:
            await self._on_model_error(batch, step, error, reply)
            return
        finally:
            self._answering = frozenset()
        usage = completed.usage
        step.model, step.cost = usage.model, usage.cost
        step.prompt_tokens, step.cached_tokens = usage.prompt_tokens, usage.cached_tokens
        step.completion_tokens = usage.completion_tokens
        step.seconds = self._clock.monotonic() - started
        await self._commit(batch, step, reply, completed.text, completed.calls)
        await self._tell_health("ok", "", "")

    async def _messages(self, batch: Batch) -> list[dict[str, str]]:
        new = [entry.text for entry in batch.entries]
        log_text = "\n".join([text for text in (self._history.text(), *new) if text])
        open_calls, open_cards = await asyncio.gather(self._open(Namespace.TOOL_CALL), self._open(Namespace.APPROVAL))
        calls, cards = [ToolCall.of(c) for c in open_calls], [Approval.of(c) for c in open_cards]
        pending = [card for card in cards if card.state is ApprovalState.PENDING]
        ours = [call for call in calls if call.origin.startswith("step:")]
        ends = tail(self._clock.now(), self._zone, ours, pending, _TAIL_LIMIT)
        room = self._settings.prompt_limit - len(self._system) - len(ends)
        return [
            {"role": "system", "content": self._system},
            # Only a single batch larger than the whole limit gets cut here; compaction keeps the rest below it.
            {"role": "user", "content": log_text[-room:]},
            {"role": "user", "content": ends},
        ]

    async def _open(self, namespace: str) -> list[Context]:
        return await self._store.query(
            ContextFilter(namespaces=[namespace], tags=[OPEN_TAG], newest_first=False, limit=200)
        )

    async def _ask(self, batch: Batch, request: ModelRequest, reply: _Reply) -> Completed:
        """One model call with its retries; raises when it is pre-empted, stopped, or could not be had."""
        may_preempt = not batch.holds_user and self._preempted[batch.key] < self._settings.max_preemptions
        interrupt = self._user_arrived if may_preempt else self._stop_asked if batch.holds_user else asyncio.Event()
        asking = asyncio.create_task(self._ask_with_retries(request, reply, shown=batch.holds_user))
        interrupted = asyncio.create_task(interrupt.wait())
        try:
            await asyncio.wait({asking, interrupted}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                self._preempted.pop(batch.key, None)
                return asking.result()
        finally:
            for task in (asking, interrupted):
                task.cancel()
            await asyncio.wait({asking, interrupted})
        if batch.holds_user:
            raise _StoppedError
        self._preempted[batch.key] += 1
        raise _PreemptedError

    async def _ask_with_retries(self, request: ModelRequest, reply: _Reply, *, shown: bool) -> Completed:
        attempt = 0
        while True:
            try:
                async for event in self._stream(request):
                    if isinstance(event, Completed):
                        return event
                    if isinstance(event, TextDelta) and shown:
                        reply.text += event.text
                        self._on_reply(ReplyDelta(reply.message_id, event.text))
                raise ModelError("cut", "The model's answer broke off.", retryable=True)
            except ModelError as error:
                if not error.retryable or attempt >= self._settings.retries:
                    raise
                if reply.text:
                    reply.text = ""
                    self._on_reply(ReplyDelta(reply.message_id, "", restart=True))
                backoff = self._settings.retry_base * 2**attempt * (0.5 + self._clock.jitter())
                await self._clock.sleep(min(self._settings.retry_cap, error.retry_after or backoff))
                attempt += 1

    async def _on_model_error(self, batch: Batch, step: Step, error: ModelError, reply: _Reply) -> None:
        await self._tell_health("trouble", error.words, "pepper config check shows the model's settings")
        if error.usage is not None:
            step.cost, step.model = error.usage.cost, error.usage.model
        if batch.speaks:
            if reply.text:
                self._on_reply(ReplyDelta(reply.message_id, "", restart=True))
            waiting = "" if batch.holds_user else " The result that you waited for is in the log; ask me again for it."
            await self._commit_trouble(batch, step, f"{error.words}{waiting}", reply)
        elif error.kind in _WAITS_FOR_MODEL:
            async with self._store.unit() as unit:
                for delivery in batch.deliveries:
                    delay = min(_DEFER_CAP, _DEFER_BASE * 2 ** min(delivery.attempts, 10))
                    unit.defer(delivery, self._clock.now() + delay)
        elif len(batch.deliveries) > 1:
            # One of them may be what the model stumbles over: from now on each goes alone.
            self._alone.update(delivery.seq for delivery in batch.deliveries)
        else:
            await self._commit_trouble(batch, step, f"The model could not deal with one event. {error.words}", reply)

    # ------------------------------------------------------------------------------------------------- the commit

    async def _commit_trouble(self, batch: Batch, step: Step, words: str, reply: _Reply | None = None) -> None:
        """End a step that has no answer: its input stays in the history, and the user is told in words."""
        step.outcome = "trouble"
        reply = reply or _Reply(self._clock.new_id("msg"))
        async with self._store.unit() as unit:
            for delivery in batch.deliveries:
                unit.ack(delivery)
            entries = self._entries(step, batch)
            await self._history.save(entries, step.id)
            if batch.speaks:
                step.message = reply.message_id
                message = AssistantMessage(reply.message_id, words, self._clock.now(), step.id, kind="trouble")
                await self._store.put(message, namespace=Namespace.ASSISTANT_MESSAGE, text=words)
            else:
                await self._notify_trouble(step, words)
            await self._store.put(step, namespace=Namespace.STEP)
        self._history.extend(entries)
        self._on_reply(ReplyDelta(reply.message_id, "", done=True))

    async def _notify_trouble(self, step: Step, words: str) -> None:
        note = Notification(
            self._clock.new_id("note"),
            "An event was left without judgement",
            words,
            "the model gave no usable answer",
            f"{Namespace.STEP}:{step.id}",
            self._clock.now(),
            Priority.LOW,
            kind="trouble",
            matter="model",
        )
        await self._store.put(
            note, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG], dedupe_key="model", dedupe_window=86400
        )

    def _entries(self, step: Step, batch: Batch) -> list[HistoryEntry]:
        return [
            HistoryEntry(f"{step.id}.{number:03d}", entry.text, outside=entry.kind != "user_msg")
            for number, entry in enumerate(batch.entries)
        ]

    async def _commit(
        self,
        batch: Batch,
        step: Step,
        reply: _Reply,
        text: str,
        requested: tuple[RequestedCall, ...],
        *,
        unfinished: bool = False,
    ) -> None:
        now = self._clock.now()
        wanted = [call for call in requested if call.name != WAIT.name]
        calls = [self._call(step, batch, call) for call in wanted[: self._settings.calls_per_step]]
        entries = self._entries(step, batch)
        said = []
        if text.strip() or unfinished:
            said.append(assistant_entry(text, spoken=batch.speaks, unfinished=unfinished))
        texts = [*((line, "") for line in said), *((call_entry(c, self._settings.entry_limit), c.id) for c in calls)]
        if len(wanted) > len(calls):
            texts.append((f"<note>{len(wanted) - len(calls)} more calls were dropped: too many in one step</note>", ""))
        entries += [
            HistoryEntry(f"{step.id}.{number:03d}", line, call)
            for number, (line, call) in enumerate(texts, start=len(entries))
        ]
        step.calls = [call.id for call in calls]
        self._checkpoint("step_before_commit")
        async with self._store.unit() as unit:
            for delivery in batch.deliveries:
                unit.ack(delivery)
            if said:
                message = AssistantMessage(reply.message_id, text, now, step.id, unfinished=unfinished)
                if batch.speaks:
                    step.message = message.id
                    await self._store.put(message, namespace=Namespace.ASSISTANT_MESSAGE, text=text)
                else:
                    step.log = message.id
                    await self._store.put(message, namespace=Namespace.ASSISTANT_LOG, text=text)
            for call in calls:
                await self._store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
            await self._history.save(entries, step.id)
            await self._store.put(step, namespace=Namespace.STEP)
        self._checkpoint("step_after_commit")
        self._history.extend(entries)
        self._alone.difference_update(delivery.seq for delivery in batch.deliveries)
        if said and batch.speaks:
            self._on_reply(ReplyDelta(reply.message_id, "", done=True))

    def _call(self, step: Step, batch: Batch, requested: RequestedCall) -> ToolCall:
        effect = next((spec.effect for spec in self._specs() if spec.name == requested.name), Effect.READ)
        return ToolCall(
            id=self._clock.new_id("call"),
            name=requested.name,
            arguments=requested.arguments,
            effect=effect,
            created_at=self._clock.now(),
            origin=f"step:{step.id}",
            root=batch.root,
            tainted=self._history.tainted or any(entry.kind != "user_msg" for entry in batch.entries),
            matter=batch.matter,
        )

    async def _tell_health(self, state: str, detail: str, mend: str) -> None:
        if self._health == state + detail:
            return
        self._health = state + detail
        record = Health(_HEALTH_PART, "ok" if state == "ok" else "trouble", detail, mend, self._clock.now())
        await self._store.store(record.data(), namespace=Namespace.HEALTH, context_id=_HEALTH_PART)
