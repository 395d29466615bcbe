"""What stands around the user's own words in a mail: the signature, and the mail that is answered or sent on.

Lines stay as long as they are written: quoted-printable carries them, so nothing is sent as format=flowed (RFC 3676).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Final, Literal

from pepper_tui.model import Json
from pepper_tui.text import sendable

Where = Literal["below", "above", "none"]
MAX_QUOTED: Final = 30_000
"""Characters of the mail that is answered, or sent on, that go into the text."""
CUT: Final = "[…]"
_SIGNATURE: Final = "-- "  # RFC 3676, 4.3
_ATTRIBUTION: Final[Mapping[str, str]] = {
    "en": "On {day} at {time}, {who} wrote:",
    "de": "Am {day} um {time} schrieb {who}:",
    "fr": "Le {day} à {time}, {who} a écrit :",
    "es": "El {day} a las {time}, {who} escribió:",
    "it": "Il {day} alle {time}, {who} ha scritto:",
    "nl": "Op {day} om {time} schreef {who}:",
}
_DAY: Final[Mapping[str, str]] = {"de": "%d.%m.%Y", "nl": "%d-%m-%Y"}
_FORWARDED: Final = "---------- Forwarded message ----------"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def whole_text(fields: Json) -> str:
    """Return the text of a mail: the user's ``body``, its signature, and what is quoted."""
    own = str(fields["body"]).rstrip("\n")
    if signature := str(fields.get("signature") or "").strip("\n"):
        own += f"\n\n{_SIGNATURE}\n{signature}"
    quoted = str(fields.get("quoted") or "").strip("\n")
    if not quoted:
        return f"{own}\n"
    above = fields.get("quote") == "above"
    return (f"{quoted}\n\n{own}" if above else f"{own}\n\n{quoted}") + "\n"


def quotation(mail: Mapping[str, Any], zone: tzinfo, locale: str) -> str:
    """Return ``mail`` quoted, under a line that says whose it is and from when; empty if it has no text."""
    text = _text_of(mail)
    if not text:
        return ""
    lines = [f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in text.split("\n")]
    return "\n".join([attribution(mail, zone, locale), *lines])


def attribution(mail: Mapping[str, Any], zone: tzinfo, locale: str) -> str:
    """Return the line above a quotation, in the language of ``locale``, English if that is unknown."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    who = _who(mail.get("sender"))
    at = _moment(mail, zone)
    if at is None:
        return f"{who}:"
    day = _day(at, locale.replace("_", "-"), language)
    return _ATTRIBUTION.get(language, _ATTRIBUTION["en"]).format(day=day, time=f"{at:%H:%M}", who=who)


def forwarded(mail: Mapping[str, Any], zone: tzinfo) -> str:
    """Return ``mail`` as it is sent on in the text, below a block of its headers."""
    at = _moment(mail, zone)
    block = [
        ("From", _who(mail.get("sender"))),
        ("Date", f"{at:%Y-%m-%d %H:%M %z}" if at else ""),
        ("Subject", _line(str(mail.get("subject") or ""))),
        *((key.title(), ", ".join(map(_who, mail.get(key) or ()))) for key in ("to", "cc")),
    ]
    head = [f"{name}: {value}" for name, value in block if value]
    return "\n".join([_FORWARDED, *head, "", _text_of(mail)])


def _text_of(mail: Mapping[str, Any]) -> str:
    text = sendable(str(mail.get("text") or "").replace("\r\n", "\n")).strip("\n")
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
    if len(text) <= MAX_QUOTED:
        return text
    return text[:MAX_QUOTED].rpartition("\n")[0] + f"\n{CUT}"


def _who(person: Any) -> str:
    person = person if isinstance(person, dict) else {}
    name, address = _line(str(person.get("name") or "")), _line(str(person.get("address") or ""))
    return f"{name} <{address}>" if name and address else name or address or "?"


def _line(text: str) -> str:
    return " ".join(sendable(text).split())[:500]


def _moment(mail: Mapping[str, Any], zone: tzinfo) -> datetime | None:
    date = mail.get("date") if mail.get("date") is not None else mail.get("arrived")
    try:
        return datetime.fromtimestamp(float(date), zone) if isinstance(date, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None


def _day(at: datetime, locale: str, language: str) -> str:
    if language == "en":
        month = _MONTHS[at.month - 1]  # not %b: that is in the language of the process
        return f"{at.day} {month} {at.year}" if locale not in ("en", "en-US") else f"{month} {at.day}, {at.year}"
    return at.strftime(_DAY.get(language, "%d/%m/%Y")) if language in _ATTRIBUTION else f"{at:%Y-%m-%d}"
