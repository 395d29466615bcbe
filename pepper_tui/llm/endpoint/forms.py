"""Message forms that some servers insist on, and the refusals that say so.

Each is used only once a server has asked for it: most accept the usual form, which conveys more.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from pepper_tui.model import Json

Form = Callable[[list[Json]], list[Json]]
_ID: Final = 9  # characters, as Mistral requires


def turns(messages: list[Json]) -> list[Json]:
    """Let user and assistant alternate, with calls as plain text: for templates that know no other roles."""
    plain: list[Json] = []
    for message in messages:
        role, text = message["role"], str(message.get("content") or "")
        if role == "tool":
            role = "user"
        for call in message.get("tool_calls") or ():
            function = call["function"]
            text += f"\n(I have called {function['name']} as {call['id']} with {function['arguments']})"
        if plain and plain[-1]["role"] == role:
            plain[-1]["content"] += f"\n{text.strip()}"
        else:
            plain.append({"role": role, "content": text.strip()})
    return plain


def no_system(messages: list[Json]) -> list[Json]:
    """Move the system message to the start of the user's first message."""
    first, *rest = messages
    if first["role"] != "system" or not rest or rest[0]["role"] != "user":
        return messages
    return [{**rest[0], "content": f"{first['content']}\n\n{rest[0]['content']}"}, *rest[1:]]


def short_ids(messages: list[Json]) -> list[Json]:
    """Replace call ids with nine letters and digits."""

    def short(identity: Any) -> str:
        return hashlib.sha256(str(identity).encode()).hexdigest()[:_ID]

    def shortened(message: Json) -> Json:
        if message.get("tool_calls"):
            calls = [{**call, "id": short(call["id"])} for call in message["tool_calls"]]
            return {**message, "tool_calls": calls}
        if "tool_call_id" in message:
            return {**message, "tool_call_id": short(message["tool_call_id"])}
        return message

    return [shortened(message) for message in messages]


def no_null(messages: list[Json]) -> list[Json]:
    """Replace missing content with an empty text."""
    return [{**message, "content": message.get("content") or ""} for message in messages]


_ASKED_FOR: Final[tuple[tuple[re.Pattern[str], Form], ...]] = (
    (re.compile(r"(?i)roles? must alternate|roles must be alternat|after the optional system message"), turns),
    (re.compile(r"(?i)system role (?:is )?not supported|system (?:role|message)s? (?:is|are) not (?:supported|allow)"),
     no_system),
    (re.compile(r"(?i)must be a-z, A-Z, 0-9, with a length of 9"), short_ids),
    (re.compile(r"(?i)missing field `?content|invalid message content type: <nil>|content.{0,40}(?:none|null|nil)\b"),
     no_null),
    (re.compile(r"(?i)unexpected role 'user' after role 'tool'|role 'tool' is not supported|unknown role:? '?tool"),
     turns),
)  # fmt: skip


def asked_for(refusal: str) -> Iterable[Form]:
    """Yield the forms that a refusal asks for, the likeliest first."""
    return (form for pattern, form in _ASKED_FOR if pattern.search(refusal))
