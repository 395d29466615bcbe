"""The contract of a connector: one folder that knows one vendor or format, and declares here what it can do.

``CONNECTOR`` in the folder's ``__init__.py`` is all that the rest of Pepper sees of it. ``registry`` finds it;
docs/connectors.md explains how to make one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal, Protocol

from pepper_tui.clock import Clock
from pepper_tui.config import Config, Secrets, Section
from pepper_tui.connectors.finding import Finding, Patient
from pepper_tui.domains.calendar.slots.free_busy import FreeBusy
from pepper_tui.domains.calendar.writer import Calendars
from pepper_tui.domains.mail.at_source.filing import Filer
from pepper_tui.domains.mail.draft_box import DraftBox
from pepper_tui.domains.mail.intake.processor import MailIntake
from pepper_tui.domains.mail.outbox import Outbox
from pepper_tui.domains.mail.search.searcher import MailSearcher
from pepper_tui.domains.mail.writing.originals import Original
from pepper_tui.feeds import Feed, Triage
from pepper_tui.rules import RuleBook
from pepper_tui.store import Store
from pepper_tui.store.upkeep.retention_rules import Rule as Retention
from pepper_tui.tools.tool import Tool


@dataclass(frozen=True, slots=True)
class Around:
    """What an account is built with.

    ``ident`` is the account's, and the name of its feed.
    """

    ident: str
    home: Path
    config: Config
    store: Store
    clock: Clock
    zone: tzinfo
    secrets: Secrets
    triage: Triage
    book: RuleBook
    mail: MailIntake


@dataclass(slots=True)
class Built:
    """The parts of an account that the rest of Pepper uses.

    ``originals`` give a mail's bytes. The registry fills in ``senders``, the outbox by account, and ``not_mail``, the
    accounts that are none of mail.
    ``calendar_paths`` are files and folders that the agenda reads; ``has_calendar``: a feed copies calendars into the
    store (``domains/calendar/objects.py``).
    """

    feeds: list[Feed] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    outboxes: list[Outbox] = field(default_factory=list)
    senders: dict[str, Outbox] = field(default_factory=dict)
    originals: list[Original] = field(default_factory=list)
    filers: list[Filer] = field(default_factory=list)
    searchers: list[MailSearcher] = field(default_factory=list)
    drafts: list[DraftBox] = field(default_factory=list)
    calendar_paths: list[Path] = field(default_factory=list)
    has_calendar: bool = False
    calendars: list[Calendars] = field(default_factory=list)
    free_busy: list[FreeBusy] = field(default_factory=list)
    not_mail: list[str] = field(default_factory=list)


Build = Callable[[Any, Around], Built]
"""Builds an account's parts from its settings and ``Around``.

Fast, and never on the network: a feed starts in its ``run``. Raises ``ConfigError`` for a secret that can't be read.
"""

Check = Callable[[Any, Patient], AsyncIterator[Finding]]
"""Yields the doctor's findings on an account, from its settings and the home.

It reads and asks, and changes nothing.
"""


class Talk(Protocol):
    """How a sign-in speaks with the user."""

    async def say(self, words: str, /) -> None: ...

    async def open(self, address: str, /) -> None:
        """Show ``address``, and open it in a browser if there is one."""
        ...

    async def paste(self, words: str, /) -> str:
        """Return what the user pastes when asked in these words. May be cancelled; may wait for ever."""
        ...


SignIn = Callable[[Any, Path, Secrets, Clock, Talk], Awaitable[str]]
"""Signs an account in, from its settings and the home, and keeps what that gives. Returns words for the user.

Raises ``PepperError``. It runs without an engine, and while one runs.
"""

SignOut = Callable[[Any, Path, Secrets], Awaitable[str]]
"""Gives back at the server what the sign-in gave, and forgets it. Returns words for the user."""


Holds = Literal["mail", "calendars"]
Secrecy = Literal["never", "maybe", "always"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One key of an account that adding it asks for.

    ``secret``: always, it is typed unseen, kept as a secret, and the key names that; maybe, the user says whether it is
    one. ``needed``: without it there is no account. ``several``: a list, separated by commas. ``unless``: the key that
    stands in place of it.
    """

    key: str
    words: str
    secret: Secrecy = "never"
    needed: bool = True
    several: bool = False
    unless: str = ""


@dataclass(frozen=True, slots=True)
class Adding:
    """How `pepper accounts add` offers this kind: its ``name`` in the list of kinds, what it asks, in that order.

    ``hint`` is said before it asks. Every kind with a ``sign_in`` is signed in after that, others are tried.
    """

    name: str
    asks: Sequence[Asked] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector.

    ``settings`` is the model of one ``[[account]]`` of this kind, besides its ``id`` and ``kind``; None if the config
    has a separate section for it. ``retention`` gives the retention periods by namespace, ``kept`` the namespaces that
    are never purged, with the reason. ``sign_in`` and ``sign_out`` are there if it takes more than a password.
    ``places`` are the folders and files in an account's settings that no other account may read. ``holds`` is what such
    an account is one of, and decides the words about it; ``adding`` is None if it is added by the config alone.
    """

    build: Build
    check: Check | None = None
    settings: type[Section] | None = None
    sign_in: SignIn | None = None
    sign_out: SignOut | None = None
    retention: Mapping[str, Retention] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    places: Callable[[Any], Sequence[Path]] = lambda _: ()
    holds: Sequence[Holds] = ()
    adding: Adding | None = None

    @property
    def of_mail(self) -> bool:
        """Whether an ``address`` of its accounts is one that mail is written from."""
        return not self.holds or "mail" in self.holds

    @property
    def rests(self) -> str:
        """What a paused account does not do, in words."""
        return (
            f"nothing is read or {'sent' if 'mail' in self.holds else 'changed'} there"
            if self.holds
            else "nothing is read there"
        )

    @property
    def held(self) -> str:
        """What an account has brought, in words."""
        return (
            " and ".join({"mail": "mail", "calendars": "the copy of its calendars"}[each] for each in self.holds)
            or "what it brought"
        )
