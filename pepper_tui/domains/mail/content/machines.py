"""Which mail a machine sent: it is not answered (RFC 3834, section 2), and answers nothing.

These are automatic mail, lists, bounces, and addresses that say that nobody reads them. ``mail`` is as in ``raw.mail``.
"""

from __future__ import annotations

from typing import Final

from pepper_tui.model import Json
from pepper_tui.text.addresses import nobody_reads

AUTOMATIC: Final = frozenset({"x-autoreply", "x-autorespond", "x-autoresponder", "x-failed-recipients"})
"""Headers that only programs set."""
FORGE: Final = (
    "x-github-reason", "x-gitlab-notificationreason", "x-gitlab-pipeline-status", "x-gitea-reason", "x-forgejo-reason"
)  # fmt: skip
"""The headers in which a forge says why it writes."""
_OF_LISTS: Final = ("list-id", "list-unsubscribe", "list-unsubscribe-post", "list-post")
NOTED: Final = (*_OF_LISTS, "precedence", "return-path", *sorted(AUTOMATIC), *FORGE)
"""The headers that reveal a machine, besides Auto-Submitted, and how a list is left or written to."""


def is_list(mail: Json) -> bool:
    """Check whether a mailing list sent it, or somebody to many recipients."""
    headers = mail["list_headers"]
    known = {"list-id", "list-post", "list-unsubscribe"} & headers.keys()
    return bool(known) or _precedence(mail) in ("list", "bulk", "junk")


def is_automatic(mail: Json) -> bool:
    """Check whether a program wrote it: an absence, a bounce, a notice."""
    headers = mail["list_headers"]
    return (
        mail["auto_submitted"] not in ("", "no")
        or bool(AUTOMATIC & headers.keys())
        or _precedence(mail) == "auto_reply"
        or headers.get("return-path", "").strip() == "<>"
    )


def _precedence(mail: Json) -> str:
    return str(mail["list_headers"].get("precedence", "")).strip().lower()


def by_a_machine(mail: Json) -> bool:
    """Check whether a program wrote it, by its headers or by its sender's address."""
    return is_automatic(mail) or nobody_reads(str(mail["sender"]["address"]))
