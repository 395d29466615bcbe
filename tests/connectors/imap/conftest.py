"""A server for all tests of a process, emptied before each, and a feed over it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.store import ContextStore
from tests.connectors.imap.account import Account
from tests.connectors.imap.certificate import Certificate, self_signed
from tests.connectors.imap.servers import Server, running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def clock() -> ManualClock:
    """It stands an hour before now: the servers say by their own clocks when a mail came."""
    return ManualClock(time.time() - 3600)


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server"), certificate.file, certificate.key) as server:
        yield server


@pytest.fixture
def server(one_server: Server) -> Server:
    one_server.empty()
    return one_server


Make = Callable[..., Account]


@pytest.fixture
async def account(store: ContextStore, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Make]:
    """Makes an account; what was begun is ended after the test."""
    made: list[Account] = []

    def make(port: int, **settings: Any) -> Account:
        made.append(Account(store, clock, tmp_path, port, settings))
        return made[-1]

    yield make
    for each in made:
        await each.stop()
