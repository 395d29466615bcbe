"""What a rule would be: made of what was said, or of a rule and what should change, and stored nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from croniter import croniter

from pepper_tui.model import Json, Priority, Rule
from pepper_tui.rules.book import RuleBook
from pepper_tui.rules.errors import RuleError
from pepper_tui.rules.toml_text import checked, words_of
from pepper_tui.text import one_line

SHORTEST: Final = 60.0  # seconds between two times of a rule


def drafted(book: RuleBook, given: Json, now: float) -> Rule:
    """Make a new rule from ``given`` (keys of the config) without storing it. Raises ``RuleError``."""
    rule = _sound(book, given)
    same = [one for one in book.rules if _says(one) == _says(rule)]
    if same:
        raise RuleError(f"your rule {one_line(same[0].name, 60)!r} says exactly this already")
    taken = {one.name.casefold() for one in book.rules}
    name, number = rule.name, 1
    while rule.name.casefold() in taken:
        number += 1
        rule.name = f"{name[:56]} {number}"
    rule.created_at = now
    return rule


def redrafted(book: RuleBook, of: Rule, given: Json) -> Rule:
    """``of`` with the keys of ``given``, as its next version, stored nowhere. Raises ``RuleError``."""
    must_be_made(of)
    rule = _sound(book, {**words_of(of), **given})
    if words_of(rule) == words_of(of):
        raise RuleError(f"your rule {one_line(of.name, 60)!r} says this already")
    if any(one.id != of.id and one.name.casefold() == rule.name.casefold() for one in book.rules):
        raise RuleError(f"another rule is called {one_line(rule.name, 60)!r}")
    return replace(rule, id=of.id, version=str(int(of.version) + 1), created_at=of.created_at)


def stays(rule: Rule) -> str:
    """Why a built-in rule can't be changed or removed, and where what it tells of comes from."""
    of = {
        "vip": "it holds for the addresses in vips of [user] in config.toml, so take them out there",
        "begins-soon": "it tells of your calendar",
        "conflicts": "it tells of your calendar",
        "facts": "[mail.facts] in config.toml says which facts are told",
    }.get(rule.id, "it stands for all that comes")
    return f"the rule {one_line(rule.name, 60)!r} is built in: {of}; pausing it works here"


def must_be_made(rule: Rule) -> None:
    """Raise ``RuleError`` for a rule that can't be changed or removed in Pepper."""
    if rule.origin == "built in":
        raise RuleError(stays(rule))
    if rule.origin != "made":
        raise RuleError(
            f"the rule {one_line(rule.name, 60)!r} stands in config.toml: change it there; pausing it works here"
        )


def _sound(book: RuleBook, given: Json) -> Rule:
    try:
        rule = Rule(id="", **checked(given))
    except ValueError as error:
        raise RuleError(str(error)) from error
    if rule.cron and (len(rule.cron.split()) not in (1, 5) or not croniter.is_valid(rule.cron)):  # no seconds
        raise RuleError(f"{one_line(rule.cron, 60)!r} is not a cron line; for weekdays at 8 it is '0 8 * * mon-fri'")
    if rule.every and rule.every < SHORTEST:
        raise RuleError(f"a rule comes at most every {SHORTEST:g} seconds")
    for name in (rule.draft, rule.nudge):
        if name and name not in book.templates:
            there = ", ".join(sorted(book.templates)) or "none"
            raise RuleError(f"[mail.templates] in config.toml has no {one_line(name, 40)!r}; there are: {there}")
    if not rule.acts and rule.priority is not Priority.LOG:  # to tell nothing of a sender is an order, too
        raise RuleError(
            "say what it should do: notify, draft or reply, remind, follow_up, brief or ask; or log, as priority"
        )
    if rule.timed and any(act in ("draft", "follow_up") for act in rule.acts):
        raise RuleError("at a time there is no mail to answer or follow; a time can notify, remind, brief or ask")
    return rule


def _says(rule: Rule) -> Json:
    """Return what a rule says, without its name."""
    return {key: value for key, value in words_of(rule).items() if key != "name"}
