"""Writes a short weekly report from notes, and remembers the last one."""

from pepper_tui.api import StatefulWorker


class Reporter(StatefulWorker):
    prompt = "You write weekly reports: five lines, plain words, no praise."
    tools = ("search_notes", "take_note")

    async def execute_task(self, task_description):
        before = await self.load_state()
        last = before.events[-1]["answer"] if before and before.events else "(none yet)"
        notes = await self.call_tool("search_notes", limit=50)
        report = await self.think(f"{task_description}\n\nLast report:\n{last}\n\nNotes:\n{notes}")
        await self.call_tool("take_note", title="Weekly report", text=report)
        await self.save_state(report)
        return report
