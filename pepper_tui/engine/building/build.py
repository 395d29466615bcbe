"""Builds the parts of an engine and injects them into each other: the composition root.

Each function builds one group of parts from those that it depends on. Nothing here runs or decides anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from pepper_tui.clock import Clock, Looks, Timers, local_locale, local_zone
from pepper_tui.clock.words import TimeReader
from pepper_tui.config import SECTION_IDS, Config, Secrets
from pepper_tui.connectors.connector import Around
from pepper_tui.connectors.mcp import McpServers
from pepper_tui.connectors.python.tools import add_own_tools
from pepper_tui.connectors.registry import Named, built_of, named, retention_of
from pepper_tui.domains.calendar.parts import Agenda, CalendarParts, WorkingHours
from pepper_tui.domains.calendar.telling.copies import old_copies, only_invitations
from pepper_tui.domains.calendar.telling.settled_cards import SettledCards
from pepper_tui.domains.calendar.writer import AllCalendars
from pepper_tui.domains.files.folders import Folders
from pepper_tui.domains.files.tools import FileParts
from pepper_tui.domains.invitations.answering import InvitationParts
from pepper_tui.domains.invitations.choices import answer_by, choices_of
from pepper_tui.domains.invitations.outdated_cards import OutdatedCards
from pepper_tui.domains.mail.at_source.answering import Answering
from pepper_tui.domains.mail.at_source.elsewhere import Elsewhere
from pepper_tui.domains.mail.content.gist import model_gist
from pepper_tui.domains.mail.content.machines import by_a_machine, is_absence
from pepper_tui.domains.mail.content.message_ids import first_with
from pepper_tui.domains.mail.facts.authentication import Servers
from pepper_tui.domains.mail.facts.awaited import Awaited
from pepper_tui.domains.mail.facts.finder import Finder
from pepper_tui.domains.mail.facts.look_back import DAYS, LookBack
from pepper_tui.domains.mail.facts.looked_back import LookedBack
from pepper_tui.domains.mail.facts.signs import Signs
from pepper_tui.domains.mail.intake.processor import MailIntake, Matters
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.search.everywhere import Everywhere
from pepper_tui.domains.mail.search.local import LocalSearch
from pepper_tui.domains.mail.tools.filed import note_filed
from pepper_tui.domains.mail.tools.filing import file_mail
from pepper_tui.domains.notices.acquaintance import Acquaintance
from pepper_tui.domains.notices.answers import Answers
from pepper_tui.domains.notices.inbox import Inbox
from pepper_tui.domains.notices.tools import NoticeParts
from pepper_tui.domains.reminders.keeper import Reminders
from pepper_tui.domains.reminders.tools import ReminderParts
from pepper_tui.domains.web.fetch import Limits, WebFetcher
from pepper_tui.domains.web.tools import WebParts
from pepper_tui.engine.acts.always import Always
from pepper_tui.engine.acts.draft_acts import Drafting
from pepper_tui.engine.acts.filing_acts import Orders
from pepper_tui.engine.acts.mail_drafts import MailDrafts
from pepper_tui.engine.acts.nudges import Nudges
from pepper_tui.engine.acts.user_acts import UserActs
from pepper_tui.engine.acts.user_rules import UserRules
from pepper_tui.engine.answers.mail_list import MailList
from pepper_tui.engine.building.builtin_tools import ToolParts, builtin_tools
from pepper_tui.engine.building.calendars import Whose, calendars
from pepper_tui.engine.building.mail_accounts import mail_accounts
from pepper_tui.engine.building.parts import Calling, Ground, Notices, Ordered, Parts, Sensing, StandIns, Upkeep
from pepper_tui.engine.days.day_list import DayList
from pepper_tui.engine.days.event_orders import EventOrders
from pepper_tui.engine.kill_switch import kill_switch
from pepper_tui.engine.replies import Replies
from pepper_tui.feeds import Feeds, FollowFeed, LlmTriage, Triage
from pepper_tui.llm import Models, build_models
from pepper_tui.rules import FollowUps, Hands, RuleBook, RuleRunner, rules_of_config
from pepper_tui.scheduler import Parts as Thinking
from pepper_tui.scheduler import Scheduler
from pepper_tui.store import ContextStore, Meaning, Subscriber
from pepper_tui.store.upkeep.retention import Retention
from pepper_tui.store.upkeep.retention_rules import Wish
from pepper_tui.tools import ApprovalError, ToolEngine, ToolRegistry, UserTime
from pepper_tui.tools.approvals.revise_tools import ReviseParts
from pepper_tui.tools.ask_tools import AskParts
from pepper_tui.workers import WorkerPool
from pepper_tui.workers.tools import WorkerParts


def build(home: Path, config: Config, store: ContextStore, clock: Clock, instead: StandIns) -> Parts:
    """Build all parts of an engine. Raises ``ConfigError`` for a secret that can't be read."""
    ground = _ground(home, config, store, clock, instead.models)
    notices = _notices(ground)
    sensing = _sensing(ground, instead)
    calling = _calling(ground)
    ordered = _ordered(ground, notices, calling, sensing.agenda)
    parts = _tool_parts(ground, notices, sensing, calling, ordered)
    for tool in (*builtin_tools(parts), *sensing.connected.tools, *instead.tools):
        calling.registry.add(tool)
    own_tools = list(add_own_tools(calling.registry, config.tool, clock.now()))
    acts = _acts(ground, notices, calling, ordered, parts)
    calling.engine.ordered = acts.calls.ordered
    withdraw = _withdrawing(calling)
    answers = Answers(store, notices.inbox, ordered.follow_ups.wrote, acts.journal.record, withdraw("an answer"))
    read_ends = config.mail.read_ends
    elsewhere = Elsewhere(store, notices.inbox, withdraw("mail program"), acts.journal.record, read_ends)
    answering = Answering(store, sensing.connected.filers)
    looked_back = LookedBack(store, {each.lower() for each in ground.own}, read_ends, DAYS)
    replies = Replies()
    scheduler = _scheduler(ground, calling, ordered.runner, replies)
    upkeep = _upkeep(ground, scheduler, sensing.accounts, instead)
    own = [address.lower() for address in ground.own]
    there = sensing.connected
    mail_list = MailList(store, own, ground.local, ground.times, parts.mail.accounts, there.originals, there.searchers)
    nudges = Nudges(store, config.mail.templates, parts.mail.locale, config.user.name)
    mail_drafts = MailDrafts(store, clock, nudges)
    return Parts(
        ground,
        notices,
        sensing,
        calling,
        ordered,
        parts,
        own_tools,
        acts,
        answers,
        elsewhere,
        answering,
        SettledCards(store, notices.inbox, acts.journal.record),
        OutdatedCards(store, withdraw("change"), parts.calendar.calendars),
        looked_back,
        scheduler,
        replies,
        upkeep,
        mail_list,
        DayList(store, clock, ground.zone, ground.times, parts.calendar),
        EventOrders(store, clock, ground.times.locale),
        mail_drafts,
    )


