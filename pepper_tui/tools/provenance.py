"""Which values a person may trust: those that the user typed, that the config or a rule of the user's holds, or that
belong to people the user has written to. Everything else on a card is marked.

An *atom* is an e-mail address, a URL, a bare host name, or an absolute path. An address to be fetched counts only as a
whole and to the letter: any character of it that the user did not type could carry something out.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from pepper_tui.config import Config
from pepper_tui.model import CardLine, ContextFilter, Namespace, RuleState
from pepper_tui.text import clean
from pepper_tui.tools.web_address import addresses_in, is_in

if TYPE_CHECKING:
    from pepper_tui.store import ContextStore

_ADDRESS: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
_URL: Final = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>\"]+|\b(?:mailto|tel|javascript|data):[^\s<>\"]+", re.I
)
_HOST: Final = re.compile(r"(?<![\w@.-])(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?::\d+)?(?:/[^\s<>\"]*)?", re.I)
_PATH: Final = re.compile(r"(?<![\w/:.])(?:~|/[\w.-]+)/[\w./-]+")
_EDGE: Final = ".,;:!?)]}'\"*_>"
_AT_ONCE: Final = 250  # messages looked through before others get their turn
MAX_MESSAGES: Final = 5000
"""User messages looked at, newest first."""


def atoms(text: str) -> list[str]:
    """The atoms in ``text``, lower case, each once, in order."""
    found: dict[str, None] = {}
    rest = clean(text).lower()
    for pattern in (_URL, _ADDRESS, _HOST, _PATH):
        for match in pattern.finditer(rest):
            found[match[0].strip(_EDGE).rstrip("/")] = None
        rest = pattern.sub(" ", rest)
    found.pop("", None)
    return list(found)


class Provenance:
    """Marks the lines of a card. Reads the store; writes nothing."""

    def __init__(self, store: ContextStore, config: Config) -> None:
        self._store = store
        said = {
            "user": config.user.model_dump(mode="json"),
            "rule": [rule.model_dump(mode="json") for rule in (*config.rule, *config.watch)],
            "templates": config.mail.templates,
            "clock": [entry.model_dump(mode="json") for entry in config.clock],
            "sender": config.sender_address,
            "mcp": [[server.command, *server.args, server.url] for server in config.mcp.values()],
        }
        self._domains = tuple(vip.lower() for vip in config.user.vips if vip.startswith("@"))
        written = json.dumps(said, ensure_ascii=False).replace("\\n", "\n")
        self._configured, self._addresses = set(atoms(written)), set(addresses_in(written))

    async def typed(self, address: str) -> bool:
        """Whether the user typed all of a canonical web address, or the config holds it."""
        if address in self._addresses:
            return True
        return any(is_in(address, text) for text in await self._messages())

    async def mark(self, lines: Sequence[CardLine], also: Iterable[str] = (), *, once: bool = False) -> list[CardLine]:
        """``lines`` with ``untrusted`` set as it is; each untrusted part of a longer value gets a line of its own.

        ``also`` are further texts of the user's (the fields of an edit). ``once``: the longer value itself is not
        marked, where a card says the same thing in several ways.
        """
        wanted = {atom for line in lines if not line.settled for atom in atoms(line.value)}
        unknown = await self._unknown(wanted, also) if wanted else set()
        marked: list[CardLine] = []
        named: dict[str, None] = {}
        for line in lines:
            bad = [atom for atom in atoms(line.value) if atom in unknown and not line.settled]
            whole = bad == [line.value.strip().lower()]
            marked.append(dataclasses.replace(line, untrusted=line.untrusted or whole or (bool(bad) and not once)))
            if not whole:
                named.update(dict.fromkeys(bad))
        return marked + [CardLine("Not from you", atom, untrusted=True) for atom in named]

    def _is_vip(self, address: str) -> bool:
        return bool(_ADDRESS.fullmatch(address)) and address.endswith(self._domains)

    async def _unknown(self, wanted: set[str], also: Iterable[str]) -> set[str]:
        unknown = {atom for atom in wanted - self._configured if not ("@" in atom and self._is_vip(atom))}
        for text in also:
            unknown -= set(atoms(text))
        for atom in sorted(unknown):
            if "@" in atom and await self._store.get(atom, namespace=Namespace.PEOPLE) is not None:
                unknown.discard(atom)
        if any("@" in atom for atom in unknown):
            for rule in await self._store.query(ContextFilter(namespaces=[Namespace.RULE], limit=MAX_MESSAGES)):
                if rule.data.get("state") != RuleState.REMOVED.value:  # the user has said yes to each
                    unknown -= {str(sender).lower() for sender in rule.data.get("sender", [])}
        if unknown:
            for number, text in enumerate(await self._messages(), 1):
                plain = clean(text).lower()
                if any(atom in plain for atom in unknown):  # to take a text apart is slow
                    unknown -= set(atoms(text))
                if not unknown:
                    break
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
        return unknown

    async def _messages(self) -> list[str]:
        found = await self._store.query(ContextFilter(namespaces=[Namespace.USER_MESSAGE], limit=MAX_MESSAGES))
        return [str(message.data.get("text", "")) for message in found]
