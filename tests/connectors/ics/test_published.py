"""A calendar under an address, from a real server: asked for cheaply, kept where it can't be had, secret if it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import ConfigError, parse_config
from pepper_tui.connectors.registry import named
from pepper_tui.domains.calendar.objects import OBJECTS
from pepper_tui.model import ContextFilter
from pepper_tui.setup.accounts.desk import AccountDesk
from tests.connectors.caldav.servers import event
from tests.connectors.caldav.test_account import CalendarDesk
from tests.engine.desk import BARE

SECRET = "private-0123456789abcdef"
CONFIG = (
    BARE
    + """[[account]]
id = "club"
kind = "ics"
url = "secret:club"
scan_interval = 60
"""
)


class Publisher:
    """Serves one calendar while it is entered. ``body`` and ``status`` are what it answers."""

    def __init__(self, port: int = 0) -> None:
        self.body, self.status = b"", 200
        self.asked: list[tuple[str, int]] = []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tag = f'"{hash(publisher.body)}"'
                status = publisher.status
                if status == 200 and self.headers.get("If-None-Match") == tag:
                    status = 304
                publisher.asked.append((self.path, status))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://elsewhere.example/x")
                self.send_header("ETag", tag)
                body = publisher.body if status in (200, 503) else b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ical/{SECRET}/basic.ics"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as one:
        yield one


class Desk(CalendarDesk):
    """An engine with feeds, and an account at ``publisher``."""

    def __init__(self, home: Path, publisher: Publisher) -> None:
        super().__init__(home, ManualClock(1_799_000_000.0), CONFIG, f"club = '{publisher.url}'")

    async def told(self, count: int) -> None:
        async def there() -> bool:
            return len(await self.signals()) >= count

        await self.until(there, step=1.0)

    async def asked(self, publisher: Publisher, status: int) -> None:
        publisher.asked.clear()
        await self.until(lambda: status in [each for _, each in publisher.asked], step=1.0)


async def test_it_is_asked_for_cheaply_and_each_change_is_told_once(tmp_path: Path, publisher: Publisher) -> None:
    publisher.body = event("a", "Training").encode()
    async with Desk(tmp_path, publisher) as desk:
        await desk.told(1)
        assert await desk.signals() == ["log: New event: Training — Tue 05 Jan 10:00"]
        await desk.asked(publisher, 304)
        publisher.body = event("a", "Training", "20270105T110000Z").encode()
        await desk.told(2)
        assert (await desk.signals())[1:] == ["normal: Moved: Training — Tue 05 Jan 11:00 (was 10:00)"]
        await desk.restart()
        await desk.asked(publisher, 304)
        assert len(await desk.signals()) == 2


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>502 Bad Gateway</html>", "no whole calendar"),
        (200, b"", "no whole calendar"),
        (200, b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "no whole calendar"),
        (404, b"", "not there any more"),
        (403, b"", "is not given to Pepper"),
        (503, b"x", "can't be had (HTTP 503)"),
        (302, b"", "points to elsewhere.example"),
    ],
)
async def test_what_is_no_calendar_changes_nothing_and_is_told_without_the_secret(
    tmp_path: Path, publisher: Publisher, status: int, body: bytes, words: str
) -> None:
    good = publisher.body = event("a", "Training").encode()
    async with Desk(tmp_path, publisher) as desk:
        await desk.told(1)
        publisher.status, publisher.body = status, body

        async def troubled() -> bool:
            return words in await desk.health("feed.club")

        await desk.until(troubled, step=1.0)
        assert SECRET not in await desk.health("feed.club")
        publisher.status, publisher.body = 200, good

        async def well() -> bool:
            return (await desk.health("feed.club")).startswith("ok")

        await desk.until(well, step=1.0)
        assert len(await desk.signals()) == 1
        stored = await desk.engine.store.query(ContextFilter(namespaces=[OBJECTS, "calendar.*", "raw.*", "health"]))
        assert SECRET not in str([context.data for context in stored])
    found = await AccountDesk(tmp_path).test("club")
    assert [(each.state, each.detail.partition(", ")[2]) for each in found] == [("ok", "1 event")]


async def test_text_in_latin_1_and_folds_within_a_character_are_read(tmp_path: Path, publisher: Publisher) -> None:
    publisher.body = event("a", "Prüfung für Jürgen").encode().replace("Jü".encode(), b"J\xc3\r\n \xbc")
    async with Desk(tmp_path, publisher) as desk:
        await desk.told(1)
        publisher.body = event("b", "Prüfung").encode("latin-1")
        await desk.told(3)
        said = " ".join(await desk.signals())
        assert "Prüfung für Jürgen" in said
        assert "New event: Prüfung — " in said


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('url = "ftp://x.example/a.ics"', "begins with https:// or webcal://"),
        ('url = "https://sam:pw@x.example/a.ics"', "keep the whole address as a secret"),
        ('url = "https://x.example/a.ics"\nuser = "sam"', "set both user and password"),
        ('url = "http://x.example/a.ics"\nuser = "sam"\npassword = "secret:x"', "would go unencrypted to x.example"),
    ],
)
def test_what_is_wrong_with_its_keys_is_told(tmp_path: Path, lines: str, words: str) -> None:
    text = f'[[account]]\nid = "club"\nkind = "ics"\n{lines}\n'
    with pytest.raises(ConfigError, match=words):
        list(named(parse_config(text, tmp_path / "config.toml"), tmp_path))


def test_a_webcal_address_is_asked_encrypted(tmp_path: Path) -> None:
    text = '[[account]]\nid = "club"\nkind = "ics"\nurl = "webcal://x.example/a.ics"\n'
    [account] = [each for each in named(parse_config(text, tmp_path / "config.toml"), tmp_path) if each.kind == "ics"]
    assert account.settings.url == "https://x.example/a.ics"
