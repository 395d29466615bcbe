"""The embeddings: vectors of what a user would look for. A projection of the log, which can be discarded and rebuilt.

Each row is the vector of one current version, as signed bytes (only its direction counts). The *cursor* says which part
of the log is embedded: everything after ``low`` up to ``high``. It starts at the newest, follows what is added, and
works back to the oldest while nothing new arrives, so that the newest is found first. Cursor and vectors change in one
transaction. Vectors of another model belong to another *generation*, and are never read.

A trigger on the log removes a vector together with its update, whoever deletes that; a replaced version loses its
vector when the cursor passes its successor.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pepper_tui.model import ContextFilter, Namespace
from pepper_tui.store.filter import CHUNK, conditions, tag_conditions
from pepper_tui.store.log.database import unsynced
from pepper_tui.store.namespaces import matches, resolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEANT: Final = (
    f"{Namespace.RAW}.*",
    Namespace.NOTE,
    Namespace.REMINDER,
    Namespace.RUN,
)
"""What is embedded: what came in, was noted or was found out.

Excluded are the chat with Pepper, where each question would find itself; signals and results, which repeat the same;
and Pepper's own records.
"""
_SAYS_THE_SAME: Final = (f"{Namespace.RAW}.clock",)  # the same config line each time it is due
CHARACTERS: Final = 2_000  # characters of a text that are embedded: the mean of a long text means nothing
SCOPE: Final = f"{CHARACTERS} characters, 1"  # part of the model's id: change it together with what is embedded
WINDOW: Final = 2_000  # updates of the log that one portion covers at most
END: Final = 2**62  # a place after the whole log
_KEY: Final = "embeddings"
_SLICE: Final = 1_000  # rows that are deleted at a time


@dataclass(frozen=True, slots=True)
class Cursor:
    """The progress of embedding.

    ``count`` is an upper bound of the number of vectors; ``dimensions`` is 0 until the first one. ``stale``: rows of an
    earlier generation may exist.
    """

    model: str
    generation: int
    low: int
    high: int
    dimensions: int = 0
    count: int = 0
    stale: bool = False


@dataclass(slots=True)
class Portion:
    """What to embed next, and the cursor after it. ``replaced``: versions whose vectors are removed."""

    low: int
    high: int
    replaced: list[int] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    spaces: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def meant(known: Mapping[str, int]) -> list[int]:
    """Return the ids of the namespaces that are embedded."""
    return [space for name, space in known.items() if matches(MEANT, name) and name not in _SAYS_THE_SAME]


def load(connection: sqlite3.Connection) -> Cursor | None:
    """Return the cursor, or None if nothing was ever embedded."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    return None if row is None else Cursor(**json.loads(row[0]))


def begin(connection: sqlite3.Connection, model: str) -> Cursor:
    """Return the cursor for ``model``: the existing one, or a new one at the end of the log."""
    old, last = load(connection), _last(connection)
    if old is not None and old.model == model:
        return replace(old, high=min(old.high, last))  # the newest may have been removed: their places are used again
    cursor = Cursor(model, old.generation + 1 if old else 1, last, last, stale=old is not None)
    with unsynced(connection):
        _save(connection, cursor)
    return cursor


def waiting(connection: sqlite3.Connection, cursor: Cursor, spaces: Sequence[int], enough: int) -> int:
    """Count the contexts that are not embedded yet, up to ``enough``."""
    count = 0
    for space in spaces:
        for sql in ("seq > ?", "seq <= ?"):
            if count < enough:
                count += connection.execute(
                    "SELECT count(*) FROM (SELECT 1 FROM contexts INDEXED BY contexts_newest"
                    f" WHERE ns = ? AND {sql} AND deleted = 0 LIMIT ?)",
                    (space, cursor.high if ">" in sql else cursor.low, enough - count),
                ).fetchone()[0]
    return count


