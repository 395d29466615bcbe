"""Which values the user can trust; all others on a card are marked.

Trusted are those that the user typed, that the config or one of the user's rules contains, or that belong to people the
user has written to. What the user pasted, piped or took from an editor counts as somebody else's unless shown
otherwise. An *atom* is an e-mail address, a URL, a bare host name, or an absolute path. An address to fetch counts only
as a whole and literally: any character that the user did not type could leak something.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pepper_tui.config import Config
from pepper_tui.model import CardLine, ContextFilter, Namespace, Rule, RuleAct, RuleState, ToolCall, UserMessage
from pepper_tui.text import addresses, visible
from pepper_tui.text.web_address import addresses_in, is_in
from pepper_tui.tools.said import MAX_MESSAGES, all_typed, giver_of, said_in_turn

if TYPE_CHECKING:
    from pepper_tui.store import Store

_URL: Final = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>\"]+|\b(?:mailto|tel|javascript|data):[^\s<>\"]+", re.I
)
_HOST: Final = re.compile(r"(?<![\w@.-])(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?::\d+)?(?:/[^\s<>\"]*)?", re.I)
_PATH: Final = re.compile(r"(?<![\w/:.])(?:~|/[\w.-]+)/[\w./-]+")
_EDGE: Final = ".,;:!?)]}'\"*_>"
_PIECE: Final = 16_384  # characters searched in one go
_AT_ONCE: Final = 250  # messages searched before the event loop gets a turn
MAX_PEOPLE: Final = 5000
"""How many people a stranger's address is compared with, newest first."""


def atoms(text: str) -> list[str]:
    """Return the atoms in ``text``: lower case, unique, in order; addresses exactly as mail would be sent to them."""
    found: dict[str, None] = {}
    for piece in _pieces(visible(text).lower()):
        found |= dict.fromkeys(_atoms_of(piece))
    found.pop("", None)
    return list(found)


def _pieces(text: str) -> Iterator[str]:
    """Split ``text`` at white space, so that no search blocks the interpreter for long."""
    at = 0
    while at < len(text):
        end = at + _PIECE
        if end < len(text):
            end = max(text.rfind(" ", at, end), text.rfind("\n", at, end)) + 1 or end
        yield text[at:end]
        at = end


def _atoms_of(rest: str) -> dict[str, None]:
    found: dict[str, None] = {}
    for pattern, needed in ((_URL, ":w"), (addresses.ADDRESS, "@"), (_HOST, "."), (_PATH, "/")):
        if not any(letter in rest for letter in needed):
            continue  # a pattern costs a microsecond per character even without a match
        for match in pattern.finditer(rest):
            is_address = pattern is addresses.ADDRESS
            found[addresses.compared(match[0]) if is_address else match[0].strip(_EDGE).rstrip("/")] = None
        rest = pattern.sub(" ", rest)
    return found


def trusted(text: str) -> set[str]:
    """Return the atoms that a text of the user's makes trusted; of e-mail addresses only those that are meant."""
    meant = (addresses.meant(piece) for piece in _pieces(visible(text).lower()))
    return {atom for atom in atoms(text) if "@" not in atom}.union(*meant)


