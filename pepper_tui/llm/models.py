"""The model of each role: which client answers, within the budget, with the cost on record."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context as EmptyContext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Literal, get_args
from urllib.parse import urlsplit

from pepper_tui import config
from pepper_tui.clock import Clock, local_zone
from pepper_tui.config.secret.in_clear import in_clear
from pepper_tui.llm.attempts import DEFAULT_RETRY_POLICY, Attempts, RetryPolicy, Source
from pepper_tui.llm.budget import Budget, Spending, cost_of
from pepper_tui.llm.client import Measure, ModelClient, bound_prompt, usage_so_far
from pepper_tui.llm.endpoint.dialect import Wishes
from pepper_tui.llm.endpoint.openai_client import IDLE, OpenAIClient
from pepper_tui.llm.endpoint.told_window import told_window
from pepper_tui.llm.offline.offline_model import OFFLINE_NAME, OfflineModel
from pepper_tui.llm.prices import PRICES, price_of
from pepper_tui.llm.routing import Options, Place, fallback_of, first_of, options_of, retry_policy_of
from pepper_tui.llm.windows import Windows, tool_characters
from pepper_tui.model import Completed, ModelError, ModelEvent, ModelRequest, Retrying, ToolSpec, Usage
from pepper_tui.store import Store, UnitOfWork
from pepper_tui.text import unescaped

Role = Literal["scheduler", "worker", "triage", "summary"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
_UNSET_TOKENS: Final = ModelRequest("scheduler", ()).max_tokens  # a request that sets nothing gets models.max_tokens
_THINKING: Final = 4096  # tokens of reasoning beside what an answer needs; a second try may use the role's whole limit


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A client and the model that it is asked for."""

    client: ModelClient
    name: str
    max_tokens: int = _UNSET_TOKENS
    limit_key: str = "models.max_tokens"
    own_limit: bool = False  # whether max_tokens was set for this role; then it also caps requests that need little
    base_url: str = ""

    @property
    def place(self) -> str:
        """The key under which the limits of its server are remembered."""
        return f"{self.name} {self.base_url}".strip()


@dataclass(frozen=True, slots=True)
class RoleEndpoints:
    """A role's primary endpoint, its fallback, and its retry policy."""

    first: Endpoint
    fallback: Endpoint | None = None
    retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY


