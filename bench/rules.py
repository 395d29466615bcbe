"""What a rule costs: matching, and acts carried out, beside the same number of plain stores in the same run.

``python -m bench.rules [SIGNALS]`` prints the rows: 10,000 signals (by default) against 100 rules, each signal holding
for one of them, which notifies, reminds and follows up. The alternative stores as many contexts through the same
writer, in units of the same size, and does nothing else.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.measured import Measured
from pepper_tui.clock import SystemClock, Timers
from pepper_tui.clock.words import TimeReader
from pepper_tui.domains.mail.content.machines import by_a_machine
from pepper_tui.domains.mail.content.message_ids import first_with
from pepper_tui.domains.notices.inbox import Inbox
from pepper_tui.model import ContextFilter, Facts, Json, Namespace, Priority, Rule, Signal
from pepper_tui.rules import Hands, RuleBook, RuleRunner
from pepper_tui.rules.acting.runner import BATCH
from pepper_tui.store import ContextStore, Subscriber

SIGNALS = 10_000
RULES = 100
CLOCK = SystemClock()
ZONE = ZoneInfo("Europe/Berlin")
ACTS = 3  # of each match


def rule(number: int) -> Rule:
    return Rule(
        id=f"r{number}",
        name=f"rule {number}",
        words=[f"word{number}", f"other{number}"],
        source="mail",
        notify=True,
        remind="tomorrow 9am",
        follow_up=48,
    )


def facts(number: int) -> Facts:
    text = "please have a look at the numbers and tell me what you think of them " * 5
    return Facts("mail", sender=f"p{number}@example.com", subject="Hello", text=f"{text} word{number % RULES}")


def signal(number: int, rules: list[Json]) -> Signal:
    metadata: Json = {
        "sender": f"p{number}@example.com",
        "sender_name": f"P {number}",
        "subject": f"Hello {number}",
        "thread": f"<{number}@example.com>",
        "message_id": f"<{number}@example.com>",
        "snippet": "please have a look",
        "rules": rules,
    }
    return Signal(
        f"s{number}",
        f"P {number}: Hello {number}",
        CLOCK.now(),
        Priority.HIGH,
        "mail",
        "rule",
        f"mail:{number}",
        metadata,
    )


async def _look(_tool: str, _arguments: Json) -> str | None:
    return None


async def measured(folder: Path, signals: int) -> list[Measured]:
    store = await ContextStore.open(folder / "p.db", CLOCK)
    book = RuleBook(store, [rule(number) for number in range(RULES)], {})
    began = time.perf_counter()
    matches = [book.matches(book.matching(each), each) for each in map(facts, range(signals))]
    matching = (time.perf_counter() - began) / signals * 1e6
    timers = Timers(CLOCK)
    inbox = Inbox(store, CLOCK, timers)
    hands = Hands(
        announce=inbox.announce,
        times=TimeReader(CLOCK, ZONE, "en"),
        look=_look,
        is_own=lambda _: False,
        first_mail=partial(first_with, store),
        by_a_machine=by_a_machine,
        is_absence=by_a_machine,
        has_model=lambda: False,
        zone=ZONE,
        zone_name=ZONE.key,
    )
    runner = RuleRunner(store, CLOCK, book, hands)
    subscriber = Subscriber(store)
    runner.listen(subscriber)
    await runner.start()
    await subscriber.start()
    began = time.perf_counter()
    for start in range(0, signals, BATCH):
        async with store.unit():
            for number in range(start, min(signals, start + BATCH)):
                await store.put(signal(number, matches[number]), namespace="signals.mail", type="signal", text="hello")
    while await store.count(ContextFilter(namespaces=[Namespace.RULE_MATCH])) < signals:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    spent = time.perf_counter() - began
    acts = await store.count(ContextFilter(namespaces=[Namespace.RULE_ACT], tags=["done"]))
    assert acts == signals * ACTS, f"{acts} acts of {signals * ACTS}"
    await subscriber.stop()
    await runner.stop()
    written = await store.count(ContextFilter(namespaces=["*"]))
    await store.close()
    plain = await _plain(folder, written)
    rate = acts / spent
    return [
        Measured(f"match one of {RULES} rules", matching, "us", "a signal"),
        Measured("acts carried out", rate, "/s", f"{signals:,} signals, {acts:,} acts, {spent:.1f} s"),
        Measured("contexts by rules", written / spent / plain, "x", "plain stores in units of the same size: 1"),
    ]


async def _plain(folder: Path, count: int) -> float:
    """Plain contexts stored a second, in units as large as the runner's."""
    store = await ContextStore.open(folder / "q.db", CLOCK)
    data = signal(0, []).data()
    began = time.perf_counter()
    for start in range(0, count, BATCH * 8):
        async with store.unit():
            for number in range(start, min(count, start + BATCH * 8)):
                await store.store({**data, "id": f"x{number}"}, namespace="plain", text="hello", tags=["open"])
    rate = count / (time.perf_counter() - began)
    await store.close()
    return rate


def rows(signals: int = SIGNALS) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measured(Path(folder), signals))


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else SIGNALS):
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}".rstrip())