def take(
    connection: sqlite3.Connection, cursor: Cursor, spaces: Sequence[int], now: float, limit: int
) -> Portion | None:
    """Return the next portion, of at most ``limit`` texts; None if everything is embedded."""
    last = _last(connection)
    if cursor.high < last:
        end = min(last, cursor.high + WINDOW)
        found = _current(connection, spaces, now, limit, "seq > ? AND seq <= ? ORDER BY seq", (cursor.high, end))
        if len(found) == limit:
            end = found[-1][0]
        previous = connection.execute(
            "SELECT previous FROM updates WHERE seq > ? AND seq <= ? AND previous IS NOT NULL", (cursor.high, end)
        )
        portion = Portion(cursor.low, end, [row[0] for row in previous])
    elif cursor.low > 0:
        found = _current(connection, spaces, now, limit, "seq <= ? ORDER BY seq DESC", (cursor.low,))
        low = found[-1][0] - 1 if len(found) == limit else 0
        portion = Portion(low, cursor.high)
    else:
        return None
    for seq, space in found:
        row = connection.execute(
            "SELECT substr(coalesce(body, text), 1, ?) FROM updates WHERE seq = ?", (CHARACTERS, seq)
        ).fetchone()
        if row is not None:
            portion.seqs.append(seq)
            portion.spaces.append(space)
            portion.texts.append(row[0])
    return portion


def _current(
    connection: sqlite3.Connection, spaces: Sequence[int], now: float, limit: int, where: str, values: tuple[int, ...]
) -> list[tuple[int, int]]:
    """Return the first ``limit`` current contexts (seq, namespace) across ``spaces``, in the order of ``where``."""
    found: list[tuple[int, int]] = []
    for space in spaces:
        found += connection.execute(
            "SELECT seq, ns FROM contexts INDEXED BY contexts_newest WHERE ns = ? AND deleted = 0"
            f" AND (expires_at IS NULL OR expires_at > ?) AND {where} LIMIT ?",
            (space, now, *values, limit),
        ).fetchall()
    return sorted(found, reverse=where.endswith("DESC"))[:limit]


def take_in(
    connection: sqlite3.Connection, cursor: Cursor, portion: Portion, vectors: Mapping[int, bytes], dimensions: int
) -> tuple[Cursor, list[int]]:
    """Store the vectors (by seq) of a portion and move the cursor past it, in one transaction.

    Returns the cursor, and the stored seqs: an update that was removed meanwhile gets no vector.
    """
    stored: list[int] = []
    with unsynced(connection):
        connection.executemany("DELETE FROM embeddings WHERE seq = ?", [(seq,) for seq in portion.replaced])
        for seq, space in zip(portion.seqs, portion.spaces, strict=True):
            if seq in vectors:
                added = connection.execute(
                    "INSERT OR REPLACE INTO embeddings SELECT ?1, ?2, ?3, ?4"
                    " WHERE EXISTS (SELECT 1 FROM updates WHERE seq = ?1)",
                    (seq, space, cursor.generation, vectors[seq]),
                ).rowcount
                if added:
                    stored.append(seq)
        cursor = replace(
            cursor,
            low=portion.low,
            high=portion.high,
            dimensions=cursor.dimensions or dimensions,
            count=cursor.count + len(stored),
        )
        _save(connection, cursor)
    return cursor, stored


def counted(connection: sqlite3.Connection, cursor: Cursor) -> Cursor:
    """Return the cursor with the exact count. Reads the whole table."""
    [count] = connection.execute(
        "SELECT count(*) FROM embeddings WHERE generation = ?", (cursor.generation,)
    ).fetchone()
    return replace(cursor, count=count)


def trim(connection: sqlite3.Connection, cursor: Cursor, most: int) -> tuple[Cursor, list[int]]:
    """Remove some of the oldest vectors beyond ``most``; what is older is not embedded any more."""
    excess = min(_SLICE, cursor.count - most)
    with unsynced(connection):
        gone = [
            row[0]
            for row in connection.execute(
                "SELECT seq FROM embeddings WHERE generation = ? ORDER BY seq LIMIT ?", (cursor.generation, excess)
            )
        ]
        connection.executemany("DELETE FROM embeddings WHERE seq = ?", [(seq,) for seq in gone])
        cursor = replace(cursor, low=0, count=cursor.count - len(gone))
        _save(connection, cursor)
    return cursor, gone