def _acts(ground: Ground, notices: Notices, calling: Calling, ordered: Ordered, parts: ToolParts) -> UserActs:
    store, clock, tools = ground.store, ground.clock, calling.engine
    orders = Orders(store, clock, tools.approvals, file_mail.with_given(parts.mail), parts.mail.filers)
    drafting = Drafting(store, clock, tools.approvals, parts.mail)
    read_ends = ground.config.mail.read_ends
    return UserActs(
        store, clock, ground.times, ground.zone, notices.inbox, tools, ordered.user_rules, orders, drafting, read_ends
    )


def _withdrawing(calling: Calling) -> Callable[[str], Callable[[str, str], Awaitable[None]]]:
    """Return how approvals are withdrawn on behalf of somebody."""

    async def withdrawn(by: str, approval: str, why: str) -> None:
        with contextlib.suppress(ApprovalError):  # decided in the same moment
            await calling.engine.approvals.withdraw(approval, by, why)

    return lambda by: partial(withdrawn, by)


def _ground(home: Path, config: Config, store: ContextStore, clock: Clock, models: Models | None) -> Ground:
    zone, secrets = local_zone(config.user.zone), Secrets(home)
    return Ground(
        home=home,
        config=config,
        store=store,
        clock=clock,
        zone=zone,
        times=TimeReader(clock, zone, config.user.locale or local_locale()),
        timers=Timers(clock),
        subscriber=Subscriber(store),
        secrets=secrets,
        own=tuple(config.own_addresses),
        checkpoint=kill_switch(),
        models=models or build_models(config, store, clock, secrets),
        book=RuleBook(store, rules_of_config(config), config.mail.templates),
        signs=Signs(
            Servers(config.mail.facts.servers), {each.lower() for each in config.own_addresses}, config.user.vips
        ),
        local=LocalSearch(store),
    )


