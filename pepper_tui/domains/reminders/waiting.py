"""The reminders that wait, to be shown beside what else is on a day."""

from __future__ import annotations

from pepper_tui.model import OPEN_TAG, ContextFilter, Namespace, Reminder, ReminderState
from pepper_tui.store import Store
from pepper_tui.tools.tool_store import ToolStore


async def waiting_reminders(store: Store | ToolStore) -> list[Reminder]:
    """Return those that wait; a repeating one by its next time."""
    wanted = ContextFilter(namespaces=[Namespace.REMINDER], tags=[OPEN_TAG], limit=None)
    return [each for each in Reminder.readable(await store.query(wanted)) if each.state is ReminderState.WAITING]
