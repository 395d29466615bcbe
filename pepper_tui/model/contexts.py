"""Contexts, their updates, and query filters: the shape of everything that the store keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

Json = dict[str, Any]
Moment = float | str | datetime | timedelta
"""POSIX seconds, a ``datetime``, an ISO text, or how long ago: a ``timedelta``, or a text such as ``30m`` or ``1d``."""


class _Coded:
    """What a context holds while its data is still the text of the log: most are passed on, and never looked into."""

    __slots__ = ("_decode", "_texts")

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name not in ("data", "metadata"):  # every other slot is filled from the start
                raise AttributeError(name)
            data, metadata = self._texts
            text = data if name == "data" else metadata
            if text is None:  # another thread has decoded it at this moment
                return object.__getattribute__(self, name)
            value = self._decode(text)
            object.__setattr__(self, name, value)
            # it is not kept in both forms
            object.__setattr__(self, "_texts", (None, metadata) if name == "data" else (data, None))
            return value


@dataclass(frozen=True, slots=True)
class Context(_Coded):
    """One thing that happened or is known, as it stands at one version.

    ``(namespace, context_id)`` names it; ``version`` starts at 1 and grows with each change of content; ``seq`` is
    the log position of this version. Times are POSIX seconds.
    """

    context_id: str
    namespace: str
    data: Json
    type: str = ""
    text: str = ""
    tags: frozenset[str] = frozenset()
    metadata: Json = field(default_factory=dict)
    version: int = 1
    seq: int = 0
    created_at: float = 0.0
    updated_at: float = 0.0
    expires_at: float | None = None

    @property
    def id(self) -> str:
        """``context_id``."""
        return self.context_id

    @classmethod
    def coded(cls, decode: Callable[[str], Json], data: str, metadata: str, **rest: Any) -> Context:
        """Return a context whose ``data`` and ``metadata`` are decoded, each a fresh value, when they are looked at."""
        made = cls.__new__(cls)
        put = object.__setattr__
        put(made, "_decode", decode)
        put(made, "_texts", (data, metadata))
        for name, value in rest.items():
            put(made, name, value)
        return made


@dataclass(frozen=True, slots=True)
class ContextUpdate:
    """One entry of the log: ``context`` as stored, or its last version if it was deleted."""

    seq: int
    context: Context
    deleted: bool = False

    @property
    def namespace(self) -> str:
        """The namespace of the context."""
        return self.context.namespace

    @property
    def operation(self) -> Literal["create", "update", "delete"]:
        """What was done to the context."""
        return "delete" if self.deleted else "create" if self.context.version == 1 else "update"


@dataclass(frozen=True, slots=True)
class ContextFilter:
    """Which contexts to return. Empty fields do not restrict.

    ``namespaces`` are dotted globs: ``signals.*`` matches every namespace below ``signals`` at any depth, ``*``
    alone matches all. ``tags`` must all be present; ``types`` match any. ``since`` and ``until`` bound
    ``updated_at`` (inclusive, exclusive); how long ago is counted from the store's clock at the query. ``after_seq``
    keeps only later log positions. ``limit`` None returns all.
    """

    namespaces: Sequence[str] = ()
    tags: Sequence[str] = ()
    types: Sequence[str] = ()
    context_ids: Sequence[str] = ()
    since: Moment | None = None
    until: Moment | None = None
    after_seq: int = 0
    newest_first: bool = True
    limit: int | None = 100
    include_expired: bool = False
