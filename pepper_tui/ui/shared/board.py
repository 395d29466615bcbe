"""What the screen shows, as plain state: a pure projection of contexts, without any widget or I/O.

A context counts once a version; the order of arrival does not matter, so a recalled state and the live updates
may overlap. Text is kept raw here and cleaned where it is drawn.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.model import CALL_OPEN, CallState, Context, ContextUpdate, FollowUp, Health, Signal, ToolCall, WorkerRun
from pepper_tui.ui.shared.keeping import MESSAGES_KEPT, RUN_ENDED, SIGNALS_KEPT, trim
from pepper_tui.ui.shared.matters import (
    RECEIPT_STAYS,
    InboxItem,
    deferred_count,
    deferred_words,
    inbox_items,
    is_receipt,
    sending,
)
from pepper_tui.ui.shared.records import Message, Pane, Records
from pepper_tui.ui.shared.taking import take

FADE: Final = 60.0
FADE_FAILED: Final = 600.0
"""Seconds for which an ended call stays listed."""


@dataclass(slots=True)
class Board(Records):
    """The screen's state. ``apply`` feeds it; the readers below never change it."""

    kept: int = MESSAGES_KEPT
    older: bool = False
    """Whether there are messages before those of the conversation, in the store."""
    receipts_read: float = 0.0
    """Until when receipts have been read: a key moved then."""

    # ---------------------------------------------------------------------------------------------- feeding

    def held_so_far(self, since: float, count: int, seq: int) -> None:
        """What the store counts as held back since then, up to ``seq`` of the log."""
        self.held.begin(since, count, seq)

    def recalled(self, contexts: Iterable[Context]) -> set[Pane]:
        """Take in contexts as they stand."""
        return self.apply(ContextUpdate(context.seq, context) for context in contexts)

    def apply(self, updates: Iterable[ContextUpdate]) -> set[Pane]:
        """Take in updates; returns the panes that may look different now. A record of a form that this version
        does not know is passed over."""
        changed: set[Pane] = set()
        for update in updates:
            context = update.context
            name = (context.namespace, context.context_id)
            known = self.versions.get(name, 0)
            if context.version < known or (context.version == known and not update.deleted):
                continue
            self.versions[name] = context.version
            self.versions.move_to_end(name)
            try:
                changed |= take(self, context, update.deleted)
            except (TypeError, ValueError, KeyError):
                continue
        self.older = trim(self, self.kept) or self.older
        return changed

    # ---------------------------------------------------------------------------------------------- reading

    def conversation(self) -> list[Message]:
        """The messages by time. One that waits for open calls is ``queued``."""
        ordered = sorted(self.messages.values(), key=lambda m: (m.at, m.id))
        return [
            Message(m.id, m.speaker, m.text, m.at, queued=True) if m.speaker == "you" and self._waits(m.id) else m
            for m in ordered
        ]

    def _waits(self, message_id: str) -> bool:
        return any(self.calls[c].state in CALL_OPEN for c in self.after.get(message_id, ()) if c in self.calls)

    def inbox(self, now: float) -> list[InboxItem]:
        """What waits for the user and is not snoozed, most pressing first, and what is being sent."""
        return inbox_items(
            self.approvals,
            self.notifications.values(),
            self.calls,
            self.follow_ups.values(),
            self.reminders.values(),
            self.acts.values(),
            now,
            self.receipts_read,
        )

    def deferred(self) -> str:
        """What has been put off, in words; empty where nothing is."""
        return deferred_words(self.acts.values(), self.calls.values())

    def deferred_count(self) -> int:
        return deferred_count(self.acts.values(), self.calls.values())

    def next_wake(self, now: float) -> float | None:
        """When the inbox changes by itself: a snoozed card is due back, a window counts down, a receipt fades."""
        times = [a.snoozed_until for a in self.approvals.values() if a.snoozed_until is not None]
        receipts = [c.ended_at or 0.0 for c in self.calls.values() if is_receipt(c)]
        times += [at + RECEIPT_STAYS for at in receipts if at > self.receipts_read]
        if any(sending(a, self.calls) and (a.acts_at or 0.0) > now for a in self.approvals.values()):
            times.append(now + 1.0)
        return min((t for t in times if t > now), default=None)

    def newest_signals(self) -> list[Signal]:
        return list(itertools.islice(reversed(self.signals.values()), SIGNALS_KEPT))

    def listed_calls(self, now: float) -> list[ToolCall]:
        """Open calls that are not deferred, oldest first; then those that ended lately, newest first."""
        running = sorted(
            (c for c in self.calls.values() if c.open and not c.deferred), key=lambda c: (c.created_at, c.id)
        )
        ended = sorted(
            (c for c in self.calls.values() if not c.open and _fades_at(c) > now),
            key=lambda c: (-(c.ended_at or c.created_at), c.id),
        )
        return running + ended

    def in_window(self) -> set[str]:
        """The calls that were approved and have still to happen."""
        return {a.call for a in self.approvals.values() if sending(a, self.calls)}

    def deferred_calls(self) -> dict[str, list[ToolCall]]:
        """Calls that are put off, by the reason, oldest first."""
        found: dict[str, list[ToolCall]] = {}
        for call in sorted(self.calls.values(), key=lambda c: (c.created_at, c.id)):
            if call.open and call.deferred:
                found.setdefault(call.deferred, []).append(call)
        return found

    def awaited(self) -> list[FollowUp]:
        """The answers that are waited for, the next to fall due first."""
        return sorted(self.follow_ups.values(), key=lambda f: (f.due, f.id))

    def next_fade(self, now: float) -> float | None:
        """When the next ended call leaves the list, if any."""
        times = (_fades_at(c) for c in self.calls.values() if not c.open)
        return min((t for t in times if t > now), default=None)

    def running_calls(self) -> list[ToolCall]:
        """Calls whose clock goes on."""
        going = (CallState.SCHEDULED, CallState.ATTEMPTED)
        return [c for c in self.calls.values() if c.state in going and not c.deferred]

    def listed_runs(self) -> list[WorkerRun]:
        """Runs that are not over, oldest first; then the others, newest first."""
        running = sorted(
            (r for r in self.runs.values() if r.state not in RUN_ENDED), key=lambda r: (r.created_at, r.id)
        )
        ended = sorted((r for r in self.runs.values() if r.state in RUN_ENDED), key=lambda r: (-r.created_at, r.id))
        return running + ended

    def spent_today(self, now: float, zone: tzinfo) -> float:
        """What model calls have cost since local midnight."""
        start = midnight(now, zone)
        return self.costs.since(start)

    def held_today(self, now: float, zone: tzinfo) -> int:
        """How many things Pepper noticed or thought today and did not tell."""
        start = midnight(now, zone)
        return int(self.held.since(start))

    def troubles(self) -> list[Health]:
        """Parts that do not work, oldest trouble first; before them all the store, without which no other can tell."""
        bad = (h for h in self.health.values() if h.state in ("trouble", "stopped"))
        return sorted(bad, key=lambda h: (h.part != "store", h.at))


def _fades_at(call: ToolCall) -> float:
    return (call.ended_at or call.created_at) + (FADE_FAILED if call.state is CallState.FAILED else FADE)


def midnight(now: float, zone: tzinfo) -> float:
    """The start of the local day that holds ``now``."""
    return datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
