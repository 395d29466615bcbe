"""Where older mails begin in the text of a mail: the line above a quotation, the separator, the block of headers.

Each pattern is bounded and looks at few lines, so the time is linear.
"""

from __future__ import annotations

import re
from typing import Final

_LINES: Final = 3  # over which programs break the line above a quotation
_LONG: Final = 400  # characters of that line
_BLOCK: Final = 8  # lines of a block of headers

_VERBS: Final = (
    r"(?:wrote|sent|writes|schrieb|geschrieben|écrit|écrivait|escribió|scritto|schreef|geschreven|escreveu|skrev"
    r"|kirjoitti|napisał(?:\(a\)|a)?|napsal(?:\(a\)|a)?|написав(?:\(ла\))?|написала?|pisze|пишет?|đã viết|viết"
    r"|写道|寫道)"
)
_LEAD: Final = r"(?:on|am|le|el|il|op|em|no dia|den|dnia|w dniu|dne|på|vào|pada)"
_ABOVE: Final = re.compile(
    rf"(?:{_LEAD}\b.{{3,300}}?\b{_VERBS}\b.{{0,150}}[:：]"
    rf"|.{{0,120}}<[^<>]{{0,120}}@[^<>]{{0,120}}>,?\s?(?:a\s|ha\s|het volgende\s)?{_VERBS}\b.{{0,100}}[:：]"
    rf"|.{{0,40}}\d{{4}}.{{0,60}}\d{{1,2}}[:.h]\d{{2}}.{{0,160}}{_VERBS}\s?[:：]"
    r"|[ \t]*(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4}).{0,160}<[^<>]{3,120}>\s?[:：]"
    rf"|-{{2,}}\s?on .{{3,200}} {_VERBS}\s?-{{2,}}"
    r"|\d{4}\s?年.{1,160}[:：])\s*",
    re.IGNORECASE,
)
_ENDS: Final = ":：-"
"""What the line above a quotation ends with, unless quoted lines follow."""
_NEAR_A_QUOTE: Final = re.compile(
    rf"(?:.{{0,300}}(?:@|\b\d{{1,2}}[:.h]\d{{2}}|\b(?:19|20)\d\d\b).{{0,300}}[:：]|{_LEAD}\b.{{3,300}}\b{_VERBS})\s*",
    re.IGNORECASE,
)
"""What is the line above a quotation only if quoted lines follow."""
_SEPARATOR: Final = re.compile(
    r"(?:[-_*]{2,}\s?(?:original message|original-nachricht|forwarded (?:message|by .{1,80})|reply message"
    r"|ursprüngliche nachricht|weitergeleitete nachricht|message (?:d'origine|original|transféré)"
    r"|mensaje (?:original|reenviado)"
    r"|mensagem (?:original|encaminhada)|messaggio (?:originale|inoltrato)|(?:oorspronkelijk|doorgestuurd) bericht"
    r"|oprindelig meddelelse|ursprungligt meddelande|wiadomość oryginalna|исходное сообщение|пересылаемое сообщение"
    r"|转发邮件|原始邮件)"
    r"|begin forwarded message:|mensaje original\s*$|_{20,}\s*$"
    r")",
    re.IGNORECASE,
)
_RULE: Final = re.compile(r"_{20,}\s*")
_WRITER: Final = re.compile(
    r"[*\s]{0,3}(?:from|von|de|da|van|fra|från|od|от|від|lähettäjä|差出人|发件人|寄件者|보낸 사람)[*]?\s?[:：]",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(
    r"[*\s]{0,3}(?:sent|date|to|subject|cc|reply-to|organi[sz]ation|gesendet|datum|an|betreff"
    r"|envoyé(?: le| par)?|objet|à"
    r"|enviad[oa](?: el| em)?|fecha|para|asunto|assunto|inviato|data|a|oggetto|verzonden|aan|onderwerp|sendt|dato|til"
    r"|emne|skickat|till|ämne|lähetetty|vastaanottaja|aihe|wysłano|do|temat|дата|отправлено|кому|тема|надіслано"
    r"|日期|发送时间|收件人|主题|件名|宛先|送信日時)[*]?\s?[:：]",
    re.IGNORECASE,
)


def may_be_above(lines: list[str]) -> set[int]:
    """Return which of ``lines`` could be the first of those that ``attribution`` finds, which costs more to ask."""
    found: set[int] = set()
    quoted = False  # whether the next line that is not empty is a quoted one
    for at in range(len(lines) - 1, -1, -1):
        bare = lines[at].strip()
        if not bare:
            continue
        if quoted or bare[-1] in _ENDS:
            found.update(range(max(0, at - _LINES + 1), at + 1))
        quoted = bare[0] == ">"
    return found


def attribution(lines: list[str], at: int) -> int:
    """Return how many lines from ``at`` are the line above a quotation; 0 if none is.

    What only may be one counts if a quotation follows.
    """
    for count in range(1, min(_LINES, len(lines) - at) + 1):
        told = [each.strip() for each in lines[at : at + count]]
        if not told[-1] or told[-1].startswith(">") or sum(map(len, told)) > _LONG:
            return 0
        joined = " ".join(told)
        if _ABOVE.fullmatch(joined):
            return count
        if quoted_after(lines, at + count, blank=1) and _NEAR_A_QUOTE.fullmatch(joined):
            return count
    return 0


def quoted_after(lines: list[str], at: int, blank: int = 3) -> bool:
    """Check whether the first line from ``at`` that is not empty is a quoted one, after at most ``blank`` others."""
    following = next((each for each in lines[at : at + blank + 1] if each.strip()), "")
    return following.lstrip().startswith(">")


def separator(lines: list[str], at: int) -> int:
    """Return how many lines from ``at`` separate an older mail from the newer one: 0 if none does.

    The block of headers of an older mail is not counted: it is part of that mail.
    """
    return int(bool(_SEPARATOR.match(lines[at].strip()[:_LONG])))


def is_rule(line: str) -> bool:
    """Check whether ``line`` is a line of underscores, above what programs add to a mail."""
    return bool(_RULE.fullmatch(line.strip()[:_LONG]))


def headers_at(lines: list[str], at: int) -> bool:
    """Check whether the headers of an older mail begin at ``at``: who wrote it, and two more."""
    if (":" not in lines[at] and "：" not in lines[at]) or not _WRITER.match(lines[at][:_LONG]):
        return False
    block = [each for each in lines[at + 1 : at + 1 + _BLOCK] if each.strip()]
    return sum(bool(_HEADER.match(each[:_LONG])) for each in block) >= 2
