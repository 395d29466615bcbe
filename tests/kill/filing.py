"""Mails filed in an attack, by the user's keys and by the user's other program, and where they may lie in the end.

Where a mail lies is where the last act put it that is known to be done; an act whose outcome is not known may have
been done or not. What the other program moved or removed may lie wherever an act has put it, but not twice.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pepper_tui.domains.notices.told import UNPAIRED
from pepper_tui.model import FROM_MODEL, Json
from tests.kill.calendars.calendars import TOOLS as CALENDAR_TOOLS
from tests.kill.mailbox import DEEDS, LISTS, Deed

if TYPE_CHECKING:
    from tests.kill.attack import Attack, Life

SETTLES: Final = 0.3  # seconds between two looks at a server
ACTS: Final = ("archive", "archive", "trash", "junk", "flag", "flag", "unflag", "read", "unread")
MOVES: Final = frozenset({"archive", "trash", "junk", "move"})
MARKS: Final = {"flag": ("flagged", True), "unflag": ("flagged", False), "read": ("seen", True),
                "unread": ("seen", False), "label": ("labelled", True), "unlabel": ("labelled", False)}  # fmt: skip
OWN_MARKS: Final = ("flagged", "labelled")  # those that nobody but the user's keys sets here
CALL: Final = "file_mail"
ENDS: Final = frozenset({"deleted", "moved", "answered"})
SIGNAL: Final = "signals.mail:signal_"
REACTION: Final = 600.0  # seconds after a signal in which a model's card that names it ends with its mail
LOOKS: Final = 3.0  # seconds that a look at an unknown outcome may take


@dataclass
class Filing:
    """What is done with mails. ``deeds``: what the other program did, by Message-ID."""

    attack: Attack
    deeds: dict[str, list[Deed]] = field(default_factory=lambda: defaultdict(list))
    renumbered: int = 0
    _looked: dict[str, float] = field(default_factory=dict)

    def by_key(self, life: Life) -> None:
        """File one to three mails by a key, named as the user names them: as mails, or by their cards."""
        chance, refs = self.attack.chance, self._refs()
        if not refs:
            return
        act = chance.choice((*ACTS, *self.attack.mailbox.own_acts))
        named = chance.sample(refs, min(len(refs), chance.choice([1, 1, 2, 3])))
        life.ask("file", named, act, LISTS if act in self.attack.mailbox.own_acts else "")
        if chance.random() < 0.35:
            for turn in chance.choice([["undo"], ["undo"], ["undo", "redo"], ["undo", "redo", "undo"]]):
                life.ask(turn)

    def _refs(self) -> list[str]:
        refs = [f"mail:{ident}" for ident in self._known()]
        for one in self.attack.facts("notification"):
            if "open" in one["_tags"] and str(one["source"]).startswith(SIGNAL):
                refs += [f"notification:{one['id']}"] * 2
        calls = {call["id"]: call["name"] for call in self.attack.facts("tool.call")}
        for card in self.attack.facts("approval"):
            if card["state"] == "pending" and calls.get(card["call"]) == "draft_reply":
                refs.append(f"approval:{card['id']}")
        return refs

    def _known(self) -> dict[str, str]:
        """Message-IDs of the delivered mails whose state Pepper has noted, by its own ids."""
        noted = {state["id"] for state in self.attack.facts("mail.state")}
        mails = {raw["id"]: str(raw["message_id"]) for raw in self.attack.facts("raw.mail") if raw["id"] in noted}
        given = {f"<{tag}@example.com>" for tag in self.attack.given.mails}
        return {ident: message_id for ident, message_id in mails.items() if message_id in given}

    def elsewhere(self) -> None:
        """The user's other program does something to a mail."""
        known = sorted(self._known().values())
        if known:
            message_id, deed = self.attack.chance.choice(known), self.attack.chance.choice(DEEDS)
            if self.attack.mailbox.elsewhere(message_id, deed):
                self.deeds[message_id].append(deed)

    def renumber(self) -> None:
        """Let the server count anew; Pepper stands still meanwhile.

        Not while it files: no server counts anew under an open folder (RFC 3501, 2.3.1.1), but this one can be made to.
        """
        if any(call["name"] == CALL and call["state"] == "attempted" for call in self.attack.facts("tool.call")):
            return
        self.renumbered += self.attack.mailbox.renumber()

    # ------------------------------------------------------------------------------------------ unknown outcomes

    def looks(self, call: Json, life: Life) -> bool:
        """Let Pepper look for the outcome first, at half of the calls; whether that still takes its time."""
        if call["name"] != CALL and call["name"] not in CALENDAR_TOOLS:
            return False
        if call["id"] not in self._looked:
            looks = self.attack.chance.random() < 0.5
            self._looked[call["id"]] = time.monotonic() + LOOKS if looks else 0.0
            if looks:
                life.ask("answer_unknown", call["id"], "check")
        return time.monotonic() < self._looked[call["id"]]

    def answer(self, call: Json) -> str:
        """What a user who looks at the mails would answer: twice, since a server may still be at what it was told."""
        done, before = self._done(call), set[bool]()
        while done != before:
            time.sleep(SETTLES)
            done, before = self._done(call), done
        return "leave" if len(done) > 1 else "happened" if done == {True} else "did_not"

    def _done(self, call: Json) -> set[bool]:
        """Whether the mails of a call are as it wanted them."""
        lying, ids, goal = self.attack.mailbox.lying(), self._ids(), self._goal(call)
        return {any(goal(copy) for copy in lying.get(ids.get(mail, ""), ())) for mail in call["arguments"]["mails"]}

    def _goal(self, call: Json) -> Any:
        act, target = str(call["arguments"]["act"]), self.target(call)
        if act in MOVES:
            return lambda copy: copy.folder == target
        mark, on = MARKS[act]
        return lambda copy: (mark in copy.marks) is on

    def target(self, call: Json) -> str:
        act = str(call["arguments"]["act"])
        return str(call["arguments"]["folder"]) if act == "move" else self.attack.mailbox.folders.get(act, "")

    def _ids(self) -> dict[str, str]:
        return {raw["id"]: str(raw["message_id"]) for raw in self.attack.facts("raw.mail")}

    # --------------------------------------------------------------------------------------------- the state of mails

    def differs(self) -> list[str]:
        """What Pepper still has to see or to tidy up: mails that are not as it believes, and drafts that are left."""
        lying, differing = self.attack.mailbox.lying(), self.attack.mailbox.problems()
        watched = {self.attack.mailbox.folders["inbox"]}
        states = {state["id"]: state for state in self.attack.facts("mail.state")}
        for ident, message_id in self._known().items():
            there = {copy for copy in lying.get(message_id, ()) if copy.folder in watched}
            told = [copy for copy in states[ident]["copies"] if copy["folder"] in watched]
            if {(copy.folder, copy.marks - {"labelled"}) for copy in there} != {
                (copy["folder"], frozenset(copy["marks"])) for copy in told
            }:
                differing.append(f"state of {message_id}: {told}, and there are {there}")
        return differing

    # ----------------------------------------------------------------------------------------------------- the check

    def problems(self) -> list[str]:
        return [*self._places(), *self._cards(), *self.attack.mailbox.problems()]

    def _places(self) -> list[str]:
        problems, lying, ids = [], self.attack.mailbox.lying(), self._ids()
        folders, marks = self._allowed()
        for ident, message_id in self._known().items():
            copies, deeds = lying.get(message_id, []), self.deeds[message_id]
            if len(copies) > 1:
                problems.append(f"twice: {message_id} lies in {[copy.folder for copy in copies]}")
            if not copies and "deleted" not in deeds:
                problems.append(f"lost: {message_id} lies nowhere")
            for copy in copies:
                if copy.folder not in folders[ident] and not {"moved", "deleted"} & set(deeds):
                    problems.append(f"lost: {ids[ident]} lies in {copy.folder}; it was put in {folders[ident]}")
                wrong = [mark for mark in OWN_MARKS if (mark in copy.marks) not in marks[ident, mark]]
                if wrong and "moved" not in deeds:
                    problems.append(f"lost: {message_id} has the marks {set(copy.marks)}, against {wrong}")
        return problems

    def _allowed(self) -> tuple[dict[str, set[str]], dict[tuple[str, str], set[bool]]]:
        """Where each mail may lie, and how it may be marked, as its calls ended."""
        inbox = self.attack.mailbox.folders["inbox"]
        folders: dict[str, set[str]] = defaultdict(lambda: {inbox})
        marks: dict[tuple[str, str], set[bool]] = defaultdict(lambda: {False})
        records = {record["id"]: record["copies"] for record in self.attack.facts("mail.filed")}
        for call in self._attempted():
            stayed = {copy["item"]["id"] for copy in records.get(call["id"], ()) if copy["trouble"]}
            for mail in call["arguments"]["mails"]:
                if call["state"] not in {"succeeded", "unknown"} or mail in stayed:
                    continue
                sure = call["state"] == "succeeded"
                act = str(call["arguments"]["act"])
                if act in MOVES:
                    folders[mail] = {self.target(call)} | (set() if sure else folders[mail])
                else:
                    mark, on = MARKS[act]
                    marks[mail, mark] = {on} | (set() if sure else marks[mail, mark])
        return folders, marks

    def _attempted(self) -> list[Json]:
        """The calls that filed mails, as they are now, in the order of their attempts."""
        order: dict[str, int] = {}
        for ident, seq, data in self.attack.sql(
            "SELECT u.context_id, u.seq, u.data FROM updates u JOIN namespaces n ON n.id = u.ns"
            " WHERE n.name = 'tool.call' ORDER BY u.seq"
        ):
            if data and json.loads(data)["state"] == "attempted":
                order.setdefault(ident, seq)
        calls = [call for call in self.attack.facts("tool.call") if call["name"] == CALL and call["id"] in order]
        return sorted(calls, key=lambda call: order[call["id"]])

    def _cards(self) -> list[str]:
        """Cards of mails that were dealt with elsewhere have ended; those of others did not end for that reason."""
        problems = []
        made = {one["id"]: one["created_at"] for one in self.attack.facts("signals.mail")}
        ours = {mail for call in self._attempted() for mail in call["arguments"]["mails"]}
        answered = {str(c["arguments"].get("message_id")) for c in self.attack.facts("tool.call") if c["started_at"]}
        ids = self._ids()
        ended = {moved["id"]: act["words"] for act in self.attack.facts("undo") for moved in act["moved"]
                 if act["words"].startswith("closed, as")}  # fmt: skip
        for one in self.attack.facts("notification"):
            if one["kind"] in UNPAIRED or not str(one["source"]).startswith(SIGNAL):
                continue
            mail = str(one["source"]).removeprefix(SIGNAL)
            signal = f"signal_{mail}"
            deeds, why = self.deeds[ids.get(mail, "")], ended.get(one["id"], "")
            late = one["origin"] == FROM_MODEL and one["created_at"] - made.get(signal, 0.0) >= REACTION
            if "open" in one["_tags"] and ENDS & set(deeds) and not late and not self._was_closed(one["id"]):
                problems.append(f"lost: {one['title']!r} is open, and its mail was {deeds} elsewhere")
            replied = bool({mail, signal, ids.get(mail, "?")} & answered)
            untouched = not (deeds or mail in ours or replied or self.renumbered)
            if untouched and why:
                problems.append(f"lost: {one['title']!r} was {why!r}; nobody did that")
        return problems

    def _was_closed(self, ident: str) -> bool:
        """Whether the card was closed before, and the user took that back."""
        rows = self.attack.sql(
            "SELECT u.tags FROM updates u JOIN namespaces n ON n.id = u.ns"
            f" WHERE n.name = 'notification' AND u.context_id = '{ident}'"
        )
        return any("open" not in json.loads(tags or "[]") for (tags,) in rows)
