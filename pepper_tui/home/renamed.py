"""Config keys that have been renamed.

A config with an old name still works: the reader moves it to the new name first, ``pepper doctor`` and ``pepper config
check`` report it, and ``pepper config upgrade`` rewrites the file.

Imports little: the first frame reads the config through it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Tree = dict[str, Any]
Where = tuple[str | int, ...]
"""A path in a config: names of keys, and numbers of entries."""


@dataclass(frozen=True, slots=True)
class Rename:
    """``old`` is called ``new`` since version ``since``.

    Both are dotted paths. A part ``*`` stands for any name; array entries have no part of their own: ``rule.cron``
    means that of each rule.
    """

    old: str
    new: str
    since: str

    @property
    def parts(self) -> tuple[list[str], list[str], list[str]]:
        """Return what both paths start with, and the rest of each."""
        old, new = self.old.split("."), self.new.split(".")
        shared = 0
        while shared < min(len(old), len(new)) - 1 and old[shared] == new[shared]:
            shared += 1
        return old[:shared], old[shared:], new[shared:]


RENAMED: Final[tuple[Rename, ...]] = (
    Rename("follow", "conversation", "0.1.0"),
    Rename("models.first_token_timeout", "models.first_byte_timeout", "0.1.0"),
    Rename("models.timeout", "models.idle_timeout", "0.1.0"),
)
"""Oldest first. Append new ones; never remove any."""


@dataclass(frozen=True, slots=True)
class OldKey:
    """An old name found in a config: where it is, and its new place."""

    rename: Rename
    old: Where
    new: Where


@dataclass(slots=True)
class Renewed:
    """A config under its new names. ``clashes``: old keys left as they are, because the new key is set as well."""

    tree: Tree
    found: list[OldKey] = field(default_factory=list)
    clashes: list[OldKey] = field(default_factory=list)
    _steps: list[dict[Where, Where]] = field(default_factory=list)

    def as_written(self, where: Where) -> Where:
        """Return where the file has the value that the tree has at ``where``."""
        for step in reversed(self._steps):
            for length in range(len(where), 0, -1):
                if where[:length] in step:
                    where = step[where[:length]] + where[length:]
                    break
        return where

    def put(self, holder: Tree, at: Where, rename: Rename) -> None:
        """Apply one rename in one table of the tree, if it uses the old name."""
        _, old, new = rename.parts
        source, target = _table(holder, old[:-1]), _table(holder, new[:-1])
        if source is None or old[-1] not in source:
            return
        said, before = source[old[-1]], target.get(new[-1]) if target is not None else None
        one = OldKey(rename, (*at, *old), (*at, *new))
        joined = before is not None and _is_tables(said) and _is_tables(before)
        if _blocked(holder, new[:-1]) or (before is not None and not joined):
            self.clashes.append(one)
            return
        first = joined and source is target and list(source).index(old[-1]) < list(source).index(new[-1])
        kept = before if joined and before else []
        step = {one.new: one.old} if not joined else {}
        if _is_tables(said):
            shift, moved = (len(said), 0) if first else (0, len(kept))
            step |= {(*one.new, shift + number): (*one.new, number) for number in range(len(kept))}
            step |= {(*one.new, moved + number): (*one.old, number) for number in range(len(said))}
        del source[old[-1]]
        _prune(holder, old[:-1])
        _made(holder, new[:-1])[new[-1]] = ([*said, *kept] if first else [*kept, *said]) if joined else said
        self._steps.append(step)
        self.found.append(one)


def renewed(tree: Tree, renames: Sequence[Rename] = RENAMED) -> Renewed:
    """Return a copy of ``tree``, as parsed from TOML, under the new names."""
    done = Renewed(copy.deepcopy(tree))
    for rename in renames:
        for holder, at in [*_holders(done.tree, rename.parts[0], ())]:
            done.put(holder, at, rename)
    return done


def _holders(value: Any, parts: list[str], at: Where) -> Iterator[tuple[Tree, Where]]:
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _holders(entry, parts, (*at, number))
    elif isinstance(value, dict):
        if not parts:
            yield value, at
        for name in (value if parts[0] == "*" else parts[:1]) if parts else ():
            if name in value:
                yield from _holders(value[name], parts[1:], (*at, name))


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _table(holder: Tree, parts: list[str]) -> Tree | None:
    for part in parts:
        inner = holder.get(part)
        if not isinstance(inner, dict):
            return None
        holder = inner
    return holder


def _blocked(holder: Tree, parts: list[str]) -> bool:
    """Check whether a value that is not a table stands where a table is needed."""
    for part in parts:
        inner = holder.get(part, {})
        if not isinstance(inner, dict):
            return True
        holder = inner
    return False


def _made(holder: Tree, parts: list[str]) -> Tree:
    for part in parts:
        holder = holder.setdefault(part, {})
    return holder


def _prune(holder: Tree, parts: list[str]) -> None:
    """Remove empty tables, the innermost first."""
    for depth in range(len(parts), 0, -1):
        outer = _table(holder, parts[: depth - 1])
        if outer is None or outer.get(parts[depth - 1]) != {}:
            return
        del outer[parts[depth - 1]]
