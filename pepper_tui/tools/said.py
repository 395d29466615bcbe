"""What the user said in the step that a call belongs to: the order that the call carries out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pepper_tui.model import Namespace, Step, ToolCall, UserMessage

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Protocol

    from pepper_tui.model import Context

    class Readable(Protocol):
        """A store, or what a tool may read of it."""

        def get(self, context_id: str, *, namespace: str) -> Awaitable[Context | None]: ...


_STEPS: Final = 16  # a chain of steps, each on the results of the one before, in which the order is looked for


async def said_in(store: Readable, origin: str) -> list[UserMessage]:
    """The user's messages that the step of ``origin`` (``step:<id>``) held; none for any other origin."""
    step = await _step(store, origin)
    messages = []
    for ref in step.inputs if step is not None else []:
        space, _, ident = ref.partition(":")
        found = await store.get(ident, namespace=space) if space == Namespace.USER_MESSAGE else None
        messages += UserMessage.readable([found] if found is not None else [])
    return messages


async def asked_at(store: Readable, call: ToolCall) -> float:
    """When the user said the newest message that ``call`` carries out, over the steps that led to it; else 0."""
    origins, seen, newest = [call.origin], set[str](), 0.0
    while origins and len(seen) < _STEPS:
        origin = origins.pop()
        if origin in seen:
            continue
        seen.add(origin)
        newest = max([newest, *[message.created_at for message in await said_in(store, origin)]])
        step = await _step(store, origin)
        for ref in step.inputs if step is not None else []:
            space, _, ident = ref.partition(":")
            found = await store.get(ident, namespace=Namespace.TOOL_CALL) if space == Namespace.TOOL_RESULT else None
            origins += [earlier.origin for earlier in ToolCall.readable([found] if found is not None else [])]
    return newest


async def _step(store: Readable, origin: str) -> Step | None:
    kind, _, ident = origin.partition(":")
    found = await store.get(ident, namespace=Namespace.STEP) if kind == "step" else None
    return next(iter(Step.readable([found] if found is not None else [])), None)
