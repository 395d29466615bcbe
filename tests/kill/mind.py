"""The model of the kill tests: a naive one, which acts on every new entry and trusts the engine to give each once.

What an entry asks for stands in its words: ``U7 remind``, ``M12 draft``. Each act carries that tag outside, so that
whoever counts the outside world can tell one act from a repeated one. A worker's steps count themselves.
"""

from __future__ import annotations

import random
import re
import threading
from typing import Any

from tests.kill.calendars.place import ADDRESS, LASTS, in_words, moment
from tests.living.world import Mind
from tests.llm.server import Reply

ENTRY = re.compile(r"<(user_msg|signal|tool_result|assistant_msg|tool_call|user_rule)( [^>]*)?>(.*?)</\1>", re.S)
ASKED = re.compile(r"\b([UM]\d+) ([a-z]+)(?: ([A-Z]\d+))?\b")
OWN = {"assistant_msg", "tool_call"}
WORKER_STEPS = 4


class NaiveMind(Mind):
    """Answers over HTTP; ``faults`` is the share of requests that fail in one of the ways that models fail."""

    def __init__(self, seed: int, faults: float = 0.08) -> None:
        super().__init__(lambda log: {})
        self._chance = random.Random(seed)
        self._faults = faults
        self._guard = threading.Lock()

    def take(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        verdicts = super().take(body, headers)
        with self._guard:
            fault = self._fault()
        return fault or (verdicts if self.judges(body) else self._answer(body))

    def _fault(self) -> Reply | None:
        if self._chance.random() > self._faults:
            return None
        faults: list[Reply] = [
            {"status": 429, "headers": {"retry-after": "0.05"}},
            {"status": 500},
            {"text": "half of a", "cut": "abort"},
            {"calls": [{"name": "notify", "arguments": '{"title": '}]},
            {"calls": [{"name": "no_such_tool", "arguments": {}}]},
            {"text": "", "usage": None},
        ]
        return self._chance.choice(faults)

    def _answer(self, body: dict[str, Any]) -> Reply:
        messages = body["messages"]
        if any("return_final_answer" in str(tool) for tool in body.get("tools", [])):
            return worker_reply(messages)
        return scheduler_reply(log_of(messages)) if len(messages) > 1 else {"text": "a summary"}


def log_of(messages: list[dict[str, Any]]) -> str:
    """All that a prompt says: where a turn goes on in the native form, the model's own part as an entry of its."""
    said = ("<assistant_msg></assistant_msg>" if m["role"] == "assistant" else str(m["content"]) for m in messages[1:])
    return "\n".join(said)


def new_entries(log: str) -> list[tuple[str, str, str]]:
    """Tag, attributes and text of what came since the model's own last turn."""
    entries = [(found[1], found[2] or "", found[3]) for found in ENTRY.finditer(log)]
    own = max((at for at, (tag, _, _) in enumerate(entries) if tag in OWN), default=-1)
    return entries[own + 1 :]


def scheduler_reply(log: str) -> Reply:
    """One turn of the scheduler's model."""
    pongs: list[str] = []
    calls: list[Reply] = []
    for tag, attributes, text in new_entries(log):
        if tag == "tool_result":
            call = re.search(r'id="([^"]+)"', attributes)
            pongs.append(f"got {call[1] if call else '?'}")
        elif tag in ("user_msg", "signal"):
            asked = ASKED.search(text)
            if asked is None:
                continue
            if tag == "user_msg":
                pongs.append(f"pong {asked[1]}")
            ident = re.search(r'id="([^"]+)"', attributes)
            call_ = call_for(asked[1], asked[2], ident[1] if ident else "", asked[3] or "")
            if call_:
                calls.append(call_)
    reply: Reply = {"text": " · ".join(pongs)} if pongs else {}
    if calls:
        reply["calls"] = calls
    return reply or {"calls": [{"name": "wait", "arguments": {}}]}


def call_for(tag: str, act: str, ident: str, about: str = "") -> Reply | None:
    """The tool call that the entry ``ident`` asks for; ``about``: the event that it names."""
    start = in_words(moment(int(tag[1:])))
    new = {"title": tag, "start": start, "minutes": LASTS // 60, "notes": f"notes {tag}"}
    arguments: dict[str, dict[str, Any]] = {
        "draft": {"message_id": ident, "body": f"body {tag}", "reason": f"for {tag}"},
        "send": {"to": "alice@example.com", "subject": tag, "body": f"body {tag}"},
        "write": {"tag": f"line {tag}"},
        "lostwrite": {"tag": f"line {tag} lost"},
        "mcpwrite": {"line": f"line {tag}"},
        "mcplost": {"line": f"line {tag} lost"},
        "notify": {"title": f"notice {tag}", "body": tag, "reason": "it was asked", "source": f"tag:{tag}"},
        "remind": {"text": f"reminder {tag}", "when": "in 2 seconds"},
        "slow": {"tag": tag, "seconds": 0.5},
        "fail": {"tag": tag},
        "delegate": {"task": f"task {tag}", "agent": ""},
        "agent": {"task": f"task {tag}", "agent": "mail-agent"},
        "note": {"text": f"note {tag}"},
        "ask": {"question": f"question {tag}?", "options": ["red", "blue"]},
        "rule": {"name": f"rule {tag}", "words": [f"never{tag}"], "notify": True},
        "event": new,
        "eventcal": {**new, "calendar": "Work"},
        "eventdates": {**new, "calendar": ADDRESS},
        "eventfile": {**new, "calendar": "own"},
        "moveevent": {"event": about or "?", "start": start},
        "dropevent": {"event": about or "?"},
    }
    names = {"draft": "draft_reply", "send": "send_mail", "write": "append_line", "lostwrite": "append_line",
             "slow": "slow_read", "fail": "failing_read",
             "mcpwrite": "own__append", "mcplost": "own__crash_after", "agent": "delegate",
             "ask": "ask_user", "note": "take_note", "rule": "propose_rule",
             "event": "add_event", "eventcal": "add_event", "eventdates": "add_event", "eventfile": "add_event",
             "moveevent": "change_event", "dropevent": "cancel_event"}  # fmt: skip
    return {"name": names.get(act, act), "arguments": arguments[act]} if act in arguments else None


def worker_reply(messages: list[dict[str, Any]]) -> Reply:
    """One turn of a worker's model: a fixed number of notes, then the answer."""
    called = [call["function"]["name"] for message in messages for call in message.get("tool_calls") or ()]
    step = called.count("take_note")  # beside it stand answers that were sent back, as they name no tool
    task = re.search(r"task ([UM]\d+)</task>", "\n".join(str(m["content"]) for m in messages if m["role"] == "user"))
    tag = task[1] if task else "?"
    if step < WORKER_STEPS:
        return {"calls": [{"name": "take_note", "arguments": {"text": f"step {step} of {tag}"}}]}
    return {"calls": [{"name": "return_final_answer", "arguments": {"answer": f"answer {tag} after {step}"}}]}
