"""The `pepper` command with its subcommands.

Exit codes: 0 done; 1 trouble; 2 a config that is missing or can't be used (or wrong usage); 3 another engine has the
home; 4 `ask` or `answer` left approvals or questions in the inbox. Answers go to stdout, all else to stderr; text from
outside is cleaned.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from pepper_tui import __version__
from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.clock import ZONE_REMEDY, zone_trouble
from pepper_tui.command.launch import (
    EXIT_APPROVALS,
    EXIT_CONFIG,
    EXIT_LOCKED,
    EXIT_TROUBLE,
    LaunchError,
    missing_config,
    opened,
    read_config,
    resting,
    run_headless,
)
from pepper_tui.command.output import HomeOption, Homes, NotSaidError, at, do, leave, show, unsaid, user_settings, when
from pepper_tui.command.rules import rules_app
from pepper_tui.command.store import store_app
from pepper_tui.command.when import when as when_command
from pepper_tui.config import Config, ConfigError
from pepper_tui.engine.answers.socket import EngineClosedError, NoEngineError, request
from pepper_tui.text import clean, one_line

Json = dict[str, Any]
MAX_PIPED: Final = 500_000
_BESIDE: Final = 30.0  # seconds to wait for another `ask` that has the home
"""Bytes that `ask -` reads."""

app = typer.Typer(
    name="pepper",
    help="Pepper, a proactive assistant that lives in a terminal. Without a command: the screen.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(
    help="The config: where it is, what it says, whether it is right; an example.", no_args_is_help=True
)
app.add_typer(config_app, name="config")
app.add_typer(store_app, name="store")
app.add_typer(rules_app, name="rules")
app.command("when")(when_command)


def main() -> None:
    try:
        app(prog_name="pepper")
    except NotSaidError as error:
        sys.exit(unsaid(error))


@app.callback(invoke_without_command=True)
def pepper(
    context: typer.Context,
    home: HomeOption = None,
    demo: Annotated[bool, typer.Option("--demo", help="Sample mail and calendar; nothing leaves the machine.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a screen, for screen readers.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        show(f"pepper {__version__}")
        raise typer.Exit()
    Homes.given = home
    if context.invoked_subcommand is None:
        from pepper_tui.command.front import screen

        raise typer.Exit(screen(home, demo, plain))
    if plain:
        leave(LaunchError(EXIT_CONFIG, "--plain goes alone, or with --demo"))
    if demo and context.invoked_subcommand != "run":
        leave(LaunchError(EXIT_CONFIG, "--demo goes alone, or with `run --headless`"))
    context.obj = demo


@app.command()
def run(
    context: typer.Context,
    headless: Annotated[
        bool, typer.Option("--headless", help="No screen; `ask`, `log` and `status` reach it.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="On the demo's sample world.")] = False,
    home: HomeOption = None,
) -> None:
    """Run Pepper, with the screen or without."""
    demo = demo or bool(context.obj)
    if not headless:
        from pepper_tui.command.front import screen

        raise typer.Exit(screen(home or Homes.given, demo))
    if demo and not (home or Homes.given):
        from pepper_tui.command.launch import demo_home

        home = demo_home()
    raise typer.Exit(run_headless(at(home), demo=demo))


@app.command()
def ask(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say; - reads it from standard input.")],
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the reply.", min=1)] = 300,
    home: HomeOption = None,
) -> None:
    """Say something and print the reply. Exits 4 where approvals were left in the inbox, 1 where none was had."""
    piped = text == "-"
    if piped:
        text = sys.stdin.buffer.read(MAX_PIPED + 1).decode("utf-8", "replace")
        if len(text) > MAX_PIPED:
            leave(LaunchError(EXIT_CONFIG, f"standard input holds more than {MAX_PIPED:,} bytes"))
    if not text.strip():
        leave(LaunchError(EXIT_CONFIG, "there is nothing to say: the text is empty"))
    do(_ask(at(home), text, timeout, piped))


async def _ask(home: Path, text: str, timeout: float, piped: bool) -> int:
    """Ask. While another one is at its start, or was asked in the same moment and has the home, wait for it; where an
    engine closes before it has answered, go on with the next."""
    import asyncio

    began = time.monotonic()
    arguments: Json = {"text": text, "timeout": timeout, "piped": piped, "key": uuid.uuid4().hex}
    shown: list[str] = []
    while True:
        try:
            return await _ask_once(home, arguments, shown)
        except LaunchError as error:  # this time nothing was said
            if error.code != EXIT_LOCKED or time.monotonic() > began + min(timeout, _BESIDE):
                raise
        except EngineClosedError:
            if time.monotonic() > began + timeout:
                raise
        await asyncio.sleep(0.2)


async def _ask_once(home: Path, arguments: Json, shown: list[str]) -> int:
    """Show the replies but those that are ``shown``."""
    before = frozenset(shown)
    last: Json = {}
    async with _asking(home, "ask", arguments, opens=True) as items:
        async for item in items:
            if "reply" in item and item["reply"] not in before:
                show(clean(item["reply"]))
                shown.append(item["reply"])
            last = item
    return _left(last)


def _left(last: Json) -> int:
    """Say what waits for the user after a reply; the exit code."""
    cards, asked = last.get("approvals", ()), last.get("questions", ())
    for card in cards:
        typer.echo(f"waits for your approval in the inbox: {one_line(card)}", err=True)
    for question in asked:
        typer.echo(f"asks you (pepper answer): {one_line(question, 800)}", err=True)
    if cards or asked:
        return EXIT_APPROVALS
    return EXIT_TROUBLE if last.get("trouble") else 0


@app.command()
def answer(
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="The number of an answer, or your own words; - reads them.")
    ] = "",
    question: Annotated[str, typer.Option(help="Which question, by its id, where several wait.")] = "",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for what comes of it.", min=1)] = 300,
    home: HomeOption = None,
) -> None:
    """Answer what Pepper asks, and print what it says then; without a text, what it asks. Exit codes as of `ask`."""
    piped = text == "-"
    if piped:
        text = sys.stdin.buffer.read(MAX_PIPED + 1).decode("utf-8", "replace")
        if len(text) > MAX_PIPED or not text.strip():
            leave(LaunchError(EXIT_CONFIG, f"standard input is empty, or holds more than {MAX_PIPED:,} bytes"))
    do(_answer(at(home), {"text": text, "question": question, "timeout": timeout, "piped": piped}))


async def _answer(home: Path, arguments: Json) -> int:
    last: Json = {}
    async with _asking(home, "answer", arguments, opens=True) as items:
        async for item in items:
            last = item
            if "question" in item:
                show(f"{one_line(item['question'], 800)}  [{one_line(item['id'], 80)}]")
            elif "words" in item or "reply" in item:
                show(clean(item.get("words") or item["reply"]))
    if not last:
        show("Pepper asks nothing.")
    return _left(last)


@app.command()
def log(
    n: Annotated[int, typer.Option("-n", help="How many updates.", min=1)] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with those to come.")] = False,
    silence: Annotated[bool, typer.Option("--silence", help="What was held back, and why.")] = False,
    effects: Annotated[
        bool, typer.Option("--effects", help="Outside effects: proposed, decided, and what came of it.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """What happened, oldest first: time, namespace, id, state, words."""
    do(_log(at(home), {"n": n, "follow": follow, "silence": silence, "effects": effects}))


async def _log(home: Path, arguments: Json) -> int:
    shown = 0
    async with _asking(home, "log", arguments, opens=not arguments["follow"]) as items:
        async for item in items:
            shown += 1
            if "words" in item and "at" not in item:
                show(clean(item["words"]))
                continue
            if "effect" in item:
                show(_effect(item))
                continue
            state = f" [{item['state']}]" if item["state"] else ""
            name = f"{item['namespace']}  {one_line(item['id'], 60)}"
            show(f"{when(item['at'], exact=True)}  {name}{state}  {one_line(item['words'])}")
    if not shown:
        show("Nothing was proposed yet." if arguments["effects"] else "Nothing has happened yet.")
    return 0


def _effect(item: Json) -> str:
    """One proposal: when, what, by which account; what the user decided and when; what came of it."""
    lines = [f"{when(item['proposed_at'])}  {one_line(item['effect'], 300)}"]
    by = f"by {one_line(item['account'])} · " if item["account"] else ""
    lines.append(f"    {by}digest {item['digest'][:16]}")
    whose = " by you" if item["by_user"] else ""  # a card may expire or be withdrawn, too
    decided = f"{whose} at {when(item['decided_at'])}" if item["decided_at"] else ""
    lines.append(f"    {item['decision']}{decided}" + (f": {one_line(item['note'])}" if item["note"] else ""))
    if item["problem"]:
        lines.append(f"    asks again: {one_line(item['problem'])}")
    if item["outcome"]:
        ended = f" at {when(item['ended_at'])}" if item["ended_at"] else ""
        lines.append(f"    {item['outcome']}{ended}" + (f": {one_line(item['error'])}" if item["error"] else ""))
    return "\n".join(lines)


@app.command()
def status(home: HomeOption = None) -> None:
    """What waits for you, what runs, and whether each part works."""
    do(_status(at(home)))


WAITING: Final = (
    ("approve", "approvals"),
    ("inbox", "notifications"),
    ("unknown", "unknown"),
    ("running", "running"),
)
"""The status's titles, and the facts that they stand for."""
LISTED: Final = 10
"""Things of one kind that the status lists; the others are counted."""


