"""The scheduler's memory of the conversation: an append-only text, and a summary of what was dropped.

Entries are contexts (``history``), so a restart reads the same bytes that the last process sent. A summary records the
log position that it covers; later entries are unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pepper_tui.model import ContextFilter, Json, Namespace
from pepper_tui.scheduler.prompt.prompts import NEW, WAITED
from pepper_tui.store import Store
from pepper_tui.text import shorten

_PAGE: Final = 1000
_SUMMARY_ID: Final = "current"
_NO_NEWS: Final = ("<user_msg ", NEW, WAITED)  # entries that an excerpt leaves out


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One rendered entry. ``call`` is the id of the tool call that it records, otherwise empty.

    ``outside``: it contains text that somebody else may have written.
    """

    id: str
    text: str
    call: str = ""
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """Replaces the entries up to and including ``covers`` (an entry's id).

    ``said``: the user's own words in them, one line each; ``unsaid``: how many of their messages are not included.
    """

    text: str
    covers: str
    said: tuple[str, ...] = ()
    unsaid: int = 0

    @property
    def shown(self) -> str:
        """The summary as it appears in a prompt."""
        left_out = f" ({self.unsaid} older messages left out)" if self.unsaid else ""
        if not (self.said or left_out):
            return f"<summary>\n{self.text}\n</summary>"
        said = "\n".join([f"The user said{left_out}:", *(f"- {line}" for line in self.said)])
        return f"<summary>\n{said}\nWhat was done, and what is open:\n{self.text}\n</summary>"


def summary_of(data: Json) -> Summary:
    """Return a stored summary; older versions of Pepper kept none of the user's words."""
    return Summary(data["text"], data["covers"], tuple(data.get("said", [])), data.get("unsaid", 0))


class History:
    """What a prompt shows of the past. ``load`` first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.summary: Summary | None = None
        self.entries: list[HistoryEntry] = []
        self.characters = 0

    async def load(self) -> None:
        """Resume where the last process stopped."""
        covers_seq = 0
        kept = await self._store.get(_SUMMARY_ID, namespace=Namespace.SUMMARY)
        if kept is not None:
            self.summary = summary_of(kept.data)
            covers_seq = int(kept.data["covers_seq"])
        while True:
            page = await self._store.query(
                ContextFilter(namespaces=[Namespace.HISTORY], after_seq=covers_seq, newest_first=False, limit=_PAGE)
            )
            self.extend([_entry(c.context_id, c.data) for c in page])
            if len(page) < _PAGE:
                return
            covers_seq = page[-1].seq

    def extend(self, entries: list[HistoryEntry]) -> None:
        self.entries += entries
        self.characters += sum(len(entry.text) + 1 for entry in entries)

    async def save(self, entries: list[HistoryEntry], step: str) -> None:
        """Store ``entries``; meant for a step's unit of work. Call ``extend`` once that is committed."""
        for entry in entries:
            data: Json = {"text": entry.text, "step": step, "call": entry.call, "outside": entry.outside}
            await self._store.store(data, namespace=Namespace.HISTORY, context_id=entry.id)

    def knows_call(self, call_id: str) -> bool:
        """Return whether the call itself is still part of the prompt."""
        return any(entry.call == call_id for entry in reversed(self.entries))

    @property
    def tainted(self) -> bool:
        """Whether a stranger may have written anything in the prompt."""
        return self.summary is not None or any(entry.outside for entry in self.entries)

    @property
    def length(self) -> int:
        """Characters of ``text``."""
        return self.characters + (len(self.summary.shown) + 1 if self.summary else 0)

    def text(self, first: int | None = None) -> str:
        """Return the stable part of the prompt: between compactions, it starts with the previous step's text.

        ``first``: only so many of its entries.
        """
        parts = [self.summary.shown] if self.summary else []
        return "\n".join([*parts, *(entry.text for entry in self.entries[:first])])

    def oldest(self, keep: float) -> list[HistoryEntry]:
        """Return the entries to drop so that the share ``keep`` of the text remains; never the last one."""
        budget = self.characters * (1 - keep)
        count = 0
        for entry in self.entries[:-1]:
            budget -= len(entry.text) + 1
            if budget < 0:
                break
            count += 1
        return self.entries[:count]

    async def swap(self, summary: Summary, now: float) -> None:
        """Replace everything that ``summary`` covers by it. Only between steps."""
        cut = next((i for i, entry in enumerate(self.entries) if entry.id == summary.covers), None)
        if cut is None:
            return
        covered = await self._store.get(summary.covers, namespace=Namespace.HISTORY)
        if covered is None:
            return
        data: Json = {
            "text": summary.text,
            "covers": summary.covers,
            "covers_seq": covered.seq,
            "at": now,
            "said": [*summary.said],
            "unsaid": summary.unsaid,
        }
        await self._store.store(data, namespace=Namespace.SUMMARY, context_id=_SUMMARY_ID)
        self.summary = summary
        self.entries = self.entries[cut + 1 :]
        self.characters = sum(len(entry.text) + 1 for entry in self.entries)


def _entry(entry_id: str, data: Json) -> HistoryEntry:
    return HistoryEntry(entry_id, data["text"], data.get("call", ""), bool(data.get("outside")))


def excerpt(summary: Summary | None, gone: Sequence[HistoryEntry], limit: int) -> str:
    """Return a rule-based summary, for when there is no model or it failed.

    At most a third is the text of the previous summary, the rest the head of each entry, as many of the newest as fit.
    What the user said is kept separately.
    """
    lines: list[str] = []
    before = shorten(summary.text, limit // 3) if summary else ""
    room = limit - len(before)
    for entry in reversed(gone):
        if entry.text.startswith(_NO_NEWS):
            continue
        line = shorten(" ".join(entry.text.split()), 240).replace("<", "[").replace(">", "]")
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join([*([before] if before else []), *reversed(lines)])
