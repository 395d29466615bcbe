"""What a model is asked and what it answers, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pepper_tui.foreseen import Foreseen
from pepper_tui.model.contexts import Json
from pepper_tui.model.records import Usage
from pepper_tui.model.vocabulary import Effect


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told of a tool. ``parameters`` is JSON Schema. ``resumes``: its calls may wait for long."""

    name: str
    description: str
    parameters: Json
    effect: Effect
    resumes: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a step or a worker is given to think about, as tagged text and as facts.

    ``kind``: ``user_msg``, ``signal``, ``tool_result``, ``approval``, ``task``. ``text`` is the escaped tagged form
    that a language model reads; ``facts`` the record's data for a model that works by rules.
    """

    kind: str
    text: str
    facts: Json


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One model call. ``entries`` are those that are new in this call (the prompt's text holds them already)."""

    role: Literal["scheduler", "worker", "triage", "summary"]
    messages: Sequence[Json]  # OpenAI chat messages
    tools: Sequence[ToolSpec] = ()
    entries: Sequence[Entry] = ()
    now: float = 0.0
    max_tokens: int = 2048
    reserve: Literal["chat", "background"] = "background"
    model: str = ""  # a worker kind's own model; empty: the role's


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class RequestedCall:
    """A tool call as the model asked for it, complete and of valid JSON."""

    id: str
    name: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class Completed:
    """The end of a complete, valid response. ``not_judged``: positions among the request's entries of the signals that
    were left alone for want of judgement. ``because``: why a fallback answered, in words; else empty. ``text`` is the
    whole of it: where what was streamed differs, this counts."""

    text: str
    calls: tuple[RequestedCall, ...]
    usage: Usage
    not_judged: tuple[int, ...] = ()
    because: str = ""


class ModelError(Exception, Foreseen):
    """A model call that gave no valid response.

    ``kind``: ``timeout``, ``rate_limited``, ``server``, ``cut``, ``bad_response``, ``empty``, ``endless``, ``auth``,
    ``budget``, ``unreachable``, ``setup`` (no such model, or one that can't call tools). ``words`` tells the user what
    happened and the way out. ``usage`` holds what was spent all the same.
    """

    def __init__(
        self,
        kind: str,
        words: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(words)
        self.kind, self.words, self.retryable = kind, words, retryable
        self.retry_after, self.usage = retry_after, usage


@dataclass(frozen=True, slots=True)
class Retrying:
    """What was streamed is void: the attempt ended in ``error``, and another follows in ``pause`` seconds."""

    error: ModelError
    pause: float


ModelEvent = TextDelta | Retrying | Completed
