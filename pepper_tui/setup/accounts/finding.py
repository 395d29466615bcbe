"""Finds the settings of an address: in the shipped table, and, once the user agreed, by asking its domain."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pepper_tui.setup.accounts.autoconfig import LARGEST, PATIENCE, Get, by_autoconfig
from pepper_tui.setup.accounts.offers import Offer
from pepper_tui.setup.accounts.providers import by_domain, by_exchangers
from pepper_tui.setup.accounts.records import Ask, asking, by_records, exchangers

if TYPE_CHECKING:
    import ssl

    import httpx2

__all__ = ["ask_domain", "by_domain"]


async def ask_domain(address: str, ask: Ask | None = None, get: Get | None = None) -> Offer | None:
    """Return what the domain of ``address`` says itself, or the provider that takes its mail. Raises nothing.

    The domain learns that somebody asked; nobody learns the address.
    """
    found = ask if ask is not None else await asyncio.to_thread(asking)
    records, taking, file = await asyncio.gather(
        asyncio.to_thread(by_records, address, found),
        asyncio.to_thread(exchangers, address, found),
        by_autoconfig(address, get or getting()),
    )
    known = await asyncio.to_thread(by_exchangers, address, taking)
    return known or records or file


def getting(context: ssl.SSLContext | None = None) -> Get:
    """Return how a file is read: over HTTPS, redirects too, within bounds; nothing of it in case of any trouble."""

    async def get(place: str) -> bytes:
        import httpx2

        try:
            async with (
                asyncio.timeout(PATIENCE),
                httpx2.AsyncClient(verify=context or True, trust_env=False) as client,
            ):
                for _ in range(3):
                    async with client.stream("GET", place, headers={"Accept-Encoding": "identity"}) as answer:
                        if answer.next_request is not None:
                            place = str(answer.next_request.url)
                            if not place.startswith("https://"):
                                return b""
                            continue
                        if answer.status_code != 200:
                            return b""
                        return await _bounded(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError):
            pass
        return b""

    return get


async def _bounded(answer: httpx2.Response) -> bytes:
    held = b""
    async for piece in answer.aiter_raw():
        held += piece
        if len(held) > LARGEST:
            return b""
    return held
