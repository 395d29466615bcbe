"""A rule as a ``[[rule]]`` table of the config, and the keys it consists of.

``as_toml`` parses back to the same rule; keys with their default value are left out.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import ValidationError

from pepper_tui.config import Rule as RuleSection
from pepper_tui.model import Json, Rule
from pepper_tui.text import clean

KEYS: Final = tuple(RuleSection.model_fields)
"""The keys of ``[[rule]]``, in the order of the config: everything that a rule says."""


def words_of(rule: Rule) -> Json:
    """Return what ``rule`` says, by the config's keys, without default values."""
    given = rule.data()
    return {key: given[key] for key in KEYS if key == "name" or given[key] != _default(key)}


def checked(given: Json) -> Json:
    """Return ``given`` as all keys of ``[[rule]]``, strings cleaned.

    Raises ``ValueError`` with words if it is no rule.
    """
    cleaned = {key: _cleaned(value) for key, value in given.items() if key in KEYS}
    try:
        return RuleSection.model_validate(cleaned).model_dump()
    except ValidationError as error:
        said = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}".lstrip(": ") for one in error.errors())
        raise ValueError("; ".join(one.removeprefix("Value error, ") for one in said)) from error


def as_toml(rule: Rule) -> str:
    """Return ``rule`` as a table for ``config.toml``; empty for a built-in rule, which no table can express."""
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
    # JSON's escapes are TOML's, except that JSON leaves DEL unescaped
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return clean(value) if isinstance(value, str) else value
