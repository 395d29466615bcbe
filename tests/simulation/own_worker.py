"""A user's own worker, as a config names it: it looks, thinks, and sends."""

from __future__ import annotations

from pepper_tui.workers import StatefulWorker


class Courier(StatefulWorker):
    tools = ("lookup", "parcel", "mark")

    async def execute_task(self, task_description: str) -> str:
        before = await self.load_state()
        await self.call_tool("mark", text="begun")
        thought = await self.think(f"What is to be sent for: {task_description}?")
        sent = await self.call_tool("parcel", to="ann", item=f"c{len(before.events) if before else 0}")
        await self.save_state(sent)
        return f"{thought} {sent}"
