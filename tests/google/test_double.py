"""Gmail's commands on the double, each by Google's own client; what is not allowed is refused and told."""

from __future__ import annotations

import email
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import ExitStack
from email.message import EmailMessage
from typing import Any

import pytest
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaInMemoryUpload

from tests.domains.mail.mails import mail, varied
from tests.google import Google
from tests.google.client import ALL_MAIL, LABELS, READ, credentials, gmail, transport
from tests.google.discovery import discovery
from tests.google.gmail.methods import METHODS
from tests.google.quota import UNITS


def raw(text: bytes) -> str:
    return urlsafe_b64encode(text).decode()


def with_attachment() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Bob <bob@example.com>", "alex@example.com", "The plan"
    message.set_content("It's <here>.")
    message.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="plan.pdf")
    message.set_boundary("b")
    return message.as_bytes()


OUT = mail("Alex <alex@example.com>", "bob@example.com", "Out", "Sent text.")

Asks = Callable[[Any, "Place"], Any]


class Place:
    """A mailbox with one mail that has an attachment, and one draft."""

    def __init__(self, google: Google) -> None:
        self.box = google.mailbox
        self.start = str(self.box.history)
        self.mail = self.box.deliver(with_attachment())
        self.draft = self.box.save_draft(OUT, None)

    @property
    def labels(self) -> list[str]:
        return self.box.mails[self.mail].labels


