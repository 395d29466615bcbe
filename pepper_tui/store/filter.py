"""A ``ContextFilter`` as SQL.

Globs are resolved to namespace ids in memory. Each namespace is one range of an index that ends with ``seq``, read
newest (or oldest) first and cut at the limit; the ranges are merged here. So the cost depends on the limit and the
number of namespaces, not on the size of the log.
"""

from __future__ import annotations

import heapq
import json
import math
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from sys import intern
from typing import Any, Final, NamedTuple

from pepper_tui.model import Context, ContextFilter, Moment
from pepper_tui.store.log.content import SELECT, context_of

CHUNK = 400  # variables in one IN list
_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_NO_KEY: Final = "$.?"


class Values(NamedTuple):
    """Of one context: its id, the seq of its current version, and some values of its data.

    The id is interned: who asks for so little keeps it of all contexts, and others keep it, too.
    """

    context_id: str
    seq: int
    values: list[Any]


_LISTS: Final = ("namespaces", "tags", "types", "context_ids")


def as_of(wanted: ContextFilter, now: float) -> ContextFilter:
    """Return ``wanted`` with its times as POSIX seconds, as of ``now``.

    Raises ``TypeError`` for values of the wrong type, ``ValueError`` for a time that can't be parsed.
    """
    for name in _LISTS:
        if isinstance(given := getattr(wanted, name), str):
            raise TypeError(f"{name} must be a list: {name}=[{given!r}]")
    if wanted.limit is not None and (not isinstance(wanted.limit, int) or isinstance(wanted.limit, bool)):
        raise TypeError(f"limit must be a whole number, or None for all, not {wanted.limit!r}")
    if wanted.since is None and wanted.until is None:
        return wanted
    return replace(wanted, since=_seconds("since", wanted.since, now), until=_seconds("until", wanted.until, now))


def _seconds(name: str, moment: Moment | None, now: float) -> float | None:
    if moment is None:
        return None
    if isinstance(moment, timedelta):
        return now - moment.total_seconds()
    if isinstance(moment, datetime):
        return moment.timestamp()
    if isinstance(moment, str):
        if ago := _AGO.fullmatch(moment.strip()):
            return now - float(ago[1]) * _SECONDS[ago[2]]
        try:
            return datetime.fromisoformat(moment.strip()).timestamp()
        except (ValueError, OverflowError) as error:
            raise ValueError(
                f"{name}={moment!r} is no time: write how long ago (30m, 1h, 1d, 2w) or an ISO time"
            ) from error
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        raise TypeError(f"{name} must be POSIX seconds, a datetime, a timedelta or a text, not {moment!r}")
    if math.isnan(moment):
        raise ValueError(f"{name} is not a number")
    return float(moment)


def conditions(wanted: ContextFilter, now: float) -> tuple[str, list[Any]]:
    """Return the filter's conditions on ``contexts c``, each led by AND; not those on namespaces, ids and tags."""
    sql = " AND c.deleted = 0"
    values: list[Any] = []
    if not wanted.include_expired:
        sql += " AND (c.expires_at IS NULL OR c.expires_at > ?)"
        values.append(now)
    if wanted.after_seq:
        sql += " AND c.seq > ?"
        values.append(wanted.after_seq)
    if wanted.types:
        sql += f" AND c.type IN ({_marks(wanted.types)})"
        values.extend(wanted.types)
    if wanted.since is not None:
        sql += " AND c.updated_at >= ?"
        values.append(wanted.since)
    if wanted.until is not None:
        sql += " AND c.updated_at < ?"
        values.append(wanted.until)
    return sql, values


def tag_conditions(tags: Sequence[str]) -> tuple[str, list[Any]]:
    exists = " AND EXISTS (SELECT 1 FROM context_tags x WHERE x.tag = ? AND x.ns = c.ns AND x.seq = c.seq)"
    return exists * len(tags), list(tags)


