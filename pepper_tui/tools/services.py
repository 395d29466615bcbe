"""What tools are given from outside their room, as protocols: the runtime builds the parts and hands them over here.

A service that is absent is ``None``; the tools that want it then fail with words that say what to configure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Protocol

from pepper_tui.clock import Looks, SystemClock
from pepper_tui.clock.words import TimeReader
from pepper_tui.model import Acted, Json, Notification, Record, Rule, RuleReport, ToolCall

if TYPE_CHECKING:
    from pepper_tui.domains.calendar.writer import Calendars
    from pepper_tui.domains.files.folders import Folders
    from pepper_tui.domains.mail.outbox import Outbox


class Mailbox(Protocol):
    """Read access to mail. A mail is the data of its ``raw.mail`` context: id, message_id, sender, to, subject, …

    What a search gives says in ``found`` how it was found."""

    async def search(
        self, words: str, sender: str, since: float | None, limit: int, until: float | None, folder: str, /
    ) -> list[Json]: ...

    async def read(self, mail: str, /) -> Json | None: ...

    async def thread(self, of: str, /) -> list[Json]: ...


class Agenda(Protocol):
    """Read access to the calendar: occurrences that touch ``[start, end)``, by start, with summary, start, end, …
    ``defects``: what the last look could not read, or not whole, in words."""

    @property
    def defects(self) -> Sequence[str]: ...

    async def between(self, start: float, end: float, /) -> Sequence[Record]: ...

    async def conflicts(self, start: float, end: float, /) -> Sequence[tuple[Record, Record]]: ...


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Where free time is looked for: minutes of the day, and weekdays, Monday as 0."""

    start: int = 9 * 60
    end: int = 17 * 60
    days: frozenset[int] = frozenset(range(5))


class Fetcher(Protocol):
    """Reads pages of the web. Raises ``NotDoneError`` where nothing was asked."""

    async def get(self, address: str, /) -> str: ...


Delegate = Callable[[ToolCall, str, str | None, Callable[[str], None]], Awaitable[str]]
"""call, task, agent, progress -> the answer. Called again with the same call after a crash: it re-attaches."""

Announce = Callable[[Notification], Awaitable[object]]
"""A new notification -> what was stored, or ``None`` where the same was told before. Joins the caller's unit."""

CloseNotice = Callable[[str, str], Awaitable[object]]
"""The id of an open notification, and why in words: it is withdrawn. Of any other nothing is done."""

TellWorker = Callable[[ToolCall, str, str], Awaitable[str]]
"""call, a run by its id, its call's or its worker's name, text -> words. Told again by the same call, it is told once.
Raises ``ValueError`` in words."""

Revise = Callable[[str, dict[str, str], bool], Awaitable[str]]
"""The id of a call whose card waits, the changed lines, whether the user asked -> the new card's id. Raises
``ValueError`` in words."""

CancelCall = Callable[[str, str], Awaitable[str]]
"""call id, by whom -> words."""


class RuleBook(Protocol):
    """The rules that there are."""

    @property
    def rules(self) -> list[Rule]: ...

    def named(self, words: str, /) -> list[Rule]: ...


class RuleChanges(Protocol):
    """What may be done to rules. ``ValueError`` says why it can't be; words say what was done."""

    def drafted(self, given: Json, /) -> Rule: ...

    def stays(self, rule: Rule, /) -> str: ...

    def redrafted(self, of: Rule, given: Json, /) -> Rule: ...

    async def versions(self, ident: str, /) -> list[Rule]: ...

    async def earlier(self, ident: str, version: str, /) -> Rule: ...

    async def removed(self, words: str, /) -> list[Rule]: ...

    async def make(self, rule: Rule, /) -> str: ...

    async def change(self, rule: Rule, /) -> str: ...

    async def pause(self, ident: str, /) -> Acted: ...

    async def resume(self, ident: str, /) -> Acted: ...

    async def remove(self, ident: str, /) -> Acted: ...


class Sender(Protocol):
    """An address whose owner a name may mean; ``words`` say what is known of it."""

    @property
    def address(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def written(self) -> bool: ...

    @property
    def words(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RuleServices:
    """All that tools may do with rules. ``words``: a rule as a sentence and as TOML; ``rehearse``: what it would have
    done lately; ``senders``: who is meant by a name; ``offline``: there is no model that a rule could ask."""

    book: RuleBook
    changes: RuleChanges
    words: Callable[[Rule], tuple[str, str]]
    rehearse: Callable[[Rule], Awaitable[str]]
    senders: Callable[[str], Awaitable[Sequence[Sender]]]
    reports: Callable[[Sequence[Rule]], Awaitable[list[RuleReport]]]
    offline: bool = False


@dataclass(slots=True)
class Services:
    """All that the built-in tools may reach beside the store."""

    looks: Looks = field(default_factory=lambda: Looks(SystemClock()))
    """How tools look at the user's files: none waits for a folder that hangs."""
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    mailbox: Mailbox | None = None
    agenda: Agenda | None = None
    calendars: Calendars | None = None  # that events may be added to
    working: WorkingHours = WorkingHours()
    outbox: Outbox | None = None
    fetcher: Fetcher | None = None
    folders: Folders | None = None
    attach_from: Folders | None = None  # whose files may be attached
    times: TimeReader | None = None
    delegate: Delegate | None = None
    delegate_tainted: Callable[[str], Awaitable[bool]] | None = None  # the id of the delegate call
    cancel_delegate: Callable[[str], Awaitable[object]] | None = None  # the id of the delegate call
    cancel_call: CancelCall | None = None
    announce: Announce | None = None
    revise: Revise | None = None
    close_notice: CloseNotice | None = None
    answer_within: float = 3 * 86400.0  # seconds for which a question waits
    undo_seconds: float = 10.0  # for which a dismissal of one can be taken back
    tell_worker: TellWorker | None = None
    rules: RuleServices | None = None
