"""``python -m tests.lock`` writes ``constraints.txt``: what `make test` and `make demo` install, to the version.

It pins what the dependencies of ``pyproject.toml``, extras included, need of what is installed here, and nothing that
merely lies about. What another Python or platform needs besides, pip chooses within the bounds there.
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
LOCK: Final = ROOT / "constraints.txt"
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OLDEST: Final = tuple(map(int, PROJECT["requires-python"].removeprefix(">=").split(".")))
"""The Python to lock with: what it gets, later ones get too, but not the other way round."""
HEAD: Final = "# What `make test` and `make demo` install. Written by `make lock`; pyproject.toml has the bounds.\n"


def declared() -> list[Requirement]:
    """What ``pyproject.toml`` asks for, with all extras."""
    extras = PROJECT["optional-dependencies"].values()
    found = [Requirement(line) for lines in (PROJECT["dependencies"], *extras) for line in lines]
    return [each for each in found if canonicalize_name(each.name) != PROJECT["name"]]


def needed() -> dict[str, str]:
    """The versions installed here of all that is declared, and of all that it needs."""
    pinned: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(each, "") for each in declared()]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        installed = distribution(name)
        pinned[name] = installed.version
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                waiting += [(Requirement(line), wanted) for line in installed.requires or []]
    return pinned


def text() -> str:
    """The lock of this environment."""
    return HEAD + "".join(f"{name}=={version}\n" for name, version in sorted(needed().items()))


if __name__ == "__main__":
    if sys.version_info[:2] != OLDEST:
        oldest = ".".join(map(str, OLDEST))
        sys.exit(f"the lock is written with the oldest Python: make clean; make lock PYTHON=python{oldest}")
    try:
        LOCK.write_text(text(), encoding="utf-8")
    except PackageNotFoundError as error:
        sys.exit(f"{error}: install everything first, as `make lock` does")
