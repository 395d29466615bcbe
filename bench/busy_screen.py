"""The screen under load, for ``bench.screen``: 1,000 messages, 1,000 updates a second, and a reply that streams."""

from __future__ import annotations

import asyncio
import time
from itertools import count

from pepper_tui.engine.interpreter import collect_seldom, share_threads_fairly
from pepper_tui.model import AssistantMessage, Namespace, Priority, UserMessage
from pepper_tui.ui.screen.app import PepperApp
from tests.ui.fake_engine import FakeEngine, call, fill, signal

MESSAGES = 1000
UPDATES = 1000  # a second
BEATS = 50  # a second, in which they come
PIECES = 25  # of the reply, a second
REPLY = "The quick summary of *what came in*, word after word. "


def talked(engine: FakeEngine) -> None:
    """A long conversation."""
    now = time.time()
    for number in range(MESSAGES // 2):
        at = now - 86_400 + number * 60
        engine.put(Namespace.USER_MESSAGE, UserMessage(f"u{number:04}", f"What about number {number}?", at))
        text = f"Number **{number}** has come:\n\n- it was short\n- it was about lunch on Thursday, by the river"
        engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage(f"p{number:04}", text, at + 1, "step"))


async def load(engine: FakeEngine) -> None:
    """Half of the updates are signals, half the progress of calls that run; beside them a reply that never ends."""
    numbers = count()
    for beat in count():
        await asyncio.sleep(1 / BEATS)
        now = time.time()
        for _ in range(UPDATES // BEATS // 2):
            number = next(numbers)
            priority = list(Priority)[number % 5]
            engine.put("signals.mail", signal(f"x{number}", f"Sender {number}: something happened", priority, now))
            engine.put(Namespace.TOOL_CALL, call(f"k{number % 8}", progress=f"{number} of many"))
        if beat % (BEATS // PIECES) == 0:
            engine.delta(f"r{beat // (BEATS * 20)}", REPLY[beat % 40 :][:10])


def main() -> None:
    kept: list[asyncio.Task[None]] = []

    async def factory() -> FakeEngine:
        engine = FakeEngine()
        fill(engine, time.time())
        talked(engine)
        kept.append(asyncio.create_task(load(engine)))
        collect_seldom()
        return engine

    share_threads_fairly()  # both as the program does
    PepperApp(factory).run()


if __name__ == "__main__":
    main()
