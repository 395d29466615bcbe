"""Jumping: one key shows each pane's number and a label on each row in view; the next key goes there.

Only that one key is taken, and it decides nothing. Nothing moves on the screen: labels use the rows' indent.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from textual import events

from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.filtering import Narrowed
from pepper_tui.ui.screen.status import PANES, TabStrip

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

LETTERS: Final = "asdfghjklqwertyuiopzxcvbnm"
"""Label letters in the order of use: the home row first."""
_WORDS: Final = "Jump: a label, or 1 to 5; 0 to type"


def labels_for(count: int) -> list[str]:
    """Return ``count`` labels, none a prefix of another: single letters if these suffice, else two letters each."""
    if count <= len(LETTERS):
        return list(LETTERS[:count])
    return ["".join(pair) for pair in itertools.islice(itertools.product(LETTERS, repeat=2), count)]


class Jump:
    """The labels while they are shown."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._targets: dict[str, tuple[Narrowed, str]] = {}
        self._pressed = ""

    def begin(self) -> None:
        """Show the labels, or hide them if they are shown."""
        if self._app.jumping:
            self._end("")
            return
        app = self._app
        if app.asking.open:
            app.say_words("Save or leave what is open first")
            return
        panes = list(app.query(Narrowed))
        rows = [(pane, row) for pane in panes for row in pane.rows_in_view()]
        labels = labels_for(len(rows))
        self._targets = dict(zip(labels, rows, strict=True))
        for pane in panes:
            mine = {row: label for label, (owner, row) in self._targets.items() if owner is pane}
            number = str(PANES.index(pane.id) + 1) if pane.id in PANES else ""
            pane.label({"": number, **mine})
        app.query_one(TabStrip).numbered = True
        app.jumping, self._pressed = True, ""
        app.say_words(_WORDS, stay=True)

    def take(self, event: events.Key) -> None:
        """Handle a key while the labels are shown."""
        key = event.character or ""
        if key == "0":
            self._end("")
            self._app.panes.to_composer()
        elif key.isdigit() and 0 < int(key) <= len(PANES):
            self._end("")
            self._app.panes.go(PANES[int(key) - 1])
        elif (label := self._pressed + key.lower()) in self._targets and key:
            pane, row = self._targets[label]
            self._end("")
            pane.select(row)
            self._app.panes.go(pane.id or "")
        elif key and any(each.startswith(label) for each in self._targets):
            self._pressed = label
        else:
            self._end("" if event.key in ("escape", "ctrl+o") else "No such label")

    def _end(self, words: str) -> None:
        self._app.jumping, self._targets = False, {}
        for pane in self._app.query(Narrowed):
            pane.label({})
        self._app.query_one(TabStrip).numbered = False
        self._app.query_one(Composer).refresh()
        self._app.say_words(words)
