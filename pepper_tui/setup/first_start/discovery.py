"""Finds mail, calendars, model servers and keys in their usual places, without opening anything personal.

Folders are listed, configs of other programs are read for the paths in them, and only the name of a key counts.
"""

from __future__ import annotations

import asyncio
import configparser
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pepper_tui.llm.endpoint.local_servers import LocalServer

USUAL_MAIL: Final = ("Mail", "Maildir", ".mail", "mail", ".maildir")
USUAL_CALENDARS: Final = (
    ".calendars", "Calendar", "Calendars", ".calendar", ".local/share/calendars", ".local/share/vdirsyncer",
    ".local/share/khal/calendars",
)  # fmt: skip
DEPTH: Final = 3
"""How many levels below a usual place are searched."""
LISTED: Final = 200
"""Subfolders that are searched in one place; a mailbox has no more."""
OFFERED: Final = 12
"""How many of a kind are offered."""
COUNTED: Final = 100_000
"""How many mails are counted at most."""


@dataclass(frozen=True, slots=True)
class Mails:
    """A Maildir, or with ``mbox`` a file. ``count``: mails in it, 0 for a file."""

    path: Path
    count: int
    mbox: bool = False


@dataclass(frozen=True, slots=True)
class Calendars:
    """A folder with ``count`` .ics files, or one such file."""

    path: Path
    count: int


@dataclass(frozen=True, slots=True)
class Key:
    """A provider with a key in the environment variable ``variable``. An empty ``base_url`` means OpenAI's own."""

    provider: str
    variable: str
    base_url: str
    model: str


