"""`pepper store …`, over a store that no engine works on and over one that an engine has."""

from __future__ import annotations

import asyncio
import json
import re
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pepper_tui.clock import SystemClock
from pepper_tui.command.cli import app
from pepper_tui.config import DATABASE, parse_config
from pepper_tui.engine.answers.served import ServedEngine
from pepper_tui.model import OPEN_TAG, ContextUpdate, Namespace, Notification
from pepper_tui.store import ContextStore, Retry, Subscriber
from tests.waiting import until


async def leave_a_dead_letter(home: Path) -> None:
    store = await ContextStore.open(home / DATABASE, SystemClock())
    subscriber = Subscriber(store)

    @subscriber.on_context_update(namespaces=["raw.*"], name="broken feed", retry=Retry(attempts=1))
    async def handler(update: ContextUpdate) -> None:
        raise RuntimeError("a fault \x1b[31mof its own")

    await subscriber.start()
    await store.store({"id": "one"}, namespace="raw.mail")
    await until(lambda: _is_dead(store))
    await subscriber.stop()
    await store.close()


async def _is_dead(store: ContextStore) -> bool:
    return bool(await store.dead())


async def leave_notes(home: Path) -> None:
    store = await ContextStore.open(home / DATABASE, SystemClock())
    for number in (1, 2, 3):
        text = f"milk\x1b[31m {number}"
        await store.store({"title": "shopping"}, namespace="note", context_id="note_1", text=text)
    notice = Notification("ntf_1", "title", "body", "reason", "note:note_1", 1.0)
    await store.put(notice, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG])
    await store.store({}, namespace="note", context_id="twice")
    await store.store({}, namespace="memory.a", context_id="twice")
    await store.close()


async def close_the_notice(home: Path) -> None:
    store = await ContextStore.open(home / DATABASE, SystemClock())
    await store.delete("ntf_1", namespace=Namespace.NOTIFICATION)
    await store.close()


def run(home: Path, *words: str, give: str | None = None) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["--home", str(home), "store", *words], input=give)
    return found.exit_code, found.output


def command(home: Path, *words: str) -> str:
    code, output = run(home, *words)
    assert code == 0, output
    return output


@asynccontextmanager
async def engine_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServedEngine]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    engine = await ServedEngine.open(home, parse_config("", home / "config.toml"))
    await engine.start(feeds=False)
    try:
        yield engine
    finally:
        await engine.close()


def test_dead_letters_are_shown_and_handed_out_again(tmp_path: Path) -> None:
    asyncio.run(leave_a_dead_letter(tmp_path))
    shown = command(tmp_path, "dead")
    assert "broken feed" in shown
    assert "of its own" in shown
    assert "\x1b" not in shown
    assert "subscriptions: name broken feed, pending 0, retrying 0, dead 1, active no" in command(tmp_path, "stats")
    assert "1 handed out again" in command(tmp_path, "dead", "--redrive")
    assert "no dead letters" in command(tmp_path, "dead")


async def test_both_reach_an_engine_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await leave_a_dead_letter(tmp_path)
    async with engine_in(tmp_path, monkeypatch) as engine:
        assert "dead 1" in await asyncio.to_thread(command, tmp_path, "stats")
        assert "1 handed out again" in await asyncio.to_thread(command, tmp_path, "dead", "--redrive")
        assert await engine.dead_letters() == []


def test_a_note_goes_back_to_an_earlier_version(tmp_path: Path) -> None:
    asyncio.run(leave_notes(tmp_path))
    shown = command(tmp_path, "history", "note_1")
    assert [line.split()[0] for line in shown.splitlines()] == ["3", "2", "1"]
    assert "milk 2" in shown
    assert "\x1b" not in shown
    assert "note:note_1: version 4 is version 1 again" in command(tmp_path, "rollback", "note:note_1", "1")
    assert "milk 1" in command(tmp_path, "history", "note_1", "-n", "1")
    assert "says that already" in command(tmp_path, "rollback", "note_1", "1")


def test_what_can_not_go_back_says_why(tmp_path: Path) -> None:
    asyncio.run(leave_notes(tmp_path))
    for words, told in (
        (("rollback", "ntf_1", "1"), "can't be rolled back: it passes through states"),
        (("rollback", "note_1", "9"), "no version 9 any more; kept are 1, 2, 3"),
        (("history", "twice"), "several contexts are called so: note:twice, memory.a:twice"),
        (("history", "nobody"), "there is no context 'nobody'"),
    ):
        code, output = run(tmp_path, *words)
        assert code == 1
        assert told in output


async def test_they_reach_an_engine_that_runs_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await leave_notes(tmp_path)
    async with engine_in(tmp_path, monkeypatch) as engine:
        assert "milk 3" in await asyncio.to_thread(command, tmp_path, "history", "note_1")
        assert "version 4" in await asyncio.to_thread(command, tmp_path, "rollback", "note_1", "2")
        note = await engine.store.get("note_1", namespace="note")
        assert note is not None
        assert note.text.endswith("2")
        code, output = await asyncio.to_thread(run, tmp_path, "rollback", "ntf_1", "1")
        assert code == 1
        assert "it passes through states" in output


async def test_a_running_store_is_exported_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await leave_notes(tmp_path)
    file = tmp_path / "x.jsonl"
    async with engine_in(tmp_path, monkeypatch):
        assert "updates" in await asyncio.to_thread(command, tmp_path, "export", str(file))
        copy = await asyncio.to_thread(back_up_to, tmp_path / "copy.db", tmp_path)
        for words in (
            ("import", str(file)),
            ("restore", str(copy)),
            ("vacuum",),
            ("purge", "--namespace", "*", "--yes"),
        ):
            code, output = await asyncio.to_thread(run, tmp_path, *words)
            assert code == 3
            assert "wants the store to itself" in output


