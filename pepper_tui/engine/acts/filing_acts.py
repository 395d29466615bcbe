"""The user's own key on named mails: archive, trash, move, mark. It is proposal and yes in one.

Each act is one call of ``file_mail`` per account (and per ``MOST`` mails), stored with an approval that binds exactly
these mails, in one commit with the record of the act and the end of the items that it was about. The tool engine makes
the attempt, once. It is undone by calls of its own, made from what became of each copy.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.domains.mail.at_source.elsewhere import ReadEnds, cards_of
from pepper_tui.domains.mail.at_source.filing import ACTS, NAMED, Filer, Filing
from pepper_tui.domains.mail.at_source.own_filing import BY_KEY
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.domains.mail.tools.filed import FILED, FiledCall, filed_call
from pepper_tui.domains.mail.tools.filing_plan import MOST, FolderError, Plan, effect_of, named_folder, planned
from pepper_tui.engine.acts.card_acts import CardActs
from pepper_tui.engine.acts.one_act import one_act, settled
from pepper_tui.engine.acts.under_way import CallsUnderWay
from pepper_tui.engine.acts.undo import Room, UndoJournal
from pepper_tui.model import (
    CallState,
    ChoiceError,
    EngineError,
    Moved,
    Namespace,
    Notification,
    ResolvedEffect,
    SettledError,
    ToolCall,
)
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line
from pepper_tui.tools import Tool, ToolError
from pepper_tui.tools.approvals.approvals import Approvals

MOST_AT_ONCE: Final = 1_000
"""Mails of one act."""
_ENDS: Final = frozenset({"archive", "trash", "junk", "move", "read"})
"""Acts that end the items that they are about."""
_BY_UNDO: Final = "user's undo"
_FILED: Final = "filed"


class Orders:
    """Makes calls of the tool that files mails, each with its approval. Writes in the caller's unit."""

    def __init__(
        self, store: ContextStore, clock: Clock, approvals: Approvals, tool: Tool, filers: Mapping[str, Filer]
    ) -> None:
        self.store, self.approvals, self.filers = store, approvals, filers
        self.clock, self._tool = clock, tool

    def effects(self, filing: Filing, plan: Plan) -> list[ResolvedEffect]:
        """Return what ``plan`` comes to: one effect per account and ``MOST`` mails."""
        return [
            effect_of(self._tool, account, filing, items[at : at + MOST])
            for account, items in plan.items()
            for at in range(0, len(items), MOST)
        ]

    async def make(self, effect: ResolvedEffect) -> ToolCall:
        """Make the call of ``effect``."""
        payload = effect.payload
        ids = [str(each["id"]) for each in payload["mails"]]
        arguments = {"mails": ids, "act": payload["act"], "folder": payload["folder"]}
        return await self.approvals.by_key.order(effect, arguments, BY_KEY)


class FilingActs:
    """Files what the user names by a key. ``read_ends``: see ``Elsewhere``. Raises ``EngineError``."""

    def __init__(self, orders: Orders, cards: CardActs, journal: UndoJournal, read_ends: ReadEnds) -> None:
        self._orders, self._cards, self._journal, self._read_ends = orders, cards, journal, read_ends
        self._store = orders.store
        self._one_at_a_time = asyncio.Lock()

    async def file(self, refs: Sequence[str], act: str, folder: str = "") -> str:
        """Do ``act`` to the mails of ``refs``; most acts end their items. See ``InboxActs.file``."""
        known = next((each for each in ACTS if each == act), None)
        if known is None:
            raise EngineError(f"there is no act {one_line(act, 40)!r}; there are: {', '.join(ACTS)}")
        mails = [mail for ref in dict.fromkeys(refs) for mail in await self._mails(ref)]
        if not mails:
            raise EngineError("there is no mail behind this")
        if len(set(mails)) > MOST_AT_ONCE:
            raise EngineError(f"at most {MOST_AT_ONCE:,} mails at once")
        filing = Filing(known, folder)
        async with self._one_at_a_time:
            with _asked():
                plan = await planned(self._store, self._orders.filers, mails, filing)
                if known in NAMED:
                    filing = await named_folder([self._orders.filers[each] for each in plan], filing)
                    plan = await planned(self._store, self._orders.filers, mails, filing)
            effects = self._orders.effects(filing, plan)
            for effect in effects:
                if why := await self._orders.approvals.by_key.not_now(effect):
                    raise EngineError(why)
            async with one_act(self._journal) as acted:
                for effect in effects:
                    call = await self._orders.make(effect)
                    detail = {"mails": call.arguments["mails"], "act": filing.act, "folder": filing.folder}
                    acted.moved.append(
                        Moved(Namespace.TOOL_CALL, call.id, _FILED, {**detail, "account": effect.account})
                    )
                acted.words = "; ".join(effect.summary for effect in effects)
                not_done = (
                    await self._cards.end(acted, *await self._items(refs, mails, known)) if known in _ENDS else ""
                )
        return "; ".join(filter(None, [one_line(acted.words, 120), not_done, "u takes it back"]))

    async def _items(self, refs: Sequence[str], mails: Sequence[str], act: str) -> list[str]:
        """Return what ends with the act, and comes back with it: the items named, and the cards of these mails."""
        cards = await cards_of(self._store, mails, self._read_ends, read=act == "read")
        return list(dict.fromkeys([*refs, *(f"notification:{each}" for each in cards)]))

    async def _mails(self, ref: str) -> list[str]:
        """Return the ids of the mails that ``ref`` is about."""
        kind, _, ident = ref.partition(":")
        match kind:
            case "mail":
                return [ident]
            case "notification":
                notice = Notification.one(await self._store.get(ident, namespace=Namespace.NOTIFICATION))
                return await self._mail_of(notice.source) if notice is not None else []
            case "approval":
                card = await self._orders.approvals.by_key.card(ident)
                call = await self._store.get(card.call, namespace=Namespace.TOOL_CALL) if card is not None else None
                answered = str(call.data["arguments"].get("message_id") or "") if call is not None else ""
                mail = await Mailbox(self._store).read(answered) if answered else None
                return [str(mail["id"])] if mail is not None else []
        return []

    async def _mail_of(self, source: str) -> list[str]:
        space, _, ident = source.partition(":")
        if space == f"{Namespace.RAW}.mail":
            return [ident]
        signal = await self._store.get(ident, namespace=space) if space.startswith(f"{Namespace.SIGNALS}.") else None
        metadata = signal.data.get("metadata") if signal is not None else None
        raw = str(metadata.get("raw") or "") if isinstance(metadata, dict) else ""
        return [raw] if raw and await self._store.get(raw, namespace=f"{Namespace.RAW}.mail") is not None else []


