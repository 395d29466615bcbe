"""Which mail a nudge answers, and in which words: by the card that says that no answer came, or by its follow-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pepper_tui.domains.mail.writing.nudge import TEMPLATE, nudge_text
from pepper_tui.model import EngineError, FollowUp, FollowUpState, Namespace, Notification
from pepper_tui.rules.acting.draft import filled
from pepper_tui.store import ContextStore

_SIGNAL: Final = f"{Namespace.SIGNALS}.follow_up:signal_"


class Nudges:
    """``templates`` are those of the config, ``me`` is the user's name."""

    def __init__(self, store: ContextStore, templates: Mapping[str, str], locale: str, me: str) -> None:
        self._store, self._templates, self._locale, self._me = store, templates, locale, me

    async def of(self, ref: str) -> tuple[str, str]:
        """Return the Message-ID of the mail that ``ref`` waits for an answer to, and the text of the nudge."""
        waits = await self._waits(ref)
        if waits.state is FollowUpState.ANSWERED:
            raise EngineError("an answer has come meanwhile")
        own = self._templates.get(TEMPLATE, "")
        facts = {"sender": waits.parties[0], "sender_name": waits.who, "subject": waits.subject}
        text = filled(own, facts, self._me) if own.strip() else nudge_text(waits, self._locale, self._me)
        return waits.message_ids[0], text

    async def _waits(self, ref: str) -> FollowUp:
        kind, _, ident = ref.partition(":")
        if kind == Namespace.NOTIFICATION:
            card = Notification.one(await self._store.get(ident, namespace=Namespace.NOTIFICATION))
            source = card.source if card is not None else ""
            ident = source.removeprefix(_SIGNAL) if source.startswith(_SIGNAL) else ""
        waits = FollowUp.one(await self._store.get(ident, namespace=Namespace.FOLLOW_UP)) if ident else None
        if waits is None or not waits.message_ids or not waits.parties:
            raise EngineError("this card waits for nobody's answer, so there is nobody to remind")
        return waits
