"""The parts of a mail that are not made of others, in order: which are its text, and which its attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_string, policy
from email.message import Message
from functools import lru_cache
from typing import Any, Final, cast

from pepper_tui.domains.mail.content.base64_text import base64_bytes
from pepper_tui.domains.mail.content.parameters import Told, told
from pepper_tui.domains.mail.content.words import words

MAX_PARAMETERS: Final = 2_000  # characters of a part's header that are parsed
MAX_PARTS: Final = 200
MAX_DEPTH: Final = 30

_READ_LENIENTLY: Final = ("content-type", "content-disposition", "content-transfer-encoding")
_SHORT: Final = 500  # characters of a header that is cached
_NO_PROSE: Final = ("text/calendar", "text/vcard", "text/x-vcard", "text/directory", "text/rfc822-headers", "text/css")
_MARKS: Final = 3  # multiparts of one mail whose marks between parts are searched for
_MARK: Final = re.compile(r"^--([^\s-][^\r\n]{0,200}?|-{1,40}[^\s-][^\r\n]{0,200}?)[ \t]*\r?$", re.MULTILINE)


class _Policy(policy.EmailPolicy):
    """The library's policy, but with parts' headers read leniently, and each header once.

    Its own parsers ask for the content type a dozen times a mail, and take quadratic time for what they parse.
    """

    def header_fetch_parse(self, name: str, value: str) -> Any:
        if hasattr(value, "name"):
            return value
        value = value[:MAX_PARAMETERS]
        if name.lower() in _READ_LENIENTLY:
            return _lenient(value)
        return _fetched(name, value) if len(value) <= _SHORT else super().header_fetch_parse(name, value)


POLICY: Final = _Policy()


@lru_cache(maxsize=500)
def _lenient(value: str) -> str:
    return told(value).header()


@lru_cache(maxsize=500)
def _fetched(name: str, value: str) -> Any:
    return policy.default.header_fetch_parse(name, value)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One part: ``kind`` is its content type; ``shown`` if it is text of the mail, ``listed`` if an attachment."""

    part: Message
    kind: str
    name: str
    shown: bool = False
    listed: bool = False

    @property
    def mail(self) -> Message | None:
        """The mail that the part holds, if it is one."""
        payload = self.part.get_payload()
        held = payload[0] if self.kind in ("message/rfc822", "message/global") and isinstance(payload, list) else None
        return held if isinstance(held, Message) else None


def header_of(part: Message, name: str) -> Told:
    """Return what a Content-* header of ``part`` says."""
    found = next((str(value) for key, value in part.raw_items() if key.lower() == name), "")
    return told(found[:MAX_PARAMETERS])


def leaves(message: Message, defects: list[str]) -> list[Leaf]:
    """Return the leaves of ``message``, without those of attached mails.

    Only "attachment" makes the first text an attachment; a name alone does so for those after it. Text of an unusual
    kind is shown if there is no other.
    """
    found: list[Leaf] = []
    for part in _parts(message, defects):
        kind, name = header_of(part, "content-type").value or "text/plain", _name(part)
        if kind.startswith("multipart/"):
            kind = "text/plain"
        elif kind.count("/") != 1 or kind[0] == "/":
            kind = "text/plain" if "/" not in kind else "application/octet-stream"
        attached = header_of(part, "content-disposition").value == "attachment"
        text = kind in ("text/plain", "text/html")
        shown = text and not attached and (not name or not any(one.shown for one in found))
        found.append(Leaf(part, kind, name, shown, listed=attached or bool(name) or not text))
    if not any(one.shown for one in found):
        found = [replace(one, shown=_is_prose(one)) for one in found]
    return [replace(one, name=one.name or _name_of_mail(one)) for one in found]


def _is_prose(leaf: Leaf) -> bool:
    attached = header_of(leaf.part, "content-disposition").value == "attachment"
    return leaf.kind.startswith("text/") and leaf.kind not in _NO_PROSE and not attached and not leaf.name


def _parts(message: Message, defects: list[str]) -> Iterator[Message]:
    stack: list[tuple[Message, int]] = [(message, 0)]
    count = searched = 0
    while stack:
        part, depth = stack.pop()
        count += 1
        if count > MAX_PARTS or depth > MAX_DEPTH:
            defects.append("too many parts: the rest was not read")
            return
        payload = part.get_payload()
        multipart = header_of(part, "content-type").value.startswith("multipart/")
        if multipart and isinstance(payload, str) and searched < _MARKS:
            searched += 1
            payload = _parted(payload) or payload
        if multipart and isinstance(payload, list):
            stack.extend((cast(Message, child), depth + 1) for child in reversed(payload))
        else:
            yield part


def _parted(payload: str) -> list[Any]:
    """Return the parts of a multipart without the mark that its header tells: by the first line that looks like one."""
    mark = _MARK.search(payload)
    if mark is None:
        return []
    head = Told("multipart/mixed", {"boundary": mark[1]}).header()
    again = message_from_string(f"Content-Type: {head}\n\n{payload}", policy=POLICY).get_payload()
    return again if isinstance(again, list) else []


def _name(part: Message) -> str:
    """Return the file name, as some program has it in either header."""
    for header, key in (("content-disposition", "filename"), ("content-type", "name")):
        if name := header_of(part, header).parameters.get(key):
            return " ".join(name.split())[:255]
    return ""


def _name_of_mail(leaf: Leaf) -> str:
    """Return a name for a mail that is attached without one: its subject."""
    if (held := leaf.mail) is None:
        return ""
    raw = next((str(value)[:MAX_PARAMETERS] for key, value in held.raw_items() if key.lower() == "subject"), "")
    subject = " ".join(words(raw).split())[:200]
    return f"{subject}.eml" if subject else ""


def size_of(part: Message) -> int:
    """Return about how many bytes ``part`` has."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return sum(size_of(one) for one in part.walk() if not isinstance(one.get_payload(), list))
    coded = header_of(part, "content-transfer-encoding").value == "base64"
    length = len(str(payload))
    return length * 3 // 4 if coded else length


def bytes_of(part: Message) -> bytes | None:
    """Return what ``part`` holds; ``None`` if that is a mail, or no part at all. Raises what its decoders raise."""
    payload = part.get_payload()
    if isinstance(payload, str) and header_of(part, "content-transfer-encoding").value == "base64":
        return base64_bytes(payload.encode("ascii", "ignore"))
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else None


def charset_of(message: Message) -> str:
    """Return the first charset that a part of ``message`` names; empty if none does."""
    for number, part in enumerate(message.walk()):
        if number == MAX_DEPTH:
            break
        if charset := header_of(part, "content-type").parameters.get("charset"):
            return charset
    return ""
