"""A run: each scenario on a day of its own, and what came of all of them."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from pepper_tui.llm.prices import price_of
from tests.evaluation.day import Asked, Day
from tests.evaluation.player import Script
from tests.evaluation.scenario import MissedError, Scenario
from tests.llm.server import ModelServer, Reply

MEMORY: Final = Path("/dev/shm")
"""Where each write need not wait for a disk."""
LONGEST: Final = 7200.0
"""Real seconds that one scenario may take: sixty turns of a slow model."""
PACKAGED: Final = "packaged"
"""The name of the small model that comes as a package: a server of it is started for the run."""
CONTEXT: Final = 8192


@dataclass(slots=True)
class Outcome:
    """What came of one scenario. ``missed``: what the model did not do; ``error``: why it proves nothing;
    ``trouble``: what Pepper says of the model that it could not ask. ``line_missed``: of the scenario's code."""

    scenario: str
    passed: bool = False
    missed: str = ""
    error: str = ""
    trouble: str = ""
    line_missed: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0

    @property
    def words(self) -> str:
        said = "pass" if self.passed else f"FAIL: {self.missed}" if self.missed else f"ERROR: {self.error}"
        return f"{said} ({self.trouble})" if self.trouble else said

    @property
    def line(self) -> str:
        return f"{self.scenario:<24}{_counts(self)}  {self.words}"


@dataclass(slots=True)
class Report:
    """``priced``: whether the model has a price, so that the cost is one."""

    model: str
    base_url: str
    priced: bool = False
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def passes(self) -> int:
        return sum(each.passed for each in self.outcomes)

    @property
    def answered(self) -> bool:
        """Whether the model gave any answer."""
        return any(each.completion_tokens for each in self.outcomes)

    @property
    def sum(self) -> Outcome:
        total = Outcome("in sum")
        for name in ("calls", "prompt_tokens", "cached_tokens", "completion_tokens", "cost", "seconds"):
            setattr(total, name, sum(getattr(each, name) for each in self.outcomes))
        return total

    @property
    def line(self) -> str:
        total, errors = self.sum, sum(bool(each.error) for each in self.outcomes)
        cost = f"{total.cost:.4f} USD" if self.priced else "not known"
        return (
            f"passes {self.passes}/{len(self.outcomes)}  calls {total.calls}  prompt {total.prompt_tokens:,}"
            f" (cached {total.cached_tokens:,})  completion {total.completion_tokens:,}  cost {cost}"
            f"  seconds {total.seconds:.0f}{f'  errors {errors}' if errors else ''}"
        )

    def repeated(self) -> list[str]:
        """How often each scenario was passed, where they were played more than once; a line each."""
        names = list(dict.fromkeys(each.scenario for each in self.outcomes))
        if len(names) == len(self.outcomes):
            return []
        played = {name: [each.passed for each in self.outcomes if each.scenario == name] for name in names}
        return [f"{name:<24}{sum(found)}/{len(found)}" for name, found in played.items()]

    def data(self) -> dict[str, Any]:
        total = self.sum
        return {
            "model": self.model,
            "base_url": self.base_url,
            "scenarios": [asdict(each) for each in self.outcomes],
            "passes": self.passes,
            "played": len(self.outcomes),
            "errors": sum(bool(each.error) for each in self.outcomes),
            "calls": total.calls,
            "prompt_tokens": total.prompt_tokens,
            "cached_tokens": total.cached_tokens,
            "completion_tokens": total.completion_tokens,
            "cost": total.cost if self.priced else None,
            "seconds": round(total.seconds, 1),
        }


def _counts(of: Outcome) -> str:
    tokens = f"{of.prompt_tokens:>9,} prompt ({of.cached_tokens:>9,} cached) {of.completion_tokens:>7,} completion"
    return f"{of.calls:>4} calls {tokens} {of.cost:>8.4f} {of.seconds:>6.1f} s"


async def play(scenario: Scenario, root: Path, asked: Asked) -> Outcome:
    """What came of one scenario, on a day in the empty folder ``root``."""
    outcome = Outcome(scenario.name)
    began = time.monotonic()
    day = Day(root, asked, scenario.config, server=scenario.server)
    try:
        async with asyncio.timeout(LONGEST), day:
            await scenario.play(day)
        outcome.passed = True
    except MissedError as missed:
        outcome.missed = str(missed)
        frames = traceback.walk_tb(missed.__traceback__)
        outcome.line_missed = next((at for frame, at in frames if frame.f_code is scenario.play.__code__), 0)
    except Exception as error:  # a fault of the harness, or of Pepper: nothing was proved
        outcome.error = f"{type(error).__name__}: {error}".strip(": ")
        traceback.print_exc()
    outcome.seconds = time.monotonic() - began
    outcome.calls, outcome.trouble = day.waiting.calls, day.trouble
    outcome.prompt_tokens = sum(use.prompt_tokens for use in day.usage)
    outcome.cached_tokens = sum(use.cached_tokens for use in day.usage)
    outcome.completion_tokens = sum(use.completion_tokens for use in day.usage)
    outcome.cost = sum(use.cost for use in day.usage)
    return outcome


@contextlib.contextmanager
def passing_folder() -> Iterator[Path]:
    """An empty folder that is gone afterwards, in memory where that can be had."""
    with tempfile.TemporaryDirectory(prefix="pepper-eval-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def run(
    scenarios: Sequence[Scenario],
    asked: Asked,
    *,
    repeat: int = 1,
    most: float = 0.0,
    tell: Callable[[str], None] = lambda line: None,
) -> Report:
    """Play ``scenarios``, one after the other, so often each. ``most``: money after which no other is begun; 0: any."""
    report = Report(asked.name, asked.base_url, price_of(asked.name, asked.base_url, {}) is not None)
    with passing_folder() as folder:
        for number, scenario in enumerate([each for each in scenarios for _ in range(repeat)]):
            if most and report.sum.cost >= most:
                tell(f"stopped: {report.sum.cost:.2f} USD are spent")
                break
            root = folder / str(number)
            root.mkdir()
            outcome = asyncio.run(play(scenario, root, asked))
            report.outcomes.append(outcome)
            report.priced |= outcome.cost > 0  # by a price of the config
            tell(outcome.line)
            if number == 0 and not report.answered:
                tell("stopped: the model gave no answer at all")
                break
    return report


@contextlib.contextmanager
def scripted(script: Script) -> Iterator[Asked]:
    """A server whose model plays ``script``. A fault of the script itself is raised at its end."""
    faults: list[Exception] = []

    def choose(body: dict[str, Any]) -> Reply:
        try:
            return script.answer(body)
        except Exception as error:
            faults.append(error)
            return {"status": 400, "message": f"the script fails: {error!r}"}

    with ModelServer() as server:
        server.choose = choose
        yield Asked("scripted", server.url)
    if faults:
        raise faults[0]


@contextlib.contextmanager
def packaged() -> Iterator[Asked]:
    """A server of the small model that comes as a package. Raises ``RuntimeError`` where it is not installed."""
    command = [sys.executable, "-m", "tests.llm.small_model", str(CONTEXT)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            if not line.startswith("url="):
                raise RuntimeError("the packaged model is not there; `make test` installs it")
            url = line.strip().removeprefix("url=")
            yield Asked("SmolLM2-135M-Instruct", url, options=("max_tokens = 256",))
        finally:
            server.stdin.close()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
