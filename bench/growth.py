"""What the store costs on disk: bytes a context by kind, and the size at which a file stops growing.

``python -m bench.growth`` prints both. The contexts are as the program makes them; a mail has 300 words.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pepper_tui.clock import ManualClock
from pepper_tui.store import ContextStore
from pepper_tui.store.upkeep.purge import vacuum
from pepper_tui.store.upkeep.retention import DAY, Retention
from pepper_tui.store.upkeep.retention_rules import Wish

COUNT = 2_000
KEPT_DAYS, A_DAY = 30, 100
WORDS = [f"w{number:x}" for number in range(20_000)]


def words(chance: random.Random, count: int) -> str:
    return " ".join(WORDS[int(len(WORDS) * chance.random() ** 3)] for _ in range(count))


def mail(number: int, chance: random.Random) -> dict[str, Any]:
    text = words(chance, 300)
    sender = {"name": "Some Body", "address": f"body{number % 50}@example.com"}
    data = {
        "id": f"mail_{number:032x}", "message_id": f"<{number}@example.com>", "subject": words(chance, 5),
        "sender": sender, "to": [sender], "cc": [], "reply_to": [], "date": 1.0, "text": text, "reply": text,
        "list_headers": {}, "attachments": [], "references": [], "in_reply_to": "", "auto_submitted": "",
        "path": f"/home/u/Mail/new/{number}.host", "label": "INBOX", "files": [["/home/u/Mail", f"{number}.host"]],
        "thread": f"<{number}@example.com>", "arrived": 1.0, "backlog": False, "size": 4000, "digest": f"{number:064x}",
    }  # fmt: skip
    tags = [f"sender:{sender['address']}", f"thread:<{number}@example.com>", f"message:<{number}@example.com>"]
    return {"namespace": "raw.mail", "data": data, "text": f"{data['subject']}\n{text}", "tags": tags}


def signal(number: int, chance: random.Random) -> dict[str, Any]:
    content = words(chance, 20)
    data = {
        "id": f"signal_mail_{number:032x}", "content": content, "created_at": 1.0, "priority": "normal",
        "source": "mail", "reason": "addressed to you", "matter": f"mail:<{number}@example.com>",
        "metadata": {"raw": f"mail_{number:032x}", "subject": words(chance, 5), "snippet": words(chance, 30)},
    }  # fmt: skip
    return {"namespace": "signals.mail", "data": data, "text": content, "tags": ["normal"]}


def message(number: int, chance: random.Random) -> dict[str, Any]:
    text = words(chance, 25)
    data = {"id": f"user_{number:016x}", "text": text, "created_at": 1.0, "after_calls": [], "withdrawn": False}
    return {"namespace": "user.message", "data": data, "text": text, "tags": []}


def call(number: int, chance: random.Random) -> dict[str, Any]:
    data = {
        "id": f"call_{number:016x}", "name": "mail_search", "arguments": {"words": words(chance, 3)}, "effect": "read",
        "created_at": 1.0, "origin": f"step:step_{number:016x}", "root": "user", "tainted": True, "state": "succeeded",
        "matter": "", "approval": "", "progress": "", "error": "", "started_at": 1.0, "ended_at": 2.0,
    }  # fmt: skip
    return {"namespace": "tool.call", "data": data, "text": "", "tags": []}


KINDS: dict[str, Callable[[int, random.Random], dict[str, Any]]] = {
    "mail": mail,
    "signal": signal,
    "message": message,
    "tool call": call,
}


async def put(store: ContextStore, made: dict[str, Any]) -> None:
    data = made.pop("data")
    await store.store(data, **made)


async def bytes_of(folder: Path, kind: str) -> tuple[float, float]:
    """Bytes a context of ``kind``, and what is left of one after retention (a trace, or nothing)."""
    clock, chance = ManualClock(), random.Random(1)
    store = await ContextStore.open(folder / f"{kind}.db", clock)
    for number in range(COUNT):
        await put(store, KINDS[kind](number, chance))
    await store.search("nowhere")
    _, full = await vacuum(store)
    await clock.advance(1000 * DAY)
    await Retention(store, clock).sweep()
    _, left = await vacuum(store)
    await store.close()
    return full / COUNT, left / COUNT


async def plateau(folder: Path) -> list[float]:
    """Bytes of the file a kept context, at the end of each month, where each is kept for a month."""
    clock, chance = ManualClock(), random.Random(1)
    store = await ContextStore.open(folder / "plateau.db", clock)
    retention = Retention(store, clock, {"signals.*": Wish(days=KEPT_DAYS)})
    sizes, number = [], 0
    for day in range(1, 12 * KEPT_DAYS + 1):
        async with store.unit():
            for _ in range(A_DAY):
                number += 1
                await put(store, signal(number, chance))
        await clock.advance(DAY)
        await retention.sweep()
        if day % KEPT_DAYS == 0:
            pages = await store.file.read(lambda c: int(c.execute("PRAGMA page_count").fetchone()[0]))
            sizes.append(pages * 4096 / (KEPT_DAYS * A_DAY))
    await store.close()
    return sizes


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pepper-growth-") as name:
        for kind in KINDS:
            full, left = await bytes_of(Path(name), kind)
            print(f"{kind:12} {full:8,.0f} bytes, of which retention leaves {left:,.0f}")
        sizes = await plateau(Path(name))
        print(f"{A_DAY} signals a day, kept {KEPT_DAYS} days: bytes a kept signal, month by month:")
        print("  " + " ".join(f"{size:,.0f}" for size in sizes))


if __name__ == "__main__":
    asyncio.run(main())
