"""Who is meant: the addresses of the person who writes under a name; if several match, the user is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pepper_tui.llm.offline.grammar import parse
from pepper_tui.model import CardLine
from pepper_tui.rules.tools.arguments import Words, listed
from pepper_tui.rules.tools.parts import rules_of
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.said import said_in
from pepper_tui.tools.tool import ToolContext

_ADDRESS: Final = re.compile(r"[^\s@<>,]{0,64}@[^\s@<>,]+\.[^\s@<>,]+|[^\s@<>,]{1,64}@[^\s@<>,]+")
_NAMED: Final = 6  # people listed in a question


async def addresses_of(ctx: ToolContext, words: Words) -> tuple[list[str], list[CardLine]]:
    """Return the addresses of the people meant, and a line for each name that was looked up. Raises ``ToolError``."""
    addresses: list[str] = []
    lines: list[CardLine] = []
    for said in listed(words) or []:
        plain = said.strip().strip("<>").lower()
        if _ADDRESS.fullmatch(plain):
            addresses.append(plain)
            continue
        found = await rules_of(ctx).senders(said)
        shown = one_line(said, 60)
        if not found:
            raise ToolError(
                f"I know no address of {shown!r}: nobody of that name has written to you lately, nor you to them. "
                "Name the address, as in: always tell me when mail from ann@example.org comes."
            )
        if len(found) > 1:
            people = "; ".join(one_line(each.words, 160) for each in found[:_NAMED])
            more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            raise ToolError(
                f"{len(found)} addresses write as {shown!r}: {people}{more}. Name the one that you mean, "
                f"as in: always tell me when mail from {found[0].address} comes."
            )
        addresses.append(found[0].address)
        lines.append(CardLine(f"{shown} is", found[0].words))
    return addresses, lines


async def refuse_name(ctx: ToolContext, words: Sequence[str]) -> None:
    """Raise ``ToolError`` if an unquoted word that the user wants watched is the name of somebody who writes."""
    said = await said_in(ctx.store, ctx.call.origin)
    things = {parse(message.text)["thing"] for message in said} & set(words)
    for thing in sorted(things - {""}):
        named = [one for one in await rules_of(ctx).senders(thing) if _goes_by(thing, one.name, one.written)]
        if named:
            shown = one_line(thing, 60)
            raise ToolError(
                f"{shown!r} is a name: {one_line(named[0].words, 160)} writes under it. Say “watch mail from {shown}” "
                f'for what comes from there, or put it in quotes for the word: watch "{shown}".'
            )


def _goes_by(thing: str, name: str, written: bool) -> bool:
    """Check whether ``thing`` is what a person is called, not just a word in some sender's name."""
    return written or thing[:1].isupper() or name.casefold().startswith(thing.casefold())
