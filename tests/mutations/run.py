"""A run: the tests once without a mutation, then each mutation alone, some side by side; and what must hold of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutations.mutation import Mutation
from tests.mutations.trial import Fate, Outcome, Place

MOST_SURVIVORS = 6


def run(
    tree: Path,
    mutations: Sequence[Mutation],
    listed: Mapping[str, str],
    *,
    jobs: int = 2,
    tell: Callable[[str], None] = lambda line: print(line, flush=True),
) -> int:
    """Try each of ``mutations`` on copies of ``tree``; 0 if exactly those in ``listed`` survived, and few are."""
    with tempfile.TemporaryDirectory(prefix="pepper-mut-") as folder, ThreadPoolExecutor(jobs) as pool:
        free: SimpleQueue[Place] = SimpleQueue()
        for number in range(jobs):
            free.put(Place(tree, Path(folder) / str(number)))

        def clean(tests: Sequence[str]) -> Outcome:
            place = free.get()
            try:
                first = place.clean(tests)
                if first.fate is Fate.SURVIVED:
                    return first
                tell(f"without a mutation, {' '.join(tests)}: {first.fate} {first.by}; once more")
                return place.clean(tests)
            finally:
                free.put(place)

        sets = list(dict.fromkeys(mutation.tests for mutation in mutations))
        clean_runs = dict(zip(sets, pool.map(clean, sets), strict=True))
        broken = {tests: one for tests, one in clean_runs.items() if one.fate is not Fate.SURVIVED}
        for tests, one in broken.items():
            tell(f"without a mutation, {' '.join(tests)}: {one.fate} {one.by}")
        tell(f"{len(sets) - len(broken)} of {len(sets)} sets of tests pass without a mutation")

        def mutated(mutation: Mutation) -> Outcome:
            if mutation.tests in broken:
                return Outcome(Fate.DOES_NOT_RUN, "its tests fail without it")
            place = free.get()
            try:
                return place.mutated(mutation, clean_runs[mutation.tests].seconds)
            finally:
                free.put(place)

        outcomes: dict[str, Outcome] = {}
        for mutation, outcome in zip(mutations, pool.map(mutated, mutations), strict=True):
            outcomes[mutation.name] = outcome
            by = f" by {outcome.by}" if outcome.fate is Fate.KILLED else f": {outcome.by}" if outcome.by else ""
            tell(f"{outcome.fate}: {mutation.name} ({mutation.file}, {outcome.seconds:.0f} s){by}")
    words = wrong(outcomes, listed)
    for line in words:
        tell(line)
    found = sum(outcome.found for outcome in outcomes.values())
    survived = sum(outcome.fate is Fate.SURVIVED for outcome in outcomes.values())
    tell(f"mutations={len(outcomes)} killed={found} survived={survived} listed={len(listed)}")
    return 1 if words else 0


def wrong(outcomes: Mapping[str, Outcome], listed: Mapping[str, str]) -> list[str]:
    """What is not as it must be, in words: each mutation is found, or listed as a survivor, and few are."""
    words = [f"{name!r} is listed as a survivor, and there is no such mutation" for name in listed.keys() - outcomes]
    for name, outcome in outcomes.items():
        if outcome.fate is Fate.SURVIVED and name not in listed:
            words.append(f"{name!r} survived: no test finds it")
        elif outcome.found and name in listed:
            words.append(f"{name!r} is listed as a survivor, but was found: strike it off the list")
        elif not outcome.found and outcome.fate is not Fate.SURVIVED:
            words.append(f"{name!r} {outcome.fate}")
    if len(listed) > MOST_SURVIVORS:
        words.append(f"{len(listed)} survivors are listed; at most {MOST_SURVIVORS} may be")
    return words
