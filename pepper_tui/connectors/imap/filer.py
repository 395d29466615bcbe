"""Filing the mails of an account: a short link of its own for each act, one act at a time.

A place is ``imap:<account>/<folder>/<validity>.<uid>``, as in ``raw.mail``. In a folder that counts anew (UIDVALIDITY),
and for a mail that is gone, nothing is guessed. What fails before the first change is known not to be done; what fails
after it may be done, and can be looked up: a mail that is no longer where it was, but has come where it should go.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pepper_tui.clock import Clock, in_thread
from pepper_tui.config import ConfigError
from pepper_tui.connectors.bearer import Credential
from pepper_tui.connectors.imap.connection.changing import LABELS, Changing, Lying
from pepper_tui.connectors.imap.connection.link import Link, linked
from pepper_tui.connectors.imap.connection.session import NoFolderError
from pepper_tui.connectors.imap.connection.trouble import PoorError, ServerError, trouble
from pepper_tui.connectors.imap.marks import FLAGS, folder_for, use_of
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.domains.mail.at_source.filing import ACTS, INVERSE, MARKED, MOVES, TARGETS, Filed, Filing
from pepper_tui.domains.mail.at_source.state import Copy, Mark, Use
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError

GONE: Final = "it is no longer there: it was moved or removed meanwhile"
RENUMBERED: Final = "the server has given its folder new numbers; it can be filed once it was read anew"


@dataclass(frozen=True, slots=True)
class _Place:
    """A place, read."""

    name: str
    folder: str
    validity: int
    uid: int


class ImapFiler:
    """The ``Filer`` of an account. ``password`` reads the secret's current value; it blocks."""

    acts = ACTS

    def __init__(self, ident: str, settings: Imap, password: Callable[[], Credential], clock: Clock) -> None:
        self.account = ident
        self._settings, self._password, self._clock = settings, password, clock
        self._one_at_a_time = asyncio.Lock()

    async def folders(self) -> list[str]:
        async with self._linked() as (link, session):
            return sorted(name for name, _ in await link.do(session.folders_to_move_to))

    async def file(self, filing: Filing, places: Sequence[str]) -> dict[str, Filed]:
        """File the copies at ``places``; see ``Filer``."""
        by_folder, filed = self._read(places)
        if not by_folder:
            return filed
        async with self._linked() as (link, session):
            visit = _Visit(self.account, self._settings, filing, link, session)
            try:
                await visit.prepare()
                for folder, some in by_folder.items():
                    filed |= await visit.file(folder, some)
            except ServerError as error:
                if visit.begun:
                    raise OutcomeUnknownError(f"{error}, after it was asked to do this") from error
                raise
        return filed

    async def is_done(self, filing: Filing, places: Sequence[str]) -> bool | None:
        by_folder, unreadable = self._read(places)
        if unreadable or not by_folder:
            return None
        async with self._linked() as (link, session):
            visit = _Visit(self.account, self._settings, filing, link, session)
            await visit.prepare()
            found = [each for folder, some in by_folder.items() for each in await visit.are_done(folder, some)]
        if all(found):
            return True
        return False if not any(each or each is None for each in found) else None

    @contextlib.asynccontextmanager
    async def _linked(self) -> AsyncIterator[tuple[Link, Changing]]:
        """Open a link. A failure of the server inside means that nothing was done: ``NotDoneError``."""
        async with self._one_at_a_time:
            try:
                password = await in_thread(self._password)
                if not password:
                    raise ConfigError([f"{self._settings.password} has no value"])
                session = Changing(self._settings, password)
                async with linked(self._settings, self.account, password, self._clock, session) as link:
                    yield link, session
            except (ServerError, ConfigError) as error:
                told = trouble(error, self._settings, self.account)
                raise NotDoneError(str(told)) from error

    def _read(self, places: Sequence[str]) -> tuple[dict[str, list[_Place]], dict[str, Filed]]:
        """Return the places by folder, and those that are none of this account's."""
        by_folder: dict[str, list[_Place]] = defaultdict(list)
        others: dict[str, Filed] = {}
        start = f"imap:{self.account}/"
        for name in dict.fromkeys(places):
            folder, _, numbers = name.removeprefix(start).rpartition("/")
            validity, _, uid = numbers.partition(".")
            if name.startswith(start) and folder and validity.isdecimal() and uid.isdecimal():
                by_folder[folder].append(_Place(name, folder, int(validity), int(uid)))
            else:
                others[name] = Filed(name, trouble="it is not at this account")
        return by_folder, others


