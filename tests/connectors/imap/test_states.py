"""What other programs do with the mails of an account: at once where the server pushes it, else at the next look."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pepper_tui.connectors.imap.intake import changes
from pepper_tui.domains.mail.at_source.state import STATES, MailState
from pepper_tui.model import ContextFilter
from tests.connectors.imap.account import RAW, SIGNALS, Account
from tests.connectors.imap.conftest import Make
from tests.connectors.imap.proxy import Proxy
from tests.connectors.imap.servers import DOVECOT, Other, Server
from tests.domains.mail.mails import mail
from tests.waiting import until

ONE = "<m1@example.com>"


async def words(work: Account) -> dict[str, str]:
    """How each mail stands, by its Message-ID."""
    found = await work.store.query(RAW)
    states = MailState.readable(await work.store.query(ContextFilter(namespaces=[STATES], limit=None)))
    known = {each.id: each.words for each in states}
    return {each.data["message_id"]: known.get(each.context_id, "") for each in found}


async def until_words(work: Account, wanted: dict[str, str]) -> None:
    async def are_so() -> bool:
        found = await words(work)
        return all(found.get(each) == said for each, said in wanted.items())

    try:
        await until(are_so, 40)
    except AssertionError as error:
        raise AssertionError(f"{await words(work)}; {await work.health()}") from error


Act = Callable[[Other, str], None]
ACTS: list[tuple[Act, str]] = [
    (lambda other, one: other.mark(one, rb"\Seen"), "read"),
    (lambda other, one: other.mark(one, rb"\Seen", rb"\Answered"), "read, answered"),
    (lambda other, one: other.mark(one, rb"\Flagged", rb"\Draft"), "unread, flagged, draft"),
    (lambda other, one: other.remove(one), "no longer in any folder"),
    (lambda other, one: other.move(one, "Papierkorb"), "unread, in Papierkorb"),
    (lambda other, one: other.move(one, "Apart"), "no longer in any folder"),
    (lambda other, one: other.mark(one, rb"\Deleted"), "unread, deleted"),
]


@pytest.mark.parametrize("down", [False, True])
async def test_what_becomes_of_mails_is_noted(server: Server, account: Make, down: bool) -> None:
    """A mail that moves to a folder that is read is at no moment nowhere. Nothing of it is news."""
    with server.other() as other:
        for each in ("Papierkorb", "Apart"):
            other.client.create_folder(each)
        work = account(server.port, folders=["INBOX", "Papierkorb"])
        await work.start()
        count = len(ACTS) + 1
        other.deliver(*(mail(number=number) for number in range(count)))
        await work.until_signals(count)
        if down:
            await work.stop()
        elif server.kind != DOVECOT:
            work.hurry()  # it does not push what becomes of marks
        for number, (act, _) in enumerate(ACTS):
            act(other, f"<m{number}@example.com>")
        if down:
            work = account(server.port, folders=["INBOX", "Papierkorb"])
            await work.start()
        wanted = {f"<m{number}@example.com>": said for number, (_, said) in enumerate(ACTS)}
        await until_words(work, {**wanted, f"<m{len(ACTS)}@example.com>": "unread"})
        assert await work.store.count(SIGNALS) == count
        for each in await work.mails():
            versions = await work.store.versions(each.context_id, namespace=STATES)
            there = [bool(version.context.data["copies"]) for version in versions]
            assert all(there) or wanted[each.data["message_id"]] == "no longer in any folder"


async def test_what_was_dealt_with_before_it_came_is_told_to_nobody(server: Server, account: Make) -> None:
    given = [
        ("INBOX", rb"\Seen", "it was read when Pepper first saw it"),
        ("INBOX", rb"\Answered", "it was answered when Pepper first saw it"),
        ("INBOX", rb"\Draft", "it is a draft"),
        ("INBOX", rb"\Deleted", "it was deleted when Pepper first saw it"),
        ("INBOX", rb"\Flagged", ""),
        ("Lists", rb"\Seen", ""),
        ("Courrier indésirable", rb"\Flagged", "in the folder Courrier indésirable"),
    ]
    with server.other() as other:
        folders = ["INBOX", "Lists", "Courrier indésirable"]
        for each in folders[1:]:
            other.client.create_folder(each)
        work = account(server.port, folders=folders)
        await work.start()
        for number, (folder, flag, _) in enumerate(given):
            other.client.append(folder, b"\r\n".join(mail(number=number).splitlines()), flags=(flag,))
        await work.clock.advance(61)
        await work.until_signals(len(given))
        found = {each.data["metadata"]["message_id"]: each.data for each in await work.store.query(SIGNALS)}
    for number, (_, _, reason) in enumerate(given):
        said = found[f"<m{number}@example.com>"]
        assert (said["priority"], said["reason"]) == (("log", reason) if reason else ("high", "from Alice, a VIP"))


async def test_a_folder_that_is_counted_anew_has_lost_nothing_but_what_is_missing(
    server: Server, account: Make
) -> None:
    with server.other() as other:
        other.client.create_folder("Lists")
        other.deliver(*(mail(number=number) for number in range(1, 6)), folder="Lists")
        work = account(server.port, folders=["Lists"])
        await work.start()
        await work.until_signals(5)
        await work.stop()
        other.renumber("Lists", [mail(number=number) for number in (1, 2, 4, 5)])
        again = account(server.port, folders=["Lists"])
        await again.start()
        gone = {"<m3@example.com>": "no longer in any folder"}
        await until_words(again, {f"<m{number}@example.com>": "unread, in Lists" for number in (1, 2, 4, 5)} | gone)
        for each in MailState.readable(await again.store.query(ContextFilter(namespaces=[STATES]))):
            assert len(each.copies) <= 1
            if each.copies:
                versions = await again.store.versions(each.id, namespace=STATES)
                assert all(version.context.data["copies"] for version in versions)


async def test_mail_that_was_read_by_an_earlier_version_gets_a_state(server: Server, account: Make) -> None:
    with server.other() as other:
        other.deliver(mail(number=1), mail(number=2))
        other.mark(ONE, rb"\Answered")
        work = account(server.port)
        await work.start()
        await work.until_signals(2)
        await work.stop()
        for each in await work.store.query(ContextFilter(namespaces=[STATES])):
            await work.store.delete(each.context_id, namespace=STATES)
        [cursor] = await work.store.query(ContextFilter(namespaces=["feed.imap"]))
        earlier = {key: value for key, value in cursor.data.items() if key not in ("modseq", "exists", "stale")}
        await work.store.store(earlier, namespace="feed.imap", context_id=cursor.context_id)
        again = account(server.port)
        await again.start()
        await until_words(again, {ONE: "unread, answered", "<m2@example.com>": "unread"})
        other.remove("<m2@example.com>")
        again.hurry()
        await until_words(again, {ONE: "unread, answered", "<m2@example.com>": "no longer in any folder"})
        assert await again.store.count(SIGNALS) == 2


async def test_a_server_that_can_not_be_reached_removes_nothing(server: Server, account: Make) -> None:
    with Proxy(server.port) as road, server.other() as other:
        other.deliver(mail(number=1), mail(number=2))
        work = account(road.port, timeout=4)
        await work.start()
        await work.until_signals(2)
        road.fail("reset")
        await work.until_health("trouble")
        assert await words(work) == {ONE: "unread", "<m2@example.com>": "unread"}
        await work.clock.advance(2)
        await work.until_health("ok")
        assert await words(work) == {ONE: "unread", "<m2@example.com>": "unread"}


async def test_looks_are_short_when_nothing_has_changed(
    server: Server, account: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some looks together bring less than one list of all marks would, also where only the newest are looked at."""
    monkeypatch.setattr(changes, "LOOKED", 20)
    with Proxy(server.port) as road, server.other() as other:
        other.deliver(*(mail(number=number) for number in range(200)))
        work = account(road.port)
        work.hurry()
        await work.start()
        await work.until_signals(200, 120)
        other.mark("<m199@example.com>", rb"\Seen")
        await until_words(work, {"<m199@example.com>": "read"})
        before, began = road.brought, work.clock.monotonic()
        await until(lambda: work.clock.monotonic() > began + 70, 60)
        assert road.brought - before < 200 * len("* 200 FETCH (UID 200 FLAGS ())")
