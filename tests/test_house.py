"""The house: no circle between files, few rooms, small files, functions and classes. Exceptions have a reason here."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pepper_tui"
ROOMS = 20
FILES_OF_A_ROOM = 15
LINES_OF_A_FILE = 450
LINES_OF_A_FUNCTION = 60
METHODS_OF_A_CLASS = 20


def modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imported(name: str) -> set[str]:
    """The modules of Pepper's that a module imports, also for its types alone or within a function."""
    found: set[str] = set()
    base = name.split(".") if MODULES[name].name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = base[: len(base) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                found.add(inner if inner in MODULES else module)
    return (found & MODULES.keys()) - {name}


def circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """What can be reached from itself: each set of modules that know one another (Tarjan, 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []

    def visit(name: str) -> Iterator[list[str]]:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for other in graph[name]:
            if other not in order:
                yield from visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], order[other])
        if lowest[name] == order[name]:
            at = stack.index(name)
            circle = stack[at:]
            del stack[at:]
            if len(circle) > 1:
                yield sorted(circle)

    for name in graph:
        if name not in order:
            yield from visit(name)


def test_no_two_files_know_one_another() -> None:
    assert list(circles({name: imported(name) for name in MODULES})) == []


def test_a_circle_would_be_found() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()})) == [["a", "b", "c"]]


def test_nothing_lies_loose_and_the_rooms_are_few() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py", "api.py"}
    assert len([path for path in PACKAGE.iterdir() if (path / "__init__.py").exists()]) <= ROOMS


def methods(node: ast.ClassDef) -> int:
    return sum(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in node.body)


def large() -> dict[str, int]:
    """What is larger than it should be: files by their lines, functions by theirs, classes by their methods."""
    found: Counter[str] = Counter()
    for name, path in MODULES.items():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LINES_OF_A_FILE:
            found[name] = lines
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LINES_OF_A_FUNCTION:
                    found[f"{name}.{node.name}()"] = length
            elif isinstance(node, ast.ClassDef) and methods(node) > METHODS_OF_A_CLASS:
                found[f"{name}.{node.name}"] = methods(node)
    for room in sorted({path.parent for path in MODULES.values()}):
        files = len(list(room.glob("*.py"))) - 1
        if files > FILES_OF_A_ROOM:
            found[f"{room.relative_to(ROOT).as_posix()}/"] = files
    return found


SIZES = tomllib.loads((Path(__file__).parent / "house_sizes.toml").read_text(encoding="utf-8"))
"""What is larger all the same: how large at most, and why. It may shrink, and goes when it has."""


def test_nothing_grows_beyond_its_measure() -> None:
    assert {what: size for what, size in large().items() if size > SIZES.get(what, {"most": 0})["most"]} == {}


def test_what_has_shrunk_is_no_longer_excused() -> None:
    there = large()
    assert [what for what, told in SIZES.items() if there.get(what, 0) < told["most"]] == []
    assert all(told["why"] for told in SIZES.values())
