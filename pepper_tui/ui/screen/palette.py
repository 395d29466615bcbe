"""The command palette, made from the key table."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from pepper_tui.ui.shared.keys import KEYS, names_of


class KeyTableCommands(Provider):
    """Every action that the key table offers by name."""

    async def discover(self) -> Hits:
        names = names_of(self.app)
        for key in KEYS:
            if key.palette:
                yield DiscoveryHit(
                    key.description, partial(self.app.run_action, key.action_anywhere), help=names.all_of(key.id)
                )

    async def search(self, query: str) -> Hits:
        matcher, names = self.matcher(query), names_of(self.app)
        for key in KEYS:
            score = matcher.match(key.description) if key.palette else 0
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(key.description),
                    partial(self.app.run_action, key.action_anywhere),
                    help=names.all_of(key.id),
                )
