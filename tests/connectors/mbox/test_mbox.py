"""mbox: appended to, compacted, rotated, locked, torn; each mail once, whatever the mail programs do to the file."""

from __future__ import annotations

import asyncio
import contextlib
import mailbox
import re
import subprocess
import sys
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.connectors.maildir.feed import MaildirFeed
from pepper_tui.connectors.maildir.settings import maildirs_of
from pepper_tui.connectors.mbox.feed import MboxFeed
from pepper_tui.connectors.mbox.mbox_file import mails_from
from pepper_tui.connectors.mbox.settings import mbox_files_of
from pepper_tui.domains.mail.intake.processor import PROCESSOR, MailIntake
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore
from tests.domains.mail.mails import deliver, mail, make_maildir, varied
from tests.feeds.ruled import triage_of
from tests.feeds.test_supervision import Running
from tests.waiting import until

LINE = b"From alice@example.com Sat Nov 21 10:00:00 2026\n"


def stored(source: bytes, line: bytes = LINE) -> bytes:
    """``source`` as a mail program appends it."""
    return line + re.sub(rb"^(>*From )", rb">\1", source, flags=re.M).rstrip(b"\n") + b"\n\n"


def append(path: Path, *sources: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(map(stored, sources)))


class Box(Running):
    def __init__(self, store: ContextStore, clock: ManualClock, path: Path, **mail: Any) -> None:
        self.path, self.clock = path, clock
        config = Config.model_validate(
            {"user": {"addresses": ["me@example.org"]}, "mail": {"mbox": [path], "scan_interval": 30, **mail}}
        )
        super().__init__(store, clock, MboxFeed(mbox_files_of(config.mail)[0], MailIntake(triage_of(config))))

    def looked(self, size: int) -> bool:
        """Whether the feed has seen the file at this size."""
        assert isinstance(self.feed, MboxFeed)
        return self.feed._seen.get(self.path, (0,))[0] == size

    async def told(self) -> bool:
        return await self.store.undelivered(PROCESSOR) == 0

    async def holds(self, count: int, *, beyond: int = 6) -> list[dict[str, Any]]:
        """The signals, by subject, once there are ``count`` mails, and after looks that might find more."""

        async def there() -> bool:
            await self.clock.advance(10)
            await asyncio.sleep(0.005)
            return await self.store.count(ContextFilter(namespaces=["raw.mail"])) >= count

        await until(there, 20)
        for _ in range(beyond):
            await self.clock.advance(10)
            await asyncio.sleep(0.005)
        await until(self.told)
        found = await self.store.query(ContextFilter(namespaces=["signals.mail"], limit=5000))
        assert await self.store.count(ContextFilter(namespaces=["raw.mail"])) == count
        return sorted((one.data for one in found), key=lambda data: data["metadata"]["subject"])


