"""What a model reads of a result: every part once, structured content beside a text that only sums it up."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import CallState, Json
from pepper_tui.store import ContextStore
from tests.connectors.mcp.bench import McpBench, living, unruly
from tests.connectors.mcp.unruly_tools import GIVE

FORECAST = {"dry": True, "temperature": 33, "wind": [1.5, None]}


@pytest.fixture
async def bench(tmp_path: Path, store: ContextStore, clock: ManualClock) -> AsyncIterator[McpBench]:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "tools.json").write_text(json.dumps([GIVE]))
    async with living(tmp_path, store, clock, {"own": unruly(folder)}) as opened:
        await opened.up("own")
        yield opened


def text(words: str) -> Json:
    return {"type": "text", "text": words}


@pytest.mark.parametrize(
    ("content", "structured", "told"),
    [
        ([text("Hot today.")], FORECAST, f"Hot today.\n[structured content]\n{json.dumps(FORECAST)}"),
        ([], FORECAST, json.dumps(FORECAST)),
        ([text(json.dumps(FORECAST))], FORECAST, json.dumps(FORECAST)),
        ([text(json.dumps(FORECAST, indent=2))], FORECAST, json.dumps(FORECAST, indent=2)),
        ([text("Hot."), text(json.dumps(FORECAST))], FORECAST, f"Hot.\n{json.dumps(FORECAST)}"),
        ([text("hello")], {"result": "hello"}, "hello"),
        ([text("5")], {"result": 5}, "5"),
        ([text('{"a": 1}'), text('{"a": 2}')], {"result": [{"a": 1}, {"a": 2}]}, '{"a": 1}\n{"a": 2}'),
        ([text("one"), text("two")], {"result": ["one", "two"]}, "one\ntwo"),
        ([text("one")], {"result": ["one", "two"]}, 'one\n[structured content]\n{"result": ["one", "two"]}'),
        ([text('{"day": 34}')], {"day": 33}, '{"day": 34}\n[structured content]\n{"day": 33}'),
        ([text("[" * 5000)], {"a": 1}, "[" * 5000 + '\n[structured content]\n{"a": 1}'),
        ([text("nothing more")], None, "nothing more"),
    ],
)  # fmt: skip
async def test_structured_content_is_told_where_no_text_says_it(
    bench: McpBench, content: list[Json], structured: Any, told: str
) -> None:
    """https://github.com/usememos/memos/issues/6226, https://github.com/block/goose/issues/10125"""
    result = {"content": content, "structuredContent": structured}
    found = await bench.run("own__give", result={key: each for key, each in result.items() if each is not None})
    assert (found.state, found.content, found.tainted) == (CallState.SUCCEEDED, told, True)


async def test_a_failure_tells_its_structured_content_too(bench: McpBench) -> None:
    result = {"content": [text("no such day")], "structuredContent": {"days": ["mon", "tue"]}, "isError": True}
    found = await bench.run("own__give", result=result)
    assert found.state is CallState.FAILED
    assert found.content == 'no such day\n[structured content]\n{"days": ["mon", "tue"]}'


async def test_much_of_it_is_cut_and_the_cut_is_said(bench: McpBench) -> None:
    rows = [f"row {number} {'x' * 40}" for number in range(10_000)]
    found = await bench.run("own__give", result={"content": [text("10000 rows")], "structuredContent": {"rows": rows}})
    assert found.content.startswith('10000 rows\n[structured content]\n{"rows": ["row 0 ')
    assert len(found.content) < 201_000
    assert "more characters were left out" in found.content


async def test_what_is_no_text_is_named_with_its_size(bench: McpBench) -> None:
    parts = [
        {"type": "image", "data": "AAAA", "mimeType": "image/png"},
        {"type": "resource_link", "name": "The plan", "uri": "plan://1"},
        {"type": "resource", "resource": {"uri": "plan://2", "text": "Lunch."}},
        {"type": "resource", "resource": {"uri": "plan://3", "blob": "AAAAAAAA", "mimeType": "application/zip"}},
        {"type": "resource", "resource": {"uri": "plan://4", "blob": "AAAA"}},
    ]
    assert (await bench.run("own__give", result={"content": parts})).content.split("\n") == [
        "[image: image/png, 3 bytes, not kept]",
        "[resource: The plan plan://1]",
        "[resource: plan://2]",
        "Lunch.",
        "[resource: plan://3, not text: application/zip, 6 bytes, not kept]",
        "[resource: plan://4, not text: of no stated kind, 3 bytes, not kept]",
    ]
