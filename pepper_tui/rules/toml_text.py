"""A rule as a ``[[rule]]`` table of the config, and what a rule is made of.

``as_toml`` parses back to the same rule; a key that stands at its default is left out.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import ValidationError

from pepper_tui.config import Rule as RuleSection
from pepper_tui.model import Json, Rule
from pepper_tui.text import clean

KEYS: Final = tuple(RuleSection.model_fields)
"""The keys of ``[[rule]]``, in the order of the config: all that a rule says."""


def words_of(rule: Rule) -> Json:
    """What ``rule`` says, by the config's keys, without what stands at its default."""
    given = rule.data()
    return {key: given[key] for key in KEYS if key == "name" or given[key] != _default(key)}


def checked(given: Json) -> Json:
    """``given`` as all keys of ``[[rule]]``, strings cleaned. Raises ``ValueError`` with words where it is no rule."""
    cleaned = {key: _cleaned(value) for key, value in given.items() if key in KEYS}
    try:
        return RuleSection.model_validate(cleaned).model_dump()
    except ValidationError as error:
        said = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}".lstrip(": ") for one in error.errors())
        raise ValueError("; ".join(one.removeprefix("Value error, ") for one in said)) from error


def as_toml(rule: Rule) -> str:
    """``rule`` as a table that may stand in ``config.toml``; empty for one that is built in: no table says it."""
    if rule.origin == "built in":
        return ""
    lines = ["[[rule]]"]
    for key, value in words_of(rule).items():
        if key == "brief" and rule.timed:
            lines.append("brief = true" if value == 1 else f"brief = {value}")
        else:
            lines.append(f"{key} = {_value(value)}")
    return "\n".join(lines)


def _default(key: str) -> Any:
    return RuleSection.model_fields[key].get_default(call_default_factory=True)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, int):
        return str(value)
    # JSON's escapes are TOML's, but for DEL, which JSON lets stand
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return clean(value) if isinstance(value, str) else value
