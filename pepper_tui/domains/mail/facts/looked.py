"""What a fact looks at, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from pepper_tui.domains.mail.content.machines import by_a_machine
from pepper_tui.model import Facts, Json
from pepper_tui.text import one_line

Fact = Literal["failure", "alert", "question", "today", "review", "mention"]
"""The facts of a mail that came, the weightiest first."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A mail of ``raw.mail``, and what is known around it.

    ``own`` are the user's addresses, ``me`` their name; ``known`` says that the user has written to the sender, or
    named them as a VIP; ``authentic`` what the receiving server found out about the sender: true, false, or ``None`` if
    it is unknown. ``sent`` is the user's own mail that a delivery report is about, as ``{"subject", "thread"}``.
    """

    raw: Json
    facts: Facts
    now: float
    zone: tzinfo
    own: frozenset[str] = frozenset()
    locale: str = "en"
    me: str = ""
    known: bool = False
    authentic: bool | None = None
    sent: Json | None = None

    @property
    def text(self) -> str:
        """What is new in the mail."""
        return str(self.raw["reply"])

    @property
    def subject(self) -> str:
        return str(self.raw["subject"])

    @property
    def who(self) -> str:
        """The sender as a person reads it."""
        sender = self.raw["sender"]
        return one_line(str(sender["name"] or sender["address"] or "an unknown sender"), 60)

    @property
    def by_a_person(self) -> bool:
        """Whether a person may have written it, to somebody rather than to a list."""
        return not self.facts.is_list and not by_a_machine(self.raw)

    @property
    def to_me(self) -> bool:
        """Whether it is addressed to the user, and not only as a copy."""
        return not self.own.isdisjoint(self.facts.to)


@dataclass(frozen=True, slots=True)
class Found:
    """A fact: why it matters, in words, and ``said``, the words of the mail that it rests on.

    ``line``: what to say instead of the mail's own line. ``thread``: the conversation that it belongs to, if the mail
    does not say it.
    """

    fact: Fact
    reason: str
    said: str = ""
    line: str = ""
    thread: str = ""
