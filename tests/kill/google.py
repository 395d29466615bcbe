"""An account at the double of Google: storms of 429, lost answers, tokens that end, a history that is forgotten."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pepper_tui.config import load_config
from pepper_tui.connectors.gmail.settings import Gmail
from tests.connectors.gmail.account import allow, said
from tests.google import Google
from tests.kill.mailbox import LISTS, Deed, Lying

ADDRESS: Final = "me@example.org"
_CHANGES: Final = ("drafts.create", "drafts.send", "drafts.send", "drafts.delete", "messages.batchModify")
_LOOKS: Final = ("history.list", "messages.get", "messages.list", "labels.list", "drafts.get")
_WHENS: Final = ("before", "in", "after")


class GmailMailbox:
    folders: Mapping[str, str] = {
        "inbox": "INBOX",
        "archive": "Archive",
        "trash": "TRASH",
        "junk": "SPAM",
    }
    own_acts: Sequence[str] = ("label", "label", "unlabel")

    def __init__(self, folder: Path, smtp_port: int) -> None:
        self.feed = "feed.work"
        self.config = ""
        self.google = Google(ADDRESS)

    def begin(self) -> None:
        self.google.start()
        self._lists = self.google.mailbox.create_label(LISTS).id
        rows = "\n".join(f'{name} = "{value}"' for name, value in said(self.google.url, address=ADDRESS).items())
        self.config = f"[[account]]\nscan_interval = 0.5\ntimeout = 3.0\n{rows}\n"

    def sign_in(self, home: Path) -> None:
        allow(self.google, Gmail.model_validate(load_config(home).account[0].own), home)

    def end(self) -> None:
        self.google.stop()

    def deliver(self, mail: bytes, number: int) -> None:
        with self.google.service.lock:
            self.google.mailbox.deliver(mail)

    def disturb(self, chance: random.Random, kill: Callable[[], None]) -> None:
        service = self.google.service
        change = f"gmail.users.{chance.choice(_CHANGES)}"
        any_ = f"gmail.users.{chance.choice((*_CHANGES, *_LOOKS))}"
        drops: dict[str, Any] = {"when": chance.choice(_WHENS), "drop": True}
        match chance.randrange(7):
            case 0:
                self.google.fault(change, meanwhile=kill)
            case 1 | 2:
                self.google.fault(change, **drops)
            case 3:
                self.google.fault(chance.choice((any_, "batch")), **drops, times=chance.randint(1, 3))
            case 4:
                self.google.fault("gmail.*", status=429, times=chance.randint(2, 12))
            case 5:
                self.google.fault(any_, status=chance.choice([500, 503, 401]), when=chance.choice(["before", "after"]))
            case _:
                with service.lock:
                    chance.choice([self.google.mailbox.expire_history, service.sign_in.expire_access])()

    def calm(self) -> None:
        with self.google.service.lock:
            self.google.service.faults.clear()

    def elsewhere(self, message_id: str, deed: Deed) -> bool:
        box = self.google.mailbox
        with self.google.service.lock:
            found = [each for each in box.mails.values() if str(each.parsed["Message-ID"]) == message_id]
            if not found or "INBOX" not in found[0].labels or deed == "answered":  # of that Gmail has no mark
                return False
            if deed == "deleted":
                box.delete(found[0].id)
            elif deed == "moved":
                box.relabel(found[0].id, add=[self._lists], remove=["INBOX"])
            else:
                box.mark_read(found[0].id)
        return True

    def renumber(self) -> bool:
        return False

    def lying(self) -> dict[str, list[Lying]]:
        found = defaultdict(list)
        with self.google.service.lock:
            for each in self.google.mailbox.mails.values():
                if not {"SENT", "DRAFT"} & set(each.labels):
                    found[str(each.parsed["Message-ID"])] += self._copies(each.labels)
        return found

    def _copies(self, labels: list[str]) -> list[Lying]:
        """Two places of one mail are two copies, as a user would find it twice."""
        told = {"flagged": "STARRED" in labels, "seen": "UNREAD" not in labels, "labelled": self._lists in labels}
        marks = frozenset(mark for mark, there in told.items() if there)
        places = [label for label in ("TRASH", "SPAM", "INBOX") if label in labels]
        return [Lying(place, marks) for place in places or ["Archive"]]

    def sent(self) -> list[bytes]:
        with self.google.service.lock:
            return [each.raw for each in self.google.mailbox.sent]

    def copies(self) -> Counter[str] | None:
        return None

    def problems(self) -> list[str]:
        with self.google.service.lock:
            left = [f"twice: the draft {ident} is left at Google" for ident in self.google.mailbox.drafts]
            return left + [f"lost: Google would not know this: {each}" for each in self.google.violations]
