"""A calendar under an address (RFC 5545 by HTTP): asked for at intervals, and copied where it changed.

The copy in the store is one object, the whole file. An answer that is no calendar changes nothing: many servers answer
with a page when they are in trouble.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from pepper_tui.clock import in_thread
from pepper_tui.config import ConfigError, Secrets
from pepper_tui.config.secret.in_clear import REFERENCE
from pepper_tui.connectors.http_server import AGAIN, Answer, HttpServer, Reach, ServerError
from pepper_tui.connectors.ics.settings import IcsAddress, address
from pepper_tui.domains.calendar.objects import (
    CalendarObject,
    CalendarSource,
    object_id,
    put_objects,
    put_source,
    sources_of,
)
from pepper_tui.domains.calendar.pieces import pieces, readable
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.store import Store

MOST: Final = 10_000_000  # bytes of the file
_PLACE: Final = "address"  # the address itself may be a secret


def reach_of(settings: IcsAddress, ident: str, secrets: Secrets) -> Reach:
    """Return how the server is reached. Raises ``ConfigError``. Blocking."""
    url = settings.url
    if REFERENCE.fullmatch(url):
        try:
            url = address(secrets.value(url))
        except ValueError as error:
            raise ConfigError([f"{settings.url} of account {ident}: {error}"]) from error
    password = secrets.value(settings.password) if settings.password else ""
    return Reach(ident, "the calendar at", url, settings.user, password, settings.ca, settings.timeout)


async def calendar_at(server: HttpServer, mark: Mapping[str, str]) -> tuple[bytes, dict[str, str]] | None:
    """Return the file and its mark; None if it is as it was at ``mark``. Raises ``ServerError``."""
    sent = {"If-None-Match": mark.get("etag", ""), "If-Modified-Since": mark.get("last-modified", "")}
    reach = server.reach
    answer = await server.ask("GET", reach.url, headers={name: value for name, value in sent.items() if value})
    if answer.status == 304:
        return None
    if answer.status in (401, 403):
        raise ServerError(f"{reach.server} is not given to Pepper (HTTP {answer.status})", _new_address(reach))
    if answer.status in (404, 410):
        raise ServerError(f"{reach.server} is not there any more (HTTP {answer.status})", _new_address(reach))
    if answer.status != 200:
        raise ServerError(f"{reach.server} can't be had (HTTP {answer.status})", AGAIN)
    if len(answer.body) > MOST:
        raise ServerError(f"{reach.server} is larger than {MOST // 1_000_000} MB", "ask for a shorter one")
    try:
        await in_thread(pieces, answer.body)
    except ValueError as error:
        words = f"{reach.server} answers with what is no whole calendar ({error})"
        raise ServerError(words, f"{AGAIN}; if that lasts, {reach.check}") from error
    return answer.body, _mark(answer)


def _mark(answer: Answer) -> dict[str, str]:
    return {name: answer.headers[name] for name in ("etag", "last-modified") if name in answer.headers}


def _read(source: bytes) -> tuple[str, str]:
    """Return what tells the file from others, and its text. Blocking."""
    return hashlib.sha256(source).hexdigest(), readable(source).decode()


def _new_address(reach: Reach) -> str:
    return f"whoever publishes it may have made a new address: {reach.check}"


class PublishedFeed:
    """The feed of the account ``ident``."""

    def __init__(self, ident: str, settings: IcsAddress, reach: Callable[[], Reach]) -> None:
        self.name = ident
        self._settings, self._reach = settings, reach

    def listen(self, ctx: FeedContext) -> None:
        """Nothing: the calendar's own feed follows the copy."""

    async def run(self, ctx: FeedContext) -> None:
        async with HttpServer(await in_thread(self._reach)) as server:
            mark: dict[str, str] = {}  # asked for whole after each start: the config may name another address
            while True:
                if (found := await calendar_at(server, mark)) is not None:
                    source, mark = found
                    await self._keep(ctx.store, source)
                await ctx.health.report("ok", f"looking each {self._settings.scan_interval:g} s at {server.reach.host}")
                await ctx.clock.sleep(self._settings.scan_interval)

    async def _keep(self, store: Store, source: bytes) -> None:
        """Store the file, if it is another one, with the calendar that it is, in one commit."""
        version, text = await in_thread(_read, source)
        known = next(iter(await sources_of(store, self.name)), None)
        if known is not None and known.mark == version:
            return
        calendar = known or CalendarSource(self.name, self.name, _PLACE, self.name, may_write=False)
        ident = object_id(self.name, _PLACE)
        async with store.unit():
            first = known is None
            await put_objects(store, [CalendarObject(ident, self.name, self.name, _PLACE, version, text, first)])
            await put_source(store, replace(calendar, mark=version))
