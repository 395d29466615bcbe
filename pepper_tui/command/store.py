"""`pepper store …`: what the Context Store holds, and how to save, move, roll back and clean it.

`stats`, `dead`, `history`, `rollback` reach a running engine; `export` and `backup` read beside it; `import`,
`restore`, `vacuum` and `purge` need the store to themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from pepper_tui.command.asking import confirmed
from pepper_tui.command.launch import EXIT_CONFIG, EXIT_LOCKED, EXIT_TROUBLE, LaunchError, read_config
from pepper_tui.command.output import HomeOption, NotSaidError, at, do, leave, show, when
from pepper_tui.engine.answers.socket import NoEngineError, request
from pepper_tui.home import DATABASE
from pepper_tui.text import one_line

Json = dict[str, Any]

store_app = typer.Typer(help="The Context Store: counts, versions, copies, export, cleaning.", no_args_is_help=True)


RefArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A context: namespace:id, or its id alone where that is enough.")
]
WORDS = 160  # maximum characters of a version's content in a history
LISTED = 20  # maximum namespaces that a purge names


@store_app.command("stats")
def store_stats(home: HomeOption = None) -> None:
    """Counts of what the store holds."""  # noqa: D401
    do(_stats(at(home)))


async def _stats(home: Path) -> int:
    [stats] = [item async for item in _about_store(home, "stats", {})]
    for name, value in stats.items():
        title = name.replace("_", " ")
        if isinstance(value, dict):
            for key, count in value.items():
                show(f"{title}: {one_line(str(key))}: {one_line(str(count))}")
        elif isinstance(value, list):
            for row in value:
                words = ", ".join(f"{k} {_plain(v)}" for k, v in row.items())
                show(f"{title}: {one_line(words)}")
        else:
            show(f"{title}: {_plain(value)}")
    return 0


def _plain(value: object) -> str:
    return "yes" if value is True else "no" if value is False else one_line(str(value))


@store_app.command("dead")
def store_dead(
    redrive: Annotated[bool, typer.Option("--redrive", help="Hand all of them out again.")] = False,
    home: HomeOption = None,
) -> None:
    """Deliveries that failed for good. `--redrive` gives each a new set of attempts."""
    do(_dead(at(home), redrive))


async def _dead(home: Path, redrive: bool) -> int:
    items = [item async for item in _about_store(home, "dead", {"redrive": redrive})]
    for item in items:
        if "letter" in item:
            show("  ".join(f"{k}={one_line(v, 120)}" for k, v in item["letter"].items()))
        else:
            show(f"{item['redriven']} handed out again; Pepper works on them when it runs")
    if not items:
        show("no dead letters")
    return 0


@store_app.command("history")
def store_history(
    ref: RefArgument,
    n: Annotated[int, typer.Option("-n", help="How many versions.", min=1, max=1000)] = 20,
    home: HomeOption = None,
) -> None:
    """The versions of a context that are kept, newest first."""  # noqa: D401
    do(_history(at(home), ref, n))


async def _history(home: Path, ref: str, n: int) -> int:
    async for item in _about_store(home, "history", {"ref": ref, "n": n}):
        what = "deleted" if item["deleted"] else one_line(item["words"], WORDS)
        show(f"{item['version']:>5}  {when(item['at'], exact=True)}  {what}")
    return 0


@store_app.command("rollback")
def store_rollback(
    ref: RefArgument,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="As `pepper store history` shows it.", min=1)],
    home: HomeOption = None,
) -> None:
    """Make an earlier version of a note, of a worker's memory or the like the newest one. It is undone the same way."""
    do(_rollback(at(home), ref, version))


async def _rollback(home: Path, ref: str, version: int) -> int:
    [item] = [item async for item in _about_store(home, "rollback", {"ref": ref, "version": version})]
    if item["version"] == item["before"]:
        show(f"{one_line(item['name'])} says that already; nothing was changed")
    else:
        show(f"{one_line(item['name'])}: version {item['version']} is version {version} again")
    return 0


@store_app.command("export")
def store_export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, or - for standard output.")],
    home: HomeOption = None,
) -> None:
    """Write all that the store holds as JSON Lines, as it is at this moment; Pepper may run."""
    from pepper_tui.clock import SystemClock
    from pepper_tui.store.upkeep.exporting import export, export_file

    database = at(home) / DATABASE
    with _in_words():
        if str(file) == "-":
            export(database, sys.stdout, SystemClock().now())
            sys.stdout.flush()  # at the program's end it would be too late to report a failed write
            return
        counts = export_file(database, file, SystemClock().now())
    show(f"{file}: {counts.words}")


