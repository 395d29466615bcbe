"""Making, changing, pausing, removing rules, and earlier versions of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import parse_config
from pepper_tui.model import Facts, RuleState
from pepper_tui.rules import RuleBook, RuleChanges, RuleError, rules_of_config
from pepper_tui.rules.sentence import sentence
from pepper_tui.store import ContextStore
from tests.waiting import until

CONFIG = """
[mail.templates]
thanks = "Thanks"
[[rule]]
name = "invoices"
words = ["invoice"]
notify = true
"""
QUOTES = {"name": "quotes", "source": "mail", "words": ["quote"], "notify": True}


@pytest.fixture
async def book(store: ContextStore) -> AsyncIterator[RuleBook]:
    config = parse_config(CONFIG, Path("/h/config.toml"))
    opened = RuleBook(store, rules_of_config(config), config.mail.templates)
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
def changes(store: ContextStore, clock: ManualClock, book: RuleBook) -> RuleChanges:
    return RuleChanges(store, clock, book)


async def there(book: RuleBook, ident: str, version: str) -> None:
    await until(lambda: (rule := book.rule(ident)) is not None and rule.version == version)


async def test_a_rule_that_is_made_holds_and_can_be_changed(book: RuleBook, changes: RuleChanges) -> None:
    rule = changes.drafted({**QUOTES, "draft": "thanks"})
    assert "holds from now on" in await changes.make(rule)
    await there(book, "quotes", "1")
    [held] = book.matching(Facts("mail", subject="a quote"))
    assert (held.id, held.origin, held.acts) == ("quotes", "made", ["notify", "draft"])
    with pytest.raises(RuleError, match="says exactly this already"):
        changes.drafted({**QUOTES, "draft": "thanks", "name": "again"})
    assert changes.drafted({**QUOTES, "words": ["x"]}).name == "quotes 2"
    changed = changes.redrafted(held, {"words": ["offer"]})
    assert "version 2" in await changes.change(changed)
    await there(book, "quotes", "2")
    with pytest.raises(RuleError, match="changed meanwhile"):
        await changes.change(changed)
    assert not book.matching(Facts("mail", subject="a quote"))
    assert [rule.version for rule in await changes.versions("quotes")] == ["2", "1"]
    assert "version 3" in await changes.restore("quotes", "1")
    await there(book, "quotes", "3")
    assert book.matching(Facts("mail", subject="a quote"))
    with pytest.raises(RuleError, match="there is no version 9 of it; there are: 1, 2, 3"):
        await changes.restore("quotes", "9")
    with pytest.raises(RuleError, match="says this already"):
        await changes.restore("quotes", "1")


async def test_removed_and_brought_back(book: RuleBook, changes: RuleChanges) -> None:
    await changes.make(changes.drafted(QUOTES))
    await there(book, "quotes", "1")
    await changes.pause("quotes")
    await until(lambda: book.rule("quotes").state is RuleState.PAUSED)
    words = (await changes.remove("quotes"))[0]
    assert "`pepper rules restore quotes 1` brings it back" in words
    await until(lambda: book.rule("quotes") is None)
    assert [rule.name for rule in await changes.removed("quotes")] == ["quotes"]
    await changes.restore("quotes", "1")
    await there(book, "quotes", "2")
    await until(lambda: book.rule("quotes").state is RuleState.ACTIVE)
    await changes.remove("quotes")
    await until(lambda: book.rule("quotes") is None)
    await changes.make(changes.drafted({**QUOTES, "words": ["new"]}))  # the same id, as its next version
    await there(book, "quotes", "3")


async def test_a_rule_of_the_config_can_only_be_paused(book: RuleBook, changes: RuleChanges) -> None:
    with pytest.raises(RuleError, match=r"stands in config\.toml.*pausing it works"):
        await changes.remove("invoices")
    with pytest.raises(RuleError, match=r"config\.toml"):
        changes.redrafted(book.rule("invoices"), {"words": ["x"]})
    assert "Paused" in (await changes.pause("invoices"))[0]
    await until(lambda: book.rule("invoices").state is RuleState.PAUSED)
    assert "already" in (await changes.pause("invoices"))[0]
    assert "holds again" in (await changes.resume("invoices"))[0]
    await until(lambda: book.rule("invoices").state is RuleState.ACTIVE)
    with pytest.raises(RuleError, match=r"built in: it holds for the addresses in vips of \[user\]"):
        await changes.remove("vip")
    assert "not paused" in (await changes.resume("invoices"))[0]
    made = changes.drafted({**QUOTES, "name": "Invoices"})
    assert made.name == "Invoices 2"
    await changes.make(made)
    await there(book, "invoices-2", "1")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cron": "61 8 * * *", "notify": True}, "not a cron line"),
        ({"cron": "* * * * * *", "notify": True}, "not a cron line"),
        ({"every": 5, "notify": True}, "at most every 60 seconds"),
        ({"words": ["x"], "draft": "nope"}, "has no 'nope'; there are: thanks"),
        ({"words": ["x"]}, "say what it should do"),
        ({"words": ["x"], "priority": "low"}, "say what it should do"),
        ({"cron": "0 8 * * *", "reply": "x"}, "no mail to answer"),
        ({"notify": True}, "has no condition"),
    ],
)
async def test_what_can_be_no_rule(changes: RuleChanges, given: dict, words: str) -> None:
    with pytest.raises(RuleError, match=words):
        changes.drafted({"name": "x", **given})


@pytest.mark.parametrize(
    ("words", "found"),
    [("invoices", True), ("invoice", True), ("INVOICES", True), ("the", False), ("", False), ("quote", False)],
)
async def test_which_rule_is_meant(book: RuleBook, words: str, found: bool) -> None:
    assert bool(book.named(words)) is found


async def test_a_sender_can_be_blocked(book: RuleBook, changes: RuleChanges) -> None:
    rule = changes.drafted({"name": "block eve", "source": "mail", "sender": ["eve@x.org"], "priority": "log"})
    assert (rule.acts, rule.priority) == ([], "log")
    assert "tell me nothing, and only log it" in sentence(rule)
    await changes.make(rule)
    await there(book, "block-eve", "1")
    assert book.matching(Facts("mail", sender="eve@x.org"))
