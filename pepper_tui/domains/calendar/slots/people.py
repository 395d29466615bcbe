"""Whom a name or an address means, and whether their address may go to a server of the user's.

An address leaves the machine with the question. So it has to be one that the user typed in this order, or one that they
have written to before. A name means everybody of those who goes by it; what a stranger calls themselves names nobody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from pepper_tui.domains.calendar.parts import CalendarParts
from pepper_tui.model import ContextFilter, Namespace
from pepper_tui.text import one_line
from pepper_tui.text.addresses import canonical, compared, untagged
from pepper_tui.tools.approvals.provenance import trusted
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.said import said_in_turn
from pepper_tui.tools.tool import ToolContext

MOST: Final = 10
"""People of one question."""
_WRITTEN_TO: Final = (Namespace.PEOPLE, Namespace.WRITTEN)
_LOOKED: Final = 5_000  # people that a name is looked for among, the latest first
_MAILS: Final = 500  # newest mails whose senders' names are looked at
_NAMED: Final = 5
_BREAK: Final = re.compile(r"[\s,._-]+")


async def addresses_of(ctx: ToolContext, people: Sequence[str]) -> list[str]:
    """Return the addresses of ``people``, names or addresses, without the user's own.

    Raises ``ToolError`` for a name that means nobody, or several, and for an address that may not be asked about.
    """
    own = {untagged(compared(each)) for each in ctx.of(CalendarParts).own}
    found: dict[str, None] = {}
    for said in filter(None, (each.strip() for each in people)):
        if untagged(compared(said)) in own:
            continue
        address = await _permitted(ctx, said) if "@" in said else await _named(ctx, said, own)
        found[address] = None
    if len(found) > MOST:
        raise ToolError(f"I look for a time with {MOST} people at most; name fewer than {len(found)}")
    return [*found]


async def _permitted(ctx: ToolContext, said: str) -> str:
    address = compared(said)
    if canonical(said) is None:
        raise ToolError(f"{one_line(said, 80)!r} is no address")
    if await _is_written_to(ctx, address) or await _typed(ctx, address):
        return address
    raise ToolError(
        f"{one_line(address, 80)} is nobody you have written to, and you have not typed it in this order; their "
        "address would go to your calendar server. If that is right, type it yourself"
    )


async def _typed(ctx: ToolContext, address: str) -> bool:
    pieces = [piece for message in await said_in_turn(ctx.store, ctx.call) for piece in message.written.typed()]
    return any(address in trusted(piece) for piece in (*pieces, *ctx.call.typed))


async def _is_written_to(ctx: ToolContext, address: str) -> bool:
    for namespace in _WRITTEN_TO:
        if await ctx.store.get(address, namespace=namespace) is not None:
            return True
    return False


async def _named(ctx: ToolContext, name: str, own: Collection[str]) -> str:
    """Return the address of the one person whom the user has written to that goes by this name."""
    people = await ctx.store.query(ContextFilter(namespaces=[*_WRITTEN_TO], limit=_LOOKED))
    known: dict[str, set[str]] = {}
    for each in people:
        known.setdefault(compared(each.context_id), set()).add(str(each.data.get("name") or ""))
    found = _called(name, known)
    if not found:  # only what Pepper has sent has no names: those of their own mails then
        mails = await ctx.store.query(ContextFilter(namespaces=[f"{Namespace.RAW}.mail"], limit=_MAILS))
        for mail in mails:
            sender = mail.data.get("sender") or {}
            if not mail.data.get("doubts") and (address := compared(str(sender.get("address", "")))) in known:
                known[address].add(str(sender.get("name") or ""))
        found = _called(name, known)
    found = [each for each in found if untagged(each) not in own and canonical(each)]
    if not found:
        raise ToolError(f"nobody you have written to is called {one_line(name, 60)!r}; say their address")
    if len(found) > 1:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise ToolError(
            f"several whom you have written to are called {one_line(name, 60)!r}: {', '.join(found[:_NAMED])}{more}; "
            "say the address"
        )
    return found[0]


def _called(name: str, known: Mapping[str, Collection[str]]) -> list[str]:
    """Return who goes by ``name``: by words of their names, or of their addresses before the @."""
    wanted = _words(name)
    return [
        address
        for address, names in known.items()
        if wanted and any(wanted <= _words(each) for each in (*names, address.partition("@")[0]))
    ]


def _words(text: str) -> set[str]:
    return {each for each in _BREAK.split(text.casefold()) if each}
