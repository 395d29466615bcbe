"""The check of filed mails sees what it is there for: each thing that can be wrong with a mail is one problem."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.domains.mail.mails import deliver, mail
from tests.kill.filing import Filing
from tests.kill.mailbox import DEEDS, MaildirMailbox

M1 = "<M1@example.com>"
CARD = {
    "id": "n",
    "title": "M1",
    "source": "signals.mail:signal_mail_k1",
    "created_at": 9.0,
    "kind": "notice",
    "origin": "",
    "_tags": ["open"],
}


class Told:
    """An attack in which one mail, M1, was archived by a call that ended in ``state``."""

    def __init__(self, folder: Path, state: str) -> None:
        self.mailbox = MaildirMailbox(folder, 0)
        self.mailbox.begin()
        self.given = SimpleNamespace(mails={"M1": "normal"})
        arguments = {"mails": ["mail_k1"], "act": "archive", "folder": ""}
        call = {"id": "c", "name": "file_mail", "state": state, "arguments": arguments, "started_at": 1.0}
        self.told: dict[str, list[dict[str, Any]]] = {
            "raw.mail": [{"id": "mail_k1", "message_id": M1}],
            "mail.state": [{"id": "mail_k1", "copies": []}],
            "tool.call": [call],
            "signals.mail": [{"id": "signal_mail_k1", "created_at": 8.0}],
        }

    def facts(self, namespace: str) -> list[dict[str, Any]]:
        return self.told.get(namespace, [])

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        calls = [("c", 1, json.dumps({"state": "attempted"}))]
        return calls if "tool.call" in query else [(json.dumps(one["_tags"]),) for one in self.facts("notification")]

    def lies_in(self, tmp_path: Path, *folders: str) -> None:
        for folder in folders:
            root = tmp_path / "Maildir"
            deliver(root if folder == "INBOX" else root / f".{folder}", mail(Message_ID=M1), "1.test")


@pytest.mark.parametrize(
    ("state", "folders", "deed", "problem"),
    [
        ("succeeded", ["Archive"], "", ""),
        ("succeeded", ["INBOX"], "", "lost"),
        ("succeeded", ["Archive", "INBOX"], "", "twice"),
        ("succeeded", [], "", "lost"),
        ("succeeded", [], "deleted", ""),
        ("succeeded", [], "moved", "lost"),
        ("succeeded", ["Lists"], "moved", ""),
        ("failed", ["INBOX"], "", ""),
        ("failed", ["Archive"], "", "lost"),
        ("cancelled", ["Archive"], "", "lost"),
        ("unknown", ["Archive"], "", ""),
        ("unknown", ["INBOX"], "", ""),
        ("unknown", ["Trash"], "", "lost"),
    ],
)
def test_a_mail_lies_once_where_its_calls_put_it(
    tmp_path: Path, state: str, folders: list[str], deed: Any, problem: str
) -> None:
    told: Any = Told(tmp_path, state)
    told.lies_in(tmp_path, *folders)
    filing = Filing(told)
    filing.deeds[M1] += [deed] if deed else []
    kinds = {each.partition(":")[0] for each in filing.problems()}
    assert problem in kinds if problem else not kinds


@pytest.mark.parametrize("deed", DEEDS)
def test_a_card_ends_with_what_was_done_to_its_mail_elsewhere(tmp_path: Path, deed: Any) -> None:
    told: Any = Told(tmp_path, "failed")
    told.lies_in(tmp_path, *([] if deed == "deleted" else ["INBOX"]))
    told.told["notification"] = [CARD]
    filing = Filing(told)
    assert filing.problems() == ([] if deed != "deleted" else [f"lost: {M1} lies nowhere"])
    filing.deeds[M1].append(deed)
    assert len(filing.problems()) == (deed != "read")


@pytest.mark.parametrize("words", ["closed, as you read it elsewhere: M1", "dismissed M1"])
def test_a_card_does_not_end_by_what_nobody_did(tmp_path: Path, words: str) -> None:
    told: Any = Told(tmp_path, "failed")
    told.told["tool.call"] = []
    told.lies_in(tmp_path, "INBOX")
    told.told["notification"] = [CARD | {"_tags": []}]
    told.told["undo"] = [{"words": words, "moved": [{"id": "n"}]}]
    assert len(Filing(told).problems()) == words.startswith("closed")


def test_what_the_other_program_does_lies_in_the_mailbox(tmp_path: Path) -> None:
    told: Any = Told(tmp_path, "failed")
    told.lies_in(tmp_path, "INBOX")
    box = told.mailbox
    assert [box.elsewhere(M1, deed) for deed in ("read", "answered", "moved", "deleted")] == [True, True, True, False]
    assert box.lying() == {M1: [("Lists", {"seen", "answered"})]}
