"""Merge several contexts into one: data by a named strategy, texts joined, tags united, sources recorded.

Objects are merged key by key, at any depth; anything that is not an object is a value. Different values under the same
path are a conflict: the strategy decides, and the conflict is recorded. The caller gives the order of the sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from pepper_tui.model import OPEN_TAG, Context, Json
from pepper_tui.store.errors import StoreError


class Merge(StrEnum):
    """Which value wins if the sources differ."""

    FIRST = "first"  # the value of the first source that has one
    LAST = "last"  # the value of the last source
    NEWEST = "newest"  # the value of the source that changed last
    COLLECT = "collect"  # a list of all values, without duplicates; lists are joined
    STRICT = "strict"  # no value: a conflict is an error


@dataclass(frozen=True, slots=True)
class Conflict:
    """Differing sources. ``path``: keys joined by dots; ``values``: pairs of source (``namespace:id``) and value."""

    path: str
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """The context as stored, and where its sources differed."""

    context: Context
    conflicts: list[Conflict]


class ConflictError(StoreError):
    """Raised by the ``strict`` strategy if the sources differ."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        places = "; ".join(f"{c.path} ({', '.join(ref for ref, _ in c.values)})" for c in conflicts)
        super().__init__(f"the sources differ: {places}")
        self.conflicts = list(conflicts)


@dataclass(slots=True)
class Merged:
    """The merged data, before it is stored."""

    data: Json
    conflicts: list[Conflict] = field(default_factory=list)


Held = tuple[Context, Any]
_PATHS: Final = 50  # conflicts listed in the context itself


def merge(sources: Sequence[Context], strategy: Merge) -> Merged:
    """Merge the data of ``sources``. Raises ``ConflictError`` for ``strict``."""
    merged = Merged({})
    merged.data = _objects([(source, source.data) for source in sources], (), strategy, merged.conflicts)
    if merged.conflicts and strategy is Merge.STRICT:
        raise ConflictError(merged.conflicts)
    return merged


def _objects(held: Sequence[Held], path: tuple[str, ...], strategy: Merge, conflicts: list[Conflict]) -> Json:
    keys = dict.fromkeys(key for _, value in held for key in value)
    return {
        key: _one([(source, value[key]) for source, value in held if key in value], (*path, key), strategy, conflicts)
        for key in keys
    }


def _one(held: Sequence[Held], path: tuple[str, ...], strategy: Merge, conflicts: list[Conflict]) -> Any:
    if all(isinstance(value, dict) for _, value in held):
        return _objects(held, path, strategy, conflicts)
    different = _distinct([value for _, value in held])
    if len(different) > 1:
        conflicts.append(Conflict(".".join(path), tuple((_ref(source), value) for source, value in held)))
    return _CHOICES[strategy](held) if len(different) > 1 else different[0]


def _collected(held: Sequence[Held]) -> list[Any]:
    return _distinct([each for _, value in held for each in (value if isinstance(value, list) else [value])])


def _distinct(values: Sequence[Any]) -> list[Any]:
    """Return the values without duplicates, in order. ``1`` and ``true`` are two values, as in JSON."""
    found: list[Any] = []
    for value in values:
        if not any(_same(value, other) for other in found):
            found.append(value)
    return found


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


_CHOICES: Final[dict[Merge, Callable[[Sequence[Held]], Any]]] = {
    Merge.FIRST: lambda held: held[0][1],
    Merge.LAST: lambda held: held[-1][1],
    Merge.NEWEST: lambda held: max(held, key=lambda one: one[0].seq)[1],
    Merge.COLLECT: _collected,
    Merge.STRICT: lambda held: held[0][1],
}


def _ref(context: Context) -> str:
    return f"{context.namespace}:{context.context_id}"


def text_of(sources: Sequence[Context]) -> str:
    """Join the sources' texts, without duplicates, in order."""
    return "\n\n".join(dict.fromkeys(source.text for source in sources if source.text))


def tags_of(sources: Sequence[Context]) -> frozenset[str]:
    """Return the union of all tags, except the "open" tag: who still has to act concerns the source alone."""
    return frozenset().union(*(source.tags for source in sources)) - {OPEN_TAG}


def metadata_of(sources: Sequence[Context], strategy: Merge, conflicts: Sequence[Conflict]) -> Json:
    """Return the provenance of the composed context: tainted unless every source says that it is not."""
    return {
        "composed": {
            "strategy": str(strategy),
            "sources": [{"name": _ref(source), "version": source.version, "seq": source.seq} for source in sources],
            "conflicts": [conflict.path for conflict in conflicts[:_PATHS]],
        },
        "tainted": any(source.metadata.get("tainted", True) is not False for source in sources),
    }


def expiry_of(sources: Sequence[Context]) -> float | None:
    """Return when the first source expires: by default the composed context lives no longer."""
    return min((source.expires_at for source in sources if source.expires_at is not None), default=None)
