"""The rules of the config, from each of its sections: ``[[rule]]``, ``[[watch]]`` and ``[[clock]]``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from pepper_tui.config import ClockEntry, Config, Watch
from pepper_tui.config import Rule as RuleSection
from pepper_tui.model import Rule


def rules_of_config(config: Config) -> list[Rule]:
    """Return the rules in the order of the config.

    Each has an id derived from its name, and a version that changes with its content.
    """
    found = [_of_rule(each) for each in config.rule]
    found += [_of_watch(each) for each in config.watch]
    found += [_of_clock(each) for each in config.clock]
    taken: dict[str, int] = {}
    for rule in found:
        base = rule_id(rule.name)
        taken[base] = taken.get(base, 0) + 1
        rule.id = base if taken[base] == 1 else f"{base}-{taken[base]}"
        rule.version = _version(rule)
    return found


def rule_id(name: str) -> str:
    """Return the id of a rule called ``name``: lower case, words joined by ``-``."""
    return "-".join(re.findall(r"\w+", name.lower()))[:60] or "rule"


def _of_rule(section: RuleSection) -> Rule:
    return Rule(id="", origin="config", **section.model_dump())


def _of_watch(watch: Watch) -> Rule:
    given = watch.model_dump()
    hours = given.pop("follow")
    sender = given.pop("sender")
    return Rule(id="", origin="config", follow_up=hours, sender=[sender] if sender else [], **given)


def _of_clock(entry: ClockEntry) -> Rule:
    return Rule(id="", origin="config", **entry.model_dump())


def _version(rule: Rule) -> str:
    words = {key: value for key, value in rule.data().items() if key not in ("id", "version", "state", "created_at")}
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()[:8]


def names(rules: Iterable[Rule]) -> str:
    """Return the names of ``rules``, joined."""
    return ", ".join(rule.name for rule in rules)
