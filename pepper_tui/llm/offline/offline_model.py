"""The model for a home without a model: rules over facts, behind the same protocol.

It never guesses. It answers a small command grammar, and reports the outcome of calls; what the user's rules order is
done by code, with any model or none. What would need judgement is counted as not judged and gets no card. It acts only
through the tools that a request offers, so policy and approvals hold for it as for any model.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, tzinfo
from typing import Final

from pepper_tui.clock import Clock, local_locale
from pepper_tui.config import User
from pepper_tui.llm.offline import briefs
from pepper_tui.llm.offline.answers import SHOWN, called, in_words
from pepper_tui.llm.offline.command import Command
from pepper_tui.llm.offline.draft import Draft
from pepper_tui.llm.offline.grammar import parse
from pepper_tui.llm.offline.mail_words import newest_from
from pepper_tui.llm.offline.on_newest import ON_NEWEST
from pepper_tui.llm.offline.orders import Orders
from pepper_tui.model import (
    Completed,
    Entry,
    Json,
    ModelEvent,
    ModelRequest,
    TextDelta,
    Usage,
)
from pepper_tui.text import clean, escape, one_line, shorten, unescaped

OFFLINE_NAME: Final = "offline"
OFFLINE_NOTICE: Final = "I am Pepper's offline model: I work by rules, without a language model."
_PIECE: Final = re.compile(r"\S+\s*|\s+")
_OF_MAIL: Final = re.compile(r"\b(?:read|open|show|reply|answer|respond|forward|unsubscribe)\b", re.IGNORECASE)
_USER_MSG: Final = re.compile(r"<user_msg[^>]*>(.*?)</user_msg>", re.DOTALL)
_QUOTED: Final = re.compile(r"</?quoted[^>]*>")
_TASK: Final = re.compile(r"<task[^>]*>(.*?)</task>", re.DOTALL)
_QUIET: Final = frozenset({"notify", "wait", "return_final_answer"})


class OfflineModel:
    """Answers every role by rules. ``not_judged`` counts the signals that it left alone since the start."""

    def __init__(self, clock: Clock, *, user: User | None = None, zone: tzinfo = UTC) -> None:
        self._clock = clock
        user = user or User()
        self._locale = user.locale or local_locale()
        self._orders = Orders(user, zone, self._locale)
        self.not_judged = 0

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Stream as ``ModelClient`` does, but raise nothing and take no time."""
        draft = Draft(request, self._clock.new_id)
        if request.role == "worker":
            self._work(request, draft)
        elif request.role == "summary":
            draft.say("(no language model: not summarised)")
        elif request.role == "triage":
            draft.say("(no language model: not judged)")
        elif any(entry.kind == "user_msg" for entry in request.entries):
            await asyncio.to_thread(self._think, request, draft)  # finding a time in it takes some CPU time
        else:
            self._think(request, draft)
        if not draft.calls and not draft.words and not draft.call("wait"):
            draft.say("(nothing to do)")
        text = "\n\n".join(draft.words)
        for piece in _PIECE.findall(text):
            yield TextDelta(piece)
        usage = Usage(OFFLINE_NAME, request.role, 0, 0, 0, 0.0, request.now)
        yield Completed(text, tuple(draft.calls), usage, tuple(draft.not_judged), unmet=draft.unmet)

    # ------------------------------------------------------------------------------------------------- a worker's step

    def _work(self, request: ModelRequest, draft: Draft) -> None:
        results = [entry.facts for entry in request.entries if entry.kind == "tool_result"]
        task = next((str(e.facts.get("task", "")) for e in request.entries if e.kind == "task"), "")
        task = task or _last(_TASK, request.messages)
        if not results:
            for name, arguments in briefs.first_calls(task):
                draft.call(name, **arguments)
        if results or not draft.calls:
            answer = briefs.answer(task, results)
            if not draft.call("return_final_answer", answer=answer):
                draft.say(answer)

    # --------------------------------------------------------------------------------------------- the scheduler's step

    def _think(self, request: ModelRequest, draft: Draft) -> None:
        answers = any(entry.kind == "user_msg" for entry in request.entries)
        for position, entry in enumerate(request.entries):
            if entry.kind == "user_msg":
                self._answer(request, entry, draft)
            elif entry.kind == "signal":
                if not entry.facts.get("done"):  # what rules order is done by code before a model sees the signal
                    draft.not_judged.append(position)
            elif entry.kind == "tool_result":
                answers = answers or entry.facts.get("root") == "user"
                self._result(request, entry, draft)
        if draft.not_judged:
            self.not_judged += len(draft.not_judged)
            if not answers:
                draft.say(f"Not judged: {len(draft.not_judged)}.")

    # ------------------------------------------------------------------------------------------------------- results

    def _result(self, request: ModelRequest, entry: Entry, draft: Draft) -> None:
        facts = entry.facts
        name, state = str(facts.get("name", "")), str(facts.get("state", "succeeded"))
        content = clean(str(facts.get("content", ""))).strip()
        arguments = facts.get("arguments")
        arguments = arguments if isinstance(arguments, dict) else {}
        summary, problem = str(facts.get("summary", "")), str(facts.get("problem", ""))
        failed = state in ("failed", "unknown")
        if facts.get("root") == "user":
            if name in _QUIET and not failed:
                return
            if name == "search_mail" and state == "succeeded" and self._goes_on(request, arguments, content, draft):
                return
            draft.say(in_words(name, state, content, arguments, summary, problem, request.now))
            return
        source = f"tool.result:{facts.get('call', '')}"
        if name == "delegate" and state == "succeeded":
            task = str(arguments.get("task", ""))
            brief = briefs.is_brief(task)
            watch = briefs.fields_of(task).get("Watch", "")
            reason = f"Your watch “{watch}” asks for a brief." if watch else "A task that you asked for is done."
            draft.call(
                "notify",
                title=briefs.title_of(task),
                body=shorten(content, SHOWN),
                reason=reason,
                source=source,
                priority="high" if brief else "normal",
                kind="brief" if brief else "notice",
            )
        elif failed and name not in _QUIET and not problem:  # its card is back, and says so itself
            what = called(name, arguments, summary)
            draft.call(
                "notify",
                title=f"Not done: {what}" if state == "failed" else f"Not known whether it happened: {what}",
                body=shorten(content, 500),
                reason="Something that your rules asked for did not go through.",
                source=source,
                priority="normal",
                kind="notice",
            )

    def _goes_on(self, request: ModelRequest, arguments: Json, content: str, draft: Draft) -> bool:
        """Do the second half of "read mail from X", "reply to X: …" …, if this search was its first half."""
        if arguments.get("limit") != 1:
            return False
        head, bar, _ = content.splitlines()[0].partition(" | ") if content else ("", "", "")
        command = self._asked(request.messages, str(arguments.get("query", "")))
        if command is None:
            return False
        if not bar or not head.strip():
            draft.say(f"I found no mail from {one_line(command['sender'], 80)}.")
            draft.unmet = True
            if cut := " ".join(content.splitlines()[1:]).strip("[] "):
                draft.say(f"{one_line(cut[:1].upper() + cut[1:], 200)}.")
            return True
        tool, words, given = ON_NEWEST[command.kind](command)
        if tool == "draft_reply" and tool not in draft.offered:
            tool = "reply_mail"
        draft.need(tool, words, message_id=head.strip(), **given)
        return True

    @staticmethod
    def _asked(messages: Sequence[Json], query: str) -> Command | None:
        """Return the user's newest order about the newest mail that ``query`` finds."""
        for said in reversed(_all(_USER_MSG, messages)):
            command = parse(said) if _OF_MAIL.search(said) else Command("unknown")
            if command.kind in ON_NEWEST and newest_from(command["sender"]) == query:
                return command
        return None

    # --------------------------------------------------------------------------------------------------- user messages

    def _answer(self, request: ModelRequest, entry: Entry, draft: Draft) -> None:
        command = parse(str(entry.facts.get("text", "")), self._locale)
        if OFFLINE_NOTICE not in draft.words and not self._said_so(request):
            draft.say(OFFLINE_NOTICE)
        self._orders.follow(command, request.now, draft)

    @staticmethod
    def _said_so(request: ModelRequest) -> bool:
        notice = escape(OFFLINE_NOTICE)
        return any(notice in text or OFFLINE_NOTICE in text for text in _texts(request.messages))


def _texts(messages: Sequence[Json]) -> list[str]:
    texts: list[str] = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, str):
            texts.append(content)
        elif isinstance(content, list):
            texts += [str(part.get("text", "")) for part in content if isinstance(part, dict)]
    return texts


def _all(pattern: re.Pattern[str], messages: Sequence[Json]) -> list[str]:
    """Return the text between ``pattern``'s tags, unescaped. Outside text can't forge a tag: it is escaped."""
    found = [each for text in _texts(messages) for each in pattern.findall(text)]
    return [unescaped(_QUOTED.sub("", each)) for each in found]


def _last(pattern: re.Pattern[str], messages: Sequence[Json]) -> str:
    found = _all(pattern, messages)
    return found[-1] if found else ""
