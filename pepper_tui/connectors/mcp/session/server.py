"""One server: a supervisor task that holds its session, a queue of calls to it, and its tools in the registry.

So whatever the SDK does to the task that holds a session (it cancels it when a server goes away) reaches no caller. A
session that ends is reopened, after a pause that doubles. The tools are listed at its start, when the server says that
they changed, regularly, and before each call that reaches outside; what differs from what was trusted is barred until
the user approves it.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pepper_tui.clock import Clock
from pepper_tui.config import McpServer, Secrets
from pepper_tui.config.secret.in_clear import told_command, told_url
from pepper_tui.connectors.mcp.asking.question import Answer, Question
from pepper_tui.connectors.mcp.offer.definition import Definition
from pepper_tui.connectors.mcp.offer.offer import Offer
from pepper_tui.connectors.mcp.offer.pins import Pins
from pepper_tui.connectors.mcp.offer.resources import Named, list_words
from pepper_tui.connectors.mcp.session.calls import Calls, Report
from pepper_tui.connectors.mcp.trouble import last_words, length, way_out, why_failed
from pepper_tui.model import Health, Json
from pepper_tui.store import StoreError
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, OutdatedError
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import ToolContext

if TYPE_CHECKING:
    from pepper_tui.connectors.mcp.session.connection import Connection

log = logging.getLogger(__name__)

SDK: Final = "pepper_tui.connectors.mcp.session.connection"
"""The module that imports the SDK: that takes over a second, so in a thread, and only if a server is configured."""
LOOK_EVERY: Final = 30.0
LOOK_LIMIT: Final = 10.0  # seconds for a server to list its tools
LOOK_PAUSE: Final = 1.0  # seconds, at least, between two listings; doubling to LOOK_EVERY while each finds a change
PAUSE: Final = 1.0  # seconds before the first restart, then doubling
LONGEST_PAUSE: Final = 60.0
STEADY: Final = 60.0  # a session that lasted this long was not a failed start
PATIENCE: Final = 5.0  # seconds that a call waits for the next start


@dataclass(frozen=True)
class Surroundings:
    """What a server is given. ``ask`` puts a question to the user; ``ask_trust`` asks for trust where it is missing."""

    clock: Clock
    registry: ToolRegistry
    pins: Pins
    secrets: Secrets
    logs: Path
    tell: Callable[[Health], Awaitable[None]]
    ask: Callable[[Question], Awaitable[Answer]]
    ask_trust: Callable[[Server], Awaitable[None]]


class Server:
    """One server: ``start`` it, then ``call`` and ``cancel``."""

    def __init__(self, name: str, config: McpServer, around: Surroundings) -> None:
        self.name, self.config, self.around = name, config, around
        self.offer = Offer(name, config, self, around.clock, around.registry, around.pins)
        self.named = Named()
        self._connection: Connection | None = None
        self._wake = asyncio.Event()
        self._calls = Calls(name, config.timeout, self._ready, self._wake)
        self._look_now = asyncio.Event()
        self._moved = asyncio.Event()
        self._look_lock = asyncio.Lock()
        self._ended = ""
        self._down: tuple[str, float] | None = None
        self._told: tuple[str, str] = ("", "")
        self._task: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------------------------------------ what it is

    @property
    def account(self) -> str:
        """The server that a call goes to, for the card."""
        config = self.config
        where = told_url(config.url) if config.url else told_command([config.command, *config.args])
        return f"{self.name}: {where}"

    @property
    def identity(self) -> str:
        """Hash of how the config says that it is started or reached."""
        said = self.config.model_dump(mode="json", include={"command", "args", "env", "cwd", "url", "headers"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def log(self) -> Path:
        """The file for what it writes besides its messages."""
        return self.around.logs / f"{self.name}.log"

    # ---------------------------------------------------------------------------------------------- start and stop

    async def start(self) -> None:
        """Offer the tools known from earlier, and begin to supervise; return immediately."""
        await self.offer.recall()
        await self._tell("starting", "it is being started")
        self._task = asyncio.create_task(self._supervise(), name=f"mcp {self.name}")

    async def begun(self) -> None:
        """Return once its first start has succeeded or failed."""
        while self._connection is None and self._down is None:
            self._moved.clear()
            await self._moved.wait()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _supervise(self) -> None:
        clock, failures = self.around.clock, 0
        while True:
            began, logged = clock.monotonic(), await asyncio.to_thread(length, self.log)
            try:
                await self._live()
                why = self._ended or "it closed the connection"
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                if not isinstance(error, Exception | BaseExceptionGroup) or _stopping():
                    raise
                why = why_failed(error)
                log.info("mcp server %s: %s", self.name, why, exc_info=error)
            finally:
                self._connection = None
                self._calls.refuse(f"The MCP server {self.name} went away before it.")
            failures = 1 if clock.monotonic() - began > STEADY else failures + 1
            pause = min(LONGEST_PAUSE, PAUSE * 2 ** (failures - 1)) * (0.5 + clock.jitter() / 2)
            said = await asyncio.to_thread(last_words, self.log, logged) if self.config.command else ""
            why = f"{why}; it said: {said}" if said else why
            self._down = (why, clock.monotonic() + pause)
            pausing = asyncio.create_task(clock.sleep(pause))
            try:
                await self._tell("trouble", why)
                await pausing
            finally:
                pausing.cancel()

    async def _live(self) -> None:
        """Run one session, from its start to its end."""
        sdk: Any = await asyncio.to_thread(importlib.import_module, SDK)
        self._ended = ""
        self._wake.clear()
        self._look_now.clear()
        children: set[asyncio.Task[None]] = set()
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self.config.start_timeout):
                connection: Connection = await stack.enter_async_context(
                    sdk.connect(
                        self.name, self.config, self.around.secrets, self.log,
                        self._ask, self._look_now.set, self._closed, self.named,
                    )
                )  # fmt: skip
                await self._look(connection)
            self._connection, self._down = connection, None
            self._moved.set()
            try:
                children.add(asyncio.create_task(self._keep_looking(connection)))
                while not self._ended:
                    self._calls.begin(connection, children)
                    await self._wake.wait()
                    self._wake.clear()
            finally:
                self._connection = None
                for child in children:
                    child.cancel()
                await asyncio.gather(*children, return_exceptions=True)

    def _closed(self, why: str = "it closed the connection") -> None:
        self._ended = self._ended or why
        self._wake.set()

    async def _tell(self, state: str, detail: str) -> None:
        self._moved.set()
        if (state, detail) == self._told:
            return
        self._told = (state, detail)
        remedy = ""
        if state == "trouble":
            remedy = way_out(self.name, self.config)
            if not self.config.url:
                remedy += f"; its log is {self.log}"
        health = Health(f"mcp.{self.name}", state, detail, remedy, self.around.clock.now())  # type: ignore[arg-type]
        await self.around.tell(health)

    # ---------------------------------------------------------------------------------------------- its definitions

    async def _keep_looking(self, connection: Connection) -> None:
        clock, pause = self.around.clock, LOOK_PAUSE
        while True:
            nap = asyncio.create_task(clock.sleep(LOOK_EVERY))
            told = asyncio.create_task(self._look_now.wait())
            try:
                await asyncio.wait({nap, told}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                nap.cancel()
                told.cancel()
            self._look_now.clear()
            changed = False
            try:
                async with asyncio.timeout(LOOK_LIMIT):
                    changed = await self._look(connection)
            except TimeoutError:
                if not self._calls.under_way:  # otherwise it may be busy with a call, which has its own limit
                    self._closed(f"it did not answer within {LOOK_LIMIT:g} seconds")
            except StoreError as error:  # a full disk, say: the server is not to blame
                log.warning("what %s offers can't be stored: %s", self.name, error)
            except Exception as error:
                self._closed(why_failed(error))
            await clock.sleep(pause)
            pause = min(LOOK_EVERY, pause * 2) if changed else LOOK_PAUSE

    async def _look(self, connection: Connection) -> bool:
        """Take in what it offers now; return whether it differs from before."""
        async with self._look_lock:
            changed = await self.offer.take(
                await connection.definitions(), connection.instructions, connection.unlisted
            )
            if (changed or self._connection is None) and self.offer.asks:
                await self.around.ask_trust(self)
        await self._tell("ok", self.offer.words)
        return changed

    async def trust(self, hashes: dict[str, str], instructions: str = "") -> None:
        """Trust what the server offers now; see ``Offer.trust``."""
        await self.offer.trust(hashes, instructions)
        if self._connection is not None:
            await self._tell("ok", self.offer.words)

    # ------------------------------------------------------------------------------------------------------- calls

    async def call(self, ctx: ToolContext, definition: Definition, arguments: Json) -> str:
        """Carry out a call; see ``Caller``. Cancelling it cancels the call at the server."""

        async def check(connection: Connection) -> None:
            if ctx.tool.outside:
                await self._look(connection)
            now = self.offer.offered.get(definition.name)
            if now is None or now.hash != definition.hash:
                raise OutdatedError(f"The server's definition of {one_line(definition.name, 40)} is another by now.")

        async def work(connection: Connection, report: Report) -> str:
            return await connection.call(definition.name, arguments, report)

        return await self._calls.put(ctx, check, work)

    async def read_resource(self, ctx: ToolContext, uri: str) -> str:
        """Return the text of a resource. Fails as ``call`` does."""

        async def work(connection: Connection, report: Report) -> str:
            return await connection.read(uri, report)

        return await self._calls.put(ctx, _nothing_to_check, work)

    async def list_resources(self, ctx: ToolContext) -> str:
        """Return the resources that it lists, in words; from then on they count as named. Fails as ``call`` does."""

        async def work(connection: Connection, report: Report) -> str:
            return list_words(*await connection.resources())

        return await self._calls.put(ctx, _nothing_to_check, work)

    async def cancel(self, call_id: str) -> None:
        """Stop the call if it is under way."""
        self._calls.cancel(call_id)

    async def _ready(self) -> None:
        clock = self.around.clock
        try:
            async with asyncio.timeout(self.config.start_timeout + PATIENCE):
                while self._connection is None:
                    self._moved.clear()
                    if self._down is not None and self._down[1] - clock.monotonic() > PATIENCE:
                        break
                    await self._moved.wait()
        except TimeoutError:
            pass
        if self._connection is None:
            why = self._down[0] if self._down else "it has not started yet"
            raise NotDoneError(f"The MCP server {self.name} can't be used now: {one_line(why)}.")

    async def _ask(self, question: Question) -> Answer:
        with self._calls.resting():
            return await self.around.ask(question)


async def _nothing_to_check(connection: Connection) -> None:
    """Do nothing: no approval is bound to a definition here."""


def _stopping() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
