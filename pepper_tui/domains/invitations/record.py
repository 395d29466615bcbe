"""What is known of each invitation: who asks, by which mail, and what the user has answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pepper_tui.domains.calendar.event import INVITED as CALENDAR
from pepper_tui.domains.calendar.objects import CalendarObject, object_id
from pepper_tui.model import Record
from pepper_tui.store import Store
from pepper_tui.text.addresses import compared
from pepper_tui.tools.tool_store import ToolStore

INVITATIONS: Final = "calendar.invitation"


@dataclass(slots=True)
class Invitation(Record):
    """One invitation. Times are POSIX seconds, of a series those of its first time.

    ``trusted``: the addresses that may change it, in lower case: its organizer's, and that of whoever sent it in the
    organizer's name. ``address`` is the one that the user was invited by, empty if none of theirs is named. ``mail`` is
    the id of the last mail that asked. ``answer`` is a PARTSTAT in lower case.
    """

    id: str
    uid: str
    title: str
    start: float
    end: float
    organizer: str
    name: str = ""  # the organizer's
    trusted: list[str] = field(default_factory=list)
    address: str = ""
    mail: str = ""
    sequence: int = 0
    stamp: float = 0.0
    all_day: bool = False
    repeats: bool = False
    answer: str = "needs-action"
    cancelled: bool = False

    @property
    def edition(self) -> tuple[int, float]:
        return self.sequence, self.stamp

    @property
    def unheard(self) -> bool:
        """Whether it was called off before it was ever asked: mails come in any order."""
        return self.cancelled and not self.mail

    def may_change(self, sender: str) -> bool:
        """Check whether ``sender`` may change or cancel it."""
        return compared(sender) in self.trusted


def invitation_id(uid: str) -> str:
    """Return the id of the invitation to the event with this UID, and of its object."""
    return object_id(CALENDAR, uid)


def object_of(invitation: Invitation, text: str, *, first: bool) -> CalendarObject:
    """Return the object that the agenda reads."""
    version = f"{invitation.sequence}/{invitation.stamp:.0f}/{invitation.answer}"
    return CalendarObject(invitation.id, CALENDAR, CALENDAR, invitation.uid, version, text, first)


async def invitation_to(store: Store | ToolStore, uid: str) -> Invitation | None:
    """Return the invitation to the event with this UID."""
    return Invitation.one(await store.get(invitation_id(uid), namespace=INVITATIONS))


async def put_invitation(store: Store, invitation: Invitation) -> None:
    """Store it, in the caller's unit."""
    await store.put(
        invitation, namespace=INVITATIONS, text=invitation.title, tags=[f"mail:{invitation.mail}"]
    )  # fmt: skip