async def test_the_backlog_is_log_and_what_is_appended_is_news_once(clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "box"
    append(path, mail(number=1, subject="1"), mail(number=2, subject="2"))
    for turn in range(3):
        store = await ContextStore.open(tmp_path / "pepper.db", clock)
        async with Box(store, clock, path) as box:
            if turn == 0:
                assert [one["priority"] for one in await box.holds(2)] == ["log", "log"]
                append(path, mail(number=3, subject="3", text="Hi.\n\nFrom here on:\n>From there"))
                [*_, third] = await box.holds(3)
                assert (third["priority"], third["reason"]) == ("normal", "addressed to you")
                text = (await Mailbox(store).read("<m3@example.com>") or {})["text"]
                assert text == "Hi.\n\nFrom here on:\n>From there\n"
            else:
                await box.holds(3 + turn)
        await store.close()
        append(path, mail(number=4 + turn, subject=str(4 + turn)))  # while Pepper is down
    store = await ContextStore.open(tmp_path / "pepper.db", clock)
    async with Box(store, clock, path) as box:
        assert [one["priority"] for one in await box.holds(6)] == ["log", "log", *["normal"] * 4]
    await store.close()


async def test_what_mail_programs_do_to_the_file_makes_no_mail_twice(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "box"
    sources = [varied(n) for n in range(40)]
    append(path, *sources)
    async with Box(store, clock, path) as box:
        await box.holds(40)
        program = mailbox.mbox(path)
        for key in (0, 7, 39):
            message = program[key]
            message.set_flags("RO")  # rewrites Status and X-Status
            program[key] = message
        program.remove(20)
        program.flush()  # writes a new file and renames it
        append(path, mail(number=900, subject="~new"))
        found = await box.holds(41)
        assert [one["priority"] for one in found].count("log") == 40
        path.rename(tmp_path / "box.old")
        append(path, mail(number=901, subject="~newer"))
        assert (await box.holds(42))[-1]["priority"] == "normal"
        path.write_bytes(b"")
        await box.holds(42)
        append(path, mail(number=902, subject="~newest"), sources[3])
        assert (await box.holds(43))[-1]["priority"] == "normal"
        path.unlink()
        await box.holds(43)
        assert (await box.health())["state"] == "ok"
        append(path, mail(number=903, subject="~~"))
        await box.holds(44)


async def test_a_file_that_is_not_there_yet_holds_news(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "box"
    async with Box(store, clock, path) as box:
        await box.becomes("ok")
        append(path, mail(number=1))
        assert [one["priority"] for one in await box.holds(1)] == ["normal"]


async def test_a_mail_that_is_being_written_is_taken_when_it_is_whole(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "box"
    path.write_bytes(b"")
    async with Box(store, clock, path) as box:
        await box.becomes("ok")
        whole = stored(mail(number=1, text="one\n\ntwo\n\nthree"))
        half = whole.index(b"two")
        with path.open("ab", buffering=0) as file:
            for part in (whole[:60], whole[60:half], whole[half:]):
                file.write(part)
                await until(lambda: box.looked(file.tell()), 20)
                await asyncio.sleep(0.05)  # what it would take too early it takes now
        await box.holds(1)
        [taken] = await store.query(ContextFilter(namespaces=["raw.mail"]))
        assert "three" in taken.data["text"]
        assert taken.version == 1, "it was taken once, whole"


async def test_one_that_paused_for_long_is_completed_under_its_own_key(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "box"
    path.write_bytes(b"")
    async with Box(store, clock, path) as box:
        await box.becomes("ok")
        whole = stored(mail(number=1, text="one\n\ntwo\n\nthree"))
        half = whole.index(b"two")
        path.write_bytes(whole[:half])
        await box.holds(1)
        with path.open("ab") as file:
            file.write(whole[half:] + stored(mail(number=2, subject="zz")))
        found = await box.holds(2)
        assert len(found) == 2
        assert "three" in (await Mailbox(store).read("<m1@example.com>") or {})["text"]


@pytest.mark.parametrize("kind", ["dot", "flock", "fcntl"])
async def test_a_locked_file_is_left_alone(store: ContextStore, clock: ManualClock, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "box"
    append(path, mail(number=1))
    dot = tmp_path / "box.lock"
    call = {"flock": "flock", "fcntl": "lockf"}.get(kind, "")
    program = (
        f"import fcntl,sys; f = open({str(path)!r}, 'r+b'); fcntl.{call}(f, fcntl.LOCK_EX); print('has', flush=True); "
        "sys.stdin.read()"
    )
    holder = None
    if kind == "dot":
        dot.touch()
    else:  # another process: locks of one's own don't conflict
        holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: ASYNC220
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"has\n"
    async with Box(store, clock, path) as box:
        for _ in range(10):
            await clock.advance(10)
            await asyncio.sleep(0.005)
        assert await store.count(ContextFilter(namespaces=["raw.mail"])) == 0
        await box.becomes("ok")

        async def told() -> bool:
            await clock.advance(5)  # below the time in which a look must end: the clock runs ahead of threads
            health = await box.health()
            return health["state"] == "trouble" and "locked for more than 5 minutes" in health["detail"]

        await until(told, 20)
        if holder is not None:
            assert holder.stdin is not None
            holder.stdin.close()
            holder.wait(10)
        else:
            dot.unlink()
        await box.holds(1)
        await box.becomes("ok")


async def test_fifty_megabytes_are_bounded(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "box"
    with path.open("wb") as file:
        file.write(LINE + mail(number=1).rstrip() + b"\n")
        for _ in range(50):
            file.write(b"x" * 99 * 10_000 + b"\nFrom no separator: no empty line before\n")
        file.write(b"\n")
    append(path, *(mail(number=n, subject=str(n)) for n in range(2, 62)))
    async with Box(store, clock, path, max_bytes=1_000_000) as box:
        await box.holds(61)
        huge = await Mailbox(store).read("<m1@example.com>") or {}
        assert huge["size"] > 49_000_000
        assert any("only the first 1000000 bytes were read" in defect for defect in huge["defects"])


@pytest.mark.parametrize("source", [b"no mbox at all\n", b"\0" * 5000, b"From nobody\n"])
async def test_what_is_no_mbox_is_told(store: ContextStore, clock: ManualClock, tmp_path: Path, source: bytes) -> None:
    path = tmp_path / "box"
    path.write_bytes(source)
    async with Box(store, clock, path) as box:
        if source.startswith(b"From"):
            await box.holds(1)  # a mail with nothing in it
            return
        assert "not an mbox file" in (await box.becomes("trouble"))["detail"]
        path.write_bytes(stored(mail(number=1)))
        await box.holds(1)
        await box.becomes("ok")


async def test_without_its_folder_it_says_how_to_fix(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    async with Box(store, clock, tmp_path / "nowhere" / "box") as box:
        assert "mail.mbox" in (await box.becomes("trouble"))["remedy"]


async def test_one_mail_in_both_a_maildir_and_an_mbox_is_one(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    root, path = make_maildir(tmp_path / "m"), tmp_path / "box"
    config = Config.model_validate({"mail": {"maildir": [root], "mbox": [path]}})
    feed = MaildirFeed(maildirs_of(config.mail)[0], MailIntake(triage_of(config)))
    async with Running(store, clock, feed) as running:
        await running.becomes("ok")
        source = mail(number=1).rstrip(b"\n") + b"\n"
        deliver(root, source, "one")
        await running.signals(1)
        append(path, source)
    async with Box(store, clock, path) as box:
        await box.holds(1)
        assert len(await running.signals(1)) == 1


bodies = st.lists(
    st.sampled_from(["From me 10:00 2026", ">From", ">>From x", "", "text", "From ", "ünï", ".", "--b"]), max_size=8
).map("\n".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(bodies, max_size=6), block=st.integers(450, 1000))
def test_what_the_standard_library_writes_is_read_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bodies: list[str], block: int
) -> None:
    monkeypatch.setattr("pepper_tui.connectors.mbox.mbox_file.BLOCK", block)
    path = tmp_path / "box"
    path.unlink(missing_ok=True)
    written = []
    with contextlib.closing(mailbox.mbox(path)) as box:
        for number, body in enumerate(bodies):
            message = EmailMessage()
            message["Subject"], message["Message-ID"] = f"{number}", f"<{number}@x>"
            message.set_content(body, cte="8bit")
            box.add(message)
            written.append((f"{number}", body))
    with path.open("rb") as file:
        read = [message_from_bytes(each.source) for each in mails_from(file, 0, 10_000_000)]
    texts = [(each["Subject"], each.get_payload(decode=True).decode().rstrip("\n")) for each in read]  # type: ignore[union-attr]
    # the library's own quoting can't tell a ">From" that was written so: one mark is taken from it, too
    assert texts == [(n, _unquoted(body).rstrip("\n")) for n, body in written]


def _unquoted(body: str) -> str:
    return re.sub(r"^>(>*From )", r"\1", body, flags=re.M)


@pytest.mark.parametrize(
    ("between", "subjects"),
    [
        ("\n\nFrom Monday at 09:00 we move.\nThe end.\n", ["1"]),
        ("\n\nFrom 09:00 on: nobody\n\n", ["1"]),
        ("\n\nFrom b@x.org Mon Nov 23 09:00:00 2026\nSubject: 2\n\nb\n", ["1", "2"]),
        ("\nFrom b@x.org Mon Nov 23 09:00:00 2026\nSubject: 2\n\nb\n", ["1", "2"]),  # nothing between them
        ("\nFrom Monday at 09:00 we move.\nSubject: 2\n", ["1"]),
        ("\n\nFrom b@x.org Mon Nov 23 09:00:00 2026\n>From b@x.org Mon Nov 23\nSubject: 2\n\nb", ["1", "2"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("block", [60, 450, 1 << 16])
def test_where_a_mail_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, between: str, subjects: list[str], block: int
) -> None:
    monkeypatch.setattr("pepper_tui.connectors.mbox.mbox_file.BLOCK", block)
    path = tmp_path / "box"
    path.write_text(f"From a@x.org Mon Nov 23 08:00:00 2026\nSubject: 1\n\nThe body.{between}", encoding="utf-8")
    with path.open("rb") as file:
        read = [message_from_bytes(each.source) for each in mails_from(file, 0, 10_000_000)]
    assert [each["Subject"] for each in read] == subjects
    assert len(subjects) > 1 or between.strip() in str(read[0].get_payload())
