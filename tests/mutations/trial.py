"""Trials: tests against a copy of the tree, with one mutation in it or none. The tree itself is never touched."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.mutations.mutation import Mutation, NoLongerAppliesError

CLEAN_LIMIT = 600.0  # seconds for tests of the code as it is
_GRACE, _FACTOR = 60.0, 5.0  # a mutation's tests get the first and so many times what they took without it
_NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "results.json")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.M)


class Fate(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    DOES_NOT_APPLY = "does not apply"
    DOES_NOT_RUN = "does not run"
    """pytest ended oddly: the tests can't be collected, or there are none. That proves nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``by``: the test that failed, or words on what went wrong."""

    fate: Fate
    by: str = ""
    seconds: float = 0.0

    @property
    def found(self) -> bool:
        return self.fate in (Fate.KILLED, Fate.TIMED_OUT)


class Place:
    """A copy of ``tree`` below ``folder``, for one trial at a time."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self._tree, self._temporary = folder / "t", folder / "tmp"
        self._changes = itertools.count(1)
        shutil.copytree(tree, self._tree, ignore=_NOT_COPIED, symlinks=True)

    def clean(self, tests: Sequence[str]) -> Outcome:
        """The tests against the code as it is."""
        return self._run(tests, CLEAN_LIMIT)

    def mutated(self, mutation: Mutation, clean_seconds: float) -> Outcome:
        """The tests of ``mutation`` against the code with it; afterwards the copy is as it was."""
        path = self._tree / mutation.file
        try:
            mutated = mutation.applied(self._tree)
        except NoLongerAppliesError as error:
            return Outcome(Fate.DOES_NOT_APPLY, str(error))
        source = path.read_text(encoding="utf-8")
        self._write(path, mutated)
        try:
            return self._run(mutation.tests, _GRACE + _FACTOR * clean_seconds)
        finally:
            self._write(path, source)

    def _write(self, path: Path, source: str) -> None:
        """Write, with a time that no version of the file has had: bytecode is known by that, in whole seconds."""
        path.write_text(source, encoding="utf-8")
        change = next(self._changes)
        os.utime(path, (change, change))

    def _run(self, tests: Sequence[str], limit: float) -> Outcome:
        environment = {**os.environ, "PYTHONPATH": str(self._tree)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # most of a trial would be compiling
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider"]
        command += ["--hypothesis-seed=1", f"--basetemp={self._temporary}", *tests]
        started = time.monotonic()
        with subprocess.Popen(
            command,
            cwd=self._tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return Outcome(Fate.TIMED_OUT, f"no end within {limit:.0f} s", limit)
        seconds = time.monotonic() - started
        if process.returncode == 0:
            return Outcome(Fate.SURVIVED, seconds=seconds)
        failed = _FAILED.findall(said)
        if process.returncode == 1 and failed:
            return Outcome(Fate.KILLED, failed[0], seconds)
        return Outcome(Fate.DOES_NOT_RUN, f"pytest ended with {process.returncode}: {said.strip()[-500:]}", seconds)
