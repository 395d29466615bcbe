"""`pepper ask` and `pepper answer`: say something, or answer Pepper's question, and print the outcome."""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path
from typing import Annotated, Final

import typer

from pepper_tui.command.engine_answers import Json, answers_of
from pepper_tui.command.launch import (
    EXIT_APPROVALS,
    EXIT_CONFIG,
    EXIT_LOCKED,
    EXIT_TROUBLE,
    EXIT_UNMET,
    LaunchError,
)
from pepper_tui.command.output import HomeOption, at, do, leave, show
from pepper_tui.engine.answers.socket import EngineClosedError
from pepper_tui.text import clean, one_line

MAX_PIPED: Final = 500_000
"""Maximum bytes that `-` reads from standard input."""
_BESIDE: Final = 30.0  # seconds to wait for another `ask` that holds the home
_NOTHING: Final = LaunchError(EXIT_CONFIG, "there is nothing to say: the text is empty")


def _said(text: str) -> tuple[str, bool]:
    """Return ``text``, or the contents of standard input if it is ``-``; and whether it was."""
    if text != "-":
        return text, False
    said = sys.stdin.buffer.read(MAX_PIPED + 1)
    if len(said) > MAX_PIPED:
        leave(LaunchError(EXIT_CONFIG, f"standard input holds more than {MAX_PIPED:,} bytes"))
    return said.decode("utf-8", "replace"), True


def ask(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say; - reads it from standard input.")],
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the reply.", min=1)] = 300,
    home: HomeOption = None,
) -> None:
    """Say something and print the reply.

    Exits 0 where it was answered or done; 1 where no reply came (the model is unavailable, or it took too long);
    2 for a wrong use or config; 3 where another Pepper has the home; 4 where an approval or a question waits in the
    inbox; 5 where it was not understood or not done, as the reply says.
    """
    text, piped = _said(text)
    if not text.strip():
        leave(_NOTHING)
    do(_ask(at(home), text, timeout, piped))


async def _ask(home: Path, text: str, timeout: float, piped: bool) -> int:
    """Ask, and return the exit code.

    While another `ask` is starting, or was started in the same moment and holds the home, wait for it; if an engine
    closes before it has answered, go on with the next.
    """
    import asyncio

    began = time.monotonic()
    arguments: Json = {"text": text, "timeout": timeout, "piped": piped, "key": uuid.uuid4().hex}
    shown: list[str] = []
    while True:
        try:
            return await _ask_once(home, arguments, shown)
        except LaunchError as error:  # this time nothing was said
            if error.code != EXIT_LOCKED or time.monotonic() > began + min(timeout, _BESIDE):
                raise
        except EngineClosedError:
            if time.monotonic() > began + timeout:
                raise
        await asyncio.sleep(0.2)


async def _ask_once(home: Path, arguments: Json, shown: list[str]) -> int:
    """Print the replies except those already ``shown``."""
    before = frozenset(shown)
    last: Json = {}
    async with answers_of(home, "ask", arguments, opens=True) as items:
        async for item in items:
            if "reply" in item and item["reply"] not in before:
                show(clean(item["reply"]))
                shown.append(item["reply"])
            last = item
    return _left(last)


def _left(last: Json) -> int:
    """Print what waits for the user after a reply; return the exit code."""
    cards, asked = last.get("approvals", ()), last.get("questions", ())
    for card in cards:
        typer.echo(f"waits for your approval in the inbox: {one_line(card)}", err=True)
    for question in asked:
        typer.echo(f"asks you (pepper answer): {one_line(question, 800)}", err=True)
    if cards or asked:
        return EXIT_APPROVALS
    if last.get("trouble"):
        return EXIT_TROUBLE
    return EXIT_UNMET if last.get("unmet") else 0


def answer(
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="The number of an answer, or your own words; - reads them.")
    ] = "",
    question: Annotated[str, typer.Option(help="Which question, by its id, where several wait.")] = "",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for what comes of it.", min=1)] = 300,
    home: HomeOption = None,
) -> None:
    """Answer what Pepper asks, and print what it says then; without a text, what it asks. Exit codes as of `ask`."""
    text, piped = _said(text)
    if piped and not text.strip():
        leave(_NOTHING)
    do(_answer(at(home), {"text": text, "question": question, "timeout": timeout, "piped": piped}))


async def _answer(home: Path, arguments: Json) -> int:
    last: Json = {}
    async with answers_of(home, "answer", arguments, opens=True) as items:
        async for item in items:
            last = item
            if "question" in item:
                show(f"{one_line(item['question'], 800)}  [{one_line(item['id'], 80)}]")
            elif "words" in item or "reply" in item:
                show(clean(item.get("words") or item["reply"]))
    if not last:
        show("Pepper asks nothing.")
    return _left(last)
