"""A run over a small tree of its own: what was found, what survived, and what makes it fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutations import trial
from tests.mutations.mutation import Mutation
from tests.mutations.run import MOST_SURVIVORS, run, wrong
from tests.mutations.trial import Fate, Outcome

CODE = "def half(number):\n    if number < 0:\n        raise ValueError\n    return number // 2\n"
TESTS = "from half import half\n\ndef test_half():\n    assert half(4) == 2\n"
FOUND = Mutation("halves wrongly", "half.py", "number // 2", "number // 3", ("test_half.py",))
LIVES = Mutation("takes what is below zero", "half.py", "number < 0", "number < -9", ("test_half.py",))
GONE = replace(FOUND, name="of old code", text="number // 7")
BROKEN = replace(FOUND, name="can't be collected", text="def half", becomes="def quarter")
HANGS = replace(FOUND, name="hangs", text="    return number // 2", becomes="    while True:\n        pass")

KILLED, SURVIVED = Outcome(Fate.KILLED, "t"), Outcome(Fate.SURVIVED)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # each trial would load all plugins, of which its tests need none, and its command the one that knows its seed
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "_hypothesis_pytestplugin")
    (tmp_path / "half.py").write_text(CODE)
    (tmp_path / "test_half.py").write_text(TESTS)
    return tmp_path


def files(tree: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in tree.iterdir() if path.is_file()}


def test_each_has_its_fate_and_the_tree_stays_as_it_was(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, told = files(tree), list[str]()
    assert run(tree, [FOUND, LIVES], {LIVES.name: "nobody asks for less than zero"}, tell=told.append) == 0
    assert told[-1] == "mutations=2 killed=1 survived=1 listed=1"
    fates = {line.partition(":")[0]: line for line in told}
    assert FOUND.name in fates["killed"]
    assert fates["killed"].endswith("by test_half.py::test_half")
    assert LIVES.name in fates["survived"]
    assert files(tree) == before
    # what is no proof fails the run; what hangs is ended, and counts as found
    monkeypatch.setattr(trial, "_GRACE", 2.0)
    monkeypatch.setattr(trial, "_FACTOR", 0.0)
    assert run(tree, [HANGS], {}, tell=told.append) == 0
    assert told[-2].startswith("timed out: hangs")
    assert told[-1] == "mutations=1 killed=1 survived=0 listed=0"


def test_what_proves_nothing_fails_the_run(tree: Path) -> None:
    told = list[str]()
    assert run(tree, [GONE, BROKEN], {}, tell=told.append) == 1
    assert "mutation 'of old code' no longer applies: 0 times in half.py" in "\n".join(told)
    assert any(line.startswith("does not run: can't be collected") for line in told)
    assert told[-1] == "mutations=2 killed=0 survived=0 listed=0"


@pytest.mark.parametrize(
    ("tests", "words"), [(TESTS.replace("== 2", "== 3"), "killed"), ("", "does not run")], ids=["failing", "none"]
)
def test_tests_that_prove_nothing_of_the_code_as_it_is_count_for_nothing(tree: Path, tests: str, words: str) -> None:
    (tree / "test_half.py").write_text(tests)
    (tree / "test_right.py").write_text(TESTS)
    told = list[str]()
    rest = replace(FOUND, name="the rest is tried all the same", tests=("test_right.py",))
    assert run(tree, [FOUND, rest], {}, tell=told.append) == 1
    assert any(line.startswith(f"without a mutation, test_half.py: {words}") for line in told)
    assert f"does not run: {FOUND.name} (half.py, 0 s) by its tests fail without it".replace(" by", ":") in told
    assert told[-1] == "mutations=2 killed=1 survived=0 listed=0"


MANY = {f"m{number}": "nobody can tell the difference" for number in range(MOST_SURVIVORS + 1)}


@pytest.mark.parametrize(
    ("outcomes", "listed", "words"),
    [
        ({"a": KILLED, "b": SURVIVED}, {"b": "why"}, None),
        ({"a": Outcome(Fate.TIMED_OUT)}, {}, None),
        (dict.fromkeys([*MANY][1:], SURVIVED), dict([*MANY.items()][1:]), None),
        ({"a": SURVIVED}, {}, "'a' survived: no test finds it"),
        ({"a": KILLED}, {"a": "why"}, "strike it off"),
        ({"a": Outcome(Fate.TIMED_OUT)}, {"a": "why"}, "strike it off"),
        ({"a": KILLED}, {"b": "why"}, "there is no such mutation"),
        ({"a": Outcome(Fate.DOES_NOT_APPLY)}, {}, "does not apply"),
        ({"a": Outcome(Fate.DOES_NOT_RUN)}, {}, "does not run"),
        ({"a": Outcome(Fate.DOES_NOT_RUN)}, {"a": "why"}, "does not run"),
        (dict.fromkeys(MANY, SURVIVED), MANY, f"at most {MOST_SURVIVORS} may be"),
    ],
)
def test_what_must_hold_of_a_run(outcomes: dict[str, Outcome], listed: dict[str, str], words: str | None) -> None:
    told = wrong(outcomes, listed)
    assert told == [] if words is None else [line for line in told if words in line] != []