@contextlib.contextmanager
def _asked() -> Iterator[None]:
    """Convert refusals of the domain: a folder that is missing is a choice."""
    try:
        yield
    except FolderError as error:
        raise ChoiceError(str(error), [(folder, folder) for folder in error.folders]) from error
    except ToolError as error:
        raise EngineError(str(error), error.remedy) from error


class FilingMoves:
    """Undo and redo of filing. What has not begun is withdrawn; what was done is reversed by a new call."""

    def __init__(self, orders: Orders) -> None:
        self._orders, self._store = orders, orders.store
        self._under_way = CallsUnderWay(orders.store, orders.clock)

    async def back(self, moved: Sequence[Moved]) -> str:
        return await self._each(moved, again=False)

    async def again(self, moved: Sequence[Moved]) -> str:
        return await self._each(moved, again=True)

    async def _each(self, moved: Sequence[Moved], *, again: bool) -> str:
        words: list[str] = []
        why: list[str] = []
        async with self._store.unit():
            for one in moved:
                for call in await self._last(one.id):
                    try:
                        words.append(await self._turned(call, one, again=again))
                    except SettledError as error:
                        why.append(str(error))
            if not words:
                raise SettledError("; ".join(dict.fromkeys(why)) or "what was filed is gone")
        return "; ".join(dict.fromkeys([*words, *why]))

    async def _last(self, call_id: str) -> list[ToolCall]:
        """Return the calls that hold what the act has come to: those that took it back, or did it again, if any."""
        filed = await filed_call(self._store, call_id)
        if filed is not None and filed.then:
            return [call for each in filed.then for call in await self._last(each)]
        call = ToolCall.one(await self._store.get(call_id, namespace=Namespace.TOOL_CALL))
        return [call] if call is not None else []

    async def _turned(self, call: ToolCall, moved: Moved, *, again: bool) -> str:
        called = one_line(call.summary or call.name, 80)
        self._under_way.refuse(call, f"“{called}” is being done")
        match call.state:
            case CallState.WAITING_APPROVAL:
                with settled():
                    await self._orders.approvals.withdraw(call.approval, _BY_UNDO)
                return f"not done: {called}"
            case CallState.SUCCEEDED:
                return await self._reversed(call, called)
            case CallState.UNKNOWN:
                raise SettledError(f"whether this was done is not known, so it can't be taken back: {called}")
        if again:
            return await self._anew(call, moved)
        retry = await self._orders.approvals.by_key.asked_again(call.approval)
        if retry is None:
            raise SettledError(f"it was not done: {called}")
        with settled():
            await self._orders.approvals.withdraw(retry.id, _BY_UNDO)
        return f"not done: {called}"

    async def _reversed(self, call: ToolCall, called: str) -> str:
        filed = await filed_call(self._store, call.id)
        inverses = filed.inverses() if filed is not None else {}
        if filed is None or not inverses:
            known = filed is not None and not any(copy.act for copy in filed.copies)
            why = "nothing changed by it" if known else "where these mails lie now is not known"
            raise SettledError(f"this can't be taken back, as {why}: {called}")
        said: list[str] = []
        for (act, folder, leaving), items in inverses.items():
            filing = Filing(next(each for each in ACTS if each == act), folder, leaving=leaving)
            for effect in self._orders.effects(filing, {filed.account: items}):
                filed.then.append((await self._orders.make(effect)).id)
                said.append(effect.summary)
        await self._store.put(filed, namespace=FILED)
        lost = sum(1 for copy in filed.copies if copy.act and not copy.place)
        note = f"where {lost} of these mails lie now is not known" if lost else ""
        return "; ".join(filter(None, [*said, note]))

    async def _anew(self, call: ToolCall, moved: Moved) -> str:
        """Do again what was withdrawn before it began."""
        detail = moved.detail
        filing = Filing(next(each for each in ACTS if each == detail["act"]), str(detail["folder"]))
        account = str(detail["account"])
        try:
            plan = await planned(self._store, self._orders.filers, detail["mails"], filing, only=account)
        except ToolError as error:
            raise SettledError(str(error)) from error
        filed = FiledCall(call.id, account)
        said: list[str] = []
        for effect in self._orders.effects(filing, plan):
            filed.then.append((await self._orders.make(effect)).id)
            said.append(effect.summary)
        await self._store.put(filed, namespace=FILED)
        return "; ".join(said)


class CallMoves:
    """The acts on calls, each by what it made of the call: an answer's order, or a filing."""

    def __init__(self, rooms: Mapping[str, Room]) -> None:
        self._rooms = rooms

    async def back(self, moved: Sequence[Moved]) -> str:
        return await self._rooms[moved[0].to].back(moved)

    async def again(self, moved: Sequence[Moved]) -> str:
        return await self._rooms[moved[0].to].again(moved)
