"""What may be said of a rule to a tool stands in one place, and reaches every key of the config's ``[[rule]]``."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pepper_tui.rules.toml_text import KEYS
from pepper_tui.rules.tools.arguments import Said, of_the_config
from pepper_tui.rules.tools.proposing import change_rule, propose_rule

SAID = sorted(Said.__annotations__)


@pytest.mark.parametrize("name", SAID)
def test_the_tool_that_makes_a_rule_and_the_one_that_changes_it_take_the_same(name: str) -> None:
    making, changing = (dict(each.parameters["properties"][name]) for each in (propose_rule, change_rule))
    assert making.pop("description")
    assert changing.pop("description")
    assert making == changing
    assert not {name} & {*propose_rule.parameters["required"], *change_rule.parameters["required"]}


def test_every_key_of_a_rule_can_be_said() -> None:
    said: Any = dict.fromkeys(SAID, 1) | {"words": ["offer"]}
    assert {*of_the_config(cast("Said", said)), "name", "sender"} == {*KEYS}


@pytest.mark.parametrize("name", SAID)
def test_what_is_left_open_is_not_said(name: str) -> None:
    said: Any = {name: None}
    assert of_the_config(cast("Said", said)) == {}
