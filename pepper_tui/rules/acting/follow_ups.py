"""Follow-ups: a durable timer and a subscription each, hundreds at a time, for weeks, at no cost while they wait.

One ends as ``answered`` by a mail of its thread from one of those whose answer is waited for, as ``due`` when its time
has come, or as ``dropped`` by the user. An automatic mail, a bounce or a mail of the user's own ends none; with a mail
of the user's own to them the time begins anew. An end is
told: an answer as a notice on its matter; a due one as a signal (``signals.follow_up``), which carries the rule's
``notify`` and, where the rule names one, the ``draft`` of a nudge, and for which rules with ``after`` hold.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import (
    FOLLOW_UP,
    OPEN_TAG,
    Context,
    ContextFilter,
    ContextUpdate,
    Facts,
    FollowUp,
    FollowUpState,
    Json,
    Match,
    Namespace,
    Notification,
    Priority,
    Signal,
)
from pepper_tui.rules.acting.hands import Hands
from pepper_tui.rules.book import RuleBook
from pepper_tui.store import Following, Store, Subscriber, VersionConflictError
from pepper_tui.text import one_line

SOURCE: Final = "follow_up"
RAW_MAIL: Final = f"{Namespace.RAW}.mail"
_TIMER: Final = "follow-ups"
_ALL: Final = 1_000_000
_LOOKED_BACK: Final = 100  # mails of a thread
_ANSWERS: Final = ("rules.follow_ups", "rules.look_back")  # what looks for answers
_PUNCTUAL: Final = 2.0  # seconds; what falls due later than that, does so because nothing ran
SETTLES: Final = 30.0  # seconds in which the mail comes in that was written while nothing ran
_CLOSE: Final = 0.01  # seconds that are no difference between two clocks
_AGAIN: Final = 1.0  # seconds until what waits for mail to be looked through is looked at again

Schedule = Callable[[str, float, Callable[[], Awaitable[None]]], None]
"""The key of a timer, when it is due, and what it calls."""


class FollowUps:
    """What is waited for. ``listen`` before the subscriber starts, then ``start``."""

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
            store, [Namespace.FOLLOW_UP], take_up=self._take_up, take=self._take, name="rules.follow_ups"
        )
        self._ending = asyncio.Lock()
        self._began = clock.monotonic()
        # what is due, and the monotonic time until which mail comes in first
        self._put_off: dict[str, float] = {}

    def listen(self, subscriber: Subscriber) -> None:
        """Register the handlers of mail, and of what is waited for from now on."""
        handle = subscriber.on_context_batch(
            namespaces=[RAW_MAIL], size=100, longest_wait=0.0, name=_ANSWERS[0], start="now"
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
        """End one by the user's word. Raises ``ValueError`` where there is none that is open."""
        dropped = await self._change(ident, lambda _: FollowUpState.DROPPED)
        if dropped is None:
            raise ValueError("there is no such follow-up that is open")
        return f"no longer waits for {dropped.who}: {dropped.subject}"

    async def wrote(self, matter: str, to: Collection[str], when: float) -> None:
        """Count the time anew from ``when`` for what waits in ``matter`` for ``to`` (addresses in lower case)."""

        def begin_anew(waits: FollowUp) -> FollowUpState | None:
            if when <= waits.since or not set(to) & set(waits.parties):
                return None
            waits.due, waits.wrote = waits.due + when - waits.since, when
            return FollowUpState.OPEN

        for ident in sorted(self._threads.get(matter.removeprefix("mail:"), ())):
            if changed := await self._change(ident, begin_anew):
                self._open[ident] = changed
        self._arm()

    # ------------------------------------------------------------------------------------------------ following

    async def _take_up(self) -> None:
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
        """See the answers that came while it was being made: a burst brings a mail and its answer together."""
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
        now = self._clock.now()  # what the user's own mail has moved is due no more
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
            if not update.deleted and update.context.version == 1 and not update.context.data.get("backlog"):
                await self._compare(update.context.data, ended)

    async def _compare(self, mail: Json, ended: set[str]) -> None:
        """End what ``mail`` answers, but for ``ended``: what this unit has ended already, which can't be read yet."""
        named = {str(mail.get("thread") or ""), str(mail.get("in_reply_to") or ""), *map(str, mail["references"])}
        waiting = {ident for key in named for ident in self._threads.get(key, ())}
        sender = str(mail["sender"]["address"]).lower()
        if not waiting or self._hands.is_own(sender) or self._hands.by_a_machine(mail):
            return
        for ident in sorted(waiting - ended):
            async with self._ending:
                found = await self._loaded(ident)
                if found is None or sender not in found[0].parties or mail["message_id"] in found[0].message_ids:
                    continue
                waits, version = found
                waits.answer = str(mail["id"])
                await self._end(waits, version, FollowUpState.ANSWERED)
                ended.add(ident)
                await self._hands.announce(self._answer(waits, mail))

    def _answer(self, waits: FollowUp, mail: Json) -> Notification:
        who = one_line(str(mail["sender"]["name"] or mail["sender"]["address"]), 80)
        subject = one_line(str(mail["subject"] or "(no subject)"), 120)
        return Notification(
            id=f"ntf_{waits.id}_answered",
            title=one_line(f"{who} {'wrote again' if waits.wrote is None else 'answered'}: {subject}", 160),
            body="\n".join(one_line(line, 200) for line in str(mail["reply"]).splitlines() if line.strip())[:500],
            reason=f"your rule {waits.rule_name!r} waited for this answer",
            source=f"{Namespace.SIGNALS}.mail:signal_{mail['id']}",
            created_at=self._clock.now(),
            priority=Priority.HIGH,
            matter=waits.matter,
            who=who,
            sender=str(mail["sender"]["address"]).lower(),
            subject=subject,
        )

    # ------------------------------------------------------------------------------------------------ time

    def _due(self) -> list[FollowUp]:
        """What is due, and has not to wait for mail that was written while nothing ran: the program, or the machine."""
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
                async with self._ending, self._store.unit():
                    later = await self._end_as_due(waits)
                if later is None:
                    self._open.pop(waits.id, None)  # the watch follows in a moment; until then it is not due again
                else:
                    self._open[waits.id] = later
        self._arm()

    async def _end_as_due(self, noted: FollowUp) -> FollowUp | None:
        """As it stands where it is not due: what was noted was an older version, given late."""
        found = await self._loaded(noted.id)
        if found is not None and found[0].due > self._clock.now():
            return found[0]
        if found is not None:
            await self._end(*found, FollowUpState.DUE)
            signal = await self._due_signal(found[0])
            await self._store.put(signal, namespace=f"{Namespace.SIGNALS}.{SOURCE}", type="signal", text=signal.content)
        return None

    async def _due_signal(self, waits: FollowUp) -> Signal:
        since = datetime.fromtimestamp(waits.since, self._hands.zone)
        when = f"{since:%a} {since.day} {since:%b %H:%M}"
        content = f"No answer from {waits.who}: {waits.subject}, waited for since {when}"
        began = await self._beginning(waits)
        metadata: Json = {
            **began,
            "kind": SOURCE,
            "rules": [self._own_match(waits, bool(began)).data()],
            "text": f"Since {when} nobody has answered in this thread.",
        }
        facts = Facts(SOURCE, subject=waits.subject, after=waits.rule_name)
        metadata["rules"] += self._book.matches(self._book.matching(facts), facts)
        return Signal(
            id=f"signal_{waits.id}",
            content=one_line(content, 320),
            created_at=self._clock.now(),
            priority=Priority.HIGH,
            source=SOURCE,
            reason=f"your rule {waits.rule_name!r} asked to be told",
            matter=waits.matter,
            metadata=metadata,
        )

    async def _beginning(self, waits: FollowUp) -> Json:
        """The facts of the mail that it began with, as its signal holds them: whom a nudge goes to."""
        namespace, _, ident = waits.source.partition(":")
        saved = await self._store.get(ident, namespace=namespace)
        if (signal := Signal.one(saved)) is not None:
            kept = ("sender", "sender_name", "subject", "thread", "message_id", "to", "reply_to", "raw")
            return {key: signal.metadata[key] for key in kept if key in signal.metadata}
        return {"sender": waits.parties[0], "sender_name": waits.who, "subject": waits.subject, "thread": waits.thread}

    @staticmethod
    def _own_match(waits: FollowUp, began: bool) -> Match:
        nudges = bool(waits.nudge_template.strip()) and began
        return Match(
            rule=waits.rule,
            version=f"follow-up {waits.id}",
            name=waits.rule_name,
            acts=["notify", "draft"] if nudges else ["notify"],
            draft=waits.nudge,
            template=waits.nudge_template,
        )

    # ------------------------------------------------------------------------------------------------ records

    async def _loaded(self, ident: str) -> tuple[FollowUp, int] | None:
        saved = await self._store.get(ident, namespace=Namespace.FOLLOW_UP)
        waits = FollowUp.one(saved)
        return (waits, saved.version) if waits and saved and waits.state is FollowUpState.OPEN else None

    async def _change(self, ident: str, change: Callable[[FollowUp], FollowUpState | None]) -> FollowUp | None:
        """Save what ``change`` makes of one that is open, in the state that it gives; None: nothing is changed."""
        while True:
            async with self._ending:
                found = await self._loaded(ident)
                state = change(found[0]) if found is not None else None
                if found is None or state is None:
                    return None
                try:
                    await (self._save(*found) if state is FollowUpState.OPEN else self._end(*found, state))
                except VersionConflictError:
                    continue  # a handler of mail ends one in its unit, which is committed after it has let go of it
                return found[0]

    async def _end(self, waits: FollowUp, version: int, state: FollowUpState) -> None:
        waits.state, waits.ended_at = FOLLOW_UP.move(waits.state, state), self._clock.now()
        await self._save(waits, version)

    async def _save(self, waits: FollowUp, version: int) -> None:
        tags = [f"thread:{waits.thread}", *([OPEN_TAG] if waits.state is FollowUpState.OPEN else [])]
        await self._store.put(waits, namespace=Namespace.FOLLOW_UP, tags=tags, expect_version=version)


def _written(mail: Json) -> float:
    return float(mail["arrived"] if mail["date"] is None else mail["date"])
