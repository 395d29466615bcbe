"""The demo's world: mails parse and arrive, the calendar changes, the sink keeps what it gets."""

from __future__ import annotations

import asyncio
import smtplib
import subprocess
import sys
import time
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import icalendar
import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import load_config
from pepper_tui.demo.config import MARK, ForeignHomeError, write_config
from pepper_tui.demo.letters import ARRIVING, BEFORE
from pepper_tui.demo.world import DemoWorld
from pepper_tui.demo.writer import CALENDAR_FILE, FOLDERS, MEETING_AFTER, Writer
from pepper_tui.domains.mail.at_source.folder_uses import use_by_name


def mails(folder: Path) -> list[EmailMessage]:
    parser = BytesParser(EmailMessage, policy=policy.default)
    return [parser.parsebytes(path.read_bytes()) for path in sorted(folder.iterdir())]


def wait_until(condition: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def test_what_was_there_before(tmp_path: Path) -> None:
    clock = ManualClock()
    writer = Writer(tmp_path / "Maildir", tmp_path / "calendar", clock)
    writer.prepare()
    inbox, sent = mails(tmp_path / "Maildir" / "cur"), mails(tmp_path / "Maildir" / ".Sent" / "cur")
    assert len(inbox) + len(sent) == len(BEFORE) >= 40
    ids = {mail["Message-ID"] for mail in inbox + sent}
    assert len(ids) == len(BEFORE)
    replies = [mail for mail in inbox + sent if mail["Subject"].startswith("Re: ") and mail["In-Reply-To"]]
    assert len(replies) > 10
    assert all(mail["In-Reply-To"] in ids for mail in replies)
    assert not any(mail.defects for mail in inbox + sent)
    assert {path.name for path in (tmp_path / "Maildir").glob(".*")} == {*FOLDERS}
    assert {use_by_name(name) for name in FOLDERS} == {"sent", "archive", "trash", "junk", "drafts"}
    writer.prepare()
    assert len(mails(tmp_path / "Maildir" / "cur")) == len(inbox)  # a second start adds none of them again


async def test_mail_arrives_as_time_passes_and_the_calendar_changes(tmp_path: Path) -> None:
    clock = ManualClock()
    writer = Writer(tmp_path / "Maildir", tmp_path / "calendar", clock)
    writer.prepare()
    before = (tmp_path / "calendar" / CALENDAR_FILE).read_bytes()
    new = tmp_path / "Maildir" / "new"
    running = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    await clock.advance(3.5)
    assert [mail["From"] for mail in mails(new)] == [ARRIVING[0].sender]
    await clock.advance(36.5)
    arrived = mails(new)
    assert any(mail["List-Id"] for mail in arrived)
    porto = next(letter for letter in ARRIVING if letter.key == "porto2")
    first = next(mail for mail in arrived if mail["Subject"] == porto.subject.removeprefix("Re: "))
    assert next(mail for mail in arrived if mail["Subject"] == porto.subject)["In-Reply-To"] == first["Message-ID"]
    assert (tmp_path / "calendar" / CALENDAR_FILE).read_bytes() == before
    await clock.advance(60)
    changed = icalendar.Calendar.from_ical((tmp_path / "calendar" / CALENDAR_FILE).read_bytes())
    assert max(int(event["SEQUENCE"]) for event in changed.walk("VEVENT")) == 1
    await clock.advance(120)
    assert len(mails(new)) > len(ARRIVING) + 5
    assert not list((tmp_path / "Maildir" / "tmp").iterdir())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_the_meeting_is_briefed_within_the_first_minute(tmp_path: Path) -> None:
    write_config(tmp_path, 2525)
    brief = next(rule.brief for rule in load_config(tmp_path).rule if rule.brief)
    assert 0 < MEETING_AFTER - brief * 60 < 60


def test_the_config_keeps_what_the_user_changed_but_the_port(tmp_path: Path) -> None:
    write_config(tmp_path, 2525)
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace("Alex Rivera", "Robin Hall"))
    write_config(tmp_path, 2526)
    config = load_config(tmp_path)
    assert config.user.name == "Robin Hall"
    assert config.mail.smtp
    assert config.mail.smtp.port == 2526
    assert config.models.api_key == config.models.base_url == ""


def test_a_home_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n")
    with pytest.raises(ForeignHomeError), DemoWorld(tmp_path):
        pass
    assert path.read_text() == "# mine\n"
    assert not (tmp_path / "Maildir").exists()
    assert not MARK.startswith("# mine")


def test_the_sink_keeps_what_it_gets(tmp_path: Path) -> None:
    with DemoWorld(tmp_path):
        smtp = load_config(tmp_path).mail.smtp
        assert smtp
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "alex@northlight.example", "dana@x.example", "Grüße"
        message.set_content("Hello Dana\n")
        for _ in range(2):
            with smtplib.SMTP(smtp.host, smtp.port, timeout=10) as client:
                client.send_message(message)
        kept = mails(tmp_path / "outbox")
    assert [mail["Subject"] for mail in kept] == ["Grüße", "Grüße"]
    assert kept[0]["X-Envelope-To"] == "dana@x.example"


def test_new_mail_waits_for_the_engine(tmp_path: Path) -> None:
    with DemoWorld(tmp_path) as world:
        new = tmp_path / "Maildir" / "new"
        assert not list(new.iterdir())
        world.begin()
        wait_until(lambda: list(new.iterdir()))


def test_without_its_extra_the_demo_names_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['aiosmtpd'] = None; from pepper_tui.__main__ import main; main()"
    command = [sys.executable, "-c", code, "--demo", "run", "--headless", "--home", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "the demo wants aiosmtpd, which comes with Pepper's extra `demo`" in done.stderr
    assert "Traceback" not in done.stderr
