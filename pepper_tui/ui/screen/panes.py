"""Which panes are shown and which has the focus: all of them if they fit, else one at a time, by tabs.

Closing a detail, a form or a prompt restores the focus: it never goes to the inbox when the user was typing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.screen import Screen
from textual.widget import Widget

from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.chat.transcript import Transcript
from pepper_tui.ui.screen.filtering import Narrowed
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.screen.status import PANES, TabStrip

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

OPENED: Final = {
    "effects": "effects",
    "rules": "rules",
    "mail": "mail-pane",
    "connections": "connections",
    "agenda": "agenda",
}
"""Ids of the lists that are opened in place of the conversation, and of what each is in."""
NARROW: Final = (100, 28)
"""Columns and lines below which the panes become tabs."""


class Panes:
    """The layout of the screen and the navigation in it."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._tab = "chat"
        self._origin = ""
        self._returning = ""  # where the focus is on its way back to

    @property
    def _screen(self) -> Screen[object]:
        return self._app.screen_stack[0]

    def fit(self, width: int, height: int) -> None:
        self._show(self._tab, narrow=width < NARROW[0] or height < NARROW[1])

    @property
    def narrow(self) -> bool:
        return self._screen.has_class("narrow")

    def show(self, tab: str) -> None:
        """Bring ``tab`` to the front if there is room for only one."""
        self._show(tab, narrow=self.narrow)

    def _show(self, tab: str, *, narrow: bool) -> None:
        self._tab = tab
        self._screen.update_classes(  # at once: each change is a new style for all that is on the screen
            {
                "narrow": narrow,
                "chat": tab == "chat",
                "side": tab != "chat",
                "mailing": tab == "chat" and bool(self._views("mail-pane")),
                **{f"show-{pane}": tab == pane for pane in PANES[1:]},
            }
        )
        self._app.query_one(TabStrip).shown = tab

    def go(self, pane: str) -> None:
        """Show ``pane``, or a list opened in place of the conversation, and focus it."""
        self._returning = ""
        self.show("chat" if pane in OPENED else pane)
        if pane == "chat":
            self._app.reading.close()
            self.leave_opened()
        elif pane in OPENED:
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

    def settle(self) -> None:
        """Give the conversation's place to what was opened there: a form, something to read, the effects."""
        app = self._app
        above = app.query_one(DetailView).display or any(not form.has_class("gone") for form in app.query("#form"))
        opened = [view for place in OPENED.values() for view in self._views(place)]
        for view in opened:
            view.display = not above
        app.query_one(Transcript).display = not above and not opened
        self._screen.set_class(self._tab == "chat" and bool(self._views("mail-pane")), "mailing")

    def _views(self, place: str) -> list[Widget]:
        """Return what is open there."""
        return [view for view in self._app.query(f"#{place}") if not view.has_class("gone")]

    def leave_opened(self, but: str = "") -> None:
        """Close the lists in the conversation's place, except ``but``; the focus does not move."""
        app = self._app
        if but != "effects" and app.query("#effects"):
            app.audit.leave()
        if but != "rules" and app.query("#rules"):
            app.rules.leave()
        if but != "mail" and app.query("#mail-pane"):
            app.mail.leave()
        if but != "connections" and app.query("#connections"):
            app.connections.leave()
        if but != "agenda" and app.query("#agenda"):
            app.agenda.leave()

    def toggle_inbox(self) -> None:
        if isinstance(self._app.focused, Inbox):
            self.to_composer()
        else:
            self.go("inbox")

    def to_composer(self) -> None:
        """Focus the composer, with the conversation beside it."""
        self._app.query_one(Composer).focus()
        self.show("chat")

    def scroll_chat(self, by: int) -> None:
        self._app.query_one(Transcript).action_page(by)

    def note_origin(self) -> None:
        """Remember the focus, before something is opened."""
        if not _opened(self._app.focused):
            self._origin = (self._app.focused.id or "") if isinstance(self._app.focused, Narrowed) else ""
            self._origin = "mail" if _in_mail(self._app.focused) else self._origin
            self._app.query_one(Inbox).keep(self._origin == "inbox")

    def back(self) -> None:
        """Restore the focus to where it was."""
        if self._origin and self._app.query(f"#{self._origin}"):
            if self._origin == "inbox":
                self._app.query_one(Inbox).expect_keys()
            self.go(self._origin)
            self._returning = self._origin
        else:
            self._app.query_one(Composer).focus()

    def focus_moved(self) -> None:
        """End filters once the focus has left their list, except for something opened from it."""
        self._app.call_after_refresh(self._end_filters)

    def _end_filters(self) -> None:
        focused = self._app.focused
        if focused is not None and (focused.id == self._returning or (self._returning == "mail" and _in_mail(focused))):
            self._returning = ""
        if focused is not None and not _opened(focused) and not self._returning:
            for pane in self._app.query(Narrowed):
                if pane is not focused and not (pane.id == "mail" and _in_mail(focused)):
                    pane.show_all()


def _in_mail(widget: Widget | None) -> bool:
    return widget is not None and any(node.id == "mail-pane" for node in widget.ancestors_with_self)


def _opened(widget: Widget | None) -> bool:
    """Check whether ``widget`` is something that was opened: a detail, a form, a prompt, or a field in one."""
    return widget is not None and any(node.id in ("detail", "prompt", "form") for node in widget.ancestors_with_self)
