"""Searching at an account's server, on a connection of its own: all folders, the ones that are read first.

Bounds: ``LONGEST`` seconds, ``MOST`` mails looked at, ``PART`` bytes of each. What was met is part of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pepper_tui.clock import Clock, in_thread
from pepper_tui.connectors.bearer import Credential
from pepper_tui.connectors.imap.connection.link import Link, linked
from pepper_tui.connectors.imap.connection.session import Body, Session
from pepper_tui.connectors.imap.connection.trouble import LostError, PoorError, trouble
from pepper_tui.connectors.imap.connection.wire import LONGEST_LINE
from pepper_tui.connectors.imap.criteria import charset, criteria, without_texts
from pepper_tui.connectors.imap.intake.cursor import CURSORS, Cursor
from pepper_tui.connectors.imap.marks import ALL, use_of
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.domains.bounded import parse_mails
from pepper_tui.domains.mail.at_source.state import Copy, MailState, Use
from pepper_tui.domains.mail.search.matching import ANYWHERE, USES, is_folder, matches
from pepper_tui.domains.mail.search.query import MailQuery, Term
from pepper_tui.domains.mail.search.searcher import ServerFound, ends_within
from pepper_tui.model import Json
from pepper_tui.store import Store
from pepper_tui.text import one_line

LONGEST: Final = 10.0
MOST: Final = 200
PART: Final = 100_000
_AT_ONCE: Final = 25
_NAMED: Final = 8


class _Searching(Session):
    """A session that searches the open folder. It blocks, like all of it."""

    def search(self, criteria: Sequence[Any], charset: str | None) -> list[int]:
        """Return the UIDs of the mails that fit the ``criteria``, newest first."""
        found = self._with(LONGEST_LINE).search([*criteria] or ["ALL"], charset)
        return sorted(map(int, found), reverse=True)


@dataclass(slots=True)
class _Progress:
    """How far a search is: what it found, the folders that are left, and the mails that may still be looked at."""

    found: ServerFound = field(default_factory=ServerFound)
    folders: list[tuple[str, Use]] = field(default_factory=list)
    begun: bool = False
    room: int = 0


class ImapSearcher:
    """The ``MailSearcher`` of an account. ``password`` reads the secret's current value; it blocks."""

    def __init__(self, ident: str, settings: Imap, password: Callable[[], Credential], clock: Clock) -> None:
        self.account = ident
        self._settings, self._password, self._clock = settings, password, clock

    async def lacks(self, query: MailQuery, store: Store) -> str:
        """See ``MailSearcher.lacks``."""
        reading: list[str] = []
        for folder in self._settings.folders:
            cursor = Cursor.one(await store.get(f"{self.account}/{folder}", namespace=CURSORS))
            if (cursor is None or cursor.low > 1) and self._asked(query, folder, use_of(folder, ())) is not None:
                reading.append(folder)
        if reading:
            return f"{_listed(reading)} is not all taken in yet"
        named = [each for each in query.required if isinstance(each, Term) and each.key == "in"]
        if any(self._placed(each, folder, "") for each in named for folder in self._settings.folders):
            return ""
        return f"of its folders only {_listed(self._settings.folders)} is taken in"

    async def search(self, query: MailQuery, limit: int) -> ServerFound:
        """See ``MailSearcher.search``."""
        progress = _Progress(room=MOST)
        if not await ends_within(self._search(query, limit, progress), self._clock, LONGEST):
            if not progress.begun:
                raise LostError(f"no answer within {LONGEST:g} s", "see its account with pepper doctor")
            left = _listed([folder for folder, _ in progress.folders])
            progress.found.left_out.append(f"its server was too slow; not searched: {left}")
        return progress.found.newest(limit)

    async def _search(self, query: MailQuery, limit: int, progress: _Progress) -> None:
        try:
            password = await in_thread(self._password)
        except Exception as error:
            raise trouble(error, self._settings, self.account) from error
        session = _Searching(self._settings, password)
        async with linked(self._settings, self.account, password, self._clock, session) as link:
            progress.folders = self._chosen(query, await link.do(session.folders))
            while progress.folders:
                progress.begun = True
                folder, use = progress.folders[0]
                try:
                    await self._in_folder(link, session, query, limit, progress, folder, use)
                except PoorError as error:
                    progress.found.left_out.append(f"{one_line(folder, 40)} could not be searched: {error}")
                del progress.folders[0]

    def _chosen(self, query: MailQuery, listed: Sequence[tuple[str, frozenset[bytes]]]) -> list[tuple[str, Use]]:
        """Return the folders to search, with their uses: those that are read come first."""
        flags = dict(listed)
        can = [name for name, marks in listed if not marks & {b"\\noselect", b"\\nonexistent"}]
        if every := [name for name in can if ALL in flags[name]]:  # all others show the same mails again
            can = every + [name for name in can if flags[name] & {b"\\junk", b"\\trash"}]
        can.sort(key=lambda name: (name not in self._settings.folders, name.upper() != "INBOX"))
        used = [(name, use_of(name, flags[name])) for name in can]
        return [(name, use) for name, use in used if self._asked(query, name, use) is not None]

    def _asked(self, query: MailQuery, folder: str, use: Use) -> list[Any] | None:
        return criteria(query, lambda term: self._placed(term, folder, use))

    def _placed(self, term: Term, folder: str, use: Use) -> bool:
        if term.key == "account":
            return term.value.casefold() == self.account.casefold()
        wanted = term.value.casefold()
        return wanted in ANYWHERE or (USES.get(wanted) == use != "") or is_folder(wanted, folder)

    async def _in_folder(
        self, link: Link, session: _Searching, query: MailQuery, limit: int, progress: _Progress, folder: str, use: Use
    ) -> None:
        asked = self._asked(query, folder, use) or []
        opened = await link.do(session.open, folder)
        uids = await link.do(session.search, asked, charset(asked))
        found = looked = 0
        while looked < len(uids) and found < limit:
            chunk = uids[looked : looked + min(_AT_ONCE, progress.room)]
            if not chunk:
                words = f"of {len(uids):,} that may match in {one_line(folder, 40)} only {looked:,} were looked at"
                progress.found.left_out.append(words)
                return
            progress.room -= len(chunk)
            looked += len(chunk)
            bodies = await link.do(session.bodies, chunk, len(chunk) * PART, PART)
            mails = await in_thread(parse_mails, [each.source for each in bodies], PART)
            for body, mail in zip(bodies, mails, strict=True):
                mail.size = body.size
                path = f"imap:{self.account}/{folder}/{opened.validity}.{body.uid}"
                state = MailState(path, [Copy(path, self.account, folder, use, list(body.marks))])
                raw = {**mail.data(), **self._placing(path, folder, body), "thread": mail.thread or path}
                if matches(without_texts(query) if body.size > len(body.source) else query, raw, state):
                    progress.found.mails.append(raw)
                    found += 1

    def _placing(self, path: str, folder: str, body: Body) -> Json:
        return {
            "id": path, "path": path, "account": self.account, "label": folder, "files": [], "backlog": True,
            "arrived": self._clock.now() if body.arrived is None else body.arrived,
        }  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(one_line(each, 40) for each in names[:_NAMED]) + more
