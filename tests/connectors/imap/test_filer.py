"""Filing at the server: each act, by each server, with the road cut and other programs at work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pepper_tui.clock import SystemClock
from pepper_tui.connectors.imap.filer import GONE, RENUMBERED, ImapFiler
from pepper_tui.connectors.imap.settings import Imap
from pepper_tui.domains.mail.at_source.filing import INVERSE, Filing, FilingAct
from pepper_tui.domains.mail.at_source.state import Use
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.tools.errors import NotDoneError
from tests.connectors.imap.hostile import Hostile
from tests.connectors.imap.middle import CUTS, Cut, Middle
from tests.connectors.imap.servers import PASSWORD, USER, Other, Server
from tests.domains.mail.mails import mail

FOLDERS = ("Archive", "Papierkorb", "Junk E-mail", "Größe & mehr")
FLAGS: dict[FilingAct, bytes] = {"read": rb"\Seen", "flag": rb"\Flagged", "answered": rb"\Answered"}
TARGETS: dict[FilingAct, str] = {"archive": "Archive", "trash": "Papierkorb", "junk": "Junk E-mail", "move": FOLDERS[3]}
USES: dict[FilingAct, Use] = {"archive": "archive", "trash": "trash", "junk": "junk", "move": ""}
LESSER = ("MOVE", "UIDPLUS")


def filer(port: int, **more: Any) -> ImapFiler:
    said = {"address": "me@example.org", "host": "127.0.0.1", "port": port, "user": USER, "security": "none"}
    settings = Imap.model_validate({**said, "password": "env:P", "timeout": 5.0, **more})
    return ImapFiler("work", settings, lambda: PASSWORD, SystemClock())


def filing(act: FilingAct) -> Filing:
    return Filing(act, FOLDERS[3] if act == "move" else "")


@pytest.fixture
def other(server: Server) -> Iterator[Other]:
    with server.other() as program:
        for folder in FOLDERS:
            program.client.create_folder(folder)
        program.deliver(*(mail(number=number) for number in (1, 2, 3)))
        yield program


def places(other: Other, folder: str = "INBOX") -> dict[int, str]:
    """Each mail's place, by its number."""
    validity = other.client.select_folder(folder, readonly=True)[b"UIDVALIDITY"]
    said = other.client.fetch(other.client.search(), ["ENVELOPE", "FLAGS"])
    ids = {uid: each[b"ENVELOPE"].message_id.decode() for uid, each in said.items()}
    return {int(ident[2:].partition("@")[0]): f"imap:work/{folder}/{validity}.{uid}" for uid, ident in ids.items()}


def flags(other: Other, number: int = 1, folder: str = "INBOX") -> set[bytes]:
    uid = int(places(other, folder)[number].rpartition(".")[2])
    return set(other.client.get_flags([uid])[uid]) - {rb"\Recent"}


def numbers(other: Other, folder: str = "INBOX") -> list[int]:
    """The mails in a folder that are not marked as deleted, with their number of copies."""
    other.client.select_folder(folder, readonly=True)
    uids = other.client.search("UNDELETED")
    said = other.client.fetch(uids, ["ENVELOPE"]) if uids else {}
    return sorted(int(each[b"ENVELOPE"].message_id.decode()[2:].partition("@")[0]) for each in said.values())


@pytest.mark.parametrize("act", FLAGS)
async def test_a_mark_is_set_once_and_taken_back(server: Server, other: Other, act: FilingAct) -> None:
    work, place = filer(server.port), places(other)[1]
    assert await work.is_done(Filing(act), [place]) is False
    filed = (await work.file(Filing(act), [place]))[place]
    assert flags(other) == {FLAGS[act]}
    assert flags(other, 2) == set()
    assert await work.is_done(Filing(act), [place]) is True
    assert filed.undo == (Filing(INVERSE[act]) if act in INVERSE else None)
    assert (await work.file(Filing(act), [place]))[place].undo is None  # it had the mark: nothing to take back
    if filed.undo is not None:
        await work.file(filed.undo, [filed.place])
        assert flags(other) == set()


async def test_each_act_has_its_folder_in_any_language(server: Server, other: Other) -> None:
    work = filer(server.port)
    for number, act in enumerate(("trash", "junk", "move"), 1):
        place = places(other)[number]
        filed = (await work.file(filing(act), [place]))[place]
        assert places(other, TARGETS[act]) == {number: filed.place}
        assert filed.copy is not None
        assert (filed.copy.folder, filed.copy.use) == (TARGETS[act], USES[act])


