"""One act of the table of keys, and the groups that people see."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One act and its keys (Textual names, comma separated). ``palette``: it is also in the command palette.

    ``yields``: if a config gives one of its keys to another act, it keeps the others, so that a new key breaks no old
    config.
    """

    id: str
    keys: str
    action: str
    where: str
    group: str
    description: str
    palette: bool = False
    priority: bool = False
    yields: bool = False

    @property
    def action_anywhere(self) -> str:
        """The action by which the palette does it: an act of the inbox is about its open card."""
        return self.action.replace("act(", "head(", 1) if self.where == "inbox" else self.action
