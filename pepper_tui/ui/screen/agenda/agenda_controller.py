"""Opens the agenda, keeps it in step with the engine, and carries out what its keys say."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from pepper_tui.domains.calendar.days.records import DayEntry, DaysPage
from pepper_tui.model import Written
from pepper_tui.text import one_line
from pepper_tui.ui.screen.agenda.agenda_list import AgendaList
from pepper_tui.ui.screen.agenda.agenda_rows import entry_lines
from pepper_tui.ui.screen.inbox.awaited_card import AwaitedCard
from pepper_tui.ui.screen.later import Later
from pepper_tui.ui.screen.reading.opened import Opened

if TYPE_CHECKING:
    from pepper_tui.ui.screen.desk import Desk

SPANS: Final = ("week", "month", "day", "three days")
"""How many days are shown, in the order of the key."""
_DAYS: Final = {"day": 1, "three days": 3, "week": 7}
_TIMES: Final = {
    "only this time": "cancel",
    "this and all later ones": "cancel_following",
    "all its times": "cancel_all",
}
_ANSWERED: Final = {"all its times": False, "only this time": True}
"""What is answered of a series, and whether that is its one day."""
_ANSWERS: Final = frozenset({"accept", "maybe", "decline", "propose"})
_CHANGES: Final = frozenset({"move", "rename"})
_OTHERS: Final = {"reminder": ("forget", "a reminder"), "todo": ("done", "a to-do")}
"""What ``x`` does with what is no event, and what that is called."""
_ASKED: Final = {
    "propose": "Another time for “{}”",
    "move": "Move “{}” to",
    "rename": "The new title of “{}”",
}
SETTLE: Final = 0.3
"""Seconds from a change to the look at the days."""


class Agenda(Opened[AgendaList]):
    """The agenda, in place of the conversation."""

    pane = "agenda"
    kind = AgendaList

    def __init__(self, app: Desk) -> None:
        super().__init__(app)
        self._span = SPANS[0]
        self._first = "today"
        self._page: DaysPage | None = None
        self._card = AwaitedCard(app)
        self._changes, self._turns = Later(app), Later(app)

    def toggle(self) -> None:
        """Open the agenda, go to it, or close it if it has the keys."""
        view = self.list
        if view is not None and self._app.focused is not view:
            self._app.panes.go(self.pane)
        else:
            super().toggle()

    def make(self) -> AgendaList:
        return AgendaList(self._app.pen)

    async def load(self, view: AgendaList | None) -> None:
        page = await self._app.link.ready().days(self._first, self._days(self._first))
        if self._span == "month":
            first = date.fromisoformat(page.first).replace(day=1).isoformat()
            if (page.first, page.days) != (first, self._days(first)):
                page = await self._app.link.ready().days(first, self._days(first))
        self._page = page
        if view is not None:
            view.show_page(page, empty_days=self._span != "month")
            self._wait_for_turn(page)

    def _days(self, first: str) -> int:
        if self._span != "month":
            return _DAYS[self._span]
        try:
            day = date.fromisoformat(first)
        except ValueError:
            return 1
        return calendar.monthrange(day.year, day.month)[1]

    def _wait_for_turn(self, page: DaysPage) -> None:
        """Look again when something of it begins or is over."""
        now = self._app.clock.now()
        turns = [at for each in page.entries for at in (each.start, each.end) if at > now]
        if turns:
            self._turns.after(min(min(turns) - now, 3600.0) + 0.05, self.reload)

    def changed(self) -> None:
        """React to news: something of it may have changed, or the card of an order is there."""
        self._card.look()
        if not self._changes.waits:  # what goes on changing must not put the look off for ever
            self._changes.after(SETTLE, self.reload)

    def reload(self) -> None:
        if self._app.stands:
            super().reload()

    def leave(self) -> None:
        self._changes.stop()
        self._turns.stop()
        super().leave()

    def open_row(self, row: str) -> None:
        """Open one entry in full."""
        view = self.list
        if view is not None and (entry := view.entries.get(row)) is not None:
            names = self._app.key_names
            self._app.reading.open("EVENT", lambda pen: entry_lines(entry, pen, names))

    # ------------------------------------------------------------------------------------------------ what keys say

    def act(self, act: str, row: str) -> None:
        """Do what a key says."""
        app, view = self._app, self.list
        entry = view.entries.get(row) if view is not None else None
        match act:
            case "today" | "earlier" | "later" | "order":
                self._turn(act)
            case "go":
                app.asking.ask("Which day, for example friday, 14 dec, next week", self._go)
            case "new":
                app.asking.answer("New: what and when, for example lunch with Ann friday 12:30", self._ordered("new"))
            case "undo":
                app.link.tell(lambda engine: engine.undo())
            case "redo":
                app.link.tell(lambda engine: engine.redo())
            case _ if entry is not None:
                self._on(act, entry)

    def _turn(self, act: str) -> None:
        """Show other days."""
        if act == "order":
            self._span = SPANS[(SPANS.index(self._span) + 1) % len(SPANS)]
            self._app.say_words(f"Shown: a {self._span}" if self._span != "three days" else "Shown: three days")
        elif act == "today":
            self._first = "today"
        elif self._page is not None:
            first = date.fromisoformat(self._page.first)
            by = self._page.days if act == "later" else -1 if self._span == "month" else -self._page.days
            self._first = (first + timedelta(days=by)).isoformat()
        self.reload()

    def _go(self, words: str) -> None:
        self._app.link.start(self._gone(words))

    async def _gone(self, words: str) -> None:
        page = await self._app.link.ready().days(words, 1)  # raises for words that name no day
        self._first = page.first
        self.reload()

    def _on(self, act: str, entry: DayEntry) -> None:
        app, title = self._app, one_line(entry.title, 40)
        if entry.kind in _OTHERS:
            order, called = _OTHERS[entry.kind]
            if act == "cancel":
                self._order(order, entry, Written(""))
            else:
                app.say_words(f"This is {called}: that key is about events")
        elif act in _ANSWERS and not entry.asks:
            app.say_words("Nobody else asks you to this: it is your own")
        elif act in _CHANGES and entry.asks:
            key = app.key_names.of("agenda.propose")
            app.say_words(f"It is {one_line(entry.organizer, 60)}'s: {key} proposes another time to them")
        elif act in _ANSWERS and act not in _ASKED and entry.repeats:
            app.asking.ask(
                f"Answer “{title}”", lambda said: self._answer(act, said, entry), choices=[*_ANSWERED], numbered=True
            )
        elif act in _ASKED:
            app.asking.answer(_ASKED[act].format(title), self._ordered(act, entry))
        elif act == "cancel" and entry.repeats:
            choices = [*_TIMES]
            app.asking.ask(
                f"Cancel “{title}”", lambda said: self._cancel(said, entry), choices=choices, numbered=True
            )  # fmt: skip
        else:
            self._order(act, entry, Written(""))

    def _answer(self, act: str, said: str, entry: DayEntry) -> None:
        if said in _ANSWERED:
            self._order(act, entry if _ANSWERED[said] else replace(entry, day=""), Written(""))
        else:
            self._app.say_words(f"Nothing is answered: choose one of {', '.join(_ANSWERED)}")

    def _cancel(self, said: str, entry: DayEntry) -> None:
        if act := _TIMES.get(said):
            self._order(act, entry, Written(""))
        else:
            self._app.say_words(f"Nothing is cancelled: choose one of {', '.join(_TIMES)}")

    def _ordered(self, act: str, entry: DayEntry | None = None) -> Callable[[Written], None]:
        return lambda said: self._order(act, entry, said)

    def _order(self, act: str, entry: DayEntry | None, said: Written) -> None:
        self._app.link.start(self._sent(act, entry, said))

    async def _sent(self, act: str, entry: DayEntry | None, said: Written) -> None:
        ref, day = (entry.ref, entry.day) if entry is not None else ("", "")
        if entry is not None and act in _ANSWERS and not entry.repeats:
            day = ""  # there is one time only
        call = await self._app.link.ready().order_event(act, ref, day, said)
        if act != "forget":
            self._app.say_words("Its card comes in a moment. Nothing changes before your yes")
        self._card.expect(call, lambda why: self._app.say_words(f"Not done: {one_line(why, 300)}", bad=True))
