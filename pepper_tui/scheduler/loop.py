"""The loop: take a batch, ask the model once, commit once, repeat.

Nothing of a step exists before its commit, and all of it after: acknowledgements, history, what was said, and the tool
calls. So a crash repeats at most one model call. No error ends the loop; what can't be fixed is reported in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from pepper_tui.model import Completed, ModelError, ModelRequest, Step, UserMessage
from pepper_tui.scheduler.asking import Asking, InterruptedByUserError, Reply
from pepper_tui.scheduler.batch import Batch
from pepper_tui.scheduler.commit import Commit
from pepper_tui.scheduler.deferred import Deferred
from pepper_tui.scheduler.health import ModelHealth
from pepper_tui.scheduler.intake import Intake
from pepper_tui.scheduler.open_work import OpenWork
from pepper_tui.scheduler.own_priority import OwnPriority
from pepper_tui.scheduler.parts import Parts
from pepper_tui.scheduler.prompt.acts import UserActs
from pepper_tui.scheduler.prompt.compaction import Compaction
from pepper_tui.scheduler.prompt.history import History
from pepper_tui.scheduler.prompt.limits import Limits
from pepper_tui.scheduler.prompt.prompts import NEW
from pepper_tui.scheduler.prompt.request import Requests
from pepper_tui.scheduler.prompt.turn import Turns
from pepper_tui.scheduler.under_way import Tries, UnderWay
from pepper_tui.store import StoreUnavailableError
from pepper_tui.text import one_line

log = logging.getLogger(__name__)

_DEFER_BASE: Final = 15.0  # seconds until a batch that the model could not process is retried, doubling
_DEFER_CAP: Final = 600.0
_TAIL_LIMIT: Final = 6000  # characters
_FAULT_PAUSE_CAP: Final = 60.0  # seconds after one of Pepper's own faults, doubling from two
_STORE_FAULTS: Final = 10  # store faults in a row that are not counted against a batch
_FITS: Final = 3  # how often a prompt is shortened if the model finds it too long
_FAULTS_A_BATCH: Final = 3  # each may have cost a model call; after that it is reported instead of retried
_WAITS_FOR_MODEL: Final = frozenset(
    {"timeout", "rate_limited", "server", "loading", "unreachable", "auth", "setup", "budget"}
)
"""Faults that say nothing about the batch: it is kept and retried."""


class Scheduler:
    """The scheduler. ``start`` it once; ``stop`` leaves nothing half done."""

    def __init__(self, parts: Parts) -> None:
        store, clock, settings = parts.store, parts.clock, parts.settings
        self._parts, self._store, self._clock = parts, store, clock
        self._limits = Limits(settings)
        self._history = History(store)
        self._compaction = Compaction(self._history, clock, self._limits, parts.stream, by_rule=parts.by_rule)
        self._open_work = OpenWork(store, _TAIL_LIMIT)
        self._deferred = Deferred(store, clock)
        self._acts = UserActs(store)
        self._intake = Intake(
            store, clock, self._limits, parts.zone, self._history, self._open_work, self._deferred, parts.rules
        )
        self._own_priority = OwnPriority(settings.priority) if settings.priority else None
        turns = Turns()
        self.requests = Requests(parts, self._limits, self._history, self._compaction, self._open_work, turns)
        self._commit = Commit(
            parts, self._limits, self._history, self._acts, turns, self._deferred, on_settled=self._settled
        )
        self.health = ModelHealth(store, clock)
        self._asking = Asking(parts.stream, parts.on_reply, self.health.waits)
        self.tries = Tries(clock)
        self._tasks: list[asyncio.Task[None]] = []
        self._stop_asked = asyncio.Event()
        self._never = asyncio.Event()
        self._answering = False

    # ------------------------------------------------------------------------------------------------- life

    async def start(self) -> None:
        await self._history.load()
        await self._open_work.start()
        await self._acts.start()
        effects = {spec.name: spec.effect for spec in self._parts.specs()}
        if self._own_priority is not None:
            await asyncio.to_thread(self._own_priority.load)
        await self._intake.open(effects.get, None if self._own_priority is None else self._own_priority.of)
        if not self._parts.by_rule:
            await self._deferred.enqueue(self._limits.now.judge_days, self._limits.now.judge_limit)
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
        """Whether a step is working on a reply that the user waits for."""
        return self._answering

    def stop_reply(self) -> bool:
        """Stop the reply in progress; the text so far is kept, marked unfinished. Return False if there is none."""
        if not self._answering:
            return False
        self._stop_asked.set()
        return True

    async def take_back(self, message_id: str) -> UserMessage | None:
        """Withdraw a message that no step has begun to answer, and return it; ``None`` if it is too late."""
        return await self._intake.take_back(message_id)

    # ------------------------------------------------------------------------------------------------- the loop

    async def _run(self) -> None:
        faults, unavailable = 0, False
        while True:
            batch: Batch | None = None
            try:
                if unavailable:  # before paying for a call whose outcome could not be stored
                    await self._store.try_out()
                    unavailable = False
                self.requests.keep_to_window()
                await self._compaction.at_boundary()
                batch = await self._intake.next_batch()
                await self._think(batch)
                faults = 0
            except InterruptedByUserError:
                continue
            except Exception as error:
                # Our own fault must not end the loop; the deliveries are still queued.
                faults += 1
                log.exception("a step failed")
                if isinstance(error, StoreUnavailableError) and faults <= _STORE_FAULTS:
                    unavailable = True  # the store reports its own health
                else:
                    with contextlib.suppress(Exception):  # the store itself may be failing
                        await self._on_fault(batch, error)
                await self._clock.sleep(min(_FAULT_PAUSE_CAP, 2.0**faults))
            finally:
                self._answering = False
                self._intake.release()

    async def _on_fault(self, batch: Batch | None, error: Exception) -> None:
        words = one_line(f"A step failed: {error}")
        if batch is not None:
            self.tries.failed(batch, words)
            if len(self.tries.faults(batch)) >= 2 * _FAULTS_A_BATCH:  # not even the report could be stored
                await self._intake.bury(batch.deliveries, error)
                self._settled(batch)
        await self.health.tell("trouble", words, "pepper.log in your home says more")

    # ------------------------------------------------------------------------------------------------- one step

    async def _think(self, batch: Batch) -> None:
        if not batch.holds_user:
            self._parts.checkpoint("signal_stored")
        under_way = await self._begun(batch)
        step, reply = under_way.step, under_way.reply
        started = self._clock.monotonic()
        if batch.round > self._limits.now.max_rounds:
            words = f"I stopped here: {batch.round} steps in a row led only to the next. Tell me how to go on."
            await self._commit.trouble(under_way, words)
            return
        faults = self.tries.faults(batch)
        if len(faults) >= _FAULTS_A_BATCH:
            await self._commit.trouble(under_way, f"{faults[-1]}. I let it go; pepper.log in your home says more.")
            return
        self._stop_asked.clear()
        self._answering = batch.holds_user
        specs = self._parts.specs()
        request = await self.requests.make(under_way, specs)
        try:
            completed = await self._ask(batch, request, reply)
            _note_usage(step, completed, reply, self._clock.monotonic() - started)
            effects = {spec.name: spec.effect for spec in specs}
            await self._commit.answer(
                under_way,
                completed.text,
                completed.calls,
                effects,
                completed.not_judged,
                unfinished=completed.unfinished,
                unmet=completed.unmet,
            )
        except InterruptedByUserError:
            if not batch.holds_user:
                raise
            step.outcome = "stopped"
            step.cost = reply.wasted
            await self._commit.answer(under_way, reply.text, unfinished=True)
            return
        except ModelError as error:
            if error.kind == "too_long" and self.tries.fitted[batch.key] < _FITS:
                self.tries.fitted[batch.key] += 1
                self._asking.take_back(reply)
                self.requests.keep_to_window(request.messages)
                await self._think(batch)
                return
            await self._on_model_error(under_way, error)
            return
        except Exception:
            self._asking.take_back(reply)
            raise
        await self.health.answered(completed)

    async def _begun(self, batch: Batch) -> UnderWay:
        step = Step(self._clock.new_id("step"), self._clock.now(), list(batch.inputs), round=batch.round)
        return UnderWay(batch, step, Reply(self.tries.reply_id(batch)), [*await self._acts.take(), NEW])

    async def _ask(self, batch: Batch, request: ModelRequest, reply: Reply) -> Completed:
        """Return the complete response. Raises ``InterruptedByUserError`` if the step is pre-empted or stopped."""
        if batch.holds_user:
            return await self._asking.ask(request, reply, self._stop_asked, shown=True)
        patient = self.tries.preempted[batch.key] >= self._limits.now.max_preemptions
        interrupt = self._never if patient else self._intake.user_arrived
        try:
            return await self._asking.ask(request, reply, interrupt, shown=False)
        except InterruptedByUserError:
            self.tries.preempted[batch.key] += 1
            raise

    async def _on_model_error(self, under_way: UnderWay, error: ModelError) -> None:
        batch, step, reply = under_way.batch, under_way.step, under_way.reply
        if error.kind == "too_long":
            error.words += " It was shortened as far as it can be: it takes a model, or a server, with more room."
        await self.health.tell("trouble", error.words, "pepper config check shows the model's settings")
        step.cost = reply.wasted
        if error.usage is not None:
            step.cost, step.model = step.cost + error.usage.cost, error.usage.model
        if batch.speaks:
            self._asking.take_back(reply)
            waiting = "" if batch.holds_user else " The result that you waited for is in the log; ask me again for it."
            await self._commit.trouble(under_way, f"{error.words}{waiting}")
        elif error.kind in _WAITS_FOR_MODEL:
            async with self._parts.begin() as unit:
                for delivery in batch.deliveries:
                    delay = min(_DEFER_CAP, _DEFER_BASE * 2 ** min(delivery.attempts, 10))
                    unit.defer(delivery, self._clock.now() + delay)
        elif len(batch.deliveries) > 1:
            # The model may fail on only one of them: deliver each alone from now on.
            self._intake.part(batch)
        else:
            await self._commit.trouble(under_way, f"The model could not deal with one event. {error.words}")

    def _settled(self, batch: Batch) -> None:
        """Forget what was kept in case the batch is delivered again."""
        self._intake.done(batch)
        self.tries.forget(batch)


def _note_usage(step: Step, completed: Completed, reply: Reply, seconds: float) -> None:
    usage = completed.usage
    step.model, step.cost = usage.model, usage.cost + reply.wasted
    step.because = completed.because
    step.prompt_tokens, step.cached_tokens = usage.prompt_tokens, usage.cached_tokens
    step.completion_tokens = usage.completion_tokens
    step.seconds = seconds
