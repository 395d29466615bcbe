"""What a model is asked and what it answers, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pepper_tui.model.contexts import Json
from pepper_tui.model.vocabulary import Effect
from pepper_tui.model.work import Usage
from pepper_tui.text.errors import Foreseen, PepperError

MORE_TOOLS: Final = "more_tools"
"""The tool by which a model asks for tools that a step does not offer."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told of a tool. ``parameters`` is JSON Schema. ``resumes``: its calls may wait for long.
    ``instructions``: what the MCP ``server`` that it is from says of how to use its tools, escaped: see
    ``instructions.told``."""

    name: str
    description: str
    parameters: Json
    effect: Effect
    resumes: bool = False
    server: str = ""
    instructions: str = ""


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
    max_tokens: int = 2048  # of the response, thinking included; the model's own setting where the request sets none
    needs: int = 0  # tokens that the answer itself is thought to take; 0: not known
    reserve: Literal["chat", "background"] = "background"
    model: str = ""  # a worker kind's own model; empty: the role's
    must_call: bool = False  # only a call of a tool is an answer: servers that can, hold the model to its schema


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
    whole of it: where what was streamed differs, this counts. ``unfinished``: a limit cut the text off. ``left_out``:
    what the server refuses of the tools, in words; else empty."""

    text: str
    calls: tuple[RequestedCall, ...]
    usage: Usage
    not_judged: tuple[int, ...] = ()
    because: str = ""
    unfinished: bool = False
    left_out: str = ""


class ModelError(PepperError, Foreseen):
    """A model call that gave no valid response.

    ``kind``: ``timeout``, ``rate_limited``, ``server``, ``loading``, ``cut``, ``bad_response``, ``empty``, ``endless``,
    ``no_room`` (its own limit was used up before an answer stood), ``auth``, ``budget``, ``unreachable``, ``too_long``
    (the prompt, for this model), ``setup`` (no such model, or one that can't call tools). ``words`` tells the user what
    happened and the way out. ``usage`` holds what was spent all the same.

    ``window``: tokens that a prompt of this model may have, where a ``too_long`` names them, and ``measured`` how many
    this one had. ``correction``: what to tell the model of its ``answer``, so that it can fix it; empty where that
    would not help.
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
    """What was streamed is void: the attempt ended in ``error``, and another follows in ``pause`` seconds."""

    error: ModelError
    pause: float


ModelEvent = TextDelta | Retrying | Completed
