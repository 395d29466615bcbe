"""The real program in a real terminal, killed with SIGKILL at each boundary of one mail's way, and started again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.living.world import World

BOUNDARIES = ["step_before_commit", "approval_open", "attempt_committed", "data_sent"]
"""``tests/kill`` goes through all of them without a screen."""


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_nothing_is_lost_or_done_twice(tmp_path: Path, boundary: str) -> None:
    with World(tmp_path) as world:
        with world.screen(kill_at=boundary) as screen:
            screen.wait_for(world.watching)
            world.deliver(subject="Lunch?")
            if boundary in {"attempt_committed", "data_sent"}:
                screen.wait_for("Gladly, on Friday.")
                screen.until_dead(lambda: world.approve(screen))
            status = screen.wait_dead()
            assert os.WIFSIGNALED(status)
            assert os.WTERMSIG(status) == signal.SIGKILL
        with world.screen() as screen:
            if boundary in {"attempt_committed", "data_sent"}:
                # Whether it went out is not known: shown, with a choice, and never repeated.
                screen.wait_for("unknown")
                assert [call["state"] for call in world.facts("tool.call")] == ["unknown"]
            else:
                screen.wait_for("Gladly, on Friday.")
                screen.wait_for(lambda: world.approve(screen))
                screen.wait_for(lambda: [call["state"] for call in world.facts("tool.call")] == ["succeeded"])
            screen.type("still there?\r")
            screen.wait_for("pong still there?")
            world.deliver(text="All good here.", subject="Second")
            screen.wait_for(lambda: len(world.facts("signals.mail")) == 2)
            screen.press("ctrl+q")
            screen.wait_dead()
        assert len(world.smtp.taken) == {"attempt_committed": 0}.get(boundary, 1)
        assert len(world.facts("approval")) == 1
        assert len(world.facts("assistant.message")) == 1
        assert len({signal_["id"] for signal_ in world.facts("signals.mail")}) == 2