def _notices(ground: Ground) -> Notices:
    store, clock = ground.store, ground.clock
    acquaintance = Acquaintance(store, [*ground.own], ground.config.user.vips)
    reminders = Reminders(store, clock, ground.timers, ground.zone)
    return Notices(Inbox(store, clock, ground.timers, acquaintance), reminders)


def _sensing(ground: Ground, instead: StandIns) -> Sensing:
    config, store, clock, zone = ground.config, ground.store, ground.clock, ground.zone
    ask = None if ground.models.by_rule("triage") else ground.models.stream
    judged = config.judging.enabled and ask is not None
    triage = Triage(config, ground.book, judged=judged)
    accounts = instead.accounts or [*named(config, ground.home)]
    mail = MailIntake(triage, _matters(ground, triage))
    around = Around("", ground.home, config, store, clock, zone, ground.secrets, triage, ground.book, mail)
    connected = built_of(accounts, around)
    whose = Whose(ground.zone, ground.own, ground.signs)
    ids = [one.ident for one in accounts if "calendars" in one.connector.holds and not one.in_section]
    agenda, calendar, called = calendars(connected, ids, config.calendar, store, clock, whose, triage, instead.agenda)
    llm_triage = LlmTriage(config.judging, config.user, store, clock, zone, ask if judged else None, model_gist)
    follows = [FollowFeed(each, config.user, ask) for each in config.conversation]
    feeds = Feeds([*connected.feeds, *calendar, *follows], store, clock, ground.subscriber, zone)
    has_any = bool(ids or connected.calendar_paths or connected.has_calendar or instead.agenda)
    copies = partial(old_copies, store, ids, feeds.is_well, clock, zone) if has_any else only_invitations
    return Sensing(accounts, connected, agenda, called, copies, feeds, llm_triage)


def _matters(ground: Ground, triage: Triage) -> Matters:
    settings, own = ground.config.mail.facts, frozenset(triage.own)
    finder = Finder(settings, own, ground.config.user.name, ground.zone, triage.locale, ground.signs)
    return Matters(finder, Awaited(settings, own), LookBack(finder, ground.clock))


def _calling(ground: Ground) -> Calling:
    config, store, clock, zone = ground.config, ground.store, ground.clock, ground.zone
    registry = ToolRegistry(time=UserTime(zone, zone.key, ground.times))
    engine = ToolEngine(store, clock, registry, config, checkpoint=ground.checkpoint)
    workers = WorkerPool(
        store,
        clock,
        ground.models.stream,
        registry.specs,
        config.worker,
        config.worker_slots,
        zone,
        config.user,
        cancel_call=engine.cancel,
    )
    mcp = McpServers(ground.home, config, store, clock, registry, ground.secrets, engine.cancel)
    return Calling(registry, engine, mcp, workers)


def _ordered(ground: Ground, notices: Notices, calling: Calling, agenda: Agenda | None) -> Ordered:
    config, store, clock, models = ground.config, ground.store, ground.clock, ground.models
    own = {address.lower() for address in ground.own}
    hands = Hands(
        announce=notices.inbox.announce,
        times=ground.times,
        look=calling.engine.look,
        is_own=own.__contains__,
        first_mail=partial(first_with, store),
        by_a_machine=by_a_machine,
        is_absence=is_absence,
        has_model=lambda: not models.by_rule("worker"),
        zone=ground.zone,
        zone_name=ground.zone.key,
        me=config.user.name,
        choices=choices_of,
        answer_by=answer_by,
    )
    return Ordered(
        RuleRunner(store, clock, ground.book, hands),
        FollowUps(store, clock, ground.book, hands, ground.timers.schedule, ground.timers.cancel),
        UserRules(store, clock, config, ground.zone, ground.book, agenda, offline=models.offline),
        Always(store, clock, own),
    )


