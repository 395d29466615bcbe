"""The vocabulary as types: contexts, the states that things pass through, and the records that rooms exchange.

A *record* is the typed form of a context's ``data``. Rooms meet in the store, so this module is their only
common language; it imports nothing of theirs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Final, Generic, Literal, Self, TypeVar

Json = dict[str, Any]

# --------------------------------------------------------------------------------------------- contexts and updates


@dataclass(frozen=True, slots=True)
class Context:
    """One thing that happened or is known, as it stands at one version.

    ``(namespace, context_id)`` names it; ``version`` starts at 1 and grows with each change of content; ``seq`` is
    the log position of this version. Times are POSIX seconds.
    """

    context_id: str
    namespace: str
    data: Json
    type: str = ""
    text: str = ""
    tags: frozenset[str] = frozenset()
    metadata: Json = field(default_factory=dict)
    version: int = 1
    seq: int = 0
    created_at: float = 0.0
    updated_at: float = 0.0
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class ContextUpdate:
    """One entry of the log: ``context`` as it was stored, or its last version where it was deleted."""

    seq: int
    context: Context
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ContextFilter:
    """Which contexts to return. Empty fields do not restrict.

    ``namespaces`` are dotted globs: ``signals.*`` matches every namespace below ``signals`` at any depth, ``*``
    alone matches all. ``tags`` must all be present; ``types`` match any. ``since`` and ``until`` bound
    ``updated_at`` (inclusive, exclusive). ``after_seq`` keeps only later log positions.
    """

    namespaces: Sequence[str] = ()
    tags: Sequence[str] = ()
    types: Sequence[str] = ()
    context_ids: Sequence[str] = ()
    since: float | None = None
    until: float | None = None
    after_seq: int = 0
    newest_first: bool = True
    limit: int = 100
    include_expired: bool = False


# --------------------------------------------------------------------------------------------------- state tables

S = TypeVar("S", bound=StrEnum)


class IllegalMoveError(ValueError):
    """A state was asked to become one that its table does not allow."""

    def __init__(self, table: str, now: str, to: str) -> None:
        super().__init__(f"{table}: {now} cannot become {to}")
        self.table, self.now, self.to = table, now, to


class StateTable(Generic[S]):
    """The moves that one kind of thing may make. The table is the law: every room changes state through ``move``."""

    def __init__(self, name: str, initial: S, moves: Mapping[S, frozenset[S]]) -> None:
        self.name = name
        self.initial = initial
        self.moves = moves
        self.open: frozenset[S] = frozenset(state for state in moves if moves[state])

    def allows(self, now: S, to: S) -> bool:
        return to in self.moves[now]

    def move(self, now: S, to: S) -> S:
        """``to``, or ``IllegalMoveError``."""
        if not self.allows(now, to):
            raise IllegalMoveError(self.name, now, to)
        return to


class DeliveryState(StrEnum):
    PENDING = "pending"
    RETRYING = "retrying"
    DONE = "done"
    DEAD = "dead"


DELIVERY: Final = StateTable(
    "delivery",
    DeliveryState.PENDING,
    {
        DeliveryState.PENDING: frozenset({DeliveryState.DONE, DeliveryState.RETRYING, DeliveryState.DEAD}),
        DeliveryState.RETRYING: frozenset({DeliveryState.DONE, DeliveryState.RETRYING, DeliveryState.DEAD}),
        DeliveryState.DEAD: frozenset({DeliveryState.PENDING}),  # re-driven
        DeliveryState.DONE: frozenset(),
    },
)


class CallState(StrEnum):
    SCHEDULED = "scheduled"
    WAITING_APPROVAL = "waiting_approval"
    ATTEMPTED = "attempted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


TOOL_CALL: Final = StateTable(
    "tool call",
    CallState.SCHEDULED,
    {
        # read, local and delegate calls end straight from `scheduled`: they have no attempt that could be in doubt.
        CallState.SCHEDULED: frozenset(
            {CallState.WAITING_APPROVAL, CallState.SUCCEEDED, CallState.FAILED, CallState.CANCELLED}
        ),
        CallState.WAITING_APPROVAL: frozenset({CallState.ATTEMPTED, CallState.FAILED, CallState.CANCELLED}),
        CallState.ATTEMPTED: frozenset({CallState.SUCCEEDED, CallState.FAILED, CallState.UNKNOWN}),
        CallState.UNKNOWN: frozenset({CallState.SUCCEEDED, CallState.FAILED}),  # by the user's answer or the probe
        CallState.CANCELLED: frozenset({CallState.WAITING_APPROVAL}),  # only by undoing a rejection
        CallState.SUCCEEDED: frozenset(),
        CallState.FAILED: frozenset(),
    },
)
CALL_OPEN: Final = frozenset({CallState.SCHEDULED, CallState.WAITING_APPROVAL, CallState.ATTEMPTED})


class ApprovalState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    EXPIRED = "expired"


APPROVAL: Final = StateTable(
    "approval",
    ApprovalState.PENDING,
    {
        ApprovalState.PENDING: frozenset(
            {ApprovalState.APPROVED, ApprovalState.EDITED, ApprovalState.REJECTED, ApprovalState.EXPIRED}
        ),
        ApprovalState.APPROVED: frozenset({ApprovalState.PENDING}),  # undo, until the call is attempted
        ApprovalState.REJECTED: frozenset({ApprovalState.PENDING}),  # undo
        ApprovalState.EDITED: frozenset(),
        ApprovalState.EXPIRED: frozenset(),
    },
)


class NotificationState(StrEnum):
    NEW = "new"
    SEEN = "seen"
    DONE = "done"
    DISMISSED = "dismissed"
    SNOOZED = "snoozed"


NOTIFICATION: Final = StateTable(
    "notification",
    NotificationState.NEW,
    {
        NotificationState.NEW: frozenset(
            {NotificationState.SEEN, NotificationState.DONE, NotificationState.DISMISSED, NotificationState.SNOOZED}
        ),
        NotificationState.SEEN: frozenset(
            {NotificationState.DONE, NotificationState.DISMISSED, NotificationState.SNOOZED}
        ),
        NotificationState.SNOOZED: frozenset(
            {NotificationState.NEW, NotificationState.DONE, NotificationState.DISMISSED}
        ),
        NotificationState.DONE: frozenset({NotificationState.NEW}),  # undo
        NotificationState.DISMISSED: frozenset({NotificationState.NEW}),  # undo
    },
)


class ReminderState(StrEnum):
    WAITING = "waiting"
    FIRED = "fired"
    OFFERED = "offered"
    CANCELLED = "cancelled"


REMINDER: Final = StateTable(
    "reminder",
    ReminderState.WAITING,
    {
        # A repeating reminder goes on waiting after each firing; one that was missed by too much is offered.
        ReminderState.WAITING: frozenset(
            {ReminderState.WAITING, ReminderState.FIRED, ReminderState.OFFERED, ReminderState.CANCELLED}
        ),
        ReminderState.OFFERED: frozenset({ReminderState.FIRED, ReminderState.CANCELLED}),
        ReminderState.FIRED: frozenset(),
        ReminderState.CANCELLED: frozenset({ReminderState.WAITING}),  # undo
    },
)


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING_APPROVAL = "waiting_approval"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


WORKER_RUN: Final = StateTable(
    "worker run",
    RunState.QUEUED,
    {
        RunState.QUEUED: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED}),
        RunState.RUNNING: frozenset(
            {RunState.WAITING_APPROVAL, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}
        ),
        RunState.WAITING_APPROVAL: frozenset({RunState.RUNNING, RunState.FAILED, RunState.CANCELLED}),
        RunState.SUCCEEDED: frozenset(),
        RunState.FAILED: frozenset(),
        RunState.CANCELLED: frozenset(),
    },
)

# ---------------------------------------------------------------------------------------------------- vocabulary


class Priority(StrEnum):
    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"
    LOG = "log"


class QueueRank(IntEnum):
    """The order in which the scheduler takes what it was given; FIFO within a rank."""

    USER = 0
    URGENT = 1
    ANSWER = 2  # results and decisions that the user waits for
    HIGH = 3
    RESULT = 4
    NORMAL = 5
    LOW = 6


class Effect(StrEnum):
    READ = "read"
    LOCAL = "local"
    WRITE = "write"
    SEND = "send"


class Namespace:
    """The namespaces that rooms meet in. Raw input and signals have one more level: the source."""

    RAW: ClassVar = "raw"  # raw.mail, raw.calendar, raw.clock, raw.<own>
    SIGNALS: ClassVar = "signals"  # signals.mail, …
    USER_MESSAGE: ClassVar = "user.message"
    ASSISTANT_MESSAGE: ClassVar = "assistant.message"
    ASSISTANT_LOG: ClassVar = "assistant.log"  # text of steps that may not speak
    STEP: ClassVar = "step"
    HISTORY: ClassVar = "history"
    SUMMARY: ClassVar = "history.summary"
    TOOL_CALL: ClassVar = "tool.call"
    TOOL_RESULT: ClassVar = "tool.result"
    PROGRESS: ClassVar = "tool.progress"
    APPROVAL: ClassVar = "approval"
    NOTIFICATION: ClassVar = "notification"
    REMINDER: ClassVar = "reminder"
    NOTE: ClassVar = "note"
    RUN: ClassVar = "worker.run"
    MEMORY: ClassVar = "memory"  # memory.<agent name>
    USAGE: ClassVar = "llm.usage"
    HEALTH: ClassVar = "health"
    PEOPLE: ClassVar = "people"  # addresses the user has written to
    SENT: ClassVar = "mail.sent"  # Message-IDs that Pepper itself caused


OPEN_TAG: Final = "open"
"""Carried by each tool call, approval, notification, reminder and run that still needs somebody: one indexed query
finds all unfinished work after a crash."""


# ------------------------------------------------------------------------------------------------------- records


@dataclass(slots=True)
class Record:
    """Base of the typed payloads. ``data()`` and ``of()`` are inverse; unknown keys of newer versions are ignored."""

    def data(self) -> Json:
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, source: Context | Mapping[str, Any]) -> Self:
        """The record held by a context (or by its data). Raises ``TypeError`` where a required key is missing."""
        values = source.data if isinstance(source, Context) else source
        known = {f.name: values[f.name] for f in dataclasses.fields(cls) if f.name in values}
        return cls(**known)


@dataclass(slots=True)
class Signal(Record):
    """A short, triaged statement that something happened outside (``signals.<source>``).

    ``reason`` says in words why it got its priority. ``matter`` is the key of the real-world thing that it is about,
    the same across feeds. ``metadata`` holds facts for the reader (sender, thread, start…), ``raw`` (the id in
    ``raw.*``) and, where a watch carries one, ``action``.
    """

    id: str
    content: str
    created_at: float
    priority: Priority
    source: str
    reason: str
    matter: str
    metadata: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.priority = Priority(self.priority)


@dataclass(slots=True)
class UserMessage(Record):
    """What the user typed. ``after_calls``: calls to wait for first (Alt+Enter); empty means the next step."""

    id: str
    text: str
    created_at: float
    after_calls: list[str] = field(default_factory=list)
    withdrawn: bool = False


@dataclass(slots=True)
class AssistantMessage(Record):
    """What Pepper said. ``step`` leads to why. ``kind`` ``trouble`` marks words of Pepper's own about an error."""

    id: str
    text: str
    created_at: float
    step: str
    unfinished: bool = False
    kind: Literal["reply", "trouble"] = "reply"


