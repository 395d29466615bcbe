"""`pepper status`: what waits for the user, what runs, and whether each part works."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pepper_tui.clock import ZONE_REMEDY, zone_trouble
from pepper_tui.command.engine_answers import answers_of
from pepper_tui.command.output import HomeOption, at, do, show, user_settings
from pepper_tui.engine.answers.socket import NoEngineError, request
from pepper_tui.model import part_name
from pepper_tui.text import one_line

WAITING: Final = (
    ("approve", "approvals"),
    ("inbox", "notifications"),
    ("unknown", "unknown"),
    ("running", "running"),
)
"""The status's titles, and the facts behind them."""
LISTED: Final = 10
"""Maximum entries listed per title; the others are counted."""


def status(home: HomeOption = None) -> None:
    """What waits for you, what runs, and whether each part works."""  # noqa: D401
    do(show_status(at(home)))


async def show_status(home: Path) -> int:
    running = True
    try:
        items = [item async for item in request(home, "status")]
    except NoEngineError:
        running = False
        async with answers_of(home, "status", {}, opens=True) as own:
            items = [item async for item in own]
    facts = items[0]
    show(f"home       {home}")
    zone = str(user_settings(home).get("zone") or "")
    if not running and (trouble := zone_trouble(zone)):  # if an engine runs, its part `zone` reports it
        show(f"zone       {one_line(trouble)} · {ZONE_REMEDY}")
    show("engine     " + ("runs" if running else "does not run (start it with `pepper`)"))
    show(f"model      {one_line(facts['model'])}")
    if facts.get("unread"):
        show(f"unread     {one_line(facts['unread'])}")
    for title, key in () if facts.get("unread") else WAITING:
        show(f"{title:<10} {len(facts[key])}")
        for words in facts[key][:LISTED]:
            show(f"           - {one_line(words)}")
        if len(facts[key]) > LISTED:
            show(f"           and {len(facts[key]) - LISTED} more")
        if key == "approvals" and (sends := len(facts.get("approved", ()))):
            goes = "goes" if sends == 1 else "go"
            when = "once the time to undo is over" if running else "after the next start"
            show(f"           {sends} approved send{'' if sends == 1 else 's'} {goes} out {when}")
    if not facts.get("unread"):
        show(f"dead       {facts['dead_letters']}" + ("  (pepper store dead)" if facts["dead_letters"] else ""))
    if running:  # without an engine nothing is working, and stored health is out of date
        for part in facts["health"]:
            remedy = f" · {one_line(part['remedy'])}" if part["remedy"] else ""
            show(f"{one_line(part_name(part['part']), 24):<24} {part['state']}  {one_line(part['detail'])}{remedy}")
    return 0
