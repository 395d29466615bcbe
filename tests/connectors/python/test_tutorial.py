"""Each code block of docs/store-and-subscriber.md, run as the file that it says it is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.model import NOT_FOR_FEEDS, Context, Priority
from pepper_tui.scheduler.own_priority import OwnPriority
from pepper_tui.store import ContextStore
from tests.connectors.python.feed_files import Running
from tests.waiting import until

PAGE = (Path(__file__).parents[3] / "docs/store-and-subscriber.md").read_text(encoding="utf-8")
FILES = {found[1]: found[0] for found in re.findall(r"```python\n(# feeds/(\w+)\.py\n.*?)```", PAGE, re.DOTALL)}


@pytest.fixture
def running(store: ContextStore, clock: ManualClock, tmp_path: Path, request: pytest.FixtureRequest) -> Running:
    name = request.param
    made = Running(store, clock, tmp_path, {name: FILES[name]})
    assert made.loaded[name].problem == ""
    return made


def of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("running", [name], indirect=True)


def test_every_block_is_run() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert PAGE.count("```python") == len(FILES)
    assert all(f'@of("{name}")' in here for name in FILES)
    [config] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert Config.model_validate(tomllib.loads(config)).feed[0].name in FILES


@of("journal")
async def test_store(running: Running, store: ContextStore) -> None:
    async with running:
        await running.health("journal", "done")  # its run has an end
    told = await store.get("history", namespace="journal")
    assert told is not None
    assert told.data == {"versions": ["Painted the fence, twice", "Painted the fence"]}


@of("looker")
async def test_query(running: Running, store: ContextStore, clock: ManualClock) -> None:
    await store.store({}, namespace="raw.x", context_id="old")
    await clock.advance(7200)
    await store.store({}, namespace="raw.x", context_id="new")
    await store.store({"text": "paint for the fence"}, namespace="journal")
    await store.store({}, namespace="signals.x")
    async with running:
        [found] = await running.found("looked", 1)
    assert found.data == {"lately": ["new"], "signals": 1, "nearest": {"text": "paint for the fence"}}


@of("sums")
async def test_subscribe(running: Running, store: ContextStore) -> None:
    async with running:
        for amount in (1, 2, 3):
            await store.store({"amount": amount}, namespace="raw.sales")

        async def summed() -> bool:
            total = await store.get("total", namespace="sales")
            return total is not None and total.data == {"total": 6}

        await until(summed)


@of("email_feed")
async def test_a_signal(running: Running, store: ContextStore) -> None:
    async with running:
        await store.store({"id": "1", "subject": "URGENT", "sender": "alice"}, namespace="raw.email")
        [signal] = await running.found("signals.email", 1)
    assert (signal.id, signal.data["content"]) == ("signal_1", "Urgent email from alice")


@of("door")
async def test_events(running: Running) -> None:
    async with running:
        [raw] = await running.found("raw.door", 1)
        [signal] = await running.found("signals.door", 1)
    assert raw.data["at"] == "the front door"
    assert (signal.data["content"], signal.data["priority"]) == ("Somebody is at the front door", "high")


@of("loop")
async def test_chains(running: Running, store: ContextStore) -> None:
    async with running:
        await store.store({"n": 0}, namespace="counter", context_id="it")
        told = await running.health("loop", "trouble")
        assert "a chain of 8 updates" in told["detail"]
        current = await store.get("it", namespace="counter")
    assert current is not None
    assert current.data == {"n": 8}


def test_the_page_names_what_is_reserved() -> None:
    said = PAGE.partition("## What is reserved")[2]
    free = {"raw.mail", "raw.calendar", "raw.clock"}
    for pattern in NOT_FOR_FEEDS:
        family = pattern.partition(".")[0]
        named = pattern in free and f"`{pattern}`" in said
        assert named or f"`{family}`" in said or f"`{family}.*`" in said, pattern


async def test_the_blocks_of_the_page_on_feeds(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/feeds.md").read_text(encoding="utf-8")
    look, rank = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    async with Running(store, clock, tmp_path, {"look": look}) as running:
        await store.store({"content": "hm"}, namespace="signals.x", context_id="s", text="hm")
        [entry] = await running.found("journal", 1)
    assert entry.data == {"seen": "s", "related": 1}
    (tmp_path / "priority.py").write_text(rank)
    own = OwnPriority(tmp_path / "priority.py")
    own.load()
    assert own.of(Context("s", "signals.x", {"content": "Urgent"}), Priority.LOW) is Priority.URGENT
    assert own.of(Context("s", "signals.x", {"content": "hm"}), Priority.LOW) is Priority.LOW
