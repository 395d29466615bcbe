"""Records of what the user ordered. A rule is a condition and acts; each match of it has one record per act.

``rule`` holds rules that were made in Pepper (config rules are read with the config); ``rule.pause`` holds a row for
each paused rule of either kind; ``rule.act`` holds the acts; ``rule.match`` marks a signal whose rules have been
handled; ``follow_up`` holds the answers that are awaited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from pepper_tui.model.contexts import Context, Json
from pepper_tui.model.record import Record
from pepper_tui.model.states import StateTable
from pepper_tui.model.vocabulary import Priority


class RuleState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    REMOVED = "removed"


RULE: Final = StateTable(
    "rule",
    RuleState.ACTIVE,
    {
        RuleState.ACTIVE: frozenset({RuleState.PAUSED, RuleState.REMOVED}),
        RuleState.PAUSED: frozenset({RuleState.ACTIVE, RuleState.REMOVED}),
        RuleState.REMOVED: frozenset({RuleState.ACTIVE}),  # an earlier version brought back
    },
)


class ActState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    DEFERRED = "deferred"
    WITHDRAWN = "withdrawn"


ACT: Final = StateTable(
    "act of a rule",
    ActState.PENDING,
    {
        ActState.PENDING: frozenset({ActState.DONE, ActState.FAILED, ActState.DEFERRED, ActState.WITHDRAWN}),
        ActState.DEFERRED: frozenset({ActState.PENDING, ActState.DONE, ActState.FAILED, ActState.WITHDRAWN}),
        ActState.DONE: frozenset(),
        ActState.FAILED: frozenset(),
        ActState.WITHDRAWN: frozenset(),
    },
)


class FollowUpState(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    DUE = "due"
    DROPPED = "dropped"


FOLLOW_UP: Final = StateTable(
    "follow-up",
    FollowUpState.OPEN,
    {
        FollowUpState.OPEN: frozenset({FollowUpState.ANSWERED, FollowUpState.DUE, FollowUpState.DROPPED}),
        FollowUpState.ANSWERED: frozenset(),
        FollowUpState.DUE: frozenset(),
        FollowUpState.DROPPED: frozenset({FollowUpState.OPEN}),  # undo
    },
)

ActKind = Literal["notify", "draft", "remind", "follow_up", "brief", "ask"]
ACTS: Final[tuple[ActKind, ...]] = ("notify", "draft", "remind", "follow_up", "brief", "ask")
"""The acts of a rule, in the order in which they are carried out."""

RuleOrigin = Literal["config", "made", "built in"]


@dataclass(slots=True)
class Rule(Record):
    """One standing order of the user: when ``condition`` holds, code carries out the acts.

    ``id`` is made from the name. ``version`` changes with what the rule says: a number for a rule made in Pepper, a
    hash of its words for one from the config. All conditions that are set must hold; a rule needs at least one.

    A signal: ``source`` (mail, calendar, clock, a feed's name), ``sender`` (addresses, or domains as ``@example.com``),
    ``words`` (any of them, whole words, in subject or text), ``thread`` (words of the subject), ``label``, ``known``
    (the user has written to the sender, or named them as a VIP), ``question`` (asked of the user directly). A time:
    ``cron`` (in the user's zone) or ``every`` (seconds), with ``text`` as what it says. An event: ``before`` (minutes
    before it begins). The end of a follow-up: ``after``, the name of the rule whose follow-up was not answered.

    Acts: ``notify``; ``draft``, a template's name, or ``reply``, the words themselves; ``remind``, a time in words;
    ``follow_up``, hours, with ``nudge`` as the template of a reminder mail at its end; ``brief``, for an event the
    minutes before it, else 1; ``ask``, a prompt in the user's words.
    """

    id: str
    name: str
    version: str = "1"
    origin: RuleOrigin = "made"
    state: RuleState = RuleState.ACTIVE
    created_at: float = 0.0
    source: str = ""
    sender: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    thread: str = ""
    label: str = ""
    known: bool = False
    question: bool = False
    cron: str = ""
    every: float = 0.0
    text: str = ""
    before: int = 0
    after: str = ""
    priority: Priority = Priority.HIGH
    notify: bool = False
    draft: str = ""
    reply: str = ""
    remind: str = ""
    follow_up: float = 0.0
    nudge: str = ""
    brief: int = 0
    ask: str = ""

    def __post_init__(self) -> None:
        self.priority, self.state = Priority(self.priority), RuleState(self.state)

    @property
    def timed(self) -> bool:
        """Whether the clock triggers it."""
        return bool(self.cron or self.every)

    @property
    def conditional(self) -> bool:
        """Whether it looks at signals: without any condition it would match everything."""
        looks = self.source or self.sender or self.words or self.thread or self.label or self.known or self.question
        return bool(looks or self.before or self.after)

    @property
    def acts(self) -> list[ActKind]:
        """What it orders, in the order of ``ACTS``."""
        asked: dict[ActKind, bool] = {
            "notify": self.notify,
            "draft": bool(self.draft or self.reply),
            "remind": bool(self.remind),
            "follow_up": self.follow_up > 0,
            "brief": self.brief > 0,
            "ask": bool(self.ask),
        }
        return [act for act in ACTS if asked[act]]


@dataclass(slots=True)
class Match(Record):
    """One rule that holds for a signal, with all that its acts need, as it was then (``Signal.metadata["rules"]``).

    So a match is carried out as the rule was then, even if the rule is changed or paused meanwhile. ``template`` and
    ``nudge_template`` are the texts of the templates that the rule names.
    """

    rule: str
    version: str
    name: str
    acts: list[ActKind]
    draft: str = ""
    template: str = ""
    remind: str = ""
    follow_up: float = 0.0
    nudge: str = ""
    nudge_template: str = ""
    brief: int = 0
    ask: str = ""


@dataclass(slots=True)
class RuleAct(Record):
    """One act of one match (``rule.act``).

    ``match`` names the signal; ``made`` is its result, as ``namespace:id``; ``detail`` says in words why it is
    deferred, failed or withdrawn.
    """

    id: str
    rule: str
    version: str
    name: str  # the rule's
    match: str
    act: ActKind
    created_at: float
    about: str = ""  # what the match is about, in one line
    matter: str = ""
    state: ActState = ActState.PENDING
    made: str = ""
    detail: str = ""
    ended_at: float | None = None

    def __post_init__(self) -> None:
        self.state = ActState(self.state)

    @property
    def open(self) -> bool:
        return self.state in ACT.open


def act_id(rule: str, version: str, match: str, act: str) -> str:
    """Return the id of an act's record: the same match of the same version of a rule has each act only once."""
    return f"{rule}|{version}|{match}|{act}"


def match_id(context: Context) -> str:
    """Return the id of a signal's match: the signal's, with its version if a state has been told anew."""
    ref = f"{context.namespace}:{context.context_id}"
    return ref if context.version == 1 else f"{ref}#{context.version}"


@dataclass(slots=True)
class FollowUp(Record):
    """A timer and a subscription (``follow_up``): whether one of ``parties`` answers in the thread by ``due``.

    ``thread`` is the conversation's key, ``message_ids`` the mails that an answer may refer to, ``parties`` addresses
    in lower case. ``rule`` is empty if the user asked for it directly. Each time the user writes to them in the thread
    (``wrote``), the whole time starts over; a follow-up of the user's own mail starts with that mail.
    """

    id: str
    matter: str
    thread: str
    subject: str
    parties: list[str]
    message_ids: list[str]
    created_at: float
    due: float
    rule: str = ""
    rule_name: str = ""
    act: str = ""
    source: str = ""  # the signal that started it, as `namespace:id`
    wrote: float | None = None  # when the user last wrote to them
    who: str = ""  # whose answer is waited for, as a person reads it
    nudge: str = ""  # name of the nudge's template
    nudge_template: str = ""
    state: FollowUpState = FollowUpState.OPEN
    answer: str = ""  # the mail that ended it, its id in raw.mail
    ended_at: float | None = None
    quiet: bool = False  # nobody ordered it: an answer ends it without a word
    said: str = ""  # what was asked, in the user's words
    away: str = ""  # what an automatic answer said of an absence

    def __post_init__(self) -> None:
        self.state = FollowUpState(self.state)

    @property
    def since(self) -> float:
        """When the wait for an answer began."""
        return self.created_at if self.wrote is None else max(self.wrote, self.created_at)


@dataclass(slots=True)
class RuleReport(Record):
    """One rule as a list shows it: what it says, as a sentence and as TOML, and its results so far.

    ``acts`` counts its acts by state; ``cost`` is what its ``ask`` has spent; ``dismissed`` counts its notices that the
    user dismissed; ``waits`` says in words what it waits for (a model, room for cards), else empty.
    """

    rule: Json
    sentence: str
    toml: str
    matches: int = 0
    acts: dict[str, int] = field(default_factory=dict)
    cost: float = 0.0
    dismissed: int = 0
    last: float | None = None
    waits: str = ""


class Trust(StrEnum):
    """How well the user knows the sender, the most trusted first."""

    USER = "user"
    VIP = "vip"
    WRITTEN_TO = "written to"
    KNOWN = "known"
    UNKNOWN = "unknown"


TRUST_ORDER: Final = {trust: place for place, trust in enumerate(Trust)}


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that rules may look at. ``sender``, ``to`` and ``cc`` are addresses in lower case.

    ``minutes``: for an event that begins soon, the minutes until then; ``entry``: for a time, the id of its rule;
    ``after``: for an unanswered follow-up, the name of its rule. ``known``: the user has written to the sender, or
    named them as a VIP; ``direct``: addressed to the user alone; ``question``: its own lines ask something. ``silent``:
    why it needs nobody's attention, such as the folder of junk that it lies in.
    """

    source: str
    sender: str = ""
    name: str = ""
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    subject: str = ""
    text: str = ""
    labels: Sequence[str] = ()
    is_list: bool = False
    automatic: bool = False
    priority: Priority = Priority.NORMAL  # if no rule says otherwise
    reason: str = ""
    minutes: int = 0
    entry: str = ""
    after: str = ""
    known: bool = False
    direct: bool = False
    question: bool = False
    silent: str = ""


def matches_of(metadata: Json) -> list[Match]:
    """Return the matches that a signal carries, skipping what is not a valid match."""
    given = metadata.get("rules")
    found = []
    for one in given if isinstance(given, list) else []:
        if isinstance(one, dict):
            try:
                found.append(Match.of(one))
            except (TypeError, ValueError):
                continue
    return found
