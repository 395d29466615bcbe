"""Tool names as models write them: in another case, with a prefix from their training, or misspelt."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from typing import Final

_DRESS: Final = re.compile(r"^(?:functions?|tools?|default_api)[.:/]|:\d+$|<\|.*$")
_NEAR: Final = 3
_LONG: Final = 100  # characters of a name that are compared


def matched(name: str, offered: Collection[str]) -> str:
    """Return which of ``offered`` is ``name``, ignoring case and a prefix like ``functions.``; empty if none."""
    if name in offered:
        return name
    bare = _DRESS.sub("", _DRESS.sub("", name.strip()))
    if bare in offered:
        return bare
    found = [each for each in offered if each.casefold() == bare.casefold()]
    return found[0] if len(found) == 1 else ""


def nearest(name: str, offered: Collection[str]) -> list[str]:
    """Return the few of ``offered`` that ``name`` may have been meant for."""
    by_folded = {each.casefold(): each for each in offered}
    wanted = name.casefold()[:_LONG]
    close = difflib.get_close_matches(wanted, by_folded, _NEAR, 0.65)
    words = {word for word in re.split(r"[^a-z0-9]+", wanted) if len(word) > 3}
    sharing = [each for each in sorted(by_folded) if words & set(re.split(r"[^a-z0-9]+", each))]
    return [by_folded[each] for each in dict.fromkeys([*close, *sharing])][:_NEAR]


def unknown_words(name: str, offered: Collection[str]) -> str:
    """Explain to a model that the tool ``name`` does not exist."""
    near = nearest(name, offered)
    way = f"; perhaps {' or '.join(near)}" if near else "; call only tools that you were given"
    return f"there is no tool named {name[:_LONG]!r}{way}"
