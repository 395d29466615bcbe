"""A "no" covers what differs only in spacing, case, punctuation or what can't be seen, until the user asks anew."""

from __future__ import annotations

import pytest

from pepper_tui.model import CallState
from pepper_tui.tools.approvals.sameness import normalised
from tests.tools.bench import Bench

VARIANTS = [
    *(f"Please wire{' ' * n} 500 to Ann" for n in range(2, 30)),
    *(f"Please wire 500 to Ann{mark * n}" for mark in ".!?-–…" for n in range(1, 6)),
    *(f"Please{chr(0xE0100 + n)} wire 500 to Ann" for n in range(30)),
    *(f"Ple{each}ase wire 500 to Ann" for each in "\u200b\u00ad\u3164\u034f\ufe0f\u2800"),
    "PLEASE WIRE 500 TO ANN",
    "please, wire 500: to ann",
    "\nPlease\nwire 500\tto Ann\n",
    "Ｐｌｅａｓｅ wire ５００ to Ann",
    "Please wire 500 to Ann 👍",
    "“Please” wire 500 (to Ann)",
]


async def test_a_hundred_ways_to_write_what_was_rejected_open_no_card(bench: Bench) -> None:
    assert len(set(VARIANTS)) >= 100
    call = await bench.schedule("send_mail", to="ann@x.org", subject="Money", body="Please wire 500 to Ann")
    await bench.approvals.reject((await bench.card(call)).id)
    for number, body in enumerate(VARIANTS):
        subject = "Money" + "!" * (number % 3)
        call = await bench.schedule("send_mail", to="ann@x.org", subject=subject, body=body)
        ended = await bench.state(call, CallState.FAILED, CallState.WAITING_APPROVAL)
        assert ended.state is CallState.FAILED, body
    assert len(await bench.cards()) == 1


async def test_another_recipient_or_another_word_is_another_request(bench: Bench) -> None:
    call = await bench.schedule("send_mail", to="ann@x.org", subject="Money", body="Please wire 500 to Ann")
    await bench.approvals.reject((await bench.card(call)).id)
    for to, body in (
        ("a.nn@x.org", "Please wire 500 to Ann"),
        ("ann@x.org, bob@x.org", "Please wire 500 to Ann"),
        ("ann@x.org", "Please wire 600 to Ann"),
    ):
        call = await bench.schedule("send_mail", to=to, subject="Money", body=body)
        assert (
            await bench.state(call, CallState.FAILED, CallState.WAITING_APPROVAL)
        ).state is CallState.WAITING_APPROVAL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"to": "a_b@x.org"}, {"to": "ab@x.org"}),
        ({"path": "/home/me/a.txt"}, {"path": "/home/me/A.txt"}),
        ({"amount": "1.0"}, {"amount": "10"}),
        ({"amount": 1.0}, {"amount": 10}),
        ({"list": ["a", "b"]}, {"list": ["b", "a"]}),
        ({"text": "👍"}, {"text": "👎"}),
        ({"text": "yes"}, {"text": "no"}),
    ],
)
def test_what_counts_to_the_letter(one: object, other: object) -> None:
    assert normalised(one) != normalised(other)
