"""Carries out what was approved: the undo window, one attempt, and what is known of it afterwards.

The window is durable: it ends at the approval's ``acts_at``. If an attempt is more than ``LATE`` seconds late (the
machine slept), it is not made and the card asks again. If the effect is known not to have happened, a new card with the
very same effect is opened in the unit that ends the call: approving it is the retry. A ``local`` tool that asks has no
window and no attempt: its body runs in the unit that ends its call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, Literal

from pepper_tui.clock import Clock
from pepper_tui.config import Tools
from pepper_tui.model import Approval, ApprovalState, CallState, ResolvedEffect, ToolCall
from pepper_tui.store import Store, StoreUnavailableError, VersionConflictError
from pepper_tui.text import one_line
from pepper_tui.tools.approvals.approvals import Approvals
from pepper_tui.tools.approvals.cards import ApprovalError
from pepper_tui.tools.approvals.policy import Policy
from pepper_tui.tools.approvals.reported_edits import edits_before
from pepper_tui.tools.approvals.windows import LATE
from pepper_tui.tools.bodies import Bodies, as_text, error_words
from pepper_tui.tools.errors import NotDoneError, OutdatedError, ReportedFailureError
from pepper_tui.tools.ledger import Ledger
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import Tool

log = logging.getLogger(__name__)

Answer = Literal["check", "happened", "did_not", "leave"]

UNKNOWN_WORDS: Final = (
    "It was attempted, and whether it happened is not known. It is not repeated; the user has been asked to settle it."
)
CONFLICT_RETRIES: Final = 3
LOOKS: Final = (2.0, 15.0, 120.0, 600.0, 3600.0)
"""Seconds before each look for the fate of an unknown attempt; after the last it takes the user or a start."""


class Checks:
    """Settles unknown outcomes without asking, where the other side can tell for sure what became of an attempt.

    ``look`` returns whether the outcome of a call is settled now.
    """

    def __init__(self, clock: Clock, look: Callable[[str], Awaitable[bool]]) -> None:
        self._clock, self._look = clock, look
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, call_id: str) -> None:
        """Look in a while what became of the call, unless that is to be done already."""
        name = f"check {call_id}"
        if any(task.get_name() == name for task in self._tasks):
            return
        task = asyncio.create_task(self._check(call_id), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _check(self, call_id: str) -> None:
        for pause in LOOKS:
            await self._clock.sleep(pause)
            with contextlib.suppress(StoreUnavailableError):
                if await self._look(call_id):
                    return


class Attempts:
    """Makes attempts. ``under_way`` holds the ids of calls that this process is attempting."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ledger: Ledger,
        registry: ToolRegistry,
        approvals: Approvals,
        bodies: Bodies,
        config: Tools,
        checkpoint: Callable[[str], None],
    ) -> None:
        self._store, self._clock, self._ledger, self._registry = store, clock, ledger, registry
        self._approvals, self._bodies, self._config, self._checkpoint = approvals, bodies, config, checkpoint
        self.under_way: set[str] = set()
        self.checks = Checks(clock, self._is_settled)

    async def perform(self, approval_id: str, acts_at: float, not_before: float = 0.0) -> None:
        """Wait until ``acts_at``, then carry out the approval if it still stands with that time.

        Only an effect with a time of its own, ``not_before``, waits longer than the undo window.
        """
        while not_before > self._clock.now():
            await self._clock.sleep_until(not_before)
        await self._clock.sleep(min(self._config.undo_seconds, acts_at - self._clock.now()))
        for _ in range(CONFLICT_RETRIES):
            if await self._perform_once(approval_id, acts_at):
                return
        found = await self._standing(approval_id, acts_at)
        if found is not None:
            words = "what it would change kept changing meanwhile"
            await self._ledger.end(found[1], found[2], CallState.FAILED, words, error=words)

    async def _standing(self, approval_id: str, acts_at: float) -> tuple[Approval, ToolCall, int] | None:
        """Return the approval with its call and the call's version if it still permits the call."""
        named = await self._ledger.approval(approval_id)
        called = await self._ledger.call(named[0].call) if named else None
        # Read the approval last: undoing it also changes the call, so either we see it here, or the attempt's
        # commit fails, because it expects the call's version as read.
        found = await self._ledger.approval(approval_id)
        if found is None or called is None:
            return None
        approval, (call, version) = found[0], called
        if (
            approval.state is not ApprovalState.APPROVED
            or self._approvals.acts_at(approval) != acts_at
            or call.state is not CallState.WAITING_APPROVAL
            or call.approval != approval.id
        ):
            return None
        return approval, call, version

    async def _perform_once(self, approval_id: str, acts_at: float) -> bool:
        """Make one try; return whether no other is needed.

        A version conflict in a ``local`` body changes nothing.
        """
        found = await self._standing(approval_id, acts_at)
        if found is None:
            return True
        approval, call, version = found
        tool = self._registry.get(call.name)
        wrong = Policy.check(tool, call, approval.resolved, approval.digest)
        if wrong or tool is None:
            words = f"Not done: {wrong}. Nothing happened."
            with contextlib.suppress(VersionConflictError):
                await self._ledger.end(call, version, CallState.FAILED, words, error=wrong)
            return True
        async with self._bodies.slot(tool):
            if self._clock.now() - acts_at > LATE:
                with contextlib.suppress(ApprovalError):
                    await self._approvals.ask_again(approval_id, "but Pepper could not act then")
                return True
            if not tool.outside:
                return await self._act_locally(approval, call, version, tool)
            edits = await edits_before(self._ledger, approval)
            self.under_way.add(call.id)
            try:
                try:
                    attempt = await self._ledger.put_call(
                        call, version, CallState.ATTEMPTED, progress="", started_at=self._clock.now()
                    )
                except VersionConflictError:
                    return True  # undone or cancelled while it waited for a slot
                self._checkpoint("attempt_committed")
                await self._attempt(attempt, version + 1, tool, approval, edits)
            finally:
                self.under_way.discard(call.id)
        return True

    async def _act_locally(self, approval: Approval, call: ToolCall, version: int, tool: Tool) -> bool:
        context = self._bodies.context(replace(call, started_at=self._clock.now()), tool, approved=True)
        edits = await edits_before(self._ledger, approval)
        try:
            async with self._store.unit():
                content = as_text(await self._bodies.timed(tool, tool.body(context, approval.resolved))) + edits
                await self._ledger.end(context.call, version, CallState.SUCCEEDED, content, taints=tool.taints)
        except VersionConflictError:
            return False
        except StoreUnavailableError:
            raise  # the act itself is fine: it is resumed once the store works
        except Exception as error:
            log.warning("%s failed", tool.name, exc_info=error)
            words = f"Not done: {one_line(error_words(error), 500).rstrip('.')}. Nothing was changed."
            with contextlib.suppress(VersionConflictError):
                await self._ledger.end(call, version, CallState.FAILED, words, error=one_line(error_words(error)))
        return True

    async def _attempt(self, call: ToolCall, version: int, tool: Tool, approval: Approval, edits: str) -> None:
        context = self._bodies.context(call, tool, approved=True)
        try:
            content = await self._bodies.timed(tool, tool.body(context, approval.resolved))
        except OutdatedError as error:
            words = f"Not done: {_reason(error)}. Nothing happened."
            await self._ledger.end(call, version, CallState.FAILED, words, error=_reason(error))
        except NotDoneError as error:
            effect = error.instead or approval.resolved
            await self._return_to_card(call, version, tool, approval, effect, _reason(error))
        except ReportedFailureError as error:
            words = f"It was attempted, and the answer was that it failed: {error}"
            await self._ledger.end(
                call, version, CallState.FAILED, words, error=one_line(str(error)), taints=tool.taints
            )
        except Exception as error:
            log.warning("outcome of %s is unknown", tool.name, exc_info=error)
            words = f"{UNKNOWN_WORDS} ({error_words(error)}){edits}"
            await self._ledger.end(call, version, CallState.UNKNOWN, words, error=one_line(error_words(error)))
            self._check_later(tool, call)
        else:
            await self._ledger.end(call, version, CallState.SUCCEEDED, as_text(content) + edits, taints=tool.taints)

    async def _return_to_card(
        self, call: ToolCall, version: int, tool: Tool, approval: Approval, effect: ResolvedEffect, problem: str
    ) -> None:
        """End the call as failed and ask for the same again, in one unit, so that what was approved is never lost."""
        same = "with the same text" if effect.digest == approval.digest else "as it would be now"
        words = (
            f"Not done: {problem}. Nothing happened. Its card is back with the user, {same}: a yes there"
            " tries again. Do not propose it again."
        )
        again = replace(
            call,
            id=self._clock.new_id("call"),
            created_at=self._clock.now(),
            state=CallState.SCHEDULED,
            approval="",
            progress="",
            started_at=None,
        )
        async with self._store.unit():
            await self._ledger.end(call, version, CallState.FAILED, words, error=problem, problem=problem)
            scheduled = await self._ledger.put_call(again, 0)
            await self._approvals.open(
                scheduled,
                1,
                tool,
                effect,
                reason=approval.reason,
                matter=approval.matter,
                problem=problem,
                retry_of=approval.id,
            )
        self._checkpoint("card_returned")

    # ----------------------------------------------------------------------------------------------- unknown outcomes

    async def settle(self, why: str) -> None:
        """Mark attempts that nothing carries out any more as unknown; ``why`` in words. Look for the fate of each."""
        for call in await self._ledger.open_calls():
            found = await self._ledger.call(call.id)
            if found and found[0].state is CallState.UNKNOWN:
                self._check_later(self._registry.get(call.name), call)
            if found and found[0].state is CallState.ATTEMPTED and call.id not in self.under_way:
                await self._ledger.end(*found, CallState.UNKNOWN, UNKNOWN_WORDS, error=why)
                self._check_later(self._registry.get(call.name), call)

    async def answer(self, call_id: str, answer: Answer) -> str:
        """Settle an attempt with an unknown outcome: by the tool's probe, or by the user's answer."""
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
                named = await self._ledger.approval(call.approval)
                edits = await edits_before(self._ledger, named[0]) if named else ""
                await self._ledger.end(call, version, CallState.SUCCEEDED, words + edits)
                return words
            words += " It was not repeated: doing it now takes a new call and a new approval."
            await self._ledger.end(call, version, CallState.FAILED, words, error="did not happen")
            return words
        except VersionConflictError:
            return "this changed in the same moment; look again"

    def _check_later(self, tool: Tool | None, call: ToolCall) -> None:
        if tool is not None and tool.fate is not None:
            self.checks.later(call.id)

    async def _is_settled(self, call_id: str) -> bool:
        """Settle the call if its fate can be told; return whether there is nothing to settle any more.

        Looking also takes away what an attempt has left outside. So it is done after the user's answer, too, unless
        that was that it did happen.
        """
        found = await self._ledger.call(call_id)
        if found is None or found[0].state not in (CallState.UNKNOWN, CallState.FAILED):
            return True
        if await self._probe(found[0], fate=True) is None:
            return False
        if not found[0].acknowledged:
            await self.answer(call_id, "check")
        return True

    async def _probe(self, call: ToolCall, *, fate: bool = False) -> bool | None:
        tool, found = self._registry.get(call.name), await self._ledger.approval(call.approval)
        probe = None if tool is None else tool.fate if fate else tool.probe
        if tool is None or probe is None or found is None:
            return None
        try:
            async with asyncio.timeout(self._config.timeout):
                return await probe(self._bodies.context(call, tool), found[0].resolved)
        except Exception as error:
            log.warning("probe of %s failed", tool.name, exc_info=error)
            return None


def _reason(error: Exception) -> str:
    return one_line(str(error)).rstrip(". ")
