"""Signing in by a token: refused, renewed once, and told in words; the program that prints it is bounded."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Session, auth_mechanism

from pepper_tui.config import Config, Secrets
from pepper_tui.connectors.bearer import TokenCommand, TokenError, why_refused
from pepper_tui.connectors.finding import Patient
from pepper_tui.connectors.imap.check import check
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.tools.errors import NotDoneError
from tests.connectors.imap.conftest import Make
from tests.connectors.imap.listening import Listening
from tests.connectors.imap.servers import PASSWORD, USER, Server
from tests.domains.mail.mails import mail
from tests.tools.sink import Taken

WHY = base64.b64encode(json.dumps({"status": "401", "schemes": "Bearer", "scope": "https://mail.example/"}).encode())
GOOD, OLD = "good.token-1", "old.token-0"


class TokenRoad(Listening):
    """A road to an IMAP server that takes a token in place of the password, as Google's and Microsoft's do."""

    def __init__(self, to: int, way: str = "XOAUTH2") -> None:
        super().__init__()
        self._to, self._way = to, way
        self.shown: list[str] = []
        self.answered: list[bytes] = []

    def serve(self, near: socket.socket) -> None:
        far = socket.create_connection(("127.0.0.1", self._to))
        with contextlib.suppress(OSError), near.makefile("rb") as asked, far.makefile("rb") as said:
            near.sendall(re.sub(rb"AUTH=\S+", b"AUTH=" + self._way.encode(), said.readline()))
            while line := asked.readline():
                tag, _, command = line.strip().partition(b" ")
                if command == b"AUTHENTICATE " + self._way.encode():
                    if not self._taken(near, asked, tag):
                        continue
                    quoted = re.sub(r'(["\\])', r"\\\1", PASSWORD)
                    line = b'%b LOGIN %b "%b"\r\n' % (tag, USER.encode(), quoted.encode())
                far.sendall(line)
                self._answer(near, said, far, asked, tag, command)

    def _answer(self, near: Any, said: Any, far: Any, asked: Any, tag: bytes, command: bytes) -> None:
        while answer := said.readline():
            near.sendall(re.sub(rb"AUTH=\S+", b"AUTH=" + self._way.encode(), answer))
            if answer.startswith(b"+ "):  # IDLE
                far.sendall(asked.readline())
            if answer.startswith(tag + b" "):
                return

    def _taken(self, near: socket.socket, asked: Any, tag: bytes) -> bool:
        near.sendall(b"+ \r\n")
        words = base64.b64decode(asked.readline())
        start = b"user=alex\1auth=Bearer " if self._way == "XOAUTH2" else b"n,a=alex,\1auth=Bearer "
        assert words.startswith(start), words
        assert words.endswith(b"\1\1")
        self.shown.append(words.removeprefix(start)[:-2].decode())
        if self.shown[-1] == GOOD:
            return True
        near.sendall(b"+ " + WHY + b"\r\n")
        self.answered.append(asked.readline())
        near.sendall(tag + b" NO [AUTHENTICATIONFAILED] Invalid credentials " + words + b"\r\n")
        return False


class TokenSink(SMTP):
    """An SMTP server that takes such a token."""

    def __init__(self, taken: list[Taken], shown: list[str]) -> None:
        super().__init__(
            self, hostname="sink", auth_required=True, auth_require_tls=False, auth_exclude_mechanism=["LOGIN", "PLAIN"]
        )
        self.mails, self.shown = taken, shown

    @auth_mechanism("XOAUTH2")
    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:
        self.shown.append(base64.b64decode(args[1]).decode().partition("Bearer ")[2].rstrip("\1"))
        if self.shown[-1] == GOOD:
            return AuthResult(success=True)
        assert await self.challenge_auth(WHY, encode_to_b64=False) == b""
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, server: Any, session: Session, envelope: Any) -> str:
        self.mails.append(Taken(envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content))
        return "250 taken"


def program(folder: Path, *tokens: str) -> list[str]:
    """A program that prints one token after the other, the last one for ever; what it was given is in a file."""
    file = folder / "token"
    (folder / "tokens").write_text("\n".join(tokens) + "\n")
    file.write_text(
        f"#!/bin/sh\nenv > {folder}/env\necho run >> {folder}/runs\nhead -n 1 {folder}/tokens\n"
        f"test $(wc -l < {folder}/tokens) -gt 1 && sed -i 1d {folder}/tokens\nexit 0\n"
    )
    file.chmod(0o700)
    return [str(file), "show"]


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


def with_token(folder: Path, *tokens: str, **more: Any) -> dict[str, Any]:
    return {"password": "", "token_command": program(folder, *tokens), **more}


@pytest.mark.parametrize(("way", "end"), [("XOAUTH2", b"\r\n"), ("OAUTHBEARER", b"AQ==\r\n")])
async def test_an_expired_token_is_renewed_once_and_the_mail_is_read(
    server: Server, account: Make, tmp_path: Path, way: str, end: bytes
) -> None:
    with server.other() as other:
        other.deliver(mail(number=1))
    with TokenRoad(server.port, way) as road:
        work = account(road.port, **with_token(tmp_path, OLD, GOOD))
        await work.start()
        assert (road.shown, road.answered) == ([OLD, GOOD], [end])
        assert runs(tmp_path) == 2
        [taken] = await work.mails()
        found = await work.built.originals[0](taken.data)
        assert found is not None
        assert runs(tmp_path) == 2  # a second link asks for none anew


async def test_a_token_that_is_refused_is_told_in_words_and_not_tried_again_and_again(
    server: Server, account: Make, tmp_path: Path
) -> None:
    with TokenRoad(server.port) as road:
        work = account(road.port, **with_token(tmp_path, "a.a", "b.b"))
        await work.start("trouble")
        state, detail, remedy = await work.until_health("trouble", "did not accept the token")
        assert "did not accept the token of alex (it is not valid any more" in detail
        assert "its scope has to be https://mail.example/" in detail
        assert "sign in again with" in remedy
        await work.clock.advance(120)
        assert road.shown == ["a.a", "b.b"]
        told = f"{state} {detail} {remedy}"
        assert "a.a" not in told
        assert "b.b" not in told


@contextlib.asynccontextmanager
async def smtp(taken: list[Taken], shown: list[str]) -> AsyncIterator[int]:
    import asyncio

    loop = asyncio.get_running_loop()
    sink = await loop.create_server(lambda: TokenSink(taken, shown), "127.0.0.1", 0)
    try:
        yield sink.sockets[0].getsockname()[1]
    finally:
        sink.close()


async def test_what_is_sent_goes_out_by_the_same_token(server: Server, account: Make, tmp_path: Path) -> None:
    taken: list[Taken] = []
    shown: list[str] = []
    async with smtp(taken, shown) as port:
        sending = {"host": "127.0.0.1", "port": port, "security": "none"}
        work = account(server.port, **with_token(tmp_path, OLD, GOOD, smtp=sending))
        await work.built.outboxes[0].send(["a@b.org"], "From: me@example.org\r\n\r\nHi\r\n", lambda: None)
        assert shown == [OLD, GOOD]
        assert [mail.recipients for mail in taken] == [["a@b.org"]]
        refused = account(server.port, **with_token(tmp_path, "x.x", "y.y", smtp=sending))
        with pytest.raises(NotDoneError, match=r"did not accept the token [(]it is not valid any more") as error:
            await refused.built.outboxes[0].send(["a@b.org"], "From: me@example.org\r\n\r\nHi\r\n", lambda: None)
        assert "x.x" not in str(error.value)
        assert len(taken) == 1
        place = {"host": "127.0.0.1", "port": server.port, "security": "none", "user": USER}
        said = {"address": "me@example.org", **place, **with_token(tmp_path, GOOD, smtp=sending)}
        patient = Patient(tmp_path, Config(), Secrets(tmp_path), {}, "work")
        found = [each async for each in check(Imap.model_validate(said), patient)]
        assert found[1].state == "ok", found


BAD: dict[str, tuple[str, str]] = {
    "it fails": ("echo 'no token abcdefghijklmnopqrstuvwxyz0123' >&2; exit 3", "ended with 3: no token …"),
    "it prints nothing": ("exit 0", "printed no access token"),
    "it prints words": ("echo 'sign in first, please'", "printed no access token"),
    "it prints too much": ("yes", "printed more than 20,000 bytes"),
    "it hangs": ("sleep 60", "did not end within 0.5 s"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_program_that_gives_no_token_is_ended_and_named(tmp_path: Path, case: str) -> None:
    script, words = BAD[case]
    (tmp_path / "p").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "p").chmod(0o700)
    with pytest.raises(TokenError, match=re.escape(words)) as error:
        TokenCommand([str(tmp_path / "p")], "token_command of account work", tmp_path, 0.5)()
    assert str(error.value).startswith(f"token_command of account work: {tmp_path}/p ")


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenError, match="nowhere can't be started: No such file"):
        TokenCommand(["/nowhere"], "k", tmp_path)()


def test_the_program_gets_no_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    monkeypatch.setenv("DISPLAY", ":0")
    bearer = TokenCommand(program(tmp_path, GOOD), "k", tmp_path)()
    given = (tmp_path / "env").read_text()
    assert "OPENAI" not in given
    assert "DISPLAY=:0" in given
    assert GOOD not in f"{bearer!r} {bearer}"


def test_a_program_leaves_what_it_started_and_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("#!/bin/sh\nsleep 20 &\necho tok.en\n")
    (tmp_path / "p").chmod(stat.S_IRWXU)
    assert TokenCommand([str(tmp_path / "p")], "k", tmp_path, 10)().token == "tok.en"


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        (WHY, "it is not valid any more, or was never; its scope has to be https://mail.example/"),
        (b'{"status":"invalid_token"}', "invalid_token"),
        (b"", ""),
        (b"!", ""),
        (base64.b64encode(b"[" * 100_000), ""),
        (b'{"status":{"a":1},"scope":"\x1b[31m"}', ""),
    ],
)
def test_what_a_server_says_of_a_token(challenge: bytes, words: str) -> None:
    assert why_refused(challenge) == words


@pytest.mark.parametrize("more", [{}, {"password": "env:P", "token_command": "p"}])
def test_an_account_signs_in_by_one_way(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="set password or token_command"):
        Imap.model_validate({"address": "a@b.c", "host": "h", **more})


def test_a_command_in_one_line_is_split_without_a_shell() -> None:
    said = Imap.model_validate({"address": "a@b.c", "host": "h", "token_command": "pizauth show 'my account' $(id)"})
    assert said.token_command == ["pizauth", "show", "my account", "$(id)"]
    with pytest.raises(ValueError, match="the token would go unencrypted to h"):
        Imap.model_validate({"address": "a@b.c", "host": "h", "security": "none", "token_command": "p"})
