"""exec: real programs, with all that programs do: crash, flood, print nonsense, fork, ignore signals, outlive."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock, SystemClock
from pepper_tui.config import Config, Secrets
from pepper_tui.connectors.program.feed import ExecFeed
from pepper_tui.connectors.program.lines import Lines
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore
from tests.feeds.ruled import triage_of
from tests.feeds.test_supervision import Running
from tests.waiting import until

RUN_ON = "\nimport sys, time\nsys.stdout.flush()\ntime.sleep(600)\n"


class Program(Running):
    """An exec feed whose program is a small script."""

    def __init__(
        self, store: ContextStore, clock: Any, folder: Path, script: str, env: dict[str, str] | None = None, **more: Any
    ) -> None:
        (folder / "program.py").write_text(script)
        table = {"name": "builds", "command": [sys.executable, "-u", "program.py", "an argument"], **more}
        watch = {"name": "red", "source": "builds", "words": ["failed"], "priority": "urgent", "notify": True}
        config = Config.model_validate({"exec": [table], "watch": [watch]})
        super().__init__(store, clock, ExecFeed(config.exec[0], triage_of(config), lambda: env or {}, folder))


def alive(pid: int) -> bool:
    """Whether the process is there and not just waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def pid_in(file: Path) -> int:
    await until(lambda: file.exists() and bool(file.read_text().strip()), 20)
    return int(file.read_text())  # noqa: ASYNC240


def say(*objects: Any) -> str:
    return "".join(f"print({json.dumps(each)!r})\n" for each in objects)


