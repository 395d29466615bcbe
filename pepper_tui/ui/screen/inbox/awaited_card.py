"""The card that a key has just ordered: it is opened once it is there, or it is said why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pepper_tui.model import CallState

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk


class AwaitedCard:
    """Waits for the card of one call."""

    def __init__(self, app: Desk) -> None:
        self._app = app
        self._call = ""
        self._failed: Callable[[str], None] | None = None

    def expect(self, call: str, failed: Callable[[str], None]) -> None:
        """Open the card of ``call``; ``failed`` gets the reason why there is none."""
        self._call, self._failed = call, failed
        self.look()

    def look(self) -> None:
        """Look whether it is there."""
        app, awaited = self._app, self._call
        if not awaited:
            return
        items = app.board.inbox(app.clock.now())
        item = next((each for each in items if each.approval is not None and each.approval.call == awaited), None)
        call = app.board.calls.get(awaited)
        if item is not None:
            self._call = ""
            app.reading.open_card(item)
        elif call is not None and call.state is CallState.SUCCEEDED:
            self._call = ""
        elif call is not None and call.state is CallState.FAILED:
            self._call = ""
            if self._failed is not None:
                self._failed(call.error)
