"""The commands of the conversation: a message for later or from the editor, the reply, exporting the conversation."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pepper_tui.model import Origin, Written
from pepper_tui.ui.plain.commands.given import Given
from pepper_tui.ui.screen.inbox.editing import edited_text
from pepper_tui.ui.shared.export import proposed_path, write_conversation


async def later(given: Given, rest: str) -> None:
    if not rest:
        raise ValueError("/later wants a text")
    await given.talk.tell(Written.by(rest, given.origin), after_calls=True)


async def back(given: Given, rest: str) -> None:
    del rest
    taken = await given.engine.take_back()
    given.say("Nothing to take back: Pepper has read it all" if taken is None else f"Taken back: {taken.text}")


async def stop(given: Given, rest: str) -> None:
    del rest
    await given.engine.stop_reply()
    given.say("Stopped")


async def write(given: Given, rest: str) -> None:
    del rest
    text = (await edited_text("")).strip()
    if not text:
        raise ValueError("Nothing was written, nothing was sent")
    await given.talk.tell(Written.by(text, Origin.EDITOR))


async def save(given: Given, rest: str) -> None:
    link = given.talk.link
    now = datetime.fromtimestamp(given.talk.clock.now(), link.zone)
    path = Path(rest) if rest else proposed_path(now)
    await given.tell(write_conversation(link.ready().recall, path, link.zone))


async def quiet(given: Given, rest: str) -> None:
    del rest
    news = given.talk.news
    news.quiet = not news.quiet
    given.say("Quiet: only replies, the inbox and trouble" if news.quiet else "Signals, calls and workers are said")


async def leave(given: Given, rest: str) -> None:
    del rest
    given.talk.over.set()
