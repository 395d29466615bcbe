"""The user's rules: proposed, agreed to, paused, resumed, removed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pepper_tui.model import Namespace, RuleState
from tests.conformance.engine.stages import T0, Stage, notice
from tests.ui.fake_engine import rule_act


async def state(stage: Stage, ident: str) -> RuleState:
    [report] = [each for each in await stage.engine.rules() if each.rule["id"] == ident]
    assert report.sentence
    return RuleState(report.rule["state"])


async def test_a_rule_is_paused_resumed_and_removed(stage: Stage) -> None:
    rule = await stage.rule()
    assert await state(stage, rule) is RuleState.ACTIVE
    assert await stage.engine.pause_rule(rule)
    assert await state(stage, rule) is RuleState.PAUSED
    assert await stage.engine.resume_rule(rule)
    assert await state(stage, rule) is RuleState.ACTIVE
    assert await stage.engine.remove_rule(rule)
    assert [
        each for each in await stage.engine.rules() if each.rule["id"] == rule and each.rule["state"] == "active"
    ] == []


async def test_a_rule_of_one_version_has_no_history_and_without_a_match_no_acts(stage: Stage) -> None:
    rule = await stage.rule()
    assert await stage.engine.rule_versions(rule) == []
    assert await stage.engine.rule_acts(rule) == []


async def test_a_proposal_waits_for_a_yes(stage: Stage) -> None:
    await stage.put(Namespace.NOTIFICATION, notice("n1", sender="bob@example.com", who="Bob"))
    before = await stage.engine.rules()
    assert await stage.engine.propose_rule("notification:n1")
    assert len(await stage.engine.rules()) == len(before)


@pytest.mark.parametrize("limit", [1, 2])
async def test_of_a_rules_acts_the_newest_are_told(stage: Stage, limit: int) -> None:
    rule = await stage.rule()
    acts = [replace(rule_act(f"act{n}"), rule=rule, created_at=T0 + n) for n in range(3)]
    await stage.put(Namespace.RULE_ACT, *acts)
    found = await stage.engine.rule_acts(rule, limit)
    assert found == acts[::-1][:limit]
