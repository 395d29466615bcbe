"""The screen's content as plain state: a pure projection of contexts, without any widget or I/O.

A context counts once per version; the order of arrival does not matter, so a recalled state and the live updates may
overlap. Text is kept raw here and cleaned when it is drawn.
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
    COUNTED,
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
    """Whether the store holds messages older than those of the conversation."""
    receipts_read: float = 0.0
    """The time up to which receipts count as read: a key was pressed then."""

    # ---------------------------------------------------------------------------------------------- feeding

    def held_so_far(self, since: float, count: int, seq: int) -> None:
        """Record the store's count of what was held back since then, up to ``seq`` of the log."""
        self.held.begin(since, count, seq)

    def recalled(self, contexts: Iterable[Context]) -> set[Pane]:
        """Apply contexts in their present state."""
        return self.apply(ContextUpdate(context.seq, context) for context in contexts)

    def apply(self, updates: Iterable[ContextUpdate]) -> set[Pane]:
        """Apply updates; return the panes that may look different now.

        A record of a form unknown to this version is skipped.
        """
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
        """Return the messages by time. One that waits for open calls is ``queued``."""
        ordered = sorted(self.messages.values(), key=lambda m: (m.at, m.id))
        return [
            Message(m.id, m.speaker, m.text, m.at, queued=True) if m.speaker == "you" and self._waits(m.id) else m
            for m in ordered
        ]

    def _waits(self, message_id: str) -> bool:
        return any(self.calls[c].state in CALL_OPEN for c in self.after.get(message_id, ()) if c in self.calls)

    def inbox(self, now: float) -> list[InboxItem]:
        """Return what waits for the user and is not snoozed, most pressing first, and what is being sent."""
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
        """Return what has been put off, in words; empty if nothing was."""
        return deferred_words(self.acts.values(), self.calls.values())

    def deferred_count(self) -> int:
        return deferred_count(self.acts.values(), self.calls.values())

    def next_wake(self, now: float) -> float | None:
        """Return when the inbox next changes by itself: a snooze ends, a window counts down, a receipt fades."""
        times = [a.snoozed_until for a in self.approvals.values() if a.snoozed_until is not None]
        receipts = [c.ended_at or 0.0 for c in self.calls.values() if is_receipt(c)]
        times += [at + RECEIPT_STAYS for at in receipts if at > self.receipts_read]
        ends = [a.acts_at or 0.0 for a in self.approvals.values() if sending(a, self.calls)]
        times += [max(now + 1.0, end - COUNTED) for end in ends if end > now]
        return min((t for t in times if t > now), default=None)

    def newest_signals(self) -> list[Signal]:
        return list(itertools.islice(reversed(self.signals.values()), SIGNALS_KEPT))

    def listed_calls(self, now: float) -> list[ToolCall]:
        """Return open calls that are not deferred, oldest first; then those that ended lately, newest first."""
        running = sorted(
            (c for c in self.calls.values() if c.open and not c.deferred), key=lambda c: (c.created_at, c.id)
        )
        ended = sorted(
            (c for c in self.calls.values() if not c.open and _fades_at(c) > now),
            key=lambda c: (-(c.ended_at or c.created_at), c.id),
        )
        return running + ended

    def in_window(self) -> set[str]:
        """Return the calls that are approved and not yet carried out."""
        return {a.call for a in self.approvals.values() if sending(a, self.calls)}

    def deferred_calls(self) -> dict[str, list[ToolCall]]:
        """Return deferred calls by reason, oldest first."""
        found: dict[str, list[ToolCall]] = {}
        for call in sorted(self.calls.values(), key=lambda c: (c.created_at, c.id)):
            if call.open and call.deferred:
                found.setdefault(call.deferred, []).append(call)
        return found

    def awaited(self) -> list[FollowUp]:
        """Return the open follow-ups, the next to fall due first."""
        return sorted(self.follow_ups.values(), key=lambda f: (f.due, f.id))

    def next_fade(self, now: float) -> float | None:
        """Return when the next ended call leaves the list, if any."""
        times = (_fades_at(c) for c in self.calls.values() if not c.open)
        return min((t for t in times if t > now), default=None)

    def running_calls(self) -> list[ToolCall]:
        """Return the calls whose clock is running."""
        going = (CallState.SCHEDULED, CallState.ATTEMPTED)
        return [c for c in self.calls.values() if c.state in going and not c.deferred]

    def listed_runs(self) -> list[WorkerRun]:
        """Return unfinished runs, oldest first; then the others, newest first."""
        running = sorted(
            (r for r in self.runs.values() if r.state not in RUN_ENDED), key=lambda r: (r.created_at, r.id)
        )
        ended = sorted((r for r in self.runs.values() if r.state in RUN_ENDED), key=lambda r: (-r.created_at, r.id))
        return running + ended

    def spent_today(self, now: float, zone: tzinfo) -> float:
        """Return the cost of model calls since local midnight."""
        start = midnight(now, zone)
        return self.costs.since(start)

    def held_today(self, now: float, zone: tzinfo) -> int:
        """Count what Pepper noticed or thought today and did not tell."""
        start = midnight(now, zone)
        return int(self.held.since(start))

    def troubles(self) -> list[Health]:
        """Return the parts in trouble, oldest first; but the store leads, as without it no other part can report."""
        bad = (h for h in self.health.values() if h.state in ("trouble", "stopped"))
        return sorted(bad, key=lambda h: (h.part != "store", h.at))


def _fades_at(call: ToolCall) -> float:
    return (call.ended_at or call.created_at) + (FADE_FAILED if call.state is CallState.FAILED else FADE)


def midnight(now: float, zone: tzinfo) -> float:
    """Return the start of the local day that holds ``now``."""
    return datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
