"""Queries about and changes to the user's rules by the `pepper rules` command; these are the user's own acts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial

from pepper_tui.engine.acts.user_rules import UserRules
from pepper_tui.engine.answers.socket import Answer, RemoteError
from pepper_tui.model import Json, RuleReport
from pepper_tui.rules import sentence


def rule_answers(rules: UserRules) -> Mapping[str, Answer]:
    """Return the verbs on rules that a running engine's socket serves."""
    answers: dict[str, Callable[[UserRules, Json], AsyncIterator[Json]]] = {
        "rules": listed,
        "rule": shown,
        "rule_versions": versions,
        "change_rule": changed,
    }
    return {verb: partial(_in_words, answer, rules) for verb, answer in answers.items()}


async def _in_words(
    answer: Callable[[UserRules, Json], AsyncIterator[Json]], rules: UserRules, arguments: Json
) -> AsyncIterator[Json]:
    try:
        async for item in answer(rules, arguments):
            yield item
    except ValueError as error:
        raise RemoteError(str(error)) from error


async def listed(rules: UserRules, arguments: Json) -> AsyncIterator[Json]:
    """Yield each rule with its results."""
    del arguments
    for report in await rules.all():
        yield report.data()


async def shown(rules: UserRules, arguments: Json) -> AsyncIterator[Json]:
    """Yield the report of the rule ``rule`` with its newest acts."""
    report: RuleReport = await rules.report(str(arguments["rule"]))
    acts = await rules.acts(report.rule["id"], int(arguments.get("n", 10)))
    yield {**report.data(), "newest": [act.data() for act in acts]}


async def versions(rules: UserRules, arguments: Json) -> AsyncIterator[Json]:
    """Yield the versions of the rule ``rule``, newest first."""
    for rule in await rules.versions(str(arguments["rule"])):
        yield {"version": rule.version, "state": str(rule.state), "sentence": sentence(rule)}


async def changed(rules: UserRules, arguments: Json) -> AsyncIterator[Json]:
    """Do ``act`` (pause, resume, remove, restore) to the rule ``rule``; yield one item with the outcome in words."""
    act, rule = str(arguments["act"]), str(arguments["rule"])
    if act == "restore":
        yield {"words": await rules.restore(rule, str(arguments["version"]))}
        return
    acts = {"pause": rules.pause, "resume": rules.resume, "remove": rules.remove}
    if act not in acts:
        raise RemoteError(f"rules have no act {act[:40]!r}")
    yield {"words": await acts[act](rule)}
