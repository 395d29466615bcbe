"""One act of the user: its changes and its record are one commit, and refusals become words."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from pepper_tui.engine.acts.refusals import in_words
from pepper_tui.engine.acts.undo import Recording, UndoJournal
from pepper_tui.model import EngineError, Moved, Namespace, SettledError
from pepper_tui.tools import ApprovalError


@asynccontextmanager
async def one_act(journal: UndoJournal) -> AsyncIterator[Recording]:
    """Record what is moved inside as one act. Raises ``EngineError``."""
    with in_words():
        async with journal.recording() as act:
            yield act


def card_moved(approval_id: str, to: str, **detail: object) -> Moved:
    """Return the record of an approval that the act moves to state ``to``."""
    return Moved(Namespace.APPROVAL, approval_id, to, detail)


def parted(*refs: str) -> tuple[list[str], list[str]]:
    """Split ``refs`` into the ids of approvals and the ids of notifications."""
    items = [split(ref) for ref in refs]
    return [i for kind, i in items if kind == "approval"], [i for kind, i in items if kind == "notification"]


def split(ref: str) -> tuple[str, str]:
    """Return kind and id of an inbox item. Raises ``EngineError`` for any other ref."""
    kind, _, ident = ref.partition(":")
    if kind not in {"approval", "notification"} or not ident:
        raise EngineError("this item has no such act")
    return kind, ident


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """Convert ``ApprovalError`` to ``SettledError``."""
    try:
        yield
    except ApprovalError as error:
        raise SettledError(str(error)) from error