@store_app.command("import")
def store_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An export, or - for standard input.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also over a store that holds something; it is kept beside.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Make this home's store of an export: all of it or nothing. Not while Pepper runs."""
    from pepper_tui.clock import SystemClock
    from pepper_tui.store.upkeep.importing import import_file

    where = at(home)
    with _in_words(), _alone(where), sys.stdin if str(file) == "-" else file.open(encoding="utf-8") as lines:
        counts, kept = import_file(lines, where / DATABASE, SystemClock().now(), replace=replace)
    show(f"{where / DATABASE}: {counts.words}")
    if kept:
        show(f"the store that was there: {kept}")


@store_app.command("backup")
def store_backup(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Without it, a file of this time in the home's backups.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also over a file that is there.")] = False,
    home: HomeOption = None,
) -> None:
    """Copy the whole store, as it is at this moment; Pepper may run."""
    from pepper_tui.clock import SystemClock
    from pepper_tui.store.upkeep.copying import back_up, default_target

    database = at(home) / DATABASE
    target = file.expanduser() if file else default_target(database, SystemClock().now())
    with _in_words():
        size = back_up(database, target.absolute(), replace=force)
    show(f"{target}: {size:,} bytes, whole. To go back to it: pepper store restore {shlex.quote(str(target))}")


@store_app.command("restore")
def store_restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy that `backup` or a migration made.")],
    home: HomeOption = None,
) -> None:
    """Go back to a copy of the store. The store that is there is kept beside. Not while Pepper runs."""
    from pepper_tui.clock import SystemClock
    from pepper_tui.store.upkeep.restoring import restore

    where = at(home)
    with _in_words(), _alone(where):
        done = restore(file.expanduser().absolute(), where / DATABASE, SystemClock().now())
    show(f"{where / DATABASE}: as it was in {file}")
    if done.kept:
        show(f"the store that was there: {done.kept}")
    if done.reopened:
        cards = "1 card waits" if done.reopened == 1 else f"{done.reopened} cards wait"
        show(f"{cards} for your yes again: what you said yes to may have gone out since; look before you say it again")


@store_app.command("vacuum")
def store_vacuum(home: HomeOption = None) -> None:
    """Give the file's free pages back to the disk. Not while Pepper runs."""
    do(_vacuum(at(home)))


async def _vacuum(home: Path) -> int:
    from pepper_tui.store.upkeep.purge import vacuum

    async with own_store(home) as store:
        before, after = await vacuum(store)
    show(f"{before:,} bytes before, {after:,} after")
    return 0


