"""What each order of the command grammar becomes: a call of a tool, words, or both."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from pepper_tui.clock.words import read_time
from pepper_tui.config import User
from pepper_tui.llm.offline import briefs
from pepper_tui.llm.offline.command import Command
from pepper_tui.llm.offline.draft import Draft
from pepper_tui.llm.offline.grammar import CAPABILITIES, LONGEST, agenda_span, arguments_of
from pepper_tui.llm.offline.mail_words import newest_from
from pepper_tui.llm.offline.on_newest import ON_NEWEST, Needed
from pepper_tui.text import one_line

SET_A_MODEL: Final = (
    'To set a model: name, and api_key = "env:OPENAI_API_KEY" or base_url, under [models] in config.toml, then start '
    "again. `pepper doctor` says whether it answers."
)
_UNDERSTOOD: Final = "\n".join(f"- {line}" for line in CAPABILITIES) + f"\n\n{SET_A_MODEL}"
_CALENDAR: Final = "Looking at your calendar."
_CHANGING: Final = "Looking at your calendar; nothing is changed before your yes."
_TIMES: Final = {"all": "all", "the": "following"}
_REPLYING: Final = "Preparing the reply to the invitation; it goes out only after your yes."
_ANSWERS: Final = {"accept": "accept", "decline": "decline"}
_RULES: Final = "Looking for the rule."
_WORKING_OUT: Final = "Working out the rule."
_LIKE_A_RULE: Final = (
    "Say a rule like this: always tell me when Ann writes · watch invoices · from now on draft a reply "
    "with thanks to mail from Ann · every weekday at 8 tell me my calendar · before each meeting with "
    "Ann brief me 15 minutes before · stop watching invoices. `rules` lists yours."
)


def _newest(command: Command) -> Needed:
    """Return the first half of an order about the newest mail from somebody: the search for it."""
    return "search_mail", "Finding the newest mail.", {"query": newest_from(command["sender"]), "limit": 1}


CALLS: Final[Mapping[str, Callable[[Command], Needed]]] = {
    "use": lambda c: (c["tool"], "", arguments_of(c["arguments"])),
    "remind": lambda c: ("remind", "", {"text": c["text"], "when": c["when"]}),
    "list_reminders": lambda c: ("list_reminders", "", {}),
    "cancel_reminder": lambda c: ("cancel_reminder", "", {"reminder_id": c["id"]}),
    "add_event": lambda c: (
        "add_event",
        "Preparing the event; it goes into your calendar only after your yes.",
        {"title": c["text"], "start": c["when"], "location": c["place"]},
    ),
    "move_event": lambda c: (
        "change_event",
        _CHANGING,
        {"event": c["event"], "day": c["day"], "start": c["start"], "which": "all" if c["which"] else ""},
    ),
    "rename_event": lambda c: (
        "change_event",
        _CHANGING,
        {"event": c["event"], "title": c["title"], "which": "all" if c["which"] else ""},
    ),
    "cancel_event": lambda c: (
        "cancel_event",
        _CHANGING,
        {"event": c["event"], "day": c["day"], "which": _TIMES.get(c["which"].split(" ")[0].lower(), "")},
    ),
    "answer_invitation": lambda c: (
        "answer_invitation",
        _REPLYING,
        {
            "invitation": c["which"],
            "answer": _ANSWERS.get(c["answer"].lower(), "tentative"),
            "day": "all" if c["all"] else c["day"],
        },
    ),
    "propose_time": lambda c: (
        "answer_invitation",
        _REPLYING,
        {"invitation": c["which"], "answer": "tentative", "propose": c["propose"], "day": c["day"]},
    ),
    "list_todos": lambda c: ("list_todos", "", {}),
    "complete_todo": lambda c: ("complete_todo", _CHANGING, {"todo": c["todo"]}),
    "reopen_todo": lambda c: ("complete_todo", _CHANGING, {"todo": c["todo"], "done": False}),
    "fetch": lambda c: (
        "fetch_page",
        "Reading the page.",
        {"address": c["address"], "reason": "You asked for this page."},
    ),
    "list_files": lambda c: ("list_files", "", {"folder": c["folder"]}),
    "read_file": lambda c: ("read_file", "", {"path": c["path"]}),
    "search_files": lambda c: ("search_files", "Searching your files.", {"query": c["query"]}),
    "profile": lambda c: ("read_profile", "", {}),
    "remember": lambda c: ("update_profile", "", {"value": c["text"]}),
    "forget": lambda c: ("update_profile", "", {"field": c["field"], "value": ""}),
    "profile_history": lambda c: ("profile_history", "", {}),
    "restore_profile": lambda c: ("restore_profile", "", {"version": int(c["version"])}),
    "search_mail": lambda c: (
        "search_mail",
        "Searching your mail.",
        {"query": c["query"], "limit": 10, **({"server": True} if c["server"] else {})},
    ),
    "whats_new": lambda c: ("search_mail", "The newest mail:", {"query": "", "limit": 10}),
    "summarise": lambda c: ("search_mail", "", {"query": briefs.keywords(c["query"]), "limit": 10}),
    **dict.fromkeys(ON_NEWEST, _newest),
    "block": lambda c: (
        "propose_rule",
        _WORKING_OUT,
        {
            "name": f"block {c['sender']}"[:60],
            "sender": c["sender"],
            "source": "mail",
            "priority": "log",
            "reason": "You asked to block this sender.",
        },
    ),
    "send": lambda c: (
        "send_mail",
        "Preparing the mail; it goes out only after your yes.",
        {"to": c["to"], "subject": c["subject"], "body": c["body"]},
    ),
    "search_notes": lambda c: ("search_notes", "", {"query": c["query"]}),
    "find": lambda c: ("search_context", "Searching.", {"query": c["query"], "limit": 10}),
    "note": lambda c: ("take_note", "", {"text": c["text"]}),
    "brief": lambda c: (
        "delegate",
        f"Working on a brief on {one_line(c['topic'], 80)}; go on meanwhile.",
        {"task": briefs.brief_task(c["topic"]), "agent": ""},
    ),
    "rules": lambda c: ("list_rules", "", {}),
    "rule": lambda c: ("list_rules", "", {"rule": c["rule"]}),
    # promises nothing: its card, or why there is none, says the rest
    "new_rule": lambda c: (
        "propose_rule",
        _WORKING_OUT,
        {"reason": "You asked for this rule.", **json.loads(c["says"])},
    ),
    "pause_rule": lambda c: ("pause_rule", _RULES, {"rule": c["rule"]}),
    "resume_rule": lambda c: ("resume_rule", _RULES, {"rule": c["rule"]}),
    "remove_rule": lambda c: ("remove_rule", _RULES, {"rule": c["rule"], "reason": "You asked for this."}),
    "status": lambda c: ("current_status", "", {}),
}

WORDS: Final[Mapping[str, Callable[[Command], str]]] = {
    "remind_without_text": lambda c: f"Of what? For example: remind me {c['when']} to call Ann.",
    "add_event_unclear": lambda c: "Say it like this: add lunch with Ann friday 12:30 for 45 minutes.",
    "summarise": lambda c: "I can't summarise without a language model; here are first lines.",
    "reply_unclear": lambda c: "Say it like this: reply to ann: your text.",
    "forward_unclear": lambda c: "Say it like this: forward ann's mail to ben@example.org: your text.",
    "send_unclear": lambda c: "Say it like this: send mail to ann@example.org: subject: your text.",
    "rule_unclear": lambda c: c["why"] if c["why"] and not c["why"].endswith("”.") else f"{c['why']} {_LIKE_A_RULE}",
    "help": lambda c: f"I understand:\n{_UNDERSTOOD}",
    "thanks": lambda c: "You're welcome.",
    "too_long": lambda c: f"Without a language model I read orders of at most {LONGEST} characters; this is longer.",
    "unknown": lambda c: f"Without a language model I did not understand that. I understand:\n{_UNDERSTOOD}",
}
"""The words to say; before the call, if there is one, too."""
ANSWERED: Final = frozenset({"help", "hello", "thanks"})
"""Words alone that are all that was asked for."""


class Orders:
    """Follows orders of ``user``."""

    def __init__(self, user: User, zone: tzinfo, locale: str) -> None:
        self._user, self._zone, self._locale = user, zone, locale

    def follow(self, command: Command, now: float, draft: Draft) -> None:
        """Put on ``draft`` what the order becomes; ``unmet`` is set if that is nothing but words why."""
        self._follow(command, now, draft)
        draft.unmet = draft.unmet or not (draft.calls or command.kind in ANSWERED)

    def _follow(self, command: Command, now: float, draft: Draft) -> None:
        match command.kind:
            case "remind_without_time":
                draft.say(self._no_time(command["said"], now))
            case "agenda":
                self._look(command, now, draft, "agenda")
            case "links":
                self._look(command, now, draft, "agenda", links=True)
            case "conflicts" if not command["span"]:
                draft.need("find_conflicts", _CALENDAR)
            case "conflicts":
                self._look(command, now, draft, "find_conflicts")
            case "free":
                part = command["part"].lower() or ("evening" if command["span"].lower() == "tonight" else "")
                self._look(command, now, draft, "find_free_time", part=part)
            case "free_with":
                said = {"people": command["people"].split("\n")} if command["people"] else {}
                length = {"minutes": int(command["minutes"])} if command["minutes"] else {}
                self._look(command, now, draft, "find_free_time", part=command["part"], **said, **length)
            case "hello":
                name = f" {one_line(self._user.name.split()[0], 40)}" if self._user.name.split() else ""
                draft.say(f"Hello{name}. Type help to see what I understand.")
            case kind if kind in CALLS or kind in WORDS:
                if kind in WORDS:
                    draft.say(WORDS[kind](command))
                if kind in CALLS:
                    tool, words, arguments = CALLS[kind](command)
                    draft.need(tool, words, **arguments)
            case _:
                draft.say(WORDS["unknown"](command))

    def _look(self, command: Command, now: float, draft: Draft, tool: str, **arguments: Any) -> None:
        """Call a tool that looks at the named days."""
        today = datetime.fromtimestamp(now, self._zone).date()
        if span := agenda_span(command["span"], today, self._locale):
            draft.need(tool, _CALENDAR, start=span[0], days=span[1], **arguments)
        else:
            draft.say(f"“{one_line(command['span'], 60)}” names no day that I know.")

    def _no_time(self, said: str, now: float) -> str:
        words = "When? For example: remind me to call Ann tomorrow 9am."
        try:
            read_time(said, now, self._zone, self._locale) if said else None
        except ValueError as error:
            return f"{str(error)[0].upper()}{str(error)[1:]}."
        return words
