"""Who may act through the socket: a front with the token of this engine, and of this version; all else only looks."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Secrets
from pepper_tui.engine.answers.front import front_answers
from pepper_tui.engine.answers.served import ServedEngine
from pepper_tui.engine.answers.socket import RemoteError, request
from pepper_tui.engine.answers.token import TOKEN_FILE, make_token, read_token
from pepper_tui.engine.client import RemoteEngine
from pepper_tui.engine.protocol import Engine, EngineError
from pepper_tui.engine.wire import PREFIX, VERSION
from pepper_tui.model import Approval, ApprovalState, ContextFilter, Namespace, UserAct
from tests.engine.desk import CONFIG, Desk, FrontedEngine, calls
from tests.ui.fake_engine import FakeEngine

LOOKS = {
    "recall", "health", "held_back", "updates", "replies", "why", "dead_letters", "rules", "rule_acts", "rule_versions",
    "mails", "mail_thread", "mail_head", "attachment", "attachment_text", "mail_changes", "days",
}  # fmt: skip
ACTS = {
    "say", "take_back", "stop_reply", "approve", "reject", "edit", "dismiss", "done", "file", "seen", "attend",
    "snooze", "choose", "answer", "answer_unknown", "cancel_call", "undo", "redo", "redrive", "pause_rule",
    "resume_rule", "remove_rule", "propose_rule", "write_mail", "save_draft", "order_event",
}  # fmt: skip
METHODS = {name for name in dir(Engine) if not name.startswith("_")}
LIVES = {"zone", "model_name", "offline", "start", "close"}
MAIL = ("send_mail", {"to": "alice@example.com", "subject": "Lunch", "body": "Noon?"})


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Desk]:
    async with Desk(tmp_path, clock, CONFIG, FrontedEngine) as one:
        yield one


@pytest.fixture
async def front(desk: Desk) -> AsyncIterator[RemoteEngine]:
    one = RemoteEngine(desk.home)
    await one.start()
    yield one
    await one.close()


async def asked(home: Path, verb: str, **arguments: Any) -> list[dict[str, Any]]:
    return [item async for item in request(home, f"{PREFIX}{verb}", arguments)]


def test_every_method_has_a_verb_and_all_but_the_looks_act() -> None:
    assert LOOKS | ACTS | LIVES == METHODS
    assert set(front_answers(FakeEngine(), "t")) == {f"{PREFIX}{name}" for name in LOOKS | ACTS | {"greet"}}


@pytest.mark.parametrize("token", [None, "", "wrong", 7])
@pytest.mark.parametrize("act", sorted(ACTS))
async def test_no_act_without_the_token(act: str, token: Any) -> None:
    fake = FakeEngine()
    arguments = {"version": VERSION, "given": {}} | ({} if token is None else {"token": token})
    with pytest.raises(RemoteError, match="only a front"):
        [item async for item in front_answers(fake, "right")[f"{PREFIX}{act}"](arguments)]
    assert fake.calls == []
    assert not fake.attended


@pytest.mark.parametrize("version", [None, 0, VERSION + 1, str(VERSION)])
@pytest.mark.parametrize("verb", sorted(LOOKS | ACTS | {"greet"}))
async def test_no_verb_for_another_version(verb: str, version: Any) -> None:
    fake = FakeEngine()
    arguments = {"version": version, "given": {}, "token": "right"}
    with pytest.raises(RemoteError, match="start both anew with the same Pepper"):
        [item async for item in front_answers(fake, "right")[f"{PREFIX}{verb}"](arguments)]
    assert fake.calls == []


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("say", {}),
        ("say", {"text": "x", "spans": [1], "after_calls": False, "alone": False, "key": ""}),
        ("edit", {"approval_id": "a", "fields": []}),
        ("dismiss", {"refs": []}),
        ("file", {"refs": 1, "act": "archive", "folder": ""}),
        ("file", {"refs": ["mail:m"]}),
        ("choose", {"ref": "notification:n", "number": "many"}),
        ("answer_unknown", {"call_id": "c", "answer": "perhaps"}),
        ("recall", {"filter": {}}),
        ("recall", {"filter": {"namespaces": 1}}),
        ("held_back", {"since": None}),
    ],
)
async def test_what_is_given_otherwise_is_refused_and_not_done(verb: str, given: Any) -> None:
    fake = FakeEngine()
    arguments = {"version": VERSION, "given": given, "token": "right"}
    with pytest.raises(RemoteError, match="did not understand"):
        [item async for item in front_answers(fake, "right")[f"{PREFIX}{verb}"](arguments)]
    assert fake.calls == []


async def test_a_front_without_the_token_looks_and_does_not_act(desk: Desk, front: RemoteEngine) -> None:
    await desk.says("write to Alice", calls(MAIL))
    card = await desk.card()
    [item] = await asked(desk.home, "held_back", version=VERSION, given={"since": 0.0})
    assert item["value"][0] == 0
    with pytest.raises(RemoteError, match="only a front"):
        await asked(desk.home, "approve", version=VERSION, given={"approval_id": card.id})
    assert (await desk.card()).state is ApprovalState.PENDING


async def test_what_is_decided_through_the_socket_says_so_until_it_is_taken_back(
    desk: Desk, front: RemoteEngine
) -> None:
    await desk.says("write to Alice", calls(MAIL))
    card = await desk.card()

    async def now() -> Approval:
        [context] = await front.recall(ContextFilter(namespaces=[Namespace.APPROVAL], context_ids=[card.id]))
        return Approval.of(context)

    await front.approve(card.id)
    assert ((await now()).state, (await now()).decided_by) == (ApprovalState.APPROVED, "socket")
    assert [UserAct.of(row).decided_by for row in await desk.rows(Namespace.UNDO)] == ["socket"]
    await front.undo()
    assert ((await now()).state, (await now()).decided_by) == (ApprovalState.PENDING, "")
    await desk.engine.reject(card.id)
    assert ((await now()).state, (await now()).decided_by) == (ApprovalState.REJECTED, "")
    assert [UserAct.of(row).decided_by for row in await desk.rows(Namespace.UNDO)] == ["socket", ""]


async def test_a_card_that_expires_while_a_front_acts_was_not_decided_by_it(desk: Desk, front: RemoteEngine) -> None:
    await desk.says("write to Alice", calls(MAIL))
    card = await desk.card()
    await desk.engine.parts.calling.engine.approvals.stop()  # nobody has noticed its end
    await desk.clock.advance(card.expires_at - desk.clock.now() + 1)
    with pytest.raises(EngineError, match="expired"):
        await front.approve(card.id)
    [row] = await desk.rows(Namespace.APPROVAL)
    assert (row["state"], row["decided_by"]) == ("expired", "")


async def test_the_token_lives_as_long_as_its_engine(desk: Desk) -> None:
    path = desk.home / TOKEN_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.read_text()
    assert len(first) >= 40
    assert first not in Secrets.without(f"it is {first}")
    await desk.engine.close()
    assert not path.exists()
    await desk.open()
    assert path.read_text() != first


async def test_the_token_of_an_engine_that_is_gone_is_good_for_nothing(desk: Desk, front: RemoteEngine) -> None:
    await desk.restart()
    assert await front.health()
    with pytest.raises(EngineError, match="only a front that opened"):
        await front.undo()


@pytest.mark.parametrize("before", ["file", "link", "dangling"])
def test_a_new_token_never_goes_where_something_lies(tmp_path: Path, before: str) -> None:
    path, elsewhere = tmp_path / TOKEN_FILE, tmp_path / "elsewhere"
    if before == "file":
        path.write_text("old")
        path.chmod(0o644)
    else:
        path.symlink_to(elsewhere)
    if before == "link":
        elsewhere.write_text("mine")
    token = make_token(tmp_path)
    assert read_token(tmp_path) == token
    assert stat.S_ISREG(path.lstat().st_mode)
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert (elsewhere.read_text() if elsewhere.exists() else "mine") == "mine"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_token_that_others_could_know_is_not_used(tmp_path: Path, mode: int) -> None:
    make_token(tmp_path)
    (tmp_path / TOKEN_FILE).chmod(mode)
    with pytest.raises(PermissionError):
        read_token(tmp_path)


@pytest.mark.parametrize("what", ["link", "pipe", "nothing"])
async def test_a_front_says_what_is_wrong_with_the_token(desk: Desk, what: str, tmp_path: Path) -> None:
    path = desk.home / TOKEN_FILE
    path.rename(desk.home / "moved")
    if what == "link":
        path.symlink_to(desk.home / "moved")
    if what == "pipe":
        os.mkfifo(path, 0o600)
    with pytest.raises(EngineError, match=TOKEN_FILE):
        async with asyncio.timeout(5):
            await RemoteEngine(desk.home).start()


async def test_without_an_engine_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no engine runs"):
        await RemoteEngine(tmp_path).start()


async def test_when_the_engine_ends_the_streams_end_and_calls_are_refused(desk: Desk, front: RemoteEngine) -> None:
    pieces = asyncio.create_task(anext(aiter(front.replies()), None))
    await asyncio.sleep(0)
    async with front.updates() as updates:
        await desk.engine.close()
        async with asyncio.timeout(10):
            assert [batch async for batch in updates if batch] == []
            assert await pieces is None
    with pytest.raises(EngineError, match="no engine runs"):
        await front.approve("a")


async def test_no_front_is_served_where_none_was_asked_for(tmp_path: Path, clock: ManualClock) -> None:
    async with Desk(tmp_path, clock, CONFIG, ServedEngine) as desk:
        assert not (desk.home / TOKEN_FILE).exists()
        with pytest.raises(EngineError):
            await RemoteEngine(desk.home).start()
