"""Players: scripts of a model's replies, served over HTTP in the OpenAI protocol as a real model's would be.

A script is a list of cues. The first whose trigger holds for what is new in a prompt answers it; where none does, the
player waits, ends its task, or leaves a judgement open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from tests.llm.server import Reply

Call = tuple[str, Mapping[str, Any]]
Text = str | Callable[["Prompt"], str]
Calls = Sequence[Call] | Callable[["Prompt"], Sequence[Call]]
Trigger = Callable[["Prompt"], bool]

_NEW: Final = "<new/>"


@dataclass(frozen=True)
class Prompt:
    """What a model is shown in one request."""

    body: Mapping[str, Any]

    @cached_property
    def tools(self) -> list[str]:
        return [tool["function"]["name"] for tool in self.body.get("tools", [])]

    @cached_property
    def role(self) -> str:
        tools = self.tools
        if tools == ["judge"]:
            return "judge"
        if "return_final_answer" in tools:
            return "worker"
        return "scheduler" if tools else "summary"

    @cached_property
    def log(self) -> str:
        """All but Pepper's own instructions; calls in the provider's native form as those that stand in the log."""
        return "\n".join(map(_told, self.body["messages"][1:]))

    @cached_property
    def system(self) -> str:
        return str(self.body["messages"][0]["content"])

    @cached_property
    def new(self) -> str:
        """What the model has not been given before."""
        if self.role == "worker":
            messages = self.body["messages"]
            last = max((n for n, each in enumerate(messages) if each["role"] == "assistant"), default=0)
            return "\n".join(str(message.get("content") or "") for message in messages[last + 1 :])
        return self.log.rpartition(_NEW)[2]

    def one(self, pattern: str) -> str:
        """The newest text that ``pattern`` (with one group) finds in the log; empty where there is none."""
        found = re.findall(pattern, self.log, re.S)
        return str(found[-1]) if found else ""

    def call(self, function: str) -> str:
        """The id of the newest call of ``function``, whether it is open or has ended."""
        opened = re.findall(rf"^(\S+) {function} \(", self.one(r"<open_calls>(.*?)</open_calls>"), re.M)
        return opened[-1] if opened else self.one(rf'<tool_(?:call|result) id="([^"]+)" function="{function}"')

    def mail(self, words: str) -> str:
        """The id of the newest mail whose entry holds ``words``: its signal's, or its own as a result gives it."""
        entries = re.findall(r"<(?:signal|tool_result) [^>]*>.*?</(?:signal|tool_result)>", self.log, re.S)
        for entry in reversed(entries):
            listed = re.findall(rf"(<[^<>\s]+@[^<>\s]+>) \| [^\n]*{re.escape(words)}", entry)
            whole = re.findall(r'message_id: (<[^<>\s]+>)|<signal id="([^"]+)"', entry) if words in entry else []
            if found := [*listed, *("".join(each) for each in whole)]:
                return str(found[0])
        return ""


def _told(message: Mapping[str, Any]) -> str:
    """One message of a request as text."""
    parts = [str(message.get("content") or "")]
    for call in message.get("tool_calls") or ():
        function = call["function"]
        parts.append(f'<tool_call id="{call["id"]}" function="{function["name"]}">{function["arguments"]}</tool_call>')
    return "\n".join(parts)


@dataclass(frozen=True)
class Cue:
    """``role``: whose prompts it is for. ``once``: it answers the first prompt that it holds for, and no other."""

    trigger: Trigger
    text: Text = ""
    calls: Calls = ()
    role: str = "scheduler"


@dataclass(frozen=True)
class Script:
    """What one player plays. ``misses``: words of what it must be found to have missed; empty for one that passes.
    ``refuses_over``: characters of a prompt that its server refuses as too long; 0: none."""

    cues: Sequence[Cue] = ()
    misses: str = ""
    refuses_over: int = 0

    def answer(self, body: dict[str, Any]) -> Reply:
        """The reply to one request."""
        prompt = Prompt(body)
        size = sum(len(str(message.get("content"))) for message in body["messages"])
        if 0 < self.refuses_over < size:
            words = f"This model's maximum context length is {self.refuses_over // 4} tokens."
            error = {"message": words, "type": "invalid_request_error", "code": "context_length_exceeded"}
            return {"status": 400, "error": {"error": error}}
        for cue in self.cues:
            if cue.role == prompt.role and cue.trigger(prompt):
                text = cue.text if isinstance(cue.text, str) else cue.text(prompt)
                calls = cue.calls(prompt) if callable(cue.calls) else cue.calls
                unknown = [name for name, _ in calls if name not in prompt.tools]
                if unknown and not self.misses:
                    raise ValueError(f"the good player calls {unknown[0]}, which is not offered: {prompt.tools}")
                return _reply(prompt, text, calls)
        return _otherwise(prompt)


