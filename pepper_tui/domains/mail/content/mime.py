"""Parsing a mail's bytes: never raises, and stays within stated bounds of time and memory.

Bounds are applied to the bytes before any parser sees them (size, lines, header block, boundaries, nested containers),
because the parsers themselves have none. Whatever was cut or could not be read is named in ``Mail.defects``.
Text stays raw here: it is cleaned where it is shown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import islice
from typing import Any, Final, cast

from pepper_tui.domains.mail.content.machines import NOTED
from pepper_tui.domains.mail.content.mailboxes import Address, parse_addresses
from pepper_tui.domains.mail.content.reply_text import latest_reply
from pepper_tui.domains.mail.facts.authentication import LONGEST
from pepper_tui.domains.mail.facts.delivery_report import is_qmails, read_plain_report, read_qmails, read_report
from pepper_tui.model import Json, Record
from pepper_tui.text import one_line
from pepper_tui.text.charsets import decoded
from pepper_tui.text.html import html_text

MAX_BYTES: Final = 25_000_000
MAX_LINES: Final = 400_000
MAX_HEADER_BLOCK: Final = 256_000  # bytes of all headers
MAX_HEADER: Final = 16_000  # characters of one header's value
MAX_PARAMETERS: Final = 2_000  # characters of a part's header that are parsed
MAX_BOUNDARIES: Final = 4_000  # lines that begin like a boundary
MAX_CONTAINERS: Final = 60  # multipart and message parts
MAX_PARTS: Final = 200
MAX_DEPTH: Final = 30
MAX_BODY_BYTES: Final = 1_000_000  # of one text part
MAX_TEXT: Final = 200_000  # characters of the body
MAX_ADDRESSES: Final = 200
MAX_REFERENCES: Final = 100
MAX_ATTACHMENTS: Final = 100
MAX_ADDRESS: Final = 4_000  # characters of what says how a list is left: a cut web address is another one

_CONTAINER: Final = re.compile(rb"^content-type:[ \t\r\n]*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,500}>")
_DELIVERED: Final = ("delivered-to", "x-original-to", "envelope-to")
"""Headers with which servers note for whom a mail was."""


class _Policy(policy.EmailPolicy):
    """The library's policy, but parsing each header once: its parsers ask for the content type a dozen times a mail."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        if hasattr(value, "name"):
            return value
        value = value[:MAX_PARAMETERS]  # the library takes quadratic time for what it parses
        return _fetched(name, value) if len(value) <= _SHORT else super().header_fetch_parse(name, value)


_POLICY: Final = _Policy()
_SHORT: Final = 500  # characters of a header that is cached


@lru_cache(maxsize=500)
def _fetched(name: str, value: str) -> Any:
    return policy.default.header_fetch_parse(name, value)


@dataclass(slots=True)
class Mail(Record):
    """One mail by its own account; addresses are lower case. ``text`` is the whole body, ``reply`` what is new in it.

    ``date`` is the Date header as POSIX seconds, ``None`` if missing or unreadable. ``sender`` and the entries of
    ``to`` and ``cc`` are ``{"name", "address"}``; an attachment is ``{"name", "type", "size"}`` (bytes, estimated).
    ``references`` begins with the thread's root.
    """

    message_id: str = ""
    in_reply_to: str = ""
    references: list[str] = field(default_factory=list)
    sender: Json = field(default_factory=lambda: {"name": "", "address": ""})
    to: list[Json] = field(default_factory=list)
    cc: list[Json] = field(default_factory=list)
    reply_to: list[Json] = field(default_factory=list)
    followup_to: list[Json] = field(default_factory=list)  # where answers to all should go
    delivered_to: list[str] = field(default_factory=list)  # for whom servers have taken it
    subject: str = ""
    date: float | None = None
    text: str = ""
    reply: str = ""
    attachments: list[Json] = field(default_factory=list)
    list_headers: dict[str, str] = field(default_factory=dict)  # list-id, list-unsubscribe, precedence …
    auto_submitted: str = ""
    size: int = 0
    digest: str = ""  # sha256 of the bytes that were read
    defects: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)  # why the sender may not be who it seems
    several_senders: bool = False
    received: bool = False  # a server has received it on the way
    checked: list[str] = field(default_factory=list)  # each Authentication-Results, the topmost first
    report: Json = field(default_factory=dict)  # on the delivery of another mail: see ``facts.delivery_report``

    @property
    def thread(self) -> str:
        """The Message-ID at the root of the conversation, as far as the mail itself tells."""
        return next(iter(self.references), "") or self.in_reply_to or self.message_id


_PARTIAL: Final = re.compile(r"not read|\bcut\b|only the first|can't be (?:parsed|decoded)")


