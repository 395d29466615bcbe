"""Parsing a mail's bytes: never raises, and stays within stated bounds of time and memory.

Bounds are applied to the bytes before any parser sees them (size, lines, header block, boundaries, nested containers),
because the parsers themselves have none. Whatever was cut or could not be read is named in ``Mail.defects``.
Text stays raw here: it is cleaned where it is shown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from email import message_from_bytes
from email.message import Message
from functools import cached_property
from typing import Any, Final, cast

from pepper_tui.domains.mail.content.body import MAX_BODY_BYTES, MAX_TEXT, attached_mails, body_text
from pepper_tui.domains.mail.content.dates import read_date
from pepper_tui.domains.mail.content.leaves import POLICY, Leaf, bytes_of, charset_of, leaves, size_of
from pepper_tui.domains.mail.content.machines import NOTED
from pepper_tui.domains.mail.content.mailboxes import Address, parse_addresses
from pepper_tui.domains.mail.content.mending import mended
from pepper_tui.domains.mail.content.reply_text import latest_reply
from pepper_tui.domains.mail.content.words import readable, words
from pepper_tui.domains.mail.facts.authentication import LONGEST
from pepper_tui.domains.mail.facts.delivery_report import is_qmails, read_plain_report, read_qmails, read_report
from pepper_tui.domains.mail.invitation_part import read_invitation
from pepper_tui.model import Json, Record
from pepper_tui.text import one_line
from pepper_tui.text.charsets import decoded

MAX_BYTES: Final = 25_000_000
MAX_LINES: Final = 400_000
MAX_HEADER_BLOCK: Final = 256_000  # bytes of all headers
MAX_HEADER: Final = 16_000  # characters of one header's value
MAX_BOUNDARIES: Final = 4_000  # lines that begin like a boundary
MAX_CONTAINERS: Final = 60  # multipart and message parts
MAX_ADDRESSES: Final = 200
MAX_REFERENCES: Final = 100
MAX_ATTACHMENTS: Final = 100
MAX_ADDRESS: Final = 4_000  # characters of what says how a list is left: a cut web address is another one

_CONTAINER: Final = re.compile(rb"^content-type:[ \t\r\n]*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,500}>")
_BARE_ID: Final = re.compile(r"(?<!\S)[^<>\s@]{1,250}@[^<>\s@]{1,250}(?!\S)")
_DELIVERED: Final = ("delivered-to", "x-original-to", "envelope-to")
"""Headers with which servers note for whom a mail was."""


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
    bare_digest: str = ""  # … without what mbsync adds anew at each download; only where no Message-ID tells the mail
    defects: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)  # why the sender may not be who it seems
    several_senders: bool = False
    received: bool = False  # a server has received it on the way
    checked: list[str] = field(default_factory=list)  # each Authentication-Results, the topmost first
    report: Json = field(default_factory=dict)  # on the delivery of another mail: see ``facts.delivery_report``
    invitation: str = ""  # its calendar part, if that asks for an answer or brings one

    @property
    def thread(self) -> str:
        """The Message-ID at the root of the conversation, as far as the mail itself tells."""
        return next(iter(self.references), "") or self.in_reply_to or self.message_id


_DOWNLOAD: Final = re.compile(rb"(?:[^\r\n]{1,1000}\r?\n){0,200}?(X-TUID:[^\n]{0,80}\n)")
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
        message = message_from_bytes(mended(_bounded(source, mail.defects), mail.defects), policy=POLICY)
    except Exception as error:  # a parser's own failure on broken input, RecursionError included
        mail.defects.append(f"can't be parsed: {type(error).__name__}")
        mail.text = mail.reply = decoded(source[:MAX_BODY_BYTES], "", mail.defects)[:MAX_TEXT]
        return _storable(mail)
    opened = _Opened(message, mail)
    for read in (_read_headers, _read_body, _read_report, _read_invitation):
        try:
            read(opened, mail)
        except Exception as error:
            mail.defects.append(f"{read.__name__.removeprefix('_read_')}: {type(error).__name__}")
    if not mail.message_id and (added := _DOWNLOAD.match(source)):
        mail.bare_digest = hashlib.sha256(source[: added.start(1)] + source[added.end(1) :]).hexdigest()
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


class _Opened:
    """A mail's message: its headers and parts are each looked for once, and what is wrong with the parts is noted."""

    def __init__(self, message: Message, mail: Mail) -> None:
        self.message, self._mail = message, mail

    @cached_property
    def headers(self) -> Headers:
        found: dict[str, list[str]] = {}
        for key, value in self.message.raw_items():
            found.setdefault(key.lower(), []).append(str(value))
        return found

    @cached_property
    def leaves(self) -> list[Leaf]:
        return leaves(self.message, self._mail.defects)


def _first(headers: Headers, name: str) -> str:
    return headers[name][0][:MAX_HEADER] if name in headers else ""


def _header(headers: Headers, name: str, charset: str) -> str:
    """Return the first header called ``name``, decoded and unfolded; empty if there is none."""
    return " ".join(words(_first(headers, name), charset).split()) if name in headers else ""


