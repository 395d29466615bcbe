"""What a stranger claims in a mail (a Message-ID, a thread, a sender) changes nothing that belongs to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.model import Approval, Json, Namespace
from tests.rules.house import House

BOSS = "Boss <boss@example.com>"
MALLORY = "Mallory <mallory@evil.example>"
ASKED = {
    "sender": BOSS,
    "subject": "Contract",
    "text": "Could you send the contract?",
    "Message_ID": "<c1@example.com>",
}
HOUR = 3600.0
RECEIVED = "from evil.example by mx.example.org; Thu, 1 Oct 2026 10:00:00 +0000"


def rules(act: str) -> str:
    return f'[[rule]]\nname = "contract"\nwords = ["contract"]\n{act}\n'


async def notices_of(house: House, sender: str) -> list[Json]:
    return [each for each in await house.notices() if each.get("sender") == sender]


async def open_follow_ups(house: House) -> list[Json]:
    return await house.facts(Namespace.FOLLOW_UP, state="open")


CLAIMS = [
    pytest.param({"Message_ID": "<c1@example.com>"}, id="the same Message-ID"),
    pytest.param({"Message_ID": "<c1@example.com>", "References": "<c1@example.com>"}, id="both"),
    pytest.param({"References": "<c1@example.com>"}, id="References"),
    pytest.param({"In_Reply_To": "<c1@example.com>"}, id="In-Reply-To"),
    pytest.param({"References": "<c1@example.com>", "Reply_To": "boss@example.com"}, id="Reply-To"),
]


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("first", ["boss", "mallory"])
async def test_each_has_the_draft_that_the_rule_orders(tmp_path: Path, claim: Json, first: str) -> None:
    async with House(tmp_path, rules('draft = "thanks"')) as house:
        theirs: dict[str, Any] = {"sender": MALLORY, "subject": "Re: Contract", "text": "The contract?", **claim}
        for mail in (ASKED, theirs) if first == "boss" else (theirs, ASKED):
            house.mail(**mail)
            await house.calm()
        fields = [Approval.of(card).resolved.payload["fields"] for card in await house.cards()]
        drafted = sorted(each["to"][0] for each in fields)
        answered = "boss@example.com" if "Reply_To" in claim else "mallory@evil.example"
        assert drafted == sorted(["boss@example.com", answered])
        assert sorted(each["body"][:8] for each in fields) == ["Hi Boss,", "Hi Mallo"]


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("act", ["remind = 'in 2 hours'", "follow_up = 24"])
async def test_each_has_what_the_rule_orders(tmp_path: Path, claim: Json, act: str) -> None:
    async with House(tmp_path, rules(act)) as house:
        house.mail(sender=MALLORY, subject="Re: Contract", text="The contract?", **claim)
        await house.calm()
        house.mail(**ASKED)
        await house.calm()
        house.mail(sender=MALLORY, subject="Re: Contract", text="The contract!", number=9)
        await house.calm()
        acts = await house.acts(act.split(maxsplit=1)[0])
        theirs = [each for each in acts if each["about"].startswith(("Boss", "boss@example.com"))]
        assert [each["state"] for each in theirs] == ["done"]


@pytest.mark.parametrize("claim", CLAIMS)
async def test_nobody_else_ends_a_wait(tmp_path: Path, claim: Json) -> None:
    async with House(tmp_path, rules("follow_up = 24")) as house:
        house.mail(**ASKED)
        await house.calm()
        house.mail(sender=MALLORY, subject="Re: Contract", text="Here it is.", **claim)
        await house.calm()
        house.mail(sender="me@example.org", to="boss@example.com", subject="Re: Contract", text="Here.", number=7,
                   In_Reply_To="<c1@example.com>", Received=RECEIVED)  # fmt: skip
        await house.calm()
        [waits] = [each for each in await open_follow_ups(house) if "boss@example.com" in each["parties"]]
        assert waits["wrote"] is None
        assert await notices_of(house, "boss@example.com")
        house.mail(sender=BOSS, subject="Re: Contract", text="Thanks!", number=8, In_Reply_To="<c1@example.com>")
        await house.calm()
        assert not [each for each in await open_follow_ups(house) if each["id"] == waits["id"]]


@pytest.mark.parametrize("filed", [True, False])
async def test_only_what_the_user_filed_closes_a_request(tmp_path: Path, filed: bool) -> None:
    """A mail that a server delivered may be from anyone, whatever From says."""
    async with House(tmp_path, rules("notify = true")) as house:
        house.mail(**ASKED)
        await house.calm()
        [asked] = await notices_of(house, "boss@example.com")
        head = {} if filed else {"Received": RECEIVED}
        house.mail(sender="me@example.org", to="boss@example.com", subject="Re: Contract", text="Here.",
                   In_Reply_To="<c1@example.com>", **head)  # fmt: skip
        await house.calm()
        assert (asked["id"] in {each["id"] for each in await house.notices()}) is not filed
        [said] = [each for each in await house.facts("signals.mail") if each["metadata"]["sender"] == "me@example.org"]
        assert said["reason"] == ("you sent it" if filed else "it says that you sent it")


async def test_an_id_names_the_mail_that_came_with_it_first(tmp_path: Path) -> None:
    async with House(tmp_path, rules("notify = true")) as house:
        house.mail(**ASKED)
        await house.calm()
        house.mail(sender=MALLORY, subject="Contract", text="Pay the contract.", Message_ID="<c1@example.com>")
        await house.calm()
        mailbox = Mailbox(house.engine.store)
        for name in ("<c1@example.com>", "c1@example.com"):
            found = await mailbox.read(name)
            assert found is not None
            assert found["sender"]["address"] == "boss@example.com"
        [claimed] = await mailbox.search("pay")
        assert (claimed["message_id"], claimed["sender"]["address"]) == ("", "mallory@evil.example")
        assert claimed["claimed_id"] == "<c1@example.com>", "an answer still names it"
        assert "boss@example.com" in claimed["doubts"][0]
        signals = {each["metadata"]["sender"]: each for each in await house.facts("signals.mail")}
        assert signals["boss@example.com"]["metadata"]["message_id"] == "<c1@example.com>"
        assert signals["mallory@evil.example"]["metadata"]["message_id"] == ""
        assert signals["mallory@evil.example"]["matter"] != signals["boss@example.com"]["matter"]
        assert "Message-ID of a mail from boss@example.com" in signals["mallory@evil.example"]["reason"]


async def test_the_id_of_what_pepper_sent_hides_nobody_elses_mail(tmp_path: Path) -> None:
    async with House(tmp_path, rules("notify = true")) as house:
        sent: Json = {"id": "<p@example.org>", "call": "c", "to": ["boss@example.com"], "at": 0.0}
        await house.engine.store.store(sent, namespace=Namespace.SENT, context_id="<p@example.org>")
        house.mail(sender="me@example.org", to="boss@example.com", subject="Contract", Message_ID="<p@example.org>")
        house.mail(sender=MALLORY, subject="Contract", text="Pay the contract.", Message_ID="<p@example.org>")
        await house.calm()
        [signal] = await house.facts("signals.mail")
        assert signal["metadata"]["sender"] == "mallory@evil.example"
        assert await notices_of(house, "mallory@evil.example")


async def test_a_name_is_no_address_when_mail_is_looked_for(tmp_path: Path) -> None:
    async with House(tmp_path, "") as house:
        house.mail(**ASKED)
        house.mail(sender='"boss@example.com" <mallory@evil.example>', subject="Contract", text="Newer.")
        await house.calm()
        mailbox = Mailbox(house.engine.store)
        for wanted in ("boss@example.com", "boss"):
            assert [mail["sender"]["address"] for mail in await mailbox.search(f"from:{wanted}")] == [
                "boss@example.com"
            ]
        [found] = await mailbox.search("from:mallory")
        assert found["doubts"]
