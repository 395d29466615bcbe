"""The head of every prompt of the scheduler: the rules, and what the user has told of themselves.

It changes only with the profile, so that providers can keep it cached.
"""

from __future__ import annotations

from pepper_tui.config import User
from pepper_tui.llm.profile import told_in
from pepper_tui.model import Namespace, Profile
from pepper_tui.scheduler.prompt.prompts import system_prompt
from pepper_tui.store import Store


class Head:
    """The stable head of the prompt. ``refresh`` before using ``text``."""

    def __init__(self, store: Store, user: User) -> None:
        self._store, self._user = store, user
        self._version = 0
        self.text = system_prompt(user)

    async def refresh(self) -> None:
        """Pick up a change of the profile."""
        found = await self._store.get(Profile.ID, namespace=Namespace.PROFILE)
        version = found.version if found else 0
        if version != self._version:
            self.text, self._version = system_prompt(self._user, told_in(found)), version
