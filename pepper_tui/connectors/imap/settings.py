"""One ``[[account]]`` of the kind ``imap``: where its mail is, its addresses, and how mail is sent from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from pepper_tui.config import Section, Smtp
from pepper_tui.config.base import NamedSecret, Seconds, Words
from pepper_tui.config.identities import Identities
from pepper_tui.config.secret.in_clear import is_this_machine

_PORTS: Final = {"tls": 993, "starttls": 143, "none": 143}


class Sending(Smtp):
    """The account's server for sending. Without a user and password of its own it takes the account's."""

    password: NamedSecret = ""
    login: bool = True  # false: it wants no user and password


class Imap(Section):
    address: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]  # the From of what is sent
    identities: Identities = []  # further addresses that are yours, as "Alex <alex@work.org>" or tables
    signature: Annotated[str, Field(max_length=4000)] = ""  # below what is sent from here
    host: str
    port: Annotated[int, Field(ge=0, le=65535)] = 0  # 0: by security, 993 or 143
    security: Literal["tls", "starttls", "none"] = "tls"
    user: str = ""  # empty: the address
    password: Annotated[NamedSecret, Field(min_length=1)]  # "env:NAME" or "secret:NAME"
    folders: Words = Field(["INBOX"], min_length=1)  # the first one is watched, the others looked at
    sent: str = ""  # where a copy of what is sent is kept; empty: what the server marks as such
    archive: str = ""  # where archived mail goes; empty: what the server marks as such, or names so
    trash: str = ""
    junk: str = ""
    drafts: str = ""  # where drafts are saved
    keep_copy: bool = True  # false: no copy is kept
    ca: Path | None = None  # the certificate of a CA of your own
    max_bytes: Annotated[int, Field(ge=10_000)] = 25_000_000  # of one mail that are read
    scan_interval: Seconds = 60.0  # seconds between two looks at all folders
    probe: Annotated[float, Field(ge=1, le=1500)] = 25.0  # seconds of silence until the server is asked if it is there
    timeout: Seconds = 20.0  # seconds for an answer
    smtp: Sending | None = None  # without it nothing is sent from here

    @model_validator(mode="after")
    def _keeps_its_password(self) -> Imap:
        for where, place in (("", self), ("smtp.", self.smtp)):
            if place and place.security == "none" and not is_this_machine(place.host) and _signs_in(place):
                raise ValueError(
                    f"the password would go unencrypted to {place.host}; set {where}security to tls or starttls"
                )
        return self

    @property
    def login(self) -> str:
        """The user's name at the server."""
        return self.user or self.address

    @property
    def at(self) -> int:
        """The port."""
        return self.port or _PORTS[self.security]

    def sending(self) -> Smtp | None:
        """Return the settings of the server that sends, with its credentials."""
        if self.smtp is None:
            return None
        if not self.smtp.login:
            return self.smtp.model_copy(update={"user": "", "password": ""})
        user, password = self.smtp.user or self.login, self.smtp.password or self.password
        return self.smtp.model_copy(update={"user": user, "password": password})


def _signs_in(place: Imap | Sending) -> bool:
    return isinstance(place, Imap) or place.login
