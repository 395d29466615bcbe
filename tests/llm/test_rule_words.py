"""Orders about rules in plain words: which are understood, as what, and what is left to other commands."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.llm.grammar import parse
from pepper_tui.llm.rule_words import read


@pytest.mark.parametrize(
    ("text", "kind", "rule"),
    [
        ("rules", "rules", ""),
        ("my rules", "rules", ""),
        ("list rules", "rules", ""),
        ("show me my rules", "rules", ""),
        ("Which rules do I have?", "rules", ""),
        ("what are you watching for me", "rules", ""),
        ("show rule invoices", "rule", "invoices"),
        ("stop watching invoices", "pause_rule", "invoices"),
        ("please stop watching for the invoices.", "pause_rule", "invoices"),
        ("stop telling me when Nora writes", "pause_rule", "Nora"),
        ("stop telling me about mail from Nora", "pause_rule", "Nora"),
        ("don’t tell me about invoices any more", "pause_rule", "invoices"),
        ("do not notify me when Nora Lindqvist writes anymore", "pause_rule", "Nora Lindqvist"),
        ("never tell me about offers again", "pause_rule", "offers"),
        ("I don't want to hear about offers", "pause_rule", "offers"),
        ("pause rule new customers", "pause_rule", "new customers"),
        ("pause the rule 'new customers'", "pause_rule", "new customers"),
        ("pause the new customers rule", "pause_rule", "new customers"),
        ("mute invoices for now", "pause_rule", "invoices"),
        ("stop the rule invoices", "pause_rule", "invoices"),
        ("stop watching Nora or Dana", "pause_rule", "Nora or Dana"),
        ("resume rule invoices", "resume_rule", "invoices"),
        ("watch invoices again", "resume_rule", "invoices"),
        ("tell me about invoices again", "resume_rule", "invoices"),
        ("tell me when Nora writes again", "resume_rule", "Nora"),
        ("remove rule invoices", "remove_rule", "invoices"),
        ("delete the rule “invoices”", "remove_rule", "invoices"),
        ("forget the invoices rule", "remove_rule", "invoices"),
    ],
)
def test_rules_that_are_there(text: str, kind: str, rule: str) -> None:
    command = parse(text)
    assert (command.kind, command["rule"]) == (kind, rule)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("always tell me when Nora writes", {"sender": ["Nora"], "notify": True}),
        ("tell me when Nora, Dana or Ben writes", {"sender": ["Nora", "Dana", "Ben"]}),
        ("tell me when my boss writes about the budget", {"sender": ["boss"], "words": ["budget", "budgets"]}),
        ("tell me when anybody at example.com writes", {"sender": ["@example.com"]}),
        ("watch deliveries", {"words": ["deliveries", "delivery"]}),
        ("watch taxes", {"words": ["taxes", "tax"]}),
        ("watch glass", {"words": ["glass", "glasses"]}),
        ('watch for "Invoices"', {"words": ["Invoices"]}),
        ("watch invoices and receipts", {"words": ["invoices", "invoice", "receipts", "receipt"]}),
        ("watch mail from a@b.org", {"sender": ["a@b.org"]}),
        ("watch a@b.org", {"sender": ["a@b.org"]}),
        ("always draft a reply with thanks to mail from Dana", {"draft": "thanks", "sender": ["Dana"]}),
        ("every night at 10 tell me my schedule", {"cron": "0 22 * * *"}),
        ("every morning tell me my calendar", {"cron": "0 9 * * *"}),
        ("weekdays at 8:15 tell me my agenda", {"cron": "15 8 * * mon-fri"}),
        ("every weekend at noon sum up my mail", {"cron": "0 12 * * sat,sun"}),
        ("every sunday at 18 brief me on the week", {"cron": "0 18 * * sun"}),
        ("every month at 9 sum up my mail", {"cron": "0 9 1 * *"}),
        ("brief me half an hour before every meeting", {"brief_minutes": 30, "source": "calendar"}),
        ("let me know 1 hour before every appointment with Dr Lee", {"before": 60, "words": ["Dr Lee"]}),
    ],
)  # fmt: skip
def test_new_rules(text: str, says: dict[str, Any]) -> None:
    order = read(text)
    assert order is not None
    assert order.kind == "new_rule"
    assert {key: order.says.get(key) for key in says} == says


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("remind me every monday at 8am to plan", "remind"),
        ("every day at 9 remind me to stretch", "remind"),
        ("remind me tomorrow to watch the oven", "remind"),
        ("note: always tell me when Nora writes", "note"),
        ("reply to bob: stop watching invoices", "reply"),
        ("send mail to a@b.org: Rules: pause rule invoices", "send"),
        ("search mail for rules", "search_mail"),
        ("forget reminder tea", "cancel_reminder"),
        ("forget my phone", "forget"),
        ("brief me on the watch meeting", "brief"),
        ("am I free every monday", "unknown"),
        ("summarise the rules", "summarise"),
        ("what's on today", "agenda"),
        ("sum up this: stop watching invoices", "summarise"),
        ("tell me when it rains", "rule_unclear"),
        ("tell me when he writes", "rule_unclear"),
        ("watch", "rule_unclear"),
        ("from now on be nice", "rule_unclear"),
        ("every day at 25 tell me my calendar", "rule_unclear"),
    ],
)
def test_what_other_commands_keep(text: str, kind: str) -> None:
    assert parse(text).kind == kind


@given(st.text(max_size=320))
def test_any_text_is_read(text: str) -> None:
    read(text)


WORDS = (
    *("tell", "me", "when", "mail", "from", "Nora", "or", "and", ",", "about", "writes", "every", "day", "at", "8"),
    *("stop", "watching", "rule", "'x'", "with", "again"),
)


@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_words_are_read_in_bounded_time(words: list[str]) -> None:
    began = time.perf_counter()
    read(" ".join(words))
    assert time.perf_counter() - began < 0.5