@store_app.command("purge")
def store_purge(
    namespace: Annotated[
        list[str] | None, typer.Option("--namespace", metavar="PATTERN", help='As "raw.mail" or "signals.*".')
    ] = None,
    older_than: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", help="Not changed for so many days.", min=0)
    ] = None,
    ident: Annotated[list[str] | None, typer.Option("--id", metavar="NAMESPACE:ID", help="Just this context.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: HomeOption = None,
) -> None:
    """Remove contexts for good, so that nothing of them is left in the file. Not while Pepper runs.

    What is open or still needed stays, and so does the record of what was done outside.
    """
    if not namespace and older_than is None and not ident:
        leave(LaunchError(EXIT_CONFIG, "say what is to go: --namespace, --older-than or --id (`--namespace '*'`: all)"))
    if ident and (namespace or older_than is not None):
        leave(LaunchError(EXIT_CONFIG, "--id goes alone"))
    do(_purge(at(home), namespace or [], older_than, ident or [], yes))


async def _purge(home: Path, namespaces: list[str], older_than: float | None, idents: list[str], yes: bool) -> int:
    from pepper_tui.store.upkeep.copying import copies_of
    from pepper_tui.store.upkeep.purge import Scope, purge, survey

    names = []
    for ref in idents:
        space, colon, ident = ref.partition(":")
        if not colon or not ident:
            raise LaunchError(EXIT_CONFIG, f"{one_line(ref, 60)}: write it as namespace:id, as in note:note_1")
        names.append((space, ident))
    kept = await asyncio.to_thread(kept_by_connectors, home)
    async with own_store(home) as store:
        before = None if older_than is None else store.clock.now() - older_than * 86_400
        found = await survey(store, Scope(tuple(namespaces), before, tuple(names)), kept)
        for space, count in found.contexts.most_common(LISTED):
            if count:
                show(f"{count:>8}  {one_line(space)}")
        if found.traces:
            show(f"of {found.traces} a trace stays (id and file name), so that they do not come in again")
        for reason, count in found.needed.most_common():
            show(f"{count:>8}  stay: {one_line(reason)}")
        for name in found.missing:
            show(f"there is no {one_line(name, 100)}")
        if not found.doomed:
            show("nothing to remove")
            return EXIT_TROUBLE if found.missing or found.needed else 0
        if not yes:
            if not sys.stdin.isatty():
                raise LaunchError(EXIT_CONFIG, "nothing was removed: say --yes, or run it in a terminal")
            if not confirmed(f"Remove these {len(found.doomed)} for good?"):
                show("nothing was removed")
                return EXIT_TROUBLE
        done = await purge(store, found)
    show(f"{done.contexts} contexts removed, {done.rows} versions; the file is written anew")
    if copies := await asyncio.to_thread(copies_of, home / DATABASE):
        show(f"older copies of the store may still hold it; remove them yourself: {', '.join(map(str, copies))}")
    return 0


def kept_by_connectors(home: Path) -> dict[str, str]:
    """Return the data of the config's connectors that is never purged, and why. Raises ``LaunchError``."""
    from pepper_tui.config import ConfigError
    from pepper_tui.connectors.registry import named, retention_of

    if not (home / "config.toml").exists():
        return {}
    config = read_config(home)
    try:
        return retention_of([*named(config, home)])[1]
    except ConfigError as error:
        raise LaunchError(EXIT_CONFIG, "nothing was removed: what has to stay is not known", str(error)) from error


async def _about_store(home: Path, verb: str, arguments: Json) -> AsyncIterator[Json]:
    """Yield the answer about the store of the engine in ``home``; else of the store opened for this."""
    from pepper_tui.engine.answers.queries import store_answers
    from pepper_tui.store import StoreError

    try:
        async for item in request(home, verb, arguments):
            yield item
    except NoEngineError:
        writes = verb == "rollback" or arguments.get("redrive")
        async with own_store(home) if writes else _store_to_read(home) as store:
            try:
                async for item in store_answers(store)[verb](arguments):
                    yield item
            except StoreError as error:
                raise LaunchError(EXIT_TROUBLE, str(error)) from error


@asynccontextmanager
async def _store_to_read(home: Path) -> AsyncIterator[Any]:
    """Yield the home's store, read-only, as it stands. Raises ``LaunchError``."""
    from pepper_tui.clock import SystemClock
    from pepper_tui.engine.at_rest import store_at_rest
    from pepper_tui.store import StoreError

    _must_have_store(home)
    try:
        async with store_at_rest(home, SystemClock()) as store:
            yield store
    except StoreError as error:
        raise LaunchError(EXIT_TROUBLE, str(error)) from error


def _must_have_store(home: Path) -> None:
    if not (home / DATABASE).exists():
        raise LaunchError(EXIT_TROUBLE, f"there is no store in {home} yet; it is made when Pepper first runs")


@asynccontextmanager
async def own_store(home: Path) -> AsyncIterator[Any]:
    """Yield the home's store under the home's lock. Raises ``LaunchError``."""
    from pepper_tui.clock import SystemClock
    from pepper_tui.store import ContextStore, StoreError

    _must_have_store(home)
    with _alone(home):
        try:
            store = await ContextStore.open(home / DATABASE, SystemClock())
            try:
                yield store
            finally:
                await store.close()
        except StoreError as error:
            raise LaunchError(EXIT_TROUBLE, str(error)) from error


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the home's lock. Raises ``LaunchError`` if an engine has it."""
    from pepper_tui.home import make_private
    from pepper_tui.store import HomeLock, HomeLockedError

    lock = HomeLock(home)
    try:
        make_private(home)
        lock.acquire()
    except HomeLockedError as error:
        words = f"Pepper runs in {home}, and this wants the store to itself: end it first (Ctrl+Q on its screen)."
        raise LaunchError(EXIT_LOCKED, words) from error
    except OSError as error:
        raise LaunchError(EXIT_TROUBLE, f"{home}: {error.strerror}") from error
    with lock:
        yield


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """Turn known errors of a command that needs no event loop into words and an exit code."""
    from pepper_tui.store import StoreError

    try:
        yield
    except LaunchError as error:
        leave(error)
    except StoreError as error:
        leave(LaunchError(EXIT_TROUBLE, str(error)))
    except UnicodeDecodeError:
        leave(LaunchError(EXIT_TROUBLE, "this is no export: it is not text in UTF-8"))
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(0) from None
    except OSError as error:
        if error.filename is None:
            raise NotSaidError(f"standard output can't be written: {error.strerror}") from error
        leave(LaunchError(EXIT_TROUBLE, f"{error.filename}: {error.strerror}"))
