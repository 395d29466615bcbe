"""A rule as a sentence and as TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.config import parse_config
from pepper_tui.model import Priority, Rule
from pepper_tui.rules.sentence import sentence
from pepper_tui.rules.toml_text import KEYS, as_toml, checked, words_of

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TIMES = st.sampled_from(["", "tomorrow 9am", "in 2 days", "every monday at 8"])
LISTS = st.lists(WORDS, max_size=3)
RULES = st.one_of(
    st.fixed_dictionaries(
        {"source": st.sampled_from(["", "mail", "calendar", "builds"]), "thread": WORDS.filter(bool), "sender": LISTS},
        optional={
            "words": LISTS, "label": WORDS, "known": st.booleans(), "question": st.booleans(), "reply": WORDS,
            "remind": TIMES, "brief": st.integers(0, 100), "before": st.integers(0, 100),
            "follow_up": st.floats(0, 1e6), "after": WORDS,
        },
    ),
    st.fixed_dictionaries({"cron": WORDS.filter(bool)}, optional={"text": WORDS, "brief": st.integers(0, 1)}),
    st.fixed_dictionaries({"every": st.floats(0.1, 1e9)}, optional={"ask": WORDS}),
)  # fmt: skip


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    RULES,
    st.booleans(),
    st.sampled_from(list(Priority)),
)
def test_its_toml_parses_back_to_the_same_rule(name: str, says: dict[str, Any], notify: bool, priority: Priority):
    rule = Rule("id", name, notify=notify, priority=priority, **says)
    [section] = parse_config(as_toml(rule), Path("/h/config.toml")).rule
    data = rule.data()
    assert section.model_dump() == {key: data[key] for key in KEYS}
    assert "\n" not in sentence(rule)
    assert sentence(rule).endswith(".")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (
            {"source": "mail", "sender": ["dana@example.com"], "words": ["quote", "offer"], "notify": True,
             "draft": "thanks"},
            "When mail from dana@example.com says 'quote' or 'offer', tell me and draft a reply from the template "
            "'thanks'.",
        ),
        (
            {"cron": "0 8 * * mon-fri", "brief": 1, "ask": "sum up last night's mail."},
            "Every weekday at 08:00, brief me on the day and ask the model: sum up last night's mail.",
        ),
        ({"cron": "30 9 * * mon,thu", "notify": True}, "Every Monday and Thursday at 09:30, tell me."),
        ({"cron": "0 9 * * *", "ask": "x"}, "Every day at 09:00, ask the model: x."),
        ({"cron": "0 9 1 * *", "ask": "x"}, "On day 1 of every month at 09:00, ask the model: x."),
        ({"cron": "*/5 2-4 * * *", "ask": "x"}, "At the times of the cron line '*/5 2-4 * * *', ask the model: x."),
        ({"cron": "0 * * * *", "notify": True, "text": "sit up"}, "Every hour, tell me 'sit up'."),
        ({"every": 5400, "notify": True}, "Every 90 minutes, tell me."),
        ({"source": "calendar", "words": ["Nora"], "brief": 15},
         "When an event says 'Nora', brief me 15 minutes before it begins."),
        ({"source": "calendar", "before": 1, "notify": True}, "1 minute before an event, tell me."),
        ({"source": "mail", "sender": ["a@b.c", "@d.e"], "follow_up": 48, "nudge": "n"},
         "When mail from a@b.c or @d.e comes, wait for their next answer and tell me if none comes within 2 days and "
         "draft a reminder from the template 'n'."),
        ({"source": "mail", "known": True, "question": True, "notify": True},
         "When mail from somebody you know, by a person and to you alone, asks you something, tell me."),
        ({"source": "mail", "question": True, "notify": True},
         "When mail, by a person and to you alone, asks you something, tell me."),
        ({"every": 120, "text": "stretch", "priority": "normal"}, "Every 2 minutes, say 'stretch' and rank it normal."),
        ({"cron": "0 8 * * *", "text": "stretch", "brief": 1},
         "Every day at 08:00, say 'stretch' and brief me on the day."),
        ({"cron": "0 8,18 * * *", "brief": 1}, "Every day at 08:00 and 18:00, brief me on the day."),
        ({"words": ["x"], "priority": "urgent", "notify": True}, "When anything says 'x', tell me at once, as urgent."),
        ({"source": "builds", "priority": "low"}, "When something from the feed 'builds' comes, rank it low."),
        ({"source": "mail", "label": "Lists", "remind": "tomorrow 9am"},
         "When mail in 'Lists' comes, remind me tomorrow 9am."),
        ({"after": "quotes", "notify": True}, "When nobody answered within the time of the rule 'quotes', tell me."),
    ],
)  # fmt: skip
def test_it_reads_as_one_sentence(says: dict[str, Any], words: str) -> None:
    assert sentence(Rule("id", "name", **says)) == words


def test_a_default_is_left_out_and_a_digest_is_true() -> None:
    assert as_toml(Rule("i", 'a "b"', cron="0 8 * * *", brief=1)) == (
        '[[rule]]\nname = "a \\"b\\""\ncron = "0 8 * * *"\nbrief = true'
    )


def test_what_is_no_rule_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="has no condition"):
        checked({"name": "x", "notify": True})
    with pytest.raises(ValueError, match="either cron or every"):
        checked({"name": "x", "cron": "0 8 * * *", "every": 60})
    assert checked({"name": "a\x1b[31mb", "source": "mail"})["name"] == "ab"
    assert words_of(Rule("i", "x", source="mail")) == {"name": "x", "source": "mail"}
