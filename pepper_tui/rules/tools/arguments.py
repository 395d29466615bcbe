"""The arguments with which tools describe a rule: names, types and descriptions, for every tool that takes them."""

from __future__ import annotations

from typing import Final, TypedDict

from pepper_tui.model import Json
from pepper_tui.text import one_line

Words = list[str] | str | None


class Said(TypedDict, total=False):
    """What may be said of a rule.

    Args:
        sender: who writes: addresses, domains as "@example.com", or names of people who have written before
        words: any of these as whole words, in subject or text
        source: mail, calendar, or the name of a feed; empty for any
        thread: words of the subject
        label: folder of the mail, or category of the event
        known: true: only from people the user has written to
        question: true: only a mail to the user that asks something
        cron: a time, as a cron line in the user's zone, e.g. "0 8 * * mon-fri"; not together with the conditions above
        every_seconds: or a time every so many seconds
        text: what it says at that time
        before: minutes before an event at which its acts are done
        after: the name of a rule whose follow-up was not answered
        priority: urgent, high, normal, low or log
        notify: true: tell the user
        draft: the name of a template of the user's to draft a reply from
        reply: or the words of the draft themselves
        remind: make a reminder, e.g. "tomorrow 9am"
        follow_up_hours: hours to wait for an answer in the thread, then tell the user
        nudge: a template to draft a reminder mail from, where no answer came
        brief_minutes: minutes before an event to brief the user; at a time: 1, for a brief of the day
        ask: a prompt for the model, in the user's words
        reason: why you propose it
    """

    sender: Words
    words: Words
    source: str | None
    thread: str | None
    label: str | None
    known: bool | None
    question: bool | None
    cron: str | None
    every_seconds: float | None
    text: str | None
    before: int | None
    after: str | None
    priority: str | None
    notify: bool | None
    draft: str | None
    reply: str | None
    remind: str | None
    follow_up_hours: float | None
    nudge: str | None
    brief_minutes: int | None
    ask: str | None
    reason: str | None


_KEYS: Final = {"every_seconds": "every", "follow_up_hours": "follow_up", "brief_minutes": "brief"}
_NOT_OF_THE_RULE: Final = frozenset({"sender", "reason"})
"""A sender is looked up first; the card takes the reason from the call."""


def of_the_config(said: Said) -> Json:
    """Return what was said of a rule, except its sender, by the config's keys; leave out what was not given."""
    given = {_KEYS.get(key, key): value for key, value in said.items() if key not in _NOT_OF_THE_RULE}
    given["words"] = listed(said.get("words"))
    return {key: value for key, value in given.items() if value is not None}


def listed(words: Words) -> list[str] | None:
    """Return the non-empty entries of ``words``; ``None`` if it was not given."""
    if words is None:
        return None
    return [each for each in ([words] if isinstance(words, str) else words) if each.strip()]


def first_of(*said: Words) -> str:
    """Return the name of a rule: the first non-empty entry of ``said``."""
    return next((one_line(each, 60) for words in said for each in listed(words) or []), "rule")
