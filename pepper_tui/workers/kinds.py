"""Kinds of workers: the built-in ones, config entries, and a user's own class in a file.

A kind defines a run's prompt, tools and bounds, and whether it has memory. A user's class is a subclass of
``StatelessWorker`` or ``StatefulWorker`` with ``execute_task``. Its ``call_tool`` and ``think`` go through the same
contexts as every run, so policy, bounds and crash recovery apply: after a crash ``execute_task`` runs again from the
top, and each saved call and thought returns its saved answer.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from pepper_tui.boundary.user_files import UserFileError, load_file
from pepper_tui.config import Worker as WorkerConfig
from pepper_tui.model import MORE_TOOLS, AgentState
from pepper_tui.text import shorten
from pepper_tui.text.errors import Foreseen, PepperError

GENERAL: Final = "general"
NOT_FOR_WORKERS: Final = frozenset(
    {"delegate", "wait", "cancel_call", "tell_worker", "return_final_answer", MORE_TOOLS}
)
"""Tools of the scheduler itself: a worker can neither delegate further nor control the loop."""
FOR_EVERY_WORKER: Final = frozenset({"ask_user"})
"""Tools that every worker has, whatever its kind names."""

_PURPOSE: Final = 240  # characters of a kind's prompt shown as its purpose
_TOOLS: Final = 12  # named per kind
_ALL_TOOLS: Final = "all that look or that change only Pepper's own store"
_GENERAL_PROMPT: Final = "You carry out one task with the tools you have and report what you found or did."
_MAIL_PROMPT: Final = (
    "You look after mail: you search, read and summarise threads, and draft or propose replies in the user's tone."
)


class KindError(PepperError, ValueError, Foreseen):
    """A kind can't be used; the words say which and how to fix it."""


class Hands(Protocol):
    """What a run provides to the user's class."""

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> str: ...
    async def think(self, prompt: str) -> str: ...
    async def load_state(self) -> AgentState | None: ...
    async def save_state(self, result: Any) -> None: ...


class StatelessWorker:
    """Base class of a user's own worker without memory.

    ``tools`` names the tools it may call; empty: all read and local tools.
    """

    prompt: str = ""
    tools: Sequence[str] = ()

    def __init__(self) -> None:
        self._hands: Hands | None = None

    def attach(self, hands: Hands) -> None:
        """Attach the run. Called by the pool before ``execute_task``."""
        self._hands = hands

    @property
    def hands(self) -> Hands:
        hands: Hands | None = getattr(self, "_hands", None)
        if hands is None:
            raise RuntimeError("a worker's tools work only inside execute_task")
        return hands

    async def execute_task(self, task_description: str) -> Any:
        """Carry out the task and return the answer; implemented by the subclass."""
        raise NotImplementedError(f"{type(self).__name__} needs: async def execute_task(self, task_description)")

    async def call_tool(self, name: str, **args: Any) -> str:
        """Call a tool and return its result's text. Raises ``ToolFailedError`` if it failed or was refused."""
        return await self.hands.call_tool(name, args)

    async def think(self, prompt: str) -> str:
        """Make one model call and return the reply's text."""
        return await self.hands.think(prompt)


class StatefulWorker(StatelessWorker):
    """Base class of a user's own worker with memory, stored under the agent's name."""

    async def load_state(self) -> AgentState | None:
        """Return what earlier runs left, or ``None`` in the first."""
        return await self.hands.load_state()

    async def save_state(self, result: Any) -> None:
        """Remember ``result``; it is stored in the same unit as the run's end."""
        await self.hands.save_state(result)


class ToolFailedError(PepperError, RuntimeError, Foreseen):
    """A tool that a worker called failed, was rejected or cancelled; the text says what happened."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How runs of one kind work. ``optional_tools``: missing tools are allowed. ``problem``: why it can't run."""

    name: str
    stateful: bool
    prompt: str
    tools: tuple[str, ...] = ()
    optional_tools: bool = False
    model: str = ""
    max_steps: int = 20
    max_seconds: float = 3600.0
    max_cost: float = 0.5
    worker: type[StatelessWorker] | None = None
    problem: str = ""


def described(kinds: Iterable[Kind]) -> str:
    """Return one line per kind that can run: its name, its purpose, its tools, whether it has memory."""
    lines = []
    for kind in kinds:
        if not kind.problem:
            purpose = shorten(" ".join(kind.prompt.split()), _PURPOSE)
            tools = ", ".join(kind.tools[:_TOOLS]) + (" and more" if len(kind.tools) > _TOOLS else "")
            memory = "remembers its tasks" if kind.stateful else "has no memory"
            lines.append(f"- {kind.name}: {purpose} Tools: {tools or _ALL_TOOLS}; {memory}.")
    return "\n".join(lines)


BUILT_IN: Final = (
    Kind(GENERAL, False, _GENERAL_PROMPT),
    Kind(
        "mail-agent",
        True,
        _MAIL_PROMPT,
        tools=(
            "search_mail",
            "read_mail",
            "read_thread",
            "read_attachment",
            "wait_for_mail",
            "draft_reply",
            "reply_mail",
            "send_mail",
            "forward_mail",
            "revise_proposal",
            "agenda",
            "search_context",
            "read_result",
            "take_note",
            "search_notes",
        ),
        optional_tools=True,
    ),
)


def load_kinds(entries: Sequence[WorkerConfig]) -> dict[str, Kind]:
    """Return the built-in kinds and those of the config (which may replace a built-in one), by name.

    A file that can't be used yields a kind with its ``problem``, so that one bad file stops no other worker.
    """
    kinds = {kind.name: kind for kind in BUILT_IN}
    for entry in entries:
        kinds[entry.name] = _of_config(entry)
    return kinds


def _of_config(entry: WorkerConfig) -> Kind:
    own: type[StatelessWorker] | None = None
    problem = ""
    if entry.file is not None:
        try:
            own = load_class(entry.file)
        except KindError as error:
            problem = f"worker {entry.name!r}: {error}"
    stateful = issubclass(own, StatefulWorker) if own else entry.stateful
    return Kind(
        name=entry.name,
        stateful=stateful,
        prompt=entry.prompt or (own.prompt if own else "") or _GENERAL_PROMPT,
        tools=tuple(entry.tools),
        model=entry.model,
        max_steps=entry.max_steps,
        max_seconds=entry.max_seconds,
        max_cost=entry.max_cost,
        worker=own,
        problem=problem,
    )


def load_class(path: Path) -> type[StatelessWorker]:
    """Return the one worker class that the file at ``path`` defines. Raises ``KindError`` in words."""
    if not path.is_file():
        raise KindError(
            f"{path} is not there; set file to a Python file with a StatefulWorker or StatelessWorker class"
        )
    try:
        module = load_file(path, f"pepper_own_worker_{path.stem}")
    except UserFileError as error:
        raise KindError(str(error)) from error
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, StatelessWorker) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        names = ", ".join(c.__name__ for c in found) or "none"
        raise KindError(f"{path} must define exactly one subclass of StatefulWorker or StatelessWorker; it has {names}")
    own: type[StatelessWorker] = found[0]
    if not inspect.iscoroutinefunction(own.execute_task) or own.execute_task is StatelessWorker.execute_task:
        raise KindError(f"{path}: {own.__name__} needs: async def execute_task(self, task_description)")
    return own
