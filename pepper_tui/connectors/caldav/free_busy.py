"""When others are taken, as a CalDAV server with scheduling says (RFC 6638, section 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from pepper_tui.connectors.caldav.errors import refused
from pepper_tui.connectors.caldav.scheduling import answers, outbox_of, request
from pepper_tui.connectors.http_server import ServerError
from pepper_tui.domains.calendar.slots.free_busy import Busy
from pepper_tui.tools.errors import ToolError

if TYPE_CHECKING:
    from pepper_tui.clock import Clock
    from pepper_tui.connectors.caldav.wire import Wire


class CalDavFreeBusy:
    """Asks for the account ``ident``: see ``domains.calendar.slots.free_busy.FreeBusy``. ``wire`` opens the way."""

    def __init__(self, ident: str, wire: Callable[[], AbstractAsyncContextManager[Wire]], clock: Clock) -> None:
        self._ident, self._wire, self._clock = ident, wire, clock

    @property
    def account(self) -> str:
        return self._ident

    async def taken(self, addresses: Sequence[str], start: float, end: float) -> Mapping[str, Busy]:
        try:
            async with self._wire() as wire:
                outbox = await outbox_of(wire)
                if outbox is None:
                    return dict.fromkeys(addresses, Busy(why=f"{wire.reach.server} has no scheduling"))
                if not outbox.user:
                    return dict.fromkeys(addresses, Busy(why=f"{wire.reach.server} names no address of yours"))
                text = request(outbox.user, addresses, start, end, self._clock.now())
                answer = await wire.ask("POST", outbox.url, text, {"Content-Type": "text/calendar; charset=utf-8"})
                if answer.status != 200:
                    raise refused(answer.status, wire.reach)
                return await asyncio.to_thread(answers, answer, addresses, start, end)
        except ServerError as error:
            raise ToolError(error.told) from error
