"""One request, tried until it is answered: the role's model, again after a pause, then its fallback.

Retried is what may succeed a moment later (``ModelError.retryable``): rate limits, the server's own errors, lost
connections, answers cut off or invalid; a timeout only once, since waiting was its cost. Pauses double, with jitter,
unless the server names one; a named pause beyond the cap is reported, not waited for. A model that its server is still
loading is waited for. A call that the model could write better is returned to it once, immediately, with what is wrong.

If there is a fallback, it answers what the first model could not, and the response says why (``Completed.because``). A
first model that was unavailable then rests: for half a minute, doubling up to ten, or as long as it asked for.
Meanwhile the fallback is asked directly; after that the first model gets one try, without retries, and is back for good
when that works. So an unavailable model does not delay each reply, and an unstable one does not make the two alternate.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.llm.windows import message_characters
from pepper_tui.model import Completed, ModelError, ModelEvent, ModelRequest, Retrying
from pepper_tui.text import shorten

_REST: Final = 30.0  # seconds that an unavailable first model is left alone, doubling
_REST_CAP: Final = 600.0
_LOADING: Final = 600.0  # seconds that loading a model may take
_LOADING_PAUSE: Final = 5.0
_ANSWER: Final = 1200  # characters of an answer that could not be carried out which the model is shown again
_LEAST_ANSWER: Final = 200
_AWAY: Final = frozenset({"timeout", "rate_limited", "server", "loading", "unreachable", "auth", "setup"})
"""Faults of a model that is unavailable for any request."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failed request is retried, and the seconds between: ``base``, doubled each time up to ``cap``."""

    retries: int = 3
    base: float = 1.0
    cap: float = 60.0


DEFAULT_RETRY_POLICY: Final = RetryPolicy()


@dataclass(slots=True)
class Source:
    """One model that can be asked: ``ask`` makes one attempt. Roles that use the same model share one source."""

    name: str
    ask: Callable[[ModelRequest], AsyncIterator[ModelEvent]]
    rests_until: float = 0.0  # on the monotonic clock
    faults: int = 0  # times in a row that it was unavailable
    fault: ModelError | None = None

    def failed(self, error: ModelError, now: float) -> None:
        if error.kind in _AWAY:
            self.faults += 1
            self.fault = error
            rest = min(_REST_CAP, _REST * 2 ** min(self.faults - 1, 10))
            self.rests_until = now + max(rest, error.retry_after or 0.0)

    def answered(self) -> None:
        self.faults, self.fault, self.rests_until = 0, None, 0.0


@dataclass(frozen=True, slots=True)
class Attempts:
    """Tries the requests of one role."""

    clock: Clock
    first: Source
    fallback: Source | None = None
    retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY

    @property
    def stands_in(self) -> bool:
        """True if the fallback would be asked now."""
        rests = self.first.fault is not None and self.clock.monotonic() < self.first.rests_until
        return self.fallback is not None and rests

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Yield ``TextDelta``s, a ``Retrying`` before each retry, then one ``Completed``. Raises ``ModelError``."""
        first, fallback = self.first, self.fallback
        error = first.fault
        if not self.stands_in:
            retries = 0 if fallback is not None and first.faults else self.retry_policy.retries
            try:
                async with contextlib.aclosing(self._tried(first, request, retries)) as events:
                    async for event in events:
                        if isinstance(event, Completed):
                            first.answered()
                        yield event
                return
            except ModelError as failure:
                if fallback is None:
                    raise
                first.failed(failure, self.clock.monotonic())
                error = failure
            yield Retrying(error, 0.0)
        assert fallback is not None
        assert error is not None
        # the fallback's own name: a worker's kind may have named another model for the first
        request = dataclasses.replace(request, model="")
        try:
            async with contextlib.aclosing(self._tried(fallback, request, self.retry_policy.retries)) as events:
                async for event in events:
                    if isinstance(event, Completed):
                        yield dataclasses.replace(event, because=f"{first.name}: {error.words}")
                    else:
                        yield event
        except ModelError as failure:
            raise self._neither(error, failure) from None

    async def _tried(self, source: Source, request: ModelRequest, retries: int) -> AsyncGenerator[ModelEvent, None]:
        attempt, corrected = 0, False
        began = self.clock.monotonic()
        while True:
            try:
                events = source.ask(request)
                try:
                    async for event in events:
                        yield event
                        if isinstance(event, Completed):
                            return
                finally:
                    if isinstance(events, AsyncGenerator):
                        with contextlib.suppress(RuntimeError):  # it is already ending
                            await events.aclose()
                raise ModelError("cut", "The model's answer broke off.", retryable=True)
            except ModelError as error:
                failure = error
            if failure.correction:
                if corrected:
                    raise failure
                corrected, request = True, _with_correction(request, failure)
                yield Retrying(failure, 0.0)
                continue
            loads = failure.kind == "loading" and self.fallback in (None, source)
            if loads and self.clock.monotonic() - began < _LOADING:
                pause = failure.retry_after or _LOADING_PAUSE
            else:
                most = min(retries, 1) if failure.kind == "timeout" else retries
                too_long = (failure.retry_after or 0.0) > self.retry_policy.cap
                if not failure.retryable or attempt >= most or too_long:
                    raise failure
                pause = failure.retry_after or self.retry_policy.base * 2**attempt * (0.5 + self.clock.jitter())
                attempt += 1
            pause = min(self.retry_policy.cap, pause)
            yield Retrying(failure, pause)
            await self.clock.sleep(pause)

    def _neither(self, first: ModelError, second: ModelError) -> ModelError:
        assert self.fallback is not None
        # an error about the request itself counts only if the first model was not simply unavailable
        kind = first.kind if first.kind in _AWAY and second.kind != "too_long" else second.kind
        words = f"{first.words} The fallback {self.fallback.name} did not answer either: {second.words}"
        return ModelError(kind, words, retryable=False, retry_after=second.retry_after, usage=second.usage)


def _with_correction(request: ModelRequest, error: ModelError) -> ModelRequest:
    """Return the request with (part of) the model's answer and what is wrong with it."""
    share = message_characters(request.messages) // 32
    wrong = {"role": "assistant", "content": shorten(error.answer, max(_LEAST_ANSWER, min(_ANSWER, share)))}
    told = {"role": "user", "content": error.correction}
    return dataclasses.replace(request, messages=[*request.messages, wrong, told])
