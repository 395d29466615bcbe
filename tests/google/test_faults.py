"""Batches, quota, and everything that a test can let go wrong, as Google's own client sees it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from http.client import HTTPException
from pathlib import Path
from typing import Any

import httplib2
import pytest
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

from tests.domains.mail.mails import mail
from tests.google import Google
from tests.google.client import ALL_MAIL, credentials, gmail, transport
from tests.google.process import GoogleProcess
from tests.google.quota import Quota
from tests.waiting import until

OUT = {"raw": urlsafe_b64encode(mail("alex@example.com", "bob@example.com")).decode()}
BROKEN = (httplib2.HttpLib2Error, HTTPException, OSError)


class Batch:
    """A batch to the double; ``got`` and ``failed`` by the parts' names."""

    def __init__(self, google: Google) -> None:
        self.got: dict[str, Any] = {}
        self.failed: dict[str, int] = {}
        self._batch = BatchHttpRequest(callback=self._told, batch_uri=f"{google.url}/batch/gmail/v1")
        self._http = transport(credentials(google, ALL_MAIL))

    def add(self, name: str, request: Any) -> None:
        self._batch.add(request, request_id=name)

    def run(self) -> None:
        self._batch.execute(http=self._http)

    def _told(self, name: str, got: Any, error: HttpError | None) -> None:
        if error is None:
            self.got[name] = got
        else:
            self.failed[name] = error.status_code


def test_each_part_of_a_batch_has_its_own_answer(google: Google) -> None:
    there = {f"part + {number}": google.mailbox.deliver(mail(number=number)) for number in range(20)}
    messages, batch = gmail(google).users().messages(), Batch(google)
    for name, ident in there.items():
        batch.add(name, messages.get(userId="me", id=ident, format="minimal"))
    batch.add("gone", messages.get(userId="me", id="12ab"))
    batch.add("mark", messages.modify(userId="me", id=there["part + 3"], body={"removeLabelIds": ["UNREAD"]}))
    batch.add("silent", messages.batchModify(userId="me", body={"ids": [], "addLabelIds": ["STARRED"]}))
    batch.run()
    assert {name: batch.got[name]["id"] for name in there} == there
    assert batch.failed == {"gone": 404}
    assert "UNREAD" not in google.mailbox.mails[there["part + 3"]].labels
    assert len(google.asked("batch")) == 1
    assert [asked.batched for asked in google.asked("gmail.users.messages.get")] == [True] * 21


def test_parts_are_charged_singly_and_refused_singly(google: Google) -> None:
    google.service.quota = Quota(units=100)
    messages, batch = gmail(google).users().messages(), Batch(google)
    for number in range(8):
        ident = google.mailbox.deliver(mail(number=number))
        batch.add(str(number), messages.get(userId="me", id=ident, format="minimal"))
    batch.run()
    assert len(batch.got) == 5
    assert set(batch.failed.values()) == {429}


def test_a_batch_in_which_the_token_ends_is_asked_again_for_those_parts(google: Google) -> None:
    messages, batch = gmail(google).users().messages(), Batch(google)
    for number in range(4):
        batch.add(str(number), messages.get(userId="me", id=google.mailbox.deliver(mail(number=number))))
    google.fault("gmail.users.messages.get", status=401, skip=1, times=2)
    batch.run()
    assert len(batch.got) == 4
    assert len(google.asked("batch")) == 2
    assert len(google.asked("gmail.users.messages.get")) == 6


def test_what_is_no_batch_is_refused(google: Google) -> None:
    http = transport(credentials(google, ALL_MAIL))
    kind = {"content-type": "multipart/mixed; boundary=b"}
    head = "Content-Type: application/http\r\nContent-ID: <x+1>"
    part = f"--b\r\n{head}\r\n\r\nGET /gmail/v1/users/me/profile HTTP/1.1\r\n\r\n"
    assert http.request(f"{google.url}/batch/gmail/v1", "POST", part * 100 + "--b--", kind)[0].status == 200
    assert http.request(f"{google.url}/batch/gmail/v1", "POST", part * 101 + "--b--", kind)[0].status == 400


@pytest.mark.parametrize("status", [429, 403])
def test_who_is_too_fast_waits(status: int) -> None:
    time = [1_790_000_000.0]
    with Google(now=lambda: time[0]) as google:
        google.service.quota = Quota(units=10, status=status)
        profile = gmail(google).users().messages().list(userId="me")
        profile.execute()
        time[0] += 20
        profile.execute()
        with pytest.raises(HttpError) as refused:
            profile.execute()
        assert refused.value.status_code == status
        assert refused.value.resp["retry-after"] == "40"
        assert "ateLimitExceeded" in refused.value.content.decode()
        time[0] += 40
        profile.execute()


