"""Gmail as Pepper uses it: the commands with their prices, and what the user may allow, as little as possible at first.

Google counts units, 6,000 a minute and user.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from pepper_tui.connectors.google_account.service import May, Service

READ: Final = "https://www.googleapis.com/auth/gmail.readonly"
COMPOSE: Final = "https://www.googleapis.com/auth/gmail.compose"
MODIFY: Final = "https://www.googleapis.com/auth/gmail.modify"
ALL: Final = "https://mail.google.com/"
PRICES: Final[Mapping[str, int]] = {
    "getProfile": 1,
    "drafts.create": 10,
    "drafts.delete": 10,
    "drafts.get": 5,
    "drafts.list": 5,
    "drafts.send": 100,
    "drafts.update": 15,
    "history.list": 2,
    "labels.create": 5,
    "labels.get": 1,
    "labels.list": 1,
    "messages.attachments.get": 5,
    "messages.batchModify": 50,
    "messages.get": 20,
    "messages.list": 5,
    "messages.modify": 5,
    "messages.send": 100,
    "messages.trash": 5,
    "messages.untrash": 5,
    "settings.sendAs.list": 1,
    "threads.get": 40,
    "threads.list": 10,
    "threads.modify": 10,
}


def _least(wanted: Collection[May]) -> list[str]:
    if "file" in wanted:
        return [MODIFY]
    return [READ, COMPOSE] if "send" in wanted else [READ]


GMAIL: Final = Service(
    called="gmail",
    api="gmail",
    version="v1",
    endpoint="https://gmail.googleapis.com",
    prices=PRICES,
    units=6_000,
    whose=("getProfile", {}, "emailAddress"),
    words={
        "read": "read your mail",
        "send": "write drafts and send mail",
        "file": "archive, mark, label and bin mail",
    },
    gives={
        READ: frozenset({"read"}),
        COMPOSE: frozenset({"send"}),
        MODIFY: frozenset({"read", "send", "file"}),
        ALL: frozenset({"read", "send", "file"}),
    },
    least=_least,
    below=("users",),
    given={"userId": "me"},
)
