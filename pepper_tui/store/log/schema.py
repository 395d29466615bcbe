"""The tables, as migrations in order; ``PRAGMA user_version`` counts the applied ones.

``updates`` is the log: one row per version, content included. ``contexts`` names the current version of each context;
``context_tags`` and ``search`` index only current, undeleted versions (``search`` up to a seq in ``meta``). A completed
delivery has no row.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from pepper_tui.store.errors import StoreError

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE namespaces (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE updates (
        seq INTEGER PRIMARY KEY,
        ns INTEGER NOT NULL,
        context_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        type TEXT NOT NULL,
        data TEXT NOT NULL,
        text TEXT NOT NULL,
        body TEXT,              -- what search indexes where it is not `text`
        tags TEXT NOT NULL,
        metadata TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        expires_at REAL,
        deleted INTEGER NOT NULL,
        previous INTEGER        -- seq of the version before: versions are a chain, which costs stores no index
    );
    CREATE TABLE contexts (
        ns INTEGER NOT NULL,
        context_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        version INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        digest BLOB NOT NULL,
        type TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        expires_at REAL,
        PRIMARY KEY (ns, context_id)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX contexts_newest ON contexts (ns, seq);
    CREATE TABLE context_tags (
        tag TEXT NOT NULL, ns INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (tag, ns, seq)
    ) WITHOUT ROWID;
    CREATE VIRTUAL TABLE search USING fts5 (body, content = '', tokenize = 'unicode61 remove_diacritics 2');
    CREATE TABLE subscriptions (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        namespaces TEXT NOT NULL,
        tags TEXT NOT NULL,
        coded INTEGER NOT NULL, -- has a rank or order function: until it is registered, rank is NULL
        created_at REAL NOT NULL
    );
    CREATE TABLE deliveries (
        subscription INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        rank INTEGER,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        due REAL NOT NULL DEFAULT 0,
        error TEXT NOT NULL DEFAULT '',
        order_key TEXT,
        PRIMARY KEY (subscription, seq)
    ) WITHOUT ROWID;
    CREATE INDEX deliveries_next ON deliveries (subscription, rank, seq) WHERE state <> 'dead';
    CREATE INDEX deliveries_late ON deliveries (subscription, due) WHERE state = 'retrying';
    CREATE INDEX deliveries_key ON deliveries (subscription, order_key, seq)
        WHERE order_key IS NOT NULL AND state <> 'dead';
    CREATE INDEX deliveries_dead ON deliveries (seq) WHERE state = 'dead';
    CREATE TABLE dedupe (
        ns INTEGER NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL, until REAL NOT NULL, PRIMARY KEY (ns, key)
    ) WITHOUT ROWID;
    """,
    # From here on `search` follows the log: its last seq is in `meta`.
    "INSERT INTO meta SELECT 'indexed', coalesce(max(seq), 0) FROM updates",
    "ALTER TABLE contexts DROP COLUMN digest",  # the log itself is compared
    # Vectors for search by meaning, a projection: they are deleted with their updates, and when the text changes.
    """
    CREATE TABLE embeddings (
        seq INTEGER PRIMARY KEY, ns INTEGER NOT NULL, generation INTEGER NOT NULL, vector BLOB NOT NULL
    );
    CREATE TRIGGER embeddings_of_removed AFTER DELETE ON updates BEGIN
        DELETE FROM embeddings WHERE seq = OLD.seq;
    END;
    CREATE TRIGGER embeddings_of_rewritten AFTER UPDATE OF text, body, data ON updates BEGIN
        DELETE FROM embeddings WHERE seq = OLD.seq;
    END;
    """,
)


def schema_of(connection: sqlite3.Connection) -> int:
    """Return how many migrations were applied to the file; 0 if it is empty."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def outdated(connection: sqlite3.Connection) -> bool:
    """Check whether the file holds a store that ``migrate`` will change."""
    return 0 < schema_of(connection) < len(MIGRATIONS)


def newer(version: int) -> StoreError:
    return StoreError(
        f"the store was written by a newer Pepper (schema {version}, this one knows {len(MIGRATIONS)}): "
        "update Pepper, or use another --home"
    )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest schema, each migration in its own transaction.

    Raises ``StoreError`` if the file was written by a newer Pepper.
    """
    version = schema_of(connection)
    if version > len(MIGRATIONS):
        raise newer(version)
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {number};COMMIT;")
