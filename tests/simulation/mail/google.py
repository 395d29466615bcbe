"""The account at Google of a world: the double of Google's servers, in process, below the sockets of the client."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from pepper_tui.connectors.gmail.service import MODIFY
from tests.google.errors import Refused, too_fast
from tests.google.exchange import Answer, Request, error_answer
from tests.google.faults import Fault
from tests.google.gmail.mailbox import Sent
from tests.google.service import Service
from tests.google.sign_in import CLIENT
from tests.simulation.loop import Ended
from tests.simulation.mail.account import ADDRESS, IDENT, Lying, Surroundings
from tests.simulation.mail.road import WAITS, HttpSocket, Road, running

PORT: Final = 9
URL: Final = f"http://127.0.0.1:{PORT}"
SECRET: Final = "GOOGLE_CLIENT_SECRET"
"""The variable of the environment that holds it."""
LISTS: Final = "Lists"
_CHANGES: Final = ("/drafts", "/batchModify", "/modify")
_ERRORS: Final = ("before", "after", "too fast")


def is_change(name: str) -> bool:
    """Whether a request, by method and path, changes something."""
    return name.startswith("POST") and any(each in name for each in _CHANGES)


class _Ledger(list[Sent]):
    """What left, told as it leaves."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__()
        self._around = around

    def append(self, sent: Sent) -> None:
        super().append(sent)
        self._around.sent(sent.recipients, sent.raw)


class Double:
    """A double of Google at the end of a road."""

    road: Road
    service: Service

    def goes_late(self, request: Request) -> bool:
        """Whether this request is done long after Pepper has given up."""
        return False

    def connect(self) -> HttpSocket:
        self.road.open()
        return HttpSocket(self._answered)

    def _answered(self, asked: bytes) -> bytes:
        head, _, content = asked.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        request = Request(method, target, headers, content)
        fate = self.road.fate(f"{method} {request.path}")
        chance = self.road.chance
        if self.goes_late(request):
            running().call_later(chance.choice((2 * WAITS, 100.0, 300.0)), self.service.answer, request)
            return self._unsaid("silent")
        if fate in ("before", "silent") and chance.random() < 0.5:
            return self._unsaid(fate)  # and nothing was done
        if fate == "in" and chance.random() < 0.5:
            return self._refused(request, chance.choice(_ERRORS))
        said = self.service.answer(request).text()
        if fate == "kill":
            raise Ended
        if fate == "in":
            return said[: max(1, len(said) // 2)]
        return said if fate in ("", "slow") else self._unsaid(fate)

    @staticmethod
    def _unsaid(fate: str) -> bytes:
        if fate == "silent":
            running().lag += WAITS
            raise TimeoutError("timed out")
        return b""

    def _refused(self, request: Request, how: str) -> bytes:
        if how == "too fast":
            return error_answer(too_fast(429, self.road.chance.choice((1, 30)))).text()
        if how == "after":
            self.service.answer(request)
        answer: Answer = error_answer(Refused(503, "backendError", "Backend Error"))
        return answer.text()


class GmailAccount(Double):
    folders: Final = {"archive": "Archive", "trash": "TRASH", "junk": "SPAM", "inbox": "INBOX"}
    acts: Sequence[str] = (
        "archive",
        "archive",
        "trash",
        "junk",
        "label",
        "unlabel",
        "read",
        "unread",
        "flag",
        "unflag",
    )
    watched = frozenset({"INBOX"})

    def __init__(self, around: Surroundings) -> None:
        chance = around.chance
        self._around = around
        self.road = Road(chance, around.kill, is_change, "/drafts/send")
        self._late = chance.choice((0, 1, 2))  # the first drafts that are made long after Pepper has given up
        self.service = Service([ADDRESS], around.now)
        self.box = self.service.mailboxes[ADDRESS]
        self.box.sent = _Ledger(around)
        self._label = self.box.create_label(LISTS).id
        self.grant: dict[str, Any] = {}
        self.sign_in()
        self.config: dict[str, Any] = {
            "id": IDENT,
            "kind": "gmail",
            "address": ADDRESS,
            "endpoint": URL,
            "client_id": CLIENT["client_id"],
            "client_secret": f"env:{SECRET}",
            "scan_interval": chance.choice((40.0, 150.0)),
            "timeout": WAITS,
        }

    def sign_in(self) -> None:
        """The user signs in, by another process."""
        self.grant = self.service.sign_in.allow(ADDRESS, [MODIFY])

    def goes_late(self, request: Request) -> bool:
        late = self._late > 0 and request.method == "POST" and request.path.endswith("/drafts")
        self._late -= late
        return late

    def deliver(self, source: bytes) -> None:
        self.box.deliver(source)

    def passes_on(self, source: bytes) -> None:
        raise AssertionError("an account at Google sends by itself")

    def elsewhere(self, message_id: str, deed: str) -> bool:
        found = [each for each in self.box.mails.values() if str(each.parsed["Message-ID"]) == message_id]
        found = [each for each in found if "INBOX" in each.labels]
        if not found or deed == "answered":  # of that Gmail has no mark
            return False
        for each in found:
            if deed == "deleted":
                self.box.delete(each.id)
            elif deed == "moved":
                self.box.relabel(each.id, add=[self._label], remove=["INBOX"])
            else:
                self.box.mark_read(each.id)
        return True

    def counts_anew(self) -> None:
        self.box.expire_history()

    def loses_sign_in(self) -> float:
        if self._around.chance.random() < 0.5:
            self.service.sign_in.expire_access()
            return 0.0
        self.service.sign_in.end_grants()
        return self._around.chance.choice((20.0, 600.0))

    def storm(self) -> None:
        chance = self._around.chance
        status, times = chance.choice((429, 429, 403, 503)), chance.randint(2, 12)
        self.service.faults.append(Fault("gmail.*", status=status, times=times, retry_after=chance.choice((1, 20, 60))))

    def lying(self) -> dict[str, list[Lying]]:
        found: dict[str, list[Lying]] = defaultdict(list)
        for each in self.box.mails.values():
            if not {"SENT", "DRAFT"} & set(each.labels):
                told = {"flagged": "STARRED" in each.labels, "seen": "UNREAD" not in each.labels}
                told["labelled"] = self._label in each.labels
                marks = frozenset(mark for mark, there in told.items() if there)
                place = next((label for label in ("TRASH", "SPAM", "INBOX") if label in each.labels), "Archive")
                found[str(each.parsed["Message-ID"])].append(Lying(f"gmail:{IDENT}/{each.id}", place, marks))
        return found

    def copies(self) -> None:
        return None

    def calm(self) -> None:
        self.road.calm()
        self._late = 0
        self.service.faults.clear()
        if not any(grant.live for grant in self.service.sign_in.grants):
            self.sign_in()

    def problems(self) -> list[str]:
        left = [f"the draft {ident} is left at Google" for ident in self.box.drafts]
        return left + [f"Google would not know this: {each}" for each in self.service.violations]
