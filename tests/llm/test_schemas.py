"""Schemas and chats as strict servers take them: what is said otherwise says the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock
from pepper_tui.engine.building.builtin_tools import builtin_tools
from pepper_tui.llm import OpenAIClient
from pepper_tui.llm.endpoint.schemas import portable
from pepper_tui.model import Completed, Effect, Json, ModelRequest, ToolSpec
from pepper_tui.tools import ToolRegistry
from tests.llm.server import ModelServer

A, B = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": {}}}
KEYWORDS = ("oneOf", "anyOf", "allOf", "not", "enum", "const", "if", "$ref")
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "array", "string", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*KEYWORDS, "type", "properties", "items", "required", "a", "$defs", "additionalProperties"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=16,
)


def strict(schema: Any, top: bool = True) -> list[str]:
    """What OpenAI and Google would refuse of a schema."""
    wrong = []
    if not isinstance(schema, dict):
        return wrong
    if top:
        wrong += [key for key in KEYWORDS if key in schema]
        wrong += [] if schema.get("type") == "object" and isinstance(schema.get("properties"), dict) else ["no object"]
        wrong += [name for name in schema.get("required", []) if name not in schema["properties"]]
    if schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
        wrong.append("no items")
    for each in (schema.get("properties") or {}).values() if isinstance(schema.get("properties"), dict) else ():
        wrong += strict(each, False)
    return wrong + strict(schema.get("items"), False)


@given(
    st.dictionaries(st.sampled_from([*KEYWORDS, "type", "properties", "items", "required", "$defs"]), ANY, max_size=6)
)
def test_every_schema_becomes_one_that_is_taken(schema: Json) -> None:
    plain, words = portable(schema)
    assert strict(plain) == []
    assert len(words) < 4000
    assert portable(plain) == (plain, "")


@pytest.mark.parametrize(
    ("schema", "words", "names"),
    [
        ({"oneOf": [A, B]}, "exactly one of these: with 'a' (required); with 'b'", {"a", "b"}),
        ({"type": "object", "properties": {"c": {}}, "anyOf": [{"required": ["c"]}, A]}, "at least one", {"a", "c"}),
        ({"not": {"required": ["a"]}, **A}, "must not fit", {"a"}),
        ({"enum": [{"a": 1}], **A}, "must be one of", {"a"}),
        ({"if": A, "then": B}, "must fit", set()),
        ({"$ref": "#/$defs/x", "$defs": {"x": A}}, "", {"a"}),
        ({"allOf": [A, {"$ref": "#/$defs/x"}], "$defs": {"x": B}}, "", {"a", "b"}),
    ],
)
def test_what_the_top_said_is_put_into_words(schema: Json, words: str, names: set[str]) -> None:
    """https://github.com/mastra-ai/mastra/issues/23731, https://github.com/bnb-chain/bnbchain-mcp/issues/68"""
    plain, said = portable(schema)
    assert words in said
    assert plain["properties"].keys() == names
    if "allOf" in schema:
        assert plain["required"] == ["a"]


def test_every_own_tool_goes_out_as_it_is() -> None:
    for spec in ToolRegistry(builtin_tools()).specs():
        plain, words = portable(spec.parameters)
        assert words == ""
        assert plain["properties"] == spec.parameters["properties"]


# ---------------------------------------------------------------------------------------------------------- chats

CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CHAT: list[Json] = [
    {"role": "system", "content": "You are a worker."},
    {"role": "user", "content": "the task"},
    {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
    {"role": "tool", "tool_call_id": "call_1", "content": "found one"},
    {"role": "tool", "tool_call_id": "call_2", "content": "found two"},
]


def alternates(body: Json) -> bool:
    roles = [message["role"] for message in body["messages"] if message["role"] != "system"]
    return all(role == ("user", "assistant")[at % 2] for at, role in enumerate(roles))


def mistral(body: Json) -> bool:
    ids = [call["id"] for m in body["messages"] for call in m.get("tool_calls", [])]
    ids += [m["tool_call_id"] for m in body["messages"] if m["role"] == "tool"]
    return all(len(each) == 9 and each.isalnum() for each in ids) and ids[:2] == ids[2:]


SERVERS = {
    "roles alternate": (alternates, "Conversation roles must alternate user/assistant/user/assistant/..."),
    "nine characters": (mistral, "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9."),
    "content": (lambda body: all(m["content"] is not None for m in body["messages"]), "missing field `content`"),
    "Ollama's content": (
        lambda body: all(m["content"] is not None for m in body["messages"]),
        "invalid message content type: <nil>",
    ),
    "no system": (lambda body: body["messages"][0]["role"] != "system", "System role not supported"),
    "no tool role": (
        lambda body: all(m["role"] != "tool" for m in body["messages"]),
        "Unexpected role 'user' after role 'tool'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("name", SERVERS)
async def test_a_chat_is_put_as_the_server_wants_it_and_nothing_of_it_is_lost(name: str, status: int) -> None:
    """https://github.com/jackmpcollins/magentic/issues/276, https://github.com/sgl-project/sglang/issues/1342"""
    fits, refusal = SERVERS[name]
    tools = [ToolSpec("look", "Look.", {"type": "object", "properties": {}}, Effect.READ)]
    request = ModelRequest("worker", CHAT, tools, max_tokens=100)
    with ModelServer() as server:
        server.choose = lambda body: {"text": "fine"} if fits(body) else {"status": status, "message": refusal}
        client = OpenAIClient(ManualClock(), model="m", base_url=server.url)
        for _ in range(2):
            events = [event async for event in client.stream(request)]
            assert isinstance(events[-1], Completed)
        await client.close()
    assert len(server.requests) == 3  # refused once
    for text in ("You are a worker.", "the task", "look", "found one", "found two"):
        assert text in str(server.requests[-1]["messages"])
