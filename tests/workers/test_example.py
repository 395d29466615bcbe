"""The worker of the docs, in a whole engine with a model over HTTP."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import OPEN_TAG, CallState, ContextFilter, Effect, Namespace, ToolCall
from tests.llm.server import ModelServer
from tests.waiting import until

EXAMPLE = Path(__file__).parents[2] / "docs/examples/report_worker.py"


async def test_the_worker_of_the_docs_remembers_its_last_report(tmp_path: Path) -> None:
    with ModelServer(default={"text": "All went well."}) as server:
        models = {"base_url": server.url, "api_key": ""}
        kinds = [{"name": "reporter", "file": str(EXAMPLE)}]
        engine = await Engine.open(
            tmp_path / "home", Config.model_validate({"models": models, "worker": kinds}), ManualClock()
        )
        await engine.start()
        for number in (1, 2):
            arguments = {"task": f"Report on week {number}", "agent": "reporter"}
            call = ToolCall(f"call_{number}", "delegate", arguments, Effect.LOCAL, engine.store.clock.now(), "step:1")
            await engine.store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])

            async def ended(call: ToolCall = call) -> bool:
                found = await engine.store.get(call.id, namespace=Namespace.TOOL_CALL)
                return found is not None and ToolCall.of(found).state is CallState.SUCCEEDED

            await until(ended)
        prompts = [str(body["messages"][1]["content"]) for body in server.requests]
        [first] = [text for text in prompts if text.startswith("Report on week 1")]
        [second] = [text for text in prompts if text.startswith("Report on week 2")]
        assert "(none yet)" in first
        assert "Last report:\nAll went well." in second
        assert "Weekly report\nAll went well." in second  # the note it took the first time
        assert await engine.store.count(ContextFilter(namespaces=[Namespace.NOTE])) == 2
        await engine.close()
