"""Records of tool calls: the call, its result, the effect that it resolves to, and its approval."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Final, Literal

from pepper_tui.model.contexts import Json
from pepper_tui.model.record import Record
from pepper_tui.model.states import CALL_OPEN, ApprovalState, CallState
from pepper_tui.model.vocabulary import Effect

WAITS_ITS_TURN: Final = "waits for earlier calls of this step"
"""``ToolCall.deferred`` of a call beyond the number that one step may have under way."""


@dataclass(slots=True)
class ToolCall(Record):
    """One call of a tool, from its scheduling to its end; each change of state is a new version of its context.

    ``origin`` names the asker: ``step:<id>``, ``run:<id>`` or ``act:<id>`` (an act of a rule). ``root`` is ``user`` if
    a user message began the chain, else ``signal``. ``tainted``: some input of the asker came from outside.
    ``deferred`` says in words what a scheduled call waits for (room for a card, or ``WAITS_ITS_TURN``). ``summary`` is
    the one line of its card, once it has one: what a person calls it by. ``question`` is the id of the message that it
    was made for, if that message wants its own reply (``UserMessage.alone``). ``leave`` is the id of the message or act
    whose words let it reach an address without a card, and that address. ``announced``: the step that made it has told
    the user of it. ``typed``: what the user typed of its arguments, where it is the user's own act: it has their
    authority, for this call alone.
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
    typed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.effect, self.state = Effect(self.effect), CallState(self.state)

    @property
    def waits_its_turn(self) -> bool:
        return self.state is CallState.SCHEDULED and self.deferred == WAITS_ITS_TURN

    @property
    def waits_for_room(self) -> bool:
        """Whether its card can't open before another one is decided."""
        return self.state is CallState.SCHEDULED and self.deferred not in ("", WAITS_ITS_TURN)

    @property
    def open(self) -> bool:
        return self.state in CALL_OPEN or (self.state is CallState.UNKNOWN and not self.acknowledged)


@dataclass(slots=True)
class ToolResult(Record):
    """The result of a call (``tool.result``, id = the call's id). ``content`` is what the model reads, uncapped.

    ``summary`` and ``announced`` are those of the call. ``problem`` says in words why its approved attempt did nothing,
    if the card is back with the user.
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
    """One line of what an approval shows.

    ``untrusted``: the value occurs nowhere in what the user ever wrote; ``warning`` says why in words, if more is
    known. ``quiet``: it needs no loud mark. ``outside``: the label comes from a server or a model, not from Pepper.
    ``settled``: code took the value from the config, or from the mail that is answered; no model had a say in it.
    ``folded``: a card shows only how it begins. ``choices``: the only values that an edit may give it.
    """

    label: str
    value: str
    editable: bool = False
    untrusted: bool = False
    multiline: bool = False
    settled: bool = False
    warning: str = ""
    quiet: bool = False
    outside: bool = False
    folded: bool = False
    choices: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ResolvedEffect(Record):
    """An outside effect with nothing left open: what would happen, to the byte.

    ``payload`` is JSON and complete (``perform`` gets nothing else); ``digest`` binds all of it. ``not_before``: when
    it is to happen at the earliest (POSIX seconds), if not right after the yes.
    """

    tool: str
    definition: str  # hash of the tool's name, schema and effect
    account: str
    summary: str  # one line: "Send mail to alice@example.com: Re: lunch"
    lines: list[CardLine]
    payload: Json
    not_before: float = 0.0

    def __post_init__(self) -> None:
        self.lines = [line if isinstance(line, CardLine) else CardLine.of(line) for line in self.lines]

    @property
    def digest(self) -> str:
        bound: Json = {
            "tool": self.tool,
            "definition": self.definition,
            "account": self.account,
            "payload": self.payload,
        }
        if self.not_before:
            bound["not_before"] = self.not_before
        return hashlib.sha256(json.dumps(bound, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(slots=True)
class Approval(Record):
    """A question that only the user answers: may exactly this effect happen once?

    ``acts_at``: once approved, when its window ends and it is carried out. ``problem``: why it is back although it was
    approved before (a failed send, a missed window). ``retry_of``: the approval that failed. ``shown_at``: when a
    screen first drew it. ``revises``: the approval that a model's better words replaced. ``decided_by``: the front
    through which the user decided: ``socket``, or empty for the engine's own screen.
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
    retry_of: str = ""
    shown_at: float | None = None
    revises: str = ""
    decided_by: str = ""

    def __post_init__(self) -> None:
        self.state = ApprovalState(self.state)

    @property
    def resolved(self) -> ResolvedEffect:
        return ResolvedEffect.of(self.effect)
