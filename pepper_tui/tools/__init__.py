"""Tools: the engine that runs calls, the policy and approvals of what reaches outside, and the built-in tools."""

from pepper_tui.tools.approvals import ApprovalError, Approvals
from pepper_tui.tools.builtin import BUILTIN_TOOLS, builtin_registry
from pepper_tui.tools.engine import ToolEngine
from pepper_tui.tools.fetch import Limits, WebFetcher
from pepper_tui.tools.folders import Folders
from pepper_tui.tools.own_tools import add_own_tools
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.services import Agenda, Mailbox, Mailer, Services, WorkingHours
from pepper_tui.tools.tool import ArgumentError, NotDoneError, OutdatedError, Tool, ToolContext, ToolError, tool

__all__ = [
    "BUILTIN_TOOLS",
    "Agenda",
    "ApprovalError",
    "Approvals",
    "ArgumentError",
    "Folders",
    "Limits",
    "Mailbox",
    "Mailer",
    "NotDoneError",
    "OutdatedError",
    "Services",
    "Tool",
    "ToolContext",
    "ToolEngine",
    "ToolError",
    "ToolRegistry",
    "WebFetcher",
    "WorkingHours",
    "add_own_tools",
    "builtin_registry",
    "tool",
]
