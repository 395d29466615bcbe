"""A model may put better words into a rule's draft until the user has seen its card, or where they ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui.model import ApprovalState
from tests.llm.server import ModelServer
from tests.rules.house import House
from tests.rules.test_acts import WAITS

RULE = '[[rule]]\nname = "quotes"\nwords = ["quote"]\ndraft = "thanks"\n'
BETTER = "Hi Dana, the quote says 25 seats; I will check and write today. Alex"


def revising(body: dict[str, Any]) -> dict[str, Any]:
    """Puts better words into the one draft that is open, once."""
    said = str(body["messages"])
    calls = said.rsplit("<open_calls>", maxsplit=1)[-1].split(" draft_reply ")
    if len(calls) < 2 or BETTER in said:
        return WAITS
    arguments = {"call_id": calls[0].split()[-1].split("\\n")[-1], "lines": [f"body: {BETTER}"]}
    return {"calls": [{"name": "revise_proposal", "arguments": arguments}]}


async def carded(house: House, server: ModelServer) -> None:
    """Have a rule's card opened while no model answers: the step is tried again."""
    server.default = {"status": 500, "message": "not now"}
    house.mail(sender="Dana <dana@example.com>", subject="A quote")
    await house.until(house.cards)


@pytest.mark.parametrize("seen", [False, True], ids=["before it is seen", "after it was seen"])
async def test_only_until_the_card_is_seen(tmp_path: Path, seen: bool) -> None:
    with ModelServer(default=WAITS) as server:
        async with House(tmp_path, RULE, model=server.url) as house:
            await carded(house, server)
            if seen:
                [card] = await house.cards()
                await house.engine.seen(f"approval:{card['id']}")
            server.default, server.choose = WAITS, revising
            await house.until(lambda: house.facts("tool.result", name="revise_proposal"), step=5.0)
            [card] = await house.cards()
            if seen:
                assert BETTER not in card["effect"]["payload"]["fields"]["body"]
                [told] = await house.facts("tool.result", name="revise_proposal")
                assert "has seen the card" in told["content"]
                return
            assert BETTER in card["effect"]["payload"]["fields"]["body"]
            [withdrawn] = await house.cards(ApprovalState.WITHDRAWN)
            assert (withdrawn["edited_into"], card["revises"]) == (card["id"], withdrawn["id"])
            [before] = [line for line in card["effect"]["lines"] if line["label"] == "Before"]
            assert before["value"].startswith("Hi Dana, thank you for A quote.")


async def test_never_while_the_user_is_at_the_inbox(tmp_path: Path) -> None:
    with ModelServer(default=WAITS) as server:
        async with House(tmp_path, RULE, model=server.url) as house:
            await house.engine.attend(True)
            await carded(house, server)
            server.default, server.choose = WAITS, revising
            [told] = await house.until(lambda: house.facts("tool.result", name="revise_proposal"), step=5.0)
            assert "at the inbox" in told["content"]
            assert await house.cards(ApprovalState.WITHDRAWN) == []