def left_out(mail: Json) -> str:
    """Return what of a mail in ``raw.mail`` was not read, in words; empty if all was."""
    return one_line("; ".join(each for each in mail.get("defects") or () if _PARTIAL.search(each)), 300)


def parse_mail(source: bytes, max_bytes: int = MAX_BYTES) -> Mail:
    """Parse ``source``, at most its first ``max_bytes``. Never raises; see ``defects``."""
    mail = Mail(size=len(source))
    if len(source) > max_bytes:
        mail.defects.append(f"only the first {max_bytes} bytes were read")
        source = source[:max_bytes]
    mail.digest = hashlib.sha256(source).hexdigest()
    try:
        message = message_from_bytes(_bounded(source, mail.defects), policy=_POLICY)
    except Exception as error:  # a parser's own failure on broken input, RecursionError included
        mail.defects.append(f"can't be parsed: {type(error).__name__}")
        mail.text = mail.reply = decoded(source[:MAX_BODY_BYTES], "", mail.defects)[:MAX_TEXT]
        return _storable(mail)
    for read in (_read_headers, _read_body, _read_report):
        try:
            read(message, mail)
        except Exception as error:
            mail.defects.append(f"{read.__name__.removeprefix('_read_')}: {type(error).__name__}")
    return _storable(mail)


def not_read(source: bytes, max_bytes: int, why: str) -> Mail:
    """Return a substitute for a mail that no parser can handle: its first words as they are, and why."""
    mail = Mail(size=len(source), digest=hashlib.sha256(source[:max_bytes]).hexdigest(), defects=[f"not read: {why}"])
    mail.subject = "(a mail that could not be read)"
    mail.text = mail.reply = decoded(source[:_NOT_READ], "", [])
    return _storable(mail)


_NOT_READ: Final = 10_000  # characters of a mail that could not be read


def _bounded(source: bytes, defects: list[str]) -> bytes:
    """Return ``source`` without what would cost the parser too much: cut at the first bound that it exceeds."""
    end = len(source)
    head_end = min((at for at in (source.find(b"\n\n"), source.find(b"\n\r\n")) if at >= 0), default=end)
    if head_end > MAX_HEADER_BLOCK:
        defects.append("the headers are too long and were cut")
        source = source[:MAX_HEADER_BLOCK] + b"\n" + source[head_end:]
        end = len(source)
    for pattern, bound, what in ((b"\n", MAX_LINES, "lines"), (b"\n--", MAX_BOUNDARIES, "boundaries")):
        if source.count(pattern, 0, end) > bound:
            at = -1
            for _ in range(bound):
                at = source.find(pattern, at + 1)
            end = min(end, at)
            defects.append(f"too many {what}: the rest was not read")
    for number, match in enumerate(_CONTAINER.finditer(source, 0, end)):
        if number == MAX_CONTAINERS:
            end = match.start()
            defects.append("too many nested parts: the rest was not read")
            break
    return source[:end]


# ---------------------------------------------------------------------------------------------------------- headers


Headers = Mapping[str, Sequence[str]]
"""The values of a mail's headers as they are, by name in lower case."""


def _headers(message: Message) -> Headers:
    found: dict[str, list[str]] = {}
    for key, value in message.raw_items():
        found.setdefault(key.lower(), []).append(str(value))
    return found


def _first(headers: Headers, name: str) -> str:
    return headers[name][0][:MAX_HEADER] if name in headers else ""


def _header(headers: Headers, name: str, defects: list[str]) -> str:
    """Return the first header called ``name``, decoded and unfolded; empty if there is none."""
    raw = _first(headers, name)
    if not raw:
        return ""
    if not raw.isascii():  # bytes that no header may hold, but many do: UTF-8 or an old code page
        return " ".join(decoded(raw.encode("utf-8", "surrogateescape"), "", []).split())
    if "=?" not in raw:
        return " ".join(raw.split())
    try:
        return " ".join(str(policy.default.header_factory("subject", " ".join(raw.split()))).split())
    except Exception:
        defects.append(f"{name} can't be decoded")
        return " ".join(raw.split())


