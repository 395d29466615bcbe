"""What no terminal, prompt or log may get. Made of Unicode's own properties, apart from the table that Pepper uses."""

from __future__ import annotations

import re
from typing import Final

import regex

_EMOJI: Final = r"\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|[\ufe0e\ufe0f])?"
_NEEDED: Final = regex.compile(
    rf"{_EMOJI}(?:\u200d{_EMOJI})+|\p{{Extended_Pictographic}}[\ufe0e\ufe0f]"
    r"|[0-9#*]\ufe0f\u20e3|(?<=[\p{L}\p{M}])[\u200c\u200d](?=[\p{L}\p{M}])",
    regex.V1,
)
"""Joiners and selectors where a script or an emoji has them."""
_UNSEEN: Final = regex.compile(
    r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u2800\u115f\u1160\u3164\uffa0--[\n\t]]"
    r"|\p{M}{6,}",
    regex.V1,
)
SEQUENCE: Final = re.compile(r"\x1b\[[0-9;:?<>=]*[ -/]*[@-~]")
"""CSI: what a screen moves and colours by."""


def unseen(text: str) -> list[str]:
    """The characters of ``text`` that draw nothing, draw elsewhere, or are obeyed, as code points."""
    return [f"U+{ord(match[0][0]):04X}" for match in _UNSEEN.finditer(_NEEDED.sub("", text.replace("\r\n", "\n")))]


def squeezed(text: str) -> str:
    """``text`` without white space and the bars of a card: how it is compared with what was drawn."""
    return re.sub(r"[\s│]+", "", text)
