"""The prompt from step to step: which share of its bytes is the beginning of the prompt before, so that a provider's
cache holds it. A scripted conversation of some hundred steps through the real scheduler, with its compactions.

``python -m bench.prompt`` prints the rows; ``rows()`` returns them. No clock is involved: the figures are exact.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from pathlib import Path

from bench.measured import Measured, percentile
from pepper_tui.clock import ManualClock
from pepper_tui.model import CallState, Completed, ContextFilter, ModelRequest, Namespace, ToolCall, ToolResult
from pepper_tui.store import ContextStore
from tests.scheduler.scripted import ScriptedModel, Stage, answer
from tests.waiting import until

TURNS = 150
MAIL = "Mail from Alice Example: the budget for the offsite. " + "Could you look at the second sheet by noon? " * 6
REPLY = "The second sheet has three open rows; two of them wait for Bob, who is away until Thursday. " * 3
_STEPS = ContextFilter(namespaces=[Namespace.STEP], limit=100_000)
_CALLS = ContextFilter(namespaces=[Namespace.TOOL_CALL], limit=1)


def think(request: ModelRequest) -> Completed:
    """Answers the user with a search, and its result with words; is silent on signals; sums up when asked."""
    if request.role == "summary":
        return answer("The user plans an offsite. " * 40)
    kinds = {entry.kind for entry in request.entries}
    if "user_msg" in kinds:
        return answer("Let me look.", ("search_mail", {"query": "offsite budget", "limit": 10}))
    return answer(REPLY) if "tool_result" in kinds else answer("", ("wait", {}))


async def converse(folder: Path) -> list[bytes]:
    """What each request sent, in the order of the wire."""
    clock = ManualClock()
    store = await ContextStore.open(folder / "pepper.db", clock)
    model = ScriptedModel(think)
    async with Stage(store, clock, model) as stage:

        async def steps(count: int) -> bool:
            return await store.count(_STEPS) >= count

        for turn in range(TURNS):
            await clock.advance(60.0)
            await stage.say(f"Anything new on the offsite, number {turn}?")
            await until(lambda n=3 * turn: steps(n + 1))  # type: ignore[misc]
            call = ToolCall.of((await store.query(_CALLS))[0])
            call.state = CallState.SUCCEEDED
            found = ToolResult(
                call.id, call.name, call.arguments, call.state, MAIL * 2, clock.now(), call.origin, call.root
            )
            async with store.unit():
                await store.put(call, namespace=Namespace.TOOL_CALL)
                await store.put(found, namespace=Namespace.TOOL_RESULT, context_id=call.id)
            await until(lambda n=3 * turn: steps(n + 2))  # type: ignore[misc]
            await stage.signal(MAIL)
            await until(lambda n=3 * turn: steps(n + 3))  # type: ignore[misc]
    await store.close()
    asked = [request for request in model.requests if request.role == "scheduler"]
    return ["\n".join(str(message["content"]) for message in request.messages).encode() for request in asked]


def shared(one: bytes, other: bytes) -> int:
    """How many bytes at the beginning of both are the same."""
    differing = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return len(one) if other.startswith(one) else next(differing, len(other))


def rows() -> list[Measured]:
    """The share over all steps, the worst step that no compaction preceded, and how many did."""
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder:
        sent = asyncio.run(converse(Path(folder)))
    pairs = list(itertools.pairwise(sent))
    common = [shared(before, after) for before, after in pairs]
    kept = [size / len(before) for size, (before, _) in zip(common, pairs, strict=True)]
    swaps = sum(share < 0.5 for share in kept)
    share = sum(common) / sum(len(after) for _, after in pairs)
    return [
        Measured("prompt.common", 100 * share, "%", f"of the prompt's bytes, {len(sent)} steps, {swaps} compactions"),
        Measured("prompt.kept", 100 * percentile(kept, 0.5), "%", "of the prompt before, median"),
    ]


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}".rstrip())
