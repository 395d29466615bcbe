"""Undo and redo of what the user's words have set in Pepper's own store: reminders, notes, facts of the profile.

Only what has not changed since the order is moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import (
    OPEN_TAG,
    REMINDER,
    Context,
    Json,
    Moved,
    Namespace,
    Reminder,
    ReminderState,
    SettledError,
)
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line

KEPT: Final = (Namespace.REMINDER, Namespace.NOTE, Namespace.PROFILE)


class LocalWrites:
    """Undo and redo of local writes. ``Moved.detail["version"]`` is the version that the order wrote."""

    def __init__(self, store: ContextStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def moved(self, namespace: str, ident: str) -> Moved:
        """Describe what a write to this context in the caller's unit will move."""
        stands = await self._store.get(ident, namespace=namespace, include_expired=True)
        return Moved(namespace, ident, "written", {"version": (stands.version if stands else 0) + 1})

    async def back(self, moved: Sequence[Moved]) -> str:
        return await self._turn(moved[0], back=True)

    async def again(self, moved: Sequence[Moved]) -> str:
        return await self._turn(moved[0], back=False)

    async def _turn(self, moved: Moved, *, back: bool) -> str:
        written = await self._version(moved, 0)
        before = await self._version(moved, -1)
        stands = await self._store.get(moved.id, namespace=moved.namespace)
        now, to = (written, before) if back else (before, written)
        if written is None or not _same(moved, stands, now):
            raise SettledError(f"{_called(moved, written or stands)} has changed since")
        if moved.namespace == Namespace.REMINDER:
            assert stands is not None
            await self.move_reminder(stands, ReminderState.CANCELLED if to is None else Reminder.of(to).state)
        elif to is None:
            assert stands is not None
            await self._store.delete(moved.id, namespace=moved.namespace, expect_version=stands.version)
        else:
            await self._put(to, to.data, set(to.tags), stands)
        return f"{'no more' if to is None else 'again'}: {_called(moved, written)}"

    async def move_reminder(self, stands: Context, wanted: ReminderState) -> None:
        """Move a reminder in the caller's unit. Raises ``SettledError`` if it has fired or its time is past."""
        reminder = Reminder.of(stands)
        if not REMINDER.allows(reminder.state, wanted):
            raise SettledError(f"the reminder is {reminder.state} already")
        if wanted is ReminderState.WAITING and reminder.due <= self._clock.now():
            raise SettledError("its time is past")
        reminder.state = REMINDER.move(reminder.state, wanted)
        tags = set(stands.tags) - {OPEN_TAG}
        await self._put(
            stands, reminder.data(), tags | ({OPEN_TAG} if wanted is ReminderState.WAITING else set()), stands
        )

    async def _put(self, like: Context, data: Json, tags: set[str], stands: Context | None) -> None:
        await self._store.store(
            data,
            namespace=like.namespace,
            context_id=like.context_id,
            type=like.type,
            text=like.text,
            tags=tags,
            metadata=like.metadata,
            expect_version=stands.version if stands is not None else None,
        )

    async def _version(self, moved: Moved, off: int) -> Context | None:
        number = int(moved.detail["version"]) + off
        return await self._store.get(moved.id, namespace=moved.namespace, version=number) if number > 0 else None


def _same(moved: Moved, stands: Context | None, as_then: Context | None) -> bool:
    if stands is not None and as_then is not None:
        return stands.data == as_then.data
    if moved.namespace == Namespace.REMINDER and stands is not None:  # undoing a new reminder cancels it
        return bool(stands.data.get("state") == ReminderState.CANCELLED)
    return stands is None and as_then is None


def _called(moved: Moved, context: Context | None) -> str:
    data = context.data if context is not None else {}
    words = one_line(str(data.get("text") or data.get("title") or ""), 60)
    name = {Namespace.REMINDER: "the reminder", Namespace.NOTE: "the note"}.get(moved.namespace, "the profile")
    return f"{name} “{words}”" if words else f"{name} as it was"
