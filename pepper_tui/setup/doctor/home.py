"""Checks the home: Python, the folder and its files, the config, the store, and its running engine."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.config import CONFIG_FILE, SECRETS_FILE, Config, ConfigError, load_config, old_key_notes
from pepper_tui.config.secret.references import open_to_others
from pepper_tui.connectors.finding import Finding, State
from pepper_tui.engine.answers.socket import NoEngineError, RemoteError, request
from pepper_tui.engine.logs import LOG_FILE
from pepper_tui.store import StoreUnavailableError
from pepper_tui.store.log.database import address_to_read
from pepper_tui.store.log.health import refused
from pepper_tui.store.upkeep.copying import FOLDER as BACKUPS
from pepper_tui.ui.shared.rebinding import rebound

SPACE: Final = 200 * 1024 * 1024
"""Bytes of free space that a home should have."""


def python() -> Finding:
    options = {row[0] for row in sqlite3.connect(":memory:").execute("PRAGMA compile_options")}
    words = f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    if "ENABLE_FTS5" not in options:
        return Finding("python", "trouble", f"{words} without full-text search", "use a Python whose SQLite has FTS5")
    return Finding("python", "ok", words)


def folder(home: Path) -> list[Finding]:
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
        words = f"{secrets}: {open_to_others(mode)}" if state != "ok" else f"mode {mode:04o}"
        found.append(Finding("secrets", state, words, f"chmod 600 {secrets}" if state != "ok" else ""))
    log = home / LOG_FILE
    words = f"{log}, {log.stat().st_size // 1000} kB" if log.exists() else f"{log}: nothing was logged yet"
    found.append(Finding("log", "ok", words))
    return found


def config(home: Path) -> tuple[Config | None, list[Finding]]:
    path = home / CONFIG_FILE
    try:
        config = load_config(home)
    except FileNotFoundError:
        remedy = "pepper init; or try: pepper --demo"
        return None, [Finding("config", "trouble", f"{path} is not there", remedy)]
    except ConfigError as error:
        remedy = "fix that line, then: pepper config check"
        return None, [Finding("config", "trouble", problem, remedy) for problem in error.problems]
    except (OSError, UnicodeDecodeError) as error:
        return None, [Finding("config", "trouble", f"{path}: {error}", "make it readable UTF-8 text")]
    old = old_key_notes(plain_text(path), path)
    notes = [Finding("config", "note", words, "pepper config upgrade") for words in old]
    wrong = rebound(config.ui.keys)[1]
    if not wrong:
        return config, [Finding("config", "ok", str(path)), *notes]
    remedy = "fix that line under [ui.keys]; docs/keys.md has the ids"
    return config, [Finding("config", "trouble", f"{key}: {words}", remedy) for key, words in wrong.items()] + notes


async def engine(home: Path) -> AsyncIterator[Finding]:
    """Report whether an engine runs, and what its parts report."""
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
        calm: dict[str, State] = {"ok": "ok", "done": "ok", "starting": "note", "paused": "note"}
        state = calm.get(part["state"], "trouble")
        yield Finding(part["part"], state, part["detail"], part["remedy"])
    if facts["dead_letters"]:
        yield Finding("deliveries", "trouble", f"{facts['dead_letters']} given up", "pepper store dead --redrive")


def store(path: Path) -> Finding:
    """Check the store's file. Blocking: reads all of it."""
    if not path.exists():
        return Finding("store", "note", "empty: it is made when Pepper first runs")
    try:
        with contextlib.closing(sqlite3.connect(address_to_read(path), uri=True, timeout=5)) as database:
            said = database.execute("PRAGMA quick_check(3)").fetchall()
            [count] = database.execute("SELECT count(*) FROM contexts").fetchone()
    except sqlite3.Error as error:
        refusal = refused(path, error)
        if isinstance(refusal, StoreUnavailableError):
            return Finding("store", "trouble", refusal.detail or str(refusal), refusal.remedy)
        said, count = [(str(error),)], 0
    if said != [("ok",)]:
        words = "damaged: " + "; ".join(str(row[0]) for row in said)
        remedy = f"stop Pepper, then: pepper store restore FILE (copies are in {path.parent / BACKUPS})"
        return Finding("store", "trouble", words, remedy)
    return Finding("store", "ok", f"{count} contexts, {path.stat().st_size / 1e6:.1f} MB, whole")
