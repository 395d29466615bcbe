"""To-dos that become due, as signals: one each, in the morning of a whole day or at its time.

Each to-do is a context beside the events, which says since when it is known to be due then: what was due before that is
not told, as it is no news. It is told once, and only after the files have been read again, so one that is done or moved
tells nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.objects import unwritable_calendars
from pepper_tui.domains.calendar.todos.todo import HasTodos, Todo
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import ContextFilter, ContextUpdate, Facts, Json, Priority, Signal
from pepper_tui.text import one_line

KIND: Final = "todo"
DUE: Final = "todo_due"
"""Types of contexts beside the events: a to-do, and that one has become due."""
LATE: Final = 30 * 86400.0  # seconds by which one may be late and still be told
_LATE_MARK: Final = 900.0  # seconds from which it is called late
_PAGE: Final = 500
_SOURCE: Final = "calendar"


class DueTodos:
    """Follows the to-dos of ``agenda``, and stores them in ``namespace``.

    ``morning``: the minute of the day at which those of whole days are told; ``tells``: whether any is.
    """

    def __init__(self, agenda: Agenda, triage: Triage, namespace: str, morning: int, *, tells: bool) -> None:
        self._agenda, self._triage, self._namespace = agenda, triage, namespace
        self._morning, self._tells = morning, tells
        self._known: dict[str, Json] | None = None
        self._edition = -1
        self._next = 0.0

    async def keep(self, ctx: FeedContext) -> float:
        """Store what has changed, and what has become due; return when the next will be (POSIX seconds)."""
        if not isinstance(self._agenda, HasTodos):
            return float("inf")
        now = ctx.clock.now()
        if self._known is not None and self._agenda.listed == self._edition and now < self._next:
            return self._next
        todos = {f"todo_{each.key}": each for each in await self._agenda.todos.read()}
        if self._known is None:
            self._known = await self._stored(ctx)
        known = self._known
        async with ctx.store.unit():
            for key, todo in todos.items():
                before = known.get(key)
                same = before is not None and before["due"] == todo.due and not before["gone"]
                data = {**todo.data(), "id": key, "since": before["since"] if before and same else now, "gone": False}
                if before != data:
                    await self._put(ctx, key, data)
                    known[key] = data
            for key, data in known.items():
                if key not in todos and not data["gone"] and not self._agenda.is_unread(data["calendar"], data["uid"]):
                    known[key] = {**data, "gone": True}
                    await self._put(ctx, key, known[key])
        self._next = await self._tell(ctx, {key: known[key] for key in todos}, now)
        self._edition = self._agenda.listed
        return self._next

    async def _tell(self, ctx: FeedContext, there: Mapping[str, Json], now: float) -> float:
        soonest = float("inf")
        for data in there.values() if self._tells else ():
            todo = Todo.of(data)
            if todo.done or todo.due is None:
                continue
            moment = told_at(todo, self._morning, ctx.zone)
            if moment > now:
                soonest = min(soonest, moment)
            elif data["since"] < moment and now - moment <= LATE:
                sign = f"{todo.calendar}\n{todo.uid}\n{todo.recurrence}\n{todo.due:.0f}"
                key = f"due_{hashlib.sha256(sign.encode()).hexdigest()[:24]}"
                if await ctx.store.get(key, namespace=self._namespace) is None:
                    may = not todo.repeats and todo.calendar not in await unwritable_calendars(ctx.store)
                    told = {**data, "id": key, "at": now, "moment": moment, "may_be_done": may}
                    tags = [f"todo:{todo.uid}"]
                    await ctx.store.store(told, namespace=self._namespace, context_id=key, type=DUE, tags=tags)
        return soonest

    async def _put(self, ctx: FeedContext, key: str, data: Json) -> None:
        text = f"{data['summary']}\n{data['location']}\n{data['description']}"
        await ctx.store.store(data, namespace=self._namespace, context_id=key, type=KIND, text=text)

    async def _stored(self, ctx: FeedContext) -> dict[str, Json]:
        found: dict[str, Json] = {}
        after = 0
        while page := await ctx.store.query(
            ContextFilter(namespaces=[self._namespace], types=[KIND], after_seq=after, newest_first=False, limit=_PAGE)
        ):
            found.update((context.context_id, context.data) for context in page)
            after = page[-1].seq
        return found

    def signal(self, update: ContextUpdate, zone: tzinfo) -> Signal:
        """Return the signal of one that has become due."""
        raw = update.context.data
        todo = Todo.of(raw)
        facts = Facts(
            source=_SOURCE,
            subject=todo.summary,
            text=f"{todo.description}\n{todo.location}",
            labels=[todo.calendar],
            priority=Priority.NORMAL,
            reason="a to-do of yours is due",
        )
        priority, reason, rules = self._triage.judge(facts)
        due = datetime.fromtimestamp(todo.due or 0.0, zone)
        day = f"{due:%a %d %b}"
        verb, when = ("Due", day) if todo.all_day else (f"Due {due:%H:%M}", day)
        if raw["at"] - raw["moment"] >= _LATE_MARK:
            late = todo.is_overdue(raw["at"], zone)
            verb, when = "Overdue" if late else "Due", day if todo.all_day else f"{day} {due:%H:%M}"
        metadata: Json = {
            "raw": raw["id"], "uid": todo.uid, "summary": todo.summary, "due": todo.due, "all_day": todo.all_day,
            "calendar": todo.calendar, "kind": "due", "may_be_done": raw["may_be_done"],
        }  # fmt: skip
        if rules:
            metadata["rules"] = list(rules)
        return Signal(
            id=f"signal_{raw['id']}",
            content=one_line(f"{verb}: {one_line(todo.title, 150)} (to-do) — {when}", 320),
            created_at=update.context.updated_at,
            priority=priority,
            source=_SOURCE,
            reason=reason,
            matter=f"todo:{todo.calendar}:{todo.uid}",
            metadata=metadata,
            matter_kind="state",
        )


def told_at(todo: Todo, morning: int, zone: tzinfo) -> float:
    """Return when it is told: at its time, or at that minute of its whole day."""
    due = todo.due or 0.0
    if not todo.all_day:
        return due
    midnight = datetime.fromtimestamp(due, zone)
    return midnight.replace(hour=morning // 60, minute=morning % 60).timestamp()
