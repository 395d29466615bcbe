"""A query in Gmail's words, asked of the double: it finds all that match by a look at each mail."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock
from pepper_tui.clock.words import TimeReader
from pepper_tui.connectors.gmail.query import ANSWERED, WHOLE_WORDS, gmail_query
from pepper_tui.domains.mail.at_source.state import Copy, MailState, Mark, Use
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.domains.mail.search.matching import matches
from pepper_tui.domains.mail.search.query import MailQuery, Term, all_of, negated, some_of
from pepper_tui.domains.mail.search.query_text import parse
from pepper_tui.domains.mail.search.resolving import resolved
from pepper_tui.model import Json
from tests.connectors.imap.letters import NOW, QUERIES, letters
from tests.google.gmail.mailbox import Mailbox
from tests.google.gmail.query import matching

TIMES = TimeReader(ManualClock(NOW.timestamp()), UTC)
OTHER = {'"lunch report" OR choir', "in:choir"}
"""The double finds no phrase over the end of a line, a label only by its own name, and no letters beyond ASCII."""
MORE = [
    "in:spam",
    "in:trash rent",
    "in:anywhere rent",
    "-in:inbox",
    "in:archive rent",
    "account:work rent",
    "-account:home",
]
BROAD = {"-to:bob", "cc:zoe@x.org -to:bob", "is:answered OR is:flagged", "in:anywhere rent"}
"""What is only decided by a look at each mail."""
MARKS: dict[str, Mark] = {"\\Seen": "seen", "\\Flagged": "flagged"}
USES: dict[str, tuple[tuple[str, ...], Use]] = {
    "INBOX": (("INBOX",), "inbox"), "Sent": (("SENT",), "sent"), "Lists.Choir": (("TRASH",), "trash"),
}  # fmt: skip
WORDS = {
    "rent": "rent in:anywhere",
    '"rent due" -lunch': '("rent due" -lunch) in:anywhere',
    "rent OR lease x": "((rent OR lease) x) in:anywhere",
    "from:dana@x.org": "from:dana@x.org in:anywhere",
    "from:@x.org": "from:x.org in:anywhere",
    'from:"Dana Fox"': "(from:Dana from:Fox) in:anywhere",
    "-to:bob": "in:anywhere",
    "": "in:anywhere",
    "is:flagged has:attachment": "(is:starred has:attachment) in:anywhere",
    'in:"Work/Old Bills"': "label:work-old-bills in:anywhere",
    "account:home": None,
}
FIELDS = st.sampled_from(["text", "from", "to", "cc", "subject", "in"])
TERMS = st.builds(Term, FIELDS, st.text(max_size=12))


@pytest.fixture(scope="module")
def box() -> tuple[Mailbox, dict[str, tuple[Json, MailState]]]:
    """A mailbox with all letters, and of each mail what Pepper would know."""
    box, known = Mailbox("me@example.org", NOW.timestamp), {}
    for letter in letters():
        labels, use = USES.get(letter.folder, ((), "archive"))
        marks: list[Mark] = [mark for flag, mark in MARKS.items() if flag in letter.flags]
        labels = [*labels, *(() if "seen" in marks else ["UNREAD"]), *(["STARRED"] if "flagged" in marks else ())]
        mail = parse_mail(letter.source)
        ident = box.deliver(letter.source, labels, mail.date)
        copy = Copy(ident, "work", letter.folder, use, marks)
        known[ident] = ({**mail.data(), "account": "work", "label": letter.folder}, MailState(ident, [copy]))
    return box, known


async def test_it_finds_all_that_match(box: tuple[Mailbox, dict[str, tuple[Json, MailState]]]) -> None:
    mailbox, known = box
    for text in {each for each in (*QUERIES, *MORE) if each.isascii()} - OTHER:
        query = await resolved(parse(text), TIMES, ["me@example.org"])
        q, _ = gmail_query(query, "work")
        assert q is not None
        fits = matching(mailbox, q, hidden=False)
        found = {ident for ident in known if fits(mailbox.mail(ident))}
        wanted = {ident for ident, (mail, state) in known.items() if matches(query, mail, state) is True}
        assert wanted <= found, (text, q)
        assert len(found) < len(known) or len(wanted) > 60 or text in BROAD, (text, q)


@pytest.mark.parametrize("text", WORDS)
def test_the_words(text: str) -> None:
    assert gmail_query(parse(text), "work")[0] == WORDS[text]


def test_what_gmail_takes_otherwise_is_remarked() -> None:
    assert gmail_query(parse("is:answered"), "work")[1] == [ANSWERED]
    assert gmail_query(parse("rent"), "work")[1] == [WHOLE_WORDS]
    assert gmail_query(parse("is:unread"), "work")[1] == []


@settings(max_examples=150, deadline=None)
@given(st.lists(TERMS, min_size=1, max_size=3))
def test_no_value_can_be_an_operator(terms: list[Term]) -> None:
    said = gmail_query(MailQuery(some_of([all_of(terms), *map(negated, terms)])), "work")[0]
    assert said is not None
    matching(Mailbox("me@example.org", lambda: 0.0), said, hidden=True)
