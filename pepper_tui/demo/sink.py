"""An SMTP server on loopback that accepts all mail and keeps each as ``<outbox>/<number>.eml``.

Nothing leaves the machine. Each file holds the original bytes, below two lines that name the envelope.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from pepper_tui.text.errors import PepperError

LOOPBACK = "127.0.0.1"


class MissingPackageError(PepperError):
    """aiosmtpd is not installed."""


class Sink:
    """One listening sink. ``port`` 0 picks a free one; ``start`` returns the actual port."""

    def __init__(self, outbox: Path, port: int = 0) -> None:
        self._outbox = outbox
        self._port = port
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Start listening. Raises ``MissingPackageError`` without aiosmtpd, ``OSError`` if the port is taken."""
        try:
            from aiosmtpd.smtp import SMTP
        except ImportError as error:
            words = "the demo wants aiosmtpd, which comes with Pepper's extra `demo`: pip install 'pepper-tui[demo]'"
            raise MissingPackageError(f"{words}; in a clone: make demo") from error
        self._outbox.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="localhost", enable_SMTPUTF8=True), LOOPBACK, self._port
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            self._server = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        recipients = ", ".join(envelope.rcpt_tos)
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {recipients}\r\n".encode()
        await asyncio.to_thread(self._keep, head + bytes(envelope.content))
        return "250 OK kept in the outbox"

    def _keep(self, content: bytes) -> None:
        number = 1 + max((int(p.stem) for p in self._outbox.glob("*.eml") if p.stem.isdigit()), default=0)
        while True:
            try:
                with (self._outbox / f"{number:04}.eml").open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                return
            except FileExistsError:
                number += 1
