"""A tool of an MCP server by its name: the offline model uses none unless it is told to."""

from __future__ import annotations

from typing import Any

import pytest

from pepper_tui.model import Effect, ToolSpec
from tests.llm.test_offline import calls, run, user

TIME = ToolSpec("time__convert", "", {"type": "object"}, Effect.READ)


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("use time__convert", {}),
        ("use time__convert zone=Asia/Tokyo", {"zone": "Asia/Tokyo"}),
        ("Please use time__convert zone = Asia/Tokyo, time=9:30, days=2, exact=true", None),
        ("call time__convert text=one, two and three, tool=x, words=y", None),
        ('use time__convert {"zone": "a, b=c", "days": [1, 2]}', {"zone": "a, b=c", "days": [1, 2]}),
    ],
)
async def test_it_is_called_with_the_arguments_as_they_were_typed(text: str, arguments: dict[str, Any] | None) -> None:
    expected = {
        2: {"zone": "Asia/Tokyo", "time": "9:30", "days": 2, "exact": True},
        3: {"text": "one, two and three", "tool": "x", "words": "y"},
    }
    found = calls(await run(user(text), tools=[TIME]))
    assert found == [("time__convert", arguments if arguments is not None else expected[2 if "zone" in text else 3])]


async def test_a_resource_is_read_by_its_name_too() -> None:
    tool = ToolSpec("read_resource", "", {"type": "object"}, Effect.READ)
    found = calls(await run(user("use read_resource server=own, uri=plan://monday?a=1"), tools=[tool]))
    assert found == [("read_resource", {"server": "own", "uri": "plan://monday?a=1"})]


async def test_it_says_so_where_there_is_no_such_tool() -> None:
    done = await run(user("use time__forget a=1"), tools=[TIME])
    assert calls(done) == []
    assert "the tool time__forget is not available" in done.text
