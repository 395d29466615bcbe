"""Calls to a server that misbehaves: what comes back, what is known, and that nothing else suffers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Secrets
from pepper_tui.connectors.mcp.session import reaper, server
from pepper_tui.model import ApprovalState, CallState, ContextFilter, Json, Namespace
from pepper_tui.store import ContextStore
from tests.connectors.mcp.bench import McpBench, alive, living, unruly
from tests.connectors.mcp.unruly_tools import tool
from tests.waiting import until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outside"


@pytest.fixture
async def bench(tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock) -> AsyncIterator[McpBench]:
    async with living(tmp_path, store, clock, {"own": unruly(folder)}) as opened:
        await opened.up("own")
        yield opened


def offer(folder: Path, *tools: Json) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "tools.json").write_text(json.dumps(tools))


def effects(folder: Path) -> list[str]:
    file = folder / "effects"
    return file.read_text().splitlines() if file.exists() else []


def seen(folder: Path) -> list[str]:
    file = folder / "seen"
    return file.read_text().splitlines() if file.exists() else []


async def test_a_read_tool_answers_without_asking_and_its_words_are_not_trusted(bench: McpBench) -> None:
    found = await bench.run("own__echo", text="hi \x1b[31m there")
    assert (found.state, found.content, found.tainted) == (CallState.SUCCEEDED, "hi \x1b[31m there", True)
    for arguments, words in (
        ({}, "'text' missing"),
        ({"text": 1}, "'text' should be string"),
    ):
        wrong = await bench.run("own__echo", **arguments)
        assert wrong.state is CallState.FAILED
        assert words in wrong.content
    assert await bench.cards() == []


async def test_a_write_tool_does_exactly_what_the_card_shows_once(bench: McpBench, folder: Path) -> None:
    call_id = await bench.schedule("own__append", line="one")
    card = await bench.card("own__append")
    assert {line.label: line.value for line in card.resolved.lines}["line"] == "one"
    assert "unruly.py" in card.resolved.account
    assert not [line for line in card.resolved.lines if line.untrusted]  # the server is the user's own config
    assert effects(folder) == []
    edited = await bench.engine.approvals.edit(card.id, {"line": "two"})
    await bench.engine.approvals.approve(edited)
    assert (await bench.ended(call_id)).state is CallState.SUCCEEDED
    assert effects(folder) == ["two"]


async def test_a_failure_that_the_server_reports_is_failed_in_its_own_words(bench: McpBench) -> None:
    found = await bench.approved("own__refuse", line="x")
    assert found.state is CallState.FAILED
    assert "no\x1b[0m such line" in found.content
    assert found.tainted
    assert "Nothing happened" not in found.content


async def test_a_crash_in_a_write_is_unknown_and_the_server_comes_back(bench: McpBench, folder: Path) -> None:
    found = await bench.approved("own__crash_after", line="once")
    assert found.state is CallState.UNKNOWN
    assert effects(folder) == ["once"]
    await bench.down("own")
    waits = await bench.schedule("own__echo", text="after")  # for the new start, which comes soon
    await bench.clock.advance(1.0)
    await bench.up("own")
    assert (await bench.ended(waits)).content == "after"
    assert effects(folder) == ["once"]


async def test_a_server_that_keeps_dying_is_left_alone_longer_and_longer(bench: McpBench) -> None:
    for pause in (1.0, 2.0, 4.0, 8.0, 16.0):
        assert (await bench.run("own__crash")).state is CallState.FAILED
        await bench.down("own")
        if pause > 8.0:  # a call does not wait so long, and says why
            refused = await bench.run("own__echo", text="x")
            assert refused.state is CallState.FAILED
            assert "it closed the connection" in refused.content
        await bench.clock.advance(pause / 2 - 0.01)
        assert (await bench.health("own")).state == "trouble"
        await bench.clock.advance(pause / 2 + 0.01)
        await bench.up("own")


async def test_a_write_to_a_server_that_is_down_is_known_not_to_have_happened(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock
) -> None:
    servers = {"own": unruly(folder)}
    async with living(tmp_path, store, clock, servers) as bench:
        await bench.up("own")
        call_id = await bench.schedule("own__append", line="x")
        card = await bench.card("own__append")
        for _ in range(6):
            await bench.run("own__crash")
            await bench.down("own")
            if _ < 5:
                await clock.advance(60.0)
                await bench.up("own")
        await bench.engine.approvals.approve(card.id)
        found = await bench.ended(call_id)
    assert found.state is CallState.FAILED
    assert "Nothing happened" in found.content
    assert effects(folder) == []


async def test_a_write_that_never_left_is_known_not_to_have_happened(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock
) -> None:
    async with living(tmp_path, store, clock, {"own": unruly(folder, timeout=0.3)}) as bench:
        await bench.up("own")
        (folder / "mute").touch()  # it does not answer any more when it is asked whether its tool is the same still
        found = await bench.approved("own__append", line="x")
        (folder / "mute").unlink()
    assert found.state is CallState.FAILED
    assert "Nothing happened" in found.content
    assert effects(folder) == []


async def test_a_call_that_hangs_is_cancelled_at_the_server(bench: McpBench, folder: Path) -> None:
    call_id = await bench.schedule("own__hang")
    await until(lambda: "call hang" in seen(folder))
    assert (await bench.run("own__echo", text="meanwhile")).content == "meanwhile"
    assert "cancelled" in await bench.engine.cancel(call_id)
    assert (await bench.ended(call_id)).state is CallState.CANCELLED
    await until(lambda: "notifications/cancelled" in seen(folder))


async def test_a_write_that_hangs_is_stopped_on_demand_and_then_unknown(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock
) -> None:
    async with living(tmp_path, store, clock, {"own": unruly(folder, effects={"hang": "write"})}) as bench:
        await bench.up("own")
        call_id = await bench.schedule("own__hang")
        await bench.engine.approvals.approve((await bench.card("own__hang")).id)
        await until(lambda: "call hang" in seen(folder))
        assert "asked to stop" in await bench.engine.cancel(call_id)
        assert (await bench.ended(call_id)).state is CallState.UNKNOWN
        await until(lambda: "notifications/cancelled" in seen(folder))


async def test_silence_has_a_limit_and_a_sign_of_life_moves_it(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock
) -> None:
    async with living(tmp_path, store, clock, {"own": unruly(folder, timeout=0.5)}) as bench:
        await bench.up("own")
        found = await bench.run("own__hang")
        assert found.state is CallState.FAILED
        assert "no answer for 0.5 seconds" in found.content
        await until(lambda: "notifications/cancelled" in seen(folder))


async def test_progress_is_shown_while_it_runs(bench: McpBench) -> None:
    call_id = await bench.schedule("own__progress", steps=1)

    async def shown() -> bool:
        found = await bench.store.get(call_id, namespace=Namespace.PROGRESS)
        return found is not None and found.data["text"] == "1 of 1 · step 1"

    await until(shown)
    assert (await bench.ended(call_id)).content == "all steps done"


async def test_a_result_of_megabytes_is_cut_and_delays_nobody(bench: McpBench) -> None:
    big = await bench.schedule("own__big", size=5_000_000)
    assert (await bench.run("own__echo", text="quick")).content == "quick"
    found = await bench.ended(big)
    assert found.state is CallState.SUCCEEDED
    assert len(found.content) < 201_000
    assert "4800000 more characters were left out" in found.content


@pytest.mark.parametrize(("effect", "state"), [("read", CallState.FAILED), ("write", CallState.UNKNOWN)])
async def test_a_result_that_is_dropped_ends_its_call_at_once_with_the_reason(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock, effect: str, state: CallState
) -> None:
    """Whether a ``write`` was done is not known: it has answered, and nobody could read what."""
    own = unruly(folder, timeout=600.0, effects={"big": effect})
    async with living(tmp_path, store, clock, {"own": own}) as bench:
        await bench.up("own")
        run = bench.run if effect == "read" else bench.approved
        found = await run("own__big", size=17_000_000)
        assert found.state is state
        assert "its answer was dropped: it is one of more than 16777216 bytes" in found.content
        assert (await bench.run("own__echo", text="still here")).content == "still here"


@pytest.mark.parametrize(
    "line",
    [
        '{"jsonrpc": "2.0", "id": ID, "result": {"content": }}',
        '{"jsonrpc": "2.0", "id": ID, "result": {"content": [{"type": "text", "text": "\\udcff"}]}}',
        '{"result": {"a": \\x}, "jsonrpc": "2.0", "id": ID}',
        '{"jsonrpc": "2.0", "id": ID, "result": ["no object"]}',
        '{"jsonrpc": "2.0", "id": ID, "error": "no object"}',
        '{"jsonrpc": "2.0", "id": ID}',
    ],
)
async def test_an_answer_that_is_none_ends_its_call_at_once(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock, line: str
) -> None:
    """The second is what a name of a file that is no UTF-8 becomes."""
    offer(folder, tool("line", text="string"), tool("echo", text="string"))
    async with living(tmp_path, store, clock, {"own": unruly(folder, timeout=600.0)}) as bench:
        await bench.up("own")
        found = await bench.run("own__line", text=line)
        assert found.state is CallState.FAILED
        assert "its answer is not of the protocol" in found.content
        assert (await bench.run("own__echo", text="still here")).content == "still here"


async def test_noise_goes_to_the_log_and_the_log_stays_small(
    bench: McpBench, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert (await bench.run("own__noise")).content == "that was loud"
    assert (await bench.run("own__echo", text="still here")).content == "still here"
    logs = list((bench.home / "mcp").iterdir())
    assert 0 < sum(file.stat().st_size for file in logs) <= 2 * reaper.KEPT
    assert {file.stat().st_mode & 0o777 for file in logs} == {0o600}
    heard = capfd.readouterr()
    assert "PWNED" not in heard.out + heard.err


async def test_a_secret_reaches_the_server_and_nothing_else(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock
) -> None:
    own = unruly(folder)
    own["env"]["UNRULY_SECRET"] = "Bearer env:PLANTED"
    async with living(tmp_path, store, clock, {"own": own}) as bench:
        await bench.up("own")
        assert (await bench.run("own__secret")).content == "Bearer s3cr3t"
        everything = await store.query(ContextFilter(namespaces=["*"], limit=1000))
    assert sum("s3cr3t" in json.dumps(each.data) for each in everything) == 1  # the result, which it gave away itself


async def test_a_secret_in_an_argument_is_given_by_reference(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock
) -> None:
    own = unruly(folder)
    own["args"].append("--key=env:PLANTED")
    keyless = {**unruly(folder), "args": [*own["args"][:-1], "--key=env:NOT_SET"]}
    async with living(tmp_path, store, clock, {"own": own, "keyless": keyless}) as bench:
        await bench.up("own")
        assert (await bench.run("own__secret")).content == "--key=s3cr3t"
        assert "NOT_SET" in (await bench.down("keyless")).detail
        everything = await store.query(ContextFilter(namespaces=["*"], limit=1000))
    assert sum("s3cr3t" in json.dumps(each.data) for each in everything) == 1  # the result, which it gave away itself


async def test_what_a_server_says_at_its_end_is_told_without_secrets(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Secrets, "given", {"no key"})
    own = {**unruly(folder), "args": ["-S", "-E", unruly(folder)["args"][2], "--die"]}
    async with living(tmp_path, store, clock, {"dies": own}) as bench:
        assert (await bench.down("dies")).detail == "Connection closed; it said: I can't start: [secret]"


async def test_a_server_that_can_not_start_says_why_and_stays_harmless(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock
) -> None:
    servers = {
        "dies": {**unruly(folder), "args": ["-S", "-E", unruly(folder)["args"][2], "--die"]},
        "absent": {"command": "there-is-no-such-program"},
        "keyless": {**unruly(folder), "env": {"API_KEY": "env:NOT_SET"}},
        "own": unruly(folder),
    }
    async with living(tmp_path, store, clock, servers) as bench:
        await bench.up("own")
        assert (await bench.down("dies")).detail == "Connection closed; it said: I can't start: no key"
        assert "there-is-no-such-program" in (await bench.down("absent")).detail
        assert "env:NOT_SET" in (await bench.down("keyless")).detail
        assert "[mcp.dies]" in (await bench.health("dies")).remedy
        assert (await bench.run("own__echo", text="fine")).content == "fine"


async def test_a_server_that_no_longer_answers_is_noticed_and_begun_again(
    bench: McpBench, folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LOOK_LIMIT", 0.2)
    (folder / "mute").touch()

    async def noticed() -> bool:
        await clock.advance(server.LOOK_EVERY)
        return (await bench.health("own")).state == "trouble"

    await until(noticed, 40.0, "that it does not answer")
    assert "did not answer within" in (await bench.health("own")).detail
    (folder / "mute").unlink()
    await clock.advance(server.LONGEST_PAUSE)
    await bench.up("own")
    assert (await bench.run("own__echo", text="back")).content == "back"


async def test_nothing_is_left_running(tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock) -> None:
    async with living(tmp_path, store, clock, {"own": unruly(folder)}) as bench:
        await bench.up("own")
        child = int((await bench.run("own__child")).content)
        assert alive(child)
    await until(lambda: not alive(child))


async def test_an_approval_holds_for_the_server_that_it_was_given_for(
    tmp_path: Path, folder: Path, store: ContextStore, clock: ManualClock
) -> None:
    async with living(tmp_path, store, clock, {"own": unruly(folder)}) as bench:
        await bench.up("own")
        await bench.schedule("own__append", line="x")
        card = await bench.card("own__append")
    other = unruly(folder)
    other["env"]["ELSEWHERE"] = "1"
    async with living(tmp_path, store, clock, {"own": other}) as bench:
        await bench.up("own")
        with pytest.raises(Exception, match="changed since the approval was opened"):
            await bench.engine.approvals.approve(card.id)
        assert await bench.cards(ApprovalState.PENDING) != []
    assert effects(folder) == []