NEW_LABEL = {"name": "Work", "labelListVisibility": "labelShow", "messageListVisibility": "show"}
CALLS: dict[str, tuple[Asks, Callable[[Any, Place], bool]]] = {
    "getProfile": (
        lambda users, _: users.getProfile(userId="me"),
        lambda got, at: got["emailAddress"] == "alex@example.com" and got["historyId"] == str(at.box.history),
    ),
    "messages.list": (
        lambda users, _: users.messages().list(userId="me", labelIds=["INBOX", "UNREAD"]),
        lambda got, at: got["messages"] == [{"id": at.mail, "threadId": at.mail}] and "nextPageToken" not in got,
    ),
    "messages.get": (
        lambda users, at: users.messages().get(userId="me", id=at.mail),
        lambda got, _: [part["filename"] for part in got["payload"]["parts"]] == ["", "plan.pdf"],
    ),
    "messages.attachments.get": (
        lambda users, at: users.messages().attachments().get(
            userId="me", messageId=at.mail,
            id=users.messages().get(userId="me", id=at.mail).execute()["payload"]["parts"][1]["body"]["attachmentId"],
        ),
        lambda got, _: urlsafe_b64decode(got["data"]) == b"%PDF-1" and got["size"] == 6,
    ),
    "messages.modify": (
        lambda users, at: users.messages().modify(
            userId="me", id=at.mail, body={"addLabelIds": ["STARRED"], "removeLabelIds": ["UNREAD", "INBOX"]}
        ),
        lambda got, at: got["labelIds"] == at.labels == ["CATEGORY_PERSONAL", "STARRED"],
    ),
    "messages.batchModify": (
        lambda users, at: users.messages().batchModify(
            userId="me", body={"ids": [at.mail, "1234567890abcdef"], "removeLabelIds": ["UNREAD"]}
        ),
        lambda got, at: not got and "UNREAD" not in at.labels,
    ),
    "messages.trash": (
        lambda users, at: users.messages().trash(userId="me", id=at.mail),
        lambda got, at: "TRASH" in got["labelIds"] and "INBOX" not in at.labels,
    ),
    "messages.untrash": (
        lambda users, at: (users.messages().trash(userId="me", id=at.mail).execute(),
                           users.messages().untrash(userId="me", id=at.mail))[1],
        lambda _, at: not {"TRASH", "INBOX"} & set(at.labels),
    ),
    "messages.delete": (
        lambda users, at: users.messages().delete(userId="me", id=at.mail),
        lambda got, at: not got and at.mail not in at.box.mails,
    ),
    "messages.insert": (
        lambda users, _: users.messages().insert(userId="me", body={"raw": raw(OUT), "labelIds": ["INBOX"]}),
        lambda got, at: at.box.mails[got["id"]].raw == OUT and got["labelIds"] == ["INBOX"],
    ),
    "messages.import": (
        lambda users, _: users.messages().import_(userId="me", body={"raw": raw(OUT)}),
        lambda got, at: at.box.mails[got["id"]].at == 1_790_000_000_000,  # what its Date says
    ),
    "messages.send": (
        lambda users, _: users.messages().send(userId="me", body={"raw": raw(OUT)}),
        lambda got, at: got["labelIds"] == ["SENT"] and at.box.sent[0].recipients == ("bob@example.com",),
    ),
    "threads.list": (
        lambda users, _: users.threads().list(userId="me"),
        lambda got, at: at.mail in [thread["id"] for thread in got["threads"]],
    ),
    "threads.get": (
        lambda users, at: users.threads().get(userId="me", id=at.mail, format="minimal"),
        lambda got, at: [each["id"] for each in got["messages"]] == [at.mail],
    ),
    "threads.modify": (
        lambda users, at: users.threads().modify(userId="me", id=at.mail, body={"removeLabelIds": ["UNREAD"]}),
        lambda _, at: "UNREAD" not in at.labels,
    ),
    "threads.trash": (
        lambda users, at: users.threads().trash(userId="me", id=at.mail),
        lambda _, at: "TRASH" in at.labels,
    ),
    "threads.untrash": (
        lambda users, at: (users.threads().trash(userId="me", id=at.mail).execute(),
                           users.threads().untrash(userId="me", id=at.mail))[1],
        lambda _, at: "TRASH" not in at.labels,
    ),
    "labels.list": (
        lambda users, at: (at.box.create_label("Work"), users.labels().list(userId="me"))[1],
        lambda got, _: {"INBOX", "Work"} <= {label["name"] for label in got["labels"]},
    ),
    "labels.get": (
        lambda users, _: users.labels().get(userId="me", id="UNREAD"),
        lambda got, _: (got["messagesTotal"], got["messagesUnread"], got["type"]) == (1, 1, "system"),
    ),
    "labels.create": (
        lambda users, _: users.labels().create(userId="me", body=NEW_LABEL),
        lambda got, at: got == {**NEW_LABEL, "id": "Label_1", "type": "user"} and "Label_1" in at.box.labels,
    ),
    "history.list": (
        lambda users, at: users.history().list(userId="me", startHistoryId=at.start, historyTypes=["messageAdded"]),
        lambda got, at: got["history"][0]["messagesAdded"][0]["message"]["id"] == at.mail,
    ),
    "drafts.create": (
        lambda users, _: users.drafts().create(userId="me", body={"message": {"raw": raw(OUT)}}),
        lambda got, at: at.box.drafts[got["id"]] == got["message"]["id"] and got["message"]["labelIds"] == ["DRAFT"],
    ),
    "drafts.get": (
        lambda users, at: users.drafts().get(userId="me", id=at.draft, format="raw"),
        lambda got, _: urlsafe_b64decode(got["message"]["raw"]) == OUT,
    ),
    "drafts.list": (
        lambda users, _: users.drafts().list(userId="me"),
        lambda got, at: [draft["id"] for draft in got["drafts"]] == [at.draft],
    ),
    "drafts.update": (
        lambda users, at: users.drafts().update(
            userId="me", id=at.draft, body={"message": {"raw": raw(OUT.replace(b"Sent", b"New"))}}
        ),
        lambda got, at: got["id"] == at.draft and b"New text" in at.box.draft(at.draft).raw,
    ),
    "drafts.delete": (
        lambda users, at: users.drafts().delete(userId="me", id=at.draft),
        lambda got, at: not got and not at.box.drafts,
    ),
    "drafts.send": (
        lambda users, at: users.drafts().send(userId="me", body={"id": at.draft}),
        lambda got, at: got["labelIds"] == ["SENT"] and not at.box.drafts and at.box.sent[0].id == got["id"],
    ),
    "settings.sendAs.list": (
        lambda users, at: (at.box.aliases.update({"team@example.com": "Team"}),
                           users.settings().sendAs().list(userId="me"))[1],
        lambda got, _: [each["sendAsEmail"] for each in got["sendAs"]] == ["alex@example.com", "team@example.com"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("command", CALLS)
def test_each_command_is_spoken(google: Google, command: str) -> None:
    place = Place(google)
    ask, holds = CALLS[command]
    got = ask(gmail(google).users(), place).execute()
    assert holds(got, place), got
    assert [asked.status for asked in google.asked(f"gmail.users.{command}")] in ([200], [204])


def test_no_command_goes_without_a_test_or_a_price() -> None:
    assert {f"gmail.users.{command}" for command in CALLS} == METHODS.keys() == UNITS.keys()
    assert METHODS.keys() <= set(discovery("gmail", "v1").idents)


NOT_ALLOWED: dict[str, tuple[str, str, bytes, str]] = {
    "an unknown path": ("GET", "/gmail/v1/users/me/mails", b"", "no such command"),
    "a wrong method": ("DELETE", "/gmail/v1/users/me/messages", b"", "no such command"),
    "an unknown parameter": ("GET", "/gmail/v1/users/me/messages?limit=3", b"", 'unknown parameter "limit"'),
    "no number": ("GET", "/gmail/v1/users/me/messages?maxResults=many", b"", "no value"),
    "a negative number": ("GET", "/gmail/v1/users/me/messages?maxResults=-1", b"", "no value"),
    "no boolean": ("GET", "/gmail/v1/users/me/messages?includeSpamTrash=1", b"", "no value"),
    "not of a list": ("GET", "/gmail/v1/users/me/messages/12?format=short", b"", "no value"),
    "a parameter twice": ("GET", "/gmail/v1/users/me/messages?q=a&q=b", b"", "given 2 times"),
    "a history id in words": ("GET", "/gmail/v1/users/me/history?startHistoryId=x", b"", "no value"),
    "an unknown field": ("POST", "/gmail/v1/users/me/messages/12/modify", b'{"labels": []}', "'labels' was unexpected"),
    "a field of another type": (
        "POST", "/gmail/v1/users/me/messages/12/modify", b'{"addLabelIds": "INBOX"}', "is not of type 'array'",
    ),
    "no body": ("POST", "/gmail/v1/users/me/messages/12/modify", b"", "is not of type 'object'"),
    "a body where none is": ("POST", "/gmail/v1/users/me/messages/12/trash", b"{}", "takes no body"),
    "raw that is no base64url": ("POST", "/gmail/v1/users/me/messages/send", b'{"raw": "a+b/"}', "is not a 'byte'"),
    "a required field": ("POST", "/gmail/v1/users/me/messages/send", b"{}", '"raw" is missing'),
    "a required field of a draft": ("POST", "/gmail/v1/users/me/drafts/send", b"{}", '"id" is missing'),
    "a command not spoken": ("POST", "/gmail/v1/users/me/stop", b"", "not spoken here"),
    "an operator not spoken": ("GET", "/gmail/v1/users/me/messages?q=list:a", b"", "not spoken here"),
}  # fmt: skip


@pytest.mark.parametrize("what", NOT_ALLOWED)
def test_what_the_document_does_not_allow_is_an_error_of_the_test(what: str) -> None:
    method, path, body, said = NOT_ALLOWED[what]
    with ExitStack() as stack:
        google = stack.enter_context(Google())
        headers = {"content-type": "application/json"} if body else {}
        http = transport(credentials(google, ALL_MAIL))
        response, _ = http.request(google.url + path, method, body=body or None, headers=headers)
        assert response.status == 400
        assert [said in told for told in google.violations] == [True], google.violations
        with pytest.raises(AssertionError):
            stack.close()


def test_an_answer_that_the_document_does_not_allow_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "gmail.users.getProfile", lambda _: {"mail": "x"})
    with ExitStack() as stack:
        google = stack.enter_context(Google())
        with pytest.raises(HttpError):
            gmail(google).users().getProfile(userId="me").execute()
        with pytest.raises(AssertionError, match="answer to"):
            stack.close()


def test_a_scope_that_was_not_given_is_missed(google: Google) -> None:
    users = gmail(google, READ).users()
    ident = google.mailbox.deliver(mail())
    users.messages().get(userId="me", id=ident).execute()
    with pytest.raises(HttpError) as refused:
        users.messages().modify(userId="me", id=ident, body={"addLabelIds": ["STARRED"]}).execute()
    assert refused.value.status_code == 403
    with pytest.raises(HttpError):
        gmail(google, LABELS).users().messages().list(userId="me").execute()


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_pages_hold_each_mail_once_while_more_comes(google: Google, size: int) -> None:
    there = [google.mailbox.deliver(varied(number), at=1_790_000_000 + number) for number in range(7)]
    users = gmail(google).users()
    request = users.messages().list(userId="me", maxResults=size)
    found: list[str] = []
    while request is not None:
        page = request.execute()
        assert len(page["messages"]) <= size
        found += [each["id"] for each in page["messages"]]
        google.mailbox.deliver(mail())
        request = users.messages().list_next(request, page)
    assert found == there[::-1]


def test_history_pages_from_where_it_was_until_now(google: Google) -> None:
    box, users = google.mailbox, gmail(google).users()
    start = str(box.history)
    first, second = box.deliver(mail(number=1)), box.deliver(mail(number=2))
    box.mark_read(first)
    box.relabel(second, add=["STARRED"])
    box.delete(second)
    request = users.history().list(userId="me", startHistoryId=start, maxResults=2)
    records: list[Any] = []
    while request is not None:
        page = request.execute()
        records += page["history"]
        assert page["historyId"] == str(box.history)
        request = users.history().list_next(request, page)
    kinds = [next(iter(set(record) - {"id", "messages"})) for record in records]
    assert kinds == ["messagesAdded", "messagesAdded", "labelsRemoved", "labelsAdded", "messagesDeleted"]
    idents = [int(record["id"]) for record in records]
    assert idents == sorted(set(idents))
    assert records[2]["labelsRemoved"][0]["labelIds"] == ["UNREAD"]
    only = users.history().list(userId="me", startHistoryId=start, historyTypes=["labelAdded"]).execute()
    assert len(only["history"]) == 1
    assert "history" not in users.history().list(userId="me", startHistoryId=str(box.history)).execute()


@pytest.mark.parametrize("when", ["before it was forgotten", "not yet"])
def test_a_history_that_is_not_there_is_404(google: Google, when: str) -> None:
    box, users = google.mailbox, gmail(google).users()
    start = box.history
    box.deliver(mail())
    box.expire_history()
    asked = start if when != "not yet" else box.history + 5
    with pytest.raises(HttpError) as gone:
        users.history().list(userId="me", startHistoryId=str(asked)).execute()
    assert gone.value.status_code == 404
    users.history().list(userId="me", startHistoryId=str(box.history)).execute()


def test_the_formats_show_what_gmail_shows(google: Google) -> None:
    box, messages = google.mailbox, gmail(google).users().messages()
    ident = box.deliver(with_attachment())
    minimal = messages.get(userId="me", id=ident, format="minimal").execute()
    assert minimal["snippet"] == "It&#39;s &lt;here&gt;."
    assert not {"payload", "raw"} & set(minimal)
    whole = messages.get(userId="me", id=ident, format="raw").execute()
    assert urlsafe_b64decode(whole["raw"]) == with_attachment()
    some = messages.get(userId="me", id=ident, format="metadata", metadataHeaders=["subject", "From"]).execute()
    assert {each["name"] for each in some["payload"]["headers"]} == {"From", "Subject"}
    assert "body" not in some["payload"]
    keys = [
        messages.get(userId="me", id=ident).execute()["payload"]["parts"][1]["body"]["attachmentId"] for _ in range(2)
    ]
    assert keys[0] != keys[1]
    for key in keys:
        messages.attachments().get(userId="me", messageId=ident, id=key).execute()


@pytest.mark.parametrize("number", range(15))
def test_every_kind_of_mail_can_be_shown(google: Google, number: int) -> None:
    ident = google.mailbox.deliver(varied(number))
    messages = gmail(google).users().messages()
    for form in ("minimal", "full", "raw", "metadata"):
        messages.get(userId="me", id=ident, format=form).execute()
    messages.list(userId="me", q=f"#{number}").execute()


def test_text_in_another_charset_comes_as_utf_8(google: Google) -> None:
    ident = google.mailbox.deliver(b"Subject: x\nContent-Type: text/plain; charset=iso-8859-1\n\ngr\xfc\xdfe")
    shown = gmail(google).users().messages().get(userId="me", id=ident).execute()
    assert urlsafe_b64decode(shown["payload"]["body"]["data"]).decode() == "grüße"


def test_only_so_much_comes_as_the_fields_say(google: Google) -> None:
    users, ident = gmail(google).users(), google.mailbox.deliver(mail())
    assert users.messages().list(userId="me", fields="messages/id,nextPageToken").execute() == {
        "messages": [{"id": ident}]
    }
    deep = users.messages().get(userId="me", id=ident, fields="id,payload(mimeType,headers/name)").execute()
    assert deep["id"] == ident
    assert set(deep["payload"]) == {"mimeType", "headers"}
    assert all(set(header) == {"name"} for header in deep["payload"]["headers"])


def test_an_address_too_long_goes_as_a_post(google: Google) -> None:
    ident = google.mailbox.deliver(mail(subject="needle"))
    long = " OR ".join(["subject:needle", *(f"subject:straw{number}" for number in range(300))])
    found = gmail(google).users().messages().list(userId="me", q=long).execute()
    assert [each["id"] for each in found["messages"]] == [ident]


@pytest.mark.parametrize("kind", ["media alone", "media and JSON"])
def test_a_mail_can_go_as_media(google: Google, kind: str) -> None:
    """The client makes an address with https of it, whatever the endpoint says: so it is put right here."""
    media = MediaInMemoryUpload(OUT, "message/rfc822")
    body = None if kind == "media alone" else {}
    request = gmail(google).users().messages().send(userId="me", body=body, media_body=media)
    assert request.uri.startswith(google.url.replace("http:", "https:") + "/upload/")
    request.uri = request.uri.replace("https:", "http:")
    request.execute()
    assert email.message_from_bytes(google.mailbox.sent[0].raw).get_payload().strip() == "Sent text."
