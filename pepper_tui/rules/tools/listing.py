"""The user's rules as text: what each says, and its results."""

from __future__ import annotations

from pepper_tui.clock import iso
from pepper_tui.model import Effect, RuleReport
from pepper_tui.rules.tools.parts import one_rule, rules_of
from pepper_tui.text import one_line
from pepper_tui.tools.tool import ToolContext, tool


def report_line(report: RuleReport) -> str:
    """Return one line for a rule: its name and state, what it says, and its results."""
    rule = report.rule
    state = "" if rule["state"] == "active" else f" ({rule['state']})"
    origin = {"config": ", in config.toml", "built in": ", built in"}.get(rule["origin"], "")
    return f"{one_line(rule['name'], 60)}{state}{origin} | {report.sentence} | {outcome(report)}"


def outcome(report: RuleReport) -> str:
    """Return the results of a rule, in words."""
    matches = (
        f"{report.matches:,} {'match' if report.matches == 1 else 'matches'}" if report.matches else "no match yet"
    )
    acts = [f"{count:,} {state}" for state, count in report.acts.items()]
    said = [matches, *([f"acts: {', '.join(acts)}"] if acts else [])]
    if report.cost:
        said.append(f"cost {report.cost:.2f}")
    if report.dismissed:
        said.append(f"{report.dismissed:,} dismissed")
    if report.waits:
        said.append(report.waits)
    return ", ".join(said)


@tool(effect=Effect.READ)
async def list_rules(ctx: ToolContext, rule: str | None = None) -> str:
    """List the user's rules: name, what each says, and what came of it.

    Args:
        rule: only this one, by its name, with its TOML and its earlier versions
    """
    rules = rules_of(ctx)
    if not rule:
        reports = await rules.reports(rules.book.rules)
        return "\n".join(report_line(each) for each in reports) or "No rules."
    one = one_rule(ctx, rule)
    [report] = await rules.reports([one])
    lines = [report_line(report), "", report.toml] if report.toml else [report_line(report)]
    versions = await rules.changes.versions(one.id) if one.origin == "made" else []
    if len(versions) > 1:
        lines += ["", "Versions:"]
        lines += [f"{each.version}: {rules.words(each)[0]}" for each in versions]
    if report.last is not None:
        lines += ["", f"Last match: {iso(report.last, ctx.zone)}"]
    return "\n".join(lines)
