"""The user's profile: short facts, each under a name; each change is a version that can be brought back.

A fact that the user typed goes into every prompt. One that did not come from the user's own words stays out of it, so
that no mail can plant what Pepper then takes for granted; it is kept, and marked. Its name counts as well, unless it is
a plain one: "forward all mail to …: yes" is not the user's fact just because they once typed "yes".
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Final

from pydantic import Field

from pepper_tui.clock import iso
from pepper_tui.model import Context, Effect, Namespace, Profile
from pepper_tui.text import one_line, visible
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.said import all_typed
from pepper_tui.tools.tool import ToolContext, tool

MAX_FACTS: Final = 60
MAX_VALUE: Final = 500
MAX_MESSAGES: Final = 500
"""User messages that are searched for the words of a fact, newest first."""
_NAME: Final = re.compile(r"[\w][\w .'-]{0,39}")
_NUMBERED: Final = re.compile(r"note \d{1,3}")
_PLAIN: Final = frozenset(
    {
        *("name", "nickname", "phone", "mobile", "email", "address", "home", "city", "birthday", "job", "role"),
        *("employer", "company", "team", "manager", "assistant", "partner", "family", "language", "languages", "tone"),
        *("signature", "time zone", "timezone", "working hours", "working days", "lunch", "meetings", "preference"),
        *("preferences", "diet", "allergies", "travel", "hobbies", "habit", "note"),
    }
)
"""Names that say nothing by themselves, whoever chose them."""
_SHOWN: Final = 20  # versions of a history


@tool(effect=Effect.READ)
async def read_profile(ctx: ToolContext) -> str:
    """Read what is known of the user: facts that they told, and such as were noted from elsewhere."""
    context, profile = await _profile(ctx)
    if not profile.facts:
        return "Nothing is noted of the user yet."
    lines = [f"{name}: {_fact(fact)}" for name, fact in profile.facts.items()]
    return "\n".join([*lines, f"(version {context.version if context else 0})"])


@tool(effect=Effect.LOCAL)
async def update_profile(ctx: ToolContext, value: str, field: str = "") -> str:
    """Keep a lasting fact about the user, in the user's own words; or change or remove one.

    Args:
        value: the fact; empty removes it
        field: its name, e.g. "phone", "working hours"; empty for a new note
    """
    value = " ".join(visible(value).split())
    name = " ".join(visible(field).casefold().split())
    context, profile = await _profile(ctx)
    facts = dict(profile.facts)
    if len(value) > MAX_VALUE:
        raise ToolError(f"'value' is longer than {MAX_VALUE} characters")
    if not name:
        same = next((each for each, fact in facts.items() if fact["value"].casefold() == value.casefold()), "")
        number = next(n for n in range(1, MAX_FACTS + 2) if f"note {n}" not in facts)
        name = same or f"note {number}"
    if not _NAME.fullmatch(name):
        raise ToolError("'field' must be a few words")
    if not value:
        if facts.pop(name, None) is None:
            raise ToolError(f"there is no {one_line(name, 60)!r} in the profile")
    else:
        facts[name] = {"value": value, "typed": await _told(ctx, name, value), "at": ctx.clock.now()}
        if len(facts) > MAX_FACTS:
            raise ToolError(f"the profile is full ({MAX_FACTS} facts); remove one first")
    version = await _put(ctx, context, Profile(facts))
    if not value:
        return f"Removed {name} from the profile. restore_profile(version={version - 1}) takes it back."
    note = "" if facts[name]["typed"] else " It is not in the user's own words, so it stays out of your instructions."
    back = f" restore_profile(version={version - 1}) takes it back." if version > 1 else ""
    return f"Noted in the profile as {name}: {value}.{note}{back}"


@tool(effect=Effect.READ)
async def profile_history(ctx: ToolContext) -> str:
    """List the changes of the profile, newest first, with the version each made."""
    context, _ = await _profile(ctx)
    lines: list[str] = []
    newest = context.version if context else 0
    later = await _version(ctx, newest)
    for number in range(newest, max(0, newest - _SHOWN), -1):
        earlier = await _version(ctx, number - 1)
        if later is not None:
            at = iso(later.updated_at, ctx.zone)
            lines.append(f"version {number} | {at} | {_difference(_facts(earlier), _facts(later))}")
        later = earlier
    return "\n".join(lines) or "The profile has never been changed."


@tool(effect=Effect.LOCAL)
async def restore_profile(ctx: ToolContext, version: Annotated[int, Field(ge=0)]) -> str:
    """Bring the profile back to an earlier version. The changes since stay in its history.

    Args:
        version: as profile_history gives it; 0 for an empty profile
    """
    context, profile = await _profile(ctx)
    wanted = await _version(ctx, version)
    if context is None or version >= context.version or (wanted is None and version):
        raise ToolError(f"there is no earlier version {version} of the profile")
    facts = _facts(wanted)
    now = await _put(ctx, context, Profile(facts))
    return f"The profile is as it was at version {version} (now version {now}): {_difference(profile.facts, facts)}"


async def _profile(ctx: ToolContext) -> tuple[Context | None, Profile]:
    context = await ctx.store.get(Profile.ID, namespace=Namespace.PROFILE)
    return context, Profile.of(context) if context else Profile()


async def _version(ctx: ToolContext, version: int) -> Context | None:
    return await ctx.store.get(Profile.ID, namespace=Namespace.PROFILE, version=version) if version > 0 else None


def _facts(context: Context | None) -> dict[str, dict[str, object]]:
    return dict(Profile.of(context).facts) if context else {}


async def _put(ctx: ToolContext, context: Context | None, profile: Profile) -> int:
    """Store the profile, and return its version."""
    before = context.version if context else 0
    if context is not None and Profile.of(context).facts == profile.facts:
        return before
    text = "\n".join(f"{name}: {fact['value']}" for name, fact in profile.facts.items())
    await ctx.store.put(
        replace(profile), namespace=Namespace.PROFILE, context_id=Profile.ID, text=text, expect_version=before
    )
    return before + 1


async def _told(ctx: ToolContext, name: str, value: str) -> bool:
    """Check whether the user has typed exactly these words, and the name unless it is a plain one."""
    said = [" ".join(visible(piece).casefold().split()) for piece in await all_typed(ctx.store, MAX_MESSAGES)]
    words = [value.casefold().strip(" .!")]
    if name not in _PLAIN and not _NUMBERED.fullmatch(name):
        words.append(name)
    return all(any(_holds(one, each) for one in said) for each in words)


def _holds(text: str, words: str) -> bool:
    """Check whether ``words`` occur in ``text`` as whole words."""
    return bool(words) and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def _fact(fact: dict[str, object]) -> str:
    return f"{fact['value']}" + ("" if fact["typed"] else " (not in the user's words)")


def _difference(before: dict[str, dict[str, object]], after: dict[str, dict[str, object]]) -> str:
    changes = [
        f"{name}: {_fact(fact)}" for name, fact in after.items() if before.get(name, {}).get("value") != fact["value"]
    ]
    changes += [f"{name} removed" for name in before if name not in after]
    return "; ".join(changes) or "nothing changed"


PROFILE_TOOLS: Final = (read_profile, update_profile, profile_history, restore_profile)
