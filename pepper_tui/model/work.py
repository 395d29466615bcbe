"""Records of Pepper's own work: steps and runs, what they cost and remember, and whether each part works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from pepper_tui.model.contexts import Json
from pepper_tui.model.record import Record
from pepper_tui.model.states import RunState

_FAMILIES: Final = {"feed": "", "mcp": "MCP server", "worker": "worker", "tools": "tools"}


@dataclass(slots=True)
class Step(Record):
    """One turn of the scheduler: its inputs and its outcome (``step``).

    ``inputs`` are ``namespace:id`` of what it took from the queue; ``calls`` ids of tool calls; ``message`` the id of
    what it said, ``log`` of what it kept to itself. ``round`` counts how many steps in a row only results have started.
    ``because`` says why a fallback answered instead of the first model.
    """

    id: str
    created_at: float
    inputs: list[str]
    calls: list[str] = field(default_factory=list)
    message: str = ""
    log: str = ""
    model: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    round: int = 0
    outcome: Literal["done", "stopped", "trouble"] = "done"
    seconds: float = 0.0
    because: str = ""


@dataclass(slots=True)
class WorkerRun(Record):
    """One task given to a worker. An empty ``agent`` means stateless. ``steps`` counts saved steps."""

    id: str
    call: str  # the delegate call that it answers
    agent: str
    kind: str
    task: str
    created_at: float
    root: Literal["user", "signal"] = "signal"
    tainted: bool = True
    state: RunState = RunState.QUEUED
    steps: int = 0
    spent: float = 0.0
    active_seconds: float = 0.0
    doing: str = ""
    answer: str = ""
    events: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = RunState(self.state)


@dataclass(slots=True)
class Told(Record):
    """Words for a run that is under way, which it reads at its next step (``worker.told``).

    ``id`` is that of the call that told them; ``root`` and ``tainted`` are those of that call.
    """

    id: str
    run: str
    text: str
    created_at: float
    root: Literal["user", "signal"] = "signal"
    tainted: bool = True


@dataclass(slots=True)
class AgentState(Record):
    """A stateful worker's memory: what happened, and a running summary of what was dropped (``memory.<name>``)."""

    events: list[Json] = field(default_factory=list)
    summary: str | None = None


@dataclass(slots=True)
class Usage(Record):
    """The cost of one model call. Tokens are the provider's count, or an estimate if it gave none."""

    model: str
    role: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost: float  # in the currency of the configured prices
    created_at: float
    step: str = ""


@dataclass(slots=True)
class Profile(Record):
    """What is known about the user (``profile``, id ``Profile.ID``).

    Each fact is held by its name, as ``value``, ``at`` and ``typed``: whether it is in words that the user typed.
    """

    ID: ClassVar = "user"

    facts: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Health(Record):
    """Whether one part works (``health``, id = the part's name, e.g. ``feed.mail``). ``remedy`` says what to do.

    ``done``: it was finite, and has come to its end. ``paused``: the user let it rest. ``well_at``: when it was well
    last, as far as that is known; while it is well, only the part itself knows.
    """

    EARLIER_NAMES: ClassVar[Mapping[str, str]] = {"mend": "remedy"}

    part: str
    state: Literal["ok", "starting", "trouble", "stopped", "done", "paused"]
    detail: str
    remedy: str
    at: float
    well_at: float = 0.0

    @property
    def name(self) -> str:
        """What the user calls the part: a feed by the name of its account."""
        return part_name(self.part)


def part_name(part: str) -> str:
    """Return what the user calls a part of that name."""
    family, dot, named = part.partition(".")
    return f"{_FAMILIES[family]} {named}".strip() if dot and family in _FAMILIES else part
