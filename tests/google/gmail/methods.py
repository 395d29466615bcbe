"""The commands of Gmail's API on a mailbox. Each takes the call, read and checked, and gives the answer's body.

- A page's token holds the place, not a count, so that what comes meanwhile shifts nothing.
- Lists leave out the bin and spam unless asked; an empty list is left out itself.
- ``history.list`` from before the oldest change, or from one that is not yet, is 404; a mail in it may be gone already.
- ``batchModify`` leaves out ids that are not there, without a word.
- ``trash`` takes a mail out of the inbox, and ``untrash`` does not put it back.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from typing import Any

from tests.google.errors import invalid, not_found
from tests.google.gmail import query, resources
from tests.google.gmail.mailbox import SYSTEM_LABELS, Change, Mail, Mailbox

MOST = 500
FIELDS = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}


@dataclass(frozen=True, slots=True)
class Call:
    """``given`` are the parameters, ``media`` the mail of an upload."""

    mailbox: Mailbox
    given: Mapping[str, Any]
    body: Mapping[str, Any]
    media: bytes | None = None

    def raw(self, message: Mapping[str, Any]) -> bytes:
        if self.media is not None:
            return self.media
        text = str(message.get("raw", ""))
        if not text:
            raise invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))


Method = Callable[[Call], Any]
METHODS: dict[str, Method] = {}


def method(ident: str) -> Callable[[Method], Method]:
    def kept(function: Method) -> Method:
        METHODS[f"gmail.users.{ident}"] = function
        return function

    return kept


@method("getProfile")
def profile(call: Call) -> Any:
    box = call.mailbox
    return {
        "emailAddress": box.address,
        "messagesTotal": len(box.mails),
        "threadsTotal": len({mail.thread for mail in box.mails.values()}),
        "historyId": str(box.history),
    }


@method("messages.list")
def list_messages(call: Call) -> Any:
    found = _found(call)
    page, token = _page(call, [(f"{mail.at:016d}.{mail.id}", mail) for mail in found])
    return _listed("messages", [resources.short(mail) for mail in page], token, len(found))


@method("messages.get")
def get_message(call: Call) -> Any:
    mail = call.mailbox.mail(call.given["id"])
    return resources.resource(mail, call.given["format"], call.given.get("metadataHeaders", ()))


@method("messages.attachments.get")
def get_attachment(call: Call) -> Any:
    return resources.attachment(call.mailbox.mail(call.given["messageId"]), call.given["id"])


@method("messages.modify")
def modify_message(call: Call) -> Any:
    mail = call.mailbox.mail(call.given["id"])
    call.mailbox.modify(mail, *_changes(call))
    return resources.labelled(mail)


@method("messages.batchModify")
def batch_modify(call: Call) -> None:
    idents = call.body.get("ids", [])
    if len(idents) > 1000:
        raise invalid("Number of ids cannot exceed 1000")
    add, remove = _changes(call)
    for ident in dict.fromkeys(idents):
        if ident in call.mailbox.mails:
            call.mailbox.modify(call.mailbox.mails[ident], add, remove)


@method("messages.trash")
def trash_message(call: Call) -> Any:
    mail = call.mailbox.mail(call.given["id"])
    call.mailbox.modify(mail, ["TRASH"], ["INBOX"])
    return resources.labelled(mail)


@method("messages.untrash")
def untrash_message(call: Call) -> Any:
    mail = call.mailbox.mail(call.given["id"])
    call.mailbox.modify(mail, [], ["TRASH"])
    return resources.labelled(mail)


@method("messages.delete")
def delete_message(call: Call) -> None:
    call.mailbox.remove(call.mailbox.mail(call.given["id"]))


@method("messages.insert")
@method("messages.import")
def insert_message(call: Call) -> Any:
    raw = call.raw(call.body)
    labels = call.body.get("labelIds", [])
    for label in labels:
        call.mailbox.check_label(label)
    at = None
    if call.given["internalDateSource"] == "dateHeader" and (written := message_from_bytes(raw)["Date"]):
        at = parsedate_to_datetime(written).timestamp()
    return resources.labelled(call.mailbox.add(raw, labels, at, call.body.get("threadId")))


@method("messages.send")
def send_message(call: Call) -> Any:
    return resources.labelled(call.mailbox.send(call.raw(call.body), call.body.get("threadId")))


@method("threads.list")
def list_threads(call: Call) -> Any:
    newest: dict[str, Mail] = {}
    for mail in _found(call):
        newest.setdefault(mail.thread, mail)
    page, token = _page(call, [(f"{mail.at:016d}.{mail.id}", mail) for mail in newest.values()])
    threads = [
        {"id": mail.thread, "snippet": resources.snippet(mail.parsed), "historyId": str(mail.history)} for mail in page
    ]
    return _listed("threads", threads, token, len(newest))


@method("threads.get")
def get_thread(call: Call) -> Any:
    mails = call.mailbox.thread(call.given["id"])
    form, headers = call.given["format"], call.given.get("metadataHeaders", ())
    return {
        "id": call.given["id"],
        "historyId": str(max(mail.history for mail in mails)),
        "messages": [resources.resource(mail, form, headers) for mail in mails],
    }


@method("threads.modify")
def modify_thread(call: Call) -> Any:
    mails = call.mailbox.thread(call.given["id"])
    changes = _changes(call)
    for mail in mails:
        call.mailbox.modify(mail, *changes)
    return {"id": call.given["id"], "messages": [resources.labelled(mail) for mail in mails]}


@method("threads.trash")
def trash_thread(call: Call) -> Any:
    mails = call.mailbox.thread(call.given["id"])
    for mail in mails:
        call.mailbox.modify(mail, ["TRASH"], ["INBOX"])
    return {"id": call.given["id"], "messages": [resources.labelled(mail) for mail in mails]}


@method("threads.untrash")
def untrash_thread(call: Call) -> Any:
    mails = call.mailbox.thread(call.given["id"])
    for mail in mails:
        call.mailbox.modify(mail, [], ["TRASH"])
    return {"id": call.given["id"], "messages": [resources.labelled(mail) for mail in mails]}


@method("labels.list")
def list_labels(call: Call) -> Any:
    return {"labels": [_label(call.mailbox, ident) for ident in (*SYSTEM_LABELS, *call.mailbox.labels)]}


@method("labels.get")
def get_label(call: Call) -> Any:
    box, ident = call.mailbox, call.given["id"]
    if ident not in SYSTEM_LABELS and ident not in box.labels:
        raise not_found()
    mails = [mail for mail in box.mails.values() if ident in mail.labels]
    unread = [mail for mail in mails if "UNREAD" in mail.labels]
    return {
        **_label(box, ident),
        "messagesTotal": len(mails),
        "messagesUnread": len(unread),
        "threadsTotal": len({mail.thread for mail in mails}),
        "threadsUnread": len({mail.thread for mail in unread}),
    }


@method("labels.create")
def create_label(call: Call) -> Any:
    body = call.body
    made = call.mailbox.create_label(body["name"], body["labelListVisibility"], body["messageListVisibility"])
    return _label(call.mailbox, made.id)


@method("history.list")
def list_history(call: Call) -> Any:
    box, start = call.mailbox, call.given.get("startHistoryId")
    if start is None:
        raise invalid("Missing required parameter: startHistoryId")
    if not box.oldest_history <= int(start) <= box.history:
        raise not_found()
    kinds = set(call.given.get("historyTypes", ())) or FIELDS.keys()
    label = call.given.get("labelId")
    wanted = [
        change
        for change in box.changes
        if change.id > int(start) and change.kind in kinds and (not label or label in (*change.labels, *change.changed))
    ]
    page, token = _page(call, [(f"{change.id:020d}", change) for change in wanted], newest_first=False)
    shown: dict[str, Any] = {"historyId": str(box.history)}
    if page:
        shown["history"] = [_change(change) for change in page]
    if token:
        shown["nextPageToken"] = token
    return shown


@method("drafts.create")
def create_draft(call: Call) -> Any:
    message = call.body.get("message", {})
    return _draft(call, call.mailbox.save_draft(call.raw(message), message.get("threadId")))


@method("drafts.update")
def update_draft(call: Call) -> Any:
    message = call.body.get("message", {})
    raw, ident = call.raw(message), call.given["id"]
    return _draft(call, call.mailbox.save_draft(raw, message.get("threadId"), ident))


@method("drafts.get")
def get_draft(call: Call) -> Any:
    mail = call.mailbox.draft(call.given["id"])
    return {"id": call.given["id"], "message": resources.resource(mail, call.given["format"])}


@method("drafts.list")
def list_drafts(call: Call) -> Any:
    test = query.matching(call.mailbox, call.given.get("q", ""), hidden=call.given["includeSpamTrash"])
    drafts = [(ident, call.mailbox.mails[mail]) for ident, mail in call.mailbox.drafts.items()]
    found = [(f"{mail.at:016d}.{mail.id}", (ident, mail)) for ident, mail in drafts if test(mail)]
    page, token = _page(call, found)
    shown = [{"id": ident, "message": resources.short(mail)} for ident, mail in page]
    return _listed("drafts", shown, token, len(found))


@method("drafts.delete")
def delete_draft(call: Call) -> None:
    call.mailbox.remove(call.mailbox.draft(call.given["id"]))


@method("drafts.send")
def send_draft(call: Call) -> Any:
    return resources.labelled(call.mailbox.send_draft(call.body["id"]))


@method("settings.sendAs.list")
def list_send_as(call: Call) -> Any:
    box = call.mailbox
    first = {"sendAsEmail": box.address, "displayName": box.name, "isPrimary": True, "isDefault": True}
    others = [
        {
            "sendAsEmail": address,
            "displayName": name,
            "isPrimary": False,
            "isDefault": False,
            "treatAsAlias": True,
            "verificationStatus": "accepted",
        }
        for address, name in box.aliases.items()
    ]
    return {"sendAs": [first, *others]}


def _found(call: Call) -> list[Mail]:
    """The mails that a list means, newest first."""
    labels = set(call.given.get("labelIds", ()))
    for label in labels:
        call.mailbox.check_label(label)
    hidden = call.given["includeSpamTrash"] or bool(labels & {"TRASH", "SPAM"})
    test = query.matching(call.mailbox, call.given.get("q", ""), hidden=hidden)
    found = [mail for mail in call.mailbox.mails.values() if labels <= set(mail.labels) and test(mail)]
    return sorted(found, key=lambda mail: (mail.at, mail.id), reverse=True)


def _page(call: Call, keyed: list[tuple[str, Any]], *, newest_first: bool = True) -> tuple[list[Any], str | None]:
    """The page that the call asks for, and the token of the next."""
    size = min(call.given["maxResults"], MOST)
    if size < 1:
        raise invalid("Invalid maxResults")
    keyed = sorted(keyed, key=lambda each: each[0], reverse=newest_first)
    if token := call.given.get("pageToken"):
        last = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii", "replace")
        if not re.fullmatch(r"[0-9]{16,20}(?:\.[0-9a-f]+)?", last):
            raise invalid("Invalid pageToken")
        keyed = [each for each in keyed if (each[0] < last if newest_first else each[0] > last)]
    page = keyed[:size]
    following = urlsafe_b64encode(page[-1][0].encode()).decode().rstrip("=") if len(keyed) > size else None
    return [value for _, value in page], following


def _listed(name: str, items: list[Any], token: str | None, count: int) -> dict[str, Any]:
    shown: dict[str, Any] = {"resultSizeEstimate": count}
    if items:
        shown[name] = items
    if token:
        shown["nextPageToken"] = token
    return shown


def _changes(call: Call) -> tuple[list[str], list[str]]:
    add, remove = call.body.get("addLabelIds", []), call.body.get("removeLabelIds", [])
    if not add and not remove:
        raise invalid("No label add or removes specified")
    if len(add) > 100 or len(remove) > 100:
        raise invalid("Too many labels")
    for label in (*add, *remove):
        call.mailbox.check_label(label, by_command=True)
    return add, remove


def _label(box: Mailbox, ident: str) -> dict[str, Any]:
    if ident in SYSTEM_LABELS:
        return {"id": ident, "name": ident, "type": "system"}
    label = box.labels[ident]
    return {
        "id": ident,
        "name": label.name,
        "type": "user",
        "labelListVisibility": label.label_list,
        "messageListVisibility": label.message_list,
    }


def _change(change: Change) -> dict[str, Any]:
    short = {"id": change.mail, "threadId": change.thread}
    told: dict[str, Any] = {"message": {**short, "labelIds": list(change.labels)}}
    if change.changed:
        told["labelIds"] = list(change.changed)
    return {"id": str(change.id), "messages": [short], FIELDS[change.kind]: [told]}


def _draft(call: Call, ident: str) -> dict[str, Any]:
    return {"id": ident, "message": resources.labelled(call.mailbox.draft(ident))}
