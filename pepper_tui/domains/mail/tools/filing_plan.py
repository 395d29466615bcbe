"""What an act on mails comes to: which copies of them, at which account, and the effect that says so.

Archiving and moving take a mail out of the folder where it is met: the inbox, else a folder of the user's, else junk or
trash. Trash and junk take every copy, except what the user has sent. Marks and labels go on every copy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from pepper_tui.domains.mail.at_source.filing import MOVES, NAMED, TARGETS, Filer, Filing
from pepper_tui.domains.mail.at_source.state import STATES, Copy, MailState, Use
from pepper_tui.domains.mail.intake.raw_mail import RAW
from pepper_tui.model import CardLine, Context, ContextFilter, Json, Record, ResolvedEffect
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import Tool

MOST: Final = 100
"""Mails of one call."""
_NAMED_IN_SUMMARY: Final = 3
_LONGEST_NAME: Final = 200
_MET: Final[tuple[Use, ...]] = ("inbox", "", "junk", "trash")
"""Folders from which a mail is archived or moved: only the copies in the first of these that has any."""
_OWN: Final[frozenset[Use]] = frozenset({"sent", "drafts"})
_SAID: Final = {
    "read": ("Mark {mails} as read", ""),
    "unread": ("Mark {mails} as unread", ""),
    "flag": ("Flag {mails}", ""),
    "unflag": ("Remove the flag of {mails}", ""),
    "answered": ("Mark {mails} as answered", ""),
    "archive": ("Archive {mails}", "the archive of the account"),
    "trash": ("Put {mails} in the trash", "the trash of the account"),
    "junk": ("Put {mails} in the spam folder", "the spam folder of the account"),
    "move": ("Move {mails} to {folder}", "{folder}"),
    "label": ("Label {mails} {folder}", "{folder}"),
    "unlabel": ("Remove the label {folder} of {mails}", "{folder}"),
}
"""The act in words, and its target."""


class Readable(Protocol):
    """The part of a store that is needed here."""

    async def query(self, wanted: ContextFilter, /) -> list[Context]: ...


@dataclass(slots=True)
class Item(Record):
    """One mail of an act: what a person knows it by, and the copies that the act is about."""

    id: str
    subject: str
    sender: str
    message_id: str = ""
    places: list[str] = field(default_factory=list)


Plan = dict[str, list[Item]]
"""What is to be done, by account."""


async def planned(
    store: Readable, filers: Mapping[str, Filer], mails: Collection[str], filing: Filing, only: str = ""
) -> Plan:
    """Return what ``filing`` of ``mails`` (ids) comes to. Raises ``ToolError`` if that is nothing, or is not possible.

    ``only``: the one account in question; copies elsewhere are left alone.
    """
    wanted = sorted(set(mails))
    raws = await store.query(
        ContextFilter(namespaces=[RAW], context_ids=wanted, limit=None, include_expired=True) if wanted else _NOTHING
    )
    found = await store.query(
        ContextFilter(namespaces=[STATES], context_ids=wanted, limit=None) if wanted else _NOTHING
    )
    states = {each.id: each for each in MailState.readable(found)}
    plan: Plan = {}
    why: dict[str, None] = {}
    for raw in raws:
        copies = states[raw.context_id].copies if raw.context_id in states else _as_taken_in(raw.data)
        copies = [copy for copy in copies if only in ("", copy.account)]
        chosen = chosen_copies(filing, copies)
        if not chosen:
            why[_nothing(filing, copies)] = None
        for copy in chosen:
            filer = filers.get(copy.account)
            if filer is None:
                why[f"in {copy.folder or copy.account} Pepper only reads mail: nothing there can be changed"] = None
                continue
            if filing.act not in filer.acts:
                why[f"the account {copy.account} can't do this: {filing.act}"] = None
                continue
            items = plan.setdefault(copy.account, [])
            if not items or items[-1].id != raw.context_id:
                items.append(_item(raw.data))
            items[-1].places.append(copy.place)
    if len(raws) < len(wanted):
        why["there is no such mail"] = None
    if not plan:
        raise ToolError("; ".join(why) or "there is no such mail")
    return plan


_NOTHING: Final = ContextFilter(namespaces=[RAW], limit=0)


def chosen_copies(filing: Filing, copies: Sequence[Copy]) -> list[Copy]:
    """Return the copies that an act is about."""
    there = [copy for copy in copies if "deleted" not in copy.marks]
    match filing.act:
        case "archive" | "move":
            ways = ([copy for copy in there if copy.use == use] for use in (*_MET, *_beyond(filing)))
            met = next((some for some in ways if some), [])
            return [copy for copy in met if copy.folder != filing.folder]
        case "trash" | "junk":
            return [copy for copy in there if copy.use not in (TARGETS[filing.act], *_OWN)]
        case _:
            return [copy for copy in there if copy.use not in _OWN]


def _beyond(filing: Filing) -> tuple[Use, ...]:
    return ("archive", "sent") if filing.act == "move" else ()


def _nothing(filing: Filing, copies: Collection[Copy]) -> str:
    if not copies:
        return "that mail is nowhere any more: it was removed"
    return "that mail is there already" if filing.act in MOVES else "what you have sent is not marked"


def _as_taken_in(raw: Json) -> list[Copy]:
    """Return the copies of a mail whose state was never reported: where it was when it came in."""
    account, label = str(raw.get("account") or ""), str(raw.get("label") or "")
    use: Use = "inbox" if label.upper() == "INBOX" else ""
    newest = raw.get("files", [])[-1:] if account else []
    return [Copy(f"{root}/{name}", account, label, use) for root, name in newest]


def _item(raw: Json) -> Item:
    sender = raw.get("sender") or {}
    who = " ".join(filter(None, [str(sender.get("name") or ""), f"<{sender.get('address') or ''}>"]))
    return Item(
        str(raw["id"]),
        one_line(str(raw.get("subject") or "(no subject)"), 120),
        one_line(who, 120),
        str(raw.get("message_id") or ""),
    )


async def named_folder(filers: Iterable[Filer], filing: Filing) -> Filing:
    """Return ``filing`` with the name of its folder as the accounts write it. Raises ``FolderError``."""
    name = one_line(filing.folder, _LONGEST_NAME).strip()
    if filing.act not in NAMED:
        return replace(filing, folder="")
    if filing.act != "move":
        if not name:
            raise FolderError("which label?", [])
        return replace(filing, folder=name)
    known = [await filer.folders() for filer in filers]
    common = [each for each in (known[0] if known else []) if all(each in some for some in known)]
    if name in common:
        return replace(filing, folder=name)
    alike = [each for each in common if name and name.casefold() in (each.casefold(), _last(each).casefold())]
    if len(alike) == 1:
        return replace(filing, folder=alike[0])
    near = alike or [each for each in common if name.casefold() in each.casefold()] or common
    words = f"there is no folder {one_line(name, 60)!r}" if name and not alike else "move to which folder?"
    raise FolderError(words, near)


class FolderError(ToolError):
    """The folder's name is missing, or fits none or several. ``folders`` are those that it may be."""

    def __init__(self, words: str, folders: Sequence[str]) -> None:
        super().__init__(words)
        self.folders = list(folders)