class _Visit:
    """One act over one link. ``begun``: whether the server was asked to change anything."""

    def __init__(self, account: str, settings: Imap, filing: Filing, link: Link, session: Changing) -> None:
        self._account, self._settings, self._filing = account, settings, filing
        self._link, self._session = link, session
        self._target = ""
        self._uses: dict[str, Use] = {}
        self.begun = False

    async def prepare(self) -> None:
        """Find where mails go. Raises ``NotDoneError`` if there is no such folder, or no such act."""
        filing, settings = self._filing, self._settings
        if filing.act in ("label", "unlabel"):
            if not await self._link.do(self._session.can, LABELS):
                raise NotDoneError(f"the mail server {settings.host} has no labels; move the mail to a folder")
            return
        if filing.act not in MOVES:
            return
        listed = await self._link.do(self._session.folders_to_move_to)
        named: dict[str, Use] = {settings.archive: "archive", settings.trash: "trash", settings.junk: "junk"}
        for name, marks in listed:
            self._uses[name] = named.get(name) or use_of(name, marks)
        if filing.act == "move":
            self._target = filing.folder
            if filing.folder not in self._uses:
                raise NotDoneError(f"the mail server {settings.host} has no folder {one_line(filing.folder, 80)!r}")
            return
        self._target = self._found(TARGETS[filing.act], listed)

    def _found(self, use: Use, listed: Sequence[tuple[str, frozenset[bytes]]]) -> str:
        """Return the folder for ``use``: as set, else as the server marks it, else by its name."""
        key = str(use)
        wanted: str = getattr(self._settings, key)
        if wanted:
            if wanted not in self._uses:
                words = f"the mail server has no folder {one_line(wanted, 80)!r}; fix {key} in account {self._account}"
                raise NotDoneError(words)
            return wanted
        found = folder_for(use, listed, self._uses)
        if not found:
            raise NotDoneError(
                f"the mail server {self._settings.host} has no folder for this; name one in {key} of account"
                f" {self._account}"
            )
        return found

    async def file(self, folder: str, places: Sequence[_Place]) -> dict[str, Filed]:
        """File the copies in one folder."""
        lying, filed = await self._there(folder, places)
        there = [place for place in places if place.uid in lying]
        if not there:
            return filed
        act = self._filing.act
        try:
            if act in MARKED:
                return filed | await self._mark(there, lying)
            if act in ("label", "unlabel"):
                return filed | await self._label(there)
            return filed | await self._move(folder, there, lying)
        except PoorError as error:  # the server refused, and the link still works: see what came of it
            return filed | await self._after_refusal(folder, there, error)

    async def _there(self, folder: str, places: Sequence[_Place]) -> tuple[dict[int, Lying], dict[str, Filed]]:
        """Open a folder; return what lies there, and the troubles of what does not."""
        try:
            validity = await self._link.do(self._session.open_to_change, folder)
        except ServerError as error:
            if isinstance(error.__cause__, NoFolderError):
                return {}, {place.name: Filed(place.name, trouble=GONE) for place in places}
            raise
        known = [place for place in places if place.validity == validity]
        lying = await self._link.do(self._session.lying, [place.uid for place in known])
        lying = {uid: each for uid, each in lying.items() if "deleted" not in each.marks}
        troubles = {place.name: Filed(place.name, trouble=RENUMBERED) for place in places if place.validity != validity}
        troubles |= {place.name: Filed(place.name, trouble=GONE) for place in known if place.uid not in lying}
        return lying, troubles

    async def _mark(self, there: Sequence[_Place], lying: Mapping[int, Lying]) -> dict[str, Filed]:
        mark, on = MARKED[self._filing.act]
        changing = [place for place in there if (mark in lying[place.uid].marks) is not on]
        if changing:
            self.begun = True
            await self._link.do(self._marked, [place.uid for place in changing], mark, on)
        inverse = INVERSE.get(self._filing.act)
        filed: dict[str, Filed] = {}
        for place in there:
            marks = lying[place.uid].marks
            now = marks | {mark} if on else marks - {mark}
            undo = Filing(inverse) if inverse and place in changing else None
            filed[place.name] = Filed(place.name, undo, copy=self._copy(place.name, place.folder, now))
        return filed

    def _marked(self, uids: Sequence[int], mark: Mark, on: bool) -> None:
        self._session.mark(uids, FLAGS[mark], on=on)

    async def _label(self, there: Sequence[_Place]) -> dict[str, Filed]:
        label, on = self._filing.folder, self._filing.act == "label"
        had = await self._link.do(self._session.labels, [place.uid for place in there])
        changing = [place for place in there if (label in had.get(place.uid, set())) is not on]
        if changing:
            self.begun = True
            await self._link.do(self._labelled, [place.uid for place in changing], label, on)
        undo = Filing("unlabel" if on else "label", label)
        return {place.name: Filed(place.name, undo if place in changing else None) for place in there}

    def _labelled(self, uids: Sequence[int], label: str, on: bool) -> None:
        self._session.label(uids, label, on=on)

    async def _move(self, folder: str, there: Sequence[_Place], lying: Mapping[int, Lying]) -> dict[str, Filed]:
        if folder == self._target:
            return {place.name: Filed(place.name) for place in there}
        link, session, uids = self._link, self._session, [place.uid for place in there]
        in_one_step = await link.do(session.can, "MOVE")
        # a try that was cut between the copy and the removal has left a copy there
        copied = {} if in_one_step else await self._copied_before(folder, there, lying)
        self.begun = True
        if in_one_step:
            told = await link.do(session.move, uids, self._target)
        else:
            rest = [uid for uid in uids if uid not in copied]
            told = copied | (await link.do(session.copy, rest, self._target) if rest else {})
            await link.do(session.remove, uids)
        if unknown := [place for place in there if place.uid not in told]:
            with contextlib.suppress(PoorError):
                told |= await self._found_by_id(unknown, lying)
        return {place.name: self._moved(place, lying[place.uid], told.get(place.uid)) for place in there}

    def _moved(self, place: _Place, lying: Lying, now: tuple[int, int] | None) -> Filed:
        undo = Filing("move", place.folder)
        if now is None:
            return Filed("", undo)
        name = f"imap:{self._account}/{self._target}/{now[0]}.{now[1]}"
        return Filed(name, undo, copy=self._copy(name, self._target, lying.marks))

    def _copy(self, name: str, folder: str, marks: frozenset[Mark]) -> Copy | None:
        use = self._uses.get(folder)
        if use is None:
            use = "inbox" if folder.upper() == "INBOX" else None
        return Copy(name, self._account, folder, use, sorted(marks)) if use is not None else None

    async def _copied_before(
        self, folder: str, there: Sequence[_Place], lying: Mapping[int, Lying]
    ) -> dict[int, tuple[int, int]]:
        """Return which mails lie in the target already, byte for byte; a mere id may be anybody's. Open ``folder``."""
        link, session, most = self._link, self._session, self._settings.max_bytes
        found = await self._found_by_id(there, lying)
        copies = {uid: await link.do(session.bodies, [now], most, most) for uid, (_, now) in found.items()}
        await link.do(session.open_to_change, folder)
        same: dict[int, tuple[int, int]] = {}
        for uid, copy in copies.items():
            original = await link.do(session.bodies, [uid], most, most)
            if [(body.source, body.size) for body in copy] == [(body.source, body.size) for body in original]:
                same[uid] = found[uid]
        return same

    async def _found_by_id(self, places: Sequence[_Place], lying: Mapping[int, Lying]) -> dict[int, tuple[int, int]]:
        """Return where in the target mails lie that have the Message-IDs of those at ``places``, if that is clear."""
        ids = {place.uid: lying[place.uid].message_id or self._filing.ids.get(place.name, "") for place in places}
        validity = await self._link.do(self._session.open_to_change, self._target)
        found: dict[int, tuple[int, int]] = {}
        for uid, message_id in ids.items():
            hits = await self._link.do(self._session.find, message_id) if message_id else []
            if hits:
                found[uid] = validity, hits[-1]
        return found

    async def _after_refusal(self, folder: str, there: Sequence[_Place], error: PoorError) -> dict[str, Filed]:
        """Return what became of each after the server refused: some may have been done before it did."""
        why = one_line(str(error), 200)
        if self._filing.act not in MOVES:
            return {place.name: Filed(place.name, trouble=why) for place in there}
        lying, _ = await self._there(folder, there)
        filed = {}
        for place in there:
            stayed = place.uid in lying
            undo = None if stayed else Filing("move", place.folder)
            filed[place.name] = Filed(place.name if stayed else "", undo, why if stayed else "")
        return filed

    async def are_done(self, folder: str, places: Sequence[_Place]) -> list[bool | None]:
        """Check for each copy whether it was done; ``None``: that can't be known."""
        lying, troubles = await self._there(folder, places)
        act = self._filing.act
        if act in MARKED:
            mark, on = MARKED[act]
            return [(mark in lying[place.uid].marks) is on if place.uid in lying else None for place in places]
        if act in ("label", "unlabel"):
            had = await self._link.do(self._session.labels, [*lying])
            on = act == "label"
            return [(self._filing.folder in had.get(p.uid, set())) is on if p.uid in lying else None for p in places]
        if folder == self._target:
            return [place.uid in lying or None for place in places]
        gone = [place for place in places if place.name in troubles and troubles[place.name].trouble == GONE]
        unknown = {place.uid: Lying(frozenset(), "") for place in gone}
        arrived = await self._found_by_id(gone, unknown) if gone else {}
        return [False if place.uid in lying else (place.uid in arrived or None) for place in places]
