"""What turns the mails of ``raw.mail`` into signals, whichever sources they came from.

The first import brings much mail at once: the store is queried once per batch, the loop is free between two mails, and
a source continues only while the signals keep up (``Pace``), so that a mail that arrives now waits behind few others.

The processor is registered once, by the first source of the config.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import partial
from typing import Final

from pepper_tui.domains.mail.content.gist import mail_gist, untagged, writer_of
from pepper_tui.domains.mail.content.message_ids import owner_of_id, without_id
from pepper_tui.domains.mail.facts.awaited import Awaited
from pepper_tui.domains.mail.facts.delivery_report import failed
from pepper_tui.domains.mail.facts.finder import RAISED, Finder, note_written, original_of
from pepper_tui.domains.mail.facts.look_back import RECENT, LookBack
from pepper_tui.domains.mail.intake.raw_mail import NAME, RAW, found
from pepper_tui.domains.mail.intake.signals import first_line, mail_facts, plain_line, signal_id, unsaid
from pepper_tui.domains.mail.related import related_to
from pepper_tui.feeds.feed import FeedContext, put_signal
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import (
    ContextUpdate,
    Facts,
    Json,
    Namespace,
    Priority,
    Signal,
)
from pepper_tui.store import Store

PROCESSOR: Final = "feeds.mail"
BATCH: Final = 50
LAG: Final = 3 * BATCH
"""Mails that may wait to become signals before a source stops taking in more."""
_LOOKED_AROUND: Final = 5  # mails of one batch for which related contexts are looked up


class Pace:
    """Keeps a source from running ahead of the processor."""

    def __init__(self) -> None:
        self._went_on = asyncio.Event()

    def went_on(self) -> None:
        """Note that the processor has handled some mails."""
        self._went_on.set()

    async def keep(self, store: Store) -> None:
        """Return once only few mails wait to become signals."""
        while True:
            self._went_on.clear()
            if await store.undelivered(PROCESSOR) <= LAG:
                return
            await self._went_on.wait()  # acknowledged a moment after the handling: more than one batch waits


@dataclass(frozen=True, slots=True)
class Matters:
    """What finds the facts that matter without a model: in mail that comes, and in what the user has asked."""

    finder: Finder
    awaited: Awaited
    look_back: LookBack


def listen_for_mail(ctx: FeedContext, triage: Triage, matters: Matters | None = None) -> Pace:
    """Register the processor of ``raw.mail``."""
    pace = Pace()
    if matters is not None:
        matters.awaited.listen(ctx.store, ctx.subscriber)
        facts_of = partial(mail_facts, own=triage.own)
        matters.look_back.listen(ctx.store, ctx.subscriber, PROCESSOR, facts_of)

    async def process(updates: list[ContextUpdate]) -> None:
        new = [u for u in updates if not u.deleted and u.context.version == 1]  # later ones tell where else it is
        try:
            known = await _known(ctx.store, new)
            made: list[_Made] = []
            for update in new:
                await ctx.turns.after(len(update.context.text))  # keys come first
                async with ctx.processing(("triage", update.seq)):
                    if (one := await _made(ctx, triage, update, known)) is not None:
                        made.append(one)
            if matters is not None and made:
                async with ctx.processing(("facts", made[0].seq)):
                    await _find_facts(ctx, matters, made)
            passed = [one for one in made if one.passed]
            if passed:
                async with ctx.processing(("reading", passed[0].seq)):
                    await asyncio.to_thread(_read, passed, ctx.zone, triage.locale)
            looked = {one.seq for one in passed[:_LOOKED_AROUND]}
            for one in made:
                await ctx.turns.after(len(one.raw["reply"]))
                async with ctx.processing(one.seq):
                    await _put(ctx, triage, matters, one, looks=one.seq in looked)
        except BaseException:
            if matters is not None:
                matters.finder.forget()
            raise
        finally:
            pace.went_on()

    ctx.subscriber.on_context_batch(namespaces=[RAW], size=BATCH, longest_wait=0.0, name=PROCESSOR, start="beginning")(
        process
    )
    return pace


class MailIntake:
    """Takes in mail from all its sources, with one processor, which the first source that listens starts."""

    def __init__(self, triage: Triage, matters: Matters | None = None) -> None:
        self._triage, self._matters = triage, matters
        self._pace: Pace | None = None

    def listen(self, ctx: FeedContext) -> Pace:
        if self._pace is None:
            self._pace = listen_for_mail(ctx, self._triage, self._matters)
        return self._pace


def progress_words(done: int, of: int) -> str:
    """Return how far the intake has progressed."""
    return f"taking in your mail: {done:,} of {of:,}"


async def tell_progress(ctx: FeedContext, done: int, of: int) -> None:
    """Report how far the intake has progressed."""
    await ctx.health.report("starting", progress_words(done, of))


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store holds about the mails of one batch, by ids."""

    sent: Collection[str]
    people: Collection[str]
    signals: Collection[str]


