"""Finds the facts of mails that came, and raises a quiet card for the weightiest of each.

At most ``CARDS`` of each ``OF`` mails are raised so; the last two of them are kept for what can't wait (failures and
alerts). The rest is held back: its signal says what was found, and is listed. A mail for which a rule of the user's or
a VIP already speaks gets no second card, nor does one that came in read or answered get any. Nothing is found in junk,
trash, drafts, or the user's own mail.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, Protocol

from pepper_tui.config import MailFacts
from pepper_tui.domains.mail.at_source.state import states_of
from pepper_tui.domains.mail.facts.alert import alert
from pepper_tui.domains.mail.facts.authentication import REMEMBERED
from pepper_tui.domains.mail.facts.failure import failure
from pepper_tui.domains.mail.facts.looked import Fact, Found, Looked
from pepper_tui.domains.mail.facts.mention import mention
from pepper_tui.domains.mail.facts.question import question
from pepper_tui.domains.mail.facts.review import review
from pepper_tui.domains.mail.facts.signs import Signs
from pepper_tui.domains.mail.facts.today import today
from pepper_tui.model import BACKLOG, ContextFilter, Facts, Json, Namespace, Priority, Signal, matches_of
from pepper_tui.store import Store

FACTS: Final[Mapping[Fact, Callable[[Looked], Found | None]]] = {
    "failure": failure,
    "alert": alert,
    "question": question,
    "today": today,
    "review": review,
    "mention": mention,
}
CARDS: Final = 5
OF: Final = 100
_FOR_ANY: Final = 3
"""Of ``CARDS``, how many may be used by facts that can wait."""
_PRESSING: Final[frozenset[Fact]] = frozenset({"failure", "alert"})
_HIDDEN: Final = re.compile(
    r"\b(?:junk|spam|trash|bin|drafts?|deleted|bulk|papierkorb|gelöscht\w*|entwürfe|unerwünscht\w*|corbeille"
    r"|indésirables?|pourriels?|brouillons?|papelera|no deseado|borradores|eliminados|cestino|prullenbak)\b",
    re.IGNORECASE,
)
_NOT_LOOKED_AT: Final = frozenset({"junk", "trash", "drafts", "sent"})
RAISED: Final = "fact"
"""Tag of a signal whose fact was raised."""
_RAW: Final = f"{Namespace.RAW}.mail"
_SIGNALS: Final = f"{Namespace.SIGNALS}.mail"


class Made(Protocol):
    """A mail on its way to become a signal."""

    @property
    def raw(self) -> Json: ...
    @property
    def facts(self) -> Facts: ...
    @property
    def signal(self) -> Signal: ...


@dataclass(frozen=True, slots=True)
class Around:
    """What the store knows about the mails of a batch."""

    written: Collection[str]
    sent: Mapping[str, Json]
    away: Collection[str]


@dataclass(slots=True)
class Finder:
    """Looks at the mails of one intake. ``own`` are the user's addresses, ``me`` their name."""

    settings: MailFacts
    own: frozenset[str]
    me: str
    zone: tzinfo
    locale: str
    signs: Signs
    _recent: deque[bool] | None = None  # of the newest mails, whether each was raised

    async def look(self, store: Store, made: Sequence[Made]) -> Callable[[], None]:
        """Return what finds the facts of new mails: call it in a thread."""
        await self._recall(store)
        for one in made:
            self.signs.servers.note(one.raw)
        came = [one for one in made if not one.raw.get("backlog") and one.signal.metadata.get("kind") != "own"]
        wanted = [
            one for one in came if one.facts.sender not in self.own and not self.is_out_of_sight(one.raw["label"])
        ]
        around = await self.around(store, wanted) if wanted else None

        def find() -> None:
            for one in came:
                raised = False
                if around is not None and one.raw["id"] not in around.away and one in wanted:
                    raised = self._tell(one, self.found(one, around))
                self._count(raised)

        return find

    async def add_signs(self, store: Store, signal: Signal, raw: Json) -> None:
        """Note on a mail's signal what makes its sender doubtful."""
        found = await self.signs.of(store, raw)
        if not found:
            return
        signal.metadata["signs"] = list(found.values())
        before, mark, careful = signal.reason.partition("; careful: ")
        doubtful = [words for sign, words in found.items() if sign != "first"]
        # other cards call such a sender unknown anyway
        first = f"; {found['first']}" if "first" in found and signal.metadata.get("kind") == "fact" else ""
        said = "; ".join([*([careful] if mark else []), *doubtful])
        signal.reason = f"{before}{first}" + (f"; careful: {said}" if said else "")

    def forget(self) -> None:
        """Take the count of cards from the store again: what was counted since may not have been committed."""
        self._recent = None

    @staticmethod
    def is_out_of_sight(label: str) -> bool:
        """Check whether a folder, by its name, holds what nobody wants to see."""
        return bool(_HIDDEN.search(label))

    def found(self, one: Made, around: Around | None = None, now: float | None = None) -> list[Found]:
        """Return the facts of a mail, the weightiest first."""
        sender = one.facts.sender.lower()
        looked = Looked(
            raw=one.raw,
            facts=one.facts,
            now=one.signal.created_at if now is None else now,
            zone=self.zone,
            own=self.own,
            locale=self.locale,
            me=self.me,
            known=one.facts.known or (around is not None and sender in around.written),
            authentic=self.signs.servers.authentic(one.raw),
            sent=around.sent.get(original_of(one.raw)) if around is not None else None,
        )
        wanted = (find for name, find in FACTS.items() if getattr(self.settings, name))
        return [each for find in wanted if (each := find(looked)) is not None]

    # ------------------------------------------------------------------------------------------------ raising

    def _tell(self, one: Made, found: list[Found]) -> bool:
        """Note the facts on the signal; return whether they raise it."""
        if not found:
            return False
        first, signal = found[0], one.signal
        signal.metadata |= {"fact": first.fact, "facts": [each.fact for each in found], "said": first.said}
        if first.line:
            signal.metadata["line"] = first.line
        if first.thread:
            signal.metadata["thread"], signal.matter = first.thread, f"mail:{first.thread}"
        if one.facts.silent:
            return False
        careful = signal.reason.partition("; careful: ")[2]
        spoken_for = signal.metadata.get("kind") == "vip" or any(each.acts for each in matches_of(signal.metadata))
        if spoken_for:
            signal.reason = f"{signal.reason}; {first.reason}"
            return False
        used = sum(self._recent or ())
        raised = used < (CARDS if first.fact in _PRESSING else _FOR_ANY)
        reason = first.reason
        if raised:
            signal.metadata["kind"] = "fact"
            signal.priority = Priority.NORMAL if signal.priority in (Priority.LOW, Priority.LOG) else signal.priority
        else:
            reason = f"held back, as {used} cards were shown for the last {OF} mails: {reason}"
        signal.reason = f"{reason}; careful: {careful}" if careful else reason
        return raised

    def _count(self, raised: bool) -> None:
        if self._recent is not None:
            self._recent.append(raised)

    async def _recall(self, store: Store) -> None:
        """Load what was raised lately, and which servers have checked mail, at the first look."""
        if self._recent is not None:
            return
        newest = await store.query(ContextFilter(namespaces=[_SIGNALS], limit=3 * OF, include_expired=True))
        counted = [each for each in newest if each.data["reason"] != BACKLOG and _came(each.data)][: OF - 1]
        self._recent = deque((RAISED in each.tags for each in reversed(counted)), maxlen=OF - 1)
        for mail in reversed(await store.query(ContextFilter(namespaces=[_RAW], limit=REMEMBERED))):
            self.signs.servers.note(mail.data)

    # ------------------------------------------------------------------------------------------------ the store

    async def around(self, store: Store, made: Sequence[Made]) -> Around:
        senders = sorted({one.facts.sender.lower() for one in made} - {""})
        written = (
            await store.query(ContextFilter(namespaces=[Namespace.WRITTEN], context_ids=senders, limit=None))
            if senders
            else []
        )
        originals = sorted({original_of(one.raw) for one in made} - {""})
        sent = {each: mail for each in originals if (mail := await self._own_mail(store, each)) is not None}
        states = await states_of(store, [one.raw["id"] for one in made])
        away = {
            ident
            for ident, state in states.items()
            if state.copies and all(copy.use in _NOT_LOOKED_AT for copy in state.copies)
        }
        return Around({each.context_id for each in written}, sent, away)

    async def _own_mail(self, store: Store, message_id: str) -> Json | None:
        """Return the user's own mail with that Message-ID: Pepper's, or a copy in a folder of sent mail."""
        found = await store.query(ContextFilter(namespaces=[_RAW], tags=[f"message:{message_id}"], limit=5))
        own = [mail.data for mail in found if mail.data["sender"]["address"] in self.own]
        if own:
            return {"subject": own[0]["subject"], "thread": own[0]["thread"], "id": message_id}
        sent = await store.get(message_id, namespace=Namespace.SENT)
        return {"subject": "", "thread": message_id, "id": message_id} if sent is not None else None


def original_of(raw: Json) -> str:
    """Return the Message-ID of the mail that a delivery report is about; empty for any other mail."""
    report = raw.get("report") or {}
    return str(report.get("original") or raw["in_reply_to"] or next(iter(raw["references"]), "")) if report else ""


async def note_written(store: Store, own: Sequence[Made]) -> None:
    """Note, in the caller's unit, to whom the user's own mails went."""
    people = {str(each["address"]): one for one in own for each in _recipients(one) if each["address"]}
    if not people:
        return
    known = await store.query(ContextFilter(namespaces=[Namespace.WRITTEN], context_ids=sorted(people), limit=None))
    for address in sorted(people.keys() - {each.context_id for each in known}):
        names = (str(each["name"]) for each in _recipients(people[address]) if each["address"] == address)
        noted = {"id": address, "name": next(names, ""), "mail": people[address].raw["id"]}
        await store.store(noted, namespace=Namespace.WRITTEN, context_id=address)


def _recipients(one: Made) -> list[Json]:
    return [*one.raw["to"], *one.raw["cc"]]


def _came(signal: Json) -> bool:
    return (signal.get("metadata") or {}).get("kind") != "own"
