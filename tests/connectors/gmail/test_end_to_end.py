"""A mail's whole way on a whole engine: delivered, answered after a yes, sent once; and a kill on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pepper_tui.config import load_config
from pepper_tui.connectors.gmail.settings import Gmail
from tests.connectors.gmail.account import allow, said
from tests.domains.mail.mails import mail
from tests.google import Google
from tests.google.sign_in import CLIENT

ROOT = Path(__file__).parents[3]


def home_at(google: Google, home: Path) -> Path:
    """A home with an account that is signed in; the client's secret is in its environment."""
    home.mkdir(mode=0o700)
    rows = "\n".join(f'{name} = "{value}"' for name, value in said(google.url).items())
    config = (
        '[user]\nname = "Alex"\nvips = ["alice@example.com"]\nzone = "UTC"\n[tools]\nundo_seconds = 0\n[[account]]\n'
    )
    (home / "config.toml").write_text(f"{config}scan_interval = 0.2\n{rows}\n", encoding="utf-8")
    settings = Gmail.model_validate(load_config(home).account[0].own)
    allow(google, settings, home)
    return home


def run(google: Google, home: Path, *words: str, kill_at: str = "") -> tuple[int, list[str]]:
    environment = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
    environment["CLIENT_SECRET"] = CLIENT["client_secret"]
    command = [sys.executable, "-m", "tests.connectors.gmail.victim", str(home), *words]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if kill_at:
        google.fault(kill_at, meanwhile=process.kill)
    try:
        return process.wait(120), process.communicate()[0].split()
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("kill_at", "sent", "state"),
    [("", 1, "succeeded"), ("gmail.users.drafts.create", 0, "failed"), ("gmail.users.drafts.send", 1, "succeeded")],
)
def test_a_reply_is_sent_at_most_once_wherever_it_is_killed(
    tmp_path: Path, kill_at: str, sent: int, state: str
) -> None:
    with Google("alex@example.com") as google:
        google.mailbox.deliver(mail(subject="Offsite"))
        home = home_at(google, tmp_path / "home")
        code, told = run(google, home, "answer", kill_at=kill_at)
        if kill_at:
            assert (code, told) == (-9, ["mail"])
            code, told = run(google, home)
        assert (code, told) == (0, ["mail", state])
        assert len(google.mailbox.sent) == sent
        assert not google.mailbox.drafts
        if sent:
            assert b"The room is booked." in google.mailbox.sent[0].raw
        no_secret_lies_in(home)


def no_secret_lies_in(home: Path) -> None:
    """Neither what signs in, nor what that gives, is anywhere but where secrets are kept."""
    [kept] = (home / "secrets").iterdir()
    token = json.loads(kept.read_text())["refresh_token"]
    files = [path for path in home.rglob("*") if path.is_file() and path != kept]
    assert files
    for path in files:
        for secret in (token, CLIENT["client_secret"], "ya29."):
            assert secret.encode() not in path.read_bytes(), path
