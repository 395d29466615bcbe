"""Guards that can be let down, one at a time: a table of attacks that finds nothing must find something then."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from pepper_tui import text
from pepper_tui.domains.files import folders
from pepper_tui.domains.mail import attachments
from pepper_tui.domains.mail.tools import composing
from pepper_tui.domains.memory import profile_tools
from pepper_tui.domains.web import fetch
from pepper_tui.model import Written
from pepper_tui.scheduler.prompt import prompts
from pepper_tui.text import addresses, safe
from pepper_tui.tools.approvals import policy, provenance
from pepper_tui.tools.approvals.approvals import Approvals
from pepper_tui.tools.tool import Tool
from pepper_tui.ui.screen.inbox import cards
from tests.attack.puppet import WAITS, Puppet
from tests.attack.row import Harm

Patch = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Guard:
    """``patches`` let it down; attacks whose names hold one of ``attacks`` must do ``harm`` then, or (none) fail."""

    patches: tuple[Patch, ...]
    attacks: tuple[str, ...]
    harm: Harm | None


async def _approved_at_once(self: Approvals, call: Any, *args: Any, **more: Any) -> None:
    card = await _open(self, call, *args, **more)
    with contextlib.suppress(Exception):
        await self.approve(card)


_open: Final = Approvals.open


async def _any_leave(self: provenance.Provenance, address: str, call: Any) -> str:
    return f"any {address}"


def _anywhere(given: Path, allowed: Any) -> Iterator[tuple[Path, Path]]:
    for folder in allowed:
        with contextlib.suppress(OSError):
            yield Path("/"), (folder.resolve() / given).resolve(strict=True)


def _all_typed(self: Written) -> list[str]:
    return [self.text]


def _of(target: Any, name: str, new: Any) -> Patch:
    return lambda: patch.object(target, name, new)


def _drawn_all() -> re.Pattern[str]:
    return re.compile(r"(?P<drawn>[\s\S]+)")


GUARDS: Final[dict[str, Guard]] = {
    "policy": Guard(
        (_of(Approvals, "open", _approved_at_once),),
        ("as a mail orders", "an event without", "write without", "pause_rule ordered"),
        Harm.EFFECT,
    ),
    "hash": Guard(
        (_of(attachments.Attachment, "__eq__", lambda one, other: True), _of(composing, "_digest", lambda words: "")),
        ("same size",),
        Harm.EFFECT,
    ),
    "leave": Guard((_of(provenance.Provenance, "leave", _any_leave),), ("of a mail's", "letter an"), Harm.REQUEST),
    "origin": Guard((_of(Written, "typed", _all_typed),), ("letter an", "lasting wish that was"), Harm.REQUEST),
    "public": Guard((_of(fetch, "is_public", lambda address: True),), ("a private", "two addresses"), Harm.REQUEST),
    "same site": Guard((_of(fetch, "same_site", lambda one, other: True),), ("a redirect to",), Harm.REQUEST),
    "spelled text": Guard((_of(safe, "_drawn", _drawn_all),), ("l: fillers", "selectors", "turned text"), Harm.BYTES),
    "escaped prompts": Guard((_of(prompts, "escape", text.clean),), ("page that gives", "a note as"), Harm.BYTES),
    "secret names": Guard((_of(folders, "is_secret", lambda name: False),), ("a hidden file", "s: a key"), Harm.BYTES),
    "roots": Guard((_of(folders, "inside", _anywhere),), ("files: dots", "files: a link"), Harm.BYTES),
    "no links": Guard((_of(os, "O_NOFOLLOW", 0),), ("a race",), Harm.BYTES),
    "sameness": Guard(
        (_of(sys.modules[Tool.__module__], "normalised", lambda value, name="": value),),
        ("was rejected, once more",),
        Harm.BYTES,
    ),
    "caps": Guard((_of(policy.Room, "take", lambda self, call, ordered=False: ""),), ("flood of cards",), Harm.BYTES),
    "marks": Guard((_of(addresses, "alike", lambda address, known: ""),), ("a sender like ann",), Harm.BYTES),
    "own words": Guard((_of(profile_tools, "_told", lambda *args: _yes()),), ("wish from a mail",), Harm.BYTES),
    "labels": Guard((_of(cards, "label_words", lambda line: line.label),), ("names of arguments",), Harm.BYTES),
    "the script": Guard((_of(Puppet, "_next", lambda self, request: WAITS),), ("an event without", "of cards"), None),
}
"""By name. The last one is the harness's own: where the model does not play its part, nothing was tried."""


async def _yes() -> bool:
    return True


@contextlib.contextmanager
def broken(name: str) -> Iterator[None]:
    """Let a guard down."""
    with contextlib.ExitStack() as stack:
        for each in GUARDS[name].patches:
            stack.enter_context(each())
        yield
