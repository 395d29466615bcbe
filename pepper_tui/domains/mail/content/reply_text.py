"""The new part of a mail: its text without quoted history and signature.

The library's patterns backtrack, so it only ever gets a short text, and only one that shows a sign of what it takes
away; longer ones are trimmed line by line here.
"""

from __future__ import annotations

import re
from typing import Final

from pepper_tui.domains.mail.content.history import (
    attribution,
    headers_at,
    is_rule,
    may_be_above,
    quoted_after,
    separator,
)

MAX_CHARACTERS: Final = 4_000
MAX_LINES: Final = 200
MAX_LINE: Final = 400
MAX_MARKS: Final = 12  # lines that look like a header of quoted mail

LANGUAGES: Final = ["en", "de", "fr", "es", "it", "nl"]
_MARK: Final = re.compile(r"^[>* ]{0,20}(?:on|am|le|el|il|op|from|sent|to|date|cc|subject|von|de|à|da|van)\b", re.I)
_SALUTATION: Final = re.compile(
    r"(?:(?:hi|hello|hey|hiya|dear|good (?:morning|afternoon|evening|day)|greetings|hallo|liebe[rs]?"
    r"|guten (?:tag|morgen)|sehr geehrte[rs]?|moin|olá|ola|oi|caro|cara|bom dia|boa tarde|hola"
    r"|estimad[oa]|querid[oa]|buenos días|ciao"
    r"|gentile|bonjour|salut|chère?|beste|hoi)\b(?: [^\W\d_][\w.'’-]*){0,4}\s*[,!.:;–—-]*"
    r"|[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*)?\s*,)",
    re.IGNORECASE,
)
_QUESTION: Final = re.compile(r"\w[\"'”’)\]]?\s?[?？](?:[\"'”’)\]!?]*(?:\s|$))")  # not the one of an address
_PARAGRAPH: Final = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t])")
_SENTENCE: Final = re.compile(
    r"(?<=[.!?…？！。][\"'”’)\]])\s+|(?<=[^\d\s][.!?…？！。])\s+|(?<=\d[!?])\s+|(?<=[？！。])"
)
"""Between two sentences: a number with a dot ends none ("4. Dezember")."""
_PLEASANTRY: Final = re.compile(
    r"\b(?:how (?:are|is|have) (?:you|things|everything|it going|life|the family)|how['’]?s it going|how do you do"
    r"|hope (?:you|this|all)|wie geht['’]?s|wie geht es (?:dir|ihnen|euch)|alles (?:gut|klar)|what['’]?s up)\b",
    re.IGNORECASE,
)
_HYPHENS: Final = re.compile(r"^--$", re.MULTILINE)
_HIDDEN: Final = "\u2060"
_FEW: Final = 3  # words that are no answer while others stand below what looks like an older mail
_RUN: Final = re.compile(r"([ \t>*_=.-])\1{40,}")
_TAKEN_AWAY: Final = (
    *("--", "__", "-_", "_-", "original message"),
    *("wrote:", "schrieb", "écrit", "escribió:", "scritto:", "schreef:"),
    *("sent from my", "get outlook for", "gesendet von", "envoyé depuis", "enviado desde", "inviato da", "verzonden"),
    *("regards", "thanks,", "thank you,", "best,", "all the best", "freundlichen gr", "gruß", "gruss"),
    *("grüß", "grüss", "grueß", "gruess", "cordialement", "salutations", "bonne r", "bonne journ"),
    *("saludo", "atentamente", "gracias,", "cordialmente", "cordiali saluti"),
    *("vriendelijke groet", "hartelijke groeten", "bedankt,", "dank u,"),
)
"""A text from which the library takes a signature, a line above a quotation or the like has at least one of these."""
_FIELD: Final = re.compile(r"\n[>* ]*[^\W\d_]{0,14} {0,2}:")
"""A line that may be a header of quoted mail, of which the library wants two."""
_FOLDED: Final = str.maketrans({"İ": "i", "ı": "i", "ſ": "s", "\u212a": "k"})
"""What a pattern that ignores case takes for the letter of a word, and ``lower`` does not."""


