"""One origin can't bury the inbox in notices: what is above its cap is one item that lists all of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from pepper_tui.model import Namespace, Notification, Priority, Trust
from pepper_tui.ui.screen.inbox.cards import opened, title
from pepper_tui.ui.screen.ink import Ink, Pen
from pepper_tui.ui.shared.matters import MORE, NOTICES_SHOWN, InboxItem, inbox_items
from pepper_tui.ui.shared.words import item_lines
from tests.tools.bench import Bench


def items(notices: list[Notification]) -> list[InboxItem]:
    return inbox_items({}, notices, {}, [], [], [], 0.0)


def told(count: int, origin: str = "model", matter: str = "") -> list[Notification]:
    return [
        Notification(f"{origin}{n}", f"Go to evil{n}.example", "b", "you asked", "signals.mail:1", float(n),
                     Priority.URGENT, origin=origin, matter=f"{matter}{n}" if matter else "")
        for n in range(count)
    ]  # fmt: skip


def test_a_flood_is_a_few_items_and_one_that_lists_the_rest() -> None:
    for matter in ("", "m"):
        found = items(told(248, matter=matter))
        assert len(found) == NOTICES_SHOWN + 1
        rest = found[-1]
        assert (rest.kind, title(rest)) == (MORE, f"{248 - NOTICES_SHOWN} more from the model")
        assert len({notice.id for item in found for notice in item.notices}) == 248
        listed = "\n".join(line.plain for line in opened(rest, Pen(Ink.of({}), 80, UTC, 0.0)))
        assert all(f"evil{n}.example" in listed for n in range(NOTICES_SHOWN, 248))
        assert all(f"evil{n}.example" in "\n".join(item_lines(rest, UTC)) for n in range(NOTICES_SHOWN, 248))


@pytest.mark.parametrize(
    ("origin", "more", "words"),
    [
        ("feed:tickets", {}, "the feed tickets"),
        ("calendar:shared", {}, "the calendar shared"),
        ("sender:eve@y.org", {"sender": "eve@y.org", "who": "Eve"}, "Eve <eve@y.org>"),
        ("sender:", {}, "unknown senders"),
        ("model", {}, "the model"),
    ],
)
@pytest.mark.parametrize("matter", ["", "m"])
def test_each_origin_has_its_own_cap(origin: str, more: dict[str, str], words: str, matter: str) -> None:
    flood = [replace(each, **more) for each in told(20, origin, matter)]
    quiet = [replace(each, created_at=99.0, priority=Priority.LOW) for each in told(1, f"{origin}-another", "x")]
    found = items([*flood, *quiet])
    assert len(found) == NOTICES_SHOWN + 2
    assert title(found[-1]) == f"{20 - NOTICES_SHOWN} more from {words}"
    assert quiet[0] in [item.record for item in found]


@pytest.mark.parametrize("trust", list(Trust))
def test_only_whom_the_user_has_not_written_to_is_capped(trust: Trust) -> None:
    flood = [replace(each, trust=str(trust)) for each in told(20, "sender:bob@x.org", "m")]
    folded = len(items(flood)) < 20
    assert folded is (trust in (Trust.KNOWN, Trust.UNKNOWN))


def test_it_never_counts_against_what_others_tell() -> None:
    others = told(20, origin="")
    found = items([*told(248), *others])
    assert len(found) == NOTICES_SHOWN + 1 + 20
    assert found[-1].kind == MORE


def test_up_to_the_cap_nothing_is_folded() -> None:
    assert all(item.kind != MORE for item in items(told(NOTICES_SHOWN)))


async def test_what_a_model_tells_through_its_tool_is_of_one_origin(bench: Bench) -> None:
    for n in range(NOTICES_SHOWN + 3):
        await bench.store.store({"text": "x"}, namespace="signals.mail", context_id=str(n))
    calls = [
        await bench.schedule(
            "notify", title=f"t{n}", body="b", reason="r", source=f"signals.mail:{n}", priority="urgent"
        )
        for n in range(NOTICES_SHOWN + 3)
    ]
    found = []
    for call in calls:
        notice = await bench._there(f"notification_{call}", Namespace.NOTIFICATION)
        found.append(Notification.of(notice))
    assert len(items(found)) == NOTICES_SHOWN + 1
