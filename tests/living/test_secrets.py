"""Secrets go where the config sends them and are found nowhere else: no store, log, prompt, screen or output."""

from __future__ import annotations

import socket
import stat
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.living.world import World, obliging
from tests.llm.server import Reply

KEY, PASSWORD = "sk-planted-7f3a9c51e2", "planted-pass-4be8d0"


class Doorkeeper:
    """An SMTP server that wants a password; ``refusing`` it repeats, in its refusal, what it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.taken = 0
        self.refusing = True
        keeper = self

        class Handler:
            async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
                keeper.taken += 1
                return "250 taken"

        def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
            assert isinstance(data, LoginPassword)
            keeper.given.append(data.password.decode())
            if keeper.refusing:
                return AuthResult(success=False, handled=False, message=f"535 no: {data.password.decode()}")
            return AuthResult(success=True)

        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.controller = Controller(
            Handler(), hostname="127.0.0.1", port=self.port, authenticator=authenticate, auth_require_tls=False
        )


def test_planted_secrets_are_found_nowhere(tmp_path: Path) -> None:
    refused: list[bool] = []

    def respond(log: str) -> Reply:
        if not refused:
            refused.append(True)
            return {"status": 401, "message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}
        return obliging(log)

    keeper = Doorkeeper()
    keeper.controller.start()
    try:
        with World(tmp_path, respond, 'user = "me"\npassword = "secret:smtp"') as world:
            config = world.home / "config.toml"
            config.write_text(
                config.read_text()
                .replace('api_key = ""', 'api_key = "secret:model"')
                .replace(f"port = {world.smtp.port}", f"port = {keeper.port}")
            )
            secrets = world.home / "secrets.toml"
            secrets.touch(mode=0o600)
            secrets.write_text(f'model = "{KEY}"\nsmtp = "{PASSWORD}"\n')
            world.home.chmod(0o755)  # a home that others could read is closed at the start
            with world.screen() as screen:
                screen.wait_for(world.watching)
                assert stat.S_IMODE(world.home.stat().st_mode) == 0o700
                screen.type("hello\r")
                screen.wait_for(lambda: len(world.facts("assistant.message")) > 0)
                screen.type("again\r")
                screen.wait_for("pong again")
                world.deliver(subject="Lunch?")
                for number, ended in ((1, "failed"), (2, "succeeded")):  # what failed is back, and y tries again
                    screen.wait_for(lambda number=number: len(world.facts("approval")) == number)
                    screen.wait_for(lambda number=number: _decided(screen, world) >= number)
                    screen.wait_for(lambda ended=ended: ended in [call["state"] for call in world.facts("tool.call")])
                    keeper.refusing = False
                assert keeper.taken == 1
                for key in ("ctrl+l", "esc", "f8", "esc"):
                    screen.press(key)
                    screen.pump(0.3)
                screen.press("ctrl+q")
                assert screen.wait_dead() == 0
                outputs = [bytes(screen.raw)]
            assert set(keeper.given) == {PASSWORD}
            assert f"Bearer {KEY}" in [headers.get("authorization") for headers in world.mind.headers]
            for arguments in (
                ("ask", "more"), ("log", "-n", "500"), ("log", "--silence"), ("status",), ("config", "check"),
                ("store", "stats"), ("store", "dead"),
            ):  # fmt: skip
                done = world.command(*arguments)
                outputs.append((done.stdout + done.stderr).encode())
            outputs += ["\n".join(world.mind.prompts()).encode()]
            outputs += [file.read_bytes() for file in world.home.rglob("*") if file.is_file() and file != secrets]
            assert len(outputs) > 9
            for output in outputs:
                for secret in (KEY, PASSWORD):
                    assert secret.encode() not in output, output[max(0, output.find(secret.encode()) - 300) :][:400]
            # a secrets file that others may read is refused, in words that do not hold it
            secrets.chmod(0o644)
            done = world.command("ask", "more")
            assert done.returncode != 0
            assert "chmod 600" in done.stderr + done.stdout
            assert KEY not in done.stderr + done.stdout
    finally:
        keeper.controller.stop(no_assert=True)


def _decided(screen: Any, world: World) -> int:
    """How many cards are approved; where none waits for that, nothing is pressed."""
    states = [card["state"] for card in world.facts("approval")]
    if "pending" in states and "approved" not in states[1:]:
        screen.press("f2")
        screen.pump(0.3)
    return states.count("approved")
