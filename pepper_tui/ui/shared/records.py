"""The records that the screen shows, as they stand, and the parts of it that they are shown in."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

from pepper_tui.domains.calendar.telling.next_event import NextEvent
from pepper_tui.model import (
    Approval,
    FollowUp,
    Health,
    Notification,
    Reminder,
    RuleAct,
    Signal,
    Span,
    ToolCall,
    WorkerRun,
)
from pepper_tui.ui.shared.tally import Tally


class Pane(StrEnum):
    """The parts of the board that can change on their own."""

    CHAT = "chat"
    INBOX = "inbox"
    SIGNALS = "signals"
    CALLS = "calls"
    WORKERS = "workers"
    STATUS = "status"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation. ``speaker``: ``you``, ``pepper`` or ``trouble``."""

    id: str
    speaker: str
    text: str
    at: float
    unfinished: bool = False
    queued: bool = False
    spans: tuple[Span, ...] = ()


@dataclass(slots=True)
class Records:
    """Each kind of record by its id; ``versions``: of each context that has been taken in."""

    versions: OrderedDict[tuple[str, str], int] = field(default_factory=OrderedDict)
    messages: dict[str, Message] = field(default_factory=dict)
    after: dict[str, tuple[str, ...]] = field(default_factory=dict)
    approvals: dict[str, Approval] = field(default_factory=dict)
    notifications: dict[str, Notification] = field(default_factory=dict)
    signals: OrderedDict[str, Signal] = field(default_factory=OrderedDict)
    calls: dict[str, ToolCall] = field(default_factory=dict)
    progress: dict[str, str] = field(default_factory=dict)
    runs: dict[str, WorkerRun] = field(default_factory=dict)
    health: dict[str, Health] = field(default_factory=dict)
    follow_ups: dict[str, FollowUp] = field(default_factory=dict)
    reminders: dict[str, Reminder] = field(default_factory=dict)
    acts: dict[str, RuleAct] = field(default_factory=dict)
    next_event: NextEvent = field(default_factory=NextEvent)
    costs: Tally = field(default_factory=Tally)
    held: Tally = field(default_factory=Tally)
