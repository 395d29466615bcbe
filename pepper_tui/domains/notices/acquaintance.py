"""How well the user knows a sender, and whom an inbox item is said to be from.

Trust rests on what the user did, never on what a stranger's text says: an address is the user's own, a VIP of the
config, one that the user has written to, one that wrote before, or unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

from pepper_tui.model import ContextFilter, Namespace, Notification, Signal, Trust
from pepper_tui.store import Store
from pepper_tui.text import one_line

_RAW_MAIL = f"{Namespace.RAW}.mail"


class Acquaintance:
    """Reads the store; writes nothing. ``own`` and ``vips`` are addresses, VIPs also domains as ``@example.com``."""

    def __init__(self, store: Store, own: Sequence[str] = (), vips: Sequence[str] = ()) -> None:
        self._store = store
        self._own = {address.lower() for address in own}
        self._vips = tuple(vip.lower() for vip in vips)

    async def trust(self, address: str) -> Trust:
        """Return how well the user knows ``address``."""
        address = address.strip().lower()
        if not address:
            return Trust.UNKNOWN
        if address in self._own:
            return Trust.USER
        if any(address.endswith(vip) if vip.startswith("@") else address == vip for vip in self._vips):
            return Trust.VIP
        for namespace in (Namespace.PEOPLE, Namespace.WRITTEN):
            if await self._store.get(address, namespace=namespace) is not None:
                return Trust.WRITTEN_TO
        wrote = await self._store.query(
            ContextFilter(namespaces=[_RAW_MAIL], tags=[f"sender:{address}"], limit=2, include_expired=True)
        )
        return Trust.KNOWN if len(wrote) > 1 else Trust.UNKNOWN

    async def introduce(self, item: Notification) -> None:
        """Fill in from its source what ``item`` lacks: who it is from, its subject, its matter."""
        namespace, _, ident = item.source.partition(":")
        doubted = False
        if namespace.startswith(f"{Namespace.SIGNALS}.") and ident:
            saved = await self._store.get(ident, namespace=namespace)
            if (signal := Signal.one(saved)) is not None:
                facts = signal.metadata
                doubted = bool(facts.get("doubts"))
                item.sender = item.sender or str(facts.get("sender") or "").lower()
                item.who = item.who or one_line(str(facts.get("sender_name") or ""), 80)
                item.subject = item.subject or one_line(str(facts.get("subject") or facts.get("summary") or ""), 200)
                item.matter = item.matter or signal.matter
                if item.matter == signal.matter:
                    item.matter_kind = signal.matter_kind
        if item.sender:  # who it may not be is nobody that the user knows
            item.trust = str(Trust.UNKNOWN if doubted else await self.trust(item.sender))
