"""The socket of a running engine, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.remote import SOCKET_FILE, NoEngineError, RemoteError, RemoteServer, request

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
