"""`pepper rules …`, with an engine that runs and without one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pepper_tui.command.cli import app
from pepper_tui.command.output import at, when
from pepper_tui.config import parse_config
from pepper_tui.engine.answers.served import ServedEngine
from pepper_tui.model import RuleState
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
    code, output = run(home, "pause", "invoice")
    assert (code, output) == (1, "there is no rule 'invoice'; did you mean 'invoices'?\n")
    assert "Paused the rule 'invoices'" in told(home, "pause", "Invoices")
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


def test_a_built_in_rule_says_what_it_comes_from(home: Path) -> None:
    code, output = run(home, "remove", "VIPs")
    assert code == 1
    assert "is built in: it holds for the addresses in vips of [user] in config.toml" in output
    code, output = run(home, "remove", "conflicts")
    assert "is built in: it tells of your calendar; pausing it works here" in output


def test_a_time_is_in_the_users_zone_to_the_minute(home: Path) -> None:
    (home / "config.toml").write_text('[user]\nzone = "Asia/Tokyo"\n')
    at(home)
    assert when(1795896134.0) == "2026-11-29 05:02"
    assert when(1795896134.0, exact=True) == "2026-11-29 05:02:14"
    (home / "config.toml").write_text("[user\n")
    assert when(1795896134.0)[:10] in ("2026-11-28", "2026-11-29")


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