async def _status(home: Path) -> int:
    running = True
    try:
        items = [item async for item in request(home, "status")]
    except NoEngineError:
        running = False
        async with _asking(home, "status", {}, opens=True) as own:
            items = [item async for item in own]
    facts = items[0]
    show(f"home       {home}")
    zone = str(user_settings(home).get("zone") or "")
    if not running and (trouble := zone_trouble(zone)):  # of one that runs, the part `zone` says it
        show(f"zone       {one_line(trouble)} · {ZONE_REMEDY}")
    show("engine     " + ("runs" if running else "does not run (start it with `pepper`)"))
    show(f"model      {one_line(facts['model'])}")
    if facts.get("unread"):
        show(f"unread     {one_line(facts['unread'])}")
    for title, key in () if facts.get("unread") else WAITING:
        show(f"{title:<10} {len(facts[key])}")
        for words in facts[key][:LISTED]:
            show(f"           - {one_line(words)}")
        if len(facts[key]) > LISTED:
            show(f"           and {len(facts[key]) - LISTED} more")
        if key == "approvals" and (sends := len(facts.get("approved", ()))):
            goes = "goes" if sends == 1 else "go"
            when = "once the time to undo is over" if running else "after the next start"
            show(f"           {sends} approved send{'' if sends == 1 else 's'} {goes} out {when}")
    if not facts.get("unread"):
        show(f"dead       {facts['dead_letters']}" + ("  (pepper store dead)" if facts["dead_letters"] else ""))
    if running:  # without an engine nothing is at work, and old health would tell a tale
        for part in facts["health"]:
            remedy = f" · {one_line(part['remedy'])}" if part["remedy"] else ""
            show(f"{one_line(part['part'], 24):<24} {part['state']}  {one_line(part['detail'])}{remedy}")
    return 0