class Models:
    """Streams a request from the model of its role, or from its fallback."""

    def __init__(
        self,
        clock: Clock,
        roles: Mapping[Role, RoleEndpoints],
        budget: Budget,
        prices: Mapping[str, config.Price],
        windows: Windows | None = None,
    ) -> None:
        self._prices = prices
        self._looked: set[str] = set()
        self._looks: set[asyncio.Task[None]] = set()
        self._measures: dict[str, Measure] = {}  # by model: the likely token count of prompts
        self.windows = windows or Windows()
        self.budget = budget
        self._endpoints = {role: asked.first for role, asked in roles.items()}
        self._fallbacks = {role: asked.fallback for role, asked in roles.items()}
        self._clients = {each.client for asked in roles.values() for each in (asked.first, asked.fallback) if each}
        sources: dict[Endpoint, Source] = {}

        def source(endpoint: Endpoint) -> Source:
            return sources.setdefault(endpoint, Source(endpoint.name, partial(self._ask, endpoint)))

        self._attempts = {
            role: Attempts(
                clock, source(asked.first), source(asked.fallback) if asked.fallback else None, asked.retry_policy
            )
            for role, asked in roles.items()
        }

    @property
    def offline(self) -> bool:
        """True if the scheduler works by rules only."""
        return self.by_rule("scheduler")

    def by_rule(self, role: Role) -> bool:
        """Check whether ``role`` has no model but the rules."""
        return isinstance(self._endpoints[role].client, OfflineModel)

    def name(self, role: Role = "scheduler") -> str:
        """Return the model's name as written in the config, or ``offline``."""
        return self._endpoints[role].name

    def today(self) -> Spending:
        """Return today's spending; zero until ``warm`` or the first call has read it from the store."""
        return self.budget.today()

    async def warm(self) -> None:
        """Read today's spending and import the SDK, so that the first call need not."""
        await self.budget.load()
        await self.windows.load()
        for client in self._clients:
            if isinstance(client, OpenAIClient):
                await client.warm()

    def unit(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a unit of work that also records the cost of the calls before it: one commit for both."""
        return self.budget.unit()

    async def close(self) -> None:
        """Finish pending records and close the connections."""
        for task in [*self._looks]:
            task.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)
        await self.windows.close()
        await self.budget.close()
        for client in self._clients:
            if isinstance(client, OpenAIClient):
                await client.close()

    def room(self, role: Role = "scheduler", tools: Sequence[ToolSpec] = ()) -> int | None:
        """Return the characters that a prompt's messages may have with ``tools``, as far as the server has told."""
        stands_in = self._fallbacks.get(role) if self._attempts[role].stands_in else None
        endpoint = stands_in or self._endpoints[role]
        measure = self._measures.get(endpoint.name)
        return self.windows.room(endpoint.place, tool_characters(tools), measure.density if measure else None)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Stream as ``Attempts`` does. ``Completed``, each ``Retrying`` and ``ModelError`` carry usage with its cost.

        A call's cost is counted by the time its last event, its error or its cancellation is delivered, and on record
        with the next ``unit``, or a moment later.
        """
        async with contextlib.aclosing(self._attempts[request.role].stream(request)) as events:
            async for event in events:
                yield event

    async def _ask(self, endpoint: Endpoint, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Make one attempt, with more room for the answer if reasoning used up the first."""
        if isinstance(endpoint.client, OfflineModel):
            async for event in endpoint.client.stream(request):
                yield event
            return
        request = replace(request, model=request.model or endpoint.name)
        limits = self._limits(endpoint, request)
        while True:
            limited = replace(request, max_tokens=limits.pop(0))
            try:
                async with contextlib.aclosing(self._called(endpoint, limited)) as events:
                    async for event in events:
                        yield event
                return
            except ModelError as error:
                if error.kind == "too_long":
                    self.windows.learn(endpoint.place, error, limited)
                if error.kind != "no_room":
                    raise
                if not limits:
                    error.words += f" Raise {endpoint.limit_key} in the config."
                    error.args = (error.words,)
                    raise
                failure = error
            yield Retrying(failure, 0.0)

    def _limits(self, endpoint: Endpoint, request: ModelRequest) -> list[int]:
        """Return the response tokens to allow at first, and at the second try."""
        if request.max_tokens != _UNSET_TOKENS:
            return [request.max_tokens]
        most = min(endpoint.max_tokens, self.windows.answer(endpoint.place) or endpoint.max_tokens)
        least = request.needs + _THINKING
        if not request.needs or endpoint.own_limit or least >= most:
            return [most]
        return [least, most]

    async def _called(self, endpoint: Endpoint, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Make one call, at the price of the model that it asks."""
        client, model = endpoint.client, request.model
        price = price_of(model, endpoint.base_url, self._prices)
        measure = self._measures.setdefault(model, Measure())
        held = await self.budget.reserve(
            model=model,
            role=request.role,
            prompt_tokens=measure.of(bound_prompt(request.messages, request.tools)),
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
                        text=unescaped(event.text),
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
        measure.learn(bound_prompt(request.messages, request.tools), finished.usage.prompt_tokens)
        self._look(endpoint)
        yield finished

    def _look(self, endpoint: Endpoint) -> None:
        """Ask the endpoint's server once, in the background, how long a prompt it takes."""
        client = endpoint.client
        host = urlsplit(endpoint.base_url).hostname or ""
        if endpoint.place in self._looked or not host or host in PRICES or not isinstance(client, OpenAIClient):
            return
        self._looked.add(endpoint.place)

        async def look() -> None:
            with contextlib.suppress(Exception):  # it is only a hint
                self.windows.tell(endpoint.place, await told_window(endpoint.base_url, endpoint.name, client.key))

        task = asyncio.get_running_loop().create_task(look(), context=EmptyContext(), name="model window")
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)

    @staticmethod
    def _priced(usage: Usage, price: config.Price | None) -> Usage:
        return replace(usage, cost=cost_of(usage, price))


def _meant(value: Any) -> Any:
    """Return ``value`` with all its text unescaped, as the model meant it (``unescaped``)."""
    if isinstance(value, str):
        return unescaped(value)
    if isinstance(value, dict):
        return {unescaped(key): _meant(each) for key, each in value.items()}
    return [_meant(each) for each in value] if isinstance(value, list) else value


def build_models(settings: config.Config, store: Store, clock: Clock, secrets: config.Secrets) -> Models:
    """Return the models that the config names. Roles with equal endpoints share one client.

    Raises ``ConfigError`` for a secret that can't be read.
    """
    main = settings.models
    zone = local_zone(settings.user.zone)
    clients: dict[str, OpenAIClient] = {}
    offline = OfflineModel(clock, user=settings.user, zone=zone)
    by_rule = Endpoint(offline, OFFLINE_NAME)

    def endpoint(place: Place | None) -> Endpoint | None:
        """Return the endpoint at ``place``; ``None`` if it has neither a URL nor a key."""
        key = secrets.key_for(place.key, place.base_url) if place else ""
        if place is None or not (key or place.base_url):
            return None
        said = options_of(main, place)
        called = (place.name, place.base_url, place.key, said.idle_timeout, said.first_byte_timeout)
        told = (said.reasoning_effort, said.temperature, said.extra_body, said.headers)
        client = clients.setdefault(
            repr((called, told)),
            OpenAIClient(
                clock,
                model=place.name,
                base_url=place.base_url,
                api_key=partial(secrets.key_for, place.key, place.base_url),
                idle_timeout=said.idle_timeout or IDLE,
                first_byte_timeout=said.first_byte_timeout,
                wishes=partial(_wishes, said, secrets, place.base_url),
                zone=zone,
            ),
        )
        return Endpoint(client, place.name, said.max_tokens, said.limit_key, said.own_limit, place.base_url)

    roles: dict[Role, RoleEndpoints] = {}
    for role in ROLES:
        first, fallback = endpoint(first_of(main, role)), endpoint(fallback_of(main, role))
        if first is None:  # without a key the first can never answer, so there is nothing to return to
            first, fallback = fallback or by_rule, None
        roles[role] = RoleEndpoints(first, fallback, retry_policy_of(main, role))
    return Models(clock, roles, Budget(store, clock, settings), main.prices, Windows(store))


def _wishes(said: Options, secrets: config.Secrets, base_url: str) -> Wishes:
    """Return what is sent beside the request, with the values of secrets. Raises ``ConfigError``."""
    host = in_clear(base_url)
    if host and any(map(config.refers_to_secret, said.headers.values())):
        raise config.ConfigError([f"a secret in headers would go unencrypted to {host}; use https://"])
    return Wishes(said.reasoning_effort, said.temperature, said.extra_body, secrets.all_filled(said.headers))
