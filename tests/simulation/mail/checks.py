"""What must hold of the mail of an account, at the drain: on the committed log, and on what lies at the server.

Each mail that is to be there is in the store once, and its state there is what it is at the server. What was filed lies
where its calls say, once. What was sent lies among the sent mail once, and no draft is left. A mail that was dealt with
elsewhere has no open card, and a card ends for a reason that is true. The account's health is what it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from pepper_tui.domains.mail.at_source.elsewhere import REACTION
from pepper_tui.domains.mail.at_source.filing import MARKED, MOVES
from pepper_tui.domains.mail.at_source.own_filing import BY_KEY
from pepper_tui.domains.mail.at_source.state import STATES
from pepper_tui.domains.notices.told import UNPAIRED
from pepper_tui.model import FROM_MODEL, Namespace
from tests.simulation.mail.account import ADDRESS, IDENT, Account, Lying
from tests.simulation.mail.world import MailWorld

if TYPE_CHECKING:
    from tests.simulation.invariants import Row, Watch

FILE: Final = "file_mail"
FEED: Final = f"feed.{IDENT}"
COPIES: Final = "mail.copy"
SIGNALS: Final = f"{Namespace.SIGNALS}.mail:signal_"
ENDS: Final = frozenset({"moved", "deleted", "answered"})
FREED: Final = frozenset({"moved", "deleted"})
"""Deeds of others after which a mail may lie anywhere."""
COMPARED: Final = frozenset({"seen", "flagged", "answered", "deleted"})
CHECKED: Final = {**MARKED, "label": ("labelled", True), "unlabel": ("labelled", False)}
DEALT_WITH: Final = (
    "you answered it",
    "you read it",
    "you marked it as junk",
    "filed",
    "it was deleted",
)
"""How the reasons begin for which a card ends by itself, as its mail was dealt with at its source."""


class MailChecks:
    """The checks on an account's mail. ``named``: the mails that the user's key was on."""

    def __init__(self, watch: Watch, world: MailWorld) -> None:
        self._watch, self._world = watch, world
        self.named: set[str] = set()
        world.wrong, world.health, world.carded = watch.wrong, self._health, self._carded

    @property
    def _account(self) -> Account | None:
        return self._world.account

    def _of(self, namespace: str) -> list[Row]:
        return [row for (space, _), row in self._watch.rows.items() if space == namespace and not row.deleted]

    def _health(self) -> str:
        row = self._watch.rows.get((Namespace.HEALTH, FEED))
        return str(row.data["state"]) if row is not None else "ok"

    def _carded(self) -> set[str]:
        mails = {str(row.data["source"]).removeprefix(SIGNALS) for row in self._of(Namespace.NOTIFICATION)
                 if "open" in row.tags}  # fmt: skip
        return {row.data["message_id"] for row in self._of("raw.mail") if row.id in mails}

    # ------------------------------------------------------------------------------------------- after each commit

    def is_key(self, card: Row) -> bool:
        """Whether a card is the yes of the user's own key, on mails that it was on."""
        call = self._watch.rows.get((Namespace.TOOL_CALL, card.data["call"]))
        mails = {each["id"] for each in card.data["effect"]["payload"].get("mails", ())}
        return call is not None and call.data["origin"] == BY_KEY and mails <= self.named

    @staticmethod
    def goes_with(fresh: Iterable[Row]) -> bool:
        """Whether a filing was turned in this commit: by calls of its own, or by taking its yes back."""
        return any(row.namespace in (Namespace.FILED, Namespace.APPROVAL, Namespace.TOOL_CALL) for row in fresh)

    def is_traced(self, call: Row) -> bool:
        """Whether Pepper looks by itself for what became of a call; whether it tells the truth is seen at the end."""
        card = self._watch.rows.get((Namespace.APPROVAL, call.data["approval"]))
        return (
            card is not None
            and self._account is not None
            and self._account.copies() is None
            and (str(card.data["effect"]["account"]).startswith(ADDRESS))
        )

    def may_end(self, notice: Row, why: str) -> bool:
        """Whether a card may have ended by itself for this reason: its mail was dealt with at its source."""
        if self._account is None or not why.startswith(DEALT_WITH):
            return False
        ident = str(notice.data["source"]).removeprefix(SIGNALS)
        mail = self._watch.rows.get(("raw.mail", ident))
        if mail is None:
            return False
        touched = self._world.deeds[mail.data["message_id"]] or ident in self._filed()
        return bool(touched) or self._replied_to(mail) or bool(self._world.renumbered)

    def _filed(self) -> set[str]:
        return {mail for call in self._of(Namespace.TOOL_CALL) if call.data["name"] == FILE
                for mail in call.data["arguments"].get("mails", ())} | self.named  # fmt: skip

    def _replied_to(self, mail: Row) -> bool:
        names = {mail.id, f"signal_{mail.id}", mail.data["message_id"]}
        return any(str(call.data["arguments"].get("message_id")) in names for call in self._of(Namespace.TOOL_CALL))

    # ------------------------------------------------------------------------------------------- before the drain

    def unfinished(self) -> list[str]:
        """What is still to be seen or done at the server."""
        if self._account is None:
            return []
        return [*self._not_taken(), *self._differing(), *self._account.problems(), *self._copies_due(), *self._ill()]

    def _ill(self) -> list[str]:
        row = self._watch.rows.get((Namespace.HEALTH, FEED))
        if row is not None and row.data["state"] == "ok":
            return []
        return [f"the health of the account is {row.data['state'] if row else 'not told'}: {row.data if row else ''}"]

    def _not_taken(self) -> list[str]:
        assert self._account is not None
        found = []
        taken: dict[str, int] = defaultdict(int)
        for row in self._of("raw.mail"):
            taken[row.data["message_id"]] += 1
        for message_id, copies in self._account.lying().items():
            if any(each.folder == self._account.folders["inbox"] for each in copies) and not taken[message_id]:
                found.append(f"mail {message_id} at {copies} was not taken in")
            if taken[message_id] > 1:
                self._watch.wrong(f"the mail {message_id} was taken in {taken[message_id]} times")
        return found

    def _differing(self) -> list[str]:
        """Where the store says otherwise of mails in the watched folders than the server."""
        assert self._account is not None
        there = {self._told(each) for copies in self._account.lying().values() for each in copies}
        # a server without UIDPLUS keeps the old copy of what was moved, marked so
        there = {each for each in there if each[1] in self._account.watched and "deleted" not in each[2]}
        known = {
            (copy["place"], self._folder(copy["folder"]), frozenset(copy["marks"]) & COMPARED)
            for state in self._of(STATES)
            for copy in state.data["copies"]
            if copy["account"] == IDENT
            and self._folder(copy["folder"]) in self._account.watched
            and "deleted" not in copy["marks"]
        }
        return [f"state of {place}: {told}" for place, *told in sorted(there ^ known, key=str)]

    @staticmethod
    def _told(copy: Lying) -> tuple[str, str, frozenset[str]]:
        return copy.place, copy.folder, copy.marks & COMPARED

    @staticmethod
    def _folder(name: str) -> str:
        return name if name.upper() != "INBOX" else "INBOX"

    def _copies_due(self) -> list[str]:
        return [f"the copy of {row.id} is due" for row in self._of(COPIES) if row.data["state"] == "due"]

    # ------------------------------------------------------------------------------------------- at the drain

    def at_drain(self) -> None:
        if self._account is None:
            return
        for words in [*self._places(), *self._open_cards(), *self._sent(), *self._untold()]:
            self._watch.wrong(words)

    def _calls(self) -> list[Row]:
        """The calls that filed mails, as they are now, in the order of their attempts."""
        order: dict[str, int] = {}
        for seq, row in sorted(self._watch.by_seq.items()):
            if row.namespace == Namespace.TOOL_CALL and row.data["name"] == FILE and row.data["state"] == "attempted":
                order.setdefault(row.id, seq)
        return sorted((self._watch.rows[Namespace.TOOL_CALL, each] for each in order), key=lambda call: order[call.id])

    def _places(self) -> list[str]:
        assert self._account is not None
        found, lying, deeds = [], self._account.lying(), self._world.deeds
        folders, marks, unsure = self._allowed()
        for mail in self._of("raw.mail"):
            message_id = mail.data["message_id"]
            if message_id not in lying:
                continue
            copies = [each for each in lying[message_id] if "deleted" not in each.marks]
            freed = bool(FREED & set(deeds[message_id]))
            if len(copies) != 1 and mail.id not in unsure and not freed:
                found.append(f"{message_id} lies in {copies}")
            for copy in copies if not freed else ():
                if copy.folder not in folders[mail.id]:
                    found.append(f"{message_id} lies in {copy.folder}; it was put in {folders[mail.id]}")
                for mark in ("seen", "flagged", "labelled"):
                    loose = mark == "seen" and "read" in deeds[message_id]
                    if (mark in copy.marks) not in marks[mail.id, mark] and not loose:
                        found.append(f"{message_id} is marked {set(copy.marks)}, against {mark}")
        return found

    def _allowed(self) -> tuple[dict[str, set[str]], dict[tuple[str, str], set[bool]], set[str]]:
        """Where each mail may lie and how it may be marked, as its calls ended, and the mails of which that is not
        known for sure."""
        assert self._account is not None
        inbox = self._account.folders["inbox"]
        folders: dict[str, set[str]] = defaultdict(lambda: {inbox})
        marks: dict[tuple[str, str], set[bool]] = defaultdict(lambda: {False})
        unsure: set[str] = set()
        records = {row.id: row.data["copies"] for row in self._of(Namespace.FILED)}
        for call in self._calls():
            stayed = {copy["item"]["id"] for copy in records.get(call.id, ()) if copy["trouble"]}
            sure = call.data["state"] == "succeeded" and not self._watch.answers[call.id]
            if not sure and call.data["state"] not in ("succeeded", "unknown") and not self._watch.answers[call.id]:
                continue
            for mail in self._mails_of(call):
                if mail in stayed:
                    continue
                unsure |= set() if sure else {mail}
                act = str(call.data["arguments"]["act"])
                if act in MOVES:
                    target = str(call.data["arguments"]["folder"]) if act == "move" else self._account.folders[act]
                    # a move that was cut off may have left a copy where it went, which no later act is about
                    folders[mail] = {target} | (folders[mail] if mail in unsure else set())
                elif act in CHECKED:
                    mark, on = CHECKED[act]  # type: ignore[index]
                    marks[mail, mark] = {on} | (marks[mail, mark] if mail in unsure else set())
        return folders, marks, unsure

    def _mails_of(self, call: Row) -> list[str]:
        """The mails of a call, by the id of each in the store: a model may name them otherwise."""
        card = self._watch.rows.get((Namespace.APPROVAL, call.data["approval"]))
        return [each["id"] for each in card.data["effect"]["payload"]["mails"]] if card is not None else []

    def _open_cards(self) -> Iterable[str]:
        """A mail that was dealt with elsewhere is on no open card, unless a model names it late or the user took that
        back."""
        made, moved = {row.id: row.at for row in self._of("signals.mail")}, self._moved()
        for card in self._of(Namespace.NOTIFICATION):
            source = str(card.data["source"])
            if card.data["kind"] in UNPAIRED or not source.startswith(SIGNALS) or "open" not in card.tags:
                continue
            mail = self._watch.rows.get(("raw.mail", source.removeprefix(SIGNALS)))
            deeds: Collection[str] = self._world.deeds[mail.data["message_id"]] if mail is not None else ()
            by_model = card.data["origin"] == FROM_MODEL
            late = by_model and card.data["created_at"] - made.get(f"signal_{mail.id}" if mail else "", 0.0) >= REACTION
            if ENDS & set(deeds) and not late and card.id not in self._closed_once():
                yield f"the card {card.id} is open, and its mail was {deeds} elsewhere"
            elif mail is not None and mail.id in moved and not late and card.id not in self._closed_once():
                yield f"the card {card.id} is open, and its mail was filed by {moved[mail.id]}"

    def _moved(self) -> dict[str, str]:
        """The calls that are known to have moved a mail out of the inbox for good, by mail."""
        assert self._account is not None
        found: dict[str, str] = {}
        records = {row.id: row.data["copies"] for row in self._of(Namespace.FILED)}
        for call in self._calls():
            stayed = {copy["item"]["id"] for copy in records.get(call.id, ()) if copy["trouble"]}
            arguments = call.data["arguments"]
            for mail in set(self._mails_of(call)) - stayed if arguments["act"] in MOVES else ():
                found.pop(mail, None)
                if call.data["state"] == "succeeded" and arguments["folder"] != self._account.folders["inbox"]:
                    found[mail] = call.id
        return found

    def _closed_once(self) -> set[str]:
        return {
            row.id
            for row in self._watch.by_seq.values()
            if row.namespace == Namespace.NOTIFICATION and "open" not in row.tags
        }

    def _sent(self) -> Iterable[str]:
        """One copy of each mail that was sent from the account, if it is put there by Pepper."""
        assert self._account is not None
        copies = self._account.copies()
        if copies is None:
            return
        for message_id, count in copies.items():
            if count > 1:
                yield f"{count} copies of {message_id} lie among the sent mail"
        for call in self._of(Namespace.TOOL_CALL):
            card: Any = self._watch.rows.get((Namespace.APPROVAL, call.data["approval"]))
            if (
                card is None
                or call.data["effect"] != "send"
                or not str(card.data["effect"]["account"]).startswith(ADDRESS)
            ):
                continue
            ident = next((line.partition(": ")[2] for line in card.data["effect"]["payload"]["message"].splitlines()
                          if line.startswith("Message-ID: ")), "")  # fmt: skip
            if call.data["state"] == "succeeded" and not self._watch.answers[call.id] and not copies.get(ident):
                yield f"{call.id} has sent {ident}, and no copy lies among the sent mail"

    def _untold(self) -> Iterable[str]:
        """Where Pepper can tell by itself whether a mail has gone, it is not left to the user."""
        for call in self._of(Namespace.TOOL_CALL):
            waits = call.data["state"] == "unknown" and not call.data["acknowledged"]
            if waits and call.data["effect"] == "send" and self.is_traced(call) and not self._watch.answers[call.id]:
                yield f"what became of {call.id} is left to the user"
