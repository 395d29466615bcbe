"""A feed that is a program: each line it prints is a JSON object, see ``feeds/raw_record.py``.

The program runs in its own process group under a keeper, which ends it when Pepper ends, however that happens. Its
output is read only as fast as it can be stored, and at most ``per_minute`` lines: meanwhile the program waits, and
nothing is lost. Lines that are too long or no object are dropped and reported as health, together with its error output
and how it ended. A program that ends is restarted, with growing pauses, or after ``every`` seconds if the config says
so.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pepper_tui.config import ConfigError, Secrets
from pepper_tui.config import ExecFeed as ExecConfig
from pepper_tui.connectors.program import keeper as exec_keeper
from pepper_tui.connectors.program.lines import MAX_LINE, Lines
from pepper_tui.feeds.chain import link
from pepper_tui.feeds.feed import FeedContext, FeedError, Footing, store_signal
from pepper_tui.feeds.raw_record import content_of, raw_of, said_in, signal_of
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import ContextUpdate, Json, Namespace
from pepper_tui.text import one_line

BATCH: Final = 50  # lines per commit
AT_ONCE: Final = 50  # lines parsed before other tasks get their turn
DEEPEST: Final = 50  # nesting depth of objects and lists
KEPT: Final = 8000  # bytes of error output that are kept: the last ones
TELL_EVERY: Final = 30.0  # seconds between two reports of dropped lines
STARTED: Final = 5.0  # seconds of running after which a program counts as well even without output
DRAINED: Final = 1.0  # seconds to drain the pipes once the program has ended
ENDED: Final = 5.0  # seconds for the keeper to exit
_PASSED: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
     "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "SYSTEMROOT"}
)  # fmt: skip


class ExecFeed:
    """The feed of one program. ``env`` returns its variables, with secrets filled in; it runs in ``folder``."""

    def __init__(self, config: ExecConfig, triage: Triage, env: Callable[[], Mapping[str, str]], folder: Path) -> None:
        self.name = config.name
        self._config, self._triage, self._env, self._folder = config, triage, env, folder
        program, *arguments = config.command
        self.footing = Footing(STARTED)
        self._command = [str(Path(program).expanduser()) if program.startswith("~") else program, *arguments]

    def listen(self, ctx: FeedContext) -> None:
        async def process(update: ContextUpdate) -> None:
            if update.deleted:
                return
            async with ctx.processing(update.seq):
                context = update.context
                said = said_in(self.name, context)
                kind = self._config.kind
                found = signal_of(self.name, said, context.context_id, context.created_at, self._triage, kind)
                await store_signal(ctx.store, found, metadata=link(update))

        ctx.subscriber.on_context_update(
            namespaces=[f"{Namespace.RAW}.{self.name}"], name=f"feeds.{self.name}", start="beginning"
        )(process)

    async def run(self, ctx: FeedContext) -> None:
        while True:
            run, began = _Run(self, ctx), ctx.clock.monotonic()
            code = await run.until_ended()
            words = f"{_ended_words(code, self._config.command[0])}{run.said()}"
            if code != 0 or not self._config.every:
                self.footing.failed(ctx.clock.monotonic() - began)
                remedy = f"see what {one_line(self._config.command[0], 80)} says"
                if code == 0:
                    remedy = f"if it is meant to end, set `every` in [[exec]] {self.name!r}"
                raise FeedError(words, f"{remedy}; it is started again by itself")
            state, again = run.state(), f"; next run in {self._config.every:g} s"
            await ctx.health.report(state, f"{run.trouble() or 'its last run went well'}{again}", run.remedy())
            await ctx.clock.sleep(self._config.every)

    # What follows is for _Run.

    def environment(self) -> dict[str, str]:
        """Return the program's environment. Raises ``FeedError`` for a secret that can't be read."""
        passed = {k: v for k, v in os.environ.items() if k in _PASSED or k.startswith("LC_")}
        try:
            return {**passed, **self._env()}
        except ConfigError as error:
            raise FeedError(error.problems[0], f"see env of [[exec]] {self.name!r} in config.toml") from error

    async def started(self) -> asyncio.subprocess.Process:
        """Start the program. Raises ``FeedError``."""
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", exec_keeper.__file__, *self._command,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                cwd=self._folder, env=self.environment(), start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise FeedError(f"can't be started: {error}", f"fix [[exec]] {self.name!r} in config.toml") from error

    @property
    def per_minute(self) -> int:
        return self._config.per_minute


class _Run:
    """One run of the program."""

    def __init__(self, feed: ExecFeed, ctx: FeedContext) -> None:
        self._feed, self._ctx = feed, ctx
        self._lines = Lines()
        self._bad = 0
        self._bad_words = ""
        self._errors = b""
        self._read = 0
        self._held_back = False
        self._told = float("-inf")
        self._minute, self._taken = ctx.clock.monotonic(), 0

    async def until_ended(self) -> int:
        """Read until the program has ended; return its exit code."""
        process = await self._born()
        assert process.stdout is not None
        assert process.stderr is not None
        errors = asyncio.create_task(self._read_errors(process.stderr))
        lines = asyncio.create_task(self._read_lines(process.stdout))
        well = asyncio.create_task(self._tell_once_well())
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({lines, ended}, return_when=asyncio.FIRST_COMPLETED)
            if lines.done():
                lines.result()  # an error such as a failing store ends the run: nothing may be read and lost
            code = await ended
            await self._drained(lines, errors)
            return code
        finally:
            await self._end(process, [well, lines, errors, ended])

    async def _born(self) -> asyncio.subprocess.Process:
        """Start the program; if Pepper stops at that moment, let the start finish and end it properly.

        Cancelling a start kills the keeper immediately, which may have started the program already.
        """
        starting = asyncio.ensure_future(self._feed.started())
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            with contextlib.suppress(FeedError):
                await self._end(await starting, [])
            raise

    async def _drained(self, lines: asyncio.Task[None], errors: asyncio.Task[None]) -> None:
        """Drain the pipes, without waiting for a pipe that a leftover child silently keeps open."""
        while not lines.done():
            before = self._read
            await asyncio.wait({lines}, timeout=DRAINED)
            if self._read == before and not self._held_back:
                break
        if lines.done():
            lines.result()
        await asyncio.wait({errors}, timeout=DRAINED)

    @staticmethod
    async def _end(process: asyncio.subprocess.Process, tasks: list[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        if process.stdin is not None:
            process.stdin.close()  # makes the keeper end the program, and then itself
        try:
            async with asyncio.timeout(ENDED):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in (process.stdout, process.stderr):  # a pipe is closed once its end was read
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAINED):
                    while stream is not None and await stream.read(65536):
                        pass

    async def _tell_once_well(self) -> None:
        await self._ctx.clock.sleep(self._feed.footing.needed)
        await self._tell()

    async def _read_errors(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(65536):
            self._errors = (self._errors + chunk)[-KEPT:]

    async def _read_lines(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(65536):
            self._read += len(chunk)
            await self._take(self._lines.cut(chunk))
        await self._take(self._lines.last())

    async def _take(self, lines: list[bytes]) -> None:
        before = self._bad + self._lines.dropped
        objects: list[Json] = []
        for number, line in enumerate(lines, 1):
            if (found := self._object(line)) is not None:
                objects.append(found)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        while objects:
            room = min(BATCH, await self._room())
            taken, objects = objects[:room], objects[room:]
            await self._store(taken)
            self._taken += len(taken)
        if lines or self._lines.dropped:
            first = self._told == float("-inf")
            if first or (self._bad + self._lines.dropped > before and self._due()):
                await self._tell()

    def _due(self) -> bool:
        return self._ctx.clock.monotonic() - self._told >= TELL_EVERY

    def _object(self, line: bytes) -> Json | None:
        try:
            found: Any = json.loads(line.decode("utf-8"))
            if not isinstance(found, dict):
                raise ValueError("it is not an object")
            content_of(found)  # an object without content can't be reported, so it is not stored
            storable: Json = _storable(found)
        except (ValueError, RecursionError) as error:
            self._bad += 1
            told = Secrets.without(line[:200].decode("utf-8", "replace"))
            self._bad_words = f"{one_line(told, 60)!r}: {one_line(str(error), 80)}"
            return None
        return storable

    async def _room(self) -> int:
        """Return how many objects may be taken now, after waiting until it is at least one."""
        now = self._ctx.clock.monotonic()
        if now - self._minute >= 60:
            self._minute, self._taken, self._held_back = now, 0, False
        if self._taken >= self._feed.per_minute:
            self._held_back = True
            await self._tell()
            await self._ctx.clock.sleep(self._minute + 60 - self._ctx.clock.monotonic())
            self._minute, self._taken, self._held_back = self._ctx.clock.monotonic(), 0, False
            await self._tell()
        return self._feed.per_minute - self._taken

    async def _store(self, objects: list[Json]) -> None:
        namespace = f"{Namespace.RAW}.{self._feed.name}"
        read = (raw_of(self._feed.name, found) for found in reversed(objects))
        said = {key: (raw, text) for key, raw, text in read}
        async with self._ctx.store.unit():
            for key, (raw, text) in reversed(said.items()):
                if await self._ctx.store.get(key, namespace=namespace) is None:
                    await self._ctx.store.store(raw, namespace=namespace, context_id=key, type="exec", text=text)

    # ------------------------------------------------------------------------------------------------------- health

    async def _tell(self) -> None:
        self._told = self._ctx.clock.monotonic()
        await self._ctx.health.report(self.state(), self.trouble() or "running", self.remedy())

    def state(self) -> Any:
        return "trouble" if self.trouble() else "ok"

    def trouble(self) -> str:
        """Return why lines were rejected, or ""."""
        words = []
        if self._bad:
            words.append(f"{self._bad} of its lines are not JSON objects with content, the last {self._bad_words}")
        if self._lines.dropped:
            words.append(f"{self._lines.dropped} of its lines are longer than {MAX_LINE} bytes")
        if self._held_back:
            words.append(f"it prints more than {self._feed.per_minute} lines a minute; it waits")
        return "; ".join(words)

    def remedy(self) -> str:
        if self._held_back and not self._bad:
            return f"let it print less, or raise `per_minute` of [[exec]] {self._feed.name!r}"
        return "each line that it prints must be a JSON object; see docs/feeds.md" if self.trouble() else ""

    def said(self) -> str:
        """Return the last line of its error output."""
        words = [line for line in self._errors.decode("utf-8", "replace").splitlines() if line.strip()]
        return f": {one_line(Secrets.without(words[-1]), 300)}" if words else ""


def _ended_words(code: int, program: str) -> str:
    named = one_line(program, 80)
    if code == exec_keeper.NOT_STARTED:
        return f"{named} could not be started, or could not start its own program"
    if code > 128:
        with contextlib.suppress(ValueError):
            return f"{named} was ended by {signal.Signals(code - 128).name}"
    return f"{named} ended with exit code {code}"


def _storable(value: Any, depth: int = 0) -> Any:
    """Return ``value`` without lone surrogates: stored text must be valid UTF-8.

    Raises ``ValueError`` if it is nested too deeply for a later reader.
    """
    if depth > DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_storable(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(each, depth + 1) for key, each in value.items()}
    return value
