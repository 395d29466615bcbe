"""One ``[[account]]`` of the kind ``imap``: where its mail is, its addresses, and how mail is sent from it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from pepper_tui.config import Section, Smtp
from pepper_tui.config.base import NamedSecret, Seconds, Words
from pepper_tui.config.identities import Identities
from pepper_tui.config.secret.in_clear import is_this_machine


def _words(value: Any) -> Any:
    return shlex.split(value) if isinstance(value, str) else value


Command = Annotated[list[str], BeforeValidator(_words)]
"""A program and its arguments; a single string is split as a shell would, but no shell is involved."""
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
    password: NamedSecret = ""  # "env:NAME" or "secret:NAME"
    token_command: Command = []  # in its place: a program that prints an access token (XOAUTH2)
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
    def _signs_in_one_way(self) -> Imap:
        if bool(self.password) is bool(self.token_command):
            raise ValueError("set password or token_command: it signs in by one of them")
        return self

    @model_validator(mode="after")
    def _keeps_its_password(self) -> Imap:
        for where, place in (("", self), ("smtp.", self.smtp)):
            if place and place.security == "none" and not is_this_machine(place.host) and _signs_in(place):
                what = "token" if self.token_command else "password"
                raise ValueError(
                    f"the {what} would go unencrypted to {place.host}; set {where}security to tls or starttls"
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

    @property
    def sends_by_token(self) -> bool:
        """Whether the server that sends gets the account's token, too."""
        return bool(self.token_command and self.smtp and self.smtp.login and not self.smtp.password)

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
