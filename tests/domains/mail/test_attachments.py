"""What may be attached: through the one door to the user's files; no byte of a file is stored before it is sent."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pepper_tui.domains.files.folders import Folders
from pepper_tui.domains.mail.attachments import read_attachments
from pepper_tui.model import CallState, ResolvedEffect
from pepper_tui.store.upkeep.exporting import export_file
from pepper_tui.tools import ToolError
from tests.tools.bench import Bench
from tests.tools.sink import Sink

S = CallState
SECRET = b"planted-7f3a-secret"
FORMS = [SECRET, base64.b64encode(SECRET).rstrip(b"=")[:-1]]
GIVEN = {"to": "bob@x.org", "subject": "s", "body": "b"}
KEPT_AWAY = [
    ".local/share/pepper/secrets.toml",
    ".local/share/pepper/pepper.db",
    ".local/share/pepper/notes.txt",
    ".ssh/id_ed25519",
    "id_ed25519",
    ".env",
    "work/prod.env",
    "pepper-home/pepper.db",
    "pepper-home/plain.txt",
    "pepper-home",
    "link-to-home/plain.txt",
    "link.txt",
]


@pytest.fixture
def user_home(bench: Bench, tmp_path: Path) -> Path:
    """A home folder, all of which may be attached from, with Pepper's own in it."""
    root = tmp_path / "user"
    for name in KEPT_AWAY[:9]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(SECRET)
    (root / "link-to-home").symlink_to(root / "pepper-home")
    (root / "link.txt").symlink_to(root / ".env")
    (root / "plan.pdf").write_bytes(SECRET)
    homes = [root / "pepper-home", root / ".local/share/pepper"]
    bench.parts.mail.attach_from = Folders([root], homes, may="attached from", setting="mail.attach_from")
    return root


async def stored(bench: Bench, tmp_path: Path) -> bytes:
    """All that the store holds: its files, and what is exported of it."""
    out = tmp_path / "export.jsonl"
    export_file(bench.path, out, bench.clock.now())
    files = [path for path in bench.path.parent.iterdir() if path.name.startswith(bench.path.name)]
    return b"".join(path.read_bytes() for path in [out, *files])


@pytest.mark.parametrize("name", KEPT_AWAY)
@pytest.mark.parametrize("absolute", [False, True])
async def test_a_secret_is_no_attachment(bench: Bench, user_home: Path, name: str, absolute: bool) -> None:
    call_id = await bench.schedule("send_mail", **GIVEN, attachments=[str(user_home / name) if absolute else name])
    await bench.state(call_id, S.FAILED)
    assert await bench.cards() == []
    assert SECRET.decode() not in (await bench.result(call_id)).content


@pytest.mark.parametrize("decision", ["reject", "yes", "expire"])
async def test_no_byte_of_an_attachment_is_stored(
    bench: Bench, sink: Sink, user_home: Path, tmp_path: Path, decision: str
) -> None:
    for name in KEPT_AWAY:
        await bench.state(await bench.schedule("send_mail", **GIVEN, attachments=[name]), S.FAILED)
    call_id = await bench.schedule("send_mail", **GIVEN, attachments=["plan.pdf"])
    card = await bench.card(call_id)
    if decision == "yes":
        await bench.yes(call_id)
        await bench.state(call_id, S.SUCCEEDED)
        assert any(form in sink.taken[0].message for form in FORMS)
    elif decision == "reject":
        await bench.approvals.reject(card.id)
    held = await stored(bench, tmp_path)
    assert b"plan.pdf" in held
    assert not [form for form in FORMS if form in held]


@pytest.mark.parametrize("gone", ["removed", "a link now", "a folder now", "too large"])
async def test_a_file_that_can_not_be_had_any_more_is_not_sent(
    bench: Bench, sink: Sink, user_home: Path, gone: str
) -> None:
    call_id = await bench.schedule("send_mail", **GIVEN, attachments=["plan.pdf"])
    await bench.card(call_id)
    path = user_home / "plan.pdf"
    path.unlink()
    if gone == "a link now":
        path.symlink_to(user_home / ".env")
    elif gone == "a folder now":
        path.mkdir()
    elif gone == "too large":
        path.write_bytes(bytes(5_000_001))
    await bench.yes(call_id)
    back = await bench.returned(call_id)
    assert sink.taken == []
    assert back.problem


async def test_a_card_of_an_older_version_sends_the_message_that_it_holds(bench: Bench, sink: Sink) -> None:
    call_id = await bench.schedule("send_mail", **GIVEN)
    effect = ResolvedEffect.of((await bench.card(call_id)).effect)
    assert effect.payload["message"]
    await bench.yes(call_id)
    await bench.state(call_id, S.SUCCEEDED)
    assert sink.taken[0].message.rstrip() == effect.payload["message"].encode().rstrip()


def attached(folders: Folders) -> bytes:
    [(_, data)] = read_attachments(["deep/sub/plan.txt"], folders)
    return data


def read(folders: Folders) -> bytes:
    return folders.content("deep/sub/plan.txt", 1_000)[1]


@pytest.mark.parametrize("door", [attached, read])
@pytest.mark.parametrize("swapped", ["allowed", "allowed/deep", "allowed/deep/sub", "allowed/deep/sub/plan.txt"])
def test_a_part_that_becomes_a_link_as_it_is_opened_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swapped: str, door: Callable[[Folders], bytes]
) -> None:
    for place, data in (("allowed", b"public"), ("outside", SECRET)):
        (tmp_path / place / "deep" / "sub").mkdir(parents=True)
        (tmp_path / place / "deep" / "sub" / "plan.txt").write_bytes(data)
    folders = Folders([tmp_path / "allowed"])
    assert door(folders) == b"public"
    opened, done = os.open, []

    def racing(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if Path(str(path)).name == Path(swapped).name and not done:
            done.append(1)  # it has been looked at, and it is opened now
            (tmp_path / swapped).rename(tmp_path / "spare")
            (tmp_path / swapped).symlink_to(tmp_path / swapped.replace("allowed", "outside"))
        return opened(path, flags, mode, dir_fd=dir_fd)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", racing)
    with pytest.raises(ToolError):
        door(folders)
    assert done


def test_the_forbidden_home_moved_into_the_way_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed, home = tmp_path / "allowed", tmp_path / "home"
    (allowed / "sub").mkdir(parents=True)
    (allowed / "sub" / "plain.txt").write_bytes(b"public")
    home.mkdir()
    (home / "plain.txt").write_bytes(SECRET)
    folders = Folders([allowed], [home])
    opened, moved = os.open, []

    def swapping(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "sub" and not moved:
            moved.append(1)
            (allowed / "sub").rename(allowed / "spare")
            home.rename(allowed / "sub")
        return opened(path, flags, mode, dir_fd=dir_fd)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", swapping)
    with pytest.raises(ToolError):
        read_attachments(["sub/plain.txt"], folders)
    assert moved


def test_a_home_that_is_made_later_is_not_read_either(tmp_path: Path) -> None:
    folders = Folders([tmp_path], [tmp_path / "home"])
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "plain.txt").write_bytes(SECRET)
    with pytest.raises(ToolError):
        read_attachments(["home/plain.txt"], folders)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mail.eml", "application/octet-stream"),
        ("a.tar.gz", "application/gzip"),
        ("plan.pdf", "application/pdf"),
        ("what", "application/octet-stream"),
    ],
)
def test_the_type_of_an_attachment(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    [(file, _)] = read_attachments([name], Folders([tmp_path]))
    assert file.type == kind
