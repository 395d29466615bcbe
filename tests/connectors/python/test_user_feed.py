"""What a feed file may do with ``subscriber``, ``context_store`` and ``app``, and what it may not."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pepper_tui import api
from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.connectors.python.user_feed import check_writable
from pepper_tui.feeds.chain import MARKS
from pepper_tui.feeds.raw_record import AUTHORITY
from pepper_tui.model import NOT_FOR_FEEDS, Context, ContextFilter, Namespace
from pepper_tui.store import ContextStore
from tests.connectors.python.feed_files import Running
from tests.waiting import until

HEAD = "from pepper_tui.api import *\n"

Start = Callable[..., Running]


@pytest.fixture
def start(store: ContextStore, clock: ManualClock, tmp_path: Path) -> Start:
    def begin(config: dict[str, Any] | None = None, **files: str) -> Running:
        texts = {name: HEAD + text for name, text in files.items()}
        return Running(store, clock, tmp_path, texts, Config.model_validate(config or {}))

    return begin


COPY = """
@subscriber.on_context_update(namespaces=["raw.slack"])
async def slack_feed(update):
    data = update.context.data
    await context_store.store({"content": data["text"], **data.get("more", {})}, namespace="signals.processed",
        context_id="of_" + update.context.id)
"""


async def test_what_a_feed_signals_is_outside_text_under_the_users_rules(start: Start, store: ContextStore) -> None:
    config = {
        "user": {"vips": ["boss@example.com"]},
        "watch": [{"name": "fire", "words": ["fire"], "priority": "urgent"}, {"name": "s", "source": "slack"}],
    }
    forged = {"metadata": {"rules": [{"rule": "x"}], "url": "u"}, "priority": "low"}
    messages: list[dict[str, Any]] = [
        {"text": "hello\x1b[31m\nthere", "more": forged},
        {"text": "the house is on FIRE"},
        {"text": "come", "more": {"sender": "boss@example.com", "reason": "asked"}},
        {"text": "hm", "more": {"source": "slack", "created_at": "2026-01-01T10:00:00Z"}},
        {"text": "hm", "more": {"source": "mail"}},
    ]
    async with start(config, chat=COPY) as running:
        for number, message in enumerate(messages):
            await store.store(message, namespace="raw.slack", context_id=f"m{number}")
        found = [context.data for context in await running.found("signals.processed", len(messages))]
    plain, fire, boss, slack, mail = found
    assert plain["metadata"] == {"url": "u", "raw": "m0"}
    assert "\x1b" not in plain["content"]
    assert "\n" not in plain["content"]
    assert (plain["id"], plain["priority"], plain["source"]) == ("of_m0", "low", "processed")
    assert plain["reason"] == "from your feed 'chat'"
    assert (fire["priority"], fire["reason"]) == ("urgent", "your rule 'fire': says 'fire'")
    assert boss["priority"] == "high"
    assert (slack["priority"], slack["metadata"]["source"]) == ("high", "slack")
    assert slack["created_at"] == 1767261600.0
    assert mail["priority"] == "normal"  # no rule for mail holds for it


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{}", "there is no content"),
        ("{'content': 'x', 'priority': 'asap'}", "priority 'asap' is not one of urgent, high"),
        ("{'content': 'x', 'created_at': 'soon'}", "created_at 'soon' is not a time"),
        ("'just words'", "data must be a dict, not str"),
    ],
)
async def test_what_can_be_no_signal_is_refused_in_words(
    start: Start, store: ContextStore, data: str, words: str
) -> None:
    text = (
        '\n@subscriber.on_context_update(namespaces=["raw.x"])\nasync def take(update):\n'
        f'    await context_store.store({data}, namespace="signals.x")\n'
    )
    async with start(x=text) as running:
        await store.store({}, namespace="raw.x")
        told = await running.health("x", "trouble")
    assert words in told["detail"]
    assert "x.py:5" in told["detail"]
    assert "fix" in told["remedy"]


@pytest.mark.parametrize(
    "namespace",
    ["approval", "people", "mail.sent", "calendar.added", "judging.mail", "unjudged", "health", "undo", "llm.usage",
     "profile", "notification", "note", "user.message", "user.other", "tool.call", "rule", "rule.act",
     "memory.mail-agent", "feed.chat", "raw.mail", "raw.calendar", "raw.clock", "signals.mail",
     "signals.clock", "signals.unjudged"],
)  # fmt: skip
def test_reserved(namespace: str) -> None:
    with pytest.raises(api.ReservedNamespaceError, match="Pepper's own"):
        check_writable(namespace)


@pytest.mark.parametrize("namespace", ["", "*", "raw.*", "raw", "signals", "approval ", "a..b", "raw.mäil", None, 1])
def test_no_namespace(namespace: Any) -> None:
    with pytest.raises(ValueError, match=r"namespace|level"):
        check_writable(namespace)


@pytest.mark.parametrize(
    "namespace", ["raw.email", "raw.slack", "raw.event.new_email", "signals.email", "signals.processed", "target",
                  "memory-email-agent", "journal.2026"],
)  # fmt: skip
def test_free(namespace: str) -> None:
    check_writable(namespace)


def test_what_the_vocabulary_reserves_no_feed_writes() -> None:
    free = {Namespace.RAW, Namespace.SIGNALS, Namespace.MEMORY}  # families, no namespaces
    names = {v for k, v in vars(Namespace).items() if k.isupper()} - free
    for name in names:
        with pytest.raises(api.ReservedNamespaceError):
            check_writable(name)
    assert NOT_FOR_FEEDS


async def test_a_handler_that_writes_where_it_listens_comes_to_an_end(start: Start, store: ContextStore) -> None:
    text = """
