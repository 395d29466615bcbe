"""Requests to a CalDAV server (RFC 4918): their bodies are XML, and their refusals have words."""

from __future__ import annotations

from pepper_tui.connectors.caldav.errors import refused
from pepper_tui.connectors.caldav.settings import CalDav
from pepper_tui.connectors.http_server import Answer, HttpServer, Reach


class Wire(HttpServer):
    """The way to the server of one account. ``async with`` it."""

    def __init__(self, settings: CalDav, ident: str, password: str) -> None:
        reach = Reach(
            ident, "the calendar server", settings.url, settings.user, password, settings.ca, settings.timeout
        )
        super().__init__(reach)

    async def dav(self, method: str, url: str, body: str, depth: str) -> Answer:
        """Return the server's answer to a request with an XML body, whatever its status."""
        return await self.ask(method, url, body, {"Content-Type": "application/xml; charset=utf-8", "Depth": depth})

    async def get(self, method: str, url: str, body: str, depth: str) -> Answer:
        """Return the answer if it is a success. Raises ``StatusError``, or another ``ServerError``."""
        answer = await self.dav(method, url, body, depth)
        if answer.status >= 300:
            raise refused(answer.status, self.reach)
        return answer
