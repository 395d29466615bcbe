"""Each fact, measured on the labelled box, on a whole engine without a model: what it finds, and what it misses."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.domains.mail.facts.finder import CARDS, OF
from tests.domains.mail.box import FACTS, SIGNS
from tests.domains.mail.facts.living import Lived, live

LEAST = 0.95


async def test_the_box(tmp_path: Path) -> None:
    """All that is measured on one life through the box, which takes seconds."""
    lived = await live(tmp_path)
    each_fact_is_found_and_hardly_anything_else(lived)
    each_sign_is_seen_and_hardly_anything_else(lived)
    signs_raise_nothing(lived)
    few_cards_are_raised_and_no_mail_has_two(lived)
    what_was_found_and_not_told_says_so(lived)


def measured(lived: Lived, fact: str) -> tuple[float, float, str]:
    """Precision and recall of a fact, and a row for the table."""
    found = {ident for ident, each in lived.signals.items() if fact in each["metadata"].get("facts", ())}
    if fact == "unanswered":
        found = {ident for waits in lived.follow_ups if waits["state"] == "due" for ident in waits["message_ids"]}
    wanted = {letter.message_id for letter in lived.letters if fact in letter.facts}
    return row(fact, found, wanted, lived)


def row(name: str, found: set[str], wanted: set[str], lived: Lived) -> tuple[float, float, str]:
    right = len(found & wanted)
    precision, recall = right / max(1, len(found)), right / max(1, len(wanted))
    kinds = {letter.message_id: letter.kind for letter in lived.letters}
    wrong = sorted({kinds[ident] for ident in found - wanted}), sorted({kinds[ident] for ident in wanted - found})
    return precision, recall, f"{name:10} {len(wanted):4} {precision:9.3f} {recall:6.3f}  {wrong if any(wrong) else ''}"


def each_fact_is_found_and_hardly_anything_else(lived: Lived) -> None:
    rows = {fact: measured(lived, fact) for fact in FACTS}
    table = "\n".join(["fact       mails precision recall", *(row for _, _, row in rows.values())])
    print(f"\n{table}")
    assert all(min(precision, recall) >= LEAST for precision, recall, _ in rows.values()), table


def each_sign_is_seen_and_hardly_anything_else(lived: Lived) -> None:
    looked = [letter for letter in lived.letters if letter.folder == "INBOX"]
    rows = {}
    for sign in SIGNS:
        found = {letter.message_id for letter in looked if sign in lived.signs[letter.message_id]}
        rows[sign] = row(sign, found, {letter.message_id for letter in looked if sign in letter.signs}, lived)
    table = "\n".join(["sign       mails precision recall", *(each for _, _, each in rows.values())])
    print(f"\n{table}")
    assert all(min(precision, recall) >= LEAST for precision, recall, _ in rows.values()), table


def signs_raise_nothing(lived: Lived) -> None:
    """A mail with signs and without a fact stays what triage made of it; one with a fact keeps it."""
    labels = {letter.message_id: letter for letter in lived.letters}
    for ident, signal in lived.signals.items():
        if lived.signs.get(ident, set()) - {"first"} and not labels[ident].facts:
            assert signal["metadata"].get("kind") != "fact"


def few_cards_are_raised_and_no_mail_has_two(lived: Lived) -> None:
    came = [each for each in lived.sequence if each["metadata"].get("kind") != "own"]
    raised = [each["metadata"].get("kind") == "fact" for each in came]
    assert sum(raised) > 3 * len(raised) / OF
    assert max(sum(raised[at : at + OF]) for at in range(len(raised))) <= CARDS
    sources = [each["source"] for each in lived.notices]
    assert len(sources) == len(set(sources))
    told = {f"signals.mail:{each['id']}" for each in came if each["metadata"].get("kind") == "fact"}
    assert told == {source for source in sources if source.startswith("signals.mail:")}


def what_was_found_and_not_told_says_so(lived: Lived) -> None:
    held = [each for each in lived.sequence if each["metadata"].get("facts") and each["metadata"].get("kind") != "fact"]
    assert held
    assert all("held back, as" in each["reason"] and "cards were shown" in each["reason"] for each in held)