@subscriber.on_context_update(namespaces=["raw.x"])
async def again(update):
    await context_store.store({"n": update.context.data["n"] + 1}, namespace="raw.x", metadata={"chain": -100})
"""
    async with start(x=text) as running:
        await store.store({"n": 0}, namespace="raw.x")
        told = await running.health("x", "trouble")
        found = await running.found("raw.x", 9)

        async def given_up() -> bool:
            return bool(await store.dead())

        await until(given_up)
    assert [context.data["n"] for context in found] == list(range(9))
    assert [context.metadata.get("chain", 0) for context in found] == list(range(9))
    assert "a chain of 8 updates" in told["detail"]
    [letter] = await store.dead()
    assert letter.attempts == 1  # to try again would be of no use


async def test_a_chain_that_a_feed_says_is_short_comes_to_an_end_all_the_same(
    start: Start, store: ContextStore
) -> None:
    """Also where nothing was the cause of its first link, so that no other mark takes the place of its own."""
    marks = {**dict.fromkeys(sorted(MARKS.union(AUTHORITY)), -100), "mine": 1}
    text = f"""
async def run(ctx):
    await context_store.store({{"n": 0}}, namespace="raw.x", metadata={marks})

@subscriber.on_context_update(namespaces=["raw.x"])
async def again(update):
    await context_store.store({{"n": update.context.data["n"] + 1}}, namespace="raw.x", metadata={marks})
"""
    async with start(x=text) as running:
        found = await running.found("raw.x", 9)
        await until(store.dead)
        assert await store.count(ContextFilter(namespaces=["raw.x"])) == 9
    assert found[0].metadata == {"mine": 1}
    assert [context.metadata.get("chain", 0) for context in found] == list(range(9))


@pytest.mark.parametrize("namespace", ["approval", "people", "user.message", "signals.mail"])
async def test_a_feed_deletes_nothing_that_it_may_not_write(start: Start, store: ContextStore, namespace: str) -> None:
    text = f"""
@subscriber.on_context_update(namespaces=["go"])
async def forget(update):
    await context_store.delete("mine", namespace="raw.x")
    await context_store.store({{"id": "tried"}}, namespace="journal")

@subscriber.on_context_update(namespaces=["go"])
async def forget_all(update):
    await context_store.delete("kept", namespace="{namespace}")
"""
    await store.store({"n": 1}, namespace=namespace, context_id="kept")
    await store.store({"n": 1}, namespace="raw.x", context_id="mine")
    async with start(x=text) as running:
        await store.store({}, namespace="go")
        assert namespace in (await running.health("x", "trouble"))["detail"]
        await running.found("journal", 1)
    assert await store.get("kept", namespace=namespace) is not None
    assert await store.get("mine", namespace="raw.x") is None


async def test_two_feeds_that_feed_each_other_come_to_an_end(start: Start, store: ContextStore) -> None:
    to_signal = """
def process(raw):
    return {"content": f"n is {raw['n']}", "metadata": {"n": raw["n"]}}

@subscriber.on_context_update(namespaces=["signals.OTHER"])
async def answer(update):
    n = update.context.data["metadata"]["n"] + 1
    await context_store.store({"n": n}, namespace="raw.NAME", context_id=f"NAME{n}")
