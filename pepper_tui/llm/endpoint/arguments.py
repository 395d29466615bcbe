"""Repairs the arguments of a tool call that are not quite valid JSON.

Only the form is repaired: code fences, a string around the whole, trailing commas, Python's quotes and words, line ends
within strings, an empty object in front. Truncated arguments stay invalid, as half a mail would pass for a whole one
(the library json-repair 0.64 completes them, which is why it is not used). One pass over the text, whatever it
contains.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any, Final

from pepper_tui.model import Json

_FIXED_SIZE: Final = 200_000  # longest arguments, in characters, that are repaired
_DECODER: Final = json.JSONDecoder(strict=False)  # allows line ends within strings
# A string always matches, up to the end of the text if it is not closed: so nothing is scanned twice.
_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*\\?(?:"|\Z)|' r"'(?:[^'\\]|\\.)*\\?(?:'|\Z)|" r",(?=\s*[}\]])|\\n|\b(?:True|False|None)\b", re.S
)
_JSON_WORDS: Final = {"True": "true", "False": "false", "None": "null", ",": "", "\\n": " "}


def object_of(raw: str) -> Json | None:
    """Return the object that ``raw`` is meant to be; ``None`` if that would take guessing."""
    value = json_of(raw)
    return value if isinstance(value, dict) else None


def json_of(raw: str) -> Any:
    """Return the value that ``raw`` is meant to be; ``None`` if it is none."""
    text = _unfenced(raw.strip())
    for _ in range(3):
        value = _read(text)
        if value is None and len(text) <= _FIXED_SIZE:
            value = _read(_TOKEN.sub(_as_json, text))
        if not isinstance(value, str):
            return value
        text = _unfenced(value.strip())
    return None


def why_not(raw: str) -> str:
    """Explain to the model what is wrong with arguments that could not be read."""
    try:
        value = json.loads(raw)
    except json.JSONDecodeError as error:
        return f"the arguments are not valid JSON ({error.msg} at character {error.pos})"
    except (ValueError, RecursionError):
        return "the arguments are nested too deeply"
    return f"the arguments are a JSON {_KINDS.get(type(value), 'value')}, not an object"


_KINDS: Final[dict[type, str]] = {list: "array", str: "string", int: "number", float: "number", bool: "boolean"}


def _unfenced(text: str) -> str:
    if text.startswith("json") and text[4:].lstrip().startswith("{"):  # the label of a removed fence
        return text[4:].strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") : -3].strip()
    return text


def _read(text: str) -> Any:
    """Return the single value in ``text``. Some servers put an empty object before it, or send it twice."""
    found: list[Any] = []
    at = 0
    try:
        while at < len(text) and len(found) < 3:
            value, at = _DECODER.raw_decode(text, at)
            if value != {} and value not in found:
                found.append(value)
            while at < len(text) and text[at].isspace():
                at += 1
    except (ValueError, RecursionError):
        return None
    if at < len(text) or len(found) > 1:
        return None
    return found[0] if found else {} if text else None


def _as_json(found: re.Match[str]) -> str:
    token = found[0]
    if token[0] == '"' and _is_json(token):
        return token
    if token[0] not in ("'", '"'):
        return _JSON_WORDS.get(token, token)
    try:
        return json.dumps(ast.literal_eval(token.replace("\n", "\\n")))
    except (ValueError, SyntaxError, MemoryError):
        return token


def _is_json(token: str) -> bool:
    try:
        return isinstance(_DECODER.decode(token), str)
    except ValueError:
        return False