def latest_reply(text: str) -> str:
    """Return the newest part of ``text``; all of it if nothing would be left otherwise.

    A mail that another is sent on with, without a word, is that other mail.
    """
    own, forwarded = _own_lines(text)
    if forwarded:
        return own
    short = own[:MAX_CHARACTERS]
    lines = short.split("\n")
    fits = (
        len(own) <= MAX_CHARACTERS
        and len(lines) <= MAX_LINES
        and all(len(line) <= MAX_LINE for line in lines)
        and sum(bool(_MARK.match(line)) for line in lines) <= MAX_MARKS
    )
    trimmed = _trimmed(_RUN.sub(r"\1\1\1", own)) if fits else own
    return trimmed.strip() or own.strip() or text.strip()


def telling_lines(text: str) -> list[str]:
    """Return the lines of ``text``, without empty ones, from the first that says something.

    A bare salutation at the beginning is skipped, unless there is nothing else.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and len(lines[0]) <= 80 and _SALUTATION.fullmatch(lines[0]):
        return lines[1:]
    return lines


def asks_something(text: str) -> bool:
    """Check whether a line of ``text``, the new part of a mail, ends a sentence with a question mark."""
    lines = text[: MAX_CHARACTERS * 4].splitlines()
    return any(_QUESTION.search(line) for line in lines if "?" in line or "？" in line)


def sentences(text: str) -> list[str]:
    """Return the sentences of ``text``, the new part of a mail, each in one line: wrapped lines are joined.

    A bare salutation at the beginning does not count.
    """
    lines = telling_lines(text[:MAX_CHARACTERS])[:1]
    start = text.find(lines[0]) if lines else 0
    found = []
    for paragraph in _PARAGRAPH.split(text[max(0, start) : MAX_CHARACTERS]):
        found += [one.strip() for one in _SENTENCE.split(" ".join(paragraph.split())) if one.strip()]
    return found


def question_in(text: str) -> str:
    """Return the first sentence of ``text`` that asks something; empty if there is none.

    A pleasantry ("How are you?") counts only if it is the only question.
    """
    asked = [one for one in sentences(text) if _QUESTION.search(one)]
    return next((one for one in asked if not _PLEASANTRY.search(one)), next(iter(asked), ""))


def _own_lines(text: str) -> tuple[str, bool]:
    """Return ``text`` without quoted lines, signature and older mails, and whether it only sends one of them on.

    The line above a quotation goes with it, and what stands below the quotation stays. Older mail that is not quoted
    is the end.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    kept: list[str] = []
    at, said, forwarded = 0, False, False
    above_one = may_be_above(lines)
    while at < len(lines):
        line = lines[at]
        bare = line.strip()
        if line == "-- ":
            break
        if bare.startswith(">"):
            at += 1
            continue
        if at in above_one and (above := attribution(lines, at)):
            if said and not quoted_after(lines, at + above):
                break
            at += above
            continue
        if bare and not forwarded and (separator(lines, at) or headers_at(lines, at)):
            if said:
                break
            forwarded = not is_rule(bare)
            if separator(lines, at):
                at += 1
                continue
        kept.append(line.rstrip())
        said = said or bool(bare)
        at += 1
    return "\n".join(kept).strip(), forwarded


def _trimmed(text: str) -> str:
    bare = "\n".join(map(str.strip, text.split("\n")))  # as the library leaves it
    return _by_library(text) if _may_be_shorter(bare) else bare


def _may_be_shorter(text: str) -> bool:
    """Check whether the library could take anything from ``text``: asking it costs more than all else of a mail."""
    folded = text.translate(_FOLDED).lower() if not text.isascii() else text.lower()
    if any(sign in folded for sign in _TAKEN_AWAY) or ("mail" in folded and "disclaimer" in folded):
        return True
    return ":" in folded and ("mail" in folded or len(_FIELD.findall(f"\n{text}")) > 1)


def _by_library(text: str) -> str:
    from mailparser_reply.parser import EmailMessage

    if not text.strip():
        return ""
    try:
        hidden = _HYPHENS.sub(f"{_HIDDEN}--", text)  # two hyphens are a signature's mark only before a space
        message = EmailMessage(text=hidden, languages=list(LANGUAGES), keep_hyphen_lists=True).read()
        found = str(message.replies[0].body).replace(_HIDDEN, "") if message.replies else ""
        return text if len(message.replies) > 1 and len(found.split()) < _FEW else found
    except Exception:  # the library failed on odd text: the caller has the untrimmed one
        return ""
