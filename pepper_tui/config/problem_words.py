"""What is wrong with a value of the config, in Pepper's own words; pydantic's are for programmers."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel

from pepper_tui.text import one_line

_NAME: Final = "has to begin with a small letter, then small letters, digits and _"
_ADDRESS: Final = "has to be a mail address, as in you@example.org"
PATTERNS: Final[Mapping[str, str]] = {
    r"^[a-z][a-z0-9_]{0,40}$": f"{_NAME} (41 at most)",
    r"^[a-z][a-z0-9_-]{0,40}$": f"{_NAME} or - (41 at most)",
    r"^\w[\w -]{0,39}$": "has to be letters, digits, spaces, _ and - (40 at most)",
    r"^[^@\s]+@[^@\s]+$": _ADDRESS,
    r"^[^@\s<>]+@[^@\s<>]+$": _ADDRESS,
    r"^([^@\s]+@[^@\s]+)?$": _ADDRESS,
    r"^[^\r\n]*$": "has to be one line",
    r"^([a-z]{2}([-_][A-Z]{2})?)?$": 'has to be a language, as in "en" or "de_DE"',
}
"""Every pattern that a key has, in words."""
_WORDS: Final[Mapping[str, str]] = {
    "missing": "has to be set",
    "string_type": 'has to be text in quotes ("…")',
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_from_float": "has to be a whole number",
    "float_type": "has to be a number",
    "float_parsing": "has to be a number",
    "finite_number": "has to be a number",
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
    "list_type": "has to be a list in [ ]",
    "dict_type": "has to be a table",
    "model_type": "has to be a table",
    "model_attributes_type": "has to be a table",
    "path_type": "has to be a path in quotes",
    "greater_than": "has to be more than {gt:g}",
    "greater_than_equal": "has to be at least {ge:g}",
    "less_than": "has to be less than {lt:g}",
    "less_than_equal": "has to be at most {le:g}",
    "string_too_short": "is too short: at least {min_length} character(s)",
    "string_too_long": "is too long: at most {max_length} characters",
    "too_short": "has too few entries: at least {min_length}",
    "too_long": "has too many entries: at most {max_length}",
    "literal_error": "has to be one of: {expected}",
    "enum": "has to be one of: {expected}",
}


def problem_words(problem: Mapping[str, Any]) -> str:
    """Return what one error of pydantic means for whoever wrote the config. The value itself is not repeated."""
    kind, context = str(problem["type"]), problem.get("ctx", {})
    if kind == "value_error":
        return str(problem["msg"]).removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(str(context.get("pattern")), f"has to look like {context.get('pattern')}")
    if context.get("min_length") == 1:
        return "must not be empty" if kind == "string_too_short" else "needs at least one entry"
    words = _WORDS.get(kind)
    if words is None:
        return str(problem["msg"])
    return words.format(**{**context, "expected": str(context.get("expected", "")).replace("'", '"')})


def unknown_key(key: str, known: Sequence[str], whose: str = "this Pepper does not know it") -> str:
    """Say what to do about an unknown key: it may be misspelt, or belong to a newer version."""
    near = difflib.get_close_matches(key, known, n=1)
    guess = f"did you mean {near[0]}? Otherwise a newer one may know it" if near else "a newer one may"
    return f"{whose}; {guess}; remove it or update (pepper config example: every key there is)"


def keys_beside(where: Sequence[str | int], root: type[BaseModel]) -> list[str]:
    """Return the keys that are allowed beside the key at ``where`` in a tree of ``root``."""
    section: type[BaseModel] | None = root
    named = False  # the next part is a name chosen by the user
    for part in where[:-1]:
        if section is None:
            return []
        if isinstance(part, int) or named:
            named = False
            continue
        field = section.model_fields.get(part)
        section = next(iter(_sections_in(field.annotation)), None) if field else None
        named = field is not None and get_origin(field.annotation) is dict
    return [*section.model_fields] if section else []


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in get_args(annotation) for found in _sections_in(inner)]


def account_key(place: str, number: int, ident: object, key: str) -> str:
    """Return a problem's place with the account's id instead of its number, if it has one."""
    before, _, _ = place.rpartition(f"account[{number + 1}]")
    named = f"account {one_line(ident, 45)}" if isinstance(ident, str) and ident else f"account[{number + 1}]"
    return f"{before}{named}{': ' + key if key else ''}"
