"""The only writer of tool calls, their results and their approvals.

Each change is one unit that expects the version it was decided on, so that two decisions about one call can't both
hold. Every decision about an approval also writes its call, whose version is therefore the single point of
serialisation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pepper_tui.clock import Clock
from pepper_tui.model import (
    CALL_OPEN,
    OPEN_TAG,
    TOOL_CALL,
    Approval,
    ApprovalState,
    CallState,
    ContextFilter,
    Namespace,
    ToolCall,
    ToolResult,
    UserMessage,
    acted_through,
)
from pepper_tui.tools.said import asked_at, said_in

if TYPE_CHECKING:
    from pepper_tui.store import Store

ALL = 1_000_000
_DECIDED = frozenset({ApprovalState.APPROVED, ApprovalState.EDITED, ApprovalState.REJECTED, ApprovalState.WITHDRAWN})


class Ledger:
    """Typed reads and versioned writes. All writes join the caller's unit."""

    def __init__(self, store: Store, clock: Clock, result_limit: int) -> None:
        self._store = store
        self._clock = clock
        self._limit = result_limit

    async def call(self, call_id: str) -> tuple[ToolCall, int] | None:
        """Return the call and its version."""
        found = await self._store.get(call_id, namespace=Namespace.TOOL_CALL)
        return (ToolCall.of(found), found.version) if found else None

    async def approval(self, approval_id: str) -> tuple[Approval, int] | None:
        """Return the approval and its version."""
        found = await self._store.get(approval_id, namespace=Namespace.APPROVAL)
        return (Approval.of(found), found.version) if found else None

    async def open_calls(self) -> list[ToolCall]:
        found = await self._store.query(
            ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], newest_first=False, limit=ALL)
        )
        return ToolCall.readable(found)

    async def open_approvals(self) -> list[Approval]:
        found = await self._store.query(
            ContextFilter(namespaces=[Namespace.APPROVAL], tags=[OPEN_TAG], newest_first=False, limit=ALL)
        )
        return Approval.readable(found)

    async def said(self, call: ToolCall) -> list[UserMessage]:
        """Return the user's messages in the step that made ``call``."""
        return await said_in(self._store, call.origin)

    async def asked_at(self, call: ToolCall) -> float:
        """Return when the user last asked for ``call``; 0 if never."""
        return await asked_at(self._store, call)

    async def alike(self, same_key: str) -> list[Approval]:
        """Return the approvals of effects that are the same request."""
        found = await self._store.query(
            ContextFilter(namespaces=[Namespace.APPROVAL], tags=[f"same:{same_key}"], limit=ALL)
        )
        return Approval.readable(found)

    async def cards_of(self, call_id: str) -> list[Approval]:
        """Return all approvals ever opened for one call, oldest first."""
        wanted = ContextFilter(
            namespaces=[Namespace.APPROVAL],
            tags=[f"call:{call_id}"],
            newest_first=False,
            limit=ALL,
            include_expired=True,
        )
        return sorted(Approval.readable(await self._store.query(wanted)), key=lambda card: card.created_at)

    async def put_call(self, call: ToolCall, version: int, to: CallState | None = None, **changes: object) -> ToolCall:
        """Store ``call``, moved to ``to`` (if given) and with ``changes``, over exactly ``version``."""
        if to is not None:
            TOOL_CALL.move(call.state, to)
            changes["state"] = to
            if to not in CALL_OPEN and to is not CallState.UNKNOWN:
                changes.setdefault("ended_at", self._clock.now())
        moved = replace(call, **changes)  # type: ignore[arg-type]
        await self._store.put(
            moved,
            namespace=Namespace.TOOL_CALL,
            type=moved.name,
            tags=[OPEN_TAG] if moved.open else [],
            expect_version=version,
        )
        return moved

    async def put_approval(self, approval: Approval, version: int, same_key: str) -> None:
        """Store ``approval`` over exactly ``version`` (0: a new one).

        A decision records the channel it came through.
        """
        by = (acted_through() or approval.decided_by) if approval.state in _DECIDED else ""
        approval = replace(approval, decided_by=by)
        tags = [f"same:{same_key}", f"call:{approval.call}"]
        if approval.state is ApprovalState.PENDING:
            tags.append(OPEN_TAG)
        await self._store.put(
            approval,
            namespace=Namespace.APPROVAL,
            type=approval.resolved.tool,
            text=approval.resolved.summary,
            tags=tags,
            expect_version=version,
        )

    async def put_result(self, call: ToolCall, content: str, *, taints: bool = False, problem: str = "") -> None:
        """Store the result of ``call`` in its current state."""
        if len(content) > self._limit:
            left_out = len(content) - self._limit
            content = f"{content[: self._limit]}\n[{left_out} more characters were left out: the limit of one result]"
        result = ToolResult(
            call.id, call.name, call.arguments, call.state, content, self._clock.now(), call.origin, call.root,
            call.tainted or taints, call.summary, problem, call.question, call.announced,
        )  # fmt: skip
        await self._store.put(
            result, namespace=Namespace.TOOL_RESULT, context_id=call.id, type=call.name, text=content[:20_000]
        )

    async def end(
        self,
        call: ToolCall,
        version: int,
        to: CallState,
        content: str,
        *,
        taints: bool = False,
        error: str = "",
        problem: str = "",
    ) -> ToolCall:
        """End ``call`` with its result, in one unit. ``problem`` as in ``ToolResult``."""
        async with self._store.unit():
            ended = await self.put_call(call, version, to, error=error, progress="", deferred="")
            await self.put_result(ended, content, taints=taints, problem=problem)
        return ended