def _reply(prompt: Prompt, text: str, calls: Sequence[Call]) -> Reply:
    made = [{"name": name, "arguments": dict(given), "id": f"c{number}"} for number, (name, given) in enumerate(calls)]
    tools = len(json.dumps(prompt.body.get("tools", [])))
    characters = tools + sum(len(str(message.get("content"))) for message in prompt.body["messages"])
    usage = {"prompt_tokens": characters // 4, "completion_tokens": len(text) // 4 + 20 * len(made) + 1}
    usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
    details = {"prompt_tokens_details": {"cached_tokens": (tools + len(prompt.system)) // 4}}
    return {"text": text, "calls": made, "pieces": 4000, "usage": {**usage, **details}}


def _otherwise(prompt: Prompt) -> Reply:
    match prompt.role:
        case "judge":
            return _reply(prompt, "", [("judge", {"verdicts": []})])
        case "worker":
            return _reply(prompt, "", [("return_final_answer", {"answer": "done"})])
        case "summary":
            return _reply(prompt, "Nothing of note.", [])
    return _reply(
        prompt, "OK." if "<user_msg" in prompt.new else "", [] if "<user_msg" in prompt.new else [("wait", {})]
    )


# ------------------------------------------------------------------------------------------------------------ cues


def heard(words: str, text: Text = "", *calls: Call, by: Calls = ()) -> Cue:
    """Answers a message of the user's that holds ``words`` (a pattern). ``by`` makes the calls of the prompt."""
    return Cue(_entry("user_msg", words), text, calls or by)


def signal(words: str, *calls: Call, by: Calls = ()) -> Cue:
    """Answers a signal that holds ``words``."""
    return Cue(_entry("signal", words), "", calls or by)


def result(function: str, text: Text = "", *calls: Call, by: Calls = (), words: str = "") -> Cue:
    """Answers the result of a call of ``function`` that holds ``words``."""
    return Cue(_result(function, words), text, calls or by)


def task(words: str, *calls: Call, by: Calls = ()) -> Cue:
    """What a worker does first about a task that holds ``words``."""
    return Cue(_entry("task", words), "", calls or by, role="worker")


def in_task(function: str, *calls: Call, by: Calls = (), words: str = "") -> Cue:
    """What a worker does with the result of its call of ``function``."""

    def holds(prompt: Prompt) -> bool:
        found = re.findall(rf'<tool_result id="[^"]*" name="{function}".*?</tool_result>', prompt.new, re.S)
        return any(re.search(words, each, re.S | re.I) for each in found)

    return Cue(holds, "", calls or by, role="worker")


def told(words: str, *calls: Call, by: Calls = ()) -> Cue:
    """What a worker does when it is told more, that holds ``words``."""
    return Cue(_entry("told", words), "", calls or by, role="worker")


def judging(*verdicts: tuple[str, str, str]) -> Cue:
    """Judges signals: the words of one, its priority, the reason."""

    def made(prompt: Prompt) -> Sequence[Call]:
        found = []
        for number, entry in re.findall(r'<signal n="(\d+)"[^>]*>(.*?)</signal>', prompt.log, re.S):
            named = [(priority, why) for words, priority, why in verdicts if re.search(words, entry, re.I)]
            found += [{"n": int(number), "priority": priority, "reason": why} for priority, why in named[:1]]
        return [("judge", {"verdicts": found})]

    return Cue(lambda prompt: True, "", made, role="judge")


def summing(text: Text) -> Cue:
    """Sums up the history."""
    return Cue(lambda prompt: True, text, role="summary")


def final(answer: str) -> Call:
    """Ends a worker's task."""
    return "return_final_answer", {"answer": answer}


def _entry(name: str, words: str) -> Trigger:
    def holds(prompt: Prompt) -> bool:
        found = re.findall(rf"<{name} [^>]*>(.*?)</{name}>", prompt.new, re.S)
        return any(re.search(words, each, re.S | re.I) for each in found)

    return holds


def _result(function: str, words: str) -> Trigger:
    def holds(prompt: Prompt) -> bool:
        found = re.findall(rf'<tool_result id="[^"]*" function="{function}".*?</tool_result>', prompt.new, re.S)
        return any(re.search(words, each, re.S | re.I) for each in found)

    return holds


def passes(*cues: Cue, refuses_over: int = 0) -> Script:
    """The good player's script."""
    return Script(cues, "", refuses_over)


def misses(words: str, *cues: Cue, refuses_over: int = 0) -> Script:
    """The script of a player that must be found to have missed what ``words`` say."""
    return Script(cues, words, refuses_over)
