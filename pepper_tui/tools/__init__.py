"""Tools: the way to the outside. The engine that runs calls; policy and approvals for outside effects."""

from pepper_tui.tools.approvals.approvals import Approvals
from pepper_tui.tools.approvals.cards import ApprovalError
from pepper_tui.tools.engine import ToolEngine
from pepper_tui.tools.errors import ArgumentError, NotDoneError, OutdatedError, ToolError
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import Tool, ToolContext, tool
from pepper_tui.tools.user_time import UserTime

__all__ = [
    "ApprovalError",
    "Approvals",
    "ArgumentError",
    "NotDoneError",
    "OutdatedError",
    "Tool",
    "ToolContext",
    "ToolEngine",
    "ToolError",
    "ToolRegistry",
    "UserTime",
    "tool",
]
