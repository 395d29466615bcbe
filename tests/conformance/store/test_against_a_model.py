"""Each store against the same model. What only one in a file can do is in ``tests/store/test_against_a_model.py``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar

from hypothesis.stateful import initialize

from tests.conformance.store.machine import StoreMachine, long
from tests.conformance.store.opening import KINDS, OpenStore, open_store


class OneKind(StoreMachine):
    kind: ClassVar[str]

    @initialize()
    def begin(self) -> None:
        memory = Path("/dev/shm")
        self.folder = tempfile.TemporaryDirectory(prefix="pepper-model-", dir=memory if memory.is_dir() else None)
        super().begin()

    async def open(self) -> OpenStore:
        return await open_store(self.kind, Path(self.folder.name), self.clock)

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "folder"):
            self.folder.cleanup()


class FileMachine(OneKind):
    kind = "file"


class MemoryMachine(OneKind):
    kind = "memory"


TestFile = FileMachine.TestCase
TestFile.settings = long(15)
TestMemory = MemoryMachine.TestCase
TestMemory.settings = long(40)


def test_each_kind_has_its_machine() -> None:
    assert tuple(each.kind for each in OneKind.__subclasses__()) == KINDS