def back_up_to(target: Path, home: Path) -> Path:
    assert f"{target}: " in command(home, "backup", str(target))
    return target


def test_a_copy_is_made_and_gone_back_to(tmp_path: Path) -> None:
    asyncio.run(leave_notes(tmp_path))
    done = re.fullmatch(
        r"(.*): ([\d,]+) bytes, whole\. To go back to it: pepper store restore (.*)\n", command(tmp_path, "backup")
    )
    assert done is not None
    copy = Path(done[1])
    assert re.fullmatch(r"pepper-\d{8}T\d{6}Z\.db", copy.name)
    assert (copy.parent, done[3], int(done[2].replace(",", ""))) == (
        tmp_path / "backups", str(copy), copy.stat().st_size)  # fmt: skip
    assert (stat.S_IMODE(copy.stat().st_mode), stat.S_IMODE(copy.parent.stat().st_mode)) == (0o600, 0o700)
    code, output = run(tmp_path, "backup", str(copy))
    assert (code, "already exists; name a new file, or use --force" in output) == (1, True)
    command(tmp_path, "backup", str(copy), "--force")
    command(tmp_path, "rollback", "note_1", "1")
    output = command(tmp_path, "restore", str(copy))
    assert re.search(r"the store that was there: (.*)pepper\.db\.\d{8}T\d{6}Z\.before-restore\n", output)
    assert "milk 3" in command(tmp_path, "history", "note_1", "-n", "1")
    code, output = run(tmp_path, "restore", str(tmp_path / "gone"))
    assert (code, "there is no file" in output) == (1, True)
    asyncio.run(close_the_notice(tmp_path))
    output = command(tmp_path, "purge", "--id", "note:note_1", "--yes")
    assert "older copies of the store may still hold it; remove them yourself: " in output
    assert str(copy) in output
    assert output.count("before-restore") == 1


def test_a_store_moves_to_a_new_home(tmp_path: Path) -> None:
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "x.jsonl"
    asyncio.run(leave_notes(old))
    (old / "secrets.toml").write_text('KEY = "sk-planted"')
    assert "6 updates, 0 subscriptions" in command(old, "export", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "sk-planted" not in file.read_text()
    assert "6 updates" in command(new, "import", str(file))
    assert command(new, "history", "note_1") == command(old, "history", "note_1")
    code, output = run(new, "import", str(file))
    assert code == 1
    assert "holds 6 updates already" in output
    assert "the store that was there: " in command(new, "import", str(file), "--replace")
    code, piped = run(old, "export", "-")
    assert code == 0
    assert [json.loads(line) for line in piped.splitlines()][1:] == [
        json.loads(line) for line in file.read_text().splitlines()
    ][1:]
    code, output = run(tmp_path / "third", "import", "-", give=piped)
    assert (code, "6 updates" in output) == (0, True)


def test_a_fault_names_its_line_and_a_file_that_is_not_there_its_name(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    code, output = run(tmp_path, "import", str(file))
    assert (code, "x.jsonl: No such file" in output) == (1, True)
    file.write_text('{"pepper": "store", "format": 1, "schema": 1, "last_seq": 0}\n{"update": {}}\n')
    code, output = run(tmp_path, "import", str(file))
    assert (code, "line 2: update has no seq. Nothing was imported" in output) == (1, True)
    file.write_bytes(b"\xff\xfe\x00")
    code, output = run(tmp_path, "import", str(file))
    assert (code, "not text in UTF-8" in output) == (1, True)
    code, output = run(tmp_path, "export", str(tmp_path / "y"))
    assert (code, "there is no store" in output) == (1, True)


def test_a_purge_asks_and_says_what_stays(tmp_path: Path) -> None:
    asyncio.run(leave_notes(tmp_path))
    assert run(tmp_path, "purge")[0] == 2
    code, output = run(tmp_path, "purge", "--namespace", "note")
    assert (code, "say --yes" in output) == (2, True)
    code, output = run(tmp_path, "purge", "--id", "note:note_1", "--yes")
    assert (code, "stay: is open" in output) == (1, True)
    code, output = run(tmp_path, "purge", "--id", "note:nobody", "--yes")
    assert (code, "there is no note:nobody" in output) == (1, True)
    assert run(tmp_path, "purge", "--id", "note_1")[0] == 2
    asyncio.run(close_the_notice(tmp_path))
    assert "milk" in command(tmp_path, "history", "note_1")
    assert "nothing to remove" in command(tmp_path, "purge", "--older-than", "3", "--yes")
    done = command(tmp_path, "purge", "--namespace", "note", "--yes")
    assert re.search(r"2\s+note\n2 contexts removed, 4 versions", done)
    assert run(tmp_path, "history", "note_1")[0] == 1
    assert b"milk" not in (tmp_path / DATABASE).read_bytes()
    assert re.fullmatch(r"[\d,]+ bytes before, [\d,]+ after\n", command(tmp_path, "vacuum"))


@pytest.mark.parametrize(("out", "back"), [("export", "import"), ("backup", "restore")])
async def test_a_home_that_others_may_read_is_closed(tmp_path: Path, out: str, back: str) -> None:
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "file"
    old.mkdir(mode=0o700)
    await leave_notes(old)
    command(old, out, str(file))
    new.mkdir()
    new.chmod(0o755)
    command(new, back, str(file))
    assert stat.S_IMODE(new.stat().st_mode) == 0o700
