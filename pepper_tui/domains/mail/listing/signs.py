"""What is known of a mail in the list, as bits; and what the user's key is doing to it this moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pepper_tui.domains.mail.at_source.filing import MARKED, MOVES, TARGETS, Filing
from pepper_tui.domains.mail.at_source.folder_uses import use_by_name

OUT_OF_SIGHT: Final = {"trash", "junk"}
NOT_RECEIVED: Final = {"sent", "drafts"}
PUT_AWAY: Final = {*OUT_OF_SIGHT, *NOT_RECEIVED, "archive"}


class Sign:
    """What is known of a mail, as bits: plain numbers, as a flag type would cost half of the time to read it all."""

    OWN: Final = 1
    ATTACHED: Final = 2
    DOUBTFUL: Final = 4
    UNREAD: Final = 8
    FLAGGED: Final = 16
    ANSWERED: Final = 32
    HIDDEN: Final = 64
    """Removed everywhere, or only in the trash or among junk."""
    SENT: Final = 128
    """Only where sent mail or drafts lie: not to be filed with its thread."""
    AWAY: Final = 256
    """Nowhere but archived, thrown away, or where sent mail or drafts lie: it keeps no thread in the list."""


OF_STATE: Final = Sign.UNREAD | Sign.FLAGGED | Sign.ANSWERED | Sign.HIDDEN | Sign.SENT | Sign.AWAY
_OF_MARK: Final = {"seen": Sign.UNREAD, "flagged": Sign.FLAGGED, "answered": Sign.ANSWERED}


class UnderWay:
    """The filings that are under way. Each counts as done until its call has ended."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[int, int]] = {}  # the signs that each sets, and those that it clears
        self._calls_of: dict[str, list[str]] = {}  # by mail, in order

    def set(self, call: str, mails: Sequence[str], filing: Filing | None) -> bool:
        """Note that a call files ``mails``, or (``None``) that it has ended; return whether that is new."""
        if (filing is not None) is (call in self._calls):
            return False
        if filing is not None:
            self._calls[call] = _signs_of(filing)
            for ident in mails:
                self._calls_of.setdefault(ident, []).append(call)
            return True
        del self._calls[call]
        for ident in mails:
            if left := [each for each in self._calls_of.pop(ident, ()) if each != call]:
                self._calls_of[ident] = left
        return True

    def changed(self, ident: str, signs: int) -> int:
        """Return the signs of a mail as they will be."""
        for call in self._calls_of.get(ident, ()):
            on, off = self._calls[call]
            signs = (signs & ~off) | on
        return signs


def _signs_of(filing: Filing) -> tuple[int, int]:
    """Return the signs that ``filing`` sets, and those that it clears."""
    if filing.act in MARKED:
        mark, on = MARKED[filing.act]
        sign = _OF_MARK[mark]
        return (sign, 0) if on is not (mark == "seen") else (0, sign)
    if filing.act not in MOVES:
        return 0, 0
    use = TARGETS.get(filing.act) or use_by_name(filing.folder)
    signs = Sign.HIDDEN if use in OUT_OF_SIGHT else 0
    signs |= Sign.AWAY if use in PUT_AWAY else 0
    return signs, (Sign.HIDDEN | Sign.AWAY) & ~signs