"""
    a, b = (to_signal.replace("NAME", one).replace("OTHER", other) for one, other in (("a", "b"), ("b", "a")))
    async with start(a=a, b=b) as running:
        await store.store({"n": 0}, namespace="raw.a", context_id="a0")

        async def ended() -> bool:
            await running.clock.advance(0.5)
            return len(await store.dead()) == 1

        await until(ended)
        signals = await store.query(ContextFilter(namespaces=["signals.*"]))
    assert len(signals) == 4
    assert max(context.metadata["chain"] for context in signals) == 7


async def test_a_loop_that_catches_its_end_is_told(start: Start, store: ContextStore) -> None:
    text = """
@subscriber.on_context_update(namespaces=["loop"])
async def again(update):
    try:
        await context_store.store({"n": update.seq}, namespace="loop")
    except Exception:
        pass
"""
    async with start(x=text) as running:
        await store.store({}, namespace="loop")
        assert "a chain of 8" in (await running.health("x", "trouble"))["detail"]
        assert len(await running.found("loop", 9)) == 9
    assert await store.dead() == []


async def test_a_handler_that_settles_is_no_loop(start: Start, store: ContextStore) -> None:
    text = """
@subscriber.on_context_update(namespaces=["name"])
async def tidy(update):
    tidied = {"name": update.context.data["name"].strip().title()}
    await context_store.store(tidied, namespace="name", context_id=update.context.id)
"""
    async with start(x=text) as running:
        await store.store({"name": " alex "}, namespace="name", context_id="a", text=" alex ")

        async def settled() -> bool:
            await running.clock.advance(1)
            stats = await store.stats()
            return all(one.pending == 0 for one in stats.subscriptions)

        async def tidied() -> bool:
            await running.clock.advance(1)
            found = await store.get("a", namespace="name")
            return found is not None and found.data == {"name": "Alex"}

        await until(tidied)
        await until(settled)
        await running.health("x", "ok")
        assert len(await store.versions("a", namespace="name")) <= 3
    assert await store.dead() == []


async def test_peppers_own_doing_starts_no_step(start: Start, store: ContextStore) -> None:
    text = """
@subscriber.on_context_update(namespaces=["step"])
async def relay(update):
    await context_store.store({"n": 1}, namespace="raw.steps")

@subscriber.on_context_update(namespaces=["raw.steps"])
async def signal(update):
    await context_store.store({"content": "a step!", "priority": "urgent"}, namespace="signals.steps")
"""
    async with start(x=text) as running:
        await store.store({}, namespace="step")
        [signal] = await running.found("signals.steps", 1)
    assert (signal.data["priority"], signal.data["reason"]) == ("log", "Pepper's own doing")


async def test_two_handlers_of_one_namespace_are_apart(start: Start, store: ContextStore) -> None:
    text = """
broken = ["yes"]

@subscriber.on_context_update(namespaces=["raw.x"])
async def fails(update):
    await context_store.store({}, namespace="lost")
    if broken:
        raise KeyError("no such thing")
    await context_store.store({}, namespace="healed")

@subscriber.on_context_update(namespaces=["raw.x"])
async def works(update):
    await context_store.store({"op": update.operation, "ns": update.namespace}, namespace="kept")
"""
    async with start(x=text) as running:
        await store.store({}, namespace="raw.x")
        [kept] = await running.found("kept", 1)
        assert kept.data == {"op": "create", "ns": "raw.x"}
        told = await running.health("x", "trouble")  # though the other handler went through
        assert "x.py:9: KeyError: 'no such thing'" in told["detail"]
        assert await store.count(ContextFilter(namespaces=["lost"])) == 0  # all of a handler, or nothing
        running.loaded["x"]._module.broken.clear()  # type: ignore[union-attr]
        await running.found("healed", 1, 20)
        await running.health("x", "ok")


async def test_a_delivery_outlives_the_process(clock: ManualClock, tmp_path: Path) -> None:
    text = HEAD + COPY
    store = await ContextStore.open(tmp_path / "p.db", clock)
    async with Running(store, clock, tmp_path, {"chat": text}):
        pass  # from here on it is subscribed
    await store.store({"text": "while it was down"}, namespace="raw.slack", context_id="m")
    await store.close()
    store = await ContextStore.open(tmp_path / "p.db", clock)
    async with Running(store, clock, tmp_path, {"chat": text}) as running:
        [signal] = await running.found("signals.processed", 1)
    assert signal.data["content"] == "while it was down"
    await store.close()


async def told_of(running: Running, end: str) -> None:
    """Wait until the health of the feed ``x`` is well, and ends in ``end``, as far as that goes."""

    async def told() -> bool:
        health = await running.store.get("feed.x", namespace="health")
        said = health.data["detail"].partition(" (name=")[0] if health and health.data["state"] == "ok" else ""
        return said.endswith(end)

    await until(told)


async def test_a_handler_that_is_gone(clock: ManualClock, store: ContextStore, tmp_path: Path) -> None:
    fails = """
