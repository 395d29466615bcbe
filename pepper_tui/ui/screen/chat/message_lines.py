"""One message of the conversation as lines: who speaks and when, then Markdown, or plain text if that takes long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.style import Style
from rich.text import Text
from rich.theme import Theme
from textual.strip import Strip

from pepper_tui.text import clean
from pepper_tui.ui.screen.ink import Pen, finished, strips
from pepper_tui.ui.shared.records import Message

LONGEST: Final = 60_000
"""Maximum characters drawn of one message."""
MOST_LINES: Final = 500
"""Maximum lines drawn of one message: each takes up to a twentieth of a millisecond on the loop."""
MOST_MARKS: Final = 2500
"""Markdown signs in one message, plus five per line, up to which it is drawn as Markdown.

A message with more is drawn as plain text, since Markdown takes up to a sixtieth of a millisecond per sign.
"""
_SIGNS: Final = "*_`[]()!<>&|#~\\"
OLDER: Final = "older"
"""The id, and the speaker, of the line at the top that says that there is more."""
_SPEAKER: Final = {"you": "you", "pepper": "pepper", "trouble": "pepper · trouble"}


@dataclass(frozen=True, slots=True)
class Page:
    """What a message is drawn on: ``width`` cells in a widget of that ``style``. The pen is as wide as its text."""

    pen: Pen
    width: int
    style: Style
    console: Console

    def finished(self, lines: list[Strip]) -> list[Strip]:
        return finished(lines, self.width, self.style)


def message_lines(message: Message, page: Page) -> list[Strip]:
    """Return the message's lines, and an empty one below them."""
    pen, ink = page.pen, page.pen.ink
    if message.speaker == OLDER:
        return page.finished([*strips([Text(message.text, ink.dim)], pen.width), Strip([])])
    tone = {"you": ink.strong, "trouble": ink.urgent}.get(message.speaker, ink.accent)
    head = Text(_SPEAKER[message.speaker], tone)
    if message.queued:
        head.append(" · after the running calls", ink.dim)
    if message.unfinished:
        head.append(" · unfinished", ink.warn)
    lines = strips([pen.between(head, Text(pen.hour(message.at), ink.dim))], pen.width)
    text = clean(message.text, LONGEST)
    if message.speaker == "pepper" and 5 * text.count("\n") + sum(map(text.count, _SIGNS)) <= MOST_MARKS:
        lines += _markdown(text, page)
    else:
        *shown, rest = text.split("\n", MOST_LINES)
        more = f"… {rest.count(chr(10)) + 1} more lines; a copy has them" if len(shown) == MOST_LINES else ""
        plain = "\n".join(shown if more else [*shown, rest])
        lines += strips([Text(plain), *([Text(more, ink.dim)] if more else [])], pen.width)
    return page.finished([*lines, Strip([])])


def _markdown(text: str, page: Page) -> list[Strip]:
    from rich.markdown import Markdown  # takes 60 ms: not before the first frame

    pen, console = page.pen, page.console
    options = console.options.update(width=pen.width, height=None, highlight=False)
    markdown = Markdown(text, hyperlinks=False, code_theme="ansi_dark")
    for token in markdown.parsed:  # an address in angle brackets is shown once, not as text and as a link
        token.children = [part for part in token.children or () if part.markup != "autolink"]
    with console.use_theme(Theme({"markdown.code": pen.ink.accent, "markdown.link": pen.ink.accent})):
        drawn = console.render_lines(markdown, options, pad=False)
    return [Strip(line) for line in drawn]
