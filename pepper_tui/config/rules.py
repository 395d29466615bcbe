"""The config sections for rules, in their three forms."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from pepper_tui.config.base import Section, TimeWords, Words
from pepper_tui.model import Priority


class ClockEntry(Section):
    """An older form of ``[[rule]]`` with a time and no act.

    The clock emits a signal, by a cron line (in the user's zone) or an interval in seconds.
    """

    name: str
    text: str
    cron: str = ""
    every: Annotated[float, Field(ge=0)] = 0.0
    priority: Priority = Priority.NORMAL

    @model_validator(mode="after")
    def _one_rhythm(self) -> ClockEntry:
        if bool(self.cron) == bool(self.every):
            raise ValueError(f"clock entry {self.name!r} needs either cron or every")
        return self


class Rule(Section):
    """A rule of the user: conditions, all of which must hold, and the acts that code then carries out.

    It becomes a ``model.Rule``.
    """

    name: Annotated[str, Field(min_length=1, max_length=60)]
    source: str = ""  # mail, calendar, clock or a feed of the user; empty: any
    sender: Words = []  # any of these addresses, or domains as "@example.com"
    words: Words = []  # any of them, as whole words, in the subject or text
    thread: str = ""  # words of the thread's subject
    label: str = ""  # Maildir folder, or calendar category
    known: bool = False  # the user has written to the sender, or listed them in user.vips
    question: bool = False  # a mail to the user that asks something
    cron: str = ""  # a time, in the user's zone
    every: Annotated[float, Field(ge=0)] = 0.0  # seconds
    text: str = ""  # what a timed rule says; empty: the name
    before: Annotated[int, Field(ge=0)] = 0  # minutes before an event
    after: str = ""  # the name of a rule whose follow-up got no answer
    priority: Priority = Priority.HIGH
    notify: bool = False
    draft: str = ""  # name of a template in mail.templates
    reply: str = ""  # the text of a draft, if no template is named
    remind: TimeWords = ""  # e.g. "tomorrow 9am"
    follow_up: Annotated[float, Field(ge=0)] = 0.0  # hours to wait for an answer in the thread
    nudge: str = ""  # template of a draft if no answer came
    brief: Annotated[int, Field(ge=0)] = 0  # minutes before an event; for a timed rule, true means the day
    ask: str = ""  # a prompt for the model

    @model_validator(mode="after")
    def _can_match(self) -> Rule:
        if self.cron and self.every:
            raise ValueError(f"rule {self.name!r} needs either cron or every, not both")
        timed = bool(self.cron or self.every)
        mail = self.source or self.sender or self.words or self.thread or self.label or self.known or self.question
        looks = mail or self.before or self.after
        if not (timed or looks):
            raise ValueError(
                f"rule {self.name!r} has no condition; give it source, sender, words, thread, label, known, question, "
                "cron, every, before or after"
            )
        if timed and looks:
            raise ValueError(f"rule {self.name!r} needs either a time or something to look for; make it two rules")
        if self.draft and self.reply:
            raise ValueError(f"rule {self.name!r} needs either draft (a template's name) or reply (its words)")
        if self.nudge and not self.follow_up:
            raise ValueError(f"rule {self.name!r}: nudge goes with follow_up")
        return self


class Watch(Section):
    """An older form of ``[[rule]]``, with ``follow`` for ``follow_up``."""

    name: str
    source: str = ""  # mail, calendar, clock or a feed of the user; empty: any
    sender: str = ""  # an address, or a domain as "@example.com"
    words: Words = []  # any of them, as whole words, in the subject or text
    thread: str = ""  # words of the thread's subject
    label: str = ""  # Maildir folder, or calendar category
    priority: Priority = Priority.HIGH
    notify: bool = False
    draft: str = ""  # name of a template in mail.templates
    brief: Annotated[int, Field(ge=0)] = 0  # minutes before an event
    follow: Annotated[float, Field(ge=0)] = 0.0  # hours to wait for the next mail of this thread
    remind: TimeWords = ""  # e.g. "tomorrow 9am"
