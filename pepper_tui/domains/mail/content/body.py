"""The text of a mail: of all its text parts, and of the mails that are attached to it."""

from __future__ import annotations

import re
from email.message import Message
from typing import Final

from pepper_tui.domains.mail.content.flowed import unflowed
from pepper_tui.domains.mail.content.leaves import Leaf, bytes_of, header_of, leaves
from pepper_tui.domains.mail.content.words import words
from pepper_tui.text.charsets import decoded
from pepper_tui.text.html import html_text

MAX_BODY_BYTES: Final = 1_000_000  # of one text part
MAX_TEXT: Final = 200_000  # characters of the body
MAX_MAILS_DEEP: Final = 3  # mails attached to attached mails

_PLACEHOLDER: Final = 400  # characters of a text that may only say that there is HTML
_META: Final = re.compile(rb"<meta\b[^<>]{0,300}?\bcharset\s{0,5}=\s{0,5}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_SIGNED: Final = re.compile(
    r"\A\s*-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:[A-Za-z-]{1,40}: [^\r\n]{0,200}\r?\n){0,10}\r?\n"
    r"(.*?)\r?\n-----BEGIN PGP SIGNATURE-----",
    re.DOTALL,
)

_ESCAPED: Final = re.compile("^- ", re.MULTILINE)  # RFC 9580, section 7.2: a dash at the start of a signed line


def body_text(found: list[Leaf], defects: list[str]) -> str:
    """Return the text that the leaves of a mail show: the plain one, or else the HTML."""
    plain = _joined([one for one in found if one.shown and one.kind != "text/html"], defects)
    html = [one for one in found if one.shown and one.kind == "text/html"]
    if html and (len(plain.strip()) < 20 or _stands_for_html(plain)):
        plain = _joined(html, defects) or plain
    signed = _SIGNED.match(plain)
    return _ESCAPED.sub("", signed[1]) if signed else plain


def attached_mails(found: list[Leaf], defects: list[str], depth: int = 1) -> list[tuple[str, str]]:
    """Return all mails among the leaves, and in them: who wrote each and what about, and its text."""
    told: list[tuple[str, str]] = []
    for held in (one.mail for one in found):
        if held is None:
            continue
        if depth > MAX_MAILS_DEEP:
            defects.append("too many mails inside of mails: the rest was not read")
            break
        if sum(len(text) for _, text in told) > MAX_TEXT:
            defects.append("the text was cut")
            break
        inside = leaves(held, defects)
        told.append((_head(held), body_text(inside, defects)))
        told += attached_mails(inside, defects, depth + 1)
    return told


def _head(mail: Message) -> str:
    lines = ["[attached mail]"]
    for name in ("From", "Date", "Subject"):
        raw = next((str(value)[:1_000] for key, value in mail.raw_items() if key.lower() == name.lower()), "")
        if said := " ".join(words(raw).split()):
            lines.append(f"{name}: {said}")
    return "\n".join(lines)


def _stands_for_html(plain: str) -> bool:
    return len(plain) <= _PLACEHOLDER and bool(re.search(r"\bHTML\b", plain, re.IGNORECASE))


def _joined(parts: list[Leaf], defects: list[str]) -> str:
    """Return the text of all parts, up to the limit."""
    found: list[str] = []
    for one in parts:
        if sum(map(len, found)) > MAX_TEXT:
            defects.append("the text was cut")
            break
        text = _content(one, defects)
        if text.strip() or len(parts) == 1:
            found.append(text)
    return "\n".join(found)


def _content(leaf: Leaf, defects: list[str]) -> str:
    part = leaf.part
    payload = part.get_payload()
    if isinstance(payload, str) and len(payload) > MAX_BODY_BYTES * 2:
        part.set_payload(payload[: MAX_BODY_BYTES * 2])
        defects.append("the body was cut")
    try:
        source = bytes_of(part)
    except Exception as error:
        defects.append(f"body can't be decoded: {type(error).__name__}")
        source = str(payload).encode("utf-8", "surrogateescape")
    if source is None:
        return ""
    if len(source) > MAX_BODY_BYTES:
        defects.append("the body was cut")
        source = source[:MAX_BODY_BYTES]
    said = header_of(part, "content-type").parameters
    charset = said.get("charset", "")
    if leaf.kind != "text/html":
        text = decoded(source, charset, defects)
        if said.get("format", "").lower() == "flowed":
            return unflowed(text, delete_space=said.get("delsp", "").lower() == "yes")
        return text
    if not charset and (meta := _META.search(source[:4_000])):
        charset = meta[1].decode("ascii", "replace")
        charset = "" if charset.lower().startswith("utf-16") else charset  # it could not have been read as ASCII
    return html_text(decoded(source, charset, defects), defects)
