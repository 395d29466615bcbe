"""Makes a tool's schema acceptable to every provider.

OpenAI refuses ``oneOf``, ``anyOf``, ``allOf``, ``not`` and ``enum`` at the top level; there, Google refuses arrays
without ``items``, and required names that are no properties. A refusal hits the whole request, not just the tool. The
removed constraints are put into words for the model; the tool's own validation of its arguments is separate and
unchanged.
"""

from __future__ import annotations

from typing import Any, Final

from pepper_tui.model import Json
from pepper_tui.text import as_json

_BRANCHES: Final = ("oneOf", "anyOf", "allOf")
_NOT_AT_THE_TOP: Final = frozenset({*_BRANCHES, "not", "enum", "const", "if", "then", "else", "$ref"})
_NAMED: Final = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
_DEPTH: Final = 40
_WORDS: Final = 600  # characters that describe one keyword


def portable(schema: Json) -> tuple[Json, str]:
    """Return ``schema`` as an object without top-level combinators, and their content in words."""
    top = _referred(schema)
    branches = {key: [_referred(each, schema) for each in _trees(top.get(key))] for key in _BRANCHES}
    properties: Json = {}
    for found in [*(each for group in branches.values() for each in group), top]:
        properties |= _object(found.get("properties"))
    plain = {key: value for key, value in top.items() if key not in _NOT_AT_THE_TOP}
    required = [*_names(top), *(name for each in branches["allOf"] for name in _names(each))]
    known = [name for name in dict.fromkeys(required) if name in properties]
    plain = {**plain, "type": "object", "properties": properties, "required": known}
    if not known:
        del plain["required"]
    for key in ("$defs", "definitions"):
        if isinstance(schema.get(key), dict):
            plain[key] = schema[key]
    return _sound(plain, 0), " ".join(_said(top, branches))


def _said(top: Json, branches: dict[str, list[Json]]) -> list[str]:
    words = []
    for key, how in (("oneOf", "exactly one"), ("anyOf", "at least one")):
        if branches[key]:
            forms = "; ".join(_form(each) for each in branches[key])
            words.append(f"The arguments must fit {how} of these: {forms}."[:_WORDS])
    for key, how in (("not", "must not fit"), ("enum", "must be one of"), ("const", "must be")):
        if key in top:
            words.append(f"The arguments {how}: {as_json(top[key], _WORDS)}.")
    if "if" in top:
        rest = {key: top[key] for key in ("if", "then", "else") if key in top}
        words.append(f"The arguments must fit: {as_json(rest, _WORDS)}.")
    return words


def _form(branch: Json) -> str:
    names, wanted = list(_object(branch.get("properties"))), _names(branch)
    if not names and not wanted:
        return as_json(branch, _WORDS)
    parts = [f"{name!r} (required)" if name in wanted else repr(name) for name in dict.fromkeys([*wanted, *names])]
    return "with " + ", ".join(parts)


def _referred(schema: Json, root: Json | None = None) -> Json:
    """Return ``schema``, or what it refers to within ``root``, one reference deep."""
    where = schema.get("$ref")
    root = schema if root is None else root
    if isinstance(where, str) and where.startswith(("#/$defs/", "#/definitions/")):
        _, key, name = where.split("/", 2)
        found = _object(root.get(key)).get(name)
        if isinstance(found, dict):
            return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _trees(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _names(schema: Json) -> list[str]:
    found = schema.get("required")
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _sound(schema: Any, depth: int) -> Any:
    """Return ``schema`` with ``items`` for each array, and no required name without a property."""
    if depth > _DEPTH or not isinstance(schema, dict):
        return schema
    sound: Json = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, dict):
            sound[key] = {name: _sound(each, depth + 1) for name, each in value.items()}
        elif isinstance(value, list):
            sound[key] = [_sound(each, depth + 1) for each in value] if key in (*_BRANCHES, "prefixItems") else value
        elif isinstance(value, dict) and key not in ("default", "const", "examples"):
            sound[key] = _sound(value, depth + 1)
        else:
            sound[key] = value
    kind = sound.get("type")
    if (kind == "array" or (isinstance(kind, list) and "array" in kind)) and not isinstance(sound.get("items"), dict):
        sound["items"] = {}
    return sound
