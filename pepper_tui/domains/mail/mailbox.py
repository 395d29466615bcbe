"""Read access to the mail that the feed has taken in, from the store: search, read, thread.

A Message-ID belongs to the mail that first came with it. A mail with another sender's id is known by its own id alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pepper_tui.domains.mail.facts.signs import Signs
from pepper_tui.domains.mail.intake import RAW, SIGNAL_ID
from pepper_tui.domains.mail.message_ids import first_with, owner_of_id, without_id
from pepper_tui.domains.mail.state import states_of
from pepper_tui.model import Context, ContextFilter, Json
from pepper_tui.store import Store
from pepper_tui.text import one_line

THREAD_LIMIT: Final = 200
LOOKED: Final = 5_000
HITS: Final = 500
"""Mails, and search hits, that one search examines at most."""
_FOLDERS_NAMED: Final = 20
_REPLY_MARKS: Final = ("re", "aw", "fw", "fwd", "wg", "sv", "antw", "tr", "r")


class Mails(list[Json]):
    """The result of a search. ``left_out`` says in words why it is incomplete, if it is."""

    left_out: str = ""


class Mailbox:
    """Mail in the store. A mail is its ``raw.mail`` data (see ``mime.Mail``, with id, path, label, thread).

    Where it is known, ``state`` says how the mail stands: read, answered, in which folder.
    """

    def __init__(self, store: Store, signs: Signs | None = None) -> None:
        """Create it. ``signs``: what makes a sender doubtful, for a mail that is read."""
        self._store, self._signs = store, signs

    async def search(
        self,
        words: str = "",
        sender: str = "",
        since: float | None = None,
        limit: int = 10,
        until: float | None = None,
        folder: str = "",
    ) -> list[Json]:
        """Return mails that hold ``words`` or mean them, best first; without words the newest ones.

        ``sender`` is part of a name, or of an address; ``since`` the earliest date in POSIX seconds, ``until`` the
        first that is too late; ``folder`` a name as in the mailbox. Each mail has a ``found`` that says how it was
        found.
        """

        def fits(mail: Json) -> bool:
            return (
                (not wanted or _is_from(mail, wanted))
                and (since is None or _when(mail) >= since)
                and (until is None or _when(mail) < until)
                and (not folder.strip() or _is_in(mail, folder))
            )

        wanted = sender.casefold().strip()
        looked, most = (limit * 5 + 20, HITS) if words.strip() else (limit * 10 + 200, LOOKED)
        while True:
            looked = min(most, looked)
            kept, whole, folders = await self._search(words, fits, looked)
            if whole or len(kept) >= limit or looked == most:
                break
            looked *= 10  # those of one sender may all be older
        mails = Mails([await self._known_by(mail) for mail in kept[:limit]])
        if not whole and len(kept) < limit:
            kind = "best hits" if words.strip() else "newest mails"
            mails.left_out = f"only the {looked:,} {kind} were looked at"
        if folder.strip() and not any(_is_in({"label": each}, folder) for each in folders):
            there = ", ".join(sorted(one_line(each, 40) for each in folders)[:_FOLDERS_NAMED])
            mails.left_out = "; ".join(filter(None, [mails.left_out, f"in no such folder; mail was seen in: {there}"]))
        return mails

    async def _search(self, words: str, fits: Callable[[Json], bool], looked: int) -> tuple[list[Json], bool, set[str]]:
        """Return which of the first ``looked`` mails fit, whether there are no others, and the folders of all."""
        found: list[Context]
        how: dict[str, str] = {}
        if words.strip():
            hits = await self._store.search(words, ContextFilter(namespaces=[RAW]), limit=looked)
            how = {hit.context.context_id: str(hit.found) for hit in hits}
            found = [hit.context for hit in hits]
        else:
            page = await self._store.query(ContextFilter(namespaces=[RAW], limit=looked))
            found = sorted(page, key=lambda context: _when(context.data), reverse=True)
        kept = [
            {**context.data, "found": how.get(context.context_id, "text")} for context in found if fits(context.data)
        ]
        return kept, len(found) < looked, {str(context.data.get("label") or "") for context in found}

    async def read(self, mail: str) -> Json | None:
        """Return the mail with this id, that of its signal, or this Message-ID; or ``None``."""
        context = await self._store.get(mail.removeprefix(SIGNAL_ID), namespace=RAW)
        if context is None:
            context = await first_with(self._store, mail if mail.startswith("<") else f"<{mail}>")
        if context is None:
            return None
        known = await self._known_by(context.data)
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
        mails = Mails([await self._known_by(mail) for mail in sorted(found.values(), key=_when)[-limit:]])
        if len(found) >= limit:
            mails.left_out = f"only the newest {limit} were looked at"
        return mails

    async def _rooted(self, root: str) -> list[Json]:
        filter_ = ContextFilter(namespaces=[RAW], tags=[f"thread:{root}"], limit=THREAD_LIMIT)
        return [context.data for context in await self._store.query(filter_)]

    async def _known_by(self, mail: Json) -> Json:
        """Return ``mail``, without its Message-ID if that is another sender's, and with its ``state`` in words."""
        owner = await owner_of_id(self._store, mail)
        states = await states_of(self._store, [mail["id"]])
        told = {**mail, "state": states[mail["id"]].words} if mail["id"] in states else mail
        return without_id(told, owner) if owner else told


def _is_from(mail: Json, wanted: str) -> bool:
    """Check whether ``wanted`` is part of the sender's address or name; a name never passes for an address."""
    sender = mail["sender"]
    name = "" if "@" in wanted or mail.get("doubts") else str(sender["name"])
    return wanted in f"{name} {sender['address']}".casefold()


def _is_in(mail: Json, folder: str) -> bool:
    """Check whether ``folder`` is the mail's folder, or the last part of its name."""
    label, wanted = str(mail.get("label") or "").casefold(), folder.casefold().strip().strip("/")
    return label == wanted or label.endswith((f"/{wanted}", f".{wanted}"))


def plain_subject(subject: str) -> str:
    """Return ``subject`` in lower case without the marks of replies."""
    plain = " ".join(subject.casefold().split())
    while ":" in plain and plain.split(":", 1)[0].strip() in _REPLY_MARKS:
        plain = plain.split(":", 1)[1].strip()
    return plain


def _when(mail: Json) -> float:
    return float(mail["date"] if mail.get("date") is not None else mail.get("arrived", 0.0))
