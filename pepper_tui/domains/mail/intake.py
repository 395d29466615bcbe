"""What every source of mail shares: how a mail is stored in ``raw.mail``, and how it becomes a signal.

The first import brings much mail at once: the store is queried once per batch, the loop is free between two mails, and
a source continues only while the signals keep up (``Pace``), so that a mail that arrives now waits behind few others.

A mail is identified by a key of its Message-ID and bytes, whichever source it came from. The processor of ``raw.mail``
is registered once, by the first source of the config.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from typing import Final

from pepper_tui.domains.mail.facts.awaited import Awaited
from pepper_tui.domains.mail.facts.delivery_report import failed
from pepper_tui.domains.mail.facts.finder import RAISED, Finder, note_written, original_of
from pepper_tui.domains.mail.facts.look_back import RECENT, LookBack
from pepper_tui.domains.mail.folder_uses import says_sent, use_by_name
from pepper_tui.domains.mail.gist import about, mail_gist, writer_of
from pepper_tui.domains.mail.machines import is_automatic, is_list
from pepper_tui.domains.mail.message_ids import owner_of_id, without_id
from pepper_tui.domains.mail.mime import Mail, left_out
from pepper_tui.domains.mail.related import related_to
from pepper_tui.domains.mail.reply_text import asks_something, telling_lines
from pepper_tui.domains.mail.state import Copy, Mark
from pepper_tui.feeds.feed import FeedContext, put_signal
from pepper_tui.feeds.triage import SIGNAL_TEXT, Triage
from pepper_tui.model import (
    BACKLOG,
    Context,
    ContextFilter,
    ContextUpdate,
    Facts,
    Gist,
    Json,
    Namespace,
    Priority,
    Signal,
)
from pepper_tui.store import Store
from pepper_tui.text import begun, one_line

NAME: Final = "mail"
RAW: Final = f"{Namespace.RAW}.{NAME}"
PROCESSOR: Final = "feeds.mail"
SIGNAL_ID: Final = "signal_"
"""Prefix of the id of a mail's signal, before the mail's own."""
BATCH: Final = 50
LAG: Final = 3 * BATCH
"""Mails that may wait to become signals before a source stops taking in more."""
PARTLY: Final = "partly"
"""Tag of a mail that was only read in part."""
_LOOKED_AROUND: Final = 5  # mails of one batch for which related contexts are looked up
_DEALT_WITH: Final[dict[Mark, str]] = {
    "draft": "it is a draft",
    "deleted": "it was deleted when Pepper first saw it",
    "answered": "it was answered when Pepper first saw it",
}
_LOGGED_TEXT: Final = 300  # characters of text that a signal keeps if it was only logged


def mail_key(mail: Mail) -> str:
    """Return the id of ``mail`` in ``raw.mail``."""
    sign = f"{mail.message_id}\n{mail.digest}"
    return f"mail_{hashlib.sha256(sign.encode()).hexdigest()[:32]}"


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
                await asyncio.sleep(0)  # keys come first
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
                await asyncio.sleep(0)
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


async def tell_progress(ctx: FeedContext, done: int, of: int) -> None:
    """Report how far the intake has progressed."""
    await ctx.health.report("starting", f"taking in your mail: {done:,} of {of:,}")


async def partly_read(store: Store) -> str:
    """Return how many mails were only read in part, in words; empty if there are none."""
    count = await store.count(ContextFilter(namespaces=[RAW], tags=[PARTLY]))
    return f"{count:,} of your mails could only be read in part, as each says where it is shown" if count else ""


async def known_mails(store: Store, keys: Collection[str]) -> dict[str, Context]:
    """Return those of the mails that are in ``raw.mail`` already."""
    return await _found(store, RAW, keys, include_expired=True)


async def _found(
    store: Store, namespace: str, ids: Collection[str], *, include_expired: bool = False
) -> dict[str, Context]:
    wanted = ContextFilter(namespaces=[namespace], context_ids=sorted(ids), limit=None, include_expired=include_expired)
    return {each.context_id: each for each in await store.query(wanted)} if ids else {}


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
        await _found(store, Namespace.SENT, ids | {each.strip("<>") for each in ids}),
        await _found(store, Namespace.PEOPLE, senders),
        await _found(store, f"{Namespace.SIGNALS}.{NAME}", {signal_id(raw) for raw in raws}),
    )


def signal_id(raw: Json) -> str:
    """Return the id of a mail's signal."""
    return f"{SIGNAL_ID}{raw['id']}"


