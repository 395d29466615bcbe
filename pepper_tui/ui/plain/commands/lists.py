"""The commands that list: what waits, comes in, runs, was done; and the messages that contain some words."""

from __future__ import annotations

from typing import Final

from pepper_tui.text import clean, one_line
from pepper_tui.tools.effects import proposals
from pepper_tui.ui.plain.commands.given import LISTED, Given
from pepper_tui.ui.shared import words

SEARCHED: Final = 10
"""Maximum messages printed by a search."""


async def inbox(given: Given, rest: str) -> None:
    zone, items = given.talk.link.zone, given.items()
    given.talk.numbers.told.update({item.key: {item.ref, *item.notice_refs} for item in items})
    given.say_rows("Inbox", [(item.key, words.item_line(item, zone)) for item in items], rest)
    if deferred := given.talk.board.deferred():
        given.say(f"And {deferred}")


async def signals(given: Given, rest: str) -> None:
    found = given.talk.board.newest_signals()
    given.say_rows("Signals, the newest first", [(f"signal:{s.id}", words.signal_line(s)) for s in found], rest)


async def calls(given: Given, rest: str) -> None:
    board, zone = given.talk.board, given.talk.link.zone
    found = board.listed_calls(given.talk.clock.now())
    given.say_rows("Calls", [(f"call:{c.id}", words.call_line(c)) for c in found], rest)
    for reason, calls in board.deferred_calls().items():
        given.say(f"{len(calls)} more calls wait: {one_line(reason)}")
    awaited = board.awaited()
    for follow_up in awaited[:LISTED]:
        given.say(words.awaited_line(follow_up, zone))
    if len(awaited) > LISTED:
        given.say(f"And {len(awaited) - LISTED} more answers are waited for")


async def workers(given: Given, rest: str) -> None:
    found = given.talk.board.listed_runs()
    given.say_rows("Workers", [(f"run:{r.id}", words.run_line(r)) for r in found], rest)


async def effects(given: Given, rest: str) -> None:
    engine = given.engine
    found = await proposals(engine.recall, 500)
    rows = [(f"approval:{p.approval.id}", ". ".join(words.proposal_lines(p, engine.zone))) for p in found]
    given.say_rows("Effects, the newest first", rows, rest)


async def find(given: Given, rest: str) -> None:
    wanted = rest.casefold().split()
    if not wanted:
        raise ValueError("/find wants words")
    messages = given.talk.board.conversation()
    found = [m for m in messages if all(word in clean(m.text).casefold() for word in wanted)]
    given.say(f"{len(found) or 'No'} message{'' if len(found) == 1 else 's'}, the newest last")
    for message in found[-SEARCHED:]:
        given.say(f"{words.moment(message.at, given.talk.link.zone)}", *words.message_lines(message))
