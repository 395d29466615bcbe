"""What the tools of rules are built with, and which rule a call means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from pepper_tui.model import Namespace, Rule, RuleReport
from pepper_tui.rules.book import RuleBook
from pepper_tui.rules.changes import RuleChanges
from pepper_tui.rules.senders import Sender
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, ToolError
from pepper_tui.tools.tool import ToolContext

T = TypeVar("T")
RULE_WRITES: Final = frozenset({Namespace.RULE, Namespace.RULE_PAUSE})
"""What a tool that changes rules writes after approval."""


@dataclass(slots=True)
class RuleParts:
    """Everything that tools may do with rules.

    ``words``: a rule as a sentence and as TOML; ``rehearse``: what it would have done lately; ``senders``: who is meant
    by a name; ``offline``: there is no model that a rule could ask.
    """

    book: RuleBook
    changes: RuleChanges
    words: Callable[[Rule], tuple[str, str]]
    rehearse: Callable[[Rule], Awaitable[str]]
    senders: Callable[[str], Awaitable[Sequence[Sender]]]
    reports: Callable[[Sequence[Rule]], Awaitable[list[RuleReport]]]
    offline: bool = False


def rules_of(ctx: ToolContext) -> RuleParts:
    """Return the parts that the tool was built with. Raises ``ToolError`` if it was built without them."""
    if ctx.tool.given is None:
        raise ToolError("rules are not available here")
    return ctx.of(RuleParts)


def one_rule(ctx: ToolContext, words: str) -> Rule:
    """Return the one rule that ``words`` mean. Raises ``ToolError``."""
    book = rules_of(ctx).book
    found = book.named(words)
    if len(found) == 1:
        return found[0]
    listed = ", ".join(one_line(rule.name, 60) for rule in (found or book.rules)[:20])
    if found:
        raise ToolError(f"{len(found)} rules may be meant by {one_line(words, 60)!r}: {listed}. Name one of them.")
    there = f"there are: {listed}" if listed else "there are none yet"
    raise ToolError(f"there is no rule {one_line(words, 60)!r}; {there}")


async def done(work: Awaitable[T]) -> T:
    """Return the result of ``work``. Raises ``NotDoneError`` if the rules refuse it."""
    try:
        return await work
    except ValueError as error:
        raise NotDoneError(f"{error}.") from error
