"""What Gmail does to mail and no document says in full: threads, searches, sending, drafts."""

from __future__ import annotations

import email
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.errors import HttpError

from tests.domains.mail.mails import mail
from tests.google import Google
from tests.google.client import ALL_MAIL, gmail
from tests.google.gmail.mailbox import SYSTEM_LABELS

ME = "Alex <alex@example.com>"


def body(text: bytes, **more: str) -> dict[str, Any]:
    return {"raw": urlsafe_b64encode(text).decode(), **more}


def test_a_reply_joins_its_thread_and_another_subject_does_not(google: Google) -> None:
    box = google.mailbox
    first = box.deliver(mail(subject="Plan", number=1))
    answer = box.deliver(mail(subject="Re: Plan", number=2, References="<m0@example.com> <m1@example.com>"))
    by_reply = box.deliver(mail(subject="AW: RE: plan", number=3, In_Reply_To="<m2@example.com>"))
    other = box.deliver(mail(subject="Another", number=4, References="<m1@example.com>"))
    alone = box.deliver(mail(subject="Plan", number=5))
    threads = {ident: box.mails[ident].thread for ident in (first, answer, by_reply, other, alone)}
    assert threads == {first: first, answer: first, by_reply: first, other: other, alone: alone}


@pytest.mark.parametrize("why_not", ["", "another subject", "no reference"])
def test_sent_mail_stays_in_the_thread_only_if_it_fits(google: Google, why_not: str) -> None:
    box, users = google.mailbox, gmail(google).users()
    thread = box.deliver(mail(subject="Plan", number=1))
    refers = {} if why_not == "no reference" else {"References": "<m1@example.com>"}
    subject = "Other" if why_not == "another subject" else "Re: Plan"
    text = mail(ME, "alice@example.com", subject, number=2, **refers)
    sent = users.messages().send(userId="me", body=body(text, threadId=thread)).execute()
    assert (sent["threadId"] == thread) == (not why_not)


def test_a_thread_that_is_not_there_is_404(google: Google) -> None:
    with pytest.raises(HttpError) as refused:
        gmail(google).users().messages().send(userId="me", body=body(mail(ME, "b@c.de"), threadId="12ab")).execute()
    assert refused.value.status_code == 404
    assert not google.mailbox.sent


@pytest.mark.parametrize("own", [True, False])
def test_a_message_id_that_is_not_gmails_is_rewritten(google: Google, own: bool) -> None:
    ident = "<CAabc@mail.gmail.com>" if own else "<mine@pepper.example>"
    text = mail(ME, "bob@example.com", Message_ID=ident)
    sent = gmail(google).users().messages().send(userId="me", body=body(text)).execute()
    went = email.message_from_bytes(google.mailbox.mails[sent["id"]].raw)
    assert (went["Message-ID"] == ident) == own
    assert went["Message-ID"].endswith("@mail.gmail.com>")
    assert went["X-Google-Original-Message-ID"] == (None if own else ident)


@pytest.mark.parametrize("sender", ["alex@example.com", "team@example.com", "else@example.com"])
def test_a_sender_that_is_not_the_accounts_becomes_its_first(google: Google, sender: str) -> None:
    google.mailbox.aliases["team@example.com"] = "Team"
    gmail(google).users().messages().send(userId="me", body=body(mail(sender, "bob@example.com"))).execute()
    went = email.message_from_bytes(google.mailbox.sent[0].raw)["From"]
    assert (sender in went) == (sender != "else@example.com")
    assert "alex@example.com" in went or sender == "team@example.com"


@pytest.mark.parametrize("to", ["", "nobody"])
def test_mail_to_nobody_is_refused_and_a_draft_of_it_stays(google: Google, to: str) -> None:
    users = gmail(google).users()
    draft = users.drafts().create(userId="me", body={"message": body(mail(ME, to))}).execute()["id"]
    with pytest.raises(HttpError) as refused:
        users.drafts().send(userId="me", body={"id": draft}).execute()
    assert refused.value.status_code == 400
    users.drafts().get(userId="me", id=draft).execute()


def test_a_drafts_mail_has_a_new_id_each_time_and_its_thread_stays(google: Google) -> None:
    box, users = google.mailbox, gmail(google).users()
    start = str(box.history)
    draft = users.drafts().create(userId="me", body={"message": body(mail(ME, "b@c.de", "One"))}).execute()
    newer = users.drafts().update(
        userId="me", id=draft["id"], body={"message": body(mail(ME, "b@c.de", "Two"))}
    ).execute()  # fmt: skip
    sent = users.drafts().send(userId="me", body={"id": draft["id"]}).execute()
    assert len({draft["message"]["id"], newer["message"]["id"], sent["id"]}) == 3
    assert {newer["message"]["threadId"], sent["threadId"]} == {draft["message"]["threadId"]}
    with pytest.raises(HttpError) as gone:
        users.drafts().get(userId="me", id=draft["id"]).execute()
    assert gone.value.status_code == 404
    records = users.history().list(userId="me", startHistoryId=start).execute()["history"]
    told = [next(iter(set(record) - {"id", "messages"})) for record in records]
    assert told == ["messagesAdded", "messagesDeleted", "messagesAdded", "messagesDeleted", "messagesAdded"]
    assert records[-1]["messagesAdded"][0]["message"]["labelIds"] == ["SENT"]


def test_mail_to_oneself_arrives(google: Google) -> None:
    sent = gmail(google).users().messages().send(userId="me", body=body(mail(ME, ME))).execute()
    assert sent["labelIds"] == ["SENT", "INBOX", "UNREAD"]


