"""Topics: tools that a model is offered only when the conversation gets to them.

Tool descriptions are most of a request's size, and the more there are, the worse a small model chooses. So the everyday
tools are always offered, the others by topic: if the user's words name it, or the model asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_FEW_FOREIGN: Final = 8  # up to this many MCP tools are offered like everyday ones
_TELLING: Final = 5  # minimum letters of a word in a tool's name that can stand for its server


@dataclass(frozen=True, slots=True)
class Topic:
    """A group of tools. ``words``: a pattern for what the user says, in English or German, if these may be wanted."""

    name: str
    tools: tuple[str, ...]
    words: str

    def named_in(self, text: str) -> bool:
        return re.search(self.words, text, re.IGNORECASE) is not None


EVERY_DAY: Final = (
    "notify", "draft_reply", "read_thread", "search_mail", "agenda", "remind", "revise_proposal", "search_context",
    "read_result", "delegate", "ask_user",
)  # fmt: skip
"""Always offered; if only a few may be, the first of them."""

TOPICS: Final = (
    Topic(
        "rules",
        ("propose_rule", "list_rules", "pause_rule", "remove_rule", "change_rule", "resume_rule"),
        r"\b(always|never|every|each|whenever|when(ever)?|from now on|rules?|stop|no longer|don't|do not|only|if"
        r"|immer|nie(mals)?|jede\w*|sobald|wenn|ab jetzt|ab sofort|regeln?|nicht mehr|kein\w*|nur|falls)\b",
    ),
    Topic(
        "reminders",
        ("list_reminders", "cancel_reminder", "wait_for_mail"),
        r"\b(remind\w*|answer\w*|repl(y|ies|ied)|hear back|follow up|wait\w*"
        r"|erinner\w*|antwort\w*|meldet|nachfass\w*|wart\w*)\b",
    ),
    Topic(
        "calendar",
        (
            "add_event",
            "change_event",
            "cancel_event",
            "answer_invitation",
            "find_free_time",
            "find_conflicts",
            "list_todos",
            "complete_todo",
        ),
        r"\b(calendar|events?|meet\w*|appointments?|schedule\w*|book|free|busy|slots?|conflicts?|overlap\w*|invit\w*"
        r"|to-?dos?|tasks?|aufgaben?|mov(e|ed|ing)|reschedul\w*|postpon\w*|cancel\w*|accept\w*|declin\w*|verschieb\w*|absag\w*|zusag\w*"
        r"|kalender|termin\w*|treff\w*|besprech\w*|verabred\w*|frei\w*|zeit|einlad\w*|einplan\w*|eintrag\w*)\b",
    ),
    Topic(
        "notes",
        ("take_note", "search_notes"),
        r"\b(not(es?|ed)|remember|write down|jot|know about|notiz\w*|merk\w*|notier\w*|aufschreib\w*)\b",
    ),
    Topic(
        "profile",
        ("update_profile", "read_profile", "profile_history", "restore_profile"),
        r"\b(never|always|prefer\w*|my name|call me|i am|i'm|i (live|work|prefer|like|hate)|about me|my \w+ is|profile"
        r"|nie(mals)?|immer|lieber"
        r"|ich (bin|heiße|heisse|wohne|arbeite|mag)|mein\w* \w+ (ist|heißt|heisst)|nenn\w* mich|über mich|profil)\b",
    ),
    Topic(
        "files",
        ("list_files", "read_file", "search_files"),
        r"\b(files?|folders?|documents?|attach\w*|pdf|csv|directory|datei\w*|ordner\w*|dokument\w*|anhang|anhäng\w*)\b"
        r"|[~.]?/\w|\w\.(txt|md|pdf|csv|docx?|xlsx?|py)\b",
    ),
    Topic(
        "web",
        ("fetch_page",),
        r"https?://|\bwww\.|\b(web|websites?|pages?|links?|urls?|online|internet|webseiten?|seiten?)\b|\w\.(com|org|net|de)\b",
    ),
    Topic(
        "mail",
        ("send_mail", "read_mail", "read_attachment", "reply_mail", "forward_mail", "unsubscribe"),
        r"\b((e-?)?mails?|send|write|tell|let .{1,40} know|forward|unsubscribe|newsletters?|schreib\w*"
        r"|send\w*|schick\w*|sag\w*|weiterleit\w*|abbestell\w*)\b|@",
    ),
    Topic(
        "filing",
        ("file_mail",),
        r"\b(archiv\w*|trash|delete|bin|spam|junk|move|put|flag\w*|label\w*|mark\w*|(un)?read|clean|tidy|sort|file"
        r"|lösch\w*|papierkorb|verschieb\w*|markier\w*|räum\w*|sortier\w*|(un)?gelesen|ablegen|leg\w*)\b",
    ),
    Topic(
        "work",
        ("cancel_call", "current_status", "activity", "tell_worker"),
        r"\b(workers?|agents?|did|done|doing|do you do|going on|status|running|today|yesterday|cancel|stop|abort"
        r"|never ?mind|forget it|was (hast|machst|läuft)|gemacht|getan|erledigt|heute|gestern|brich|abbrech\w*"
        r"|lass (das|es)|vergiss)\b",
    ),
)


def topics_of(names: Iterable[str]) -> list[Topic]:
    """Return the topics of the tools in ``names``.

    These are the built-in topics, and one per MCP server if there are many MCP tools.
    """
    known = set(names)
    found = [Topic(each.name, tuple(n for n in each.tools if n in known), each.words) for each in TOPICS]
    foreign = sorted(name for name in known if "__" in name)
    servers = {name.partition("__")[0] for name in foreign} if len(foreign) > _FEW_FOREIGN else set()
    for server in sorted(servers):
        theirs = tuple(name for name in foreign if name.startswith(f"{server}__"))
        found.append(Topic(server, theirs, _words_for(server, theirs)))
    return [topic for topic in found if topic.tools]


def _words_for(server: str, tools: Sequence[str]) -> str:
    """Return a pattern of the server's name and of the distinctive words in its tools' names."""
    words = {word for tool_name in tools for word in re.split(r"[^a-z]+", tool_name.lower()) if len(word) >= _TELLING}
    return r"\b(" + "|".join(map(re.escape, sorted({server.lower(), *words}))) + r")s?\b"
