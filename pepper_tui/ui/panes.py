"""Which panes are shown and which has the keys: all of them where there is room, else one at a time, by tabs.

Who leaves a detail, a form or a prompt gets the keys back where they were: never the inbox when the user was typing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.screen import Screen

from pepper_tui.ui.composer import Composer
from pepper_tui.ui.inbox import Inbox
from pepper_tui.ui.status import PANES, TabStrip
from pepper_tui.ui.transcript import Transcript

if TYPE_CHECKING:
    from pepper_tui.ui.app import PepperApp

NARROW: Final = (100, 28)
"""Columns and lines below which the panes become tabs."""


class Panes:
    """The arrangement of the screen and the way about in it."""

    def __init__(self, app: PepperApp) -> None:
        self._app = app
        self._tab = "chat"
        self._from_inbox = False

    @property
    def _screen(self) -> Screen[object]:
        return self._app.screen_stack[0]

    def fit(self, width: int, height: int) -> None:
        self._screen.set_class(width < NARROW[0] or height < NARROW[1], "narrow")
        self.show(self._tab)

    @property
    def narrow(self) -> bool:
        return self._screen.has_class("narrow")

    def show(self, tab: str) -> None:
        """Bring ``tab`` to the front where there is room for one only."""
        self._tab = tab
        self._screen.set_class(tab == "chat", "chat")
        self._screen.set_class(tab != "chat", "side")
        for pane in PANES[1:]:
            self._screen.set_class(tab == pane, f"show-{pane}")
        self._app.query_one(TabStrip).shown = tab

    def go(self, pane: str) -> None:
        """Show ``pane`` and give it the keys."""
        self.show(pane)
        if pane == "chat":
            self._app.reading.close()
        self._app.call_after_refresh(self._app.query_one(f"#{pane}").focus)

    def go_next(self, by: int) -> None:
        focused = self._app.focused
        if self.narrow:
            order, at = PANES, self._tab
        else:
            order = ("composer", *PANES[1:])
            at = focused.id if focused is not None and focused.id in order else "composer"
        to = order[(order.index(at) + by) % len(order)]
        if to in ("composer", "chat"):
            self.to_composer()
        else:
            self.go(to)

    def toggle_inbox(self) -> None:
        if isinstance(self._app.focused, Inbox):
            self.to_composer()
        else:
            self.go("inbox")

    def to_composer(self) -> None:
        """Give the keys to the composer, the conversation beside it."""
        self._app.query_one(Composer).focus()
        self.show("chat")

    def scroll_chat(self, by: int) -> None:
        self._app.query_one(Transcript).action_page(by)

    def note_origin(self) -> None:
        """Keep where the keys are, before something is opened."""
        if self._app.focused is None or self._app.focused.id not in ("detail", "prompt"):
            self._from_inbox = isinstance(self._app.focused, Inbox)
            self._app.query_one(Inbox).keep(self._from_inbox)

    def back(self) -> None:
        """Give the keys back to where they were."""
        if self._from_inbox:
            self.go("inbox")
        else:
            self._app.query_one(Composer).focus()
