"""An engine whose config was upgraded between two starts: [mail] is an account now, and all goes on as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.command.accounts.stored import remove_stored
from pepper_tui.config import load_config
from pepper_tui.config.upgrade import upgrade_of, write
from pepper_tui.engine.engine import Engine
from pepper_tui.model import Namespace
from pepper_tui.setup.accounts.book import AccountBook
from tests.domains.mail.mails import deliver, mail, make_maildir
from tests.engine.desk import CONFIG, Desk, calls
from tests.tools.sink import Sink

LINE = b"From ann@example.com Sat Nov 21 10:00:00 2026\n"


class Sensing(Engine):
    """An engine that runs with its feeds, whatever it is told."""

    async def start(self, *, feeds: bool = True) -> None:
        await super().start(feeds=True)


async def taken_in(desk: Desk, count: int) -> list[str]:
    """The signals of mail, once so many mails came and each was handled."""

    async def there() -> bool:
        raws = await desk.rows(f"{Namespace.RAW}.mail")
        return len(raws) >= count and not any((await desk.engine.store.waiting("feeds.mail")).values())

    await desk.until(there)
    assert len(await desk.rows(f"{Namespace.RAW}.mail")) == count
    return sorted(str(row["id"]) for row in await desk.rows(f"{Namespace.SIGNALS}.mail"))


def came(number: int, to: str = "sam@example.com") -> bytes:
    return mail("Ann <ann@example.com>", to, f"Subject {number}", "Can you come?", number)


@pytest.mark.parametrize("back", [False, True])
async def test_nothing_is_taken_in_anew_and_what_waits_goes_out_as_it_was_approved(
    tmp_path: Path, clock: ManualClock, back: bool
) -> None:
    root, box = make_maildir(tmp_path / "mail"), tmp_path / "box"
    make_maildir(root / ".Archive")
    async with Sink() as sink:
        config = CONFIG.replace('maildir = ["mail"]', 'maildir = ["mail"]\nmbox = "box"').replace(
            "port = 9\n", f"port = {sink.port}\n"
        )
        (tmp_path / "config.toml").write_text(config)
        deliver(root, came(1), "1.host")
        box.write_bytes(LINE + came(2) + b"\n")
        async with Desk(tmp_path, clock, config, Sensing) as desk:
            before = await taken_in(desk, 2)
            [first] = [row for row in await desk.rows(f"{Namespace.RAW}.mail") if row["subject"] == "Subject 1"]
            await desk.says("answer", calls(("draft_reply", {"message_id": first["id"], "body": "Yes."})))
            card = await desk.card()
            earlier = card.id

            await desk.engine.close()
            write(upgrade_of(tmp_path / "config.toml"))
            desk.config = load_config(tmp_path)
            assert [account.id for account in desk.config.account] == ["mail", "mbox"]
            await desk.open()
            deliver(root, came(3), "3.host")
            after = await taken_in(desk, 3)
            assert set(before) < set(after)
            assert len(after) == len(before) + 1
            if back:  # the user puts the former config back
                [third] = [row for row in await desk.rows(f"{Namespace.RAW}.mail") if row["subject"] == "Subject 3"]
                assert third["account"] == "mail"
                await desk.says("answer", calls(("draft_reply", {"message_id": third["id"], "body": "No."})))

                async def two() -> bool:
                    return len(await desk.rows(Namespace.APPROVAL)) == 2

                await desk.until(two)
                card = await desk.card()
                assert card.id != earlier
                await desk.engine.close()
                desk.config = Desk(tmp_path, clock, config).config
                await desk.open()

            await desk.engine.approve(card.id)
            await desk.until(lambda: bool(sink.taken))
            assert (sink.taken[0].sender, sink.taken[0].recipients) == ("sam@example.com", ["ann@example.com"])
            raws = [row for row in await desk.rows(f"{Namespace.RAW}.mail") if row["subject"] != "Subject 2"]
            await desk.engine.file([f"mail:{row['id']}" for row in raws], "archive")
            await desk.until(lambda: len([*(root / ".Archive").rglob("*.host*")]) == 2)
            assert len(await taken_in(desk, 3)) == len(after)
            assert len(sink.taken) == 1


async def test_removing_the_account_takes_along_what_came_while_it_stood_in_the_section(
    tmp_path: Path, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_maildir(tmp_path / "mail")
    config = CONFIG.replace('maildir = ["mail"]', 'maildir = ["mail"]\nmbox = "box"')
    (tmp_path / "config.toml").write_text(config)
    deliver(root, came(1), "1.host")
    (tmp_path / "box").write_bytes(LINE + came(2) + b"\n")
    async with Desk(tmp_path, clock, config, Sensing) as desk:
        await taken_in(desk, 2)
        await desk.engine.close()
        write(upgrade_of(tmp_path / "config.toml"))
        await AccountBook(tmp_path).remove("mail")
        await remove_stored(tmp_path, "mail", ["mail"])
        assert "2 of its mails and signals were removed" in capsys.readouterr().out
        desk.config = load_config(tmp_path)
        await desk.open()
        rows = await desk.rows(f"{Namespace.RAW}.mail")
        assert [row["subject"] for row in rows if "subject" in row] == ["Subject 2"]
