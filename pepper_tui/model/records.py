"""Records: the typed form of a context's ``data``, one a noun. Rooms exchange nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from pepper_tui.model.contexts import Json
from pepper_tui.model.gist import Gist
from pepper_tui.model.origins import Origin, Span, Written, whole
from pepper_tui.model.record import Record
from pepper_tui.model.states import CALL_OPEN, ApprovalState, CallState, NotificationState, ReminderState, RunState
from pepper_tui.model.vocabulary import Effect, Priority

MatterKind = Literal["event", "state"]
WAITS_ITS_TURN: Final = "waits for earlier calls of this step"
"""``ToolCall.deferred`` of a call beyond what one step may have under way."""


@dataclass(slots=True)
class Signal(Record):
    """A short, triaged statement that something happened outside (``signals.<source>``).

    ``content`` is its one line of use; ``gist`` holds the parts of that, where a person wrote. ``reason`` says in words
    why it got its priority. ``matter`` is the key of the real-world thing that it is about, the same across feeds; of
    ``matter_kind`` ``event`` each signal adds to it, of ``state`` the newest of a source replaces those before.
    ``metadata`` holds facts for the reader (sender, thread, start…), ``text`` (what was written, once), ``raw`` (the id
    in ``raw.*``) and ``rules``, the user's rules that hold for it (each a ``Match``).
    """

    id: str
    content: str
    created_at: float
    priority: Priority
    source: str
    reason: str
    matter: str
    metadata: Json = field(default_factory=dict)
    matter_kind: MatterKind = "event"
    gist: Gist | None = None

    def __post_init__(self) -> None:
        self.priority = Priority(self.priority)
        if not isinstance(self.gist, Gist):  # of older records, and of what others wrote, there may be none
            self.gist = Gist.of(self.gist) if isinstance(self.gist, Mapping) else None

    @property
    def text(self) -> str:
        """What was written, as far as it is kept; an older Pepper kept the first lines."""
        kept = (self.metadata.get(key) for key in ("text", "snippet", "first_line"))
        return next((each for each in kept if isinstance(each, str) and each), "")


@dataclass(slots=True)
class UserMessage(Record):
    """What the user said. ``after_calls``: calls to wait for first (Alt+Enter); empty means the next step. ``alone``:
    a step takes it without other messages, so that its reply is its own (`pepper ask`). ``spans``: what of ``text`` was
    not typed; ``None`` where nobody noted it, as in records of before there were spans: then none is typed."""

    id: str
    text: str
    created_at: float
    after_calls: list[str] = field(default_factory=list)
    withdrawn: bool = False
    alone: bool = False
    spans: list[Span] | None = None

    def __post_init__(self) -> None:
        if self.spans is not None:
            self.spans = [Span.of(span) for span in self.spans]

    @property
    def written(self) -> Written:
        """The text with its origins."""
        spans = whole(self.text, Origin.OUTSIDE) if self.spans is None else self.spans
        return Written(self.text, tuple(spans))


@dataclass(slots=True)
class UserAnswer(Record):
    """What the user answered to the question of that id. ``chosen`` counts its choices from 1; 0 for words of their
    own, whose ``spans`` are as in ``UserMessage``. The words of a choice are not the user's."""

    id: str
    text: str
    created_at: float
    chosen: int = 0
    spans: list[Span] | None = None

    def __post_init__(self) -> None:
        if self.spans is not None:
            self.spans = [Span.of(span) for span in self.spans]

    @property
    def written(self) -> Written:
        """The text with its origins."""
        typed = self.spans is not None and not self.chosen
        return Written(self.text, tuple(self.spans or ()) if typed else tuple(whole(self.text, Origin.OUTSIDE)))


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

    ``origin`` names who asked: ``step:<id>``, ``run:<id>`` or ``act:<id>`` (an act of a rule). ``root`` is ``user``
    where a user message began the chain, else ``signal``. ``tainted`` where any input of the asker came from outside.
    ``deferred`` says in words what a scheduled call waits for (room for a card, or ``WAITS_ITS_TURN``). ``summary``
    is the one line of its card, once it has one: what a person calls it by. ``question`` is the id of the message that
    it was made for, where that wants answers of its own (``UserMessage.alone``). ``leave`` is the id of the message
    or act whose words let it reach an address without a card, and that address. ``announced``: the step that made it
    has told the user of it.
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
    deferred: str = ""
    summary: str = ""
    question: str = ""
    leave: str = ""
    announced: bool = False

    def __post_init__(self) -> None:
        self.effect, self.state = Effect(self.effect), CallState(self.state)

    @property
    def waits_its_turn(self) -> bool:
        return self.state is CallState.SCHEDULED and self.deferred == WAITS_ITS_TURN

    @property
    def waits_for_room(self) -> bool:
        """Whether its card can't open before another is decided."""
        return self.state is CallState.SCHEDULED and self.deferred not in ("", WAITS_ITS_TURN)

    @property
    def open(self) -> bool:
        return self.state in CALL_OPEN or (self.state is CallState.UNKNOWN and not self.acknowledged)


