"""Gmail's search, as far as it is spoken here; an operator that is not known is an error of the test."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import getaddresses

from tests.google.errors import Violation
from tests.google.gmail.mailbox import SYSTEM_LABELS, Mail, Mailbox
from tests.google.gmail.resources import resource

Test = Callable[[Mail], bool]
TOKEN = re.compile(r'\s*(-?)(\(|\)|\{|\}|(?:([a-z_0-9]+):)?(?:"([^"]*)"|([^\s(){}]+)))', re.I)
DAYS = {"d": 1, "m": 30, "y": 365}
IS = {"unread": "UNREAD", "starred": "STARRED", "important": "IMPORTANT"}


def matching(mailbox: Mailbox, query: str, *, hidden: bool) -> Test:
    """Whether a mail is found; those in the bin and in spam only if asked for, or if they may be (``hidden``)."""
    test = _Reader(mailbox, query).read()
    asked = hidden or re.search(r"\b(?:in|label):(?:anywhere|trash|spam)\b", query, re.I)
    return lambda mail: (bool(asked) or not {"TRASH", "SPAM"} & set(mail.labels)) and test(mail)


class _Reader:
    """Reads words side by side (all must hold), ``OR`` and braces (one must), and parentheses."""

    def __init__(self, mailbox: Mailbox, query: str) -> None:
        self._mailbox, self._query, self._at = mailbox, query, 0

    def read(self) -> Test:
        test = self._all(None)
        if self._query[self._at :].strip():
            raise Violation(f"search not understood: {self._query[self._at :]!r}")
        return test

    def _all(self, end: str | None) -> Test:
        groups: list[list[Test]] = []
        joined = False
        while match := TOKEN.match(self._query, self._at):
            if match[2] in (")", "}"):
                if match[2] != end:
                    raise Violation(f"search not understood: {self._query!r}")
                self._at = match.end()
                break
            self._at = match.end()
            if match[2] == "OR":
                joined = True
                continue
            test = self._one(match)
            if joined or (end == "}" and groups):
                groups[-1].append(test)
            else:
                groups.append([test])
            joined = False
        return lambda mail: all(any(test(mail) for test in group) for group in groups)

    def _one(self, match: re.Match[str]) -> Test:
        if match[2] in ("(", "{"):
            test = self._all(")" if match[2] == "(" else "}")
        else:
            quoted = match[4] is not None
            test = _term(self._mailbox, (match[3] or "").lower(), match[4] if quoted else match[5])
        return (lambda mail: not test(mail)) if match[1] else test


def _term(mailbox: Mailbox, operator: str, value: str) -> Test:
    low = value.lower()
    if operator in ("from", "to", "cc", "bcc"):
        fields = ("to", "cc", "bcc") if operator == "to" else (operator,)
        own = mailbox.address if low == "me" else low
        return lambda mail: any(own in text for field in fields for text in _people(mail, field))
    if operator in ("after", "newer", "before", "older"):
        edge = _instant(value)
        return (lambda mail: mail.at >= edge) if operator in ("after", "newer") else (lambda mail: mail.at < edge)
    if operator in ("newer_than", "older_than") and (age := re.fullmatch(r"(\d+)([dmy])", low)):
        edge = int((mailbox.now() - int(age[1]) * DAYS[age[2]] * 86_400) * 1000)
        return (lambda mail: mail.at >= edge) if operator == "newer_than" else (lambda mail: mail.at < edge)
    simple: dict[str, Callable[[], Test]] = {
        "": lambda: lambda mail: low in _words(mail),
        "subject": lambda: lambda mail: low in _header(mail, "subject"),
        "rfc822msgid": lambda: lambda mail: _header(mail, "message-id").strip("<> ") == low.strip("<>"),
        "filename": lambda: lambda mail: any(low in name.lower() for name in _names(mail)),
        "in": lambda: _place(mailbox, low),
        "label": lambda: _place(mailbox, low),
        "category": lambda: lambda mail: f"CATEGORY_{low.upper().replace('PRIMARY', 'PERSONAL')}" in mail.labels,
        "has": lambda: _has(low),
        "is": lambda: _is(low),
    }
    if operator not in simple:
        raise Violation(f"search operator not spoken here: {operator}:{value}")
    return simple[operator]()


def _place(mailbox: Mailbox, name: str) -> Test:
    if name == "anywhere":
        return lambda _: True
    ident = {"drafts": "DRAFT", "chats": "CHAT"}.get(name, name.upper())
    if ident in SYSTEM_LABELS:
        return lambda mail: ident in mail.labels
    flat = {re.sub(r"[\s/]", "-", label.name.lower()): label.id for label in mailbox.labels.values()}
    return lambda mail: flat.get(name) in mail.labels


def _has(what: str) -> Test:
    if what != "attachment":
        raise Violation(f"search operator not spoken here: has:{what}")
    return lambda mail: bool(_names(mail))


def _is(what: str) -> Test:
    if what == "read":
        return lambda mail: "UNREAD" not in mail.labels
    if what not in IS:
        raise Violation(f"search operator not spoken here: is:{what}")
    return lambda mail: IS[what] in mail.labels


def _instant(value: str) -> int:
    """A day (in UTC here; Gmail takes the account's zone) or seconds, in milliseconds."""
    if re.fullmatch(r"\d{9,}", value):
        return int(value) * 1000
    for form in ("%Y/%m/%d", "%Y-%m-%d"):
        try:
            return int(datetime.strptime(value, form).replace(tzinfo=UTC).timestamp() * 1000)
        except ValueError:
            continue
    raise Violation(f"search: no day: {value}")


def _people(mail: Mail, field: str) -> list[str]:
    values = [str(value) for value in mail.parsed.get_all(field, [])]
    return [f"{name} {address}".lower() for name, address in getaddresses(values)]


def _header(mail: Mail, name: str) -> str:
    payload = resource(mail, "metadata", [name])["payload"]
    return " ".join(each["value"] for each in payload["headers"]).lower()


def _names(mail: Mail) -> list[str]:
    return [name for part in mail.parsed.walk() if (name := part.get_filename())]


def _words(mail: Mail) -> str:
    texts = [
        data.decode("utf-8", "replace")
        for part in mail.parsed.walk()
        if part.get_content_maintype() == "text" and isinstance(data := part.get_payload(decode=True), bytes)
    ]
    return " ".join([_header(mail, "subject"), _header(mail, "from"), _header(mail, "to"), *texts]).lower()