def _addresses(headers: Headers, name: str, mail: Mail) -> list[Json]:
    """Return the mailboxes of all headers called ``name``; note in ``mail`` what is doubtful or cut."""
    found: list[Json] = []
    cut = False
    for whole in headers.get(name, ()):
        cut |= len(whole) > MAX_HEADER
        value = whole[:MAX_HEADER]
        if not value.isascii():
            value = decoded(value.encode("utf-8", "surrogateescape"), "", [])
        named = parse_addresses(" ".join(value.split()))
        room = MAX_ADDRESSES - len(found)
        cut |= len(named) > room
        for one in named[:room]:
            shown = _words(one.name)
            found.append({"name": shown[:200], "address": one.address.lower()[:320]})
            if name in ("from", "sender", "reply-to") and (other := Address(shown, one.address).named):
                mail.doubts.append(f"the name in {name.title()} is another address: {one_line(other, 80)}")
    if cut:
        mail.defects.append(f"only the first {len(found)} of {name.title()} were read")
    return found


def _words(text: str) -> str:
    if "=?" not in text:
        return text.strip()
    try:
        return str(policy.default.header_factory("subject", text)).strip()
    except Exception:
        return text.strip()


def _read_headers(message: Message, mail: Mail) -> None:
    headers = _headers(message)
    mail.received = "received" in headers
    mail.subject = _header(headers, "subject", mail.defects)[:1000]
    senders = _addresses(headers, "from", mail)
    mail.sender = next(iter(senders), {"name": "", "address": ""})
    if len({one["address"] for one in senders}) > 1:
        mail.several_senders = True
        mail.doubts.append(f"it says that it is from {len(senders)} senders")
    for name in ("from", "sender", "reply-to"):
        if len(headers.get(name, ())) > 1:
            mail.doubts.append(f"it has more than one {name.title()}")
    if not mail.sender["address"]:
        mail.defects.append("no sender")
    mail.to = _addresses(headers, "to", mail)
    mail.cc = _addresses(headers, "cc", mail)
    mail.reply_to = _addresses(headers, "reply-to", mail)
    mail.followup_to = _addresses(headers, "mail-followup-to", mail)
    for name in _DELIVERED:
        mail.delivered_to += [one["address"] for one in _addresses(headers, name, mail) if one["address"]][:5]
    mail.message_id = next(iter(_ids(_first(headers, "message-id"))), "")
    mail.in_reply_to = next(iter(_ids(_first(headers, "in-reply-to"))), "")
    references = _ids(" ".join(each[:MAX_HEADER] for each in headers.get("references", ()))[: MAX_HEADER * 2])
    mail.references = references[:1] + references[1:][-(MAX_REFERENCES - 1) :]
    mail.auto_submitted = _header(headers, "auto-submitted", mail.defects).split(";")[0].strip().lower()[:100]
    _read_results(headers, mail)
    for name in NOTED:
        if value := _header(headers, name, mail.defects):
            mail.list_headers[name] = value[: MAX_ADDRESS if name == "list-unsubscribe" else 500]
    mail.date = _date(_first(headers, "date"), mail.defects)


def _read_results(headers: Headers, mail: Mail) -> None:
    """Keep what servers found out about the sender; of a header that is too long to be judged, the server alone."""
    for each in headers.get("authentication-results", ())[:3]:
        if len(each) > LONGEST:
            mail.defects.append("a list of checks of the sender is too long, and was not read")
        said = " ".join(each[:LONGEST].split())
        mail.checked.append(said.partition(";")[0][:300] if len(each) > LONGEST else said)


def _ids(raw: str) -> list[str]:
    """Return the message ids in ``raw``, also if a program has encoded them, which none should."""
    return _MESSAGE_ID.findall(raw) or (_MESSAGE_ID.findall(_words(raw)) if "=?" in raw else [])


def _date(raw: str, defects: list[str]) -> float | None:
    if not raw.strip():
        defects.append("no date")
        return None
    try:
        when = parsedate_to_datetime(" ".join(raw[:200].split()))
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = when.timestamp()
        datetime.fromtimestamp(seconds, UTC)
    except Exception:
        defects.append("the date can't be read")
        return None
    return seconds


# ------------------------------------------------------------------------------------------------------------- body


def _parts(message: Message, defects: list[str]) -> Iterator[Message]:
    """Yield the leaf parts, in the order of the mail, without descending into attached messages."""
    stack: list[tuple[Message, int]] = [(message, 0)]
    count = 0
    while stack:
        part, depth = stack.pop()
        count += 1
        if count > MAX_PARTS or depth > MAX_DEPTH:
            defects.append("too many parts: the rest was not read")
            return
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            stack.extend((cast(Message, child), depth + 1) for child in reversed(payload))
        else:
            yield part


