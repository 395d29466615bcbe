"""Health of the parts that don't report it themselves: the user's tools, the time zone, the models."""

from __future__ import annotations

import logging
from typing import Final

from pepper_tui.clock import ZONE_REMEDY, zone_trouble
from pepper_tui.domains.calendar.telling.next_event import ID as NEXT
from pepper_tui.engine.building.parts import Parts
from pepper_tui.model import ContextFilter, Health, ModelError, Namespace
from pepper_tui.scheduler.own_priority import PART as PRIORITY
from pepper_tui.store import StoreError
from pepper_tui.store.search.meaning import PART as MEANING
from pepper_tui.text import one_line

log = logging.getLogger(__name__)

ZONE: Final = "zone"
"""The health part that reports trouble if the machine's time zone is unknown."""


async def tell_parts(parts: Parts) -> None:
    """Store the health of the user's tools and the zone, and delete health that no longer applies."""
    config, store = parts.ground.config, parts.ground.store
    trouble = zone_trouble(config.user.zone)
    now = {f"feed.{feed.name}" for feed in parts.sensing.feeds.feeds} | {
        f"worker.{each.name}" for each in config.worker
    }
    now |= {health.part for health in parts.own_tools} | {f"mcp.{name}" for name in config.mcp}
    for context in await store.query(ContextFilter(namespaces=[Namespace.HEALTH], limit=1000)):
        family, named, _ = context.context_id.partition(".")
        if context.context_id == MEANING and parts.upkeep.meaning is None:
            await store.delete(context.context_id, namespace=Namespace.HEALTH)
        if context.context_id == ZONE and not trouble:
            await store.delete(context.context_id, namespace=Namespace.HEALTH)
        if context.context_id == PRIORITY and config.scheduler.priority is None:
            await store.delete(context.context_id, namespace=Namespace.HEALTH)
        if named and family in ("feed", "worker", "tools", "mcp") and context.context_id not in now:
            await store.delete(context.context_id, namespace=Namespace.HEALTH)
    if parts.sensing.agenda is None and await store.get(NEXT, namespace=Namespace.NEXT_EVENT) is not None:
        await store.delete(NEXT, namespace=Namespace.NEXT_EVENT)  # no calendar is left that it could be in
    zone = [Health(ZONE, "trouble", one_line(trouble), ZONE_REMEDY, parts.ground.clock.now())]
    for health in [*parts.own_tools, *(zone if trouble else [])]:
        await store.put(health, namespace=Namespace.HEALTH, context_id=health.part)


async def warm_models(parts: Parts) -> None:
    """Prepare the models for their first call; report it as health if they are unavailable."""
    try:
        await parts.ground.models.warm()
    except ModelError as error:
        health = Health("model", "trouble", error.words, "pepper config check", parts.ground.clock.now())
        await parts.ground.store.store(health.data(), namespace=Namespace.HEALTH, context_id=health.part)
    except StoreError:
        log.exception("today's spending could not be read")
