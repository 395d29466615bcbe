"""The offline model's words for free time, events, files, pages and the profile."""

from __future__ import annotations

from typing import Any

import pytest

from pepper_tui.engine.building.builtin_tools import builtin_tools
from pepper_tui.llm.offline.grammar import parse
from pepper_tui.model import ToolSpec
from tests.llm.test_offline import calls, result, run, user

SPECS: list[ToolSpec] = [each.spec for each in builtin_tools()]


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        ("Am I free tomorrow afternoon?", "find_free_time", {"start": "2026-11-22", "days": 1, "part": "afternoon"}),
        ("when am i free next week", "find_free_time", {"start": "2026-11-23", "days": 7, "part": ""}),
        ("do I have time tonight", "find_free_time", {"start": "today", "days": 1, "part": "evening"}),
        ("find 45 minutes with Ben friday", "find_free_time",
         {"start": "2026-11-27", "days": 1, "part": "", "people": ["Ben"], "minutes": 45}),
        ("when are ann and I free", "find_free_time", {"start": "today", "days": 7, "part": "", "people": ["ann"]}),
        ("any conflicts?", "find_conflicts", {}),
        ("join links", "agenda", {"start": "today", "days": 1, "links": True}),
        ("show me the meeting links for tomorrow", "agenda", {"start": "2026-11-22", "days": 1, "links": True}),
        ("add lunch with Ana friday 12:30", "add_event",
         {"title": "lunch with Ana", "start": "friday 12:30", "location": ""}),
        ("schedule a review on monday at 14:00 for 1.5 hours at Room 5", "add_event",
         {"title": "review", "start": "on monday at 14:00 for 1.5 hours", "location": "Room 5"}),
        ("add dentist tomorrow at 9am for 30 min", "add_event",
         {"title": "dentist", "start": "tomorrow at 9am for 30 min", "location": ""}),
        ("read https://a.example/Path?q=1", "fetch_page",
         {"address": "https://a.example/Path?q=1", "reason": "You asked for this page."}),
        ("fetch a.example/x", "fetch_page", {"address": "a.example/x", "reason": "You asked for this page."}),
        ("read file work/notes.md", "read_file", {"path": "work/notes.md"}),
        ("search my files for lease", "search_files", {"query": "lease"}),
        ("list files in work", "list_files", {"folder": "work"}),
        ("my profile", "read_profile", {}),
        ("Remember that I prefer mornings.", "update_profile", {"value": "I prefer mornings"}),
        ("forget note 1", "update_profile", {"field": "note 1", "value": ""}),
        ("profile history", "profile_history", {}),
        ("restore profile 3", "restore_profile", {"version": 3}),
    ],
)  # fmt: skip
async def test_what_it_calls(text: str, tool: str, arguments: dict[str, Any]) -> None:
    assert calls(await run(user(text), tools=SPECS)) == [(tool, arguments)]


@pytest.mark.parametrize(
    ("text", "words"), [("add milk", "Say it like this: add lunch"), ("remember to call Bob", "When? For example")]
)
async def test_what_it_asks_back(text: str, words: str) -> None:
    done = await run(user(text), tools=SPECS)
    assert not done.calls
    assert words in done.text


@pytest.mark.parametrize(
    ("text", "kind"),
    [("add a note that x", "note"), ("forget reminder tea", "cancel_reminder"), ("find lease", "find"),
     ("remind me to add lunch tomorrow 9am", "remind"), ("search my notes for x", "search_notes"),
     ("read mail from ann", "read")],
)  # fmt: skip
def test_what_it_understood_before(text: str, kind: str) -> None:
    assert parse(text).kind == kind


async def test_versions_are_told_as_a_person_would() -> None:
    told = "version 2 | 2026-11-21T20:57:29+01:00 | phone: 1 | 2\nversion 1 | 2026-11-20T09:00:00+01:00 | note 1: x"
    done = await run(result("profile_history", told), tools=SPECS)
    assert done.text.endswith("- Sat 21 Nov 20:57, version 2: phone: 1 | 2\n- Fri 20 Nov 09:00, version 1: note 1: x")


async def test_how_to_take_a_fact_back_is_told_in_words() -> None:
    told = "Noted in the profile as phone: 1. restore_profile(version=2) takes it back."
    done = await run(result("update_profile", told), tools=SPECS)
    assert done.text.endswith("Noted in the profile as phone: 1. Say “restore profile 2” to take it back.")
