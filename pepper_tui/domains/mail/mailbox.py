"""Read access to the mail that the feed has taken in, from the store: search, read, thread.

A Message-ID belongs to the mail that first came with it. A mail with another sender's id is known by its own id alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pepper_tui.domains.mail.at_source.state import states_of
from pepper_tui.domains.mail.content.message_ids import first_with, owner_of_id, without_id
from pepper_tui.domains.mail.facts.signs import Signs
from pepper_tui.domains.mail.intake.raw_mail import RAW
from pepper_tui.domains.mail.intake.signals import SIGNAL_ID
from pepper_tui.domains.mail.search.everywhere import Mails
from pepper_tui.domains.mail.search.local import LocalSearch
from pepper_tui.domains.mail.search.matching import when
from pepper_tui.domains.mail.search.query import MailQuery
from pepper_tui.domains.mail.search.query_text import parse
from pepper_tui.model import ContextFilter, Json
from pepper_tui.store import Store

THREAD_LIMIT: Final = 200
EVERY_MAIL: Final = MailQuery()
_REPLY_MARKS: Final = ("re", "aw", "fw", "fwd", "wg", "sv", "antw", "tr", "r")


class Mailbox:
    """Mail in the store. A mail is its ``raw.mail`` data (see ``mime.Mail``, with id, path, label, thread).

    Where it is known, ``state`` says how the mail stands: read, answered, in which folder.
    """

    def __init__(self, store: Store, signs: Signs | None = None, local: LocalSearch | None = None) -> None:
        """Create it. ``signs``: what makes a sender doubtful, for a mail that is read."""
        self._store, self._signs = store, signs
        self._local = local or LocalSearch(store)

    async def search(self, query: MailQuery | str = EVERY_MAIL, limit: int = 10) -> Mails:
        """Return the mails that match ``query``, best first; without words, the newest first.

        Mails that only have some of the words, or mean the same, come after them. Each mail has a ``found`` that says
        how it was found. The query's dates must be resolved.
        """
        found = await self._local.find(parse(query) if isinstance(query, str) else query, limit)
        told = [*((each, "text") for each in found.mails), *found.near]
        known = await self._known_by([each.data for each, _ in told])
        mails = [{**mail, "found": how} for mail, (_, how) in zip(known, told, strict=True)]
        return Mails(mails, found.left_out, found.total)

    async def read(self, mail: str) -> Json | None:
        """Return the mail with this id, that of its signal, or this Message-ID; or ``None``."""
        context = await self._store.get(mail.removeprefix(SIGNAL_ID), namespace=RAW)
        if context is None:
            context = await first_with(self._store, mail if mail.startswith("<") else f"<{mail}>")
        if context is None:
            return None
        [known] = await self._known_by([context.data])
        if self._signs is None:
            return known
        await self._signs.learn(self._store)
        signs = await self._signs.of(self._store, context.data)
        return {**known, "signs": [*signs.values()]} if signs else known

    async def thread(self, of: str, limit: int = THREAD_LIMIT) -> list[Json]:
        """Return a conversation's mails, oldest first: ``of`` is a mail's id, a Message-ID, or words of the subject."""
        first = await self.read(of)
        root = first["thread"] if first else of
        found = {mail["id"]: mail for mail in await self._rooted(root)}
        if first:
            found[first["id"]] = first
            for reference in [first["in_reply_to"], *first["references"]][:20]:
                # a mail in the middle may have lost the root: search for its ancestors as well
                if reference and (mail := await self.read(reference)):
                    found[mail["id"]] = mail
                    found.update({one["id"]: one for one in await self._rooted(mail["thread"])})
        if not found:
            wanted = plain_subject(of)
            hits = await self._store.search(of, ContextFilter(namespaces=[RAW]), limit=50)
            found = {
                hit.context.context_id: hit.context.data
                for hit in hits
                if wanted and wanted in plain_subject(hit.context.data["subject"])
            }
        mails = Mails(await self._known_by(sorted(found.values(), key=when)[-limit:]))
        if len(found) >= limit:
            mails.notes.append(f"only the newest {limit} were looked at")
        return mails

    async def _rooted(self, root: str) -> list[Json]:
        filter_ = ContextFilter(namespaces=[RAW], tags=[f"thread:{root}"], limit=THREAD_LIMIT)
        return [context.data for context in await self._store.query(filter_)]

    async def _known_by(self, mails: Sequence[Json]) -> list[Json]:
        """Return ``mails`` with their ``state`` in words, each without its Message-ID if that is another sender's."""
        states = await states_of(self._store, [mail["id"] for mail in mails])
        known = []
        for mail in mails:
            told = {**mail, "state": states[mail["id"]].words} if mail["id"] in states else mail
            owner = await owner_of_id(self._store, mail)
            known.append(without_id(told, owner) if owner else told)
        return known


def plain_subject(subject: str) -> str:
    """Return ``subject`` in lower case without the marks of replies."""
    plain = " ".join(subject.casefold().split())
    while ":" in plain and plain.split(":", 1)[0].strip() in _REPLY_MARKS:
        plain = plain.split(":", 1)[1].strip()
    return plain