def _last(name: str) -> str:
    return name.replace(".", "/").rpartition("/")[2]


def effect_of(tool: Tool, account: str, filing: Filing, items: Sequence[Item]) -> ResolvedEffect:
    """Return the effect of filing ``items``, which are all of ``account``."""
    act, target = _SAID[filing.act]
    folder = one_line(filing.folder, _LONGEST_NAME)
    lines = [CardLine("Account", account, settled=True), CardLine("Act", _words(act, "these mails", folder))]
    if target:
        lines.append(CardLine("Folder", target.format(folder=folder)))
    if filing.leaving:
        lines.append(CardLine("Label", f"{one_line(filing.leaving, _LONGEST_NAME)} is taken off"))
    # they only tell which mails these are: nothing goes to an address in them
    lines += [CardLine("Mail", f"{each.subject} — {each.sender}", settled=True) for each in items]
    payload: Json = {
        "act": filing.act,
        "folder": filing.folder,
        "mails": [each.data() for each in items],
        **({"leaving": filing.leaving} if filing.leaving else {}),
    }
    return ResolvedEffect(tool.name, tool.definition, account, summary_of(filing, items), lines, payload)


def summary_of(filing: Filing, items: Sequence[Item]) -> str:
    """Return the act on ``items`` in one line."""
    named = ", ".join(one_line(each.subject, 60) for each in items[:_NAMED_IN_SUMMARY])
    more = ", …" if len(items) > _NAMED_IN_SUMMARY else ""
    act = _words(_SAID[filing.act][0], counted(len(items)), one_line(filing.folder, 80))
    return f"{act}: {named}{more}"


def _words(act: str, mails: str, folder: str) -> str:
    return act.format(mails=mails, folder=f"“{folder}”" if folder else "")


def counted(count: int) -> str:
    return "1 mail" if count == 1 else f"{count} mails"
