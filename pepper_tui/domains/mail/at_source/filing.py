"""What can be done with a mail where it lives: marked, moved, labelled. The port of the accounts that can do it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, get_args

from pepper_tui.domains.mail.at_source.state import Copy, Mark, Use
from pepper_tui.model import Record

FilingAct = Literal[
    "read", "unread", "flag", "unflag", "answered", "archive", "trash", "junk", "move", "label", "unlabel"
]
ACTS: Final[tuple[FilingAct, ...]] = get_args(FilingAct)
MOVES: Final[frozenset[FilingAct]] = frozenset({"archive", "trash", "junk", "move"})
"""Acts after which a mail lies elsewhere."""
TARGETS: Final[Mapping[FilingAct, Use]] = {"archive": "archive", "trash": "trash", "junk": "junk"}
"""What the folder is for to which an act moves a mail."""
MARKED: Final[Mapping[FilingAct, tuple[Mark, bool]]] = {
    "read": ("seen", True),
    "unread": ("seen", False),
    "flag": ("flagged", True),
    "unflag": ("flagged", False),
    "answered": ("answered", True),
}
"""The mark that an act sets (true) or removes."""
NAMED: Final[frozenset[FilingAct]] = frozenset({"move", "label", "unlabel"})
"""Acts that need the name of a folder or a label."""
INVERSE: Final[dict[FilingAct, FilingAct]] = {
    "read": "unread",
    "unread": "read",
    "flag": "unflag",
    "unflag": "flag",
    "label": "unlabel",
    "unlabel": "label",
}
"""Acts that another act undoes. Those that move a mail are undone by ``move``, back to its folder."""


@dataclass(slots=True)
class Filing(Record):
    """One act on mails. ``folder``: where to, for ``move``; the label's name, for ``label`` and ``unlabel``.

    ``ids``: the Message-IDs by place, as far as known: by them a mail is found again where it lies after the act.
    ``leaving``: for ``move``, a label that goes with it, as an act that is taken back had put it on.
    """

    act: FilingAct
    folder: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    leaving: str = ""


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one copy.

    ``place`` is where it is now, if known; ``undo`` what takes it back, if anything can; ``trouble`` why it stayed.
    ``copy``: the copy as it is now, if the account can tell.
    """

    place: str
    undo: Filing | None = None
    trouble: str = ""
    copy: Copy | None = None


class Filer(Protocol):
    """An account whose mails can be filed."""

    @property
    def account(self) -> str:
        """The account's id, as in ``Copy.account``."""
        ...

    @property
    def acts(self) -> Collection[FilingAct]:
        """What it can do."""
        ...

    async def folders(self) -> Sequence[str]:
        """Return the folders, or labels, to which mails can be moved."""
        ...

    async def file(self, filing: Filing, places: Sequence[str], /) -> dict[str, Filed]:
        """Do it to the copies at ``places``; return what became of each.

        To do it again changes nothing. A copy that is gone or was renumbered is never taken for another mail: it stays
        as ``trouble``. Raises ``NotDoneError`` if nothing was changed, ``OutcomeUnknownError`` if that is unknown.
        """
        ...

    async def is_done(self, filing: Filing, places: Sequence[str], /) -> bool | None:
        """Check at the server whether it was done to all; ``None`` if that can't be known."""
        ...
