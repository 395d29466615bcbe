"""Each scenario is one that can be passed, and that neither who can't do it nor who means to cheat passes."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
import ssl
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.evaluation import __main__ as command
from tests.evaluation.day import LONGEST_ANSWER, MOST_CALLS, ONE_SENTENCE
from tests.evaluation.player import Cue, Prompt, Script, heard, passes, result, summing
from tests.evaluation.run import Outcome, Report, passing_folder, play, run, scripted
from tests.evaluation.scenario import Scenario
from tests.evaluation.scenarios import TABLE

LONG = "wish-of-turn-three"


@pytest.fixture(scope="module", autouse=True)
def no_tls() -> Iterator[None]:
    """No certificates are read: each day has clients of its own, that takes half of its time, and none speaks TLS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)
        yield


def dumped(prompt: Prompt) -> str:
    """The newest of what a prompt holds, without its tags, as much as an answer may have; and that all is well."""
    return re.sub(r"<[^>]*>", " ", prompt.log)[60 - LONGEST_ANSWER :] + " Done; nothing failed, no question is open."


def dumped_before(prompt: Prompt) -> str:
    """As much as a sentence may have of what was there before what is new."""
    return re.sub(r"<[^>]*>", " ", prompt.log.rpartition("<new/>")[0])[60 - ONE_SENTENCE :] + " Done; nothing failed."


CHEATS = {
    name: Script([Cue(lambda prompt: prompt.role == "scheduler", text), summing("Done.")], "anything")
    for name, text in (("cheat", dumped), ("sly cheat", dumped_before))
}
"""Players that know no scenario, call no tool, and say whatever might pass."""


def cheats(scenario: Scenario) -> Iterator[tuple[str, Script]]:
    """Those that might pass: where no answer is judged, one that only talks is enough."""
    if scenario.name != LONG:
        judged = "answer" in scenario.play.__code__.co_varnames
        yield from list(CHEATS.items())[: None if judged else 1]


def played(scenario: Scenario, script: Script) -> Outcome:
    with passing_folder() as folder, scripted(script) as model:
        return asyncio.run(play(scenario, folder, model))


@pytest.mark.parametrize("scenario", TABLE, ids=str)
def test_who_passes_who_fails_and_where(scenario: Scenario) -> None:
    failed: set[int] = set()
    for name, script in [*scenario.players.items(), *cheats(scenario)]:
        outcome = played(scenario, script)
        assert outcome.error == "", name
        assert outcome.passed is not bool(script.misses), f"{name}: {outcome.missed}"
        assert name in CHEATS or script.misses in outcome.missed, f"{name} must fail by the check that it is to prove"
        failed.add(outcome.line_missed)
    idle = [words for lines, words in checks(scenario) if not failed.intersection(lines)]
    assert idle == [], "nobody fails by these checks"


def checks(scenario: Scenario) -> Iterator[tuple[range, str]]:
    """Each check in a scenario's code: its lines, and its words."""
    tree = ast.parse(inspect.getsource(scenario.play))
    offset = scenario.play.__code__.co_firstlineno - 1
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "check":
            assert node.end_lineno is not None
            yield range(node.lineno + offset, node.end_lineno + offset + 1), ast.unparse(node.args[1])


def test_there_are_many_scenarios_and_no_name_is_taken_twice() -> None:
    assert len(TABLE) >= 24
    assert [name for name, count in Counter(map(str, TABLE)).items() if count > 1] == []
    assert all(len(each.players) >= 3 and len(each.name) < 24 and each.asks.endswith(".") for each in TABLE)


def one(name: str) -> Scenario:
    return next(each for each in TABLE if each.name == name)


def test_a_run_counts_what_each_model_call_has_cost() -> None:
    scenario = one("answer-in-place")
    with scripted(scenario.players["good"]) as model:
        told: list[str] = []
        report = run([scenario], model, repeat=2, tell=told.append)
    assert (report.passes, len(report.outcomes)) == (2, 2)
    assert report.repeated() == ["answer-in-place         2/2"]
    assert [each.calls for each in report.outcomes] == [2, 2]
    assert all("pass" in line for line in told)
    total = report.sum
    assert 0 < total.cached_tokens < total.prompt_tokens
    assert total.completion_tokens > 0
    assert not report.priced
    assert "passes 2/2  calls 4 " in report.line
    assert "cost not known" in report.line


def test_a_price_makes_a_cost_and_the_most_that_it_may_be_ends_a_run() -> None:
    scenario = one("answer-in-place")
    told: list[str] = []
    with scripted(scenario.players["good"]) as model:
        options = ("""prices = { scripted = { input = 1000.0, cached = 100.0, output = 1000.0 } }""",)
        report = run([scenario, scenario], model.with_options(*options), most=0.01, tell=told.append)
    assert len(report.outcomes) == 1
    assert report.outcomes[0].cost > 0.01
    assert report.priced
    assert told[-1].startswith("stopped")


def test_a_fault_of_a_script_is_no_miss() -> None:
    script = passes(heard("dentist", lambda prompt: str(1 / 0)))
    with pytest.raises(ZeroDivisionError), scripted(script) as model:
        run([one("answer-in-place")], model)


def test_a_model_that_never_rests_is_let_go() -> None:
    again = ("agenda", {"start": "today"})
    outcome = played(one("answer-in-place"), passes(heard("", "", again), result("agenda", "", again)))
    assert outcome.missed
    assert outcome.calls <= MOST_CALLS + 1


def test_the_sum_is_of_all_outcomes() -> None:
    report = Report(
        "m", "u", True, [Outcome("a", True, calls=1, cost=0.5), Outcome("b", missed="x", calls=2, cost=0.25)]
    )
    assert report.line.startswith("passes 1/2  calls 3 ")
    assert "0.7500 USD" in report.line
    assert report.data()["cost"] == 0.75
    assert report.repeated() == []


def test_the_command_plays_what_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    scenario = one("answer-in-place")
    with scripted(scenario.players["good"]) as model:
        there = ["--model", "scripted", "--base-url", model.base_url]
        assert command.main([*there, "--only", "answer-in-place", "--json"]) == 0
        data = json.loads(capsys.readouterr().out)
        assert command.main([*there, "--only", "answer-in-place", "no-such"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert command.main([*there, "--only", "no-such"]) == 2
    assert (data["passes"], data["played"], data["cost"]) == (1, 1, None)
    assert data["scenarios"][0]["scenario"] == "answer-in-place"
    assert lines[0].startswith("answer-in-place")
    assert lines[-1].startswith("passes 1/1  calls 2 ")


def test_a_server_that_is_not_there_is_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    there = ["--model", "none", "--base-url", "http://127.0.0.1:9/v1", "--only", "answer-in-place", "two-wishes"]
    assert command.main([*there, "--option", "retries = 0"]) == 1
    told = capsys.readouterr().out
    assert "stopped: the model gave no answer" in told
    assert "passes 0/1 " in told
    assert "127.0.0.1:9" in told, "the reason is told"
    assert command.main([]) == 2


def test_the_list_says_what_each_asks(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(TABLE)
