"""All rows: each file of them puts its own into the table."""

from __future__ import annotations

from tests.attack import calendar, files, filing, invitations, local_user, mail, model, page, server, terminal
from tests.attack.row import TABLE

__all__ = [
    "TABLE",
    "calendar",
    "files",
    "filing",
    "invitations",
    "local_user",
    "mail",
    "model",
    "page",
    "server",
    "terminal",
]
