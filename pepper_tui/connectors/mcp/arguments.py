"""Arguments as a server's schema wants them, where models differ from it only in form, at any depth.

``null`` for what may be left out is removed, and numbers and truth values written as text are converted. Only the
keywords that say what kind of value is wanted are read; the server's own patterns are never run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from pepper_tui.model import Json

_DEPTH: Final = 16
_MOST: Final = 200  # alternatives, or values of an enum, that are examined
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def properties_of(schema: Json) -> Json:
    """Return the schemas of the arguments, by name."""
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def required_of(schema: Json) -> list[str]:
    found = schema.get("required")
    return [str(name) for name in found] if isinstance(found, list) else []


def fitted(schema: Json, arguments: Json) -> Json:
    """Return ``arguments`` in the form that ``schema`` wants, as far as that does not change their meaning."""
    return _object(schema, arguments, schema, 0)


def wrong(schema: Json, arguments: Json) -> str:
    """Explain why ``arguments`` do not fit, judging only by the kinds of values; empty if they fit."""
    missing = [name for name in required_of(schema) if name not in arguments]
    if missing:
        return f"{', '.join(map(repr, missing))} missing"
    if schema.get("additionalProperties") is False:
        unknown = [name for name in arguments if name not in properties_of(schema)]
        if unknown:
            return f"unknown argument {', '.join(map(repr, unknown))}"
    for name, value in arguments.items():
        wanted = _resolved(properties_of(schema).get(name), schema).get("type")
        if isinstance(wanted, str) and not _is(wanted, value):
            return f"'{name}' should be {wanted}"
    return ""


def _object(schema: Json, value: Json, root: Json, depth: int) -> Json:
    known, required = properties_of(schema), required_of(schema)
    found: Json = {}
    for name, each in value.items():
        if each is None and name not in required:
            wanted = _kinds(known.get(name), root)
            if wanted and "null" not in wanted:
                continue
        found[name] = _value(known.get(name), each, root, depth + 1)
    return found


def _value(schema: Any, value: Any, root: Json, depth: int) -> Any:
    if depth > _DEPTH:
        return value
    if isinstance(value, str):
        wanted = _kinds(schema, root)
        return value if "string" in wanted else _read(value, wanted)
    if isinstance(value, dict):
        of = _only(schema, "object", root)
        return _object(of, value, root, depth) if of else value
    if isinstance(value, list):
        items = _only(schema, "array", root).get("items")
        return [_value(items, each, root, depth + 1) for each in value] if isinstance(items, dict) else value
    return value


def _resolved(schema: Any, root: Json) -> Json:
    """Return ``schema`` itself, or what it refers to within ``root``."""
    for _ in range(_DEPTH):
        if not isinstance(schema, dict):
            return {}
        where = schema.get("$ref")
        if not isinstance(where, str):
            return schema
        if not where.startswith("#/"):
            return {}
        schema = root
        for part in where[2:].split("/"):
            schema = schema.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(schema, dict) else None
    return {}


def _branches(schema: Any, root: Json, depth: int = 0) -> Iterator[Json]:
    """Yield the alternatives that ``schema`` allows, each resolved."""
    found = _resolved(schema, root)
    several = found.get("anyOf") or found.get("oneOf")
    if "type" not in found and depth < _DEPTH and isinstance(several, list):
        for each in several:
            yield from _branches(each, root, depth + 1)
        return
    whole = found.get("allOf")
    if "type" not in found and depth < _DEPTH and isinstance(whole, list) and len(whole) == 1:
        yield from _branches(whole[0], root, depth + 1)
        return
    yield found


def _alternatives(schema: Any, root: Json) -> list[Json]:
    """Return all alternatives of ``schema``; nothing if they are too many: a schema may refer to itself."""
    found = list(islice(_branches(schema, root), _MOST + 1))
    return found if len(found) <= _MOST else []


def _only(schema: Any, kind: str, root: Json) -> Json:
    """Return the one alternative of this kind; empty if there is none, or more than one."""
    found = [each for each in _alternatives(schema, root) if kind in _types(each)]
    return found[0] if len(found) == 1 else {}


def _kinds(schema: Any, root: Json) -> frozenset[str]:
    """Return the types that a schema allows; empty if it does not say."""
    found = [_types(each) for each in _alternatives(schema, root)]
    return frozenset().union(*found) if all(found) else frozenset()


def _types(schema: Json) -> frozenset[str]:
    """Return the types that one alternative names, or those of the values that it names."""
    said = schema.get("type")
    if isinstance(said, str):
        return frozenset({said})
    if isinstance(said, list):
        return frozenset(map(str, said))
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if not isinstance(values, list) or len(values) > _MOST:
        return frozenset()
    return frozenset(name for value in values for name in _TYPES if _is(name, value))


def _read(text: str, wanted: frozenset[str]) -> Any:
    """Return the number or truth value that ``text`` spells, if one is wanted; otherwise ``text``."""
    if "boolean" in wanted and text.strip().lower() in ("true", "false"):
        return text.strip().lower() == "true"
    if wanted & {"integer", "number"} and _NUMBER.fullmatch(text.strip()):
        value = json.loads(text.strip())
        whole = value == int(value)
        if "integer" in wanted and whole:
            return int(value)
        return value if "number" in wanted else text
    return text


def _is(wanted: str, value: Any) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(wanted, (object,)))
