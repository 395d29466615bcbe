"""Arguments that several tools take alike: one ``TypedDict`` says their names, types and words."""

from __future__ import annotations

from typing import TypedDict, Unpack

import pytest

from pepper_tui.model import Effect, Json
from pepper_tui.tools.errors import ArgumentError
from pepper_tui.tools.tool import ToolContext, tool


class Where(TypedDict, total=False):
    """
    Args:
        folder: only of this folder
        depth: how deep
    """

    folder: str | None
    depth: int | None


@tool(effect=Effect.READ)
async def look(ctx: ToolContext, words: str, **where: Unpack[Where]) -> str:
    """Look for words.

    Args:
        words: what to look for
        depth: at most so deep
    """
    return f"{words} {where}"


def test_they_are_part_of_the_schema_and_its_own_words_win() -> None:
    properties = look.parameters["properties"]
    assert {name: each["description"] for name, each in properties.items()} == {
        "words": "what to look for",
        "folder": "only of this folder",
        "depth": "at most so deep",
    }
    assert list(properties) == ["words", "folder", "depth"]
    assert look.parameters["required"] == ["words"]
    assert {each["type"] for each in properties["depth"]["anyOf"]} == {"integer", "null"}


def test_they_are_checked_as_any_other() -> None:
    assert look.validate({"words": "w", "depth": 2}) == {"words": "w", "folder": None, "depth": 2}
    unread: list[Json] = [{"depth": "deep"}, {"where": {}}, {"folders": "x"}]
    for wrong in unread:
        with pytest.raises(ArgumentError):
            look.validate({"words": "w", **wrong})
