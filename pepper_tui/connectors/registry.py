"""Lists the connectors, and finds those that a config names: only these are imported.

They are the folders of this package, but for ``SHARED``, and entry points of the group ``pepper.connectors`` in other
installed packages. A kind is the folder's name, or the entry point's.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.config import CONFIG_FILE, Account, Config, ConfigError, anchored, dotted_name, place_at
from pepper_tui.config.problem_words import account_key, keys_beside, problem_words, unknown_key
from pepper_tui.connectors.connector import Around, Built, Connector
from pepper_tui.feeds.paused import PausedFeed
from pepper_tui.store.upkeep.retention_rules import Rule
from pepper_tui.text import one_line

FIRST: Final = "imap"
"""The kind that most users add, and the one where they name none."""
GROUP: Final = "pepper.connectors"
SHARED: Final = frozenset({"google_account"})
"""Folders that several connectors share, and that are none themselves."""
IN_SECTIONS: Final[Mapping[str, Callable[[Config], Sequence[Any]]]] = {
    "maildir": lambda config: [config.mail] if config.mail.maildir else [],
    "mbox": lambda config: [config.mail] if config.mail.mbox else [],
    "ics": lambda config: [config.calendar] if config.calendar.paths else [],
    "clock": lambda config: [config.clock],  # even without an entry: a timed rule may be made at any time
    "python": lambda config: config.feed,
    "program": lambda config: config.exec,
    "smtp": lambda config: [config.mail] if config.mail.smtp else [],
    "mcp": lambda config: [config.mcp] if config.mcp else [],
}
"""Kinds that have their own config section, from before there were accounts: in start order, with their settings.

All others are accounts. Those of mail can be both.
"""


@dataclass(frozen=True, slots=True)
class Named:
    """One account that the config names. ``in_section``: by a section of its own, not by an ``[[account]]``."""

    ident: str
    kind: str
    connector: Connector
    settings: Any
    paused: bool = False
    in_section: bool = False


@cache
def own_kinds() -> frozenset[str]:
    """Return Pepper's own kinds, without importing any."""
    package = importlib.import_module("pepper_tui.connectors")
    return frozenset(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg) - SHARED


def kinds_of_others() -> dict[str, EntryPoint]:
    """Return the kinds of other packages and their entry points. Imports nothing, but scans all packages."""
    own = own_kinds()
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in own}


def connector_of(kind: str) -> Connector:
    """Return the connector of a kind. Raises ``ConfigError`` if it is unknown or unusable. Blocking: imports it."""
    if kind in own_kinds():
        found: object = importlib.import_module(f"pepper_tui.connectors.{kind}").CONNECTOR
        assert isinstance(found, Connector)
        return found
    others = kinds_of_others()
    if kind not in others:
        listed = ", ".join(sorted({*own_kinds(), *others}))
        raise ConfigError([f"there is no connector {one_line(kind, 40)!r}; there are: {listed}"])
    try:
        found = others[kind].load()
    except Exception as error:  # another package's code may raise anything
        words = one_line(f"{type(error).__name__}: {error}", 200)
        raise ConfigError([f"the connector {kind!r} can't be used: {words}; reinstall its package"]) from error
    if not isinstance(found, Connector):
        raise ConfigError([f"the connector {kind!r} is not one: its entry point names no Connector"])
    return found


def offered() -> list[tuple[str, Connector]]:
    """Return the kinds that can be added, mail first. Blocking: imports them; one that can't be used is left out."""
    found: list[tuple[str, Connector]] = []
    for kind in (*own_kinds(), *kinds_of_others()):
        with suppress(ConfigError):
            if (connector := connector_of(kind)).adding is not None:
                found.append((kind, connector))
    return sorted(found, key=lambda each: ("mail" not in each[1].holds, each[0] != FIRST, each[0]))