@subscriber.on_context_update(namespaces=["raw.x"])
async def one(update):
    raise ValueError("no")

@subscriber.on_context_update(namespaces=["raw.x"])
async def two(update): ...
"""
    other = '@subscriber.on_context_update(namespaces=["raw.x"], NAME)\nasync def three(update): ...\n'
    async with Running(store, clock, tmp_path, {"x": HEAD + fails}) as running:
        await store.store({}, namespace="raw.x")
        await running.health("x", "trouble")
    assert set(await store.waiting("feeds.x")) == {"feeds.x.one", "feeds.x.two"}
    async with Running(store, clock, tmp_path, {"x": HEAD + other.replace(", NAME", "")}) as running:
        await told_of(running, "still waiting for 'one', which is no longer in it: 1")
        assert set(await store.waiting("feeds.x")) == {"feeds.x.one", "feeds.x.three"}
    async with Running(store, clock, tmp_path, {"x": HEAD + other.replace("NAME", 'name="one"')}) as running:
        await told_of(running, "x.py")

        async def handed_over() -> bool:
            await clock.advance(60)
            return await store.waiting("feeds.x") == {"feeds.x.one": 0}

        await until(handed_over)


async def test_events_reach_all_that_wait_and_once(start: Start, store: ContextStore) -> None:
    source = """
async def run(ctx):
    await app.emit("new_email", {"id": "1", "subject": "hi"})
    await app.emit("new_email", {"id": "1", "subject": "hi"})
    await ctx.sleep(1e9)

@app.on_event("new_email")
async def mine(data):
    await context_store.store({"who": "mine", **data}, namespace="got", context_id="mine")
"""
    other = """
@app.on_event("new_email")
async def theirs(data):
    await context_store.store({"who": "theirs", **data}, namespace="got", context_id="theirs")
"""
    async with start(source=source, other=other) as running:
        found = await running.found("got", 2)
        assert {context.data["who"] for context in found} == {"mine", "theirs"}
        assert all(context.data["subject"] == "hi" for context in found)
        assert await store.count(ContextFilter(namespaces=["raw.event.new_email"])) == 1
        await running.health("source", "ok")


async def test_a_feed_reads_all(start: Start, store: ContextStore) -> None:
    text = """
async def run(ctx):
    await context_store.store({"subject": "Phoenix launch"}, "raw.email", "a")
    [found] = await context_store.query(ContextFilter(namespaces=["raw.*"], since="1h", limit=1))
    assert found == (await context_store.retrieve(ContextFilter(namespaces=["raw.email"], limit=None)))[0]
    assert (await context_store.get("a", namespace="raw.email")).text == "Phoenix launch"
    assert await context_store.count(ContextFilter(namespaces=["approval"])) == 1
    [hit] = await context_store.search(text="phoenix")
    assert hit.context.id == "a"
    assert len(await context_store.versions("a", namespace="raw.email")) == 1
    assert await context_store.delete("a", namespace="raw.email")
    await context_store.store({"done": True}, namespace="done", context_id=7)
    await ctx.sleep(1e9)
"""
    await store.store({}, namespace="approval")
    async with start(x=text) as running:
        [done] = await running.found("done", 1)
        assert done.id == "7"
        await running.health("x", "ok")


async def test_deletions_are_told_to_those_that_ask(start: Start, store: ContextStore) -> None:
    text = """
@context_store.subscribe(namespaces=["raw.x"], deletions=True)
async def all_of_it(update):
    await context_store.store({"op": update.operation}, namespace="all")

@subscriber.on_context_update(namespaces=["raw.x"], start="beginning")
async def stores_only(update):
    await context_store.store({"op": update.operation}, namespace="stores")
"""
    async with start(x=text) as running:
        await store.store({}, namespace="raw.x", context_id="a")
        await store.delete("a", namespace="raw.x")
        assert [context.data["op"] for context in await running.found("all", 2)] == ["create", "delete"]
        assert len(await running.found("stores", 1)) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NAME = 'y'", "its NAME must be 'x'"),
        ("", "no `async def run(ctx)`, no `def process(raw)` and no handler"),
        ("def run(ctx): ...", "its run must be `async def run(ctx)`"),
        ('@subscriber.on_context_update(namespaces="raw.x")\nasync def f(u): ...', "x.py:2: TypeError: name"),
        ('@subscriber.on_context_update(namespaces=[])\nasync def f(u): ...', "at least one"),
        ('@subscriber.on_context_update(namespaces=["a"])\ndef f(u): ...', "f must be an async function"),
        ('@subscriber.on_context_update(namespaces=["a"])\nasync def f(self, u): ...', "a method is registered bound"),
        ('@app.on_event("two words")\nasync def f(u): ...', "not the name of an event"),
        (
            '@subscriber.on_context_update(namespaces=["a"])\nasync def f(u): ...\n'
            '@subscriber.on_context_update(namespaces=["b"])\nasync def f(u): ...',
            "x.py:4: ValueError: two handlers are called 'f'",
        ),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_file_is_told(start: Start, text: str, words: str) -> None:
    assert words in start(x=text).loaded["x"].problem


async def test_a_bound_method_is_a_handler(start: Start, store: ContextStore) -> None:
    text = """
