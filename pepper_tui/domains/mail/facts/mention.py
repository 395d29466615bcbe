"""The fact ``mention``: a mail on a list names the user, or gives the user's address.

Only a list on which people write counts: a newsletter greets everybody by name. A first name alone counts where
somebody is spoken to by it, and nobody else of that name is in sight.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from pepper_tui.domains.mail.content.reply_text import sentences
from pepper_tui.domains.mail.facts.looked import Found, Looked
from pepper_tui.text import one_line

_LOOKED: Final = 20_000  # characters of a mail in which another of the same name is looked for
_NAME: Final = r"[^\W\d_]"


def mention(mail: Looked) -> Found | None:
    post = str(mail.raw["list_headers"].get("list-post", "")).strip().lower()
    if not post or post.startswith("no") or not mail.facts.is_list or _of_a_forge(mail):
        return None
    said = next(filter(None, map(_named(mail.me, tuple(sorted(mail.own))), sentences(mail.text))), "")
    if not said:
        return None
    if said.startswith("?") and _another(mail):
        return None
    return Found("mention", f"{mail.who} names you on a mailing list", one_line(said.removeprefix("?"), 300))


def _of_a_forge(mail: Looked) -> bool:
    return any(name.startswith(("x-github", "x-gitlab", "x-gitea", "x-forgejo")) for name in mail.raw["list_headers"])


@lru_cache(maxsize=8)
def _named(me: str, own: tuple[str, ...]) -> _Names:
    return _Names(me, own)


class _Names:
    """Finds the user in a sentence. A sentence that only speaks to a first name comes back with ``?`` before it."""

    def __init__(self, me: str, own: tuple[str, ...]) -> None:
        words = [re.escape(word) for word in me.split()]
        whole = [r"\s+".join(words)] if len(words) > 1 else []
        certain = [*whole, *map(re.escape, own)]
        self._certain = (
            re.compile(rf"(?<![\w.@+-])(?:{'|'.join(certain)})(?![\w@-])", re.IGNORECASE) if certain else None
        )
        first = words[0] if words else ""
        self._spoken_to = (
            re.compile(rf"(?:^|[\s(])@{first}\b|^{first}\s*[,:]\s*\S|[,;] {first}[.?!]*$") if first else None
        )

    def __call__(self, sentence: str) -> str:
        if self._certain is not None and self._certain.search(sentence):
            return sentence
        if self._spoken_to is not None and self._spoken_to.search(sentence):
            return f"?{sentence}"
        return ""


def _another(mail: Looked) -> bool:
    """Check whether somebody else with the user's first name is in sight: in the text, or among the addressees."""
    first, *rest = mail.me.split()
    other = re.compile(rf"\b{re.escape(first)}\s+({_NAME}{{2,40}})")
    people = [mail.raw["sender"], *mail.raw["to"], *mail.raw["cc"]]
    text = "\n".join([str(mail.raw["text"])[:_LOOKED], *(str(one["name"]) for one in people)])
    mine = {each.casefold() for each in rest}
    return any(match[1][0].isupper() and match[1].casefold() not in mine for match in other.finditer(text))
