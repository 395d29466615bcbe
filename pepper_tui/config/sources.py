"""The config sections about the outside: mail, calendars, files, feeds, conversations, accounts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from pepper_tui.config.base import Paths, Seconds, Section, Words, names_its_secrets
from pepper_tui.config.identities import Identities, Identity, identities_said
from pepper_tui.config.secret.in_clear import is_this_machine
from pepper_tui.model import Priority

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def minutes_of_day(span: str) -> tuple[int, int]:
    """Return start and end of ``span``, e.g. "09:00-17:00", as minutes of the day. Raises ``ValueError`` with words."""
    found = re.fullmatch(r"\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*", span)
    start, end = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
    if not found or int(found[2]) > 59 or int(found[4]) > 59 or not start < end <= 24 * 60:
        raise ValueError(f"{span!r} is not a span of a day; write it as '09:00-17:00'")
    return start, end


def _span_of_day(span: str) -> str:
    minutes_of_day(span)
    return span


class Smtp(Section):
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    user: str = ""
    password: str = ""  # "env:NAME" or "secret:NAME"
    timeout: Seconds = 30.0

    @model_validator(mode="after")
    def _keeps_its_password(self) -> Smtp:
        if self.security == "none" and (self.user or self.password) and not is_this_machine(self.host):
            raise ValueError(
                f"user and password would go unencrypted to {self.host}; set security to starttls or tls"
                " (none is for this machine, or without a user)"
            )
        return self


class MailFacts(Section):
    """What matters in a mail without a model. Each is on unless it is switched off."""

    question: bool = True  # somebody to whom you have written asks you something
    mention: bool = True  # your name or address in a mail of a list
    review: bool = True  # a forge wants your review, mentions or assigns you
    failure: bool = True  # a build or a payment failed, a mail of yours did not arrive
    alert: bool = True  # a security or payment alert whose sender your mail server has verified
    today: bool = True  # a time today or tomorrow in a mail to you
    unanswered: bool = True  # a question of yours that nobody has answered
    unanswered_days: Annotated[float, Field(gt=0, le=365)] = 4.0  # after so many days
    look_back: bool = True  # at the first start, over the last seven days
    servers: Words = []  # your mail servers, as Authentication-Results names them; empty: learnt from your mail


class Mail(Section):
    maildir: Paths = []
    mbox: Paths = []  # files that mail programs append to
    address: str = ""  # From address of sent mail; empty: the first of user.addresses
    identities: Identities = []  # further addresses that mail.smtp sends from
    signature: Annotated[str, Field(max_length=4000)] = ""  # below what mail.smtp sends
    quote: Literal["below", "above", "none"] = "below"  # where the mail that is answered is quoted: below the answer
    smtp: Smtp | None = None
    scan_interval: Seconds = 60.0  # a slow scan besides the watcher, for file systems without events
    max_bytes: Annotated[int, Field(ge=10_000)] = 25_000_000  # read from one message
    archive: str = ""  # the Maildir's folder for archived mail; empty: the one that is called so
    drafts: str = ""
    trash: str = ""
    junk: str = ""
    attach_from: Paths = []  # folders whose files may be attached to sent mail
    read_ends: Literal["quiet", "all", "none"] = "quiet"  # which cards end when their mail is read elsewhere
    templates: dict[str, str] = {}  # for drafts by a watch; placeholders: {name}, {first_name}, {subject}, {me}
    facts: MailFacts = MailFacts()


class Calendar(Section):
    paths: Paths = []  # .ics files or folders of them
    starts_soon: Annotated[int, Field(ge=0)] = 10  # minutes before an event
    alarms: bool = True  # whether your own alarms of events announce them, too
    due_todos: bool = True  # whether you are told when a to-do becomes due
    travel: Annotated[int, Field(ge=0, le=600)] = 0  # minutes on the way to an event at a place
    buffer: Annotated[int, Field(ge=0, le=600)] = 0  # minutes that you want before any event
    scan_interval: Seconds = 60.0
    horizon_days: Annotated[int, Field(ge=1, le=400)] = 60
    work_hours: Annotated[str, AfterValidator(_span_of_day)] = "09:00-17:00"  # where free time is searched
    work_days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = ["mon", "tue", "wed", "thu", "fri"]

    @property
    def work_minutes(self) -> tuple[int, int]:
        """Return ``work_hours`` as minutes of the day."""
        return minutes_of_day(self.work_hours)

    @property
    def work_weekdays(self) -> frozenset[int]:
        """Return ``work_days`` as numbers, Monday as 0."""
        return frozenset(_WEEKDAYS.index(day) for day in self.work_days)


class Files(Section):
    folders: Paths = []  # whose text files may be read


FEED_NAMES: Final = frozenset({"mail", "mbox", "calendar", "clock", "unjudged"})
"""Feed names that a feed of the user can't have."""
SECTION_IDS: Final = {"mail": "maildir", "mbox": "mbox"}
"""The feeds of ``[mail]``, each with the kind of account that may have its name, and so goes on with all it stored."""


class ExecFeed(Section):
    """A feed that is a program: each line it prints is a JSON object."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    command: Annotated[Words, Field(min_length=1)]  # the program and its arguments; no shell is involved
    every: Annotated[float, Field(ge=0)] = 0.0  # seconds from its end to the next run; 0: it keeps running
    env: dict[str, str] = {}  # for the program, which inherits little else; values may end in env:NAME or secret:NAME
    per_minute: Annotated[int, Field(ge=1, le=100_000)] = 120  # lines accepted; beyond that the program has to wait
    kind: Literal["event", "state"] = "event"  # of a matter: each signal adds to it, or replaces the previous one

    @model_validator(mode="after")
    def _names_its_secrets(self) -> ExecFeed:
        names_its_secrets("env", self.env)
        return self


class OwnFeed(Section):
    name: str
    file: Path
    kind: Literal["event", "state"] = "event"  # of a matter: each signal adds to it, or replaces the previous one
    settings: dict[str, Any] = {}


class Conversation(Section):
    """A conversation that a model reads for the user, and what to report. All given conditions must hold."""

    name: Annotated[str, Field(pattern=r"^\w[\w -]{0,39}$")]
    look_for: Annotated[str, Field(min_length=3, max_length=1000)]  # in words
    source: str = ""  # mail, calendar, clock or a feed of the user; empty: any
    sender: Words = []  # any of these addresses, or domains as "@example.com"
    thread: str = ""  # words of the thread's subject
    label: str = ""  # Maildir folder
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.7
    priority: Priority = Priority.HIGH
    wait: Annotated[float, Field(ge=0, le=86400)] = 60.0  # seconds to collect messages for one call
    daily_calls: Annotated[int, Field(ge=1, le=1000)] = 20

    @model_validator(mode="after")
    def _follows_something(self) -> Conversation:
        if not (self.source or self.sender or self.thread or self.label):
            raise ValueError(f"conversation {self.name!r} needs at least one of source, sender, thread, label")
        return self


class Account(Section):
    """One account of a connector. ``kind`` names the connector, which checks all other keys."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]
    paused: bool = False  # nothing is read there or sent from there: pepper accounts pause, resume

    @property
    def own(self) -> dict[str, Any]:
        """Return the connector's own keys."""
        return dict(self.model_extra or {})

    @property
    def identities(self) -> list[Identity]:
        """The identities there, its own address first: ``address`` and ``identities``, where it has such keys."""
        said = self.own
        first = identities_said(said.get("address"))
        return [*first, *identities_said(said.get("identities"))]

    @property
    def addresses(self) -> list[str]:
        """The user's own addresses there."""
        return [each.address for each in self.identities]
