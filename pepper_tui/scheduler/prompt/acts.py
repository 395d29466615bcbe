"""The user's acts at the screen since the last step, for the log that the model reads.

Approvals, rejections and answers arrive as results of their calls; anything else that the user does to a notice, a card
or a rule would never reach the model.
"""

from __future__ import annotations

from typing import Final

from pepper_tui.model import Approval, Context, ContextFilter, Moved, Namespace, Notification, UserAct, UserActState
from pepper_tui.scheduler.prompt.prompts import act_entry
from pepper_tui.store import Store
from pepper_tui.text import one_line

_MOST: Final = 20  # acts reported per step
_BY_RESULT: Final = frozenset({"approved", "rejected"})
_OF_THE_SCREEN: Final = frozenset({Namespace.APPROVAL, Namespace.NOTIFICATION, Namespace.RULE})
"""Records that the user's keys change. Others are changed by calls, and are reported only if that is undone."""


class UserActs:
    """Reads the journal of the user's acts. ``take`` what is new; call ``told`` once it is in the history."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told = 0
        self._taken = 0

    async def start(self) -> None:
        """Begin after the newest step: earlier acts were reported already, or are too old to matter."""
        newest = await self._store.query(ContextFilter(namespaces=[Namespace.STEP], limit=1, include_expired=True))
        self._told = self._taken = newest[0].seq if newest else 0

    async def take(self) -> list[str]:
        """Return an entry for each act since those already reported, oldest first."""
        found = await self._store.query(
            ContextFilter(namespaces=[Namespace.UNDO], after_seq=self._told, newest_first=False, limit=1000)
        )
        self._taken = max((context.seq for context in found), default=self._told)
        entries = [entry for context in found if (entry := await self._entry(context))]
        left_out = len(entries) - _MOST
        return [*([act_entry(f"{left_out} earlier acts are left out")] if left_out > 0 else []), *entries[-_MOST:]]

    def told(self) -> None:
        self._told = self._taken

    async def _entry(self, context: Context) -> str:
        act = UserAct.one(context)
        if act is None or act.state is UserActState.SETTLED:
            return ""
        undone = act.state is UserActState.UNDONE
        moved = [one for one in act.moved if undone or (one.namespace in _OF_THE_SCREEN and one.to not in _BY_RESULT)]
        words = [f"{one.to}: {await self._called(one)}" for one in moved]
        if not words:
            return ""
        return act_entry(("taken back: " if undone else "") + "; ".join(words))

    async def _called(self, moved: Moved) -> str:
        """Describe what was moved, in terms the model knows."""
        found = await self._store.get(moved.id, namespace=moved.namespace, include_expired=True)
        if moved.namespace == Namespace.APPROVAL and (card := Approval.one(found)) is not None:
            changed = "; now " + ", ".join(f"{k}: {v}" for k, v in moved.detail.get("fields", {}).items())
            return f"{one_line(card.resolved.summary, 120)} ({card.call}){changed if moved.to == 'edited' else ''}"
        if moved.namespace == Namespace.NOTIFICATION and (notice := Notification.one(found)) is not None:
            return f"{one_line(notice.title, 120)} (from {notice.source})"
        return one_line(str(moved.detail.get("name") or (found.text if found else "") or moved.id), 120)