async def _known(store: Store, updates: Sequence[ContextUpdate]) -> _Known:
    raws = [update.context.data for update in updates]
    ids = {str(raw.get("message_id", "")) for raw in raws} - {""}
    senders = {str(raw["sender"]["address"]).lower() for raw in raws} - {""}
    return _Known(
        await found(store, Namespace.SENT, ids | {each.strip("<>") for each in ids}),
        await found(store, Namespace.PEOPLE, senders),
        await found(store, f"{Namespace.SIGNALS}.{NAME}", {signal_id(raw) for raw in raws}),
    )


@dataclass(slots=True)
class _Made:
    """A mail's signal, on its way into the store. ``same`` is equal for all copies of the mail."""

    seq: int
    raw: Json
    facts: Facts
    signal: Signal
    same: str

    @property
    def passed(self) -> bool:
        return self.signal.priority is not Priority.LOG


async def _made(ctx: FeedContext, triage: Triage, update: ContextUpdate, known: _Known) -> _Made | None:
    """Triage a mail; return ``None`` if it makes no signal."""
    raw = update.context.data
    if signal_id(raw) in known.signals:
        return None  # it exists already
    facts = mail_facts(raw, triage.own)
    sender = facts.sender.lower()
    message_id = raw.get("message_id", "")
    if any(each in known.sent for each in (message_id, message_id.strip("<>"))):
        if triage.is_own(sender) or facts.is_list:
            return None  # Pepper sent it
        raw = without_id(raw, "you")
    elif not raw.get("backlog") and (owner := await owner_of_id(ctx.store, raw)):
        raw = without_id(raw, owner)
    if triage.is_vip(sender) or sender in known.people:
        facts = replace(facts, known=True)
    # a copy of the same mail by another way is no second signal; another sender can't suppress one by its id
    about = untagged(raw["subject"])
    same = hashlib.sha256(f"{message_id}\n{raw['sender']['address']}\n{about}\n{raw['reply']}".encode())
    signal = unsaid(raw, triage, update.context.created_at, facts)
    return _Made(update.seq, raw, facts, signal, same.hexdigest() if message_id else "")


async def _find_facts(ctx: FeedContext, matters: Matters, made: Sequence[_Made]) -> None:
    """Find what matters in new mail, and note whom the user has written to, and what they asked."""
    own = [one for one in made if one.signal.metadata.get("kind") == "own"]
    await note_written(ctx.store, own)
    for one in own:
        if not one.raw.get("backlog"):
            await matters.awaited.own_mail(ctx.store, one.raw, one.signal.created_at)
    await matters.finder.signs.learn(ctx.store)
    find = await matters.finder.look(ctx.store, made)
    if any(not one.raw.get("backlog") for one in made):
        await asyncio.to_thread(find)
    for one in made:
        if one.signal.metadata.get("fact") == "failure" and (original := original_of(one.raw)):
            gone = {str(each["address"]) for each in failed(one.raw["report"])}
            await matters.awaited.bounced(ctx.store, original, gone)


def _read(passed: Sequence[_Made], zone: tzinfo, locale: str) -> None:
    """Add each mail's gist. In a thread, once per batch: switching to it costs more than reading most mails."""
    for one in passed:
        who, now = writer_of(one.raw, known=one.facts.known), one.signal.created_at
        one.signal.gist = mail_gist(one.raw, one.facts, who, now, zone, locale)


async def _put(ctx: FeedContext, triage: Triage, matters: Matters | None, made: _Made, *, looks: bool) -> None:
    """Store a signal with its line. ``looks``: also look up related contexts in the store."""
    raw, signal, now = made.raw, made.signal, made.signal.created_at
    if signal.gist is None:
        signal.content = plain_line(raw, made.facts, now)
    else:
        signal.gist.related = await related_to(ctx.store, raw, now, ctx.zone) if looks else []
        signal.content = signal.gist.line(ctx.zone, now, first_line(raw))
    if line := signal.metadata.pop("line", ""):
        signal.content = line
    tags = [RAISED] if signal.metadata.get("kind") == "fact" else []
    if matters is not None and matters.look_back.is_recent(raw):
        tags.append(RECENT)
    if matters is not None and made.passed:
        await matters.finder.add_signs(ctx.store, signal, raw)
    is_open = made.passed and triage.leaves_open(made.facts)
    await put_signal(ctx.store, signal, tags, dedupe_key=made.same, is_open=is_open)
