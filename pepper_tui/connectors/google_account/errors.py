"""The errors of calls to Google, as ``trouble`` words them. Without Google's libraries, so that it is read at once."""

from __future__ import annotations

from pepper_tui.feeds.feed import FeedError


class GoogleError(FeedError):
    """What is wrong with Google's servers, or the way there."""


class LostError(GoogleError):
    """They were not reached, or gave no answer to a read. Another try may well go through."""


class TooFastError(GoogleError):
    """More was asked than a minute allows. ``seconds`` is how long to wait."""

    def __init__(self, detail: str, remedy: str, seconds: float) -> None:
        super().__init__(detail, remedy)
        self.seconds = seconds


class SignInError(GoogleError):
    """The sign-in is no longer good."""


class NotAllowedError(GoogleError):
    """The user did not allow this at the sign-in."""


class GoneError(GoogleError):
    """What was asked for is not there (any more)."""


class ForgottenError(GoneError):
    """Google no longer knows the mark by which it was asked what has changed."""


class RefusedError(GoogleError):
    """It was refused, for a reason that is in the words. ``reason`` is Google's name for it."""

    def __init__(self, detail: str, remedy: str, reason: str) -> None:
        super().__init__(detail, remedy)
        self.reason = reason


class InDoubtError(GoogleError):
    """A write that may or may not have been done."""


class OutdatedEtagError(GoogleError):
    """What was to be changed is another by now. Nothing was done."""
