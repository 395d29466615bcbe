"""The user's acts on calls: cancel one, or answer what became of one with an unknown outcome."""

from __future__ import annotations

from collections.abc import Sequence

from pepper_tui.engine.acts.local_writes import KEPT, LocalWrites
from pepper_tui.engine.acts.one_act import card_moved, one_act
from pepper_tui.engine.acts.refusals import in_words
from pepper_tui.engine.acts.undo import UndoJournal
from pepper_tui.model import CallState, Context, EngineError, Namespace, ToolCall, UnknownAnswer
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line
from pepper_tui.tools import ToolEngine


class CallActs:
    """Acts on calls. The tool engine calls ``ordered`` to record what the user's own words have set."""

    def __init__(self, store: ContextStore, tools: ToolEngine, writes: LocalWrites, journal: UndoJournal) -> None:
        self._store, self._tools, self._writes, self._journal = store, tools, writes, journal

    async def answer_unknown(self, call_id: str, answer: UnknownAnswer) -> str:
        await self._there(call_id)
        with in_words():
            words = await self._tools.answer_unknown(call_id, answer)
        if answer in ("happened", "did_not"):
            await self._journal.record(f"your answer “{answer.replace('_', ' ')}”", [])
        return words

    async def cancel_call(self, call_id: str) -> str:
        """Cancel a call. This can be undone only if the call was still waiting for approval."""
        call = ToolCall.one(await self._there(call_id))
        if call is not None and call.state is CallState.WAITING_APPROVAL:
            async with one_act(self._journal) as act:
                act.words = await self._tools.approvals.withdraw(call.approval, "user")
                act.moved = [card_moved(call.approval, "rejected", note="cancelled by the user")]
            return act.words
        with in_words():
            words = await self._tools.cancel(call_id, "user")
        if call is not None and call.state is CallState.SCHEDULED:
            await self._journal.record(words, [])
        return words

    async def _there(self, call_id: str) -> Context:
        if (found := await self._store.get(call_id, namespace=Namespace.TOOL_CALL)) is None:
            raise EngineError("there is no such call")
        return found

    async def ordered(self, call: ToolCall, written: Sequence[tuple[str, str]]) -> None:
        """Record, in the caller's unit, what the user's words have set.

        An answered question has its own record already.
        """
        kept = [each for each in written if each[0] in KEPT]
        if kept and not await self._journal.names(call.id):
            moved = [await self._writes.moved(*each) for each in kept]
            await self._journal.record(f"{call.name}: {one_line(str(call.arguments), 80)}", moved)
