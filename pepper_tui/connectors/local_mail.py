"""Mail that another program keeps on this machine: what its connectors, Maildir and mbox, have in common.

It is an ``[[account]]``, or stands in ``[mail]``: the older form, whose mails are of no account in ``raw.mail``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, model_validator

from pepper_tui.config import Section, Smtp
from pepper_tui.config.base import Paths, Seconds
from pepper_tui.config.identities import Identities
from pepper_tui.connectors.connector import Around, Asked
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.connectors.smtp_check import smtp_finding
from pepper_tui.connectors.smtp_outbox import SmtpOutbox
from pepper_tui.domains.mail.outbox import Outbox


class LocalMail(Section):
    """The keys of the ``[[account]]`` of either kind."""

    paths: Annotated[Paths, Field(min_length=1)]
    address: Annotated[str, Field(pattern=r"^([^@\s]+@[^@\s]+)?$")] = ""  # the From of what is sent
    identities: Identities = []  # further addresses that are yours
    signature: Annotated[str, Field(max_length=4000)] = ""  # below what is sent from here
    scan_interval: Seconds = 60.0  # a slow look besides the watcher
    max_bytes: Annotated[int, Field(ge=10_000)] = 25_000_000  # of one mail that are read
    smtp: Smtp | None = None  # without it nothing is sent from here

    @model_validator(mode="after")
    def _sends_as_somebody(self) -> LocalMail:
        if not self.address and (self.smtp or self.identities):
            raise ValueError("set address: it is the From of what is sent")
        return self


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose the mails are.

    ``name`` is that of the feed, and in each ``Copy``; ``account`` that in ``raw.mail``; ``paths`` and ``table`` are
    where the config names them.
    """

    name: str
    account: str
    paths: str
    table: str

    @classmethod
    def of_account(cls, ident: str) -> Holder:
        return cls(ident, ident, f"paths of account {ident}", f"account {ident}")

    def part(self, place: Path) -> str:
        """Return what the doctor calls one of the places."""
        return f"mail {self.account} {place.name}" if self.account else f"mail {place.name}"

    def key(self, name: str) -> str:
        """Return where the config has a key of theirs."""
        return f"{name} of {self.table}" if self.account else f"mail.{name}"


MAILDIRS: Final = Holder("mail", "", "mail.maildir", "[mail]")
"""The Maildirs of ``[mail]``."""
MBOX_FILES: Final = Holder("mbox", "", "mail.mbox", "[mail]")
"""Its mbox files."""


def outboxes(settings: LocalMail, around: Around) -> list[Outbox]:
    """Return what the account sends by. Raises ``ConfigError`` for a password that can't be read."""
    smtp = settings.smtp
    if smtp is None:
        return []
    around.secrets.value(smtp.password)
    password, section = partial(around.secrets.value, smtp.password), f"smtp of account {around.ident}"
    return [SmtpOutbox(settings.address, smtp, password, around.config.user.name, section=section)]


async def check_sending(settings: LocalMail, patient: Patient) -> AsyncIterator[Finding]:
    """Yield what the doctor finds on sending."""
    if settings.smtp is not None:
        part, section = f"sending {patient.ident} ({settings.address})", f"smtp of account {patient.ident}"
        password = partial(patient.secrets.value, settings.smtp.password)
        yield await smtp_finding(part, settings.smtp, password, section)


def asks(paths: str) -> tuple[Asked, ...]:
    """Return what adding an account of either kind asks; ``paths``: in words."""
    return (
        Asked("paths", paths, several=True),
        Asked("address", "Your address there (empty: none)", needed=False),
    )
