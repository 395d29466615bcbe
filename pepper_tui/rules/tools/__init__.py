"""Rules as tools: a model may list them, and propose to make, change, pause or remove one. The user decides."""

from __future__ import annotations

from pepper_tui.rules.tools.listing import list_rules
from pepper_tui.rules.tools.parts import RuleParts
from pepper_tui.rules.tools.pausing import pause_rule, remove_rule, resume_rule
from pepper_tui.rules.tools.proposing import change_rule, propose_rule
from pepper_tui.tools.tool import Tool

__all__ = ["RuleParts", "rule_tools"]


def rule_tools(parts: RuleParts | None) -> list[Tool]:
    every = (list_rules, propose_rule, change_rule, pause_rule, resume_rule, remove_rule)
    return [each.with_given(parts) for each in every]
