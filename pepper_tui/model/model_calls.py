"""What any model is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pepper_tui.model.contexts import Json
from pepper_tui.model.vocabulary import Effect
from pepper_tui.model.work import Usage
from pepper_tui.text.errors import Foreseen, PepperError

MORE_TOOLS: Final = "more_tools"
"""The tool with which a model asks for tools that a step does not offer."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told about a tool.

    ``parameters`` is JSON Schema. ``resumes``: its calls may wait for long. ``instructions``: how to use its tools, as
    told by the MCP ``server`` that it is from, escaped: see ``instructions.told``.
    """

    name: str
    description: str
    parameters: Json
    effect: Effect
    resumes: bool = False
    server: str = ""
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One input of a step or a worker, as tagged text and as facts.

    ``kind``: ``user_msg``, ``signal``, ``tool_result``, ``approval``, ``task``. ``text`` is the escaped tagged form
    that a language model reads; ``facts`` is the record's data, for a model that works by rules.
    """

    kind: str
    text: str
    facts: Json


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One model call. ``entries`` are those that are new in this call (the prompt's text already holds them)."""

    role: Literal["scheduler", "worker", "triage", "summary"]
    messages: Sequence[Json]  # OpenAI chat messages
    tools: Sequence[ToolSpec] = ()
    entries: Sequence[Entry] = ()
    now: float = 0.0
    max_tokens: int = 2048  # of the response, thinking included; the model's own setting if the request sets none
    needs: int = 0  # tokens that the answer itself is expected to take; 0: unknown
    reserve: Literal["chat", "background"] = "background"
    model: str = ""  # a worker kind's own model; empty: the role's
    must_call: bool = False  # only a tool call is an answer; servers that can do so enforce its schema


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class RequestedCall:
    """A tool call as the model requested it: complete, and valid JSON."""

    id: str
    name: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class Completed:
    """The end of a complete, valid response.

    ``not_judged``: positions among the request's entries of the signals that were left unjudged. ``because``: why a
    fallback answered, in words; else empty. ``text`` is all of it: if it differs from what was streamed, this counts.
    ``unfinished``: a limit cut the text off. ``left_out``: what the server refuses of the tools, in words; else empty.
    ``unmet``: it says itself that it did not understand, or has no way to do it.
    """

    text: str
    calls: tuple[RequestedCall, ...]
    usage: Usage
    not_judged: tuple[int, ...] = ()
    because: str = ""
    unfinished: bool = False
    left_out: str = ""
    unmet: bool = False


class ModelError(PepperError, Foreseen):
    """A model call that gave no valid response.

    ``kind``: ``timeout``, ``rate_limited``, ``server``, ``loading``, ``cut``, ``bad_response``, ``empty``, ``endless``,
    ``no_room`` (its own limit was used up before the answer was complete), ``auth``, ``budget``, ``unreachable``,
    ``too_long`` (the prompt, for this model), ``setup`` (no such model, or one that can't call tools). ``words`` tells
    the user what happened and what to do. ``usage`` holds what was spent nevertheless.

    ``window``: tokens that a prompt of this model may have, if a ``too_long`` names them; ``measured``: how many this
    one had. ``correction``: what to tell the model about its ``answer``, so that it can fix it; empty if that would not
    help.
    """

    def __init__(
        self,
        kind: str,
        words: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        usage: Usage | None = None,
        window: int = 0,
        measured: int = 0,
        correction: str = "",
        answer: str = "",
    ) -> None:
        super().__init__(words)
        self.kind, self.retryable = kind, retryable
        self.retry_after, self.usage = retry_after, usage
        self.window, self.measured = window, measured
        self.correction, self.answer = correction, answer


@dataclass(frozen=True, slots=True)
class Retrying:
    """Everything streamed so far is void: the attempt ended in ``error``, and another follows in ``pause`` seconds."""

    error: ModelError
    pause: float


ModelEvent = TextDelta | Retrying | Completed
