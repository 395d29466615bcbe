"""The feed of an account against the double."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.connectors.gmail.account import GmailAccount
from pepper_tui.connectors.gmail.intake.original import GmailOriginals
from pepper_tui.domains.mail.at_source.filing import Filing
from pepper_tui.tools.errors import ToolError
from tests.connectors.gmail.account import allow, said
from tests.connectors.gmail.conftest import Make
from tests.domains.mail.mails import mail
from tests.google import Google


async def test_what_lies_there_comes_in_quietly_the_newest_first_and_what_comes_is_news(
    google: Google, accounts: Make
) -> None:
    for number in range(1, 61):
        google.mailbox.deliver(mail(number=number, subject=f"mail {number}"), at=google.service.now() - 9000 + number)
    work = accounts()
    await work.start()
    await work.until_mails(60)
    stored = [each.data["message_id"] for each in await work.mails()]
    assert stored == [f"<m{number}@example.com>" for number in range(60, 0, -1)]
    assert await work.news() == {}
    _, detail, _ = await work.until_health("ok")
    assert detail == "looking each 10 s at INBOX, SENT of alex@example.com"
    looks = len(google.asked("gmail.users.history.list"))
    google.mailbox.deliver(mail(number=100, subject="Now"))
    await work.until_mails(61)
    assert len(google.asked("gmail.users.history.list")) <= looks + 2  # one may have been under way
    assert await work.news() == {"<m100@example.com>": "high"}
    assert {each.data["account"] for each in await work.mails()} == {"work"}
    assert {each.data["label"] for each in await work.mails()} == {"INBOX"}


async def test_a_second_start_takes_nothing_twice_and_tells_what_came_and_changed_meanwhile(
    google: Google, accounts: Make
) -> None:
    box = google.mailbox
    there = [box.deliver(mail(number=number)) for number in range(1, 5)]
    first = accounts()
    await first.start()
    await first.until_health("ok")
    await first.stop()
    box.deliver(mail(number=6))
    box.delete(there[0])
    box.archive(there[1])
    box.mark_read(there[2])
    box.relabel(there[3], add=["STARRED", "TRASH"], remove=["INBOX"])
    gets = len(google.asked("gmail.users.messages.get"))
    again = accounts()
    await again.start()
    await again.until_mails(5)
    await again.until_health("ok")
    assert len(google.asked("gmail.users.messages.get")) == gets + 1
    assert await again.news() == {"<m6@example.com>": "high"}
    assert [each.version for each in await again.mails()] == [1] * 5
    states = await again.states()
    assert states["<m1@example.com>"].copies == []
    told = {ident[2]: (each.use, each.folder, each.marks) for ident, state in states.items() for each in state.copies}
    assert told == {
        "2": ("archive", "Archive", []),
        "3": ("inbox", "INBOX", ["seen"]),
        "4": ("trash", "TRASH", ["flagged"]),
        "6": ("inbox", "INBOX", []),
    }


@pytest.mark.parametrize("page", ["whole", "by pages"])
async def test_changes_are_followed_while_it_runs(
    google: Google, accounts: Make, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page == "by pages":
        monkeypatch.setattr("pepper_tui.connectors.gmail.intake.reading.PAGE", 2)
    box = google.mailbox
    there = [box.deliver(mail(number=number)) for number in range(1, 6)]
    work = accounts()
    await work.start()
    await work.until_health("ok")
    for ident in there:
        box.relabel(ident, add=["STARRED"])
        box.mark_read(ident)
        box.mark_read(ident, read=False)
        box.archive(ident)
    box.delete(there[4])

    async def done() -> bool:
        uses = [copy.use for state in (await work.states()).values() for copy in state.copies]
        return uses == ["archive"] * 4

    await work.passing(done)
    assert {tuple(copy.marks) for state in (await work.states()).values() for copy in state.copies} == {("flagged",)}
    assert await work.news() == {}


async def test_history_that_is_forgotten_is_looked_at_anew_without_doubles(google: Google, accounts: Make) -> None:
    box, now = google.mailbox, google.service.now
    there = [box.deliver(mail(number=number), at=now() - 9000 + number) for number in range(1, 6)]
    box.create_label("Old")
    box.relabel(there[4], add=["Label_1"])
    first = accounts()
    await first.start()
    await first.until_health("ok")
    await first.stop()
    box.mark_read(there[0])
    box.archive(there[1])
    box.delete(there[2])
    box.create_label("New")
    box.relabel(there[3], add=["Label_2"], remove=["INBOX"])
    box.archive(there[4])
    box.deliver(mail(number=7, subject="Meanwhile"))
    box.deliver(mail(number=8, subject="Put there later"), at=now() - 80_000)
    box.expire_history()
    gets = len(google.asked("gmail.users.messages.get"))
    again = accounts()
    await again.start()
    await again.until_mails(7)
    await again.until_health("ok")
    assert len(google.asked("gmail.users.messages.get")) == gets + 2
    assert await again.news() == {"<m7@example.com>": "high"}
    assert [each.version for each in await again.mails()] == [1] * 7
    states = {ident[2]: state.copies for ident, state in (await again.states()).items()}
    assert states["3"] == []
    assert {number: (each.use, each.marks) for number, copies in states.items() for each in copies} == {
        "1": ("inbox", ["seen"]), "2": ("archive", []), "4": ("archive", []), "5": ("archive", []), "7": ("inbox", []),
        "8": ("inbox", []),
    }  # fmt: skip
    assert [copy.folder for number in "1245" for copy in states[number]] == ["INBOX", "Archive", "New", "Old"]
    looks = len(google.asked("gmail.users.messages.list"))
    box.deliver(mail(number=9))
    await again.until_mails(8)
    assert len(google.asked("gmail.users.messages.list")) == looks  # it goes by the history again


async def test_a_label_that_is_made_while_it_runs_is_known_by_its_name(google: Google, accounts: Make) -> None:
    box, work = google.mailbox, accounts()
    ident = box.deliver(mail(number=1))
    await work.start()
    await work.until_mails(1)
    asked = len(google.asked("gmail.users.labels.list"))
    box.create_label("New")
    box.relabel(ident, add=["Label_1"], remove=["INBOX"])

    async def lies(folder: str) -> bool:
        return [copy.folder for state in (await work.states()).values() for copy in state.copies] == [folder]

    await work.passing(lambda: lies("New"))
    box.relabel(ident, remove=["Label_1"])
    await work.passing(lambda: lies("Archive"))
    assert len(google.asked("gmail.users.labels.list")) == asked + 1


async def test_mail_that_vanishes_between_list_and_request_holds_nothing_up(google: Google, accounts: Make) -> None:
    box = google.mailbox
    there = [box.deliver(mail(number=number)) for number in range(1, 4)]
    google.fault("gmail.users.messages.get", meanwhile=lambda: box.delete(there[1]))
    work = accounts()
    await work.start()
    await work.until_mails(2)
    await work.until_health("ok")
    ident = box.deliver(mail(number=4))
    google.fault("gmail.users.messages.get", meanwhile=lambda: box.delete(ident))
    box.deliver(mail(number=5))
    await work.until_mails(3)
    assert {each.data["message_id"][2] for each in await work.mails()} == {"1", "3", "5"}


async def test_drafts_spam_and_what_is_not_watched_stay_out_until_moved(google: Google, accounts: Make) -> None:
    box = google.mailbox
    work = accounts()
    await work.start()
    await work.until_health("ok")
    box.save_draft(mail("alex@example.com", number=1), None)
    spam = box.deliver(mail(number=2), ["SPAM", "UNREAD"])
    box.deliver(mail(number=3), ["UNREAD"])
    box.deliver(mail(number=4))
    await work.until_mails(1)
    box.relabel(spam, add=["INBOX"], remove=["SPAM"])
    await work.until_mails(2)
    assert {each.data["message_id"] for each in await work.mails()} == {"<m4@example.com>", "<m2@example.com>"}


async def test_sent_mail_is_known_and_no_news(google: Google, accounts: Make) -> None:
    work = accounts()
    await work.start()
    await work.until_health("ok")
    google.mailbox.send(mail("Alex <alex@example.com>", "bob@example.com", number=1), None)
    await work.until_mails(1)
    [sent] = await work.mails()
    assert (sent.data["label"], await work.news()) == ("SENT", {})
    assert [copy.use for state in (await work.states()).values() for copy in state.copies] == ["sent"]


async def test_labels_of_the_users_own_are_watched_by_their_names(google: Google, accounts: Make) -> None:
    box = google.mailbox
    label = box.create_label("Customers").id
    box.deliver(mail(number=1), [label])
    box.deliver(mail(number=2))
    work = accounts(labels=["customers"])
    await work.start()
    await work.until_mails(1)
    assert [(each.data["message_id"], each.data["label"]) for each in await work.mails()] == [
        ("<m1@example.com>", "Customers")
    ]
    assert [copy.folder for state in (await work.states()).values() for copy in state.copies] == ["Customers"]


async def test_a_label_that_there_is_not_is_told(google: Google, accounts: Make) -> None:
    work = accounts(labels=["INBOX", "Nowhere"])
    await work.start()
    _, detail, remedy = await work.until_health("trouble")
    assert detail == "no label Nowhere at alex@example.com; there are: INBOX, SENT"
    assert remedy == "fix labels in account work"


async def test_what_arrives_while_much_is_taken_in_goes_before_the_rest(google: Google, accounts: Make) -> None:
    """And at the pace that Google allows; how far it is is told meanwhile."""
    box, now = google.mailbox, google.service.now
    for number in range(1, 381):
        box.deliver(mail(number=number), at=now() - 9000 + number)
    work = accounts()
    details: list[str] = []

    async def listen() -> None:
        async with work.store.watch(["health"]) as updates:
            async for batch in updates:
                details.extend(f"{each.context.data['state']} {each.context.data['detail']}" for each in batch)

    listening = asyncio.create_task(listen())
    await work.start()
    await work.passing(lambda: any("taking in your mail: 1" in each for each in details), 90)
    box.deliver(mail(number=900, subject="Now"))

    async def there() -> bool:
        return await work.news() != {}

    await work.passing(there, 60)
    left = 381 - len(await work.mails())
    await work.until_mails(381)
    listening.cancel()
    assert left > 20
    assert await work.news() == {"<m900@example.com>": "high"}
    assert {asked.status for asked in google.log} == {200}  # never too fast


async def test_a_storm_of_refusals_passes(google: Google, accounts: Make) -> None:
    for number in range(1, 31):
        google.mailbox.deliver(mail(number=number))
    google.fault("gmail.users.*", status=429, retry_after=7, times=40, skip=3)
    work = accounts()
    await work.start()
    await work.until_mails(30)
    await work.until_health("ok")
    assert len(await work.mails()) == 30


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": True},
        {"drop": True, "when": "in"},
        {"drop": True, "when": "after"},
        {"status": 503},
        {"status": 500, "when": "after"},
        {"status": 403},
        {"status": 401},
    ],
    ids=str,
)
async def test_whatever_goes_wrong_with_each_call_nothing_is_lost_or_doubled(
    google: Google, accounts: Make, fault: dict[str, Any]
) -> None:
    """Each command of a first look and of the next fails once, and Google forgets its history between them."""
    box = google.mailbox
    for number in range(1, 4):
        box.deliver(mail(number=number))
    commands = ["labels.list", "getProfile", "history.list", "messages.list", "messages.get", "labels.get"]
    for command in [*(f"gmail.users.{each}" for each in commands), "batch"]:
        google.fault(command, **fault)
    work = accounts()
    await work.start()
    await work.until_mails(3)
    await work.until_health("ok")
    for command in [*(f"gmail.users.{each}" for each in commands), "batch"]:
        google.fault(command, **fault)
    box.deliver(mail(number=9))
    box.expire_history()
    await work.until_mails(4)
    await work.until_health("ok")
    assert await work.news() == {"<m9@example.com>": "high"}
    assert [each.version for each in await work.mails()] == [1] * 4


async def test_a_mail_that_the_server_will_not_give_is_told_and_passed_over(google: Google, accounts: Make) -> None:
    google.mailbox.deliver(mail(number=1))
    google.fault("gmail.users.messages.get", status=400, times=2)
    work = accounts()
    await work.start()
    _, detail, _ = await work.until_health("trouble", "1 mails were not given by Google")
    assert "looking each 10 s" in detail
    google.mailbox.deliver(mail(number=2))
    await work.until_mails(1)
    await work.clock.advance(6 * 3600)
    await work.until_mails(2)
    await work.until_health("ok")
    assert await work.news() == {"<m2@example.com>": "high"}


@pytest.mark.parametrize("when", ["at first", "while it runs", "in the midst"])
async def test_a_sign_in_that_ended_is_told_and_another_goes_on(
    google: Google, accounts: Make, tmp_path: Path, when: str
) -> None:
    box = google.mailbox
    for number in range(1, 31):
        box.deliver(mail(number=number))
    work = accounts(signed_in=when != "at first")
    if when == "in the midst":
        google.fault("batch", meanwhile=google.service.sign_in.end_grants)
    await work.start()
    if when == "while it runs":
        await work.until_health("ok")
        google.service.sign_in.end_grants()
    _, detail, remedy = await work.until_health("trouble")
    assert ("not signed in" if when == "at first" else "no longer takes the sign-in") in detail
    assert remedy == "run: pepper accounts signin work"
    asked = len(google.log)
    for _ in range(60):
        await work.clock.advance(10)
    assert len(google.log) == asked  # nothing is asked meanwhile
    allow(google, work.settings["work"], tmp_path)
    await work.until_mails(30)
    await work.until_health("ok")
    assert len(await work.mails()) == 30


async def test_an_access_token_that_ends_in_the_midst_is_renewed(google: Google, accounts: Make) -> None:
    for number in range(1, 61):
        google.mailbox.deliver(mail(number=number))
    google.fault("batch", meanwhile=google.service.sign_in.expire_access, times=1)
    work = accounts()
    await work.start()
    await work.until_mails(60)
    assert (await work.until_health("ok"))[0] == "ok"
    assert len(google.asked("oauth.token")) > 1


async def test_two_accounts_one_of_them_broken(google: Google, accounts: Make) -> None:
    other = said(google.url, "home", "alex@work.example")
    home = google.service.mailboxes["alex@work.example"]
    google.mailbox.deliver(mail(number=1))
    home.deliver(mail(number=2))
    both = accounts(other)
    await both.start()
    await both.until_health("ok")
    await both.until_health("ok", ident="home")
    broken = next(each for each in google.service.sign_in.grants if each.user == "alex@work.example")
    broken.live = False
    google.service.sign_in.expire_access()
    await both.until_health("trouble", ident="home")
    google.mailbox.deliver(mail(number=3))
    await both.until_mails(3)
    assert (await both.health())[0] == "ok"
    assert (await both.health("home"))[2] == "run: pepper accounts signin home"


async def test_a_server_that_is_away_is_told_and_found_again(google: Google, accounts: Make) -> None:
    work = accounts()
    await work.start()
    await work.until_health("ok")
    google.stop()
    google.mailbox.deliver(mail(number=1))
    await work.until_health("trouble", "Google can't be reached")
    google.start()
    await work.until_mails(1)
    await work.until_health("ok")
    assert await work.news() == {"<m1@example.com>": "high"}


async def test_a_server_that_stands_still_is_told(google: Google, accounts: Make) -> None:
    work = accounts()
    await work.start()
    await work.until_health("ok")
    google.fault("gmail.users.*", wait=600, times=99)
    await work.until_health("trouble", "Google does not answer")
    google.stop()  # its threads go on until then


async def test_what_is_filed_here_is_seen_in_the_state_and_undone(google: Google, accounts: Make) -> None:
    google.mailbox.deliver(mail(number=1))
    work = accounts()
    await work.start()
    await work.until_health("ok")

    async def lies(use: str) -> bool:
        return [copy.use for state in (await work.states()).values() for copy in state.copies] == [use]

    await work.passing(lambda: lies("inbox"))
    [place] = [copy.place for state in (await work.states()).values() for copy in state.copies]
    filed = await work.filers["work"].file(Filing("archive"), [place])
    await work.passing(lambda: lies("archive"))
    undo = filed[place].undo
    assert undo is not None
    await work.filers["work"].file(undo, [place])
    await work.passing(lambda: lies("inbox"))
    assert await work.news() == {}


async def test_a_mails_own_bytes_are_had_again_as_long_as_it_is_there(google: Google, accounts: Make) -> None:
    ident = google.mailbox.deliver(mail(number=1))
    work = accounts()
    await work.start()
    await work.until_mails(1)
    [stored] = await work.mails()
    settings = work.settings["work"]
    of_work = GmailOriginals(GmailAccount("work", settings, work.home, work.secrets, work.clock))
    of_home = GmailOriginals(GmailAccount("home", settings, work.home, work.secrets, work.clock))
    assert await of_work(stored.data) == mail(number=1)
    assert await of_home(stored.data) is None
    google.mailbox.delete(ident)
    assert await of_work(stored.data) is None
    google.service.sign_in.end_grants()
    with pytest.raises(ToolError, match="can't be had from Google now"):
        await of_work(stored.data)
