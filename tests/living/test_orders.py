"""What the user ordered, in the real program and its defaults: a burst, many follow-ups, a brief, cards cleared.

Once without a model, once with a model that only answers ``wait``: the outcome is the same.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.living.world import WAIT, Terminal, World

FOLLOWED = 120
BURST = 30
RULES = """
[mail.templates]
thanks = "Hi {{first_name}}, thank you. {{me}}"

[calendar]
paths = ["{calendar}"]
starts_soon = 0

[[rule]]
name = "offers"
words = ["offer"]
follow_up = 48

[[rule]]
name = "quotes"
words = ["quote"]
notify = true
draft = "thanks"
remind = "tomorrow 9am"

[[rule]]
name = "reviews"
words = ["review"]
brief = 1
"""


@pytest.fixture(params=["no model", "a model that only waits"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    calendar = tmp_path / "own.ics"
    calendar.write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")
    with World(tmp_path, lambda _: WAIT, RULES.format(calendar=calendar)) as world:
        config = (world.home / "config.toml").read_text().replace("[tools]\nundo_seconds = 0.0\n", "")
        if request.param == "no model":
            config = config.replace(f'base_url = "{world.mind.url}"\n', "")
        (world.home / "config.toml").write_text(config)
        yield world


def acts(world: World) -> Counter[tuple[str, str, str]]:
    return Counter((act["rule"], act["act"], act["state"]) for act in world.facts("rule.act"))


def event_soon(calendar: Path, seconds: float) -> None:
    at = datetime.fromtimestamp(time.time() + seconds, UTC)
    calendar.write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:e1\r\nSUMMARY:Roadmap review\r\n"
        f"DTSTART:{at:%Y%m%dT%H%M%SZ}\r\nDURATION:PT30M\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def clear_cards(world: World, screen: Terminal, wanted: int) -> None:
    """Reject card after card by key, until ``wanted`` were there."""
    deadline = time.monotonic() + 240
    while len(world.facts("approval")) < wanted or any(card["state"] == "pending" for card in world.facts("approval")):
        assert time.monotonic() < deadline, f"{len(world.facts('approval'))} cards so far"
        screen.press("f3")
        screen.pump(0.15)


def test_every_act_is_done_once_or_waits_for_room_and_all_in_the_end(world: World, tmp_path: Path) -> None:
    with world.screen() as screen:
        screen.wait_for(world.watching, 30)
        for number in range(FOLLOWED):
            world.deliver("What of it?", sender=f"F{number} <f{number}@example.com>", subject=f"An offer {number}")
        screen.wait_for(lambda: acts(world)["offers", "follow_up", "done"] == FOLLOWED, 60)
        event_soon(tmp_path / "own.ics", 62)
        began = time.monotonic()
        for number in range(BURST):
            world.deliver("Please.", sender=f"Dana {number} <d{number}@example.com>", subject=f"A quote {number}")
        assert time.monotonic() - began < 1.0
        screen.wait_for(
            lambda: sum(count for (rule, *_), count in acts(world).items() if rule == "quotes") == 3 * BURST, 30
        )
        screen.wait_for(lambda: acts(world)["quotes", "draft", "pending"] == 0, 30)
        done = acts(world)
        assert done["quotes", "notify", "done"] == done["quotes", "remind", "done"] == BURST
        assert done["quotes", "draft", "done"] + done["quotes", "draft", "deferred"] == BURST
        assert done["quotes", "draft", "deferred"] > 0
        assert len([one for one in world.facts("follow_up") if one["state"] == "open"]) == FOLLOWED
        screen.wait_for(lambda: acts(world)["reviews", "brief", "done"] == 1, 30)
        [brief] = [one for one in world.facts("notification") if one["kind"] == "brief"]
        [soon] = [one for one in world.facts("raw.calendar") if one.get("minutes") == 1]
        assert brief["created_at"] - (soon["start"] - 60) < 20.0
        clear_cards(world, screen, BURST)
        assert acts(world)["quotes", "draft", "done"] == BURST
        drafted = Counter(card["effect"]["payload"]["recipients"][0] for card in world.facts("approval"))
        assert len(drafted) == BURST
        assert set(drafted.values()) == {1}
        assert world.smtp.taken == []
        screen.press("ctrl+q")
        assert screen.wait_dead() == 0
