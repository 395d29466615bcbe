"""How a sign-in speaks with the user of a terminal."""

from __future__ import annotations

import asyncio
import sys
import webbrowser

import typer

from pepper_tui.command.output import show


class TerminalTalk:
    """How a sign-in speaks with the user of a terminal."""

    async def say(self, words: str, /) -> None:
        show(words)

    async def open(self, address: str, /) -> None:
        show(address)
        await asyncio.to_thread(webbrowser.open, address)

    async def paste(self, words: str, /) -> str:
        if not sys.stdin.isatty():
            await asyncio.Event().wait()
        said: str = await asyncio.to_thread(typer.prompt, words)
        return said
