"""To whom an answer goes: its sender, everybody, or the mailing list. The user's own addresses are left out.

Whatever a mail says about where answers should go (Reply-To, Mail-Followup-To) is somebody else's word: it is followed,
and the card says so whenever that isn't who wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import unquote

from pepper_tui.domains.mail.message import MAX_RECIPIENTS
from pepper_tui.domains.mail.writing.list_headers import ways
from pepper_tui.text import one_line
from pepper_tui.text.addresses import canonical, compared
from pepper_tui.tools.errors import ToolError

Whom = Literal["sender", "all", "list"]
NEW: Final = "new: you never wrote to them"
ELSEWHERE: Final = "the mail asks for answers to another address than its sender's"
FOLLOW_UP: Final = "the mail asks that answers to all go to these"
_MAILTO: Final = "mailto:"
_CUT: Final = re.compile(r"only the first \d+ of (?:To|Cc|Mail-Followup-To) were read")

IsOwn = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Addressed:
    """The recipients of a mail.

    ``warning``: what the user must know of them; ``loud``: even if they know each of them.
    """

    to: list[str]
    cc: list[str] = field(default_factory=list)
    warning: str = ""
    loud: bool = False

    @property
    def quiet(self) -> bool:
        return self.warning == NEW


def answer_to(mail: Mapping[str, Any], whom: Whom, is_own: IsOwn) -> Addressed:
    """Return to whom an answer to ``mail`` goes. Raises ``ToolError`` if there is nobody, or too many."""
    if whom == "list":
        return Addressed([_list_of(mail)], [], _doubts(mail) or NEW, bool(_doubts(mail)))
    first, elsewhere = _sender_of(mail, is_own)
    cc: list[str] = []
    warning = ELSEWHERE if elsewhere else NEW
    if whom == "all":
        if lost := next((each for each in mail.get("defects") or () if _CUT.search(str(each))), ""):
            raise ToolError(f"an answer to all would miss some: {lost}; name the recipients in send_mail")
        if asked := _addresses(mail.get("followup_to")):
            first, warning, elsewhere = _others(asked, is_own) or first, FOLLOW_UP, True
        else:
            first = _others([*first, *_addresses(mail.get("to"))], is_own) or first
            cc = _others(_addresses(mail.get("cc")), is_own, first)
        if len(first) + len(cc) > MAX_RECIPIENTS:
            count = len(first) + len(cc)
            raise ToolError(
                f"an answer to all would go to {count}, and a mail may go to {MAX_RECIPIENTS}: answer the sender, "
                "or name the recipients in send_mail"
            )
    if not first:
        raise ToolError("that mail names nobody to answer who can be written to")
    if warning == NEW and len(first) > 1:
        warning = ""  # each of them that is new has a line of its own
    told = [_doubts(mail), _unreachable(mail) if whom == "all" else ""]
    if any(told):
        return Addressed(first, cc, "; ".join(filter(None, told)), True)
    return Addressed(first, cc, warning, elsewhere)


def _sender_of(mail: Mapping[str, Any], is_own: IsOwn) -> tuple[list[str], bool]:
    """Return who is answered, and whether that is somebody else than the sender.

    The user's own mail is answered to those it went to, unless it asks for answers to somebody else.
    """
    sender = _addresses([mail.get("sender")])
    named = _addresses(mail.get("reply_to"))
    own = bool(sender) and is_own(sender[0])
    if own:
        if asked := _others(named, is_own):
            return asked, True
        went_to = _others(_addresses(mail.get("to")), is_own) or _others(_addresses(mail.get("cc")), is_own)
        return went_to or sender, False
    if not named:
        return sender, False
    return named, [compared(each) for each in named] != [compared(each) for each in sender]


def _list_of(mail: Mapping[str, Any]) -> str:
    """Return the address that a mailing list says mail to it goes to (RFC 2369)."""
    said = str((mail.get("list_headers") or {}).get("list-post") or "").strip()
    if said.partition("(")[0].strip().upper() == "NO":
        raise ToolError("that list takes no mail from its readers")
    to = next((way[len(_MAILTO) :] for way in ways(said) if way.lower().startswith(_MAILTO)), "")
    address = canonical(unquote(to.partition("?")[0]))
    if address is None:
        raise ToolError("that mail names no list to answer; answer its sender, or all")
    return address


def _addresses(people: object) -> list[str]:
    """Return the addresses of ``people`` that can be written to, each once."""
    found: dict[str, str] = {}
    for one in people if isinstance(people, list | tuple) else ():
        plain = canonical(str(one.get("address") or "")) if isinstance(one, dict) else None
        if plain is not None:
            found.setdefault(plain.lower(), plain)
    return list(found.values())


def _unreachable(mail: Mapping[str, Any]) -> str:
    """Return who is left out because no mail can be sent to them, in words."""
    people = [str(one.get("address") or "") for key in ("to", "cc") for one in mail.get(key) or ()]
    lost = [each for each in people if each and canonical(each) is None]
    return f"left out, as they can't be written to: {one_line(', '.join(lost), 200)}" if lost else ""


def _others(addresses: Iterable[str], is_own: IsOwn, but: Sequence[str] = ()) -> list[str]:
    """Return ``addresses`` once each, without the user's own and those in ``but``."""
    left_out = {compared(each) for each in but}
    found = {compared(each): each for each in addresses if compared(each) not in left_out and not is_own(each)}
    return list(found.values())


def _doubts(mail: Mapping[str, Any]) -> str:
    return one_line("; ".join(map(str, (mail.get("doubts") or [])[:2])), 300)
