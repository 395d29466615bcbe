"""The tool engine: runs each tool call from its scheduling to its end, beside everything else.

Calls come in through the store: a live watch, and at the start one query of all that is open, which is also how a crash
is handled. ``read`` runs again; ``local`` was committed in one unit with its result or not at all; a tool that resumes
is called again with the same call; a ``write`` or ``send`` found attempted becomes ``unknown`` and is never repeated.

Performing an outside effect has one road: an approved card whose digest still holds; the grace in which it can be taken
back; the call committed as ``attempted`` over exactly the version that was checked; then the tool's body, once, with
the stored effect. Each decision about a card writes its call too, so none can slip between check and commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any, Final, Literal

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
    ResolvedEffect,
    ToolCall,
)
from pepper_tui.store import ContextStore, StoreError, StoreUnavailableError, VersionConflictError, follow
from pepper_tui.text import one_line
from pepper_tui.tools.approvals import WAITING, ApprovalError, Approvals
from pepper_tui.tools.ledger import Ledger
from pepper_tui.tools.policy import Policy
from pepper_tui.tools.provenance import Provenance
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import NotDoneError, ReportedFailureError, Tool, ToolContext, ToolError
from pepper_tui.tools.tool_store import ToolStore

log = logging.getLogger(__name__)

Answer = Literal["check", "happened", "did_not", "leave"]

UNKNOWN_WORDS: Final = (
    "It was attempted, and whether it happened is not known. It is not repeated; the user has been asked to settle it."
)
_STOP_GRACE: Final = 5.0  # seconds given to attempts that are under way when the engine stops
_CONFLICT_RETRIES: Final = 3
_MEND_PAUSE: Final = 10.0  # seconds from a failure of the store to the next try
_PROGRESS_EVERY: Final = 0.25
_PROGRESS_TTL: Final = 3600.0


class ToolEngine:
    """Runs tool calls. ``approvals`` are the decisions of the same home; its expiry starts and stops with the engine.

    ``checkpoint`` is called at ``approval_open``, ``attempt_committed`` and (by tools) ``data_sent``: a test may end
    the process there.
    """

    def __init__(
        self,
        store: ContextStore,
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
        self._config = config.tools
        self._checkpoint = checkpoint
        self._ledger = Ledger(store, clock, config.tools.result_limit)
        self._policy = Policy(self._ledger, config.tools)
        self._provenance = Provenance(store, config)
        self._slots = asyncio.Semaphore(config.tools.concurrency)
        self._opening = asyncio.Lock()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._decisions: set[tuple[str, float]] = set()
        self._attempting: set[str] = set()
        self._progress = _ProgressBoard(store, clock)
        self._watcher: asyncio.Task[None] | None = None
        self._mending: asyncio.Task[None] | None = None
        self._broken = False  # whether a call broke off since the last taking up

    @property
    def running(self) -> list[str]:
        """Ids of the calls that a task works on now."""
        return list(self._running)

    async def start(self) -> None:
        """Take up all that is open, then follow the store. Returns once nothing new can be missed."""
        await self._settle_attempts("the program ended meanwhile")
        watching = asyncio.Event()
        following = follow(
            self._store,
            [Namespace.TOOL_CALL, Namespace.APPROVAL],
            take_up=self._take_open,
            take=self._take_batch,
            ready=watching,
        )
        self._watcher = asyncio.create_task(following, name="tool engine")
        await watching.wait()
        await self.approvals.start()
        health = Health("tools", "ok", "", "", self._clock.now())
        await self._store.put(health, namespace=Namespace.HEALTH, context_id="tools")

    async def stop(self) -> None:
        """Stop. Attempts under way get a moment to end; what is cut off is taken up at the next start."""
        await self.approvals.stop()
        for each in (self._watcher, self._mending):
            if each is not None:
                each.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await each
        self._watcher = self._mending = None
        attempts = [task for call_id, task in self._running.items() if call_id in self._attempting]
        if attempts:
            await asyncio.wait(attempts, timeout=_STOP_GRACE)
        tasks = [*self._running.values(), *self._progress.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running.clear()

    async def cancel(self, call_id: str, by: str = "user") -> str:
        """Cancel the call; words on what came of it. What was attempted can't be recalled, and the words say so."""
        found = await self._ledger.call(call_id)
        if found is None:
            return "there is no such call"
        call, version = found
        tool = self._registry.get(call.name)
        if call.state is CallState.ATTEMPTED:
            if tool is not None and tool.on_cancel is not None and call_id in self._running:
                await tool.on_cancel(self._context(call, tool))
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
            await tool.on_cancel(self._context(call, tool))
        return f"cancelled {one_line(call.name, 60)}"

    async def answer_unknown(self, call_id: str, answer: Answer) -> str:
        """Settle an attempt whose outcome is not known: by the tool's probe, or by the user's word."""
        found = await self._ledger.call(call_id)
        if found is None or found[0].state is not CallState.UNKNOWN:
            return "there is nothing to settle"
        call, version = found
        try:
            if answer == "check":
                happened = await self._probe(call)
                if happened is None:
                    return "that can't be checked; it may or may not have happened"
                words = "A check found that it did happen." if happened else "A check found that it did not happen."
            elif answer == "leave":
                await self._ledger.put_call(call, version, acknowledged=True)
                return "left as it is: unknown"
            else:
                happened = answer == "happened"
                words = "The user says that it did happen." if happened else "The user says that it did not happen."
            if happened:
                await self._ledger.end(call, version, CallState.SUCCEEDED, words)
                return words
            words += " It was not repeated: doing it now takes a new call and a new approval."
            await self._ledger.end(call, version, CallState.FAILED, words, error="did not happen")
            return words
        except VersionConflictError:
            return "this changed in the same moment; look again"

    # ------------------------------------------------------------------------------------------------- taking calls

    async def _settle_attempts(self, why: str) -> None:
        """Attempts that nobody carries out any more: ``why`` their outcome is not known."""
        for call in await self._ledger.open_calls():
            found = await self._ledger.call(call.id)
            if found and found[0].state is CallState.ATTEMPTED and call.id not in self._attempting:
                await self._ledger.end(*found, CallState.UNKNOWN, UNKNOWN_WORDS, error=why)

    async def _take_open(self) -> None:
        for call in await self._ledger.open_calls():
            await self._consider(call)

    async def _take_batch(self, batch: list[ContextUpdate]) -> None:
        for update in batch:
            await self._take(update)

    async def _take(self, update: ContextUpdate) -> None:
        if update.deleted:
            return
        try:
            if update.context.namespace == Namespace.TOOL_CALL:
                await self._consider(ToolCall.of(update.context))
            else:
                self._decided(Approval.of(update.context))
        except (TypeError, ValueError) as error:
            log.error("%s %s is no record", update.context.namespace, update.context.context_id, exc_info=error)

    async def _consider(self, call: ToolCall) -> None:
        if call.state is CallState.SCHEDULED:
            if call.id not in self._running:
                self._spawn(call.id, self._run(call.id))
        elif call.state is CallState.WAITING_APPROVAL:
            found = await self._ledger.approval(call.approval)
            if found:
                self._decided(found[0])

    def _decided(self, approval: Approval) -> None:
        if approval.state is ApprovalState.APPROVED and approval.decided_at is not None:
            decision = (approval.id, approval.decided_at)
            if decision not in self._decisions:
                self._decisions.add(decision)
                task = self._spawn(approval.call, self._perform(*decision))
                task.add_done_callback(lambda _: self._decisions.discard(decision))

    def _spawn(self, call_id: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # A decision may come while the task that opened the card, or one for a decision since taken back, still ends.
        task = asyncio.create_task(self._after(self._running.get(call_id), work), name=f"tool call {call_id}")
        self._running[call_id] = task
        task.add_done_callback(lambda done: self._ended(call_id, done))
        return task

    @staticmethod
    async def _after(before: asyncio.Task[None] | None, work: Coroutine[Any, Any, None]) -> None:
        try:
            if before is not None:
                await asyncio.wait({before})
        except asyncio.CancelledError:
            work.close()
            raise
        await work

    def _ended(self, call_id: str, task: asyncio.Task[None]) -> None:
        if self._running.get(call_id) is task:
            del self._running[call_id]
            self._progress.drop(call_id)
        if not task.cancelled() and task.exception() is not None:
            log.error("tool call %s broke", call_id, exc_info=task.exception())
            if isinstance(task.exception(), StoreError):
                self._broken = True
                if self._mending is None or self._mending.done():
                    self._mending = asyncio.create_task(self._mend(), name="tool engine mending")

    async def _mend(self) -> None:
        """Take up what broke because the store failed (a full disk, say), as a start does, once the store works."""
        while self._broken:
            await self._clock.sleep(_MEND_PAUSE)
            self._broken = False  # what breaks from here on, also before all is taken up, is taken up in the next round
            try:
                await self._settle_attempts("its outcome could not be stored")
                await self._take_open()
            except StoreError as error:
                self._broken = True
                log.warning("open calls can't be taken up yet: %s", error)

    # ------------------------------------------------------------------------------------------------- running

    async def _run(self, call_id: str) -> None:
        for _ in range(_CONFLICT_RETRIES):
            if await self._run_once(call_id):
                return
        found = await self._ledger.call(call_id)
        if found is not None and found[0].state is CallState.SCHEDULED:
            words = "what it would change kept changing meanwhile"
            await self._ledger.end(*found, CallState.FAILED, words, error=words)

    async def _run_once(self, call_id: str) -> bool:
        """Whether the call needs no other run: a conflict of what a ``local`` tool stores leaves it as it was."""
        found = await self._ledger.call(call_id)
        if found is None or found[0].state is not CallState.SCHEDULED:
            return True
        call, version = found
        tool = self._registry.get(call.name)
        try:
            if tool is None:
                named = one_line(call.name, 60)
                raise ToolError(f"there is no tool named {named!r}; there are: {', '.join(self._registry.names())}")
            call = replace(call, effect=tool.effect, started_at=self._clock.now())
            arguments = tool.validate(call.arguments)
            context = self._context(call, tool)
            if tool.outside:
                await self._reach_outside(context, version, arguments)
            elif tool.effect is Effect.LOCAL and not tool.rerunnable:
                async with self._slot(tool), self._store.unit():
                    content = await self._timed(tool, tool.body(context, **arguments))
                    await self._ledger.end(call, version, CallState.SUCCEEDED, _as_text(content), taints=tool.taints)
            else:
                async with self._slot(tool):
                    content = await self._timed(tool, tool.body(context, **arguments))
                taints = await tool.tainted(context) if tool.tainted is not None else tool.taints
                await self._ledger.end(call, version, CallState.SUCCEEDED, _as_text(content), taints=taints)
        except VersionConflictError:
            return False
        except StoreUnavailableError:
            raise  # nothing is wrong with the call: it is taken up again once the store works
        except Exception as error:
            if not isinstance(error, ToolError):
                log.warning("tool %s failed", one_line(call.name, 60), exc_info=error)
            words = _error_words(error)
            with contextlib.suppress(VersionConflictError):
                await self._ledger.end(call, version, CallState.FAILED, words, error=one_line(words), taints=True)
        return True

    async def _reach_outside(self, context: ToolContext, version: int, arguments: Json) -> None:
        tool, call = context.tool, context.call
        assert tool.resolve is not None
        async with self._slot(tool):
            effect = await self._timed(tool, tool.resolve(context, **arguments))
        effect = replace(effect, tool=tool.name, definition=tool.definition, lines=list(effect.lines))
        if tool.reaches is not None:
            address = tool.reaches(effect.payload)
            typed = await self._provenance.typed(address)
            call = replace(context.call, effect=Policy.effect_of(tool, typed=typed))
            if call.effect is Effect.READ:
                async with self._slot(tool):
                    content = await self._timed(tool, tool.body(replace(context, call=call), effect))
                await self._ledger.end(call, version, CallState.SUCCEEDED, _as_text(content), taints=tool.taints)
                return
            effect.lines = [replace(line, untrusted=line.value == address) for line in effect.lines]
        if tool.ordered is not None and await tool.ordered(context, effect):
            async with self._slot(tool), self._store.unit():
                content = await self._timed(tool, tool.body(context, effect))
                await self._ledger.end(call, version, CallState.SUCCEEDED, _as_text(content), taints=tool.taints)
            return
        await self._open_card(context, version, effect, str(arguments.get("reason", "")))

    async def _open_card(self, context: ToolContext, version: int, effect: ResolvedEffect, reason: str) -> None:
        tool, call = context.tool, context.call
        effect.lines = await self._provenance.mark(effect.lines)
        effect = ResolvedEffect.of(json.loads(json.dumps(effect.data())))  # what is stored is what is bound
        async with self._opening:  # one at a time, so that caps and doubles are counted right
            await self._policy.admit(call, tool, effect)
            now = self._clock.now()
            approval = Approval(
                id=self._clock.new_id("approval"),
                call=call.id,
                effect=effect.data(),
                digest=effect.digest,
                created_at=now,
                expires_at=now + self._config.approval_ttl,
                reason=reason,
                matter=call.matter,
            )
            async with self._store.unit():
                await self._ledger.put_approval(approval, 0, tool.same_key(effect))
                await self._ledger.put_call(
                    call, version, CallState.WAITING_APPROVAL, approval=approval.id, progress=WAITING
                )
        self._checkpoint("approval_open")

    async def _perform(self, approval_id: str, decided_at: float) -> None:
        undo = self._config.undo_seconds
        await self._clock.sleep(min(undo, decided_at + undo - self._clock.now()))
        named = await self._ledger.approval(approval_id)
        called = await self._ledger.call(named[0].call) if named else None
        # Last of all the approval: taking it back changes the call, too, so either it is seen here, or the attempt's
        # commit, which expects the call as it was read, fails.
        found = await self._ledger.approval(approval_id)
        if found is None or called is None:
            return
        approval, (call, version) = found[0], called
        if (
            approval.state is not ApprovalState.APPROVED
            or approval.decided_at != decided_at
            or call.state is not CallState.WAITING_APPROVAL
            or call.approval != approval.id
        ):
            return
        tool, effect = self._registry.get(call.name), approval.resolved
        wrong = Policy.check(tool, call, effect, approval.digest, self._registry.services)
        if wrong or tool is None:
            words = f"Not done: {wrong}. Nothing happened."
            with contextlib.suppress(VersionConflictError):
                await self._ledger.end(call, version, CallState.FAILED, words, error=wrong)
            return
        async with self._slot(tool):
            self._attempting.add(call.id)
            try:
                try:
                    attempt = await self._ledger.put_call(
                        call, version, CallState.ATTEMPTED, progress="", started_at=self._clock.now()
                    )
                except VersionConflictError:
                    return  # taken back, or cancelled, while it waited for a slot
                self._checkpoint("attempt_committed")
                await self._attempt(attempt, version + 1, tool, effect)
            finally:
                self._attempting.discard(call.id)

    async def _attempt(self, call: ToolCall, version: int, tool: Tool, effect: ResolvedEffect) -> None:
        try:
            content = await self._timed(tool, tool.body(self._context(call, tool), effect))
        except NotDoneError as error:
            words = f"Not done: {error} Nothing happened."
            await self._ledger.end(call, version, CallState.FAILED, words, error=one_line(str(error)))
        except ReportedFailureError as error:
            words = f"It was attempted, and the answer was that it failed: {error}"
            await self._ledger.end(
                call, version, CallState.FAILED, words, error=one_line(str(error)), taints=tool.taints
            )
        except Exception as error:
            log.warning("outcome of %s is unknown", tool.name, exc_info=error)
            words = f"{UNKNOWN_WORDS} ({_error_words(error)})"
            await self._ledger.end(call, version, CallState.UNKNOWN, words, error=one_line(_error_words(error)))
        else:
            await self._ledger.end(call, version, CallState.SUCCEEDED, _as_text(content), taints=tool.taints)

    async def _probe(self, call: ToolCall) -> bool | None:
        tool, found = self._registry.get(call.name), await self._ledger.approval(call.approval)
        if tool is None or tool.probe is None or found is None:
            return None
        try:
            async with asyncio.timeout(self._config.timeout):
                return await tool.probe(self._context(call, tool), found[0].resolved)
        except Exception as error:
            log.warning("probe of %s failed", tool.name, exc_info=error)
            return None

    def _context(self, call: ToolCall, tool: Tool) -> ToolContext:
        def report(text: str) -> None:
            self._progress.show(call.id, text)

        store = ToolStore(self._store, approved=tool.outside and call.state is CallState.ATTEMPTED)
        return ToolContext(store, self._clock, call, self._registry.services, tool, report, self._checkpoint)

    @contextlib.asynccontextmanager
    async def _slot(self, tool: Tool) -> AsyncIterator[None]:
        if tool.resumes:
            yield
        else:
            async with self._slots:
                yield

    async def _timed(self, tool: Tool, work: Any) -> Any:
        limit = tool.timeout if tool.timeout is not None or tool.resumes else self._config.timeout
        try:
            async with asyncio.timeout(limit) as scope:
                return await work
        except TimeoutError as error:
            if scope.expired():
                raise ToolError(f"it took longer than {limit:g} seconds and was stopped") from error
            raise


class _ProgressBoard:
    """The latest words of the running calls, stored at most four times a second, all in one unit: what a hundred calls
    report is no more commits than what one does."""

    def __init__(self, store: ContextStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changed: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._writing: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        return [self._writing] if self._writing is not None else []

    def show(self, call_id: str, text: str) -> None:
        text = one_line(text)
        if self._shown.get(call_id) != text:
            self._changed[call_id] = self._shown[call_id] = text
        if self._changed and (self._writing is None or self._writing.done()):
            self._writing = asyncio.create_task(self._write(), name="progress")

    def drop(self, call_id: str) -> None:
        """The call has ended: nothing more is said of it."""
        self._changed.pop(call_id, None)
        self._shown.pop(call_id, None)

    async def _write(self) -> None:
        while self._changed:
            changed, self._changed = self._changed, {}
            try:
                async with self._store.unit():
                    for call_id, text in changed.items():
                        data = {"call": call_id, "text": text, "at": self._clock.now()}
                        await self._store.store(
                            data, namespace=Namespace.PROGRESS, context_id=call_id, ttl=_PROGRESS_TTL
                        )
            except StoreError as error:
                log.error("progress could not be stored", exc_info=error)
            await self._clock.sleep(_PROGRESS_EVERY)


def _as_text(content: object) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)


def _error_words(error: Exception) -> str:
    if isinstance(error, ToolError):
        return str(error)
    return f"{type(error).__name__}: {one_line(str(error), 500)}"
