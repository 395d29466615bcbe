"""What reaches the user and when: the inbox, snooze, reminders, and why."""

from pepper_tui.attention.acquaintance import Acquaintance
from pepper_tui.attention.answers import Answers
from pepper_tui.attention.inbox import Inbox, InboxError
from pepper_tui.attention.reminders import Reminders
from pepper_tui.attention.why import Why

__all__ = [
    "Acquaintance",
    "Answers",
    "Inbox",
    "InboxError",
    "Reminders",
    "Why",
]
