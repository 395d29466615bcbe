"""Marks a mail as answered where it lies, once Pepper's own answer to it has been sent.

It belongs to what the user approved: the mark is no effect of its own, to set it again changes nothing, and an account
that can't set it stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pepper_tui.domains.mail.at_source.elsewhere import answered_by
from pepper_tui.domains.mail.at_source.filing import Filer, Filing
from pepper_tui.domains.mail.at_source.state import states_of
from pepper_tui.domains.mail.content.message_ids import all_with
from pepper_tui.model import Approval, CallState, ContextUpdate, Effect, Namespace, ToolCall, ToolResult
from pepper_tui.store import Retry, Store, Subscriber

_SUBSCRIPTION: Final = "mail.answering"
_TRIES: Final = Retry(attempts=12, base=5.0, cap=3600.0)
"""A server may be away for hours."""


class Answering:
    """Follows what was sent. ``filers``: those of all accounts."""

    def __init__(self, store: Store, filers: Sequence[Filer]) -> None:
        self._store, self._filers = store, filers

    def listen(self, subscriber: Subscriber) -> None:
        """Register the handler. Call it before the subscriber starts."""
        if any("answered" in filer.acts for filer in self._filers):
            handle = subscriber.on_context_update(namespaces=[Namespace.TOOL_RESULT], name=_SUBSCRIPTION, retry=_TRIES)
            handle(self._ended)

    async def _ended(self, update: ContextUpdate) -> None:
        result = ToolResult.one(update.context)
        if update.deleted or result is None or result.state is not CallState.SUCCEEDED:
            return
        call = ToolCall.one(await self._store.get(result.call, namespace=Namespace.TOOL_CALL))
        if call is None or call.effect is not Effect.SEND or not call.approval:
            return
        card = Approval.one(await self._store.get(call.approval, namespace=Namespace.APPROVAL))
        if card is not None and (answered := answered_by(card)):
            await self._mark(answered)

    async def _mark(self, message_id: str) -> None:
        mails = [each.context_id for each in await all_with(self._store, message_id)]
        copies = [copy for state in (await states_of(self._store, mails)).values() for copy in state.copies]
        for filer in self._filers:
            places = [copy.place for copy in copies if copy.account == filer.account and "answered" not in copy.marks]
            if places and "answered" in filer.acts:
                await filer.file(Filing("answered"), places)
