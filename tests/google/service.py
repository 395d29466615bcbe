"""What Google knows and answers: accounts, tokens, quota, the faults that a test armed, and the log of what was asked.

No network here: ``answer`` takes a request and gives an answer, or raises ``Dropped``. What it holds can be pickled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.google.discovery import Found, discovery
from tests.google.errors import Refused, Violation, not_found, scope_missing
from tests.google.exchange import Answer, Request, batch_answer, error_answer, json_answer
from tests.google.faults import Dropped, Fault
from tests.google.gmail.mailbox import Mailbox
from tests.google.gmail.methods import METHODS, Call
from tests.google.partial import masked
from tests.google.quota import Quota
from tests.google.sign_in import Denied, Grant, SignIn

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
        self.sign_in = SignIn(addresses, now)
        self.quota = Quota()
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
        if request.path in ("/batch", discovery("gmail", "v1").batch_path):
            return self._logged("batch", request, lambda _: batch_answer(request, self._command))
        return self._command(request)

    def _command(self, request: Request) -> Answer:
        found = discovery("gmail", "v1").find(request.method, request.path)
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
            with self.lock:
                fault.meanwhile()
        answer = act()
        if fault.when == "in":
            raise Dropped(answer)
        if fault.when == "after":
            _raise(fault)
        return answer

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
            self.quota.charge(grant.user, command.ident, self.now())
            given = discovery("gmail", "v1").arguments(found, request.query)
            asked.body, media = request.body(found.upload)
            discovery("gmail", "v1").check_request(found, asked.body)
            if command.ident not in METHODS:
                raise Violation(f"not spoken here: {command.ident}")
            call = Call(self._mailbox(grant, given["userId"]), given, asked.body or {}, media)
            body = METHODS[command.ident](call)
            discovery("gmail", "v1").check_response(command, body)
        if body is None:
            return Answer(204)
        return json_answer(masked(body, given["fields"]) if "fields" in given else body)

    def _mailbox(self, grant: Grant, user: str) -> Mailbox:
        if user not in ("me", grant.user):
            raise Refused(403, "forbidden", f"Delegation denied for {grant.user}")
        if grant.user not in self.mailboxes:
            raise not_found()
        return self.mailboxes[grant.user]


def _raise(fault: Fault) -> None:
    if fault.drop:
        raise Dropped
    if fault.error:
        raise fault.error


def new(addresses: tuple[str, ...], now: Callable[[], float] = time.time) -> Service:
    return Service(list(addresses) or ["alex@example.com"], now)
