"""What every ``[[account]]`` at Google has: whose it is, the client that asks for it, and where Google is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, model_validator

from pepper_tui.config import Section
from pepper_tui.config.base import NamedSecret, Seconds
from pepper_tui.config.secret.in_clear import in_clear
from pepper_tui.connectors.google_account.service import Service

CONSENT: Final = "https://accounts.google.com/o/oauth2/v2/auth"
TOKEN: Final = "https://oauth2.googleapis.com/token"
REVOKE: Final = "https://oauth2.googleapis.com/revoke"


def _address(value: str) -> str:
    name, at, host = value.partition("@")
    if not (name and at and host) or "@" in host or any(map(str.isspace, value)):
        raise ValueError(f"{value!r} is no mail address; write it as you@gmail.com")
    return value


def _encrypted(value: str) -> str:
    if host := in_clear(value):
        raise ValueError(f"the sign-in would go unencrypted to {host}; use https://")
    return value.rstrip("/")


class AtGoogle(Section):
    """The keys that all have. ``service`` is the connector's."""

    service: ClassVar[Service]

    address: Annotated[str, AfterValidator(_address)]  # the Google account's
    client_file: Path | None = None  # what Google's console lets you download for your client id
    client_id: str = ""  # or its two values
    client_secret: NamedSecret = ""  # "env:NAME" or "secret:NAME"
    timeout: Seconds = 30.0  # seconds for an answer
    endpoint: Annotated[str, AfterValidator(_encrypted)] = ""  # a server in Google's place, for tests; empty: Google

    @model_validator(mode="after")
    def _has_one_client(self) -> AtGoogle:
        if bool(self.client_file) == bool(self.client_id):
            raise ValueError(
                "name the client that signs in: client_file, or client_id with client_secret;"
                " docs/accounts.md says how to get one"
            )
        return self

    @property
    def api(self) -> str:
        return self.endpoint or self.service.endpoint

    @property
    def consent_uri(self) -> str:
        """Where the user allows it."""
        return f"{self.endpoint}/o/oauth2/v2/auth" if self.endpoint else CONSENT

    @property
    def token_uri(self) -> str:
        return f"{self.endpoint}/token" if self.endpoint else TOKEN

    @property
    def revoke_uri(self) -> str:
        return f"{self.endpoint}/revoke" if self.endpoint else REVOKE
