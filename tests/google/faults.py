"""What can go wrong on the way, each armed by a test for the commands that a pattern names.

``drop`` closes the connection: ``before`` the server acts, ``in`` the middle of its answer, or ``after`` it acted and
before it answers. ``status`` is an error in place of the answer, ``before`` the act or ``after`` it. ``wait`` lets so
many seconds pass first. ``meanwhile`` is what happens just before the act: a mail vanishes, a token ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from tests.google.errors import Refused, too_fast, unauthenticated

When = Literal["before", "in", "after"]


class Dropped(Exception):
    """The connection ends here, with so much of the answer as was sent."""


@dataclass
class Fault:
    """``skip`` commands pass first, then ``times`` of them meet it."""

    command: str
    when: When = "before"
    drop: bool = False
    status: int | None = None
    retry_after: int = 1
    wait: float = 0.0
    meanwhile: Callable[[], object] | None = None
    skip: int = 0
    times: int = 1

    def meets(self, command: str) -> bool:
        if not fnmatchcase(command, self.command) or self.times <= 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True

    @property
    def error(self) -> Refused | None:
        if self.status is None:
            return None
        if self.status == 401:
            return unauthenticated()
        if self.status in (403, 429):
            return too_fast(self.status, self.retry_after)
        return Refused(self.status, "backendError", "Backend Error")