@pytest.mark.parametrize("without", [(), ("MOVE",), LESSER], ids=["all", "no MOVE", "neither"])
async def test_a_mail_is_moved_and_moved_back_and_no_other_is_touched(
    server: Server, other: Other, without: tuple[str, ...]
) -> None:
    act: FilingAct = "archive"
    other.client.select_folder("INBOX")
    other.client.delete_messages(other.client.search(["HEADER", "Message-ID", "<m3@"]))  # another program's, not ours
    other.client.unselect_folder() if other.client.has_capability("UNSELECT") else None
    with Middle(server.port, without) as road:
        work, place = filer(road.port), places(other)[1]
        given = Filing(act, "", {place: "<m1@example.com>"})
        filed = (await work.file(given, [place]))[place]
        assert (numbers(other), numbers(other, TARGETS[act])) == ([2], [1])
        assert places(other, TARGETS[act]) == {1: filed.place}
        assert rb"\Deleted" in flags(other, 3)
        assert filed.copy is not None
        assert (filed.copy.folder, filed.copy.use) == (TARGETS[act], USES[act])
        assert await work.is_done(given, [place]) is True
        assert (await work.file(given, [place]))[place].trouble == GONE
        assert numbers(other, TARGETS[act]) == [1]
        assert filed.undo == Filing("move", "INBOX")
        await work.file(filed.undo, [filed.place])
        assert (numbers(other), numbers(other, TARGETS[act])) == ([1, 2], [])
        assert ("MOVE" in road.asked) == (not without)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(
    ("command", "act", "without"),
    [("STORE", "read", ()), ("MOVE", "archive", ()), ("COPY", "archive", LESSER), ("STORE", "archive", LESSER)],
)
async def test_a_road_that_ends_at_the_command_leaves_the_outcome_open_and_a_look_tells(
    server: Server, other: Other, command: str, act: FilingAct, without: tuple[str, ...], cut: Cut
) -> None:
    with Middle(server.port, without) as road:
        work, place = filer(road.port), places(other)[1]
        given = Filing(act, "", {place: "<m1@example.com>"})
        road.cut_at(command, cut)
        with pytest.raises(OutcomeUnknownError):
            await work.file(given, [place])
        done = (cut == "after") and command != "COPY"
        assert await work.is_done(given, [place]) is done
        await work.file(given, [place])
        assert await work.is_done(given, [place]) is True
        if act == "archive":
            assert (numbers(other), numbers(other, "Archive")) == ([2, 3], [1])  # once, whatever was cut


@pytest.mark.parametrize(
    ("command", "cut"),
    [("LOGIN", "before"), ("LIST", "before"), ("SELECT", "before"), ("FETCH", "before"), ("FETCH", "after")],
)
async def test_what_fails_before_the_first_change_is_not_done(
    server: Server, other: Other, command: str, cut: Cut
) -> None:
    with Middle(server.port) as road:
        work, place = filer(road.port), places(other)[1]
        road.cut_at(command, cut)
        with pytest.raises(NotDoneError):
            await work.file(Filing("archive"), [place])
        assert (numbers(other), numbers(other, "Archive")) == ([1, 2, 3], [])


async def test_a_strangers_mail_with_the_same_id_never_passes_for_the_copy(server: Server, other: Other) -> None:
    other.deliver(mail(number=1, sender="mallory@example.net"), folder="Archive")
    with Middle(server.port, LESSER) as road:
        await filer(road.port).file(Filing("archive"), [places(other)[1]])
    assert (numbers(other), numbers(other, "Archive")) == ([2, 3], [1, 1])


async def test_a_server_that_is_not_there_has_done_nothing(server: Server) -> None:
    with pytest.raises(NotDoneError, match="takes no connections"):
        await filer(1).file(Filing("read"), ["imap:work/INBOX/1.1"])


async def test_a_folder_that_counts_anew_is_not_guessed_at(server: Server, other: Other) -> None:
    other.deliver(*(mail(number=number) for number in (4, 5)), folder="Archive")
    old = places(other, "Archive")
    other.client.select_folder("INBOX")
    other.renumber("Archive", [mail(number=6), mail(number=7)])
    work = filer(server.port)
    filed = await work.file(Filing("trash"), [*old.values()])
    assert {each.trouble for each in filed.values()} == {RENUMBERED}
    assert numbers(other, "Archive") == [6, 7]
    assert await work.is_done(Filing("trash"), [*old.values()]) is None


