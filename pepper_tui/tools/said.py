"""What the user said in the step that a call belongs to, and in the whole turn.

The step's message is the order that the call carries out. The turn also has the steps that led to it, each on the
results of the one before, and those that gave the work to a worker.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pepper_tui.model import (
    ContextFilter,
    Namespace,
    Signal,
    Step,
    ToolCall,
    ToolResult,
    UserAnswer,
    UserMessage,
    WorkerRun,
)
from pepper_tui.text import one_line

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Protocol

    from pepper_tui.model import Context

    class Searchable(Protocol):
        """A store, or what a tool may read of it."""

        def query(self, filter: ContextFilter, /) -> Awaitable[list[Context]]: ...  # noqa: A002

    class Readable(Protocol):
        """A store, or what a tool may read of it."""

        def get(self, context_id: str, *, namespace: str) -> Awaitable[Context | None]: ...


_STEPS: Final = 16  # length of the chain of steps, each on the results of the one before, searched for the order
BY_USER: Final = "user:"
"""How the origin of a call begins that the user made by an act of their own."""
MAX_MESSAGES: Final = 5000
"""How many user messages are considered, newest first."""


def question_id(call_id: str) -> str:
    """Return the id of the question that a call asks, which is also that of the user's answer."""
    return f"question_{call_id}"


async def all_typed(store: Searchable, limit: int = MAX_MESSAGES) -> list[str]:
    """Return what the user typed, newest first: in messages, and in answers to questions."""
    found = await store.query(ContextFilter(namespaces=[Namespace.USER_MESSAGE], limit=limit))
    answers = await store.query(ContextFilter(namespaces=[Namespace.USER_ANSWER], limit=limit))
    said: list[UserMessage | UserAnswer] = [*UserMessage.readable(found), *UserAnswer.readable(answers)]
    said.sort(key=lambda one: one.created_at, reverse=True)
    return [piece for one in said for piece in one.written.typed()]


async def said_in(store: Readable, origin: str) -> list[UserMessage]:
    """Return the user's messages in the step of ``origin`` (``step:<id>``); none for any other origin."""
    return await _messages(store, await _inputs(store, origin))


async def asked_at(store: Readable, call: ToolCall) -> float:
    """Return when the newest user message behind ``call`` was said, over the steps that led to it; 0 if none.

    What the user makes by an act of their own is asked for at that moment.
    """
    if call.origin.startswith(BY_USER):
        return call.created_at
    return max((message.created_at for message in await _followed(store, call, through_runs=False)), default=0.0)


async def said_in_turn(store: Readable, call: ToolCall) -> list[UserMessage]:
    """Return the user's messages in the turn of ``call``."""
    return await _followed(store, call, through_runs=True)


async def typed_in_turn(store: Readable, call: ToolCall, text: str) -> bool:
    """Return whether the user typed all words of ``text`` in the turn of ``call``."""
    typed: set[str] = set()
    for message in await said_in_turn(store, call):
        for piece in message.written.typed():
            typed |= _words(piece)
    return _words(text) <= typed


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


async def read_in_turn(store: Readable, call: ToolCall) -> list[str]:
    """Return what came from outside in the turn of ``call``, each in a few words."""
    found: dict[str, None] = {}
    for inputs in await _turn(store, call, through_runs=True):
        for ref in inputs:
            space, _, ident = ref.partition(":")
            saved = await store.get(ident, namespace=space)
            if space.startswith(f"{Namespace.SIGNALS}.") and (signal := Signal.one(saved)) is not None:
                found[f"“{one_line(signal.content, 80)}”"] = None
            elif space == Namespace.TOOL_RESULT and (result := ToolResult.one(saved)) is not None and result.tainted:
                asked = ToolCall.one(await store.get(ident, namespace=Namespace.TOOL_CALL))
                found[f"what {one_line(asked.name, 40) if asked else 'a tool'} gave"] = None
    return list(found)


async def _followed(store: Readable, call: ToolCall, *, through_runs: bool) -> list[UserMessage]:
    said: dict[str, UserMessage] = {}
    for inputs in await _turn(store, call, through_runs=through_runs):
        said |= {message.id: message for message in await _messages(store, inputs)}
    return list(said.values())


async def _turn(store: Readable, call: ToolCall, *, through_runs: bool) -> list[list[str]]:
    """Return the inputs of each step that led to ``call``, the last step first."""
    origins, seen, given = [call.origin], set[str](), list[list[str]]()
    while origins and len(seen) < _STEPS:
        origin = origins.pop()
        if origin in seen:
            continue
        seen.add(origin)
        if through_runs and (giver := await giver_of(store, origin)) is not None:
            origins.append(giver.origin)
            continue
        inputs = await _inputs(store, origin)
        given.append(inputs)
        origins += [earlier.origin for earlier in await _calls(store, inputs)]
    return given


async def giver_of(store: Readable, origin: str) -> ToolCall | None:
    """Return the call that began the worker's run of ``origin`` (``run:<id>``); none for any other origin."""
    kind, _, ident = origin.partition(":")
    run = WorkerRun.one(await store.get(ident, namespace=Namespace.RUN)) if kind == "run" else None
    return ToolCall.one(await store.get(run.call, namespace=Namespace.TOOL_CALL)) if run is not None else None


async def _inputs(store: Readable, origin: str) -> list[str]:
    """Return the inputs of the step of ``origin``, as ``namespace:id``."""
    kind, _, ident = origin.partition(":")
    step = Step.one(await store.get(ident, namespace=Namespace.STEP)) if kind == "step" else None
    return step.inputs if step is not None else []


async def _messages(store: Readable, inputs: list[str]) -> list[UserMessage]:
    """Return the messages among ``inputs``, and the user's answers among its results."""
    found = [await store.get(ident, namespace=Namespace.USER_MESSAGE) for ident in _of(Namespace.USER_MESSAGE, inputs)]
    said = UserMessage.readable(context for context in found if context is not None)
    for call_id in _of(Namespace.TOOL_RESULT, inputs):
        answer = UserAnswer.one(await store.get(question_id(call_id), namespace=Namespace.USER_ANSWER))
        if answer is not None:
            said.append(UserMessage(answer.id, answer.text, answer.created_at, spans=list(answer.written.spans)))
    return said


async def _calls(store: Readable, inputs: list[str]) -> list[ToolCall]:
    """Return the calls whose results are among ``inputs``; a result has its call's id."""
    found = [await store.get(ident, namespace=Namespace.TOOL_CALL) for ident in _of(Namespace.TOOL_RESULT, inputs)]
    return ToolCall.readable(context for context in found if context is not None)


def _of(namespace: str, refs: list[str]) -> list[str]:
    """Return the ids of those ``refs`` that are in one namespace."""
    parted = [ref.partition(":") for ref in refs]
    return [ident for space, _, ident in parted if space == namespace]