def select(connection: sqlite3.Connection, wanted: ContextFilter, spaces: Sequence[int], now: float) -> list[Context]:
    """Return the contexts that the filter picks in the namespaces ``spaces`` (ids), in the filter's order."""
    if wanted.limit is not None and wanted.limit <= 0:
        return []
    connection.execute("BEGIN")
    try:
        order = "DESC" if wanted.newest_first else "ASC"
        sql, shared = _range(wanted, now)
        ranges = [
            [row[0] for row in connection.execute(f"SELECT c.seq {sql} ORDER BY {key} {order} LIMIT ?", values)]
            for key, values in _values(wanted, spaces, shared, -1 if wanted.limit is None else wanted.limit)
        ]
        merged = heapq.merge(*ranges, reverse=wanted.newest_first) if len(ranges) > 1 else ranges[0] if ranges else []
        seqs = list(islice(merged, wanted.limit))
        return fetch(connection, seqs)
    finally:
        connection.execute("COMMIT")


def count(connection: sqlite3.Connection, wanted: ContextFilter, spaces: Sequence[int], now: float) -> int:
    """Count the contexts that the filter picks, ignoring its limit."""
    sql, shared = _range(wanted, now)
    return sum(
        connection.execute(f"SELECT count(*) {sql}", values).fetchone()[0]
        for _, values in _values(wanted, spaces, shared, None)
    )


def values(
    connection: sqlite3.Connection, wanted: ContextFilter, spaces: Sequence[int], now: float, keys: Sequence[str]
) -> list[Values]:
    """Return the values under ``keys`` of the contexts that the filter picks, in its order."""
    if wanted.limit is not None and wanted.limit <= 0:
        return []
    # with one path alone the answer would be no list; a list keeps its escapes, so a lone surrogate comes through
    paths = [_NO_KEY, *(f'$."{key}"' for key in keys)] if keys else []
    asked = f"(SELECT json_extract(u.data,{_marks(paths)}) FROM updates u WHERE u.seq = c.seq)" if keys else "NULL"
    order = "DESC" if wanted.newest_first else "ASC"
    sql, shared = _range(wanted, now)
    found: list[Values] = []
    ranges = _values(wanted, spaces, shared, -1 if wanted.limit is None else wanted.limit)
    for key, given in ranges:
        statement = f"SELECT c.context_id, c.seq, {asked} {sql} ORDER BY {key} {order} LIMIT ?"
        rows = connection.execute(statement, [*paths, *given])
        found += [Values(intern(ident), seq, json.loads(said)[1:] if said else []) for ident, seq, said in rows]
    if len(ranges) > 1:
        found.sort(key=lambda each: each.seq, reverse=wanted.newest_first)
    return found[: wanted.limit]


def fetch(connection: sqlite3.Connection, seqs: Sequence[int]) -> list[Context]:
    """Return the contexts at these seqs of the log, in the given order."""
    found: dict[int, Context] = {}
    for start in range(0, len(seqs), CHUNK):
        part = seqs[start : start + CHUNK]
        for row in connection.execute(f"{SELECT} WHERE u.seq IN ({_marks(part)})", part):
            found[row[0]] = context_of(row)
    return [found[seq] for seq in seqs]


def _range(wanted: ContextFilter, now: float) -> tuple[str, list[Any]]:
    """Return FROM and WHERE for one namespace (and one id, if ids are given), and the values that follow those."""
    where, values = conditions(wanted, now)
    if wanted.context_ids:
        more, tags = tag_conditions(wanted.tags)
        return f"FROM contexts c WHERE c.ns = ? AND c.context_id = ?{where}{more}", values + tags
    if wanted.tags:
        more, tags = tag_conditions(wanted.tags[1:])
        after = " AND t.seq > ?" if wanted.after_seq else ""
        joined = "FROM context_tags t CROSS JOIN contexts c ON c.ns = t.ns AND c.seq = t.seq"
        return f"{joined} WHERE t.ns = ? AND t.tag = ?{after}{where}{more}", values + tags
    return f"FROM contexts c INDEXED BY contexts_newest WHERE c.ns = ?{where}", values


def _values(
    wanted: ContextFilter, spaces: Sequence[int], shared: list[Any], limit: int | None
) -> list[tuple[str, list[Any]]]:
    """Return, for each range, the column that orders it, and its values."""
    end = [] if limit is None else [limit]
    if wanted.context_ids:
        ids = dict.fromkeys(wanted.context_ids)
        return [("c.seq", [space, ident, *shared, *end]) for space in spaces for ident in ids]
    if wanted.tags:
        after = [wanted.after_seq] if wanted.after_seq else []
        return [("t.seq", [space, wanted.tags[0], *after, *shared, *end]) for space in spaces]
    return [("c.seq", [space, *shared, *end]) for space in spaces]


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))
