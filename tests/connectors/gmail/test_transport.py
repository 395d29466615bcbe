"""Calls to Gmail against the double: what is tried again and what never is, how fast, and in which words it fails."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from google.oauth2.credentials import Credentials

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.gmail.service import GMAIL, PRICES
from pepper_tui.connectors.google_account.pace import SHARE, Pace
from pepper_tui.connectors.google_account.transport import LONGEST, PARTS, TRIES, Ask, Transport
from pepper_tui.connectors.google_account.trouble import (
    GoneError,
    GoogleError,
    InDoubtError,
    LostError,
    NotAllowedError,
    RefusedError,
    SignInError,
    TooFastError,
)
from pepper_tui.connectors.google_account.wire import MOST, ElsewhereError, Wire
from tests.connectors.gmail.flood import Flood
from tests.domains.mail.mails import mail
from tests.google import Google
from tests.google.client import ALL_MAIL, READ
from tests.google.discovery import discovery
from tests.google.quota import UNITS
from tests.waiting import until

OUT = {"raw": urlsafe_b64encode(mail("alex@example.com", "bob@example.com")).decode()}
SEND = "gmail.users.messages.send"
READS = {"getProfile": {}, "labels.get": {"id": "INBOX"}}


class Hasty(ManualClock):
    """Time passes at once where it is waited for; nobody waits as long as the longest of calls."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        if seconds >= LONGEST:
            await asyncio.Event().wait()
        self.waited.append(seconds)
        await self.advance(seconds)


@pytest.fixture
def clock() -> Hasty:
    return Hasty()


@pytest.fixture
def google(clock: Hasty) -> Iterator[Google]:
    with Google("alex@example.com", now=clock.now) as running:
        yield running


def transport(google: Google, clock: ManualClock, *scopes: str, **more: Any) -> Transport:
    held = google.allow(*(scopes or (ALL_MAIL,)))
    return Transport(GMAIL, lambda: Credentials(**held), clock, google.url, **more)


def statuses(google: Google, command: str) -> list[int | None]:
    return [asked.status for asked in google.asked(f"gmail.users.{command}")]


async def test_a_call_has_its_answer(google: Google, clock: Hasty) -> None:
    ident = google.mailbox.deliver(mail())
    road = transport(google, clock)
    assert (await road.call("messages.get", id=ident, format="minimal"))["id"] == ident
    await road.call("messages.modify", id=ident, body={"removeLabelIds": ["UNREAD"]})
    assert "UNREAD" not in google.mailbox.mails[ident].labels
    assert clock.waited == []


async def test_many_calls_at_once_do_not_get_in_each_others_way(google: Google, clock: Hasty) -> None:
    there = [google.mailbox.deliver(mail(number=number)) for number in range(20)]
    road = transport(google, clock)
    found = await asyncio.gather(*(road.call("messages.get", id=ident, format="minimal") for ident in there))
    assert [each["id"] for each in found] == there


TROUBLES: dict[str, dict[str, Any]] = {
    "dropped before": {"drop": True, "when": "before"},
    "dropped in": {"drop": True, "when": "in"},
    "dropped after": {"drop": True, "when": "after"},
    **{str(status): {"status": status} for status in (403, 429, 500, 502, 503)},
}


@pytest.mark.parametrize("command", READS)
@pytest.mark.parametrize("what", TROUBLES)
async def test_a_read_is_tried_again_until_it_goes_through(
    google: Google, clock: Hasty, command: str, what: str
) -> None:
    google.fault(f"gmail.users.{command}", **TROUBLES[what], times=TRIES - 1)
    await transport(google, clock).call(command, **READS[command])
    assert len(statuses(google, command)) == TRIES
    assert clock.waited == sorted(clock.waited)
    assert len(clock.waited) >= TRIES - 1


@pytest.mark.parametrize("what", TROUBLES)
async def test_a_read_is_not_tried_for_ever(google: Google, clock: Hasty, what: str) -> None:
    google.fault("gmail.users.getProfile", **TROUBLES[what], times=99)
    with pytest.raises(TooFastError if what in ("403", "429") else LostError):
        await transport(google, clock).call("getProfile")
    assert len(statuses(google, "getProfile")) == TRIES


