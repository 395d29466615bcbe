"""The lists beside the inbox: signals, calls, workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.binding import BindingType

from pepper_tui.model import Priority, Signal
from pepper_tui.ui.screen.lists import rows
from pepper_tui.ui.screen.lists.drawn_rows import Row
from pepper_tui.ui.screen.lists.live_list import LiveList
from pepper_tui.ui.shared.keys import bindings, names_of


class SignalList(LiveList):
    """The signals. Those that were only logged are counted and hidden until ``l``."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("signals")]
    _signals: Sequence[Signal] = ()
    _now = 0.0
    _logged = False
    _made: Mapping[str, tuple[Signal, Row]] = {}  # rows are made once per signal: there may be thousands

    def show_signals(self, signals: Sequence[Signal], now: float) -> None:
        """Replace the signals, newest first."""
        if now // 60 != self._now // 60:
            self._made = {}  # every age may have changed
        self._signals, self._now = signals, now
        told = [s for s in signals if s.priority is not Priority.LOG]
        logged = len(signals) - len(told)
        shown = signals if self._logged else told
        made = {s.id: self._row(s) for s in shown}
        key = names_of(self.app).of("signals.logged")
        self._made = made
        self.show_rows(
            [row for _, row in made.values()],
            count=len(told),
            aside=f"{logged} logged ({key} {'hides' if self._logged else 'shows'})" if logged else "",
        )

    def _row(self, signal: Signal) -> tuple[Signal, Row]:
        found = self._made.get(signal.id)
        return found if found is not None and found[0] is signal else (signal, rows.signal_row(signal, self._now))

    def action_logged(self) -> None:
        if all(signal.priority is not Priority.LOG for signal in self._signals):
            self.post_message(self.Idle("No signal was only logged"))
        self._logged = not self._logged
        self.show_signals(self._signals, self._now)


class CancelList(LiveList):
    """A list whose rows can be cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("calls")]

    class Cancelled(LiveList.Details):
        """Message: ``x`` on a row."""

    def action_cancel(self) -> None:
        if self.has_chosen():
            self.post_message(self.Cancelled(self, self.selected))
