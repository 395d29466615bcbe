"""Mails that invite, as other programs send them, and an engine that takes them in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Self

from pepper_tui.clock import ManualClock
from pepper_tui.model import Notification, ToolCall
from tests.domains.mail.mails import deliver, make_maildir
from tests.engine.desk import BARE, Desk
from tests.engine.test_upgraded_mail import Sensing

BEN = "ben@example.org"
SAM = "sam@home.example"
HOUR = 3600.0
CONFIG = (
    BARE
    + """[[account]]
id = "home"
kind = "maildir"
paths = "home"
address = "sam@home.example"
smtp = {{ host = "127.0.0.1", port = {0}, security = "none" }}
"""
)


def event(
    start: float,
    uid: str = "numbers-1",
    title: str = "Quarterly numbers",
    sequence: int = 0,
    more: Sequence[str] = (),
    attendee: str = f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{SAM}",
    organizer: str = BEN,
) -> str:
    """A VEVENT of an hour."""
    begins, ends = (datetime.fromtimestamp(each, UTC) for each in (start, start + HOUR))
    lines = [
        "BEGIN:VEVENT", f"UID:{uid}", f"SEQUENCE:{sequence}", f"DTSTAMP:20260901T0{sequence}0000Z", f"SUMMARY:{title}",
        f"DTSTART:{begins:%Y%m%dT%H%M%SZ}", f"DTEND:{ends:%Y%m%dT%H%M%SZ}", "LOCATION:Room 4",
        f"ORGANIZER;CN=Ben Ort:mailto:{organizer}", attendee, *more, "END:VEVENT",
    ]  # fmt: skip
    return "\r\n".join(lines)


def invitation(method: str, *events: str, sender: str = f"Ben Ort <{BEN}>", number: int = 1, kind: str = "") -> bytes:
    """A mail with a calendar part beside its words."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, SAM, f"Invitation {number}"
    mail["Date"], mail["Message-ID"] = "Tue, 01 Sep 2026 09:00:00 +0000", f"<invite{number}@example.org>"
    mail.set_content("You are invited.")
    calendar = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", *events, "END:VCALENDAR", ""])
    if kind:  # as a file alone
        mail.add_attachment(calendar.encode(), maintype="application", subtype="ics", filename="invite.ics")
    else:
        mail.add_alternative(calendar, subtype="calendar", params={"method": method})
    return mail.as_bytes()


class Invited(Desk):
    """A desk with one Maildir; ``come`` delivers a mail and lets it be taken in."""

    def __init__(self, home: Path, clock: ManualClock, port: int = 9, config: str = CONFIG) -> None:
        self.root = make_maildir(home / "home")
        super().__init__(home, clock, config.format(port), Sensing)
        self._count = 0

    async def __aenter__(self) -> Self:
        await super().__aenter__()

        async def looked() -> bool:
            return any(row["part"] == "feed.home" and row["state"] == "ok" for row in await self.rows("health"))

        await self.until(looked, 0.5)  # what was there before is no news
        return self

    async def come(self, raw: bytes) -> None:
        """Deliver a mail, and wait until it is taken in."""
        self._count += 1
        deliver(self.root, raw, f"{self._count}.host")
        count = self._count

        async def there() -> bool:
            return len(await self.rows("raw.mail")) >= count

        await self.until(there)

    async def told(self) -> list[str]:
        """The lines of the calendar's signals."""
        return [row["content"] for row in await self.rows("signals.calendar")]

    async def until_told(self, begin: str) -> str:
        """The line of the calendar's signals that begins so, once it is there."""

        async def there() -> str:
            return next((line for line in await self.told() if line.startswith(begin)), "")

        return str(await self.until(there, 0.5))

    async def settled(self) -> bool:
        """Whether each mail was taken."""
        return not any((await self.engine.store.waiting("feeds.")).values())

    async def calendar_read(self) -> bool:
        return bool(await self.rows("raw.calendar"))

    async def two_failed(self) -> bool:
        return sum(row["state"] == "failed" for row in await self.rows("tool.call")) == 2

    async def two_were_thought_of(self) -> bool:
        """Whether steps have taken two signals of the calendar: the next one is about what the user says."""
        inputs = [each for row in await self.rows("step") for each in row["inputs"]]
        return sum(each.startswith("signals.calendar:") for each in inputs) == 2

    async def asks_nothing(self) -> bool:
        return not await self.questions()

    async def which(self) -> Notification | None:
        """The question which of several is meant, once it is asked."""
        return next((one for one in await self.questions() if one.title.startswith("Which")), None)

    async def withdrawn(self) -> list[tuple[str, str]]:
        """The ids of the proposals that were withdrawn, and why."""
        rows = await self.rows("approval")
        return [(row["id"], row["decision_note"]) for row in rows if row["state"] == "withdrawn"]

    async def failed(self) -> ToolCall:
        """The call that failed, once one has."""

        async def there() -> list[ToolCall]:
            return [ToolCall.of(row) for row in await self.rows("tool.call") if row["state"] == "failed"]

        return (await self.until(there))[-1]  # type: ignore[no-any-return]

    async def invitation(self) -> Notification:
        """The card that asks, once it is there."""
        found = await self.until(self.questions, 0.5)
        return found[-1]
