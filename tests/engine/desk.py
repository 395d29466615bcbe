"""A whole engine with a model that a test scripts, on a clock that the test moves; it may end and start again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pepper_tui.clock import ManualClock
from pepper_tui.config import DATABASE, Config, parse_config
from pepper_tui.engine.answers.served import ServedEngine
from pepper_tui.engine.engine import Engine
from pepper_tui.llm.budget import Budget
from pepper_tui.llm.models import ROLES, Endpoint, Models, RoleEndpoints
from pepper_tui.model import (
    OPEN_TAG,
    QUESTION,
    Approval,
    ContextFilter,
    Namespace,
    Notification,
    Span,
    ToolCall,
    ToolResult,
)
from pepper_tui.store import ContextStore, HomeLock
from tests.attack.puppet import Call, Puppet, Turn, prompt_of
from tests.waiting import until

BARE = """
[user]
name = "Sam"
zone = "UTC"
[models]
api_key = ""
base_url = "http://127.0.0.1:9/v1"
[judging]
enabled = false
[search]
meaning = false
"""
"""A user without any source; accounts follow."""
CONFIG = """
[user]
name = "Sam"
addresses = ["sam@example.com"]
zone = "UTC"
[models]
api_key = ""
base_url = "http://127.0.0.1:9/v1"
[mail]
maildir = ["mail"]
[mail.smtp]
host = "127.0.0.1"
port = 9
security = "none"
[judging]
enabled = false
[search]
meaning = false
[[worker]]
name = "clerk"
stateful = true
"""


class FrontedEngine(ServedEngine):
    """Fronts in other processes may attach."""

    serves_fronts = True


class Desk:
    """``async with`` it. ``model.turns`` are taken by the scheduler's steps, ``model.work`` by the workers'."""

    feeds = False

    def __init__(self, home: Path, clock: ManualClock, config: str = CONFIG, kind: type[Engine] = Engine) -> None:
        self.home, self.clock, self.model, self.kind = home, clock, Puppet(), kind
        self.config: Config = parse_config(config, home / "config.toml")
        self.engine: Engine

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        await self.engine.close()

    async def open(self) -> None:
        lock = HomeLock(self.home)
        lock.acquire()
        store = await ContextStore.open(self.home / DATABASE, self.clock)
        endpoint = RoleEndpoints(Endpoint(self.model, "puppet"))
        models = Models(self.clock, dict.fromkeys(ROLES, endpoint), Budget(store, self.clock, self.config), {})
        self.engine = self.kind(self.home, self.config, store, lock, self.clock, models=models)
        await self.engine.start(feeds=self.feeds)

    async def restart(self) -> None:
        await self.engine.close()
        await self.open()

    async def says(self, text: str, *turns: Turn, work: tuple[Turn, ...] = (), spans: tuple[Span, ...] = ()) -> None:
        """The user types ``text``; the model answers with ``turns``, a worker with ``work``."""
        self.model.turns.extend(turns)
        self.model.work.extend(work)
        await self.engine.say(text, spans=spans)

    async def until(self, condition: Callable[[], Awaitable[Any] | bool], step: float = 0.05) -> Any:
        """Let time pass in small steps until ``condition`` holds; what it gave."""
        found: list[Any] = []

        async def held() -> bool:
            there = condition()
            found[:] = [await there if isinstance(there, Awaitable) else there]
            if not found[0]:
                await self.clock.advance(step)
            return bool(found[0])

        await until(held, 40.0)  # what reads calendars is a process of its own, which a busy machine holds up
        return found[0]

    async def rows(self, namespace: str) -> list[dict[str, Any]]:
        """The data of all contexts of a namespace, the oldest first."""
        wanted = ContextFilter(namespaces=[namespace], newest_first=False, limit=1000, include_expired=True)
        return [context.data for context in await self.engine.store.query(wanted)]

    async def questions(self) -> list[Notification]:
        """Those that wait."""
        wanted = ContextFilter(namespaces=[Namespace.NOTIFICATION], tags=[OPEN_TAG], newest_first=False)
        found = Notification.readable(await self.engine.store.query(wanted))
        return [notice for notice in found if notice.kind == QUESTION]

    async def question(self) -> Notification:
        """The one that waits, once it does."""
        found: list[Notification] = await self.until(self.questions)
        assert len(found) == 1
        return found[0]

    async def calls(self, name: str) -> list[ToolCall]:
        return [call for call in map(ToolCall.of, await self.rows(Namespace.TOOL_CALL)) if call.name == name]

    async def results(self, name: str) -> list[ToolResult]:
        return [one for one in map(ToolResult.of, await self.rows(Namespace.TOOL_RESULT)) if one.name == name]

    async def result(self, name: str) -> ToolResult:
        """The one result of that tool's calls, once it is there."""
        found: list[ToolResult] = await self.until(lambda: self.results(name))
        assert len(found) == 1
        return found[0]

    async def card(self) -> Approval:
        """The newest card, once there is one that waits."""

        async def waiting() -> list[Approval]:
            cards = map(Approval.of, await self.rows(Namespace.APPROVAL))
            return [card for card in cards if card.state == "pending"]

        found: list[Approval] = await self.until(waiting)
        return found[-1]

    async def replies(self) -> list[str]:
        return [str(row["text"]) for row in await self.rows(Namespace.ASSISTANT_MESSAGE)]

    def prompts(self, role: str = "scheduler") -> list[str]:
        return [prompt_of(request) for request in self.model.requests if request.role == role]


def calls(*made: Call, text: str = "") -> Turn:
    """A turn of the model that makes these calls."""
    return Turn(text, made)
