"""The embedders that there are: the offline one on real questions, the endpoint over real HTTP with the real SDK."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Budget as Limits
from pepper_tui.config import Config, EmbeddingModel, Models, Price, Search, Secrets
from pepper_tui.llm import Budget
from pepper_tui.llm.embedding.embedders import build_embedder
from pepper_tui.llm.embedding.endpoint import EndpointEmbedder
from pepper_tui.llm.embedding.local import OfflineEmbedder
from pepper_tui.model import ContextFilter, Namespace
from pepper_tui.store import ContextStore, EmbeddingError, Meaning
from pepper_tui.store.search.meaning import PART, Pace
from tests.llm.embedding_server import EmbeddingServer
from tests.store.letters import MAILS, PARAPHRASES, WORDS
from tests.store.topics import TopicEmbedder
from tests.waiting import until

AT_ONCE = Pace(start=0, quiet=0, rest=0, share=0, failed=10)
MAIL = "raw.mail"
TELLING = 4  # letters of a word that is not a small one


async def fill(store: ContextStore, texts: dict[str, str]) -> None:
    async with store.unit():
        for ident, text in texts.items():
            await store.store({"id": ident}, namespace=MAIL, text=text)


async def found(store: ContextStore, text: str, limit: int = 5) -> dict[str, str]:
    return {hit.context.context_id: hit.found for hit in await store.search(text, limit=limit)}


# ------------------------------------------------------------------------------------------------------- offline


async def test_paraphrases_find_what_words_miss(store: ContextStore) -> None:
    """Recall among the first five of ten. The figures in docs/search.md are what this prints."""

    async def recall(questions: dict[str, str], first: int = 5) -> int:
        return sum([answer in [*await found(store, question, 10)][:first] for question, answer in questions.items()])

    await fill(store, MAILS)
    by_text = await recall(WORDS), await recall(PARAPHRASES)
    meaning = store.meaning = Meaning(store, OfflineEmbedder(), most=1000)
    both = await recall(WORDS), await recall(PARAPHRASES)
    best = await recall(WORDS, 1), await recall(PARAPHRASES, 1)
    ids = {context.seq: context.context_id for context in await store.query()}
    alone = [
        sum(
            [
                answer in [ids[seq] for seq in await meaning.search(question, ContextFilter(), 5)]
                for question, answer in each
            ]
        )
        for each in (WORDS.items(), PARAPHRASES.items())
    ]
    await meaning.stop()
    assert (len(WORDS), len(PARAPHRASES), len(MAILS)) == (12, 38, 48)
    print(f"by words {by_text}, by meaning {alone}, by both {both}, of these first {best}")
    assert by_text == (12, 5)
    assert alone[1] >= 28
    assert both[0] == best[0] == 12
    assert both[1] >= 30
    assert best[1] >= 20


async def test_hostile_text_offline() -> None:
    embedder = OfflineEmbedder()
    texts = ["a" * 100_000, "\ufffd" * 3000, "\x00\x1b[31m", "-" * 50_000, "漢字" * 2000, "🐕" * 2000]
    vectors = await embedder.embed(texts, waits=False)
    assert vectors.shape == (len(texts), 256)
    assert ((vectors**2).sum(axis=1) - 1 < 1e-3).all()
    assert not (await embedder.embed([""], waits=True)).any()
    with pytest.raises(EmbeddingError, match="can't be tokenized") as refused:
        await embedder.embed(["\ud800"], waits=True)
    assert refused.value.of_text
    await embedder.release()
    assert not embedder.loaded


SLOW = """
import json, os, struct, sys, time
def send(kind, content=b""):
    os.write(1, struct.pack(">I", len(content) + 1) + kind + content)
send(b"v")
while header := sys.stdin.buffer.read(4):
    texts = json.loads(sys.stdin.buffer.read(struct.unpack(">I", header)[0]))
    if "die" in texts: os._exit(3)
    if "hang" in texts: time.sleep(600)
    send(b"v", b"\\0\\0\\x80?" * 256 * len(texts))