async def store_mail(
    ctx: FeedContext,
    key: str,
    mail: Mail,
    known: Context | None,
    *,
    path: Path | str,
    label: str,
    arrived: float,
    files: list[list[str]],
    backlog: bool,
    grown: bool = False,
    account: str = "",
    copy: Copy | None = None,
) -> None:
    """Store ``mail`` in ``raw.mail`` under ``key``, or add ``files`` (root and name each) if it is already ``known``.

    ``account``: the sign-in by which it came, if any. ``copy``: how it lies at its source, which the caller notes, too
    (``state.py``); a mail that was dealt with before it came makes no card. ``grown``: it is known, but was incomplete
    when it was taken in; its present content replaces the former.
    """
    await asyncio.sleep(0)  # keys come first
    if known is not None and not grown:  # the same mail under another name, say in a second folder
        await _add_files(ctx.store, known, files)
        return
    thread, data = mail.thread or key, mail.data()
    sender = f"{mail.sender['name']} {mail.sender['address']}".strip()
    await ctx.store.store(
        {
            **data,
            "id": key,
            "path": str(path),
            "account": account,
            "label": label,
            "files": files,
            "thread": thread,
            "arrived": arrived,
            "backlog": backlog,
            "use": (copy.use if copy else "") or use_by_name(label),
            "marks": list(copy.marks) if copy else [],
        },
        namespace=RAW,
        context_id=key,
        type="mail",
        text=f"{mail.subject}\n{sender}\n{mail.text}",
        tags={
            f"sender:{mail.sender['address']}",
            f"thread:{thread}",
            f"message:{mail.message_id or key}",
            *([PARTLY] if left_out(data) else []),
        },
        metadata={"sender": sender, "subject": mail.subject},
    )


