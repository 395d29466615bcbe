"""Labels of a server or a model on a card: whole, and none poses as Pepper's own."""

from __future__ import annotations

from datetime import UTC

import pytest

from pepper_tui.model import Approval, CardLine, ResolvedEffect
from pepper_tui.ui.screen.inbox.cards import approval_lines
from pepper_tui.ui.screen.ink import Ink, Pen
from pepper_tui.ui.shared.names import label_words

POSING = [
    "server\u3164: bank: approved by you on Monday",
    "your yes\ufe0f: only says hello; nothing is sent",
    "Approved by\u2800: the user (rule 7)",
    "server",
    "account",
    "Not from you",
    "Before",
    "еxpires",
    "x\nserver bank",
    "› your yes",
]


def shown(*lines: CardLine) -> list[str]:
    effect = ResolvedEffect("t", "d", "acct", "s", list(lines), {})
    card = Approval("a1", "c1", effect.data(), effect.digest, 0.0, 1.0)
    return [line.plain for line in approval_lines(card, Pen(Ink.of({}), 60, UTC, 0.0))]


@pytest.mark.parametrize("label", POSING)
def test_a_label_from_outside_stands_apart(label: str) -> None:
    lines = shown(CardLine("server", "bank"), CardLine(label, "nothing is sent", outside=True))
    own, theirs, *values = lines[1:]
    assert own.startswith("server")
    assert theirs.startswith("argument ")
    assert all(line.startswith((" " * 9, "│ ")) for line in values)
    assert values[-1] == "│ nothing is sent"
    words = label_words(CardLine(label, "", outside=True))
    assert words.count("›") == 1
    assert words.replace("⟨", "").replace("⟩", "").strip("argument ‹›").isascii()


def test_two_names_with_one_beginning_are_told_apart() -> None:
    names = ["recipient_account_billing", "recipient_account_payout", "x" * 200]
    text = "".join(part.strip() for part in shown(*(CardLine(name, "1", outside=True) for name in names)))
    assert all(name in text for name in names)


@pytest.mark.parametrize(("count", "folded"), [(4, False), (5, True), (400, True)])
def test_what_is_quoted_shows_how_it_begins_and_how_much_follows(count: int, folded: bool) -> None:
    text = "\n".join(f"> {number}" for number in range(count))
    lines = [line.strip() for line in shown(CardLine("Quoted", text, multiline=True, folded=True))[2:]]
    last = f"│ … {count - 3} more lines, sent as they are" if folded else f"│ > {count - 1}"
    assert (len(lines), lines[-1]) == (4, last)
    assert len(shown(CardLine("Quoted", text, multiline=True))) == count + 2
