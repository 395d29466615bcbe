"""The engine on a home, told to answer Alice and to say yes to it, which the test kills: ``python … HOME [answer]``.

It prints a line for each thing that it has seen, and ends once no outcome is open.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pepper_tui.config import load_config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import ApprovalState, CallState, Context, ContextFilter, Namespace
from tests.waiting import until

RAW, CARDS, CALLS = (
    ContextFilter(namespaces=[each], limit=None) for each in ("raw.mail", Namespace.APPROVAL, Namespace.TOOL_CALL)
)
OPEN = {CallState.SCHEDULED, CallState.WAITING_APPROVAL, CallState.ATTEMPTED, CallState.UNKNOWN}


async def main(home: Path, answer: bool) -> None:
    engine = await Engine.open(home, load_config(home))
    await engine.start()

    async def sees(what: ContextFilter) -> bool:
        return bool(await engine.store.query(what))

    await until(lambda: sees(RAW), 60)
    print("mail", flush=True)
    if answer:
        await engine.say("reply to alice: The room is booked.")
        await until(lambda: sees(CARDS), 60)
        for card in await engine.store.query(CARDS):
            if card.data["state"] == ApprovalState.PENDING:
                await engine.approve(card.context_id)

    async def decided() -> list[Context]:
        return [each for each in await engine.store.query(CALLS) if each.data["approval"]]

    async def settled() -> bool:
        calls = await decided()
        return bool(calls) and not any(each.data["state"] in OPEN for each in calls)

    await until(settled, 60)
    print(*sorted(each.data["state"] for each in await decided()), flush=True)
    await engine.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:] == ["answer"]))
