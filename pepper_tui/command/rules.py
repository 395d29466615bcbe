"""`pepper rules …`: your rules, the outcomes of each, and pausing, removing and restoring them.

It takes effect immediately: it is the user's own act. A running engine answers; else one is opened for it, without
feeds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import typer

from pepper_tui.command.launch import missing_config, opened, resting
from pepper_tui.command.output import HomeOption, at, do, show, when
from pepper_tui.engine.answers.socket import NoEngineError, request
from pepper_tui.text import clean, one_line

Json = dict[str, Any]

rules_app = typer.Typer(
    help="Your rules: what each says and what came of it; pause, resume, remove, earlier versions.",
    invoke_without_command=True,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The rule's name, or what it looks for.")]


@rules_app.callback()
def rules(context: typer.Context, home: HomeOption = None) -> None:
    if context.invoked_subcommand is None:
        do(_list(at(home)))


@rules_app.command("list")
def rules_list(home: HomeOption = None) -> None:
    """Each rule: its name and state, what it says, what came of it."""
    do(_list(at(home)))


async def _list(home: Path) -> int:
    reports = [item async for item in _asked(home, "rules", {})]
    for report in reports:
        show(_head(report))
        show(f"    {one_line(report['sentence'], 500)}")
        show(f"    {_outcome(report)}")
    if not reports:
        show("no rules yet; say one in the chat, as in: always tell me when Ann writes")
    return 0


def _head(report: Json) -> str:
    rule = report["rule"]
    state = "" if rule["state"] == "active" else f" ({rule['state']})"
    version = f"version {one_line(rule['version'], 20)}"
    where = {"config": "config.toml", "built in": "built in"}.get(rule["origin"], version)
    return f"{one_line(rule['name'], 60)}{state} · {where}"


def _outcome(report: Json) -> str:
    acts = ", ".join(f"{count} {one_line(state, 20)}" for state, count in report["acts"].items())
    said = [f"matches {report['matches']}", f"acts: {acts}" if acts else "", f"cost {report['cost']:.2f}"]
    said += [f"dismissed {report['dismissed']}", f"last {when(report['last'])}" if report["last"] else ""]
    return " · ".join(each for each in [*said, one_line(report["waits"])] if each)


@rules_app.command("show")
def rules_show(name: NameArgument, home: HomeOption = None) -> None:
    """One rule in full, as TOML, with its newest acts."""
    do(_show(at(home), name))


async def _show(home: Path, name: str) -> int:
    [report] = [item async for item in _asked(home, "rule", {"rule": name})]
    show(_head(report))
    show(one_line(report["sentence"], 2000))
    show(_outcome(report))
    if report["toml"]:
        show()
        show(clean(report["toml"]))
    for act in report["newest"]:
        detail = f": {one_line(act['detail'])}" if act["detail"] else ""
        show(f"{when(act['created_at'])}  {act['act']} {act['state']}  {one_line(act['about'], 100)}{detail}")
    return 0


@rules_app.command("pause")
def rules_pause(name: NameArgument, home: HomeOption = None) -> None:
    """Let a rule rest, also one of config.toml."""
    do(_change(at(home), {"act": "pause", "rule": name}))


@rules_app.command("resume")
def rules_resume(name: NameArgument, home: HomeOption = None) -> None:
    """Let a paused rule go on."""
    do(_change(at(home), {"act": "resume", "rule": name}))


@rules_app.command("remove")
def rules_remove(name: NameArgument, home: HomeOption = None) -> None:
    """Remove a rule that was made in Pepper; `restore` brings it back."""
    do(_change(at(home), {"act": "remove", "rule": name}))


@rules_app.command("versions")
def rules_versions(name: NameArgument, home: HomeOption = None) -> None:
    """What a rule has said, the newest first; also of one that was removed."""  # noqa: D401
    do(_versions(at(home), name))


async def _versions(home: Path, name: str) -> int:
    async for item in _asked(home, "rule_versions", {"rule": name}):
        state = "  (removed)" if item["state"] == "removed" else ""
        show(f"{one_line(item['version'], 20):>3}  {one_line(item['sentence'], 500)}{state}")
    return 0


@rules_app.command("restore")
def rules_restore(
    name: NameArgument,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="As `pepper rules versions` shows it.", min=1)],
    home: HomeOption = None,
) -> None:
    """Make an earlier version of a rule the newest one."""
    do(_change(at(home), {"act": "restore", "rule": name, "version": version}))


async def _change(home: Path, arguments: Json) -> int:
    async for item in _asked(home, "change_rule", arguments):
        show(one_line(item["words"], 500))
    return 0


async def _asked(home: Path, verb: str, arguments: Json) -> AsyncIterator[Json]:
    """Yield the answer of the engine in ``home``; else of one opened for a change, or of the home as it stands."""
    try:
        async for item in request(home, verb, arguments):
            yield item
    except NoEngineError:
        if not (home / "config.toml").exists():
            raise missing_config(home) from None
        from pepper_tui.engine.answers.rule_queries import rule_answers

        if verb == "change_rule":
            async with opened(home, feeds=False) as engine:
                async for item in rule_answers(engine.user_rules)[verb](arguments):
                    yield item
        else:
            async with resting(home) as rest:
                async for item in rule_answers(rest.user_rules)[verb](arguments):
                    yield item
