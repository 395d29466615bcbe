"""Failures of a CalDAV server, in words, with what to do about them."""

from __future__ import annotations

from pepper_tui.connectors.http_server import AGAIN, Reach, ServerError


class StatusError(ServerError):
    """The server answered a request with a status that is no success."""

    def __init__(self, status: int, words: str, remedy: str = "") -> None:
        super().__init__(words, remedy)
        self.status = status


class OldMarkError(Exception):
    """The server no longer knows how far a calendar was read, so all of it is compared."""


def refused(status: int, reach: Reach) -> StatusError:
    """Return what the answer ``status`` means."""
    if status == 403:
        words = f"{reach.server} does not let {reach.user} in at this address (HTTP 403)"
        return StatusError(status, words, f"{reach.check}, then user and password")
    if status == 401:
        words = f"{reach.server} did not accept the user {reach.user} and the password (HTTP {status})"
        remedy = "check user and password; many providers take only a password made for programs (app password)"
        return StatusError(status, words, f"{remedy}; to put in a new one: pepper accounts signin {reach.ident}")
    if status in (404, 405, 410):
        return StatusError(status, f"{reach.server} has no calendars at this address (HTTP {status})", reach.check)
    if status == 429 or status >= 500:
        return StatusError(status, f"{reach.server} has trouble of its own (HTTP {status})", AGAIN)
    return StatusError(status, f"{reach.server} refused a request (HTTP {status})", reach.check)