async def _add_files(store: Store, known: Context, files: list[list[str]]) -> None:
    there = known.data.get("files", [])
    files = [*there, *(file for file in files if file not in there)]
    if files != there:
        await store.store(
            {**known.data, "files": files[:50]},
            namespace=RAW,
            context_id=known.context_id,
            type=known.type,
            text=known.text,
            tags=known.tags,
            metadata=known.metadata,
            ttl=None if known.expires_at is None else 0.0,  # the rest of an old mail stays out of sight
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
    same = hashlib.sha256(f"{message_id}\n{raw['sender']['address']}\n{raw['subject']}\n{raw['reply']}".encode())
    signal = _unsaid(raw, triage, update.context.created_at, facts)
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
        signal.content = _plain_line(raw, made.facts, now)
    else:
        signal.gist.related = await related_to(ctx.store, raw, now, ctx.zone) if looks else []
        signal.content = signal.gist.line(ctx.zone, now, _first_line(raw))
    if line := signal.metadata.pop("line", ""):
        signal.content = line
    tags = [RAISED] if signal.metadata.get("kind") == "fact" else []
    if matters is not None and matters.look_back.is_recent(raw):
        tags.append(RECENT)
    if matters is not None and made.passed:
        await matters.finder.add_signs(ctx.store, signal, raw)
    is_open = made.passed and triage.leaves_open(made.facts)
    await put_signal(ctx.store, signal, tags, dedupe_key=made.same, is_open=is_open)


def by_own_hand(raw: Json) -> bool:
    """Check whether a mail that claims to be from the user is where only the user's own programs put it.

    A mail that a server has delivered may come from anyone, under any name: it answers nothing on the user's behalf.
    """
    return not raw.get("received") or raw.get("use") == "sent" or says_sent(raw["label"])


def _silent(raw: Json) -> str:
    """Return why a mail needs nobody's attention, as it lay at its source when it was first seen; empty if it may."""
    use, marks = raw.get("use") or use_by_name(raw["label"]), raw.get("marks") or []
    if use in ("junk", "trash", "drafts"):
        return f"in the folder {one_line(raw['label'], 40)}"
    if dealt_with := next((words for mark, words in _DEALT_WITH.items() if mark in marks), ""):
        return dealt_with
    return "it was read when Pepper first saw it" if use == "inbox" and "seen" in marks else ""


def mail_facts(raw: Json, own: Collection[str] = ()) -> Facts:
    """Return the facts of a mail in ``raw.mail`` that triage may use. ``own``: the user's addresses, in lower case."""
    listed, automatic = is_list(raw), is_automatic(raw)
    return Facts(
        source=NAME,
        sender="" if raw.get("several_senders") else raw["sender"]["address"],  # it is unknown whose it is
        name=raw["sender"]["name"],
        to=[one["address"] for one in raw["to"]],
        cc=[one["address"] for one in raw["cc"]],
        subject=raw["subject"],
        text=raw["reply"],
        labels=[raw["label"]],
        is_list=listed,
        automatic=automatic,
        direct=bool(raw["to"]) and all(one["address"] in own for one in raw["to"]),
        question=not listed and not automatic and asks_something(raw["reply"]),
        silent=_silent(raw),
    )


def mail_signal(raw: Json, triage: Triage, now: float, facts: Facts) -> Signal:
    """Return the signal of a mail in ``raw.mail``, judged by ``facts``, with the line of one that is only logged."""
    signal = _unsaid(raw, triage, now, facts)
    signal.content = _plain_line(raw, facts, now)
    return signal


def _plain_line(raw: Json, facts: Facts, now: float) -> str:
    gist = Gist(writer_of(raw, known=facts.known), about=about(raw["subject"]))
    return gist.line(UTC, now, _first_line(raw))


def _unsaid(raw: Json, triage: Triage, now: float, facts: Facts) -> Signal:
    """Return the signal of a mail, without its line."""
    priority, reason, rules = triage.judge(facts)
    if raw.get("backlog"):
        priority, reason, rules = Priority.LOG, BACKLOG, ()
    sender, doubts = raw["sender"], list(raw.get("doubts", []))
    if doubts:
        reason = f"{reason}; careful: {'; '.join(doubts[:3])}"
    if (partly := left_out(raw)) and reason != BACKLOG:
        reason = f"{reason}; not all of it was read: {partly}"
    text = "\n".join(telling_lines(raw["reply"]))
    metadata: Json = {
        "sender": sender["address"],
        "sender_name": sender["name"],
        "subject": raw["subject"],
        "thread": raw["thread"],
        "message_id": raw["message_id"],
        "raw": raw["id"],
        "to": [one["address"] for one in raw["to"]][:20],
        "reply_to": next((one["address"] for one in raw["reply_to"]), sender["address"]),
        "date": raw["date"],
        "text": begun(text, _LOGGED_TEXT if priority is Priority.LOG else SIGNAL_TEXT),
        "attachments": [one["name"] for one in raw["attachments"]][:20],
        "automatic": facts.automatic,
        "list": facts.is_list,
    }
    if triage.is_own(sender["address"]):
        if by_own_hand(raw):
            metadata["kind"] = "own"
        elif reason != BACKLOG:
            reason = "it says that you sent it"
    elif triage.is_vip(facts.sender):
        metadata["kind"] = "vip"
    if doubts:
        metadata["doubts"] = doubts
    if rules:
        metadata["rules"] = list(rules)
    return Signal(
        id=signal_id(raw),
        content="",
        created_at=now,
        priority=priority,
        source=NAME,
        reason=reason,
        matter=f"mail:{raw['thread']}",
        metadata=metadata,
    )


def _first_line(raw: Json) -> str:
    return next(iter(telling_lines(raw["reply"])), "")
