"""What is known of others' time, person by person, in the answer to when there is time with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pepper_tui.domains.calendar.free_time import Span
from pepper_tui.domains.calendar.parts import CalendarParts
from pepper_tui.domains.calendar.slots.free_busy import Busy, busy_of
from pepper_tui.domains.calendar.slots.people import addresses_of
from pepper_tui.model import Json
from pepper_tui.text import one_line
from pepper_tui.tools.tool import ToolContext

_NO_SERVER = (
    "no account of yours has a server that tells others' time (Google Calendar does, and CalDAV with scheduling)"
)


@dataclass(frozen=True, slots=True)
class Others:
    """The people with whom a time is looked for, by their addresses; nobody for the user alone."""

    busy: Mapping[str, Busy] = field(default_factory=dict)

    @property
    def known(self) -> list[str]:
        return [address for address, one in self.busy.items() if one.spans is not None]

    def taken(self, begin: float, end: float) -> list[Json]:
        """Return what of ``[begin, end)`` is taken for others, as events that bear their addresses."""
        return [
            {"summary": address, "start": start, "end": until}
            for address, one in self.busy.items()
            for start, until in _joined(one.spans or ())
            if start < end and until > begin
        ]

    def told(self, days: Sequence[tuple[bool, str]], minutes: int) -> str:
        """Return the answer, the days with a common slot first. ``days``: whether there is one, and the words."""
        if not self.busy:
            return "\n".join(words for _, words in days)
        unknown = [address for address in self.busy if address not in self.known]
        common = " in common" if self.known else ""
        free = any(there for there, _ in days)
        words = f"are free for {minutes} minutes or more" if free else f"have no {minutes} minutes{common}"
        but = f"; whether {_and(unknown)} {'is' if len(unknown) == 1 else 'are'}, nobody can tell" if unknown else ""
        lines = [f"{_and(['You', *self.known])} {words}{but}:"]
        lines += [words for there, words in sorted(days, key=lambda each: not each[0])]
        lines += [f"{address}: as {self.busy[address].account} says." for address in self.known]
        lines += [f"{address}: not known. {one_line(self.busy[address].why, 300)}." for address in unknown]
        return "\n".join(lines)


async def others_of(ctx: ToolContext, people: Sequence[str], start: float, end: float) -> Others:
    """Return what the user's servers say of ``people``, names or addresses. Raises ``ToolError``."""
    if not people:
        return Others()
    addresses, servers = await addresses_of(ctx, people), ctx.of(CalendarParts).free_busy
    if not servers:
        return Others({each: Busy(why=_NO_SERVER) for each in addresses})
    found = await busy_of(servers, addresses, start, end)
    return Others({each: found[each] for each in addresses})


def _joined(spans: Sequence[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
