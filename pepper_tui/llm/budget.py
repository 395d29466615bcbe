"""The daily cap: reserved before each call, reconciled with the actual cost afterwards.

A day is the user's calendar day. The cap limits money if the model has a price, else tokens, of which cached ones count
at a share. Background work may not use the share reserved for the chat. A reservation is the largest answer allowed,
plus the likely size of the prompt by the model's own measure (``client.Measure``).

Before a priced call goes out, the day's *allowance* is on disk: a sum that covers all spending so far, the worst case
of every running call, and that of this one. It is raised by a few calls' worth in advance, so most of them need no
write of their own; after a crash all of it counts as spent, a clean stop lowers it to the actual spending. So the cap
holds over any number of kills, and no record has to be durable before a reply is.

Each call is one ``Usage`` context: see ``usage_records``.
"""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from pepper_tui import config
from pepper_tui.clock import Clock, local_zone
from pepper_tui.llm.usage_records import UsageRecord, UsageRecords
from pepper_tui.model import ContextFilter, ModelError, Namespace, Usage
from pepper_tui.store import Store, UnitOfWork

ALLOWANCE: Final = "llm.allowance"
"""Namespace of the days' allowances: id = the day, ``sum`` in the currency of the prices."""

_CACHED: Final = 0.1  # share of a token from the provider's cache, unless a price says more
_AHEAD: Final = 2.0  # worst cases of a call by which an allowance is raised beyond the need
_ALLOWANCE_TTL: Final = 7 * 86400.0
_PAGE: Final = 1000
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Spending:
    """A day's spending. ``reserved`` is held for running calls. Money is in the currency of the prices."""

    spent: float
    tokens: int
    reserved: float
    daily: float
    daily_tokens: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """Room held for one call; ``worst`` counts until it is reconciled."""

    id: str
    day: str
    worst: Usage
    priced: bool


@dataclass(slots=True)
class _Day:
    spent: float = 0.0
    tokens: int = 0  # of models without a price
    all_tokens: int = 0
    held: float = 0.0
    held_tokens: int = 0
    allowance: float = 0.0  # known to be on disk
    raised: bool = False  # whether more than the actual spending may be on disk


def cost_of(usage: Usage, price: config.Price | None) -> float:
    """Return the cost of ``usage`` at ``price``; cached input has its own price, if one is set."""
    if price is None:
        return 0.0
    cached_price = price.cached or price.input
    fresh = usage.prompt_tokens - usage.cached_tokens
    total = fresh * price.input + usage.cached_tokens * cached_price + usage.completion_tokens * price.output
    return total / _MILLION


class Budget:
    """Enforces the cap. One per home: it holds the day's account in memory, read from the store at the start."""

    def __init__(self, store: Store, clock: Clock, settings: config.Config) -> None:
        self._store, self._clock, self._limits = store, clock, settings.budget
        self._zone = local_zone(settings.user.zone)
        self._days: dict[str, _Day] = {}
        self._loading = asyncio.Lock()
        self._raising = asyncio.Lock()
        self.records = UsageRecords(store, clock)

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self._zone)

    def _day_of(self, at: float) -> str:
        return self._local(at).date().isoformat()

    async def load(self) -> None:
        """Read today's spending so far; do nothing for a day that is already loaded."""
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
            allowed = await self._store.get(day, namespace=ALLOWANCE)
            if allowed is not None:
                account.spent = max(account.spent, float(allowed.data["sum"]))
            account.allowance = account.spent
            self._days[day] = account
            for old in sorted(self._days)[:-2]:
                del self._days[old]

    @staticmethod
    def _add(account: _Day, usage: Usage, *, priced: bool) -> None:
        count = usage.prompt_tokens + usage.completion_tokens
        account.spent += usage.cost
        account.all_tokens += count
        if not priced:
            account.tokens += count - round(usage.cached_tokens * (1 - _CACHED))

    def today(self) -> Spending:
        """Return the account of this day; zero until ``load``."""
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
        """Hold room for one call of at most these tokens. Raises ``ModelError("budget")`` if there is none."""
        while True:
            await self.load()
            now = self._clock.now()
            day = self._day_of(now)
            if day in self._days:  # else midnight passed during the read
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
        held = Reservation(self._clock.new_id("usage"), day, worst, price is not None)
        self._hold(held, +1)
        try:
            await self._allow(day, worst.cost, cap)
        except BaseException:
            self._hold(held, -1)
            raise
        return held

    async def _allow(self, day: str, worst: float, cap: float) -> None:
        """Return when the day's allowance on disk covers all that is spent and held."""
        account = self._days[day]
        if account.spent + account.held <= account.allowance:
            return
        async with self._raising:
            needed = account.spent + account.held
            if needed <= account.allowance:
                return
            # never above the cap; background work does not raise it into the chat's share
            allowance = max(needed, min(cap, needed + _AHEAD * worst))
            account.raised = True
            await self.records.apart(self._write_allowance(day, allowance))
            account.allowance = allowance

    async def _write_allowance(self, day: str, allowance: float) -> None:
        await self._store.store({"sum": allowance}, namespace=ALLOWANCE, context_id=day, ttl=_ALLOWANCE_TTL)

    def settle(self, held: Reservation, usage: Usage | None) -> None:
        """Replace the worst case by the actual cost (``usage`` with its cost), or by nothing for ``None``."""
        self._hold(held, -1)
        if usage is None:
            return
        usage = dataclasses.replace(usage, created_at=held.worst.created_at)
        if held.day in self._days:
            self._add(self._days[held.day], usage, priced=held.priced)
        self.records.add(UsageRecord(held.id, usage, held.priced))

    def _hold(self, held: Reservation, sign: int) -> None:
        account = self._days.get(held.day)
        if account is None:  # a day long past; nothing counts against it any more
            return
        account.held = max(0.0, account.held + sign * held.worst.cost)
        if not held.priced:
            account.held_tokens += sign * (held.worst.prompt_tokens + held.worst.completion_tokens)

    def unit(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a unit of work of the store that also takes the unwritten records of calls."""
        return self.records.unit()

    async def flush(self) -> None:
        """Return when every call that has ended is on record."""
        await self.records.flush()

    async def close(self) -> None:
        """Flush the records, and give back what the allowances hold beyond the spending."""
        await self.flush()
        for day, account in self._days.items():
            if account.raised:
                account.allowance = account.spent + account.held
                await self._write_allowance(day, account.allowance)

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
