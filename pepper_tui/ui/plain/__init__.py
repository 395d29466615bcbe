"""Pepper in plain lines, for screen readers and very simple terminals: no boxes, no columns, no colours.

Events are printed as lines, in order; typed text is a message, or a command after a slash. Each thing mentioned gets a
number and keeps it.
"""

from pepper_tui.ui.plain.conversation import PlainConversation

__all__ = ["PlainConversation"]
