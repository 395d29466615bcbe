"""Failures of a CalDAV server, in words, with what to do about them."""

from __future__ import annotations

from typing import Final

from pepper_tui.connectors.caldav.settings import CalDav
from pepper_tui.feeds.feed import FeedError

AGAIN: Final = "it is tried again by itself"
_SIGN_IN: Final = frozenset({401, 403})


class ServerError(FeedError):
    """A failure of the server or of the way to it."""


class StatusError(ServerError):
    """The server answered a request with a status that is no success."""

    def __init__(self, status: int, words: str, remedy: str = "") -> None:
        super().__init__(words, remedy)
        self.status = status


class OldMarkError(Exception):
    """The server no longer knows how far a calendar was read, so all of it is compared."""


def refused(status: int, settings: CalDav, ident: str) -> StatusError:
    """Return what the answer ``status`` means."""
    server, key = f"the calendar server {settings.host}", f"account {ident}"
    if status in _SIGN_IN:
        words = f"{server} did not accept the user {settings.user} and the password (HTTP {status})"
        remedy = "check user and password; many providers take only a password made for programs (app password)"
        return StatusError(status, words, f"{remedy}; to put in a new one: pepper accounts signin {ident}")
    if status in (404, 405, 410):
        return StatusError(status, f"{server} has no calendars at this address (HTTP {status})", f"check url in {key}")
    if status == 429 or status >= 500:
        return StatusError(status, f"{server} has trouble of its own (HTTP {status})", AGAIN)
    return StatusError(status, f"{server} refused a request (HTTP {status})", f"check url in {key}")
