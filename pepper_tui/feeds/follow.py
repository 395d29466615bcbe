"""The agentic feed: a model follows a conversation, and reports when what the user looks for has happened.

It reads what other feeds have sensed (``signals.*`` and the raw text behind), from the moment it was first configured.
Matching messages are collected for a while; one call of the role ``triage`` then updates its summary and returns a
score. From the threshold on it emits one signal, with the reason and the supporting quotes; only quotes that really
occur in the messages count, and without one there is no signal. It speaks again when there is something new to report,
or when the score has been below the threshold in between.

Its state (``follow``, id = its name, one version per call) holds the log position up to which it has read, committed
together with the signal: a crash loses nothing and reports nothing twice. The calls of a day are counted before they
are made. Its only act is a signal: text that it reads can at most be quoted in one. Without a model it says so in its
health.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pepper_tui import config
from pepper_tui.feeds.feed import FeedContext, store_signal
from pepper_tui.feeds.follow_report import Message, Report, read_report, request_for
from pepper_tui.feeds.triage import is_one_of
from pepper_tui.llm.profile import profile_of
from pepper_tui.llm.structured import Stream, ask_for_object
from pepper_tui.model import (
    Context,
    ContextFilter,
    Json,
    ModelError,
    Namespace,
    Record,
    Signal,
)
from pepper_tui.text import one_line

NAMESPACE: Final = "follow"
SOURCE: Final = "follow"
_PAGE: Final = 500
_BATCH: Final = 20  # messages per call
_TOLD: Final = 5  # of its last signals that a prompt names
_PAUSE: Final = 60.0  # seconds after a failed call, doubling
_PAUSE_CAP: Final = 900.0
_UNSAVED: Final = 5000  # log positions read without a match after which the position is saved anyway
_TRIES: Final = 3  # unusable answers before the messages are skipped


@dataclass(slots=True)
class FollowState(Record):
    """The progress of a follow.

    ``upto`` is the log position it has read to; ``above``: the last score reached the threshold; ``told``: the reasons
    of its last signals.
    """

    upto: int
    summary: str = ""
    score: float = 0.0
    above: bool = False
    told: list[str] = field(default_factory=list)
    signals: int = 0
    messages: int = 0


class FollowFeed:
    """One ``[[conversation]]``. ``ask`` is the model's stream, ``None`` without a model."""

    def __init__(self, settings: config.Conversation, user: config.User, ask: Stream | None) -> None:
        self.name = f"follow.{settings.name}"
        self._settings, self._user, self._ask = settings, user, ask
        self._failures = self._unusable = 0
        self._saved = 0  # the position on disk

    def listen(self, ctx: FeedContext) -> None:
        """Do nothing: this feed has no processor, its position in the log is its state."""

    async def run(self, ctx: FeedContext) -> None:
        if self._ask is None:
            await ctx.health.report("trouble", "needs a model", "set one under [models]; see docs/models.md")
            await asyncio.Event().wait()
            return
        state = await self._load(ctx)
        await ctx.health.report("ok", "follows")
        async with ctx.store.watch([f"{Namespace.SIGNALS}.*"]) as live:
            state = await self._catch_up(ctx, self._ask, state)
            async for _ in live:
                state = await self._catch_up(ctx, self._ask, state)

    async def _load(self, ctx: FeedContext) -> FollowState:
        kept = await ctx.store.get(self._settings.name, namespace=NAMESPACE)
        if kept is not None:
            state = FollowState.of(kept)
            self._saved = state.upto
            return state
        newest = await ctx.store.query(ContextFilter(namespaces=[f"{Namespace.SIGNALS}.*"], limit=1))
        state = FollowState(newest[0].seq if newest else 0)
        await self._save(ctx, state)
        return state

    async def _save(self, ctx: FeedContext, state: FollowState) -> None:
        await ctx.store.put(state, namespace=NAMESPACE, context_id=self._settings.name)
        self._saved = state.upto

    # ------------------------------------------------------------------------------------------- what is new

    async def _catch_up(self, ctx: FeedContext, ask: Stream, state: FollowState) -> FollowState:
        while True:
            messages, state.upto = await self._new(ctx, state.upto)
            if not messages:
                if state.upto - self._saved >= _UNSAVED:
                    await self._save(ctx, state)
                return state
            if self._settings.wait > 0 and len(messages) < _BATCH:
                await ctx.clock.sleep(self._settings.wait)
                messages, _ = await self._new(ctx, state.upto)
            if not await self._may_call(ctx):
                continue
            try:
                state = await self._consider(ctx, ask, state, messages)
            except ModelError as error:
                await self._failed(ctx, state, messages, error)

    async def _new(self, ctx: FeedContext, after: int) -> tuple[list[Message], int]:
        """Return the next matching messages, at most a batch, and the log position before the first of them."""
        messages: list[Message] = []
        before = after
        while len(messages) < _BATCH:
            page = await ctx.store.query(
                ContextFilter(
                    namespaces=[f"{Namespace.SIGNALS}.*"],
                    after_seq=after,
                    newest_first=False,
                    limit=_PAGE,
                    include_expired=True,
                )
            )
            for context in page:
                found = await self._message(ctx, context)
                if found is not None and len(messages) < _BATCH:
                    messages.append(found)
                elif not messages:
                    before = context.seq
            if len(page) < _PAGE:
                break
            after = page[-1].seq
        return messages, before

    async def _message(self, ctx: FeedContext, context: Context) -> Message | None:
        """Return ``context`` as a message of this conversation, ``None`` if it is none."""
        try:
            signal = Signal.of(context)
        except (TypeError, ValueError):  # malformed, from a user's feed
            return None
        wanted, facts = self._settings, signal.metadata
        subject = f"{facts.get('subject') or ''}\n{signal.content}".casefold()
        if (
            signal.source == SOURCE
            or (wanted.source and signal.source != wanted.source)
            or (wanted.sender and not is_one_of(str(facts.get("sender", "")), wanted.sender))
            or (wanted.thread and wanted.thread.casefold() not in subject)
        ):
            return None
        stored = await ctx.store.get(str(facts.get("raw", "")), namespace=f"{Namespace.RAW}.{signal.source}")
        raw = stored.data if stored is not None else {}
        if raw.get("backlog") or (wanted.label and str(raw.get("label", "")).casefold() != wanted.label.casefold()):
            return None
        text = next((raw[key] for key in ("reply", "text") if isinstance(raw.get(key), str) and raw[key]), "")
        sender = one_line(str(facts.get("sender_name") or facts.get("sender") or signal.source), 80)
        said = f"{facts.get('subject') or ''}\n{text or signal.content}".strip()
        return Message(context.seq, f"{context.namespace}:{context.context_id}", sender, signal.created_at, said)

    # ------------------------------------------------------------------------------------------- thinking

    async def _may_call(self, ctx: FeedContext) -> bool:
        """Count a call of today, durably, before it is made; else wait for tomorrow and return False."""
        now = datetime.fromtimestamp(ctx.clock.now(), ctx.zone)
        key = f"{self._settings.name}.calls"
        kept = await ctx.store.get(key, namespace=f"{NAMESPACE}.calls")
        today = now.date().isoformat()
        calls = int(kept.data["calls"]) if kept is not None and kept.data["day"] == today else 0
        if calls < self._settings.daily_calls:
            await ctx.store.store(
                {"day": today, "calls": calls + 1}, namespace=f"{NAMESPACE}.calls", context_id=key, type="calls"
            )
            return True
        words = f"its {calls} calls of today are used up; what comes in is read after midnight"
        await ctx.health.report("trouble", words, f"raise daily_calls of the follow {self._settings.name!r}")
        tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=5, microsecond=0)
        await ctx.clock.sleep_until(tomorrow.timestamp())
        return False

    async def _consider(
        self, ctx: FeedContext, ask: Stream, state: FollowState, messages: Sequence[Message]
    ) -> FollowState:
        known, now = self._settings, ctx.clock.now()
        profile = await profile_of(ctx.store, self._user)
        request = request_for(known.look_for, state.summary, state.told, messages, now, ctx.zone, profile)
        answer = await ask_for_object(ask, request)
        report = read_report(answer.value, messages)
        high = report.score >= known.threshold
        reached = high and bool(report.evidence)
        speaks = reached and (not state.above or report.is_new)
        after = FollowState(
            upto=messages[-1].seq,
            summary=report.summary,
            score=report.score,
            above=reached or (state.above and high),
            told=[*state.told, report.reason][-_TOLD:] if speaks else state.told,
            signals=state.signals + speaks,
            messages=state.messages + len(messages),
        )
        async with ctx.store.unit():
            await self._save(ctx, after)
            if speaks:
                await store_signal(ctx.store, self._signal(now, after.upto, report, messages, answer.model))
        self._failures = self._unusable = 0
        await ctx.health.report("ok", f"follows; messages so far: {after.messages}, score {after.score:.2f}")
        return after

    async def _failed(
        self, ctx: FeedContext, state: FollowState, messages: Sequence[Message], error: ModelError
    ) -> None:
        self._failures += 1
        self._unusable += error.kind == "bad_response"
        remedy = "it is tried again by itself"
        if self._unusable >= _TRIES:
            self._unusable = 0
            state.upto = messages[-1].seq
            remedy = f"{len(messages)} messages were skipped; choose another model for models.triage"
        await ctx.health.report("trouble", error.words, remedy)
        await ctx.clock.sleep(min(_PAUSE_CAP, _PAUSE * 2 ** min(self._failures - 1, 10)))

    def _signal(self, now: float, upto: int, report: Report, messages: Sequence[Message], model: str) -> Signal:
        name, threshold = self._settings.name, self._settings.threshold
        metadata: Json = {
            "evidence": "\n".join(report.evidence),
            "score": round(report.score, 2),
            "judged_by": model,
            "messages": [message.ref for message in messages],
        }
        return Signal(
            id=f"signal_follow_{name}_{upto}",
            content=one_line(f"{name}: {report.reason}", 320),
            created_at=now,
            priority=self._settings.priority,
            source=SOURCE,
            reason=one_line(f"model: your follow {name!r} scores {report.score:.2f}, told from {threshold:.2f}", 200),
            matter=f"follow:{name}",
            metadata=metadata,
        )