def _tool_parts(ground: Ground, notices: Notices, sensing: Sensing, calling: Calling, ordered: Ordered) -> ToolParts:
    config, connected = ground.config, sensing.connected
    mail, calendar, tools = config.mail, config.calendar, config.tools
    looks, announce, workers = Looks(ground.clock), notices.inbox.announce, calling.workers
    web = WebFetcher(tools.fetch.private_hosts, Limits(tools.fetch.timeout, tools.fetch.max_bytes))

    def folders(allowed: Sequence[Path], may: str, setting: str) -> Folders | None:
        return Folders(allowed, [ground.home], may=may, setting=setting) if allowed else None

    async def revise(call_id: str, fields: dict[str, str], asked: bool) -> str:
        try:
            return await calling.engine.approvals.revise(call_id, fields, asked=asked)
        except ApprovalError as error:
            raise ValueError(str(error)) from error

    mailbox = Mailbox(ground.store, ground.signs, ground.local) if mail.maildir or mail.mbox or config.account else None
    return ToolParts(
        mail=MailParts(
            looks,
            mailbox,
            mail_accounts(config, connected.senders, connected.not_mail),
            folders(mail.attach_from, "attached from", "mail.attach_from"),
            {filer.account: filer for filer in connected.filers},
            partial(note_filed, ground.store),
            announce,
            connected.originals,
            mail.quote,
            config.user.locale or local_locale(),
            web.post,
            Everywhere(mailbox, connected.searchers, ground.store) if mailbox else None,
            ground.own,
            _mail_sources(config),
            {box.account: box for box in connected.drafts},
        ),
        calendar=CalendarParts(
            sensing.agenda,
            AllCalendars(connected.calendars) if connected.calendars else None,
            WorkingHours(*calendar.work_minutes, calendar.work_weekdays),
            announce,
            ground.own,
            sensing.called,
            sensing.copies,
            connected.free_busy,
        ),
        invitations=InvitationParts(ground.own),
        files=FileParts(looks, folders(config.files.folders, "read", "files.folders")),
        web=WebParts(web),
        reminders=ReminderParts(announce),
        notices=NoticeParts(announce),
        asking=AskParts(announce, notices.inbox.close, notices.inbox.settle, tools.approval_ttl, tools.undo_seconds),
        revising=ReviseParts(revise),
        workers=WorkerParts(
            workers.delegate, workers.cancel, workers.tainted, workers.tell, cancel_call=calling.engine.cancel
        ),
        rules=ordered.user_rules.parts(),
    )


def _mail_sources(config: Config) -> tuple[str, ...]:
    """Return the names of the feeds that bring mail."""
    folders = [name for name, paths in (("mail", config.mail.maildir), ("mbox", config.mail.mbox)) if paths]
    local = SECTION_IDS.values()  # such an account may have no address of its own
    return (*folders, *(account.id for account in config.account if account.addresses or account.kind in local))


def _scheduler(ground: Ground, calling: Calling, rules: RuleRunner, replies: Replies) -> Scheduler:
    config, models = ground.config, ground.models
    thinking = Thinking(
        store=ground.store,
        clock=ground.clock,
        settings=config.scheduler,
        user=config.user,
        zone=ground.zone,
        stream=models.stream,
        window=lambda tools: models.room("scheduler", tools),
        specs=calling.offered,
        by_rule=models.offline,
        rules=rules,
        unit=models.unit,
        on_reply=replies.spread,
        checkpoint=ground.checkpoint,
    )
    return Scheduler(thinking)


def _upkeep(ground: Ground, scheduler: Scheduler, accounts: Sequence[Named], instead: StandIns) -> Upkeep:
    store, config = ground.store, ground.config
    meaning: Meaning | None = None
    if (embedder := instead.embedder(ground.models.budget)) is not None:
        most, keep = config.search.vectors, config.search.load == "start"
        meaning = Meaning(store, embedder, most=most, keep=keep, busy=lambda: scheduler.answering)
        store.meaning = meaning
    kept = {pattern: Wish(rule.days, rule.versions) for pattern, rule in config.store.retention.items()}
    return Upkeep(meaning, Retention(store, ground.clock, kept, *retention_of(accounts)))
