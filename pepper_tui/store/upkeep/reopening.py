"""Reopens cards in a copied store: an approval is valid only in the home where it was given.

That home may act on it after the copy was made. So in a store made from a copy, a card that was approved but not acted
on yet waits again.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from pepper_tui.model import OPEN_TAG, ApprovalState, CallState, Json, Namespace
from pepper_tui.store.log.content import decode, encode, encode_tags
from pepper_tui.store.upkeep import removal

_CURRENT: Final = (
    "FROM contexts c JOIN updates u ON u.seq = c.seq JOIN namespaces n ON n.id = c.ns"
    " WHERE n.name = ? AND c.deleted = 0"
)


def reopen_cards(connection: sqlite3.Connection, now: float) -> int:
    """Revoke each such approval by new versions, in the caller's transaction; return how many cards wait again."""
    calls = connection.execute(
        f"SELECT c.context_id, u.data {_CURRENT} AND instr(u.tags, ?)", (Namespace.TOOL_CALL, json.dumps(OPEN_TAG))
    ).fetchall()
    reopened = 0
    for ident, source in calls:
        call = decode(source)
        approval = str(call.get("approval") or "")
        found = connection.execute(
            f"SELECT u.data {_CURRENT} AND c.context_id = ?", (Namespace.APPROVAL, approval)
        ).fetchone()
        card = decode(found[0]) if found else {}
        if call.get("state") == CallState.WAITING_APPROVAL and card.get("state") == ApprovalState.APPROVED:
            _change(connection, Namespace.TOOL_CALL, ident, {**call, "progress": ""}, now)
            pending = {**card, "state": ApprovalState.PENDING.value, "decided_at": None, "acts_at": None}
            _change(connection, Namespace.APPROVAL, approval, pending, now)
            reopened += 1
    return reopened


def _change(connection: sqlite3.Connection, namespace: str, ident: str, data: Json, now: float) -> None:
    """Add a version with ``data``, marked as open."""
    ns, tags, previous = connection.execute(
        f"SELECT c.ns, u.tags, u.seq {_CURRENT} AND c.context_id = ?", (namespace, ident)
    ).fetchone()
    seq = removal.last_seq(connection) + 1
    said = encode_tags(tuple(sorted({*json.loads(tags), OPEN_TAG})))
    connection.execute(
        "INSERT INTO updates SELECT ?, ns, context_id, version + 1, type, ?, text, body, ?, metadata, created_at,"
        " ?, expires_at, 0, seq FROM updates WHERE seq = ?",
        (seq, encode(data), said, now, previous),
    )
    connection.execute(
        "UPDATE contexts SET seq = ?, version = version + 1, updated_at = ? WHERE ns = ? AND context_id = ?",
        (seq, now, ns, ident),
    )
    connection.execute("DELETE FROM context_tags WHERE ns = ? AND seq = ?", (ns, previous))
    connection.execute("INSERT INTO context_tags SELECT value, ?, ? FROM json_each(?)", (ns, seq, said))
