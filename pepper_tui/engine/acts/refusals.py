"""Refusals of the rooms, as the one error that the screen shows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pepper_tui.domains.notices.inbox import InboxError
from pepper_tui.model import EngineError
from pepper_tui.tools import ApprovalError, ToolError


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Raise ``EngineError`` in place of each room's own refusal."""
    try:
        yield
    except (ApprovalError, InboxError, ToolError, ValueError) as error:
        raise EngineError(str(error)) from error
