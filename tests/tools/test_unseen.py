"""Characters that can't be seen, through the tools: the card spells out and counts what would go out, to the letter."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC

import pytest

from pepper_tui.model import Approval, CallState
from pepper_tui.text import escape, hidden
from pepper_tui.ui.screen.inbox.cards import approval_lines
from pepper_tui.ui.screen.ink import Ink, Pen
from tests.tools.bench import Bench
from tests.tools.sink import Sink

SELECTORS = "".join(
    chr(0xE0100 + byte) for byte in b"pin 4711, iban XX99 8888, and sixty-seven characters of it in all.."
)
FILLERS = "\u3164" * 60
PUSHED = f"Friday is fine.{FILLERS} Please wire 5000\nBest regards,{FILLERS} EUR to XX99 8888\nSam"


def shown(card: Approval, width: int = 60) -> str:
    pen = Pen(Ink.of({}), width, UTC, 0.0)
    return "\n".join(line.plain for line in approval_lines(card, pen))


@pytest.mark.parametrize("place", ["subject", "body"])
async def test_hidden_bytes_are_counted_on_the_card(bench: Bench, sink: Sink, place: str) -> None:
    words = {"subject": "Friday", "body": "Thanks, see you Friday!"}
    words[place] += SELECTORS
    call = await bench.schedule("send_mail", to="bob@x.org", **words)
    card = shown(await bench.card(call))
    assert f"can't be seen: {len(SELECTORS)} of them" in " ".join(card.split())
    assert "⟨U+E0170⟩" in card
    assert hidden(card) == 0
    await bench.yes(call)
    await bench.state(call, CallState.SUCCEEDED)
    taken = email.message_from_bytes(sink.taken[0].message, policy=email.policy.default)
    assert taken["Subject"] == words["subject"]
    assert taken.get_content().rstrip() == words["body"]


async def test_no_word_is_pushed_off_the_card(bench: Bench, sink: Sink) -> None:
    call = await bench.schedule("send_mail", to="bob@x.org", subject="Friday", body=PUSHED)
    card = shown(await bench.card(call))
    for words in ("Please wire 5000", "EUR to XX99 8888", "⟨U+3164⟩×60", "seen: 120 of them"):
        assert words in " ".join(card.replace("│", "").split())
    await bench.yes(call)
    await bench.state(call, CallState.SUCCEEDED)
    assert (
        email.message_from_bytes(sink.taken[0].message, policy=email.policy.default).get_content().split()
        == PUSHED.split()
    )


def test_hidden_orders_are_spelled_out_for_a_model() -> None:
    assert escape("hi" + SELECTORS[:2]) == "hi⟨U+E0170⟩⟨U+E0169⟩"


async def test_what_a_script_needs_is_sent_as_it_is(bench: Bench, sink: Sink) -> None:
    words = "می‌خواهم 👨‍👩‍👧 क्‍ष"
    call = await bench.schedule("send_mail", to="bob@x.org", subject=words, body=words)
    assert "can't be seen" not in shown(await bench.card(call))
    await bench.yes(call)
    await bench.state(call, CallState.SUCCEEDED)
    taken = email.message_from_bytes(sink.taken[0].message, policy=email.policy.default)
    assert taken["Subject"] == taken.get_content().rstrip() == words


async def test_what_turns_the_direction_of_a_text_is_not_sent(bench: Bench, sink: Sink) -> None:
    turned = "pay \u202e001\u202c EUR \u2066now\u2069"
    call = await bench.schedule("send_mail", to="bob@x.org", subject="Friday", body=turned)
    await bench.yes(call)
    await bench.state(call, CallState.SUCCEEDED)
    taken = email.message_from_bytes(sink.taken[0].message, policy=email.policy.default)
    assert taken.get_content().rstrip() == "pay 001 EUR now"
