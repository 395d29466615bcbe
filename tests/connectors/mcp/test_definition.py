"""Whatever a server calls itself and its tools, what a model is shown is plain words under a plain name."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.connectors.mcp.offer.definition import SIZE_LIMIT, Definition, difference

TEXT = st.text() | st.sampled_from(["</tools>", "<user_msg>", "\x1b]0;x\x07", "\u202e", "type", "properties", "a&b"])
VALUES = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
SCHEMAS = st.dictionaries(TEXT | st.sampled_from(["enum", "description", "anyOf", "items", "required"]), VALUES)
DEFINITIONS = st.builds(Definition, st.just("own"), TEXT, TEXT, SCHEMAS)
TAG = r"<(?=\s*[/!?]?\s*[^\W\d])(?!\w[^\s<>]*@[A-Za-z0-9.-]+>)"
UNSAFE = re.compile(TAG + "|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]")


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in (key, *strings(each))]
    return [text for each in value for text in strings(each)] if isinstance(value, list) else [str(value)]


@given(DEFINITIONS)
def test_what_is_shown_is_plain(definition: Definition) -> None:
    assert re.fullmatch(r"own__[A-Za-z0-9_-]{0,59}", definition.public)
    if not definition.problem:
        shown = [definition.described, *strings(definition.parameters)]
        assert not [text for text in shown if UNSAFE.search(text)]
        assert definition.parameters["type"] == "object"
        json.dumps(definition.parameters)


@given(st.lists(TEXT, unique=True, max_size=6))
def test_no_two_tools_share_a_name(names: list[str]) -> None:
    public = [Definition("own", name, "", {}).public for name in names]
    assert len(set(public)) == len(names)


@given(DEFINITIONS, DEFINITIONS)
def test_every_change_has_another_hash_and_can_be_seen(one: Definition, two: Definition) -> None:
    same = (one.name, one.description, one.schema) == (two.name, two.description, two.schema)
    assert (one.hash == two.hash) == same
    if not same and one.name == two.name:
        shown = difference(one, two)
        assert any(line[:1] in "+-" for line in shown.split("\n"))
        assert not UNSAFE.search(shown.replace("<", "").replace(">", ""))


def test_a_change_that_can_not_be_seen_is_spelt_out() -> None:
    before = Definition("own", "a", "Adds.", {})
    after = Definition("own", "a", "Adds.\u200b", {})
    assert difference(before, after).split("\n")[1:3] == ["-Adds.", "+Adds.\\u200b"]


def test_what_is_too_much_is_left_out() -> None:
    assert "characters" in Definition("own", "a", "x" * SIZE_LIMIT, {}).problem
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"properties": {"a": deep}}
    assert "nested" in Definition("own", "a", "", deep).problem
    assert "argument" in Definition("own", "a", "", {"properties": {"\u202e": {}}}).problem


WANTED = {
    "n": {"type": "integer"},
    "share": {"type": "number"},
    "on": {"type": "boolean"},
    "text": {"type": "string"},
    "either": {"type": ["integer", "null"]},
    "union": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
}


@pytest.mark.parametrize(
    ("given", "fitted"),
    [
        ({"text": "5", "n": "5"}, {"text": "5", "n": 5}),
        ({"text": "x", "n": "5.0"}, {"text": "x", "n": 5}),
        ({"text": "x", "n": " -7 "}, {"text": "x", "n": -7}),
        ({"text": "x", "n": "5.5"}, None),
        ({"text": "x", "n": "five"}, None),
        ({"text": "x", "n": "1e9999"}, None),
        ({"text": "x", "share": "0.5"}, {"text": "x", "share": 0.5}),
        ({"text": "x", "on": "True"}, {"text": "x", "on": True}),
        ({"text": "x", "on": "yes"}, None),
        ({"text": "x", "n": None, "share": None, "on": None}, {"text": "x"}),
        ({"text": "x", "either": None}, {"text": "x", "either": None}),
        ({"text": "x", "union": "5"}, {"text": "x", "union": "5"}),
        ({"text": None}, None),
    ],
)
def test_arguments_that_differ_in_form_only_are_taken(given: dict[str, Any], fitted: dict[str, Any] | None) -> None:
    """https://github.com/modelcontextprotocol/inspector/issues/328, https://github.com/ZenRows/zenrows-mcp/pull/23"""
    definition = Definition("own", "a", "", {"type": "object", "properties": WANTED, "required": ["text"]})
    found = definition.fitted(given)
    assert (found == fitted) if fitted is not None else definition.wrong(found)


