"""The reaper: only messages pass, and nothing of a server outlives Pepper, however Pepper ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pepper_tui.boundary import bounded_http
from pepper_tui.connectors.mcp.session import reaper
from tests.connectors.mcp.bench import alive
from tests.waiting import until

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-S", "-c", "import signal, time; signal.signal(15, 1); time.sleep(600)"])
print('{"pids": [%d, %d]}' % (os.getpid(), child.pid), flush=True)
time.sleep(600)
"""
PEPPER = """
import subprocess, sys, time
reaper = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
print(reaper.pid, flush=True)
time.sleep(600)
"""


def command(log: Path, *server: str) -> list[str]:
    return [sys.executable, "-I", "-S", reaper.__file__, str(log), "--", *server]


def killed_pepper(tmp_path: Path) -> list[int]:
    """The processes of a stubborn server and its reaper, whose Pepper has just been killed."""
    server = command(tmp_path / "log", sys.executable, "-S", "-c", STUBBORN)
    pepper = subprocess.Popen([sys.executable, "-c", PEPPER, *server], stdout=subprocess.PIPE, text=True)
    assert pepper.stdout is not None
    said = pepper.stdout.readline() + pepper.stdout.readline()
    pids = [int(word) for word in re.findall(r"\d+", said)]
    assert len(pids) == 3
    assert all(alive(pid) for pid in pids)
    os.kill(pepper.pid, signal.SIGKILL)
    pepper.wait()
    return pids


async def test_a_server_that_will_not_end_ends_with_a_pepper_that_was_killed(tmp_path: Path) -> None:
    pids = killed_pepper(tmp_path)
    await until(lambda: not any(alive(pid) for pid in pids), 10.0, "that nothing is left")


def test_only_lines_that_may_be_messages_pass(tmp_path: Path) -> None:
    lines = ["noise", "", '{"a": 1}', "[1]", "  {", "x" * 70_000, '{"b": "' + "y" * 200_000 + '"}']
    (tmp_path / "lines").write_text("\n".join(lines) + "\n{ unfinished")
    server = f"print(open({str(tmp_path / 'lines')!r}).read(), end='')"
    done = subprocess.run(
        command(tmp_path / "log", sys.executable, "-c", server), input="", capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [line for line in lines if line.strip().startswith("{")]
    assert "[stdout] noise" in (tmp_path / "log").read_text()


def test_a_line_without_an_end_fills_no_memory(tmp_path: Path) -> None:
    server = "import sys\nfor _ in range(48): sys.stdout.write('{' + 'x' * 1_000_000)\nprint('\\n{}')"
    done = subprocess.run(
        command(tmp_path / "log", sys.executable, "-c", server), input="", capture_output=True, text=True, check=False
    )
    assert done.stdout == "{}\n"
    assert "was dropped" in (tmp_path / "log").read_text()


def test_a_message_of_too_many_parts_does_not_pass(tmp_path: Path) -> None:
    server = "print('{\"a\": [' + '[],' * 250_000 + '1]}')\nprint('{\"b\": \"' + 'x' * 1_000_000 + '\"}')"
    done = subprocess.run(
        command(tmp_path / "log", sys.executable, "-c", server), input="", capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith('{"b"')
    assert "parts was dropped" in (tmp_path / "log").read_text()


def kept(tmp_path: Path, server: str) -> list[str]:
    """The lines that pass of what a server writes whose code this is."""
    done = subprocess.run(
        command(tmp_path / "log", sys.executable, "-c", server), input="", capture_output=True, text=True, check=False
    )
    return done.stdout.splitlines()


TOO_MUCH = {
    "bytes": ("'\"' + 'x' * 17_000_000 + '\"'", "more than 16777216 bytes"),
    "parts": ("'[' + '[],' * 50_000 + '1]'", "more than 150000 parts"),
}
ANSWERS = {
    "id first": ("{{'jsonrpc': '2.0', 'id': {id}, 'result': 0}}", [5, "a-1"]),
    "id before the version": ("{{'id': {id}, 'jsonrpc': '2.0', 'error': 0}}", [5, 0]),
    "id last": ("{{'result': 0, 'jsonrpc': '2.0', 'id': {id}}}", [5, "a-1"]),
    "id, then the version": ("{{'result': 0, 'id': {id}, 'jsonrpc': '2.0'}}", [5]),
    "version first, id last": ("{{'jsonrpc': '2.0', 'error': 0, 'id': {id}}}", [5]),
}


@pytest.mark.parametrize("much", TOO_MUCH)
@pytest.mark.parametrize("indent", ["", ", indent=None, separators=(',', ':')"], ids=["wide", "narrow"])
@pytest.mark.parametrize(("shape", "ident"), [(shape, each) for shape, (_, ids) in ANSWERS.items() for each in ids])
def test_in_place_of_an_answer_that_does_not_pass_goes_an_error(
    tmp_path: Path, shape: str, ident: int | str, much: str, indent: str
) -> None:
    value, why = TOO_MUCH[much]
    message = ANSWERS[shape][0].format(id=repr(ident))
    server = f"import json\nprint(json.dumps({message}{indent}).replace(': 0', ':0').replace(':0', ':' + {value}, 1))"
    if ident == 0:
        server = server.replace(".replace(':0', ':' +", ".replace('\"error\":0', '\"error\":' +")
    [told] = map(json.loads, kept(tmp_path, server + "\nprint('not a message')"))
    assert (told["jsonrpc"], told["id"]) == ("2.0", ident)
    assert why in told["error"]["message"]
    assert "nobody knows" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "message",
    [
        '{"jsonrpc": "2.0", "id": 5, "method": "sampling/createMessage", "params": "X"}',
        '{"jsonrpc": "2.0", "method": "notifications/message", "params": {"id": 5, "data": "X"}}',
        '{"method": "x", "params": "X", "id": 5}',
        '{"result": {"data": "X", "id": 5}}',
        '{"result": "X, \\"id\\": 5}"}',
        '{"jsonrpc": "2.0", "id": 007, "result": "X"}',
        '{"jsonrpc": "2.0", "id": null, "result": "X"}',
        '{"jsonrpc": "2.0", "id": [5], "result": "X"}',
        '{"extra": 1, "id": 5, "result": "X"}',
        'X{"id": 5, "result": 1}',
    ],
)
def test_what_may_be_no_answer_gets_none_and_the_log_says_so(tmp_path: Path, message: str) -> None:
    """An id of a server's own request, or of something within, is not that of a call."""
    assert kept(tmp_path, f"print({message!r}.replace('X', 'x' * 17_000_000))") == []
    assert "dropped; if it was an answer, nobody knows to what" in (tmp_path / "log").read_text()


def test_an_answer_without_an_end_is_refused_before_its_end(tmp_path: Path) -> None:
    server = (
        'import sys\nsys.stdout.write(\'{"jsonrpc": "2.0", "id": 3, "result": "\')\n'
        "for _ in range(40): sys.stdout.write('x' * 1_000_000)"
    )
    assert [json.loads(line)["id"] for line in kept(tmp_path, server)] == [3]  # once, though no line has ended


def test_both_ways_to_a_server_count_parts_alike() -> None:
    for data in (b"{}", b"[1, 2, 3]", b'{"a": [1, {}]}', b"word, word"):
        assert reaper.parts(data) == bounded_http.parts(data)
