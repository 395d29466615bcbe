"""Follow-ups: durable timers with a subscription, hundreds at a time, for weeks, at no cost while they wait.

A follow-up ends as ``answered`` by a mail in its thread from one of those whose answer is awaited, as ``due`` when its
time has come, or as ``dropped`` by the user. An automatic mail, a bounce or the user's own mail ends none; the user's
own mail to those people restarts the time. Each end is reported: an answer as a notice on its matter; a due one as a
signal (``signals.follow_up``), which carries the rule's ``notify`` and, if the rule names one, the ``draft`` of a
nudge, and for which rules with ``after`` hold.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import (
    OPEN_TAG,
    Context,
    ContextFilter,
    ContextUpdate,
    FollowUp,
    FollowUpState,
    Json,
    Namespace,
)
from pepper_tui.rules.acting.follow_up_ends import SOURCE, answer_notice, due_signal
from pepper_tui.rules.acting.follow_up_rows import FollowUpRows
from pepper_tui.rules.acting.hands import Hands
from pepper_tui.rules.book import RuleBook
from pepper_tui.rules.errors import RuleError
from pepper_tui.store import Following, Store, Subscriber, VersionConflictError
from pepper_tui.text import one_line

RAW_MAIL: Final = f"{Namespace.RAW}.mail"
_TIMER: Final = "follow-ups"
_ALL: Final = 1_000_000
_LOOKED_BACK: Final = 100  # mails of a thread
_ANSWERS: Final = ("rules.follow_ups", "rules.look_back")  # the handlers that look for answers
_PUNCTUAL: Final = 2.0  # seconds; a follow-up that falls due later than that was late because nothing ran
SETTLES: Final = 30.0  # seconds in which mail arrives that was written while nothing ran
_CLOSE: Final = 0.01  # seconds that make no difference between two clocks
_AGAIN: Final = 1.0  # seconds until a follow-up that waits for mail to be processed is checked again

Schedule = Callable[[str, float, Callable[[], Awaitable[None]]], None]
"""The key of a timer, when it is due, and the callback."""


class FollowUps:
    """The answers that are awaited. Call ``listen`` before the subscriber starts, then ``start``."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        book: RuleBook,
        hands: Hands,
        schedule: Schedule,
        cancel: Callable[[str], None],
    ) -> None:
        self._store, self._clock, self._book, self._hands = store, clock, book, hands
        self._schedule, self._cancel = schedule, cancel
        self._open: dict[str, FollowUp] = {}
        self._threads: dict[str, set[str]] = {}  # a thread's key, or a mail's Message-ID -> ids of follow-ups
        self._following = Following(
            store, [Namespace.FOLLOW_UP], resume=self._resume, take=self._take, name="rules.follow_ups"
        )
        self._rows = FollowUpRows(store, clock)
        self._began = clock.monotonic()
        # what is due, and the monotonic time until which arriving mail goes first
        self._put_off: dict[str, float] = {}

    def listen(self, subscriber: Subscriber) -> None:
        """Register the handlers for mail and for new follow-ups."""
        handle = subscriber.on_context_batch(
            namespaces=[RAW_MAIL], size=100, longest_wait=0.0, name=_ANSWERS[0], start="now", wanted=_may_answer
        )
        handle(self._mail_came)
        # durable: a crash between a follow-up and the look back for its answer must not lose that answer
        begun = subscriber.on_context_update(namespaces=[Namespace.FOLLOW_UP], name=_ANSWERS[1], start="now")
        begun(self._begun)

    async def start(self) -> None:
        self._began = self._clock.monotonic()
        await self._following.start()

    async def stop(self) -> None:
        self._cancel(_TIMER)
        await self._following.stop()

    async def drop(self, ident: str) -> str:
        """End a follow-up by the user's word. Raises ``ValueError`` if there is no open one with that id."""
        dropped = await self._rows.change(ident, lambda _: FollowUpState.DROPPED)
        if dropped is None:
            raise RuleError("there is no such follow-up that is open")
        return f"no longer waits for {dropped.who}: {dropped.subject}"

    async def wrote(self, matter: str, to: Collection[str], when: float) -> None:
        """Restart the time at ``when`` for follow-ups in ``matter`` that wait for ``to`` (addresses in lower case)."""

        def begin_anew(waits: FollowUp) -> FollowUpState | None:
            if when <= waits.since or not set(to) & set(waits.parties):
                return None
            waits.due, waits.wrote = waits.due + when - waits.since, when
            return FollowUpState.OPEN

        for ident in sorted(self._threads.get(matter.removeprefix("mail:"), ())):
            if changed := await self._rows.change(ident, begin_anew):
                self._open[ident] = changed
        self._arm()

    # ------------------------------------------------------------------------------------------------ following

    async def _resume(self) -> None:
        self._open.clear()
        self._threads.clear()
        page = await self._store.query(
            ContextFilter(namespaces=[Namespace.FOLLOW_UP], tags=[OPEN_TAG], newest_first=False, limit=_ALL)
        )
        for context in page:
            self._note(context)
        self._arm()

    async def _take(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            self._note(update.context, gone=update.deleted)
        self._arm()

    async def _begun(self, update: ContextUpdate) -> None:
        """Check for answers that came while it was being made: a burst brings a mail and its answer together."""
        if update.deleted or update.context.version > 1:
            return
        self._note(update.context)  # from here on mail is compared with it, whatever the watch has seen
        for waits in FollowUp.readable([update.context]):
            began = [mail for ident in waits.message_ids if (mail := await self._hands.first_mail(ident)) is not None]
            since, ended = max((_written(mail.data) for mail in began), default=None), set[str]()
            keys = dict.fromkeys((waits.thread, *waits.message_ids))
            # a thread is named by its root; a short answer names only the mail that it answers, not that mail's root
            for key in tuple(keys):
                keys |= dict.fromkeys(str(mail.data["thread"]) for mail in await self._mails(f"message:{key}"))
            for key in keys:
                for mail in reversed(await self._mails(f"thread:{key}")):
                    if since is not None and _written(mail.data) > since and not mail.data.get("backlog"):
                        await self._compare(mail.data, ended)

    async def _mails(self, tag: str) -> list[Context]:
        return await self._store.query(ContextFilter(namespaces=[RAW_MAIL], tags=[tag], limit=_LOOKED_BACK))

    def _note(self, context: Context, gone: bool = False) -> None:
        for waits in FollowUp.readable([context]):
            keys = {waits.thread, *waits.message_ids}
            if waits.state is FollowUpState.OPEN and not gone:
                self._open[waits.id] = waits
                for key in keys:
                    self._threads.setdefault(key, set()).add(waits.id)
            elif self._open.pop(waits.id, None) is not None:
                for key in keys:
                    self._threads.get(key, set()).discard(waits.id)
                    if not self._threads.get(key):
                        self._threads.pop(key, None)

    def _arm(self) -> None:
        now = self._clock.now()  # what the user's own mail has postponed is no longer due
        self._put_off = {
            ident: until
            for ident, until in self._put_off.items()
            if ident in self._open and self._open[ident].due <= now
        }
        if self._open:
            later = self._clock.now() - self._clock.monotonic()
            times = (
                self._put_off[waits.id] + later if waits.id in self._put_off else waits.due
                for waits in self._open.values()
            )
            self._schedule(_TIMER, min(times), self._fall_due)
        else:
            self._cancel(_TIMER)

    # ------------------------------------------------------------------------------------------------ answers

    async def _mail_came(self, updates: list[ContextUpdate]) -> None:
        ended: set[str] = set()
        for update in updates:
            if _may_answer(update) and not update.context.data.get("backlog"):
                await self._compare(update.context.data, ended)

    async def _compare(self, mail: Json, ended: set[str]) -> None:
        """End what ``mail`` answers, except ``ended``: what this unit has already ended, which can't be read yet."""
        named = {str(mail.get("thread") or ""), str(mail.get("in_reply_to") or ""), *map(str, mail["references"])}
        waiting = {ident for key in named for ident in self._threads.get(key, ())}
        sender = str(mail["sender"]["address"]).lower()
        if not waiting or self._hands.is_own(sender):
            return
        if self._hands.by_a_machine(mail):
            await self._note_absence(mail, sender, waiting - ended)
            return
        for ident in sorted(waiting - ended):
            async with self._rows.ending:
                found = await self._rows.open(ident)
                if found is None or sender not in found[0].parties or mail["message_id"] in found[0].message_ids:
                    continue
                waits, version = found
                waits.answer = str(mail["id"])
                await self._rows.end(waits, version, FollowUpState.ANSWERED)
                ended.add(ident)
                if not waits.quiet:
                    await self._hands.announce(answer_notice(waits, mail, self._clock.now()))

    async def _note_absence(self, mail: Json, sender: str, waiting: Collection[str]) -> None:
        """Note an out-of-office reply on what waits for its sender: it ends nothing."""
        if not self._hands.is_absence(mail):
            return
        words = one_line(str(mail["reply"]), 160)

        def note(waits: FollowUp) -> FollowUpState | None:
            if sender not in waits.parties or waits.away == words:
                return None
            waits.away = words
            return FollowUpState.OPEN

        for ident in sorted(waiting):
            # a task has a commit of its own: the answer may be in this unit, and is compared with what is stored
            if changed := await asyncio.create_task(self._rows.change(ident, note)):
                self._open[ident] = changed

    # ------------------------------------------------------------------------------------------------ time

    def _due(self) -> list[FollowUp]:
        """Return what is due, unless it must wait for mail written while nothing ran: the program, or the machine."""
        now, elapsed, due = self._clock.now(), self._clock.monotonic(), []
        for waits in sorted(self._open.values(), key=lambda each: each.due):
            if waits.due > now:
                break
            late = now - waits.due > _PUNCTUAL or elapsed - self._began < SETTLES
            until = self._put_off.setdefault(waits.id, elapsed + SETTLES if late else elapsed)
            if elapsed >= until - _CLOSE:
                due.append(waits)
        return due

    async def _fall_due(self) -> None:
        due = self._due()
        if due and sum([await self._store.undelivered(name) for name in _ANSWERS]):
            self._put_off |= dict.fromkeys((waits.id for waits in due), self._clock.monotonic() + _AGAIN)
            due = []
        for waits in due:
            with contextlib.suppress(VersionConflictError):  # a handler of mail has ended it at this moment
                async with self._rows.ending, self._store.unit():
                    later = await self._end_as_due(waits)
                if later is None:
                    self._open.pop(waits.id, None)  # the watch follows in a moment; until then it must not be due again
                else:
                    self._open[waits.id] = later
        self._arm()

    async def _end_as_due(self, noted: FollowUp) -> FollowUp | None:
        """End a follow-up that is due; otherwise return its current version: the noted one was outdated."""
        found = await self._rows.open(noted.id)
        if found is not None and found[0].due > self._clock.now():
            return found[0]
        if found is not None:
            await self._rows.end(*found, FollowUpState.DUE)
            signal = await due_signal(self._store, self._book, found[0], self._clock.now(), self._hands.zone)
            await self._store.put(signal, namespace=f"{Namespace.SIGNALS}.{SOURCE}", type="signal", text=signal.content)
        return None


def _may_answer(update: ContextUpdate) -> bool:
    """Check whether a mail came, beside what was there when Pepper first looked."""
    return not update.deleted and update.context.version == 1 and not update.context.metadata.get("backlog")


def _written(mail: Json) -> float:
    return float(mail["arrived"] if mail["date"] is None else mail["date"])
