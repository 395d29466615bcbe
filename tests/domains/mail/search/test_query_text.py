"""The search language: what is read, what is refused and where, and that writing and reading are inverse."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.domains.mail.search.query import (
    DATES,
    KEYS,
    PARTS,
    STATES,
    All,
    MailQuery,
    Node,
    Not,
    QueryError,
    Some,
    Term,
    all_of,
    inward,
    negated,
    some_of,
)
from pepper_tui.domains.mail.search.query_text import DEEPEST, LONGEST, MOST_TERMS, parse, written


def word(value: str, quoted: bool = False) -> Term:
    return Term("text", value, quoted)


READ: dict[str, Node] = {
    "": All(()),
    " - & … ": All(()),
    "rent": word("rent"),
    "rent due": All((word("rent"), word("due"))),
    "rent AND due": All((word("rent"), word("due"))),
    '"rent due"': word("rent due", True),
    "“rent due”": word("rent due", True),
    "„rent due“": word("rent due", True),
    r'"a \"b\" \\c"': word(r'a "b" \c', True),
    "a b OR c d": All((word("a"), Some((word("b"), word("c"))), word("d"))),
    "a OR b OR c": Some((word("a"), word("b"), word("c"))),
    "a OR (b c)": Some((word("a"), All((word("b"), word("c"))))),
    "-a": Not(word("a")),
    "NOT a": Not(word("a")),
    "--a": word("a"),
    "-(a b)": Not(All((word("a"), word("b")))),
    "-from:dana": Not(Term("from", "dana")),
    "from:dana@x.org": Term("from", "dana@x.org"),
    "from: dana": Term("from", "dana"),
    'from:"Dana Fox"': Term("from", "Dana Fox"),
    "FROM:Dana": Term("from", "Dana"),
    "subject:(rent OR lease)": Some((Term("subject", "rent"), Term("subject", "lease"))),
    "subject:re:": Term("subject", "re:"),
    "since:monday": Term("after", "monday"),
    "label:Work/Bills": Term("in", "Work/Bills"),
    "is:starred": Term("is", "flagged"),
    "is:SEEN": Term("is", "read"),
    "has:attachments": Term("has", "attachment"),
    "e-mail 10:30 http://x.org/a": All((word("e-mail"), word("10:30"), word("http://x.org/a"))),
    "or not and": All((word("or"), word("not"), word("and"))),
    "Ünal:x": word("Ünal:x"),
}


@pytest.mark.parametrize("text", READ)
def test_what_is_read(text: str) -> None:
    assert parse(text).root == READ[text]


REFUSED = {
    "colour:red": (1, "there is no key colour:"),
    "rent form:dana": (6, "did you mean from:?"),
    "re: lunch": (1, '"re:"'),
    '"open': (1, "a quote that is never closed"),
    'from:"open': (6, "a quote that is never closed"),
    "a (b": (3, 'a "(" that is never closed'),
    "a) b": (2, 'a ")" that nothing opened'),
    "a ()": (3, "nothing between the parentheses"),
    "OR a": (1, "OR has nothing to join"),
    "a OR": (3, "OR has nothing to join"),
    "a OR OR b": (6, "OR has nothing to join"),
    "a NOT": (3, "NOT has nothing to join"),
    "from:": (1, "nothing after from:"),
    "from: to:bob": (1, "nothing after from:"),
    "from: OR a": (1, "nothing after from:"),
    "cc:…": (4, "nothing after cc:"),
    "x is:green": (6, "is:unread, is:read, is:answered, is:flagged"),
    "has:wings": (5, "there is has:attachment"),
    "subject:(a from:b)": (12, "close those first"),
    "(" * (DEEPEST + 1) + "a": (DEEPEST + 1, "levels of parentheses"),
    "-" * (DEEPEST + 1) + "a": (DEEPEST + 1, "levels of parentheses"),
    "a " * (MOST_TERMS + 1): (2 * MOST_TERMS + 1, f"more than {MOST_TERMS} words"),
    "a" * (LONGEST + 1): (None, "longer than"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_an_error_says_where_and_what_helps(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    at, words = REFUSED[text]
    assert words in f"{caught.value.words}; {caught.value.remedy}"
    assert (caught.value.at, f"(at character {at})" in caught.value.words) == (at and at - 1, at is not None)
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["(" * DEEPEST + "a" + ")" * DEEPEST, "a " * MOST_TERMS, "a" * LONGEST])
def test_up_to_its_bounds_all_is_read(text: str) -> None:
    assert parse(text)


LETTERS = st.text("aZé1本.-/@:", min_size=1, max_size=6)
BARE = LETTERS.filter(lambda text: any(each.isalnum() for each in text) and text[0] not in "-:" and ":" not in text)
ANY = st.text(min_size=1, max_size=8).filter(lambda text: any(each.isalnum() for each in text))
TERMS = st.one_of(
    st.builds(word, BARE),
    st.builds(word, ANY, st.just(True)),
    st.builds(Term, st.sampled_from([k for k in KEYS if k not in ("text", "is", "has")]), ANY),
    st.builds(Term, st.just("is"), st.sampled_from(STATES)),
    st.builds(Term, st.just("has"), st.sampled_from(PARTS)),
)
NODES = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.builds(negated, inner),
        st.builds(all_of, st.lists(inner, min_size=2, max_size=3)),
        st.builds(some_of, st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(NODES)
def test_what_is_written_is_read_as_the_same(node: Node) -> None:
    query = MailQuery(all_of([node]))
    assert parse(written(query)) == query


@settings(max_examples=150, deadline=None)
@given(st.text('ab -():"ORNOT\\“”fromis.\n', max_size=30))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with contextlib.suppress(QueryError):
        query = parse(text)
        assert parse(written(query)) == query


def holds(node: Node, true: set[str]) -> bool:
    match node:
        case Term(value=value):
            return value in true
        case Not(of):
            return not holds(of, true)
        case All(of):
            return all(holds(each, true) for each in of)
        case Some(of):
            return any(holds(each, true) for each in of)


SIMPLE = st.recursive(
    st.builds(word, st.sampled_from("abc")),
    lambda inner: st.one_of(
        st.builds(negated, inner),
        st.builds(all_of, st.lists(inner, max_size=3)),
        st.builds(some_of, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)


def negates_only_terms(node: Node) -> bool:
    match node:
        case Not(of):
            return isinstance(of, Term) and of.key not in DATES
        case All(of) | Some(of):
            return all(map(negates_only_terms, of))
    return True


@settings(max_examples=150, deadline=None)
@given(SIMPLE, st.sets(st.sampled_from("abc")))
def test_negations_go_inward_and_mean_the_same(node: Node, true: set[str]) -> None:
    assert holds(inward(node), true) is holds(node, true)
    assert negates_only_terms(inward(node))
