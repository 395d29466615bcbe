"""One ``[[account]]`` of the kind ``ics``: a calendar that somebody publishes under an address."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from pepper_tui.config import Section
from pepper_tui.config.base import NamedSecret, Seconds
from pepper_tui.config.secret.in_clear import REFERENCE, in_clear, secret_in_url


def address(url: str) -> str:
    """Return the address to ask: ``webcal://`` is a calendar's word for ``https://``. Raises ``ValueError``."""
    given = url.strip()
    if given.lower().startswith(("webcal://", "webcals://")):
        given = f"https://{given.partition('://')[2]}"
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address begins with https:// or webcal://; a file goes into paths of [calendar]")
    if what := secret_in_url(given):
        raise ValueError(f"it holds {what}; keep the whole address as a secret: secret:NAME")
    return given


def _named_or_address(url: str) -> str:
    return url if REFERENCE.fullmatch(url) else address(url)


class IcsAddress(Section):
    url: Annotated[str, AfterValidator(_named_or_address)]  # https:// or webcal://; secret:NAME for a secret address
    user: str = ""
    password: NamedSecret = ""  # "env:NAME" or "secret:NAME", if it wants one
    ca: Path | None = None  # the certificate of a CA of your own
    scan_interval: Seconds = 900.0  # seconds between two looks
    timeout: Annotated[float, Field(ge=1, le=600)] = 30.0  # seconds for an answer

    @model_validator(mode="after")
    def _keeps_its_password(self) -> IcsAddress:
        if bool(self.user) is not bool(self.password):
            raise ValueError("set both user and password, or neither")
        if self.password and not REFERENCE.fullmatch(self.url) and (host := in_clear(self.url)):
            raise ValueError(f"the password would go unencrypted to {host}; use https://")
        return self
