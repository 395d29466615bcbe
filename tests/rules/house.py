"""A real engine over a real Maildir, on a clock that the test moves: mail goes in, what came of it is read from the
store. Unless a test names its port, nobody listens where mail would be sent to."""

from __future__ import annotations

import asyncio
import textwrap
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pepper_tui.clock import ManualClock
from pepper_tui.config import parse_config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import ContextFilter, Namespace
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.stored import backlog

BASE = """
[user]
name = "Alex Rivera"
addresses = ["me@example.org"]
zone = "Europe/Berlin"
vips = ["boss@example.com"]

[models]
api_key = ""
base_url = "{model}"

[mail]
maildir = ["{maildir}"]

[mail.smtp]
host = "127.0.0.1"
port = {port}
security = "none"

[mail.templates]
thanks = "Hi {{first_name}}, thank you for {{subject}}. {{me}}"
nudge = "Hi {{first_name}}, any news on {{subject}}?"

[search]
meaning = false
"""


class House:
    """One home. ``async with`` it; ``restart`` ends the engine and starts another."""

    def __init__(
        self, folder: Path, more: str, *, model: str = "", clock: ManualClock | None = None, port: int = 9
    ) -> None:
        self.home, self.maildir = folder / "home", folder / "Mail"
        self.clock = clock or ManualClock()
        self.home.mkdir(exist_ok=True)
        if not self.maildir.exists():
            make_maildir(self.maildir)
        base = BASE.format(maildir=self.maildir, model=model, port=port)
        self.config = parse_config(base + textwrap.dedent(more), self.home / "config.toml")
        self.engine: Engine
        self._delivered = 0

    async def __aenter__(self) -> Self:
        await self._open()
        await self.until(self.watches)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        await self.engine.close()

    async def _open(self) -> None:
        self.engine = await Engine.open(self.home, self.config, self.clock)
        await self.engine.start()

    async def restart(self, seconds: float = 0.0) -> None:
        """Close, let ``seconds`` pass on the wall, and open again."""
        await self.engine.close()
        await self.reopen(seconds)

    async def reopen(self, seconds: float = 0.0) -> None:
        """Let ``seconds`` pass on the wall, and open what is closed."""
        self.clock.jump(seconds)
        await self._open()
        await self.until(self.watches)

    async def watches(self) -> bool:
        parts = await self.facts("health")
        return any(part["part"] == "feed.mail" and part["state"] == "ok" for part in parts)

    async def until(
        self, condition: Callable[[], Awaitable[Any] | bool], seconds: float = 15.0, step: float = 0.1
    ) -> Any:
        """Let time pass in small steps until ``condition`` holds; what it gave."""
        deadline = time.monotonic() + seconds
        while True:
            held = condition()
            held = await held if isinstance(held, Awaitable) else held
            if held:
                return held
            assert time.monotonic() < deadline, f"not within {seconds} s"
            await self.clock.advance(step)
            await asyncio.sleep(0.005)

    async def calm(self) -> None:
        """Until each signal has been looked after and each act has come to what it comes to by itself."""

        async def settled() -> bool:
            if await self.engine.store.count(ContextFilter(namespaces=["raw.mail"])) < self._delivered:
                return False
            if any(act["state"] == "pending" for act in await self.acts()):
                return False
            return not await backlog(self.engine.store)

        await self.until(settled)
        for _ in range(5):
            await self.clock.advance(0.3)
            await asyncio.sleep(0.01)
        await self.until(settled)

    def mail(self, **fields: Any) -> None:
        """Deliver one mail; see ``mails.mail``."""
        self._delivered += 1
        number = fields.setdefault("number", self._delivered)
        deliver(self.maildir, mail(**fields), f"{number}.{self._delivered}.test")

    async def facts(self, namespace: str, **wanted: Any) -> list[dict[str, Any]]:
        """The data of all contexts of a namespace, oldest first, with these values."""
        found = await self.engine.store.query(
            ContextFilter(namespaces=[namespace], limit=10_000, newest_first=False, include_expired=True)
        )
        return [c.data for c in found if all(c.data.get(key) == value for key, value in wanted.items())]

    async def acts(self, kind: str = "") -> list[dict[str, Any]]:
        return await self.facts(Namespace.RULE_ACT, **({"act": kind} if kind else {}))

    async def cards(self, state: str = "pending") -> list[dict[str, Any]]:
        return await self.facts(Namespace.APPROVAL, state=state)

    async def notices(self) -> list[dict[str, Any]]:
        found = await self.facts(Namespace.NOTIFICATION)
        return [each for each in found if each["state"] in ("new", "seen", "snoozed")]
