"""The outside world: an SMTP server that counts, and that sometimes refuses, is slow, or loses its answer."""

from __future__ import annotations

import re
import time
import zlib
from collections import Counter

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.living.world import CountingSmtp

BODY = re.compile(rb"body (N?[UM]\d+)")
ANSWER = re.compile(rb"^Subject: ([\w ]+: M\d+)", re.M)
REFUSALS = 2  # of one mail, before it is taken


def tag_of(mail: bytes) -> str:
    """The tag that a mail carries."""
    found = BODY.search(mail) or ANSWER.search(mail)
    return found[1].decode() if found else "?"


class MoodySmtp(CountingSmtp):
    """What it does with a mail depends on the mail alone, so that every run with one seed meets the same."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: Counter[str] = Counter()
        self.times: dict[str, list[float]] = {}

    async def answer(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mail = bytes(envelope.original_content or b"")
        mood = zlib.crc32(tag_of(mail).encode()) % 10
        if mood == 0 and self.refused[tag_of(mail)] < REFUSALS:
            self.refused[tag_of(mail)] += 1
            return "554 refused"
        self.times.setdefault(tag_of(mail), []).append(time.time())
        answer = await super().answer(server, session, envelope)
        if mood == 1 and server.transport is not None:
            server.transport.close()  # taken, and the answer is lost
        return answer
