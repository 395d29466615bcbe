"""Reports on a config: what it sets up, what it names that is missing, every setting, and a complete example."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.config import MODEL_ROLES, ClockEntry, Config, ConfigError, Secrets, place_of, refers_to_secret
from pepper_tui.config.secret.in_clear import in_clear, told_command, told_url, told_value
from pepper_tui.config.secret.literals import in_arguments, in_values, is_secret
from pepper_tui.text import one_line


def summary(config: Config, calendars: Collection[str] = ()) -> list[str]:
    """Summarise what the config sets up, one line per room. ``calendars`` are the accounts that hold these, by id."""

    def named(count: int, word: str, paused: int = 0) -> str:
        said = f"{count} {word}{'' if count == 1 else 'es' if word.endswith('ch') else 's'}"
        return f"{said} ({paused} paused)" if paused else said

    smtp, of_mail = config.mail.smtp, [account for account in config.account if account.id not in calendars]
    able = [account.id for account in config.account if account.own.get("smtp") and not account.paused]
    sending = f"by {smtp.host}:{smtp.port} as {config.sender_address}" if smtp else "off"
    if smtp is None:
        where = "smtp in an account" if of_mail else "pepper accounts add, or [mail.smtp]"
        sending = f"by account {able[0]}" if able else f"off ({where} turns it on)"
    counts = {
        "folder": len(config.mail.maildir),
        "mbox file": len(config.mail.mbox),
        "account": len(of_mail),
    }
    rests = sum(account.paused for account in of_mail)
    also = sum(account.paused for account in config.account) - rests
    mail = ", ".join(named(n, word, rests if word == "account" else 0) for word, n in counts.items() if n) or "none"
    rest = {"path": len(config.calendar.paths), "account": len(config.account) - len(of_mail)}
    kept = ", ".join(named(n, word, also if word == "account" else 0) for word, n in rest.items() if n) or "none"
    return [
        f"mail       {mail}; sending {one_line(sending)}",
        f"calendar   {kept}",
        f"rules      {named(len(config.rule) + len(config.watch), 'rule')}, {named(len(config.user.vips), 'VIP')}, "
        + f"{named(len(config.clock), 'clock signal')}",
    ]


def missing_things(home: Path, config: Config) -> list[str]:
    """List what the config names but the machine lacks, with file, line and key."""
    source = plain_text(home / "config.toml")

    def at_key(key: str) -> str:
        return place_of(home / "config.toml", source, key)

    named = [("mail.maildir", p) for p in config.mail.maildir] + [("calendar.paths", p) for p in config.calendar.paths]
    named += [("files.folders", p) for p in config.files.folders]
    named += [("mail.mbox", p.parent) for p in config.mail.mbox]
    named += [(f"feed[{number}].file", feed.file) for number, feed in enumerate(config.feed, 1)]
    named += [(f"tool[{number}].file", own.file) for number, own in enumerate(config.tool, 1)]
    named += [(f"worker[{number}].file", kind.file) for number, kind in enumerate(config.worker, 1) if kind.file]
    named += [("mail.attach_from", p) for p in config.mail.attach_from]
    named += _local_mail(home, config)
    problems = [f"{at_key(key)}: {one_line(str(p))} is not there" for key, p in named if not p.exists()]
    cron = unreadable_cron(config.clock)
    problems += [f"{at_key(f'clock[{number}].cron')}: {words}" for number, words in cron.items()]
    secrets = Secrets(home)
    keys = [("models.api_key", config.models.api_key, config.models.base_url)]
    for section, model in _models(config)[1:]:
        url = model.base_url or config.models.base_url
        shared = config.models.api_key if url == config.models.base_url else ""
        keys.append((f"{section}.api_key", model.api_key or shared, url))
    for section, model in _models(config):
        for name, value in getattr(model, "headers", {}).items():
            try:
                secrets.filled(value)
            except ConfigError as error:
                problems += [f"{at_key(f'{section}.headers.{name}')}: {line}" for line in error.problems]
            host = in_clear(model.base_url or config.models.base_url)
            if host and refers_to_secret(value):
                words = f"a secret would go unencrypted to {host}; use https://"
                problems.append(f"{at_key(f'{section}.headers.{name}')}: {words}")
    if config.mail.smtp:
        keys.append(("mail.smtp.password", config.mail.smtp.password, ""))
    for key, name, url in dict.fromkeys(keys):
        try:
            value = secrets.key_for(name, url)
        except ConfigError as error:
            problems += [f"{at_key(key)}: {line}" for line in error.problems]
        else:
            if key.startswith("mail") and name and not value:
                problems.append(f"{at_key(key)}: {name} has no value")
    return problems + [f"{at_key(key)}: {words}" for key, words in literal_secrets(config)]


def _local_mail(home: Path, config: Config) -> Iterator[tuple[str, Path]]:
    """Yield what accounts of mail on this machine name, with its key; an mbox file may come later."""
    for number, account in enumerate(config.account, 1):
        said = account.own.get("paths")
        for each in [said] if isinstance(said, str) else said if isinstance(said, list) else ():
            path = home / Path(str(each)).expanduser()
            if account.kind in ("maildir", "mbox"):
                yield f"account[{number}].paths", path.parent if account.kind == "mbox" else path


def literal_secrets(config: Config) -> Iterator[tuple[str, str]]:
    """Yield each key of a server or a program that seems to hold a literal secret, and how to fix it."""
    looks = "looks like a secret; put it into secrets.toml, and write secret:NAME in its place"
    named = {f"exec[{number}].env": feed.env for number, feed in enumerate(config.exec, 1)}
    named |= {f"{section}.headers": getattr(model, "headers", {}) for section, model in _models(config)}
    for name, server in config.mcp.items():
        named |= {f"mcp.{name}.env": server.env, f"mcp.{name}.headers": server.headers}
        for number in in_arguments(server.args):
            yield f"mcp.{name}.args", f"the {_ordinal(number)} argument {looks}"
        if is_secret(server.url):
            yield f"mcp.{name}.url", f"a part of it {looks}"
    for key, values in named.items():
        yield from ((f"{key}.{each}", looks) for each in in_values(values))


def _models(config: Config) -> list[tuple[str, Any]]:
    """Return each config section about a model, with its name."""
    own = [(f"models.{role}", getattr(config.models, role)) for role in (*MODEL_ROLES, "embedding")]
    return [("models", config.models), *own, *((f"models.named.{n}", each) for n, each in config.models.named.items())]


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def unreadable_cron(entries: Sequence[ClockEntry]) -> dict[int, str]:
    """Explain which cron lines can't be read, keyed by their entry's number, counted from 1."""
    from croniter import croniter

    wrong = {}
    for number, entry in enumerate(entries, 1):
        try:
            if entry.cron:
                croniter(entry.cron)
        except (ValueError, KeyError) as error:
            wrong[number] = f"{one_line(entry.cron, 80)!r} is not a cron line ({error}); write it as '0 16 * * fri'"
    return wrong


def settings(tree: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield each setting as ``key = value``, with possible secrets hidden."""
    for key, value in tree.items():
        name = f"{path}.{key}" if path else key
        if (told := _told(name, value)) is not None:
            yield f"{name} = {one_line(json.dumps(told, ensure_ascii=False), 400)}"
        elif isinstance(value, dict) and value:
            yield from settings(value, name)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, entry in enumerate(value, 1):
                yield from settings(entry, f"{name}[{number}]")
        else:
            told = "(hidden)" if _is_secret(key, value) else one_line(json.dumps(value, ensure_ascii=False), 400)
            yield f"{name} = {told}"


