"""Pepper in plain lines, for screen readers and terminals that can do nothing else: no boxes, no columns, no colours.

What happens is said as lines, in order; what is typed is a message, or with a slash before it a command. Each thing
that is named has a number that it keeps.
"""

from pepper_tui.ui.plain.conversation import PlainConversation

__all__ = ["PlainConversation"]
