"""Offers: items that ask about missed reminders. The user's act on an offer moves these, and undo moves them back."""

from __future__ import annotations

from typing import Final

from pepper_tui.model import (
    OPEN_TAG,
    REMINDER,
    Context,
    Namespace,
    Notification,
    NotificationState,
    Reminder,
    ReminderState,
)
from pepper_tui.store import Store
from pepper_tui.store.rewrite import rewrite

_ANSWERS: Final = {
    NotificationState.DONE: ReminderState.FIRED,
    NotificationState.DISMISSED: ReminderState.CANCELLED,
}


class Offers:
    """Moves the reminders that offers ask about."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def answer(self, context: Context, item: Notification, state: NotificationState) -> list[list[str]]:
        """Move the reminders that an offer asks about; return pairs of id and new state."""
        to = _ANSWERS.get(state)
        if item.kind != "offer" or to is None:
            return []
        moved = []
        for reminder_id in context.metadata.get("reminders", []):
            saved = await self._store.get(reminder_id, namespace=Namespace.REMINDER)
            if saved is None:
                continue
            reminder = Reminder.of(saved)
            if reminder.state is not ReminderState.OFFERED:
                continue
            reminder.state = REMINDER.move(reminder.state, to)
            await rewrite(self._store, saved, reminder, tags=set(saved.tags) - {OPEN_TAG})
            moved.append([reminder_id, str(to)])
        return moved

    async def put_back(self, reminder_id: str, state: ReminderState) -> None:
        """Offer a reminder again after its answer is undone; one that has moved on since stays as it is."""
        saved = await self._store.get(reminder_id, namespace=Namespace.REMINDER)
        if saved is None:
            return
        reminder = Reminder.of(saved)
        if reminder.state is state:
            reminder.state = REMINDER.move(reminder.state, ReminderState.OFFERED)
            await rewrite(self._store, saved, reminder, tags={*saved.tags, OPEN_TAG})
