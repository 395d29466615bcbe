"""Which embedder the config asks for, if any."""

from __future__ import annotations

from pepper_tui import config
from pepper_tui.clock import Clock
from pepper_tui.llm.budget import Budget
from pepper_tui.llm.endpoint_embedder import EndpointEmbedder
from pepper_tui.llm.offline_embedder import OfflineEmbedder, missing_packages
from pepper_tui.store import Embedder


def build_embedder(settings: config.Config, clock: Clock, secrets: config.Secrets, budget: Budget) -> Embedder | None:
    """The endpoint that the config names, else the offline embedder; None where search by meaning is off, or the
    offline embedder's packages are not installed (`pepper doctor` says so).

    Raises ``ConfigError`` for a secret that can't be read.
    """
    if not settings.search.meaning:
        return None
    own, models = settings.models.embedding, settings.models
    if not own.name:
        return None if missing_packages() else OfflineEmbedder()
    base_url = own.base_url or models.base_url
    # as for the roles: the main key goes to the main endpoint only
    name = own.api_key or (models.api_key if base_url == models.base_url else "")
    return EndpointEmbedder(
        clock,
        own,
        budget,
        base_url=base_url,
        api_key=secrets.value(name),
        price=models.prices.get(own.name),
        limits=settings.budget,
        timeout=models.timeout,
    )
