"""What goes wrong with Google's servers, in words, with what to do about it.

A refusal is known to have changed nothing. A write whose answer was lost, or was an error of the server's own, may have
been done: ``InDoubtError``, which nobody repeats.
"""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Final

from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from googleapiclient.errors import BatchError, HttpError
from httplib2 import HttpLib2Error

from pepper_tui.connectors.google_account.errors import (
    ForgottenError,
    GoneError,
    GoogleError,
    InDoubtError,
    LostError,
    NotAllowedError,
    OutdatedEtagError,
    RefusedError,
    SignInError,
    TooFastError,
)
from pepper_tui.connectors.google_account.wire import NotReachedError, TooMuchError
from pepper_tui.text import one_line

AGAIN: Final = "it is tried again by itself"
SIGN_IN: Final = "sign in to Google again"
TOO_FAST: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})


def trouble(error: BaseException, command: str, *, reads: bool) -> GoogleError:
    """``error`` of a command, in words."""
    match error:
        case GoogleError():
            return error
        case HttpError():
            return _refusal(error, command, reads)
        case NotReachedError():
            return LostError(f"Google can't be reached: {_words(error)}", f"check the connection; {AGAIN}")
        case TooMuchError():
            words = f"Google answers {command} with {_words(error)}"
            return GoogleError(words, "nothing of it was kept") if reads else _lost(words, reads)
        case RefreshError() if not error.retryable:
            return SignInError(f"Google no longer takes the sign-in: {_words(error)}", SIGN_IN)
        case TransportError() | GoogleAuthError():
            return LostError(f"the sign-in could not be renewed: {_words(error)}", AGAIN)
        case OSError() | HTTPException() | HttpLib2Error() | ValueError() | BatchError():
            return _lost(f"Google did not answer to {command}: {_words(error)}", reads)
    raise error


def overdue(command: str, *, reads: bool) -> GoogleError:
    """Return the error for a command that took longer than the time limit."""
    return _lost(f"Google does not answer to {command}", reads)


def _lost(words: str, reads: bool) -> GoogleError:
    if reads:
        return LostError(words, AGAIN)
    return InDoubtError(words, "look at Google whether it was done; it is not repeated")


def _refusal(error: HttpError, command: str, reads: bool) -> GoogleError:
    status, (reason, said) = error.status_code, said_in(error.content)
    if status == 429 or (status == 403 and reason in TOO_FAST):
        return TooFastError("Google's limit for a minute is reached", AGAIN, _seconds(error))
    if status == 401:
        return SignInError("Google does not take the sign-in", SIGN_IN)
    if status == 403 and reason == "insufficientPermissions":
        return NotAllowedError(f"the sign-in does not allow {command}", f"{SIGN_IN}, and allow what is asked for")
    if status == 403 and reason == "accessNotConfigured":
        words = "the project of your client id has this API of Google's not turned on"
        return RefusedError(words, "turn it on in Google's console: docs/accounts.md", reason)
    if status == 410 and reads:
        return ForgottenError("Google no longer knows how far it was read", AGAIN)
    if status in (404, 410):
        return GoneError(f"Google has no such thing any more ({command})", "")
    if status == 412:
        return OutdatedEtagError("Google has it otherwise by now", "look at it again")
    if status >= 500:
        return _lost(f"Google has a problem of its own with {command} ({status})", reads)
    return RefusedError(f"Google refused {command}: {said or status}", "", reason)


def said_in(content: bytes) -> tuple[str, str]:
    """Return an error's reason and words, as far as they are readable."""
    try:
        error = json.loads(content)["error"]
        reasons = [str(each.get("reason", "")) for each in error.get("errors", [])]
        return (reasons[0] if reasons else ""), one_line(str(error.get("message", "")), 200)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", ""


def _seconds(error: HttpError) -> float:
    told = str(error.resp.get("retry-after", ""))
    return float(told) if told.isascii() and told.isdigit() else 0.0


def _words(error: BaseException) -> str:
    said = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
    return one_line(said or type(error).__name__, 160)
