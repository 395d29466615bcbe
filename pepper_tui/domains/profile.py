"""What every model is told of the user: name, addresses, what the config says of them, and what they said themselves.

A fact that the user did not type stays out: see the tools of the profile.
"""

from __future__ import annotations

from collections.abc import Mapping

from pepper_tui.config import User
from pepper_tui.model import Context, Profile
from pepper_tui.text import escape, shorten


def facts_told(profile: Context | None) -> dict[str, str]:
    """The facts in the user's own words, by name."""
    facts = Profile.of(profile).facts if profile else {}
    return {name: str(fact["value"]) for name, fact in facts.items() if fact["typed"]}


def profile_text(user: User, told: Mapping[str, str] | None = None, limit: int | None = None) -> str:
    """All that is known of the user as one tag; empty where nothing is. ``limit``: characters; a cut is said."""
    facts = []
    if user.name:
        facts.append(f"name: {escape(user.name)}")
    if user.addresses:
        facts.append("addresses: " + ", ".join(escape(a) for a in user.addresses))
    if user.profile:
        facts.append(escape(user.profile))
    facts += [f"{escape(name)}: {escape(value)}" for name, value in (told or {}).items()]
    text = "\n".join(facts)
    if limit is not None and len(text) > limit:
        text = f"{shorten(text, limit)}\n[cut: read_profile has the rest]"
    return f"<profile>\n{text}\n</profile>" if text else ""
