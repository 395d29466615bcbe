"""The web: reading a page.

Fetching an address is a way out: whatever it contains is revealed to its host. So it is an act on the outside that
waits for the user's approval, bound to exactly that address, unless the user has typed all of it in this turn, or the
config or the rule that the call is made for contains it. A typed address, and a rule's, lets one call pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pepper_tui.model import CardLine, Effect, ResolvedEffect
from pepper_tui.text import one_line, shorten
from pepper_tui.text.web_address import canonical, origin
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import Tool, ToolContext, tool


class Fetcher(Protocol):
    """Reads web pages. Raises ``NotDoneError`` if no request was sent."""

    async def get(self, address: str, /) -> str: ...


@dataclass(slots=True)
class WebParts:
    fetcher: Fetcher | None = None


async def resolve_page(ctx: ToolContext, address: str, reason: str = "") -> ResolvedEffect:
    """Args:
    address: the whole address of the page
    reason: why it should be read, shown to the user
    """  # noqa: D415
    try:
        page = canonical(address)
    except ValueError as error:
        raise ToolError(f"{one_line(address, 120)!r} can't be fetched: {error}") from error
    lines = [CardLine("Address", page), CardLine("Goes to", origin(page)[1])]
    return ctx.effect(account="", summary=f"Fetch {shorten(page, 160)}", lines=lines, payload={"address": page})


@tool(
    effect=Effect.SEND,
    resolve=resolve_page,
    reaches=lambda payload: str(payload["address"]),
    name="fetch_page",
    timeout=60.0,
)
async def fetch_page(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Read a page of the web as text. An address that the user typed in the message that you answer is read
    at once, one time; any other waits for a yes."""
    fetcher = ctx.of(WebParts).fetcher
    if fetcher is None:
        raise ToolError("pages can't be fetched here")
    return await fetcher.get(str(effect.payload["address"]))


def web_tools(parts: WebParts) -> list[Tool]:
    return [fetch_page.with_given(parts)]
