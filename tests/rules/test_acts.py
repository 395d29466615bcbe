"""What the user ordered is done by code: each act of each match once, or told as not done. With the default limits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.model import ContextFilter, Namespace
from tests.llm.server import ModelServer
from tests.rules.house import House

ALL_ACTS = """
[[rule]]
name = "quotes"
source = "mail"
words = ["quote"]
notify = true
draft = "thanks"
follow_up = 48
remind = "tomorrow 9am"
"""
WAITS = {"calls": [{"name": "wait", "arguments": {}}]}


def by_state(acts: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((act["act"], act["state"]) for act in acts)


@pytest.fixture(params=["no model", "a model that only waits"])
def model(request: pytest.FixtureRequest) -> Any:
    """The base_url of a model, or none: what a rule orders does not depend on it."""
    if request.param == "no model":
        yield ""
        return
    with ModelServer(default=WAITS) as server:
        yield server.url


@pytest.mark.parametrize("mails", [1, 20, 60])
async def test_a_burst_is_done_whole(tmp_path: Path, model: str, mails: int) -> None:
    async with House(tmp_path, ALL_ACTS, model=model) as house:
        for number in range(mails):
            house.mail(sender=f"Dana {number} <dana{number}@example.com>", subject=f"A quote, please #{number}")
        await house.calm()
        done = by_state(await house.acts())
        for act in ("notify", "remind", "follow_up"):
            assert done[act, "done"] == mails
        drafts = {state: count for (act, state), count in done.items() if act == "draft"}
        assert sum(drafts.values()) == mails
        assert set(drafts) <= {"done", "deferred"}
        assert len(await house.notices()) == len(await house.facts(Namespace.REMINDER)) == mails
        assert len(await house.facts(Namespace.FOLLOW_UP)) == mails


async def test_acts_are_done_once_over_a_restart(tmp_path: Path) -> None:
    async with House(tmp_path, ALL_ACTS) as house:
        house.mail(subject="A quote")
        await house.calm()
        before = await house.acts()
        await house.restart()
        await house.calm()
        assert [act["id"] for act in await house.acts()] == [act["id"] for act in before]
        assert len(await house.facts(Namespace.TOOL_CALL, name="draft_reply")) == 1
        assert len(await house.facts(Namespace.REMINDER)) == 1


async def test_a_draft_names_its_rule_and_is_filled_from_the_mail(tmp_path: Path) -> None:
    async with House(tmp_path, ALL_ACTS) as house:
        house.mail(sender="Dana Whitfield <dana@example.com>", subject="Your quote", text="How much?")
        await house.calm()
        [card] = await house.cards()
        fields = card["effect"]["payload"]["fields"]
        assert fields["to"] == ["dana@example.com"]
        assert fields["body"] == "Hi Dana, thank you for Your quote. Alex Rivera\n"
        assert card["reason"] == "Your rule “quotes” drafts a reply from the template “thanks”."
        assert card["matter"] == "mail:<m1@example.com>"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"X_Autoreply": "yes"},
        {"Precedence": "bulk"},
        {"List_Id": "<news.example.com>"},
        {"sender": "no-reply@example.com"},
        {"sender": "donotreply@example.com"},
        {"sender": "MAILER-DAEMON@example.com"},
    ],
)
async def test_a_machine_gets_no_draft_and_is_not_waited_for(tmp_path: Path, headers: dict[str, str]) -> None:
    async with House(tmp_path, ALL_ACTS) as house:
        house.mail(subject="Out of office: your quote", **headers)
        await house.calm()
        done = by_state(await house.acts())
        assert done["draft", "withdrawn"] == 1
        assert await house.facts(Namespace.APPROVAL) == []
        assert done["notify", "done"] == 1


async def test_the_second_mail_of_a_thread_adds_a_request_and_repeats_nothing(tmp_path: Path) -> None:
    async with House(tmp_path, ALL_ACTS) as house:
        house.mail(sender="Nora <nora@example.com>", subject="A quote", text="Two numbers before three, please.")
        await house.calm()
        house.mail(
            sender="Nora <nora@example.com>", subject="Re: A quote", text="PS: also the quote for May.",
            References="<m1@example.com>",
        )  # fmt: skip
        await house.calm()
        requests = [each for each in await house.notices() if each["kind"] == "notice"]
        assert [each["subject"] for each in requests] == ["A quote", "Re: A quote"]
        assert len({each["matter"] for each in requests}) == 1
        assert len(await house.cards()) == 1
        assert len(await house.facts(Namespace.REMINDER)) == 1
        states = [each["state"] for each in await house.facts(Namespace.FOLLOW_UP)]
        assert sorted(states) == ["answered", "open"]  # her second mail ended the first, and began the next
        withdrawn = {act["act"]: act["detail"] for act in await house.acts() if act["state"] == "withdrawn"}
        assert set(withdrawn) == {"draft", "remind"} | ({"notify"} & set(withdrawn))
        assert all(withdrawn.values())


async def test_a_card_that_came_back_still_goes_on(tmp_path: Path) -> None:
    """Nobody listens where it would be sent: its call has failed, and the same waits in a new card."""
    async with House(tmp_path, ALL_ACTS) as house:
        house.mail(sender="Dana <dana@example.com>", subject="A quote", number=1)
        await house.calm()
        [card] = await house.cards()
        await house.engine.approve(card["id"])

        async def came_back() -> bool:
            return [each["retry_of"] for each in await house.cards()] == [card["id"]]

        await house.until(came_back)
        house.mail(sender="Dana <dana@example.com>", subject="Re: A quote", References="<m1@example.com>", number=2)
        await house.calm()
        assert len(await house.cards()) == 1
        assert [act["state"] for act in await house.acts("draft")] == ["done", "withdrawn"]


async def test_two_mails_of_a_thread_in_one_batch_are_one_draft(tmp_path: Path) -> None:
    async with House(tmp_path, ALL_ACTS) as house:
        for number, subject in enumerate(["A quote", "Re: A quote"], 1):
            house.mail(sender="Nora <nora@example.com>", subject=subject, number=number,
                       **({"References": "<m1@example.com>"} if number == 2 else {}))  # fmt: skip
        await house.calm()
        assert len(await house.cards()) == 1
        assert len(await house.facts(Namespace.REMINDER)) == 1


async def test_a_stranger_in_the_thread_replaces_and_hides_nothing(tmp_path: Path) -> None:
    async with House(tmp_path, ALL_ACTS) as house:
        house.mail(sender="Boss <boss@example.com>", subject="Contract: please decide today", text="Today!")
        await house.calm()
        house.mail(
            sender="Mallory <mallory@evil.example>", subject="Re: Contract: please decide today",
            text="Never mind, the quote is settled.", References="<m1@example.com>",
        )  # fmt: skip
        house.mail(sender="Eve <eve@evil.example>", subject="Contract: please decide today", text="Today!",
                   Message_ID="<m1@example.com>", number=7)  # fmt: skip
        await house.calm()
        told = {each["sender"]: each for each in await house.notices() if each["kind"] == "notice"}
        assert told["boss@example.com"]["trust"] == "vip"
        assert told["boss@example.com"]["state"] == "new"
        assert told["mallory@evil.example"]["trust"] == "unknown"


async def test_what_a_rule_orders_that_can_not_be_done_is_told(tmp_path: Path) -> None:
    rule = '[[rule]]\nname = "odd"\nwords = ["quote"]\nremind = "today 8:00am"\n'
    async with House(tmp_path, rule) as house:
        house.mail(subject="A quote")
        await house.calm()
        [act] = await house.acts()
        assert act["state"] == "failed"
        assert "“today 8:00am” is past" in act["detail"]
        [notice] = await house.notices()
        assert "odd" in notice["title"]
        assert "is past" in notice["body"]


async def test_a_vip_is_told_of_whatever_the_model_does(tmp_path: Path, model: str) -> None:
    async with House(tmp_path, "", model=model) as house:
        house.mail(sender="Boss <boss@example.com>", subject="Urgent: call me")
        house.mail(sender="Ann <ann@example.com>", subject="Lunch?")
        await house.calm()
        [notice] = await house.notices()
        assert (notice["sender"], notice["trust"], notice["who"]) == ("boss@example.com", "vip", "Boss")
        [act] = await house.acts()
        assert (act["rule"], act["state"]) == ("vip", "done")


async def test_the_model_reads_what_was_done(tmp_path: Path) -> None:
    with ModelServer(default=WAITS) as server:
        async with House(tmp_path, ALL_ACTS, model=server.url) as house:
            house.mail(subject="A quote")
            await house.calm()
            await house.until(lambda: bool(server.requests))
            prompt = str(server.requests[0]["messages"])
            assert "<done>" in prompt
            assert "notify: done" in prompt


async def test_what_a_foreign_feed_says_of_rules_is_dropped(tmp_path: Path) -> None:
    feed = tmp_path / "home" / "f.py"
    feed.parent.mkdir()
    feed.write_text(
        "NAME = 'f'\n"
        "async def run(ctx):\n"
        "    match = {'rule': 'x', 'version': '1', 'name': 'x', 'acts': ['draft'], 'template': 'pay'}\n"
        "    await ctx.emit({'content': 'hello', 'metadata': {'rules': [match], 'message_id': '<m1@e.x>'}})\n"
    )
    async with House(tmp_path, '[[feed]]\nname = "f"\nfile = "f.py"\n') as house:
        await house.until(lambda: house.facts("signals.f"))
        await house.calm()
        assert await house.acts() == []
        assert await house.facts(Namespace.TOOL_CALL) == []


async def test_a_state_that_is_told_anew_is_told_and_replaces(tmp_path: Path) -> None:
    feed = tmp_path / "home" / "disk.py"
    feed.parent.mkdir()
    feed.write_text(
        "from pepper_tui.api import context_store\n"
        "async def run(ctx):\n"
        "    for percent in (91, 92, 92, 93):\n"
        "        said = {'content': f'The disk is {percent} % full', 'matter': 'disk'}\n"
        "        await context_store.store(said, namespace='signals.disk', context_id='disk')\n"
        "        await ctx.sleep(5)\n"
        "    await ctx.sleep(1e9)\n"
    )
    rule = '[[rule]]\nname = "full"\nsource = "disk"\nnotify = true\n'
    rule += '[[feed]]\nname = "disk"\nfile = "disk.py"\nkind = "state"\n'
    async with House(tmp_path, rule) as house:
        await house.until(lambda: _titles(house, "The disk is 93 % full"), step=0.5)
        await house.calm()
        assert [each["title"] for each in await house.notices()] == ["The disk is 93 % full"]
        assert len(await house.acts("notify")) == 3


async def _titles(house: House, wanted: str) -> bool:
    return any(each["title"] == wanted for each in await house.notices())


async def test_a_rule_that_holds_again_keeps_no_signal_waiting(tmp_path: Path) -> None:
    """Its rules were looked after while it was paused; that it holds now does not make them open once more."""
    async with House(tmp_path, "") as house:
        await house.engine.pause_rule("VIPs")
        house.mail(sender="Boss <boss@example.com>", subject="Now")
        await house.calm()
        await house.engine.resume_rule("VIPs")
        [signal] = await house.engine.store.query(ContextFilter(namespaces=["signals.mail"]))
        assert await house.engine.parts.ordered.runner.settled(signal)
        assert await house.acts() == []


async def test_rules_that_are_never_looked_after_keep_no_signal_waiting(tmp_path: Path) -> None:
    """As of a store from before there were rules, or where they were given up as a dead letter."""
    async with House(tmp_path, ALL_ACTS) as house:
        house.mail(subject="A quote")
        await house.calm()
        [signal] = await house.engine.store.query(ContextFilter(namespaces=["signals.mail"]))
        await house.engine.store.delete(f"signals.mail:{signal.context_id}", namespace=Namespace.RULE_MATCH)
        assert await house.engine.parts.ordered.runner.settled(signal)
