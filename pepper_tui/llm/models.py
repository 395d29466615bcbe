"""The model of each role: which client answers, within the budget, with what it cost on record."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Literal, get_args

from pepper_tui import config
from pepper_tui.clock import Clock, local_zone
from pepper_tui.llm.attempts import DEFAULT_PATIENCE, Attempts, Patience, Source
from pepper_tui.llm.budget import Budget, Spending, cost_of
from pepper_tui.llm.client import ModelClient, bound_prompt, usage_so_far
from pepper_tui.llm.offline import OFFLINE_NAME, OfflineModel
from pepper_tui.llm.openai_client import OpenAIClient
from pepper_tui.llm.places import Place, fallback_of, first_of, patience_of
from pepper_tui.model import Completed, ModelError, ModelEvent, ModelRequest, Retrying, Usage
from pepper_tui.store import ContextStore, UnitOfWork
from pepper_tui.text import heard

Role = Literal["scheduler", "worker", "triage", "summary"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
_UNSET_TOKENS: Final = ModelRequest("scheduler", ()).max_tokens  # a request that says nothing gets models.max_tokens


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A client and the model that it is asked for."""

    client: ModelClient
    name: str


@dataclass(frozen=True, slots=True)
class RoleEndpoints:
    """What a role asks, what stands in for that, and how patient it is."""

    first: Endpoint
    fallback: Endpoint | None = None
    patience: Patience = DEFAULT_PATIENCE


class Models:
    """Streams a request from the model of its role, or from its fallback."""

    def __init__(
        self,
        clock: Clock,
        roles: Mapping[Role, RoleEndpoints],
        budget: Budget,
        prices: dict[str, config.Price],
        max_tokens: int = _UNSET_TOKENS,
    ) -> None:
        self._prices, self._max_tokens = prices, max_tokens
        self.budget = budget
        self._endpoints = {role: asked.first for role, asked in roles.items()}
        self._clients = {each.client for asked in roles.values() for each in (asked.first, asked.fallback) if each}
        sources: dict[Endpoint, Source] = {}

        def source(endpoint: Endpoint) -> Source:
            return sources.setdefault(endpoint, Source(endpoint.name, partial(self._ask, endpoint)))

        self._attempts = {
            role: Attempts(
                clock, source(asked.first), source(asked.fallback) if asked.fallback else None, asked.patience
            )
            for role, asked in roles.items()
        }

    @property
    def offline(self) -> bool:
        """Whether the scheduler thinks by rules only."""
        return self.by_rule("scheduler")

    def by_rule(self, role: Role) -> bool:
        """Whether ``role`` has no model but the rules."""
        return isinstance(self._endpoints[role].client, OfflineModel)

    def name(self, role: Role = "scheduler") -> str:
        """The model's name as it stands in the config, or ``offline``."""
        return self._endpoints[role].name

    def today(self) -> Spending:
        """What today has cost; zero until ``warm`` or the first call has read it from the store."""
        return self.budget.today()

    async def warm(self) -> None:
        """Read today's spending and import the SDK, so that the first call need not."""
        await self.budget.load()
        for client in self._clients:
            if isinstance(client, OpenAIClient):
                await client.warm()

    def unit(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work that also records what the calls before it have cost: one commit for both."""
        return self.budget.unit()

    async def close(self) -> None:
        """Finish the records under way and close the connections."""
        await self.budget.close()
        for client in self._clients:
            if isinstance(client, OpenAIClient):
                await client.close()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """See ``Attempts``. The ``Completed``, each ``Retrying`` and each ``ModelError`` carry usage with its cost.

        What a call cost is counted by the time that its last event, its error or its cancellation gets out, and on
        record with the next ``unit``, or a moment later.
        """
        async with contextlib.aclosing(self._attempts[request.role].stream(request)) as events:
            async for event in events:
                yield event

    async def _ask(self, endpoint: Endpoint, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """One attempt, at the price of the model that it asks."""
        client, model = endpoint.client, request.model or endpoint.name
        if isinstance(client, OfflineModel):
            async for event in client.stream(request):
                yield event
            return
        request = replace(
            request,
            model=model,
            max_tokens=self._max_tokens if request.max_tokens == _UNSET_TOKENS else request.max_tokens,
        )
        price = self._prices.get(model)
        held = await self.budget.reserve(
            model=model,
            role=request.role,
            prompt_tokens=bound_prompt(request.messages, request.tools),
            max_tokens=request.max_tokens,
            price=price,
            reserve=request.reserve,
        )
        text: list[str] = []
        finished: Completed | None = None
        events = client.stream(request)
        try:
            async for event in events:
                if isinstance(event, Completed):
                    finished = replace(
                        event,
                        text=heard(event.text),
                        calls=tuple(replace(call, arguments=_meant(call.arguments)) for call in event.calls),
                        usage=self._priced(event.usage, price),
                    )
                elif not isinstance(event, Retrying):
                    text.append(event.text)
                    yield event
            if finished is None:
                raise ModelError("cut", "The model's answer broke off.", retryable=True)
        except ModelError as error:
            error.usage = self._priced(error.usage, price) if error.usage else None
            self.budget.settle(held, error.usage)
            raise
        except BaseException:
            if isinstance(events, AsyncGenerator):
                await events.aclose()
            usage = self._priced(usage_so_far(request, model, "".join(text)), price)
            self.budget.settle(held, usage)
            raise
        self.budget.settle(held, finished.usage)
        yield finished

    @staticmethod
    def _priced(usage: Usage, price: config.Price | None) -> Usage:
        return replace(usage, cost=cost_of(usage, price))


def _meant(value: Any) -> Any:
    """``value`` with all text in it as the model means it (``heard``)."""
    if isinstance(value, str):
        return heard(value)
    if isinstance(value, dict):
        return {heard(key): _meant(each) for key, each in value.items()}
    return [_meant(each) for each in value] if isinstance(value, list) else value


def build_models(settings: config.Config, store: ContextStore, clock: Clock, secrets: config.Secrets) -> Models:
    """The models that the config names. Roles with equal endpoint share one client.

    Raises ``ConfigError`` for a secret that can't be read.
    """
    main = settings.models
    shared: dict[tuple[str, str, str], Endpoint] = {}
    offline = OfflineModel(clock, user=settings.user, zone=local_zone(settings.user.zone))
    by_rule = Endpoint(offline, OFFLINE_NAME)

    def endpoint(place: Place | None) -> Endpoint | None:
        """The endpoint at ``place``; ``None`` where it has neither a URL nor a key."""
        key = secrets.key_for(place.key, place.base_url) if place else ""
        if place is None or not (key or place.base_url):
            return None
        found = shared.get((place.name, place.base_url, place.key))
        if found is None:
            client = OpenAIClient(
                clock,
                model=place.name,
                base_url=place.base_url,
                api_key=partial(secrets.key_for, place.key, place.base_url),
                first_token_timeout=main.first_token_timeout,
                timeout=main.timeout,
            )
            found = shared[place.name, place.base_url, place.key] = Endpoint(client, place.name)
        return found

    roles: dict[Role, RoleEndpoints] = {}
    for role in ROLES:
        first, fallback = endpoint(first_of(main, role)), endpoint(fallback_of(main, role))
        if first is None:  # without a key the first can never answer, and there is nothing to come back to
            first, fallback = fallback or by_rule, None
        roles[role] = RoleEndpoints(first, fallback, patience_of(main, role))
    return Models(clock, roles, Budget(store, clock, settings), main.prices, main.max_tokens)