def _addresses(headers: Headers, name: str, charset: str, mail: Mail) -> list[Json]:
    """Return the mailboxes of all headers called ``name``; note in ``mail`` what is doubtful or cut."""
    found: list[Json] = []
    cut = False
    for whole in headers.get(name, ()):
        cut |= len(whole) > MAX_HEADER
        value = whole[:MAX_HEADER]
        if not value.isascii():
            value = readable(value.encode("utf-8", "surrogateescape"), charset)
        named = parse_addresses(" ".join(value.split()))
        room = MAX_ADDRESSES - len(found)
        cut |= len(named) > room
        for one in named[:room]:
            shown = " ".join(words(one.name).split())
            found.append({"name": shown[:200], "address": one.address.lower()[:320]})
            if name in ("from", "sender", "reply-to") and (other := Address(shown, one.address).named):
                mail.doubts.append(f"the name in {name.title()} is another address: {one_line(other, 80)}")
    if cut:
        mail.defects.append(f"only the first {len(found)} of {name.title()} were read")
    return found


def _read_headers(opened: _Opened, mail: Mail) -> None:
    headers = opened.headers
    plain = all(value.isascii() for values in headers.values() for value in values)
    charset = "" if plain else charset_of(opened.message)
    mail.received = "received" in headers
    mail.subject = _header(headers, "subject", charset)[:1000]
    senders = _addresses(headers, "from", charset, mail)
    mail.sender = next(iter(senders), {"name": "", "address": ""})
    if len({one["address"] for one in senders}) > 1:
        mail.several_senders = True
        mail.doubts.append(f"it says that it is from {len(senders)} senders")
    for name in ("from", "sender", "reply-to"):
        if len(headers.get(name, ())) > 1:
            mail.doubts.append(f"it has more than one {name.title()}")
    if not mail.sender["address"]:
        mail.defects.append("no sender")
    mail.to = _addresses(headers, "to", charset, mail)
    mail.cc = _addresses(headers, "cc", charset, mail)
    mail.reply_to = _addresses(headers, "reply-to", charset, mail)
    mail.followup_to = _addresses(headers, "mail-followup-to", charset, mail)
    for name in _DELIVERED:
        mail.delivered_to += [one["address"] for one in _addresses(headers, name, charset, mail) if one["address"]][:5]
    mail.message_id = next(iter(_ids(_first(headers, "message-id"))), "")
    mail.in_reply_to = next(iter(_ids(_first(headers, "in-reply-to"))), "")
    references = _ids(" ".join(each[:MAX_HEADER] for each in headers.get("references", ()))[: MAX_HEADER * 2])
    mail.references = references[:1] + references[1:][-(MAX_REFERENCES - 1) :]
    mail.auto_submitted = _header(headers, "auto-submitted", charset).split(";")[0].strip().lower()[:100]
    _read_results(headers, mail)
    for name in NOTED:
        if value := _header(headers, name, charset):
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
    """Return the message ids in ``raw``, also if a program has encoded them, which none should, or left out the <>."""
    text = words(raw)
    return _MESSAGE_ID.findall(raw if raw.isascii() and "=?" not in raw else text) or [
        f"<{bare}>" for bare in _BARE_ID.findall(text)
    ]


def _date(raw: str, defects: list[str]) -> float | None:
    if not raw.strip():
        defects.append("no date")
        return None
    try:
        return read_date(raw)
    except ValueError:
        defects.append("the date can't be read")
        return None


# ------------------------------------------------------------------------------------------------------------- body


def _read_body(opened: _Opened, mail: Mail) -> None:
    found = opened.leaves
    for leaf in found:
        if not leaf.listed:
            continue
        if len(mail.attachments) < MAX_ATTACHMENTS:
            name = leaf.name or f"unnamed ({leaf.kind})"
            mail.attachments.append({"name": name, "type": leaf.kind[:100], "size": size_of(leaf.part)})
        elif (left_out := f"only the first {MAX_ATTACHMENTS} attachments are listed") not in mail.defects:
            mail.defects.append(left_out)
    own = body_text(found, mail.defects)
    report = opened.message.get_content_type() == "multipart/report"  # the mail that it returns is the user's own
    inside = [] if report else attached_mails(found, mail.defects)
    text = "\n\n".join(filter(str.strip, [own, *(f"{head}\n\n{words}" for head, words in inside)]))
    if len(text) > MAX_TEXT:
        mail.defects.append("the text was cut")
    mail.text = text[:MAX_TEXT]
    mail.defects = list(dict.fromkeys(mail.defects))
    new = [latest_reply(own[:MAX_TEXT]), *(f"{head}\n\n{latest_reply(words[:MAX_TEXT])}" for head, words in inside)]
    mail.reply = "\n\n".join(filter(None, new))[:MAX_TEXT]


def _read_report(opened: _Opened, mail: Mail) -> None:
    mail.report = read_report([leaf.part for leaf in opened.leaves])
    if not mail.report and (failed := _first(opened.headers, "x-failed-recipients")):
        mail.report = read_plain_report(parse_addresses(" ".join(failed.split())), mail.text)
    elif not mail.report and is_qmails(mail.text):
        mail.report = read_qmails(mail.text)


def _read_invitation(opened: _Opened, mail: Mail) -> None:
    mail.invitation = read_invitation(opened.leaves, mail.defects)


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
    message = message_from_bytes(mended(_bounded(source, []), []), policy=POLICY)
    for leaf in leaves(message, []):
        if leaf.listed and len(found) < MAX_ATTACHMENTS:
            payload = bytes_of(leaf.part)
            if payload is None:  # a mail, or what is no part at all
                inner = leaf.part.get_payload()
                whole = inner[0] if isinstance(inner, list) and inner else leaf.part
                payload = cast(Message, whole).as_bytes()
            found.append((leaf.name or f"unnamed ({leaf.kind})", payload))
    return found
