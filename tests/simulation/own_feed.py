"""A user's own feed, as a config names it: readings that come in any order, some twice; now and then it crashes."""

from __future__ import annotations

from typing import Any

from pepper_tui.api import context_store, subscriber
from tests.simulation.outside import world

NAME = "gauge"
MOST_SLIPS = 3  # of one update; a handler that never gets through is given up, rightly


async def run(ctx: Any) -> None:
    outside = world()
    kept = await ctx.recall("next")
    place = int(kept["place"]) if kept else 0
    while True:
        if place < len(outside.readings):
            reading = outside.readings[place]
            if outside.chance.random() < outside.faults.tool / 2:
                raise RuntimeError("the gauge is gone")
            await ctx.emit(reading)
            place += 1
            await ctx.keep("next", {"place": place})
        else:
            await ctx.sleep(outside.chance.choice((1.0, 60.0, 300.0)))


def process(raw: dict[str, Any]) -> dict[str, Any]:
    return {"content": f"the gauge shows {raw['value']}", "priority": raw["priority"], "text": raw["text"]}


@subscriber.on_context_update(namespaces=["raw.gauge"], start="beginning")
async def tally(update: Any) -> None:
    outside = world()
    await context_store.store({"of": update.context.data["id"]}, namespace="tally", context_id=update.context.id)
    if outside.slips[update.seq] < MOST_SLIPS and outside.chance.random() < outside.faults.tool / 2:
        outside.slips[update.seq] += 1
        raise RuntimeError("the tally slipped")