class Provenance:
    """Marks the lines of a card. Reads the store; writes nothing."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        said = {
            "user": config.user.model_dump(mode="json"),
            "rule": [rule.model_dump(mode="json") for rule in (*config.rule, *config.watch)],
            "templates": config.mail.templates,
            "clock": [entry.model_dump(mode="json") for entry in config.clock],
            "own": config.own_addresses,
            "mcp": [[server.command, *server.args, server.url] for server in config.mcp.values()],
        }
        self._domains = tuple(vip.lower() for vip in config.user.vips if vip.startswith("@"))
        written = json.dumps(said, ensure_ascii=False).replace("\\n", "\n")
        self._configured, self._addresses = trusted(written), set(addresses_in(written))

    async def leave(self, address: str, call: ToolCall) -> str:
        """Return what lets ``call`` reach a canonical web address without a card; empty: nothing.

        The result is stored as ``ToolCall.leave``.

        The config always does. A message of this turn in which the user typed all of the address, or the rule's act
        that the call is made for, does so for one call: with many, data could be spelled out.
        """
        if address in self._addresses:
            return f"config {address}"
        givers: list[UserMessage | RuleAct] = [
            message
            for message in await said_in_turn(self._store, call)
            if any(is_in(address, piece) for piece in message.written.typed())
        ]
        givers += await self._by_rule(address, call)
        if not givers:
            return ""
        since = min(giver.created_at for giver in givers)
        made = await self._store.query(
            ContextFilter(namespaces=[Namespace.TOOL_CALL], types=[call.name], since=since, limit=None)
        )
        used = {earlier.leave for earlier in ToolCall.readable(made) if earlier.id != call.id}
        return next((leave for giver in givers if (leave := f"{giver.id} {address}") not in used), "")

    async def _by_rule(self, address: str, call: ToolCall) -> list[RuleAct]:
        """Return the act of the rule that the call is made for, if the rule's own words contain the address."""
        giver = await giver_of(self._store, call.origin) or call
        kind, _, ident = giver.origin.partition(":")
        act = RuleAct.one(await self._store.get(ident, namespace=Namespace.RULE_ACT)) if kind == "act" else None
        rule = Rule.one(await self._store.get(act.rule, namespace=Namespace.RULE)) if act is not None else None
        if act is None or rule is None or rule.state is RuleState.REMOVED or not is_in(address, rule.ask):
            return []
        return [act]

    async def mark(self, lines: Sequence[CardLine], also: Iterable[str] = (), *, once: bool = False) -> list[CardLine]:
        """Return ``lines`` with ``untrusted`` set; each untrusted part of a longer value gets its own line.

        ``also`` are further texts by the user (the fields of an edit). ``once``: the longer value itself is not marked,
        for cards that say the same thing in several ways.
        """

        def atoms_of_lines() -> list[list[str]]:
            return [[] if line.settled else atoms(line.value) for line in lines]

        long = sum(len(line.value) for line in lines) > _PIECE
        found = await asyncio.to_thread(atoms_of_lines) if long else atoms_of_lines()
        wanted = {atom for each in found for atom in each}
        unknown = await self._unknown(wanted, also) if wanted else set()
        known = await self._known() if any("@" in atom for atom in unknown) else set()
        marked: list[CardLine] = []
        named: dict[str, None] = {}
        for line, here in zip(lines, found, strict=True):
            bad = [atom for atom in here if atom in unknown]
            whole = bad == [addresses.compared(line.value)]
            taken = self._taken_for(bad, known) if bad else ""
            untrusted = line.untrusted or whole or (bool(bad) and not once)
            marked.append(
                dataclasses.replace(
                    line,
                    untrusted=untrusted,
                    warning=(f"looks like {taken}" if taken else line.warning) if untrusted else "",
                    quiet=untrusted and line.quiet and whole and not taken,
                )
            )
            if not whole:
                named.update(dict.fromkeys(bad))
        for atom in named:
            taken = self._taken_for([atom], known)
            warning = f"looks like {taken}" if taken else ""
            marked.append(CardLine("Not from you", atom, untrusted=True, warning=warning))
        return marked

    @staticmethod
    def _taken_for(bad: Iterable[str], known: Collection[str]) -> str:
        """Return which of the ``known`` addresses one of the addresses could be mistaken for."""
        return next((taken for atom in bad if "@" in atom and (taken := addresses.alike(atom, known))), "")

    async def _known(self) -> set[str]:
        """Return the addresses in the config and of everyone the user has written to."""
        found = await self._store.query(ContextFilter(namespaces=[Namespace.PEOPLE], limit=MAX_PEOPLE))
        return {str(one.context_id) for one in found} | {atom for atom in self._configured if "@" in atom}

    def _is_vip(self, address: str) -> bool:
        return addresses.canonical(address) is not None and address.endswith(self._domains)

    async def _unknown(self, wanted: set[str], also: Iterable[str]) -> set[str]:
        unknown = {atom for atom in wanted - self._configured if not ("@" in atom and self._is_vip(atom))}
        for text in also:
            unknown -= {*atoms(text), *trusted(text)}
        for atom in sorted(unknown):
            if "@" in atom and await self._store.get(atom, namespace=Namespace.PEOPLE) is not None:
                unknown.discard(atom)
        if any("@" in atom for atom in unknown):
            for rule in await self._store.query(ContextFilter(namespaces=[Namespace.RULE], limit=MAX_MESSAGES)):
                if rule.data.get("state") != RuleState.REMOVED.value:  # the user has approved each rule
                    unknown -= {str(sender).lower() for sender in rule.data.get("sender", [])}
        if unknown:
            for number, text in enumerate(await all_typed(self._store), 1):
                plain = visible(text).lower()
                if not plain.isascii() or any(atom in plain for atom in unknown):  # parsing a text is slow
                    unknown -= trusted(text)
                if not unknown:
                    break
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
        return unknown
