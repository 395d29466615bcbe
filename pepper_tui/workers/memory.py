"""A stateful worker's memory: its past tasks and answers, and a running summary of the dropped ones.

The context ``memory.<name>``/``<name>`` holds an ``AgentState``; each run that ends adds one event in the same unit as
its end. Events have a number ``n``, counting from 1. If they exceed the bounds in count or length, the oldest are
dropped, each leaving a rule-based excerpt at the end of the summary; the summary in turn drops its oldest lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pepper_tui.model import AgentState, Json, Namespace
from pepper_tui.store import Store
from pepper_tui.text import one_line

EVENT_COUNT: Final = 20
EVENT_CHARACTERS: Final = 16_000
SUMMARY_CHARACTERS: Final = 4_000
_FIELD: Final = 4_000  # characters kept per task or answer


def agent_name(name: str) -> str:
    """Return ``name`` as used in namespaces: lower case letters, digits, ``-`` and ``_``.

    Raises ``ValueError`` if nothing of it remains.
    """
    plain = re.sub(r"[^a-z0-9_]+", "-", name.strip().lower()).strip("-")[:60]
    if not plain:
        raise ValueError(
            f"{one_line(name, 40)!r} is no name for a worker; use letters and digits, such as 'mail-agent'"
        )
    return plain


def memory_namespace(agent: str) -> str:
    return f"{Namespace.MEMORY}.{agent}"


@dataclass(slots=True)
class Memory:
    """One agent's state as loaded. ``tainted``: some of it came from outside."""

    agent: str
    state: AgentState
    version: int = 0
    tainted: bool = False

    def remember(self, event: Json) -> None:
        """Add ``event`` and drop what exceeds the bounds."""
        state = self.state
        number = int(state.events[-1].get("n", len(state.events))) + 1 if state.events else self._let_go() + 1
        state.events.append({**_cut(event), "n": number})
        while len(state.events) > 1 and (len(state.events) > EVENT_COUNT or _size(state.events) > EVENT_CHARACTERS):
            state.summary = _summarised(state.summary or "", state.events.pop(0))

    def _let_go(self) -> int:
        """Return the number of the last event in the summary."""
        numbers = re.findall(r"^(\d+)\. ", self.state.summary or "", re.M)
        return int(numbers[-1]) if numbers else 0

    async def save(self, store: Store) -> None:
        """Store the state as the next version, in the caller's unit. A concurrent change fails the unit."""
        await store.put(
            self.state,
            namespace=memory_namespace(self.agent),
            context_id=self.agent,
            metadata={"tainted": self.tainted},
            expect_version=self.version,
        )


async def load_memory(store: Store, agent: str) -> Memory:
    """Return the memory of ``agent``; empty if it has none yet."""
    context = await store.get(agent, namespace=memory_namespace(agent))
    if context is None:
        return Memory(agent, AgentState())
    return Memory(agent, AgentState(**context.data), context.version, bool(context.metadata.get("tainted", True)))


def _cut(event: Json) -> Json:
    return {k: v[: _FIELD - 1] + "…" if isinstance(v, str) and len(v) > _FIELD else v for k, v in event.items()}


def _size(events: list[Json]) -> int:
    return sum(len(str(value)) for event in events for value in event.values())


def _summarised(summary: str, event: Json) -> str:
    task, answer = one_line(str(event.get("task", "")), 100), one_line(str(event.get("answer", "")), 160)
    lines = [*summary.splitlines(), f"{event.get('n', 0)}. {task} → {answer}"]
    while len(lines) > 1 and sum(len(line) + 1 for line in lines) > SUMMARY_CHARACTERS:
        lines.pop(0)
    return "\n".join(lines)
