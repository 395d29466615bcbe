"""What happens to calendars in an attack: other programs change them, mails invite, the user answers by a key."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from pepper_tui.model import Json
from tests.kill.calendars.caldav import CalDavPlace
from tests.kill.calendars.file import FilePlace
from tests.kill.calendars.google import GooglePlace
from tests.kill.calendars.organizer import PREFIX, Organizer
from tests.kill.calendars.place import Deed, Kind, Place, moment
from tests.kill.google import GmailMailbox

if TYPE_CHECKING:
    from tests.kill.attack import Attack, Life

ADD: Final = "add_event"
CHANGE: Final = "change_event"
CANCEL: Final = "cancel_event"
ANSWER: Final = "answer_invitation"
TOOLS: Final = (ADD, CHANGE, CANCEL, ANSWER)
_KINDS: Final = (("caldav", "google"), ("caldav",), ("google",), (), ("google",))
"""By the seed: the accounts that there are besides the file."""
_MOST: Final = 60  # events that others make


class Calendars:
    """``places``: the file first. ``deeds``: what others did, with the seq after which they did it."""

    def __init__(self, attack: Attack) -> None:
        self._attack = attack
        self._count = 0
        self.file = FilePlace(attack.folder)
        self.places: list[Place] = [self.file]
        self.organizer = Organizer(attack.chance)
        self.deeds: dict[str, list[tuple[int, Deed]]] = defaultdict(list)

    def begin(self) -> None:
        """After the mailbox."""
        box, kinds = self._attack.mailbox, _KINDS[self._attack.seed % len(_KINDS)]
        if "caldav" in kinds:
            self.places.append(CalDavPlace(self._attack.folder))
        if "google" in kinds:
            self.places.append(GooglePlace(box.google if isinstance(box, GmailMailbox) else None))
        for place in self.places:
            place.begin()
            for _ in range(2):
                self._put(place)

    @property
    def config(self) -> str:
        files = f'\n[calendar]\npaths = ["{self.file.path}"]\nscan_interval = 2.0\n'
        return files + "".join(place.config for place in self.places)

    def calm(self) -> None:
        for place in self.places:
            place.calm()

    def end(self) -> None:
        for place in self.places:
            place.end()

    # ------------------------------------------------------------------------------------------- what others do

    def act(self, life: Life) -> None:
        """Something happens while Pepper runs."""
        draw = self._attack.chance.random()
        if draw < 0.3:
            self._elsewhere(self.places[1:])
        elif draw < 0.5:
            self._attack.invite()
        elif draw < 0.8:
            self.answer(life)
        else:
            for place in self.places:
                place.disturb(self._attack.chance, self._attack.kill_now)

    def act_alone(self) -> None:
        """Something happens while nobody is there: a file changes only then."""
        self._elsewhere(self.places)

    def _elsewhere(self, places: list[Place]) -> None:
        chance = self._attack.chance
        if not places:
            return
        place = chance.choice(places)
        there = [uid for uid in place.lying() if not uid.startswith(PREFIX)]
        draw = chance.random()
        if there and draw < 0.25:
            self._done(place, "drop", chance.choice(there), 0.0)
        elif there and draw < 0.55:
            self._done(place, "move", chance.choice(there), self._moment())
        elif self._count < _MOST:
            self._put(place)

    def _put(self, place: Place) -> None:
        start = self._moment()
        uid = place.put(f"C{self._count}", start)
        self.deeds[uid].append((self._seq(), Deed(False, "put", uid, start)))

    def _done(self, place: Place, kind: Kind, uid: str, start: float) -> None:
        if place.move(uid, start) if kind == "move" else place.drop(uid):
            self.deeds[uid].append((self._seq(), Deed(False, kind, uid, start)))

    def _moment(self) -> float:
        """A time that nothing else has; now and then while something else takes place."""
        self._count += 1
        return moment(300 + self._count) + (1500.0 if self._attack.chance.random() < 0.2 else 0.0)

    def _seq(self) -> int:
        return int(self._attack.sql("SELECT max(seq) FROM updates")[0][0]) if self._attack.began else 0

    # ------------------------------------------------------------------------------------------- what the user does

    def named(self) -> str:
        """The title of an event that Pepper has seen; empty if there is none."""
        seen = [str(each["summary"]) for each in self.seen() if not str(each["uid"]).startswith(PREFIX)]
        return self._attack.chance.choice(seen) if seen else ""

    def asked(self) -> list[Json]:
        """The open cards that ask for an answer to an invitation, or whether to remove what was called off."""
        return [one for one in self._attack.facts("notification") if "open" in one["_tags"]
                and one["kind"] == "question" and one["source"].startswith("signals.calendar:")]  # fmt: skip

    def answer(self, life: Life) -> bool:
        """Answer an invitation by a key, or propose another time; whether there was one."""
        cards, chance = self.asked(), self._attack.chance
        if not cards:
            return False
        card = chance.choice(cards)
        ref = f"notification:{card['id']}"
        if chance.random() < 0.85:
            life.ask("choose", ref, chance.randint(1, len(card["choices"])))
        else:
            life.ask("answer", ref, "tomorrow 10:00")
        return True

    # ------------------------------------------------------------------------------------------- what came of it

    def seen(self) -> list[Json]:
        """The events that Pepper knows to be there."""
        rows = [each for each in self._attack.facts("raw.calendar") if "uid" in each and "minutes" not in each]
        return [each for each in rows if not each["gone"] and each["status"] != "CANCELLED"]

    def differs(self) -> list[str]:
        """What Pepper still has to see."""
        found = []
        for place in self.places:
            told = {(each["uid"], each["start"], each["summary"]) for each in self.seen()
                    if each["calendar"] == place.calendar}  # fmt: skip
            there = {(uid, at.start, at.title) for uid, at in place.lying().items()}
            if told != there:
                found.append(f"events of {place.calendar}: Pepper knows {told - there}, and there are {there - told}")
        return found

    def happened(self, call: Json) -> bool:
        """Whether the outside saw the effect of a call of ``TOOLS``."""
        payload = self.payload(call)
        if call["name"] == ANSWER:
            return any(str(payload["message_id"]).encode() in mail for mail in self._attack.left())
        place = self.place_of(call)
        there = place.lying() if place is not None else {}
        if call["name"] == ADD:
            return payload["uid"] in there
        if call["name"] == CANCEL:
            return payload["uid"] not in there
        return payload["uid"] in there and there[payload["uid"]].start == payload["after"][1]

    def payload(self, call: Json) -> Json:
        """What the card of a call bound; empty if it has none."""
        cards = [card for card in self._attack.facts("approval") if card["call"] == call["id"]]
        found: Json = cards[-1]["effect"]["payload"] if cards else {}
        return found

    def place_of(self, call: Json) -> Place | None:
        payload = self.payload(call)
        if call["name"] == ADD:
            path = str(payload.get("fields", {}).get("path", ""))
            return self.place_at(path)
        return next((each for each in self.places if each.calendar == payload.get("calendar")), None)

    def place_at(self, path: str) -> Place | None:
        if path == str(self.file.path.resolve()):
            return self.file
        return next((each for each in self.places[1:] if f":{each.calendar}:" in path), None)
