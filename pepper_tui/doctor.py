"""What `pepper doctor` looks at: each part of a home, its state in words, and how to mend it.

It reads and asks, and changes nothing. Servers that the config names are greeted (and signed in to), never given work.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pepper_tui.config import (
    CONFIG_FILE,
    DATABASE,
    MODEL_ROLES,
    SECRETS_FILE,
    Config,
    ConfigError,
    Secrets,
    Smtp,
    load_config,
)
from pepper_tui.remote import NoEngineError, RemoteError, request
from pepper_tui.text import one_line

State = Literal["ok", "note", "trouble"]
PATIENCE: Final = 5.0  # seconds for a server to answer
SPACE: Final = 200 * 1024 * 1024  # bytes that a home should have left


@dataclass(frozen=True, slots=True)
class Finding:
    """One part and how it is. ``note`` is no fault, but worth knowing. ``mend`` says what to do."""

    part: str
    state: State
    detail: str
    mend: str = ""


async def examine(home: Path) -> AsyncIterator[Finding]:
    """The findings on ``home``, each as soon as it is known."""
    yield _python()
    yield _terminal()
    if not await asyncio.to_thread(home.is_dir):
        yield Finding("home", "trouble", f"{home} is not there", f"mkdir -m 700 -p {home}; or try: pepper --demo")
        return
    for finding in await asyncio.to_thread(_folder, home):
        yield finding
    config, findings = await asyncio.to_thread(_config, home)
    for finding in findings:
        yield finding
    async for finding in _engine(home):
        yield finding
    yield await asyncio.to_thread(_store, home / DATABASE)
    if config is None:
        return
    for maildir in config.mail.maildir:
        yield await asyncio.to_thread(_maildir, maildir)
    for path in config.calendar.paths:
        yield await asyncio.to_thread(_calendar, path)
    secrets = Secrets(home)
    if config.mail.smtp:
        yield await _smtp(config.mail.smtp, secrets)
    for finding in await _models(config, secrets):
        yield finding
    own = [(f"feed {feed.name}", feed.file) for feed in config.feed]
    own += [(f"worker {worker.name}", worker.file) for worker in config.worker if worker.file]
    for part, file in own:
        yield await asyncio.to_thread(_own, part, file)


def _config(home: Path) -> tuple[Config | None, list[Finding]]:
    path = home / CONFIG_FILE
    try:
        return load_config(home), [Finding("config", "ok", str(path))]
    except FileNotFoundError:
        mend = f"pepper config example > {path}, then edit it; or try: pepper --demo"
        return None, [Finding("config", "trouble", f"{path} is not there", mend)]
    except ConfigError as error:
        mend = "mend that line, then: pepper config check"
        return None, [Finding("config", "trouble", problem, mend) for problem in error.problems]
    except (OSError, UnicodeDecodeError) as error:
        return None, [Finding("config", "trouble", f"{path}: {error}", "make it readable UTF-8 text")]


def _own(part: str, file: Path) -> Finding:
    if file.is_file():
        return Finding(part, "ok", str(file))
    return Finding(part, "trouble", f"{file} is not there", "put the file there, or take its table out of the config")


def _python() -> Finding:
    options = {row[0] for row in sqlite3.connect(":memory:").execute("PRAGMA compile_options")}
    words = f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    if "ENABLE_FTS5" not in options:
        return Finding("python", "trouble", f"{words} without full-text search", "use a Python whose SQLite has FTS5")
    return Finding("python", "ok", words)


def _terminal() -> Finding:
    kind, columns = os.environ.get("TERM", ""), shutil.get_terminal_size((0, 0))
    encoding = (sys.stdout.encoding or "").lower()
    if not sys.stdout.isatty():
        return Finding("terminal", "note", "the output is no terminal: the screen can't be judged from here")
    if kind in {"", "dumb"}:
        return Finding("terminal", "trouble", f"TERM is {kind!r}", "set TERM, e.g. to xterm-256color")
    if encoding not in {"utf-8", "utf8"}:
        return Finding("terminal", "trouble", f"the encoding is {encoding}", "use a UTF-8 locale, e.g. LANG=C.UTF-8")
    words = f"{kind}, {columns.columns}×{columns.lines}"
    words += ", true colour" if os.environ.get("COLORTERM") in {"truecolor", "24bit"} else ", 256 colours at most"
    words += ", in tmux" if os.environ.get("TMUX") else ""
    if columns.columns < 80 or columns.lines < 24:
        return Finding("terminal", "note", words, "80×24 or more shows everything")
    return Finding("terminal", "ok", words)


def _folder(home: Path) -> list[Finding]:
    found = []
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        found.append(Finding("home", "trouble", f"{home} is open to others (mode {mode:04o})", f"chmod 700 {home}"))
    elif not os.access(home, os.W_OK):
        found.append(Finding("home", "trouble", f"{home} can't be written", f"make it yours: chown -R $USER {home}"))
    else:
        found.append(Finding("home", "ok", str(home)))
    free = shutil.disk_usage(home).free
    if free < SPACE:
        found.append(Finding("disk", "trouble", f"{free // 1024**2} MB are left", "make room on that file system"))
    secrets = home / SECRETS_FILE
    if secrets.exists():
        mode = stat.S_IMODE(secrets.stat().st_mode)
        state: State = "trouble" if mode & 0o077 else "ok"
        found.append(Finding("secrets", state, f"mode {mode:04o}", f"chmod 600 {secrets}" if state != "ok" else ""))
    return found


async def _engine(home: Path) -> AsyncIterator[Finding]:
    """Whether one runs, and what its parts say of themselves."""
    try:
        [facts] = [item async for item in request(home, "status")]
    except NoEngineError:
        yield Finding("engine", "note", "does not run", "start it: pepper")
        return
    except RemoteError as error:
        yield Finding("engine", "trouble", str(error), "end that Pepper and start it again")
        return
    yield Finding("engine", "ok", f"runs; model {facts['model']}")
    for part in facts["health"]:
        state: State = "ok" if part["state"] == "ok" else "note" if part["state"] == "starting" else "trouble"
        yield Finding(part["part"], state, part["detail"], part["mend"])
    if facts["dead_letters"]:
        yield Finding("deliveries", "trouble", f"{facts['dead_letters']} given up", "pepper store dead --redrive")


def _store(path: Path) -> Finding:
    """Blocking: reads the whole file."""
    if not path.exists():
        return Finding("store", "note", "empty: it is made when Pepper first runs")
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as database:
            said = database.execute("PRAGMA quick_check(3)").fetchall()
            [count] = database.execute("SELECT count(*) FROM contexts").fetchone()
    except sqlite3.Error as error:
        said, count = [(str(error),)], 0
    if said != [("ok",)]:
        words = "damaged: " + "; ".join(str(row[0]) for row in said)
        return Finding("store", "trouble", words, f"stop Pepper, keep a copy of {path}*, restore a backup")
    return Finding("store", "ok", f"{count} contexts, {path.stat().st_size / 1e6:.1f} MB, whole")


def _maildir(path: Path) -> Finding:
    part = f"mail {path.name}"
    if not path.is_dir():
        return Finding(part, "trouble", f"{path} is not there", "set mail.maildir to where your mail program syncs")
    if not (path / "new").is_dir() and not (path / "cur").is_dir():
        return Finding(part, "trouble", f"{path} has neither new/ nor cur/", "name the Maildir itself, not its parent")
    try:
        count = sum(len(list((path / each).iterdir())) for each in ("new", "cur") if (path / each).is_dir())
    except OSError as error:
        return Finding(part, "trouble", f"{path}: {error.strerror}", "make it readable for you")
    return Finding(part, "ok", f"{path}, {count} mails")


def _calendar(path: Path) -> Finding:
    part = f"calendar {path.name}"
    if not path.exists():
        return Finding(part, "trouble", f"{path} is not there", "set calendar.paths to a .ics file or a folder of them")
    from icalendar import Calendar

    files = sorted(path.rglob("*.ics")) if path.is_dir() else [path]
    events = 0
    for file in files:
        try:
            events += len(Calendar.from_ical(file.read_bytes()).walk("VEVENT"))
        except (OSError, ValueError, IndexError) as error:
            return Finding(part, "trouble", f"{file}: {error}", "export that calendar again")
    return Finding(part, "ok", f"{path}, {len(files)} files, {events} events")


async def _smtp(smtp: Smtp, secrets: Secrets) -> Finding:
    import aiosmtplib

    where = f"{smtp.host}:{smtp.port}"
    try:
        password = secrets.value(smtp.password)
    except ConfigError as error:
        return Finding("sending", "trouble", error.problems[0], "see mail.smtp.password in config.example.toml")
    client = aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        use_tls=smtp.security == "tls",
        start_tls=smtp.security == "starttls",
        timeout=min(PATIENCE, smtp.timeout),
    )
    try:
        await client.connect()
        if smtp.user:
            await client.login(smtp.user, password)
        await client.quit()
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        mend = "check host, port, security, user and password in [mail.smtp]"
        return Finding("sending", "trouble", f"{where}: {_without(str(error), password)}", mend)
    return Finding("sending", "ok", f"by {where}" + (f" as {smtp.user}" if smtp.user else ""))


async def _models(config: Config, secrets: Secrets) -> list[Finding]:
    """Whether each endpoint that a role uses lists its models."""
    asked: dict[tuple[str, str], list[str]] = {}
    for role in MODEL_ROLES:
        own = getattr(config.models, role)
        place = own.base_url or config.models.base_url
        name = own.api_key or ("" if own.base_url else config.models.api_key)
        asked.setdefault((place, name), []).append(role)
    return list(await asyncio.gather(*(_endpoint(*key, roles, secrets) for key, roles in asked.items())))


async def _endpoint(url: str, key_name: str, roles: list[str], secrets: Secrets) -> Finding:
    part = "model " + ", ".join(roles) if len(roles) < len(MODEL_ROLES) else "model"
    try:
        key = secrets.value(key_name)
    except ConfigError as error:
        return Finding(part, "trouble", error.problems[0], "see models.api_key in config.example.toml")
    if not url and not key:
        return Finding(part, "note", "offline: works by your rules", "for a language model: a key, or models.base_url")
    openai = await asyncio.to_thread(__import__, "openai")
    client = openai.AsyncOpenAI(api_key=key or "none", base_url=url or None, timeout=PATIENCE, max_retries=0)
    try:
        listed = await client.models.list()
    except openai.OpenAIError as error:
        words = _without(f"{url or 'api.openai.com'}: {error}", key)
        return Finding(part, "trouble", words, "check that it runs, models.base_url, and the key")
    finally:
        await client.close()
    return Finding(part, "ok", f"{url or 'api.openai.com'}, {len(listed.data)} models")


def _without(words: str, secret: str) -> str:
    """``words`` without the secret, should a server have said it back."""
    return words.replace(secret, "…") if secret else words


def in_words(finding: Finding) -> str:
    """One finding as a line, and how to mend it on the next."""
    mark = {"ok": "ok     ", "note": "note   ", "trouble": "TROUBLE"}[finding.state]
    line = f"{mark}  {one_line(finding.part, 400):<22} {one_line(finding.detail, 400)}"
    if not finding.mend or finding.state == "ok":
        return line
    return f"{line}\n{'':<9}{'':<22} → {one_line(finding.mend, 400)}"
