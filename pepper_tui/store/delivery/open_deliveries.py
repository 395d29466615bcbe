"""The open deliveries of one subscription, as the file has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Any

from pepper_tui.store.log.content import SELECT, update_of
from pepper_tui.store.log.store_file import StoreFile
from pepper_tui.store.unit import Delivery

_FIRST_OF_KEY = (
    " AND (d.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.subscription = d.subscription"
    " AND e.order_key = d.order_key AND e.seq < d.seq AND e.state <> 'dead'))"
)


class OpenInFile:
    """Those of subscription ``name``, whose number is ``ident``."""

    def __init__(self, file: StoreFile, ident: int, name: str) -> None:
        self._file, self._id, self._name = file, ident, name

    async def due(self, now: float, limit: int, exclude: Collection[int]) -> list[Delivery]:
        held = ",".join(str(int(seq)) for seq in exclude)

        def read(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            heads = connection.execute(
                "SELECT d.seq, d.rank, d.attempts FROM deliveries d INDEXED BY deliveries_next WHERE d.subscription = ?"
                " AND d.state <> 'dead' AND d.rank IS NOT NULL AND d.due <= ?"
                + (f" AND d.seq NOT IN ({held})" if held else "")
                + _FIRST_OF_KEY
                + " ORDER BY d.rank, d.seq LIMIT ?",
                (self._id, now, limit),
            ).fetchall()
            rows = [connection.execute(f"{SELECT} WHERE u.seq = ?", head[:1]).fetchone() for head in heads]
            return list(zip(heads, rows, strict=True))

        found = await self._file.read(read)
        return [Delivery(self._name, seq, rank, attempts, update_of(row)) for (seq, rank, attempts), row in found]

    async def next_due(self, after: float) -> float | None:
        def read(connection: sqlite3.Connection) -> float | None:
            found: float | None = connection.execute(
                "SELECT min(due) FROM deliveries WHERE subscription = ? AND state = 'retrying' AND due > ?",
                (self._id, after),
            ).fetchone()[0]
            return found

        return await self._file.read(read)

    async def count(self) -> int:
        def read(connection: sqlite3.Connection) -> int:
            found: int = connection.execute(
                "SELECT count(*) FROM deliveries WHERE subscription = ? AND state <> 'dead'", (self._id,)
            ).fetchone()[0]
            return found

        return await self._file.read(read)
