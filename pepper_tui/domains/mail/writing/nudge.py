"""The words of a nudge: a short reminder of a mail that nobody answered, in the language of what it asked.

The user's own words for it, a template ``nudge`` in ``[mail.templates]``, go first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pepper_tui.model import FollowUp
from pepper_tui.text import one_line

TEMPLATE: Final = "nudge"
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "en": ("Hi{who},", "may I come back to this? “{said}”\n\nIs there any news?"),
    "de": ("Hallo{who},", "darf ich hieran erinnern? „{said}“\n\nGibt es dazu etwas Neues?"),
    "fr": ("Bonjour{who},", "je me permets de revenir à ceci : « {said} »\n\nY a-t-il du nouveau ?"),
    "es": ("Hola{who}:", "vuelvo sobre esto: «{said}»\n\n¿Hay alguna novedad?"),
    "it": ("Ciao{who},", "torno su questo: «{said}»\n\nCi sono novità?"),
    "nl": ("Hallo{who},", "ik kom hier nog even op terug: “{said}”\n\nIs er al nieuws?"),
}
_SMALL: Final[Mapping[str, str]] = {
    "en": "the you your is are do does did can could would will we i it this that what when how have for",
    "de": "der die das den dem du ihr sie dir ihnen ist sind kannst können könntest hast wir ich es wann wie und mir",
    "fr": "le la les tu vous est sont peux pouvez avez nous je il quand comment est-ce que pour une",
    "es": "el la los las tú usted es son puedes puede tienes nosotros yo cuándo cómo qué para una me",
    "it": "il lo la gli tu lei è sono puoi può hai noi io quando come che per una mi",
    "nl": "de het een jij je u is zijn kun kunt kan heb hebt wij we ik wanneer hoe wat voor mij",
}
_WORDS: Final = {language: frozenset(words.split()) for language, words in _SMALL.items()}


def nudge_text(waits: FollowUp, locale: str, me: str) -> str:
    """Return the text of a nudge about ``waits``; ``me`` is the user's name."""
    said = one_line(waits.said or waits.subject, 300)
    greeting, text = _TEXTS[language_of(said, locale)]
    name = "" if "@" in waits.who else one_line(waits.who, 80).split(" ")[0]
    return "\n\n".join(
        [greeting.format(who=f" {name}" if name else ""), text.replace("{said}", said), *([me] if me else [])]
    )


def language_of(text: str, locale: str) -> str:
    """Return the language that most of the small words in ``text`` are of; that of ``locale`` where they don't tell."""
    own = locale.replace("_", "-").partition("-")[0].lower()
    words = "".join(letter if letter.isalpha() or letter in "-’'" else " " for letter in text.lower()).split()
    counts = {language: sum(word in small for word in words) for language, small in _WORDS.items()}
    best = max(counts.values())
    leading = [language for language, count in counts.items() if count == best]
    if best and len(leading) == 1:
        return leading[0]
    return own if own in (leading if best else _TEXTS) else leading[0] if best else "en"