@pytest.mark.parametrize("label", ["SENT", "DRAFT", "CHAT", "Label_9", "inbox"])
def test_labels_that_no_command_may_set_are_refused(google: Google, label: str) -> None:
    ident = google.mailbox.deliver(mail())
    with pytest.raises(HttpError) as refused:
        gmail(google).users().messages().modify(userId="me", id=ident, body={"addLabelIds": [label]}).execute()
    assert refused.value.status_code == 400


@pytest.mark.parametrize("name", ["work", "INBOX", " "])
def test_a_label_is_made_once_under_a_name_of_its_own(google: Google, name: str) -> None:
    google.mailbox.create_label("Work")
    label = {"name": name, "labelListVisibility": "labelShow", "messageListVisibility": "show"}
    with pytest.raises(HttpError):
        gmail(google).users().labels().create(userId="me", body=label).execute()
    assert len(google.mailbox.labels) == 1
    assert not {"Work"} & set(SYSTEM_LABELS)


@pytest.mark.parametrize("ident", ["not-an-id", "1234"])
def test_an_id_that_is_not_there_is_refused(google: Google, ident: str) -> None:
    with pytest.raises(HttpError) as refused:
        gmail(google).users().messages().get(userId="me", id=ident).execute()
    assert refused.value.status_code == (400 if ident == "not-an-id" else 404)


SEARCHES = {
    "": {"first", "second", "sent"},
    "from:alice": {"first"},
    "from:me": {"sent"},
    "to:bob@example.com": {"sent"},
    "cc:carol": {"second"},
    "bcc:x": set(),
    "subject:budget": {"second"},
    'subject:"the budget"': {"second"},
    "hello": {"first"},
    "-from:alice": {"second", "sent"},
    "from:alice OR from:dave": {"first", "second"},
    "{from:alice from:dave}": {"first", "second"},
    "(from:alice OR from:dave) is:unread": {"second"},
    "-(from:alice OR from:dave)": {"sent"},
    "is:unread": {"second"},
    "is:read": {"first", "sent"},
    "is:starred": {"first"},
    "is:important": set(),
    "in:inbox": {"first", "second"},
    "in:sent": {"sent"},
    "in:trash": {"binned"},
    "in:spam": {"spam"},
    "in:anywhere": {"first", "second", "sent", "binned", "spam"},
    "in:drafts": set(),
    "label:to-do": {"second"},
    "has:attachment": {"second"},
    "filename:pdf": {"second"},
    "rfc822msgid:<m1@example.com>": {"first"},
    "after:2026/09/22": {"second", "sent"},
    "before:2026/09/22": {"first"},
    "after:1790100000": {"second", "sent"},
    "newer_than:2d": {"sent"},
    "older_than:2d": {"first", "second"},
    "category:primary": {"first"},
}


@pytest.mark.parametrize("query", SEARCHES)
def test_a_search_finds_what_it_says(query: str) -> None:
    day = 86_400
    with Google(now=lambda: 1_790_000_000 + 5 * day) as google:
        box = google.mailbox
        todo = box.create_label("To do").id
        second = (
            b"From: dave@example.com\nTo: alex@example.com\nCc: Carol <carol@example.com>\nSubject: About the budget\n"
            b"Message-ID: <m2@example.com>\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nNumbers.\n"
            b'--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename="a.pdf"\n\nx\n'
            b"--b--\n"
        )
        first = box.deliver(
            mail(to="alex@example.com", number=1), ["INBOX", "STARRED", "CATEGORY_PERSONAL"], at=1_790_000_000
        )
        names = {
            first: "first",
            box.deliver(second, ["INBOX", "UNREAD", todo], at=1_790_000_000 + 2 * day): "second",
            box.deliver(mail(subject="Old"), ["TRASH"], at=1_790_000_000 - day): "binned",
            box.deliver(mail("spammer", subject="Win"), ["SPAM"], at=1_790_000_000 - day): "spam",
            box.send(mail(ME, "bob@example.com", "Out", "Bye."), None).id: "sent",
        }
        found = gmail(google).users().messages().list(userId="me", q=query).execute()
        assert {names[each["id"]] for each in found.get("messages", [])} == SEARCHES[query]
        assert found["resultSizeEstimate"] == len(SEARCHES[query])


@pytest.mark.parametrize("label", ["TRASH", "SPAM"])
def test_the_bin_is_listed_only_where_it_is_asked_for(google: Google, label: str) -> None:
    ident = google.mailbox.deliver(mail(), [label])
    messages = gmail(google).users().messages()
    assert "messages" not in messages.list(userId="me").execute()
    for more in ({"labelIds": [label]}, {"includeSpamTrash": True}):
        assert [each["id"] for each in messages.list(userId="me", **more).execute()["messages"]] == [ident]


def test_each_account_sees_its_own() -> None:
    with Google("alex@example.com", "alex@work.example") as two:
        home, work = two.service.mailboxes.values()
        home.deliver(mail())
        users = gmail(two, held=Credentials(**two.allow(ALL_MAIL, user=work.address))).users()
        assert users.getProfile(userId="me").execute()["emailAddress"] == "alex@work.example"
        assert "messages" not in users.messages().list(userId="alex@work.example").execute()
        with pytest.raises(HttpError) as refused:
            users.messages().list(userId="alex@example.com").execute()
        assert refused.value.status_code == 403
