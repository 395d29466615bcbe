"""``python -m tests.simulation --seeds 1000 [--first 0] [--jobs 2]``, or ``--seed N [--trace]`` for one of them."""

from __future__ import annotations

import argparse
import contextlib
import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator

from tests.simulation.simulation import Outcome, run_seed


def _settle() -> None:
    """Leave what is loaded out of each seed's garbage collection."""
    gc.collect()
    gc.freeze()


def _lean(seed: int) -> Outcome:
    outcome = run_seed(seed)
    outcome.trace = []
    return outcome


def _outcomes(first: int, count: int, jobs: int) -> Iterator[Outcome]:
    if jobs == 1:
        _settle()
        yield from map(_lean, range(first, first + count))
        return
    with multiprocessing.get_context("fork").Pool(jobs, initializer=_settle) as pool:
        yield from pool.imap_unordered(_lean, range(first, first + count), chunksize=8)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--stop", action="store_true", help="stop at the first seed that fails")
    given = parser.parse_args()
    if given.seed is not None:
        _settle()
        outcome = run_seed(given.seed, verbose=print if given.trace else None)
        print(
            f"seed {outcome.seed}: trace {outcome.digest[:16]}, {outcome.updates} updates, {outcome.requests} requests"
        )
        for words in outcome.violations:
            print(words)
        print(f"seeds=1 violations={len(outcome.violations)}")
        return 1 if outcome.violations else 0
    began = time.monotonic()
    done = violations = crashes = effects = requests = updates = steps = 0
    with contextlib.suppress(KeyboardInterrupt):  # what has run by then counts
        for outcome in _outcomes(given.first, given.seeds, given.jobs):
            done, violations = done + 1, violations + len(outcome.violations)
            crashes, effects = crashes + outcome.crashes, effects + outcome.effects
            requests, updates, steps = requests + outcome.requests, updates + outcome.updates, steps + outcome.steps
            if outcome.violations:
                print(f"seed {outcome.seed}: {outcome.violations[0][:1500]}", flush=True)
                print(f"  replay: python -m tests.simulation --seed {outcome.seed} --trace", flush=True)
                if given.stop:
                    break
    seconds = time.monotonic() - began
    print(
        f"{done / seconds * 60:.0f} seeds a minute; {crashes} crashes, {requests} model calls, {effects} effects"
        f" outside, {updates} updates, {steps} callbacks"
    )
    print(f"seeds={done} violations={violations}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
