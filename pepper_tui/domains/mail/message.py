"""A mail to be sent, built once, when the effect is resolved, with its Message-ID and date.

Exactly those bytes are sent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any, Final, Protocol

from pepper_tui.domains.mail.attachments import WHOLE_MAIL, Attachment
from pepper_tui.domains.mail.content import mailboxes
from pepper_tui.text import clean, one_line, sendable
from pepper_tui.text.addresses import canonical
from pepper_tui.tools.errors import ToolError

MAX_RECIPIENTS: Final = 50
MAX_SUBJECT: Final = 500
MAX_BODY: Final = 100_000  # characters
MAX_REFERENCES: Final = 20
_LINK: Final = "mailto:"  # before an address that was copied from a page
_MESSAGE_ID: Final = re.compile(r"<[^<>\s\x00-\x1f\x7f]{1,900}>")
_OF_IDS: Final = frozenset({"references", "in-reply-to", "message-id"})


class WrittenAs(Protocol):
    """Who a mail is from."""

    @property
    def address(self) -> str: ...

    @property
    def name(self) -> str: ...


class _Policy(EmailPolicy):
    """The library's policy for SMTP, but no id is folded or encoded: programs find threads by their exact text."""

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in _OF_IDS:
            return f"{name}: " + "\r\n ".join(str(value).split()) + "\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode() if name.lower() in _OF_IDS else super().fold_binary(name, value)


_SMTP: Final = _Policy(linesep="\r\n")
_SMTPUTF8: Final = _Policy(linesep="\r\n", utf8=True)


def parse_addresses(value: str, label: str) -> list[str]:
    """Return the bare addresses in ``value``, separated by commas or semicolons; display names are dropped.

    Raises ``ToolError`` for anything that is not a plain address, so that no header can be injected, and for a name
    that contains an address of its own: it is ambiguous which of the two is meant.
    """
    if re.search(r"[\r\n\x00]", value):
        raise ToolError(f"'{label}' holds a line break; give addresses separated by commas")
    found: dict[str, str] = {}
    for one in mailboxes.parse_recipients(value):
        if len(found) > MAX_RECIPIENTS:
            raise ToolError(f"'{label}' names more than {MAX_RECIPIENTS}")
        plain = canonical(one.address or (one.name[len(_LINK) :] if one.name.startswith(_LINK) else ""))
        if plain is None:
            raise ToolError(f"'{label}': {one_line(one.name or one.address or value, 80)!r} is not an address")
        if one.address and (one.named or re.search("[<>:]", one.name)):
            raise ToolError(f"'{label}': {one_line(one.name, 80)!r} is no name; give the address alone")
        found.setdefault(plain.lower(), plain)
    return list(found.values())


def one_header(value: str, label: str) -> str:
    """Return ``value`` as the text of one header. Raises ``ToolError`` if it has a line break or is too long."""
    if re.search(r"[\r\n\x00\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", value):
        raise ToolError(f"'{label}' holds a line break; it must be one line")
    text = " ".join(sendable(value).split())
    if len(text) > MAX_SUBJECT:
        raise ToolError(f"'{label}' is longer than {MAX_SUBJECT} characters")
    return text


def message_ids(values: Sequence[str]) -> list[str]:
    """Return those of ``values`` that are well-formed message ids, in angle brackets, without duplicates."""
    found: dict[str, None] = {}
    for value in values:
        for match in _MESSAGE_ID.findall(value):
            if match.isascii():
                found[match] = None
    return list(found)


def threaded(ids: Sequence[str]) -> list[str]:
    """Return at most ``MAX_REFERENCES`` of ``ids``: the thread's root, and the last ones."""
    return [*ids[:1], *ids[1:][-(MAX_REFERENCES - 1) :]]


def build_message(
    sender: WrittenAs,
    *,
    to: Sequence[str],
    cc: Sequence[str],
    subject: str,
    body: str,
    message_id: str,
    at: float,
    in_reply_to: str = "",
    references: Sequence[str] = (),
    files: Sequence[tuple[Attachment, bytes]] = (),
    calendar: tuple[str, str] | None = None,
) -> str:
    """Return the whole message with CRLF, ASCII unless an address is not.

    ``calendar``: the method and text of an answer to an invitation, as another form of the body (RFC 6047).

    Raises ``ToolError`` for what no mail can hold.
    """
    if not to:
        raise ToolError("'to' names nobody")
    if len(to) + len(cc) > MAX_RECIPIENTS:
        raise ToolError(f"more than {MAX_RECIPIENTS} recipients")
    if len(body) > MAX_BODY:
        raise ToolError(f"'body' is longer than {MAX_BODY} characters")
    message = EmailMessage(policy=_SMTP if all(map(str.isascii, [*to, *cc, sender.address])) else _SMTPUTF8)
    try:
        message["From"] = Address(clean(sender.name), addr_spec=sender.address)
        message["To"] = ", ".join(to)
        if cc:
            message["Cc"] = ", ".join(cc)
        message["Subject"] = subject
        message["Date"] = format_datetime(datetime.fromtimestamp(int(at), UTC))
        message["Message-ID"] = message_id
        if in_reply_to:
            message["In-Reply-To"] = in_reply_to
        if references:
            message["References"] = " ".join(threaded(references))
        message.set_content(body, cte="quoted-printable")
        if calendar is not None:
            method, text = calendar
            message.add_alternative(text, subtype="calendar", params={"method": method}, cte="base64")
        for file, data in files:
            _attach(message, file, data)
        if files or calendar:  # the library's own boundary is random
            message.set_boundary("=_" + hashlib.sha256(message_id.encode()).hexdigest()[:40])
        return message.as_bytes().decode("utf-8")
    except (ValueError, UnicodeError, IndexError) as error:
        raise ToolError(f"no mail can be made of this: {one_line(str(error), 200)}") from error


def _attach(message: EmailMessage, file: Attachment, data: bytes) -> None:
    maintype, _, subtype = file.type.partition("/")
    if file.type != WHOLE_MAIL:
        message.add_attachment(data, maintype=maintype, subtype=subtype, filename=file.name)
        return
    message.add_attachment(b"", maintype="application", subtype="octet-stream", filename=file.name)
    part = list(message.iter_parts())[-1]
    del part["Content-Type"], part["Content-Transfer-Encoding"]
    part["Content-Type"] = WHOLE_MAIL
    part.set_payload(re.sub("\r\n|\r|\n", "\r\n", data.decode("ascii")))
