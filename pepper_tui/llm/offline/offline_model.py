"""The model for a home without a model: rules over facts, behind the same protocol.

It never guesses. It answers a small command grammar, and says what came of calls; what the user's rules order is done
by code, with any model or none. What would need judgement is counted as not judged and gets no card. It acts only
through the tools that a request offers, so policy and approvals hold for it as for any model.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from pepper_tui.clock import Clock, local_locale
from pepper_tui.clock.words import read_time
from pepper_tui.config import User
from pepper_tui.llm.offline import briefs
from pepper_tui.llm.offline.answers import SHOWN, called, in_words
from pepper_tui.llm.offline.grammar import CAPABILITIES, LONGEST, Command, agenda_span, arguments_of, parse
from pepper_tui.model import (
    Completed,
    Entry,
    Json,
    ModelEvent,
    ModelRequest,
    RequestedCall,
    TextDelta,
    Usage,
)
from pepper_tui.text import clean, escape, one_line, shorten, unescaped

OFFLINE_NAME: Final = "offline"
OFFLINE_NOTICE: Final = "I am Pepper's offline model: I work by rules, without a language model."
SET_A_MODEL: Final = (
    'To set a model: name, and api_key = "env:OPENAI_API_KEY" or base_url, under [models] in config.toml, then start '
    "again. `pepper doctor` says whether it answers."
)
_PIECE: Final = re.compile(r"\S+\s*|\s+")
_OF_MAIL: Final = re.compile(r"\b(?:read|open|show|reply|answer|respond)\b", re.IGNORECASE)
_USER_MSG: Final = re.compile(r"<user_msg[^>]*>(.*?)</user_msg>", re.DOTALL)
_QUOTED: Final = re.compile(r"</?quoted[^>]*>")
_TASK: Final = re.compile(r"<task[^>]*>(.*?)</task>", re.DOTALL)
_QUIET: Final = frozenset({"notify", "wait", "return_final_answer"})


class _Draft:
    """What one step comes to: words, and calls of tools that are on offer."""

    def __init__(self, request: ModelRequest, new_id: Callable[[str], str]) -> None:
        self.words: list[str] = []
        self.calls: list[RequestedCall] = []
        self.not_judged: list[int] = []
        self._new_id = new_id
        self.offered = {tool.name: tool.parameters for tool in request.tools}

    def say(self, words: str) -> None:
        if words.strip():
            self.words.append(words.strip())

    def call(self, name: str, /, **arguments: Any) -> bool:
        """Ask for a call; False where the tool is not on offer. Arguments that the tool does not know are left out."""
        if name not in self.offered:
            return False
        known = self.offered[name].get("properties")
        if isinstance(known, dict) and known:
            arguments = {key: value for key, value in arguments.items() if key in known}
        self.calls.append(RequestedCall(self._new_id("call"), name, arguments))
        return True

    def need(self, tool: str, words: str = "", /, **arguments: Any) -> None:
        """Ask for a call and say ``words``, or say that there is no such tool."""
        if self.call(tool, **arguments):
            self.say(words)
        else:
            self.say(f"I can't do that here: the tool {tool} is not available. See the config.")


class OfflineModel:
    """Answers every role by rules. ``not_judged`` counts the signals that it left alone since the start."""

    def __init__(self, clock: Clock, *, user: User | None = None, zone: tzinfo = UTC) -> None:
        self._clock, self._zone = clock, zone
        self._user = user or User()
        self._locale = self._user.locale or local_locale()
        self.not_judged = 0

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """See ``ModelClient``; raises nothing and takes no time."""
        draft = _Draft(request, self._clock.new_id)
        if request.role == "worker":
            self._work(request, draft)
        elif request.role == "summary":
            draft.say("(no language model: not summarised)")
        elif request.role == "triage":
            draft.say("(no language model: not judged)")
        elif any(entry.kind == "user_msg" for entry in request.entries):
            await asyncio.to_thread(self._think, request, draft)  # to find a time in it takes some CPU time
        else:
            self._think(request, draft)
        if not draft.calls and not draft.words and not draft.call("wait"):
            draft.say("(nothing to do)")
        text = "\n\n".join(draft.words)
        for piece in _PIECE.findall(text):
            yield TextDelta(piece)
        usage = Usage(OFFLINE_NAME, request.role, 0, 0, 0, 0.0, request.now)
        yield Completed(text, tuple(draft.calls), usage, tuple(draft.not_judged))

    # ------------------------------------------------------------------------------------------------- a worker's step

    def _work(self, request: ModelRequest, draft: _Draft) -> None:
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

    def _think(self, request: ModelRequest, draft: _Draft) -> None:
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

    def _result(self, request: ModelRequest, entry: Entry, draft: _Draft) -> None:
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
            draft.say(in_words(name, state, content, arguments, summary, problem))
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

    def _goes_on(self, request: ModelRequest, arguments: Json, content: str, draft: _Draft) -> bool:
        """Where this search was the first half of "read mail from X" or "reply to X: …", do the second half."""
        sender = str(arguments.get("sender", ""))
        if not sender or arguments.get("limit") != 1:
            return False
        head, bar, _ = content.splitlines()[0].partition(" | ") if content else ("", "", "")
        command = self._asked(request.messages, sender)
        if command is None:
            return False
        if not bar or not head.strip():
            draft.say(f"I found no mail from {one_line(sender, 80)}.")
            if cut := " ".join(content.splitlines()[1:]).strip("[] "):
                draft.say(f"{one_line(cut[:1].upper() + cut[1:], 200)}.")
            return True
        if command.kind == "read":
            draft.need("read_mail", message_id=head.strip())
        else:
            tool = "draft_reply" if "draft_reply" in draft.offered else "reply_mail"
            draft.need(
                tool,
                "Preparing the reply; it goes out only after your yes.",
                message_id=head.strip(),
                body=command["body"],
                reason="You asked for this reply.",
            )
        return True

    def _no_time(self, said: str, now: float) -> str:
        words = "When? For example: remind me to call Ann tomorrow 9am."
        try:
            read_time(said, now, self._zone, self._locale) if said else None
        except ValueError as error:
            return f"{str(error)[0].upper()}{str(error)[1:]}."
        return words

    @staticmethod
    def _asked(messages: Sequence[Json], sender: str) -> Command | None:
        """The user's newest order to read from, or reply to, ``sender``."""
        for said in reversed(_all(_USER_MSG, messages)):
            command = parse(said) if _OF_MAIL.search(said) else Command("unknown")
            if command.kind in ("read", "reply") and command["sender"] == sender:
                return command
        return None

    # --------------------------------------------------------------------------------------------------- user messages

    def _answer(self, request: ModelRequest, entry: Entry, draft: _Draft) -> None:
        command = parse(str(entry.facts.get("text", "")), self._locale)
        if OFFLINE_NOTICE not in draft.words and not self._said_so(request):
            draft.say(OFFLINE_NOTICE)
        self._do(request, command, draft)

    @staticmethod
    def _said_so(request: ModelRequest) -> bool:
        notice = escape(OFFLINE_NOTICE)
        return any(notice in text or OFFLINE_NOTICE in text for text in _texts(request.messages))

    def _do(self, request: ModelRequest, command: Command, draft: _Draft) -> None:
        c = command
        match c.kind:
            case "use":
                draft.need(c["tool"], **arguments_of(c["arguments"]))
            case "remind":
                draft.need("remind", text=c["text"], when=c["when"])
            case "remind_without_time":
                draft.say(self._no_time(c["said"], request.now))
            case "remind_without_text":
                draft.say(f"Of what? For example: remind me {c['when']} to call Ann.")
            case "list_reminders":
                draft.need("list_reminders")
            case "cancel_reminder":
                draft.need("cancel_reminder", reminder_id=c["id"])
            case "agenda":
                today = datetime.fromtimestamp(request.now, self._zone).date()
                if span := agenda_span(c["span"], today, self._locale):
                    draft.need("agenda", "Looking at your calendar.", start=span[0], days=span[1])
                else:
                    draft.say(f"“{one_line(c['span'], 60)}” names no day ahead.")
            case "free":
                today = datetime.fromtimestamp(request.now, self._zone).date()
                part = c["part"].lower() or ("evening" if c["span"].lower() == "tonight" else "")
                if span := agenda_span(c["span"], today, self._locale):
                    draft.need("find_free_time", "Looking at your calendar.", start=span[0], days=span[1], part=part)
                else:
                    draft.say(f"“{one_line(c['span'], 60)}” names no day ahead.")
            case "conflicts":
                draft.need("find_conflicts", "Looking at your calendar.")
            case "add_event":
                words = "Preparing the event; it goes into your calendar only after your yes."
                draft.need("add_event", words, title=c["text"], start=c["when"], location=c["place"])
            case "add_event_unclear":
                draft.say("Say it like this: add lunch with Ann friday 12:30 for 45 minutes.")
            case "fetch":
                draft.need("fetch_page", "Reading the page.", address=c["address"], reason="You asked for this page.")
            case "list_files":
                draft.need("list_files", folder=c["folder"])
            case "read_file":
                draft.need("read_file", path=c["path"])
            case "search_files":
                draft.need("search_files", "Searching your files.", query=c["query"])
            case "profile":
                draft.need("read_profile")
            case "remember":
                draft.need("update_profile", value=c["text"])
            case "forget":
                draft.need("update_profile", field=c["field"], value="")
            case "profile_history":
                draft.need("profile_history")
            case "restore_profile":
                draft.need("restore_profile", version=int(c["version"]))
            case "search_mail":
                draft.need("search_mail", "Searching your mail.", query=c["query"], sender=c["sender"], limit=10)
            case "whats_new":
                draft.need("search_mail", "The newest mail:", query="", limit=10)
            case "summarise":
                draft.say("I can't summarise without a language model; here are first lines.")
                draft.need("search_mail", query=briefs.keywords(c["query"]), limit=10)
            case "read":
                draft.need("search_mail", "Finding the newest mail.", query="", sender=c["sender"], limit=1)
            case "reply":
                draft.need("search_mail", "Finding the mail to reply to.", query="", sender=c["sender"], limit=1)
            case "reply_unclear":
                draft.say("Say it like this: reply to ann: your text.")
            case "send":
                words = "Preparing the mail; it goes out only after your yes."
                draft.need("send_mail", words, to=c["to"], subject=c["subject"], body=c["body"])
            case "send_unclear":
                draft.say("Say it like this: send mail to ann@example.org: subject: your text.")
            case "search_notes":
                draft.need("search_notes", query=c["query"])
            case "find":
                draft.need("search_context", "Searching.", query=c["query"], limit=10)
            case "note":
                draft.need("take_note", text=c["text"])
            case "brief":
                words = f"Working on a brief on {one_line(c['topic'], 80)}; go on meanwhile."
                draft.need("delegate", words, task=briefs.brief_task(c["topic"]), agent="")
            case "rules":
                draft.need("list_rules")
            case "rule":
                draft.need("list_rules", rule=c["rule"])
            case "new_rule":
                says = json.loads(c["says"])
                # promises nothing: its card, or why there is none, says the rest
                draft.need("propose_rule", "Working out the rule.", reason="You asked for this rule.", **says)
            case "pause_rule" | "resume_rule":
                draft.need(c.kind, "Looking for the rule.", rule=c["rule"])
            case "remove_rule":
                draft.need("remove_rule", "Looking for the rule.", rule=c["rule"], reason="You asked for this.")
            case "rule_unclear":
                why = c["why"]
                draft.say(
                    why
                    if why and not why.endswith("”.")
                    else f"{why} "
                    "Say a rule like this: always tell me when Ann writes · watch invoices · from now on draft a reply "
                    "with thanks to mail from Ann · every weekday at 8 tell me my calendar · before each meeting with "
                    "Ann brief me 15 minutes before · stop watching invoices. `rules` lists yours."
                )
            case "status":
                draft.need("current_status")
            case "help":
                draft.say("I understand:\n" + "\n".join(f"- {line}" for line in CAPABILITIES) + f"\n\n{SET_A_MODEL}")
            case "hello":
                name = f" {one_line(self._user.name.split()[0], 40)}" if self._user.name.split() else ""
                draft.say(f"Hello{name}. Type help to see what I understand.")
            case "thanks":
                draft.say("You're welcome.")
            case "too_long":
                draft.say(f"Without a language model I read orders of at most {LONGEST} characters; this is longer.")
            case _:
                lines = "\n".join(f"- {line}" for line in CAPABILITIES)
                draft.say(
                    f"Without a language model I did not understand that. I understand:\n{lines}\n\n{SET_A_MODEL}"
                )


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
    """What stands between the tags that ``pattern`` names, unescaped. Outside text can't forge a tag: it is escaped."""
    found = [each for text in _texts(messages) for each in pattern.findall(text)]
    return [unescaped(_QUOTED.sub("", each)) for each in found]


def _last(pattern: re.Pattern[str], messages: Sequence[Json]) -> str:
    found = _all(pattern, messages)
    return found[-1] if found else ""
