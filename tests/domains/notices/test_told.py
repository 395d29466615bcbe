"""What counts as told already: by window, by kind, by state, and never by the item itself."""

from __future__ import annotations

from typing import Any

import pytest

from pepper_tui.domains.notices.told import REMEMBERED, SAME_WINDOW, UNPAIRED, Told, same_state, signature
from pepper_tui.model import Notification

START = 1_800_000_000.0
EVENT: dict[str, Any] = {"matter": "mail:t1", "source": "signals.mail:s1"}
STATE: dict[str, Any] = {"matter": "disk:full", "source": "signals.disk:s1", "matter_kind": "state"}


def item(name: str, at: float = START, title: str = "It is full", **more: Any) -> Notification:
    return Notification(name, title, more.pop("body", ""), "because", more.pop("source", ""), at, **more)


def told(*items: Notification) -> Told:
    made = Told()
    for each in items:
        made.note(each)
    return made


@pytest.mark.parametrize("facts", [EVENT, STATE], ids=["event", "state"])
@pytest.mark.parametrize(("after", "again"), [(0.0, True), (SAME_WINDOW, True), (SAME_WINDOW + 1, False)])
def test_the_same_within_the_window_is_told_already(facts: dict[str, Any], after: float, again: bool) -> None:
    known = told(item("a", **facts))
    assert known.before(item("b", START + after, **facts)) is again


@pytest.mark.parametrize("facts", [EVENT, STATE], ids=["event", "state"])
def test_no_item_silences_itself(facts: dict[str, Any]) -> None:
    known = told(item("a", **facts))
    assert not known.before(item("a", START + 5, **facts))


@pytest.mark.parametrize("kind", sorted(UNPAIRED))
def test_each_firing_of_these_kinds_speaks_for_itself(kind: str) -> None:
    known = told(item("a", kind=kind, **EVENT))
    assert not known.before(item("b", kind=kind, **EVENT))


def test_a_state_that_is_another_now_is_told_and_one_that_is_back_too() -> None:
    known = told(item("a", **STATE))
    other = item("b", START + 1, title="There is room", **STATE)
    assert not known.before(other)
    known.note(other)
    back = item("c", START + 2, **STATE)
    assert not known.before(back)
    known.note(back)
    assert known.before(item("d", START + 3, **STATE))
    assert known.newest(item("d", **STATE)) == ("c", START + 2)


def test_a_state_is_told_by_each_source_for_itself() -> None:
    known = told(item("a", **STATE))
    assert not known.before(item("b", **{**STATE, "source": "signals.other:s1"}))
    assert known.before(item("c", **{**STATE, "source": "signals.disk:s2"}))


@pytest.mark.parametrize(
    "facts",
    [{"source": "signals.clock:c1", "matter": "m"}, {"source": "x", "matter": "rule:r1"}],
    ids=["clock", "rule"],
)
def test_what_a_rule_tells_at_its_times_is_told_each_time(facts: dict[str, str]) -> None:
    known = told(item("a", matter_kind="state", **facts))
    assert not known.before(item("b", START + 60, matter_kind="state", **facts))


def test_of_an_event_the_first_counts_and_other_words_are_no_repetition_without_a_source() -> None:
    known = told(item("a", matter="m"), item("b", START + 10, matter="m"))
    assert known.before(item("c", START + SAME_WINDOW, matter="m"))
    assert not known.before(item("c", START + SAME_WINDOW + 1, matter="m"))  # counted from the first
    assert not told(item("a", matter="m")).before(item("b", title="Other words", matter="m"))
    assert not told(item("a")).before(item("b"))  # of no matter, from no signal: nothing to know it by


def test_a_brief_on_a_signal_is_told_beside_its_notice() -> None:
    known = told(item("a", **EVENT))
    assert not known.before(item("b", kind="brief", **EVENT))
    assert known.before(item("c", title="Other words", **EVENT))  # but one signal makes one notice


def test_case_and_spacing_are_no_difference() -> None:
    assert signature(item("a", title="It  is FULL")) == signature(item("b", title="it is full"))
    assert signature(item("a", sender="a@x.y")) != signature(item("b", sender="b@x.y"))


def test_it_is_bounded_and_forgets_the_oldest() -> None:
    known = Told()
    for number in range(REMEMBERED + 1):
        known.note(item(str(number), matter=f"m{number}"))
    assert not known.before(item("x", matter="m0"))
    assert known.before(item("x", matter="m1"))


def test_a_strangers_state_of_a_matter_replaces_nobody_elses() -> None:
    facts: dict[str, Any] = {"matter": "mail:t1", "source": "signals.mail:s1", "kind": "brief", "matter_kind": "state"}
    boss, other = item("a", sender="boss@x.org", **facts), item("b", START + 1, sender="eve@y.org", **facts)
    assert not same_state(boss.data(), other)
    assert same_state(boss.data(), item("c", sender="BOSS@x.org", **facts))
    assert told(boss).newest(other) is None
