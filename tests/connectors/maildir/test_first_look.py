"""The first look at a Maildir that breaks off, a file that moves while it is read, and a Message-ID used twice."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.connectors.maildir import feed as maildir
from pepper_tui.connectors.maildir.feed import CHUNK, Found, MaildirFeed
from pepper_tui.connectors.maildir.settings import maildirs_of
from pepper_tui.domains.mail.intake.processor import MailIntake
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.feeds.ruled import triage_of
from tests.feeds.test_supervision import Running
from tests.waiting import until


def feed_of(*roots: Path) -> MaildirFeed:
    config = Config.model_validate(
        {"user": {"addresses": ["me@example.org"]}, "mail": {"maildir": [*roots], "scan_interval": 60}}
    )
    return MaildirFeed(maildirs_of(config.mail)[0], MailIntake(triage_of(config)))


def dated(path: Path, at: float) -> Path:
    os.utime(path, (at, at))
    return path


async def priorities(store: ContextStore, count: int) -> dict[str, str]:
    """The priority of each signal by its Message-ID, once there are ``count``."""

    async def there() -> bool:
        return await store.count(ContextFilter(namespaces=["signals.mail"])) >= count

    await until(there, what=f"{count} signals")
    found = await store.query(ContextFilter(namespaces=["signals.mail"], limit=500))
    return {context.data["metadata"]["message_id"]: context.data["priority"] for context in found}


@pytest.mark.parametrize("restarted", [False, True])
async def test_mail_that_came_after_a_first_look_broke_off_is_news(
    clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    root, start, old = make_maildir(tmp_path / "m"), clock.now(), CHUNK + 5
    for number in range(old):
        dated(deliver(root, mail(number=number), f"a{number:03}"), start - 100)
    read, broken = maildir.read_mails, True

    def breaks_off(files: Sequence[Found], *more: Any) -> Any:
        if broken and any(found.name == f"a{old - 1:03}" for found in files):
            raise RuntimeError("a disk that fails")
        return read(files, *more)

    monkeypatch.setattr(maildir, "read_mails", breaks_off)
    store = await ContextStore.open(tmp_path / "p.db", clock)
    running = Running(store, clock, feed_of(root))
    await running.__aenter__()
    await running.becomes("trouble")
    assert len(await priorities(store, CHUNK)) == CHUNK
    if restarted:
        await running.__aexit__()
        await store.close()
    dated(deliver(root, mail(number=500), "z_after"), start + 50)
    dated(deliver(root, mail(number=501), "z_copied"), start - 5000)  # a backup that is put back, say
    broken = False
    await clock.advance(60)
    if restarted:
        store = await ContextStore.open(tmp_path / "p.db", clock)
        running = Running(store, clock, feed_of(root))
        await running.__aenter__()
    found = await priorities(store, old + 2)
    assert found.pop("<m500@example.com>") == "normal"
    assert set(found.values()) == {"log"}
    await running.becomes("ok")
    dated(deliver(root, mail(number=502), "z_old"), start - 5000)
    assert (await priorities(store, old + 3))["<m502@example.com>"] == "normal"  # from here on all that comes is news
    await running.__aexit__()
    await store.close()


@pytest.mark.parametrize("first_look", [True, False])
async def test_a_mail_that_moves_between_listing_and_reading_is_read_in_the_end(
    store: ContextStore, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_look: bool
) -> None:
    root = make_maildir(tmp_path / "m")
    listing, moves = maildir.list_maildir, first_look

    def moved_meanwhile(folder: Path) -> list[Found]:
        nonlocal moves
        listed = listing(folder)
        for found in listed if moves else ():
            found.path.rename(root / "cur" / f"{found.name}:2,S")  # another program marks it as read
            moves = False
        return listed

    monkeypatch.setattr(maildir, "list_maildir", moved_meanwhile)
    if first_look:
        deliver(root, mail(number=1), "one")
    async with Running(store, clock, feed_of(root)) as running:
        await running.becomes("ok")
        if not first_look:
            moves = True
            deliver(root, mail(number=1), "one")

        async def there() -> bool:
            await clock.advance(61)
            return await store.count(ContextFilter(namespaces=["raw.mail"])) == 1

        await until(there)
        assert not moves
        [raw] = await store.query(ContextFilter(namespaces=["raw.mail"]))
        assert raw.data["files"] == [[str(root), "one"]]
        assert Path(raw.data["path"]).name == "one:2,S"


async def test_no_list_of_all_mails_is_gone_through_on_the_event_loop(
    store: ContextStore, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took 70 ms for 20,000 mails, and five times that on a busy machine, in which no key was drawn."""
    root, listing, threads = make_maildir(tmp_path / "m"), maildir.list_maildir, set[int]()

    class Listed(list[Found]):
        def __iter__(self) -> Iterator[Found]:
            threads.add(threading.get_ident())
            return super().__iter__()

    monkeypatch.setattr(maildir, "list_maildir", lambda folder: Listed(listing(folder)))
    deliver(root, mail(number=1), "one")
    async with Running(store, clock, feed_of(root)) as running:
        await running.becomes("ok")
        deliver(root, mail(number=2), "two")
        assert len(await priorities(store, 2)) == 2
    assert threads
    assert threading.get_ident() not in threads


REAL: dict[str, str] = {"sender": "Bob <bob@example.com>", "subject": "The contract", "text": "Please sign by Friday."}


@pytest.mark.parametrize(
    "other",
    [
        {"sender": "Eve <eve@evil.example>"},
        {"subject": "Something else"},
        {"text": "Never mind."},
        {"sender": "Eve <eve@evil.example>", "subject": "x", "text": "y"},
    ],
    ids="+".join,
)
@pytest.mark.parametrize("stranger_first", [True, False])
async def test_nobody_silences_a_mail_by_using_its_message_id(
    store: ContextStore, clock: ManualClock, tmp_path: Path, other: dict[str, str], stranger_first: bool
) -> None:
    root = make_maildir(tmp_path / "m")
    sources = [mail(**{**REAL, **other}, number=7), mail(**REAL, number=7)]
    async with Running(store, clock, feed_of(root)) as running:
        await running.becomes("ok")
        for number, source in enumerate(sources if stranger_first else reversed(sources)):
            deliver(root, source, f"n{number}")
            await running.signals(number + 1)
        found = await store.query(ContextFilter(namespaces=["signals.mail"], newest_first=False))
        first, second = [context.data["metadata"]["message_id"] for context in found]
        assert first == "<m7@example.com>"
        assert second == ("" if "sender" in other else first), "a sender's own id stays theirs"


async def test_the_same_mail_by_another_way_is_no_second_signal(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    root = make_maildir(tmp_path / "m")
    async with Running(store, clock, feed_of(root)) as running:
        await running.becomes("ok")
        deliver(root, mail(**REAL, number=7), "direct")
        await running.signals(1)
        tagged = {"subject": f"[team] {REAL['subject']}", "text": f"{REAL['text']}\n\n{'_' * 47}\nteam mailing list\n"}
        deliver(root, mail(**REAL | tagged, number=7, X_Loop="team"), "by the list")
        deliver(root, mail(number=8), "another")
        await running.signals(2)

        async def both() -> bool:
            return await store.count(ContextFilter(namespaces=["raw.mail"])) == 3

        await until(both)  # "another" came last: what came before it is dealt with
        await running.signals(2)
