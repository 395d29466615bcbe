"""The text of a description, which may hold HTML at Google: a few kinds of tags, as its editor makes them.

Text without such tags stays as it is. Where a link leads is kept beside its words. One pass, with every tag bounded.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

_TAG: Final = re.compile(
    r"<(/?)(a|b|br|div|em|h[1-6]|html-blob|i|li|ol|p|span|strong|table|tbody|td|tr|u|ul)\b([^<>]{0,2000})>", re.I
)
_HREF: Final = re.compile(r"""href=["']?([^"'\s<>]{1,2000})""", re.I)
_ENDS: Final = frozenset({"br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p", "tr", "ul"})
"""Tags whose end is the end of a line; of ``br``, its beginning."""
_BLANK: Final = re.compile(r"\n{3,}")


def plain(description: str) -> str:
    """Return a description as text."""
    if not _TAG.search(description):
        return description
    pieces: list[str] = []
    at, leads, begun = 0, "", 0  # where the open link leads, and with which piece its words begin
    for tag in _TAG.finditer(description):
        pieces.append(unescape(description[at : tag.start()]))
        at, closes, name = tag.end(), bool(tag[1]), tag[2].lower()
        if name == "a" and not closes:
            found = _HREF.search(tag[3])
            leads, begun = unescape(found[1]) if found else "", len(pieces)
        elif name == "a" and leads:
            if leads not in "".join(pieces[begun:]):
                pieces.append(f" ({leads})")
            leads = ""
        elif name == "li" and not closes:
            pieces.append("- ")
        elif name in _ENDS and closes != (name == "br"):
            pieces.append("\n")
    pieces.append(unescape(description[at:]))
    return _BLANK.sub("\n\n", "".join(pieces)).strip()
