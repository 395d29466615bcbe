"""Homes with accounts in their config."""

from __future__ import annotations

from pathlib import Path

from pepper_tui.boundary.secret_keeper import keeper_of
from pepper_tui.connectors.gmail.settings import Gmail
from pepper_tui.connectors.google_account.sign_in.grant import Grant, keep
from tests.connectors.gmail.account import ALEX, said
from tests.connectors.imap.servers import USER
from tests.google.sign_in import CLIENT

CONFIG = """
[user]
name = "Alex"
addresses = ["alex@example.com"]
zone = "UTC"
"""
IMAP = """
[[account]]
id = "{ident}"
kind = "imap"
address = "alex@example.com"
host = "127.0.0.1"
port = {port}
user = "{user}"
security = "none"
password = "env:IMAP_PASSWORD"
"""


def with_imap(folder: Path, *ports: int) -> Path:
    """A home with an account at each of these ports."""
    folder.mkdir(mode=0o700)
    accounts = [IMAP.format(ident=f"work{number}", port=port, user=USER) for number, port in enumerate(ports)]
    (folder / "config.toml").write_text(CONFIG + "".join(accounts), encoding="utf-8")
    return folder


def with_gmail(folder: Path, url: str, token: str, scopes: list[str], poll: float) -> Path:
    """A home with an account that has signed in at the double."""
    folder.mkdir(mode=0o700)
    account = said(url, address=ALEX, labels=["INBOX"], scan_interval=poll)
    lines = [f"{name} = {value!r}".replace("'", '"') for name, value in account.items()]
    (folder / "config.toml").write_text("\n".join([CONFIG, "[[account]]", *lines, ""]), encoding="utf-8")
    settings = Gmail.model_validate({name: value for name, value in account.items() if name not in ("id", "kind")})
    grant = Grant(settings.address, CLIENT["client_id"], settings.api, token, scopes)
    keep(grant, settings, keeper_of(folder))
    return folder
