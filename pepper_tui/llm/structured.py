"""A structured answer: the arguments of the only tool that the model was offered, or the same object as JSON text."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, replace

from pepper_tui.model import Completed, Json, ModelError, ModelEvent, ModelRequest

Stream = Callable[[ModelRequest], AsyncIterator[ModelEvent]]


@dataclass(frozen=True, slots=True)
class StructuredAnswer:
    """The answer. ``value`` is an object, not yet checked against the tool's schema; ``model`` is who answered."""

    value: Json
    model: str


async def ask_for_object(stream: Stream, request: ModelRequest) -> StructuredAnswer:
    """Ask the model to call the only tool of ``request``. Raises ``ModelError``, also if it returns nothing."""
    [tool] = request.tools
    completed: Completed | None = None
    events = stream(replace(request, must_call=True))
    try:
        async for event in events:
            if isinstance(event, Completed):
                completed = event
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()
    if completed is not None:
        given = next((call.arguments for call in completed.calls if call.name == tool.name), None)
        value = given if given is not None else _object_in(completed.text)
        if value is not None:
            return StructuredAnswer(value, completed.usage.model)
    raise ModelError("bad_response", f"The model did not answer by the tool {tool.name}.", retryable=False)


def _object_in(text: str) -> Json | None:
    """Return the object that begins at the first brace of ``text``, ignoring fences and words around it."""
    start = text.find("{")
    if start >= 0:
        with contextlib.suppress(ValueError, RecursionError):
            value, _ = json.JSONDecoder().raw_decode(text[start:])
            return value if isinstance(value, dict) else None
    return None
