"""What is left to do at Google until an event, or a series, is as wanted: one request after the other.

Each request is made of what Google has now, and asks only for what differs, so a break anywhere can be followed by the
same once more. The series comes first, then its single times: those that it has no more, those that change, and those
that are left out. What is not as it was read is left alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pepper_tui.clock import in_thread
from pepper_tui.connectors.google_account.errors import GoneError
from pepper_tui.connectors.google_calendar.differences import (
    Part,
    answers_for_another,
    instance_id,
    parts_in,
    patch_of,
)
from pepper_tui.connectors.google_calendar.listing import CalendarAccount
from pepper_tui.connectors.google_calendar.rendering import Json, Seen, vevent
from pepper_tui.tools.errors import NotDoneError, OutdatedError

PATCH: Final = "events.patch"
DELETE: Final = "events.delete"
_OTHERWISE: Final = "Google has it otherwise by now; look at it again"
_WRAPPED: Final = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n"


@dataclass(frozen=True, slots=True)
class Step:
    """One request, about an event that was just read."""

    command: str
    event: Json
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ident(self) -> str:
        return str(self.event["id"])

    @property
    def etag(self) -> str:
        return str(self.event["etag"])


@dataclass(frozen=True, slots=True)
class Series:
    """The event, or series, ``ident`` of a calendar.

    ``copied`` is what the copy has of it, ``version`` the etag of what was read.
    """

    account: CalendarAccount
    calendar: str
    ident: str
    version: str
    copied: str

    async def steps(self, text: str) -> AsyncIterator[Step]:
        """Yield what is left to do, each once the one before is done. Without ``text`` it is to be removed.

        Raises ``OutdatedError`` if it is another than the one read, ``NotDoneError`` for what can't be done, and
        ``GoogleError``.
        """
        try:
            held = await in_thread(parts_in, self.copied)
            wanted = await in_thread(parts_in, text)
        except ValueError as error:
            raise NotDoneError(f"it can't be read: {error}") from error
        if not text:
            async for step in self._removed(held):
                yield step
            return
        main = next((each for each in wanted if each.original is None), Part())
        singles = [each for each in wanted if each.original is not None]
        left_out: set[Any] = {each.original for each in singles if each.cancelled}
        left_out -= {each.original for each in held if each.cancelled}
        if main.ident:
            event = await self._there(self.ident)
            now = await self._read(event)
            if body := self._patch(event, now, main, as_read=now.etag == main.etag):
                if now.start != main.start and main.recurrence and not all(each.cancelled for each in singles):
                    raise NotDoneError(
                        "some of its times were changed one by one, and Google may lose those when all are moved; "
                        "move them one by one, or do it at Google"
                    )
                yield Step(PATCH, event, body)
            if "recurrence" not in body:
                left_out |= main.left_out - now.left_out
        async for step in self._singles(held, singles, main):
            yield step
        for original in sorted(left_out, key=str):
            one = await self._got(instance_id(self.ident, original))
            if one is None:
                raise OutdatedError(_OTHERWISE)
            if one.get("status") == "cancelled":
                continue
            if not _untouched(await self._read(one), main):
                raise OutdatedError(_OTHERWISE)
            yield Step(DELETE, one)

    async def _singles(self, held: Sequence[Part], singles: Sequence[Part], main: Part) -> AsyncIterator[Step]:
        """Yield what makes the single times as wanted: those of the copy that are gone, and those that differ."""
        copied = {each.original: each for each in held if each.original is not None}
        kept = {each.original for each in singles}
        for gone in (each for original, each in copied.items() if original not in kept and not each.cancelled):
            found = await self._got(gone.ident)
            if found is None or found.get("status") == "cancelled":
                continue
            if (await self._read(found)).content != gone.content:
                raise OutdatedError(_OTHERWISE)
            yield Step(DELETE, found)
        for want in (each for each in singles if not each.cancelled):
            original = want.original
            known = copied.get(original) if original is not None else None
            if original is None or (known is not None and known.content == want.content):
                continue
            inherits = want.ident == self.ident  # it was one like all others
            ident = instance_id(self.ident, original) if inherits else want.ident
            event = await self._there(ident)
            now = await self._read(event)
            same = known is not None and known.etag == want.etag and known.content == now.content
            as_read = _untouched(now, main) if inherits else same or now.etag == want.etag
            if body := self._patch(event, now, want, as_read=as_read):
                yield Step(PATCH, event, body)

    async def _removed(self, held: Sequence[Part]) -> AsyncIterator[Step]:
        alone = [each for each in held if not each.cancelled]
        whole = not alone or any(each.original is None for each in alone)
        for ident, etag in [(self.ident, self.version)] if whole else [(each.ident, each.etag) for each in alone]:
            event = await self._got(ident)
            if event is None or event.get("status") == "cancelled":
                continue
            if event["etag"] != etag:
                raise OutdatedError(_OTHERWISE)
            yield Step(DELETE, event)

    def _patch(self, event: Json, now: Part, want: Part, *, as_read: bool) -> dict[str, Any]:
        if answers_for_another(event, now, want, self.seen):
            raise NotDoneError("Google does not hold you as invited in this calendar; answer it at Google")
        body = patch_of(event, now, want, self.seen)
        if body and not as_read:
            raise OutdatedError(_OTHERWISE)
        return body

    @property
    def seen(self) -> Seen:
        return Seen.of(self.account.settings.address, self.calendar)

    async def _there(self, ident: str) -> Json:
        event = await self._got(ident)
        if event is None or event.get("status") == "cancelled":
            raise OutdatedError(_OTHERWISE)
        return event

    async def _got(self, ident: str) -> Json | None:
        """Return an event as Google has it now; what was deleted can be got, cancelled."""
        try:
            found: Json = await self.account.call(
                "events.get", urgent=True, calendarId=self.calendar, eventId=ident
            )  # fmt: skip
        except GoneError:
            return None
        return found

    async def _read(self, event: Json) -> Part:
        try:
            [part] = await in_thread(parts_in, _WRAPPED.format(vevent(event, self.seen)))
        except Exception as error:
            raise NotDoneError("what Google has of it now can't be read") from error
        return part


def _untouched(now: Part, main: Part) -> bool:
    """Check whether a time of a series is still like the others."""
    return now.start == now.original and now.words == main.words and now.length == main.length
