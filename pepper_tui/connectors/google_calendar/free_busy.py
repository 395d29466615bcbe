"""When others are taken, as far as Google shows it to the user. It takes no more than reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pepper_tui.connectors.google_account.errors import GoogleError
from pepper_tui.connectors.google_calendar.listing import CalendarAccount
from pepper_tui.domains.calendar.free_time import Span
from pepper_tui.domains.calendar.slots.free_busy import Busy
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError

_AT_ONCE: Final = 31 * 86400.0  # seconds of one question: Google refuses one about too long a time
_HIDDEN: Final = "notFound"
"""Google's reason for a calendar that is none, or that it does not show."""


class GoogleFreeBusy:
    """Asks for the account: see ``domains.calendar.slots.free_busy.FreeBusy``."""

    def __init__(self, account: CalendarAccount) -> None:
        self._account = account

    @property
    def account(self) -> str:
        return self._account.ident

    async def taken(self, addresses: Sequence[str], start: float, end: float) -> Mapping[str, Busy]:
        spans: dict[str, list[Span]] = {each: [] for each in addresses}
        why: dict[str, str] = {}
        at = start
        while at < end:
            until = min(at + _AT_ONCE, end)
            body = {"timeMin": _told(at), "timeMax": _told(until), "items": [{"id": each} for each in addresses]}
            try:
                answer = await self._account.call("freebusy.query", urgent=True, body=body)
            except GoogleError as error:
                raise ToolError(error.told) from error
            there = {str(ident).casefold(): one for ident, one in (answer.get("calendars") or {}).items()}
            for each in addresses:
                try:
                    spans[each] += _spans(there[each.casefold()])
                except _UnknownError as unknown:
                    why[each] = str(unknown)
                except (KeyError, TypeError, ValueError):
                    why[each] = "Google says nothing of them that can be read"
            at = until
        return {each: Busy(why=why[each]) if each in why else Busy(spans[each]) for each in addresses}


class _UnknownError(Exception):
    """Google does not tell."""


def _spans(told: Any) -> list[Span]:
    if errors := told.get("errors"):
        reason = one_line(str(errors[0].get("reason") or "an error"), 60)
        raise _UnknownError("Google does not show their calendar" if reason == _HIDDEN else f"Google says {reason}")
    return [(_read(each["start"]), _read(each["end"])) for each in told["busy"]]


def _told(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _read(told: str) -> float:
    at = datetime.fromisoformat(told)
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone: {told}")
    return at.timestamp()