async def test_what_another_program_moved_or_removed_meanwhile_is_told_and_the_rest_is_done(
    server: Server, other: Other
) -> None:
    with Middle(server.port) as road, server.other() as third:
        work, there = filer(road.port), places(other)
        road.meanwhile("SELECT", lambda: third.remove("<m1@example.com>"))
        filed = await work.file(Filing("archive"), [*there.values()])
        assert filed[there[1]].trouble == GONE
        assert (numbers(other), numbers(other, "Archive")) == ([], [2, 3])
        assert await work.is_done(Filing("archive", "", {there[1]: "<m1@example.com>"}), [there[1]]) is None


async def test_two_acts_at_once_leave_each_mail_in_one_place(server: Server, other: Other) -> None:
    import asyncio

    one, two, there = filer(server.port), filer(server.port), places(other)
    acts = [one.file(Filing("archive"), [*there.values()]), two.file(Filing("trash"), [*there.values()])]
    results = await asyncio.gather(*acts, return_exceptions=True)
    assert sorted([*numbers(other), *numbers(other, "Archive"), *numbers(other, "Papierkorb")]) == [1, 2, 3], results


@pytest.mark.parametrize(
    ("act", "more", "words"),
    [
        ("trash", {"trash": "Nowhere"}, "has no folder 'Nowhere'; fix trash in account work"),
        ("junk", {}, "name one in junk of account work"),
        ("label", {}, "has no labels"),
        ("move", {}, "has no folder 'Größe & mehr'"),
    ],
)
async def test_where_there_is_no_such_folder_it_says_which_key_to_set(
    server: Server, other: Other, act: FilingAct, more: dict[str, Any], words: str
) -> None:
    other.client.delete_folder("Junk E-mail")
    other.client.delete_folder(FOLDERS[3])
    with pytest.raises(NotDoneError, match=words):
        await filer(server.port, **more).file(filing(act), [places(other)[1]])
    assert numbers(other) == [1, 2, 3]


async def test_a_folder_that_the_config_names_comes_first(server: Server, other: Other) -> None:
    place = places(other)[1]
    filed = (await filer(server.port, archive=FOLDERS[3]).file(Filing("archive"), [place]))[place]
    assert numbers(other, FOLDERS[3]) == [1]
    assert filed.copy is not None
    assert filed.copy.use == "archive"


@pytest.mark.parametrize(
    "place", ["imap:other/INBOX/1.1", "imap:work/INBOX", "imap:work/1.1", "imap:work/INBOX/x.1", "nonsense", ""]
)
async def test_a_place_of_another_account_is_refused_without_a_word_to_the_server(place: str) -> None:
    work = filer(1)
    assert (await work.file(Filing("read"), [place]))[place].trouble == "it is not at this account"
    assert await work.is_done(Filing("read"), [place]) is None


def _special(tag: bytes) -> Iterator[bytes]:
    for name, marks in (("INBOX", ""), ("A", r"\Archive"), ("B", r"\Noselect"), ("C", r"\Trash"), ("D", r"\Junk")):
        yield f'* LIST ({marks}) "/" "{name}"\r\n'.encode()
    yield tag + b" OK done\r\n"


@pytest.mark.parametrize(("act", "to"), [("archive", b"A"), ("trash", b"C"), ("junk", b"D")])
@pytest.mark.parametrize("said", [b"", b"* OK [COPYUID 9 1 44] moved\r\n", b"* OK [COPYUID 9 1 1:999999999] x\r\n"])
async def test_a_special_folder_counts_whatever_its_name_and_a_told_place_is_taken(
    act: FilingAct, to: bytes, said: bytes
) -> None:
    moved: list[bytes] = []

    def select(tag: bytes) -> Iterator[bytes]:
        yield b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" + tag + b" OK done\r\n"

    def fetch(tag: bytes) -> Iterator[bytes]:
        yield b"* 1 FETCH (UID 1 FLAGS ())\r\n" + tag + b" OK done\r\n"

    def capability(tag: bytes) -> Iterator[bytes]:
        yield b"* CAPABILITY IMAP4rev1 MOVE UIDPLUS\r\n" + tag + b" OK done\r\n"

    def move(tag: bytes) -> Iterator[bytes]:
        moved.append(tag)
        yield said + tag + b" OK done\r\n"

    says = {"LIST": _special, "SELECT": select, "FETCH": fetch, "CAPABILITY": capability, "MOVE": move}
    with Hostile(says) as server:
        place = "imap:work/INBOX/7.1"
        filed = (await filer(server.port).file(Filing(act), [place]))[place]
        assert filed.place == (f"imap:work/{to.decode()}/9.44" if b"44" in said else "")
        assert (filed.undo, len(moved)) == (Filing("move", "INBOX"), 1)
        assert server.asked.count("EXPUNGE") == 0
