"""Reads on where it stopped, also after a restart: how far it has read is committed with what it read."""

from __future__ import annotations

from pathlib import Path

from linelog.settings import LineLog
from pepper_tui.feeds import FeedContext, FeedError, Triage, store_signal
from pepper_tui.feeds.raw_record import raw_of, said_in, signal_of
from pepper_tui.model import ContextUpdate

AT_ONCE = 1_000_000  # bytes of one look


class LineLogFeed:
    """The feed of one log file. ``name`` is the last level of its namespaces: the account's id, after the kind."""

    def __init__(self, name: str, settings: LineLog, triage: Triage) -> None:
        self.name = f"linelog_{name}"
        self._settings, self._triage = settings, triage
        self._words = [word.casefold() for word in settings.words]

    def listen(self, ctx: FeedContext) -> None:
        """Each raw line becomes a signal, by the user's rules; once, whatever is killed when."""

        async def process(update: ContextUpdate) -> None:
            async with ctx.processing(update.seq):
                context = update.context
                said = said_in(self.name, context)
                signal = signal_of(self.name, said, context.context_id, context.created_at, self._triage)
                await store_signal(ctx.store, signal)

        ctx.subscriber.on_context_update(namespaces=[f"raw.{self.name}"], name=f"feeds.{self.name}", start="beginning")(
            process
        )

    async def run(self, ctx: FeedContext) -> None:
        """Look, again and again. What is raised here is told as health, and the supervisor begins anew."""
        while True:
            while await self._look(ctx):
                pass
            await ctx.health.report("ok", f"watching {self._settings.path}")
            await ctx.clock.sleep(self._settings.scan_interval)

    async def _look(self, ctx: FeedContext) -> bool:
        """Take in the next lines; whether there were any."""
        mark = await ctx.store.get("mark", namespace=f"feed.{self.name}")
        offset = int(mark.data["offset"]) if mark else 0
        try:
            source = await ctx.look(self._settings.path, _read, self._settings.path, offset)
        except OSError as error:
            raise FeedError(f"{self._settings.path}: {error.strerror}", "fix path of the account") from error
        whole, newline, _ = source.rpartition(b"\n")
        if not newline:
            return False
        async with ctx.store.unit():  # the lines and the mark: both, or neither
            for line in whole.decode("utf-8", "replace").splitlines():
                if any(word in line.casefold() for word in self._words):
                    ident, raw, text = raw_of(self.name, {"content": line})
                    await ctx.store.store(raw, namespace=f"raw.{self.name}", context_id=ident, text=text)
            after = offset + len(whole) + 1
            await ctx.store.store({"offset": after}, namespace=f"feed.{self.name}", context_id="mark")
        return True


def _read(path: Path, offset: int) -> bytes:
    """What follows ``offset``; from the beginning where the file was made anew. Blocking."""
    with path.open("rb") as file:
        file.seek(offset if file.seek(0, 2) >= offset else 0)
        return file.read(AT_ONCE)
