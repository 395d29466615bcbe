"""What mail programs do with the mails of an mbox file: marks in headers, compaction, an emptied spool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.mbox.marks import use_of
from pepper_tui.domains.mail.at_source.state import STATES, MailState
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore
from tests.connectors.mbox.test_mbox import Box, append, stored
from tests.domains.mail.mails import mail
from tests.waiting import until


def marked(number: int, headers: str = "") -> bytes:
    return headers.encode() + mail(number=number, subject=f"S{number}", text="Hello there. " * 700)


async def words(store: ContextStore) -> dict[str, str]:
    """How each mail stands, by its subject."""
    found = await store.query(ContextFilter(namespaces=["raw.mail"]))
    states = {each.id: each for each in MailState.readable(await store.query(ContextFilter(namespaces=[STATES])))}
    return {each.data["subject"]: states[each.context_id].words for each in found}


async def until_words(store: ContextStore, clock: ManualClock, **wanted: str) -> None:
    async def is_so() -> bool:
        await clock.advance(10)
        return await words(store) == wanted

    try:
        await until(is_so, 20)
    except AssertionError as error:
        raise AssertionError(f"{await words(store)}") from error


async def test_what_was_dealt_with_before_it_came_is_told_to_nobody(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "Inbox"
    path.write_bytes(stored(marked(0)))
    given = {
        1: ("X-Mozilla-Status: 0009\n", "it was deleted when Pepper first saw it"),
        2: ("X-Mozilla-Status: 1003\n", "it was answered when Pepper first saw it"),
        3: ("X-Mozilla-Status: 0001\n", "it was read when Pepper first saw it"),
        4: ("Status: RO\nX-Status: A\n", "it was answered when Pepper first saw it"),
        5: ("Status: O\nX-Status: D\n", "it was deleted when Pepper first saw it"),
        6: ("X-Status: T\n", "it is a draft"),
        7: ("Status: O\nX-Status: F\n", "addressed to you"),
        8: ("X-Mozilla-Status: 0000\nX-Mozilla-Status2: 00800003\n", "addressed to you"),
        9: ("", "addressed to you"),
    }
    async with Box(store, clock, path) as box:
        await box.holds(1)
        append(path, *(marked(number, headers) for number, (headers, _) in given.items()))
        found = {each["metadata"]["subject"]: each["reason"] for each in await box.holds(10)}
    assert {subject: reason for subject, reason in found.items() if subject != "S0"} == {
        f"S{number}": reason for number, (_, reason) in given.items()
    }


def in_place(source: bytes) -> bytes:
    return source.replace(b"X-Mozilla-Status: 0000", b"X-Mozilla-Status: 0003", 2).replace(b"0003", b"0000", 1)


def rewritten(source: bytes) -> bytes:
    return source.replace(b"Status: 0000\n", b"Status: 0000\nStatus: RO\nX-Status: A\n", 2).replace(
        b"0000\nStatus: RO\nX-Status: A\n", b"0000\n", 1
    )


@pytest.mark.parametrize("change", [in_place, rewritten])
@pytest.mark.parametrize("down", [False, True])
async def test_marks_that_a_program_writes_are_noted(
    store: ContextStore, clock: ManualClock, tmp_path: Path, change: Callable[[bytes], bytes], down: bool
) -> None:
    path = tmp_path / "Inbox"
    path.write_bytes(b"".join(stored(marked(number, "X-Mozilla-Status: 0000\n")) for number in (1, 2, 3)))
    async with Box(store, clock, path):
        await until_words(store, clock, S1="unread", S2="unread", S3="unread")
        if not down:
            path.write_bytes(change(path.read_bytes()))
            await until_words(store, clock, S1="unread", S2="read, answered", S3="unread")
    if down:
        path.write_bytes(change(path.read_bytes()))
    async with Box(store, clock, path):
        await until_words(store, clock, S1="unread", S2="read, answered", S3="unread")


async def test_a_mail_that_is_compacted_away_has_left_and_an_emptied_file_says_nothing(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "Inbox"
    kept = [stored(marked(number)) for number in (1, 2, 3)]
    path.write_bytes(b"".join(kept))
    async with Box(store, clock, path):
        await until_words(store, clock, S1="unread", S2="unread", S3="unread")
        path.write_bytes(kept[0] + kept[2])
        await until_words(store, clock, S1="unread", S2="no longer in any folder", S3="unread")
        path.write_bytes(b"")
        for _ in range(10):
            await until_words(store, clock, S1="unread", S2="no longer in any folder", S3="unread")
        path.unlink()
        for _ in range(10):
            await until_words(store, clock, S1="unread", S2="no longer in any folder", S3="unread")


@pytest.mark.parametrize(
    ("path", "use"),
    [
        ("/var/mail/alex", "inbox"),
        ("/var/spool/mail/alex", "inbox"),
        ("/home/alex/.thunderbird/x/Mail/Local Folders/Inbox", "inbox"),
        ("/home/alex/mail/Papierkorb", "trash"),
        ("/home/alex/mail/lists", ""),
    ],
)
def test_what_a_file_is_for(path: str, use: str) -> None:
    assert use_of(Path(path)) == use
