"""All tools that Pepper brings along."""

from __future__ import annotations

from pepper_tui.domains.calendar.event_tools import EVENT_TOOLS
from pepper_tui.domains.calendar.tools import CALENDAR_TOOLS
from pepper_tui.domains.files.tools import FILE_TOOLS
from pepper_tui.domains.mail.tools import MAIL_TOOLS
from pepper_tui.domains.memory.context_tools import CONTEXT_TOOLS
from pepper_tui.domains.memory.note_tools import NOTE_TOOLS
from pepper_tui.domains.memory.profile_tools import PROFILE_TOOLS
from pepper_tui.domains.notices.tools import NOTIFY_TOOLS
from pepper_tui.domains.reminders.tools import REMINDER_TOOLS
from pepper_tui.domains.web.tools import WEB_TOOLS
from pepper_tui.domains.why.activity_tools import ACTIVITY_TOOLS
from pepper_tui.domains.why.status_tools import STATUS_TOOLS
from pepper_tui.rules.tools import RULE_TOOLS
from pepper_tui.scheduler.topic_tools import TOPIC_TOOLS
from pepper_tui.tools.ask_tools import ASK_TOOLS
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.revise_tools import REVISE_TOOLS
from pepper_tui.tools.services import Services
from pepper_tui.tools.tool import Tool
from pepper_tui.workers.tools import DELEGATE_TOOLS

BUILTIN_TOOLS: tuple[Tool, ...] = (
    *MAIL_TOOLS,
    *REVISE_TOOLS,
    *CALENDAR_TOOLS,
    *EVENT_TOOLS,
    *REMINDER_TOOLS,
    *RULE_TOOLS,
    *NOTE_TOOLS,
    *PROFILE_TOOLS,
    *FILE_TOOLS,
    *CONTEXT_TOOLS,
    *NOTIFY_TOOLS,
    *ASK_TOOLS,
    *DELEGATE_TOOLS,
    *STATUS_TOOLS,
    *ACTIVITY_TOOLS,
    *WEB_TOOLS,
    *TOPIC_TOOLS,
)


def builtin_registry(services: Services) -> ToolRegistry:
    """A registry of all built-in tools over ``services``."""
    return ToolRegistry(BUILTIN_TOOLS, services)
