"""What other programs do with the mails of a Maildir: marked, moved, removed; what was dealt with before it came."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.at_source.state import STATES, MailState, mail_at
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore
from tests.connectors.maildir.test_maildir import started
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.waiting import until

SIGNALS = ContextFilter(namespaces=["signals.mail"], limit=None)


@asynccontextmanager
async def watching(store: ContextStore, clock: ManualClock, root: Path) -> AsyncIterator[None]:
    feeds, subscriber = await started(store, clock, root)
    try:
        yield
    finally:
        await feeds.stop()
        await subscriber.stop()


async def told(store: ContextStore) -> dict[str, tuple[str, str]]:
    """Priority and reason of each signal, by Message-ID."""
    found = await store.query(SIGNALS)
    return {each.data["metadata"]["message_id"]: (each.data["priority"], each.data["reason"]) for each in found}


async def state(store: ContextStore) -> MailState:
    """That of the only mail."""
    found = MailState.readable(await store.query(ContextFilter(namespaces=[STATES])))
    assert len(found) == 1
    return found[0]


def folder(root: Path, name: str) -> Path:
    return make_maildir(root / f".{name}")


DEALT_WITH = [  # folder, flags, why nobody is told
    ("", "S", "it was read when Pepper first saw it"),
    ("", "RS", "it was answered when Pepper first saw it"),
    ("", "R", "it was answered when Pepper first saw it"),
    ("", "D", "it is a draft"),
    ("", "T", "it was deleted when Pepper first saw it"),
    ("", "F", ""),
    ("", "P", ""),
    ("", "", ""),
    ("Lists", "S", ""),
    ("Lists", "RS", "it was answered when Pepper first saw it"),
    ("INBOX.Spam", "", "in the folder INBOX.Spam"),
    ("Junk E-mail", "", "in the folder Junk E-mail"),
    ("Papierkorb", "", "in the folder Papierkorb"),
    ("Entw&APw-rfe", "", "in the folder Entwürfe"),
    ("R&D", "", ""),
]


async def test_what_was_dealt_with_before_it_came_is_told_to_nobody(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    root, aside = make_maildir(tmp_path / "m"), make_maildir(tmp_path / "aside")
    for name in {name for name, _, _ in DEALT_WITH if name}:
        folder(root, name)
    async with watching(store, clock, root):
        deliver(root, mail(number=0), "zero.host")
        await until(lambda: _count(store, 1))
        for number, (name, flags, _) in enumerate(DEALT_WITH, 1):
            path = deliver(aside, mail(number=number), f"{number}.host")
            path.rename((root / f".{name}" if name else root) / "cur" / f"{number}.host:2,{flags}")
        await until(lambda: _count(store, 1 + len(DEALT_WITH)), 20)
        found = await told(store)
    for number, (_, _, reason) in enumerate([("", "", ""), *DEALT_WITH]):
        expected = ("log", reason) if reason else ("high", "from Alice, a VIP")
        assert found[f"<m{number}@example.com>"] == expected, DEALT_WITH[number - 1]


Act = Callable[[Path, Path], object]


def removed(root: Path, path: Path) -> None:
    del root
    path.unlink()


def moved(root: Path, path: Path) -> None:
    path.rename(root / ".Archive" / "cur" / f"{path.name.split(':')[0]}:2,S")


def moved_by_a_program_that_names_anew(root: Path, path: Path) -> None:
    path.rename(root / ".Archive" / "cur" / "other.name:2,S")


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda root, path: path.rename(root / "cur" / "one.host:2,S"), "read"),
        (lambda root, path: path.rename(root / "cur" / "one.host:2,RS"), "read, answered"),
        (lambda root, path: path.rename(root / "cur" / "one.host:2,FP"), "unread, forwarded, flagged"),
        (removed, "no longer in any folder"),
        (moved, "read, in Archive"),
        (moved_by_a_program_that_names_anew, "read, in Archive"),
    ],
)
async def test_what_becomes_of_a_mail_is_noted(
    store: ContextStore, clock: ManualClock, tmp_path: Path, act: Act, words: str, down: bool
) -> None:
    """Also while Pepper is down. A mail that moves is at no moment nowhere, and is no news."""
    root = make_maildir(tmp_path / "m")
    folder(root, "Archive")

    async def is_so() -> bool:
        return (await state(store)).words == words

    async with watching(store, clock, root):
        path = deliver(root, mail(number=1), "one.host")
        await until(lambda: _count(store, 1))
        assert (await state(store)).words == "unread"
        if not down:
            act(root, path)
            await until(is_so)
    if down:
        act(root, path)
    async with watching(store, clock, root):
        await until(is_so)
        assert await store.count(SIGNALS) == 1
    versions = await store.versions((await state(store)).id, namespace=STATES)
    if act is not removed:
        assert all(each.context.data["copies"] for each in versions)


async def test_a_folder_that_can_not_be_seen_says_nothing_about_its_mails(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    root = make_maildir(tmp_path / "m")
    lists = folder(root, "Lists")
    async with watching(store, clock, root):
        path = deliver(lists, mail(number=1), "one.host")
        await until(lambda: _count(store, 1))
        lists.rename(tmp_path / "unplugged")
        other = deliver(root, mail(number=2), "two.host")
        await until(lambda: _count(store, 2))
        assert (await mail_at(store, f"maildir:{root}/Lists/{path.name}")) is not None
        (tmp_path / "unplugged").rename(lists)
        other.rename(root / "cur" / "two.host:2,S")

        async def read() -> bool:
            found = await mail_at(store, f"maildir:{root}/INBOX/two.host")
            return found is not None and not found.unread

        await until(read)
        assert (await mail_at(store, f"maildir:{root}/Lists/{path.name}")) is not None


async def _count(store: ContextStore, count: int) -> bool:
    return await store.count(SIGNALS) == count
