"""What is left of calendars and invitations after an attack: what of it can't be?

Each change that the user approved was made once, or is told as not done or not known. Each answer left as one mail.
Each version of an event that Pepper saw has one signal, and what it believes is what lies there.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pepper_tui.model import Json
from tests.kill.calendars.calendars import ADD, ANSWER, CANCEL, TOOLS, Calendars
from tests.kill.calendars.organizer import PREFIX, Reply, replies
from tests.kill.calendars.place import Deed, Place

if TYPE_CHECKING:
    from tests.kill.attack import Attack

DOUBT: Final = "after it was given"
PARTSTAT: Final = {"accept": "accepted", "tentative": "tentative", "decline": "declined"}
NOT_DONE: Final = frozenset({"failed", "cancelled", "waiting_approval", "scheduled"})


class Version(NamedTuple):
    """A version of an event as Pepper saw it."""

    ident: str
    kind: str
    number: int
    data: Json


class Checks:
    def __init__(self, attack: Attack, calendars: Calendars) -> None:
        self._attack, self._calendars = attack, calendars
        self._calls = [call for call in attack.facts("tool.call") if call["name"] in TOOLS]
        self._approved = set(attack.given.approvals)
        self._cards: dict[str, list[Json]] = defaultdict(list)
        for card in attack.facts("approval"):
            self._cards[card["call"]].append(card)

    def problems(self) -> list[str]:
        found = [*self._changes(), *self._file(), *self._replies(), *self._known(), *self._versions(), *self._told()]
        for place in self._calendars.places:
            found += place.problems()
        return [*found, *(f"lost: {each}" for each in self._calendars.differs())]

    # ----------------------------------------------------------------------------- what Pepper did at servers

    def _changes(self) -> list[str]:
        """Each change at a server, by the calls that wanted just that: a call that is asked for again has several."""
        problems = []
        wanted: dict[tuple[str, str, str, float], list[Json]] = defaultdict(list)
        for call in self._calls:
            place = self._calendars.place_of(call) if call["name"] != ANSWER else None
            if place is not None and place.history is not None:
                kind, uid, start = self._deed(call)
                wanted[place.calendar, kind, uid, start].append(call)
        for place in self._calendars.places:
            ours = [each for each in place.history or () if each.ours and not each.uid.startswith(PREFIX)]
            done = Counter(
                (place.calendar, each.kind, each.uid, 0.0 if each.kind == "drop" else each.start) for each in ours
            )
            for key, count in done.items():
                if count > 1:
                    problems.append(f"twice: {key} was done {count} times")
                if not self._said_yes(wanted.get(key, [])):
                    problems.append(f"twice: {key} was done without a yes")
            for meant, calls in wanted.items():
                if meant[0] == place.calendar:
                    problems += self._ends(meant, calls, done[meant], place)
            again = Counter(each.uid for each in place.history or () if each.ours and each.kind == "put")
            gone = Counter(each.uid for each in place.history or () if each.kind == "drop")
            problems += [f"twice: {uid} was added {n} times" for uid, n in again.items() if n > 1 + gone[uid]]
        return problems

    def _deed(self, call: Json) -> tuple[str, str, float]:
        payload = self._calendars.payload(call)
        if call["name"] == ADD:
            return "put", payload["uid"], payload["fields"]["start"]
        return (
            ("drop", payload["uid"], 0.0) if call["name"] == CANCEL else ("move", payload["uid"], payload["after"][1])
        )

    def _said_yes(self, calls: Sequence[Json]) -> bool:
        return any(card["id"] in self._approved for call in calls for card in self._cards[call["id"]])

    def _ends(self, key: tuple[str, str, str, float], calls: Sequence[Json], done: int, place: Place) -> list[str]:
        """What is wrong with how calls that wanted one thing have ended."""
        states = {call["state"] for call in calls}
        doubted = any(DOUBT in str(call.get("error", "")) for call in calls)
        by_another = key[1] == "drop" and any(
            not each.ours and each.kind == "drop" and each.uid == key[2] for each in place.history or ()
        )
        if "succeeded" in states and not done and not by_another:
            return [f"lost: {key} is called succeeded and was not done"]
        if done and states <= NOT_DONE and not doubted:
            return [f"hidden: {key} was done, and is called {states}"]
        return []

    # ----------------------------------------------------------------------------------- what Pepper did in a file

    def _file(self) -> list[str]:
        """What lies in the file is what the calls and the others made of it, in the order in which they did."""
        steps: list[tuple[int, str, set[float | None], bool]] = []
        for uid, deeds in self._calendars.deeds.items():
            steps += [(seq, uid, {None if deed.kind == "drop" else deed.start}, True) for seq, deed in deeds]
        order = self._attempts()
        for call in self._calls:
            if call["id"] in order and self._calendars.place_of(call) is self._calendars.file:
                kind, uid, start = self._deed(call)
                sure = call["state"] == "succeeded"
                if sure or call["state"] in ("unknown", "attempted"):
                    steps.append((order[call["id"]], uid, {None if kind == "drop" else start}, sure))
        could: dict[str, set[float | None]] = defaultdict(lambda: {None})
        for _, uid, now, sure in sorted(steps, key=lambda step: step[0]):
            could[uid] = now if sure else could[uid] | now
        problems = []
        there = self._calendars.file.lying()
        for uid in {*there, *could}:
            begins = there[uid].start if uid in there else None
            if uid.startswith(PREFIX) or self._elsewhere(uid):
                continue
            if begins not in could[uid]:
                problems.append(f"lost: {uid} begins {begins} in the file, and was to begin {could[uid]}")
        return problems

    def _elsewhere(self, uid: str) -> bool:
        """Whether others made an event in another place than the file."""
        return any(uid == each.uid for place in self._calendars.places for each in place.history or ())

    def _attempts(self) -> dict[str, int]:
        """The seq of each call's attempt."""
        rows = self._attack.sql(
            "SELECT u.context_id, u.seq, u.data FROM updates u JOIN namespaces n ON n.id = u.ns"
            " WHERE n.name = 'tool.call' ORDER BY u.seq DESC"
        )
        return {ident: seq for ident, seq, data in rows if data and json.loads(data)["state"] == "attempted"}

    # --------------------------------------------------------------------------------------------------- answers

    def _replies(self) -> list[str]:
        """Each answer left as one mail, after a yes, and says what the card said."""
        problems = []
        sent = replies(self._attack.left())
        by_call: dict[str, list[Reply]] = defaultdict(list)
        noted = {note["id"]: note["call"] for note in self._attack.facts("mail.sent")}
        count = Counter(each.message_id for each in sent)
        problems += [f"twice: the answer {ident} left {n} times" for ident, n in count.items() if n > 1]
        for each in sent:
            by_call[noted.get(each.message_id, "")].append(each)
        problems += [f"twice: {each} left without a call" for each in by_call[""]]
        retried = {card["retry_of"] for cards in self._cards.values() for card in cards if card["retry_of"]}
        for call in self._calls:
            if call["name"] != ANSWER:
                continue
            left = by_call[call["id"]]
            told = self._calendars.payload(call).get("told", {})
            again = any(card["id"] in retried for card in self._cards[call["id"]])
            if call["state"] == "succeeded" and len(left) != 1:
                problems.append(f"lost: the answer of {call['id']} is called sent, and left {len(left)} times")
            if left and call["state"] in NOT_DONE and not again:
                problems.append(f"hidden: the answer of {call['id']} left, and is called {call['state']}")
            if left and not self._said_yes([call]):
                problems.append(f"twice: the answer of {call['id']} left without a yes")
            for each in left:
                wanted = (told["uid"], PARTSTAT[told["answer"]], "COUNTER" if told["proposed"] else "REPLY")
                if (each.uid, each.answer, each.method) != wanted:
                    problems.append(f"lost: the answer of {call['id']} says {each}, and was to say {wanted}")
            if left and told["add"] and not self._was_put(told):
                problems.append(f"lost: {call['id']} has told the organizer, and {told['add']['place']} has nothing")
        return problems

    def _was_put(self, told: Json) -> bool:
        place = self._calendars.place_at(str(told["add"]["place"]))
        if place is None:
            return False
        if place.history is None:
            dropped = any(call["name"] == CANCEL and self._calendars.payload(call).get("uid") == told["uid"]
                          for call in self._calls)  # fmt: skip
            return dropped or told["uid"] in place.lying()
        return any(each.ours and each.kind == "put" and each.uid == told["uid"] for each in place.history)

    def _known(self) -> list[str]:
        """What is known of each invitation is its last edition, and the last answer to that."""
        problems = []
        known = {each["uid"]: each for each in self._attack.facts("calendar.invitation")}
        order = self._attempts()
        for uid, asked in self._calendars.organizer.asked.items():
            one = known.get(uid)
            if one is None:
                problems.append(f"lost: the invitation {uid} is not known")
                continue
            if (one["sequence"], one["cancelled"]) != (asked.sequence, asked.cancelled):
                problems.append(f"lost: {uid} is known as {one['sequence']}, {one['cancelled']}; it is {asked}")
            answers = []
            for call in self._calls:
                told = self._calendars.payload(call).get("told", {}) if call["name"] == ANSWER else {}
                if call["id"] in order and told.get("uid") == uid and told["edition"][0] == asked.sequence:
                    answers.append((order[call["id"]], call["state"], PARTSTAT[told["answer"]]))
            if answers and not asked.cancelled:
                _, state, answer = max(answers)
                if state == "succeeded" and one["answer"] != answer:
                    problems.append(f"lost: {uid} was answered by {answer}, and is known as {one['answer']}")
        return problems

    # --------------------------------------------------------------------------------------------------- signals

    def _seen(self) -> list[Version]:
        rows = self._attack.sql(
            "SELECT u.context_id, u.type, u.version, u.data FROM updates u JOIN namespaces n ON n.id = u.ns"
            " WHERE n.name = 'raw.calendar' ORDER BY u.seq"
        )
        return [Version(ident, kind, number, json.loads(data)) for ident, kind, number, data in rows]

    def _versions(self) -> list[str]:
        """Each version of an event has one signal, and differs from the one before."""
        problems = []
        signals = Counter(each["id"] for each in self._attack.facts("signals.calendar"))
        before: dict[str, Json] = {}
        for each in self._seen():
            named = f"signal_{each.ident}" + ("" if each.kind == "starts_soon" else f"_{each.number}")
            due = 0 if each.kind == "conflict" and each.data["gone"] else 1
            if signals[named] != due:
                problems.append(f"lost: {named} of {each.kind} is there {signals[named]} times, not {due}")
            told = {name: value for name, value in each.data.items() if name not in ("backlog", "first")}
            if before.get(each.ident) == told:
                problems.append(f"twice: {each.ident} is seen again as it was: {told}")
            before[each.ident] = told
        return problems

    def _told(self) -> list[str]:
        """What others did is news; what Pepper did with a yes is none."""
        problems = []
        ours = {str(payload.get("uid") or payload.get("told", {}).get("uid"))
                for payload in map(self._calendars.payload, self._calls)}  # fmt: skip
        loud: dict[str, list[str]] = defaultdict(list)
        for signal in self._attack.facts("signals.calendar"):
            if signal["priority"] != "log" and signal["metadata"]["kind"] != "conflict":
                loud[signal["metadata"].get("uid", "")].append(signal["content"])
        seen = {each.data["uid"] for each in self._seen() if each.kind == "event"}
        for uid, deeds in self._calendars.deeds.items():
            late = [deed for seq, deed in deeds if seq >= self._attack.began_at]
            if late and late[0].kind == "put" and uid in seen and uid not in ours and not loud[uid]:
                problems.append(f"lost: others made {uid}, and nothing was said")
            if uid not in ours:
                problems += self._as_often(uid, late, loud[uid])
        for uid in ours - self._calendars.deeds.keys():
            if not uid.startswith(PREFIX) and loud[uid]:
                problems.append(f"twice: Pepper told what it did itself: {loud[uid]}")
        for uid, asked in self._calendars.organizer.asked.items():
            asking = [line for line in loud[uid] if line.startswith("Invitation: ")]
            if len(asking) > 1 or (not asking and not asked.cancelled):
                problems.append(f"{'twice' if asking else 'lost'}: the invitation {asked.title} was told as {asking}")
        return problems

    @staticmethod
    def _as_often(uid: str, deeds: Sequence[Deed], lines: Sequence[str]) -> list[str]:
        """Others' changes are told once each at most; those between two looks are one."""
        most: dict[str, Any] = Counter(deed.kind for deed in deeds)
        for word, kind in (("New event", "put"), ("Moved", "move"), ("Cancelled", "drop")):
            told = [line for line in lines if line.startswith(f"{word}: ")]
            if len(told) > most[kind] or len(set(told)) < len(told):
                return [f"twice: {uid} was told as {lines}, after {deeds}"]
        return []
