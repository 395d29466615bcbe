"""Builds the embedder that the config asks for, if any."""

from __future__ import annotations

from functools import partial

from pepper_tui import config
from pepper_tui.clock import Clock
from pepper_tui.llm.budget import Budget
from pepper_tui.llm.embedding.endpoint import EndpointEmbedder
from pepper_tui.llm.embedding.local import OfflineEmbedder, missing_packages
from pepper_tui.llm.endpoint.openai_client import IDLE
from pepper_tui.llm.routing import embedding_of
from pepper_tui.store import Embedder


def build_embedder(settings: config.Config, clock: Clock, secrets: config.Secrets, budget: Budget) -> Embedder | None:
    """Return the configured endpoint's embedder, else the offline embedder.

    Returns None if search by meaning is off, or if the offline embedder's packages are not installed (`pepper doctor`
    reports that). An endpoint with neither a URL nor a key counts as none, as for the roles: texts would go to an
    unknown server, in vain. Raises ``ConfigError`` for a secret that can't be read.
    """
    if not settings.search.meaning:
        return None
    place = embedding_of(settings.models)
    key = secrets.key_for(place.key, place.base_url) if place else ""
    if place is None or not (key or place.base_url):
        return None if missing_packages() else OfflineEmbedder()
    return EndpointEmbedder(
        clock,
        settings.models.embedding,
        budget,
        base_url=place.base_url,
        api_key=partial(secrets.key_for, place.key, place.base_url),
        price=settings.models.prices.get(place.name),
        limits=settings.budget,
        timeout=settings.models.idle_timeout or IDLE,
    )
