"""The daily cap: reserved at its worst before each call, reconciled to what it cost after.

A day is the user's calendar day. Each call is one ``Usage`` context in ``llm.usage``. Where a call has a price, its
context is written before the call with the worst that it can cost, and again with what it did cost; so a crash in
between leaves the worst counted as spent. The cap holds for money where the model has a price, else for tokens.
Background work may not touch the share that is kept for the chat.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Coroutine
from contextvars import Context as EmptyContext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pepper_tui import config
from pepper_tui.clock import Clock, local_zone
from pepper_tui.model import ContextFilter, ModelError, Namespace, Usage
from pepper_tui.store import ContextStore

RESERVED_TAG: Final = "reserved"
_PAGE: Final = 1000
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Spending:
    """What a day has come to. ``reserved`` is held for calls under way. Money in the currency of the prices."""

    spent: float
    tokens: int
    reserved: float
    daily: float
    daily_tokens: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """Room that is held for one call; ``worst`` is counted until it is reconciled."""

    id: str
    day: str
    worst: Usage
    priced: bool
    durable: bool


@dataclass(slots=True)
class _Day:
    spent: float = 0.0
    tokens: int = 0  # of models without a price
    all_tokens: int = 0
    held: float = 0.0
    held_tokens: int = 0


def cost_of(usage: Usage, price: config.Price | None) -> float:
    """What ``usage`` costs at ``price``; cached input has its own price, where one is set."""
    if price is None:
        return 0.0
    cached_price = price.cached or price.input
    fresh = usage.prompt_tokens - usage.cached_tokens
    total = fresh * price.input + usage.cached_tokens * cached_price + usage.completion_tokens * price.output
    return total / _MILLION


class Budget:
    """Keeps the cap. One for a home: it holds the day's account in memory, read from the store at the start."""

    def __init__(self, store: ContextStore, clock: Clock, settings: config.Config) -> None:
        self._store, self._clock, self._limits = store, clock, settings.budget
        self._zone = local_zone(settings.user.zone)
        self._days: dict[str, _Day] = {}
        self._loading = asyncio.Lock()
        self._writes: set[asyncio.Task[Any]] = set()

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self._zone)

    def _day_of(self, at: float) -> str:
        return self._local(at).date().isoformat()

    async def load(self) -> None:
        """Read what today has cost so far; does nothing for a day that is known."""
        day = self._day_of(self._clock.now())
        if day in self._days:
            return
        async with self._loading:
            if day in self._days:
                return
            account = _Day()
            midnight = self._local(self._clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
            seq = 0
            while True:
                page = await self._store.query(
                    ContextFilter(
                        namespaces=[Namespace.USAGE],
                        since=(midnight - timedelta(hours=2)).timestamp(),
                        after_seq=seq,
                        newest_first=False,
                        limit=_PAGE,
                    )
                )
                for context in page:
                    usage = Usage.of(context)
                    if self._day_of(usage.created_at) == day:
                        self._add(account, usage, priced=bool(context.metadata.get("priced")))
                if len(page) < _PAGE:
                    break
                seq = page[-1].seq
            self._days[day] = account
            for old in sorted(self._days)[:-2]:
                del self._days[old]

    @staticmethod
    def _add(account: _Day, usage: Usage, *, priced: bool) -> None:
        count = usage.prompt_tokens + usage.completion_tokens
        account.spent += usage.cost
        account.all_tokens += count
        if not priced:
            account.tokens += count

    def today(self) -> Spending:
        """The account of this day; zero until ``load``."""
        account = self._days.get(self._day_of(self._clock.now()), _Day())
        return Spending(account.spent, account.all_tokens, account.held, self._limits.daily, self._limits.daily_tokens)

    def _caps(self, reserve: str) -> tuple[float, int]:
        limits = self._limits
        if reserve == "chat":
            return limits.daily, limits.daily_tokens
        kept = min(1.0, limits.chat_reserve / limits.daily) if limits.daily else 0.0
        return max(0.0, limits.daily - limits.chat_reserve), int(limits.daily_tokens * (1 - kept))

    async def reserve(
        self,
        *,
        model: str,
        role: str,
        prompt_tokens: int,
        max_tokens: int,
        price: config.Price | None,
        reserve: Literal["chat", "background"],
    ) -> Reservation:
        """Hold room for one call of at most these tokens. Raises ``ModelError("budget")`` where there is none."""
        while True:
            await self.load()
            now = self._clock.now()
            day = self._day_of(now)
            if day in self._days:  # else midnight fell into the reading
                break
        worst = Usage(model, role, prompt_tokens, 0, max_tokens, 0.0, now)
        worst.cost = cost_of(worst, price)
        if price is not None:  # a cached token may be priced above a fresh one
            worst.cost = max(worst.cost, cost_of(dataclasses.replace(worst, cached_tokens=prompt_tokens), price))
        account = self._days[day]
        cap, token_cap = self._caps(reserve)
        tokens = prompt_tokens + max_tokens
        if price is not None and worst.cost > 0:
            if account.spent + account.held + worst.cost > cap:
                raise self._refusal(reserve, worst.cost, account)
        elif price is None and account.tokens + account.held_tokens + tokens > token_cap:
            raise self._token_refusal(reserve, tokens, account)
        held = Reservation(self._clock.new_id("usage"), day, worst, price is not None, worst.cost > 0)
        self._hold(held, +1)
        if held.durable:
            try:
                await self._apart(self._write(held, worst, reserved=True))
            except BaseException:
                # Not known to be written or not: give the room back and take the row away.
                self._hold(held, -1)
                self._spawn(self._store.delete(held.id, namespace=Namespace.USAGE))
                raise
        return held

    async def settle(self, held: Reservation, usage: Usage | None) -> None:
        """Replace the worst case by what the call did cost (``usage`` with its cost), or by nothing for ``None``.

        Safe to await while being cancelled: the write goes on.
        """
        self._hold(held, -1)
        if usage is None:
            if held.durable:
                await self._apart(self._store.delete(held.id, namespace=Namespace.USAGE))
            return
        usage = dataclasses.replace(usage, created_at=held.worst.created_at)
        if held.day in self._days:
            self._add(self._days[held.day], usage, priced=held.priced)
        await self._apart(self._write(held, usage, reserved=False))

    def _hold(self, held: Reservation, sign: int) -> None:
        account = self._days.get(held.day)
        if account is None:  # long past; nothing is counted against that day any more
            return
        if held.durable:
            account.held = max(0.0, account.held + sign * held.worst.cost)
        if not held.priced:
            account.held_tokens += sign * (held.worst.prompt_tokens + held.worst.completion_tokens)

    async def _write(self, held: Reservation, usage: Usage, *, reserved: bool) -> None:
        await self._store.store(
            usage.data(),
            namespace=Namespace.USAGE,
            context_id=held.id,
            type="usage",
            tags=[RESERVED_TAG] if reserved else [],
            metadata={"priced": held.priced},
        )

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        # An empty context: what a call costs is true whether or not the unit of work around it is committed.
        task = asyncio.get_running_loop().create_task(work, context=EmptyContext())
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return task

    async def _apart(self, work: Coroutine[Any, Any, Any]) -> None:
        await asyncio.shield(self._spawn(work))

    async def flush(self) -> None:
        """Return when every write under way is done."""
        while self._writes:
            await asyncio.gather(*self._writes, return_exceptions=True)

    def _again(self) -> str:
        tomorrow = (self._local(self._clock.now()) + timedelta(days=1)).replace(hour=0, minute=0, second=0)
        return f"after midnight ({tomorrow.date().isoformat()})"

    def _refusal(self, reserve: str, worst: float, account: _Day) -> ModelError:
        kept = f", {self._limits.chat_reserve:g} of it kept for the chat" if reserve != "chat" else ""
        held = f", {account.held:.4g} is held for calls under way" if account.held > 0 else ""
        return ModelError(
            "budget",
            f"The daily budget does not allow this call: {account.spent:.4g} of {self._limits.daily:g} is spent{held}"
            f"{kept}; the call may cost up to {worst:.4g}. It goes on {self._again()}, or raise budget.daily.",
            retryable=False,
        )

    def _token_refusal(self, reserve: str, tokens: int, account: _Day) -> ModelError:
        kept = ", part of it kept for the chat" if reserve != "chat" else ""
        return ModelError(
            "budget",
            f"The daily token budget does not allow this call: {account.tokens} of {self._limits.daily_tokens} tokens "
            f"are used{kept}; the call may use up to {tokens}. It goes on {self._again()}, or raise "
            "budget.daily_tokens.",
            retryable=False,
        )