async def test_each_line_is_a_signal_by_the_rules_once(
    store: ContextStore, clock: ManualClock, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = say(
        {"id": 1, "title": "Build 1 passed", "priority": "low", "reason": "nightly", "metadata": {"url": "https://x"}},
        {"id": 2, "content": "Build 2 failed", "metadata": {"rules": [{"acts": ["draft"]}]}},
        {"id": 2, "content": "Build 2 failed again"},
        {"text": "no id"}, {"text": "no id"},
    ) + "print('loud', file=__import__('sys').stderr)"  # fmt: skip
    for _ in range(2):
        async with Program(store, clock, tmp_path, script + RUN_ON) as feed:
            await feed.becomes("ok")
            found = {one["content"]: one for one in await feed.signals(3)}
    first, second = found["Build 1 passed"], found["Build 2 failed"]
    assert (first["priority"], first["reason"], first["metadata"]["url"]) == ("low", "nightly", "https://x")
    assert (second["priority"], second["source"]) == ("urgent", "builds")
    assert [match["acts"] for match in second["metadata"]["rules"]] == [["notify"]], "only a rule orders an act"
    assert "loud" not in "".join(capfd.readouterr())


async def test_it_gets_its_arguments_and_few_variables(
    store: ContextStore, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "planted")
    script = (
        "import json, os, sys\n"
        "print(json.dumps({'text': ' '.join([sys.argv[1], os.getcwd(), os.environ.get('OPENAI_API_KEY', 'none'),"
        " os.environ['TOKEN'], str(sys.stdin.read())])}))\n"
    )
    async with Program(store, clock, tmp_path, script + RUN_ON, {"TOKEN": "t"}) as feed:
        [signal_] = await feed.signals(1)
    assert signal_["content"] == f"an argument {tmp_path} none t"


@pytest.mark.parametrize(
    "script", ["import sys; print('bad s3cr3t-key', file=sys.stderr); sys.exit(1)", "print('s3cr3t-key')"]
)
async def test_what_it_says_is_told_without_secrets(
    store: ContextStore, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(Secrets, "given", {"s3cr3t-key"})
    async with Program(store, clock, tmp_path, script + RUN_ON) as feed:
        health = await feed.becomes("trouble")
    assert "[secret]" in health["detail"]
    assert "s3cr3t" not in health["detail"]


async def test_what_is_no_object_is_told_and_harms_nothing(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    script = (
        "import sys\nw = sys.stdout.buffer.write\n"
        'w(b\'not json \\x1b]0;title\\x07\\n[1]\\n"x"\\n{}\\n{"priority": "huge", "text": "x"}\\n\\xff\\xfe\\n\\n\')\n'
        "w(b'[' * 100000 + b'\\n' + b'y' * 3000000 + b'\\n')\n"
        """w(b'{"text": "deep", "n": ' + b'[' * 700 + b']' * 700 + b'}\\n')\n"""
        'w(b\'{"text": "lone \\\\ud800 half", "n": NaN}\\n{"text": "good"}\')\n'
    )
    async with Program(store, clock, tmp_path, script + RUN_ON.replace("600", "0"), every=60) as feed:
        found = {one["content"] for one in await feed.signals(2)}
        assert found == {"lone ? half", "good"}
        health = await feed.becomes("trouble")

        async def told() -> bool:
            nonlocal health
            health = await feed.health()
            return "next run" in health["detail"]

        await until(told)
        assert "8 of its lines are not JSON objects with content" in health["detail"]
        assert "1 of its lines are longer than 262144 bytes" in health["detail"]
        assert "\x1b" not in health["detail"]
        assert "must be a JSON object" in health["remedy"]


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("sys.exit('no such project')", "ended with exit code 1: no such project"),
        ("os.kill(os.getpid(), 11)", "was ended by SIGSEGV"),
        ("sys.exit(0)", "ended with exit code 0"),
        ("raise ValueError('x' * 5000)", "ended with exit code 1: ValueError: xxx"),
    ],
)
async def test_how_it_ended_is_told_and_it_is_started_again(
    store: ContextStore, clock: ManualClock, tmp_path: Path, ending: str, words: str
) -> None:
    script = f"import os, sys\nopen('starts', 'a').write('x')\n{ending}\n"
    async with Program(store, clock, tmp_path, script) as feed:
        health = await feed.becomes("trouble")
        assert words in health["detail"]
        assert "started again by itself" in health["remedy"]
        starts = tmp_path / "starts"
        waited = 0

        async def again() -> bool:
            nonlocal waited
            if len(starts.read_text()) < 4:
                if (await feed.health())["state"] == "trouble":
                    await clock.advance(1)
                    waited += 1
                return False
            return True

        await until(again, 30)
        assert waited >= 5, "the pauses grow"


async def test_one_that_is_meant_to_end_is_run_again(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    script = "import os\nn = len(os.listdir('.'))\nopen(f'run{n}', 'w')\nprint('{\"text\": \"run %d\"}' % n)\n"
    async with Program(store, clock, tmp_path, script, every=300) as feed:
        await feed.signals(1)
        await until(lambda: _says(feed, "next run in 300 s"))
        assert (await feed.health())["state"] == "ok"
        await clock.advance(301)
        await feed.signals(2)


async def _says(feed: Program, words: str) -> bool:
    return words in (await feed.health())["detail"]


async def test_a_program_that_is_not_there(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    async with Program(store, clock, tmp_path, "", command=["no-such-program-at-all"]) as feed:
        health = await feed.becomes("trouble")
    assert "no-such-program-at-all: No such file" in health["detail"]


async def test_a_flood_is_held_back_and_loses_nothing(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    script = 'for n in range(250):\n    print(\'{"id": %d, "text": "line %d", "priority": "log"}\' % (n, n))\n'
    namespace = ContextFilter(namespaces=["raw.builds"])
    async with Program(store, clock, tmp_path, script + RUN_ON, per_minute=100) as feed:
        health = await feed.becomes("trouble")
        assert "more than 100 lines a minute; it waits" in health["detail"]
        assert "per_minute" in health["remedy"]
        assert await store.count(namespace) == 100
        counts = {100}

        async def all_there() -> bool:
            await clock.advance(10)
            await asyncio.sleep(0.02)
            counts.add(await store.count(namespace))
            return 250 in counts

        await until(all_there)
        assert clock.monotonic() >= 120
        assert 200 in counts


async def test_an_endless_line_takes_no_memory(store: ContextStore, tmp_path: Path) -> None:
    script = "import sys\nwhile True: sys.stdout.write('x' * 1000000)\n"
    lines = Lines()
    async with Program(store, SystemClock(), tmp_path, script) as feed:
        assert "longer than" in (await feed.becomes("trouble"))["detail"]
    for _ in range(100):
        lines.cut(b"x" * 65536)
    assert len(lines._rest) <= 65536 * 5


DESCENDANTS = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", stubborn])
open("child.pid", "w").write(str(child.pid))
open("own.pid", "w").write(str(os.getpid()))
print('{"text": "ready"}', flush=True)
"""


async def test_stopping_ends_all_of_its_group_however_stubborn(store: ContextStore, tmp_path: Path) -> None:
    async with Program(store, SystemClock(), tmp_path, DESCENDANTS + RUN_ON) as feed:
        await feed.signals(1)
        pids = [await pid_in(tmp_path / name) for name in ("own.pid", "child.pid")]
        assert all(map(alive, pids))
        assert os.getpgid(pids[0]) not in (os.getpgrp(), 0)
    await until(lambda: not any(map(alive, pids)))


@pytest.mark.parametrize("wait", [0.0, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2])
async def test_a_stop_in_its_first_moments_leaves_no_program(store: ContextStore, tmp_path: Path, wait: float) -> None:
    script = "import os\nopen('own.pid', 'w').write(str(os.getpid()))\n" + RUN_ON
    async with Program(store, SystemClock(), tmp_path, script):
        await asyncio.sleep(wait)
    own = tmp_path / "own.pid"
    for _ in range(20):  # it may have been about to begin
        assert not own.exists() or not own.read_text() or not alive(int(own.read_text()))
        await asyncio.sleep(0.02)


async def test_a_program_ends_with_a_keeper_that_is_killed(store: ContextStore, tmp_path: Path) -> None:
    script = (
        "import os\nopen('own.pid', 'w').write(f'{os.getpid()}')\nopen('keeper.pid', 'w').write(f'{os.getppid()}')\n"
    )
    async with Program(store, SystemClock(), tmp_path, script + RUN_ON):
        own, keeper = [await pid_in(tmp_path / name) for name in ("own.pid", "keeper.pid")]
        os.kill(keeper, signal.SIGKILL)
        await until(lambda: not alive(own))


async def test_what_a_program_leaves_behind_is_ended(store: ContextStore, tmp_path: Path) -> None:
    async with Program(store, SystemClock(), tmp_path, DESCENDANTS, every=600) as feed:
        await feed.signals(1)
        child = await pid_in(tmp_path / "child.pid")
        await until(lambda: _says(feed, "next run"))
        await until(lambda: not alive(child))


HOST = """
import asyncio, sys
from pathlib import Path
from zoneinfo import ZoneInfo
from pepper_tui.clock import SystemClock
from pepper_tui.config import Config
from pepper_tui.connectors.program.feed import ExecFeed
from pepper_tui.feeds import Feeds, Triage
from pepper_tui.store import ContextStore, Subscriber

async def main():
    folder = Path(sys.argv[1])
    config = Config.model_validate({"exec": [{"name": "builds", "command": [sys.executable, "program.py"]}]})
    clock = SystemClock()
    store = await ContextStore.open(folder / "pepper.db", clock)
    feed = ExecFeed(config.exec[0], Triage(config), dict, folder)
    Feeds([feed], store, clock, Subscriber(store), ZoneInfo("UTC")).start()
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_a_pepper_that_is_killed_leaves_no_program(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(DESCENDANTS + RUN_ON)
    host = subprocess.Popen([sys.executable, "-c", HOST, str(tmp_path)], cwd=Path(__file__).parents[3])
    try:
        pids = asyncio.run(_pids(tmp_path))
        assert all(map(alive, pids))
    finally:
        host.send_signal(signal.SIGKILL)
        host.wait()
    asyncio.run(_gone(pids))


async def _pids(folder: Path) -> list[int]:
    return [await pid_in(folder / name) for name in ("own.pid", "child.pid")]


async def _gone(pids: list[int]) -> None:
    try:
        await until(lambda: not any(map(alive, pids)))
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("name", ["mail", "Builds", "a.b", "own", ""])
def test_a_name_that_is_taken_or_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"exec|name"):
        Config.model_validate(
            {"exec": [{"name": name, "command": ["true"]}], "feed": [{"name": "own", "file": "own.py"}]}
        )


def test_a_secret_in_the_config_itself_is_refused() -> None:
    with pytest.raises(ValueError, match=r"env\.TOKEN looks like a secret"):
        Config.model_validate({"exec": [{"name": "a", "command": "true", "env": {"TOKEN": "planted"}}]})
    Config.model_validate({"exec": [{"name": "a", "command": "true", "env": {"TOKEN": "env:TOKEN", "MODE": "x"}}]})


@given(st.lists(st.binary(max_size=40)), st.integers(1, 7))
def test_lines_are_the_same_however_they_are_cut(lines: list[bytes], step: int) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    stream, cutter = b"\n".join(lines), Lines(20)
    found: list[bytes] = []
    for at in range(0, len(stream), step):
        found += cutter.cut(stream[at : at + step])
    found += cutter.last()
    assert found == [line for line in lines if line.strip() and len(line) <= 20]
    assert cutter.dropped == sum(len(line) > 20 for line in lines)
