"""The config of a first start, as commented text: the user's choices, and how to continue from there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from pepper_tui.setup.first_start.discovery import Calendars, Mails
from pepper_tui.setup.first_start.starter_rules import StarterRule
from pepper_tui.text import one_line


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that the user agreed to.

    ``variable`` names the environment variable with its key; a server on this machine needs none.
    """

    name: str
    base_url: str = ""
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """The user's choices; nothing here is a default of Pepper's."""

    name: str = ""
    addresses: list[str] = field(default_factory=list)
    mails: list[Mails] = field(default_factory=list)
    calendars: list[Calendars] = field(default_factory=list)
    model: ModelChoice | None = None
    rules: list[StarterRule] = field(default_factory=list)


def config_text(choices: Choices, user_home: Path) -> str:
    """Return the text of a config file; every value is quoted so that it can be nothing but a value."""

    def paths(found: list[Path]) -> str:
        return "[" + ", ".join(_quoted(_short(path, user_home)) for path in found) + "]"

    maildirs = [mails.path for mails in choices.mails if not mails.mbox]
    files = [mails.path for mails in choices.mails if mails.mbox]
    lines = [
        "# Pepper's config. `pepper config example` prints every key there is, `pepper config check` says what is",
        "# wrong, `pepper doctor` whether each part works.",
        "",
        "[user]",
        "# How drafts are signed; your addresses, by which mail is addressed to you; and whose mail always matters.",
        f"name = {_quoted(choices.name)}",
        f"addresses = [{', '.join(map(_quoted, choices.addresses))}]",
        "vips = []",
        "",
        *_accounts(paths(maildirs) if maildirs else "", paths(files) if files else ""),
        "[calendar]",
        "# .ics files, or folders of them.",
        f"paths = {paths([calendar.path for calendar in choices.calendars])}",
        "",
        *_models(choices.model),
        "",
        "# Rules of your own: what to look for, and what to do then. In the chat: always tell me when Ann writes.",
        "# [[rule]]",
        '# name = "invoices"',
        '# words = ["invoice"]',
        "# notify = true",
        *(line for rule in choices.rules for line in ("", *rule.lines)),
    ]
    return "\n".join(lines) + "\n"


def _accounts(maildirs: str, files: str) -> list[str]:
    sending = [
        "# To send what you approve, name your server; the password stays in the environment, or in secrets.toml.",
        '# address = "you@example.com"',
        "# [account.smtp]",
        '# host = "smtp.example.com"',
        '# user = "you@example.com"',
        '# password = "env:PEPPER_SMTP_PASSWORD"',
        "",
    ]
    lines: list[str] = []
    if maildirs:
        words = "# Maildirs to watch; your mail program or a fetcher (mbsync, offlineimap, getmail) fills them."
        lines = ["[[account]]", words, 'id = "mail"', 'kind = "maildir"', f"paths = {maildirs}", "", *sending]
    if files:
        words = "# mbox files to watch, to which mail programs append."
        said = ["[[account]]", words, 'id = "mbox"', 'kind = "mbox"', f"paths = {files}", ""]
        lines += said if lines else [*said, *sending]
    return lines or ["# Mail: pepper accounts add you@example.com; docs/accounts.md", ""]


def _models(model: ModelChoice | None) -> list[str]:
    if model is None:
        return [
            "[models]",
            "# Without a model Pepper works by your rules, and says so. For one, name the variable with its key, as in",
            '# "env:OPENAI_API_KEY", or the base_url of a server that you run.',
            'api_key = ""',
        ]
    key = f"env:{model.variable}" if model.variable else ""
    return [
        "[models]",
        "# An empty base_url is OpenAI's own. The key is named, never written here.",
        f"name = {_quoted(model.name)}",
        f"base_url = {_quoted(model.base_url)}",
        f"api_key = {_quoted(key)}",
    ]


def _quoted(value: str) -> str:
    return json.dumps(one_line(value, 500), ensure_ascii=False).replace("\x7f", "")


def _short(path: Path, home: Path) -> str:
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) and path != home else str(path)
