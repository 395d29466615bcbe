"""The user's words, verbatim, after the messages themselves have left the prompt.

A paraphrasing summary loses the wish of three weeks ago ("never mail before nine"). So code keeps the words the user
typed beside it: those that sound like a lasting wish the longest, the others newest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from pepper_tui.text import one_line

_MESSAGE: Final = re.compile(r'<user_msg id="[^"]*" at="(?:\w{3} )?(?P<at>[^"]*)">(?P<body>.*)</user_msg>', re.DOTALL)
"""A message with typed words in it; one that was pasted or piped as a whole says so in its tag."""
_QUOTED: Final = re.compile(r'<quoted from="[^"]*">.*?</quoted>', re.DOTALL)
_ONE: Final = 500  # characters kept per message
_STANDING: Final = re.compile(
    r"\b(?:always|never|from now on|in future|going forward|whenever|every (?:time|day|week|month|morning|evening)|"
    r"don['’]?t|do not|stop|prefer|rather|remember|promise|call me|my name|i am|i['’]m|"
    r"immer|nie|niemals|ab jetzt|ab sofort|künftig|in zukunft|jedes mal|jeden|nicht mehr|kein\w* mehr|lieber|merk|"
    r"ich bin|ich heiße|nenn mich)\b",
    re.IGNORECASE,
)
"""Words of possibly lasting wishes. It errs on the broad side: a kept order costs a line, a lost wish costs trust."""


def said_in(entries: Iterable[str]) -> list[str]:
    """Return the typed words of each ``<user_msg>`` among rendered ``entries``, with their time, one line each."""
    lines = []
    for entry in entries:
        found = _MESSAGE.fullmatch(entry)
        words = one_line(_QUOTED.sub("[quoted]", found["body"]), _ONE) if found else ""
        if found and words.replace("[quoted]", "").strip():
            lines.append(f"{found['at'][:16].replace('T', ' ')}: {words}")
    return lines


def kept(lines: Sequence[str], room: int) -> tuple[str, ...]:
    """Return those of ``lines`` (oldest first) that are kept within ``room`` characters, in their order."""
    by_weight = [*(n for n in _newest(lines) if _STANDING.search(lines[n])), *_newest(lines)]
    chosen: set[int] = set()
    for number in dict.fromkeys(by_weight):
        room -= len(lines[number]) + 3
        if room < 0:
            break
        chosen.add(number)
    return tuple(line for number, line in enumerate(lines) if number in chosen)


def _newest(lines: Sequence[str]) -> range:
    return range(len(lines) - 1, -1, -1)
