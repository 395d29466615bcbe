"""A world around the real program: a Maildir, an SMTP server that counts, a model over HTTP; its store, read only."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.llm.server import ModelServer, Reply
from tests.stored import stored
from tests.terminal import Terminal

Respond = Callable[[str], Reply]
WAIT: Reply = {"calls": [{"name": "wait", "arguments": {}}]}


class Mind(ModelServer):
    """A model server whose answer is a function of the last entry of the log that it is shown. What it is only asked
    to judge, it leaves as the rules said, and counts apart."""

    def __init__(self, respond: Respond) -> None:
        super().__init__()
        self._respond = respond
        self.judged: list[dict[str, Any]] = []

    def take(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        if self.judges(body):
            self.judged.append(body)
            return {"calls": [{"name": "judge", "arguments": {"verdicts": []}}]}
        super().take(body, headers)
        return self._respond(self.log_of(body))

    @staticmethod
    def judges(body: dict[str, Any]) -> bool:
        """Whether the request asks for verdicts on signals."""
        return [tool["function"]["name"] for tool in body.get("tools", [])] == ["judge"]

    @staticmethod
    def log_of(body: dict[str, Any]) -> str:
        """The log as text; what the model said in a turn that goes on stands in it as an entry, too."""
        forms = {"assistant": "<assistant_msg>{}</assistant_msg>"}
        return "\n".join(
            forms.get(message["role"], "{}").format(message["content"] or "") for message in body["messages"][1:]
        )

    def prompts(self) -> list[str]:
        bodies = [*self.requests, *self.judged]
        return ["\n".join(str(m["content"]) for m in body["messages"]) for body in bodies]


def last_entry(log: str) -> tuple[str, str]:
    """Tag and text of the newest entry of a prompt's log."""
    entries = re.findall(r"<(user_msg|signal|tool_result|assistant_msg|tool_call)( [^>]*)?>(.*?)</\1>", log, re.S)
    return (entries[-1][0], entries[-1][2]) if entries else ("", "")


def newest_mail(log: str) -> str:
    """The id of the newest mail's signal in a prompt's log, by which tools know the mail; empty for none."""
    return next(reversed(re.findall(r'<signal id="(signal_mail_\w+)"', log)), "")


def unanswered(log: str) -> str:
    """What the user has typed since the assistant last spoke; empty where that is nothing."""
    since = log[max(log.rfind("</assistant_msg>"), 0) :]
    return " ".join(re.findall(r"<user_msg [^>]*>(.*?)</user_msg>", since, re.S)).strip()


def obliging(log: str) -> Reply:
    """Answers the user, and drafts a reply to each mail that asks for an answer."""
    kind, text = last_entry(log)
    if kind == "user_msg":
        return {"text": f"pong {text.strip()}"}
    if kind == "signal" and "Please answer" in text:
        arguments = {"message_id": newest_mail(log), "body": "Gladly, on Friday.", "reason": "it asks for an answer"}
        return {"calls": [{"name": "draft_reply", "arguments": arguments}]}
    return WAIT


class CountingSmtp:
    """Takes mail on loopback and keeps it."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.recipients: list[list[str]] = []  # of the envelope of each
        counter = self

        class Handler:
            async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
                return await counter.answer(server, session, envelope)

        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._controller = Controller(Handler(), hostname="127.0.0.1", port=self.port)

    async def answer(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """What is said to one mail."""
        self.recipients.append(list(envelope.rcpt_tos))
        self.taken.append(bytes(envelope.original_content or b""))
        return "250 taken"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop(no_assert=True)


class World:
    """``with World(tmp_path, mind) as world:`` then ``world.screen()``; facts are read from the store's own file."""

    def __init__(self, folder: Path, respond: Respond = obliging, extra: str = "") -> None:
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        self.maildir = make_maildir(folder / "Maildir")
        self.smtp, self.mind = CountingSmtp(), Mind(respond)
        self._extra = extra
        self._count = 0

    def __enter__(self) -> Self:
        self.smtp.start()
        self.mind.start()
        (self.home / "config.toml").write_text(
            f"""
[user]
name = "Sam"
addresses = ["me@example.org"]
zone = "Europe/Berlin"
[models]
name = "test"
base_url = "{self.mind.url}"
api_key = ""
[tools]
undo_seconds = 0.0
[mail]
maildir = ["{self.maildir}"]
[mail.smtp]
host = "127.0.0.1"
port = {self.smtp.port}
security = "none"
{self._extra}
"""
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.mind.stop()
        self.smtp.stop()

    def screen_command(self) -> list[str]:
        return [sys.executable, "-m", "pepper_tui", "--home", str(self.home)]

    def screen(self, kill_at: str = "", size: tuple[int, int] = (120, 40)) -> Terminal:
        return Terminal(self.screen_command(), {"PEPPER_KILL_AT": kill_at}, size)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One ``pepper`` command on this home, in a process of its own, without a terminal."""
        return subprocess.run(
            [*self.screen_command(), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    def deliver(self, text: str = "Please answer soon.", **fields: Any) -> None:
        self._count += 1
        deliver(self.maildir, mail(text=text, number=self._count, **fields), f"{time.time():.6f}.{self._count}.test")

    def facts(self, namespace: str) -> list[dict[str, Any]]:
        """The current data of a namespace, oldest first."""
        return [data for data, _ in stored(self.home, namespace)]

    def approve(self, screen: Terminal) -> bool:
        """Press the key until it counts: a card that has just appeared takes none."""
        [card] = self.facts("approval")
        if card["state"] == "pending":
            screen.press("f2")
            return False
        return True

    def watching(self) -> bool:
        """Whether the first look at the Maildir is over, so that what arrives from now on is new."""
        return any(part["part"] == "feed.mail" and part["state"] == "ok" for part in self.facts("health"))
