"""kill -9 while texts are embedded: afterwards each current text has its own vector, and nothing else has one."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.store import ContextStore, Meaning
from pepper_tui.store.search.embeddings import as_bytes, load
from tests.store.topics import TopicEmbedder

CHILD = """
import asyncio, os, random, sys
from pathlib import Path
from pepper_tui.clock import SystemClock
from pepper_tui.store import ContextStore, Meaning
from pepper_tui.store.search.meaning import Pace
from tests.store.topics import TopicEmbedder

async def main():
    store = await ContextStore.open(Path(sys.argv[1]), SystemClock())
    embedder = TopicEmbedder(name=sys.argv[3], batch=3)
    await embedder.open()
    meaning = Meaning(store, embedder, most=1000, pace=Pace(start=0, quiet=0, rest=0, share=0))
    await meaning.start()
    chance = random.Random(sys.argv[2])
    os.write(1, b"on\\n")
    while True:
        ident = str(chance.randrange(40))
        if chance.random() < 0.2:
            await store.delete(ident, namespace="raw.mail")
        else:
            await store.store({}, namespace="raw.mail", context_id=ident, text=f"puppy {chance.random()}")

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", [1, 2])
async def test_kill(tmp_path: Path, clock: ManualClock, seed: int) -> None:
    path = tmp_path / "p.db"
    chance = random.Random(seed)
    for turn in range(3):
        name = "first" if turn < 2 else "second"
        await asyncio.to_thread(_run_and_kill, path, f"{seed}.{turn}", name, 0.05 + chance.random() / 4)
    with sqlite3.connect(path) as db:
        cursor = load(db)
    assert cursor is not None
    assert cursor.high
    store = await ContextStore.open(path, clock)
    meaning = Meaning(store, TopicEmbedder(name="second"), most=1000)
    while await meaning.embedding.portion():
        pass
    contexts = {context.seq: context.text for context in await store.query()}
    with sqlite3.connect(path) as db:
        vectors = dict(db.execute("SELECT seq, vector FROM embeddings"))
    texts = [*contexts.values()]
    expected = as_bytes(await TopicEmbedder(batch=100).embed(texts, waits=False))
    assert vectors == dict(zip(contexts, expected, strict=True))
    await meaning.stop()
    await store.close()


def _run_and_kill(path: Path, seed: str, name: str, seconds: float) -> None:
    command = [sys.executable, "-c", CHILD, str(path), seed, name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
