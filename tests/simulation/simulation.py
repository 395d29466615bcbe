"""One seed: a world, an engine that lives and dies in it, a user, and what was seen."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import random
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pepper_tui.config import Budget as BudgetConfig
from pepper_tui.config import (
    Calendar,
    Config,
    Conversation,
    Mail,
    Models,
    OwnFeed,
    Price,
    Rule,
    Smtp,
    Tools,
    User,
    Worker,
)
from pepper_tui.config import Scheduler as SchedulerConfig
from pepper_tui.domains.calendar.event import Event
from pepper_tui.engine.engine import Engine
from pepper_tui.llm import Budget
from pepper_tui.llm import Models as RoleModels
from pepper_tui.llm.models import Endpoint, RoleEndpoints
from pepper_tui.llm.routing import retry_policy_of
from pepper_tui.model import EngineError, Namespace
from pepper_tui.rules.configured import rule_id
from pepper_tui.store import ContextStore, StoreError
from tests.simulation.calendar.world import TOOLS as CALENDAR_TOOLS
from tests.simulation.calendar.world import CalendarWorld
from tests.simulation.clock import SimulatedClock
from tests.simulation.database import Disk
from tests.simulation.house_rules import TEMPLATES, drawn
from tests.simulation.invariants import Watch as Invariants
from tests.simulation.invariants import seen_effect
from tests.simulation.loop import SimulatedLoop, StuckError
from tests.simulation.mail.account import ADDRESS
from tests.simulation.mail.world import MailWorld
from tests.simulation.mind import Mind, SimulatedClient
from tests.simulation.outside import TOOLS, Faults, Outside, Performed, SimulatedAgenda, installed

HERE = Path(__file__).parent
HOME = Path(tempfile.gettempdir()) / "pepper-simulation"
MAX_STEPS = 400_000  # callbacks of one seed; more is a loop that never ends
LONGEST_ACT = 200.0  # virtual seconds that an act of the user may take
ROLES = ("scheduler", "worker", "triage", "summary")


@dataclass(slots=True)
class Outcome:
    """What came of one seed. ``digest`` is the hash of its trace."""

    seed: int
    violations: list[str]
    digest: str
    trace: list[str]
    steps: int = 0
    crashes: int = 0
    effects: int = 0
    requests: int = 0
    updates: int = 0


class NoLock:
    """The home of a simulation has one engine by construction."""

    def release(self) -> None:
        return


class Crashed(Exception):
    """The engine was dropped."""


@dataclass(slots=True)
class Plan:
    """What the seed has in store, drawn at its beginning."""

    config: Config
    shuffled: bool
    faults: Faults
    offline_lives: int = 0  # so many lives of the engine have no model yet
    acts: list[tuple[str, float, str]] = field(default_factory=list)  # after so many seconds, or commits: what
    crashes: list[tuple[str, int]] = field(default_factory=list)  # how each life ends: at which step, commit or effect


WORLD_ACTS = (
    ("mail",) * 8
    + ("gauge",) * 3
    + ("party", "party", "stranger", "automatic", "own", "second", "second")
    + ("burst", "flood", "duplicate", "event", "event", "move", "cancel_event", "jump")
)
DISK_ACTS = ("disk_full", "disk_full", "disk_unreadable", "disk_unreadable")
USER_ACTS = (
    ("say",) * 8
    + ("approve",) * 10
    + ("reject", "edit", "snooze_card", "dismiss_card", "cancel_call", "answer", "answer", "undo", "undo", "undo")
    + ("choose", "choose", "answer_words", "dismiss_question")
    + ("done", "dismiss", "snooze", "seen", "take_back", "take_back", "stop", "why", "recall", "redrive", "restart")
    + (
        "done_many",
        "dismiss_many",
        "snooze_many",
        "edit",
        "approve_edit",
        "approve_undo",
        "approve_undo",
        "approve_late",
        "approve_and_end",
        "approve_and_end",
        "undo_and_end",
        "undo_redo",
        "undo_redo",
        "undo_late",
        "redo",
        "redo",
        "redo",
    )
    + ("pause_rule", "pause_rule", "resume_rule", "remove_rule", "propose_rule", "propose_rule", "list_rules")
)


def plan_of(seed: int) -> Plan:
    """Draw the world: each seed has its own mix of faults, limits and acts."""
    chance = random.Random(f"plan {seed}")
    offline = chance.random() < 0.1
    priced = chance.random() < 0.25 and not offline
    small = chance.random() < 0.4
    config = Config(
        user=User(name="Sam", addresses=["me@example.org"], zone="Europe/Berlin", vips=["vip@boss.example"]),
        models=Models(
            name="sim",
            base_url="" if offline else "http://sim.invalid",
            api_key="",
            prices=dict.fromkeys(("sim", "spare"), Price(input=1.0, cached=0.5, output=2.0)) if priced else {},
            fallback=chance.choice(("", "", "spare")),
            retries=chance.choice((0, 1, 3)),
        ),
        budget=BudgetConfig(daily=chance.choice((0.25, 0.6, 2.0)), chat_reserve=0.1),
        scheduler=SchedulerConfig(
            batch_size=chance.choice((1, 3, 20)),
            history_limit=2500 if small else 60_000,
            prompt_limit=14_000 if small else 120_000,
            entry_limit=chance.choice((400, 4000)),
            calls_per_step=chance.choice((8, 8, 8, 2)),
            max_rounds=chance.choice((2, 6)),
        ),
        tools=Tools(
            concurrency=chance.choice((1, 2, 8)),
            timeout=20.0,
            result_limit=chance.choice((1000, 50_000)),
            approval_ttl=chance.choice((300.0, 1200.0)),
            open_cards=chance.choice((5, 5, 5, 3, 1)),
            undo_seconds=chance.choice((10.0, 10.0, 10.0, 3.0, 0.0)),
        ),
        mail=Mail(
            maildir=[HOME],
            address="me@example.org",
            smtp=Smtp(host="smtp.invalid", security="none"),
            scan_interval=chance.choice((600.0, 86_400.0)),
            templates=TEMPLATES,
        ),
        calendar=Calendar(paths=[HOME / "none.ics"], scan_interval=1800.0, starts_soon=10),
        worker=[
            Worker(
                name="clerk",
                stateful=True,
                tools=["parcel", "lookup", "search_mail", "send_mail", "mark"],
                max_steps=chance.choice((2, 6)),
                max_seconds=chance.choice((30.0, 3600.0)),
            ),
            Worker(name="courier", file=HERE / "own_worker.py"),
        ],
        feed=[OwnFeed(name="gauge", file=HERE / "own_feed.py")],
        conversation=[
            Conversation(
                name="gossip", look_for="a quarrel", source="mail", wait=chance.choice((0.0, 60.0)), daily_calls=5
            )
        ]
        if chance.random() < 0.3
        else [],
        worker_slots=chance.choice((1, 4)),
        **drawn(random.Random(f"rules {seed}")),
    )
    level = chance.choice((0.0, 0.05, 0.3))
    faults = Faults(
        tool=chance.choice((0.0, 0.1, 0.5)),
        effect=chance.choice((0.0, 0.2, 0.7)),
        model=level,
        hostile=chance.choice((0.0, 0.0, 0.3)),
    )
    plan = Plan(config, shuffled=chance.random() < 0.5, faults=faults)
    plan.offline_lives = 0 if offline else random.Random(f"model {seed}").choice((0,) * 9 + (1,))
    if plan.offline_lives and not any(rule.ask for rule in config.rule):
        config.rule.append(Rule(name="to be asked", words=["lunch", "invoice"], ask="what is it?"))
    world_acts = WORLD_ACTS + (DISK_ACTS if chance.random() < 0.12 else ())
    hasty, eager = chance.choice((0.0, 0.6)), chance.choice((0.0, 0.4))
    for _ in range(chance.choice((3, 6, 10, 24))):
        name = chance.choice(USER_ACTS if chance.random() < 0.7 else world_acts)
        if chance.random() < eager:
            plan.acts.append(("commits", chance.randint(1, 6), name))
        elif chance.random() < hasty:
            plan.acts.append(("seconds", chance.choice((0.0, 0.003, 0.01, 0.05, 0.2, 1.0)), name))
        else:
            plan.acts.append(("seconds", chance.choice((1.0, 4.0, 60.0)), name))
    if plan.offline_lives:
        plan.acts.insert(len(plan.acts) // 2 + 1, ("seconds", 4.0, "restart"))
    for _ in range(chance.choice((0, 0, 1, 1, 2, 4))):
        how = chance.choice(("step", "commit", "commit", "effect"))
        most = {"step": chance.choice((150, 1500, 6000)), "commit": chance.choice((15, 80)), "effect": 2}[how]
        plan.crashes.append((how, chance.randint(1, most)))
    return plan


class Simulation:
    """Runs one seed."""

    def __init__(self, seed: int, *, verbose: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.plan = plan_of(seed)
        self._verbose = verbose
        self._lines: list[str] = []
        self._hash = hashlib.sha256()
        self._chance = random.Random(f"user {seed}")
        self.clock = SimulatedClock(random.Random(f"clock {seed}"))
        self.disk = Disk(f"sim{seed}", random.Random(f"disk {seed}"))
        self.outside = Outside(random.Random(f"outside {seed}"), self.plan.faults, self.clock.now)
        self.mind = Mind(random.Random(f"mind {seed}"), self.plan.faults)
        self.mind.talkative = random.Random(f"talk {seed}").choice((0.2, 0.6, 0.9))
        self._order = random.Random(f"order {seed}")
        self.loop: SimulatedLoop | None = None
        self.mail = MailWorld(seed, self.outside, self.clock.elapsed, self._kill)
        self.plan.config = self.mail.in_config(self.plan.config)
        self.plan.acts = self.mail.among(self.plan.acts)
        self.dates = CalendarWorld(seed, self.outside, self.clock.elapsed, self._kill)
        self.plan.config = self.dates.in_config(self.plan.config)
        self.plan.acts = self.dates.among(self.plan.acts)
        if self.dates.on:
            self.mind.more, self.mind.arguments = CALENDAR_TOOLS, self.dates.wanted
        self.checks = Invariants(
            self.disk.eye,
            self.outside,
            self.mail,
            self.dates,
            self.plan.config,
            self.clock.now,
            self.clock.elapsed,
            self.trace,
        )
        self.engine: Engine | None = None
        self._crash_now = self._stop_now = False
        self._crash_at: tuple[str, int] | None = None
        self._commits = self._effects = 0  # in this life
        self._writes = 0
        self.disk_failed = False
        self._set_back = 0.0  # seconds by which the wall clock was put back
        self._steps = self._crashes = self._lives = 0
        self._acts: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self._act_count = 0
        self._screen: list[asyncio.Task[None]] = []
        self._live: list[int] = []
        self._live_from = 0
        self._spoken = 0
        self.mind.on_request = self._on_request
        self.mind.on_broken = lambda error: self.checks.wrong(f"the simulation's own mind is broken: {error!r}")
        self.outside.on_effect = self._on_effect
        self.outside.loop = lambda: self.loop
        self.disk.after_write = self._on_write

    # ------------------------------------------------------------------------------------------- seeing

    def trace(self, words: str) -> None:
        line = f"{self.clock.elapsed():12.4f} {words}"
        self._hash.update(line.encode("utf-8", "replace"))
        self._lines.append(line)
        if self._verbose is not None:
            self._verbose(line)

    def _on_request(self, role: str, body: dict[str, Any]) -> None:
        self.checks.on_request(role, body)
        if self.engine is not None:
            counts = self.engine.parts.scheduler.tries.preempted
            self.checks.exhausted = any(n >= self.plan.config.scheduler.max_preemptions for n in counts.values())

    def _on_effect(self, done: Performed) -> None:
        self.checks.on_effect(done)
        self._effects += 1
        if self._crash_at and self._crash_at[0] == "effect" and self._effects >= self._crash_at[1]:
            self._crash_now = True

    def _on_write(self) -> None:
        self.checks.after_commit()
        self._commits += 1
        self._writes += 1
        if self._crash_at and self._crash_at[0] == "commit" and self._commits >= self._crash_at[1]:
            self._crash_now = True

    def _kill(self) -> None:
        """Pepper is killed in the midst of a command to a server."""
        self.trace("killed in a command")
        self._crash_now = True

    def _after_each(self) -> None:
        assert self.loop is not None
        if self._crash_at and self._crash_at[0] == "step" and self.loop.steps >= self._crash_at[1]:
            self._crash_now = True
        if self.loop.steps > MAX_STEPS:
            raise StuckError("it never comes to rest")

    # ------------------------------------------------------------------------------------------- running

    def run(self) -> Outcome:
        handler = _Listener(self)
        root = logging.getLogger("pepper_tui")
        levels = root.level, root.propagate
        root.addHandler(handler)
        root.setLevel(logging.WARNING)
        root.propagate = False
        start_thread = threading.Thread.start
        threading.Thread.start = _no_thread  # type: ignore[method-assign]
        try:
            self._live_through()
        except StuckError as error:
            self.checks.wrong(f"stuck: {error}; open tasks: {self._open_tasks()}")
        except Exception as error:
            self.checks.wrong(f"the simulation broke: {error!r}\n{traceback.format_exc()}")
        finally:
            threading.Thread.start = start_thread  # type: ignore[method-assign]
            self._drop()
            root.removeHandler(handler)
            root.setLevel(levels[0])
            root.propagate = levels[1]
            self.disk.close()
        return Outcome(
            self.seed,
            self.checks.violations,
            self._hash.hexdigest(),
            self._lines,
            self._steps,
            self._crashes,
            len(self.outside.performed),
            self.mind.requests,
            self.checks.last,
        )

    def _open_tasks(self) -> list[str]:
        return [task.get_name() for task in self.loop.tasks.values()][:20] if self.loop else []

    def _live_through(self) -> None:
        acts = [*self.plan.acts]
        self._start_life()
        while acts:
            unit, amount, name = acts.pop(0)
            if unit == "seconds":
                self._until(lambda: False, self.clock.elapsed() + amount)
            else:
                enough = self._writes + amount
                self._until(lambda enough=enough: self._writes >= enough, self.clock.elapsed() + 20.0)  # type: ignore[misc]
            self._act(name)
        self._until(lambda: False, self.clock.elapsed() + 30.0)
        self._drain()

    def _until(self, condition: Callable[[], bool], until: float = float("inf")) -> None:
        """Run on, through crashes, until the condition holds or the time is reached."""
        while True:
            assert self.loop is not None
            self.loop.run_until(lambda: self._crash_now or self._stop_now or condition(), until)
            if self._crash_now:
                self._crash()
            elif self._stop_now:
                self._stop_now = False
                self._restart()
            else:
                return

    def _crash(self) -> None:
        self._crashes += 1
        self.trace("CRASH")
        self._drop()
        downtime = self._chance.choice((0.0, 1.0, 90.0, 90.0, 2 * 86_400.0 if self._chance.random() < 0.2 else 5.0))
        self.outside.stopped()
        self._nobody_runs(downtime)
        self._start_life()

    def _nobody_runs(self, downtime: float) -> None:
        """Time passes, and now and then mail comes that nobody takes in."""
        for _ in range(self._chance.choice((0, 0, 0, 1, 3))):
            self._thread(self._chance.choice(("party", "party", "second")))
        self.clock.offset += downtime

    def _drop(self) -> None:
        if self.loop is None:
            return
        self._steps += self.loop.steps
        self.clock.time = self.loop.time()
        self.clock.loop = None
        self.disk.kill()
        self.loop.abandon()
        self.loop = self.engine = None
        self._acts.clear()
        self._screen.clear()

    def _start_life(self) -> None:
        self._crash_now = self._stop_now = False
        self._commits = self._effects = 0
        self._crash_at = self.plan.crashes.pop(0) if self.plan.crashes else None
        loop = SimulatedLoop(self.clock.time, self._order, shuffled=self.plan.shuffled)
        loop.after_each = self._after_each
        self.loop = self.clock.loop = loop
        booted = loop.create_task(self._boot(), name="boot")
        began = loop.time()
        self._until(lambda: self.loop is not loop or booted.done())
        if self.loop is loop:
            if self.disk_failed and isinstance(booted.exception(), StoreError):
                self.trace(f"no start: {booted.exception()}")
                self._drop()
                self.clock.time = max(self.clock.time + 1.0, self.disk.full_until, self.disk.unreadable_until)
                self._start_life()
                return
            booted.result()
            if loop.time() - began > 60:
                self.checks.wrong(f"the start took {loop.time() - began:.1f} s")

    async def _boot(self) -> None:
        clock, config = self.clock, self.plan.config
        self._lives += 1
        if self._lives <= self.plan.offline_lives:
            config = config.model_copy(update={"models": config.models.model_copy(update={"base_url": ""})})
        self.checks.offline = not config.models.base_url
        store = await ContextStore.open(HOME / "pepper.db", clock, database=self.disk.open)
        client = SimulatedClient(clock, self.mind)
        models = None
        if config.models.base_url:
            spare = Endpoint(client, "spare") if config.models.fallback else None
            asked = RoleEndpoints(Endpoint(client, "sim"), spare, retry_policy_of(config.models, "scheduler"))
            models = RoleModels(
                clock,
                dict.fromkeys(ROLES, asked),  # type: ignore[arg-type]
                Budget(store, clock, config),
                config.models.prices,
            )
        agenda: Any = None if self.dates.on else SimulatedAgenda(self.outside)
        lock: Any = NoLock()
        engine = Engine(HOME, config, store, lock, clock, models=models, agenda=agenda, tools=TOOLS)
        self._live, self._live_from = [], self.checks.last
        watching = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name, work in (("screen", self._follow(engine, watching)), ("screen replies", self._read_replies(engine))):
            self._screen.append(loop.create_task(work, name=name))
        await watching.wait()
        await engine.start()
        self.engine = engine
        self.trace("started")

    async def _follow(self, engine: Engine, watching: asyncio.Event) -> None:
        async with engine.updates() as batches:
            self._live_from = self.checks.last
            watching.set()
            async for batch in batches:
                self._live += [update.seq for update in batch if update.seq]  # 0: the store on itself

    async def _read_replies(self, engine: Engine) -> None:
        async for delta in engine.replies():
            if delta.text:
                self.checks.streamed.add(delta.message_id)

    # ------------------------------------------------------------------------------------------- the end

    def _drain(self) -> None:
        """Let the world be calm, and everything come to its end."""
        self.trace("CALM")
        self.plan.crashes.clear()
        self._crash_at = None
        self.plan.faults.calm()
        self.mind.calm = True
        self.mail.calm()
        self.dates.calm()
        self.clock.offset += self._set_back  # else cards and reminders would wait for hours that were taken away
        self._finish()
        self.plan.config.models.prices.clear()  # what the quiet time brings (an event comes near) is to find room
        if self.checks.tokens_today() > self.plan.config.budget.daily_tokens / 2:
            self.clock.offset += 86_400.0
            self._finish()
        self._until(lambda: False, self.clock.elapsed() + 1000.0)  # beyond the longest pause after a fault
        self._finish()
        self._finish_acts(final=True)
        self._until(lambda: not self._busy(), self.clock.elapsed() + 120.0)  # what came in the last moment
        before = self.checks.last
        self.checks.calm = True
        self._until(lambda: False, self.clock.elapsed() + 1200.0)
        self._check_idle(before)
        self.checks.at_drain(self._live, self._live_from)
        assert self.loop is not None
        for words in self.loop.troubles:
            self.checks.wrong(f"asyncio: {words}")
        self._close()

    def _finish(self) -> None:
        """Until nothing has to come to its end any more: cards that nobody answers expire, follow-ups fall due."""
        for turn in range(400):
            left = self.checks.unfinished()
            if not left:
                return
            if turn >= 5 and turn % 2:
                self._act("reject" if turn % 4 == 1 else "approve")
                self._act("choose" if turn % 4 == 1 else "answer_words")
            if any("delivery" in one for one in left) and (self.plan.config.models.prices or turn % 10 == 9):
                self.clock.offset += 86_400.0  # the budget of a new day
            self._until(lambda: not self._busy(), self.clock.elapsed() + 120.0)
            self._until(lambda: False, self.clock.elapsed() + 120.0)
        self.checks.wrong(f"unfinished at the drain: {left[:6]}")

    def _busy(self) -> bool:
        return bool(self.checks.waiting)

    def _check_idle(self, before: int) -> None:
        quiet = (
            "sim",
            "reminder",
            "notification",
            "raw.calendar",
            "signals.calendar",
            "feed.gauge",
            "raw.gauge",
            "feed.clock",
            "undo",  # a conflict is over, and its card ends
            "calendar.next",
        )
        said = [row for seq, row in self.checks.by_seq.items() if seq > before]
        loud = [row.namespace for row in said if not row.namespace.startswith(quiet)]
        if self.checks.requested_after_drain and not any(row.namespace.startswith("signals") for row in said):
            self.checks.wrong(f"idle asked the model {self.checks.requested_after_drain} times")
        if loud and not any(row.namespace.startswith("signals") for row in said):
            self.checks.wrong(f"idle wrote {loud[:5]}")

    def _close(self) -> None:
        """An orderly stop ends all that runs, soon and without a word of trouble."""
        assert self.loop is not None
        assert self.engine is not None
        loop = self.loop
        closing = loop.create_task(self.engine.close(), name="close")
        self.engine = None
        if not loop.run_until(closing.done, loop.time() + 60.0):
            self.checks.wrong(f"the stop hangs; open tasks: {self._open_tasks()}")
            return
        closing.result()
        loop.run_until(lambda: False, loop.time() + 30.0)
        left = [name for name in self._open_tasks() if not name.startswith("screen")]
        if left:
            self.checks.wrong(f"tasks are left after the stop: {left}")
        for words in loop.troubles:
            self.checks.wrong(f"asyncio: {words}")

    # ------------------------------------------------------------------------------------------- acts

    def _act(self, name: str) -> None:
        self._finish_acts()
        world = {
            "mail": lambda: self.outside.deliver(self.outside.new_mail()),
            "burst": lambda: [self.outside.deliver(self.outside.new_mail()) for _ in range(self._chance.randint(2, 6))],
            **{how: partial(self._thread, how) for how in ("party", "stranger", "automatic", "own", "second")},
            "flood": self._flood,
            "duplicate": self._duplicate,
            "gauge": self.outside.read_gauge,
            "disk_full": self._fill_disk,
            "disk_unreadable": self._break_disk,
            "event": self._event,
            "move": lambda: self._change_event(cancel=False),
            "cancel_event": lambda: self._change_event(cancel=True),
            "jump": self._jump,
            "restart": self._restart,
        }
        room, _, name = name.rpartition(" ")
        if room == "dates" and self.dates.happens(name):
            self.trace(f"world: dates {name}")
            return
        if name in world:
            self.trace(f"world: {name}")
            world[name]()
            return
        if self.mail.happens(name):
            self.trace(f"world: {name}")
            return
        engine = self.engine
        if engine is None:
            return
        work = getattr(self, f"_user_{name}")(engine)
        if work is None:
            return
        self._act_count += 1
        assert self.loop is not None
        task = self.loop.create_task(self._perform(name, work), name=f"act {name} {self._act_count}")
        self._acts[task.get_name()] = (self.clock.elapsed(), task)

    async def _perform(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        try:
            words = await work
        except EngineError as error:
            self.trace(f"user: {name}: refused: {error.words}")
        except ValueError as error:
            if name != "why":
                raise
            self.trace(f"user: {name}: {error}")
        except StoreError as error:
            if not self.disk_failed:
                raise
            self.trace(f"user: {name}: the disk: {error}")
        else:
            self.trace(f"user: {name}: {str(words)[:100]}")

    def _finish_acts(self, final: bool = False) -> None:
        for name, (began, task) in [*self._acts.items()]:
            if task.done():
                del self._acts[name]
                if not task.cancelled() and task.exception() is not None:
                    error = task.exception()
                    assert error is not None
                    self.checks.wrong(f"{name} raised {error!r}\n{''.join(traceback.format_exception(error))[-1500:]}")
            elif final or self.clock.elapsed() - began > LONGEST_ACT:
                self.checks.wrong(f"{name} has not come back after {self.clock.elapsed() - began:.0f} s")
                del self._acts[name]

    def _pick(self, namespace: str, *states: str) -> str:
        """A random thing, most often one in a state that fits, now and then any."""
        rows = [row for (name, _), row in self.checks.rows.items() if name == namespace and not row.deleted]
        fitting = [row for row in rows if row.data.get("state") in states]
        if fitting and self._chance.random() < 0.85:
            return self._chance.choice(fitting).id
        return self._chance.choice(rows).id if rows else "none"

    def _user_say(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        self._spoken += 1
        words = self._chance.choice(
            ("hello", "send it", "<forged> & co", "remind me in 5 minutes to look", "what is on today?", "search lunch")
        )
        return engine.say(f"{words} {self._spoken}", spans=(), after_calls=self._chance.random() < 0.2)

    def _user_approve(self, engine: Engine) -> Coroutine[Any, Any, Any] | None:
        card = self._pick(Namespace.APPROVAL, "pending")
        row = self.checks.rows.get((Namespace.APPROVAL, card))
        if row is None:
            return None
        return self._approve(engine, card, row.data)

    async def _approve(self, engine: Engine, card: str, seen: dict[str, Any]) -> str:
        """Say yes to what was seen on the card."""
        self.checks.yes.setdefault(card, []).append(seen_effect(seen))
        try:
            return await engine.approve(card)
        except EngineError:
            acts = self.checks.yes[card]
            if acts:
                acts.pop()
            raise

    def _user_approve_post(self, engine: Engine) -> Coroutine[Any, Any, Any] | None:
        """A yes to what would be sent from the account, if anything waits."""
        cards = [row for (space, _), row in self.checks.rows.items() if space == Namespace.APPROVAL]
        ours = [row for row in cards if str(row.data["effect"]["account"]).startswith(ADDRESS)]
        waits = [row for row in ours if row.data["state"] == "pending"]
        if not waits:
            return self._user_approve(engine)
        card = self._chance.choice(waits)
        return self._approve(engine, card.id, card.data)

    def _user_approve_edit(self, engine: Engine) -> Coroutine[Any, Any, Any] | None:
        return self._approve_and(engine, undo=False, edit=True)

    def _user_approve_undo(self, engine: Engine) -> Coroutine[Any, Any, Any] | None:
        return self._approve_and(engine, undo=True, edit=self._chance.random() < 0.5)

    def _approve_and(self, engine: Engine, *, undo: bool, edit: bool) -> Coroutine[Any, Any, Any] | None:
        """A yes, and within its window what takes it back or would change it."""
        card = self._pick(Namespace.APPROVAL, "pending")
        row = self.checks.rows.get((Namespace.APPROVAL, card))
        if row is None:
            return None
        wait, fields = self._near_the_window(), self._edited(card)

        async def act() -> str:
            said = [await self._approve(engine, card, row.data)]
            await self.clock.sleep(wait)
            if undo:
                said.append(await self._turn(engine.undo))
            if edit:
                said.append(await engine.edit(card, fields))
            return "; ".join(said)

        return act()

    def _near_the_window(self) -> float:
        """Seconds from a yes: at once, soon, or about when the window ends."""
        window = self.plan.config.tools.undo_seconds
        return self._chance.choice((0.0, 0.01, 0.5, window, max(0.0, window - 0.01), window + 0.01))

    def _end_now(self) -> None:
        """Pepper ends where it is: killed, or stopped in order."""
        if self._chance.random() < 0.5:
            self._crash_now = True
        else:
            self._stop_now = True

    def _user_approve_and_end(self, engine: Engine) -> Coroutine[Any, Any, Any] | None:
        """A yes, and about the end of its window Pepper ends."""
        card = self._pick(Namespace.APPROVAL, "pending")
        row = self.checks.rows.get((Namespace.APPROVAL, card))
        if row is None:
            return None
        wait = self._near_the_window()

        async def act() -> str:
            words = await self._approve(engine, card, row.data)
            await self.clock.sleep(wait)
            self._end_now()
            return words

        return act()

    async def _turn(self, turn: Callable[[], Awaitable[str]]) -> str:
        """Undo or redo, by a key of the user's."""
        self.checks.turns += 1
        return await turn()

    def _user_undo_and_end(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        async def act() -> str:
            turned = asyncio.ensure_future(self._turn(self._chance.choice((engine.undo, engine.redo))))
            await self.clock.sleep(self._chance.choice((0.0, 0.0, 0.001, 0.01)))
            self._end_now()
            return await turned

        return act()

    def _user_undo_redo(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        wait = self._chance.choice((0.0, 0.01, self.plan.config.tools.undo_seconds))

        async def act() -> str:
            words = await self._turn(engine.undo)
            await self.clock.sleep(wait)
            return f"{words}; {await self._turn(engine.redo)}"

        return act()

    def _user_undo_late(self, engine: Engine) -> Coroutine[Any, Any, Any] | None:
        """A card is put away or rejected, and taken back in the moment in which it expires or is back."""
        card = self._pick(Namespace.APPROVAL, "pending")
        row = self.checks.rows.get((Namespace.APPROVAL, card))
        if row is None:
            return None
        snoozes, early = self._chance.random() < 0.5, self._chance.choice((-1.0, -0.01, 0.0, 0.5))

        async def act() -> str:
            if snoozes:
                words = await engine.snooze(f"approval:{card}", "in 2 minutes")
                await self.clock.sleep(120.0 + early)
            else:
                words = await engine.reject(card)
                self.clock.offset += max(0.0, row.data["expires_at"] - self.clock.now() + early)
            return f"{words}; {await self._turn(engine.undo)}"

        return act()

    def _user_approve_late(self, engine: Engine) -> Coroutine[Any, Any, Any] | None:
        """A yes in the moment in which the card expires."""
        card = self._pick(Namespace.APPROVAL, "pending")
        row = self.checks.rows.get((Namespace.APPROVAL, card))
        if row is None:
            return None
        self.clock.offset += max(
            0.0, row.data["expires_at"] - self.clock.now() + self._chance.choice((-1.0, -0.01, 0.0, 0.5))
        )
        return self._approve(engine, card, row.data)

    def _user_reject(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.reject(self._pick(Namespace.APPROVAL, "pending"), self._chance.choice(("", "no <forged>")))

    def _user_edit(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        card = self._pick(Namespace.APPROVAL, "pending")
        return engine.edit(card, self._edited(card))

    def _edited(self, card: str) -> dict[str, str]:
        row = self.checks.rows.get((Namespace.APPROVAL, card))
        mail = row is not None and row.data["effect"]["tool"].endswith(("mail", "reply"))
        return (
            {"body": f"edited {self._chance.random():.3f}"} if mail else {"item": self._chance.choice(("pen", "ink"))}
        )

    def _user_snooze_card(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.snooze(f"approval:{self._pick(Namespace.APPROVAL, 'pending')}", "in 2 minutes")

    def _user_dismiss_card(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.dismiss(f"approval:{self._pick(Namespace.APPROVAL, 'pending')}")

    def _user_cancel_call(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.cancel_call(self._pick(Namespace.TOOL_CALL, "scheduled", "waiting_approval", "attempted"))

    def _user_answer(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        call = self._pick(Namespace.TOOL_CALL, "unknown")
        self.checks.answers[call] += 1
        return engine.answer_unknown(call, self._chance.choice(("check", "happened", "did_not", "leave")))

    def _user_undo(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return self._turn(engine.undo)

    def _user_redo(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return self._turn(engine.redo)

    def _notice(self) -> str:
        return f"notification:{self._pick(Namespace.NOTIFICATION, 'new', 'seen', 'snoozed')}"

    def _question(self) -> str:
        """A question that waits, of which time or of a call."""
        open_ = ("new", "seen", "snoozed")
        found = [
            row.id
            for (space, _), row in self.checks.rows.items()
            if space == Namespace.NOTIFICATION and row.data["kind"] == "question" and row.data["state"] in open_
        ]
        return f"notification:{self._chance.choice(found) if found else 'none'}"

    def _user_choose(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.choose(self._question(), self._chance.choice((1, 1, 1, 2, 9)))

    def _user_answer_words(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.answer(self._question(), f"w{self._chance.random():.4f}", spans=[])

    def _user_dismiss_question(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.dismiss(self._question())

    def _user_done(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.done(self._notice())

    def _user_dismiss(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.dismiss(self._notice())

    def _user_snooze(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.snooze(self._notice(), self._chance.choice(("in 1 minute", "in 10 minutes", "tomorrow 9am")))

    def _several(self) -> list[str]:
        return [self._notice() for _ in range(self._chance.randint(2, 5))]

    def _user_done_many(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.done(*self._several())

    def _user_dismiss_many(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.dismiss(*self._several())

    def _user_snooze_many(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        first, *more = self._several()
        if self._chance.random() < 0.3:
            first = f"approval:{self._pick(Namespace.APPROVAL, 'pending')}"
        return engine.snooze(first, "in 10 minutes", *more)

    def _rule(self) -> str:
        """The name of a rule that the user's key is on: of the config, built in or made."""
        name = self._any_rule()
        self.checks.orders.said[rule_id(name)] += 2  # to remove one ends its pause
        return name

    def _any_rule(self) -> str:
        config = self.plan.config
        names = [rule.name for rule in (*config.rule, *config.watch, *config.clock)]
        made = [row.data["name"] for (namespace, _), row in self.checks.rows.items() if namespace == Namespace.RULE]
        return self._chance.choice([*names, *made, *made, "vip", "urgent", "no such rule"])

    def _user_pause_rule(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.pause_rule(self._rule())

    def _user_resume_rule(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        paused = [
            row.id for (space, _), row in self.checks.rows.items() if space == Namespace.RULE_PAUSE and not row.deleted
        ]
        rule = self._chance.choice(paused) if paused else self._any_rule()
        self.checks.orders.said[rule_id(rule)] += 1
        return engine.resume_rule(rule)

    def _user_remove_rule(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.remove_rule(self._rule())

    def _user_list_rules(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.rules()

    def _user_propose_rule(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        signals = [f"{space}:{ident}" for space, ident in self.checks.rows if space.startswith("signals.")]
        card = f"approval:{self._pick(Namespace.APPROVAL, 'pending')}"
        return engine.propose_rule(self._chance.choice((self._notice(), card, *signals[-1:])))

    def _user_file(self, engine: Engine) -> Coroutine[Any, Any, Any] | None:
        """The user's key on mails of the account, or on cards."""
        account = self.mail.account
        mails = [row.id for (space, _), row in self.checks.rows.items()
                 if space == "raw.mail" and row.data["account"]]  # fmt: skip
        if account is None or not mails:
            return None
        picked = [self._chance.choice(mails) for _ in range(self._chance.choice((1, 1, 3)))]
        act = self._chance.choice(account.acts)
        self.checks.mail.named.update(picked)
        folder = "Lists" if act in ("move", "label", "unlabel") else ""
        return engine.file([f"mail:{each}" for each in picked], act, folder)

    def _user_answer_invitation(self, engine: Engine) -> Coroutine[Any, Any, Any] | None:
        """A key on the card of an invitation, or another time in words."""
        asking = [
            row.id
            for (space, _), row in self.checks.rows.items()
            if space == Namespace.NOTIFICATION and "open" in row.tags and row.data["kind"] == "question"
            and row.data["source"].startswith("signals.calendar:")
        ]  # fmt: skip
        if not asking:
            return None
        ref = f"notification:{self.dates.chance.choice(asking)}"
        if self.dates.chance.random() < 0.1:
            return engine.answer(ref, "tomorrow 10:00", spans=[])
        return engine.choose(ref, self.dates.chance.choice((1, 1, 2, 3)))

    def _user_seen(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.seen(self._notice())

    def _user_take_back(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.take_back()

    def _user_stop(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.stop_reply()

    def _user_why(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        rows = [*self.checks.rows.values()]
        row = self._chance.choice(rows)
        return engine.why(self._chance.choice((f"{row.namespace}:{row.id}", "silence", "x:y")))

    def _user_recall(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.dead_letters()

    def _user_redrive(self, engine: Engine) -> Coroutine[Any, Any, Any]:
        return engine.redrive()

    # ------------------------------------------------------------------------------------------- acts of the world

    def _thread(self, how: str) -> None:
        if (source := self.outside.next_in_thread(how)) is not None:
            self.outside.deliver(source)

    def _flood(self) -> None:
        """One sender writes a lot, and most of it matches."""
        sender = self._chance.choice(("Bob <bob@example.com>", "Boss <vip@boss.example>"))
        for _ in range(self._chance.choice((8, 20, 60))):
            self.outside.deliver(self.outside.new_mail(sender, self._chance.choice(("Lunch", "Invoice"))))

    def _duplicate(self) -> None:
        if self.outside.mails:
            self.outside.deliver(self._chance.choice(self.outside.mails)[1])

    def _event(self) -> None:
        number = len(self.outside.events)
        start = self.clock.now() + self._chance.choice((120.0, 900.0, 7200.0))
        event = Event(f"e{number}", f"Meeting {number}", start, start + 1800.0, calendar="sim", zone="Europe/Berlin")
        self.outside.change_event(event)

    def _change_event(self, *, cancel: bool) -> None:
        if not self.outside.events:
            return
        event = self._chance.choice([*self.outside.events.values()])
        if cancel:
            event.status = "CANCELLED"
        else:
            event.start += 600.0
            event.end += 600.0
        self.outside.change_event(event)

    def _jump(self) -> None:
        jump = self._chance.choice((-3600.0, -5.0, 30.0, 3600.0, 3 * 86_400.0))
        self.outside.latest = max(self.outside.latest, self.clock.now())
        self.clock.offset += jump
        self.outside.set_back |= jump < 0
        self._set_back -= min(0.0, jump)

    def _fill_disk(self) -> None:
        self.disk.full_until = self.clock.elapsed() + self._chance.choice((0.2, 2.0, 40.0))
        self.disk_failed = self.outside.faulty_disk = True

    def _break_disk(self) -> None:
        """A cable that comes loose, with mail under way: for a while most reads fail."""
        for _ in range(self._chance.choice((0, 1, 4))):
            self.outside.deliver(self.outside.new_mail())
        self.disk.unreadable_until = self.clock.elapsed() + self._chance.choice((0.2, 2.0, 40.0))
        self.disk_failed = self.outside.faulty_disk = True

    def _restart(self) -> None:
        """An orderly stop in the midst of it all, and a new start."""
        if self.engine is None or self.loop is None:
            return
        loop, engine = self.loop, self.engine
        self._finish_acts()
        closing = loop.create_task(engine.close(), name="close")
        began = loop.time()
        loop.run_until(lambda: self._crash_now or closing.done(), began + 90.0)
        if not self._crash_now:
            if not closing.done():
                self.checks.wrong(f"the stop hangs; open tasks: {self._open_tasks()}")
            else:
                closing.result()
        crashed = self._crash_now
        self.trace("STOPPED" if not crashed else "CRASH in the stop")
        self._drop()
        if crashed:
            self._crashes += 1
        self.outside.stopped()
        self._nobody_runs(self._chance.choice((0.0, 90.0, 1000.0)))
        self._start_life()


class _Listener(logging.Handler):
    """An error in the engine's own log is a fault."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(logging.WARNING)
        self._simulation = simulation

    def emit(self, record: logging.LogRecord) -> None:
        if self._simulation.loop is None or self._simulation.loop.abandoned:
            return  # the last words of a process that is gone
        words = f"{record.name}: {record.getMessage()}"
        self._simulation.trace(f"log {record.levelname} {words[:200]}")
        if record.levelno >= logging.ERROR and not self._simulation.disk_failed:
            cause = ""
            if record.exc_info and record.exc_info[1] is not None:
                cause = "".join(traceback.format_exception(record.exc_info[1]))[-1500:]
            self._simulation.checks.wrong(f"the engine logs an error: {words}\n{cause}")


def _no_thread(self: threading.Thread) -> None:
    raise AssertionError("a simulation has no threads")


def run_seed(seed: int, *, verbose: Callable[[str], None] | None = None) -> Outcome:
    """Run one seed to its end. The garbage collector sleeps meanwhile: when it runs is not the seed's choice."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None  # the last words of engines that were dropped
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            simulation = Simulation(seed, verbose=verbose)
            with installed(simulation.outside), simulation.mail.installed(), simulation.dates.installed():
                outcome = simulation.run()
            gc.collect()
            return outcome
    finally:
        gc.enable()
        sys.unraisablehook = hook