def _told(name: str, value: Any) -> Any:
    """Return how to show a value that may hold a secret without its key saying so; ``None`` for other values."""
    key = name.rpartition(".")[2]
    if key in ("env", "headers") and isinstance(value, dict):
        return {each: told_value(str(said)) for each, said in value.items()}
    if re.fullmatch(r"exec\[\d+\]\.command|account\[\d+\]\.token_command", name) and isinstance(value, list):
        return told_command(value)
    if re.fullmatch(r"mcp\.[^.]+\.args", name):
        return told_command(["", *value]).strip()
    if re.fullmatch(r"feed\[\d+\]\.settings", name):
        return {each: said if isinstance(said, bool) else told_value(str(said)) for each, said in value.items()}
    if key == "extra_body" and isinstance(value, dict):
        return {each: said if isinstance(said, int | float) else told_value(str(said)) for each, said in value.items()}
    if key in ("url", "base_url") and isinstance(value, str) and value:
        return told_url(value)
    return None


def _is_secret(key: str, value: object) -> bool:
    """Check whether a value may be a literal secret where only a secret's name should be."""
    named = not value or str(value).startswith(("env:", "secret:"))
    return bool(re.search(r"(?i)(password|secret|token|key)$", key)) and not named


def changes(before: str, after: str) -> Iterator[str]:
    """Yield the lines that differ between two texts of a config, each with its number."""
    old, new = before.splitlines(), after.splitlines()
    for kind, low, high, first, last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield from (f"{number:>5} - {old[number - 1]}" for number in range(low + 1, high + 1))
            yield from (f"{number:>5} + {new[number - 1]}" for number in range(first + 1, last + 1))


def example_text() -> str:
    """Return the ``config.example.toml`` that ships with the package."""
    from importlib.resources import files

    return (files("pepper_tui") / "config.example.toml").read_text(encoding="utf-8")
