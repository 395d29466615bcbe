"""How the offline model reports a call's outcome: results are written for models, and a person reads words.

A line of a result in an unexpected form is shown as it is: nothing is dropped because it was not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from pepper_tui.llm.offline import briefs
from pepper_tui.model import ASKED, Json
from pepper_tui.text import clean, one_line, shorten

SHOWN: Final = 6000  # maximum characters of a result in a reply
_HEADS: Final = {
    "search_mail": "Mail found:",
    "search_notes": "Notes found:",
    "search_context": "Found:",
    "agenda": "Your calendar:",
    "list_reminders": "Your reminders:",
    "list_todos": "Your to-dos:",
    "find_conflicts": "In each other's way:",
    "search_files": "Found in your files:",
    "read_profile": "What I know of you:",
    "profile_history": "Changes of your profile:",
    "list_rules": "Your rules:",
}
_RULE_TOOLS: Final = frozenset(
    {"propose_rule", "change_rule", "pause_rule", "resume_rule", "remove_rule", "list_rules"}
)
_KINDS: Final = {
    "signals": "",
    "raw": "",
    "user": "you said",
    "assistant": "Pepper said",
    "note": "a note",
    "reminder": "a reminder",
    "tool": "a result",
    "notification": "a notice",
}


_NAMED_BY: Final = ("to", "subject", "title", "text", "address", "path", "query", "agent")
"""Arguments by which a person recognises a call without a summary: the first that is given is shown."""
_SENT: Final = re.compile(r"Sent to (\S+@\S+(?:, \S+@\S+)*) as \S+@\S+\.(?:\n|$)")
_CHANGED: Final = "\nThe user changed your proposal before the yes."


def called(name: str, arguments: Json, summary: str) -> str:
    """Return how a person would name the call: its card's line, else its tool with what it was about."""
    if summary:
        return one_line(summary, 200)
    if name == "delegate":
        return briefs.title_of(str(arguments.get("task", "")))
    told = next((str(arguments[key]) for key in _NAMED_BY if arguments.get(key)), "")
    return f"{name} ({one_line(told, 120)})" if told else name


def in_words(
    name: str, state: str, content: str, arguments: Json, summary: str = "", problem: str = "", now: float = 0.0
) -> str:
    """Return a short, factual reply on how a call that the user asked for ended.

    ``summary`` and ``problem`` are those of its result; times of another year than that of ``now`` name theirs.
    """
    if state == "succeeded":
        if name == "delegate":
            return f"{briefs.title_of(str(arguments.get('task', '')))}\n\n{shorten(content, SHOWN)}"
        if name == "remind":
            return _reminded(content, str(arguments.get("text", "")))
        if name == "update_profile":
            return re.sub(r"restore_profile\(version=(\d+)\) takes", r"Say “restore profile \1” to take", content)
        if name == "fetch_page":  # facts on lines of their own are joined: the reply is Markdown
            facts, _, text = content.partition("\n\n")
            return shorten(f"{', '.join(facts.splitlines())}\n\n{text}", SHOWN)
        if name == "list_rules" and arguments.get("rule"):
            head, _, rest = content.partition("\n\n")
            toml, _, more = rest.partition("\n\n")
            table = f"\n\n```toml\n{toml}\n```\n\n" if toml else ""
            return shorten(f"{_rule(head.split(' | ')) or head}{table}{more}".strip(), SHOWN)
        if sent := _SENT.match(content):  # what else it says is meant for a model
            return f"Sent to {sent[1]}{', as you changed it' if _CHANGED in content else ''}."
        return _listed(name, content, now)
    if state == "failed" and name in _RULE_TOOLS and content:
        return content[0].upper() + shorten(clean(content[1:]), SHOWN)
    if state == "failed" and content.endswith(ASKED):
        return content + "."
    what = called(name, arguments, summary)
    if problem:
        reason = one_line(problem, 400)
        return f"Not done: {what}. Why: {reason}. It is back in your inbox as it was; a yes there tries again."
    why = f"\n{one_line(content.removeprefix('Not done: '), 400)}" if content else ""
    if state == "unknown":
        return f"It is not known whether this happened: {what}{why}"
    return f"{'Cancelled' if state == 'cancelled' else 'Not done'}: {what}{why}"


def _reminded(content: str, text: str) -> str:
    _, _, when = content.rstrip().partition(" set for ")
    return f"I will remind you on {when[:-1]}: {one_line(text, 200)}" if when.endswith(".") else content


def _listed(name: str, content: str, now: float) -> str:
    head, body = _HEADS.get(name), shorten(content, SHOWN) or "Nothing."
    retell: Callable[[list[str], float], str] | None = {
        "search_context": _hit,
        "search_mail": _mail,
        "list_reminders": _reminder,
        "profile_history": _version,
        "list_rules": _rule,
    }.get(name)
    lines = [line for line in body.splitlines() if line.strip()]
    if retell is not None and any(" | " in line for line in lines):
        known = {line.partition(" | ")[0] for line in lines}
        lines = [line for line in lines if not _told_by_its_signal(line, known)]
        lines = [retell(line.split(" | "), now) or line for line in lines]
    elif len(lines) < 2:
        return f"{head}\n{body}" if head else body
    if head is None and name == "find_free_time" and lines[0].endswith(":"):
        head, lines = lines[0], lines[1:]
    if head is None:
        return body
    return f"{head}\n" + "\n".join(f"- {line}" for line in lines)


def _told_by_its_signal(line: str, known: set[str]) -> bool:
    """Check whether a raw item is listed beside the signal that was made of it."""
    space, _, ident = line.partition(" | ")[0].partition(":")
    return space.startswith("raw.") and f"signals.{space[4:]}:signal_{ident}" in known


def _hit(parts: list[str], now: float) -> str:
    space = parts[0].partition(":")[0]
    kind = _KINDS.get(space.partition(".")[0])
    if kind is None or len(parts) < 3:
        return ""
    return ", ".join(filter(None, (_day(parts[1], now), kind))) + ": " + " | ".join(parts[2:])


def _mail(parts: list[str], now: float) -> str:
    if len(parts) < 4:
        return ""
    first = f" – {' | '.join(parts[4:])}" if parts[4:] else ""
    return f"{_day(parts[1], now)}, {parts[2]}: {parts[3]}{first}"


def _reminder(parts: list[str], _: float) -> str:
    return f"{parts[1]}: {parts[2]}" if len(parts) > 2 else ""


def _rule(parts: list[str], _: float = 0.0) -> str:
    return f"{parts[0]}: {' | '.join(parts[1:-1])} {parts[-1][:1].upper()}{parts[-1][1:]}." if len(parts) > 2 else ""


def _version(parts: list[str], now: float) -> str:
    return f"{_day(parts[1], now)}, {parts[0]}: {' | '.join(parts[2:])}" if len(parts) > 2 else ""


def _day(written: str, now: float) -> str:
    """Return a tool's time without what a person does not need: ``Sat 21 Nov 16:05``, and this year."""
    for form in ("%a %Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"):
        words = written.rpartition(" ")[0] if form.startswith("%a") else written
        try:
            at = datetime.strptime(words, form)
        except ValueError:
            continue
        year = f" {at.year}" if now and at.year != datetime.fromtimestamp(now, at.tzinfo or UTC).year else ""
        return f"{at:%a} {at.day} {at:%b}{year} {at:%H:%M}"
    return written
