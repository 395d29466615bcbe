"""The fact ``today``: a person writes to the user about a time that is today or tomorrow, and still ahead.

A word of the text says where a time may stand. For English and German the reader of times decides what it means, and
whether it means one thing; of French and Spanish, which it does not know, only "today" and "tomorrow" with an hour or
a verb that looks ahead are taken. What is past, and what a seller hurries the reader with, is none.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from pepper_tui.clock.words import deadline_in, read_due
from pepper_tui.domains.mail.content.gist import written_at
from pepper_tui.domains.mail.content.reply_text import MAX_CHARACTERS, sentences
from pepper_tui.domains.mail.facts.looked import Found, Looked
from pepper_tui.text import one_line

_TRIES: Final = 2  # sentences of a mail that are read for a time
_DAYS: Final = (
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday"
    r"|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag"
)
_MONTHS: Final = (
    r"jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz|apr(?:il)?|may|mai|june?|juni|july?|juli|aug(?:ust)?"
    r"|sep(?:t|tember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?"
)
_CLOCK: Final = r"\d{1,2}(?:[:.]\d{2})?(?: ?(?:am|pm|uhr|h)\b)?"
_HOUR: Final = (
    r"(?:,? (?:(?:at|by|um|ab|gegen|bis|from|von|between|zwischen|before|vor) )?)"
    rf"(?:(?:{_CLOCK}|noon|midday|mittag)(?:(?: (?:and|und|to|bis) |[-–]){_CLOCK})?)"
)
_NAMED_DAY: Final = (
    r"(?<!of )(?:tomorrow|today|tonight)(?!['’]s)|(?<!guten )(?<!am )(?<!von )morgen|(?<!von )heute"
    r"|end of (?:the )?day(?: today)?|eod"
)
_DATE: Final = (
    rf"(?:on |am |this |diesen )(?:{_DAYS})"
    rf"|(?:on |am |by |bis )?(?:the )?(?:\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?(?:{_MONTHS})"
    rf"|(?:{_MONTHS}) \d{{1,2}}(?:st|nd|rd|th)?)|\d{{4}}-\d\d-\d\d"
)
_WHEN: Final = re.compile(
    rf"\b(?:{_NAMED_DAY}|{_DATE})\b"
    r"(?: (?:morning|afternoon|evening|night|früh|vormittag|nachmittag|abend|mittag))?"
    rf"(?:{_HOUR})?",
    re.IGNORECASE,
)
_ROMANCE: Final = re.compile(
    r"\b(?:demain|aujourd['’]hui|(?<!por la )(?<!esta )(?<!de la )(?<!la )mañana|hoy(?! en d[ií]a))\b", re.IGNORECASE
)
_FIXED: Final = re.compile(
    r"\b(?:(?:à|vers|avant|a las?|antes de) ?\d{1,2}(?:[h:.]\d{0,2})?|\d{1,2} ?(?:h\b|heures?|horas?)|\d{1,2}[:.]\d{2}"
    r"|(?:avant|antes de) (?:demain|mañana)|midi|mediodía|ce soir|esta tarde|esta noche)",
    re.IGNORECASE,
)
_STEMS: Final = (
    "tomorrow", "today", "tonight", "morgen", "heute", "end of", "eod", "demain", "aujourd", "mañana", "hoy", "day",
    "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonn", "jan", "feb", "mar", "mär", "apr",
    "may", "mai", "jun", "jul", "aug", "sep", "oct", "okt", "nov", "dec", "dez", "-01", "-02", "-03", "-04", "-05",
    "-06", "-07", "-08", "-09", "-10", "-11", "-12",
)  # fmt: skip
"""What a text holds in which a day can be named: a quick look, before each sentence is read."""
_BARE: Final = re.compile(r"tomorrow|today|tonight|morgen|heute", re.IGNORECASE)
_AHEAD: Final = re.compile(
    r"\b(?:will|shall|need|must|have to|please|can|could|see you|meet|meeting|call|due|deadline|by|until"
    r"|comes?|arrives?|remind\w*|forget|bitte|muss|müssen|soll\w*|wird|werden|komm\w*|treffen|termin|sehen uns"
    r"|brauch\w*|denk\w*|bis"
    r"|spätestens|fällig)\b|\?",
    re.IGNORECASE,
)
"""With a bare day: that something is ahead on it."""
_PAST: Final = re.compile(
    r"\b(?:thank(?:s| you)(?: (?:so much|again|a lot))? for|was|were|had|did|saw|met|found|went|came|called|as of"
    r"|until now|missed|yesterday|earlier today|(?:vielen )?danke? (?:noch ?mals? )?für|war|waren|hatte[nst]?"
    r"|habe[nt]?|gab"
    r"|bis heute (?!\d|um|abend|mittag|nachmittag)"
    r"|gestern|merci pour|était|hier|encore|gracias por|fue|ayer|estuvo)\b(?! to\b)",
    re.IGNORECASE,
)
_SELLS: Final = re.compile(
    r"\b(?:unsubscribe|opt[- ]out|view (?:it )?in (?:your )?browser|click here|discount|sale ends"
    r"|abmelden|abbestellen|im browser|rabatt|désabonner|désinscri\w*|dans le navigateur|darse de baja|suscripción"
    r"|en el navegador|oferta)\b|\d ?%",
    re.IGNORECASE,
)


def today(mail: Looked) -> Found | None:
    if not mail.by_a_person or not mail.to_me or (mail.authentic is False and not mail.known):
        return None
    plain = mail.text[:MAX_CHARACTERS].lower()
    if not any(stem in plain for stem in _STEMS):
        return None
    written, tries = written_at(mail.raw["date"], mail.now), 0
    for one in sentences(mail.text):
        found = _WHEN.search(one[:600]) or _ROMANCE.search(one[:600])
        if found is None or _PAST.search(one[:600]):
            continue
        if _BARE.fullmatch(found[0].strip()) and not _AHEAD.search(one[:600]):
            continue
        tries += 1
        if tries > _TRIES or (not mail.known and _SELLS.search(mail.text[:20_000])):
            return None
        if said := _read(mail, one[:600], found, written):
            return Found("today", f"{mail.who} writes about a time {said}", one_line(one, 300))
    return None


def _read(mail: Looked, sentence: str, found: re.Match[str], written: float) -> str:
    """Return "today" or "tomorrow" if that is what the sentence means, and it is ahead; else an empty string."""
    if _ROMANCE.fullmatch(found[0]):
        days = 1 if found[0].casefold() in ("demain", "mañana") else 0
        if not _FIXED.search(sentence):
            return ""
        return _named(mail, datetime.fromtimestamp(written, mail.zone) + timedelta(days=days))
    due = read_due(found[0], sentence, written, mail.zone, mail.locale)
    due = due or deadline_in(sentence, written, mail.zone, mail.locale)
    if due is None or due.at <= mail.now:
        return ""
    return _named(mail, datetime.fromtimestamp(due.at, mail.zone))


def _named(mail: Looked, at: datetime) -> str:
    now = datetime.fromtimestamp(mail.now, mail.zone)
    return {0: "today", 1: "tomorrow"}.get((at.date() - now.date()).days, "")
