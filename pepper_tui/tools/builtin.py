"""All tools that Pepper brings along."""

from __future__ import annotations

from pepper_tui.tools.activity_tools import ACTIVITY_TOOLS
from pepper_tui.tools.ask_tools import ASK_TOOLS
from pepper_tui.tools.calendar_tools import CALENDAR_TOOLS
from pepper_tui.tools.context_tools import CONTEXT_TOOLS
from pepper_tui.tools.delegate_tools import DELEGATE_TOOLS
from pepper_tui.tools.event_tools import EVENT_TOOLS
from pepper_tui.tools.file_tools import FILE_TOOLS
from pepper_tui.tools.mail_tools import MAIL_TOOLS
from pepper_tui.tools.note_tools import NOTE_TOOLS
from pepper_tui.tools.notify_tools import NOTIFY_TOOLS
from pepper_tui.tools.profile_tools import PROFILE_TOOLS
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.reminder_tools import REMINDER_TOOLS
from pepper_tui.tools.revise_tools import REVISE_TOOLS
from pepper_tui.tools.rule_tools import RULE_TOOLS
from pepper_tui.tools.services import Services
from pepper_tui.tools.status_tools import STATUS_TOOLS
from pepper_tui.tools.tool import Tool
from pepper_tui.tools.topic_tools import TOPIC_TOOLS
from pepper_tui.tools.web_tools import WEB_TOOLS

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
