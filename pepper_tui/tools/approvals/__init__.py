"""What needs a yes: policy, cards, decisions, and carrying out what was approved."""
