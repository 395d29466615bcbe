"""One ``[[account]]`` of the kind ``caldav``: where its calendars are, and which of them are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from pepper_tui.config import Section
from pepper_tui.config.base import NamedSecret, Seconds, Words
from pepper_tui.config.secret.in_clear import in_clear


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address begins with https://")
    if "@" in parts.netloc:
        raise ValueError("put the user into user, and the password into password")
    if host := in_clear(url):
        raise ValueError(f"the password would go unencrypted to {host}; use https://")
    return url


class CalDav(Section):
    url: Annotated[str, AfterValidator(_address)]  # of the server, of your principal, or of one calendar
    user: str
    password: NamedSecret  # "env:NAME" or "secret:NAME"
    calendars: Words = []  # the titles of those that are read; empty: all
    ca: Path | None = None  # the certificate of a CA of your own
    scan_interval: Seconds = 300.0  # seconds between two looks
    timeout: Annotated[float, Field(ge=1, le=600)] = 30.0  # seconds for an answer

    @property
    def host(self) -> str:
        """The server's name."""
        return urlsplit(self.url).netloc
