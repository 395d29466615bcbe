"""The user's days as a front sees them: what is on them, and what the user orders there."""
