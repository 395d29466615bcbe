"""What an engine does while the screen is there already, and keys come."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pepper_tui.clock import ManualClock
from pepper_tui.config import parse_config
from pepper_tui.engine.answers.served import ServedEngine
from pepper_tui.tools.tool import schema_of
from tests.engine.desk import CONFIG


async def test_no_tool_is_described_on_the_event_loop(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schemas of all took 50 ms there, and five times that on a busy machine, in which no key was drawn."""
    real, threads = BaseModel.model_json_schema.__func__, set[int]()  # type: ignore[attr-defined]

    def described(model: type[BaseModel], *arguments: Any, **more: Any) -> Any:
        threads.add(threading.get_ident())
        return real(model, *arguments, **more)

    monkeypatch.setattr(BaseModel, "model_json_schema", classmethod(described))
    schema_of.cache_clear()  # they are made once a process
    (tmp_path / "mail").mkdir()
    engine = await ServedEngine.open(tmp_path, parse_config(CONFIG, tmp_path / "config.toml"), clock)
    try:
        await engine.start(feeds=False)
    finally:
        await engine.close()
    assert threads
    assert threading.get_ident() not in threads
