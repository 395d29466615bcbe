"""Addresses completed while they are typed, from the people that the user has written to, the latest first.

Nobody else is offered: an address from a stranger's mail, which may look like a friend's, never completes itself.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from textual.suggester import Suggester

from pepper_tui.engine.protocol import Engine
from pepper_tui.model import Context, ContextFilter, Namespace
from pepper_tui.text import one_line

MOST: Final = 5_000
"""People that are looked through."""
_BEGUN: Final = 2
"""Characters from which a name or an address is completed."""
_PLAIN_NAME: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['’ .-])*")
"""Names that need no quotes before an address, and can't be taken for one."""

Person = tuple[str, str]
"""Address and name."""


async def people_written_to(engine: Engine) -> list[Person]:
    """Return whom the user has written to, the latest first."""
    wanted = ContextFilter(namespaces=[Namespace.PEOPLE, Namespace.WRITTEN], limit=MOST)
    return list(_people(await engine.recall(wanted)))


def _people(found: Iterable[Context]) -> Iterable[Person]:
    names: dict[str, str] = {}
    for each in found:
        address = str(each.data.get("address") or each.context_id)
        name = one_line(str(each.data.get("name") or ""), 60)
        names[address] = names.get(address) or (name if _PLAIN_NAME.fullmatch(name) else "")
    return names.items()


def completed(typed: str, people: Sequence[Person]) -> str | None:
    """Return ``typed``, one or more recipients, with the last one completed; ``None`` if nobody begins so."""
    before, _, last = typed.rpartition(",")
    begun = last.lstrip().lower()
    if len(begun) < _BEGUN:
        return None
    others = [(address, name) for address, name in people if address.lower() not in before.lower()]
    for address, _ in others:
        if address.lower().startswith(begun) and len(address) > len(begun):
            return f"{typed}{address[len(begun) :]}"
    for address, name in others:
        if name.lower().startswith(begun):
            return f"{typed}{name[len(begun) :]} <{address}>"
    return None


class AddressCompletion(Suggester):
    """Completes a field of recipients; ``people`` are asked for at the first letter."""

    def __init__(self, people: Callable[[], Awaitable[Sequence[Person]]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._ask = people
        self._people: Sequence[Person] | None = None

    async def get_suggestion(self, value: str) -> str | None:
        if self._people is None:
            self._people = await self._ask()
        return completed(value, self._people)