class Counter:
    def __init__(self):
        self.seen = 0
        subscriber.on_context_update(namespaces=["raw.x"])(self.count)

    async def count(self, update):
        self.seen += 1
        await context_store.store({"seen": self.seen}, namespace="counted")

counter = Counter()
"""
    async with start(x=text) as running:
        assert running.loaded["x"].problem == ""
        await store.store({}, namespace="raw.x")
        assert (await running.found("counted", 1))[0].data == {"seen": 1}


async def test_a_decorator_that_comes_too_late_is_refused(start: Start) -> None:
    text = """
async def run(ctx):
    @subscriber.on_context_update(namespaces=["raw.x"])
    async def late(update): ...
"""
    async with start(x=text) as running:
        assert "top level of a feed file" in (await running.health("x", "trouble"))["detail"]


async def test_outside_a_feed_the_names_say_where_they_work() -> None:
    with pytest.raises(api.OutsideAFeedError, match="its handlers"):
        await api.context_store.store({}, namespace="x")
    with pytest.raises(api.OutsideAFeedError, match="its handlers"):
        await api.app.emit("x", {})
    with pytest.raises(api.OutsideAFeedError, match="top level of a feed file"):
        api.subscriber.on_context_update(namespaces=["x"])
    with pytest.raises(api.OutsideAFeedError, match="top level of a feed file"):
        api.app.on_event("x")


async def test_raw_has_the_id_that_was_emitted(start: Start, store: ContextStore) -> None:
    text = """
async def run(ctx):
    await ctx.emit({"id": 1, "text": "one"})
    await ctx.emit({"text": "no id"})
    await ctx.sleep(1e9)

def process(raw):
    return {"content": raw["text"], "matter": f"thing:{raw['id']}"}
"""
    old = {"id": "slack_7", "text": "an older Pepper stored this"}
    await store.store(old, namespace="raw.slack", context_id="slack_7", type="own")
    async with start(slack=text) as running:
        found: list[Context] = await running.found("signals.slack", 3)
    matters = {context.id: context.data["matter"] for context in found}
    assert matters.pop("signal_slack_1") == "thing:1"
    assert matters.pop("signal_slack_7") == "thing:7"
    [(ident, matter)] = matters.items()
    assert ident.removeprefix("signal_slack_") == matter.removeprefix("thing:")


KILLED = """
import os, signal
from pathlib import Path

@subscriber.on_context_update(namespaces=["raw.x"])
async def take(update):
    await context_store.store({"of": update.context.id}, namespace="taken")
    mark = Path(__file__).with_suffix(".mark")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)

async def run(ctx):
    await context_store.store({"n": 1}, namespace="raw.x", context_id="a")
    await ctx.sleep(1e9)
"""
VICTIM = """
import asyncio, sys
from pathlib import Path
from pepper_tui.clock import ManualClock
from pepper_tui.store import ContextStore
from tests.connectors.python.feed_files import Running

async def main(folder):
    clock = ManualClock()
    store = await ContextStore.open(folder / "p.db", clock)
    async with Running(store, clock, folder, {"x": (folder / "x.py").read_text()}) as running:
        await running.found("taken", 1)

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_handler_that_was_killed_runs_again(clock: ManualClock, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(HEAD + KILLED)
    arguments = [sys.executable, "-c", VICTIM, str(tmp_path)]
    killed = await asyncio.to_thread(subprocess.run, arguments, cwd=Path(__file__).parents[3], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    store = await ContextStore.open(tmp_path / "p.db", clock)
    assert await store.count(ContextFilter(namespaces=["taken"])) == 0
    assert await store.waiting("feeds.x.") == {"feeds.x.take": 1}
    async with Running(store, clock, tmp_path, {"x": HEAD + KILLED}) as running:
        [taken] = await running.found("taken", 1)
    assert taken.data == {"of": "a"}
    await store.close()
