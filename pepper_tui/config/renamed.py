"""Keys of the config that had another name. A config that says an old one still works: the reader puts the new one in
its place before it looks at anything, ``pepper doctor`` and ``pepper config check`` tell of it, and ``pepper config
upgrade`` writes it into the file.

Light: the first frame reads the config through it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Tree = dict[str, Any]
Where = tuple[str | int, ...]
"""A place in a config: names of keys, and numbers of entries."""


@dataclass(frozen=True, slots=True)
class Rename:
    """``old`` is called ``new`` from version ``since`` on. Both are dotted paths; a part ``*`` stands for any name, and
    entries of an array go without a part: ``rule.cron`` is that of each rule."""

    old: str
    new: str
    since: str

    @property
    def parts(self) -> tuple[list[str], list[str], list[str]]:
        """What both paths begin with, and how each goes on."""
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
"""Oldest first. A new one goes to the end; none is ever taken out."""


@dataclass(frozen=True, slots=True)
class OldKey:
    """An old name that a config says: where, and what it is called now."""

    rename: Rename
    old: Where
    new: Where


@dataclass(slots=True)
class Renewed:
    """A config under its new names. ``clashes``: old keys that say what a new one says, too; they were left as they
    are."""

    tree: Tree
    found: list[OldKey] = field(default_factory=list)
    clashes: list[OldKey] = field(default_factory=list)
    _steps: list[dict[Where, Where]] = field(default_factory=list)

    def as_written(self, where: Where) -> Where:
        """Where the file says what the tree says at ``where``."""
        for step in reversed(self._steps):
            for length in range(len(where), 0, -1):
                if where[:length] in step:
                    where = step[where[:length]] + where[length:]
                    break
        return where

    def put(self, holder: Tree, at: Where, rename: Rename) -> None:
        """Do one rename in one table of the tree, where it says the old name."""
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
    """``tree``, as TOML is read, under the new names; it is left as it is itself."""
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
    """Whether something that is no table stands where one is wanted."""
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
    """Remove tables that hold nothing any more, the innermost first."""
    for depth in range(len(parts), 0, -1):
        outer = _table(holder, parts[: depth - 1])
        if outer is None or outer.get(parts[depth - 1]) != {}:
            return
        del outer[parts[depth - 1]]
