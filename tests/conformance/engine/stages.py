"""The stages on which the suite plays: an engine behind the protocol, and what brings about the things to be seen.

A stage makes things happen as they would: a card comes of a call of the model's, a reply of what it says. What is seen
of them is asked of the protocol alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.at_source.state import STATES, MailState
from pepper_tui.engine.client import RemoteEngine
from pepper_tui.engine.protocol import Engine
from pepper_tui.model import (
    HELD_TAG,
    OPEN_TAG,
    QUESTION,
    Approval,
    AssistantMessage,
    Context,
    ContextFilter,
    ContextUpdate,
    Json,
    ModelEvent,
    ModelRequest,
    Namespace,
    Notification,
    Priority,
    Record,
    RuleAct,
    Signal,
)
from pepper_tui.store import GiveUpError, Subscriber
from tests.attack.puppet import Puppet, Turn
from tests.domains.mail.mails import make_maildir
from tests.engine.box import Box
from tests.engine.desk import CONFIG, Desk, FrontedEngine, calls
from tests.ui.fake_engine import T0, FakeEngine, approval, note, outgoing, report

ROOMS = ["the red one", "the blue one"]
BODY = "See you at noon."
SEVERAL = "next monday at 5:30"
_OPEN = (Namespace.NOTIFICATION, Namespace.TOOL_CALL, Namespace.REMINDER)


class Stage(Protocol):
    """``engine`` is what is tested. ``several``: words for a time that can mean several."""

    engine: Engine
    several: str

    async def replies(self, said: str, reply: str) -> str:
        """The user says ``said``, and Pepper replies; the id of the user's message."""
        ...

    async def holds(self, said: str) -> str:
        """The user says ``said``, and the reply stays under way; the id of the user's message."""
        ...

    async def until(self, condition: Callable[[], Awaitable[Any]]) -> Any:
        """What ``condition`` gives, once that is true; time passes."""
        ...

    async def put(self, namespace: str, *records: Record) -> None:
        """Store them, one commit after the other."""
        ...

    async def mail(self, *mails: Json) -> None:
        """Have them come."""
        ...

    async def mark(self, *states: MailState) -> None:
        """Have a source report what became of mails."""
        ...

    async def flood(self, count: int) -> str:
        """Store so many notices, of some size, and let nobody read meanwhile; the id of the last."""
        ...

    async def card(self) -> Approval:
        """A mail that waits for a yes."""
        ...

    async def question(self) -> Notification:
        """One that a call of the model's waits for, with ``ROOMS`` to choose from."""
        ...

    async def mail_told(self) -> str:
        """A mail that can be filed, with a notice of it; the id of the notice."""
        ...

    async def rule(self) -> str:
        """The id of an active rule."""
        ...

    async def letter(self) -> None:
        """A delivery that was given up."""
        ...

    async def held_back(self) -> None:
        """A signal that is not told."""
        ...

    def attended(self) -> bool: ...


async def found(engine: Engine, namespace: str, ident: str) -> Context | None:
    wanted = ContextFilter(namespaces=[namespace], context_ids=[ident], include_expired=True)
    return next(iter(await engine.recall(wanted)), None)


async def rows(engine: Engine, namespace: str) -> list[Context]:
    """The oldest first."""
    return await engine.recall(ContextFilter(namespaces=[namespace], newest_first=False, limit=None))


def notice(ident: str = "n1", **more: Any) -> Notification:
    return note(ident, f"Title {ident}", **{"source": f"signals.mail:{ident}", **more})  # else one replaces the other


def signal(ident: str) -> Signal:
    return Signal(ident, "Bob writes", T0, Priority.LOW, "mail", "because", f"m-{ident}", {"from": "bob@example.com"})


