"""One server for all tests of a process, emptied before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.caldav.servers import Server, running
from tests.domains.calendar.conftest import patient  # noqa: F401


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture
def server(one_server: Server) -> Server:
    one_server.empty()
    return one_server
