"""Everything about approvals: policy, cards, decisions, and carrying out what was approved."""
