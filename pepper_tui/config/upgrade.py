"""Writes the new names of renamed keys into the user's config, and the mail of ``[mail]`` as accounts.

Everything else in it stays unchanged.

A file that can't be rewritten without loss is left alone: the new text means exactly the same, or nothing is written.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tomlkit
from tomlkit.container import Container
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, Comment, InlineTable, Item, Key, SingleKey, Table

from pepper_tui.boundary.plain_file import plain_bytes
from pepper_tui.config import CONFIG_FILE, Config, ConfigError, mail_upgrade, old_key_notes, parse_config, place_of
from pepper_tui.home.renamed import RENAMED, Rename

BEFORE_UPGRADE = f"{CONFIG_FILE}.before-upgrade"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A config before and after the upgrade, with a line for each change. ``left`` tells what stays, and why."""

    path: Path
    before: str
    after: str
    notes: list[str]
    left: list[str] = field(default_factory=list)


def upgrade_of(path: Path, renames: Sequence[Rename] = RENAMED) -> Upgrade:
    """Work out the upgrade of the config at ``path``.

    Raises ``FileNotFoundError``, and ``ConfigError`` for a config that can't be used, or must be changed by hand.
    """
    source = plain_bytes(path).decode("utf-8")  # as bytes, to keep the line endings
    config = parse_config(source, path, renames)
    notes = old_key_notes(source, path, renames)
    after = _renamed_keys(source, path, renames, config, notes) if notes else source
    try:
        accounts, after = _with_accounts(after, path)
    except mail_upgrade.NotRewrittenError:
        place = place_of(path, source, "mail")
        left = f"{place} can't be rewritten as accounts without loss; it works as it is (pepper config example)"
        return Upgrade(path, source, after, notes, [left])
    return Upgrade(path, source, after, [*notes, *(f"{place_of(path, source, 'mail')}: {each}" for each in accounts)])


def _with_accounts(source: str, path: Path) -> tuple[list[str], str]:
    """Return the accounts of ``[mail]`` in words, and ``source`` with them. Raises ``NotRewrittenError``."""
    found = mail_upgrade.accounts_in(tomllib.loads(source))
    if not found:
        return [], source
    after = mail_upgrade.rewritten(source)
    try:
        parse_config(after, path)
    except ConfigError as error:
        raise mail_upgrade.NotRewrittenError from error
    sending = ", with how it sends" if "smtp" in found[0] else ""
    words = [f"its {mail_upgrade.WORDS[str(each['id'])]} are an account now: {each['id']}" for each in found]
    return [f"{words[0]}{sending}", *words[1:]], after


def _renamed_keys(source: str, path: Path, renames: Sequence[Rename], config: Config, notes: list[str]) -> str:
    """Return ``source`` under the new names. Raises ``ConfigError`` if it can't be rewritten without loss."""
    after = source
    try:
        for rename in renames:
            after = _rewritten(after, rename)
        same = parse_config(after, path, renames) == config and not old_key_notes(after, path, renames)
    except (_ByHandError, TOMLKitError, ConfigError):
        same = False
    if not same:
        raise ConfigError([*notes, f"{path}: this can't be rewritten without loss; change these lines by hand"])
    return after


def write(upgrade: Upgrade) -> Path:
    """Write the upgraded config, whole or not at all, and return where the previous one is kept.

    A link stays a link: the file it points to is replaced. Raises ``OSError`` with nothing changed.
    """
    kept = upgrade.path.with_name(BEFORE_UPGRADE)
    replace_file(kept, upgrade.before, like=upgrade.path)
    replace_file(upgrade.path.resolve(), upgrade.after, like=upgrade.path)
    return kept


def replace_file(path: Path, text: str, like: Path) -> None:
    """Replace ``path`` with ``text``, keeping the owner and mode of ``like``."""
    status = like.stat()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            with contextlib.suppress(OSError):  # only root may change the owner
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fchmod(file.fileno(), status.st_mode & 0o7777)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _ByHandError(Exception):
    """The file has a form that the rewriting does not cover."""


