"""The fact ``question``: somebody to whom the user has written, or a VIP, asks the user something."""

from __future__ import annotations

import re
from typing import Final

from pepper_tui.domains.mail.content.reply_text import sentences
from pepper_tui.domains.mail.facts.looked import Found, Looked
from pepper_tui.text import one_line

_MARK: Final = re.compile(r"\w[\"'”’)\]]?\s?[?？](?:[\"'”’)\]!?]*$)")
_UNMARKED: Final = re.compile(
    r"^(?:(?:and|und|et|y|also|please|bitte|hi|hallo)\W+)?(?:"
    r"(?:can|could|would|will) (?:you|we) (?:please )?\w+|do you (?:have|know|want|think|need|still)\b"
    r"|k[aö]nn(?:st|test|en|ten|t|tet)? (?:du|sie|ihr|wir)\b|hast du\b|haben sie\b"
    r"|(?:peux|pourrais)[- ]tu\b|(?:pouvez|pourriez|avez)[- ]vous\b|est-ce que\b"
    r"|¿|(?:puedes|podrías|podría usted|puede usted|podéis|tienes)\b)",
    re.IGNORECASE,
)
"""The beginning of a question, also where its mark is forgotten."""
_IDLE: Final = re.compile(
    r"\b(?:how (?:are|is|have|was) (?:you|things|everything|it|your|the)\b"
    r"|how['’]?s (?:it going|everything|life|the family)|how do you do|what['’]?s up|guess what|why not|who knows"
    r"|wie geht['’]?s|wie geht es (?:dir|ihnen|euch)|alles (?:gut|klar)"
    r"|comment (?:vas[- ]tu|allez[- ]vous|ça va)|ça va|qué tal|c[oó]mo est[aá]s?|todo bien|c[oó]mo va)"
    r"|^(?:i )?(?:hope|trust|ich hoffe|hoffe|j['’]espère|espero)\b"
    r"|^\W*(?:any|more|further|noch|weitere|des|d['’]autres|alguna|más|otras)?\W*"
    r"(?:questions?|fragen|preguntas?|doubts?|dudas?)(?: (?:or|oder|ou|o) \w+)?\s?\?",
    re.IGNORECASE,
)
"""A pleasantry, or an offer to be asked: nothing to answer."""
_TOLD: Final = re.compile(r"[\"“„«‘'][^\"”“»’']{1,200}[?？][\"”“»’']")
"""A question that is only quoted in a sentence."""


def asked(text: str) -> str:
    """Return the first sentence of ``text`` that asks something; pleasantries ask nothing. Empty if there is none."""
    for one in sentences(text):
        words = _TOLD.sub("", one[:600])
        if (_MARK.search(words) or (_UNMARKED.match(words) and not words.endswith(("!", ":")))) and not _IDLE.search(
            words
        ):
            return one_line(one, 300)
    return ""


def question(mail: Looked) -> Found | None:
    if not mail.known or not mail.by_a_person or not mail.to_me:
        return None
    said = asked(mail.text)
    return Found("question", f"{mail.who}, whom you know, asks you something", said) if said else None
