"""Writes what ``[mail]`` says of an account (its folders, and how it sends) as ``[[account]]`` tables, comments kept.

The account of its Maildirs is ``mail``, that of its mbox files ``mbox``: the names under which the store knows what
came by them, so that nothing is taken in anew. What is no account's stays in ``[mail]``, which goes on working.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, Comment, Item, Key

from pepper_tui.config.headers import headers
from pepper_tui.config.identities import identities_said
from pepper_tui.config.sources import SECTION_IDS

Tree = dict[str, Any]
_PATHS: Final = {"maildir": "mail", "mbox": "mbox"}
"""The keys that name folders and files, each with the id of its account."""
WORDS: Final = {"mail": "Maildirs", "mbox": "mbox files"}
_EACH: Final = ("scan_interval", "max_bytes")
"""Keys that both accounts have."""
_FOLDERS: Final = ("archive", "trash", "junk", "drafts")
_WRITING: Final = ("address", "identities", "signature", "smtp")
"""Keys about writing: without ``smtp`` the account can't send, and they stay what they are, addresses of the user's."""


class NotRewrittenError(Exception):
    """The file has a form that the rewriting does not cover."""


def accounts_in(tree: Tree) -> list[Tree]:
    """Return the accounts that ``[mail]`` comes to, in order: none if it names no folders and files."""
    mail = tree.get("mail")
    found: list[Tree] = []
    for key, ident in _PATHS.items():
        if isinstance(mail, dict) and mail.get(key):
            account = {"id": ident, "kind": SECTION_IDS[ident], "paths": mail[key]}
            account |= {each: mail[each] for each in _EACH if each in mail}
            if key == "maildir":
                account |= {each: mail[each] for each in _FOLDERS if each in mail}
            if not found and "smtp" in mail:
                account |= _writing(tree, mail)
            found.append(copy.deepcopy(account))
    return found


def upgraded(tree: Tree) -> Tree:
    """Return ``tree``, as parsed from TOML, with the accounts of ``[mail]`` as such, before all others."""
    if not (found := accounts_in(tree)):
        return tree
    left = {key: value for key, value in tree["mail"].items() if key not in _moved(found)}
    rest = {key: value for key, value in tree.items() if key not in ("mail", "account")}
    return {**rest, **({"mail": left} if left else {}), "account": [*found, *tree.get("account", [])]}


def rewritten(source: str) -> str:
    """Return ``source`` with the accounts of ``[mail]`` as tables. Raises ``NotRewrittenError``."""
    tree = tomllib.loads(source)
    found = accounts_in(tree)
    if not found:
        return source
    try:
        after = _text(source, found)
        same = tomllib.loads(after) == upgraded(tree)
    except (TOMLKitError, tomllib.TOMLDecodeError, IndexError) as error:
        raise NotRewrittenError from error
    if not same:
        raise NotRewrittenError
    return after


def _writing(tree: Tree, mail: Tree) -> Tree:
    """Return the keys about writing, with the addresses that ``[mail]`` has only of ``[user]``."""
    said: Tree = {key: mail[key] for key in ("signature", "smtp") if key in mail}
    user = tree.get("user", {}).get("addresses") or []
    own = [user] if isinstance(user, str) else list(user)
    address = mail.get("address") or next(iter(own), "")
    identities = mail.get("identities", [])
    identities = identities if isinstance(identities, list) else [identities]
    held = {each.address.lower() for each in identities_said([address, *identities])}
    for account in tree.get("account", []):
        held |= {
            each.address.lower() for key in ("address", "identities") for each in identities_said(account.get(key))
        }
    more = [each for each in dict.fromkeys(own) if each.lower() not in held]
    said |= {"identities": [*identities, *more]} if identities or more else {}
    return {"address": address, **said}


def _moved(accounts: list[Tree]) -> frozenset[str]:
    """Return the keys of ``[mail]`` that its accounts have taken over."""
    keys = {key for account in accounts for key in account}
    paths = {key for key, ident in _PATHS.items() if ident in {account["id"] for account in accounts}}
    return frozenset({key for key in (*_EACH, *_FOLDERS, *_WRITING) if key in keys} | paths)


@dataclass(slots=True)
class _Table:
    """The text of one table: the comments right above its header, the header, and all up to the next one."""

    name: str
    above: str
    header: str
    body: str

    @property
    def text(self) -> str:
        return f"{self.above}{self.header}{self.body}"


def _tables(source: str) -> Iterator[_Table]:
    """Yield the pieces of a file: first what stands before all tables."""
    lines = source.splitlines(keepends=True)
    found = headers(lines)
    firsts = []
    for at, _ in found:
        first = at
        while first > 0 and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        firsts.append(first)
    ends = [*firsts, len(lines)]
    yield _Table("", "", "", "".join(lines[: ends[0]]))
    for place, (at, header) in enumerate(found):
        name = re.sub(r"[\[\]\"']", "", header)
        yield _Table(name, "".join(lines[firsts[place] : at]), lines[at], "".join(lines[at + 1 : ends[place + 1]]))


def _text(source: str, accounts: list[Tree]) -> str:
    tables, end = [*_tables(source)], "\r\n" if "\r\n" in source else "\n"
    names = [table.name for table in tables]
    if names.count("mail") != 1:
        raise NotRewrittenError
    mail, moved = tables[names.index("mail")], _moved(accounts)
    left, taken = _parted(mail.body, moved)
    sending = [table for table in tables if table.name == "mail.smtp" and "smtp" in moved]
    inner = [table for table in tables if table.name.startswith("mail.") and table not in sending]
    head, rest = f"[[account]]{end}", ""
    stays = bool(tomllib.loads(left) or (inner and left.strip()))
    if not stays:  # its comments go along
        head, rest = f"{mail.above}{mail.header.replace('[mail]', '[[account]]', 1)}", left
    new = [f"{head}{_keys(accounts[0], taken, end)}", rest]
    new += [f"{table.above}{table.header.replace('mail', 'account', 1)}{table.body}" for table in sending]
    new += [f"[[account]]{end}{_keys(account, taken, end)}" for account in accounts[1:]]
    last = max([tables.index(mail), *(tables.index(table) for table in inner)])
    place = next((number for number, name in enumerate(names) if name == "account"), last + 1)
    mail.body = left
    kept = [table.text if stays or table is not mail else "" for table in tables if table not in sending]
    place -= sum(tables.index(table) < place for table in sending)
    around = ["".join(part) for part in (kept[:place], kept[place:])]
    return (end * 2).join(each.strip("\r\n") for each in (around[0], *new, around[1]) if each.strip()) + end


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key with its value, and the comments right above it."""

    above: str
    key: Key
    item: Item

    def text(self, name: str, value: Any, end: str) -> str:
        """Return it under its new name; ``value`` may have more entries than it had."""
        item, said = self.item, self.key.as_string()
        if isinstance(item, Array) and isinstance(value, list):
            for each in value[len(item) :]:
                item.append(each)
        elif item.unwrap() != value:
            item = tomlkit.item(value)
        space = said[len(said.rstrip()) :]
        trivia = self.item.trivia
        line = f"{name}{space}{self.key.sep}{item.as_string()}{trivia.comment_ws}{trivia.comment}{trivia.trail or end}"
        return f"{self.above}{line}"


