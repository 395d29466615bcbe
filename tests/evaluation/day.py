"""The day that a scenario is played on: a whole engine on a home of its own, its user, and all that is outside of it.

Time is the scenario's: it passes while Pepper is at work, as it does in reality while a model is asked, and not at all
otherwise. The user acts by ``say``, ``approve``, ``edit`` and ``reject``; what came of it is read from the store and
from where it would have arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import email.utils
import re
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from pepper_tui.clock import Looks, ManualClock
from pepper_tui.config import DATABASE, Config, Secrets, parse_config
from pepper_tui.connectors.ics.calendar_file import CalendarFiles
from pepper_tui.engine.engine import Engine
from pepper_tui.llm import Models, build_models
from pepper_tui.model import (
    Approval,
    ApprovalState,
    AssistantMessage,
    CallState,
    ContextFilter,
    Effect,
    ModelEvent,
    ModelRequest,
    Namespace,
    Notification,
    NotificationState,
    Origin,
    Reminder,
    ReminderState,
    RunState,
    Signal,
    ToolCall,
    Usage,
    WorkerRun,
    Written,
)
from pepper_tui.store import ContextStore, HomeLock
from tests.domains.mail.mails import deliver, make_maildir
from tests.evaluation.scenario import MissedError
from tests.stored import backlog
from tests.tools.sink import Sink

ZONE: Final = ZoneInfo("Europe/Berlin")
MORNING: Final = "2026-11-30 10:00"
"""When a day begins: a Monday."""
OWN: Final = "sam@weller.example"
SHELF: Final = Path(__file__).parent / "shelf.py"
MOST_CALLS: Final = 40
"""Model calls after one thing that happened; a model that needs more has lost its way."""
LONGEST_ANSWER: Final = 1500
ONE_SENTENCE: Final = 400
"""Characters of one that was asked for."""
_OF_THE_LOG: Final = re.compile(
    r"</?(?:tool_result|tool_call|signal|user_msg|new)\b|\bmessage_id:|^\s*(?:reason|text|matter|priority):", re.M
)
_CLOSED: Final = (NotificationState.DONE, NotificationState.DISMISSED)
_HASTE: Final = 25.0  # so much quicker than in reality time passes while no model is asked
_BEAT: Final = 0.006  # real seconds between two looks
_STILL: Final = 60.0  # real seconds without a model call in which a day must have come to rest
_A_DAY: Final = 86_400.0

BASE: Final = """
worker_slots = 4
[user]
name = "Sam Weller"
addresses = ["{own}"]
zone = "Europe/Berlin"
locale = "en-GB"
vips = ["boss@lumen.example"]
[budget]
daily = 1000.0
daily_tokens = 1000000000
[judging]
wait = 0.5
[mail]
quote = "none"
maildir = ["{root}/Mail"]
[mail.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
[calendar]
paths = ["{root}/calendar/own.ics"]
starts_soon = 0
[files]
folders = ["{root}/docs"]
[tools]
undo_seconds = 0.0
timeout = 3600.0
[search]
meaning = false
"""


@dataclass(frozen=True)
class Asked:
    """The model that plays: where it is, and further lines of ``[models]`` in the config."""

    name: str
    base_url: str
    api_key: str = ""
    options: Sequence[str] = ()

    def with_options(self, *options: str) -> Asked:
        return replace(self, options=(*self.options, *options))

    @property
    def section(self) -> str:
        lines = [f'name = "{self.name}"', f'base_url = "{self.base_url}"', f'api_key = "{self.api_key}"']
        return "\n".join(["[models]", *lines, *self.options, ""])


@dataclass(frozen=True)
class Sent:
    """One mail that has reached the server."""

    to: list[str]
    subject: str
    body: str


@dataclass
class Waiting:
    """Model calls: how many there were, how many are under way, and since when none is."""

    calls: int = 0
    open: int = 0
    still_since: float = field(default_factory=time.monotonic)
    seconds: float = 0.0


class Day:
    """``async with`` it; furnish it (``event``, ``file``, ``old_mail``, ``note``), then ``begin``."""

    def __init__(self, root: Path, asked: Asked, config: str = "", *, server: bool = False) -> None:
        self.root, self.home, self.docs = root, root / "home", root / "docs"
        self.maildir, self.calendar, self.orders = root / "Mail", root / "calendar" / "own.ics", root / "orders"
        self.clock = ManualClock(self.at(MORNING))
        self.sink = Sink()
        self.waiting = Waiting()
        self.usage: list[Usage] = []
        self.trouble = ""
        self._asked, self._config, self._server = asked, config, server
        self._events: list[str] = []
        self._delivered = 0
        self._last = time.monotonic()
        self._stack = contextlib.AsyncExitStack()
        self._engine: Engine | None = None
        self._models: Models
        self.config: Config

    # ------------------------------------------------------------------------------------------------- the frame

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.sink)
        for folder in (self.home, self.docs, self.calendar.parent):
            folder.mkdir(mode=0o700)
        make_maildir(self.maildir)
        source = BASE.format(own=OWN, root=self.root, port=self.sink.port) + self._asked.section
        if self._server:
            source += (
                f'[mcp.shelf]\ncommand = "{sys.executable}"\nargs = ["-S", "-E", "{SHELF}"]\nstart_timeout = 3000.0\n'
                f'env = {{ SHELF_ORDERS = "{self.orders}" }}\neffects = {{ stock_level = "read", order = "write" }}\n'
            )
        source += textwrap.dedent(self._config).replace("{root}", str(self.root))
        self.config = parse_config(source, self.home / "config.toml")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        await self.close()
        await self._stack.aclose()

    @property
    def engine(self) -> Engine:
        assert self._engine is not None, "begin the day first"
        return self._engine

    async def begin(self) -> None:
        """Start the engine on what is there, and let it look at all of it."""
        events = "".join(self._events)
        self.calendar.write_text(
            f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//day//EN\r\n{events}END:VCALENDAR\r\n", newline=""
        )
        await self._open()
        await self.calm()

    async def _open(self) -> None:
        lock = HomeLock(self.home)
        lock.acquire()
        store = await ContextStore.open(self.home / DATABASE, self.clock)
        self._models = self._counted(build_models(self.config, store, self.clock, Secrets(self.home)))
        self._engine = Engine(self.home, self.config, store, lock, self.clock, models=self._models)
        # files are read in real time, while the day runs ahead
        patient = Looks(self.clock, longest=_A_DAY)
        parts = self._engine.parts.tools
        parts.files.looks = parts.mail.looks = patient
        if parts.calendar.calendars is not None:
            parts.calendar.calendars = CalendarFiles(self.config.calendar.paths, patient)
        if self._engine.parts.sensing.agenda is not None:
            self._engine.parts.sensing.agenda._looks = patient
        await self._engine.start()
        await self._until_it_watches()

    def _counted(self, models: Models) -> Models:
        """``models``, with what is asked of them counted."""
        plain, waiting = models.stream, self.waiting

        async def stream(request: ModelRequest) -> AsyncIterator[ModelEvent]:
            waiting.calls += 1
            waiting.open += 1
            began = time.monotonic()
            try:
                async with contextlib.aclosing(plain(request)) as events:
                    async for event in events:
                        yield event
            finally:
                waiting.open -= 1
                waiting.still_since = time.monotonic()
                waiting.seconds += waiting.still_since - began

        models.stream = stream  # type: ignore[method-assign, assignment]
        return models

    async def _until_it_watches(self) -> None:
        while True:
            parts = {part["part"]: part["state"] for part in await self.facts(Namespace.HEALTH)}
            there = not self._server or parts.get("mcp.shelf") == "ok"
            if there and parts.get("feed.mail") == "ok" and parts.get("feed.calendar") == "ok":
                return
            await self._pass()

    async def close(self) -> None:
        """End the engine; what its model calls have cost, and what trouble there is with them, is known then."""
        if self._engine is None:
            return
        await self._models.budget.flush()
        self.usage = [Usage.of(each) for each in await self.facts(Namespace.USAGE)]
        parts = await self.facts(Namespace.HEALTH)
        self.trouble = next((p["detail"] for p in parts if p["part"] == "model" and p["state"] == "trouble"), "")
        engine, self._engine = self._engine, None
        await engine.close()

    async def later(self, when: str) -> None:
        """Switch Pepper off, and on again at ``when``, local time."""
        await self.close()
        self.clock.jump(self.at(when) - self.clock.now())
        await self._open()
        await self.calm()

    # ------------------------------------------------------------------------------------------------- time passes

    @staticmethod
    def at(when: str) -> float:
        """POSIX seconds of a local time such as "2026-12-03 14:30"."""
        return datetime.fromisoformat(when).replace(tzinfo=ZONE).timestamp()

    async def _pass(self) -> None:
        """Let time pass, by as much as has in reality where a model is asked, else by more."""
        await asyncio.sleep(_BEAT)
        now = time.monotonic()
        passed, self._last = now - self._last, now
        await self.clock.advance(passed if self.waiting.open else min(0.15, passed * _HASTE))

    async def calm(self) -> None:
        """Until all that came in has come to what it comes to by itself, or waits for the user."""
        self.waiting.still_since = self._last = time.monotonic()
        most = self.waiting.calls + MOST_CALLS
        quiet = 0
        while quiet < 4:
            await self._pass()
            if self.waiting.calls > most:
                raise MissedError(f"an end: more than {MOST_CALLS} model calls followed on one thing")
            still = time.monotonic() - self.waiting.still_since
            if not self.waiting.open and still > _STILL:
                raise MissedError(f"an end: nothing has come to rest within {_STILL:.0f} s")
            quiet = quiet + 1 if not self.waiting.open and await self._rests() else 0

    async def _rests(self) -> bool:
        if await self.engine.store.count(ContextFilter(namespaces=["raw.mail"])) < self._delivered:
            return False
        if await backlog(self.engine.store):
            return False
        runs, cards = await self.runs(), await self.cards()
        asks = {card.call for card in cards}
        calls, sources = await self.calls(), {each.source for each in await self.questions()}
        asking = [call for call in calls if f"{Namespace.TOOL_CALL}:{call.id}" in sources]
        resting = [run for run in runs if run.state is RunState.WAITING_APPROVAL or _is_of(run, asking)]
        held = {*(run.call for run in resting), *(call.id for call in asking)}
        for call in calls:
            if call.state is CallState.WAITING_APPROVAL and call.id not in asks:
                return False  # it was decided on, and is about to be carried out
            waits = call.waits_for_room or call.id in held or self._waits_for_mail(call)
            if call.state in (CallState.SCHEDULED, CallState.ATTEMPTED) and not waits:
                return False
        if any(run.state in (RunState.QUEUED, RunState.RUNNING) and run not in resting for run in runs):
            return False
        if any(reminder.due <= self.clock.now() for reminder in await self.reminders()):
            return False
        return not any(act["state"] == "pending" for act in await self.facts(Namespace.RULE_ACT))

    def _waits_for_mail(self, call: ToolCall) -> bool:
        """Whether it is a wait that is not over."""
        hours = call.arguments.get("hours", 24)
        seconds = hours * 3600 if isinstance(hours, int | float) else _A_DAY
        return call.name == "wait_for_mail" and self.clock.now() < call.created_at + seconds

    # ------------------------------------------------------------------------------------------------- what comes in

    def event(self, title: str, start: str, minutes: int = 60, **more: str) -> None:
        """Put an event into the calendar."""
        begins = datetime.fromisoformat(start)
        form = "%Y%m%dT%H%M%S"
        lines = [
            "BEGIN:VEVENT",
            f"UID:event{len(self._events)}@weller.example",
            "DTSTAMP:20261101T000000Z",
            f"SUMMARY:{title}",
            f"DTSTART;TZID=Europe/Berlin:{begins.strftime(form)}",
            f"DTEND;TZID=Europe/Berlin:{(begins + timedelta(minutes=minutes)).strftime(form)}",
            *(f"{name}:{value}" for name, value in more.items()),
            "END:VEVENT",
        ]
        self._events.append("".join(f"{line}\r\n" for line in lines))

    def file(self, name: str, text: str) -> Path:
        """Put a file among the user's documents."""
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def old_mail(self, text: str, when: str, **fields: Any) -> str:
        """A mail that was there before Pepper first looked; its Message-ID."""
        return self._deliver(text, self.at(when), **fields)

    def deliver(self, text: str, **fields: Any) -> str:
        """A mail comes; its Message-ID."""
        return self._deliver(text, self.clock.now(), **fields)

    async def mail(self, text: str, **fields: Any) -> str:
        """A mail comes, and is dealt with; its Message-ID."""
        ident = self.deliver(text, **fields)
        await self.calm()
        return ident

    def _deliver(
        self,
        text: str,
        at: float,
        sender: str = "Dana Reyes <dana@lumen.example>",
        to: str = OWN,
        subject: str = "Hello",
        **headers: str,
    ) -> str:
        self._delivered += 1
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, to, subject
        message["Date"] = email.utils.format_datetime(datetime.fromtimestamp(at, ZONE))
        ident = headers.pop("Message_ID", f"<m{self._delivered}@{sender.rpartition('@')[2].strip('> ')}>")
        message["Message-ID"] = ident
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        deliver(self.maildir, message.as_bytes(), f"{self._delivered}.day.test")
        return ident

    async def note(self, text: str, when: str) -> None:
        """A note that the user had kept before."""
        ident = f"note_{text[:8].encode().hex()}"
        data = {"id": ident, "title": "", "text": text, "created_at": self.at(when), "tainted": False}
        await self.engine.store.store(data, namespace=Namespace.NOTE, context_id=ident, text=text)

    async def knows(self, *addresses: str) -> None:
        """The user has written to them before."""
        for address in addresses:
            person = {"id": address, "address": address, "first_written": 1.0}
            await self.engine.store.store(person, namespace=Namespace.PEOPLE, context_id=address)

    # ------------------------------------------------------------------------------------------------- the user

    async def say(self, text: str, pasted: str = "") -> str:
        """The user types ``text`` (and pastes something below it); all that Pepper then says."""
        before = {each.id for each in await self.replies()}
        written = Written(text, ())
        if pasted:
            written = Written(f"{text}\n").then(Written.by(pasted, Origin.PASTED))
        await self.engine.say(written.text, spans=list(written.spans))
        await self.calm()
        return "\n".join(each.text for each in await self.replies() if each.id not in before).strip()

    async def ask(self, text: str) -> str:
        """As ``say``, of a question: the answer must be there, and be one. Asked for one sentence, it is about that."""
        answer = await self.say(text)
        longest = ONE_SENTENCE if "in one sentence" in text.lower() else LONGEST_ANSWER
        self.check(answer, f"an answer to {text!r}")
        self.check(len(answer) <= longest, f"a short answer to {text!r}: it has {len(answer)} characters")
        marks = _OF_THE_LOG.findall(answer)
        self.check(not marks, f"an answer in words to {text!r}, not the log itself ({marks[:1]})")
        return answer

    async def asked(self, text: str) -> str:
        """As ``say``, of what needs a question first: what is asked, in the reply or on a card."""
        reply = await self.say(text)
        cards = [f"{each.title}\n{each.body}?" for each in await self.questions()]
        self.check(len(cards) <= 1, f"one question, not {len(cards)}")
        return "\n".join([reply, *cards])

    async def answer(self, text: str) -> None:
        """The user answers in their own words: on the card that asks, where there is one, else in the conversation."""
        questions = await self.questions()
        if not questions:
            await self.say(text)
            return
        await self.engine.answer(f"{Namespace.NOTIFICATION}:{questions[0].id}", text, spans=[])
        await self.calm()

    async def approve(self, card: Approval) -> None:
        await self.engine.approve(card.id)
        await self.calm()

    async def edit(self, card: Approval, **fields: str) -> Approval:
        """Change a card; the new one."""
        await self.engine.edit(card.id, fields)
        await self.calm()
        [new] = [each for each in await self.cards() if each.call == card.call]
        return new

    async def reject(self, card: Approval, note: str) -> None:
        await self.engine.reject(card.id, note)
        await self.calm()

    # ------------------------------------------------------------------------------------------------- what is seen

    async def facts(self, namespace: str) -> list[dict[str, Any]]:
        """The data of all contexts of a namespace, oldest first."""
        wanted = ContextFilter(namespaces=[namespace], limit=10_000, newest_first=False, include_expired=True)
        return [context.data for context in await self.engine.store.query(wanted)]

    async def replies(self) -> list[AssistantMessage]:
        return [AssistantMessage.of(each) for each in await self.facts(Namespace.ASSISTANT_MESSAGE)]

    async def calls(self, *names: str) -> list[ToolCall]:
        found = [ToolCall.of(each) for each in await self.facts(Namespace.TOOL_CALL)]
        return [call for call in found if not names or call.name in names]

    async def acts(self) -> list[ToolCall]:
        """Calls that would change anything, or did: what a model that is told to do nothing must not make."""
        return [call for call in await self.calls() if call.effect is not Effect.READ]

    async def runs(self) -> list[WorkerRun]:
        return [WorkerRun.of(each) for each in await self.facts(Namespace.RUN)]

    async def cards(self, tool: str = "") -> list[Approval]:
        """The cards that wait."""
        found = [Approval.of(each) for each in await self.facts(Namespace.APPROVAL)]
        return [c for c in found if c.state is ApprovalState.PENDING and (not tool or c.resolved.tool == tool)]

    async def all_cards(self) -> list[Approval]:
        return [Approval.of(each) for each in await self.facts(Namespace.APPROVAL)]

    async def card(self, what: str) -> Approval:
        """The one card that waits, a mail's or any."""
        found = await self.cards()
        self.check(len(found) == 1, f"{what}: one card, not {len(found)}")
        return found[0]

    async def letter(self, what: str, to: str) -> Approval:
        """The one card that waits, which must be a mail to ``to`` and to nobody else."""
        card = await self.card(what)
        recipients = card.resolved.payload.get("recipients")
        self.check(recipients == [to], f"{what}: to {to}, not to {recipients}")
        return card

    async def notices(self) -> list[Notification]:
        """What the model has told unasked."""
        found = [Notification.of(each) for each in await self.facts(Namespace.NOTIFICATION)]
        return [each for each in found if each.origin == "model"]

    async def questions(self) -> list[Notification]:
        """What the model or a worker asks on a card, and waits to be told."""
        found = [Notification.of(each) for each in await self.facts(Namespace.NOTIFICATION)]
        return [each for each in found if each.awaited and each.state not in _CLOSED]

    async def told(self) -> list[Notification]:
        """All that the user was told, by whomever, also what a reminder said."""
        return [Notification.of(each) for each in await self.facts(Namespace.NOTIFICATION)]

    async def reminders(self) -> list[Reminder]:
        """Those that wait."""
        found = [Reminder.of(each) for each in await self.facts(Namespace.REMINDER)]
        return [each for each in found if each.state is ReminderState.WAITING]

    async def signal(self, subject: str) -> Signal:
        """The signal of the mail with this subject."""
        found = [Signal.of(each) for each in await self.facts("signals.mail")]
        [signal] = [each for each in found if each.metadata.get("subject") == subject]
        return signal

    def ordered(self) -> list[str]:
        """What the MCP server was made to order."""
        return self.orders.read_text().splitlines() if self.orders.exists() else []

    @property
    def sent(self) -> list[Sent]:
        """The mails that have reached the server."""
        found = []
        for taken in self.sink.taken:
            message = email.message_from_bytes(taken.message, policy=email.policy.default)
            part = message.get_body(("plain",))
            found.append(Sent(list(taken.recipients), str(message["Subject"]), part.get_content() if part else ""))
        return found

    # ------------------------------------------------------------------------------------------------- judging

    @staticmethod
    def check(held: object, missed: str) -> None:
        """Raise ``MissedError``, in the words of what is ``missed``, where it did not hold."""
        if not held:
            raise MissedError(missed)

    @staticmethod
    def sure(held: object, what: str) -> None:
        """Raise ``AssertionError`` where Pepper itself, and no model, has not done ``what`` it owes."""
        if not held:
            raise AssertionError(f"Pepper owes: {what}")

    async def nothing_done(self, what: str) -> None:
        """Nothing was proposed, set or told."""
        self.sure(not self.sink.taken, f"{what}: nothing sent without a yes")
        acts = [f"{call.name} {dict(call.arguments)}"[:80] for call in await self.acts()]
        self.check(not acts, f"{what}: nothing done or told, not {acts[:2]}")


def _is_of(run: WorkerRun, calls: Sequence[ToolCall]) -> bool:
    """Whether the run has made one of ``calls``."""
    return any(call.origin == f"run:{run.id}" for call in calls)