DEEP = {
    "$defs": {
        "Colour": {"type": "string", "enum": ["red", "blue"]},
        "Page": {
            "type": "object",
            "properties": {"number": {"type": "integer"}, "note": {"type": "string"}, "next": {"$ref": "#/$defs/Page"}},
            "required": ["number"],
        },
    },
    "properties": {
        "colour": {"$ref": "#/$defs/Colour", "default": "red"},
        "old": {"allOf": [{"$ref": "#/$defs/Colour"}]},
        "choice": {"enum": ["a", "b"]},
        "maybe": {"enum": ["a", None]},
        "fixed": {"const": 3},
        "page": {"$ref": "#/$defs/Page"},
        "may_page": {"anyOf": [{"$ref": "#/$defs/Page"}, {"type": "null"}]},
        "two_pages": {"oneOf": [{"$ref": "#/$defs/Page"}, {"type": "object"}]},
        "pages": {"type": "array", "items": {"$ref": "#/$defs/Page"}},
        "numbers": {"type": ["array", "null"], "items": {"type": "number"}},
        "any": {},
        "lost": {"$ref": "#/$defs/Nowhere"},
        "far": {"$ref": "https://example.org/schema"},
    },
    "required": ["any"],
}


@pytest.mark.parametrize(
    ("given", "fitted"),
    [
        ({"colour": None, "old": None, "choice": None, "fixed": None, "page": None}, {}),
        ({"maybe": None, "may_page": None, "numbers": None}, {"maybe": None, "may_page": None, "numbers": None}),
        ({"any": None, "lost": None, "far": None}, {"any": None, "lost": None, "far": None}),
        ({"fixed": "3"}, {"fixed": 3}),
        ({"page": {"number": "7", "note": None}}, {"page": {"number": 7}}),
        ({"page": {"number": None}}, {"page": {"number": None}}),
        ({"page": {"number": 1, "next": {"number": "2"}}}, {"page": {"number": 1, "next": {"number": 2}}}),
        ({"may_page": {"number": "7"}}, {"may_page": {"number": 7}}),
        ({"two_pages": {"number": "7", "note": None}}, {"two_pages": {"number": "7", "note": None}}),
        ({"pages": [{"number": "1"}, {"number": 2, "note": None}]}, {"pages": [{"number": 1}, {"number": 2}]}),
        ({"numbers": ["1.5", 2, "x"]}, {"numbers": [1.5, 2, "x"]}),
        ({"any": {"number": "7"}, "other": [None, "5"]}, {"any": {"number": "7"}, "other": [None, "5"]}),
    ],
)
def test_arguments_are_taken_alike_at_any_depth(given: dict[str, Any], fitted: dict[str, Any]) -> None:
    """As the built-in tools take them: what a name refers to counts, and what is not known stays as it is."""
    assert Definition("own", "a", "", DEEP).fitted(given) == fitted


@pytest.mark.parametrize(
    "schema", [{"$ref": "#"}, {"anyOf": [{"$ref": "#/properties/a"}] * 900}, {"enum": ["x"] * 9000}]
)
def test_a_schema_that_refers_to_itself_takes_no_time(schema: dict[str, Any]) -> None:
    definition = Definition("own", "a", "", {"properties": {"a": schema}})
    assert definition.fitted({"a": ["5", None, {"a": "5"}]}) == {"a": ["5", None, {"a": "5"}]}
    assert definition.wrong({"a": "5"}) == ""


@given(SCHEMAS, st.dictionaries(TEXT, VALUES))
def test_any_schema_and_arguments_can_be_looked_at(schema: Any, arguments: Any) -> None:
    definition = Definition("own", "a", "", schema)
    if not definition.problem:
        fitted = definition.fitted(arguments)
        assert fitted.keys() <= arguments.keys()
        definition.wrong(fitted)
