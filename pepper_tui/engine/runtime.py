"""The composition root: builds the parts, injects them into each other, runs and closes them.

``Engine`` is what the screen and the command speak to (they own the protocol, this meets it). Nothing in here decides
anything: each method hands on to the room whose noun it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, Self

from pepper_tui.clock import (
    ZONE_REMEDY,
    Clock,
    Looks,
    NoAnswerError,
    SystemClock,
    Timers,
    local_locale,
    local_zone,
    zone_trouble,
)
from pepper_tui.clock.words import TimeReader
from pepper_tui.config import DATABASE, Config, ConfigError, Secrets
from pepper_tui.connectors.connector import Around
from pepper_tui.connectors.mcp import McpServers
from pepper_tui.connectors.python.tools import add_own_tools
from pepper_tui.connectors.registry import Named, built_of, named, retention_of
from pepper_tui.domains.calendar.parts import Agenda, CalendarParts, WorkingHours
from pepper_tui.domains.files.folders import Folders
from pepper_tui.domains.files.tools import FileParts
from pepper_tui.domains.mail.gist import model_gist
from pepper_tui.domains.mail.intake import MailIntake
from pepper_tui.domains.mail.machines import by_a_machine
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.domains.mail.message_ids import first_with
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.notices.acquaintance import Acquaintance
from pepper_tui.domains.notices.answers import Answers
from pepper_tui.domains.notices.inbox import Inbox, InboxError
from pepper_tui.domains.notices.tools import NoticeParts
from pepper_tui.domains.reminders.keeper import Reminders
from pepper_tui.domains.reminders.tools import ReminderParts
from pepper_tui.domains.web.fetch import Limits, WebFetcher
from pepper_tui.domains.web.tools import WebParts
from pepper_tui.domains.why.why import Why
from pepper_tui.engine.acts.refusals import in_words
from pepper_tui.engine.acts.user_acts import UserActs
from pepper_tui.engine.acts.user_rules import UserRules
from pepper_tui.engine.builtin_tools import ToolParts, builtin_tools
from pepper_tui.feeds import Feeds, FollowFeed, Judging, Triage
from pepper_tui.llm import Budget, Models, build_models
from pepper_tui.llm.embedding.embedders import build_embedder
from pepper_tui.model import (
    CALL_OPEN,
    HELD_TAG,
    OPEN_TAG,
    SHOWN,
    Context,
    ContextFilter,
    ContextUpdate,
    EngineError,
    Health,
    ModelError,
    Namespace,
    ReplyDelta,
    RuleAct,
    RuleReport,
    Span,
    ToolCall,
    ToolSpec,
    UnknownAnswer,
    UserMessage,
    Written,
)
from pepper_tui.rules import FollowUps, Hands, RuleBook, RuleRunner, rules_of_config, sentence
from pepper_tui.scheduler import Scheduler
from pepper_tui.scheduler.own_priority import PART as PRIORITY
from pepper_tui.store import (
    ContextStore,
    Embedder,
    HomeLock,
    Meaning,
    StoreError,
    Subscriber,
    VersionConflictError,
    make_private,
)
from pepper_tui.store.search.meaning import PART as MEANING
from pepper_tui.store.upkeep.retention import Retention
from pepper_tui.store.upkeep.retention_rules import Wish
from pepper_tui.text import one_line
from pepper_tui.tools import ApprovalError, Tool, ToolEngine, ToolRegistry, UserTime
from pepper_tui.tools.approvals.revise_tools import ReviseParts
from pepper_tui.tools.ask_tools import AskParts
from pepper_tui.workers import WorkerPool
from pepper_tui.workers.tools import DELEGATE, WorkerParts

log = logging.getLogger(__name__)

CLOSES_IN: Final = 1.5
"""Seconds in which every part has to stop, whatever a folder, a server or a calendar does."""
_LEAST: Final = 0.05

ZONE: Final = "zone"
"""The part that is in trouble where the machine's time zone can't be known."""

KILL_AT: Final = "PEPPER_KILL_AT"
"""``name`` or ``name:count``: SIGKILL to oneself at the count-th passing of this boundary. For kill tests only."""


def kill_switch() -> Callable[[str], None]:
    """The checkpoint that every part calls at its boundaries: nothing, unless a kill test asks for more."""
    wanted, _, count = os.environ.get(KILL_AT, "").partition(":")
    if not wanted:
        return lambda name: None
    passed: Counter[str] = Counter()

    def checkpoint(name: str) -> None:
        passed[name] += 1
        if name == wanted and passed[name] == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint


class Engine:
    """Pepper without a screen. ``open`` it, ``start`` it, ``close`` it."""

    def __init__(
        self,
        home: Path,
        config: Config,
        store: ContextStore,
        lock: HomeLock,
        clock: Clock,
        *,
        models: Models | None = None,
        agenda: Agenda | None = None,
        tools: Iterable[Tool] = (),
        embedder: Callable[[Budget], Embedder | None] = lambda _: None,
        accounts: Sequence[Named] | None = None,
    ) -> None:
        """``models`` and ``agenda`` stand in for those that the config names; ``tools`` come on top of the built-in;
        ``embedder`` makes the one that searches by meaning, if any, given the budget that pays for it;
        ``accounts`` are those that the config names, where they are known."""
        self.home, self.config, self.zone = home, config, local_zone(config.user.zone)
        self._zone_trouble = zone_trouble(config.user.zone)
        self._times = TimeReader(clock, self.zone, config.user.locale or local_locale())
        self._store, self._lock, self._clock = store, lock, clock
        checkpoint = kill_switch()
        self._subscriber = Subscriber(store)
        self._timers = Timers(clock)
        self._reminders = Reminders(store, clock, self._timers, self.zone)
        own = config.own_addresses
        self._inbox = Inbox(store, clock, self._timers, Acquaintance(store, own, config.user.vips))
        self._book = RuleBook(store, rules_of_config(config), config.mail.templates)
        self._why = Why(store, clock, self.zone)
        secrets = Secrets(home)
        self._models = models or build_models(config, store, clock, secrets)
        ask = None if self._models.by_rule("triage") else self._models.stream
        judged = config.judging.enabled and ask is not None
        triage = Triage(config, self._book, judged=judged)
        accounts = accounts or [*named(config, home)]
        mail = MailIntake(triage)
        around = Around("", home, config, clock, self.zone, secrets, triage, self._book, mail, agenda)
        self._built = built_of(accounts, around)
        self._agenda = self._built.agenda
        self._judging = Judging(
            config.judging, config.user, store, clock, self.zone, ask if judged else None, model_gist
        )
        follows = [FollowFeed(each, config.user, ask) for each in config.conversation]
        self._feeds = Feeds([*self._built.feeds, *follows], store, clock, self._subscriber, self.zone)
        self._registry = ToolRegistry(time=UserTime(self.zone, self.zone.key, self._times))
        self._tools = ToolEngine(store, clock, self._registry, config, checkpoint=checkpoint)
        self._mcp = McpServers(home, config, store, clock, self._registry, secrets, self._tools.cancel)
        self._workers = WorkerPool(
            store,
            clock,
            self._models.stream,
            self._registry.specs,
            config.worker,
            config.worker_slots,
            self.zone,
            config.user,
            cancel_call=self._tools.cancel,
        )
        hands = self._hands(own)
        self._rules = RuleRunner(store, clock, self._book, hands)
        self._follow_ups = FollowUps(store, clock, self._book, hands, self._timers.schedule, self._timers.cancel)
        self.user_rules = UserRules(
            store, clock, config, self.zone, self._book, self._agenda, offline=self._models.offline
        )
        self.parts = self._tool_parts()
        """What the built-in tools are made with."""
        for tool in (*builtin_tools(self.parts), *self._built.tools, *tools):
            self._registry.add(tool)
        self._own_tools = list(add_own_tools(self._registry, config.tool, clock.now()))
        self._acts = UserActs(store, clock, self._times, self.zone, self._inbox, self._tools, self.user_rules)
        self._tools.ordered = self._acts.ordered
        self._answers = Answers(store, self._inbox, self._follow_ups.wrote, self._acts.journal.record)
        self._scheduler = Scheduler(
            store,
            clock,
            config.scheduler,
            config.user,
            self.zone,
            stream=self._models.stream,
            window=lambda tools: self._models.room("scheduler", tools),
            specs=self._offered,
            by_rule=self._models.offline,
            rules=self._rules,
            unit=self._models.unit,
            on_reply=self._spread,
            checkpoint=checkpoint,
        )
        self._meaning = self._search_by_meaning(embedder(self._models.budget))
        kept = {pattern: Wish(rule.days, rule.versions) for pattern, rule in config.store.retention.items()}
        self._retention = Retention(store, clock, kept, *retention_of(accounts))
        self._listeners: set[asyncio.Queue[ReplyDelta]] = set()
        self._warming: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, home: Path, config: Config, clock: Clock | None = None) -> Self:
        """Take the home and open its store.

        Raises ``HomeLockedError`` where another engine has it, ``StoreError`` where the store can't be used,
        ``ConfigError`` for a secret that can't be read.
        """
        make_private(home)
        clock = clock or SystemClock()
        await _answering(config, clock)
        accounts = await asyncio.to_thread(lambda: [*named(config, home)])  # imported here, connectors hold up no key
        lock = HomeLock(home)
        lock.acquire()
        try:
            store = await ContextStore.open(home / DATABASE, clock, cache_ttl=config.store.cache_seconds)
        except BaseException:
            lock.release()
            raise
        try:
            embedder = partial(build_embedder, config, clock, Secrets(home))
            return cls(home, config, store, lock, clock, embedder=embedder, accounts=accounts)
        except BaseException:
            await store.close()
            lock.release()
            raise

    def _hands(self, own: Sequence[str]) -> Hands:
        """What rules are lent by the other rooms. ``own``: the user's addresses."""
        return Hands(
            announce=self._inbox.announce,
            times=self._times,
            look=self._tools.look,
            is_own={address.lower() for address in own}.__contains__,
            first_mail=partial(first_with, self._store),
            by_a_machine=by_a_machine,
            has_model=lambda: not self._models.by_rule("worker"),
            zone=self.zone,
            zone_name=self.zone.key,
            me=self.config.user.name,
        )

    def _tool_parts(self) -> ToolParts:
        mail, calendar, tools = self.config.mail, self.config.calendar, self.config.tools
        looks, announce, workers = Looks(self._clock), self._inbox.announce, self._workers
        return ToolParts(
            mail=MailParts(
                looks,
                Mailbox(self._store) if mail.maildir or mail.mbox or self.config.account else None,
                self._built.outbox,
                self._folders(mail.attach_from, "attached from", "mail.attach_from"),
            ),
            calendar=CalendarParts(
                self._agenda,
                self._built.calendars,
                WorkingHours(*calendar.work_minutes, calendar.work_weekdays),
                announce,
            ),
            files=FileParts(looks, self._folders(self.config.files.folders, "read", "files.folders")),
            web=WebParts(WebFetcher(tools.fetch.private_hosts, Limits(tools.fetch.timeout, tools.fetch.max_bytes))),
            reminders=ReminderParts(announce),
            notices=NoticeParts(announce),
            asking=AskParts(announce, self._inbox.close, tools.approval_ttl, tools.undo_seconds),
            revising=ReviseParts(self._revise),
            workers=WorkerParts(
                workers.delegate, workers.cancel, workers.tainted, workers.tell, cancel_call=self._tools.cancel
            ),
            rules=self.user_rules.parts(),
        )

    def _folders(self, allowed: Sequence[Path], may: str, setting: str) -> Folders | None:
        return Folders(allowed, [self.home], may=may, setting=setting) if allowed else None

    def _search_by_meaning(self, embedder: Embedder | None) -> Meaning | None:
        if embedder is None:
            return None
        wanted = self.config.search
        keep = wanted.load == "start"
        meaning = Meaning(self._store, embedder, most=wanted.vectors, keep=keep, busy=lambda: self._scheduler.answering)
        self._store.meaning = meaning
        return meaning

    async def start(self, *, feeds: bool = True) -> None:
        """Take up where the last engine stopped; returns when everything runs. Without ``feeds`` it only answers."""
        await self._timers.start()
        await self._book.start()
        await self._inbox.start()
        await self._reminders.start()
        await self._workers.start()
        await self._mcp.start()  # before the open calls are taken up: some may be to its tools
        await self._tools.start()
        await self._rules.start()
        await self._follow_ups.start()
        await self._answers.start()
        await self._tell_parts()
        await self._scheduler.start()
        self._rules.listen(self._subscriber)
        self._follow_ups.listen(self._subscriber)
        if feeds:
            self._feeds.listen()
            self._judging.listen(self._subscriber)
        await self._subscriber.start()
        if feeds:
            self._feeds.start()
        if self._meaning is not None:
            await self._meaning.start()
        await self._retention.start()
        self._warming = asyncio.create_task(self._warm(), name="warm models")

    async def servers_begun(self, seconds: float = 10.0) -> None:
        """Return once the MCP servers are there, or have failed to start, but after ``seconds`` at the latest.

        For who asks one question and goes.
        """
        await self._mcp.begun(seconds)

    async def _tell_parts(self) -> None:
        """Say how the user's tools are, and no more how what the config named once was."""
        config = self.config
        now = {f"feed.{feed.name}" for feed in self._feeds.feeds} | {f"worker.{each.name}" for each in config.worker}
        now |= {health.part for health in self._own_tools} | {f"mcp.{name}" for name in config.mcp}
        for context in await self._store.query(ContextFilter(namespaces=[Namespace.HEALTH], limit=1000)):
            family, named, _ = context.context_id.partition(".")
            if context.context_id == MEANING and self._meaning is None:
                await self._store.delete(context.context_id, namespace=Namespace.HEALTH)
            if context.context_id == ZONE and not self._zone_trouble:
                await self._store.delete(context.context_id, namespace=Namespace.HEALTH)
            if context.context_id == PRIORITY and config.scheduler.priority is None:
                await self._store.delete(context.context_id, namespace=Namespace.HEALTH)
            if named and family in ("feed", "worker", "tools", "mcp") and context.context_id not in now:
                await self._store.delete(context.context_id, namespace=Namespace.HEALTH)
        zone = [Health(ZONE, "trouble", one_line(self._zone_trouble), ZONE_REMEDY, self._clock.now())]
        for health in [*self._own_tools, *(zone if self._zone_trouble else [])]:
            await self._store.put(health, namespace=Namespace.HEALTH, context_id=health.part)

    async def _warm(self) -> None:
        try:
            await self._models.warm()
        except ModelError as error:
            health = Health("model", "trouble", error.words, "pepper config check", self._clock.now())
            await self._store.store(health.data(), namespace=Namespace.HEALTH, context_id=health.part)
        except StoreError:
            log.exception("today's spending could not be read")

    def _offered(self) -> list[ToolSpec]:
        """The tools of the scheduler's model."""
        return [self._workers.offer(spec) if spec.name == DELEGATE else spec for spec in self._registry.specs()]

    async def close(self) -> None:
        """Stop every part where it is, and let go of the home. What is open goes on at the next start."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        parts = {
            "scheduler": self._scheduler.stop,
            "feeds": self._feeds.stop,
            "subscriber": self._subscriber.stop,
            "rules": self._rules.stop,
            "follow-ups": self._follow_ups.stop,
            "answers": self._answers.stop,
            "workers": self._workers.stop,
            "tools": self._tools.stop,
            "mcp": self._mcp.stop,
            "rule book": self._book.stop,
            "reminders": self._reminders.stop,
            "inbox": self._inbox.stop,
            "timers": self._timers.stop,
            **({"search by meaning": self._meaning.stop} if self._meaning is not None else {}),
            "retention": self._retention.stop,
            "models": self._models.close,
            "store": self._store.close,
        }
        loop = asyncio.get_running_loop()
        ends = loop.time() + CLOSES_IN
        for name, stop in parts.items():
            stopping = asyncio.ensure_future(stop())
            # what is committed is safe whatever else hangs; but the store itself is let finish
            left = None if name == "store" else max(_LEAST, ends - loop.time())
            done, _ = await asyncio.wait({stopping}, timeout=left)
            if not done:
                stopping.cancel()
                log.warning("%s did not stop within %g s and is left", name, CLOSES_IN)
            elif not stopping.cancelled() and (error := stopping.exception()):
                log.error("%s did not stop cleanly", name, exc_info=error)  # a full disk, say
        self._lock.release()

    # ------------------------------------------------------------------------------------------------ what is shown

    @property
    def model_name(self) -> str:
        return self._models.name("scheduler")

    @property
    def offline(self) -> bool:
        return self._models.offline

    @property
    def store(self) -> ContextStore:
        return self._store

    async def recall(self, filter: ContextFilter) -> list[Context]:  # noqa: A002
        return await self._store.query(filter)

    async def health(self) -> list[Context]:
        """How each part is, the store's own among them, also where nothing can be read."""
        return await self._store.health()

    async def held_back(self, since: float) -> tuple[int, int]:
        """How much was noticed or thought since then and not told, and the place in the log up to which."""
        signals = ContextFilter(namespaces=[f"{Namespace.SIGNALS}.*"], tags=[HELD_TAG], since=since)
        return await self._store.count_at(signals, ContextFilter(namespaces=[Namespace.ASSISTANT_LOG], since=since))

    @asynccontextmanager
    async def updates(self) -> AsyncIterator[AsyncIterator[list[ContextUpdate]]]:
        """Live updates of ``SHOWN`` and of steps; an empty batch says that some were missed."""
        async with self._store.watch((*SHOWN, Namespace.STEP)) as live:

            async def batches() -> AsyncIterator[list[ContextUpdate]]:
                missed = 0
                async for batch in live:
                    if live.missed > missed:
                        missed = live.missed
                        yield []
                    yield batch

            yield batches()

    async def replies(self) -> AsyncIterator[ReplyDelta]:
        """Pieces of replies as they are written."""
        pieces: asyncio.Queue[ReplyDelta] = asyncio.Queue()
        self._listeners.add(pieces)
        try:
            while True:
                yield await pieces.get()
        finally:
            self._listeners.discard(pieces)

    def _spread(self, delta: ReplyDelta) -> None:
        for listener in self._listeners:
            listener.put_nowait(delta)

    async def why(self, ref: str) -> list[str]:
        return await self._why.explain(ref)

    # ---------------------------------------------------------------------------------------------------- the user

    async def say(
        self,
        text: str,
        *,
        spans: Sequence[Span] | None = None,
        after_calls: bool = False,
        alone: bool = False,
        key: str = "",
    ) -> str:
        """Accept a message; returns its id once it is durable. ``spans``: what of it was not typed; unsaid, all of it.
        ``alone``: no other is answered in one reply with it. ``key``: what is said again with it was said already."""
        if not text.strip():
            raise EngineError("there is nothing to send")
        calls = await self._open_calls() if after_calls else []
        noted = None if spans is None else list(spans)
        ident = f"user_{key}" if key else self._clock.new_id("user")
        message = UserMessage(ident, text, self._clock.now(), calls, alone=alone, spans=noted)
        with contextlib.suppress(VersionConflictError):
            await self._store.put(message, namespace=Namespace.USER_MESSAGE, text=text, expect_version=0)
        return ident

    async def _open_calls(self) -> list[str]:
        found = await self._store.query(ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=500))
        calls = (ToolCall.of(context) for context in found)
        return [call.id for call in calls if call.state in CALL_OPEN and call.origin.startswith("step:")]

    async def take_back(self) -> Written | None:
        """Withdraw the newest message that no step has taken; what was written, or ``None``."""
        newest = await self._store.query(ContextFilter(namespaces=[Namespace.USER_MESSAGE], limit=20))
        for context in newest:
            if context.data.get("withdrawn"):
                continue
            taken = await self._scheduler.take_back(context.context_id)
            return taken.written if taken else None
        return None

    async def stop_reply(self) -> None:
        self._scheduler.stop_reply()

    async def approve(self, approval_id: str) -> str:
        return await self._acts.approve(approval_id)

    async def reject(self, approval_id: str, note: str = "") -> str:
        return await self._acts.reject(approval_id, note)

    async def edit(self, approval_id: str, fields: dict[str, str]) -> str:
        return await self._acts.edit(approval_id, fields)

    async def _revise(self, call_id: str, fields: dict[str, str], asked: bool) -> str:
        try:
            return await self._tools.approvals.revise(call_id, fields, asked=asked)
        except ApprovalError as error:
            raise ValueError(str(error)) from error

    async def attend(self, at_inbox: bool) -> None:
        """Whether the user is at a card: edits one, or the inbox has the keys. Until they leave none is revised."""
        self._tools.approvals.attended = at_inbox

    async def seen(self, ref: str) -> None:
        kind, _, ident = ref.partition(":")
        if kind == "approval":
            await self._tools.approvals.shown(ident)
        if kind == "notification":
            with contextlib.suppress(InboxError):
                await self._inbox.seen(ident)

    async def done(self, ref: str, *more: str) -> str:
        return await self._acts.done(ref, *more)

    async def dismiss(self, ref: str, *more: str) -> str:
        return await self._acts.dismiss(ref, *more)

    async def snooze(self, ref: str, when: str, *more: str) -> str:
        return await self._acts.snooze(when, ref, *more)

    async def choose(self, ref: str, number: int) -> str:
        return await self._acts.choose(ref, number)

    async def answer(self, ref: str, text: str, *, spans: Sequence[Span] | None = None) -> str:
        return await self._acts.answer(ref, text, spans)

    async def answer_unknown(self, call_id: str, answer: UnknownAnswer) -> str:
        return await self._acts.answer_unknown(call_id, answer)

    async def cancel_call(self, call_id: str) -> str:
        return await self._acts.cancel_call(call_id)

    async def undo(self) -> str:
        return await self._acts.journal.undo()

    async def redo(self) -> str:
        return await self._acts.journal.redo()

    # ----------------------------------------------------------------------------------------------------- rules

    async def rules(self) -> list[RuleReport]:
        """Each rule with what came of it."""
        return await self.user_rules.all()

    async def rule_acts(self, rule_id: str, limit: int = 50) -> list[RuleAct]:
        """What became of a rule's matches, the newest first."""
        return await self.user_rules.acts(rule_id, limit)

    async def rule_versions(self, rule_id: str) -> list[tuple[str, str]]:
        """Each version of a rule and its sentence, the newest first; none for a rule that has only one."""
        with in_words():
            versions = await self.user_rules.versions(rule_id)
        return [(rule.version, sentence(rule)) for rule in versions] if len(versions) > 1 else []

    async def pause_rule(self, rule_id: str) -> str:
        return await self._acts.pause_rule(rule_id)

    async def resume_rule(self, rule_id: str) -> str:
        return await self._acts.resume_rule(rule_id)

    async def remove_rule(self, rule_id: str) -> str:
        return await self._acts.remove_rule(rule_id)

    async def propose_rule(self, ref: str) -> str:
        """Open a card for a rule that always does what was done about ``ref``: ``notification:<id>``,
        ``approval:<id>`` or ``signals.<source>:<id>``."""
        with in_words():
            return await self.user_rules.propose(ref)

    # ----------------------------------------------------------------------------------------------------- the house

    async def dead_letters(self) -> list[str]:
        """One line a delivery that was given up."""
        return [letter.words for letter in await self._store.dead()]

    async def redrive(self) -> str:
        count = await self._store.redrive()
        return f"{count} deliveries tried again" if count else "nothing to try again"


async def _answering(config: Config, clock: Clock) -> None:
    """Look whether the user's own files answer: they are loaded while the engine is made, and nothing could run beside.

    Raises ``ConfigError``.
    """
    files = [*(feed.file for feed in config.feed), *(tool.file for tool in config.tool)]
    files += [worker.file for worker in config.worker if worker.file]
    files += [config.scheduler.priority] if config.scheduler.priority else []
    looks = Looks(clock)
    for file in files:
        try:
            await looks.look(file, file.read_bytes)
        except NoAnswerError as error:
            raise ConfigError([f"{file} does not answer: {error.remedy.partition(';')[0]}, or take it out"]) from error
        except OSError:  # told as the health of its part
            continue