def _parted(body: str, moved: Collection[str]) -> tuple[str, dict[str, _Entry]]:
    """Return the text of what stays in ``[mail]``, and what moves, by key."""
    document = tomlkit.parse(body)
    taken: dict[str, _Entry] = {}
    for number in range(len(document.body) - 1, -1, -1):
        key, item = document.body[number]
        if key is None or key.key not in moved:
            continue
        if key.is_dotted():
            raise NotRewrittenError
        first = number
        while first > 0 and isinstance(document.body[first - 1][1], Comment):
            first -= 1
        above = "".join(each.as_string() for _, each in document.body[first:number])
        taken[key.key] = _Entry(above, key, item)
        del document.body[first : number + 1]
    return document.as_string(), dict(reversed(taken.items()))


def _keys(account: Tree, taken: dict[str, _Entry], end: str) -> str:
    """Return the keys of an account, as they stood in ``[mail]`` where they did; ``smtp`` may be a table of its own."""
    lines = [f'id = "{account["id"]}"{end}', f'kind = "{account["kind"]}"{end}']
    paths = next((key for key, ident in _PATHS.items() if ident == account["id"]), "")
    stood = {"paths" if key == paths else key: entry for key, entry in taken.items()}
    for key in dict.fromkeys(["paths", *(["address"] if "address" in account else []), *stood, *account]):
        if key not in account or key in ("id", "kind"):
            continue
        if (entry := stood.get(key)) is not None:
            lines.append(entry.text(key, account[key], end))
        elif key != "smtp":
            lines.append(f"{key} = {tomlkit.item(account[key]).as_string()}{end}")
    return "".join(lines)
