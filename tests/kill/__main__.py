"""``python -m tests.kill --kills 200 --seed 1``: attacks until so many kills fell; the last line counts what broke.

First come all boundaries in turn (as far as the kills go), then seeded ones and random moments. A seed makes the same
inputs, decisions, faults and kill points again; ``--one NUMBER`` replays that attack of the run and keeps its folder.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.kill.attack import Attack, every_boundary

KILLS_AN_ATTACK = 20


def attacked(seed: int, boundaries: Sequence[str], keep: bool, suspend: float) -> Attack:
    """The attack of ``seed``, done. ``suspend``: seconds that its first sleep of the machine lasts."""
    folder = Path(tempfile.mkdtemp(prefix=f"pepper-kill-{seed}-"))
    attack = Attack(folder, seed, len(boundaries) or KILLS_AN_ATTACK, boundaries, suspend)
    try:
        attack.run()
    except AssertionError as error:
        attack.problems.append(f"lost: {error}")
    if attack.problems or keep:
        print(f"attack {seed}: {len(attack.problems)} problems; its world is kept in {folder}", flush=True)
        for problem in attack.problems[:20]:
            print(f"  {problem}", flush=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return attack


def attacks(kills: int, seed: int) -> list[tuple[int, Sequence[str]]]:
    """Seeds, each with the boundaries that it goes through in turn; none where the seed draws them."""
    every = every_boundary()[:kills]
    planned = [every[at : at + KILLS_AN_ATTACK] for at in range(0, len(every), KILLS_AN_ATTACK)]
    planned += [[] for _ in range(-(-(kills - len(every)) // KILLS_AN_ATTACK))]
    return [(seed * 1000 + number, boundaries) for number, boundaries in enumerate(planned)]


def counted(problems: list[str], kind: str) -> int:
    return sum(1 for problem in problems if problem.startswith(kind))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kill")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", type=int, metavar="NUMBER", help="replay this attack of the run alone")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--suspend", type=float, default=0.0, help="seconds that one machine is stopped for, once")
    options = parser.parse_args()
    began = time.monotonic()
    wanted = attacks(options.kills, options.seed)
    if options.one is not None:
        wanted = [each for each in wanted if each[0] == options.one]
    with ThreadPoolExecutor(options.jobs) as pool:
        keep, longest = options.one is not None, wanted[-1:]
        found = list(pool.map(lambda w: attacked(w[0], w[1], keep, options.suspend if w in longest else 0.0), wanted))
    points: Counter[str] = sum((attack.points for attack in found), Counter())
    print("\nwhere the kills fell:")
    for name, count in points.most_common():
        print(f"  {count:5}  {name}")
    problems = [problem for attack in found for problem in attack.problems]
    given = sum(len(attack.given.said) + len(attack.given.mails) for attack in found)
    effects = sum(attack.done for attack in found)
    seconds = time.monotonic() - began
    print(f"inputs={given} outside_effects={effects} order={counted(problems, 'order')} seconds={seconds:.0f}")
    orphans = sum(attack.orphans for attack in found)
    print(
        f"kills={sum(attack.kills for attack in found)} lost={counted(problems, 'lost')}"
        f" twice={counted(problems, 'twice')} unknown_hidden={counted(problems, 'hidden')}"
        f" orphans={orphans}"
    )
    return 1 if problems or orphans else 0


if __name__ == "__main__":
    sys.exit(main())
