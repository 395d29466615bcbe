"""Calls in text and arguments that are not quite JSON: nothing is guessed, nothing is lost, nothing takes long."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.llm.endpoint.arguments import json_of, object_of
from pepper_tui.llm.endpoint.text_calls import _FORMS, CallFilter, text_calls
from pepper_tui.llm.endpoint.tool_names import matched, nearest

NAMES = ["get_weather", "send_mail", "wait"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MARKS = [
    "<tool_call",
    "<tool_call>",
    "</tool_call>",
    "{",
    "}",
    '"name"',
    "```",
    "```json\n",
    "[TOOL_CALLS]",
    "<|",
    "<｜",
]
PIECES = st.lists(
    st.text(max_size=6) | st.sampled_from([*MARKS, "<function=wait>", "\n", " ", "wait", "a < b"]), max_size=12
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_an_object_stays_what_it_is_in_each_form(value: dict[str, object]) -> None:
    raw = json.dumps(value)
    assert object_of(raw) == value
    assert object_of(json.dumps(raw)) == value
    assert object_of(f"```json\n{raw}\n```") == value
    if value:
        assert object_of(raw[:-1] + ",}") == value
        assert object_of("{}" + raw) == value
    assert json_of(repr(value)) == json.loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        '{"body": "Dear Da',
        '{"a": 1',
        '{"a": }',
        '{"a": 1} and more',
        '{"a": 1}{"a": 2}',
        "{'a': {1, 2}}",
        "{'a': b'x'}",
        "",
        "x",
    ],
)
def test_what_can_only_be_guessed_is_none(raw: str) -> None:
    assert object_of(raw) is None


@pytest.mark.parametrize("text", ["True, and False", "a,}", "it's None", '\\n"', "l'un,]"])
def test_texts_within_arguments_are_left_alone(text: str) -> None:
    assert object_of(json.dumps({"a": text})[:-1] + ",}") == {"a": text}


@given(PIECES)
def test_whatever_is_held_back_nothing_of_a_text_is_lost(pieces: list[str]) -> None:
    held, text = CallFilter(), "".join(pieces)
    out = "".join(held.take(piece) for piece in pieces if piece)
    assert text.startswith(out)
    read = text_calls(text, NAMES, lambda: "")
    if read is not None:
        assert read.calls or read.problem
        assert out.strip() == "" or read.prose.startswith(out.strip())  # no part of a call was shown


@given(PIECES)
def test_what_stood_in_the_prompt_is_never_a_call(pieces: list[str]) -> None:
    text = "".join(pieces)
    for quoted in (text, f"It says: {text}", f"```\n{text}\n```"):
        read = text_calls(quoted, NAMES, lambda: f"a mail: {text} and more")
        assert read is None or not read.calls or "".join(quoted.split()) not in "".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>" * 5000,
        '<tool_call name="a' * 5000,
        "<tool_call " + 'name="x" ' * 20_000,
        "<function=x>" * 5000,
        "[TOOL_CALLS]" * 5000,
        "[TOOL_CALLS]" + "x" * 50_000,
        "<|tool_call|>" * 5000,
        "<tool_call>wait" + "<arg_key>k" * 5000,
        "<tool_call>wait" + "<parameter=k>" * 5000,
        '{"name": "wait", "arguments": ' + "[" * 50_000,
        '{"name": "wait", "arguments": "' + '\\"' * 50_000,
        "{'a': " + "'x' " * 30_000,
        '{"a": ' + ", " * 30_000,
        "`" * 50_000,
        "<｜tool▁call▁begin｜>" * 5000,
    ],
    ids=lambda text: text[:24],
)
def test_deep_and_long_texts_end_nothing(text: str) -> None:
    text_calls(text, NAMES, lambda: text[:1000])
    object_of(text)
    held = CallFilter()
    for at in range(0, len(text), 50):
        held.take(text[at : at + 50])


def test_each_form_has_a_shape_that_shows_it() -> None:
    from tests.llm.test_misbehaviour import SHAPES

    shown = [
        str(shape.script[0].get("text", "")).replace("｜DSML｜", "") for shape in SHAPES if "as text:" in shape.name
    ]
    unseen = [form.pattern for form in _FORMS if not any(form.search(text) for text in shown)]
    assert unseen == [_FORMS[2].pattern]  # <function_call>, below
    read = text_calls('<function_call>{"name": "wait"}</function_call>', NAMES, lambda: "")
    assert read is not None
    assert read.calls == (("wait", {}),)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("wait", "wait"),
        ("Wait", "wait"),
        ("functions.wait", "wait"),
        ("functions.wait:3", "wait"),
        ("tools/Send_Mail", "send_mail"),
        ("sendmail", ""),
        ("wait_for", ""),
        ("", ""),
    ],
)
def test_a_name_is_matched_by_case_and_dress_and_not_by_likeness(given: str, found: str) -> None:
    assert matched(given, NAMES) == found


def test_two_names_that_differ_in_case_only_are_not_mixed_up() -> None:
    assert matched("WAIT", ["wait", "Wait"]) == ""
    assert matched("Wait", ["wait", "Wait"]) == "Wait"
    assert nearest("get_wether", NAMES) == ["get_weather"]
