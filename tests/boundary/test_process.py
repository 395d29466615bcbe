"""The parser process holds its bounds whatever it is given, and the next item goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pepper_tui.boundary import process
from pepper_tui.boundary.process import NotRead, ParserProcess
from pepper_tui.domains.bounded import parse_mails
from pepper_tui.domains.mail.content.mime import parse_mail
from tests.domains.mail.mails import KINDS, varied

HOSTILE = "tests.boundary.hostile"


@pytest.fixture
def parser() -> Iterator[ParserProcess]:
    made = ParserProcess(HOSTILE, seconds=0.3, megabytes=64)
    yield made
    made.end()


def there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def soon(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    ends = time.monotonic() + seconds
    while not condition() and time.monotonic() < ends:
        time.sleep(0.01)
    return condition()


@pytest.mark.parametrize("function", ["spin", "rescan"])
def test_what_takes_too_long_is_told_and_the_next_goes_on(parser: ParserProcess, function: str) -> None:
    before, stuck, after = parser.parse(function, [b"a", b"spin", b"b"])
    assert (before, after) == ("done", "done")
    assert stuck == NotRead("it takes more than 0.3 s of processor time")


@pytest.mark.parametrize("function", ["eat", "hide"])
def test_what_takes_too_much_memory_is_told_and_the_next_goes_on(parser: ParserProcess, function: str) -> None:
    before, hungry, after = parser.parse(function, [b"1", b"500", b"2"])
    assert (before, after) == (1024 * 1024, 2 * 1024 * 1024)
    assert hungry == NotRead("it takes more than 64 MB of memory")


def test_a_parser_that_dies_is_told(parser: ParserProcess) -> None:
    found = parser.parse("leave", [b"7", b"0"])
    assert found == [NotRead("its parser ended (7)"), NotRead("its parser ended (0)")]


def test_an_error_costs_no_process(parser: ParserProcess) -> None:
    [first] = parser.parse("echo", [b"x"])
    assert parser.parse("fail", [b"no date"]) == [{"failed": "ValueError: no date"}]
    assert parser.parse("echo", [b"x"]) == [first]


def test_it_reaches_no_file_no_host_and_no_secret(
    parser: ParserProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("4711")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-4711")
    with socket.create_server(("127.0.0.1", 0)) as server:
        [read] = parser.parse("read", [str(secret).encode()])
        [written] = parser.parse("write", [str(tmp_path / "new").encode()])
        [connected] = parser.parse("connect", [str(server.getsockname()[1]).encode()])
    for refused in (read, written, connected):
        assert "Too many open files" in refused["failed"]
    assert not (tmp_path / "new").exists()
    [environment] = parser.parse("environment", [b""])
    assert environment.keys() <= {"PYTHONPATH", "LC_ALL", "LC_CTYPE"}


def test_much_goes_both_ways(parser: ParserProcess) -> None:
    sources = [bytes([65 + number % 26]) * (number * 40_000) for number in range(30)]
    found = parser.parse("echo", sources, times=2)
    assert [each["text"] for each in found] == [source.decode() * 2 for source in sources]


def test_several_threads_share_it(parser: ParserProcess) -> None:
    found: dict[int, str] = {}

    def ask(number: int) -> None:
        found[number] = parser.parse("echo", [str(number).encode()])[0]["text"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == {number: str(number) for number in range(8)}


def test_it_ends_when_nobody_asks_and_begins_anew() -> None:
    parser = ParserProcess(HOSTILE, idle=0.05)
    try:
        first = parser.parse("echo", [b"x"])[0]["process"]
        assert soon(lambda: not there(first))
        second = parser.parse("echo", [b"x"])[0]
        assert second["text"] == "x"
        assert second["process"] != first
    finally:
        parser.end()


def test_one_that_is_silent_is_ended(parser: ParserProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    [asked] = parser.parse("echo", [b"x"])
    monkeypatch.setattr(process, "LONGEST", 0.2)
    os.kill(asked["process"], signal.SIGSTOP)
    assert parser.parse("echo", [b"x"]) == [NotRead("its parser did not answer")]
    assert not there(asked["process"])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_parent(how: signal.Signals) -> None:
    program = (
        "from pepper_tui.boundary.process import ParserProcess; import time; "
        "p = ParserProcess('tests.boundary.hostile'); "
        "print(p.parse('echo', [b'x'])[0]['process'], flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert there(child)
    parent.send_signal(how)
    parent.wait(10)
    assert soon(lambda: not there(child))


def test_it_reads_each_kind_of_mail_as_the_parser_does() -> None:
    sources = [varied(number) for number in range(len(KINDS))]
    assert parse_mails(sources, 1_000_000) == [parse_mail(source, 1_000_000) for source in sources]


def test_a_mail_that_no_parser_gets_through_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = ParserProcess(HOSTILE, seconds=0.3)

    def stuck(_: str, sources: list[bytes], **options: object) -> list[object]:
        del options
        return hostile.parse("spin", sources)

    monkeypatch.setattr("pepper_tui.domains.bounded.PROCESS.parse", stuck)
    try:
        [mail] = parse_mails([b"spin"], 1_000_000)
    finally:
        hostile.end()
    assert mail.subject == "(a mail that could not be read)"
    assert mail.defects == ["not read: it takes more than 0.3 s of processor time"]
    assert (mail.text, mail.size) == ("spin", 4)
