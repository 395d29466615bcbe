"""A run: each attack on a scene of its own, and what came of all of them."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.attack.broken import broken
from tests.attack.judge import judge
from tests.attack.row import Attack, Harm
from tests.attack.rows import TABLE
from tests.attack.scene import NotTriedError, Scene

MEMORY = Path("/dev/shm")
"""Where each write need not wait for a disk."""


@dataclass(slots=True)
class Report:
    """``came``: what came of an attack, by its name; ``not_tried``: why an attack proves nothing."""

    tried: int = 0
    came: dict[str, list[tuple[Harm, str]]] = field(default_factory=dict)
    not_tried: dict[str, str] = field(default_factory=dict)

    def count(self, harm: Harm) -> int:
        return sum(each is harm for found in self.came.values() for each, _ in found)

    @property
    def held(self) -> bool:
        """Whether every attack was tried and nothing came of any."""
        return self.tried > 0 and not self.came and not self.not_tried

    @property
    def line(self) -> str:
        return "  ".join([f"tried {self.tried}", *(f"{harm} {self.count(harm)}" for harm in Harm)])

    def lines(self) -> list[str]:
        """What got through, and what was not tried, a line each; last of all the counts."""
        through = [f"{harm}: {name}: {what}" for name, found in self.came.items() for harm, what in found]
        return [*through, *(f"not tried: {name}: {why}" for name, why in self.not_tried.items()), self.line]

    def add(self, other: Report) -> None:
        self.tried += other.tried
        self.came |= other.came
        self.not_tried |= other.not_tried


async def one(attack: Attack, root: Path) -> list[tuple[Harm, str]]:
    """What came of one attack, on a scene in the empty folder ``root``. Raises ``NotTriedError``."""
    async with Scene(root, **attack.scene) as scene:
        try:
            await attack.play(scene)
            await scene.calm()
        except NotTriedError:
            if found := await judge(scene):  # it came further than it should have: that was seen
                return found
            raise
        return await judge(scene)


def run(attacks: Sequence[Attack], tell: Callable[[str], None] = lambda line: None) -> Report:
    """Try ``attacks``, one after the other."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="pepper-att-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for number, attack in enumerate(attacks):
            root = Path(folder) / str(number)
            root.mkdir()
            began = time.monotonic()
            try:
                found = asyncio.run(one(attack, root))
            except NotTriedError as error:
                report.not_tried[str(attack)] = str(error)
                continue
            except Exception as error:  # a fault of the harness, or of Pepper: nothing was proved
                report.not_tried[str(attack)] = f"{type(error).__name__}: {error}"
                tell(traceback.format_exc())
                continue
            report.tried += 1
            tell(f"{attack} ({time.monotonic() - began:.2f} s)")
            if found:
                report.came[str(attack)] = found
    return report


def run_beside(attacks: Sequence[Attack], jobs: int, *, guard: str = "", loud: bool = False) -> Report:
    """``run`` in so many processes. ``guard``: the one that is let down in each of them."""
    places = [TABLE.index(attack) for attack in attacks]
    report = Report()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        shares = [places[number::jobs] for number in range(jobs)]
        for share in pool.map(partial(_share, guard=guard, loud=loud), filter(None, shares)):
            report.add(share)
    return report


def _share(places: Sequence[int], *, guard: str, loud: bool) -> Report:
    with broken(guard) if guard else contextlib.nullcontext():
        return run([TABLE[place] for place in places], partial(print, flush=True) if loud else lambda line: None)
