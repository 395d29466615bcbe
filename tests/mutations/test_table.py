"""Each mutation still fits the code: checked here at no cost, so that ``make mutate`` never finds it out at night."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.mutations.mutation import Mutation, NoLongerAppliesError, survivors, table
from tests.mutations.run import MOST_SURVIVORS

ROOT = Path(__file__).parents[2]
LEAST = 60


@pytest.mark.parametrize("mutation", table(), ids=lambda mutation: mutation.name)
def test_it_applies_and_its_tests_are_there(mutation: Mutation) -> None:
    mutation.applied(ROOT)
    assert mutation.tests
    for test in mutation.tests:
        path, _, name = test.partition("::")
        assert (ROOT / path).exists(), test
        assert not name or f"def {name.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8"), test


def test_there_are_many_and_no_name_is_taken_twice() -> None:
    names = Counter(mutation.name for mutation in table())
    assert len(names) >= LEAST
    assert [name for name, count in names.items() if count > 1] == []
    edits = Counter((mutation.file, mutation.text, mutation.becomes) for mutation in table())
    assert [edit for edit, count in edits.items() if count > 1] == []


def test_survivors_are_few_and_each_has_its_reason() -> None:
    listed = survivors()
    assert len(listed) <= MOST_SURVIVORS
    assert listed.keys() <= {mutation.name for mutation in table()}
    assert all(len(reason.split()) >= 5 for reason in listed.values())


@pytest.mark.parametrize(
    ("text", "becomes", "words"),
    [
        ("return 3", "return 4", "0 times"),
        ("return", "pass", "2 times"),
        ("return 1", "return (", "no Python"),
        ("return 1", "return 1  # one", "changes nothing"),
        ("def a", "\tdef a", "no Python"),
    ],
)
def test_one_that_does_not_fit_says_which_and_why(tmp_path: Path, text: str, becomes: str, words: str) -> None:
    (tmp_path / "m.py").write_text("def a():\n    return 1\n\ndef b():\n    return 2\n")
    with pytest.raises(NoLongerAppliesError, match=f"mutation 'the one' .*{words}"):
        Mutation("the one", "m.py", text, becomes, ("t",)).applied(tmp_path)


def test_one_whose_file_has_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoLongerAppliesError, match="no longer applies: 0 times"):
        Mutation("the one", "gone.py", "x", "y", ("t",)).applied(tmp_path)
