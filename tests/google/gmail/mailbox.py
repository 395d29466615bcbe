"""One mailbox: mails, threads, labels, drafts, and the history of all changes; and what a test does to it.

- A mail's id is the millisecond of its coming and a counter, in hex; its thread's id is that of the first mail.
- Each change is a record of the history with an id of its own; the ids grow by more than one.
- A mail joins a thread if it refers to a mail of it and has its subject.
- Sent mail gets a Message-ID of Gmail's unless it has one; what it had stands in X-Google-Original-Message-ID. A sender
  that is no address of the account's becomes its first one.
- A draft's mail is replaced at each update, and when it is sent: each time under a new id.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message
from email.utils import format_datetime, formataddr, getaddresses, parseaddr
from typing import Literal

from tests.google.errors import Refused, invalid, not_found

SYSTEM_LABELS = (
    "INBOX", "SENT", "DRAFT", "TRASH", "SPAM", "UNREAD", "STARRED", "IMPORTANT", "CHAT", "CATEGORY_PERSONAL",
    "CATEGORY_SOCIAL", "CATEGORY_PROMOTIONS", "CATEGORY_UPDATES", "CATEGORY_FORUMS",
)  # fmt: skip
FIXED = frozenset({"SENT", "DRAFT", "CHAT"})
"""What no command adds or takes away."""
OWN_IDS = "@mail.gmail.com"
ARRIVED = ("INBOX", "UNREAD", "CATEGORY_PERSONAL")

Kind = Literal["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"]


@dataclass
class Mail:
    id: str
    thread: str
    raw: bytes
    labels: list[str]
    at: int  # milliseconds
    history: int

    @property
    def parsed(self) -> Message:
        return message_from_bytes(self.raw, policy=policy.compat32)


@dataclass(frozen=True)
class Change:
    """One record of the history; ``labels`` are those of the mail after it, ``changed`` those that it was about."""

    id: int
    kind: Kind
    mail: str
    thread: str
    labels: tuple[str, ...]
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sent:
    """What left for others: as it went, and to whom."""

    id: str
    raw: bytes
    recipients: tuple[str, ...]


@dataclass
class UserLabel:
    id: str
    name: str
    label_list: str = "labelShow"
    message_list: str = "show"


@dataclass
class Mailbox:
    """``address`` is the account's; ``aliases`` are further ones that it writes as, with their names."""

    address: str
    now: Callable[[], float]
    name: str = "Alex Doe"
    aliases: dict[str, str] = field(default_factory=dict)
    mails: dict[str, Mail] = field(default_factory=dict)
    drafts: dict[str, str] = field(default_factory=dict)  # its id -> its mail's
    labels: dict[str, UserLabel] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    history: int = 1_000_000
    oldest_history: int = 1_000_000
    _chance: random.Random = field(default_factory=lambda: random.Random(1))
    _made: int = 0
    _named: dict[str, list[str]] = field(default_factory=dict)  # mails by Message-ID, also those that are gone

    # what a test does

    def deliver(self, raw: bytes, labels: Sequence[str] = ARRIVED, at: float | None = None) -> str:
        """A mail arrives (or was there, ``at`` a time); its id."""
        for label in labels:
            self.check_label(label)
        return self.add(raw, labels, at).id

    def relabel(self, mail: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Labels change, as by another of the user's clients."""
        self.modify(self.mail(mail), list(add), list(remove))

    def archive(self, mail: str) -> None:
        self.relabel(mail, remove=["INBOX"])

    def mark_read(self, mail: str, read: bool = True) -> None:
        self.relabel(mail, remove=["UNREAD"] if read else [], add=[] if read else ["UNREAD"])

    def delete(self, mail: str) -> None:
        """Gone for good, not into the bin."""
        self.remove(self.mail(mail))

    def expire_history(self) -> None:
        """Forget every change so far, as after about a week."""
        self.history += 1
        self.oldest_history = self.history
        self.changes.clear()

    # what the commands do

    def mail(self, ident: str) -> Mail:
        if not re.fullmatch(r"[0-9a-f]{1,16}", ident):
            raise invalid("Invalid id value")
        if ident not in self.mails:
            raise not_found()
        return self.mails[ident]

    def thread(self, ident: str) -> list[Mail]:
        if not re.fullmatch(r"[0-9a-f]{1,16}", ident):
            raise invalid("Invalid id value")
        found = [mail for mail in self.mails.values() if mail.thread == ident]
        if not found:
            raise not_found()
        return sorted(found, key=lambda mail: (mail.at, mail.id))

    def draft(self, ident: str) -> Mail:
        if ident not in self.drafts:
            raise not_found()
        return self.mails[self.drafts[ident]]

    def add(
        self,
        raw: bytes,
        labels: Iterable[str],
        at: float | None = None,
        thread: str | None = None,
        stays_in: str | None = None,
    ) -> Mail:
        """A new mail; in the thread asked for if it fits there, or in that of the draft whose place it takes."""
        self._made += 1
        now = int(self.now() * 1000)
        ident = f"{(now << 20) + self._made:016x}"
        parsed = message_from_bytes(raw)
        home = stays_in or self._thread_of(parsed, thread) or ident
        mail = Mail(ident, home, raw, list(dict.fromkeys(labels)), now if at is None else int(at * 1000), 0)
        self.mails[ident] = mail
        self._named.setdefault(str(parsed.get("Message-ID", "")).strip(), []).append(ident)
        self._record("messageAdded", mail)
        return mail

    def remove(self, mail: Mail) -> None:
        del self.mails[mail.id]
        self.drafts = {ident: each for ident, each in self.drafts.items() if each != mail.id}
        self._record("messageDeleted", mail)

    def modify(self, mail: Mail, add: Sequence[str], remove: Sequence[str]) -> None:
        new = [label for label in dict.fromkeys(add) if label not in mail.labels and label not in remove]
        old = [label for label in dict.fromkeys(remove) if label in mail.labels]
        mail.labels = [label for label in mail.labels if label not in old] + new
        if new:
            self._record("labelAdded", mail, new)
        if old:
            self._record("labelRemoved", mail, old)

    def check_label(self, label: str, *, by_command: bool = False) -> None:
        if (label not in SYSTEM_LABELS and label not in self.labels) or (by_command and label in FIXED):
            raise invalid(f"Invalid label: {label}")

    def create_label(self, name: str, label_list: str = "labelShow", message_list: str = "show") -> UserLabel:
        if not name.strip() or name.upper() in SYSTEM_LABELS:
            raise invalid("Invalid label name")
        if any(each.name.casefold() == name.casefold() for each in self.labels.values()):
            raise Refused(409, "aborted", "Label name exists or conflicts")
        label = UserLabel(f"Label_{len(self.labels) + 1}", name, label_list, message_list)
        self.labels[label.id] = label
        return label

    def save_draft(self, raw: bytes, thread: str | None, draft: str | None = None) -> str:
        """Keep the text as a draft, new or in place of what ``draft`` was; its id."""
        stays_in = None
        if draft is not None:
            old = self.draft(draft)
            stays_in = old.thread if thread in (None, old.thread) else None
            self.remove(old)
        mail = self.add(raw, ["DRAFT"], thread=thread, stays_in=stays_in)
        ident = draft or f"r{self._chance.randrange(10**18, 10**19) - 5 * 10**18}"
        self.drafts[ident] = mail.id
        return ident

    def send_draft(self, ident: str) -> Mail:
        draft = self.draft(ident)
        raw, recipients = self._outgoing(draft.raw)  # a draft that can't go stays
        self.remove(draft)
        return self._send(raw, recipients, stays_in=draft.thread)

    def send(self, raw: bytes, thread: str | None) -> Mail:
        return self._send(*self._outgoing(raw), thread=thread)

    def _send(
        self, raw: bytes, recipients: tuple[str, ...], thread: str | None = None, stays_in: str | None = None
    ) -> Mail:
        mine = {self.address, *self.aliases}
        labels = ["SENT", *(("INBOX", "UNREAD") if mine & set(recipients) else ())]
        mail = self.add(raw, labels, thread=thread, stays_in=stays_in)
        self.sent.append(Sent(mail.id, raw, recipients))
        return mail

    def _outgoing(self, raw: bytes) -> tuple[bytes, tuple[str, ...]]:
        parsed = message_from_bytes(raw, policy=policy.compat32)
        fields = [value for name in ("To", "Cc", "Bcc") for value in parsed.get_all(name, [])]
        recipients = tuple(dict.fromkeys(address for _, address in getaddresses(list(map(str, fields))) if address))
        if not recipients:
            raise invalid("Recipient address required")
        if any("@" not in address for address in recipients):
            raise invalid("Invalid To header")
        written = parseaddr(str(parsed.get("From", "")))[1].lower()
        if written not in (self.address, *self.aliases):
            _put(parsed, "From", formataddr((self.name, self.address)))
        own = str(parsed.get("Message-ID", "")).strip()
        if not own.endswith(f"{OWN_IDS}>"):
            if own:
                _put(parsed, "X-Google-Original-Message-ID", own)
            _put(parsed, "Message-ID", f"<CA{self._chance.getrandbits(160):040x}{OWN_IDS}>")
        if "Date" not in parsed:
            _put(parsed, "Date", format_datetime(datetime.fromtimestamp(self.now(), UTC)))
        return parsed.as_bytes(), recipients

    def _thread_of(self, parsed: Message, asked: str | None) -> str | None:
        """The thread that a mail joins: the one asked for or referred to, if it refers to it and has its subject."""
        if asked is not None:
            self.thread(asked)
        named = set(re.findall(r"<[^<>\s]+>", f"{parsed.get('References', '')} {parsed.get('In-Reply-To', '')}"))
        known = {ident for each in named for ident in self._named.get(each, ())} & self.mails.keys()
        for mail in (self.mails[ident] for ident in sorted(known, reverse=True)):
            if asked in (None, mail.thread) and subject_of(mail.parsed) == subject_of(parsed):
                return mail.thread
        return None

    def _record(self, kind: Kind, mail: Mail, changed: Iterable[str] = ()) -> None:
        self.history += self._chance.randrange(1, 40)
        mail.history = self.history
        self.changes.append(Change(self.history, kind, mail.id, mail.thread, tuple(mail.labels), tuple(changed)))


def subject_of(parsed: Message) -> str:
    """What two subjects of one thread have in common."""
    return re.sub(r"^(?:\s*(?:re|fwd?|aw|wg)\s*:)+", "", str(parsed.get("Subject", "")), flags=re.I).strip().casefold()


def _put(parsed: Message, name: str, value: str) -> None:
    del parsed[name]
    parsed[name] = value