def clear_stale(connection: sqlite3.Connection, cursor: Cursor) -> Cursor:
    """Remove some rows of earlier generations; ``stale`` says whether more are left."""
    with unsynced(connection):
        gone = connection.execute(
            "DELETE FROM embeddings WHERE seq IN (SELECT seq FROM embeddings WHERE generation <> ? LIMIT ?)",
            (cursor.generation, _SLICE),
        ).rowcount
        cursor = replace(cursor, stale=gone == _SLICE)
        _save(connection, cursor)
    return cursor


def rows(connection: sqlite3.Connection, cursor: Cursor, below: int, limit: int) -> list[tuple[int, int, bytes]]:
    """Return the newest ``limit`` vectors before the place ``below``: seq, namespace, bytes."""
    return connection.execute(
        "SELECT seq, ns, vector FROM embeddings WHERE seq < ? AND generation = ? ORDER BY seq DESC LIMIT ?",
        (below, cursor.generation, limit),
    ).fetchall()


def ranked(
    connection: sqlite3.Connection, seqs: Sequence[int], query: NDArray[Any], floor: float
) -> list[tuple[int, float]]:
    """Return those of ``seqs`` whose cosine to ``query`` is at least ``floor``: seq and cosine, nearest first."""
    import numpy as np

    found: list[tuple[int, bytes]] = []
    for start in range(0, len(seqs), CHUNK):
        part = seqs[start : start + CHUNK]
        marks = ",".join("?" * len(part))
        found += connection.execute(f"SELECT seq, vector FROM embeddings WHERE seq IN ({marks})", part)
    if not found:
        return []
    vectors = matrix([vector for _, vector in found]).astype(np.float32)
    cosines = vectors @ query / np.maximum(np.linalg.norm(vectors, axis=1), 1e-9)
    near = [(seq, float(cosine)) for (seq, _), cosine in zip(found, cosines, strict=True) if cosine >= floor]
    return sorted(near, key=lambda item: (-item[1], -item[0]))


def picked(connection: sqlite3.Connection, seqs: Sequence[int], wanted: ContextFilter, now: float) -> set[int]:
    """Return those of ``seqs`` that are current and match the filter."""
    where, values = conditions(wanted, now)
    more, tags = tag_conditions(wanted.tags)
    if wanted.context_ids:
        where += f" AND c.context_id IN ({','.join('?' * len(wanted.context_ids))})"
        values.extend(wanted.context_ids)
    found: set[int] = set()
    for start in range(0, len(seqs), CHUNK):
        part = seqs[start : start + CHUNK]
        found.update(
            row[0]
            for row in connection.execute(
                "SELECT u.seq FROM updates u CROSS JOIN contexts c"
                " ON c.ns = u.ns AND c.context_id = u.context_id AND c.seq = u.seq"
                f" WHERE u.seq IN ({','.join('?' * len(part))}){where}{more}",
                (*part, *values, *tags),
            )
        )
    return found


def spaces_of(wanted: ContextFilter, known: Mapping[str, int]) -> list[int] | None:
    """Return the embedded namespaces that the filter asks for, None for all of them."""
    spaces = meant(known)
    asked = set(resolve(wanted.namespaces, known))
    return None if asked.issuperset(spaces) else [space for space in spaces if space in asked]


def as_bytes(vectors: NDArray[Any]) -> list[bytes]:
    """Return each vector as signed bytes, scaled to a maximum of 127; empty for a zero vector."""
    import numpy as np

    finite = np.where(np.isfinite(vectors), vectors, 0.0)
    largest = np.abs(finite).max(axis=1, keepdims=True, initial=0.0)
    small = np.rint(finite / np.where(largest > 0, largest, 1.0) * 127).astype(np.int8)
    return [row.tobytes() if row.any() else b"" for row in small]


def matrix(vectors: Sequence[bytes]) -> NDArray[Any]:
    """Return vectors made by ``as_bytes`` as rows."""
    import numpy as np

    return np.frombuffer(b"".join(vectors), np.int8).reshape(len(vectors), -1)


def _last(connection: sqlite3.Connection) -> int:
    last: int = connection.execute("SELECT coalesce(max(seq), 0) FROM updates").fetchone()[0]
    return last


def _save(connection: sqlite3.Connection, cursor: Cursor) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_KEY, json.dumps(asdict(cursor))))
