"""The model of each role: which client answers, within the budget, with what it cost on record."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final, Literal, get_args

from pepper_tui import config
from pepper_tui.clock import Clock, local_zone
from pepper_tui.llm.budget import Budget, Spending, cost_of
from pepper_tui.llm.client import ModelClient, bound_prompt, usage_so_far
from pepper_tui.llm.offline import OFFLINE_NAME, OfflineModel
from pepper_tui.llm.openai_client import OpenAIClient
from pepper_tui.model import Completed, ModelError, ModelEvent, ModelRequest, TextDelta, Usage
from pepper_tui.store import ContextStore, UnitOfWork

Role = Literal["scheduler", "worker", "triage", "summary"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
_UNSET_TOKENS: Final = ModelRequest("scheduler", ()).max_tokens  # a request that says nothing gets models.max_tokens


class Models:
    """Streams a request from the model of its role. ``last_usage`` is what the last finished call cost."""

    def __init__(
        self,
        clients: dict[Role, ModelClient],
        names: dict[Role, str],
        budget: Budget,
        prices: dict[str, config.Price],
        max_tokens: int = _UNSET_TOKENS,
    ) -> None:
        self._clients, self._names, self._prices = clients, names, prices
        self._max_tokens = max_tokens
        self.budget = budget
        self.last_usage: Usage | None = None

    @property
    def offline(self) -> bool:
        """Whether the scheduler thinks by rules only."""
        return isinstance(self._clients["scheduler"], OfflineModel)

    def name(self, role: Role = "scheduler") -> str:
        """The model's name as it stands in the config, or ``offline``."""
        return self._names[role]

    def today(self) -> Spending:
        """What today has cost; zero until ``warm`` or the first call has read it from the store."""
        return self.budget.today()

    async def warm(self) -> None:
        """Read today's spending and import the SDK, so that the first call need not."""
        await self.budget.load()
        for client in set(self._clients.values()):
            if isinstance(client, OpenAIClient):
                await client.warm()

    def unit(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work that also records what the calls before it have cost: one commit for both."""
        return self.budget.unit()

    async def close(self) -> None:
        """Finish the records under way and close the connections."""
        await self.budget.close()
        for client in set(self._clients.values()):
            if isinstance(client, OpenAIClient):
                await client.close()

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """See ``ModelClient``. The ``Completed`` and each ``ModelError`` carry usage with its cost.

        What a call cost is counted by the time that its last event, its error or its cancellation gets out, and on
        record with the next ``unit``, or a moment later.
        """
        client, model = self._clients[request.role], request.model or self._names[request.role]
        if isinstance(client, OfflineModel):
            async for event in client.stream(request):
                yield event
            return
        if request.max_tokens == _UNSET_TOKENS:
            request = dataclasses.replace(request, max_tokens=self._max_tokens)
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
                if isinstance(event, TextDelta):
                    text.append(event.text)
                    yield event
                else:
                    finished = dataclasses.replace(event, usage=self._priced(event.usage, price))
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
        self.last_usage = finished.usage
        self.budget.settle(held, finished.usage)
        yield finished

    @staticmethod
    def _priced(usage: Usage, price: config.Price | None) -> Usage:
        return dataclasses.replace(usage, cost=cost_of(usage, price))


def build_models(settings: config.Config, store: ContextStore, clock: Clock, secrets: config.Secrets) -> Models:
    """The models that the config names. Roles with equal endpoint share one client.

    Raises ``ConfigError`` for a secret that can't be read.
    """
    clients: dict[Role, ModelClient] = {}
    names: dict[Role, str] = {}
    shared: dict[tuple[str, str, str], ModelClient] = {}
    offline = OfflineModel(
        clock, user=settings.user, zone=local_zone(settings.user.zone), calls_per_step=settings.scheduler.calls_per_step
    )
    main = settings.models
    for role in ROLES:
        own: config.RoleModel = getattr(main, role)
        name, base_url = own.name or main.name, own.base_url or main.base_url
        # the main key belongs to the main endpoint; another one gets it only where the config names it there
        falls_back = base_url == main.base_url
        key = secrets.value(own.api_key or (main.api_key if falls_back else ""))
        if not key and not base_url:
            clients[role], names[role] = offline, OFFLINE_NAME
            continue
        client = shared.get((name, base_url, key))
        if client is None:
            client = shared[name, base_url, key] = OpenAIClient(
                clock,
                model=name,
                base_url=base_url,
                api_key=key,
                first_token_timeout=main.first_token_timeout,
                timeout=main.timeout,
            )
        clients[role], names[role] = client, name
    return Models(clients, names, Budget(store, clock, settings), main.prices, main.max_tokens)
