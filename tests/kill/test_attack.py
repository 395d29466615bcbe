"""A short run of the kill tests; ``make kill`` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill.attack import NAMED, Attack


@pytest.mark.parametrize(
    ("seed", "boundaries"),
    [
        (1, [f"{name}:1" for name in NAMED]),
        (3, [f"commit_after:{n}" for n in (12, 24, 36, 48)]),
        (2, []),
        (4, ["attempt_committed:1", "mails_filed:1", "data_sent:1"]),
    ],
    ids=["named boundaries", "commits", "random moments and model faults", "Google"],
)
def test_nothing_is_lost_or_done_twice(tmp_path: Path, seed: int, boundaries: list[str]) -> None:
    attack = Attack(tmp_path, seed, len(boundaries) or 6, boundaries)
    attack.run()
    assert attack.problems == []
    assert attack.orphans == 0
    assert len(attack.given.said) + len(attack.given.mails) >= attack.kills
