"""The fields of a server's question as lines of a card: a flat schema of strings, numbers, booleans and choices.

Anything else in the schema is asked for as text.
"""

from __future__ import annotations

from typing import Any, Final

from pepper_tui.model import Json
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError

OWN_LABELS: Final = frozenset({"server", "it asks", "again", "address", "your yes", "left out"})
"""Labels of the card's own lines, which no field may take."""
_FIELDS: Final = 20
_DEFAULT: Final = 1000  # characters that a server may prefill; a longer default is left for the user to write


def fields_of(schema: Json) -> dict[str, Json]:
    found = schema.get("properties")
    if not isinstance(found, dict):
        return {}
    taken: dict[str, Json] = {}
    labels = set(OWN_LABELS)
    for name, each in list(found.items())[:_FIELDS]:
        if name.lower() not in labels:
            labels.add(name.lower())
            taken[name] = each if isinstance(each, dict) else {}
    return taken


def left_out_of(schema: Json) -> int:
    """Return how many fields of a question are left out: there are too many, or they pose as lines of Pepper's own."""
    found = schema.get("properties")
    return len(found) - len(fields_of(schema)) if isinstance(found, dict) else 0


def defaults_of(schema: Json) -> Json:
    found = {name: each.get("default") for name, each in fields_of(schema).items()}
    return {name: each for name, each in found.items() if each is not None and len(as_words(each)) <= _DEFAULT}


def as_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _choices(schema: Json) -> list[str]:
    listed = schema.get("enum")
    if not isinstance(listed, list):
        options = schema.get("oneOf") or schema.get("anyOf")
        listed = [one.get("const") for one in options if isinstance(one, dict)] if isinstance(options, list) else []
    return [str(each) for each in listed if each is not None]


def hint_of(name: str, schema: Json, whole: Json) -> str:
    """Return what a person should know about a field."""
    words = [str(schema[key]) for key in ("title", "description") if schema.get(key)]
    items = schema.get("items") if isinstance(schema.get("items"), dict) else {}
    choices = _choices(schema) or _choices(items or {})
    if choices:
        words.append(("any of: " if items else "one of: ") + ", ".join(choices))
    elif schema.get("type") not in (None, "string"):
        words.append({"boolean": "yes or no"}.get(str(schema["type"]), str(schema["type"])))
    if name in (whole.get("required") or []):
        words.append("required")
    return one_line("; ".join(words), 300)


_YES: Final = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}


def value_of(name: str, schema: Json, text: str) -> Any:
    """Return ``text`` as the value of a field, ``None`` if empty. Raises ``ToolError`` if it does not fit."""
    text = text.strip()
    kind = schema.get("type")
    if not text:
        return None
    if kind == "boolean":
        if text.lower() not in _YES:
            raise ToolError(f"{name}: yes or no")
        return _YES[text.lower()]
    if kind in ("integer", "number"):
        try:
            return int(text) if kind == "integer" else float(text)
        except ValueError as error:
            raise ToolError(f"{name}: a{'n' if kind == 'integer' else ''} {kind}, please") from error
    if kind == "array":
        return [part.strip() for part in text.split(",") if part.strip()]
    choices = _choices(schema)
    if choices and text not in choices:
        raise ToolError(f"{name}: one of {one_line(', '.join(choices), 200)}")
    return text
