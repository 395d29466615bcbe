"""The user's profile for every prompt: who they are, who matters to them, and what time it is for them.

It holds only what the config says or the user has typed: it is trusted, and changes seldom, so that providers' caches
keep it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.clock import iso
from pepper_tui.config import User
from pepper_tui.model import Context, Namespace, Profile
from pepper_tui.store import Store
from pepper_tui.text import attribute, escape, shorten

_NAMED: Final = 50  # maximum addresses per kind


def profile_text(user: User, told: Mapping[str, str] | None = None, limit: int | None = None) -> str:
    """Return what is known of ``user``, as a tag; empty for nothing.

    ``told``: facts that they told of themselves, by name. ``limit``: characters; a cut is marked.
    """
    facts = (
        ("name", user.name),
        ("addresses", _listed(user.addresses)),
        ("VIPs, who always matter", _listed(user.vips)),
    )
    lines = [f"{name}: {escape(value)}" for name, value in facts if value]
    lines += [escape(user.profile)] if user.profile else []
    lines += [f"{escape(name)}: {escape(value)}" for name, value in (told or {}).items()]
    text = "\n".join(lines)
    if limit is not None and len(text) > limit:
        text = f"{shorten(text, limit)}\n[cut: read_profile has the rest]"
    return f"<profile>\n{text}\n</profile>" if text else ""


def told_in(profile: Context | None) -> dict[str, str]:
    """Return the facts of a stored profile that are in the user's own typed words."""
    facts = Profile.of(profile).facts if profile is not None else {}
    return {name: str(fact["value"]) for name, fact in facts.items() if fact["typed"]}


async def profile_of(store: Store, user: User, limit: int | None = None) -> str:
    """Return ``profile_text`` with what the store now holds about the user."""
    return profile_text(user, told_in(await store.get(Profile.ID, namespace=Namespace.PROFILE)), limit)


def now_text(now: float, zone: tzinfo) -> str:
    """Return the user's local time as a tag: weekday, date, hour, and the zone by name."""
    said = f"{datetime.fromtimestamp(now, zone):%A} {iso(now, zone)}"
    return f'<now zone="{attribute(str(zone))}">{said}</now>'


def _listed(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - _NAMED} more" if len(addresses) > _NAMED else ""
    return ", ".join(addresses[:_NAMED]) + more
