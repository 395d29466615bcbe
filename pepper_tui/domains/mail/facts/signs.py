"""Signs that a mail may not be from whom it seems: shown beside it, and never a reason to tell or to hide it.

A sender is compared with the people to whom the user has written, and with VIPs. A list's mail shows no sign: lists
change what they pass on.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

from pepper_tui.domains.mail.content.machines import by_a_machine, is_list
from pepper_tui.domains.mail.facts.authentication import Servers
from pepper_tui.model import ContextFilter, Json, Namespace
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.text.addresses import KnownAddresses, same_look
from pepper_tui.text.organisation import same_organisation

Sign = Literal["alike", "name", "failed", "reply_to", "first"]
_RAW: Final = f"{Namespace.RAW}.mail"
_REMEMBERED: Final = 50_000  # addresses whose first mail is remembered
_MOST: Final = 5_000  # people with whom a sender is compared, the newest


class Signs:
    """Knows the people to whom the user has written, and the user's own mail servers."""

    def __init__(self, servers: Servers, own: Collection[str], vips: Collection[str]) -> None:
        self.servers = servers
        self._own = frozenset(own)
        self._addresses = KnownAddresses([*own, *(vip for vip in vips if not vip.startswith("@"))])
        self._domains = tuple(vip.lower() for vip in vips if vip.startswith("@"))
        self._names: dict[str, tuple[str, set[str]]] = {}
        self._wrote: dict[str, str] = {}  # by address, the first mail from there
        self._seen: dict[str, int] = {Namespace.PEOPLE: 0, Namespace.WRITTEN: 0}

    async def of(self, store: Store, raw: Json) -> dict[Sign, str]:
        """Return the signs of a mail in ``raw.mail``, each in words. ``learn`` first."""
        sender = raw["sender"]
        address, name = str(sender["address"]).lower(), str(sender["name"])
        if not address or address in self._own or is_list(raw) or raw.get("report"):
            return {}
        found: dict[Sign, str] = {}
        known = address in self._addresses or address.endswith(self._domains)
        if not known:
            if other := self._addresses.alike(address):
                found["alike"] = f"{one_line(address, 80)} looks like {one_line(other, 80)}, but is another address"
            whose, theirs = self._names.get(_form(name), ("", set[str]()))
            if whose and address not in theirs:
                found["name"] = f"{one_line(whose, 60)} has written with another address so far"
        if self.servers.authentic(raw) is False:
            found["failed"] = "your mail server says that it is not from there"
        if not by_a_machine(raw) and (elsewhere := _elsewhere(raw, address)):
            found["reply_to"] = f"an answer would go elsewhere, to {one_line(elsewhere, 80)}"
        if not known and await self._is_first(store, raw, address):
            found["first"] = "the first mail from this address"
        return found

    async def learn(self, store: Store) -> None:
        """Read who has been written to since the last time."""
        for namespace, after in self._seen.items():
            page = await store.query(ContextFilter(namespaces=[namespace], after_seq=after, limit=_MOST))
            for person in page:
                self._seen[namespace] = max(self._seen[namespace], person.seq)
                self._addresses.add(person.context_id)
                name = str(person.data.get("name") or "")
                if len(name.split()) > 1:
                    self._names.setdefault(_form(name), (name, set()))[1].add(person.context_id)

    async def _is_first(self, store: Store, raw: Json, address: str) -> bool:
        if self._wrote.get(address, raw["id"]) != raw["id"]:
            return False
        first = await store.query(
            ContextFilter(
                namespaces=[_RAW], tags=[f"sender:{address}"], newest_first=False, limit=1, include_expired=True
            )
        )
        if first:
            if len(self._wrote) >= _REMEMBERED:
                self._wrote.clear()
            self._wrote[address] = first[0].context_id
        return not first or first[0].context_id == raw["id"]


def _elsewhere(raw: Json, address: str) -> str:
    """Return where an answer would go, if that is in another organisation's domain than the sender's."""
    domain = address.rpartition("@")[2]
    for one in raw["reply_to"]:
        other = str(one["address"]).rpartition("@")[2]
        if other and other != domain and not same_organisation(other, domain):
            return str(one["address"])
    return ""


def _form(name: str) -> str:
    return " ".join(same_look(word) for word in name.replace(",", " ").split())