"""


async def test_a_text_that_ends_the_process_costs_that_text_only(store: ContextStore, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    embedder = OfflineEmbedder(tmp_path / "slow.py", patience=0.5)
    meaning = Meaning(store, embedder, most=1000, pace=AT_ONCE)
    await fill(store, {"a": "good", "b": "die", "c": "hang", "d": "fine"})
    while await meaning.embedding.portion():
        pass
    cursor = await meaning.embedding.cursor()
    assert (cursor.count, cursor.low) == (2, 0)
    await meaning.stop()
    assert not embedder.loaded


async def test_who_waits_no_more_leaves_no_answer_behind() -> None:
    embedder = OfflineEmbedder()
    await embedder.open()
    [dog, cat] = await embedder.embed(["dog", "cat"], waits=True)
    process = embedder.process
    for _ in range(3):
        task = asyncio.create_task(embedder.embed(["dog"], waits=True))
        await asyncio.sleep(0)
        task.cancel()
        assert ((await embedder.embed(["cat"], waits=True))[0] == cat).all()
        assert embedder.process == process
    await embedder.release()
    assert not (dog == cat).all()


async def test_a_stop_does_not_wait_for_an_answer(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    embedder = OfflineEmbedder(tmp_path / "slow.py")
    await embedder.open()
    asked = asyncio.create_task(embedder.embed(["hang"], waits=False))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(10):
        await embedder.close()
    with pytest.raises(EmbeddingError, match="ended"):
        await asked


async def test_its_process_dies_with_pepper() -> None:
    code = (
        "import asyncio, os\n"
        "from pepper_tui.llm.embedding.local import OfflineEmbedder\n"
        "async def main():\n"
        "    embedder = OfflineEmbedder()\n"
        "    await embedder.open()\n"
        "    print(embedder.process, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True)
    child = int(done.stdout)

    def gone() -> bool:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        return "Z" in Path(f"/proc/{child}/stat").read_text().split()[2:3]

    await until(gone)


# ------------------------------------------------------------------------------------------------------ endpoint


class Bench:
    """An endpoint embedder and what it is given."""

    def __init__(self, store: ContextStore, clock: ManualClock) -> None:
        self.store, self.clock = store, clock
        self.made: list[EndpointEmbedder] = []
        self.budget: Budget

    def endpoint(
        self, url: str, *, price: Price | None = None, limits: Limits | None = None, **settings: Any
    ) -> EndpointEmbedder:
        limits = limits or Limits()
        self.budget = Budget(self.store, self.clock, Config(budget=limits))
        own = EmbeddingModel(name="embed", **settings)
        made = EndpointEmbedder(
            self.clock, own, self.budget, base_url=url, api_key="sk-planted", price=price, limits=limits, timeout=5
        )
        self.made.append(made)
        return made


@pytest.fixture
async def bench(store: ContextStore, clock: ManualClock) -> AsyncIterator[Bench]:
    made = Bench(store, clock)
    yield made
    for embedder in made.made:
        await embedder.close()


async def test_batches_over_http_and_their_cost(store: ContextStore, bench: Bench) -> None:
    with EmbeddingServer() as server:
        embedder = bench.endpoint(
            server.url, batch=20, price=Price(input=1_000_000.0, output=0), limits=Limits(daily=5000)
        )
        meaning = store.meaning = Meaning(store, embedder, most=1000, pace=AT_ONCE)
        await fill(store, {f"m{number}": "puppy shot" for number in range(50)})
        while await meaning.embedding.portion():
            pass
        assert [len(request["input"]) for request in server.requests] == [20, 20, 10]
        assert all(request["encoding_format"] == "float" for request in server.requests)
        assert server.requests[0]["key"] == "Bearer sk-planted"
        assert set((await found(store, "hound", 100)).values()) == {"meaning"}
        await found(store, "hound", 100)  # known: not asked again
        assert [request["input"] for request in server.requests[3:]] == [["hound"]]
        await meaning.stop()
    await bench.budget.close()
    assert bench.budget.today().spent == 101.0
    usages = [context.data for context in await store.query() if context.namespace == Namespace.USAGE]
    assert {usage["role"] for usage in usages} == {"embedding"}
    assert sum(usage["prompt_tokens"] for usage in usages) == 101


async def test_vectors_are_in_the_order_of_their_texts(bench: Bench) -> None:
    with EmbeddingServer() as server:
        vectors = await bench.endpoint(server.url).embed(["dog", "plane", "money"], waits=True)
    for vector, text in zip(vectors, ["dog", "plane", "money"], strict=True):
        assert abs(vector - TopicEmbedder().vector(text)).max() < 1e-5


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({"status": 429, "headers": {"retry-after": "7"}}, "is limiting calls"),
        ({"status": 500, "message": "out of memory"}, "failed (HTTP 500): out of memory"),
        ({"status": 401, "message": "bad sk-planted"}, "refused the key (HTTP 401)"),
        ({"status": 404, "message": "no model sk-planted"}, "failed (HTTP 404): no model [key]"),
        ({"short": 1}, "sent 0 numbers, not 1"),
        ({"raw": "<html>"}, "sent what can't be read"),
        ({"raw": '{"data": [{"index": 0, "embedding": "no"}]}'}, "sent what can't be read"),
    ],
)
async def test_a_reply_that_is_none(store: ContextStore, bench: Bench, reply: dict[str, Any], words: str) -> None:
    with EmbeddingServer({}, reply) as server:
        embedder = bench.endpoint(server.url)
        meaning = store.meaning = Meaning(store, embedder, most=1000, pace=AT_ONCE)
        await meaning.start()
        await fill(store, {"m": "puppy shot"})
        while await meaning.embedding.portion():
            pass
        assert await found(store, "shot") == {"m": "text"}
        health = await store.get(PART, namespace=Namespace.HEALTH)
        assert health is not None
        assert words in health.data["detail"]
        assert "sk-planted" not in str(health.data)
        await bench.clock.advance(60)
        assert await found(store, "shot") == {"m": "both"}
        await meaning.stop()


async def test_a_server_that_is_down_costs_nothing_and_is_tried_again(store: ContextStore, bench: Bench) -> None:
    with EmbeddingServer() as server:
        url = server.url
    embedder = bench.endpoint(url, price=Price(input=1.0, output=0))
    meaning = store.meaning = Meaning(store, embedder, most=1000, pace=AT_ONCE)
    await fill(store, {"m": "puppy shot"})
    with pytest.raises(EmbeddingError, match="no server answers for embed at"):
        await meaning.embedding.portion()
    assert await found(store, "puppy") == {"m": "text"}
    assert bench.budget.today().spent == bench.budget.today().reserved == 0
    await meaning.stop()


async def test_other_dimensions_are_refused_with_the_way_out(store: ContextStore, bench: Bench) -> None:
    with EmbeddingServer({}, {"dimensions": 32}) as server:
        meaning = Meaning(store, bench.endpoint(server.url, batch=1), most=1000, pace=AT_ONCE)
        await fill(store, {"a": "puppy", "b": "hound"})
        assert await meaning.embedding.portion()
        with pytest.raises(EmbeddingError, match="vectors of 32 numbers, where 64 are stored") as refused:
            await meaning.embedding.portion()
        assert "models.embedding.dimensions = 32" in refused.value.remedy
        await meaning.stop()
        again = store.meaning = Meaning(store, bench.endpoint(server.url, dimensions=32), most=1000, pace=AT_ONCE)
        while await again.embedding.portion():
            pass
        assert await found(store, "terrier") == {"a": "meaning", "b": "meaning"}
        await again.stop()


async def test_one_text_that_is_refused_is_passed_over_but_not_all(store: ContextStore, bench: Bench) -> None:
    with EmbeddingServer(refuses="poison") as server:
        meaning = store.meaning = Meaning(store, bench.endpoint(server.url), most=1000, pace=AT_ONCE)
        await fill(store, {"a": "puppy", "b": "poison", "c": "hound"})
        while await meaning.embedding.portion():
            pass
        assert await found(store, "terrier") == {"a": "meaning", "c": "meaning"}
        server.refuses = ""
        server.script.extend([{"status": 400, "message": "no such parameter"}] * 9)
        await fill(store, {"d": "puppy", "e": "hound"})
        with pytest.raises(EmbeddingError, match="refused the request"):
            await meaning.embedding.portion()
        await meaning.stop()


async def test_the_budget_holds(store: ContextStore, bench: Bench) -> None:
    with EmbeddingServer() as server:
        embedder = bench.endpoint(server.url, limits=Limits(daily_tokens=40, daily=1, chat_reserve=0))
        with pytest.raises(EmbeddingError, match="daily token budget"):
            await embedder.embed(["puppy " * 20], waits=True)
        assert not server.requests
        await embedder.embed(["one two three four five six"], waits=False)
        await embedder.embed(["one two three four five six"], waits=True)
        await embedder.embed(["a b c d e f g h i j"], waits=True)
        with pytest.raises(EmbeddingError, match="55% of today's budget is used") as refused:
            await embedder.embed(["puppy"], waits=False)
        assert refused.value.retry_after == 3600
        await embedder.embed(["puppy"], waits=True)


async def test_a_server_that_hangs_does_not_hold_up_a_search(store: ContextStore, bench: Bench) -> None:
    with EmbeddingServer({}, {"delay": 1.0}) as server:
        pace = Pace(start=0, quiet=0, rest=0, share=0, failed=10, patience=0.1)
        meaning = store.meaning = Meaning(store, bench.endpoint(server.url), most=1000, pace=pace)
        await fill(store, {"m": "puppy shot"})
        while await meaning.embedding.portion():
            pass
        assert await found(store, "shot") == {"m": "text"}
        health = await store.get(PART, namespace=Namespace.HEALTH)
        assert health is not None
        assert "gave no answer within 0.1 seconds" in health.data["detail"]
        await meaning.stop()


# ------------------------------------------------------------------------------------------------------ the config


@pytest.mark.parametrize(
    ("models", "search", "kind", "key"),
    [
        (Models(), Search(), "OfflineEmbedder", ""),
        (Models(), Search(meaning=False), "NoneType", ""),
        (Models(base_url="https://a/v1", embedding=EmbeddingModel(name="e")), Search(), "EndpointEmbedder", "sk-main"),
        (Models(embedding=EmbeddingModel(name="e", base_url="http://b/v1")), Search(), "EndpointEmbedder", ""),
        (Models(embedding=EmbeddingModel(name="e")), Search(), "EndpointEmbedder", "sk-main"),
        # no URL and no key: what is private is not sent to where it could only be refused
        (Models(api_key="", embedding=EmbeddingModel(name="e")), Search(), "OfflineEmbedder", ""),
        (Models(api_key="env:NONE", embedding=EmbeddingModel(name="e")), Search(), "OfflineEmbedder", ""),
    ],
)
async def test_the_config_says_which(
    store: ContextStore, clock: ManualClock, tmp_path: Path, models: Models, search: Search, kind: str, key: str
) -> None:
    settings = Config(models=models, search=search)
    secrets = Secrets(tmp_path, {"OPENAI_API_KEY": "sk-main"})
    made = build_embedder(settings, clock, secrets, Budget(store, clock, settings))
    assert type(made).__name__ == kind
    assert getattr(made, "_read_key", str)() == key
