"""One engine a home: what else is started on it speaks to that engine, or leaves with words and a code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.living.world import WAIT, World, unanswered
from tests.llm.server import Reply
from tests.terminal import Terminal


def sending(log: str) -> Reply:
    """Proposes a mail where the user says so, answers all else."""
    said = unanswered(log)
    if "send" in said:
        arguments = {"to": "alice@example.com", "subject": "Hi", "body": "As asked."}
        return {"text": "It waits for your yes.", "calls": [{"name": "send_mail", "arguments": arguments}]}
    return {"text": f"pong {said}"} if said else WAIT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, sending) as world:
        yield world


def test_a_second_one_is_told_so_and_questions_reach_the_first(world: World) -> None:
    with world.screen() as screen:
        screen.wait_for(world.watching)
        with Terminal(world.screen_command()) as second:
            second.until_dead(lambda: None)
            assert second.wait_dead() >> 8 == 3
            assert str(world.home) in second.text.replace("\n", "")
        headless = world.command("run", "--headless")
        assert headless.returncode == 3
        assert "Traceback" not in headless.stderr
        asked = world.command("ask", "are you there?")
        assert (asked.returncode, asked.stdout.strip()) == (0, "pong are you there?")
        screen.wait_for("pong are you there?")
        status = world.command("status")
        assert status.returncode == 0
        assert "engine     runs" in status.stdout
        log = world.command("log", "-n", "50")
        assert log.returncode == 0
        assert "pong are you there?" in log.stdout
        stats = world.command("store", "stats")
        assert stats.returncode == 0
        assert "namespaces: user.message: 1" in stats.stdout
        assert world.command("config", "check").returncode == 0
        screen.type("and you?\r")
        screen.wait_for("pong and you?")
        screen.press("ctrl+q")
        assert screen.wait_dead() == 0


def test_without_an_engine_ask_opens_one_and_leaves_its_cards(world: World) -> None:
    asked = world.command("ask", "hello")
    assert (asked.returncode, asked.stdout.strip()) == (0, "pong hello")
    asked = world.command("ask", "send it")
    assert (asked.returncode, asked.stdout.strip()) == (4, "It waits for your yes.")
    assert "alice@example.com" in asked.stderr
    assert [card["state"] for card in world.facts("approval")] == ["pending"]
    status = world.command("status")
    assert status.returncode == 0
    assert "does not run" in status.stdout
    assert "approve    1" in status.stdout
    assert "send_mail" in world.command("log").stdout
    stats = world.command("store", "stats")
    assert stats.returncode == 0
    assert stats.stdout
    assert world.command("store", "dead").returncode == 0
    assert world.smtp.taken == []


def test_a_config_that_is_wrong_is_named_by_file_line_and_key(world: World) -> None:
    path = world.home / "config.toml"
    path.write_text(path.read_text() + "\n[ui]\ntheem = 1\n")
    checked = world.command("config", "check")
    assert checked.returncode == 2
    assert f"{path}:{len(path.read_text().splitlines())}: ui.theem" in checked.stderr
    assert world.command("ask", "hello").returncode == 2