@dataclass(slots=True)
class ToolCall(Record):
    """One call of a tool, from its scheduling to its end; each change of state is a new version of its context.

    ``origin`` names who asked: ``step:<id>`` or ``run:<id>``. ``root`` is ``user`` where a user message began the
    chain, else ``signal``. ``tainted`` where any input of the asker came from outside.
    """

    id: str
    name: str
    arguments: Json
    effect: Effect
    created_at: float
    origin: str
    root: Literal["user", "signal"] = "signal"
    tainted: bool = True
    state: CallState = CallState.SCHEDULED
    matter: str = ""
    approval: str = ""
    progress: str = ""
    error: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    acknowledged: bool = False  # an `unknown` that the user has left as it is

    def __post_init__(self) -> None:
        self.effect, self.state = Effect(self.effect), CallState(self.state)

    @property
    def open(self) -> bool:
        return self.state in CALL_OPEN or (self.state is CallState.UNKNOWN and not self.acknowledged)


@dataclass(slots=True)
class ToolResult(Record):
    """What a call came to (``tool.result``, id = the call's id). ``content`` is what the model reads, uncapped."""

    call: str
    name: str
    arguments: Json
    state: CallState
    content: str
    created_at: float
    origin: str
    root: Literal["user", "signal"]
    tainted: bool = True

    def __post_init__(self) -> None:
        self.state = CallState(self.state)


