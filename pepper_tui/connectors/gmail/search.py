"""Searching at the server, in Gmail's own words (``q``)."""

from __future__ import annotations

from typing import Final

from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.labels import place_of

PAGE: Final = 100


async def search(gmail: GmailAccount, q: str, limit: int) -> tuple[list[str], bool]:
    """Return the places of the newest mails that match ``q``, and whether there are more. Raises ``GoogleError``."""
    found: list[str] = []
    given = {"q": q, "maxResults": min(PAGE, limit)}
    while True:
        answer = await gmail.call("messages.list", urgent=True, **given)
        found += [place_of(gmail.ident, str(each["id"])) for each in answer.get("messages", [])]
        page = answer.get("nextPageToken")
        if not page or len(found) >= limit:
            return found[:limit], bool(page) or len(found) > limit
        given["pageToken"] = page
