"""A user's own files, checked by mypy as strictly as it can, against Pepper as it is installed."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import pepper_tui
from pepper_tui import api

ROOT = Path(pepper_tui.__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"

FILES = {
    "tool": (EXAMPLES / "list_tools.py").read_text(encoding="utf-8"),
    "feed": '''
from collections.abc import Mapping
from typing import Any

from pepper_tui.api import (
    Context, ContextFilter, ContextUpdate, OwnContext, Priority, ReservedNamespaceError, SearchHit, Signal, app,
    context_store, subscriber,
)

NAME = "disk"


async def run(ctx: OwnContext) -> None:
    before = await ctx.recall("last") or {}
    await ctx.emit({"id": 1, "used": ctx.settings.get("used", before.get("used")), "at": ctx.now()})
    await ctx.keep("last", {"used": 3})
    await ctx.sleep(300)


def process(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"content": str(raw["used"])}


def priority(signal: Signal) -> Priority:
    return Priority.HIGH if signal.metadata else Priority.LOW


@subscriber.on_context_update(namespaces=["signals.*"], tags=["x"])
async def look(update: ContextUpdate) -> None:
    hits: list[SearchHit] = await context_store.search(text=update.context.text)
    found: Context | None = await context_store.get("a", namespace="journal")
    rest = await context_store.query(ContextFilter(namespaces=["journal"], limit=3))
    try:
        await context_store.store({"n": len(hits) + len(rest), "old": found is None}, namespace="journal", ttl=60)
    except ReservedNamespaceError:
        return
    await app.emit("seen", {"n": 1})


@app.on_event("seen")
async def seen(data: dict[str, Any]) -> None:
    await context_store.delete("a", namespace="journal")


def determine_priority(event_data: dict[str, Any]) -> int | None:
    return 1 if "urgent" in str(event_data.get("content", "")) else None
''',
    "worker": '''
from pepper_tui.api import AgentState, StatefulWorker, StatelessWorker, ToolFailedError


class Reporter(StatefulWorker):
    prompt = "You write weekly reports."
    tools = ("search_notes",)

    async def execute_task(self, task_description: str) -> str:
        before: AgentState | None = await self.load_state()
        try:
            notes: str = await self.call_tool("search_notes", limit=50)
        except ToolFailedError:
            notes = ""
        report = await self.think(f"{task_description}{before.summary if before else ''}{notes}")
        await self.save_state(report)
        return report


class Once(StatelessWorker):
    async def execute_task(self, task_description: str) -> str:
        return await self.think(task_description)
''',
    "all names": "\n".join(f"from pepper_tui.api import {name} as {name}_" for name in api.__all__) + "\n",
}  # fmt: skip
WRONG = {
    "a tool that returns nothing known": ("tool", "-> ResolvedEffect:", "-> int:"),
    "a setting that there is not": ("feed", "ctx.settings", "ctx.wishes"),
    "a call that there is not": ("worker", "self.think", "self.thunk"),
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has this checkout installed, as ``pip install -e`` does it, and what it needs."""
    home = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    site = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (site / "pepper.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    return home / "bin" / "python"


def checked(python: Path, folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    file = folder / "own.py"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--python-executable", str(python)]
    cache = ["--cache-dir", str(python.parents[1] / "cache")]
    return subprocess.run([*command, *cache, file.name], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", FILES)
def test_a_users_file_has_types(tmp_path: Path, python: Path, kind: str) -> None:
    done = checked(python, tmp_path, FILES[kind])
    assert (done.stdout, done.returncode) == ("Success: no issues found in 1 source file\n", 0), done.stderr


@pytest.mark.parametrize("fault", WRONG)
def test_a_fault_in_it_is_found(tmp_path: Path, python: Path, fault: str) -> None:
    kind, right, wrong = WRONG[fault]
    assert right in FILES[kind]
    assert "own.py:" in checked(python, tmp_path, FILES[kind].replace(right, wrong, 1)).stdout
