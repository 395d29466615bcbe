"""Signals that the rules leave open, judged by a model in batches before they are stored.

A signal that no rule of the user settles waits in ``judging.<source>``. A durable batch of those, collected for a short
while, is one call of the role ``triage``; the signals are stored with its verdicts, in the same commit that ends their
wait. So a crash loses none and makes none twice; it costs at most one call. Without a model, budget or answer, the
rules' result stands immediately.

A verdict moves a signal by at most one step, never to ``urgent``: mail addressed to the user can't be silenced by a
stranger's mail in the same batch. The reason is shown as the model's. The same call says what is asked, about what, and
which words of the text give a deadline: parts of the signal's line, checked by code (``mail_gist``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import tzinfo
from typing import Final

from pepper_tui import config
from pepper_tui.clock import Clock, local_locale
from pepper_tui.feeds.feed import OPEN, HealthReporter, store_signal
from pepper_tui.feeds.verdicts import Verdict, read_verdicts, request_for, sender_of
from pepper_tui.llm.profile import profile_of
from pepper_tui.llm.structured import Stream, ask_for_object
from pepper_tui.model import ContextUpdate, Gist, Json, ModelError, Priority, Signal
from pepper_tui.store import Store, Subscriber
from pepper_tui.text import one_line

log = logging.getLogger(__name__)

PART: Final = "judging"
_REST: Final = 60.0  # seconds without a call after a failed one, doubling
_REST_CAP: Final = 900.0
_ORDER: Final = list(Priority)  # the most urgent first


GistOf = Callable[[Gist, Json, str, object, float, str, tzinfo, str], Gist]
"""Arguments: the known gist, the model's words, the text it read, the text's date, now, the model, zone, locale."""


class LlmTriage:
    """Judges waiting signals. Without ``stream`` (no model), those of an earlier run pass on as the rules decided."""

    def __init__(
        self,
        settings: config.Judging,
        user: config.User,
        store: Store,
        clock: Clock,
        zone: tzinfo,
        stream: Stream | None,
        gist: GistOf,
    ) -> None:
        """Set up the batches. ``gist``: turns a model's words into a signal's gist, checked by code."""
        self._gist = gist
        self._settings, self._user, self._store, self._clock, self._stream = settings, user, store, clock, stream
        self._zone, self._locale = zone, user.locale or local_locale()
        self._health = HealthReporter(store, clock, PART)
        self._faults = 0
        self._rests_until = 0.0

    def listen(self, subscriber: Subscriber) -> None:
        """Register the handler. Call it before the subscriber starts."""
        handle = subscriber.on_context_batch(
            namespaces=[f"{OPEN}.*"],
            size=self._settings.batch_size,
            longest_wait=self._settings.wait if self._stream else 0.0,
            name="feeds.llm_triage",
            start="beginning",
        )
        handle(self._judge)

    async def _judge(self, updates: list[ContextUpdate]) -> None:
        newest = {update.context.context_id: update.context for update in updates if not update.deleted}
        waiting = [*newest.values()]
        signals = [Signal.of(context) for context in waiting]
        verdicts, model = await self._verdicts(signals)
        for number, (context, signal) in enumerate(zip(waiting, signals, strict=True), 1):
            verdict = verdicts.get(number)
            if verdict is not None:
                rule = f"{signal.priority}, {signal.reason}"
                signal.priority = _bounded(signal.priority, verdict.priority)
                signal.reason = one_line(f"model: {verdict.reason} (by rule: {rule})", 300)
                signal.metadata |= {"judged_by": model, "by_rule": rule}
                if verdict.told is not None:
                    await self._retell(signal, verdict.told, model)
            await store_signal(self._store, signal, dedupe_key=str(context.metadata.get("dedupe_key", "")))

    async def _verdicts(self, signals: list[Signal]) -> tuple[dict[int, Verdict], str]:
        """Return verdicts by 1-based signal number, and the model's name; empty if it gave none."""
        if self._stream is None or not signals or self._clock.monotonic() < self._rests_until:
            return {}, ""
        try:
            async with asyncio.timeout(self._settings.timeout):
                profile = await profile_of(self._store, self._user)
                request = request_for(signals, profile, self._clock.now(), self._zone)
                answer = await ask_for_object(self._stream, request)
        except (ModelError, TimeoutError) as error:
            words = error.words if isinstance(error, ModelError) else "The model took too long."
            await self._failed(words)
            return {}, ""
        self._faults = 0
        await self._health.report("ok")
        return read_verdicts(answer.value), answer.model

    async def _retell(self, signal: Signal, told: Json, model: str) -> None:
        """Rewrite the signal's line with the model's words about it."""
        facts, now = signal.metadata, signal.created_at
        subject = str(facts.get("subject") or "")
        known = signal.gist or Gist(sender_of(signal), about=subject)  # a signal stored by an older Pepper has none
        said = f"{subject}\n{signal.text or signal.content}"
        date = facts.get("date")
        signal.gist = await asyncio.to_thread(self._gist, known, told, said, date, now, model, self._zone, self._locale)
        first = next(iter(signal.text.splitlines()), "")
        signal.content = signal.gist.line(self._zone, now, first)

    async def _failed(self, words: str) -> None:
        self._faults += 1
        rest = min(_REST_CAP, _REST * 2 ** min(self._faults - 1, 10))
        self._rests_until = self._clock.monotonic() + rest
        log.info("signals go on unjudged for %.0f s: %s", rest, words)
        await self._health.report(
            "trouble", f"new signals are as your rules say, not judged: {words}", "it is tried again by itself"
        )


def _bounded(given: Priority, wanted: Priority) -> Priority:
    """Return ``wanted``, but at most one step from ``given``, and never ``urgent``."""
    place = _ORDER.index(given)
    nearest = min(max(_ORDER.index(wanted), place - 1), place + 1)
    return _ORDER[max(1, nearest)] if given is not Priority.URGENT else given
