"""The loop: take a batch, ask the model once, commit once, go on.

Nothing of a step exists before its commit, and all of it does after: acknowledgements, history, what was said, and the
tool calls. So a crash repeats at most a model call. No error ends the loop; what can't be fixed is told in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import tzinfo
from typing import Final

from pepper_tui import config
from pepper_tui.clock import Clock
from pepper_tui.llm.windows import message_characters
from pepper_tui.model import (
    OPEN_TAG,
    WAITS_ITS_TURN,
    AssistantMessage,
    Completed,
    Effect,
    Entry,
    Health,
    Json,
    ModelError,
    ModelEvent,
    ModelRequest,
    Namespace,
    Notification,
    Priority,
    ReplyDelta,
    RequestedCall,
    Step,
    ToolCall,
    ToolSpec,
    UserMessage,
    instructions,
)
from pepper_tui.scheduler.asking import Asking, InterruptedByUserError, Reply, Stream
from pepper_tui.scheduler.batch import Batch
from pepper_tui.scheduler.intake import Intake, RulesDone
from pepper_tui.scheduler.offer import Offer
from pepper_tui.scheduler.open_work import OpenWork
from pepper_tui.scheduler.own_priority import OwnPriority
from pepper_tui.scheduler.prompt.acts import UserActs
from pepper_tui.scheduler.prompt.compaction import Compaction
from pepper_tui.scheduler.prompt.history import History, HistoryEntry, Summary
from pepper_tui.scheduler.prompt.prompts import NEW, WAIT, WAITED, assistant_entry, call_entry, fitted, note_entry, tail
from pepper_tui.scheduler.prompt.system_prompt import Head
from pepper_tui.scheduler.prompt.turn import Turn
from pepper_tui.scheduler.unjudged import LATE_NAMESPACE, Unjudged
from pepper_tui.store import Store, StoreError, StoreUnavailableError, UnitOfWork
from pepper_tui.text import one_line

log = logging.getLogger(__name__)

_HEALTH_PART: Final = "model"
_DEFER_BASE: Final = 15.0  # seconds until a batch that the model could not take is tried again, doubling
_DEFER_CAP: Final = 600.0
_TAIL_LIMIT: Final = 6000  # characters
_FAULT_PAUSE_CAP: Final = 60.0  # seconds after a fault of Pepper's own, doubling from two
_STORE_FAULTS: Final = 10  # faults of the store in a row that are held against no batch
_FITS: Final = 3  # times that a prompt is shortened for a model that finds it too long
_SHRINK: Final = 0.9  # of a prompt that was too long, where nothing tells how much too long
_CORRECTION: Final = 2000  # characters kept free for an answer that could not be carried out, and what is wrong with it
_LEAST_PROMPT: Final = 1000  # characters beside the head, without which there is nothing to answer
_SERVERS: Final = 8  # the share of a prompt that MCP servers' instructions may take
_FAULTS_A_BATCH: Final = 3  # each may have cost a model call: then it is told, in place of another try
_TOLD_WAIT: Final = 2.0  # seconds of waiting for the model that the status tells of
_WAITS_FOR_MODEL: Final = frozenset(
    {"timeout", "rate_limited", "server", "loading", "unreachable", "auth", "setup", "budget"}
)
"""Faults that say nothing about the batch: it is kept and tried again."""


class Scheduler:
    """Think. ``start`` it once; ``stop`` leaves nothing half done."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        settings: config.Scheduler,
        user: config.User,
        zone: tzinfo,
        *,
        stream: Stream,
        specs: Callable[[], list[ToolSpec]],
        window: Callable[[Sequence[ToolSpec]], int | None] = lambda _: None,
        by_rule: bool = False,
        rules: RulesDone | None = None,
        unit: Callable[[], AbstractAsyncContextManager[UnitOfWork]] | None = None,
        on_reply: Callable[[ReplyDelta], None] = lambda _: None,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``unit`` opens the unit of work of a step's commit: others may have something to commit with it. ``window``
        is what the model's server takes beside these tools, in characters, as far as that is known."""
        self._store, self._clock, self._settings, self._zone = store, clock, settings, zone
        self._own_settings, self._window = settings, window
        self._stream, self._specs, self._by_rule = stream, specs, by_rule
        self._unit = unit or store.unit
        self._on_reply, self._checkpoint = on_reply, checkpoint
        self._head = Head(store, user)
        self._history = History(store)
        self._compaction = Compaction(self._history, clock, settings, self._asked, by_rule=by_rule)
        self._open_work = OpenWork(store, _TAIL_LIMIT)
        self._unjudged = Unjudged(store, clock)
        self._acts = UserActs(store)
        self._offer = Offer("all" if by_rule else settings.tools)
        self._offered: Sequence[ToolSpec] = ()
        self._turn: Turn | None = None
        self._told_natively = False  # whether the request at hand tells of its results as calls of the turn
        self._begins_with: Summary | None = None
        self._intake = Intake(store, clock, settings, zone, self._history, self._open_work, self._unjudged, rules)
        self._own_priority = OwnPriority(settings.priority) if settings.priority else None
        self._asking = Asking(self._asked, on_reply, self._tell_waiting)
        self._tasks: list[asyncio.Task[None]] = []
        self._stop_asked = asyncio.Event()
        self._never = asyncio.Event()
        self._answering = False
        self._reads_servers = False  # whether this step's prompt describes tools of MCP servers
        self._servers = ""  # what MCP servers say of their tools, as this step's prompt holds it
        self._preempted: Counter[int] = Counter()
        self._faults: dict[int, list[str]] = {}  # words of the faults over a batch
        self._opening: list[str] = []  # what stands in the log between the last step and what this one is given
        self._fitted: Counter[int] = Counter()  # times that the model found a batch's prompt too long
        self._reply_ids: dict[int, str] = {}  # of replies begun and not committed, by their batch
        self._health = ""

    def _asked(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        return self._stream(request)

    # ------------------------------------------------------------------------------------------------- life

    async def start(self) -> None:
        await self._history.load()
        await self._open_work.start()
        await self._acts.start()
        effects = {spec.name: spec.effect for spec in self._specs()}
        if self._own_priority is not None:
            await asyncio.to_thread(self._own_priority.load)
        await self._intake.open(effects.get, None if self._own_priority is None else self._own_priority.of)
        if not self._by_rule:
            await self._unjudged.hand_over(self._settings.judge_days, self._settings.judge_limit)
        ready: asyncio.Event = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._intake.follow_user(ready), name="scheduler.listen"),
            asyncio.create_task(self._run(), name="scheduler"),
        ]
        if self._own_priority is not None:
            telling = self._own_priority.tell(self._store, self._clock)
            self._tasks.append(asyncio.create_task(telling, name="scheduler.priority"))
        await ready.wait()

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._compaction.stop()
        await self._open_work.stop()

    @property
    def answering(self) -> bool:
        """Whether the user waits for a reply that a step is at."""
        return self._answering

    def stop_reply(self) -> bool:
        """Stop the reply that is being written; what stands of it stays, marked unfinished. False if there is none."""
        if not self._answering:
            return False
        self._stop_asked.set()
        return True

    async def take_back(self, message_id: str) -> UserMessage | None:
        """Withdraw a message that no step has begun to answer, and return it; ``None`` where it is too late."""
        return await self._intake.take_back(message_id)

    # ------------------------------------------------------------------------------------------------- the loop

    async def _run(self) -> None:
        faults, unavailable = 0, False
        while True:
            batch: Batch | None = None
            try:
                if unavailable:  # before a call is paid whose outcome could not be kept
                    await self._store.try_out()
                    unavailable = False
                self._keep_to_window()
                await self._compaction.at_boundary()
                batch = await self._intake.next_batch()
                await self._think(batch)
                faults = 0
            except InterruptedByUserError:
                continue
            except Exception as error:
                # A fault of our own must not end the loop; the deliveries are still there.
                faults += 1
                log.exception("a step failed")
                if isinstance(error, StoreUnavailableError) and faults <= _STORE_FAULTS:
                    unavailable = True  # the store tells how it is by itself
                else:
                    with contextlib.suppress(Exception):  # the store itself may be what fails
                        await self._on_fault(batch, error)
                await self._clock.sleep(min(_FAULT_PAUSE_CAP, 2.0**faults))
            finally:
                self._answering = False
                self._intake.release()

    async def _on_fault(self, batch: Batch | None, error: Exception) -> None:
        words = one_line(f"A step failed: {error}")
        if batch is not None:
            told = self._faults.setdefault(batch.key, [])
            told.append(words)
            if len(told) >= 2 * _FAULTS_A_BATCH:  # its words can't be stored either
                await self._intake.bury(batch.deliveries, error)
                self._settled(batch)
        await self._tell_health("trouble", words, "pepper.log in your home says more")

    # ------------------------------------------------------------------------------------------------- one step

    def _step(self, batch: Batch) -> Step:
        return Step(self._clock.new_id("step"), self._clock.now(), list(batch.inputs), round=batch.round)

    async def _think(self, batch: Batch) -> None:
        if not batch.holds_user:
            self._checkpoint("signal_stored")
        step = self._step(batch)
        started = self._clock.monotonic()
        self._opening = [*await self._acts.take(), NEW]
        if batch.round > self._settings.max_rounds:
            words = f"I stopped here: {batch.round} steps in a row led only to the next. Tell me how to go on."
            await self._commit_trouble(batch, step, words)
            return
        faults = self._faults.get(batch.key, [])
        if len(faults) >= _FAULTS_A_BATCH:
            await self._commit_trouble(batch, step, f"{faults[-1]}. I let it go; pepper.log in your home says more.")
            return
        if batch.key not in self._reply_ids:
            self._reply_ids[batch.key] = self._clock.new_id("msg")
        reply = Reply(self._reply_ids[batch.key])
        self._stop_asked.clear()
        self._answering = batch.holds_user
        specs = self._specs()
        if self._history.summary is not self._begins_with:
            self._begins_with = self._history.summary
            self._offer.forget()  # the prompt is read anew anyway
        self._offered = self._offer.choose(specs, batch.entries, self._settings.prompt_limit)
        share = self._settings.prompt_limit // _SERVERS
        self._servers = (
            "" if self._by_rule else "".join(f"{said}\n" for said in instructions.told(self._offered, share))
        )
        self._reads_servers = not self._by_rule and any(spec.server for spec in self._offered)
        request = ModelRequest(
            role="scheduler",
            messages=await self._messages(batch),
            tools=(*self._offered, WAIT),
            entries=batch.entries,
            now=self._clock.now(),
            reserve="chat" if batch.speaks else "background",
        )
        try:
            completed = await self._ask(batch, request, reply)
            self._note_usage(step, completed, reply, started)
            effects = {spec.name: spec.effect for spec in specs}
            await self._commit(
                batch,
                step,
                reply,
                completed.text,
                completed.calls,
                effects,
                completed.not_judged,
                unfinished=completed.unfinished,
            )
        except InterruptedByUserError:
            if not batch.holds_user:
                raise
            step.outcome = "stopped"
            step.cost = reply.wasted
            await self._commit(batch, step, reply, reply.text, (), {}, unfinished=True)
            return
        except ModelError as error:
            if error.kind == "too_long" and self._fitted[batch.key] < _FITS:
                self._fitted[batch.key] += 1
                self._asking.take_back(reply)
                self._keep_to_window(message_characters(request.messages))
                await self._think(batch)
                return
            await self._on_model_error(batch, step, error, reply)
            return
        except Exception:
            self._asking.take_back(reply)
            raise
        if completed.left_out:
            remedy = "correct that tool's schema, or leave the tool out of what its server may offer"
            await self._tell_health("trouble", one_line(completed.left_out, 500), remedy)
        elif completed.because:
            words = f"{completed.usage.model} answers instead of {completed.because}"
            await self._tell_health("trouble", one_line(words, 500), "fix the first one; it is tried again by itself")
        else:
            await self._tell_health("ok", "", "")

    def _note_usage(self, step: Step, completed: Completed, reply: Reply, started: float) -> None:
        usage = completed.usage
        step.model, step.cost = usage.model, usage.cost + reply.wasted
        step.because = completed.because
        step.prompt_tokens, step.cached_tokens = usage.prompt_tokens, usage.cached_tokens
        step.completion_tokens = usage.completion_tokens
        step.seconds = self._clock.monotonic() - started

    async def _messages(self, batch: Batch) -> list[Json]:
        await self._open_work.refresh()
        await self._head.refresh()
        ends = tail(self._clock.now(), self._zone, self._open_work.text())
        limit = self._settings.prompt_limit
        room = limit - len(self._head.text) - len(self._servers) - len(ends) - 1
        aside = min(_CORRECTION, max(0, room // 3))
        room -= aside
        opening = "\n".join(self._opening)
        texts = fitted([entry.text for entry in batch.entries], room - len(opening) - 1)
        await self._compaction.fit(room - len(opening) - 1 - sum(len(text) + 1 for text in texts))
        native = self._natively(batch, ends) if texts == [entry.text for entry in batch.entries] else []
        self._told_natively = 0 < message_characters(native) + _of_calls(native) <= limit - aside
        if self._told_natively:
            return native
        parts = [self._history.text(), opening, *texts]
        log_text = "\n".join(part for part in parts if part)[: max(0, room)]
        log_text = self._servers + log_text
        # One message, as many chat templates want the roles to alternate; what changes stands behind what does not.
        return [
            {"role": "system", "content": self._head.text},
            {"role": "user", "content": f"{log_text}\n{ends}" if log_text else ends},
        ]

    def _natively(self, batch: Batch, ends: str) -> list[Json]:
        """The prompt with the turn's calls in the native form, where the batch is what the turn at hand waits for and
        nothing came between; else nothing."""
        turn = self._turn
        if turn is None or self._by_rule or self._opening != [NEW] or not turn.follows(batch.entries):
            return []
        at = turn.before(self._history.entries)
        if at is None:
            return []
        behind = turn.with_results(batch.entries)
        behind[-1]["content"] += f"\n{ends}"
        head: list[Json] = [
            {"role": "system", "content": self._head.text},
            {"role": "user", "content": self._servers + self._history.text(at)},
        ]
        return [*head, *behind]

    def _keep_to_window(self, refused: int = 0) -> None:
        """Keep prompts to what the model takes. ``refused``: characters of a log that was too long for it just now."""
        own, room = self._own_settings, self._window(self._offered)
        if refused:
            room = min(room or refused, int(refused * _SHRINK))
        limit = (
            own.prompt_limit if room is None else max(len(self._head.text) + _LEAST_PROMPT, min(own.prompt_limit, room))
        )
        if limit == self._settings.prompt_limit:
            return
        self._settings = own.model_copy(
            update={
                "prompt_limit": limit,
                "history_limit": min(own.history_limit, limit // 2),
                "entry_limit": min(own.entry_limit, limit // 4),
            }
        )
        self._compaction.keep_to(self._settings)
        self._intake.keep_to(self._settings)

    async def _ask(self, batch: Batch, request: ModelRequest, reply: Reply) -> Completed:
        """The complete response. Raises ``InterruptedByUserError`` for a step that is pre-empted or stopped."""
        if batch.holds_user:
            return await self._asking.ask(request, reply, self._stop_asked, shown=True)
        patient = self._preempted[batch.key] >= self._settings.max_preemptions
        interrupt = self._never if patient else self._intake.user_arrived
        try:
            return await self._asking.ask(request, reply, interrupt, shown=False)
        except InterruptedByUserError:
            self._preempted[batch.key] += 1
            raise

    async def _tell_waiting(self, error: ModelError, seconds: float) -> None:
        if seconds >= _TOLD_WAIT:
            words = f"{error.words} Trying again in {seconds:.0f} seconds."
            with contextlib.suppress(StoreError):
                await self._tell_health("trouble", words, "nothing, unless it stays so")

    async def _on_model_error(self, batch: Batch, step: Step, error: ModelError, reply: Reply) -> None:
        if error.kind == "too_long":
            error.words += " It was shortened as far as it can be: it takes a model, or a server, with more room."
        await self._tell_health("trouble", error.words, "pepper config check shows the model's settings")
        step.cost = reply.wasted
        if error.usage is not None:
            step.cost, step.model = step.cost + error.usage.cost, error.usage.model
        if batch.speaks:
            self._asking.take_back(reply)
            waiting = "" if batch.holds_user else " The result that you waited for is in the log; ask me again for it."
            await self._commit_trouble(batch, step, f"{error.words}{waiting}", reply)
        elif error.kind in _WAITS_FOR_MODEL:
            async with self._unit() as unit:
                for delivery in batch.deliveries:
                    delay = min(_DEFER_CAP, _DEFER_BASE * 2 ** min(delivery.attempts, 10))
                    unit.defer(delivery, self._clock.now() + delay)
        elif len(batch.deliveries) > 1:
            # One of them may be what the model stumbles over: from now on each goes alone.
            self._intake.part(batch)
        else:
            await self._commit_trouble(batch, step, f"The model could not deal with one event. {error.words}", reply)

    # ------------------------------------------------------------------------------------------------- the commit

    async def _commit_trouble(self, batch: Batch, step: Step, words: str, reply: Reply | None = None) -> None:
        """End a step that has no answer: its input stays in the history, and the user is told in words."""
        step.outcome = "trouble"
        reply = reply or Reply(self._reply_ids.get(batch.key) or self._clock.new_id("msg"))
        async with self._unit() as unit:
            for delivery in batch.deliveries:
                unit.ack(delivery)
            entries = self._entries(step, batch, [note_entry(f"this step failed: {words}")])
            await self._history.save(entries, step.id)
            if batch.speaks:
                step.message = reply.message_id
                message = AssistantMessage(reply.message_id, words, self._clock.now(), step.id, kind="trouble")
                await self._store.put(message, namespace=Namespace.ASSISTANT_MESSAGE, text=words)
            else:
                await self._notify_trouble(step, words)
            await self._store.put(step, namespace=Namespace.STEP)
        self._acts.told()
        self._history.extend(entries)
        self._settled(batch)
        self._on_reply(ReplyDelta(reply.message_id, "", done=True))

    def _settled(self, batch: Batch) -> None:
        """Forget what was kept for the case that the batch comes again."""
        self._intake.done(batch)
        self._preempted.pop(batch.key, None)
        self._faults.pop(batch.key, None)
        self._fitted.pop(batch.key, None)
        self._reply_ids.pop(batch.key, None)

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

    def _entries(self, step: Step, batch: Batch, ends: Sequence[str]) -> list[HistoryEntry]:
        """What the step adds to the history: what it was given, and what it ``ends`` with, which has no call."""
        given = [(text, text != NEW) for text in self._opening]  # what an act is about may be a stranger's words
        given += [(entry.text, _outside(entry)) for entry in batch.entries]
        given += [(text, False) for text in ends]
        return [
            HistoryEntry(f"{step.id}.{number:03d}", text, outside=outside)
            for number, (text, outside) in enumerate(given)
        ]

    async def _commit(
        self,
        batch: Batch,
        step: Step,
        reply: Reply,
        text: str,
        requested: tuple[RequestedCall, ...],
        effects: Mapping[str, Effect],
        not_judged: tuple[int, ...] = (),
        *,
        unfinished: bool = False,
    ) -> None:
        now = self._clock.now()
        wanted = [call for call in requested if call.name != WAIT.name]
        at_once = self._settings.calls_per_step
        announced = batch.speaks and bool(text.strip())
        calls = [
            self._call(
                step, batch, call, effects, deferred="" if number < at_once else WAITS_ITS_TURN, announced=announced
            )
            for number, call in enumerate(wanted)
        ]
        said = []
        if text.strip() or unfinished:
            said.append(assistant_entry(text, spoken=batch.speaks, unfinished=unfinished))
        entries = self._entries(step, batch, said or ([] if calls else [WAITED]))
        texts = [(call_entry(call, self._settings.entry_limit), call.id) for call in calls]
        if len(calls) > at_once:
            words = f"the last {len(calls) - at_once} of these calls wait until earlier ones end; each is run by itself"
            texts.append((note_entry(words), ""))
        entries += [
            HistoryEntry(f"{step.id}.{number:03d}", line, call)
            for number, (line, call) in enumerate(texts, start=len(entries))
        ]
        step.calls = [call.id for call in calls]
        self._checkpoint("step_before_commit")
        left_alone = [ref for ref in map(batch.inputs.__getitem__, not_judged) if not ref.startswith(LATE_NAMESPACE)]
        async with self._unit() as unit:
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
            await self._unjudged.mark(left_alone)
        self._checkpoint("step_after_commit")
        self._take_turn(batch, step, text, entries)
        self._acts.told()
        self._history.extend(entries)
        self._settled(batch)
        if (said and batch.speaks) or reply.streamed:
            self._on_reply(ReplyDelta(reply.message_id, "", done=True))

    def _take_turn(self, batch: Batch, step: Step, said: str, entries: Sequence[HistoryEntry]) -> None:
        """Note what the turn has come to by this step, before its entries join the history."""
        behind = entries[len(self._opening) + len(batch.entries) :]
        if batch.holds_user and step.calls:
            self._turn = Turn(behind[0].id, [step.id], said)
        elif self._told_natively and self._turn is not None:
            self._turn.went_on(step.id, batch.entries, said)
        else:
            self._turn = None

    def _call(
        self,
        step: Step,
        batch: Batch,
        requested: RequestedCall,
        effects: Mapping[str, Effect],
        *,
        deferred: str,
        announced: bool,
    ) -> ToolCall:
        return ToolCall(
            id=self._clock.new_id("call"),
            name=requested.name,
            arguments=requested.arguments,
            effect=effects.get(requested.name, Effect.READ),
            created_at=self._clock.now(),
            origin=f"step:{step.id}",
            root=batch.root,
            tainted=self._history.tainted or any(map(_outside, batch.entries)) or self._reads_servers,
            matter=batch.matter,
            deferred=deferred,
            question=batch.question,
            announced=announced,
        )

    async def _tell_health(self, state: str, detail: str, remedy: str) -> None:
        if self._health == state + detail:
            return
        record = Health(_HEALTH_PART, "ok" if state == "ok" else "trouble", detail, remedy, self._clock.now())
        await self._store.store(record.data(), namespace=Namespace.HEALTH, context_id=_HEALTH_PART)
        self._health = state + detail


def _of_calls(messages: Sequence[Json]) -> int:
    """Characters of the calls in the native form."""
    return sum(len(call["function"]["arguments"]) for each in messages for call in each.get("tool_calls", ()))


def _outside(entry: Entry) -> bool:
    """Whether somebody else may have written some of it: what the user did not type may be anybody's."""
    return entry.kind != "user_msg" or bool(UserMessage.of(entry.facts).written.spans)
