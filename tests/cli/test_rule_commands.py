"""`pepper rules …`, with an engine that runs and without one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pepper_tui.cli import app
from pepper_tui.config import parse_config
from pepper_tui.model import RuleState
from pepper_tui.served import ServedEngine
from tests.waiting import until

CONFIG = '[user]\nzone = "UTC"\n[[rule]]\nname = "invoices"\nwords = ["invoice"]\nnotify = true\n'


def run(home: Path, *words: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["--home", str(home), "rules", *words])
    return found.exit_code, found.output


def told(home: Path, *words: str) -> str:
    code, output = run(home, *words)
    assert code == 0, output
    return output


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


def test_without_an_engine(home: Path) -> None:
    shown = told(home)
    assert shown == told(home, "list")
    assert "invoices · config.toml\n    When anything says 'invoice', tell me.\n    matches 0 · cost 0.00" in shown
    assert "Paused the rule 'invoices'" in told(home, "pause", "invoice")
    assert "invoices (paused)" in told(home)
    assert "is paused already" in told(home, "pause", "invoices")
    assert "holds again" in told(home, "resume", "invoices")
    assert 'words = ["invoice"]' in told(home, "show", "invoices")
    code, output = run(home, "remove", "invoices")
    assert code == 1
    assert "stands in config.toml" in output
    code, output = run(home, "pause", "nope")
    assert code == 1
    assert "there is no rule 'nope'; there are: invoices" in output


async def test_with_an_engine_that_runs(home: Path) -> None:
    engine = await ServedEngine.open(home, parse_config(CONFIG, home / "config.toml"))
    await engine.start(feeds=False)
    try:
        rules, book = engine.user_rules, engine.user_rules.book
        made = {"name": "quotes", "source": "mail", "words": ["quote"], "notify": True}
        await rules.changes.make(rules.changes.drafted(made))
        await until(lambda: book.rule("quotes") is not None)
        await rules.changes.change(rules.changes.redrafted(book.rule("quotes"), {"words": ["offer"]}))
        await until(lambda: book.rule("quotes").version == "2")
        assert "quotes · version 2" in await asyncio.to_thread(told, home)
        assert "Removed" in await asyncio.to_thread(told, home, "remove", "quotes")
        await until(lambda: book.rule("quotes") is None)
        listed = await asyncio.to_thread(told, home, "versions", "quotes")
        assert listed.splitlines() == [
            "  2  When mail says 'offer', tell me.  (removed)",
            "  1  When mail says 'quote', tell me.",
        ]
        assert "is version 3 now" in await asyncio.to_thread(told, home, "restore", "quotes", "1")
        await until(lambda: book.rule("quotes") is not None)
        assert book.rule("quotes").words == ["quote"]
        code, output = await asyncio.to_thread(run, home, "restore", "quotes", "9")
        assert (code, "there is no version 9" in output) == (1, True)
        await asyncio.to_thread(told, home, "pause", "quotes")
        await until(lambda: book.rule("quotes").state is RuleState.PAUSED)
    finally:
        await engine.close()


def test_without_a_config_it_says_so(tmp_path: Path) -> None:
    code, output = run(tmp_path)
    assert code == 2
    assert "Pepper has no config yet" in output
