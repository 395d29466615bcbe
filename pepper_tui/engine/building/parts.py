"""The parts of an engine, in groups that depend on one another in this order. ``build`` makes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from pepper_tui.clock import Clock, Timers
from pepper_tui.clock.words import TimeReader
from pepper_tui.config import Config, Secrets
from pepper_tui.connectors.connector import Built
from pepper_tui.connectors.mcp import McpServers
from pepper_tui.connectors.registry import Named
from pepper_tui.domains.calendar.parts import Agenda
from pepper_tui.domains.calendar.telling.settled_cards import SettledCards
from pepper_tui.domains.invitations.outdated_cards import OutdatedCards
from pepper_tui.domains.mail.at_source.answering import Answering
from pepper_tui.domains.mail.at_source.elsewhere import Elsewhere
from pepper_tui.domains.mail.facts.looked_back import LookedBack
from pepper_tui.domains.mail.facts.signs import Signs
from pepper_tui.domains.mail.search.local import LocalSearch
from pepper_tui.domains.notices.answers import Answers
from pepper_tui.domains.notices.inbox import Inbox
from pepper_tui.domains.reminders.keeper import Reminders
from pepper_tui.engine.acts.always import Always
from pepper_tui.engine.acts.mail_drafts import MailDrafts
from pepper_tui.engine.acts.user_acts import UserActs
from pepper_tui.engine.acts.user_rules import UserRules
from pepper_tui.engine.answers.mail_list import MailList
from pepper_tui.engine.building.builtin_tools import ToolParts
from pepper_tui.engine.days.day_list import DayList
from pepper_tui.engine.days.event_orders import EventOrders
from pepper_tui.engine.replies import Replies
from pepper_tui.feeds import Feeds, LlmTriage
from pepper_tui.llm import Budget, Models
from pepper_tui.model import Health, ToolSpec
from pepper_tui.rules import FollowUps, RuleBook, RuleRunner
from pepper_tui.scheduler import Scheduler
from pepper_tui.store import ContextStore, Embedder, Meaning, Subscriber
from pepper_tui.store.upkeep.retention import Retention
from pepper_tui.tools import Tool, ToolEngine, ToolRegistry
from pepper_tui.workers import WorkerPool
from pepper_tui.workers.tools import DELEGATE


@dataclass(frozen=True, slots=True)
class StandIns:
    """What replaces or complements the parts that the config names.

    ``models`` and ``agenda`` replace those of the config; ``tools`` are added to the built-in ones; ``embedder`` makes
    the embedder for search by meaning, if any, given the budget that pays for it; ``accounts`` are those of the config,
    if already known.
    """

    models: Models | None = None
    agenda: Agenda | None = None
    tools: Iterable[Tool] = ()
    embedder: Callable[[Budget], Embedder | None] = lambda _: None
    accounts: Sequence[Named] | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What all other parts depend on. ``own``: the user's addresses; ``local`` searches the mail that was taken in."""

    home: Path
    config: Config
    store: ContextStore
    clock: Clock
    zone: ZoneInfo
    times: TimeReader
    timers: Timers
    subscriber: Subscriber
    secrets: Secrets
    own: tuple[str, ...]
    checkpoint: Callable[[str], None]
    models: Models
    book: RuleBook
    signs: Signs
    local: LocalSearch


@dataclass(frozen=True, slots=True)
class Notices:
    """Notifications and reminders."""

    inbox: Inbox
    reminders: Reminders


@dataclass(frozen=True, slots=True)
class Sensing:
    """The sources of signals. ``called``, ``copies``: see ``CalendarParts``."""

    accounts: Sequence[Named]
    connected: Built
    agenda: Agenda | None
    called: Callable[[str], str]
    copies: Callable[[], Awaitable[Sequence[str]]]
    feeds: Feeds
    llm_triage: LlmTriage


@dataclass(frozen=True, slots=True)
class Calling:
    """What executes calls."""

    registry: ToolRegistry
    engine: ToolEngine
    mcp: McpServers
    workers: WorkerPool

    def offered(self) -> list[ToolSpec]:
        """Return the tools offered to the scheduler's model."""
        return [self.workers.offer(spec) if spec.name == DELEGATE else spec for spec in self.registry.specs()]


@dataclass(frozen=True, slots=True)
class Ordered:
    """The user's rules, and what carries them out."""

    runner: RuleRunner
    follow_ups: FollowUps
    user_rules: UserRules
    always: Always


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Background work on the log: embeddings and retention."""

    meaning: Meaning | None
    retention: Retention


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of an engine.

    ``tools``: the dependencies of the built-in tools; ``own_tools``: the health of the user's own.
    """

    ground: Ground
    notices: Notices
    sensing: Sensing
    calling: Calling
    ordered: Ordered
    tools: ToolParts
    own_tools: Sequence[Health]
    acts: UserActs
    answers: Answers
    elsewhere: Elsewhere
    answering: Answering
    settled_cards: SettledCards
    outdated_cards: OutdatedCards
    looked_back: LookedBack
    scheduler: Scheduler
    replies: Replies
    upkeep: Upkeep
    mail_list: MailList
    day_list: DayList
    event_orders: EventOrders
    mail_drafts: MailDrafts
