"""The commands of rules, and the one that cancels a call or a worker's run."""

from __future__ import annotations

from pepper_tui.ui.plain.commands.given import Given
from pepper_tui.ui.shared import words


async def rules(given: Given, rest: str) -> None:
    found = await given.engine.rules()
    said = [
        (f"rule:{r.rule.get('id', '')}", f"{words.rule_line(r).rstrip('.')}. {words.rule_counts(r)}") for r in found
    ]
    given.say_rows("Rules", said, rest)


async def pause(given: Given, rest: str) -> None:
    await given.tell(given.engine.pause_rule(_rule(given, rest)))


async def resume(given: Given, rest: str) -> None:
    await given.tell(given.engine.resume_rule(_rule(given, rest)))


async def remove(given: Given, rest: str) -> None:
    await given.tell(given.engine.remove_rule(_rule(given, rest)))


async def cancel(given: Given, rest: str) -> None:
    kind, _, key = given.talk.numbers.ref(rest).partition(":")
    if kind not in ("call", "run"):
        raise ValueError(f"{rest} is no call and no worker: nothing was done")
    run = given.talk.board.runs.get(key)
    await given.tell(given.engine.cancel_call(run.call if kind == "run" and run else key))


def _rule(given: Given, number: str) -> str:
    kind, _, key = given.talk.numbers.ref(number).partition(":")
    if kind != "rule":
        raise ValueError(f"{number} is no rule: nothing was done. /rules says their numbers")
    return key
