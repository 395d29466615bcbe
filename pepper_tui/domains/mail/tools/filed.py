"""What became of filed mails: a record per call, from which it is undone, and the copies as they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pepper_tui.domains.mail.at_source.filing import MARKED, MOVES, TARGETS, Filed, Filing, FilingAct
from pepper_tui.domains.mail.at_source.state import Copy, note_copies, noting, states_of
from pepper_tui.domains.mail.tools.filing_plan import Item
from pepper_tui.model import Namespace, Record
from pepper_tui.store import Store

FILED: Final = Namespace.FILED
"""One context per call that has filed mails, with the call's id."""


@dataclass(slots=True)
class FiledCopy(Record):
    """What became of one copy.

    ``act``, ``folder`` and ``leaving`` take it back, at ``place``; no ``act``: nothing can, or need.
    """

    item: Item
    place: str
    act: FilingAct | str = ""
    folder: str = ""
    trouble: str = ""
    leaving: str = ""

    def __post_init__(self) -> None:
        self.item = self.item if isinstance(self.item, Item) else Item.of(self.item)


@dataclass(slots=True)
class FiledCall(Record):
    """What one call has filed. ``then``: the calls that took it back, or, at such a call, that did it again."""

    id: str
    account: str
    copies: list[FiledCopy] = field(default_factory=list)
    then: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.copies = [each if isinstance(each, FiledCopy) else FiledCopy.of(each) for each in self.copies]

    def inverses(self) -> dict[tuple[str, str, str], list[Item]]:
        """Return the mails by the act that takes them back (its name, folder and ``leaving``), each with its places as
        they are now.
        """
        found: dict[tuple[str, str, str], dict[str, Item]] = {}
        for copy in self.copies:
            if copy.act and copy.place:
                items = found.setdefault((copy.act, copy.folder, copy.leaving), {})
                item = items.setdefault(copy.item.id, replace(copy.item, places=[]))
                item.places.append(copy.place)
        return {key: [*items.values()] for key, items in found.items()}


async def filed_call(store: Store, call_id: str) -> FiledCall | None:
    return FiledCall.one(await store.get(call_id, namespace=FILED))


async def note_filed(
    store: Store, call_id: str, account: str, filing: Filing, items: Sequence[Item], filed: Mapping[str, Filed]
) -> None:
    """Note, in one unit, what became of each copy, and the copies as they are now."""
    record = FiledCall(call_id, account)
    async with noting(store):
        seen, gone = await _outcomes(store, record, filing, items, filed)
        await store.put(record, namespace=FILED)
        await note_copies(store, seen, gone, call_id)


async def _outcomes(
    store: Store, record: FiledCall, filing: Filing, items: Sequence[Item], filed: Mapping[str, Filed]
) -> tuple[dict[str, list[Copy]], list[str]]:
    """Add what became of each copy to ``record``; return the copies as they are now, and the places that are left."""
    states = await states_of(store, [item.id for item in items])
    seen: dict[str, list[Copy]] = {}
    gone: list[str] = []
    for item in items:
        known = {copy.place: copy for copy in states[item.id].copies} if item.id in states else {}
        for place in item.places:
            outcome = filed[place]
            undo = outcome.undo
            record.copies.append(
                FiledCopy(
                    replace(item, places=[place]),
                    outcome.place,
                    undo.act if undo else "",
                    undo.folder if undo else "",
                    outcome.trouble,
                    undo.leaving if undo else "",
                )
            )
            if outcome.trouble:
                continue
            if outcome.place != place:
                gone.append(place)
            if (now := _now(known.get(place), filing, outcome)) is not None:
                seen.setdefault(item.id, []).append(now)
    return seen, gone


def _now(before: Copy | None, filing: Filing, filed: Filed) -> Copy | None:
    """Return the copy as it is now; ``None`` if that can't be told."""
    if filed.copy is not None or before is None or not filed.place:
        return filed.copy
    if filing.act in MOVES:
        return replace(
            before, place=filed.place, folder=filing.folder or before.folder, use=TARGETS.get(filing.act, "")
        )
    if filing.act not in MARKED:
        return before
    mark, on = MARKED[filing.act]
    marks = [each for each in before.marks if each != mark]
    return replace(before, marks=[*marks, mark] if on else marks)
