"""How the deliveries are, for whoever shows what works and what does not: in trouble while something was given up."""

from __future__ import annotations

from typing import Final

from pepper_tui.model import Health

PART: Final = "deliveries"


def gave_up(detail: str, now: float) -> Health:
    remedy = "pepper store dead shows them, and --redrive tries them again"
    return Health(PART, "trouble", detail, remedy, now)


def tried_again(count: int, now: float) -> Health:
    return Health(PART, "ok", f"{count} tried again", "", now)
