"""The bytes of one mail at the server, over a link of its own: it is asked for rarely, and the feed's is busy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pepper_tui.clock import Clock, in_thread
from pepper_tui.config import ConfigError
from pepper_tui.connectors.bearer import Credential
from pepper_tui.connectors.imap.connection.link import linked
from pepper_tui.connectors.imap.connection.trouble import ServerError
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.model import Json
from pepper_tui.tools.errors import ToolError

_ROOT: Final = "imap:"


@dataclass(frozen=True, slots=True)
class Originals:
    """The mails of one account; see ``Original``. ``password`` returns the secret's current value."""

    ident: str
    settings: Imap
    password: Callable[[], Credential]
    clock: Clock

    async def __call__(self, mail: Json) -> bytes | None:
        """Return the bytes of ``mail``; ``None`` if it is not of this account, or not in its folder any more."""
        folder, (root, name) = str(mail.get("label") or ""), next(iter(mail.get("files") or []), ("", ""))
        if mail.get("account") != self.ident or not root.startswith(_ROOT):
            return None
        validity, _, uid = str(name).partition(".")
        most = self.settings.max_bytes
        try:
            password = await in_thread(self.password)
            async with linked(self.settings, self.ident, password, self.clock) as link:
                opened = await link.do(link.session.open, folder)
                if str(opened.validity) != validity or not uid.isdecimal():
                    return None
                found = await link.do(link.session.bodies, [int(uid)], most, most)
        except (ServerError, ConfigError) as error:
            raise ToolError(f"the mail can't be had from its server now: {error}") from error
        if found and len(found[0].source) >= most:
            raise ToolError("the mail is larger than what is read of one")
        return found[0].source if found else None
