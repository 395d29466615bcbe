"""The socket of a running engine: a unix socket of mode 0600 in the home, for `ask`, `log` and `status`.

One request per connection. The client sends one JSON line ``{"verb": …, "arguments": {…}}``; the server answers with
lines ``{"item": {…}}`` and last ``{"end": true}`` or ``{"error": "words"}``. A line that is too long is sent as lines
``{"part": "…"}`` followed by ``{"whole": true}``. Only the holder of the home's lock serves, so an existing socket file
is stale and is removed. An idle connection is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import socket
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pepper_tui.text.errors import PepperError, is_foreseen

log = logging.getLogger(__name__)
Json = dict[str, Any]
Answer = Callable[[Json], AsyncIterator[Json]]
"""Handler of a verb: takes its arguments, yields items. Its ``RemoteError`` is sent to the client in words."""

SOCKET_FILE: Final = "pepper.sock"
PATIENCE: Final = 60.0
"""Seconds that a client has to send its request, and to read each line of the answer."""
TOLD_EVERY: Final = 60.0
"""Seconds between two log lines about connections that can't be accepted."""
_SCARCE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
LINE_LIMIT: Final = 4 * 1024 * 1024
PART: Final = 100_000
"""Characters of a long line sent per part."""
_ANSWER_LIMIT: Final = 1024 * 1024  # bytes per line of an answer; a client buffers up to twice that
LONGEST_ADDRESS: Final = 100  # bytes; systems allow 104 to 108


class RemoteError(PepperError):
    """The engine refused the request, or went away; the words are for the user."""


class NoEngineError(RemoteError):
    """No engine listens in this home."""


class EngineClosedError(RemoteError):
    """The engine closed, or died, before it answered; it may have done what was asked."""


class _GoneError(Exception):
    """The client has hung up, or has stopped reading."""


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """Yield a name for ``path`` that is short enough for a unix socket. Raises ``RemoteError`` if there is none."""
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        yield str(path)
        return
    if not Path("/proc/self/fd").is_dir():
        raise RemoteError(f"the path {path} is too long for a unix socket; use a shorter --home")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class RemoteServer:
    """Serves ``answers`` by verb on the home's socket. The caller holds the home's lock.

    ``patience``: see ``PATIENCE``.
    """

    def __init__(self, home: Path, answers: Mapping[str, Answer], *, patience: float = PATIENCE) -> None:
        self._path = home / SOCKET_FILE
        self._answers = answers
        self._patience = patience
        self._told_scarce = -TOLD_EVERY
        self._handler_before: Callable[[asyncio.AbstractEventLoop, Json], object] | None = None
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on the socket. Raises ``RemoteError`` for a path that can't be a socket, ``OSError`` otherwise."""
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(self._path.lstat().st_mode):
                raise RemoteError(f"{self._path} is no socket; move it away")
            self._path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _address(self._path) as address:
                before = os.umask(0o177)
                try:
                    listener.bind(address)
                finally:
                    os.umask(before)
            listener.setblocking(False)
            self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LINE_LIMIT)
            loop = asyncio.get_running_loop()
            self._handler_before = loop.get_exception_handler()
            loop.set_exception_handler(self._failed)
        except BaseException:
            listener.close()
            raise

    async def stop(self) -> None:
        """Stop listening, cancel the open connections, remove the socket."""
        if not self._server:
            return
        self._server.close()
        self._server = None
        asyncio.get_running_loop().set_exception_handler(self._handler_before)
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def _failed(self, loop: asyncio.AbstractEventLoop, context: Json) -> None:
        """Limit the log lines about connections that can't be accepted.

        When descriptors run out, asyncio reports each waiting connection, a hundred times a second.
        """
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _SCARCE and "accept" in str(context.get("message"))):
            (self._handler_before or type(loop).default_exception_handler)(loop, context)
        elif loop.time() - self._told_scarce >= TOLD_EVERY:
            self._told_scarce = loop.time()
            log.warning("connections wait: %s; too many are open, or raise `ulimit -n`", error.strerror)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._talks.add(task)
        try:
            await self._talk(reader, writer)
        except (_GoneError, ConnectionError, asyncio.CancelledError):
            writer.transport.abort()  # nobody reads the answer any more; don't wait until it is flushed
        finally:
            self._talks.discard(task)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await asyncio.wait_for(reader.readline(), self._patience))
            answer = self._answers[request["verb"]]
            arguments = dict(request.get("arguments") or {})
        except KeyError as error:
            await self._send(writer, {"error": f"this engine has no answer to {error}"})
            return
        except TimeoutError:
            await self._send(writer, {"error": f"nothing was asked within {self._patience:g} s"})
            return
        except (ValueError, TypeError):
            await self._send(writer, {"error": "the request is not a line of JSON"})
            return
        answering = asyncio.create_task(self._stream(answer(arguments), writer))
        gone = asyncio.create_task(reader.read())  # returns when the client hangs up
        try:
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not answering.done():
                answering.cancel()
            told, _ = await asyncio.gather(answering, gone, return_exceptions=True)
        if isinstance(told, _GoneError):
            raise told

    async def _stream(self, items: AsyncIterator[Json], writer: asyncio.StreamWriter) -> None:
        try:
            async for item in items:
                await self._send(writer, {"item": item})
            await self._send(writer, {"end": True})
        except _GoneError:
            raise
        except Exception as error:
            if not isinstance(error, RemoteError) and not is_foreseen(error):
                log.exception("a request could not be answered")
            await self._send(writer, {"error": str(error) or type(error).__name__})
        finally:
            if isinstance(items, AsyncGenerator):
                await items.aclose()

    async def _send(self, writer: asyncio.StreamWriter, message: Json) -> None:
        try:
            for line in _lines(message):
                async with asyncio.timeout(self._patience):
                    writer.write(line)
                    await writer.drain()
        except OSError as error:
            raise _GoneError from error


async def _send(writer: asyncio.StreamWriter, message: Json) -> None:
    writer.write(_line(message))
    await writer.drain()


def _line(message: Json) -> bytes:
    return _encoded(json.dumps(message, ensure_ascii=False))


def _encoded(text: str) -> bytes:
    return text.encode() + b"\n"


def _lines(message: Json) -> Iterator[bytes]:
    """Yield ``message`` as lines that are short enough for a client."""
    text = json.dumps(message, ensure_ascii=False)
    if len(text) <= PART:
        yield _encoded(text)
        return
    for at in range(0, len(text), PART):
        yield _line({"part": text[at : at + PART]})
    yield _line({"whole": True})


async def request(home: Path, verb: str, arguments: Json | None = None) -> AsyncGenerator[Json, None]:
    """Yield the items that the home's engine answers.

    Raises ``NoEngineError`` before the first item, ``EngineClosedError``, or ``RemoteError``.
    """
    path = home / SOCKET_FILE
    try:
        with _address(path) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=_ANSWER_LIMIT)
    except OSError as error:
        raise NoEngineError(f"no engine runs in {home}") from error
    try:
        try:
            await _send(writer, {"verb": verb, "arguments": arguments or {}})
            parts: list[str] = []
            while line := await reader.readline():
                message = json.loads(line)
                if "part" in message:
                    parts.append(message["part"])
                    continue
                if "whole" in message:
                    message = json.loads("".join(parts))
                    parts.clear()
                if "error" in message:
                    raise RemoteError(str(message["error"]))
                if "end" in message:
                    return
                yield message["item"]
        except ConnectionError as error:
            raise EngineClosedError("the engine closed before it had answered") from error
        raise EngineClosedError("the engine closed before it had answered")
    finally:
        writer.close()
