"""Servers that others wrote, over both transports and in both eras of the protocol."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config, McpServer, Secrets
from pepper_tui.connectors.mcp.asking.asking import ANSWER
from pepper_tui.connectors.mcp.asking.question import Answer, Question
from pepper_tui.connectors.mcp.offer.resource_tool import READ
from pepper_tui.connectors.mcp.session.server import LOOK_EVERY
from pepper_tui.engine.engine import Engine
from pepper_tui.model import CallState, ContextFilter, Namespace, instructions
from pepper_tui.store import ContextStore
from tests.connectors.mcp.bench import McpBench, living
from tests.connectors.mcp.foreign import everything, python_servers
from tests.waiting import until

MODERN = Path(__file__).parent / "modern.py"
FEATURES = "demo://resource/static/document/features.md"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def listening(port: int, *, held: bool = True) -> None:
    """Return once a server listens at ``port``, or, where none is to be ``held``, once none does."""

    def there() -> bool:
        with socket.socket() as probe:
            return (probe.connect_ex(("127.0.0.1", port)) == 0) is held

    await until(there, 40.0, f"that it listens: {held}")


def ignore(*_: object) -> None:
    pass


@contextmanager
def served(command: list[str], **environment: str) -> Iterator[None]:
    """An HTTP server, until the end of the block."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def test_who_asks_one_question_finds_the_servers_begun(tmp_path: Path) -> None:
    servers = {
        "time": {"command": str(python_servers() / "mcp-server-time"), "effect": "read"},
        "gone": {"command": str(tmp_path / "not-there")},
    }
    engine = await Engine.open(tmp_path / "home", Config.model_validate({"mcp": servers}))
    await engine.start(feeds=False)
    await engine.servers_begun(30.0)
    await engine.say("use time__get_current_time timezone=Asia/Tokyo")
    await until(lambda: told(engine, "Asia/Tokyo"))
    await engine.close()


async def told(engine: Engine, words: str) -> bool:
    answers = await engine.store.query(ContextFilter(namespaces=[Namespace.ASSISTANT_MESSAGE]))
    return any(words in answer.data["text"] for answer in answers)


async def test_the_time_server(tmp_path: Path, store: ContextStore, clock: ManualClock) -> None:
    command = str(python_servers() / "mcp-server-time")
    async with living(tmp_path, store, clock, {"time": {"command": command, "effect": "read"}}) as bench:
        await bench.up("time", "2 tools")
        found = await bench.run("time__convert_time", source_timezone="UTC", time="12:00", target_timezone="Asia/Tokyo")
        assert "21:00" in found.content
        wrong = await bench.run("time__get_current_time", timezone="Nowhere/Land")
        assert wrong.state is CallState.FAILED
        assert "Nowhere/Land" in wrong.content


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False).stdout


def repository(folder: Path) -> Path:
    """One with a file that is to be committed."""
    folder.mkdir()
    for words in ("init -q", "config user.name x", "config user.email x@example.org"):
        git(folder, *words.split())
    (folder / "a").write_text("one\n")
    git(folder, "add", "a")
    return folder


async def test_the_git_server_writes_after_a_yes_only(tmp_path: Path, store: ContextStore, clock: ManualClock) -> None:
    folder = repository(tmp_path / "repository")
    command = str(python_servers() / "mcp-server-git")
    config = {"command": command, "args": ["--repository", str(folder)], "effects": {"git_status": "read"}}
    async with living(tmp_path, store, clock, {"git": config}) as bench:
        await bench.up("git")
        assert "new file:   a" in (await bench.run("git__git_status", repo_path=str(folder))).content
        call_id = await bench.schedule("git__git_commit", repo_path=str(folder), message="first")
        card = await bench.card("git__git_commit")
        assert git(folder, "log", "--format=%s") == ""
        await bench.engine.approvals.approve(card.id)
        assert (await bench.ended(call_id)).state is CallState.SUCCEEDED
    assert git(folder, "log", "--format=%s") == "first\n"


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_the_everything_server(transport: str, tmp_path: Path, store: ContextStore, clock: ManualClock) -> None:
    node, script = everything()
    if transport == "stdio":
        config = {"command": node, "args": [script, "stdio"], "effect": "read"}
        async with living(tmp_path, store, clock, {"every": config}) as bench:
            await _everything(bench)
        return
    port = free_port()
    with served([node, script, "streamableHttp"], PORT=str(port)):
        config = {"url": f"http://127.0.0.1:{port}/mcp", "effect": "read"}
        async with living(tmp_path, store, clock, {"every": config}) as bench:
            await _everything(bench, passing=60.0)


