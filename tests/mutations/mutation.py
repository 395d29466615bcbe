"""One mutation: which text of which file becomes what, and the tests that find it."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TABLE = HERE / "table"
SURVIVORS = HERE / "survivors.toml"


class NoLongerAppliesError(Exception):
    """The code has moved on: the row must follow it."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """``text`` stands in ``file`` exactly once; ``tests`` are paths, or ids of tests, as pytest takes them."""

    name: str
    file: str
    text: str
    becomes: str
    tests: tuple[str, ...]

    def applied(self, tree: Path) -> str:
        """The source of ``file`` with the fault in it. Raises ``NoLongerAppliesError``."""
        path = tree / self.file
        source = path.read_text(encoding="utf-8") if path.is_file() else ""
        found = source.count(self.text)
        if found != 1:
            raise NoLongerAppliesError(f"mutation {self.name!r} no longer applies: {found} times in {self.file}")
        mutated = source.replace(self.text, self.becomes)
        try:
            changed = ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(source))
        except SyntaxError as error:
            raise NoLongerAppliesError(f"mutation {self.name!r} makes no Python: {error}") from error
        if not changed:
            raise NoLongerAppliesError(f"mutation {self.name!r} changes nothing that runs")
        return mutated


def table(folder: Path = TABLE) -> list[Mutation]:
    """All mutations, by room."""
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.toml")):
        rows += tomllib.loads(path.read_text(encoding="utf-8"))["mutation"]
    return [Mutation(**{**row, "tests": tuple(sorted(row["tests"]))}) for row in rows]


def survivors(path: Path = SURVIVORS) -> dict[str, str]:
    """The reason of each mutation that no test finds, by its name."""
    return tomllib.loads(path.read_text(encoding="utf-8"))
