"""The bottom line: the last act's words, what is being sent, the first trouble, or progress.

Then the model, the held-back count, the cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from pepper_tui.text import one_line
from pepper_tui.ui.screen.ink import Ink, Pen, strips
from pepper_tui.ui.screen.later import Later
from pepper_tui.ui.shared.keys import names_of

PANES: Final = ("chat", "inbox", "signals", "calls", "workers")
"""Ids of the panes in the order of the tabs."""
WORDS_STAY: Final = 5.0
"""Seconds for which words stay."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Contents of the line. ``ahead``: the next event, and in how long.

    ``words`` are transient; ``bad`` marks them, or the trouble, as such. ``under_way`` is what the user approved and
    may still take back.
    """

    model: str = ""
    offline: bool = False
    words: str = "starting…"
    bad: bool = False
    stay: bool = False
    under_way: str = ""
    trouble: str = ""
    progress: str = ""
    silent: int = 0
    spent: float = 0.0
    inbox: int = 0
    running: int = 0
    ahead: tuple[str, str] = ("", "")


class StatusLine(Widget):
    """The status line: one line."""

    facts: reactive[Facts] = reactive(Facts())

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._clearing = Later(self)

    def say(self, words: str, *, bad: bool = False, stay: bool = False) -> None:
        """Show ``words`` for a while, or to ``stay``; ``bad`` marks trouble."""
        self.facts = replace(self.facts, words=words, bad=bad, stay=stay)
        self._clearing.stop()
        if words and not stay:
            self._clearing.after(WORDS_STAY, lambda: self.say(""))

    def line(self, width: int) -> Text:
        """Return the line at ``width`` cells. Counts give way to words for a while, the least pressing first."""
        ink, facts = Ink.of(self.app.theme_variables), self.facts
        right = Text()
        running = f"running {facts.running}" if facts.running else ""
        helped = f"{names_of(self.app).of('pepper.help')} help" if width >= 70 else ""
        event, left_of_it = facts.ahead
        counts = [f"{one_line(event, 30 if width >= 100 else 16)} {left_of_it}"] if event else []
        counts += [f"inbox {facts.inbox}"] if facts.inbox else []
        counts += [running] if running else []
        counts.append(f"silent {facts.silent}")
        if facts.spent:
            counts.append(f"{facts.spent:.2f} today")
        counts += [helped] if helped else []
        left = Text(" ")
        if facts.model:
            left.append(one_line(facts.model, 30), ink.accent)
            left.append(" offline" if facts.offline and facts.model != "offline" else "", ink.dim)
        if facts.words:
            left.append("  " if facts.model else "")
            left.append(
                ("✗ " if facts.bad else "") + one_line(facts.words, 300), ink.urgent if facts.bad else ink.plain
            )
        elif facts.under_way:
            left.append(f"  {one_line(facts.under_way, 300)}", ink.plain)
        elif facts.trouble:
            left.append("  ✗ " + one_line(facts.trouble, 300), ink.urgent)
        elif facts.progress:
            left.append(f"  {one_line(facts.progress, 100)}", ink.plain)
        said = facts.words or facts.under_way
        kept = (running, helped) if facts.stay or not said else (running,)
        while said and left.cell_len + cell_len(" · ".join(counts)) + 2 > width:
            loose = [count for count in counts if count not in kept]
            if not loose:
                break
            counts.remove(loose[-1])
        right.append(" · ".join(counts), ink.dim)
        return _pen(ink, width - 1).between(left, right)

    def render_line(self, y: int) -> Strip:
        del y
        width, style = self.size.width, self.rich_style
        found = strips([self.line(width)], width)
        return found[0].apply_style(style).adjust_cell_length(width, style)


def _pen(ink: Ink, width: int) -> Pen:
    return Pen(ink, width, UTC, 0.0)


_REVERSE: Final = Style(reverse=True, bold=True)


class TabStrip(Widget):
    """The tabs, shown if the panes do not fit beside each other."""

    labels: reactive[tuple[tuple[str, str], ...]] = reactive(tuple((pane, pane.capitalize()) for pane in PANES))
    shown: reactive[str] = reactive("chat")
    numbered: reactive[bool] = reactive(False)

    def render_line(self, y: int) -> Strip:
        del y
        ink, width, style = Ink.of(self.app.theme_variables), self.size.width, self.rich_style
        line = Text(" ")
        for number, (key, label) in enumerate(self.labels, 1):
            if self.numbered:
                line.append(f"{number}", ink.label)
            line.append(f" {label} ", ink.accent + _REVERSE if key == self.shown else ink.dim)
            line.append(" ")
        hint = Text(f"{names_of(self.app).of('go.next')} next", ink.dim)
        found = strips([_pen(ink, width - 1).between(line, hint)], width)
        return found[0].apply_style(style).adjust_cell_length(width, style)
