"""Rollback: the content of an earlier version becomes the newest one, as an ordinary update.

Only states of knowledge can go back: notes, an agent's memory, a profile, contexts of the user's own. Whatever has
happened or been done can't: records that pass through states, what was said, feeds' positions, and anything whose new
update would be delivered. A memory is not changed under a running worker.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from pepper_tui.model import OPEN_TAG, Namespace
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log import lookup
from pepper_tui.store.log.content import SELECT, Write, decode
from pepper_tui.store.log.plan import Book
from pepper_tui.store.namespaces import matches

_STATES: Final = "it passes through states: going back would undo what was done"
_HAPPENED: Final = "it records what has happened"
REFUSED: Final = {
    **dict.fromkeys(("tool.*", Namespace.APPROVAL, Namespace.NOTIFICATION, Namespace.REMINDER, "worker.*"), _STATES),
    **dict.fromkeys((Namespace.RULE, f"{Namespace.RULE}.*"), "pepper rules restore brings an earlier version back"),
    **dict.fromkeys(
        (
            f"{Namespace.RAW}.*",
            f"{Namespace.SIGNALS}.*",
            Namespace.UNJUDGED,
            "user.*",
            "assistant.*",
            Namespace.STEP,
            Namespace.HISTORY,
            f"{Namespace.HISTORY}.*",
            "llm.*",
            Namespace.HEALTH,
            Namespace.PEOPLE,
            "mail.*",
            "calendar.*",
            "feed.*",
            "follow",
            "follow.*",
            Namespace.UNDO,
        ),
        _HAPPENED,
    ),
    "mcp.*": "it says what you have trusted",
}
"""Patterns of namespaces that can't be rolled back, and why."""


class RollbackRefusedError(StoreError):
    """This context can't go back; the message says why."""


def plan(
    connection: sqlite3.Connection, book: Book, namespace: str, context_id: str, version: int, now: float
) -> Write:
    """Return the write that makes ``version`` the newest. On the write connection, right before its commit.

    Raises ``RollbackRefusedError``, or ``StoreError`` if there is no such version.
    """
    name = f"{namespace}:{context_id}"
    for pattern, why in REFUSED.items():
        if matches((pattern,), namespace):
            raise RollbackRefusedError(f"{name} can't be rolled back: {why}")
    ns = book.namespaces.get(namespace)
    found = [] if ns is None else lookup.versions(connection, ns, context_id)
    if ns is None or not found:
        raise StoreError(f"there is no {name}")
    chosen = next((u.context for u in found if u.context.version == version and not u.deleted), None)
    if chosen is None:
        kept = ", ".join(str(u.context.version) for u in reversed(found) if not u.deleted)
        raise StoreError(f"{name} has no version {version} any more; kept are {kept}")
    told = [s.name for s in book.subscriptions.route(namespace) if s.tags <= chosen.tags]
    if told:
        raise RollbackRefusedError(f"{name} can't be rolled back: {', '.join(told)} would act on it again")
    if namespace.startswith(f"{Namespace.MEMORY}."):
        _must_rest(connection, book, namespace.removeprefix(f"{Namespace.MEMORY}."))
    row = connection.execute(f"{SELECT} WHERE u.seq = ?", (chosen.seq,)).fetchone()
    return Write(
        namespace,
        context_id,
        data=row[5],
        type=row[4],
        text=row[6],
        tags=tuple(json.loads(row[7])),
        metadata=row[8],
        at=now,
        expires_at=None,
    )


def _must_rest(connection: sqlite3.Connection, book: Book, agent: str) -> None:
    """Raise if a run of ``agent`` is open: it would overwrite what was restored, or fail because of it."""
    ns = book.namespaces.get(Namespace.RUN)
    for context_id, data in connection.execute(
        "SELECT u.context_id, u.data FROM context_tags t JOIN updates u ON u.seq = t.seq WHERE t.tag = ? AND t.ns = ?",
        (OPEN_TAG, ns),
    ):
        if decode(data).get("agent") == agent:
            raise RollbackRefusedError(
                f"the worker {agent} is working ({context_id}): wait until it has ended, or cancel it first"
            )
