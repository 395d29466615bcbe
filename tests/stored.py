"""What a home's store holds, read from its own file by somebody who is not Pepper; what an open one still has to do."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from pepper_tui.store import ContextStore


def stored(home: Path, namespace: str) -> list[tuple[dict[str, Any], list[str]]]:
    """Data and tags of a namespace's current contexts, oldest change first; nothing where there is no store yet."""
    path = home / "pepper.db"
    if not path.exists():
        return []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as db:
        try:
            rows = db.execute(
                "SELECT u.data, u.tags FROM contexts c JOIN updates u USING (seq) JOIN namespaces n ON n.id = c.ns"
                " WHERE n.name = ? AND c.deleted = 0 ORDER BY c.seq",
                (namespace,),
            ).fetchall()
        except sqlite3.OperationalError:
            return []  # not there yet: the program is about to make it
    return [(json.loads(data), json.loads(tags)) for data, tags in rows]


async def backlog(store: ContextStore) -> int:
    """How many deliveries are to come: asked many times while a test waits, so without all that ``stats`` counts."""
    waiting = "SELECT count(*) FROM deliveries WHERE state IN ('pending', 'retrying')"
    return int(await store.file.read(lambda connection: connection.execute(waiting).fetchone()[0]))