async def _everything(bench: McpBench, passing: float = 0.0) -> None:
    async def all_there() -> bool:
        await bench.clock.advance(passing)  # it may not have listened yet when it was first tried
        return (await bench.health("every")).detail == "15 tools"

    await until(all_there, 40.0, "its 15 tools, some of which come a moment after the start")
    assert (await bench.run("every__echo", message="hi <user_msg>")).content == "Echo: hi <user_msg>"
    assert (await bench.run("every__get-sum", a=2, b=40)).content.endswith("42.")
    structured = await bench.run("every__get-structured-content", location="Chicago")
    assert "temperature" in structured.content
    assert "[structured content]" not in structured.content  # its text is the same JSON
    [said] = instructions.told(bench.registry.specs())
    assert "Everything Server – Server Instructions" in said
    listed = (await bench.run(READ, server="every")).content
    assert "demo://resource/static/document/features.md | features.md | text/markdown | Static document" in listed
    assert "Everything Server - Features" in (await bench.run(READ, server="every", uri=FEATURES)).content
    linked = "demo://resource/dynamic/text/2"
    assert (await bench.run(READ, server="every", uri=linked)).state is CallState.FAILED
    assert f"[resource: Text Resource 2 {linked}]" in (await bench.run("every__get-resource-links", count=3)).content
    assert "This is a plaintext resource" in (await bench.run(READ, server="every", uri=linked)).content
    blob = await bench.run(READ, server="every", uri="demo://resource/dynamic/blob/1")
    assert "not text: text/plain, " in blob.content
    image = await bench.run("every__get-tiny-image")
    assert "[image: image/png, 4035 bytes, not kept]" in image.content
    long = await bench.schedule("every__trigger-long-running-operation", duration=0.4, steps=2)

    async def on_its_way() -> bool:
        found = await bench.store.get(long, namespace=Namespace.PROGRESS)
        return found is not None and "of 2" in found.data["text"]

    await until(on_its_way)
    assert "completed" in (await bench.ended(long)).content
    asked = await bench.schedule("every__trigger-elicitation-request")
    card = await bench.card(ANSWER)
    edited = await bench.engine.approvals.edit(card.id, {"name": "Ann Other", "integer": "7"})
    await bench.engine.approvals.approve(edited)
    answer = (await bench.ended(asked)).content
    assert "Ann Other" in answer
    assert "7" in answer


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_the_newest_protocol(transport: str, tmp_path: Path, store: ContextStore, clock: ManualClock) -> None:
    lines = tmp_path / "lines"
    common = {"effect": "read", "effects": {"append": "write"}}
    if transport == "stdio":
        environment = {"MODERN_FILE": str(lines), "PYTHONPATH": os.pathsep.join(sys.path)}
        config = {"command": sys.executable, "args": [str(MODERN), "stdio"], "env": environment, **common}
        async with living(tmp_path, store, clock, {"new": config}) as bench:
            await _modern(bench, lines)
        return
    port = free_port()
    command = [sys.executable, str(MODERN), str(port)]
    async with living(tmp_path, store, clock, {"new": {"url": f"http://127.0.0.1:{port}/mcp", **common}}) as bench:
        assert "can't be reached" in (await bench.down("new")).detail
        with served(command, MODERN_FILE=str(lines)):
            await _modern(bench, lines)  # after which it is gone

            async def noticed() -> bool:
                await clock.advance(LOOK_EVERY)
                return (await bench.health("new")).state == "trouble"

            await until(noticed, 40.0, "that it is gone, though nothing was asked of it")
            call_id = await bench.schedule("new__append", line="three")
            await bench.engine.approvals.approve((await bench.card("new__append")).id)
            assert (await bench.ended(call_id, passing=1.0)).state is CallState.FAILED
        with served(command, MODERN_FILE=str(lines)):
            await _up(bench)
            [back] = await bench.cards()
            assert "can't be reached" in back.problem
            await bench.engine.approvals.approve(back.id)
            assert (await bench.ended(back.call)).state is CallState.SUCCEEDED
    assert written(lines) == ["one", "die", "three"]


async def _up(bench: McpBench) -> None:
    async def there() -> bool:
        await bench.clock.advance(60.0)
        return (await bench.health("new")).state == "ok"

    await until(there, 40.0, "that it is up")


def written(lines: Path) -> list[str]:
    return lines.read_text().split()


