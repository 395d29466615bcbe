"""Carrying out what a rule orders: acts, drafts, follow-ups."""