@pytest.mark.parametrize("when", ["before", "in", "after"])
def test_a_lost_answer_leaves_in_doubt_what_was_done(google: Google, when: str) -> None:
    """The client itself sends a second time where the connection ended without one byte of an answer."""
    google.fault("gmail.users.messages.send", drop=True, when=when, times=9)
    with pytest.raises(BROKEN):
        gmail(google).users().messages().send(userId="me", body=OUT).execute(num_retries=0)
    asked = [each.status for each in google.asked("gmail.users.messages.send")]
    assert asked == {"before": [None, None], "in": [None], "after": [None, None]}[when]
    assert len(google.mailbox.sent) == {"before": 0, "in": 1, "after": 2}[when]


def test_a_draft_that_went_is_gone_though_the_answer_is_lost(google: Google) -> None:
    drafts = gmail(google).users().drafts()
    draft = drafts.create(userId="me", body={"message": OUT}).execute()["id"]
    google.fault("gmail.users.drafts.send", drop=True, when="after")
    with pytest.raises(HttpError) as second:
        drafts.send(userId="me", body={"id": draft}).execute()
    assert second.value.status_code == 404
    assert len(google.mailbox.sent) == 1


@pytest.mark.parametrize("status", [429, 403, 500, 502, 503])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_storm_passes(google: Google, status: int, when: str) -> None:
    google.fault("gmail.users.messages.*", status=status, when=when, times=2)
    users = gmail(google).users()
    users.getProfile(userId="me").execute()
    ident = google.mailbox.deliver(mail())
    for _ in range(2):
        with pytest.raises(HttpError) as refused:
            users.messages().trash(userId="me", id=ident).execute()
        assert refused.value.status_code == status
    assert ("TRASH" in google.mailbox.mails[ident].labels) == (when == "after")
    users.messages().trash(userId="me", id=ident).execute()


async def test_a_slow_answer_meets_the_clients_limit_and_no_one_waits_at_the_end() -> None:
    with Google() as google:
        google.fault("gmail.users.getProfile", wait=600)
        with pytest.raises(TimeoutError):
            gmail(google, seconds=0.2).users().getProfile(userId="me").execute()
        gmail(google).users().getProfile(userId="me").execute()
        slow = google.asked("gmail.users.getProfile")[0]
        assert slow.status is None
    await until(lambda: slow.status == 200)


def test_a_mail_vanishes_between_list_and_get(google: Google) -> None:
    ident, messages = google.mailbox.deliver(mail()), gmail(google).users().messages()
    google.fault("gmail.users.messages.get", meanwhile=lambda: google.mailbox.delete(ident))
    assert messages.list(userId="me").execute()["messages"]
    with pytest.raises(HttpError) as gone:
        messages.get(userId="me", id=ident).execute()
    assert gone.value.status_code == 404


def test_a_fault_is_for_its_command_and_its_turn(google: Google) -> None:
    google.fault("gmail.users.labels.list", status=500, skip=1)
    labels = gmail(google).users().labels()
    statuses = []
    for _ in range(3):
        try:
            labels.list(userId="me").execute()
            labels.get(userId="me", id="INBOX").execute()
            statuses.append(200)
        except HttpError as error:
            statuses.append(error.status_code)
    assert statuses == [200, 500, 200]


def test_what_it_knows_is_there_after_it_was_away(google: Google) -> None:
    users = gmail(google).users()
    ident = google.mailbox.deliver(mail())
    users.getProfile(userId="me").execute()
    google.stop()
    with pytest.raises(BROKEN):
        users.getProfile(userId="me").execute()
    google.start()
    assert users.messages().get(userId="me", id=ident).execute()["id"] == ident


def test_a_process_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    with GoogleProcess(tmp_path / "state") as process:
        held = process.do("allow", ALL_MAIL)
        as_here: Any = type("Here", (), {"url": process.url, "allow": lambda _, *__: held})()
        users = gmail(as_here).users()
        ident = process.do("mailbox.deliver", mail())
        process.do("fault", "gmail.users.messages.send", drop=True, when="in")
        with pytest.raises(BROKEN):
            users.messages().send(userId="me", body=OUT).execute()
        process.kill()
        with pytest.raises(BROKEN):
            users.getProfile(userId="me").execute()
        process.start()
        assert users.messages().get(userId="me", id=ident).execute()["id"] == ident
        assert len(process.do("mailbox.sent")) == 1
        asked = [each.command.rpartition(".")[2] for each in process.do("log")]
        assert asked == ["send", "get"]