@pytest.mark.parametrize("what", TROUBLES)
@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("messages.send", {"body": OUT}),
        ("drafts.create", {"body": {"message": OUT}}),
        ("messages.batchModify", {"body": {"ids": [], "addLabelIds": ["STARRED"]}}),
    ],
)
async def test_a_write_is_asked_for_once_whatever_comes(
    google: Google, clock: Hasty, command: str, given: dict[str, Any], what: str
) -> None:
    google.fault(f"gmail.users.{command}", **TROUBLES[what], times=99)
    with pytest.raises(TooFastError if what in ("403", "429") else InDoubtError):
        await transport(google, clock).call(command, **given)
    assert len(statuses(google, command)) == 1
    assert len(google.mailbox.sent) == (command == "messages.send" and what in ("dropped in", "dropped after"))


async def test_what_never_left_is_no_doubt(google: Google, clock: Hasty) -> None:
    road = transport(google, clock)
    await road.call("getProfile")
    google.stop()
    with pytest.raises(LostError, match="can't be reached"):
        await road.call("messages.send", body=OUT)
    google.start()
    await road.call("messages.send", body=OUT)
    assert len(google.mailbox.sent) == 1


@pytest.mark.parametrize(
    ("command", "given", "kind", "said"),
    [
        ("messages.get", {"id": "12ab"}, GoneError, "no such thing"),
        ("drafts.send", {"body": {"id": "r1"}}, GoneError, "no such thing"),
        ("history.list", {"startHistoryId": "1"}, GoneError, "no such thing"),
        ("messages.get", {"id": "no-id"}, RefusedError, "Invalid id value"),
        ("messages.send", {"body": {"raw": urlsafe_b64encode(b"Subject: x\n\n").decode()}}, RefusedError, "Recipient"),
    ],
)
async def test_a_refusal_is_told_once_in_words(
    google: Google, clock: Hasty, command: str, given: dict[str, Any], kind: type[GoogleError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        await transport(google, clock).call(command, **given)
    assert len(statuses(google, command)) == 1


async def test_what_the_user_did_not_allow_is_told(google: Google, clock: Hasty) -> None:
    with pytest.raises(NotAllowedError) as told:
        await transport(google, clock, READ).call("messages.send", body=OUT)
    assert "sign in to Google again" in told.value.remedy


@pytest.mark.parametrize("command", ["getProfile", "messages.send"])
async def test_a_token_that_ended_is_renewed_and_a_grant_that_ended_is_told(
    google: Google, clock: Hasty, command: str
) -> None:
    given = {"body": OUT} if command == "messages.send" else {}
    road = transport(google, clock)
    google.service.sign_in.expire_access()
    await road.call(command, **given)
    assert statuses(google, command) == [401, 200]
    google.service.sign_in.end_grants()
    with pytest.raises(SignInError, match="invalid_grant") as told:
        await road.call(command, **given)
    assert told.value.remedy == "sign in to Google again"
    assert len(google.mailbox.sent) == (command == "messages.send")


async def test_a_batch_has_an_answer_for_each_in_its_order(google: Google, clock: Hasty) -> None:
    there = [google.mailbox.deliver(mail(number=number)) for number in range(PARTS + 7)]
    asks = [Ask("messages.get", {"id": ident, "format": "minimal"}) for ident in there]
    asks.insert(3, Ask("messages.get", {"id": "12ab"}))
    answers = await transport(google, clock).together(asks)
    assert isinstance(answers.pop(3), GoneError)
    assert [each["id"] for each in answers] == there
    assert len(google.asked("batch")) == 2


async def test_only_what_has_no_answer_yet_is_asked_for_again(google: Google, clock: Hasty) -> None:
    there = [google.mailbox.deliver(mail(number=number)) for number in range(6)]
    google.fault("gmail.users.messages.get", status=429, times=2, retry_after=7)
    google.fault("gmail.users.messages.get", status=503)
    google.fault("batch", drop=True)
    asks = [Ask("messages.get", {"id": ident}) for ident in there]
    answers = await transport(google, clock).together(asks)
    assert [each["id"] for each in answers] == there
    assert len(google.asked("gmail.users.messages.get")) == 9
    assert max(clock.waited) >= 7


async def test_a_batch_that_does_not_come_through_is_raised_and_a_part_stands_for_itself(
    google: Google, clock: Hasty
) -> None:
    ident, road = google.mailbox.deliver(mail()), transport(google, clock)
    asks = [Ask("messages.get", {"id": ident}), Ask("getProfile", {})]
    google.fault("gmail.users.getProfile", status=503, times=99)
    found, missing = await road.together(asks)
    assert found["id"] == ident
    assert isinstance(missing, LostError)
    google.fault("batch", drop=True, times=99)
    with pytest.raises(LostError):
        await road.together(asks)


async def test_a_write_in_a_batch_is_an_error_of_the_code(google: Google, clock: Hasty) -> None:
    with pytest.raises(AssertionError, match=r"messages\.send"):
        await transport(google, clock).together([Ask("messages.send", {"body": OUT})])
    assert not google.log


async def test_a_server_that_stands_still_is_told(google: Google, clock: Hasty) -> None:
    google.fault("gmail.users.*", wait=600, times=99)
    road = transport(google, clock, seconds=0.1)
    with pytest.raises(LostError):
        await road.call("getProfile")
    with pytest.raises(InDoubtError):
        await road.call("messages.send", body=OUT)


async def test_a_call_ends_after_the_longest_though_bytes_still_come(google: Google) -> None:
    clock = ManualClock()
    road = transport(google, clock)
    await road.call("labels.list")
    google.fault(SEND, wait=600)
    call = asyncio.ensure_future(road.call("messages.send", body=OUT))
    await until(lambda: bool(google.asked(SEND)))
    await clock.advance(LONGEST + 1)
    with pytest.raises(InDoubtError, match="does not answer"):
        await call
    google.stop()  # its thread goes on until then


async def test_the_first_sync_keeps_within_googles_limit(google: Google, clock: Hasty) -> None:
    there = [google.mailbox.deliver(mail(number=number)) for number in range(240)]
    began = clock.monotonic()
    answers = await transport(google, clock).together([Ask("messages.get", {"id": ident}) for ident in there])
    assert not [each for each in answers if isinstance(each, GoogleError)]
    assert {asked.status for asked in google.log} == {200}
    assert 60 <= clock.monotonic() - began <= 70  # 4,800 units, 4,500 a minute


async def test_the_user_does_not_wait_behind_the_background(clock: Hasty) -> None:
    real = ManualClock()
    pace = Pace(real, units=100)
    await pace.take(70)
    behind = [asyncio.ensure_future(pace.take(10)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.wait_for(pace.take(25, urgent=True), 10)
    assert not any(each.done() for each in behind)
    await real.advance(61)
    await asyncio.gather(*behind)
    assert real.monotonic() == 61


async def test_after_a_refusal_everything_rests(clock: Hasty) -> None:
    pace = Pace(clock, 6_000)
    pace.rest(30)
    await pace.take(1, urgent=True)
    assert clock.monotonic() == 30
    assert 0 < SHARE < 1


def test_every_price_is_googles() -> None:
    assert {f"gmail.users.{command}": price for command, price in PRICES.items()}.items() <= UNITS.items()
    assert {f"gmail.users.{command}" for command in PRICES} <= set(discovery("gmail", "v1").idents)


@pytest.mark.parametrize("command", ["getProfile", "messages.send"])
@pytest.mark.parametrize("how", ["told", "untold", "packed"])
async def test_an_answer_that_is_too_long_is_not_read_on(clock: Hasty, command: str, how: str) -> None:
    with Flood(how) as flood:
        held = Credentials("token", token_uri=f"{flood.url}/token")
        road = Transport(GMAIL, lambda: held, clock, flood.url)
        with pytest.raises(GoogleError if command == "getProfile" else InDoubtError) as told:
            await road.call(command, **({"body": OUT} if command == "messages.send" else {}))
    assert not isinstance(told.value, LostError)
    assert flood.asked == 1
    assert flood.sent < 2 * MOST


@pytest.mark.parametrize(
    "address",
    [
        "https://gmail.googleapis.com/batch",
        "https://oauth2.googleapis.com/token",
        "http://127.0.0.1:1.evil.example/x",
        "http://127.0.0.1:12/x",
        "http://127.0.0.1:1@evil.example/x",
    ],
)
def test_no_request_goes_elsewhere(address: str) -> None:
    with pytest.raises(ElsewhereError):
        Wire(["http://127.0.0.1:1/"], 1).request(address)


async def test_nothing_of_googles_is_imported_before_the_first_call() -> None:
    code = (
        "import sys; import pepper_tui.connectors.gmail, pepper_tui.connectors.google_account.transport; "
        "print([m for m in ('googleapiclient', 'google.auth', 'httplib2') if m in sys.modules])"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