@dataclass(slots=True)
class ToolResult(Record):
    """What a call came to (``tool.result``, id = the call's id). ``content`` is what the model reads, uncapped.

    ``summary`` and ``announced`` are those of the call. ``problem`` says in words why its approved attempt did nothing,
    where the card is back with the user.
    """

    call: str
    name: str
    arguments: Json
    state: CallState
    content: str
    created_at: float
    origin: str
    root: Literal["user", "signal"]
    tainted: bool = True
    summary: str = ""
    problem: str = ""
    question: str = ""
    announced: bool = False

    def __post_init__(self) -> None:
        self.state = CallState(self.state)


@dataclass(slots=True)
class CardLine(Record):
    """One line of what an approval shows. ``untrusted``: the value occurs nowhere in what the user ever wrote.
    ``warning`` says why in words, where more is known; ``quiet``: it needs no loud mark.
    ``outside``: the label is of a server or a model, not Pepper's own.
    ``settled``: code has taken the value from the config; no text had a say in it."""

    label: str
    value: str
    editable: bool = False
    untrusted: bool = False
    multiline: bool = False
    settled: bool = False
    warning: str = ""
    quiet: bool = False
    outside: bool = False


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
    """A question that only the user answers: may exactly this effect happen once?

    ``acts_at``: of an approved one, when its window ends and it is carried out. ``problem``: why it is back although it
    was approved before (a send that failed, a window that was missed). ``revises``: what better words replace.
    """

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
    acts_at: float | None = None
    problem: str = ""
    retry_of: str = ""  # the approval that failed
    shown_at: float | None = None  # when a screen first drew it
    revises: str = ""
    decided_by: str = ""  # through what the user decided: "socket", or nothing for the engine's own screen

    def __post_init__(self) -> None:
        self.state = ApprovalState(self.state)

    @property
    def resolved(self) -> ResolvedEffect:
        return ResolvedEffect.of(self.effect)


QUESTION: Final = "question"
"""The kind of a notification that asks."""
FROM_SENDER: Final = "sender:"
FROM_CALENDAR: Final = "calendar:"
FROM_FEED: Final = "feed:"
"""What the origin of a notification begins with, before the address, the calendar, or the feed."""


@dataclass(slots=True)
class Notification(Record):
    """Something Pepper tells the user unasked: never without a reason and a source.

    ``source`` is ``namespace:id`` of what it came from. ``kind``: ``notice``, ``brief``, ``reminder``, ``offer`` (asks
    about a missed reminder), ``question``, ``trouble``. A question has ``choices``, each with its ``words``; where each
    makes a call, also with the ``arguments`` of that and the ``field`` that other words take. It may have an end,
    ``expires_at``. ``who`` (a name), ``sender`` (an address) and ``subject`` are of what it came
    from, where that has them; ``trust`` says how well the user knows the sender. ``matter_kind`` as in ``Signal``.
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
    who: str = ""
    sender: str = ""
    subject: str = ""
    trust: str = ""
    matter_kind: MatterKind = "event"
    choices: list[Json] = field(default_factory=list)
    origin: str = ""  # who is behind it: "model" where a model's own call told it, else as in ``rules.origin``
    expires_at: float | None = None

    def __post_init__(self) -> None:
        self.priority, self.state = Priority(self.priority), NotificationState(self.state)

    @property
    def awaited(self) -> bool:
        """Whether the call that it comes from waits for its answer; else each choice makes a call of its own."""
        return self.kind == QUESTION and not any("arguments" in choice for choice in self.choices)


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
    matter: str = ""
    source: str = ""  # the act or signal that led to it, as `namespace:id`, where no call did
    root: str = ""  # of the call, as in `ToolCall`
    tainted: bool = False  # whether the call was: who asked for it had read text from outside
    typed: bool = False  # whether all its words are among those that the user typed in that turn
    read: list[str] = field(default_factory=list)  # what was read in that turn, in words

    def __post_init__(self) -> None:
        self.state = ReminderState(self.state)

    @property
    def is_the_users(self) -> bool:
        """Whether the user ordered it: by a rule, in their own words, or where nothing else could have asked for it."""
        return bool(self.source) or (self.root in ("", "user") and (self.typed or not self.tainted))


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
class Told(Record):
    """Words for a run that is under way, which it reads at its next step (``worker.told``). ``id`` is that of the call
    that told them; ``root`` and ``tainted`` are as in that."""

    id: str
    run: str
    text: str
    created_at: float
    root: Literal["user", "signal"] = "signal"
    tainted: bool = True


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
    ``because`` says why a fallback answered in place of the first model.
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
class Profile(Record):
    """What is known of the user (``profile``, id ``Profile.ID``): each fact by its name, as ``value``, ``at`` and
    ``typed``, which says whether it is in words that the user typed."""

    ID: ClassVar = "user"

    facts: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Health(Record):
    """Whether one part works (``health``, id = the part's name, e.g. ``feed.mail``). ``remedy`` says what to do.

    ``done``: it had an end, and has come to it.
    """

    EARLIER_NAMES: ClassVar[Mapping[str, str]] = {"mend": "remedy"}

    part: str
    state: Literal["ok", "starting", "trouble", "stopped", "done"]
    detail: str
    remedy: str
    at: float
