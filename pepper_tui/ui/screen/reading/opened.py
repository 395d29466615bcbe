"""A list opened in the conversation's place: the effects, the rules. Esc closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.message import Message

from pepper_tui.ui.screen.desk import BUSY
from pepper_tui.ui.screen.lists.live_list import LiveList

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk


class OpenedList(LiveList):
    """The list itself."""

    class Closed(Message):
        """Esc: the reader is done."""

    def action_back(self) -> None:
        if self.filtering:
            self.show_all()
        else:
            self.post_message(self.Closed())


L = TypeVar("L", bound=OpenedList)


class Opened(Generic[L]):
    """Opens and closes one kind of list, and keeps it in step with the engine."""

    pane: ClassVar[str]
    """The list's id."""
    kind: ClassVar[type[OpenedList]]

    def __init__(self, app: Desk) -> None:
        self._app = app

    # ------------------------------------------------------------------------------------------ for each kind of list

    def make(self) -> L:
        raise NotImplementedError

    async def load(self, view: L | None) -> None:
        """Fetch the listed records, and show them in ``view`` if given."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------ open and closed

    @property
    def list(self) -> L | None:
        found = (view for view in self._app.query(self.kind) if not view.has_class("gone"))
        return next(found, None)  # type: ignore[return-value]

    def toggle(self) -> None:
        """Open the list, or close it if it is open."""
        if self.list is not None:
            self.close()
        else:
            self._app.link.start(self._open())

    async def _open(self) -> None:
        app = self._app
        await self.load(None)  # opens nothing if loading fails
        if app.asking.open:
            app.say_words(BUSY)
            return
        app.reading.close()
        app.panes.leave_opened(but=self.pane)
        view = self.list
        if view is None:
            view = self.make()
            await app.query_one("#main").mount(view)
            app.panes.settle()
        # before its first layout it would get no width
        view.call_after_refresh(lambda: app.link.start(self.load(view)))
        app.panes.go(self.pane)

    def close(self) -> None:
        """Close the list and return to the conversation."""
        self.leave()
        self._app.panes.to_composer()

    def leave(self) -> None:
        """Close the list without moving the focus."""
        if (view := self.list) is not None:
            view.add_class("gone")
            view.remove()
            self._app.panes.settle()

    def reload(self) -> None:
        """Show what has changed, if the list is open."""
        if (view := self.list) is not None:
            self._app.link.start(self.load(view))
