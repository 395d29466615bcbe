"""A real SMTP server on loopback that counts what it took, and can fail at each point of a session."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass
class Taken:
    sender: str
    recipients: list[str]
    message: bytes


@dataclass
class Sink:
    """``mode``: ok, busy (421 at MAIL), bad_sender, grey_rcpt, refuse_rcpt, drop_rcpt, grey_data (at DATA), drop_before
    (at DATA), later (after DATA), refuse (after DATA), drop_after, hang. ``data_reply``: said in place
    of 354; what comes then is taken all the same."""

    mode: str = "ok"
    taken: list[Taken] = field(default_factory=list)
    port: int = 0
    utf8: bool = True
    data_reply: str = ""
    tls: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Sink:
        sink = self

        class Server(SMTP):
            async def smtp_DATA(self, arg: str) -> None:
                if sink.mode == "drop_before":
                    self.transport.abort()
                    return
                if sink.mode == "grey_data":
                    await self.push("451 4.7.1 greylisted, try again in 5 minutes")
                    return
                await super().smtp_DATA(arg)

            async def push(self, status: str | bytes) -> None:
                go_on = str(status).startswith("354") and sink.data_reply
                await super().push(go_on or status)

        self._server = await asyncio.get_running_loop().create_server(
            lambda: Server(self, hostname="sink", loop=asyncio.get_running_loop(), enable_SMTPUTF8=self.utf8),
            "127.0.0.1",
            0,
            ssl=self.tls,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.mode == "busy":
            return "421 4.3.2 too many connections"
        if self.mode == "bad_sender":
            return "553 5.7.1 you are not me@example.com"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.mode == "grey_rcpt":
            return "450 4.2.0 greylisted"
        if self.mode == "drop_rcpt":
            server.transport.abort()
        if self.mode == "refuse_rcpt":
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.mode == "refuse":
            return "554 not wanted"
        if self.mode == "later":
            return "452 4.3.1 the disk is full"
        self.taken.append(Taken(envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content))
        if self.mode == "drop_after":
            server.transport.abort()
        if self.mode == "hang":
            await asyncio.sleep(3600)
        return "250 taken"