KEYS: Final = (
    Key("OpenAI", "OPENAI_API_KEY", "", "gpt-5-mini"),
    Key("Anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com/v1/", ""),
    Key("Google Gemini", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta/openai/", ""),
    Key("OpenRouter", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1", ""),
    Key("Mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1", ""),
)
"""Providers with a known OpenAI-compatible endpoint. For an empty model, the user is asked."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, the likeliest first."""

    mails: list[Mails] = field(default_factory=list)
    calendars: list[Calendars] = field(default_factory=list)
    servers: list[LocalServer] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    name: str = ""
    address: str = ""


async def discover(user_home: Path, environment: Mapping[str, str]) -> Found:
    """Search all usual places, files in a thread and local servers at the same time. Raises nothing."""
    from pepper_tui.llm.endpoint.local_servers import find_local_models

    files, servers = await asyncio.gather(
        asyncio.to_thread(_files, user_home, environment), find_local_models(), return_exceptions=True
    )
    mails, calendars, name, address = ([], [], "", "") if isinstance(files, BaseException) else files
    keys = [key for key in KEYS if environment.get(key.variable)]
    return Found(mails, calendars, [] if isinstance(servers, BaseException) else servers, keys, name, address)


def _files(home: Path, environment: Mapping[str, str]) -> tuple[list[Mails], list[Calendars], str, str]:
    """Search the file system. Blocking."""
    name, address = _identity(home)
    return _mails(home, environment), _calendars(home), name, address


# ---------------------------------------------------------------------------------------------------------- mail


def _mails(home: Path, environment: Mapping[str, str]) -> list[Mails]:
    places = [home / name for name in USUAL_MAIL]
    places += [Path(environment[key]).expanduser() for key in ("MAILDIR", "MAIL") if environment.get(key)]
    inboxes, parents = _of_mbsync(home)
    found: dict[Path, Mails] = {}
    for place in [*inboxes, *places, *parents, *_of_offlineimap(home)]:
        for each in _maildirs(place, DEPTH):
            found.setdefault(each.resolve(), Mails(each, mail_count(each)))
        if (file := _mbox(place)) is not None:
            found.setdefault(file.path.resolve(), file)
    ordered = sorted(found.values(), key=lambda mails: (not _is_inbox(mails.path), -mails.count, str(mails.path)))
    first = [mails for mails in ordered if _is_inbox(mails.path)]
    return (first or ordered)[:OFFERED]  # nobody watches a Sent or Archive folder beside an inbox


def _is_inbox(path: Path) -> bool:
    return path.name.lower() in ("inbox", "maildir", ".maildir", "mail", ".mail") or (path / ".Sent").is_dir()


def _maildirs(place: Path, depth: int) -> Iterator[Path]:
    try:
        if not place.is_dir():
            return
        if (place / "cur").is_dir() and (place / "new").is_dir():
            yield place
            return
        if depth:
            for below in sorted(place.iterdir())[:LISTED]:
                if below.name not in ("cur", "new", "tmp") and not below.is_symlink():
                    yield from _maildirs(below, depth - 1)
    except OSError:
        return


def mail_count(maildir: Path) -> int:
    """Count the mails in ``maildir``, up to ``COUNTED``. Blocking."""
    count = 0
    for part in ("cur", "new"):
        try:
            for _mail in (maildir / part).iterdir():
                count += 1
                if count >= COUNTED:
                    return count
        except OSError:
            continue
    return count


def _mbox(place: Path) -> Mails | None:
    try:
        if place.is_file() and place.stat().st_size:
            with place.open("rb") as file:
                return Mails(place, 0, mbox=True) if file.read(5) == b"From " else None
    except OSError:
        pass
    return None


def _of_mbsync(home: Path) -> tuple[list[Path], list[Path]]:
    """Return the inboxes, and the parents of the folders, that mbsync fills."""
    inboxes: list[Path] = []
    parents: list[Path] = []
    for file in (home / ".mbsyncrc", home / ".config" / "isyncrc", home / ".config" / "mbsync" / "mbsyncrc"):
        for key, value in re.findall(r"(?mi)^\s*(Inbox|Path)\s+(.+?)\s*$", _text(file)):
            path = _path(value.strip('"'), home)
            (inboxes if key.lower() == "inbox" else parents).append(path)
    return inboxes, parents


def _of_offlineimap(home: Path) -> list[Path]:
    found = []
    for file in (home / ".offlineimaprc", home / ".config" / "offlineimap" / "config"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(_text(file))
        except configparser.Error:
            continue
        found += [_path(parser[each]["localfolders"], home) for each in parser if "localfolders" in parser[each]]
    return found


# ------------------------------------------------------------------------------------------------------- calendars


def _calendars(home: Path) -> list[Calendars]:
    places = [home / name for name in USUAL_CALENDARS]
    khal = re.findall(r"(?m)^\s*path\s*=\s*(.+?)\s*$", _text(home / ".config" / "khal" / "config"))
    places += [_path(value.rstrip("*").rstrip("/"), home) for value in khal]
    evolution = home / ".local" / "share" / "evolution" / "calendar"
    places += [evolution]
    found: dict[Path, Calendars] = {}
    for place in places:
        try:
            count = sum(1 for _ in zip(place.rglob("*.ics"), range(COUNTED), strict=False)) if place.is_dir() else 0
        except OSError:
            continue
        if count and not any(place.resolve().is_relative_to(known) for known in found):
            found[place.resolve()] = Calendars(place, count)
    return list(found.values())[:OFFERED]


# ------------------------------------------------------------------------------------------------------- the user


def _identity(home: Path) -> tuple[str, str]:
    """Return name and address from Git's config: the user's own words about themselves."""
    words = _text(home / ".gitconfig") or _text(home / ".config" / "git" / "config")
    section = re.search(r"(?ms)^\[user\](.*?)(?=^\[|\Z)", words)
    if section is None:
        return "", ""
    said = dict(re.findall(r"(?m)^\s*(name|email)\s*=\s*(.+?)\s*$", section[1]))
    address = said.get("email", "").strip('"')
    return said.get("name", "").strip('"'), address if re.fullmatch(r"[^\s@]+@[^\s@]+", address) else ""


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")[:1_000_000]
    except OSError:
        return ""


def _path(value: str, home: Path) -> Path:
    """Return a path written in another program's config."""
    value = value.replace("$HOME", str(home))
    return home / value[2:] if value.startswith("~/") else Path(value)
