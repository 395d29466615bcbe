"""Tool calls that a model writes into its text, in the forms of public models' templates, or in Pepper's own.

They count only at the end of the text, if each names an offered tool and has an object as arguments. Such a call has
the same rights as a native one. Text that the prompt showed as coming from outside is a quotation, not a call; neither
is a tag between backticks, or one followed by more prose. If something is clearly meant as a call but unusable,
``problem`` explains it to the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pepper_tui.llm.endpoint.arguments import json_of, object_of, why_not
from pepper_tui.llm.endpoint.tool_names import matched, unknown_words
from pepper_tui.model import Json

_NAME: Final = r"[\w.:/-]{1,120}"
_FORMS: Final = tuple(
    re.compile(pattern, re.S)
    for pattern in (
        # Hermes, Qwen, GLM (no attribute), and Pepper's own history (function=, name=)
        rf'<tool_call\b(?:[^>]{{0,200}}?\b(?:function|name)="(?P<name>{_NAME})")?[^>]{{0,200}}>'
        r"(?P<body>.*?)(?:</tool_call>|\Z)",
        # Llama 3.1, Qwen3-Coder
        rf"<function=(?P<name>{_NAME})>(?P<body>.*?)(?:</function>|\Z)",
        r"<function_call>(?P<body>.*?)(?:</function_call>|\Z)",
        # Anthropic's older form, MiniMax, DeepSeek's later one
        rf'<invoke name="(?P<name>{_NAME})"[^>]*>(?P<body>.*?)(?:</invoke>|\Z)',
        # Mistral
        r"\[TOOL_CALLS\](?P<body>.*?)(?=\[TOOL_CALLS\]|\Z)",
        # Granite, Phi, Llama 3.1 with a code interpreter
        r"<\|(?:tool_call|python_tag)\|>(?P<body>.*?)(?:<\|/tool_call\|>|<\|eom_id\|>|<\|eot_id\|>|\Z)",
        # DeepSeek
        rf"<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?(?P<name>{_NAME})(?:<｜tool▁sep｜>|\n)"
        r"(?P<body>.*?)(?:<｜tool▁call▁end｜>|\Z)",
        # Kimi
        rf"<\|tool_call_begin\|>\s*(?P<name>{_NAME})\s*<\|tool_call_argument_begin\|>"
        r"(?P<body>.*?)(?:<\|tool_call_end\|>|\Z)",
        # gpt-oss
        rf"(?:<\|start\|>assistant)?<\|channel\|>\w* to=(?P<name>{_NAME})[^<]*(?:<\|constrain\|>\w+)?\s*<\|message\|>"
        r"(?P<body>.*?)(?:<\|call\|>|\Z)",
    )
)
_AROUND: Final = re.compile(
    r"\s+|</?(?:tool_calls|function_calls)>|</tool_call>|</?[\w-]{1,20}:(?:tool_call|function_calls)>"
    r"|<[|｜]/?tool[_▁]calls?[\w▁]*[|｜]>|<\|(?:eom_id|eot_id|end|im_end)\|>"
)
_MARK: Final = re.compile(
    r"<tool_calls?\b|<function=|<function_calls?>|<invoke name=|\[TOOL_CALLS\]|<\|tool_call|<\|python_tag\|>"
    r"|<｜tool▁call|<\|channel\|>\w* to=|<[\w-]{1,20}:(?:tool_call|function_calls)>"
)
_STARTS: Final = ("<tool_call", "<function", "<invoke name=", "[TOOL_CALLS]", "<|", "<｜", "<minimax:")
_FENCE: Final = re.compile(r"\A```(\w*)[ \t]*\n(.*?)\n?```\Z", re.S)
_FENCES: Final = frozenset({"", "json", "xml", "tool_call", "tool_calls", "tool_code"})
_PARAMETER: Final = re.compile(
    r'<parameter(?:=|\s+name=")(?P<key>[\w.-]{1,80})"?[^>]*>\n?(?P<value>.*?)\n?(?:</parameter>|\Z)', re.S
)
_ARGUMENT: Final = re.compile(
    r"<arg_key>\s*(?P<key>[\w.-]{1,80})\s*</arg_key>\s*<arg_value>(?P<value>.*?)(?:</arg_value>|\Z)", re.S
)
_NAMED_BODY: Final = re.compile(rf"\s*(?P<name>{_NAME})\s*(?:\[ARGS\]\s*)?(?P<body>.*)", re.S)
_NAMES: Final = ("name", "function", "tool", "tool_name", "function_name")
_ARGUMENTS: Final = ("arguments", "parameters", "args", "input", "tool_input")
_NOISE: Final = re.compile(r"[\s\"'`\\]+")
_UNREADABLE: Final = "your text contains what looks like a tool call but can't be read as one"


@dataclass(frozen=True, slots=True)
class TextCalls:
    """The calls at the end of a text; ``prose`` is what precedes them."""

    prose: str
    calls: tuple[tuple[str, Json], ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Written:
    """A call as written. ``arguments`` are text if they could not be read."""

    name: str
    arguments: Json | str


def text_calls(text: str, offered: Collection[str], outside: Callable[[], str]) -> TextCalls | None:
    """Return the calls that ``text`` ends with; ``None`` if it is just text.

    ``outside``: all that the prompt showed.
    """
    whole = text.strip().replace("｜DSML｜", "")  # DeepSeek 3.2
    fence = _FENCE.match(whole)
    if fence is None or fence[1] not in _FENCES:
        return _unfenced(whole, offered, outside)
    found = _unfenced(fence[2].strip(), offered, outside)
    return TextCalls("", problem=_UNREADABLE) if found is None and fence[1].startswith("tool_") else found


def _unfenced(whole: str, offered: Collection[str], outside: Callable[[], str]) -> TextCalls | None:
    mark = _MARK.search(whole)
    if mark is None:
        return _bare(whole, offered, outside)
    prose, tail = whole[: mark.start()], whole[mark.start() :]
    if prose.endswith("`") or prose.count("```") % 2:
        return None
    blocks = _blocks(tail)
    if blocks is None or _quoted([block for block, _ in blocks], outside):
        return None
    return _checked(prose.rstrip(), [call for _, calls in blocks for call in calls], offered)


class CallFilter:
    """Holds back possible calls while text streams; what ``take`` returns is certain not to be part of one."""

    def __init__(self) -> None:
        self._lead: list[str] = []  # leading white space
        self._held = ""
        self._begun = False  # whether text was released
        self._closed = False  # whether everything that follows is held

    def take(self, piece: str) -> str:
        if self._closed:
            return ""
        if not self._begun and not self._held:
            start = piece.lstrip()
            self._lead.append(piece[: len(piece) - len(start)])
            piece = start
        self._held += piece
        if not self._begun:
            start = self._held
            if not start or "```".startswith(start):
                return ""
            if start.startswith("```") and "\n" not in start and len(start) < 20:
                return ""
            label = start[3:].partition("\n")[0].strip()
            if start[0] in "{" or (start.startswith("```") and label in _FENCES):
                self._closed = True
                return ""
        at = min((place for each in _STARTS if (place := self._held.find(each)) >= 0), default=-1)
        self._closed = at >= 0
        if at < 0:
            at = len(self._held) - _begun_mark(self._held)
        out, self._held = self._held[:at], self._held[at:]
        if out and not self._begun:
            self._begun = True
            return "".join(self._lead) + out
        return out


def _begun_mark(text: str) -> int:
    """Count the characters at the end of ``text`` that may be the start of a mark."""
    longest = max(map(len, _STARTS)) - 1
    for size in range(min(longest, len(text)), 0, -1):
        if any(each.startswith(text[-size:]) for each in _STARTS):
            return size
    return 0


def _bare(whole: str, offered: Collection[str], outside: Callable[[], str]) -> TextCalls | None:
    """Return calls that are JSON and nothing else; only a known name distinguishes them from an answer in JSON."""
    if not whole.startswith(("{", "[{")):
        return None
    value = json_of(whole)
    calls = [*_of_value(value)] if value is not None else []
    if not calls or any(not matched(call.name, offered) for call in calls) or _quoted([whole], outside):
        return None
    return _checked("", calls, offered)


def _blocks(tail: str, depth: int = 0) -> list[tuple[str, list[_Written]]] | None:
    """Return each block and its calls, if ``tail`` is made of blocks only."""
    blocks: list[tuple[str, list[_Written]]] = []
    at = 0
    if depth > 1:  # calls are nested in one wrapper at most
        return None
    while at < len(tail):
        found = next((each for form in _FORMS if (each := form.match(tail, at))), None)
        if found is None:
            around = _AROUND.match(tail, at)
            if around is None:
                return None
            at = around.end()
            continue
        name = found.groupdict().get("name") or ""
        blocks.append((found[0], [*_of_body(name, found["body"], depth)]))
        at = max(found.end(), at + 1)
    return blocks


def _of_body(name: str, body: str, depth: int) -> Iterator[_Written]:
    body = body.strip()
    if not name and (inner := _blocks(body, depth + 1) if body.startswith("<") else None):
        yield from (call for _, calls in inner for call in calls)
    elif pairs := [*_PARAMETER.finditer(body)] or [*_ARGUMENT.finditer(body)]:
        called = name or body.partition("<")[0].strip()
        yield _Written(called, {pair["key"]: _value(pair["value"].strip("\n")) for pair in pairs})
    elif name:
        value = json_of(body or "{}")
        if isinstance(value, dict) and value.keys() <= {*_NAMES, *_ARGUMENTS} and _called(value) == name:
            yield from _of_value(value)
        else:
            yield _Written(name, value if isinstance(value, dict) else body)
    elif body.startswith(("{", "[", "```")):
        value = json_of(body)
        calls = [*_of_value(value)] if value is not None else []
        yield from calls or [_Written("", body)]
    elif found := _NAMED_BODY.fullmatch(body):
        value = object_of(found["body"] or "{}")
        yield _Written(found["name"], found["body"] if value is None else value)


def _of_value(value: Any) -> Iterator[_Written]:
    """Yield the calls in a JSON value, however it names its parts."""
    if isinstance(value, list):
        for each in value:
            yield from _of_value(each)
    elif isinstance(value, dict):
        inner = next((value[key] for key in ("tool_calls", "function", "tool_call") if _is_tree(value.get(key))), None)
        if inner is not None:
            yield from _of_value(inner)
        elif name := _called(value):
            given: Any = next((value[key] for key in _ARGUMENTS if key in value), {})
            arguments = {} if given is None else object_of(given or "{}") if isinstance(given, str) else given
            yield _Written(name, arguments if isinstance(arguments, dict) else str(given))


def _is_tree(value: Any) -> bool:
    return isinstance(value, dict | list)


def _called(value: Json) -> str:
    return next((value[key] for key in _NAMES if isinstance(value.get(key), str)), "")


def _value(text: str) -> Any:
    """Return a parameter's value; only what is clearly no text is read as JSON, so that text stays unchanged."""
    if text[:1] in ("{", "["):
        value = json_of(text)
        return text if value is None else value
    return text


def _checked(prose: str, calls: list[_Written], offered: Collection[str]) -> TextCalls:
    if not calls:
        return TextCalls(prose, problem=_UNREADABLE)
    good: list[tuple[str, Json]] = []
    for call in calls:
        name = matched(call.name, offered)
        if not name:
            words = unknown_words(call.name, offered) if call.name else _UNREADABLE
            return TextCalls(prose, problem=words)
        if isinstance(call.arguments, str):
            return TextCalls(prose, problem=f"{name}: {why_not(call.arguments)}")
        good.append((name, call.arguments))
    return TextCalls(prose, tuple(good))


def _quoted(pieces: list[str], outside: Callable[[], str]) -> bool:
    """Check whether one of ``pieces`` was in the prompt, so that the model quotes it. Space and quotes may differ."""
    shown = _NOISE.sub("", outside())
    return any(_NOISE.sub("", piece) in shown for piece in pieces)