def _read_body(message: Message, mail: Mail) -> None:
    plain: list[Message] = []
    html: list[Message] = []
    for part in _parts(message, mail.defects):
        kind = _quietly(part.get_content_type, "application/octet-stream")
        name = _filename(part)
        if not _is_attached(part, kind, name):
            (plain if kind == "text/plain" else html).append(part)
        elif len(mail.attachments) < MAX_ATTACHMENTS:
            mail.attachments.append({"name": name or f"unnamed ({kind})", "type": kind[:100], "size": _size(part)})
        elif (left_out := f"only the first {MAX_ATTACHMENTS} attachments are listed") not in mail.defects:
            mail.defects.append(left_out)
    mail.text = _joined(plain, mail.defects)
    if html and len(mail.text.strip()) < 20:
        mail.text = _joined(html, mail.defects, html=True) or mail.text
    if len(mail.text) > MAX_TEXT:
        mail.text = mail.text[:MAX_TEXT]
        mail.defects.append("the text was cut")
    mail.defects = list(dict.fromkeys(mail.defects))
    mail.reply = latest_reply(mail.text)


def _is_attached(part: Message, kind: str, name: str) -> bool:
    attached = _quietly(part.get_content_disposition, "") == "attachment" or bool(name)
    return attached or kind not in ("text/plain", "text/html")


def _read_report(message: Message, mail: Mail) -> None:
    mail.report = read_report([*islice(_parts(message, []), MAX_PARTS)])
    if not mail.report and (failed := _first(_headers(message), "x-failed-recipients")):
        mail.report = read_plain_report(parse_addresses(" ".join(failed.split())), mail.text)
    elif not mail.report and is_qmails(mail.text):
        mail.report = read_qmails(mail.text)


def _joined(parts: list[Message], defects: list[str], *, html: bool = False) -> str:
    """Return the text of all parts, up to the limit."""
    found: list[str] = []
    for part in parts:
        if sum(map(len, found)) > MAX_TEXT:
            defects.append("the text was cut")
            break
        text = _content(part, defects)
        text = html_text(text, defects) if html else text
        if text.strip() or len(parts) == 1:
            found.append(text)
    return "\n".join(found)


def _quietly(read: Any, otherwise: str) -> str:
    try:
        return str(read() or otherwise)
    except Exception:
        return otherwise


_OF_A_NAME: Final = ("content-type", "content-disposition")


def _filename(part: Message) -> str:
    said = sum(len(str(value)) for key, value in part.raw_items() if key.lower() in _OF_A_NAME)
    if isinstance(part, EmailMessage) and said > MAX_HEADER:
        return "unnamed (headers too long)"
    return " ".join(_words(_quietly(part.get_filename, "")).split())[:255]


def _size(part: Message) -> int:
    payload = part.get_payload()
    if isinstance(payload, list):
        return 0
    coded = _quietly(lambda: part.get("content-transfer-encoding"), "").strip().lower() == "base64"
    length = len(str(payload))
    return length * 3 // 4 if coded else length


def _content(part: Message, defects: list[str]) -> str:
    payload = part.get_payload()
    if isinstance(payload, str) and len(payload) > MAX_BODY_BYTES * 2:
        part.set_payload(payload[: MAX_BODY_BYTES * 2])
        defects.append("the body was cut")
    try:
        source = part.get_payload(decode=True)
    except Exception as error:
        defects.append(f"body can't be decoded: {type(error).__name__}")
        source = str(payload).encode("utf-8", "surrogateescape")
    if not isinstance(source, bytes):
        return ""
    if len(source) > MAX_BODY_BYTES:
        defects.append("the body was cut")
        source = source[:MAX_BODY_BYTES]
    return decoded(source, _quietly(part.get_content_charset, ""), defects)


def _storable(mail: Mail) -> Mail:
    """Return ``mail`` without lone surrogates: what is stored must be valid UTF-8."""

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
        if isinstance(value, list):
            return [plain(item) for item in value]
        if isinstance(value, dict):
            return {plain(key): plain(item) for key, item in value.items()}
        return value

    for each in fields(mail):
        setattr(mail, each.name, plain(getattr(mail, each.name)))
    return mail


def attached_parts(source: bytes) -> list[tuple[str, bytes]]:
    """Return name and bytes of each of a mail's attachments, in the order of ``Mail.attachments``."""
    found: list[tuple[str, bytes]] = []
    message = message_from_bytes(_bounded(source, []), policy=_POLICY)
    for part in _parts(message, []):
        kind, name = _quietly(part.get_content_type, "application/octet-stream"), _filename(part)
        if _is_attached(part, kind, name) and len(found) < MAX_ATTACHMENTS:
            payload = part.get_payload(decode=True)
            if not isinstance(payload, bytes):  # a mail, or what is no part at all
                inner = part.get_payload()
                whole = inner[0] if isinstance(inner, list) and inner else part
                payload = cast(Message, whole).as_bytes()
            found.append((name or f"unnamed ({kind})", payload))
    return found
