"""Plain words that ask for mail, and the query that they mean."""

from __future__ import annotations

import pytest

from pepper_tui.domains.mail.search.query_text import parse
from pepper_tui.llm.offline.grammar import parse as command

ASKED = {
    "mails from dana about rent last week": 'from:dana rent on:"last week"',
    "my unread mail from dana": "from:dana is:unread",
    "any unread mails?": "is:unread",
    "list my flagged mails": "is:flagged",
    "unanswered mails from Bob Stone since monday": 'from:"Bob Stone" -is:answered after:monday',
    "find mails with attachments from bob before 2026-11-03": "from:bob has:attachment before:2026-11-03",
    "find mails to ann about the lease until yesterday": "to:ann the lease until:yesterday",
    "search mail for invoice 42": "invoice 42",
    "search mail for report 2026": "report 2026",
    "search my mails": None,
    "search mail rent": "rent",
    "show me mails from dana yesterday": "from:dana on:yesterday",
    "show unread mails from dana": "from:dana is:unread",
    "search mail for from:dana is:unread rent OR lease": "from:dana is:unread rent OR lease",
    'find mail "exact words"': '"exact words"',
    "unread mails in archive": "in:archive is:unread",
    "mails from dana 3 days ago": 'from:dana on:"3 days ago"',
    "show me mail from dana": None,
    "read mail from dana": None,
    "new mail": None,
    "what's new": None,
    "mail dana@x.org: lunch: at noon?": None,
    "send mail to dana@x.org: lunch: at noon?": None,
    "search mail for rules": "rules",
}
GERMAN = {
    "ungelesene mails von dana": "from:dana is:unread",
    "mails von dana über miete letzte woche": 'from:dana miete on:"letzte woche"',
    "suche mails mit anhang seit gestern": "has:attachment after:gestern",
    "mails von dana vor 3 tagen": 'from:dana on:"vor 3 tagen"',
}


@pytest.mark.parametrize(("text", "query"), [*ASKED.items()])
def test_words_for_mail(text: str, query: str | None) -> None:
    said = command(text)
    assert (said["query"] if said.kind == "search_mail" else None) == query
    assert parse(query or "") is not None


@pytest.mark.parametrize(("text", "query"), [*GERMAN.items()])
def test_german_words_for_mail(text: str, query: str) -> None:
    assert command(text, "de")["query"] == query


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("search the server for rent", "rent"),
        ("search my mail server for from:dana", "from:dana"),
        ("mails from dana on the server", "from:dana"),
        ("find mails about rent at my server since monday", "rent after:monday"),
    ],
)
def test_the_server_is_asked_if_it_is_named(text: str, query: str) -> None:
    said = command(text)
    assert (said.kind, said["query"], said["server"]) == ("search_mail", query, "yes")
    assert command(f"search mail for {query}")["server"] == ""
