"""Selects the rows that may be removed: whole contexts past their time, and older versions.

Reads only, one window at a time, so that no single read is long, however large the store is.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pepper_tui.store.log.content import decode
from pepper_tui.store.upkeep.protection import Protection
from pepper_tui.store.upkeep.removal import TRACE, Doomed, How, chain_of, delivering
from pepper_tui.store.upkeep.retention_rules import Rule, Rules

WINDOW: Final = 500  # contexts per window
VERSIONS_WINDOW: Final = 2000  # updates per window, of which only the numbers are read
FRESH: Final = 86_400.0  # seconds for which a replaced version always stays
UNHANDLED: Final = "has a delivery that is not handled yet"

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Want:
    """Which contexts of a namespace to select: last changed, expired or deleted before these times.

    ``orphaned``: the id of a namespace; also those whose partner there, by the same id, is gone or a trace.
    """

    changed: float | None = None
    expired: float | None = None
    deleted: float | None = None
    types: frozenset[str] = frozenset()
    trace: tuple[str, ...] = ()
    ids: frozenset[str] = frozenset()
    orphaned: int | None = None


@dataclass(slots=True)
class Window:
    """The result for one window.

    ``after`` is where the next one begins, None at the end. ``names``: all selected contexts; ``needed``: those that
    must stay, counted by reason.
    """

    doomed: list[Doomed] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    needed: Counter[str] = field(default_factory=Counter)
    after: int | None = None


def contexts(
    connection: sqlite3.Connection, namespace: str, ns: int, want: Want, protection: Protection, after: int = 0
) -> Window:
    """Return the contexts of one window that are selected and may be removed."""
    last, count = connection.execute(
        "SELECT max(seq), count(*) FROM (SELECT seq FROM contexts INDEXED BY contexts_newest WHERE ns = ? AND seq > ?"
        " ORDER BY seq LIMIT ?)",
        (ns, after, WINDOW),
    ).fetchone()
    found = Window(after=last if count == WINDOW else None)
    if last is None:
        return found
    where, values = _conditions(want)
    subscriptions = [row[0] for row in connection.execute("SELECT id FROM subscriptions")]
    for context_id, seq, deleted, data in connection.execute(
        "SELECT c.context_id, c.seq, c.deleted, u.data FROM contexts c INDEXED BY contexts_newest"
        f" JOIN updates u ON u.seq = c.seq WHERE c.ns = ? AND c.seq > ? AND c.seq <= ? AND ({where}) ORDER BY c.seq",
        (ns, after, last, *values),
    ).fetchall():
        if want.ids and context_id not in want.ids:
            continue
        found.names.append((namespace, context_id))
        reason = protection.reason(connection, namespace, context_id, seq, decode(data))
        if reason:
            found.needed[reason] += 1
            continue
        chain = chain_of(connection, ns, context_id)
        seqs = tuple(row[0] for row in chain)
        reason = protection.window(seqs) or (UNHANDLED if delivering(connection, subscriptions, seqs) else "")
        if reason:
            found.needed[reason] += 1
            continue
        traced = bool(want.trace) and not deleted
        found.doomed.append(
            Doomed(
                ns,
                context_id,
                How.TRACE if traced else How.CONTEXT,
                seqs,
                len(chain) - traced,
                sum(row[2] for row in chain),
                want.trace if traced else (),
            )
        )
    return found


def _conditions(want: Want) -> tuple[str, list[Any]]:
    parts: list[str] = ["0"]
    values: list[Any] = []
    if want.deleted is not None:
        parts.append("(c.deleted = 1 AND c.updated_at < ?)")
        values.append(want.deleted)
    if want.expired is not None:
        parts.append(f"(c.expires_at < ? AND c.type <> '{TRACE}')")
        values.append(want.expired)
    if want.changed is not None:
        of = f" AND c.type IN ({','.join('?' * len(want.types))})" if want.types else ""
        parts.append(f"(c.updated_at < ? AND c.type <> '{TRACE}'{of})")
        values += [want.changed, *sorted(want.types)]
    if want.orphaned is not None:
        parts.append(
            "NOT EXISTS (SELECT 1 FROM contexts p WHERE p.ns = ? AND p.context_id = c.context_id AND p.deleted = 0"
            f" AND p.type <> '{TRACE}')"
        )
        values.append(want.orphaned)
    return " OR ".join(parts), values


def begins(connection: sqlite3.Connection, at: float) -> int:
    """Return the first seq stored at ``at`` or later, by binary search; one past the end if there is none."""
    [low], [high] = connection.execute("SELECT min(seq) FROM updates UNION ALL SELECT max(seq) FROM updates").fetchall()
    if high is None:
        return 1
    end: int = high + 1
    low = low or 0
    while low < end:
        middle = (low + end) // 2
        seq, stored = connection.execute(
            "SELECT seq, updated_at FROM updates WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)
        ).fetchone()
        if stored < at:
            low = seq + 1
        else:
            end = middle
    return end


def versions(connection: sqlite3.Connection, spaces: Mapping[int, str], rules: Rules, after: int, now: float) -> Window:
    """Return the older versions beyond their namespace's bound, among contexts changed in one window of the log."""
    before = begins(connection, now - FRESH)
    rows = connection.execute(
        "SELECT seq, ns, context_id, version FROM updates WHERE seq > ? AND seq < ? ORDER BY seq LIMIT ?",
        (after, before, VERSIONS_WINDOW),
    ).fetchall()
    found = Window(after=rows[-1][0] if rows else None)
    bounds: dict[int, int | None] = {}
    changed: dict[tuple[int, str], int] = {}
    for _, ns, context_id, version in rows:
        if ns not in bounds:
            bounds[ns] = rules.of(spaces[ns]).versions if ns in spaces else None
        keep = bounds[ns]
        if keep is not None and version > keep:
            changed[ns, context_id] = keep
    for (ns, context_id), bound in changed.items():
        chain = chain_of(connection, ns, context_id)
        count, kept = 0, bound + _deleted(connection, ns, context_id)
        while len(chain) - count > kept and chain[len(chain) - count - 2][1] < now - FRESH:
            count += 1
        if count:
            found.names.append((spaces[ns], context_id))
            found.doomed.append(Doomed(ns, context_id, How.VERSIONS, tuple(row[0] for row in chain), count))
    return found


def _deleted(connection: sqlite3.Connection, ns: int, context_id: str) -> int:
    """Return 1 for a deleted context: its newest row is no version, and the one before can still be restored."""
    row = connection.execute(
        "SELECT deleted FROM contexts WHERE ns = ? AND context_id = ?", (ns, context_id)
    ).fetchone()
    return int(row[0]) if row else 0


def want_of(rule: Rule, now: float) -> Want:
    """Return what a rule considers past its time at ``now``."""
    return Want(
        changed=None if rule.days is None else now - rule.days * 86_400,
        expired=now - EXPIRED,
        deleted=now - DELETED,
        types=rule.types,
        trace=rule.trace,
    )


EXPIRED: Final = 8 * 86_400.0  # seconds that a context stays after its TTL; `pepper log` and "why?" may show it
DELETED: Final = 30 * 86_400.0  # seconds for which a deletion can be rolled back
