"""The socket of a running engine, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.engine.answers.socket import SOCKET_FILE, NoEngineError, RemoteError, RemoteServer, request
from pepper_tui.store import StoreUnavailableError
from tests.waiting import until

Json = dict[str, Any]


async def echo(arguments: Json) -> AsyncIterator[Json]:
    for number in range(int(arguments.get("times", 1))):
        yield {"text": arguments.get("text", ""), "number": number}


async def refuse(arguments: Json) -> AsyncIterator[Json]:
    if arguments is not None:
        raise RemoteError("not today")
    yield {}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RemoteServer]:
    server = RemoteServer(tmp_path, {"echo": echo, "refuse": refuse})
    await server.start()
    yield server
    await server.stop()


async def test_items_arrive_in_order(server: RemoteServer, tmp_path: Path) -> None:
    items = [item async for item in request(tmp_path, "echo", {"text": "grüß\ndich", "times": 3})]
    assert items == [{"text": "grüß\ndich", "number": n} for n in range(3)]


async def test_only_the_owner_may_speak(server: RemoteServer, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / SOCKET_FILE).stat().st_mode) == 0o600


async def test_a_refusal_and_an_unknown_verb_are_words(server: RemoteServer, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="not today"):
        await anext(request(tmp_path, "refuse"))
    with pytest.raises(RemoteError, match="dance"):
        await anext(request(tmp_path, "dance"))


async def test_garbage_gets_an_answer_and_harms_nothing(server: RemoteServer, tmp_path: Path) -> None:
    for line in (b"hello\n", b"[]\n", b'{"verb": {}}\n', b"\xff\xfe\n"):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / SOCKET_FILE))
        writer.write(line)
        assert b"error" in await asyncio.wait_for(reader.readline(), 5)
        writer.close()
    assert [item async for item in request(tmp_path, "echo")]


def descriptors() -> list[int]:
    return [int(each.name) for each in Path("/proc/self/fd").iterdir()]


async def hung_up(reader: asyncio.StreamReader) -> bytes:
    """What came until the server closed."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while got := await asyncio.wait_for(reader.read(65_536), 10):
            said += got
    return said


@pytest.mark.parametrize("sent", [b"", b'{"verb"'])
async def test_a_connection_that_asks_nothing_is_closed(tmp_path: Path, sent: bytes) -> None:
    server = RemoteServer(tmp_path, {"echo": echo}, patience=0.1)
    await server.start()
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / SOCKET_FILE))
    writer.write(sent)
    assert b"nothing was asked" in await hung_up(reader)
    writer.close()
    assert [item async for item in request(tmp_path, "echo")]
    await server.stop()


async def test_an_answer_that_nobody_takes_is_ended(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def flood(arguments: Json) -> AsyncIterator[Json]:
        try:
            while True:
                yield {"n": "x" * 100_000}
        finally:
            ended.set()

    server = RemoteServer(tmp_path, {"flood": flood}, patience=0.2)
    await server.start()
    before = len(descriptors())
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / SOCKET_FILE))
        client.send(b'{"verb": "flood"}\n')
        await until(lambda: len(descriptors()) == before + 2)
        await asyncio.wait_for(ended.wait(), 10)
        await until(lambda: len(descriptors()) == before + 1)  # the server's end is closed
    await server.stop()


async def test_an_answer_that_follows_goes_on_though_nothing_comes(tmp_path: Path) -> None:
    more = asyncio.Event()

    async def follow(arguments: Json) -> AsyncIterator[Json]:
        yield {"n": 1}
        await more.wait()
        yield {"n": 2}

    server = RemoteServer(tmp_path, {"follow": follow}, patience=0.1)
    await server.start()
    async with aclosing(request(tmp_path, "follow")) as items:
        assert await anext(items) == {"n": 1}
        await asyncio.sleep(0.4)  # several times as long
        more.set()
        assert await anext(items) == {"n": 2}
    await server.stop()


@pytest.mark.parametrize(
    ("error", "logged"),
    [(StoreUnavailableError("the disk is full"), False), (KeyError("gone"), True), (OSError(5, "I/O"), True)],
)
async def test_what_goes_wrong_in_an_answer_is_words_without_a_class(
    tmp_path: Path, error: Exception, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(arguments: Json) -> AsyncIterator[Json]:
        if arguments is not None:
            raise error
        yield {}

    server = RemoteServer(tmp_path, {"fail": fail})
    await server.start()
    with pytest.raises(RemoteError) as told:
        await anext(request(tmp_path, "fail"))
    assert str(told.value) == str(error)
    assert bool(caplog.records) is logged
    await server.stop()


async def test_too_few_descriptors_are_one_line_and_it_recovers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = RemoteServer(tmp_path, {"echo": echo})
    await server.start()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(descriptors()) + 20, before[1]))
    clients = []
    try:
        with contextlib.suppress(OSError):
            while True:
                clients.append(await asyncio.open_unix_connection(str(tmp_path / SOCKET_FILE)))
        await until(lambda: bool(caplog.records))
        await asyncio.sleep(1.5)  # asyncio tries again after a second
        [line] = caplog.records
        assert "too many are open" in line.getMessage()
        assert line.exc_info is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for _, writer in clients:
            writer.close()
    assert [item async for item in request(tmp_path, "echo")]
    await server.stop()


async def test_no_engine(tmp_path: Path) -> None:
    with pytest.raises(NoEngineError):
        await anext(request(tmp_path, "echo"))


async def test_a_stale_socket_is_no_engine_and_is_replaced(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / SOCKET_FILE))
    left.close()
    with pytest.raises(NoEngineError):
        await anext(request(tmp_path, "echo"))
    server = RemoteServer(tmp_path, {"echo": echo})
    await server.start()
    assert [item async for item in request(tmp_path, "echo")]
    await server.stop()
    assert not (tmp_path / SOCKET_FILE).exists()


async def test_a_home_with_a_long_path(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 20) / ("er" * 30)
    home.mkdir(parents=True)
    server = RemoteServer(home, {"echo": echo})
    await server.start()
    assert [item async for item in request(home, "echo")]
    await server.stop()


async def test_a_client_that_hangs_up_ends_its_answer(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def forever(arguments: Json) -> AsyncIterator[Json]:
        try:
            yield {"n": 1}
            await asyncio.Event().wait()
        finally:
            ended.set()

    server = RemoteServer(tmp_path, {"forever": forever})
    await server.start()
    async with aclosing(request(tmp_path, "forever")) as items:
        assert await anext(items) == {"n": 1}
    await asyncio.wait_for(ended.wait(), 5)
    await server.stop()
