"""Purges content so that its bytes are gone, and gives the file's free pages back.

It is removed from the log, the search index, the write-ahead log and the free pages. Both need exclusive use of the
store, and time: the whole file is rewritten. What is still needed stays, and is counted by reason. Content from a feed
leaves a trace (its id and its file's name), so that it is not read in again.
"""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pepper_tui.model import Namespace
from pepper_tui.store.context_store import ContextStore
from pepper_tui.store.log.plan import Book
from pepper_tui.store.namespaces import matches
from pepper_tui.store.upkeep import picking, protection
from pepper_tui.store.upkeep.removal import Doomed, Removed, portions, remove
from pepper_tui.store.upkeep.retention_rules import TRACE_KEYS, Rules


@dataclass(frozen=True, slots=True)
class Scope:
    """What to purge.

    ``namespaces``: globs, empty for all; ``before``: last changed before this time, None for any; ``names``: only these
    (namespace, id).
    """

    namespaces: tuple[str, ...] = ()
    before: float | None = None
    names: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Survey:
    """What a purge would remove. ``needed``: contexts that stay, by reason. ``missing``: names that do not exist."""

    doomed: list[Doomed] = field(default_factory=list)
    contexts: Counter[str] = field(default_factory=Counter)  # by namespace
    traces: int = 0
    needed: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)


async def survey(store: ContextStore, scope: Scope, kept: Mapping[str, str] = {}) -> Survey:
    """Find what is in scope. ``kept``: more protected patterns, with reasons. Raises ``StoreError``."""
    now, found = store.clock.now(), Survey()
    spaces = await store.file.read(
        lambda c: dict(c.execute("SELECT name, id FROM namespaces ORDER BY id").fetchall()), 1
    )
    needed = await protection.gather(store, spaces, now)
    globs = tuple(space for space, _ in scope.names) or scope.namespaces
    rules = Rules(kept=kept)
    seen: set[tuple[str, str]] = set()
    for namespace, ns in spaces.items():
        if not matches(globs, namespace):
            continue
        ids = frozenset(ident for space, ident in scope.names if space == namespace)
        want = picking.Want(
            changed=math.inf if scope.before is None else scope.before,
            trace=TRACE_KEYS if matches((f"{Namespace.RAW}.*",), namespace) else (),
            ids=ids,
        )
        stays = rules.kept(namespace)
        after: int | None = 0
        while after is not None:
            look = partial(picking.contexts, namespace=namespace, ns=ns, want=want, protection=needed, after=after)
            window = await store.file.read(look, 1)
            after = window.after
            seen.update(window.names)
            if stays:
                found.needed[f"of {namespace}: {stays}"] += len(window.names)
                continue
            found.doomed += window.doomed
            found.contexts[namespace] += len(window.doomed)
            found.traces += sum(bool(each.keys) for each in window.doomed)
            found.needed.update(window.needed)
    for namespace, ns in spaces.items():
        for follower in rules.followers(namespace):
            await _take_along(store, follower, spaces, [each for each in found.doomed if each.ns == ns], needed, found)
    found.missing = [f"{space}:{ident}" for space, ident in scope.names if (space, ident) not in seen]
    return found


async def _take_along(
    store: ContextStore,
    namespace: str,
    spaces: Mapping[str, int],
    doomed: Sequence[Doomed],
    needed: protection.Protection,
    found: Survey,
) -> None:
    """Add the contexts of ``namespace`` that go with those in ``doomed``, and were not found themselves."""
    known = {each.context_id for each in found.doomed if each.ns == spaces.get(namespace)}
    ids = frozenset(each.context_id for each in doomed) - known
    after: int | None = 0 if ids and namespace in spaces else None
    while after is not None:
        look = partial(
            picking.contexts,
            namespace=namespace,
            ns=spaces[namespace],
            want=picking.Want(changed=math.inf, ids=ids),
            protection=needed,
            after=after,
        )
        window = await store.file.read(look, 1)
        after = window.after
        found.doomed += window.doomed
        found.contexts[namespace] += len(window.doomed)


async def purge(store: ContextStore, found: Survey) -> Removed:
    """Remove what a survey has found, and rewrite the file.

    Raises ``StoreError``; whatever was removed by then is gone from the log, and the next purge or vacuum clears its
    bytes.
    """
    now, done = store.clock.now(), Removed()
    await store.file.maintain(lambda connection, _: connection.execute("PRAGMA secure_delete = ON"))
    for portion in portions(found.doomed):
        done.add(await store.file.maintain(partial(remove, portion=portion, now=now)))
    await vacuum(store)
    return done


async def vacuum(store: ContextStore) -> tuple[int, int]:
    """Rewrite the file without its free pages; return its bytes before and after. Raises ``StoreError``."""
    return await store.file.maintain(_vacuum)


def _vacuum(connection: sqlite3.Connection, book: Book) -> tuple[int, int]:
    del book
    before = _bytes(connection)
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = FILE")  # a large store would not fit in memory
    try:
        connection.execute("INSERT INTO search (search) VALUES ('optimize')")  # clears deleted text from its segments
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA secure_delete = OFF")
    return before, _bytes(connection)


def _bytes(connection: sqlite3.Connection) -> int:
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    size: int = connection.execute("PRAGMA page_size").fetchone()[0]
    return pages * size
