"""Orders about rules in plain words: which are understood, as what, and what is left to other commands."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.llm.offline.grammar import parse
from pepper_tui.llm.offline.rule_words import read


@pytest.fixture(scope="module", autouse=True)
def grammars() -> None:
    """Built once, which takes longer than any text does."""
    parse("remind me at 8 to um 8")


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


MAIL_DAYS = "a rule about mail holds on all days"
NOTHING_OUT = "can leave nothing out"


@pytest.mark.parametrize(
    ("text", "part", "hint"),
    [
        ("always tell me when Dana writes on weekends", "on weekends", MAIL_DAYS),
        ("always tell me when Dana writes on monday", "on monday", MAIL_DAYS),
        ("when Dana writes on weekends, tell me", "on weekends", MAIL_DAYS),
        ("tell me when Dana writes before noon", "before noon", MAIL_DAYS),
        ("alert me if Dana writes after 18:00", "after 18:00", MAIL_DAYS),
        ("tell me when Dana writes today", "today", MAIL_DAYS),
        ("tell me when Dana writes, but not at night", "but not at night", MAIL_DAYS),
        ("tell me when Dana writes every weekday", "tell me when Dana writes", MAIL_DAYS),
        ("every day at 8 tell me when Dana writes", "tell me when Dana writes", MAIL_DAYS),
        ("remind me tomorrow 9am about every mail from Dana on mondays", "on mondays", MAIL_DAYS),
        ("watch invoices on fridays", "on fridays", MAIL_DAYS),
        ("before each meeting with Nora on monday brief me", "on monday", "a rule about events"),
        ('tell me when a mail mentions "quote" but not "offer"', 'but not "offer"', NOTHING_OUT),
        ("tell me when a mail mentions quote without offer", "without offer", NOTHING_OUT),
        ("tell me when everybody but Dana writes", "but Dana writes", NOTHING_OUT),
        ("tell me when Dana writes unless it is spam", "unless it is spam", NOTHING_OUT),
        ("always draft a reply with thanks to mail from Dana unless it is urgent", "unless it is urgent", NOTHING_OUT),
        ('tell me when a mail mentions "quote" and "offer"', '"quote" and "offer"', "join them with “or”"),
        ("tell me when a mail mentions quotes and offers", "quotes and offers", "join them with “or”"),
        ('watch "quote" near "offer"', "near", "outside the quotes"),
        ("watch invoices over 1000 euros", "over 1000 euros", "put them in quotes"),
        ("watch invoices that are late", "that are late", "put them in quotes"),
        ("watch my calendar for conflicts", "my calendar for conflicts", "`rules` shows"),
        ("watch my inbox", "my inbox", "not at a calendar or an inbox"),
        ("every weekday at 8 and on sunday at 10 tell me my calendar", "at 10", "two rules"),
        ("every day until friday at 8 tell me my calendar", "every day until friday at 8", "until you stop it"),
        ("every day at 8 for 2 weeks tell me my calendar", "every day at 8 for 2 weeks", "until you stop it"),
        ("every day at 8 from tomorrow tell me my calendar", "every day at 8 from tomorrow", "until you stop it"),
        ("every weekday between 9 and 5 tell me to stretch", "every weekday between 9 and 5", "it has no length"),
        ("every day at 5:30 tell me my calendar", "every day at 5:30", "it can be 05:30 or 17:30"),
        ("every day at 8:00 and 18:30 tell me my calendar", "every day at 8:00 and 18:30", "share their minutes"),
        ("every day at 8 tell me my calendar until christmas", "until christmas", "one rhythm"),
        ("tell me my calendar every day at 8 and every sunday at 10", "every day at 8 and", "one rhythm"),
        ("every 90 minutes tell me to drink except at night", "except at night", "one rhythm"),
        ("every hour except on fridays tell me to drink", "every hour except on fridays", "named days only"),
        ("every weekday except sunday at 8 tell me my calendar", "every weekday except sunday at 8",
         "not among the others"),
        ("every day at 8 tell me my calendar but only with Nora", "but only with Nora", "the brief of a day is whole"),
        ("tell me when Dana answers", "answers", "a rule does not see what a mail answers"),
        ("tell me when Dana replies to my mail", "replies to my", "no part of a name"),
        ("tell me when Chris doesn't answer", "doesn't answer", "follow up when Dana doesn't answer within 2 days"),
        ("follow up when Chris doesn't reply to my mail in 2 days", "doesn't reply to my mail in 2 days", "follow up"),
        ("follow up when nobody answers within 2 days", "nobody answers within 2 days", "follow up when Dana"),
        ("follow up when nobody answers Dana within 2 days", "nobody answers Dana within 2 days", "when Dana"),
        ("tell me when Dana writes and remind me tomorrow", "and remind me tomorrow", "a rule of one act"),
        ("when Dana writes, tell me and draft a reply with thanks", "and draft a reply with thanks", "one act"),
        ("watch invoices from last week", "last week", "no part of a name"),
        ("tell me only when Dana writes", "only when Dana writes", NOTHING_OUT),
        ("brief me 10 minutes before every meeting except standups", "except standups", NOTHING_OUT),
        ("every second friday at 8 tell me my calendar", "every second friday at 8", "the same times of every"),
        ("every 2 days at 8 tell me my calendar", "every 2 days at 8", "the same times of every"),
        ("tell me when Dana writes on friday afternoon", "on friday afternoon", MAIL_DAYS),
        ("tell me when Dana writes after 18", "after 18", MAIL_DAYS),
        ("tell me when Dana writes at half past 9", "at half past 9", MAIL_DAYS),
        ("tell me when Dana writes next week", "next week", MAIL_DAYS),
        ("tell me when Dana writes mondays", "tell me when Dana writes", MAIL_DAYS),
        ("tell me when Dana writes during office hours", "during office hours", MAIL_DAYS),
        ("tell me when it rains", "it rains", ""),
        ("tell me when Dana writes twice", "Dana writes twice", ""),
        ("from now on be nice", "be nice", ""),
    ],
)  # fmt: skip
def test_a_part_that_is_not_understood_is_named(text: str, part: str, hint: str) -> None:
    command = parse(text)
    assert command.kind == "rule_unclear"
    assert f"“{part}”" in command["why"]
    assert hint in command["why"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("every day at 8 and 18 tell me my calendar", {"cron": "0 8,18 * * *", "brief_minutes": 1, "ask": None}),
        ("every weekday and saturday at 8 tell me my calendar", {"cron": "0 8 * * mon,tue,wed,thu,fri,sat"}),
        ("every last friday of the month at 16 tell me my calendar", {"cron": "0 16 * * L5"}),
        ("every second friday of the month at 16 tell me my calendar", {"cron": "0 16 * * fri#2"}),
        ("every month on the 15th at half past 8 tell me my calendar", {"cron": "30 8 15 * *"}),
        ("on the last day of every month tell me my calendar", {"cron": "0 9 L * *"}),
        ("every year on dec 24 tell me to buy a tree", {"cron": "0 9 24 12 *", "text": "buy a tree"}),
        ("every 90 minutes tell me to drink", {"every_seconds": 5400.0, "cron": None}),
        ("every 2 hours tell me to drink", {"every_seconds": 7200.0, "cron": None}),
        ("every hour tell me to drink", {"cron": "0 * * * *"}),
        ("mondays at quarter past 9 tell me my calendar", {"cron": "15 9 * * mon"}),
        ("at 8 every day tell me my calendar", {"cron": "0 8 * * *"}),
        ("tell me when mail comes from April", {"sender": ["April"]}),
        ("tell me when mail comes from Jan or May", {"sender": ["Jan", "May"]}),
        ("every monday at 8, 10 and 12 tell me my calendar", {"cron": "0 8,10,12 * * mon"}),
        ("every evening at 8 and 10 tell me my calendar", {"cron": "0 20,22 * * *"}),
        ("every weekday except friday at 8 tell me my calendar", {"cron": "0 8 * * mon,tue,wed,thu"}),
        ("every day at 8 except on sundays tell me my calendar", {"cron": "0 8 * * mon,tue,wed,thu,fri,sat"}),
        ("every day at 8 tell me my calendar and the weather",
         {"brief_minutes": 1, "ask": "tell me my calendar and the weather"}),
        ("every day at 8 sum up my mail from friday", {"ask": "sum up my mail from friday"}),
        ("watch invoices from Dana", {"sender": ["Dana"], "words": ["invoices", "invoice"]}),
        ("always tell me about invoices from Dana", {"sender": ["Dana"], "words": ["invoices", "invoice"]}),
        ("watch invoices from somebody I know", {"known": True, "words": ["invoices", "invoice"]}),
        ("watch order 1234", {"words": ["order 1234"]}),
        ("every weekday at 8 tell me what is on my calendar today", {"brief_minutes": 1, "ask": None}),
        ("watch terms of service", {"words": ["terms of service", "terms of services"]}),
        ('watch "from Dana"', {"words": ["from Dana"]}),
        ('tell me when a mail says "not on monday"', {"words": ["not on monday"]}),
        ("tell me when a mail says tomorrow", {"words": ["tomorrow", "tomorrows"]}),
        ("tell me when somebody I know asks me something", {"known": True, "question": True}),
        ("tell me when somebody asks about outages", {"question": True, "words": ["outages", "outage"]}),
        ("tell me when mail comes from people I know", {"known": True}),
    ],
)  # fmt: skip
def test_what_is_kept_whole(text: str, says: dict[str, Any]) -> None:
    order = read(text)
    assert order is not None
    assert order.kind == "new_rule"
    assert {key: order.says.get(key) for key in says} == says


@settings(deadline=None)
@given(st.text(max_size=320))
def test_any_text_is_read(text: str) -> None:
    read(text)


WORDS = (
    *("tell", "me", "when", "mail", "from", "Nora", "or", "and", ",", "about", "writes", "every", "day", "at", "8"),
    *("stop", "watching", "rule", "'x'", "with", "again"),
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_words_are_read_in_bounded_time(words: list[str]) -> None:
    began = time.perf_counter()
    read(" ".join(words))
    assert time.perf_counter() - began < 5.0
