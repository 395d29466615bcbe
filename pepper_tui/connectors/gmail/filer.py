"""Filing at Gmail: every act is a change of labels, for many mails in one request, and doing it again changes nothing.

Archive takes a mail out of the inbox, the bin and spam; move puts it where it is to be and nowhere else of these.
The labels are looked at before, for what takes the act back, and since Google says nothing of mails that are gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.labels import (
    ARCHIVE,
    INBOX,
    SPAM,
    STARRED,
    TRASH,
    UNREAD,
    LabelNames,
    copy_of,
    ident_at,
)
from pepper_tui.connectors.google_account.errors import GoneError, GoogleError, InDoubtError
from pepper_tui.connectors.google_account.transport import Ask
from pepper_tui.domains.mail.at_source.filing import INVERSE, Filed, Filing, FilingAct
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.tools.errors import NotDoneError

ACTS: Final[tuple[FilingAct, ...]] = (
    "read", "unread", "flag", "unflag", "archive", "trash", "junk", "move", "label", "unlabel",
)  # fmt: skip
AT_ONCE: Final = 1_000
"""Mails that one request can change."""
PLACES: Final = (INBOX, TRASH, SPAM)
GONE: Final = "it is no longer there"


@dataclass(frozen=True, slots=True)
class Change:
    """The labels that an act adds and removes."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def after(self, labels: Sequence[str]) -> list[str]:
        """Return the labels of a mail after the act."""
        return list(dict.fromkeys([*(each for each in labels if each not in self.remove), *self.add]))

    def is_done(self, labels: Collection[str]) -> bool:
        return set(self.add) <= set(labels) and not set(self.remove) & set(labels)


_FIXED: Final[Mapping[FilingAct, Change]] = {
    "read": Change(remove=(UNREAD,)),
    "unread": Change(add=(UNREAD,)),
    "flag": Change(add=(STARRED,)),
    "unflag": Change(remove=(STARRED,)),
    "archive": Change(remove=PLACES),
    "trash": Change(add=(TRASH,), remove=(INBOX, SPAM)),
    "junk": Change(add=(SPAM,), remove=(INBOX, TRASH)),
}


class GmailFiler:
    """The ``Filer`` of an account."""

    def __init__(self, gmail: GmailAccount) -> None:
        self._gmail = gmail

    @property
    def account(self) -> str:
        return self._gmail.ident

    @property
    def acts(self) -> Collection[FilingAct]:
        return ACTS

    async def folders(self) -> Sequence[str]:
        """Return the labels to which mails can be moved; see ``Filer``."""
        return [INBOX, ARCHIVE, *sorted((await self._names()).own.values()), SPAM, TRASH]

    async def file(self, filing: Filing, places: Sequence[str]) -> dict[str, Filed]:
        """Do it to the mails at ``places``; see ``Filer``."""
        try:
            await self._gmail.need("file")
            names = await self._names()
            change = self._change(filing, names)
            labels = await self._labels(places)
        except GoogleError as error:
            raise NotDoneError(error.told) from error
        todo = [place for place, each in labels.items() if each is not None and not change.is_done(each)]
        for at in range(0, len(todo), AT_ONCE):
            await self._modify(change, todo[at : at + AT_ONCE], begun=at > 0)
        found = {}
        for place in places:
            before = labels.get(place)
            if before is None:
                found[place] = Filed(place, trouble=GONE)
                continue
            now = copy_of(self.account, ident_at(self.account, place), change.after(before), names)
            undo = _undo(filing, change, before, names) if place in todo else None
            found[place] = Filed(place, undo, copy=now)
        return found

    async def is_done(self, filing: Filing, places: Sequence[str]) -> bool | None:
        """Check whether it was done to all; see ``Filer``."""
        try:
            change = self._change(filing, await self._names())
            labels = await self._labels(places)
        except (GoogleError, NotDoneError):
            return None
        return all(each is not None and change.is_done(each) for each in labels.values())

    async def _names(self) -> LabelNames:
        return LabelNames.of(await self._gmail.call("labels.list", urgent=True))

    async def _labels(self, places: Sequence[str]) -> dict[str, list[str] | None]:
        """Return the labels of each mail; None for one that is not there, or not of this account."""
        idents = {place: ident_at(self.account, place) for place in places}
        asked = [place for place in places if idents[place]]
        asks = [Ask("messages.get", {"id": idents[place], "format": "minimal"}) for place in asked]
        found: dict[str, list[str] | None] = dict.fromkeys(places)
        for place, answer in zip(asked, await self._gmail.together(asks, urgent=True) if asks else [], strict=True):
            if isinstance(answer, GoogleError) and not isinstance(answer, GoneError):
                raise answer
            if not isinstance(answer, GoogleError):
                found[place] = [str(each) for each in answer.get("labelIds", [])]
        return found

    async def _modify(self, change: Change, places: Sequence[str], *, begun: bool) -> None:
        """Change the labels. ``begun``: some were changed before, so that a failure is none of all."""
        idents = [ident_at(self.account, place) for place in places]
        body = {"ids": idents, "addLabelIds": list(change.add), "removeLabelIds": list(change.remove)}
        try:
            await self._gmail.call("messages.batchModify", urgent=True, body=body)
        except InDoubtError as error:
            if not await self._all_done(change, places):
                raise OutcomeUnknownError("Google did not answer; the mails may be changed or not") from error
        except GoogleError as error:
            if begun:
                raise OutcomeUnknownError(f"only some of the mails were changed: {error.words}") from error
            raise NotDoneError(error.told) from error

    async def _all_done(self, change: Change, places: Sequence[str]) -> bool:
        try:
            labels = await self._labels(places)
        except GoogleError:
            return False
        return all(each is None or change.is_done(each) for each in labels.values())

    def _change(self, filing: Filing, names: LabelNames) -> Change:
        """Return the change of labels that an act is. Raises ``NotDoneError`` for one that there is not."""
        if filing.act in _FIXED:
            return _FIXED[filing.act]
        if filing.leaving:
            moved, off = self._change(replace(filing, leaving=""), names), names.ident(filing.leaving)
            return Change(moved.add, (*moved.remove, off)) if off in names.own else moved
        if filing.act == "move" and filing.folder.casefold() == ARCHIVE.casefold():
            return _FIXED["archive"]
        label = names.ident(filing.folder)
        if filing.act == "move" and label in PLACES:
            return Change((label,), tuple(each for each in PLACES if each != label))
        if label not in names.own:
            raise NotDoneError(f"there is no label {filing.folder!r} at {self._gmail.settings.address}")
        changes: dict[FilingAct, Change] = {
            "move": Change((label,), PLACES),
            "label": Change(add=(label,)),
            "unlabel": Change(remove=(label,)),
        }
        if filing.act not in changes:
            raise NotDoneError(f"Gmail has no mark for {filing.act!r}")
        return changes[filing.act]


def _undo(filing: Filing, change: Change, before: Collection[str], names: LabelNames) -> Filing | None:
    """Return what takes an act back. What moved a mail is undone by moving it to where it was.

    A label of the user's that it was moved to goes again, unless the mail had it before.
    """
    if filing.act in INVERSE:
        return Filing(INVERSE[filing.act], filing.folder)
    if filing.leaving and names.ident(filing.leaving) in before:
        return Filing("move", filing.leaving)
    place = next((each for each in PLACES if each in before), "")
    put_on = next((names.own[each] for each in change.add if each in names.own and each not in before), "")
    return Filing("move", place or ARCHIVE, leaving=put_on)