def _rewritten(source: str, rename: Rename) -> str:
    document = tomlkit.parse(source)
    if document.as_string() != source:  # e.g. scattered arrays of tables, which it would reorder
        raise _ByHandError
    added: list[str] = []
    shared, old, new = rename.parts
    for holder, at in [*_holders(document, shared, [])]:
        for container, number in [*_places(holder, old)]:
            key, item = container.body[number]
            assert key is not None
            if isinstance(item, Table) and not key.is_dotted():
                item.invalidate_display_name()
                item.display_name = ".".join(map(_quoted, [*at, *new]))
            elif old[:-1] == new[:-1]:
                container.body[number] = (_renamed(key, new[-1]), item)
                if isinstance(item, Table | AoT):
                    item.invalidate_display_name()
            else:
                added += _moved(holder, at, container, number, new)
    text = document.as_string()
    return text + "".join(["\n" if text and not text.endswith("\n") else "", *added] if added else [])


def _holders(container: Container, parts: list[str], at: list[str]) -> Iterator[tuple[Container, list[str]]]:
    """Yield the tables at ``parts``, each with its path as in a header."""
    if not parts:
        yield container, at
        return
    for key, item in container.body:
        if key is not None and parts[0] in ("*", key.key):
            for inner in _containers(item):
                yield from _holders(inner, parts[1:], [*at, key.key])


def _places(container: Container, parts: list[str]) -> Iterator[tuple[Container, int]]:
    """Yield each place in a body that sets the key at ``parts``: a table may be given in several pieces."""
    for number, (key, item) in enumerate(container.body):
        if key is not None and key.key == parts[0]:
            if len(parts) == 1:
                yield container, number
            elif isinstance(item, Table | InlineTable):
                yield from _places(item.value, parts[1:])


def _containers(item: Item) -> Iterator[Container]:
    if isinstance(item, Table | InlineTable):
        yield item.value
    elif isinstance(item, AoT):
        yield from (table.value for table in item.body)
    elif isinstance(item, Array):
        yield from (entry.value for entry in item if isinstance(entry, InlineTable))


def _renamed(key: Key, name: str) -> Key:
    if not key.is_dotted():
        said = key.as_string()  # including the space after it
        return SingleKey(name, sep=key.sep, original=_quoted(name) + said[len(said.rstrip()) :])
    first, _ = tomlkit.parse(f"{_quoted(name)}.x = 0").body[0]
    assert first is not None
    return first


def _quoted(name: str) -> str:
    return SingleKey(name).as_string()


def _moved(holder: Container, at: list[str], container: Container, number: int, new: list[str]) -> list[str]:
    """Move a value, with the comments right above it, to another table; return the text to append to the file."""
    key, item = container.body[number]
    if key is None or key.is_dotted() or isinstance(item, Table | AoT):
        raise _ByHandError
    first = number
    while first > 0 and isinstance(container.body[first - 1][1], Comment):
        first -= 1
    if first == 0 and container is holder and not at:  # the comment at the head of the file stays
        first = number
    comments = [*container.body[first:number]]
    del container.body[first : number + 1]
    item.trivia.indent = ""
    item.trivia.trail = item.trivia.trail or "\n"
    moved = [*comments, (_renamed(key, new[-1]), item)]
    tables = [holder]
    for part in new[:-1]:
        inner = [each for table in tables for k, each in table.body if k is not None and k.key == part]
        tables = [each.value for each in inner if isinstance(each, Table) and not each.is_super_table()]
    if tables:
        target = tables[-1].body
        keys = [place for place, (k, each) in enumerate(target) if k is not None and not isinstance(each, Table | AoT)]
        place = keys[-1] + 1 if keys else 0
        if place and not target[place - 1][1].trivia.trail:
            target[place - 1][1].trivia.trail = "\n"
        target[place:place] = moved
        return []
    piece = tomlkit.document()
    for k, each in moved:
        piece.append(k, each)
    return [f"\n[{'.'.join(map(_quoted, [*at, *new[:-1]]))}]\n{piece.as_string()}"]