def named(config: Config, home: Path) -> Iterator[Named]:
    """Yield the accounts in ``config`` of ``home``, those with sections first. Raises ``ConfigError``.

    Blocking: imports their connectors.
    """
    before: list[Named] = []
    for kind, settings_in in IN_SECTIONS.items():
        for settings in settings_in(config):
            name = str(getattr(settings, "name", kind))
            before.append(Named(name, kind, connector_of(kind), settings, in_section=True))
            yield before[-1]
    problems: list[str] = []
    for number, account in enumerate(config.account):
        try:
            one = _account(account, home)
            shared = [f"{_place(home, number, account.id, ())}: {words}" for words in _shared(one, before)]
            problems += shared
            before.append(one)
            if not shared:
                yield one
        except ConfigError as error:
            at = _place(home, number, account.id, ("kind",))
            problems += [f"{at}: {problem}" for problem in error.problems]
        except ValidationError as error:
            settings = connector_of(account.kind).settings
            for problem in error.errors():
                words = problem_words(problem)
                if problem["type"] == "extra_forbidden" and settings is not None:
                    known = keys_beside(problem["loc"], settings)
                    words = unknown_key(str(problem["loc"][-1]), known, f"{account.kind} has no such key")
                problems.append(f"{_place(home, number, account.id, problem['loc'])}: {words}")
    if problems:
        raise ConfigError(problems)


def built_of(accounts: Sequence[Named], around: Around) -> Built:
    """Build the parts of all ``accounts``: every part of theirs.

    A paused account has one part: the feed that says so.
    """
    whole = Built()
    for one in accounts:
        if not one.connector.of_mail:
            whole.not_mail.append(one.ident)
        if one.paused:
            whole.feeds.append(PausedFeed(one.ident, one.connector.rests))
            continue
        built = one.connector.build(one.settings, replace(around, ident=one.ident))
        whole.feeds += built.feeds
        whole.tools += built.tools
        whole.outboxes += built.outboxes
        whole.originals += built.originals
        for outbox in built.outboxes:
            whole.senders.setdefault("" if one.in_section else one.ident, outbox)
        whole.filers += built.filers
        whole.searchers += built.searchers
        whole.drafts += built.drafts
        whole.calendar_paths += built.calendar_paths
        whole.has_calendar = whole.has_calendar or built.has_calendar
        whole.calendars += built.calendars
        whole.free_busy += built.free_busy
    return whole


def retention_of(accounts: Sequence[Named]) -> tuple[dict[str, Rule], dict[str, str]]:
    """Return the retention rules of the connectors of ``accounts``, and the namespaces that they never purge."""
    rules = {pattern: rule for one in accounts for pattern, rule in one.connector.retention.items()}
    return rules, {pattern: why for one in accounts for pattern, why in one.connector.kept.items()}


def _shared(one: Named, before: Sequence[Named]) -> Iterator[str]:
    """Yield in words each place of ``one`` that is, holds or lies in one that an account of its kind reads."""
    places = one.connector.places
    for other in (each for each in before if each.kind == one.kind):
        theirs = places(other.settings)
        for place in places(one.settings):
            if any(place.is_relative_to(each) or each.is_relative_to(place) for each in theirs):
                whose = "[mail]" if other.in_section else f"account {other.ident}"
                yield f"{one_line(str(place), 200)} is read by {whose} already; name it once"


def _place(home: Path, number: int, ident: str, key: tuple[str | int, ...]) -> str:
    """Return file, line, account and key of a problem, if the file can be read."""
    where = ("account", number, *key)
    try:
        place = place_at(home / CONFIG_FILE, plain_text(home / CONFIG_FILE), where)
    except (OSError, UnicodeDecodeError):
        place = dotted_name(where)
    return account_key(place, number, ident, dotted_name(key))


def _account(account: Account, home: Path) -> Named:
    connector = connector_of(account.kind)
    if connector.settings is None:
        words = f"{account.kind!r} has a section of its own; see: pepper config example"
        raise ConfigError([words])
    settings = anchored(connector.settings.model_validate(account.own), home)
    return Named(account.id, account.kind, connector, settings, account.paused)
