"""A Maildir whose mails an engine has taken in, with a notice of each."""

from __future__ import annotations

from typing import Any

from pepper_tui.domains.mail.at_source.state import Copy, note_copies
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.model import Approval, CallState, Json, Namespace, Notification, Priority, Signal
from tests.domains.mail.mails import deliver, mail
from tests.engine.desk import Desk


class Box:
    """A Maildir with ``FOLDERS``, and an engine that has taken its mails in."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.root = desk, desk.home / "mail"
        self.account = "mail"

    async def take(self, number: int, folder: str = "", source: bytes = b"") -> str:
        """Deliver a mail, with its records and a notice; its id. One with a ``source`` of its own knows its file."""
        ident, store = f"mail_{number}", self.desk.engine.store
        known = {"files": []} if not source else {"account": "", "files": [[f"{self.root / folder}", f"{number}.host"]]}
        source = source or mail("Ann <ann@example.com>", subject=f"Subject {number}", number=number)
        path = deliver(self.root / folder, source, f"{number}.host")
        at = {"id": ident, "label": folder.lstrip(".") or "INBOX", "account": self.account, "path": str(path)}
        at |= known
        raw: Json = {**parse_mail(source).data(), **at, "thread": f"t{number}", "arrived": 0.0, "backlog": True}
        await store.store(raw, namespace="raw.mail", context_id=ident, tags={f"message:{raw['message_id']}"})
        now = self.desk.clock.now()
        metadata = {"raw": ident, "sender": "ann@example.com"}
        signal = Signal(f"signal_{ident}", "x", now, Priority.HIGH, "mail", "because", f"mail:t{number}", metadata)
        await store.put(signal, namespace="signals.mail")
        notice = Notification(f"n{number}", f"Ann: {number}", "", "VIP", f"signals.mail:{signal.id}", now)
        await self.desk.engine.parts.notices.inbox.announce(notice)
        copy = Copy(f"{self.root}/{number}.host", self.account, str(raw["label"]), "" if folder else "inbox")
        await note_copies(store, {ident: [copy]})
        return ident

    def files(self) -> dict[str, str]:
        """Each mail's folder and flags, by the number in its name."""
        found: dict[str, str] = {}
        for path in sorted(self.root.rglob("*.host*")):
            folder = path.parent.parent
            label = "INBOX" if folder == self.root else folder.name.lstrip(".")
            number, where = path.name.partition(".")[0], f"{label} {path.name.partition(':2,')[2]}".strip()
            found[number] = f"{found[number]}, {where}" if number in found else where
        return found

    async def until_filed(self, **files: str) -> None:
        def there() -> bool:
            return self.files() == {name.lstrip("m"): where for name, where in files.items()}

        try:
            await self.desk.until(there)
        except AssertionError as error:
            raise AssertionError(f"{self.files()}, {[(c.state, c.error) for c in await self.calls()]}") from error

    async def calls(self) -> list[Any]:
        return await self.desk.calls("file_mail")

    async def until_ended(self, *states: CallState) -> None:
        async def ended() -> bool:
            return sorted(call.state for call in await self.calls()) == sorted(states)

        try:
            await self.desk.until(ended)
        except AssertionError as error:
            raise AssertionError(f"{[(c.state, c.error) for c in await self.calls()]}") from error

    async def until_followed(self) -> None:
        """Return when all that was stored about mails has been handled."""

        async def followed() -> bool:
            return not any((await self.desk.engine.store.waiting("mail.")).values())

        await self.desk.until(followed)

    async def notices(self) -> dict[str, str]:
        return {row["id"]: row["state"] for row in await self.desk.rows(Namespace.NOTIFICATION)}

    async def cards(self, state: str = "pending") -> list[Approval]:
        return [card for card in map(Approval.of, await self.desk.rows(Namespace.APPROVAL)) if card.state == state]
