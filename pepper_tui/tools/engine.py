"""The tool engine: runs each tool call from scheduling to its end, concurrently with everything else.

Calls arrive through the store: a live watch, and at the start one query for all open calls, which also handles crashes.
``read`` runs again; ``local`` was committed in one unit with its result or not at all; a tool that resumes is called
again with the same call; a ``write`` or ``send`` found attempted becomes ``unknown`` and is never repeated.

There is one way to perform an outside effect (``attempts``): an approved card whose digest still matches; the window in
which it can be undone; the call committed as ``attempted`` over exactly the version that was checked; then the tool's
body, once, with the stored effect. Each decision about a card also writes its call, so none can slip between check and
commit. What a limit holds back waits in the ``waiting_room``, and is never dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from pepper_tui.clock import Clock
from pepper_tui.config import Config
from pepper_tui.model import (
    Approval,
    ApprovalState,
    CallState,
    ContextUpdate,
    Effect,
    Health,
    Json,
    Namespace,
    ToolCall,
    UserAnswer,
)
from pepper_tui.store import Following, Store, StoreError, VersionConflictError
from pepper_tui.text import one_line
from pepper_tui.tools.approvals.approvals import Approvals
from pepper_tui.tools.approvals.attempts import Answer, Attempts
from pepper_tui.tools.approvals.cards import ApprovalError
from pepper_tui.tools.approvals.policy import Policy
from pepper_tui.tools.approvals.provenance import Provenance
from pepper_tui.tools.approvals.waiting_room import WaitingRoom
from pepper_tui.tools.ask_tools import answer_words
from pepper_tui.tools.bodies import Bodies, as_text
from pepper_tui.tools.ledger import Ledger
from pepper_tui.tools.progress import ProgressBoard
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.runner import CallRunner, Ordered

log = logging.getLogger(__name__)

_STOP_GRACE: Final = 5.0  # seconds that running attempts get when the engine stops
_REMEDY_PAUSE: Final = 10.0  # seconds from a store failure to the next try


class ToolEngine:
    """Runs tool calls. ``approvals`` are the decisions of the same home; its expiry starts and stops with the engine.

    ``checkpoint`` is called at ``approval_open``, ``attempt_committed``, ``card_returned`` and (by tools)
    ``question_open``, ``data_sent`` and ``mails_filed``: a test may kill the process there.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        registry: ToolRegistry,
        config: Config,
        *,
        approvals: Approvals | None = None,
        checkpoint: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.approvals = approvals or Approvals(store, clock, registry, config)
        self._store = store
        self._clock = clock
        self._registry = registry
        self._ledger = Ledger(store, clock, config.tools.result_limit)
        self._progress = ProgressBoard(store, clock)
        self._bodies = Bodies(store, clock, registry, config.tools, self._progress, checkpoint)
        self._attempts = Attempts(
            store, clock, self._ledger, registry, self.approvals, self._bodies, config.tools, checkpoint
        )
        self._waiting = WaitingRoom(
            store,
            clock,
            self._ledger,
            Policy(self._ledger, config.tools),
            config.scheduler.calls_per_step,
            only_waits=self._only_waits,
            start_call=self._begin,
        )
        self.ordered: Ordered | None = None
        self._runner = CallRunner(
            store,
            clock,
            registry,
            self._ledger,
            self._bodies,
            self.approvals,
            Provenance(store, config),
            self._waiting,
            ordered=lambda: self.ordered,
            checkpoint=checkpoint,
        )
        self._running: dict[str, asyncio.Task[None]] = {}
        self._decisions: set[tuple[str, float]] = set()
        self._following = Following(
            store,
            [Namespace.TOOL_CALL, Namespace.APPROVAL],
            resume=self._take_open,
            take=self._take_batch,
            name="tool engine",
        )
        self._fixing: asyncio.Task[None] | None = None
        self._broken = False  # whether a call broke since open calls were last resumed

    def _only_waits(self, name: str) -> bool:
        tool = self._registry.get(name)
        return tool is not None and tool.waits

    @property
    def running(self) -> list[str]:
        """Ids of the calls that a task is working on."""
        return list(self._running)

    async def start(self) -> None:
        """Resume all open calls, then follow the store. Returns once no new call can be missed."""
        await self._attempts.settle("the program ended meanwhile")
        await self.approvals.resume()
        self._waiting.start()
        await self._following.start()
        await self.approvals.start()
        health = Health("tools", "ok", "", "", self._clock.now())
        await self._store.put(health, namespace=Namespace.HEALTH, context_id="tools")

    async def stop(self) -> None:
        """Stop. Running attempts get a moment to finish; interrupted calls are resumed at the next start."""
        await self.approvals.stop()
        await self._attempts.checks.stop()
        await self._waiting.stop()
        await self._following.stop()
        if self._fixing is not None:
            self._fixing.cancel()
            await asyncio.gather(self._fixing, return_exceptions=True)
            self._fixing = None
        attempts = [task for call_id, task in self._running.items() if call_id in self._attempts.under_way]
        others = [task for task in (*self._running.values(), *self._progress.tasks) if task not in attempts]
        for task in others:
            task.cancel()
        try:
            if attempts:
                await asyncio.wait(attempts, timeout=_STOP_GRACE)
        finally:  # also if the caller was cancelled
            for task in attempts:
                task.cancel()
        await asyncio.gather(*attempts, *others, return_exceptions=True)
        self._running.clear()

    async def look(self, name: str, arguments: Json) -> str | None:
        """Return the result of the read tool ``name`` for Pepper's own use; no call is recorded.

        ``None`` if it is missing.

        Raises what the tool raises, such as ``ToolError``.
        """
        tool = self._registry.get(name)
        if tool is None or tool.effect is not Effect.READ:
            return None
        call = ToolCall(f"look_{name}", name, arguments, Effect.READ, self._clock.now(), origin="look:")
        body = tool.body(self._bodies.context(call, tool), **tool.validate(arguments))
        async with self._bodies.slot(tool):
            return as_text(await self._bodies.timed(tool, body))

    async def cancel(self, call_id: str, by: str = "user") -> str:
        """Cancel the call; return the outcome in words. An attempted call can't be recalled, and the words say so."""
        found = await self._ledger.call(call_id)
        if found is None:
            return "there is no such call"
        call, version = found
        tool = self._registry.get(call.name)
        if call.state is CallState.ATTEMPTED:
            if tool is not None and tool.on_cancel is not None and call_id in self._running:
                await tool.on_cancel(self._bodies.context(call, tool))
                return "asked to stop; what came of it will be shown"
            return "it is already under way and can't be recalled; its outcome will be shown"
        if call.state is CallState.UNKNOWN:
            return "it was attempted and its outcome is not known; nothing can be recalled"
        if not call.open:
            return f"it had already ended: {call.state}"
        try:
            if call.state is CallState.WAITING_APPROVAL:
                return await self.approvals.withdraw(call.approval, by)
            words = f"Cancelled by the {by}."
            await self._ledger.end(call, version, CallState.CANCELLED, words, error="cancelled")
        except ApprovalError as error:
            return str(error)
        except VersionConflictError:
            return "it changed in the same moment; look again"
        task = self._running.get(call_id)
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        if tool is not None and tool.on_cancel is not None:
            await tool.on_cancel(self._bodies.context(call, tool))
        return f"cancelled {one_line(call.summary or call.name, 80)}"

    async def answer_unknown(self, call_id: str, answer: Answer) -> str:
        """Settle an attempt with an unknown outcome: by the tool's probe, or by the user's answer."""
        return await self._attempts.answer(call_id, answer)

    async def answer_question(self, call_id: str, answer: UserAnswer) -> None:
        """End the call that waits for the user's answer with it, in the caller's unit. Raises ``ApprovalError``."""
        found = await self._ledger.call(call_id)
        if found is None or found[0].state is not CallState.SCHEDULED:
            raise ApprovalError("who asked does not wait for it any more")
        words, typed = answer_words(answer)
        await self._ledger.end(*found, CallState.SUCCEEDED, words, taints=not typed)

    # ------------------------------------------------------------------------------------------------- taking calls

    async def _take_open(self) -> None:
        calls = await self._ledger.open_calls()
        self._waiting.begin(calls)
        for call in calls:
            await self._consider(call)

    async def _take_batch(self, batch: list[ContextUpdate]) -> None:
        for update in batch:
            await self._take(update)

    async def _take(self, update: ContextUpdate) -> None:
        if update.deleted:
            return
        try:
            if update.context.namespace == Namespace.TOOL_CALL:
                call = ToolCall.of(update.context)
                self._waiting.take(call)
                await self._consider(call)
            else:
                self._decided(Approval.of(update.context))
                self._waiting.look()
        except (TypeError, ValueError) as error:
            log.error("%s %s is no record", update.context.namespace, update.context.context_id, exc_info=error)

    async def _consider(self, call: ToolCall) -> None:
        if call.state is CallState.SCHEDULED:
            if not call.deferred:
                self._begin(call.id)
        elif call.state is CallState.WAITING_APPROVAL:
            found = await self._ledger.approval(call.approval)
            if found:
                self._decided(found[0])

    def _begin(self, call_id: str) -> None:
        if call_id not in self._running:
            self._spawn(call_id, self._runner.run(call_id))

    def _decided(self, approval: Approval) -> None:
        if approval.state is ApprovalState.APPROVED and approval.decided_at is not None:
            decision = (approval.id, self.approvals.acts_at(approval))
            if decision not in self._decisions:
                self._decisions.add(decision)
                not_before = approval.resolved.not_before
                task = self._spawn(approval.call, self._attempts.perform(*decision, not_before))
                task.add_done_callback(lambda _: self._decisions.discard(decision))

    def _spawn(self, call_id: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # A decision may arrive while the task that opened the card, or one for an undone decision, is still ending.
        task = asyncio.create_task(self._after(self._running.get(call_id), work), name=f"tool call {call_id}")
        self._running[call_id] = task
        task.add_done_callback(lambda done: self._ended(call_id, done))
        task.add_done_callback(lambda _: work.close())  # if it was cancelled before its first step
        return task

    @staticmethod
    async def _after(before: asyncio.Task[None] | None, work: Coroutine[Any, Any, None]) -> None:
        if before is not None:
            await asyncio.wait({before})
        await work

    def _ended(self, call_id: str, task: asyncio.Task[None]) -> None:
        if self._running.get(call_id) is task:
            del self._running[call_id]
            self._progress.drop(call_id)
        if task.cancelled() or task.exception() is None:
            self._waiting.look()  # it may be waiting for room that was freed since it was refused
        elif not self._store.closed:  # otherwise it is resumed at the next start
            log.error("tool call %s broke", call_id, exc_info=task.exception())
            if isinstance(task.exception(), StoreError):
                self._broken = True
                if self._fixing is None or self._fixing.done():
                    self._fixing = asyncio.create_task(self._fix(), name="tool engine fixing")

    async def _fix(self) -> None:
        """Resume, once the store works, the calls that broke because it failed (such as a full disk); as at a start."""
        while self._broken:
            await self._clock.sleep(_REMEDY_PAUSE)
            self._broken = False  # what breaks from here on, even before all are resumed, is resumed in the next round
            try:
                await self._attempts.settle("its outcome could not be stored")
                await self._take_open()
            except StoreError as error:
                self._broken = True
                log.warning("open calls can't be taken up yet: %s", error)
