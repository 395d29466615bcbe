"""One act of the user's: what it moves and its record are one commit, and refusals are words."""

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
    """Record what is moved inside. Raises ``EngineError``."""
    with in_words():
        async with journal.recording() as act:
            yield act


def card_moved(approval_id: str, to: str, **detail: object) -> Moved:
    """A card that the act moves."""
    return Moved(Namespace.APPROVAL, approval_id, to, detail)


def parted(*refs: str) -> tuple[list[str], list[str]]:
    """The ids of the approvals and of the notifications among ``refs``."""
    items = [split(ref) for ref in refs]
    return [i for kind, i in items if kind == "approval"], [i for kind, i in items if kind == "notification"]


def split(ref: str) -> tuple[str, str]:
    """Kind and id of an item. Raises ``EngineError`` for what is none."""
    kind, _, ident = ref.partition(":")
    if kind not in {"approval", "notification"} or not ident:
        raise EngineError("this item has no such act")
    return kind, ident


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """Raise ``SettledError`` in place of what an approval refuses."""
    try:
        yield
    except ApprovalError as error:
        raise SettledError(str(error)) from error
