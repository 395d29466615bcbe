"""The screen while one parser is fed the worst that it takes, again and again: ``python -m bench.fed_screen NAME``.

Each is fed as Pepper feeds it: in its process, in a thread, or on the event loop.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC
from itertools import count, cycle
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic_core import from_json

from bench.busy_screen import talked
from pepper_tui.boundary.bounded_http import (
    MAX_BODY,
    MAX_BODY_PARTS,
    MAX_EVENT,
    MAX_PARTS,
    BodyBound,
    EventBound,
    TooLargeError,
    parts,
)
from pepper_tui.clock.words.text import read_time
from pepper_tui.clock.words.within import trailing_time
from pepper_tui.connectors.mbox import mbox_file
from pepper_tui.connectors.mcp.offer.definition import SIZE_LIMIT, Definition
from pepper_tui.connectors.mcp.session import reaper
from pepper_tui.connectors.program.lines import MAX_LINE, Lines
from pepper_tui.domains.bounded import parse_mails, shown_text
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.mail import message as mail_message
from pepper_tui.domains.web import fetch
from pepper_tui.engine.interpreter import DaemonThreads, collect_seldom, share_threads_fairly
from pepper_tui.llm.offline import grammar
from pepper_tui.model import AssistantMessage, Facts, Namespace, Rule
from pepper_tui.rules.condition import holds
from pepper_tui.text.html import MAX_HTML
from pepper_tui.tools.approvals.provenance import atoms, trusted
from pepper_tui.tools.approvals.sameness import normalised
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.chat.message_lines import LONGEST
from tests.parsing.shapes import FILES, HTML, ICS, MAIL, MARKS, SAID, TEXT, WORDS, Shape, calendar, event
from tests.ui.fake_engine import FakeEngine, approval, fill, note

PAUSE: Final = 0.05  # seconds between two things that a parser is fed
MAIL_SIZE: Final = 1_000_000
FILE_SIZE: Final = 9_000_000
Fed = Callable[[Any], Awaitable[object]]


def largest(make: Callable[[int], Any], most: int) -> Any:
    """The largest of its kind that has at most ``most`` characters or bytes."""
    low, high = 1, 2
    while len(make(high)) <= most and high < most * 2:
        low, high = high, high * 2
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (middle, high) if len(make(middle)) <= most else (low, middle)
    return make(low)


def all_of(shapes: dict[str, Shape], most: int) -> list[Any]:
    return [largest(make, most) for _, make in shapes.values()]


def in_thread(function: Callable[..., object], *arguments: object) -> Fed:
    async def fed(given: Any) -> None:
        await asyncio.to_thread(function, given, *arguments)

    return fed


def on_loop(function: Callable[..., object]) -> Fed:
    async def fed(given: Any) -> None:
        function(given)

    return fed


def quietly(function: Callable[[Any], object], *errors: type[Exception]) -> Callable[[Any], object]:
    def called(given: Any) -> object:
        try:
            return function(given)
        except errors:
            return None

    return called


def event_of_a_stream(source: bytes) -> None:
    """As the client of a model takes it: bounded, cut into events, read, made into objects."""
    from openai._models import construct_type
    from openai._streaming import SSEDecoder
    from openai.types.chat import ChatCompletionChunk

    bound = EventBound(MAX_EVENT, MAX_PARTS)
    bound.take(source)
    for each in SSEDecoder().iter_bytes(iter([source])):
        construct_type(type_=ChatCompletionChunk, value=each.json())


def mcp_message(source: bytes) -> None:
    from mcp_types import jsonrpc_message_adapter

    assert parts(source) <= reaper.MOST_PARTS
    assert len(source) <= reaper.LONGEST
    jsonrpc_message_adapter.validate_json(source)


def program_line(source: bytes) -> None:
    for line in Lines().cut(source):
        json.loads(line)


def batches_of_vectors() -> list[bytes]:
    def most(unit: bytes) -> int:
        return min((MAX_BODY - 100) // len(unit), (MAX_BODY_PARTS - 100) // parts(unit))

    return [
        b'{"data":[{"embedding":[' + unit * most(unit) + b"1]}]}" for unit in (b"0.1234567,", b"[],", b"{},", b"1,")
    ]


def vectors(source: bytes) -> None:
    bound = BodyBound(MAX_BODY, MAX_BODY_PARTS)
    bound.take(source)
    from_json(source)


def definition(schema: Any) -> None:
    tool = Definition("server", "tool", "words", schema)
    assert tool.problem or tool.parameters


def ruled(text: str) -> None:
    facts = Facts("mail", sender="a@example.org", subject=text[:500], text=text)
    for words in ("a b c", "invoice due now", "a", "a a a"):
        holds(Rule("r", name="r", words=[words]), facts)


def page(text: str) -> None:
    answer = fetch._Answer(200, {"content-type": "text/plain"}, text.encode(), False)
    fetch._in_words("https://a.example", "https://a.example", answer)


def events_of_a_model() -> list[bytes]:
    head, units = b'data: {"choices":[', (b"{},", b'{"delta":{}},', b"[],", b"1,")
    filled = [head + unit * ((MAX_PARTS - 40) // parts(unit)) + b"{}]}\n\n" for unit in units]
    return [*filled, head + b'{"delta":{"content":"' + b"a" * (MAX_EVENT - 100) + b'"}}]}\n\n']


def mcp_messages() -> list[bytes]:
    head, units = b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"x":[', (b"[],", b"{},", b'{"a":1},', b"1,")
    filled = [head + unit * ((reaper.MOST_PARTS - 100) // parts(unit)) + b"1]}}" for unit in units]
    text = b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"' + b"a" * (reaper.LONGEST - 200)
    return [*filled, text + b'"}]}}']


async def calendars(_: FakeEngine) -> None:
    """Files as large as they may be, each changed again and again."""
    crowded = calendar(event(*(f"ATTENDEE;CN=x:mailto:{n}@example.org" for n in range(60_000))))
    never = calendar(event("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31") * 20)
    many = calendar(b"".join(event(f"X-A:{n}").replace(b"UID:a", b"UID:%d" % n) for n in range(20_000)))
    worst = [
        crowded,
        never,
        many,
        *all_of(FILES, FILE_SIZE),
        *(calendar(largest(make, 2_000_000)) for _, make in ICS.values()),
    ]
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder:
        path, now = Path(folder) / "a.ics", time.time()
        agenda = Agenda([path], ZoneInfo("Europe/Berlin"))
        for source in cycle(worst):
            await asyncio.to_thread(path.write_bytes, source)
            try:
                await agenda.events()
                await agenda.between(now, now + 60 * 86400)
            except TimeoutError:
                await asyncio.sleep(1)
            await asyncio.sleep(PAUSE)


def feeder(fed: Fed, worst: Callable[[], list[Any]]) -> Callable[[FakeEngine], Awaitable[None]]:
    async def run(_: FakeEngine) -> None:
        for given in cycle(await asyncio.to_thread(worst)):
            await fed(given)
            await asyncio.sleep(PAUSE)

    return run


async def answers(engine: FakeEngine) -> None:
    for number, text in zip(count(), cycle(all_of(MARKS, LONGEST)), strict=False):
        at = time.time()
        engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage(f"long{number % 3}", text, at, "step"))
        await asyncio.sleep(PAUSE * 10)


async def streamed(engine: FakeEngine) -> None:
    for number, text in zip(count(), cycle(all_of(MARKS | TEXT, LONGEST)), strict=False):
        for at in range(0, len(text), 4000):
            engine.delta(f"stream{number}", text[at : at + 4000])
            await asyncio.sleep(PAUSE)


async def cards(engine: FakeEngine) -> None:
    for number, text in zip(count(), cycle(all_of(TEXT | WORDS, mail_message.MAX_BODY)), strict=False):
        engine.put(Namespace.APPROVAL, approval(f"long{number % 3}", body=text, at=time.time()))
        engine.put(Namespace.NOTIFICATION, note(f"long{number % 3}", text[:5000], body=text, created_at=time.time()))
        await asyncio.sleep(PAUSE * 10)


async def nothing(_: FakeEngine) -> None:
    """What the others are held against."""


FEEDERS: dict[str, Callable[[FakeEngine], Awaitable[None]]] = {
    "nothing": nothing,
    "mail": feeder(in_thread(lambda source: parse_mails([source], MAIL_SIZE)), lambda: all_of(MAIL, MAIL_SIZE)),
    "html": feeder(in_thread(lambda text: shown_text(text, [])), lambda: all_of(HTML, MAX_HTML)),
    "calendar": calendars,
    "mbox": feeder(
        in_thread(lambda source: list(mbox_file.mails_from(io.BytesIO(source), 0, MAIL_SIZE))),
        lambda: [b"From a 10:00\n" + b"\n\nFrom a 10:00" * 300_000, b"From a 10:00\nA: b\n\n" + b">>From \n" * 500_000],
    ),
    "times": feeder(
        in_thread(
            quietly(lambda text: (trailing_time(text, "en"), read_time(text[:300], time.time(), UTC)), ValueError)
        ),
        lambda: all_of(SAID, grammar.LONGEST),
    ),
    "orders": feeder(in_thread(grammar.parse), lambda: all_of(SAID | WORDS, grammar.LONGEST)),
    "page": feeder(in_thread(page), lambda: all_of(WORDS | TEXT, 2_000_000)),
    "provenance": feeder(
        in_thread(lambda text: (atoms(text), trusted(text))), lambda: all_of(WORDS | TEXT, mail_message.MAX_BODY)
    ),
    "sameness": feeder(
        on_loop(lambda text: normalised({"body": text})), lambda: all_of(WORDS | TEXT, mail_message.MAX_BODY)
    ),
    "rules": feeder(on_loop(ruled), lambda: all_of(WORDS | TEXT, 200_000)),
    "markdown": answers,
    "reply": streamed,
    "card": cards,
    "model": feeder(on_loop(quietly(event_of_a_stream, TooLargeError)), events_of_a_model),
    "vectors": feeder(in_thread(vectors), batches_of_vectors),
    "mcp": feeder(on_loop(mcp_message), mcp_messages),
    "definition": feeder(
        on_loop(definition),
        lambda: [
            {"enum": ["a"] * (SIZE_LIMIT // 6)},
            {"properties": {f"a{n}": {"type": "string"} for n in range(1000)}},
            {"description": "\u3164" * (SIZE_LIMIT // 7)},
        ],
    ),
    "program": feeder(
        on_loop(program_line),
        lambda: [
            b'{"a":[' + unit * ((MAX_LINE - 20) // len(unit)) + b"1]}\n" for unit in (b"[],", b"{},", b"1,", b'"a",')
        ],
    ),
}


def main() -> None:
    kept: list[asyncio.Task[None]] = []

    def feeding(engine: FakeEngine) -> Iterator[asyncio.Task[None]]:
        async def feed() -> None:
            await FEEDERS[sys.argv[1]](engine)

        yield asyncio.create_task(feed())

    async def factory() -> FakeEngine:
        asyncio.get_running_loop().set_default_executor(DaemonThreads())
        engine = FakeEngine()
        fill(engine, time.time())
        talked(engine)
        kept.extend(feeding(engine))
        collect_seldom()
        return engine

    share_threads_fairly()  # both as the program does
    PepperApp(factory).run()


if __name__ == "__main__":
    main()