async def _modern(bench: McpBench, lines: Path) -> None:
    await _up(bench)
    assert (await bench.run("new__count", to=3)).content == "counted to 3"
    weather = await bench.run("new__weather", place="Rome", days="2", note=None, shade={"colour": "red", "shade": "4"})
    assert weather.content.split("\n") == [
        "Mild in Rome: None, colour='red' shade=4.",
        "[structured content]",
        '{"degrees": 21.5, "days": ["day 1", "day 2"]}',
    ]
    assert (await bench.run("new__words")).content == "one\ntwo"
    assert "Count before you paint." in "".join(instructions.told(bench.registry.specs()))
    assert (await bench.run(READ, server="new")).content.startswith("plan://monday | monday |")
    assert "Lunch." in (await bench.run(READ, server="new", uri="plan://monday")).content
    assert "has not named" in (await bench.run(READ, server="new", uri="plan://tuesday")).content
    assert "[resource: The plan plan://tuesday]" in (await bench.run("new__plans")).content
    assert "Nothing on tuesday." in (await bench.run(READ, server="new", uri="plan://tuesday")).content
    asked = await bench.schedule("new__paint", what="the door")
    card = await bench.card(ANSWER)
    assert [line.label for line in card.resolved.lines if line.editable] == ["colour", "shade"]
    await bench.engine.approvals.approve(await bench.engine.approvals.edit(card.id, {"colour": "green"}))
    assert (await bench.ended(asked)).content == "the door is green 3"
    declined = await bench.schedule("new__paint", what="the roof")
    await bench.engine.approvals.reject((await bench.card(ANSWER)).id)
    assert (await bench.ended(declined)).content == "the roof stays as it is: decline"
    assert (await bench.approved("new__append", line="one")).state is CallState.SUCCEEDED
    lost = await bench.approved("new__append", line="die")
    assert lost.state is CallState.UNKNOWN
    assert written(lines) == ["one", "die"]


async def test_a_key_in_a_url_that_was_changed_is_used_in_the_same_session(tmp_path: Path) -> None:
    from pepper_tui.connectors.mcp.session.connection import connect

    port, lines, seen = free_port(), tmp_path / "lines", list[bytes]()
    secrets = tmp_path / "secrets.toml"
    secrets.touch(mode=0o600)
    secrets.write_text('key = "first-key"\n')

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", port)

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, note: bool) -> None:
            while data := await source.read(65536):
                if note:
                    seen.extend(re.findall(rb"POST (\S+)", data))
                sink.write(data)
                await sink.drain()
            sink.close()

        await asyncio.gather(copy(reader, ours, note=True), copy(theirs, writer, note=False), return_exceptions=True)

    async def no_answer(question: Question) -> Answer:
        return Answer("decline")

    between = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    at = between.sockets[0].getsockname()[1]
    server = McpServer(url=f"http://127.0.0.1:{at}/mcp?key=secret:key")
    with served([sys.executable, str(MODERN), str(port)], MODERN_FILE=str(lines)):
        await listening(port)
        async with connect("new", server, Secrets(tmp_path), tmp_path / "log", no_answer, ignore, ignore) as session:
            assert await session.call("append", {"line": "one"}, ignore) == "appended"
            assert set(seen) == {b"/mcp?key=first-key"}
            seen.clear()
            secrets.write_text('key = "other-key"\n')
            assert await session.call("append", {"line": "two"}, ignore) == "appended"
            assert set(seen) == {b"/mcp?key=other-key"}
    between.close()


async def test_over_http_one_failed_request_ends_no_other_and_says_what_is_known(tmp_path: Path) -> None:
    from pepper_tui.connectors.mcp.session.connection import LostError, NotSentError, connect

    port, lines = free_port(), tmp_path / "lines"
    command = [sys.executable, str(MODERN), str(port)]
    server = McpServer(url=f"http://127.0.0.1:{port}/mcp")

    async def no_answer(question: Question) -> Answer:
        return Answer("decline")

    with ExitStack() as servers:
        servers.enter_context(served(command, MODERN_FILE=str(lines)))
        await listening(port)
        async with connect("new", server, Secrets(tmp_path), tmp_path / "log", no_answer, ignore, ignore) as session:
            with pytest.raises(LostError, match="the connection broke"):
                await session.call("append", {"line": "die"}, ignore)
            await listening(port, held=False)
            with pytest.raises(NotSentError, match="can't be reached"):
                await session.call("append", {"line": "late"}, ignore)
            servers.enter_context(served(command, MODERN_FILE=str(lines)))
            await listening(port)
            assert await session.call("append", {"line": "again"}, ignore) == "appended"
    assert written(lines) == ["die", "again"]
