"""Records of what came in and what the user is told about it: signals, notifications, reminders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pepper_tui.model.contexts import Json
from pepper_tui.model.gist import Gist
from pepper_tui.model.record import Record
from pepper_tui.model.states import NotificationState, ReminderState
from pepper_tui.model.vocabulary import Priority

MatterKind = Literal["event", "state"]
QUESTION: Final = "question"
"""The kind of a notification that asks."""
SETTLED: Final = "settled"
"""In the metadata of a closed question: its asker goes on without an answer, so the closing is final."""
FROM_SENDER: Final = "sender:"
FROM_CALENDAR: Final = "calendar:"
FROM_FEED: Final = "feed:"
"""Prefix of a notification's origin, followed by the address, the calendar, or the feed."""
FROM_MODEL: Final = "model"
"""Origin of a notification that a model's own call told."""
OF_CALL: Final = "notification_"
"""Prefix of the id of what the tool ``notify`` told, followed by that of its call."""


@dataclass(slots=True)
class Signal(Record):
    """A short, triaged statement that something happened outside (``signals.<source>``).

    ``content`` is its one useful line; ``gist`` holds the parts of that line if a person wrote it. ``reason`` says in
    words why it got its priority. ``matter`` is the key of the real-world thing that it is about, the same across
    feeds; with ``matter_kind`` ``event`` each signal adds to it, with ``state`` the newest one of a source replaces the
    earlier. ``metadata`` holds facts for the reader (sender, thread, start…), ``text`` (what was written, once),
    ``raw`` (the id in ``raw.*``) and ``rules``, the user's rules that hold for it (each a ``Match``).
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
        if not isinstance(self.gist, Gist):  # older records, and what others wrote, may have none
            self.gist = Gist.of(self.gist) if isinstance(self.gist, Mapping) else None

    @property
    def text(self) -> str:
        """What was written, as far as it is kept; older versions of Pepper kept only the first lines."""
        kept = (self.metadata.get(key) for key in ("text", "snippet", "first_line"))
        return next((each for each in kept if isinstance(each, str) and each), "")


@dataclass(slots=True)
class Notification(Record):
    """Something that Pepper tells the user unasked, always with a reason and a source.

    ``source`` is ``namespace:id`` of what it came from. ``kind``: ``notice``, ``brief``, ``reminder``, ``offer`` (asks
    about a missed reminder), ``question``, ``trouble``. A question has ``choices``, each with its ``words``; if each
    makes a call, also with the ``arguments`` of that call and the ``field`` that takes other words. It may end, at
    ``expires_at``. ``who`` (a name), ``sender`` (an address) and ``subject`` are those of what it came from, if any;
    ``trust`` says how well the user knows the sender. ``matter_kind`` as in ``Signal``.
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
    origin: str = ""  # who is behind it: ``FROM_MODEL``, or as in ``rules.origin``
    expires_at: float | None = None

    def __post_init__(self) -> None:
        self.priority, self.state = Priority(self.priority), NotificationState(self.state)

    @property
    def awaited(self) -> bool:
        """Whether the call that it comes from waits for its answer; otherwise each choice makes a call of its own."""
        return self.kind == QUESTION and not any("arguments" in choice for choice in self.choices)


@dataclass(slots=True)
class Reminder(Record):
    """A promise to speak at a certain time. ``rule`` is an RFC 5545 RRULE (empty = once); ``zone`` an IANA name."""

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
    source: str = ""  # the act or signal that led to it, as `namespace:id`, if no call did
    root: str = ""  # that of the call, as in `ToolCall`
    tainted: bool = False  # whether the call was: its asker had read text from outside
    typed: bool = False  # whether all its words are among those that the user typed in that turn
    read: list[str] = field(default_factory=list)  # what was read in that turn, in words

    def __post_init__(self) -> None:
        self.state = ReminderState(self.state)

    @property
    def is_the_users(self) -> bool:
        """Whether the user ordered it: by a rule, in their own words, or as nothing else could have asked for it."""
        return bool(self.source) or (self.root in ("", "user") and (self.typed or not self.tainted))
