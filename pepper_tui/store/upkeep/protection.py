"""What must not be removed, whatever a rule says: open contexts, and what open contexts still need.

This is a snapshot. The final guard is in ``removal``: it checks again, in the same transaction, whether a context has
changed or has an unhandled delivery.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pepper_tui.model import OPEN_TAG, Effect, Json, Namespace
from pepper_tui.store.log.content import decode

if TYPE_CHECKING:
    from pepper_tui.store.context_store import ContextStore

OUTSIDE: Final = frozenset({Effect.WRITE.value, Effect.SEND.value})
MOST: Final = 50_000  # contexts that are open, or reachable from open ones
STEP: Final = 300  # contexts processed per read
_IDS: Final = {  # keys of `data` that hold ids (one, or a list), and the namespaces of these
    "call": (Namespace.TOOL_CALL, Namespace.TOOL_RESULT),
    "calls": (Namespace.TOOL_CALL, Namespace.TOOL_RESULT),
    "approval": (Namespace.APPROVAL,),
    "edited_into": (Namespace.APPROVAL,),
    "retry_of": (Namespace.APPROVAL,),
    "step": (Namespace.STEP,),
    "message": (Namespace.ASSISTANT_MESSAGE,),
    "log": (Namespace.ASSISTANT_LOG,),
    "notification": (Namespace.NOTIFICATION,),
    "reminders": (Namespace.REMINDER,),
}
_NAMES: Final = ("source", "signal", "signals", "inputs", "raw", "match", "made")  # keys that hold `namespace:id`
_ORIGINS: Final = {"step": Namespace.STEP, "run": Namespace.RUN, "act": Namespace.RULE_ACT}

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Protection:
    """The protected contexts, gathered once for a run over the store."""

    names: frozenset[Name]
    matters: frozenset[str]
    windows: frozenset[int]  # seqs that a dedupe key still returns
    covered: int  # history entries up to this seq are in its summary
    namespaces: Mapping[str, int] = field(default_factory=dict)

    def window(self, seqs: Iterable[int]) -> str:
        """Explain why one of these updates is needed; an empty string if none is."""
        return "would be stored twice if it came again" if self.windows.intersection(seqs) else ""

    def reason(self, connection: sqlite3.Connection, namespace: str, context_id: str, seq: int, data: Json) -> str:
        """Explain why this context, as of ``seq``, is needed; an empty string if it is not."""
        if (namespace, context_id) in self.names:
            return "is open, or something open came of it"
        if namespace == Namespace.HISTORY and seq > self.covered:
            return "is part of the conversation that the model is shown"
        if data.get("matter") and data["matter"] in self.matters:
            return "belongs to a matter that is open"
        if namespace == Namespace.TOOL_CALL and data.get("effect") in OUTSIDE:
            return "is the record of an outside effect"
        if namespace == Namespace.TOOL_RESULT:
            call = _data(connection, self.namespaces.get(Namespace.TOOL_CALL), context_id)
            if call is not None and call.get("effect") in OUTSIDE:
                return "is the record of an outside effect"
        return ""


class Gathering:
    """Finds what to protect at ``now``, in bounded reads.

    Call ``begin``, then ``go_on`` until it returns False, then ``found``.
    """

    def __init__(self, namespaces: Mapping[str, int], now: float) -> None:
        self._namespaces, self._now = namespaces, now
        self._spaces = {ident: name for name, ident in namespaces.items()}
        self._open: list[int] = []
        self._waiting: list[tuple[str, str, Json]] = []
        self._names: set[Name] = set()
        self._matters: set[str] = set()
        self._windows: frozenset[int] = frozenset()
        self._covered = 0

    def begin(self, connection: sqlite3.Connection) -> None:
        self._open = [row[0] for row in connection.execute("SELECT seq FROM context_tags WHERE tag = ?", (OPEN_TAG,))]
        keys = connection.execute("SELECT seq FROM dedupe WHERE until > ?", (self._now,))
        self._windows = frozenset(row[0] for row in keys)
        summary = _data(connection, self._namespaces.get(Namespace.SUMMARY), "current") or {}
        self._covered = int(summary.get("covers_seq", 0))

    def go_on(self, connection: sqlite3.Connection) -> bool:
        """Process some more; return whether there is still more."""
        for _ in range(STEP):
            if self._open:
                self._take_open(connection, self._open.pop())
            elif self._waiting and len(self._names) < MOST:
                self._follow(connection, *self._waiting.pop())
            else:
                return False
        return True

    def _take_open(self, connection: sqlite3.Connection, seq: int) -> None:
        row = connection.execute("SELECT ns, context_id, data FROM updates WHERE seq = ?", (seq,)).fetchone()
        if row is not None:  # otherwise it has changed since, and its current version is new
            name, data = (self._spaces[row[0]], row[1]), decode(row[2])
            self._names.add(name)
            self._matters.add(str(data.get("matter") or ""))
            self._waiting.append((*name, data))

    def _follow(self, connection: sqlite3.Connection, namespace: str, context_id: str, data: Json) -> None:
        for name in _leads_to(namespace, context_id, data):
            if name not in self._names:
                self._names.add(name)
                more = _data(connection, self._namespaces.get(name[0]), name[1])
                if more is not None:
                    self._waiting.append((*name, more))

    def found(self) -> Protection:
        names, matters = frozenset(self._names), frozenset(self._matters - {""})
        return Protection(names, matters, self._windows, self._covered, self._namespaces)


async def gather(store: ContextStore, namespaces: Mapping[str, int], now: float) -> Protection:
    """Return what to protect at ``now``. Raises ``StoreError``."""
    gathering = Gathering(namespaces, now)
    await store.file.read(gathering.begin, 1)
    more = True
    while more:
        more = await store.file.read(gathering.go_on, 1)
    return gathering.found()


def _leads_to(namespace: str, context_id: str, data: Json) -> Iterator[Name]:
    if namespace == Namespace.TOOL_CALL:
        yield Namespace.TOOL_RESULT, context_id
        yield Namespace.RUN, f"run_{context_id}"
    for key, spaces in _IDS.items():
        for value in _texts(data.get(key)):
            for space in spaces:
                yield space, value
    metadata = data.get("metadata")
    for holder in (data, metadata if isinstance(metadata, dict) else {}):
        for key in _NAMES:
            for value in _texts(holder.get(key)):
                space, colon, ident = value.partition(":")
                if colon and ident:
                    yield space, ident
                if key == "raw":
                    yield f"{Namespace.RAW}.{data.get('source', '')}", value
    kind, _, ident = str(data.get("origin") or "").partition(":")
    if kind in _ORIGINS:
        yield _ORIGINS[kind], ident


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        ident = each.get("id") if isinstance(each, dict) else each
        if isinstance(ident, str) and ident:
            yield ident


def _data(connection: sqlite3.Connection, ns: int | None, context_id: str) -> Json | None:
    if ns is None:
        return None
    row = connection.execute(
        "SELECT u.data FROM contexts c JOIN updates u ON u.seq = c.seq WHERE c.ns = ? AND c.context_id = ?",
        (ns, context_id),
    ).fetchone()
    return None if row is None else decode(row[0])
