"""Finds whom a name means: addresses of people the user has written to, and of senders of received mail.

A name means everybody who writes under it, so a stranger who uses a name makes it ambiguous, but never takes it over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pepper_tui.model import ContextFilter, Namespace
from pepper_tui.rules.pages import Newest
from pepper_tui.store import Store
from pepper_tui.text import one_line

LOOKED: Final = 2000
"""How many of the newest mails are searched for senders."""
_PEOPLE: Final = 5000


@dataclass(slots=True)
class Sender:
    """One address: the last name it used, how many mails it sent, and whether the user has written to it."""

    address: str
    name: str = ""
    mails: int = 0
    written: bool = False

    @property
    def words(self) -> str:
        name = f"{one_line(self.name, 60)} " if self.name else ""
        return f"{name}<{self.address}>" + (", whom you have written to" if self.written else "")


class Senders:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def named(self, name: str) -> list[Sender]:
        """Return everybody whom ``name`` may mean: by display name, a word of it, or the part before the ``@``."""
        wanted = name.casefold().split()
        found: dict[str, Sender] = {}
        people = ContextFilter(namespaces=[Namespace.PEOPLE], limit=_PEOPLE)
        for person in await self._store.query(people):
            shown = str(person.data.get("name", ""))
            if _means(wanted, shown, person.context_id):
                found[person.context_id] = Sender(person.context_id, shown, written=True)
        mails = Newest(self._store, ContextFilter(namespaces=[f"{Namespace.RAW}.mail"]), LOOKED)
        async for mail in mails.each():
            sender = mail.data.get("sender")
            address = str(sender.get("address", "")) if isinstance(sender, dict) else ""
            shown = str(sender.get("name", "")) if isinstance(sender, dict) else ""
            if address and _means(wanted, shown, address):
                one = found.setdefault(address, Sender(address))
                one.name = shown or one.name
                one.mails += 1
        for address in found.keys() - {one.address for one in found.values() if one.written}:
            found[address].written = await self._store.get(address, namespace=Namespace.PEOPLE) is not None
        return sorted(found.values(), key=lambda one: (not one.written, -one.mails, one.address))


def _means(wanted: list[str], shown: str, address: str) -> bool:
    if not wanted:
        return False
    words = shown.casefold().replace(",", " ").split()
    if all(word in words for word in wanted):
        return True
    return " ".join(wanted) in (address.partition("@")[0].casefold(), address.casefold())
