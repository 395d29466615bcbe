"""`pepper log`: what happened, what was held back, and what was proposed with its outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pepper_tui.command.engine_answers import Json, answers_of
from pepper_tui.command.output import HomeOption, at, do, show, when
from pepper_tui.text import clean, one_line


def log(
    n: Annotated[int, typer.Option("-n", help="How many updates.", min=1)] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with those to come.")] = False,
    silence: Annotated[bool, typer.Option("--silence", help="What was held back, and why.")] = False,
    effects: Annotated[
        bool, typer.Option("--effects", help="Outside effects: proposed, decided, and what came of it.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """What happened, oldest first: time, namespace, id, state, words."""  # noqa: D401
    do(show_log(at(home), {"n": n, "follow": follow, "silence": silence, "effects": effects}))


async def show_log(home: Path, arguments: Json) -> int:
    shown = 0
    async with answers_of(home, "log", arguments, opens=not arguments["follow"]) as items:
        async for item in items:
            shown += 1
            if "words" in item and "at" not in item:
                show(clean(item["words"]))
                continue
            if "effect" in item:
                show(_effect(item))
                continue
            state = f" [{item['state']}]" if item["state"] else ""
            name = f"{item['namespace']}  {one_line(item['id'], 60)}"
            show(f"{when(item['at'], exact=True)}  {name}{state}  {one_line(item['words'])}")
    if not shown:
        show("Nothing was proposed yet." if arguments["effects"] else "Nothing has happened yet.")
    return 0


def _effect(item: Json) -> str:
    """Format one proposal: when, what, by which account; what the user decided and when; its outcome."""
    lines = [f"{when(item['proposed_at'])}  {one_line(item['effect'], 300)}"]
    by = f"by {one_line(item['account'])} · " if item["account"] else ""
    lines.append(f"    {by}digest {item['digest'][:16]}")
    whose = " by you" if item["by_user"] else ""  # a card may also expire or be withdrawn
    decided = f"{whose} at {when(item['decided_at'])}" if item["decided_at"] else ""
    lines.append(f"    {item['decision']}{decided}" + (f": {one_line(item['note'])}" if item["note"] else ""))
    if item["problem"]:
        lines.append(f"    asks again: {one_line(item['problem'])}")
    if item["outcome"]:
        ended = f" at {when(item['ended_at'])}" if item["ended_at"] else ""
        lines.append(f"    {item['outcome']}{ended}" + (f": {one_line(item['error'])}" if item["error"] else ""))
    return "\n".join(lines)