@dataclass(slots=True)
class CardLine(Record):
    """One line of what an approval shows. ``untrusted``: the value occurs nowhere in what the user ever wrote."""

    label: str
    value: str
    editable: bool = False
    untrusted: bool = False
    multiline: bool = False


@dataclass(slots=True)
class ResolvedEffect(Record):
    """An outside effect with nothing left open: what would happen, to the byte.

    ``payload`` is JSON and complete (``perform`` gets nothing else); ``digest`` binds all of it.
    """

    tool: str
    definition: str  # hash of the tool's name, schema and effect
    account: str
    summary: str  # one line: "Send mail to alice@example.com: Re: lunch"
    lines: list[CardLine]
    payload: Json

    def __post_init__(self) -> None:
        self.lines = [line if isinstance(line, CardLine) else CardLine.of(line) for line in self.lines]

    @property
    def digest(self) -> str:
        bound = {"tool": self.tool, "definition": self.definition, "account": self.account, "payload": self.payload}
        return hashlib.sha256(json.dumps(bound, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(slots=True)
class Approval(Record):
    """A question that only the user answers: may exactly this effect happen once?"""

    id: str
    call: str
    effect: Json  # ResolvedEffect.data()
    digest: str
    created_at: float
    expires_at: float
    reason: str = ""  # why Pepper proposes it
    state: ApprovalState = ApprovalState.PENDING
    decided_at: float | None = None
    decision_note: str = ""
    edited_into: str = ""
    snoozed_until: float | None = None
    matter: str = ""

    def __post_init__(self) -> None:
        self.state = ApprovalState(self.state)

    @property
    def resolved(self) -> ResolvedEffect:
        return ResolvedEffect.of(self.effect)


@dataclass(slots=True)
class Notification(Record):
    """Something Pepper tells the user unasked: never without a reason and a source.

    ``source`` is ``namespace:id`` of what it came from. ``kind``: ``notice``, ``brief``, ``reminder``, ``offer`` (asks
    about a missed reminder), ``trouble``.
    """

    id: str
    title: str
    body: str
    reason: str
    source: str
    created_at: float
    priority: Priority = Priority.NORMAL
    kind: str = "notice"
    matter: str = ""
    state: NotificationState = NotificationState.NEW
    snoozed_until: float | None = None

    def __post_init__(self) -> None:
        self.priority, self.state = Priority(self.priority), NotificationState(self.state)


@dataclass(slots=True)
class Reminder(Record):
    """A promise to speak at a time. ``rule`` is an RFC 5545 RRULE (empty = once); ``zone`` an IANA name."""

    id: str
    text: str
    due: float
    zone: str
    created_at: float
    rule: str = ""
    starts: float = 0.0  # first occurrence: the DTSTART of `rule`
    state: ReminderState = ReminderState.WAITING
    call: str = ""

    def __post_init__(self) -> None:
        self.state = ReminderState(self.state)


@dataclass(slots=True)
class WorkerRun(Record):
    """One task given to a worker. ``agent`` empty means stateless. ``steps`` counts saved steps."""

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
class AgentState(Record):
    """A stateful worker's memory: what happened and a running summary of what has been let go (``memory.<name>``)."""

    events: list[Json] = field(default_factory=list)
    summary: str | None = None


@dataclass(slots=True)
class Usage(Record):
    """What one model call cost. Tokens are the provider's count, or an estimate where it gave none."""

    model: str
    role: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost: float  # in the currency of the configured prices
    created_at: float
    step: str = ""


@dataclass(slots=True)
class Step(Record):
    """One turn of the scheduler: what it was given and what came of it (``step``).

    ``inputs`` are ``namespace:id`` of what it took from the queue; ``calls`` ids of tool calls; ``message`` the id of
    what it said, ``log`` of what it kept to itself. ``round`` counts the steps in a row that only results started.
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


@dataclass(slots=True)
class Health(Record):
    """Whether one part works (``health``, id = the part's name, e.g. ``feed.mail``). ``mend`` says what to do."""

    part: str
    state: Literal["ok", "starting", "trouble", "stopped"]
    detail: str
    mend: str
    at: float


# ------------------------------------------------------------------------------------------- the engine and its users

SHOWN: Final = (
    f"{Namespace.SIGNALS}.*",
    Namespace.USER_MESSAGE,
    Namespace.ASSISTANT_MESSAGE,
    Namespace.ASSISTANT_LOG,
    Namespace.TOOL_CALL,
    Namespace.PROGRESS,
    Namespace.APPROVAL,
    Namespace.NOTIFICATION,
    Namespace.RUN,
    Namespace.USAGE,
    Namespace.HEALTH,
)
"""The namespaces that a person may see change."""

UnknownAnswer = Literal["check", "happened", "did_not", "leave"]
"""What the user may say of a call whose outcome is not known."""


class EngineError(Exception):
    """An act that the engine refused or could not do. ``words`` are for the user."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


# -------------------------------------------------------------------------------------------------------- model access


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told of a tool. ``parameters`` is JSON Schema."""

    name: str
    description: str
    parameters: Json
    effect: Effect


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
    """The end of a complete, valid response."""

    text: str
    calls: tuple[RequestedCall, ...]
    usage: Usage


ModelEvent = TextDelta | Completed


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """A piece of a reply that is being written. ``restart``: what was shown so far is void. ``done``: it ended."""

    message_id: str
    text: str
    restart: bool = False
    done: bool = False


class ModelError(Exception):
    """A model call that gave no valid response.

    ``kind``: ``timeout``, ``rate_limited``, ``server``, ``cut``, ``bad_response``, ``empty``, ``endless``, ``auth``,
    ``budget``, ``unreachable``. ``words`` tells the user what happened and the way out. ``usage`` holds what was
    spent all the same.
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
