"""Every road on which text reaches a terminal, a prompt or a log, as the bytes that come out at its end."""

from __future__ import annotations

import base64
import contextlib
import io
import re
from collections.abc import Coroutine
from datetime import UTC
from typing import TYPE_CHECKING, Any

from pepper_tui.command.log import show_log
from pepper_tui.command.status import show_status
from pepper_tui.model import SHOWN as WATCHED
from pepper_tui.model import ContextFilter, ContextUpdate, Namespace, Signal
from pepper_tui.text import clean, one_line
from pepper_tui.tools.effects import proposals
from pepper_tui.ui.plain.news import News
from pepper_tui.ui.plain.numbers import Numbers
from pepper_tui.ui.screen.inbox.cards import closed, opened
from pepper_tui.ui.screen.ink import Ink, Pen
from pepper_tui.ui.screen.terminal.notices import Notices
from pepper_tui.ui.screen.terminal.terminal_out import clipboard
from pepper_tui.ui.shared import words
from pepper_tui.ui.shared.export import write_conversation

if TYPE_CHECKING:
    from tests.attack.scene import Scene

WIDTHS = (34, 100)


async def surfaces(scene: Scene) -> dict[str, str]:
    """What each road has to show after an attack, by its name."""
    engine, now = scene.engine, scene.clock.now()
    contexts = await engine.recall(ContextFilter(namespaces=WATCHED, limit=5000))
    board = await scene.board()
    items = board.inbox(now)
    found: dict[str, list[str]] = {"list": [], "card": []}
    for width in WIDTHS:
        pen = Pen(Ink.of({}), width, UTC, now)
        found["list"] += [closed(item, pen).plain for item in items]
        found["card"] += [line.plain for item in items for line in opened(item, pen)]
    copied = [line for item in items for line in words.item_lines(item, UTC)]
    copied += [line for message in board.conversation() for line in words.message_lines(message)]
    signals = Signal.readable(each for each in contexts if each.namespace.startswith(f"{Namespace.SIGNALS}."))
    copied += [words.signal_line(each) for each in signals]
    copied += [line for each in signals for line in words.fact_lines(each.metadata, UTC)]
    copied += [words.call_line(each) for each in board.calls.values()]
    copied += [words.run_line(each) for each in board.runs.values()]
    copied += [line for each in await proposals(engine.recall, 100) for line in words.proposal_lines(each, UTC)]
    found["copied"] = copied
    osc = clipboard("\n".join(copied)[:20_000])
    found["clipboard"] = [base64.b64decode(osc.removeprefix("\x1b]52;c;").removesuffix("\x07")).decode()]
    updates = [ContextUpdate(each.seq, each) for each in reversed(contexts)]
    found["plain"] = News(Numbers()).of(updates)
    found["notices"] = _notices(updates)
    plainly = {"n": 1000, "follow": False, "silence": False, "effects": False}
    found["log"] = [await printed(show_log(scene.home, plainly))]
    found["effects"] = [await printed(show_log(scene.home, {**plainly, "effects": True}))]
    found["silence"] = [await printed(show_log(scene.home, {**plainly, "silence": True}))]
    found["status"] = [await printed(show_status(scene.home))]
    refs = [item.ref for item in items[:3]] + [f"signals.{each.source}:{each.id}" for each in signals[:2]]
    found["why"] = [clean(line, 4000) for ref in refs for line in await engine.why(ref)]
    found["rules"] = [
        line for report in await engine.rules() for line in (words.rule_line(report), words.rule_counts(report))
    ]
    exported = scene.root / "conversation.md"
    exported.unlink(missing_ok=True)
    await write_conversation(engine.recall, exported, UTC)
    found["export"] = [exported.read_text()]
    logged = scene.home / "pepper.log"
    found["pepper.log"] = [logged.read_text()] if logged.exists() else []
    return {name: "\n".join(lines) for name, lines in found.items()} | scene.also_shown


async def printed(work: Coroutine[Any, Any, int]) -> str:
    """What a command prints, asked over the socket of the engine that runs."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        await work
    return out.getvalue()


def _notices(updates: list[ContextUpdate]) -> list[str]:
    """The words of each notice, in each of the ways in which a terminal is told."""
    told: list[str] = []
    for update in updates:
        for kind in ("osc9", "osc777", "osc99", "desktop"):
            notices = Notices(lambda: None, told.append, lambda title, said: told.append(one_line(said)), lambda: 0.0)
            notices.kind, notices.bell, notices.looked_at = kind, False, False
            notices.hear([update])
    return [_inside(each) for each in told]


def _inside(sequence: str) -> str:
    """What of a notice is not Pepper's own frame around it."""
    if found := re.fullmatch(r"\x1b\]9;(.*)\x07|\x1b\]777;notify;(.*)\x07", sequence):
        return found[1] or found[2]
    if found := re.fullmatch(
        r"\x1b\]99;i=pepper:d=0;Pepper\x1b\\\x1b\]99;i=pepper:d=1:p=body:e=1;(.*)\x1b\\", sequence
    ):
        return base64.b64decode(found[1]).decode()
    return sequence
