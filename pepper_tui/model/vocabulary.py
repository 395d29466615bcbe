"""The words that rooms share: priorities, queue ranks, effects, and namespaces."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import ClassVar, Final


class Priority(StrEnum):
    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"
    LOG = "log"


class QueueRank(IntEnum):
    """The order in which the scheduler takes its inputs; FIFO within a rank."""

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
    UNJUDGED: ClassVar = "unjudged"  # signals that wait for a model, id = namespace:id; signals.unjudged asks for it
    USER_MESSAGE: ClassVar = "user.message"
    USER_ANSWER: ClassVar = "user.answer"  # answers to what Pepper asked, id = the question's
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
    RULE: ClassVar = "rule"  # rules made in Pepper, id = the rule's
    RULE_PAUSE: ClassVar = "rule.pause"  # a row for each rule that is paused, id = the rule's
    RULE_MATCH: ClassVar = "rule.match"  # a signal whose rules have been handled, id = its namespace:id
    RULE_ACT: ClassVar = "rule.act"  # the outcome of each act of each match
    FOLLOW_UP: ClassVar = "follow_up"
    NOTE: ClassVar = "note"
    PROFILE: ClassVar = "profile"
    RUN: ClassVar = "worker.run"
    TOLD: ClassVar = "worker.told"  # words for a run that is under way, id = that of the call that told them
    MEMORY: ClassVar = "memory"  # memory.<agent name>
    USAGE: ClassVar = "llm.usage"
    HEALTH: ClassVar = "health"
    PEOPLE: ClassVar = "people"  # addresses the user has written to
    SENT: ClassVar = "mail.sent"  # Message-IDs that Pepper itself caused
    WRITTEN: ClassVar = "mail.written"  # addresses to which mail in the user's own folders went
    FILED: ClassVar = "mail.filed"  # what became of filed mails, id = the call's
    ADDED: ClassVar = "calendar.added"  # the same of events, id = UID
    NEXT_EVENT: ClassVar = "calendar.next"  # the next event ahead, one row
    MCP_SERVER: ClassVar = "mcp.server"  # what is trusted of each MCP server, id = its name
    UNDO: ClassVar = "undo"  # what the user did at the screen, so that it can be undone


OPEN_TAG: Final = "open"
"""Carried by each tool call, approval, notification, reminder and run that still needs attention: one indexed query
finds all unfinished work after a crash.
"""

HELD_TAG: Final = "held"
"""On a signal that was only logged, but might have been told."""
BACKLOG: Final = "was there when Pepper first looked"
"""The reason of a signal that was made from what a source already held: history, kept from nobody."""

TIMES: Final = frozenset({"start", "end", "date", "arrived", "due", "at", "created_at", "until"})
"""Facts of a signal that are times, in POSIX seconds."""

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
    Namespace.REMINDER,
    Namespace.RULE,
    Namespace.RULE_PAUSE,
    Namespace.RULE_ACT,
    Namespace.FOLLOW_UP,
    Namespace.USAGE,
    Namespace.HEALTH,
    Namespace.NEXT_EVENT,
)
"""The namespaces whose changes a person may see."""

RESERVED: Final = frozenset(
    {
        Namespace.APPROVAL,
        Namespace.TOOL_CALL,
        Namespace.TOOL_RESULT,
        Namespace.USER_MESSAGE,
        Namespace.USER_ANSWER,
        Namespace.ASSISTANT_MESSAGE,
        Namespace.STEP,
        Namespace.HISTORY,
        Namespace.SUMMARY,
        Namespace.RUN,
        Namespace.TOLD,
        Namespace.MCP_SERVER,
        Namespace.FILED,
        Namespace.RULE,
        Namespace.RULE_PAUSE,
        Namespace.RULE_MATCH,
        Namespace.RULE_ACT,
        Namespace.FOLLOW_UP,
        Namespace.UNDO,
        Namespace.WRITTEN,
    }
)
"""What decides, what the user said, and what was done: no tool writes these."""

AFTER_A_YES: Final = frozenset({Namespace.PEOPLE, Namespace.SENT, Namespace.ADDED})
"""Written only by what the user has approved."""

NOT_FOR_FEEDS: Final = (
    *sorted(RESERVED | AFTER_A_YES),
    # with their families, so that a name added later is not left open
    "user.*", "assistant.*", "tool.*", "history.*", "worker.*", "mcp.*", "rule.*", "mail.*", "calendar.*", "llm.*",
    Namespace.HEALTH, Namespace.NOTIFICATION, Namespace.REMINDER, Namespace.NOTE, Namespace.PROFILE,
    f"{Namespace.MEMORY}.*", Namespace.UNJUDGED, "judging.*", "feed.*", "follow", "follow.*",
    "raw.mail", "raw.calendar", "raw.clock",
    "signals.mail", "signals.mbox", "signals.calendar", "signals.clock", "signals.unjudged", "signals.follow",
    "signals.follow_up",
)  # fmt: skip
"""What no feed of the user's writes: all of the above, what Pepper keeps for itself, and what its own sources say."""

PEPPERS_DOING: Final = (
    "assistant.*", "tool.*", "history.*", "worker.*", "llm.*", "rule.*", f"{Namespace.MEMORY}.*",
    Namespace.STEP, Namespace.HISTORY, Namespace.APPROVAL, Namespace.NOTIFICATION, Namespace.REMINDER, Namespace.NOTE,
    Namespace.PROFILE, Namespace.HEALTH, Namespace.UNJUDGED, Namespace.FOLLOW_UP,
)  # fmt: skip
"""What Pepper itself causes: a signal that results from it is `log`, so that thinking never leads to more thinking."""