@app.command()
def init(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the mail and calendars found.")] = False,
    home: HomeOption = None,
) -> None:
    """Find mail, calendars and models on this machine, ask, and write a config. Never over one that is there."""
    from pepper_tui.command.first_start import first_start

    raise typer.Exit(first_start(at(home), yes=yes))


@app.command()
def doctor(home: HomeOption = None) -> None:
    """Each part, whether it works, and how to fix it. Exits 1 where something is wrong."""
    do(_doctor(at(home)))


async def _doctor(home: Path) -> int:
    from pepper_tui.setup.doctor import examine, in_words

    wrong = 0
    async for finding in examine(home):
        wrong += finding.state == "trouble"
        show(in_words(finding))
    show()
    show("All is well." if not wrong else f"{wrong} {'thing needs' if wrong == 1 else 'things need'} fixing.")
    return EXIT_TROUBLE if wrong else 0


@asynccontextmanager
async def _asking(home: Path, verb: str, arguments: Json, *, opens: bool) -> AsyncIterator[AsyncIterator[Json]]:
    """The answer of the engine that runs in ``home``; else, if ``opens``, of one opened to be asked, without feeds, or
    of the home as it stands."""
    from pepper_tui.engine.answers import queries

    first: list[Json] = []
    async with aclosing(request(home, verb, arguments)) as remote:
        try:
            first.append(await anext(remote))
        except StopAsyncIteration:
            yield _chained([], None)
            return
        except NoEngineError:
            if not opens:
                if not (home / "config.toml").exists():
                    raise missing_config(home) from None
                raise LaunchError(
                    EXIT_TROUBLE, f"no engine runs in {home}; start it with `pepper` or `pepper run --headless`"
                ) from None
        else:
            yield _chained(first, remote)
            return
    if not (home / "config.toml").exists():
        raise missing_config(home)
    if verb in ("ask", "answer"):
        async with opened(home, feeds=False) as engine:
            await engine.servers_begun()
            yield queries.answers(engine)[verb](arguments)
    else:
        async with resting(home) as rest:
            yield queries.answers_at_rest(rest)[verb](arguments)


