"""A model in the attacker's hand: it says and calls what the script of an attack wants, over several turns."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from pepper_tui.model import Completed, ModelEvent, ModelRequest, RequestedCall, TextDelta, Usage

Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model answers once."""

    text: str = ""
    calls: tuple[Call, ...] = ()


Script = Turn | Callable[[str], Turn]
"""A turn, or what makes one of the prompt."""
WAITS = Turn(calls=(("wait", {}),))
ENDS = Turn(calls=(("return_final_answer", {"answer": "done"}),))


class Puppet:
    """``turns`` are taken by the scheduler's steps, ``work`` by the workers'; who has none left waits, or ends."""

    def __init__(self) -> None:
        self.turns: deque[Script] = deque()
        self.work: deque[Script] = deque()
        self.requests: list[ModelRequest] = []
        self.verdicts: list[dict[str, Any]] = []
        self.summary = "nothing"
        """What it says where it is asked to sum up."""

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.requests.append(request)
        turn = self._next(request)
        if turn.text:
            yield TextDelta(turn.text)
        number = len(self.requests)
        calls = tuple(RequestedCall(f"c{number}_{i}", name, given) for i, (name, given) in enumerate(turn.calls))
        yield Completed(turn.text, calls, Usage("puppet", request.role, 10, 5, 3, 0.0, request.now))

    def _next(self, request: ModelRequest) -> Turn:
        offered = [spec.name for spec in request.tools]
        if offered == ["judge"]:
            return Turn(calls=(("judge", {"verdicts": self.verdicts}),))
        queue, otherwise = {"scheduler": (self.turns, WAITS), "worker": (self.work, ENDS)}.get(
            request.role, (deque[Script](), Turn(self.summary))
        )
        if not queue:
            return otherwise
        script = queue.popleft()
        return script if isinstance(script, Turn) else script(prompt_of(request))


def prompt_of(request: ModelRequest) -> str:
    """All of a request's messages but the first, which holds Pepper's own instructions."""
    return "\n".join(str(message.get("content")) for message in request.messages[1:])
