"""The port through which others' free/busy is asked for: accounts whose servers may know it.

A server that does not answer for somebody knows nothing of them, which never counts as free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pepper_tui.domains.calendar.free_time import Span
from pepper_tui.tools.errors import ToolError


@dataclass(frozen=True, slots=True)
class Busy:
    """When one person is taken. ``spans`` is None where nobody can tell; ``why`` says it then.

    ``account`` is the one that has told.
    """

    spans: Sequence[Span] | None = None
    why: str = ""
    account: str = ""


class FreeBusy(Protocol):
    """One account of the user's."""

    @property
    def account(self) -> str:
        """Its id."""
        ...

    async def taken(self, addresses: Sequence[str], start: float, end: float, /) -> Mapping[str, Busy]:
        """Return when each of ``addresses`` is taken in ``[start, end)``, POSIX seconds.

        Raises ``ToolError`` in words if the server can't be asked.
        """
        ...


async def busy_of(servers: Sequence[FreeBusy], addresses: Sequence[str], start: float, end: float) -> dict[str, Busy]:
    """Return what is known of each of ``addresses``. Another server is asked only about whom the ones before can't."""
    found: dict[str, Busy] = {}
    for server in servers:
        open_ones = [each for each in addresses if each not in found or found[each].spans is None]
        if not open_ones:
            break
        try:
            said = await server.taken(open_ones, start, end)
        except ToolError as error:
            said = {each: Busy(why=str(error)) for each in open_ones}
        for each in open_ones:
            one = said.get(each) or Busy(why="it says nothing of them")
            if one.spans is not None:
                found[each] = Busy(one.spans, account=server.account)
                continue
            before = f"{found[each].why}; " if each in found else ""
            found[each] = Busy(why=f"{before}{server.account} can't tell when {each} is free: {one.why}")
    return found