async def _chained(first: list[Json], rest: AsyncIterator[Json] | None) -> AsyncIterator[Json]:
    for item in first:
        yield item
    if rest:
        async for item in rest:
            yield item


def _of_accounts(home: Path, config: Config) -> list[str]:
    """What is wrong with the accounts that the config names."""
    from pepper_tui.connectors.registry import named

    try:
        list(named(config, home))
    except ConfigError as error:
        return error.problems
    return []


@config_app.command("check")
def config_check(home: HomeOption = None) -> None:
    """Read the config and say what it sets up, or what is wrong: file, line, key."""
    from pepper_tui.config import old_key_notes
    from pepper_tui.config.report import missing_things, summary

    where = at(home)
    path = where / "config.toml"
    with suppress(OSError, UnicodeDecodeError, ConfigError):  # told below, with all else that is wrong
        for note in old_key_notes(plain_text(path), path):
            show(f"{note}; to write that into the file: pepper config upgrade")
    config = configured(where)
    problems = [*missing_things(where, config), *_of_accounts(where, config)]
    for line in summary(config):
        show(line)
    if problems:
        leave(LaunchError(EXIT_CONFIG, *problems))
    show(f"{path}: good")


@config_app.command("upgrade")
def config_upgrade(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")] = False,
    home: HomeOption = None,
) -> None:
    """Write the new names of renamed keys into the config; all else in it stays as it is."""
    from pepper_tui.config.report import changes
    from pepper_tui.config.upgrade import upgrade_of, write

    path = at(home) / "config.toml"
    try:
        upgrade = upgrade_of(path)
        for note in upgrade.notes:
            show(note)
        for line in changes(upgrade.before, upgrade.after):
            show(clean(line))
        if not upgrade.notes:
            show(f"{path}: no key of it has another name now; nothing to do")
        elif dry_run:
            show(f"{path}: nothing was written")
        else:
            show(f"{path}: written; the one before is {write(upgrade)}")
    except FileNotFoundError:
        leave(missing_config(path.parent))
    except ConfigError as error:
        leave(LaunchError(EXIT_CONFIG, *error.problems))
    except UnicodeDecodeError as error:
        leave(LaunchError(EXIT_CONFIG, f"{path}: {error}"))
    except OSError as error:
        leave(LaunchError(EXIT_TROUBLE, f"{error.filename or path}: {error.strerror}; nothing was changed"))


@config_app.command("path")
def config_path(home: HomeOption = None) -> None:
    """Where the config is, or would be."""
    show(str(at(home) / "config.toml"))


@config_app.command("show")
def config_show(home: HomeOption = None) -> None:
    """Every setting as it is now, defaults included. Secrets are only named, as the config names them."""
    from pepper_tui.config.report import settings

    for line in settings(configured(at(home)).model_dump(mode="json", exclude_none=True)):
        show(line)


@config_app.command("example")
def config_example() -> None:
    """Print a complete example, every key with its meaning."""
    from pepper_tui.config.report import example_text

    show(example_text().rstrip("\n"))


def configured(home: Path) -> Config:
    """The home's config, or the end of the command."""
    try:
        return read_config(home)
    except LaunchError as error:
        leave(error)
