"""Bursts of keys: they move, and never decide.

A slow line delivers several keys in one read, and a terminal without bracketed paste sends a paste as plain keys, `y`
among them. In a list, keys of a burst that move still do; the others do nothing, and the focus stays where it is. A
burst that reads like pasted words goes into the draft. So a key that decides is held back for a moment too short to
notice, to see whether it comes alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from enum import Enum, auto
from typing import Any, Final

from textual import events
from textual.app import App

from pepper_tui.ui.screen.later import Later

GAP: Final = 0.02
"""Seconds between two keys below which no person has pressed them one after the other."""
WAIT: Final = 0.05
"""Seconds for which a deciding key is held back, and after which a burst is over."""
WORD: Final = 4
"""Minimum letters for a burst with other keys than a list's to count as text."""


class Kind(Enum):
    """What a key does where it is pressed."""

    TYPES = auto()
    """Text in a field, or a key that no paste contains: it always passes."""
    MOVES = auto()
    ACTS = auto()
    """An act that can be left at once, such as showing a detail; passes only alone."""
    DECIDES = auto()
    UNBOUND = auto()


class Bursts:
    """The gate for an app's keys.

    ``kind_of`` returns what a key does now; ``dispatch`` sends one on its way; ``over`` is called for each burst with
    dropped keys, with its text if it reads like a paste.
    """

    def __init__(
        self,
        app: App[Any],
        kind_of: Callable[[events.Key], Kind],
        dispatch: Callable[[events.Key], Awaitable[None]],
        over: Callable[[str], None],
    ) -> None:
        self._app, self._kind_of, self._dispatch, self._over = app, kind_of, dispatch, over
        self._last = 0.0
        self._held: events.Key | None = None
        self._text = ""
        self._strange = self._dropped = False
        self._later = Later(app)

    async def takes(self, event: events.Event) -> bool:
        """Check whether ``event`` is a key from the terminal; if so, dispatch it, now or in a moment, or drop it."""
        if event.is_forwarded:
            return False
        if isinstance(event, events.Key):
            for each in self._taken(event):
                await self._dispatch(each)
            return True
        if isinstance(event, events.Paste):
            self._pasted(event)
        return False

    def _pasted(self, event: events.Paste) -> None:
        """Count a bracketed paste as part of a burst: keys that come with it decide nothing."""
        if self._held is not None:
            self._drop_held()
        self._last = event.time

    def _taken(self, event: events.Key) -> Iterator[events.Key]:
        held, before, self._last = self._held, self._last, event.time
        if held is not None and event.time - held.time >= WAIT:  # the loop was late: each key came alone
            self._held = None
            yield held
            held = None
        fast = event.time - before < GAP
        kind = self._kind_of(event)
        if kind is Kind.TYPES:
            if held is not None:
                self._drop_held()
            yield event
            return
        if not fast and held is None:
            self._text, self._strange, self._dropped = "", False, False
        self._text += "\n" if event.key in ("enter", "ctrl+j") else (event.is_printable and event.character) or ""
        self._strange = self._strange or kind is Kind.UNBOUND
        if held is not None:
            self._drop_held()
        if kind is Kind.MOVES or (not fast and held is None and kind in (Kind.ACTS, Kind.UNBOUND)):
            yield event
        elif fast or held is not None:
            self._dropped = True
        else:
            self._held = event
        if self._held is not None or self._dropped:
            self._after(self._release)

    def _drop_held(self) -> None:
        self._held, self._dropped = None, True
        self._after(self._release)

    def _after(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do ``act`` once no key has come for a moment, and none is being dispatched."""
        self._later.after(WAIT, act, last=True)

    async def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            await self._dispatch(held)
        elif self._dropped:
            letters = len("".join(self._text.split()))
            self._dropped = False
            self._over(self._text if self._strange and letters >= WORD else "")
            self._text = ""