class Gated(Puppet):
    """A puppet whose replies wait, half said, until ``go`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.go.set()

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        async for event in super().stream(request):
            yield event
            await self.go.wait()


class RealStage:
    """The engine itself, with a puppet for a model."""

    several = SEVERAL

    def __init__(self, desk: Desk) -> None:
        self.desk, self.inside = desk, desk.engine
        self.engine: Engine = desk.engine
        self.model = Gated()
        self.subscriber = Subscriber(self.inside.store)
        self.model.turns, desk.model.stream = desk.model.turns, self.model.stream  # type: ignore[method-assign]

    async def replies(self, said: str, reply: str) -> str:
        self.model.turns.append(Turn(reply))
        return await self.engine.say(said, spans=[])

    async def holds(self, said: str) -> str:
        self.model.go.clear()
        before = len(self.model.requests)
        ident = await self.replies(said, "Well,")
        await self.desk.until(lambda: len(self.model.requests) > before)
        return ident

    async def until(self, condition: Callable[[], Awaitable[Any]]) -> Any:
        return await self.desk.until(condition)

    async def put(self, namespace: str, *records: Record) -> None:
        for record in records:
            tags = [OPEN_TAG] if namespace in _OPEN else []
            tags += [f"rule:{record.rule}"] if isinstance(record, RuleAct) else []
            key = None if hasattr(record, "id") else str(record.data().get("part"))
            await self.inside.store.put(record, namespace=namespace, tags=tags, context_id=key)

    async def mail(self, *mails: Json) -> None:
        for raw in mails:
            await self.inside.store.store(
                raw, namespace="raw.mail", context_id=raw["id"], text=f"{raw['subject']}\n{raw['text']}"
            )

    async def mark(self, *states: MailState) -> None:
        for each in states:
            await self.inside.store.put(each, namespace=STATES, tags=each.tags)

    async def flood(self, count: int) -> str:
        for at in range(0, count, 1000):
            async with self.inside.store.unit():
                for n in range(at, min(count, at + 1000)):
                    record = notice(f"f{n}", body="x" * 1000)
                    await self.inside.store.put(record, namespace=Namespace.NOTIFICATION)
        return f"f{count - 1}"

    async def card(self) -> Approval:
        before = len(await self.desk.rows(Namespace.APPROVAL))
        mail = ("send_mail", {"to": f"alice{before}@example.com", "subject": "Lunch", "body": BODY})
        self.model.turns.append(calls(mail))
        await self.engine.say(f"write to Alice {before}", spans=[])
        return await self.desk.card()

    async def question(self) -> Notification:
        self.model.turns.append(calls(("ask_user", {"question": "Which room?", "options": ROOMS})))
        await self.engine.say("plan lunch", spans=[])
        return await self.desk.question()

    async def mail_told(self) -> str:
        box = Box(self.desk)
        for folder in ("", ".Archive", ".Work"):
            make_maildir(self.desk.home / "mail" / folder)
        await box.take(1)
        return "n1"

    async def rule(self) -> str:
        await self.engine.propose_rule(await self._mail_of_bob())
        await self.engine.approve((await self.desk.card()).id)

        async def made() -> list[str]:
            rules = [report.rule for report in await self.engine.rules()]
            return [rule["id"] for rule in rules if rule["origin"] == "made" and rule["state"] == "active"]

        [ident] = await self.desk.until(made)
        return str(ident)

    async def _mail_of_bob(self) -> str:
        await self.put(Namespace.NOTIFICATION, notice("bob", sender="bob@example.com", who="Bob"))
        return "notification:bob"

    async def letter(self) -> None:
        failed: list[str] = []

        @self.subscriber.on_context_update(namespaces=["signals.mail"], name="letters")
        async def fails(update: ContextUpdate) -> None:
            if not failed:
                failed.append(update.context.context_id)
                raise GiveUpError("not this one")

        await self.subscriber.start()
        await self.put("signals.mail", replace(signal("s1"), priority=Priority.LOG))
        await self.until(self.engine.dead_letters)

    async def held_back(self) -> None:
        await self.inside.store.put(signal("s2"), namespace="signals.mail", tags=[HELD_TAG])

    def attended(self) -> bool:
        return self.inside.parts.calling.engine.approvals.attended


class RemoteStage(RealStage):
    """The same engine from outside, through its socket."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.engine = RemoteEngine(desk.home)


class FakeStage:
    """The engine in memory of the screen's tests."""

    several = SEVERAL

    def __init__(self) -> None:
        self.fake = FakeEngine()
        self.fake.several = {self.several: (("in an hour", "1h"), ("in two", "2h")), "flurb": ()}
        self.engine: Engine = self.fake
        self._cards = 0

    async def replies(self, said: str, reply: str) -> str:
        ident = await self.engine.say(said, spans=[])
        for word in reply.split(" "):
            self.fake.delta("p1", f"{word} ")
        self.fake.delta("p1", "", done=True)
        await self.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage("p1", f"{reply} ", T0, "step_1"))
        return ident

    async def holds(self, said: str) -> str:
        ident = await self.engine.say(said, spans=[])
        self.fake.queued.clear()
        self.fake.delta("p1", "Well,")
        return ident

    async def until(self, condition: Callable[[], Awaitable[Any]]) -> Any:
        value = await condition()
        assert value
        return value

    async def put(self, namespace: str, *records: Record) -> None:
        for record in records:
            self.fake.put(namespace, record)

    async def mail(self, *mails: Json) -> None:
        self.fake.mail.put(*mails)

    async def mark(self, *states: MailState) -> None:
        self.fake.mail.mark(*states)

    async def flood(self, count: int) -> str:
        await self.put(Namespace.NOTIFICATION, *(notice(f"f{n}") for n in range(count)))
        return f"f{count - 1}"

    async def card(self) -> Approval:
        self._cards += 1
        key = f"a{self._cards}"
        card = approval(key, body=BODY)
        await self.put(Namespace.TOOL_CALL, outgoing(key))
        await self.put(Namespace.APPROVAL, card)
        return card

    async def question(self) -> Notification:
        choices: list[Json] = [{"words": words, "arguments": {}} for words in ROOMS]
        asked = note("q1", "Which room?", kind=QUESTION, choices=choices)
        await self.put(Namespace.NOTIFICATION, asked)
        return asked

    async def mail_told(self) -> str:
        await self.put(Namespace.NOTIFICATION, notice("n1"))
        return "n1"

    async def rule(self) -> str:
        self.fake.reports["quotes"] = report("quotes")
        return "quotes"

    async def letter(self) -> None:
        self.fake.letters.append("letters #1: gave up")

    async def held_back(self) -> None:
        self.fake.held += 1

    def attended(self) -> bool:
        return self.fake.attended


@asynccontextmanager
async def real(home: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    async with Desk(home, clock, CONFIG, FrontedEngine) as desk:
        stage = RealStage(desk)
        yield stage
        await stage.subscriber.stop()


@asynccontextmanager
async def remote(home: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    async with Desk(home, clock, CONFIG, FrontedEngine) as desk:
        stage = RemoteStage(desk)
        await stage.engine.start()
        try:
            yield stage
        finally:
            await stage.engine.close()
            await stage.subscriber.stop()


@asynccontextmanager
async def fake(home: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    stage = FakeStage()
    await stage.engine.start()
    yield stage


STAGES = {"engine": real, "remote": remote, "fake": fake}
