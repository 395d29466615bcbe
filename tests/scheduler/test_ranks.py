"""What starts a step, and in which order: every priority, every kind of result, whole."""

from __future__ import annotations

import pytest

from pepper_tui.model import CallState, Context, ContextUpdate, Effect, Json, Namespace, Priority, QueueRank
from pepper_tui.scheduler.ranks import RIDES_ALONG, rank_of

SIGNAL_RANKS = {
    Priority.URGENT: QueueRank.URGENT,
    Priority.HIGH: QueueRank.HIGH,
    Priority.NORMAL: QueueRank.NORMAL,
    Priority.LOW: QueueRank.LOW,
    Priority.LOG: None,
}
ENDED = (CallState.SUCCEEDED, CallState.FAILED, CallState.CANCELLED, CallState.UNKNOWN)


def rank(
    namespace: str, data: Json, *, version: int = 1, deleted: bool = False, effect: Effect | None = None
) -> object:
    context = Context("x", namespace, data, version=version)
    return rank_of(ContextUpdate(1, context, deleted=deleted), lambda _: effect)


def result(root: str, state: CallState, origin: str = "step:1", **more: Json | str | bool) -> Json:
    return {"name": "t", "root": root, "state": str(state), "origin": origin, **more}


@pytest.mark.parametrize("priority", Priority)
def test_each_priority_has_its_rank(priority: Priority) -> None:
    assert rank("signals.mail", {"priority": str(priority)}) == SIGNAL_RANKS[priority]


def test_the_more_urgent_goes_first_and_what_the_user_waits_for_before_all_but_the_urgent() -> None:
    asked = rank(Namespace.TOOL_RESULT, result("user", CallState.SUCCEEDED))
    order = [rank(Namespace.USER_MESSAGE, {}), SIGNAL_RANKS[Priority.URGENT], asked, SIGNAL_RANKS[Priority.HIGH]]
    order += [rank(Namespace.TOOL_RESULT, result("signal", CallState.FAILED)), SIGNAL_RANKS[Priority.NORMAL]]
    order += [SIGNAL_RANKS[Priority.LOW], RIDES_ALONG]
    assert order == sorted(order, key=int)  # type: ignore[arg-type]
    assert len(set(order)) == len(order)


@pytest.mark.parametrize("given", [{}, {"priority": "very"}, {"priority": 3}, {"priority": None}], ids=str)
def test_a_feeds_own_word_for_a_priority_loses_no_signal(given: Json) -> None:
    assert rank("signals.own", given) == QueueRank.NORMAL


@pytest.mark.parametrize("effect", [*Effect, None])
@pytest.mark.parametrize("state", ENDED)
@pytest.mark.parametrize("root", ["user", "signal"])
def test_only_a_local_act_of_peppers_own_that_succeeded_rides_along(
    root: str, state: CallState, effect: Effect | None
) -> None:
    quiet = root == "signal" and effect is Effect.LOCAL and state is CallState.SUCCEEDED
    wanted = QueueRank.ANSWER if root == "user" else RIDES_ALONG if quiet else QueueRank.RESULT
    assert rank(Namespace.TOOL_RESULT, result(root, state), effect=effect) == wanted


@pytest.mark.parametrize("origin", ["run:1", "act:rule|1|x", "look:", ""])
def test_results_of_others_start_no_step(origin: str) -> None:
    assert rank(Namespace.TOOL_RESULT, result("user", CallState.SUCCEEDED, origin)) is None


def test_a_later_version_of_a_message_or_what_was_deleted_is_no_new_thing() -> None:
    assert rank(Namespace.USER_MESSAGE, {}, version=2) is None
    for namespace in (Namespace.USER_MESSAGE, "signals.mail", Namespace.TOOL_RESULT):
        assert rank(namespace, result("user", CallState.SUCCEEDED), deleted=True) is None


@pytest.mark.parametrize(
    "name", ["cancel_call", "notify", "revise_proposal", "take_note", "update_profile", "search_mail"]
)
@pytest.mark.parametrize("state", ENDED)
@pytest.mark.parametrize(("announced", "question"), [(True, ""), (False, ""), (True, "user_1")])
def test_what_the_user_was_told_of_and_says_nothing_new_rides_along(
    name: str, state: CallState, announced: bool, question: str
) -> None:
    given = result("user", state, name=name, announced=announced, question=question)
    told = announced and not question and state is CallState.SUCCEEDED and name not in ("search_mail", "cancel_call")
    assert rank(Namespace.TOOL_RESULT, given, effect=Effect.LOCAL) == (RIDES_ALONG if told else QueueRank.ANSWER)
