"""What Google knows and answers: accounts, tokens, quota, the faults that a test armed, and the log of what was asked.

No network here: ``answer`` takes a request and gives an answer, or raises ``Dropped``. What it holds can be pickled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.google.calendar.book import Book
from tests.google.calendar.methods import METHODS as CALENDAR
from tests.google.calendar.methods import Call as CalendarCall
from tests.google.discovery import Found, discovery
from tests.google.errors import Refused, Violation, scope_missing
from tests.google.exchange import Answer, Request, batch_answer, error_answer, json_answer
from tests.google.faults import Dropped, Fault
from tests.google.gmail.mailbox import Mailbox
from tests.google.gmail.methods import METHODS as GMAIL
from tests.google.gmail.methods import Call as GmailCall
from tests.google.partial import masked
from tests.google.quota import Quota
from tests.google.sign_in import Denied, Grant, SignIn

APIS = (("gmail", "v1"), ("calendar", "v3"))
AUTHORIZE, TOKEN, REVOKE = "/o/oauth2/v2/auth", "/token", "/revoke"
SIGN_IN = {AUTHORIZE: "oauth.authorize", TOKEN: "oauth.token", REVOKE: "oauth.revoke"}


@dataclass
class Asked:
    """A request in the log; ``status`` is none where the connection ended before a whole answer."""

    command: str
    method: str
    path: str
    query: dict[str, list[str]]
    body: Any = None
    status: int | None = None
    batched: bool = False


class Service:
    """``mailboxes`` by address; ``faults`` in the order in which they were armed."""

    def __init__(self, addresses: list[str], now: Callable[[], float]) -> None:
        self.now = now
        self.mailboxes = {address: Mailbox(address, now) for address in addresses}
        self.books = {address: Book(address, now) for address in addresses}
        self.sign_in = SignIn(addresses, now)
        self.quota = Quota()
        self.calendar_quota = Quota(units=600, status=403)
        self.faults: list[Fault] = []
        self.log: list[Asked] = []
        self.violations: list[str] = []
        self._prepare()

    def _prepare(self) -> None:
        self.lock = threading.RLock()
        self.ending = threading.Event()
        """Set while the server ends: what waits, waits no longer."""

    def __getstate__(self) -> dict[str, Any]:
        with self.lock:
            return {name: value for name, value in vars(self).items() if name not in ("lock", "ending")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._prepare()

    def answer(self, request: Request) -> Answer:
        request = request.meant()
        if request.path in SIGN_IN:
            return self._logged(SIGN_IN[request.path], request, lambda _: self._signing_in(request))
        if request.path in ("/batch", *(discovery(*api).batch_path for api in APIS)):
            return self._logged("batch", request, lambda _: batch_answer(request, self._command))
        return self._command(request)

    def _command(self, request: Request) -> Answer:
        found = next((hit for api in APIS if (hit := discovery(*api).find(request.method, request.path))), None)
        ident = found.command.ident if found else "unknown"
        return self._logged(ident, request, lambda asked: self._done(found, request, asked))

    def _logged(self, command: str, request: Request, act: Callable[[Asked], Answer]) -> Answer:
        asked = Asked(command, request.method, request.path, request.query, batched=request.batched)
        self.log.append(asked)
        try:
            answer = self._met(command, lambda: act(asked))
        except Violation as error:
            self.violations.append(str(error))
            answer = error_answer(error)
        except Refused as error:
            answer = error_answer(error)
        except Denied as error:
            answer = json_answer(error.body, error.status)
        asked.status = answer.status
        return answer

    def _met(self, command: str, act: Callable[[], Answer]) -> Answer:
        """The act, with the fault that is armed for it, if any."""
        with self.lock:
            fault = next((each for each in self.faults if each.meets(command)), None)
        if fault is None:
            return act()
        if fault.wait:
            self.ending.wait(fault.wait)
        if fault.when == "before":
            _raise(fault)
        if fault.meanwhile:
            self._let_happen(fault.meanwhile)
        answer = act()
        if fault.when == "in":
            raise Dropped(answer)
        if fault.when == "after":
            _raise(fault)
        return answer

    def _let_happen(self, meanwhile: Callable[[], object]) -> None:
        try:
            with self.lock:
                meanwhile()
        except Exception as error:
            raise Violation(f"what was to happen meanwhile did not: {error!r}") from error

    def _signing_in(self, request: Request) -> Answer:
        with self.lock:
            if request.path == AUTHORIZE:
                return Answer(302, b"", {"Location": self.sign_in.authorize(request.form)})
            if request.method != "POST":
                raise Violation(f"{request.method} {request.path}")
            if request.path == TOKEN:
                return json_answer(self.sign_in.token(request.form, request.headers.get("authorization", "")))
            self.sign_in.revoke(request.form.get("token", ""))
            return json_answer({})

    def _done(self, found: Found | None, request: Request, asked: Asked) -> Answer:
        if found is None:
            raise Violation(f"no such command: {request.method} {request.path}")
        command = found.command
        with self.lock:
            grant = self.sign_in.holder(request.headers.get("authorization", ""))
            if not grant.scopes & command.scopes:
                raise scope_missing()
            quota = self.quota if found.api.name == "gmail" else self.calendar_quota
            quota.charge(grant.user, command.ident, self.now())
            given = found.api.arguments(found, request.query)
            asked.body, media = request.body(found.upload)
            found.api.check_request(found, asked.body)
            if command.ident in GMAIL:
                body = GMAIL[command.ident](GmailCall(self._mailbox(grant, given), given, asked.body or {}, media))
            elif command.ident in CALENDAR:
                call = CalendarCall(self.books[grant.user], given, asked.body or {}, request.headers.get("if-match"))
                body = CALENDAR[command.ident](call)
            else:
                raise Violation(f"not spoken here: {command.ident}")
            found.api.check_response(command, body)
        if body is None:
            return Answer(204)
        return json_answer(masked(body, given["fields"]) if "fields" in given else body)

    def _mailbox(self, grant: Grant, given: Mapping[str, Any]) -> Mailbox:
        if given["userId"] not in ("me", grant.user):
            raise Refused(403, "forbidden", f"Delegation denied for {grant.user}")
        return self.mailboxes[grant.user]


def _raise(fault: Fault) -> None:
    if fault.drop:
        raise Dropped
    if fault.error:
        raise fault.error


def new(addresses: tuple[str, ...], now: Callable[[], float] = time.time) -> Service:
    return Service(list(addresses) or ["alex@example.com"], now)
