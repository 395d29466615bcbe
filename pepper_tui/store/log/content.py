"""Contexts as rows: how content is encoded, compared and read back.

Text that UTF-8 can't hold (lone surrogates, from broken mail) is replaced in ``text``, ids and tags, and escaped inside
JSON, so that no input can make a write fail.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pepper_tui.model import Context, ContextUpdate, Json

Row = tuple[Any, ...]

SELECT: Final = (
    "SELECT u.seq, n.name, u.context_id, u.version, u.type, u.data, u.text, u.tags, u.metadata,"
    " u.created_at, u.updated_at, u.expires_at, u.deleted FROM updates u JOIN namespaces n ON n.id = u.ns"
)
BODY_CHARS: Final = 250_000  # of `text` that search indexes: all that is read of a mail
_PLAIN: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
_ESCAPED: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), sort_keys=True)
_DECODER: Final = json.JSONDecoder()
DERIVED_CHARS: Final = 4_000  # of the strings in `data`, if there is no text


@dataclass(slots=True)
class Current:
    """Position of a context's newest version; ``created_at`` is that of its present life."""

    seq: int
    version: int
    deleted: bool
    created_at: float
    expires_at: float | None

    def live(self, now: float) -> bool:
        return not self.deleted and (self.expires_at is None or self.expires_at > now)


@dataclass(slots=True)
class Write:
    """One accepted ``store()``.

    Content is encoded at the call, so that later changes to the caller's dict do not count.
    """

    namespace: str
    context_id: str
    data: str
    type: str
    text: str
    tags: tuple[str, ...]
    metadata: str
    at: float
    expires_at: float | None
    dedupe_key: str | None = None
    dedupe_until: float = 0.0
    expect_version: int | None = None

    def context(self, version: int, seq: int, created_at: float) -> Context:
        """Return the context that this write makes, with its own copy of the data."""
        return Context.coded(
            decode,
            self.data,
            self.metadata,
            context_id=self.context_id,
            namespace=self.namespace,
            type=self.type,
            text=self.text,
            tags=frozenset(self.tags),
            version=version,
            seq=seq,
            created_at=created_at,
            updated_at=self.at,
            expires_at=self.expires_at,
        )

    def provisional(self) -> Context:
        """Return the context before its unit assigns a version and a position in the log."""
        return self.context(0, 0, self.at)


def safe(text: str) -> str:
    """Return ``text``, with what UTF-8 can't hold replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def encode(value: Json) -> str:
    """Return ``value`` as JSON with sorted keys. Raises ``TypeError`` for what JSON can't hold."""
    if not value:
        return "{}"
    text = _PLAIN.encode(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ESCAPED.encode(value)
    return text


def decode(text: str) -> Json:
    """Return a fresh value from what ``encode`` wrote."""
    if text == "{}":
        return {}
    value: Json = _DECODER.raw_decode(text)[0]  # no white space to skip: it is our own encoding
    return value


@lru_cache(maxsize=1024)
def encode_tags(tags: tuple[str, ...]) -> str:
    """Return tags as a JSON array; cached, as the same few recur."""
    return json.dumps(tags)


def body(text: str, data: str) -> str | None:
    """Return what search indexes if ``text`` is empty or very long; None means ``text`` itself."""
    if text:
        return None if len(text) <= BODY_CHARS else text[:BODY_CHARS]
    found: list[str] = []
    _strings(json.loads(data), found, DERIVED_CHARS)
    return safe(" ".join(found)[:DERIVED_CHARS])


def _strings(value: Any, found: list[str], room: int) -> int:
    if room <= 0:
        return 0
    if isinstance(value, str):
        found.append(value)
        return room - len(value) - 1
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        room = _strings(item, found, room)
    return room


def context_of(row: Row) -> Context:
    """Return the context in a row of ``SELECT``, with its own data each time: readers never share mutable state.

    It is decoded here, on the reader's thread: many at once would hold the loop that they are read on.
    """
    context = coded_of(row)
    _ = context.data, context.metadata
    return context


def coded_of(row: Row) -> Context:
    """Return the context in a row of ``SELECT``, decoded once it is looked at: of what is delivered, little is."""
    _seq, namespace, context_id, version, kind, data, text, tags, metadata, created, updated, expires, _deleted = row
    return Context.coded(
        decode,
        data,
        metadata,
        context_id=context_id,
        namespace=namespace,
        type=kind,
        text=text,
        tags=frozenset(json.loads(tags)) if len(tags) > 2 else frozenset(),
        version=version,
        seq=row[0],
        created_at=created,
        updated_at=updated,
        expires_at=expires,
    )


def update_of(row: Row) -> ContextUpdate:
    return ContextUpdate(row[0], coded_of(row), bool(row[12]))
