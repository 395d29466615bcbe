"""Each fact, measured on the labelled box, on a whole engine without a model: what it finds, and what it misses."""

from __future__ import annotations

import asyncio

import pytest

from pepper_tui.domains.mail.facts.finder import CARDS, OF
from tests.domains.mail.box import FACTS
from tests.domains.mail.facts.living import Lived, live

LEAST = 0.95


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return asyncio.run(live(tmp_path_factory.mktemp("lived")))


def measured(lived: Lived, fact: str) -> tuple[float, float, str]:
    """Precision and recall of a fact, and a row for the table."""
    found = {ident for ident, each in lived.signals.items() if fact in each["metadata"].get("facts", ())}
    if fact == "unanswered":
        found = {ident for waits in lived.follow_ups if waits["state"] == "due" for ident in waits["message_ids"]}
    wanted = {letter.message_id for letter in lived.letters if fact in letter.facts}
    right = len(found & wanted)
    precision, recall = right / max(1, len(found)), right / max(1, len(wanted))
    kinds = {letter.message_id: letter.kind for letter in lived.letters}
    wrong = sorted({kinds[ident] for ident in found - wanted}), sorted({kinds[ident] for ident in wanted - found})
    return precision, recall, f"{fact:10} {len(wanted):4} {precision:9.3f} {recall:6.3f}  {wrong if any(wrong) else ''}"


def test_each_fact_is_found_and_hardly_anything_else(lived: Lived) -> None:
    rows = {fact: measured(lived, fact) for fact in FACTS}
    table = "\n".join(["fact       mails precision recall", *(row for _, _, row in rows.values())])
    print(f"\n{table}")
    assert all(min(precision, recall) >= LEAST for precision, recall, _ in rows.values()), table


def test_few_cards_are_raised_and_no_mail_has_two(lived: Lived) -> None:
    came = [each for each in lived.sequence if each["metadata"].get("kind") != "own"]
    raised = [each["metadata"].get("kind") == "fact" for each in came]
    assert sum(raised) > 3 * len(raised) / OF
    assert max(sum(raised[at : at + OF]) for at in range(len(raised))) <= CARDS
    sources = [each["source"] for each in lived.notices]
    assert len(sources) == len(set(sources))
    told = {f"signals.mail:{each['id']}" for each in came if each["metadata"].get("kind") == "fact"}
    assert told == {source for source in sources if source.startswith("signals.mail:")}


def test_what_was_found_and_not_told_says_so(lived: Lived) -> None:
    held = [each for each in lived.sequence if each["metadata"].get("facts") and each["metadata"].get("kind") != "fact"]
    assert held
    assert all("held back, as" in each["reason"] and "cards were shown" in each["reason"] for each in held)
